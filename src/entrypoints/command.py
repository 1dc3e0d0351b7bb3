"""The command `smshub`, from its first moment."""

import signal
import sys
from types import FrameType


def main() -> None:
    # A container's first process does not hear a signal that it has not asked for, and would be killed after a long
    # wait. So it asks before the imports, which take a second. Processes that serve will stop in good order instead.
    signal.signal(signal.SIGTERM, _end)
    from entrypoints.cli import main as cli  # noqa: PLC0415

    cli()


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
