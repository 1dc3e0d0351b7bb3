"""`smshub` on a host whose wall clock is wrong by CLOCK_AHEAD_S seconds; its monotonic clock runs as all others do."""

import os
import sys
import time

_AHEAD_S = int(os.environ["CLOCK_AHEAD_S"])
_true_time, _true_time_ns = time.time, time.time_ns
time.time = lambda: _true_time() + _AHEAD_S
time.time_ns = lambda: _true_time_ns() + _AHEAD_S * 1_000_000_000

from entrypoints.cli import main  # noqa: E402 - whatever the hub does at its import sees the wrong clock already

if __name__ == "__main__":
    main(sys.argv[1:])
