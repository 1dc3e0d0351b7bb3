"""How long after its acceptance a text is with the provider, where nothing else waits."""

import asyncio
import re
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from tests.benchmarks.extent import Extent
from tests.benchmarks.load import end_of_answer
from tests.benchmarks.offices import create, log_in, offices
from tests.benchmarks.place import POSTGRESQL, Place
from tests.benchmarks.posts import single_texts
from tests.benchmarks.report import Outcome, Section, Table, Verdict, number
from tests.benchmarks.smshub import an_smshub
from tests.benchmarks.statistic import percentile
from tests.benchmarks.twilio import a_twilio

_MOST_P50_MS = 10
_MOST_P99_MS = 50
_PAUSE_S = 0.15
_SENDERS = 40
_PROVIDER_MS = 20
_NUMBER = re.compile(rb"\+1970\d{7}")
# For the connections to be made, and what is read once to be read.
_TO_WARM_UP = 10
_SETTLED_S = 2.0


@dataclass(frozen=True, kw_only=True)
class _Posted:
    """Moments of the monotonic clock, in nanoseconds."""

    number: str
    begun_ns: int
    answered_ns: int
    status: int


@dataclass(frozen=True, kw_only=True)
class _Latencies:
    """In milliseconds, of each text: from the answer, by which it was committed, and from the first byte posted."""

    name: str
    posted: int
    from_answer: Sequence[float]
    from_request: Sequence[float]


def measure(place: Place, extent: Extent) -> Section:
    told = _measured(place, extent.total_s, "told by LISTEN", {})
    polling = _measured(place, extent.total_s / 2, "behind a pooler", {"SMSHUB_DATABASE_POOLER": "true"})
    return Section(
        title="latency: from acceptance to the provider on an idle hub",
        conditions=(
            f"One `smshub api` and one `smshub dispatcher` on {POSTGRESQL}, and the provider as a process of its own. "
            f"Single texts for {_SENDERS} senders in turn, for {extent.total_s:g} s and half as long behind a pooler, "
            f"with {_PAUSE_S * 1_000:.0f} ms between an answer and the next. Time runs until the text has come to the "
            "provider, from the moment at which the caller has the answer (0 where the text was faster; the commit is "
            "before it), and from the moment at which the caller begins to post. Behind a pooler dispatchers look for "
            "work by themselves; that has no target."
        ),
        table=Table(
            headings=(
                "",
                "posted",
                "arrived",
                "p50 ms after the answer",
                "p99 ms after the answer",
                "p50 ms after the post",
                "p99 ms after the post",
            ),
            rows=[_row(told), _row(polling)],
        ),
        verdicts=[_verdict(told)],
    )


def _measured(place: Place, seconds: float, name: str, environment: Mapping[str, str]) -> _Latencies:
    url = place.new_database(POSTGRESQL)
    programs = asyncio.run(create(url, offices(_SENDERS, provider="twilio")))
    with ExitStack() as stack:
        twilio = stack.enter_context(a_twilio(place.folder, delay_ms=_PROVIDER_MS))
        given = {**twilio.environment, **environment}
        api = stack.enter_context(an_smshub("api", url, place.folder, environment=given))
        stack.enter_context(an_smshub("dispatcher", url, place.folder, environment=given))
        tokens = [log_in(api.port, each) for each in programs]
        time.sleep(_SETTLED_S)
        posted = _post(api.port, tokens, count=_TO_WARM_UP + max(1, int(seconds / _PAUSE_S)))[_TO_WARM_UP:]
        time.sleep(_SETTLED_S)
        arrived_ns = {each.to: each.at_ns for each in twilio.arrivals()}
    both = [(each, arrived_ns[each.number]) for each in posted if each.status == 200 and each.number in arrived_ns]
    return _Latencies(
        name=name,
        posted=len(posted),
        from_answer=[max(0, at_ns - each.answered_ns) / 1e6 for each, at_ns in both],
        from_request=[(at_ns - each.begun_ns) / 1e6 for each, at_ns in both],
    )


def _post(port: int, tokens: Sequence[str], *, count: int) -> Sequence[_Posted]:
    post = single_texts(tokens)
    posted = []
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        for _ in range(count):
            content = post()
            begun_ns = time.monotonic_ns()
            connection.sendall(content)
            answer = _answer(connection)
            answered_ns = time.monotonic_ns()
            match = _NUMBER.search(content)
            posted.append(
                _Posted(
                    number="" if match is None else match.group().decode(),
                    begun_ns=begun_ns,
                    answered_ns=answered_ns,
                    status=int(answer[9:12]),
                )
            )
            time.sleep(_PAUSE_S)
    return posted


def _answer(connection: socket.socket) -> bytes:
    answer, ends = b"", 0
    while not ends or len(answer) < ends:
        received = connection.recv(65_536)
        if not received:
            raise ConnectionError("The hub hangs up.")
        answer += received
        ends = end_of_answer(answer)
    return answer


def _verdict(latencies: _Latencies) -> Verdict:
    p50, p99 = (percentile(latencies.from_answer, share) for share in (0.5, 0.99))
    lost = latencies.posted - len(latencies.from_answer)
    return Verdict(
        target=f"Where it is {latencies.name}: p50 below {_MOST_P50_MS} ms and p99 below {_MOST_P99_MS} ms",
        outcome=Outcome.MET if p50 < _MOST_P50_MS and p99 < _MOST_P99_MS and not lost else Outcome.MISSED,
        reached=f"After the answer it is {number(p50, 1)} ms and {number(p99, 1)} ms; {lost} did not arrive.",
    )


def _row(latencies: _Latencies) -> Sequence[str]:
    return (
        latencies.name,
        number(latencies.posted),
        number(len(latencies.from_answer)),
        *(number(percentile(latencies.from_answer, share), 1) for share in (0.5, 0.99)),
        *(number(percentile(latencies.from_request, share), 1) for share in (0.5, 0.99)),
    )
