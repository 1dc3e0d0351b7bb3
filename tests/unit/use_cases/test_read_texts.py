"""What a program sees of its texts, and of others'."""

import pytest

from domain.errors import MessageNotFound, NumberRefused, TokenRefused
from domain.model.delivery import DeliveryState
from domain.model.phone_number import PhoneNumber
from domain.model.program import Program
from domain.use_cases.read_texts import FindText, ListDeliveries, ListTexts
from tests.unit.builders import NOON, a_grant, a_message_id, a_number, a_program, a_sender, a_text
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


def a_list(texts: InMemoryTextLog, program: Program | None = None) -> ListTexts:
    return ListTexts(texts=texts, programs=InMemoryPrograms(program or a_program()), default_region="US")


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
    assert [each.delivery.number for each in first.items] == [a_number(7), a_number(3)]
    assert first.end == 2
    second = await list_deliveries(PHARMACY, a_message_id(1), after=2, limit=2)
    assert [each.delivery.number for each in second.items] == [a_number(9)]
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


async def found(list_texts: ListTexts, **wanted: object) -> list[int]:
    """Which texts the program finds that way."""
    page = await list_texts(PHARMACY, before=None, limit=10, **wanted)  # type: ignore[arg-type]
    return [each.message.id.int for each in page.items]


@pytest.mark.parametrize("written", ["970-690-0002", " (970) 690-0002\n", "+19706900002"])
async def test_texts_are_found_by_a_number_in_any_writing(
    texts: InMemoryTextLog, intake: InMemoryIntake, written: str
) -> None:
    await intake.add(a_text(1, to=[a_number(1)]))
    await intake.add(a_text(2, to=[a_number(1), a_number(2)]))
    assert await found(a_list(texts), number=written) == [2]


@pytest.mark.parametrize(("sender", "e164"), [("+493012345678", "+4915123456789"), ("+33123456789", "+33612345678")])
async def test_a_number_is_one_of_the_country_of_the_programs_sender(
    texts: InMemoryTextLog, intake: InMemoryIntake, sender: str, e164: str
) -> None:
    await intake.add(a_text(1, to=[PhoneNumber(e164)]))
    program = a_program(sender=a_sender(address=sender))
    assert await found(a_list(texts, program), number="0" + e164[3:]) == [1]


async def test_a_number_is_one_of_the_hubs_country_where_the_sender_has_none(
    texts: InMemoryTextLog, intake: InMemoryIntake
) -> None:
    await intake.add(a_text(1, to=[a_number(1)]))
    assert await found(a_list(texts, a_program(sender=a_sender(address="72975"))), number="970-690-0001") == [1]


@pytest.mark.parametrize("written", ["", "12345", "Mary"])
async def test_what_is_no_number_finds_nothing_and_is_refused(texts: InMemoryTextLog, written: str) -> None:
    with pytest.raises(NumberRefused):
        await found(a_list(texts), number=written)


async def test_a_program_that_is_gone_cannot_ask_by_number(texts: InMemoryTextLog) -> None:
    with pytest.raises(TokenRefused):
        await found(a_list(texts, a_program("LIBRARY")), number="970-690-0001")


async def test_all_that_is_wanted_must_apply(texts: InMemoryTextLog, intake: InMemoryIntake) -> None:
    for which in range(1, 5):
        await intake.add(a_text(which, created_us=NOON + which))
    await intake.add(a_text(5, state=DeliveryState.BLOCKED, created_us=NOON + 3))
    list_texts = a_list(texts)
    assert await found(list_texts, state=DeliveryState.BLOCKED) == [5]
    assert await found(list_texts, from_us=NOON + 3) == [5, 4, 3]
    assert await found(list_texts, before_us=NOON + 3) == [2, 1]
    assert await found(list_texts, from_us=NOON + 2, before_us=NOON + 4, state=DeliveryState.QUEUED) == [3, 2]


async def test_deliveries_are_found_by_their_state(texts: InMemoryTextLog, store: InMemoryStore) -> None:
    store.opted_out.add(("PHARMACY", a_number(2)))
    await InMemoryIntake(store).add(a_text(1, to=[a_number(which) for which in (1, 2, 3)]))
    page = await ListDeliveries(texts=texts)(PHARMACY, a_message_id(1), state=DeliveryState.BLOCKED, after=0, limit=10)
    assert [each.delivery.number for each in page.items] == [a_number(2)]
