"""Who is in the record for what is done on operators' pages."""

from collections.abc import Iterator
from contextlib import contextmanager

from domain.model.audit import Actor, acting
from entrypoints.http.console.frame import Visit


@contextmanager
def acting_as(visit: Visit) -> Iterator[None]:
    name, via = visit.signature
    actor = Actor(name=name, via=via, address=visit.address or None)
    token = acting.set(actor)
    try:
        yield
    finally:
        acting.reset(token)
