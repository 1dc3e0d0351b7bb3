"""A caller's own name for a request, by which a repeated one is known."""

from dataclasses import dataclass

KEPT_US = 24 * 3_600 * 1_000_000


@dataclass(frozen=True, slots=True, repr=False)
class IdempotencyKey:
    """`fingerprint` is the SHA-256 of what was asked for: one key stands for one request."""

    value: str
    fingerprint: bytes
