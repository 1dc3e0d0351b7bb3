"""What the kernel (Linux) tells of the CPU time of processes."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Usage:
    """In user and in kernel mode, of all threads. `ended_children_s` is that of children that were waited for."""

    parent: int
    own_s: float
    ended_children_s: float


def usage_of(pid: int) -> Usage:
    # The second field is the command in brackets, which may hold blanks.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    own, children = ((int(fields[at]) + int(fields[at + 1])) / _TICKS_PER_SECOND for at in (11, 13))
    return Usage(parent=int(fields[1]), own_s=own, ended_children_s=children)


def all_usages() -> Mapping[int, Usage]:
    """Of all processes, by their ids."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        # Processes end while others are looked at.
        with suppress(OSError):
            found[int(folder.name)] = usage_of(int(folder.name))
    return found
