"""The OpenAPI document, as it was authored."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from starlette.routing import compile_path

# Written in C where it is at hand, as in the library's wheels: eight times as quick, at each start of a process.
_LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_BODY = 4 * 1024 * 1024

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


@dataclass(frozen=True)
class Operation:
    id: str
    path: str
    method: str
    definition: Mapping[str, Any]

    @property
    def required_scopes(self) -> frozenset[str]:
        return frozenset(self.definition.get("x-required-scopes", ()))

    @property
    def max_body(self) -> int:
        """In bytes."""
        return int(self.definition.get("x-max-body", MAX_BODY))

    @property
    def is_first_hubs(self) -> bool:
        """Whether clients of the first hub call it, which write property names in any letter case."""
        return bool(self.definition.get("x-first-hub-body"))

    @property
    def is_operators(self) -> bool:
        """Whether those who run the hub call it."""
        return "operator" in self.required_scopes

    @property
    def is_callback(self) -> bool:
        """Whether a provider calls it: the call is judged by its signature, and kept as it came."""
        return bool(self.definition.get("x-signed-call"))


@dataclass(frozen=True)
class Contract:
    """`document` names the hub's own address under `servers`; all else is as authored."""

    document: Mapping[str, Any]

    @classmethod
    def load(cls, name: str = "sms-hub", *, public_url: str | None = None) -> "Contract":
        document = _read(name)
        return cls(document if public_url is None else {**document, "servers": [{"url": public_url}]})

    @cached_property
    def operations(self) -> Mapping[str, Operation]:
        """By their id."""
        return {operation.id: operation for operation in self._operations()}

    @property
    def url(self) -> str:
        """Where callers reach the hub."""
        return str(self.document["servers"][0]["url"])

    @cached_property
    def base_path(self) -> str:
        """The path under which everything is mounted: empty, or with a slash at its beginning alone."""
        return urlsplit(self.url).path.rstrip("/")

    @cached_property
    def exact_paths(self) -> frozenset[str]:
        """Those without a parameter, base path included."""
        return frozenset(self.base_path + each.path for each in self.operations.values() if "{" not in each.path)

    def methods_of(self, path: str) -> frozenset[str]:
        """What a path of a request, base path included, may be called with, in capitals."""
        methods = {
            operation.method.upper()
            for operation in self.operations.values()
            if (
                path == self.base_path + operation.path
                if path in self.exact_paths
                else compile_path(self.base_path + operation.path)[0].match(path)
            )
        }
        return frozenset(methods | ({"HEAD"} if "GET" in methods else set()))

    def _operations(self) -> Iterator[Operation]:
        for path, item in self.document["paths"].items():
            for method, definition in item.items():
                if method in _METHODS:
                    yield Operation(definition["operationId"], path, method, definition)


@cache
def _read(name: str) -> Mapping[str, Any]:
    written = (_folder() / f"{name}.yaml").read_text(encoding="utf-8")
    document: Mapping[str, Any] = yaml.load(written, _LOADER)  # noqa: S506 - it is safe
    return document


def _folder() -> Path:
    """In a checkout the folder at its top; in an installed package the copy that went along."""
    packaged = Path(str(files("entrypoints"))) / "openapi"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "openapi"
