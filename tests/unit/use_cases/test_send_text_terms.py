"""What a program's terms make of its texts when they are accepted."""

from datetime import timedelta

from domain.errors import CountryNotAllowed, RecipientsRefused, TextRefused, TooManyRecipients, TooManySegments
from domain.model.budget import Velocity
from domain.model.terms import Terms
from domain.use_cases.send_text import SendTextCommand
from tests.unit.builders import a_grant, a_program, a_sender
from tests.unit.use_cases.sending import Hub

NOTICE = "Reply STOP to get no more."
HELLO = "Hello."


class TestNotice:
    async def test_the_first_text_to_a_number_has_it_and_the_next_has_not(self) -> None:
        hub = Hub(a_program(terms=Terms(notice=NOTICE)))

        first = await hub.text("970-690-4544", HELLO)
        await hub.text("970-690-4544,970-690-4545", HELLO)

        assert first.message.notice == NOTICE
        assert [each.has_notice for each in hub.store.deliveries()] == [True, False, True]

    async def test_without_one_nobody_gets_any(self) -> None:
        hub = Hub()

        summary = await hub.text(text=HELLO)

        assert summary.message.notice is None
        assert [each.has_notice for each in hub.store.deliveries()] == [False]

    async def test_it_counts_for_those_who_get_it(self) -> None:
        hub = Hub(a_program(terms=Terms(notice=NOTICE)))
        await hub.text("970-690-4544", HELLO)

        await hub.text("970-690-4544,970-690-4545", "a" * 150)

        assert [each.segments for each in hub.store.deliveries()] == [1, 1, 2]

    async def test_a_text_that_is_too_long_with_it_is_refused_whoever_gets_it(self) -> None:
        hub = Hub(a_program(terms=Terms(notice=NOTICE), segment_cap=1))

        assert isinstance(await hub.refused("970-690-4544", "a" * 150), TooManySegments)
        assert isinstance(await hub.refused("970-690-4544", "a" * 1_600), TextRefused)


async def test_a_window_goes_with_the_text_to_the_store() -> None:
    hub = Hub(a_program(terms=Terms(duplicate_window=timedelta(minutes=10))))

    await hub.text()

    assert [each.duplicate_window_us for each in hub.intake.added] == [600_000_000]


class TestCountries:
    ABROAD = "970-690-4544, +44 7400 123456, +1 613 555 0100"

    async def test_numbers_of_other_countries_are_refused_by_their_position(self) -> None:
        hub = Hub(a_program(terms=Terms(countries=frozenset({"US", "CA"}))))

        refused = await hub.refused(self.ABROAD)

        assert isinstance(refused, CountryNotAllowed)
        assert [position for position, _ in refused.refusals] == [2]

    async def test_the_programs_own_are_those_of_its_senders(self) -> None:
        senders = [a_sender(sender_id=2, address="+447400123456"), a_sender(sender_id=3, address="AC1")]
        hub = Hub(a_program(terms=Terms(countries=frozenset({"own"})), other_senders=senders))

        refused = await hub.refused(self.ABROAD)

        assert isinstance(refused, CountryNotAllowed)
        assert [position for position, _ in refused.refusals] == [3]

    async def test_with_other_faults_they_are_told_as_all_are(self) -> None:
        hub = Hub(a_program(terms=Terms(countries=frozenset({"US"}))))

        refused = await hub.refused(f"{self.ABROAD}, 555")

        assert type(refused) is RecipientsRefused
        assert [position for position, _ in refused.refusals] == [2, 3, 4]

    async def test_a_lenient_request_does_without_them(self) -> None:
        hub = Hub(a_program(terms=Terms(countries=frozenset({"US"}))))

        await hub.send(a_grant(), SendTextCommand(text=HELLO, recipients=self.ABROAD, lenient=True))

        assert hub.numbers() == ["+19706904544"]

    async def test_without_any_all_countries_are_texted(self) -> None:
        hub = Hub()

        await hub.text(self.ABROAD)

        assert len(hub.numbers()) == 3


async def test_a_request_has_no_more_numbers_than_agreed() -> None:
    hub = Hub(a_program(terms=Terms(recipients_per_request=2)))

    refused = await hub.refused("970-690-4544, 970-690-4545, 970-690-4546")

    assert isinstance(refused, TooManyRecipients)
    assert (refused.count, refused.limit) == (3, 2)


async def test_what_bounds_texts_goes_with_them_to_the_store() -> None:
    often = Velocity(5, timedelta(hours=1))
    terms = Terms(daily_segments=100, monthly_segments=1_000, budget_zone="America/Denver", per_recipient=often)
    hub = Hub(a_program(terms=terms))

    await hub.text()

    (added,) = hub.intake.added
    assert added.per_recipient == often
    assert [(each.period, each.segments) for each in added.budgets] == [("2026-03-20", 100), ("2026-03", 1_000)]
