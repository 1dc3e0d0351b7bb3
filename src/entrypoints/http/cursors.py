"""Cursors: where a page of a list ended, in a form that callers need not understand."""

import base64
import binascii
import re
from uuid import UUID

from domain.errors import CursorRefused

_LARGEST_POSITION = 2**31 - 1
_LARGEST_ID = 2**63 - 1
_OPT_OUT = re.compile(r"\+[0-9]{7,15}\.[0-9]{1,18}", re.ASCII)

_PLACE = re.compile(r"[0-9]{1,3}\.[0-9]{1,18}", re.ASCII)


def after_message(message_id: UUID) -> str:
    return _encoded(message_id.bytes)


def message_of(cursor: str | None) -> UUID | None:
    """Raises `CursorRefused`."""
    if cursor is None:
        return None
    try:
        return UUID(bytes=_decoded(cursor))
    except ValueError:
        raise CursorRefused from None


def after_position(position: int) -> str:
    return _encoded(str(position).encode())


def position_of(cursor: str | None) -> int:
    """0 for no cursor. Raises `CursorRefused`."""
    return 0 if cursor is None else _number(cursor, largest=_LARGEST_POSITION)


def after_id(identifier: int) -> str:
    return _encoded(str(identifier).encode())


def id_of(cursor: str | None) -> int | None:
    """Raises `CursorRefused`."""
    return None if cursor is None else _number(cursor, largest=_LARGEST_ID)


def after_opt_out(end: str) -> str:
    return _encoded(end.encode())


def opt_out_of(cursor: str | None) -> str | None:
    """Raises `CursorRefused`."""
    if cursor is None:
        return None
    end = _decoded(cursor).decode("ascii", "replace")
    if not _OPT_OUT.fullmatch(end):
        raise CursorRefused
    return end


def after_place(place: tuple[int, int]) -> str:
    return _encoded("{}.{}".format(*place).encode())


def place_of(cursor: str | None) -> tuple[int, int]:
    """(0, 0) for no cursor. Raises `CursorRefused`."""
    if cursor is None:
        return 0, 0
    place = _decoded(cursor).decode("ascii", "replace")
    if not _PLACE.fullmatch(place):
        raise CursorRefused
    table, _, row = place.partition(".")
    return int(table), int(row)


def _number(cursor: str, *, largest: int) -> int:
    digits = _decoded(cursor)
    if not digits.isdigit() or len(digits) > len(str(largest)) or int(digits) > largest:
        raise CursorRefused
    return int(digits)


def _encoded(end: bytes) -> str:
    return base64.urlsafe_b64encode(end).rstrip(b"=").decode()


def _decoded(cursor: str) -> bytes:
    try:
        return base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise CursorRefused from None
