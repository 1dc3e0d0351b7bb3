"""What a program sees of its texts, and of others'."""

import pytest

from domain.errors import MessageNotFound
from domain.model.delivery import DeliveryState
from domain.use_cases.read_texts import FindText, ListDeliveries, ListTexts
from tests.unit.builders import a_grant, a_message_id, a_number, a_sender, a_text
from tests.unit.fakes import InMemoryStore, InMemoryTextLog

PHARMACY, LIBRARY = a_grant("PHARMACY"), a_grant("LIBRARY")


@pytest.fixture
def texts() -> InMemoryTextLog:
    return InMemoryTextLog(InMemoryStore(a_sender()))


async def test_a_program_finds_its_text_as_it_stands(texts: InMemoryTextLog) -> None:
    await texts.add(a_text(1, to=[a_number(1), a_number(2)], text="Hello."))
    found = await FindText(texts=texts)(PHARMACY, a_message_id(1))
    assert found.message.body.text == "Hello."
    assert list(found.numbers) == [a_number(1), a_number(2)]
    assert found.counts == {DeliveryState.QUEUED: 2}


async def test_a_text_that_never_was_is_not_found(texts: InMemoryTextLog) -> None:
    with pytest.raises(MessageNotFound):
        await FindText(texts=texts)(PHARMACY, a_message_id(1))


async def test_another_programs_text_is_as_little_found_as_one_that_never_was(texts: InMemoryTextLog) -> None:
    await texts.add(a_text(1, program_id="LIBRARY"))
    assert (await FindText(texts=texts)(LIBRARY, a_message_id(1))).message.program_id == "LIBRARY"
    with pytest.raises(MessageNotFound):
        await FindText(texts=texts)(PHARMACY, a_message_id(1))
    with pytest.raises(MessageNotFound):
        await ListDeliveries(texts=texts)(PHARMACY, a_message_id(1), after=0, limit=10)


async def test_texts_are_listed_newest_first_page_by_page(texts: InMemoryTextLog) -> None:
    for which in range(1, 6):
        await texts.add(a_text(which))
    list_texts = ListTexts(texts=texts)
    first = await list_texts(PHARMACY, before=None, limit=2)
    assert [each.message.id for each in first.items] == [a_message_id(5), a_message_id(4)]
    assert first.more
    second = await list_texts(PHARMACY, before=a_message_id(4), limit=3)
    assert [each.message.id for each in second.items] == [a_message_id(3), a_message_id(2), a_message_id(1)]
    assert not second.more


async def test_a_program_lists_its_own_texts_alone(texts: InMemoryTextLog) -> None:
    await texts.add(a_text(1))
    await texts.add(a_text(2, program_id="LIBRARY"))
    page = await ListTexts(texts=texts)(PHARMACY, before=None, limit=10)
    assert [each.message.id for each in page.items] == [a_message_id(1)]


async def test_a_program_without_texts_has_an_empty_list(texts: InMemoryTextLog) -> None:
    page = await ListTexts(texts=texts)(PHARMACY, before=None, limit=10)
    assert (list(page.items), page.more) == ([], False)


async def test_deliveries_are_listed_in_the_order_of_the_request_page_by_page(texts: InMemoryTextLog) -> None:
    await texts.add(a_text(1, to=[a_number(which) for which in (7, 3, 9)]))
    list_deliveries = ListDeliveries(texts=texts)
    first = await list_deliveries(PHARMACY, a_message_id(1), after=0, limit=2)
    assert [delivery.number for delivery in first.items] == [a_number(7), a_number(3)]
    assert first.more
    second = await list_deliveries(PHARMACY, a_message_id(1), after=2, limit=2)
    assert [delivery.number for delivery in second.items] == [a_number(9)]
    assert not second.more


async def test_the_deliveries_of_a_text_that_never_was_are_not_found(texts: InMemoryTextLog) -> None:
    with pytest.raises(MessageNotFound):
        await ListDeliveries(texts=texts)(PHARMACY, a_message_id(1), after=0, limit=10)


async def test_a_page_after_the_last_delivery_is_empty_and_no_error(texts: InMemoryTextLog) -> None:
    await texts.add(a_text(1))
    page = await ListDeliveries(texts=texts)(PHARMACY, a_message_id(1), after=1, limit=10)
    assert (list(page.items), page.more) == ([], False)
