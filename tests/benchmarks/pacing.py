"""How exactly a sender's pace is kept, and how much of it is used."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http import HTTPStatus

from domain.model.pace import SECOND_US
from tests.benchmarks.attempts import attempts
from tests.benchmarks.backlog import Line, put_texts
from tests.benchmarks.extent import Extent
from tests.benchmarks.moment import Moment
from tests.benchmarks.offices import Created, Office, create
from tests.benchmarks.paced import TOLERANCE_US, Paced
from tests.benchmarks.place import POSTGRESQL, SQLITE, Place
from tests.benchmarks.report import Outcome, Section, Table, Verdict, number
from tests.benchmarks.server_process import ServerProcess
from tests.benchmarks.smshub import an_smshub, dispatchers
from tests.benchmarks.twilio import Arrived, Twilio, a_twilio

_RATES = (1, 50)
_OFFICES = [Office(sender=f"+1720555000{each}", rate=str(rate), provider="twilio") for each, rate in enumerate(_RATES)]
_DISPATCHERS = (1, 2, 4)
_LEAST_USED = 0.99
_PROVIDER_MS = 20
# What a text may take longer or shorter on its way to the provider than the one before.
_JITTER_US = 15_000
_MORE_THAN_ENOUGH = 500
# Until all dispatchers have counted each other.
_SETTLED_S = 2.5


@dataclass(frozen=True, kw_only=True)
class _Sender:
    """One sender of one hub: when its texts left, when they came to the provider, and how many that refused."""

    hub: str
    rate: int
    left: Paced
    arrived: Paced
    refused: int


def measure(place: Place, extent: Extent) -> Section:
    seconds = extent.total_s
    hubs = [_on_postgresql(place, count, seconds) for count in _DISPATCHERS] + [_on_sqlite(place, seconds)]
    return Section(
        title="pacing: senders with a standing backlog",
        conditions=(
            f"Two senders, at {' and '.join(f'{rate}/s' for rate in _RATES)}, that always have more to send, for "
            f"{seconds:g} s: with one, two and four `smshub dispatcher` on {POSTGRESQL}, and with `smshub serve` on "
            f"{SQLITE}. The provider is a process of its own that answers after {_PROVIDER_MS} ms and refuses what "
            f"comes sooner after the one before than the pace allows, but for {_JITTER_US // 1_000} ms. A text is "
            f"early when it is written more than {TOLERANCE_US / 1_000:g} ms sooner after the one before than the pace "
            "allows, whichever dispatchers wrote the two."
        ),
        table=Table(
            headings=(
                "",
                "sent",
                "early",
                "shortest gap ms",
                "median gap ms",
                "longest gap ms",
                "pace used",
                "shortest gap of arrivals ms",
                "refused",
            ),
            rows=[_row(sender) for senders in hubs for sender in senders],
        ),
        verdicts=[_verdict(senders) for senders in hubs],
    )


def _on_postgresql(place: Place, count: int, seconds: float) -> Sequence[_Sender]:
    url = place.new_database(POSTGRESQL)
    programs = asyncio.run(create(url, _OFFICES))
    with _a_strict_twilio(place) as twilio:
        with dispatchers(count, url, place.folder, environment=twilio.environment) as started:
            ended = _work_off(url, programs, seconds)
        name = f"{count} dispatcher{'s' if count > 1 else ''} on {POSTGRESQL}"
        return _senders(name, programs, started, twilio.arrivals(), ended)


def _on_sqlite(place: Place, seconds: float) -> Sequence[_Sender]:
    url = place.new_database(SQLITE)
    programs = asyncio.run(create(url, _OFFICES))
    with _a_strict_twilio(place) as twilio:
        with an_smshub("serve", url, place.folder, environment=twilio.environment) as hub:
            ended = _work_off(url, programs, seconds)
        return _senders(f"serve on {SQLITE}", programs, [hub], twilio.arrivals(), ended)


def _a_strict_twilio(place: Place) -> AbstractContextManager[Twilio]:
    least_us = {office.sender: _interval_us(rate) - _JITTER_US for office, rate in zip(_OFFICES, _RATES, strict=True)}
    return a_twilio(place.folder, delay_ms=_PROVIDER_MS, intervals_us=least_us)


def _work_off(url: str, programs: Sequence[Created], seconds: float) -> Moment:
    """When the time was over: those who are stopped then hand over to those who are not yet."""
    time.sleep(_SETTLED_S)
    lines = [Line(program_id=each.program_id, sender_id=each.sender_id) for each in programs]
    asyncio.run(put_texts(url, lines, each=int(seconds * max(_RATES)) + _MORE_THAN_ENOUGH))
    time.sleep(seconds)
    return Moment.now()


def _senders(
    name: str,
    programs: Sequence[Created],
    started: Sequence[ServerProcess],
    arrivals: Sequence[Arrived],
    ended: Moment,
) -> Sequence[_Sender]:
    left = [each for each in attempts([process.log for process in started]) if each.left_us < ended.wall_us]
    found = []
    for office, rate, program in zip(_OFFICES, _RATES, programs, strict=True):
        arrived = [each for each in arrivals if each.sender == office.sender and each.at_ns < ended.monotonic_ns]
        found.append(
            _Sender(
                hub=name,
                rate=rate,
                left=Paced(
                    moments_us=[each.left_us for each in left if each.sender == program.sender_id],
                    interval_us=_interval_us(rate),
                ),
                arrived=Paced(
                    moments_us=sorted(each.at_ns // 1_000 for each in arrived), interval_us=_interval_us(rate)
                ),
                refused=sum(each.status == HTTPStatus.TOO_MANY_REQUESTS for each in arrived),
            )
        )
    return found


def _interval_us(rate: int) -> int:
    return SECOND_US // rate


def _verdict(senders: Sequence[_Sender]) -> Verdict:
    early = sum(each.left.early for each in senders)
    refused = sum(each.refused for each in senders)
    used = min(each.left.used for each in senders)
    return Verdict(
        target=f"{senders[0].hub}: none early, none refused and at least {_LEAST_USED:.0%} of each pace used",
        outcome=Outcome.MET if not early and not refused and used >= _LEAST_USED else Outcome.MISSED,
        reached=f"{early} of {sum(len(each.left.moments_us) for each in senders):,} are early, {refused} are refused; "
        + " and ".join(f"{each.left.used:.1%} of {each.rate}/s" for each in senders)
        + " is used.",
    )


def _row(sender: _Sender) -> Sequence[str]:
    return (
        f"{sender.hub}, {sender.rate}/s",
        number(len(sender.left.moments_us)),
        number(sender.left.early),
        *(number(each, 1) for each in sender.left.gaps_ms),
        f"{sender.left.used:.1%}",
        number(sender.arrived.gaps_ms[0], 1),
        number(sender.refused),
    )
