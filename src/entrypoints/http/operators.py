"""What handlers of operators' operations have in common."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import orjson
from starlette.responses import Response

from domain.model.audit import Actor, acting
from entrypoints.http.call import Call


@contextmanager
def acting_for(call: Call) -> Iterator[None]:
    """Whoever calls is in the record as the one who does it."""
    token = acting.set(Actor(name=call.grant.program_id, via="api", address=call.address or None))
    try:
        yield
    finally:
        acting.reset(token)


def as_json(value: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(value), media_type="application/json", headers=headers)


def as_list(items: Sequence[object]) -> Response:
    """All of them."""
    return as_json({"Items": items, "NextCursor": None})
