"""What dispatchers have logged of their attempts to send."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """`left_us` is the moment of the call to the provider on the hub's clock."""

    delivery: int
    message: str
    sender: int
    slot_us: int
    left_us: int
    state: str

    @property
    def late_us(self) -> int:
        return self.left_us - self.slot_us


def attempts(logs: Sequence[Path]) -> Sequence[Attempt]:
    """Those of all the logs, in the order in which they left."""
    found = [
        Attempt(
            delivery=line["delivery"],
            message=line["message"],
            sender=line["sender"],
            slot_us=line["slot_us"],
            left_us=line["slot_us"] + line["late_us"],
            state=line["state"],
        )
        for line in logged("delivery_attempted", logs)
    ]
    return sorted(found, key=lambda attempt: attempt.left_us)


def logged(event: str, logs: Sequence[Path]) -> Sequence[dict[str, Any]]:
    """The lines that were written to their end."""
    mark = f'"event":"{event}"'.encode()
    return [
        orjson.loads(line)
        for log in logs
        for line in log.read_bytes().splitlines()
        if mark in line and line.startswith(b"{") and line.endswith(b"}")
    ]
