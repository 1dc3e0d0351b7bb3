"""Reading bodies: what media type they are, as far as they may go, and what is in them. Callers send anything."""

import codecs
import json
import re
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope

from entrypoints.http.problems import RequestFault

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
CSV = "text/csv"

_MOST_FIELDS = 100
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


async def read_body(
    scope: Scope, receive: Receive, *, media_types: Collection[str], max_body: int
) -> tuple[str, bytes]:
    """Its media type, which is one of those, and the bytes. Raises `RequestFault`."""
    headers = dict(scope["headers"])
    media_type = _media_type(headers.get(b"content-type", b"").decode("latin-1"))
    if media_type not in media_types:
        raise _unsupported(f"This operation takes {' or '.join(media_types)}.")
    return media_type, await _read(headers.get(b"content-length", b"0"), receive, max_body)


def json_object(raw: bytes) -> Sequence[tuple[str, Any]]:
    """The members in their order, doubles included. Raises `RequestFault` for all that is no JSON object."""
    return [(name, _plain(member)) for name, member in _members(raw)]


def whole_json_object(raw: bytes) -> Sequence[tuple[str, Any]]:
    """As `json_object`, with what is within the members; of doubles within, the last."""
    members = _members(raw)
    try:
        return [(name, _whole(member)) for name, member in members]
    except RecursionError:
        raise mismatch("The body is no valid JSON.", ()) from None


def form(raw: bytes) -> Sequence[tuple[str, str]]:
    """The fields of a form, or of a query, in their order and doubles included. Raises `RequestFault`."""
    try:
        return parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
            strict_parsing=bool(raw),
        )
    except ValueError:
        raise mismatch("This is no valid form.", ()) from None


def plain_text(raw: bytes) -> str:
    """Raises `RequestFault`."""
    try:
        return raw.decode("utf-8-sig")
    except ValueError:
        raise mismatch("The body is not in UTF-8.", ()) from None


def mismatch(detail: str, faults: Sequence[Mapping[str, Any]]) -> RequestFault:
    return RequestFault(400, "invalid-request", "Request does not match", detail, faults)


def _unsupported(detail: str) -> RequestFault:
    return RequestFault(415, "unsupported-media-type", "Unsupported media type", detail)


async def _read(announced: bytes, receive: Receive, max_body: int) -> bytes:
    """The body. Raises `RequestFault` as soon as it is known to be too long."""
    if announced.isdigit() and len(announced) < 20 and int(announced) <= max_body:
        chunks, length, more = [], 0, True
        while more and length <= max_body:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise mismatch("The body ended before its end.", ())
            chunks.append(message.get("body", b""))
            length, more = length + len(chunks[-1]), message.get("more_body", False)
        if length <= max_body:
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    raise RequestFault(413, "content-too-large", "Content too large", f"A body has {max_body} bytes at the most.")


@lru_cache(1_000)  # Callers write few different ones; what they make up is forgotten soon.
def _media_type(header: str) -> str:
    """The media type in lower case, JSON where none is named. Raises `RequestFault` for a charset but UTF-8."""
    if not header:
        return JSON
    media_type, *parameters = (part.strip() for part in header.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and not _is_utf8(value.strip().strip("\"'")):
            raise _unsupported("Bodies are read in UTF-8.")
    return media_type.lower()


def _is_utf8(charset: str) -> bool:
    try:
        return codecs.lookup(charset).name in {"utf-8", "ascii", "utf-8-sig"}
    except (LookupError, ValueError):
        return False


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as it was written."""


def _members(raw: bytes) -> _Pairs:
    try:
        # Python's own utf-8-sig takes five times as long.
        value = _DECODER.decode(raw.removeprefix(codecs.BOM_UTF8).decode())
        if _ESCAPED_SURROGATE.search(raw):
            # An escaped half of a pair is valid to the parser, and cannot be stored or sent.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise mismatch("The body is no valid JSON.", ()) from None
    if not isinstance(value, _Pairs):
        raise mismatch("The body is no JSON object.", ())
    return value


def _no_constant(_name: str) -> NoReturn:
    raise ValueError


_DECODER = json.JSONDecoder(object_pairs_hook=_Pairs, parse_constant=_no_constant)


def _plain(value: object) -> object:
    """Objects and lists within others are refused by every schema that we have: what they held does not matter."""
    if isinstance(value, _Pairs):
        return {name: [] if isinstance(each, list) else each for name, each in value}
    return [[] if isinstance(each, list) else each for each in value] if isinstance(value, list) else value


def _whole(value: object) -> object:
    if isinstance(value, _Pairs):
        return {name: _whole(member) for name, member in value}
    return [_whole(member) for member in value] if isinstance(value, list) else value
