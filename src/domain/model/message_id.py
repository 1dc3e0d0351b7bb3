"""Ids of messages: UUIDs of version 7 (RFC 9562) that carry the hub's own time, so that their order is that of the log.

The 12 bits after the milliseconds hold the fraction of the millisecond (RFC 9562, section 6.2, method 3).
"""

import secrets
from uuid import UUID

_VERSION = 7 << 76
_VARIANT = 0b10 << 62
_LATEST_MS = (1 << 48) - 1


def new_message_id(at_us: int) -> UUID:
    return UUID(int=_beginning(at_us) | secrets.randbits(62))


def first_message_id(at_us: int) -> UUID:
    """The smallest id that a message of that time can have: all messages before it have smaller ones."""
    return UUID(int=_beginning(at_us))


def _beginning(at_us: int) -> int:
    milliseconds, fraction_us = divmod(max(at_us, 0), 1_000)
    return min(milliseconds, _LATEST_MS) << 80 | _VERSION | (fraction_us * 4_096 // 1_000) << 64 | _VARIANT
