"""How many senders' paces dispatchers keep at once."""

import array
import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from domain.model.pace import SECOND_US
from tests.benchmarks.attempts import Attempt, attempts, logged
from tests.benchmarks.backlog import Line, hold_hub, let_go, put_texts
from tests.benchmarks.extent import Extent
from tests.benchmarks.offices import create, offices
from tests.benchmarks.paced import TOLERANCE_US, Paced
from tests.benchmarks.place import POSTGRESQL, Place
from tests.benchmarks.report import Outcome, Section, Table, Verdict, number
from tests.benchmarks.smshub import an_smshub
from tests.benchmarks.statistic import percentile
from tests.benchmarks.store import a_store

_SENDERS = 5_000
_DISPATCHERS = (1, 2, 4)
_LEAST_PER_SECOND = 4_950
_PROVIDER_MS = 50
_UNSTEADY_S = 2.0
# Until all dispatchers have counted each other, and until the first of all texts has left.
_SETTLED_S = 2.5
_MOST_TO_START_S = 1.0

_FURTHER_SENDERS = text("""
    WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < :count)
    INSERT INTO senders (account_id, address, pace_numerator, pace_denominator)
    SELECT account_id, '+1721' || CAST(5000000 + n AS text), 1, 1
    FROM series CROSS JOIN senders
    RETURNING id
""")


@dataclass(frozen=True, kw_only=True)
class _Run:
    """`sent` and `late_us` are those of the steady part; times of CPU are those of a second of it."""

    dispatchers: int
    sent: int
    seconds: float
    early: int
    shortest_gap_us: int
    late_us: Sequence[int]
    handed_back: int
    dispatchers_cpu: float
    postgresql_cpu: float

    @property
    def per_second(self) -> float:
        return self.sent / self.seconds


def measure(place: Place, extent: Extent) -> Section:
    seconds = extent.total_s / 4
    runs = [_run(place, count, seconds) for count in _DISPATCHERS]
    return Section(
        title="engine: thousands of senders",
        conditions=(
            f"{_SENDERS:,} senders at 1/s that always have more to send, with one, two and four `smshub dispatcher` on "
            f"{POSTGRESQL}. The provider is in the dispatchers' own processes, answers after {_PROVIDER_MS} ms and "
            "notes by the machine's monotonic clock when texts leave; so no time goes into HTTP. "
            f"Rate, lateness and CPU are those of {seconds:g} s, {_UNSTEADY_S:g} s after the first text. A text is "
            f"early when it follows its sender's last by more than {TOLERANCE_US / 1_000:g} ms less than a second, "
            "whichever dispatchers sent the two, from the first text on. Lateness is against the text's slot. What "
            "was claimed and could not leave in time was handed back, at the latest when the dispatchers were stopped. "
            "CPU is in cores; all run on the same machine."
        ),
        table=Table(
            headings=(
                "",
                "sent per second",
                "early",
                "shortest gap ms",
                "p50 late ms",
                "p99 late ms",
                "handed back",
                "CPU of dispatchers",
                "CPU of PostgreSQL",
            ),
            rows=[_row(run) for run in runs],
        ),
        verdicts=[_verdict(run) for run in runs],
    )


def _run(place: Place, count: int, seconds: float) -> _Run:
    url = place.new_database(POSTGRESQL)
    each = int(seconds + _UNSTEADY_S + _MOST_TO_START_S) + 4
    asyncio.run(_put_backlog(url, each))
    place.postgresql.vacuum(url)
    departures = [place.folder / f"departures-{count}-{at}" for at in range(count)]
    with ExitStack() as stack:
        started = [
            stack.enter_context(
                an_smshub(
                    "dispatcher",
                    url,
                    place.folder,
                    program=[sys.executable, "-m", "tests.benchmarks.measured_dispatcher"],
                    environment={"DEPARTURES": str(file), "ANSWERS_AFTER": str(_PROVIDER_MS / 1_000)},
                )
            )
            for file in departures
        ]
        time.sleep(_SETTLED_S)
        asyncio.run(let_go(url, spread_us=SECOND_US))
        time.sleep(_UNSTEADY_S + _MOST_TO_START_S)
        begun_ns, cpu = time.monotonic_ns(), [process.cpu_s for process in started]
        postgresql_cpu = place.postgresql.cpu_s
        time.sleep(seconds)
        ended_ns = time.monotonic_ns()
        took_s = (ended_ns - begun_ns) / 1e9
        used = sum(process.cpu_s for process in started) - sum(cpu)
        postgresql_used = place.postgresql.cpu_s - postgresql_cpu
    logs = [process.log for process in started]
    by_sender = _by_sender(departures, before_ns=ended_ns)
    paced = [
        Paced(moments_us=[at_ns // 1_000 for at_ns in moments], interval_us=SECOND_US) for moments in by_sender.values()
    ]
    return _Run(
        dispatchers=count,
        sent=sum(begun_ns <= at_ns for moments in by_sender.values() for at_ns in moments),
        seconds=took_s,
        early=sum(each.early for each in paced),
        shortest_gap_us=min((min(each.gaps_us) for each in paced if each.gaps_us), default=0),
        late_us=_late_us(attempts(logs)),
        handed_back=len(logged("delivery_released", logs)),
        dispatchers_cpu=used / took_s,
        postgresql_cpu=postgresql_used / took_s,
    )


async def _put_backlog(url: str, each: int) -> None:
    (program,) = await create(url, offices(1))
    async with a_store(url) as container, container.database().writing() as connection:
        ids = (await connection.execute(_FURTHER_SENDERS, {"count": _SENDERS})).scalars().all()
    await hold_hub(url)
    lines = [Line(program_id=program.program_id, sender_id=sender_id) for sender_id in ids]
    await put_texts(url, lines, each=each, due=False)


def _by_sender(files: Sequence[Path], *, before_ns: int) -> dict[int, list[int]]:
    """The moments of each sender's texts, in their order, over all the dispatchers."""
    moments: dict[int, list[int]] = defaultdict(list)
    for file in files:
        pairs = array.array("q", file.read_bytes())
        for sender, at_ns in zip(pairs[::2], pairs[1::2], strict=True):
            if at_ns < before_ns:
                moments[sender].append(at_ns)
    for each in moments.values():
        each.sort()
    return moments


def _late_us(left: Sequence[Attempt]) -> Sequence[int]:
    begun_us = left[0].left_us + int(_UNSTEADY_S * SECOND_US) if left else 0
    return [each.late_us for each in left if each.slot_us >= begun_us]


def _verdict(run: _Run) -> Verdict:
    met = run.per_second >= _LEAST_PER_SECOND and run.early == 0
    return Verdict(
        target=f"{_named(run)}: at least {_LEAST_PER_SECOND:,} a second and none early",
        outcome=Outcome.MET if met else Outcome.MISSED,
        reached=f"{number(run.per_second)} a second are sent, and {run.early:,} are early.",
    )


def _row(run: _Run) -> Sequence[str]:
    return (
        _named(run),
        number(run.per_second),
        number(run.early),
        number(run.shortest_gap_us / 1_000, 1),
        *(number(percentile(run.late_us, share) / 1_000, 1) for share in (0.5, 0.99)),
        number(run.handed_back),
        number(run.dispatchers_cpu, 2),
        number(run.postgresql_cpu, 2),
    )


def _named(run: _Run) -> str:
    return f"{run.dispatchers} dispatcher{'s' if run.dispatchers > 1 else ''}"
