"""What a program's terms make of its texts when they are accepted."""

from datetime import timedelta

from domain.errors import TextRefused, TooManySegments
from domain.model.terms import Terms
from tests.unit.builders import a_program
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
