"""A text of which nobody can tell whether it was sent: what becomes of it is the program's own decision."""

import asyncio
from collections import Counter

import pytest

from domain.model.delivery import Delivery, DeliveryState
from domain.model.retry import RetryPolicy
from domain.model.send_outcome import CannotTell, Found, Unknown
from domain.model.terms import OnUnknown
from domain.ports.text_log import LoggedDelivery
from entrypoints.http import representations
from tests.builders import SENDER
from tests.e2e.running import e164
from tests.integration.working_hub import ScriptedProvider, a_hub, assert_apart

SECOND_US = 1_000_000
RATE = "20"

# An hour's enquiries within a second.
HASTY = RetryPolicy(enquiry_delays_us=(200_000, 200_000), asked_for_us=SECOND_US)

CANNOT_BE_ASKED = CannotTell("no-way-to-ask")
DOES_NOT_ANSWER = CannotTell("no-answer", 200_000)


def is_settled(delivery: Delivery) -> bool:
    """It was sent, or nobody asks about it any more."""
    return delivery.state is DeliveryState.SENT or (delivery.state, delivery.due_us) == (DeliveryState.UNKNOWN, None)


def resends_shown(delivery: Delivery) -> object:
    return representations.delivery(LoggedDelivery(delivery=delivery, sender=SENDER))["Resends"]


@pytest.mark.parametrize("answer", [CANNOT_BE_ASKED, DOES_NOT_ANSWER])
async def test_left_as_it_is_it_is_never_sent_again(database_url: str, answer: CannotTell) -> None:
    provider = ScriptedProvider([Unknown("no-answer")], answer=answer)
    async with a_hub(database_url, provider, retry=HASTY) as hub:
        program = await hub.program(rate=RATE)
        async with hub.dispatching():
            message = await hub.post(program, e164(5))
            await hub.until_left(5)
            await asyncio.sleep(2)
            first, *others = await hub.until_are(program, message, is_settled)
    assert (first.state, first.reason, first.due_us) == (DeliveryState.UNKNOWN, "no-answer", None)
    assert {each.state for each in others} == {DeliveryState.SENT}
    assert resends_shown(first) == 0
    assert len(provider.left) == 5


@pytest.mark.parametrize("answer", [CANNOT_BE_ASKED, DOES_NOT_ANSWER])
async def test_resent_it_is_sent_once_more_at_the_pace_and_shown_to_be(database_url: str, answer: CannotTell) -> None:
    provider = ScriptedProvider([Unknown("no-answer")], answer=answer)
    async with a_hub(database_url, provider, retry=HASTY) as hub:
        program = await hub.program(rate=RATE, on_unknown=OnUnknown.RESEND)
        async with hub.dispatching():
            message = await hub.post(program, e164(40))
            await hub.until_left(41)
            await asyncio.sleep(1)
            deliveries = await hub.until_are(program, message, lambda each: each.state is DeliveryState.SENT)
    # Whichever went first: a slot that is missed passes to others.
    resends = Counter({each.id: resends_shown(each) for each in deliveries})
    assert sorted(resends.values()) == [0] * 39 + [1]
    calls = Counter(each.delivery_id for each in provider.left)
    assert calls == {each.id: 1 + resends[each.id] for each in deliveries}
    assert_apart(provider, pace=RATE)


async def test_resent_again_and_again_it_is_given_up_at_last(database_url: str) -> None:
    retry = RetryPolicy(enquiry_delays_us=(50_000,), asked_for_us=0, most_failures=3)
    provider = ScriptedProvider([Unknown("no-answer")] * 9, answer=CANNOT_BE_ASKED)
    async with a_hub(database_url, provider, retry=retry) as hub:
        program = await hub.program(rate=RATE, on_unknown=OnUnknown.RESEND)
        async with hub.dispatching():
            message = await hub.post(program, e164(1))
            await hub.until_left(3)
            await asyncio.sleep(1)
            (delivery,) = await hub.deliveries(program, message)
    assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, "never-known")
    assert resends_shown(delivery) == 2
    assert len(provider.left) == 3


async def test_what_is_being_asked_about_at_the_stop_is_settled_before_it(database_url: str) -> None:
    """Cut off, it would be nobody's for half a minute."""
    retry = RetryPolicy(enquiry_delays_us=(50_000,), asked_for_us=0)
    provider = ScriptedProvider([Unknown("no-answer")], answer=Found("SM-found"), answers_after_s=0.5)
    async with a_hub(database_url, provider, retry=retry) as hub:
        program = await hub.program(rate=RATE)
        async with hub.dispatching():
            message = await hub.post(program, e164(1))
            await hub.until(lambda: provider.asked == 1)
        (delivery,) = await hub.deliveries(program, message)
    assert (delivery.state, delivery.provider_reference) == (DeliveryState.SENT, "SM-found")
