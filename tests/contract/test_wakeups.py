import asyncio

import pytest

from adapters.wakeups import InProcessWakeups
from domain.ports.wakeups import Wakeups

LONG_S = 60
SHORT_S = 0.001


@pytest.fixture
def wakeups() -> Wakeups:
    return InProcessWakeups()


async def test_one_who_waits_is_woken(wakeups: Wakeups) -> None:
    waiting = asyncio.ensure_future(wakeups.wait(at_most_s=LONG_S))
    await asyncio.sleep(0)

    wakeups.notify()

    assert await waiting


async def test_a_wake_up_that_came_before_is_not_missed(wakeups: Wakeups) -> None:
    wakeups.notify()

    assert await wakeups.wait(at_most_s=LONG_S)


async def test_one_whom_nobody_wakes_goes_on_after_a_while(wakeups: Wakeups) -> None:
    assert not await wakeups.wait(at_most_s=SHORT_S)


async def test_many_wake_ups_are_one(wakeups: Wakeups) -> None:
    for _ in range(3):
        wakeups.notify()

    assert await wakeups.wait(at_most_s=LONG_S)
    assert not await wakeups.wait(at_most_s=SHORT_S)


async def test_one_who_waited_in_vain_can_be_woken_later(wakeups: Wakeups) -> None:
    assert not await wakeups.wait(at_most_s=SHORT_S)

    wakeups.notify()

    assert await wakeups.wait(at_most_s=LONG_S)
