"""Holds answers against an OpenAPI document: what is not documented is a fault."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import httpx
import orjson
from jsonschema_rs import Draft202012Validator

from entrypoints.http.contract import Contract, Operation

PROBLEM = "application/problem+json"

# What belongs to HTTP itself and is documented on no operation.
_NEVER_DOCUMENTED = frozenset({405})

# What is wrong with what somebody typed in, they read on the page.
_PAGES_WITH_FORMS = "/opt-out/"
_CONSOLE = "/console/"


# Of each document, whose schemas are the same at every address.
_VALIDATORS: dict[str, dict[bytes, Draft202012Validator]] = defaultdict(dict)


@dataclass(frozen=True)
class Documented:
    contract: Contract
    # By their schemas, written as JSON: to make one takes longer than most requests.
    _validators: dict[bytes, Draft202012Validator] = field(default_factory=dict, repr=False)

    @classmethod
    def load(cls, name: str = "sms-hub", *, public_url: str = "/") -> Self:
        return cls(Contract.load(name, public_url=public_url), _VALIDATORS[name])

    async def check_async(self, response: httpx.Response) -> None:
        """A response hook for `httpx.AsyncClient`."""
        await response.aread()
        self._check(response)

    def check(self, response: httpx.Response) -> None:
        """A response hook for `httpx.Client`."""
        response.read()
        self._check(response)

    def validator(self, name: str) -> Draft202012Validator:
        """For values of one of the document's schemas."""
        return self._validator_of({"$ref": f"#/components/schemas/{name}"})

    def resolved(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a reference into the document stands for; anything else as it is."""
        if "$ref" not in value:
            return value
        found: Any = self.contract.document
        for name in value["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return self.resolved(found)

    def operation_of(self, method: str, path: str) -> Operation | None:
        """The operation that a request is routed to; HEAD is answered as GET is, and paths without a parameter win."""
        sought = "get" if method.lower() == "head" else method.lower()
        parts = path.removeprefix(self.contract.base_path).split("/")
        if path.startswith(self.contract.base_path):
            exact = path in self.contract.exact_paths
            for operation in self.contract.operations.values():
                template = operation.path.split("/")
                if exact and template != parts:
                    continue
                if operation.method == sought and len(template) == len(parts) and all(map(_fits, template, parts)):
                    return operation
        return None

    def _check(self, response: httpx.Response) -> None:
        request = response.request
        media_type = response.headers.get("content-type", "").partition(";")[0]
        if media_type == PROBLEM and response.content:
            problem = response.json()
            self.validator("Problem").validate(problem)
            assert problem["status"] == response.status_code, problem
        # The raw path: an encoded slash does not part it.
        path = request.url.raw_path.decode().partition("?")[0]
        operation = self.operation_of(request.method, path)
        if operation is None or response.status_code in _NEVER_DOCUMENTED:
            at = path.removeprefix(self.contract.base_path)
            is_form = at.startswith(_PAGES_WITH_FORMS) and response.status_code != 404
            told = media_type if is_form or at.startswith(_CONSOLE) else PROBLEM
            assert response.status_code < 400 or media_type == told or request.method == "OPTIONS", response
            return
        where = f"{operation.id} answers {response.status_code}"
        documented = operation.definition["responses"].get(str(response.status_code))
        assert documented is not None, f"{where}, which is not documented"
        documented = self.resolved(documented)
        for name, header in documented.get("headers", {}).items():
            if header.get("required"):
                assert name in response.headers, f"{where} without {name}"
        content = documented.get("content", {})
        if not content:
            assert not response.content, f"{where} with something"
            return
        assert media_type in content, f"{where} with {media_type}"
        if request.method != "HEAD" and media_type.endswith("json"):
            self._validator_of(content[media_type]["schema"]).validate(orjson.loads(response.content))

    def _validator_of(self, schema: Mapping[str, Any]) -> Draft202012Validator:
        written = orjson.dumps(schema)
        if written not in self._validators:
            closed = _closed(schema) | {"components": self._components}
            self._validators[written] = Draft202012Validator(closed, validate_formats=True)
        return self._validators[written]

    @cached_property
    def _components(self) -> Any:  # noqa: ANN401 - JSON
        return {"schemas": _closed(self.contract.document["components"]["schemas"])}


def _fits(template: str, part: str) -> bool:
    return bool(part) if template.startswith("{") else template == part


def _closed(schema: Any) -> Any:  # noqa: ANN401 - JSON
    """As JSON Schema, where `nullable` is a type, and with no property but the documented ones."""
    match schema:
        case {"nullable": True, "type": str() as kind, **rest}:
            return _closed({**rest, "type": [kind, "null"]})
        case {"nullable": True, **rest}:
            return {"anyOf": [_closed(rest), {"type": "null"}]}
        case {"type": "object", "properties": _} if "additionalProperties" not in schema:
            return _closed({**schema, "additionalProperties": False})
        case Mapping():
            return {name: _closed(value) for name, value in schema.items() if name != "example"}
        case list():
            return [_closed(value) for value in schema]
        case _:
            return schema
