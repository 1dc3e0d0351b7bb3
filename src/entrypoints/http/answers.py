"""How handlers answer: with JSON, or with a whole list of it."""

from collections.abc import Mapping, Sequence

import orjson
from starlette.responses import Response


def as_json(value: object, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(value), media_type="application/json", headers=headers)


def as_list(items: Sequence[object], following: str | None = None) -> Response:
    """`following` is the cursor of what comes after these; None where they are all, or the last."""
    return as_json({"Items": items, "NextCursor": following})
