import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from adapters.login_guard import InProcessLoginGuard
from domain.errors import TooManyLogins
from domain.ports.login_guard import LoginGuard

HERE = "192.0.2.1"
ELSEWHERE = "192.0.2.2"


@pytest.fixture
def guard() -> LoginGuard:
    return InProcessLoginGuard(per_minute=3)


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the time on."""
    moved_s = 0.0
    true_time = time.time

    def move(by_s: float) -> None:
        nonlocal moved_s
        moved_s += by_s
        monkeypatch.setattr(time, "time", lambda: true_time() + moved_s)

    return move


async def admitted(guard: LoginGuard, sid: str, address: str, *, times: int) -> int:
    count = 0
    for _ in range(times):
        with suppress(TooManyLogins):
            await guard.admit(sid, address)
            count += 1
    return count


async def test_so_many_logins_are_admitted_in_a_minute(guard: LoginGuard) -> None:
    assert await admitted(guard, "AC-1", HERE, times=10) == 3


async def test_those_who_are_refused_are_told_when_to_try_again(
    guard: LoginGuard, wait: Callable[[float], None]
) -> None:
    await admitted(guard, "AC-1", HERE, times=3)
    wait(20)

    with pytest.raises(TooManyLogins) as refused:
        await guard.admit("AC-1", HERE)
    assert 30 <= refused.value.retry_after_s <= 41

    wait(refused.value.retry_after_s)
    await guard.admit("AC-1", HERE)


async def test_the_minute_moves_along(guard: LoginGuard, wait: Callable[[float], None]) -> None:
    assert await admitted(guard, "AC-1", HERE, times=1) == 1
    wait(50)
    assert await admitted(guard, "AC-1", HERE, times=5) == 2
    wait(11)
    assert await admitted(guard, "AC-1", HERE, times=5) == 1
    wait(50)
    assert await admitted(guard, "AC-1", HERE, times=5) == 2


async def test_those_who_keep_trying_are_admitted_again_all_the_same(
    guard: LoginGuard, wait: Callable[[float], None]
) -> None:
    await admitted(guard, "AC-1", HERE, times=3)
    for _ in range(6):
        wait(9)
        assert await admitted(guard, "AC-1", HERE, times=5) == 0
    wait(9)

    assert await admitted(guard, "AC-1", HERE, times=1) == 1


async def test_another_address_is_not_held_up(guard: LoginGuard) -> None:
    await admitted(guard, "AC-1", HERE, times=10)

    assert await admitted(guard, "AC-1", ELSEWHERE, times=10) == 3


async def test_another_program_is_not_held_up(guard: LoginGuard) -> None:
    await admitted(guard, "AC-1", HERE, times=10)

    assert await admitted(guard, "AC-2", HERE, times=10) == 3


async def test_program_and_address_do_not_run_together(guard: LoginGuard) -> None:
    await admitted(guard, "AC-1/x", "y", times=10)

    assert await admitted(guard, "AC-1", "x/y", times=1) == 1


@pytest.mark.parametrize("sid", ["", "\0", "\ud800", "/", "a/b:c", "\N{GRINNING FACE}", "x" * 100_000])
async def test_whatever_is_written_as_a_sid_is_counted(guard: LoginGuard, sid: str) -> None:
    assert await admitted(guard, sid, HERE, times=10) == 3


async def test_logins_at_once_are_counted_one_by_one(guard: LoginGuard) -> None:
    results = await asyncio.gather(*(guard.admit("AC-1", HERE) for _ in range(10)), return_exceptions=True)

    assert sum(result is None for result in results) == 3
