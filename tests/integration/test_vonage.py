"""A whole hub that sends through Vonage's own library, to a stand-in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.model.credentials import Credentials
from domain.model.delivery import Delivery, DeliveryState
from domain.model.pace import Pace
from domain.model.retry import RetryPolicy
from domain.model.terms import OnUnknown
from entrypoints.stand_ins.certificates import Certificate
from entrypoints.stand_ins.vonage import API_KEY, API_SECRET, APPLICATION_ID, VonageStandIn, application_key
from tests.e2e.running import e164
from tests.e2e.sending import ENCRYPTION_KEYS
from tests.integration.working_hub import SECOND_US, WorkingHub, a_hub

CREDENTIALS = {
    "messages": {"api_key": API_KEY, "api_secret": API_SECRET},
    "messages-by-application": {"application_id": APPLICATION_ID, "private_key": application_key()[0]},
    "sms": {"api_key": API_KEY, "api_secret": API_SECRET, "api": "sms"},
}
RATE = "20"

# An hour's enquiries within a second.
HASTY = RetryPolicy(enquiry_delays_us=(200_000, 200_000), asked_for_us=SECOND_US)


@pytest.fixture(params=CREDENTIALS)
def credentials(request: pytest.FixtureRequest) -> Credentials:
    return Credentials(CREDENTIALS[request.param])


@pytest.fixture
async def vonage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[VonageStandIn]:
    """Whom the machine takes for Vonage."""
    certificate = Certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    async with VonageStandIn(tls=certificate.server()).running() as vonage:
        yield vonage


@pytest.fixture
async def hub(sqlite_url: str, vonage: VonageStandIn) -> AsyncIterator[WorkingHub]:
    async with a_hub(
        sqlite_url,
        retry=HASTY,
        encryption_keys=ENCRYPTION_KEYS,
        vonage_api_host=vonage.host,
        vonage_rest_host=vonage.host,
    ) as hub:
        yield hub


async def sent(
    hub: WorkingHub, vonage: VonageStandIn, credentials: Credentials, count: int, on_unknown: OnUnknown
) -> list[Delivery]:
    """What the deliveries of a text to so many numbers are like when Vonage has seen as many, and a second later."""
    program = await hub.program(rate=RATE, provider="vonage", credentials=credentials, on_unknown=on_unknown)
    async with hub.dispatching():
        message = await hub.post(program, e164(count))
        await hub.until(lambda: len(vonage.arrivals) >= count)
        await hub.container.clock().sleep_until(hub.container.clock().now_us() + 3 * SECOND_US // 2)
        return list(await hub.deliveries(program, message))


async def test_texts_are_sent_at_their_pace_and_carry_the_hubs_own_ids(
    hub: WorkingHub, vonage: VonageStandIn, credentials: Credentials
) -> None:
    deliveries = await sent(hub, vonage, credentials, 20, OnUnknown.LEAVE)

    assert {each.state for each in deliveries} == {DeliveryState.SENT}
    assert {each.provider_reference for each in deliveries} == set(vonage.sids)
    references = [arrival.form.get("client_ref") or arrival.form["client-ref"] for arrival in vonage.arrivals]
    # One whose slot was missed has a second attempt, which is the first that Vonage sees.
    assert sorted(references) == sorted(f"{each.id}.{each.attempt}" for each in deliveries)
    took_us = (vonage.arrivals[-1].at_ns - vonage.arrivals[0].at_ns) // 1_000
    assert took_us > 19 * Pace.parse(RATE).interval_us() - 20_000


@pytest.mark.parametrize("behaviour", ["close-before-answer", "cut-json"])
async def test_what_is_taken_and_never_answered_is_unknown_and_not_sent_again(
    hub: WorkingHub, vonage: VonageStandIn, credentials: Credentials, behaviour: str
) -> None:
    vonage.does(behaviour)

    first, second = await sent(hub, vonage, credentials, 2, OnUnknown.LEAVE)

    # It may have been claimed before, and handed back: a first connection may take longer than a slot lasts.
    assert (first.state, first.due_us) == (DeliveryState.UNKNOWN, None)
    assert second.state is DeliveryState.SENT
    assert len(vonage.arrivals) == 2


async def test_what_nobody_can_tell_is_sent_again_where_the_program_wants_it(
    hub: WorkingHub, vonage: VonageStandIn, credentials: Credentials
) -> None:
    vonage.does("reset-without-taking")

    [delivery] = await sent(hub, vonage, credentials, 1, OnUnknown.RESEND)

    assert (delivery.state, delivery.resends) == (DeliveryState.SENT, 1)
    assert len(vonage.arrivals) == 2


async def test_a_text_of_which_a_part_was_sent_is_not_sent_again(hub: WorkingHub, vonage: VonageStandIn) -> None:
    vonage.does("partly", code=1)
    program = await hub.program(
        rate=RATE, provider="vonage", credentials=Credentials(CREDENTIALS["sms"]), on_unknown=OnUnknown.RESEND
    )
    async with hub.dispatching():
        message = await hub.post(program, e164(1), text="x" * 161)
        await hub.until(lambda: len(vonage.arrivals) >= 1)
        await hub.container.clock().sleep_until(hub.container.clock().now_us() + 3 * SECOND_US // 2)
        [delivery] = await hub.deliveries(program, message)

    assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, "partly-sent")
    assert len(vonage.arrivals) == 1
