"""How concurrent callers share work."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from adapters.sql.group import Group
from domain.errors import HubBusy, StoreUnavailable
from tests.unit.fakes import settled


class Work:
    """Gives ten times each item, or what `results` say; one round at a time, each when it is let go."""

    def __init__(self, results: Mapping[int, int | Exception] | None = None) -> None:
        self._results = results or {}
        self._go = asyncio.Semaphore(0)
        self.rounds: list[list[int]] = []
        self.fault: Exception | None = None

    async def __call__(self, items: Sequence[int]) -> Sequence[int | Exception]:
        self.rounds.append(list(items))
        await self._go.acquire()
        if self.fault is not None:
            raise self.fault
        return [self._results.get(item, 10 * item) for item in items]

    async def let_go(self, rounds: int = 1) -> None:
        for _ in range(rounds):
            self._go.release()
        await settled()


def a_group(work: Work, *, at_once: int = 100, room: int = 100) -> Group[int, int]:
    return Group(work, at_once=at_once, room=room)


async def called(group: Group[int, int], *items: int) -> list[asyncio.Task[int]]:
    """Callers that come together, and wait."""
    calls = [asyncio.create_task(group(item)) for item in items]
    await settled()
    return calls


async def test_a_caller_alone_is_served_without_waiting_for_company() -> None:
    work = Work()
    (call,) = await called(a_group(work), 1)
    assert work.rounds == [[1]]
    await work.let_go()
    assert call.done()
    assert await call == 10


async def test_callers_that_come_together_are_served_together_each_with_its_own_result() -> None:
    work = Work()
    calls = await called(a_group(work), 3, 1, 2)
    assert work.rounds == [[3, 1, 2]]
    await work.let_go()
    assert await asyncio.gather(*calls) == [30, 10, 20]


async def test_who_comes_while_work_is_under_way_is_in_the_next() -> None:
    work = Work()
    group = a_group(work)
    first = await called(group, 1)
    second = [*await called(group, 2), *await called(group, 3), *await called(group, 4)]
    assert work.rounds == [[1]]
    await work.let_go()
    assert work.rounds == [[1], [2, 3, 4]]
    assert first[0].done()
    assert not second[0].done()
    await work.let_go()
    assert await asyncio.gather(*first, *second) == [10, 20, 30, 40]


async def test_a_group_goes_on_after_it_had_nothing_to_do() -> None:
    work = Work()
    group = a_group(work)
    await called(group, 1)
    await work.let_go()
    (call,) = await called(group, 2)
    await work.let_go()
    assert await call == 20


async def test_no_more_than_so_many_are_served_at_once_first_come_first_served() -> None:
    work = Work()
    calls = await called(a_group(work, at_once=2), 1, 2, 3, 4, 5)
    await work.let_go(3)
    assert work.rounds == [[1, 2], [3, 4], [5]]
    assert await asyncio.gather(*calls) == [10, 20, 30, 40, 50]


async def test_who_finds_no_room_is_turned_away_at_once_and_the_others_are_served() -> None:
    work = Work()
    group = a_group(work, room=2)
    calls = [*await called(group, 1), *await called(group, 2, 3)]
    with pytest.raises(HubBusy):
        await group(4)
    await work.let_go()
    calls += await called(group, 5)
    await work.let_go(2)
    assert await asyncio.gather(*calls) == [10, 20, 30, 50]
    assert work.rounds == [[1], [2, 3], [5]]


async def test_an_error_of_one_item_reaches_its_caller_alone() -> None:
    work = Work({2: StoreUnavailable()})
    one, two, three = await called(a_group(work), 1, 2, 3)
    await work.let_go()
    assert (await one, await three) == (10, 30)
    with pytest.raises(StoreUnavailable):
        await two


async def test_an_error_of_the_work_reaches_all_who_are_served_or_wait_and_nobody_who_comes_later() -> None:
    work = Work()
    group = a_group(work)
    lost = [*await called(group, 1, 2), *await called(group, 3)]
    work.fault = StoreUnavailable()
    await work.let_go()
    outcomes = await asyncio.gather(*lost, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * 3
    assert work.rounds == [[1, 2]]
    work.fault = None
    (later,) = await called(group, 4)
    await work.let_go()
    assert await later == 40


async def test_a_caller_that_is_cancelled_while_it_is_served_harms_nobody() -> None:
    work = Work({2: StoreUnavailable()})
    group = a_group(work)
    one, two, three = await called(group, 1, 2, 3)
    one.cancel()
    two.cancel()
    await work.let_go()
    assert await three == 30
    assert one.cancelled()
    assert two.cancelled()
    (later,) = await called(group, 4)
    await work.let_go()
    assert await later == 40


async def test_the_item_of_a_caller_that_is_cancelled_while_it_waits_is_worked_on_all_the_same() -> None:
    work = Work()
    group = a_group(work)
    await called(group, 1)
    waiting, other = await called(group, 2, 3)
    waiting.cancel()
    await work.let_go(2)
    assert work.rounds == [[1], [2, 3]]
    assert await other == 30


async def test_a_group_that_never_worked_is_drained() -> None:
    await a_group(Work()).drained()


async def test_a_group_is_drained_when_nothing_waits_and_no_work_is_under_way() -> None:
    work = Work()
    group = a_group(work, at_once=1)
    calls = await called(group, 1, 2)
    drained = asyncio.create_task(group.drained())
    await work.let_go()
    assert work.rounds == [[1], [2]]
    assert not drained.done()
    await work.let_go()
    assert drained.done()
    await drained
    assert await asyncio.gather(*calls) == [10, 20]


async def test_a_group_is_not_drained_while_its_callers_come_again() -> None:
    work = Work()
    group = a_group(work)

    async def twice() -> int:
        return await group(await group(1))

    calling = asyncio.create_task(twice())
    await settled()
    drained = asyncio.create_task(group.drained())
    await work.let_go()
    assert work.rounds == [[1], [10]]
    assert not drained.done()
    await work.let_go()
    assert drained.done()
    assert await calling == 100
