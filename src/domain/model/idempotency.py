"""A caller's own name for a request, by which a repeated one is known."""

import re
from dataclasses import dataclass

from domain.errors import InvalidValue

KEPT_US = 24 * 3_600 * 1_000_000

_WRITTEN = re.compile(r"[!-~]{1,255}")


@dataclass(frozen=True, slots=True, repr=False)
class IdempotencyKey:
    """1 to 255 visible ASCII characters. `fingerprint` is the SHA-256 of what was asked for: one key stands for one
    request.
    """

    value: str
    fingerprint: bytes

    def __post_init__(self) -> None:
        if not _WRITTEN.fullmatch(self.value):
            raise InvalidValue("An idempotency key is 1 to 255 visible ASCII characters.")
