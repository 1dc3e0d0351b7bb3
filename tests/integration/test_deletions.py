"""Programs that are deleted while the hub sends, and what its dispatchers do about them afterwards."""

import asyncio
import time

import pytest
from sqlalchemy import update

from adapters.sql.tables import programs
from domain.errors import TokenRefused
from domain.model.delivery import DeliveryState
from domain.model.program import Program
from domain.model.sender import SenderAddress
from tests.integration.working_hub import ScriptedProvider, WorkingHub, a_hub
from tests.patience import PATIENCE_S

DAY_US = 86_400_000_000
NUMBERS = [f"+1970{5_550_000 + index}" for index in range(400)]


async def gone(hub: WorkingHub, program: Program, *, within_s: float = PATIENCE_S) -> None:
    """Once its identity is free again."""
    until = time.monotonic() + within_s
    while True:
        async with hub.container.database().reading() as connection:
            found = (await connection.execute(programs.select().where(programs.c.id == program.id))).first()
        if found is None:
            return
        assert time.monotonic() < until, f"not gone within {within_s} s"
        await asyncio.sleep(0.05)


async def test_what_was_on_its_way_is_recorded_and_nothing_else_is_sent(database_url: str) -> None:
    async with a_hub(database_url, ScriptedProvider()) as hub:
        program = await hub.program(rate="50/s")
        message = await hub.post(program, NUMBERS)
        async with hub.dispatching():
            await hub.until_left(50)
            deleted = await hub.container.delete_program()(program.id)
            others = await hub.program(rate="100/s", sender=SenderAddress("+19705550101"))
            text = await hub.post(others, NUMBERS[:1])
            await hub.until_are(others, text, lambda each: each.state is DeliveryState.SENT)
            await hub.until_are(program, message, lambda each: each.state is not DeliveryState.SENDING)
        # What was claimed and could not leave in time was handed back, and is canceled as soon as it is looked for.
        handed_back = await hub.container.deletions().cancel_waiting(now_us=hub.container.clock().now_us())
        found = await hub.deliveries(program, message)
        left = [each.number for each in hub.provider.left if each.sender == program.sender.address]

    sent = [each.number.e164 for each in found if each.state is DeliveryState.SENT]
    assert sorted(left) == sorted(sent)
    assert 50 <= len(sent) < 300
    assert {each.state for each in found} == {DeliveryState.SENT, DeliveryState.CANCELED}
    assert deleted.canceled + handed_back == len(NUMBERS) - len(sent)


async def test_texts_that_are_posted_while_it_is_deleted_are_refused_or_canceled(database_url: str) -> None:
    async with a_hub(database_url, ScriptedProvider()) as hub:
        program = await hub.program(rate="1/s")
        posts = asyncio.gather(*(hub.post(program, [number]) for number in NUMBERS[:100]), return_exceptions=True)
        await hub.container.delete_program()(program.id)
        messages = await posts
        refused = [each for each in messages if isinstance(each, BaseException)]
        assert all(isinstance(each, TokenRefused) for each in refused), refused
        async with hub.dispatching():
            for each in messages:
                if not isinstance(each, BaseException):
                    await hub.until_are(program, each, lambda one: one.state is DeliveryState.CANCELED)
            # What the process had read of it is too old by now.
            await asyncio.sleep(2.1)
            with pytest.raises(TokenRefused):
                await hub.post(program, NUMBERS[:1])

    assert hub.provider.left == []


async def test_dispatchers_finish_what_was_torn_off_and_forget_it_in_time(database_url: str) -> None:
    async with (
        a_hub(database_url, ScriptedProvider(), retention="P2D") as hub,
        a_hub(database_url, ScriptedProvider(), retention="P2D") as other,
    ):
        program = await hub.program(rate="1/s")
        message = await hub.post(program, NUMBERS)
        await hub.container.deletions().begin(program.id, now_us=hub.container.clock().now_us())
        async with hub.dispatching():
            await hub.until_are(program, message, lambda each: each.state is DeliveryState.CANCELED)
        async with hub.container.database().writing() as connection:
            await connection.execute(update(programs).values(deleted_us=programs.c.deleted_us - 2 * DAY_US))

        # Two at a time do no harm.
        async with hub.dispatching(), other.dispatching():
            await gone(hub, program)

        assert await hub.container.programs().all() == []
        assert hub.provider.left == other.provider.left == []
