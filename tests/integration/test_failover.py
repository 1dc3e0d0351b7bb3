"""A sender of a program cannot send, and another of its senders does."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from adapters.sql.tables import senders
from domain.model.delivery import Delivery, DeliveryState
from domain.model.program import Program
from domain.model.retry import RetryPolicy
from domain.model.send_outcome import Barred, CannotTell, NotSent, SendOutcome, Unknown
from domain.model.sender import SenderAddress
from tests.builders import SENDER
from tests.e2e.running import e164
from tests.integration.working_hub import ScriptedProvider, WorkingHub, a_hub, assert_apart
from tests.patience import PATIENCE_S

SECOND_US = 1_000_000
RATE = "20"
OTHER = SenderAddress("+19705550101")
THIRD = SenderAddress("+19705550102")

BARRED = Barred("credentials-refused")
AWAY = NotSent("no-connection")
# Minutes of trying again within a second or two.
HASTY = RetryPolicy(first_backoff_us=100_000, first_bar_us=SECOND_US, enquiry_delays_us=(100_000, 100_000))


async def program_with(hub: WorkingHub, *others: SenderAddress, failover: bool = True, rate: str = RATE) -> Program:
    program = await hub.program(rate=rate, failover=failover)
    for address in others:
        program = await hub.add_sender(program, address, rate=rate)
    return program


async def until_in_order(hub: WorkingHub) -> None:
    """Until no sender is barred any more."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with hub.container.database().reading() as connection:
                if not (await connection.execute(select(func.max(senders.c.bars)))).scalar_one():
                    return
            await asyncio.sleep(0.05)


def is_sent(delivery: Delivery) -> bool:
    return delivery.state is DeliveryState.SENT


def tries(provider: ScriptedProvider) -> Counter[SenderAddress]:
    return Counter(each.sender for each in provider.left)


async def test_what_waits_at_a_barred_sender_is_sent_once_by_the_other_at_its_pace(database_url: str) -> None:
    provider = ScriptedProvider()
    provider.always[SENDER] = BARRED
    async with a_hub(database_url, provider) as hub:
        program = await program_with(hub, OTHER)
        message = await hub.post(program, e164(50))
        async with hub.dispatching():
            await hub.until(lambda: tries(provider)[OTHER] == 50)
            await asyncio.sleep(1)
            deliveries = await hub.until_are(program, message, is_sent)
    assert tries(provider) == {SENDER: 1, OTHER: 50}
    taken = [each for each in provider.left if each.sender == OTHER]
    assert {each.delivery_id for each in taken} == {each.id for each in deliveries}
    assert_apart(provider, pace=RATE, sender=OTHER)


async def test_two_dispatchers_send_none_of_it_twice(database_url: str) -> None:
    provider = ScriptedProvider()
    provider.always[SENDER] = BARRED
    async with a_hub(database_url, provider) as hub, a_hub(database_url, provider) as another:
        program = await program_with(hub, OTHER, rate="100")
        message = await hub.post(program, e164(200))
        async with hub.dispatching(), another.dispatching():
            await hub.until(lambda: tries(provider)[OTHER] >= 200)
            await asyncio.sleep(1)
            await hub.until_are(program, message, is_sent)
    sent = Counter(each.delivery_id for each in provider.left if each.sender == OTHER)
    assert (len(sent), set(sent.values())) == (200, {1})


@pytest.mark.parametrize("outcome", [BARRED, AWAY])
async def test_without_failover_it_stays(database_url: str, outcome: SendOutcome) -> None:
    provider = ScriptedProvider()
    provider.always[SENDER] = outcome
    async with a_hub(database_url, provider, retry=HASTY) as hub:
        program = await program_with(hub, OTHER, failover=False)
        message = await hub.post(program, e164(5))
        async with hub.dispatching():
            await hub.until_left(1)
            await asyncio.sleep(3)
            deliveries = await hub.deliveries(program, message)
    assert tries(provider).keys() == {SENDER}
    assert DeliveryState.SENT not in {each.state for each in deliveries}


async def test_what_cannot_get_through_for_long_is_sent_by_the_other(database_url: str) -> None:
    provider = ScriptedProvider()
    provider.always[SENDER] = AWAY
    # No text is to use up its tries between two looks, which are a second apart and more.
    patient = replace(HASTY, first_backoff_us=300_000, longest_backoff_us=SECOND_US, most_failures=100)
    async with a_hub(database_url, provider, retry=patient) as hub:
        program = await program_with(hub, OTHER)
        message = await hub.post(program, e164(20))
        async with hub.dispatching():
            await hub.until(lambda: tries(provider)[OTHER] == 20)
            deliveries = await hub.until_are(program, message, is_sent)
    assert Counter(each.delivery_id for each in provider.left if each.sender == OTHER) == {
        each.id: 1 for each in deliveries
    }
    of_one = Counter(each.delivery_id for each in provider.left if each.sender == SENDER)
    assert max(of_one.values()) >= 4


async def test_what_may_have_been_sent_never_changes_hands(database_url: str) -> None:
    provider = ScriptedProvider([Unknown("no-answer")], answer=CannotTell("no-answer", 200_000))
    async with a_hub(database_url, provider, retry=HASTY) as hub:
        program = await program_with(hub, OTHER)
        first = await hub.post(program, e164(1))
        async with hub.dispatching():
            await hub.until_left(1)
            provider.always[SENDER] = BARRED
            second = await hub.post(program, e164(1, first=1))
            await hub.until(lambda: tries(provider)[OTHER] == 1)
            await asyncio.sleep(1.5)
            [unknown] = await hub.deliveries(program, first)
            [sent] = await hub.until_are(program, second, is_sent)
    assert (unknown.state, sent.state) == (DeliveryState.UNKNOWN, DeliveryState.SENT)
    assert [each.delivery_id for each in provider.left if each.sender == OTHER] == [sent.id]
    assert provider.asked > 1


async def test_through_one_that_is_barred_as_well_to_the_third_and_no_further(database_url: str) -> None:
    provider = ScriptedProvider()
    provider.always |= {SENDER: BARRED, OTHER: BARRED}
    async with a_hub(database_url, provider) as hub:
        program = await program_with(hub, OTHER, THIRD)
        message = await hub.post(program, e164(20))
        async with hub.dispatching():
            await hub.until(lambda: tries(provider)[THIRD] == 20)
            deliveries = await hub.deliveries(program, message)
    assert tries(provider) == {SENDER: 1, OTHER: 1, THIRD: 20}
    assert {each.number.e164 for each in deliveries} == {each.number for each in provider.left if each.sender == THIRD}


async def test_a_sender_that_is_in_order_again_sends_what_comes_then(database_url: str) -> None:
    provider = ScriptedProvider()
    provider.always[SENDER] = BARRED
    async with a_hub(database_url, provider, retry=HASTY) as hub:
        program = await program_with(hub, OTHER)
        async with hub.dispatching():
            await hub.post(program, e164(5))
            await hub.until(lambda: tries(provider)[OTHER] == 5)
            del provider.always[SENDER]
            await asyncio.sleep(2.5)
            tried = tries(provider)[SENDER]
            await hub.post(program, e164(5, first=5))
            await hub.until(lambda: tries(provider)[SENDER] >= tried + 1)
            await until_in_order(hub)
            # A program is remembered for two seconds.
            await asyncio.sleep(2.1)
            await hub.post(program, e164(5, first=10))
            await hub.until(lambda: sum(tries(provider).values()) == tried + 15)
    # All of the last five, and the one that showed that it takes texts again.
    assert tries(provider)[SENDER] >= tried + 6


async def test_a_text_for_a_barred_sender_is_estimated_by_the_one_that_takes_over(database_url: str) -> None:
    provider = ScriptedProvider()
    provider.always[SENDER] = BARRED
    async with a_hub(database_url, provider) as hub:
        program = await program_with(hub, OTHER)
        kept = await hub.program(rate=RATE, failover=False)
        await hub.post(program, e164(1))
        async with hub.dispatching():
            await hub.until(lambda: tries(provider)[OTHER] == 1)
            # A program is remembered for two seconds.
            await asyncio.sleep(2.1)
            async with asyncio.timeout(PATIENCE_S):
                while (await hub.post(kept, e164(1))).estimated_us is not None:  # noqa: ASYNC110 - nothing tells of it
                    await asyncio.sleep(0.1)
            message = await hub.post(program, e164(40))
            await hub.until(lambda: tries(provider)[OTHER] == 41)
    assert message.estimated_us is not None
    assert 1.5 * SECOND_US < message.estimated_us - message.created_us < 4 * SECOND_US
