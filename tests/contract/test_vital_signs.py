"""How the hub is, as far as that is quickly read."""

from sqlalchemy import update

from adapters.sql.tables import limits
from domain.model.limit import DailyCap, Limit
from domain.model.pace import SECOND_US, Pace
from domain.model.terms import USUAL_TERMS, Terms
from tests.builders import NOW_US, Store, a_text, numbers

DAY_US = 86_400 * SECOND_US


async def test_nothing_is_told_of_a_new_hub(store: Store) -> None:
    vitals = await store.vital_signs.now(now_us=NOW_US)

    assert (vitals.dispatchers, vitals.sending, vitals.unknown, vitals.oldest_unknown_us) == (0, 0, 0, 0)
    assert vitals.caps_used == {}


async def test_dispatchers_count_that_were_heard_of_within_three_seconds(store: Store) -> None:
    first = await store.join()
    await store.join()
    await store.dispatchers.beat(first, now_us=NOW_US + SECOND_US, heard_since_us=NOW_US)

    assert (await store.vital_signs.now(now_us=NOW_US + 3 * SECOND_US)).dispatchers == 2
    assert (await store.vital_signs.now(now_us=NOW_US + 4 * SECOND_US)).dispatchers == 1
    await store.dispatchers.leave(first)
    assert (await store.vital_signs.now(now_us=NOW_US + 4 * SECOND_US)).dispatchers == 0


async def test_what_is_unknown_is_as_old_as_its_attempt_however_often_it_was_asked_about(store: Store) -> None:
    program = await store.add_program(pace="50/s")
    await store.add_text(program, *numbers(3))
    first, second, _ = await store.claim(await store.join())
    lost = first.delivery.lost_sight_of("no-answer", now_us=NOW_US, ask_after_us=0)
    await store.queue.record([lost])
    await store.queue.record([lost.not_found(now_us=NOW_US + 60 * SECOND_US, ask_after_us=SECOND_US)])
    await store.queue.record([second.delivery.lost_sight_of("no-answer", now_us=NOW_US, ask_after_us=None)])

    vitals = await store.vital_signs.now(now_us=NOW_US + 90 * SECOND_US)

    assert (vitals.sending, vitals.unknown) == (1, 2)
    assert vitals.oldest_unknown_us == NOW_US + 90 * SECOND_US - first.slot.at_us


async def test_caps_are_told_by_what_is_used_of_them_today(store: Store) -> None:
    program = await store.add_program(pace="50/s")
    await store.limits.put(Limit(name="carrier", daily=DailyCap(4, "UTC")))
    await store.limits.put(Limit(name="unused", daily=DailyCap(4, "UTC")))
    await store.limits.put(Limit(name="pace alone", pace=Pace.parse("100/s")))
    await store.limits.attach_sender(program.sender.id, "carrier")
    await store.add_text(program, *numbers(3))
    await store.claim(await store.join())

    assert (await store.vital_signs.now(now_us=NOW_US)).caps_used == {"carrier": 0.75, "unused": 0}
    assert (await store.vital_signs.now(now_us=NOW_US + DAY_US)).caps_used == {"carrier": 0, "unused": 0}


async def test_no_more_than_the_whole_of_a_cap_is_used_where_it_was_made_smaller(store: Store) -> None:
    await store.limits.put(Limit(name="carrier", daily=DailyCap(4, "UTC")))
    async with store.database.writing() as connection:
        await connection.execute(update(limits).values(used=9, day=DailyCap(4, "UTC").day_of(NOW_US)))

    assert (await store.vital_signs.now(now_us=NOW_US)).caps_used == {"carrier": 1}


async def test_a_hundred_caps_are_told_those_that_are_used_most(store: Store) -> None:
    for index in range(103):
        await store.limits.put(Limit(name=f"limit {index}", daily=DailyCap(10, "UTC")))
    async with store.database.writing() as connection:
        full = update(limits).where(limits.c.name == "limit 102")
        await connection.execute(full.values(used=10, day=DailyCap(10, "UTC").day_of(NOW_US)))

    caps = (await store.vital_signs.now(now_us=NOW_US)).caps_used

    assert len(caps) == 100
    assert caps["limit 102"] == 1


async def test_budgets_are_told_by_what_is_used_of_the_day_or_the_month(store: Store) -> None:
    program, other = await store.add_program("city-hall"), await store.add_program("library")
    terms = Terms(daily_segments=10, monthly_segments=100)
    for each in (program, other):
        await store.set_terms(each.id, terms)
    for to, segments in ((program, 5), (other, 2)):
        await store.intake.add(a_text(to, *numbers(segments), budgets=terms.budgets_at(NOW_US)))

    assert (await store.vital_signs.now(now_us=NOW_US)).budgets_used == {"city-hall": 0.5, "library": 0.2}
    # Of the month that has not ended.
    assert (await store.vital_signs.now(now_us=NOW_US + DAY_US)).budgets_used == {"city-hall": 0.05, "library": 0.02}
    await store.set_terms(program.id, Terms(daily_segments=1))
    await store.set_terms(other.id, USUAL_TERMS)
    assert (await store.vital_signs.now(now_us=NOW_US)).budgets_used == {"city-hall": 1}
