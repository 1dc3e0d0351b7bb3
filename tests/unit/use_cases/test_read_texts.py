"""What a program sees of its texts, and of others'."""

import pytest

from domain.errors import MessageNotFound
from domain.model.delivery import DeliveryState
from domain.use_cases.read_texts import FindText, ListDeliveries, ListTexts
from tests.unit.builders import a_grant, a_message_id, a_number, a_program, a_sender, a_text
from tests.unit.fakes import InMemoryIntake, InMemoryPrograms, InMemoryStore, InMemoryTextLog

PHARMACY, LIBRARY = a_grant("PHARMACY"), a_grant("LIBRARY")


@pytest.fixture
def store() -> InMemoryStore:
    return InMemoryStore(a_sender())


@pytest.fixture
def texts(store: InMemoryStore) -> InMemoryTextLog:
    return InMemoryTextLog(store)


@pytest.fixture
def intake(store: InMemoryStore) -> InMemoryIntake:
    return InMemoryIntake(store)


def a_list(texts: InMemoryTextLog) -> ListTexts:
    return ListTexts(texts=texts, programs=InMemoryPrograms(a_program()), default_region="US")


async def test_a_program_finds_its_text_as_it_stands(texts: InMemoryTextLog, intake: InMemoryIntake) -> None:
    await intake.add(a_text(1, to=[a_number(1), a_number(2)], text="Hello."))
    found = await FindText(texts=texts)(PHARMACY, a_message_id(1))
    assert found.message.body.text == "Hello."
    assert list(found.numbers) == [a_number(1), a_number(2)]
    assert found.counts == {DeliveryState.QUEUED: 2}


async def test_a_text_that_never_was_is_not_found(texts: InMemoryTextLog) -> None:
    with pytest.raises(MessageNotFound):
        await FindText(texts=texts)(PHARMACY, a_message_id(1))


async def test_another_programs_text_is_as_little_found_as_one_that_never_was(
    texts: InMemoryTextLog, intake: InMemoryIntake
) -> None:
    await intake.add(a_text(1, program_id="LIBRARY"))
    assert (await FindText(texts=texts)(LIBRARY, a_message_id(1))).message.program_id == "LIBRARY"
    with pytest.raises(MessageNotFound):
        await FindText(texts=texts)(PHARMACY, a_message_id(1))
    with pytest.raises(MessageNotFound):
        await ListDeliveries(texts=texts)(PHARMACY, a_message_id(1), after=0, limit=10)


async def test_texts_are_listed_newest_first_page_by_page(texts: InMemoryTextLog, intake: InMemoryIntake) -> None:
    for which in range(1, 6):
        await intake.add(a_text(which))
    list_texts = a_list(texts)
    first = await list_texts(PHARMACY, before=None, limit=2)
    assert [each.message.id for each in first.items] == [a_message_id(5), a_message_id(4)]
    assert first.end == a_message_id(4)
    second = await list_texts(PHARMACY, before=a_message_id(4), limit=3)
    assert [each.message.id for each in second.items] == [a_message_id(3), a_message_id(2), a_message_id(1)]
    assert second.end is None


async def test_a_program_lists_its_own_texts_alone(texts: InMemoryTextLog, intake: InMemoryIntake) -> None:
    await intake.add(a_text(1))
    await intake.add(a_text(2, program_id="LIBRARY"))
    page = await a_list(texts)(PHARMACY, before=None, limit=10)
    assert [each.message.id for each in page.items] == [a_message_id(1)]


async def test_a_program_without_texts_has_an_empty_list(texts: InMemoryTextLog) -> None:
    page = await a_list(texts)(PHARMACY, before=None, limit=10)
    assert (list(page.items), page.end) == ([], None)


async def test_deliveries_are_listed_in_the_order_of_the_request_page_by_page(
    texts: InMemoryTextLog, intake: InMemoryIntake
) -> None:
    await intake.add(a_text(1, to=[a_number(which) for which in (7, 3, 9)]))
    list_deliveries = ListDeliveries(texts=texts)
    first = await list_deliveries(PHARMACY, a_message_id(1), after=0, limit=2)
    assert [delivery.number for delivery in first.items] == [a_number(7), a_number(3)]
    assert first.end == 2
    second = await list_deliveries(PHARMACY, a_message_id(1), after=2, limit=2)
    assert [delivery.number for delivery in second.items] == [a_number(9)]
    assert second.end is None


async def test_the_deliveries_of_a_text_that_never_was_are_not_found(texts: InMemoryTextLog) -> None:
    with pytest.raises(MessageNotFound):
        await ListDeliveries(texts=texts)(PHARMACY, a_message_id(1), after=0, limit=10)


async def test_a_page_after_the_last_delivery_is_empty_and_no_error(
    texts: InMemoryTextLog, intake: InMemoryIntake
) -> None:
    await intake.add(a_text(1))
    page = await ListDeliveries(texts=texts)(PHARMACY, a_message_id(1), after=1, limit=10)
    assert (list(page.items), page.end) == ([], None)
