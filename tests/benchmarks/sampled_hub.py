"""`smshub` with a look at what it does after every millisecond of CPU time: which part of the code it is in.

The environment says where the counts go: SAMPLES is a file. What the event loop and the parser of requests do in C is
seen as theirs; other work in C counts as that of the Python code which called it.
"""

import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

_EVERY_S = 0.001
_OWN = Path(__file__).parents[2] / "src"
_LOOP = ("uvloop", "asyncio/runners")


def main() -> None:
    counts: Counter[str] = Counter()
    parts: dict[str, str] = {}

    def look(_number: int, frame: FrameType | None) -> None:
        if frame is not None:
            file = frame.f_code.co_filename
            if file not in parts:
                parts[file] = _part(file)
            counts[parts[file]] += 1

    signal.signal(signal.SIGPROF, look)
    # Only under load: the test says when by a signal, so that the start does not count.
    signal.signal(signal.SIGUSR1, lambda *_: signal.setitimer(signal.ITIMER_PROF, _EVERY_S, _EVERY_S))
    from entrypoints.cli import main as smshub  # noqa: PLC0415 - its imports are no part of the load

    try:
        smshub(sys.argv[1:], standalone_mode=False)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        Path(os.environ["SAMPLES"]).write_text(json.dumps(counts), encoding="utf-8")


def _part(file: str) -> str:
    if any(each in file for each in _LOOP):
        return "event loop, sockets and HTTP parser"
    path = Path(file)
    if path.is_relative_to(_OWN):
        return "the hub: " + ".".join(path.relative_to(_OWN).parts[: 2 if "http" in path.parts else 1])
    if "site-packages" in path.parts:
        return path.parts[path.parts.index("site-packages") + 1].removesuffix(".py")
    return "Python's own library"


if __name__ == "__main__":
    main()
