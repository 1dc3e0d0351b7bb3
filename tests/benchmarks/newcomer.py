"""How long a newcomer takes from nothing to a text that is delivered."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.extent import Extent
from tests.benchmarks.place import Place
from tests.benchmarks.report import Outcome, Section, Table, Verdict, number
from tests.docs.newcomer import walk

_AT_MOST_S = 120.0
_GIVES_UP_S = 900.0


def measure(place: Place, _extent: Extent) -> Section:
    before_s = _cpu_s()
    with TemporaryDirectory(dir=place.folder) as folder:
        steps = walk(Path(folder), within_s=_GIVES_UP_S)
    cpu_s = _cpu_s() - before_s
    total = sum(each.seconds for each in steps)
    return Section(
        title="newcomer: from a clone to the first delivered text",
        conditions=(
            "`make newcomer` measures this alone. Once, this repository is cloned into an empty folder, and the two "
            "commands of the README are run there as they stand. Packages come from pip's cache, where `make install` "
            "has left them. The time ends when the hub's log says of the first of the two numbers that its text is "
            "delivered."
        ),
        table=Table(
            headings=("", "seconds"),
            rows=[*((each.name, number(each.seconds, 1)) for each in steps), ("in all", number(total, 1))],
        ),
        verdicts=[
            Verdict(
                target="Below two minutes with a warm package cache",
                outcome=Outcome.MET if total < _AT_MOST_S else Outcome.MISSED,
                reached=f"It takes {number(total)} s, and {number(cpu_s)} s of CPU time.",
            )
        ],
    )


def _cpu_s() -> float:
    """Of all that was started and has ended, in user and in kernel mode."""
    times = os.times()
    return times.children_user + times.children_system
