"""What handlers of operators' operations have in common."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from domain.errors import ProgramNotFound, naming
from domain.model.audit import Actor, acting
from domain.model.credentials import Credentials
from domain.model.pace import Pace
from domain.model.sender import SenderAddress
from entrypoints.http.call import Call
from entrypoints.http.problems import RequestFault


@contextmanager
def acting_for(call: Call) -> Iterator[None]:
    """Whoever calls is in the record as the one who does it."""
    token = acting.set(Actor(name=call.grant.program_id, via="api", address=call.address or None))
    try:
        yield
    finally:
        acting.reset(token)


@contextmanager
def acting_on_program(call: Call) -> Iterator[None]:
    """As above, on a program that the path names."""
    try:
        with acting_for(call):
            yield
    except ProgramNotFound:
        detail = "There is no program with this id."
        raise RequestFault(404, ProgramNotFound.slug, "No such program", detail) from None


def sender_of(body: Mapping[str, Any]) -> SenderAddress:
    """Raises `PropertyRefused`, and so do the others."""
    with naming("Sender"):
        return SenderAddress(body["Sender"])


def pace_of(body: Mapping[str, Any]) -> Pace | None:
    with naming("Rate"):
        return Pace.parse(body["Rate"]) if "Rate" in body else None


def credentials_of(body: Mapping[str, Any]) -> Credentials | None:
    return Credentials(body["Credentials"]) if "Credentials" in body else None
