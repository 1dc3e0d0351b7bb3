"""Programs are told at least once and in order, whatever happens meanwhile. Hours pass in moments."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

import orjson
import pytest

from domain.errors import HubError
from domain.model.pace import SECOND_US
from domain.model.webhook import Call, Disabled
from domain.model.webhook_retry import Answer
from domain.model.webhook_secret import WebhookSecret
from domain.ports.webhook_observer import WebhookObserver
from domain.ports.webhook_transport import WebhookTransport
from domain.use_cases.deliver_webhooks import DeliverWebhooks
from tests.builders import NOW_US, Store, a_number, an_opt_in, an_opt_out
from tests.contract.test_webhooks import listens
from tests.unit.fakes import FakeClock

HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
STEP_US = 600 * SECOND_US


class Receivers(WebhookTransport):
    """What the programs' endpoints answer: 204 unless they are told otherwise, which may depend on the time."""

    def __init__(self) -> None:
        self.answers: Callable[[str], Answer] = lambda _url: Answer(took_us=1, status=204)
        self.called: list[tuple[str, str, Mapping[str, str], bytes]] = []
        self.accepted: list[tuple[str, str, Mapping[str, object]]] = []
        self.hang: set[str] = set()
        self.under_way: Counter[str] = Counter()
        self.most_under_way: Counter[str] = Counter()
        # Those that were called and whose answer is not noted yet, but for those that hang.
        self.pending = 0

    async def check(self, url: str) -> None:
        """Whatever it is."""

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.called.append((url, headers["webhook-id"], headers, body))
        self.under_way[url] += 1
        self.most_under_way[url] = max(self.most_under_way[url], self.under_way[url])
        try:
            if url in self.hang:
                await asyncio.Event().wait()
            self.pending += 1
            answer = self.answers(url)
        finally:
            self.under_way[url] -= 1
        if answer.accepted:
            self.accepted.append((url, headers["webhook-id"], orjson.loads(body)))
        return answer

    async def close(self) -> None:
        """It holds nothing."""


class HurriedClock(FakeClock):
    """Ten minutes pass with each pause, but none while a call is under way."""

    def __init__(self, receivers: Receivers) -> None:
        super().__init__(NOW_US)
        self._receivers = receivers

    async def pause(self, for_us: int) -> None:  # noqa: ARG002 - the port's own
        await asyncio.sleep(0.001)
        if not self._receivers.pending:
            self.jump(STEP_US)


@dataclass
class Noted(WebhookObserver):
    receivers: Receivers
    disabled_ones: list[tuple[UUID, Disabled]] = field(default_factory=list)
    given_up: list[UUID] = field(default_factory=list)

    def called(self, call: Call, answer: Answer, *, given_up: bool) -> None:
        _ = answer
        self.receivers.pending -= 1
        self.given_up += [call.event_id] if given_up else []

    def disabled(self, webhook_id: UUID, program_id: str, why: Disabled) -> None:
        _ = program_id
        self.disabled_ones.append((webhook_id, why))

    def held_up(self, error: HubError) -> None:
        raise error


class Hub:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.receivers = Receivers()
        self.clock = HurriedClock(self.receivers)
        self.noted = Noted(self.receivers)

    @asynccontextmanager
    async def telling(self) -> AsyncIterator[None]:
        deliver = DeliverWebhooks(
            outbox=self.store.webhook_outbox,
            webhooks=self.store.webhooks,
            transport=self.receivers,
            clock=self.clock,
            observer=self.noted,
            jitter=lambda: 0.5,
        )
        task = asyncio.create_task(deliver())
        try:
            yield
            assert not task.done(), task.exception()
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not reached():  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    async def until_an_hour_later(self) -> None:
        until_us = self.clock.now_us() + HOUR_US
        await self.until(lambda: self.clock.now_us() > until_us)

    async def told(self, count: int, url: str) -> Sequence[tuple[str, Mapping[str, object]]]:
        def accepted() -> Sequence[tuple[str, Mapping[str, object]]]:
            return [(event_id, payload) for to, event_id, payload in self.receivers.accepted if to == url]

        await self.until(lambda: len({event_id for event_id, _ in accepted()}) >= count)
        return accepted()


@pytest.fixture
def hub(store: Store) -> Hub:
    return Hub(store)


URL = "https://office.example/hooks"


async def opts(hub: Hub, program_id: str, index: int, times: int = 1) -> None:
    """Out and in again, so many times in all."""
    events = [
        (an_opt_in if each % 2 else an_opt_out)(program_id, a_number(index), at_us=hub.clock.now_us())
        for each in range(times)
    ]
    await hub.store.opt_outs.record(events)


async def test_an_endpoint_that_fails_for_a_day_is_told_everything_in_order_when_it_is_back(hub: Hub) -> None:
    program = await hub.store.add_program()
    await listens(hub.store, program)
    failures = [Answer(took_us=1, status=500), Answer(took_us=1, error="timeout"), Answer(took_us=1, status=302)]

    def answers(_url: str) -> Answer:
        if hub.clock.now_us() < NOW_US + DAY_US:
            return failures[len(hub.receivers.called) % 3]
        return Answer(took_us=1, status=200)

    hub.receivers.answers = answers
    async with hub.telling():
        for index in range(4):
            await opts(hub, program.id, index, times=3)
            await hub.until_an_hour_later()
        told = await hub.told(12, URL)

    payloads: dict[str, set[bytes]] = {}
    for _, event_id, _, body in hub.receivers.called:
        payloads.setdefault(event_id, set()).add(body)
    assert len(payloads) == 12
    assert all(len(each) == 1 for each in payloads.values()), "the same at each call"
    for number in {data["PhoneNumber"] for _, data in data_of(told)}:
        sequences = [int(str(data["Sequence"])) for _, data in data_of(told) if data["PhoneNumber"] == number]
        assert len(set(sequences)) == 3
        assert sequences == sorted(sequences)
    assert not hub.noted.given_up
    assert not hub.noted.disabled_ones
    assert len(hub.receivers.called) < 300, "it was not called all the time"


def data_of(told: Sequence[tuple[str, Mapping[str, object]]]) -> Sequence[tuple[str, Mapping[str, object]]]:
    found = []
    for event_id, payload in told:
        data = payload["data"]
        assert isinstance(data, dict)
        found.append((event_id, data))
    return found


async def test_whoever_is_killed_in_the_middle_of_a_call_has_it_made_again_with_the_same_id(hub: Hub) -> None:
    program = await hub.store.add_program()
    await listens(hub.store, program)
    await opts(hub, program.id, 0)
    hub.receivers.hang = {URL}
    async with hub.telling():
        await hub.until(lambda: bool(hub.receivers.called))
    before = list(hub.receivers.called)
    hub.receivers.hang = set()

    async with hub.telling():
        await hub.told(1, URL)

    # Hours pass while it hangs, so that it may have been made again before.
    assert len(hub.receivers.called) == len(before) + 1
    assert {each[1] for each in hub.receivers.called} == {before[0][1]}
    assert {each[3] for each in hub.receivers.called} == {before[0][3]}


async def test_one_that_hangs_keeps_no_other_waiting(hub: Hub) -> None:
    slow, quick = await hub.store.add_program("slow"), await hub.store.add_program("quick")
    webhook = await listens(hub.store, slow)
    await hub.store.webhooks.change(replace(webhook, url="https://slow.example"))
    await listens(hub.store, quick)
    hub.receivers.hang = {"https://slow.example"}
    for index in range(20):
        await opts(hub, "slow", index)
        await opts(hub, "quick", index)

    async with hub.telling():
        await hub.told(20, URL)

    assert hub.receivers.most_under_way[URL] <= 5
    assert hub.receivers.most_under_way["https://slow.example"] <= 5


async def test_one_that_is_gone_is_called_no_more(hub: Hub) -> None:
    program = await hub.store.add_program()
    webhook = await listens(hub.store, program)
    hub.receivers.answers = lambda _url: Answer(took_us=1, status=410)
    await opts(hub, program.id, 0)

    async with hub.telling():
        await hub.until(lambda: bool(hub.noted.disabled_ones))
        await hub.until(lambda: hub.clock.now_us() > NOW_US + HOUR_US)

    assert hub.noted.disabled_ones == [(webhook.id, Disabled.GONE)]
    assert len(hub.receivers.called) == 1
    assert (await hub.store.webhooks.find(program.id, webhook.id)).disabled is Disabled.GONE


async def test_of_many_calls_at_once_that_find_it_gone_one_disables_it(hub: Hub) -> None:
    program = await hub.store.add_program()
    webhook = await listens(hub.store, program)
    hub.receivers.answers = lambda _url: Answer(took_us=1, status=410)
    for each in range(5):
        await opts(hub, program.id, each)

    async with hub.telling():
        await hub.until_an_hour_later()

    assert len(hub.receivers.called) == 5
    assert hub.noted.disabled_ones == [(webhook.id, Disabled.GONE)]


async def test_one_that_accepts_nothing_for_five_days_is_called_no_more(hub: Hub) -> None:
    program = await hub.store.add_program()
    webhook = await listens(hub.store, program)
    hub.receivers.answers = lambda _url: Answer(took_us=1, error="connection")
    await opts(hub, program.id, 0)

    async with hub.telling():
        await hub.until(lambda: bool(hub.noted.given_up))
        given_up_us = hub.clock.now_us()
        await hub.until(lambda: hub.clock.now_us() > NOW_US + 5 * DAY_US)
        calls = len(hub.receivers.called)
        await opts(hub, program.id, 1)
        await hub.until(lambda: bool(hub.noted.disabled_ones))

    assert calls == 10
    assert 3 * DAY_US < given_up_us - NOW_US < 4 * DAY_US
    assert hub.noted.disabled_ones == [(webhook.id, Disabled.FAILING)]


async def test_retry_after_is_waited_for(hub: Hub) -> None:
    program = await hub.store.add_program()
    await listens(hub.store, program)
    times: list[int] = []

    def answers(_url: str) -> Answer:
        times.append(hub.clock.now_us())
        return Answer(took_us=1, status=503, retry_after_s=7_200) if len(times) == 1 else Answer(took_us=1, status=200)

    hub.receivers.answers = answers
    await opts(hub, program.id, 0)
    async with hub.telling():
        await hub.told(1, URL)

    assert times[1] - times[0] >= 2 * HOUR_US


async def test_during_a_rotation_calls_bear_a_signature_of_each_secret(hub: Hub) -> None:
    program = await hub.store.add_program()
    old, new = WebhookSecret.new(), WebhookSecret.new()
    webhook = await listens(hub.store, program, secret=old)
    await hub.store.webhooks.rotate(program.id, webhook.id, new, old_until_us=NOW_US + DAY_US)
    await opts(hub, program.id, 0)

    async with hub.telling():
        await hub.told(1, URL)

    ((_, event_id, headers, body),) = hub.receivers.called
    timestamp_s = int(headers["webhook-timestamp"])
    expected = [each.signature(event_id, timestamp_s, body) for each in (new, old)]
    assert headers["webhook-signature"] == " ".join(expected)
