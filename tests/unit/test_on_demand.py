import asyncio
import threading
from collections.abc import Callable

import pytest

from adapters.providers.on_demand import OnDemand
from domain.model.credentials import NO_CREDENTIALS
from domain.model.message_body import MessageBody
from domain.model.send_outcome import Accepted, SendOutcome
from domain.model.sender import SenderAddress
from domain.ports.sms_provider import OutgoingText, SmsProvider
from tests.unit.builders import a_number
from tests.unit.fakes import FakeClock, ScriptedProvider


class Loads:
    """What loads a provider, and how often it did."""

    def __init__(self, *, first: Callable[[], object] = lambda: None) -> None:
        self.count = 0
        self._first = first

    def __call__(self) -> SmsProvider:
        self.count += 1
        if self.count == 1:
            self._first()
        return ScriptedProvider(FakeClock())


async def departure() -> None:
    """At once."""


async def sent(provider: SmsProvider, delivery_id: int = 1) -> SendOutcome:
    text = OutgoingText(
        delivery_id=delivery_id,
        attempt=1,
        account_id=1,
        sender=SenderAddress("+18005550100"),
        number=a_number(),
        body=MessageBody("Hello"),
    )
    return await provider.send(text, departure)


async def test_a_provider_is_loaded_once_by_many_texts_at_once() -> None:
    loads = Loads()
    provider = OnDemand(loads)
    assert loads.count == 0

    outcomes = await asyncio.gather(*(sent(provider, each) for each in range(100)))

    assert outcomes == [Accepted(f"reference-{each}") for each in range(100)]
    assert loads.count == 1


async def test_others_go_on_while_a_provider_is_loaded() -> None:
    gone_on = threading.Event()
    provider = OnDemand(Loads(first=lambda: gone_on.wait(10)))

    loading = asyncio.create_task(provider.prepare())
    await asyncio.sleep(0)
    gone_on.set()

    await loading
    assert isinstance(await sent(provider), Accepted)


async def test_what_cannot_be_loaded_is_told_and_tried_again_with_the_next_text() -> None:
    def fail() -> None:
        raise ImportError("no such library")

    provider = OnDemand(Loads(first=fail))

    with pytest.raises(ImportError, match="no such library"):
        await sent(provider)
    assert isinstance(await sent(provider), Accepted)


async def test_a_provider_that_tells_an_account_is_the_one_that_sends() -> None:
    loads = Loads()
    provider = OnDemand(loads)

    assert provider.account_of(NO_CREDENTIALS) == "post"
    await sent(provider)

    assert loads.count == 1


async def test_a_provider_that_was_never_needed_is_not_loaded_to_be_closed() -> None:
    loads = Loads()

    await OnDemand(loads).close()

    assert loads.count == 0
