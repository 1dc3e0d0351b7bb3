"""What a cancellation stops, and what it cannot."""

import pytest

from domain.errors import MessageNotFound
from domain.model.delivery import DeliveryState
from domain.model.text_message import TextSummary
from domain.use_cases.cancel_text import CancelText
from tests.unit.builders import NOON, SECOND, a_grant, a_message_id, a_number, a_text
from tests.unit.fakes import FakeClock, InMemoryIntake, InMemoryTextLog
from tests.unit.use_cases.sending import a_store

S = DeliveryState


class Hub:
    def __init__(self) -> None:
        self.store = a_store()
        self.clock = FakeClock()

    async def accept(self, count: int = 1, *, state: DeliveryState = S.QUEUED) -> None:
        await InMemoryIntake(self.store).add(a_text(1, to=[a_number(which) for which in range(count)], state=state))

    async def cancel(self, which: int = 1, *, program_id: str = "PHARMACY") -> tuple[int, TextSummary]:
        cancel = CancelText(texts=InMemoryTextLog(self.store), clock=self.clock)
        return await cancel(a_grant(program_id), a_message_id(which))


@pytest.mark.parametrize("state", [S.QUEUED, S.SCHEDULED])
async def test_what_waits_is_stopped_and_the_answer_says_so(state: DeliveryState) -> None:
    hub = Hub()
    await hub.accept(3, state=state)
    hub.clock.jump(SECOND)
    canceled, summary = await hub.cancel()
    assert (canceled, summary.state, summary.counts) == (3, S.CANCELED, {S.CANCELED: 3})
    assert {delivery.updated_us for delivery in hub.store.deliveries()} == {NOON + SECOND}


async def test_what_is_with_the_provider_already_goes_on() -> None:
    hub = Hub()
    await hub.accept(3)
    hub.store.put(hub.store.delivery(2).claimed(now_us=NOON))
    canceled, summary = await hub.cancel()
    assert (canceled, summary.counts) == (2, {S.CANCELED: 2, S.SENDING: 1})


async def test_canceling_again_changes_nothing() -> None:
    hub = Hub()
    await hub.accept(2)
    await hub.cancel()
    before = hub.store.deliveries()
    hub.clock.jump(SECOND)
    canceled, summary = await hub.cancel()
    assert (canceled, summary.state) == (0, S.CANCELED)
    assert hub.store.deliveries() == before


async def test_a_text_that_never_was_cannot_be_canceled() -> None:
    hub = Hub()
    await hub.accept()
    with pytest.raises(MessageNotFound):
        await hub.cancel(2)


async def test_another_programs_text_cannot_be_canceled() -> None:
    hub = Hub()
    await hub.accept()
    with pytest.raises(MessageNotFound):
        await hub.cancel(program_id="LIBRARY")
    assert hub.store.states() == [S.QUEUED]
