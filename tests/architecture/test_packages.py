"""What no linter knows: whose the import names are, the one door to the providers, and what the domain needs."""

import ast
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "src"
OURS = ("domain", "adapters", "entrypoints")
THE_DOOR = SOURCES / "domain" / "use_cases" / "dispatch_deliveries.py"

ALLOWED_IN_DOMAIN = (sys.stdlib_module_names | {"domain", "phonenumbers"}) - {"logging", "os"}


def modules_of(*packages: str) -> list[Path]:
    modules = [path for package in packages for path in sorted((SOURCES / package).rglob("*.py"))]
    assert modules, "the check would look at nothing"
    return modules


def name_of(path: Path) -> str:
    return path.relative_to(SOURCES).as_posix()


def other_owners(package: str, owners: Mapping[str, Sequence[str]]) -> set[str]:
    """The distributions that install the package, except ours, whose editable install may list none."""
    return {name for name in owners.get(package, ()) if re.sub(r"[-_.]+", "-", name).lower() != "sms-hub"}


def sends_in(source: str) -> list[int]:
    """The lines that take hold of a method called `send`. To pass it on is as good as to call it.

    An ASGI application's `send` is a plain name, and none of these.
    """
    return [
        node.lineno for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute) and node.attr == "send"
    ]


def imports_of(source: str) -> Iterator[str]:
    """The top-level packages that are imported anywhere in a module."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (name.name.partition(".")[0] for name in names)
            case ast.ImportFrom(module=module, level=level):
                yield "domain" if level or module is None else module.partition(".")[0]
            case _:
                pass


def forbidden_in_domain(source: str) -> set[str]:
    return set(imports_of(source)) - ALLOWED_IN_DOMAIN


@pytest.mark.parametrize("package", OURS)
def test_nobody_else_installs_a_package_of_our_name(package: str) -> None:
    assert other_owners(package, packages_distributions()) == set()


@pytest.mark.parametrize("package", OURS)
def test_what_is_imported_by_our_name_is_ours(package: str) -> None:
    file = import_module(package).__file__
    assert file is not None
    assert Path(file).parent == SOURCES / package


def test_the_check_of_owners_sees_a_stranger() -> None:
    owners = {"domain": ["sms_hub", "domain-tools", "SMS-Hub"]}
    assert other_owners("domain", owners) == {"domain-tools"}
    assert other_owners("adapters", owners) == set()


@pytest.mark.parametrize("module", modules_of("domain", "entrypoints"), ids=name_of)
def test_there_is_one_door_to_the_providers(module: Path) -> None:
    sends = sends_in(module.read_text(encoding="utf-8"))
    assert len(sends) == (1 if module == THE_DOOR else 0), f"send in lines {sends}"


@pytest.mark.parametrize(
    "source",
    [
        "await self.providers[name].send(text)",
        "provider.send(text)",
        "asyncio.gather(*map(provider.send, texts))",
        "async def f():\n    try:\n        return await (lambda: p.send)()(text)\n    finally:\n        pass",
    ],
)
def test_the_check_of_the_door_sees_another_one(source: str) -> None:
    assert sends_in(source)


@pytest.mark.parametrize("source", ["await send(message)", "await self.send_text(grant, command)", "sender = 'send'"])
def test_the_check_of_the_door_sees_none_where_there_is_none(source: str) -> None:
    assert not sends_in(source)


@pytest.mark.parametrize("module", modules_of("domain"), ids=name_of)
def test_the_domain_needs_nothing_but_python_and_the_phone_numbers(module: Path) -> None:
    assert forbidden_in_domain(module.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    ("source", "forbidden"),
    [
        ("import logging", {"logging"}),
        ("import logging.config as config", {"logging"}),
        ("from os import path", {"os"}),
        ("import os.path", {"os"}),
        ("def f():\n    from sqlalchemy.ext.asyncio import AsyncConnection", {"sqlalchemy"}),
        ("from adapters.sql.database import Database\nimport structlog", {"adapters", "structlog"}),
        ("import asyncio\nfrom domain.errors import HubError\nimport phonenumbers", set()),
        ("from . import model\nfrom .model import pace", set()),
    ],
)
def test_the_check_of_the_domain_sees_what_it_must_not_need(source: str, forbidden: set[str]) -> None:
    assert forbidden_in_domain(source) == forbidden
