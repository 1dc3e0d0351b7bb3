import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import select

from adapters.sql.database import DatabaseFault
from adapters.sql.tables import opt_outs
from domain.model.consent import Method, OptOut, Scope
from domain.model.sender import SenderAddress
from tests.builders import NOW_US, Store, a_number, an_opt_in, an_opt_out, numbers

OTHER_SENDER = SenderAddress("+19705550199")


async def test_nobody_has_opted_out_at_first(store: Store) -> None:
    program = await store.add_program()

    assert await store.opt_outs.among(program.id, numbers(3), sender_id=1) == frozenset()
    assert await store.opt_outs.among(program.id, [], sender_id=1) == frozenset()


async def test_those_who_opted_out_are_found_among_others(store: Store) -> None:
    program = await store.add_program()
    for index in (1, 3, 7):
        await store.opt_outs.record([an_opt_out(program.id, a_number(index))])

    assert await store.opt_outs.among(program.id, numbers(5), sender_id=1) == {a_number(1), a_number(3)}


async def test_an_opt_out_is_one_programs_alone(store: Store) -> None:
    mine, others = await store.add_program("city-hall"), await store.add_program("library")

    await store.opt_outs.record([an_opt_out(mine.id, a_number())])

    assert await store.opt_outs.among(mine.id, [a_number()], sender_id=1) == {a_number()}
    assert await store.opt_outs.among(others.id, [a_number()], sender_id=1) == frozenset()


async def test_an_opt_out_can_be_lifted(store: Store) -> None:
    program = await store.add_program()
    await store.opt_outs.record([an_opt_out(program.id, a_number(1))])
    await store.opt_outs.record([an_opt_out(program.id, a_number(2))])

    await store.opt_outs.record([an_opt_in(program.id, a_number(1))])

    assert await store.opt_outs.among(program.id, numbers(3), sender_id=1) == {a_number(2)}


async def test_an_opt_out_set_twice_keeps_its_first_date(store: Store) -> None:
    program = await store.add_program()

    await store.opt_outs.record([an_opt_out(program.id, a_number())])
    await store.opt_outs.record([an_opt_out(program.id, a_number(), at_us=NOW_US + 1)])

    async with store.database.reading() as connection:
        assert (await connection.execute(select(opt_outs.c.since_us))).scalars().all() == [NOW_US]


async def test_lifting_what_was_never_set_changes_nothing(store: Store) -> None:
    program = await store.add_program()

    await store.opt_outs.record([an_opt_in(program.id, a_number())])

    assert await store.opt_outs.among(program.id, [a_number()], sender_id=1) == frozenset()


async def test_many_who_set_the_same_at_once_agree(store: Store) -> None:
    program = await store.add_program()

    await asyncio.gather(*(store.opt_outs.record([an_opt_out(program.id, a_number())]) for _ in range(8)))

    assert await store.opt_outs.among(program.id, [a_number()], sender_id=1) == {a_number()}


async def test_as_many_numbers_as_a_request_may_have_are_looked_up(store: Store) -> None:
    program = await store.add_program()
    for index in (0, 4_999, 5_000, 9_999):
        await store.opt_outs.record([an_opt_out(program.id, a_number(index))])

    found = await store.opt_outs.among(program.id, numbers(10_000), sender_id=1)

    assert found == {a_number(0), a_number(4_999), a_number(5_000), a_number(9_999)}


async def test_an_opt_out_of_a_sender_binds_all_who_send_from_it_and_there_alone(store: Store) -> None:
    mine, others = await store.add_program("city-hall"), await store.add_program("library")
    elsewhere = await store.add_program("museum", sender=OTHER_SENDER)
    sender_id = mine.sender.id
    assert others.sender.id == sender_id

    await store.opt_outs.record([an_opt_out(None, a_number(), sender_id=sender_id)])

    for program, bound in ((mine, True), (others, True), (elsewhere, False)):
        among = await store.opt_outs.among(program.id, numbers(2), sender_id=program.sender.id)
        assert among == ({a_number()} if bound else frozenset())


async def test_an_opt_out_of_all_binds_everybody(store: Store) -> None:
    mine = await store.add_program("city-hall")
    elsewhere = await store.add_program("museum", sender=OTHER_SENDER)

    await store.opt_outs.record([an_opt_out(None, a_number())])

    for program in (mine, elsewhere):
        assert await store.opt_outs.among(program.id, numbers(2), sender_id=program.sender.id) == {a_number()}


async def test_an_opt_in_lifts_the_opt_out_of_its_own_scope_alone(store: Store) -> None:
    program = await store.add_program()
    sender_id = program.sender.id
    scopes: list[tuple[str | None, int | None]] = [(program.id, None), (None, sender_id), (None, None)]
    await store.opt_outs.record([an_opt_out(one, a_number(), sender_id=other) for one, other in scopes])

    for left, (one, other) in zip(("sender", "global", None), scopes, strict=True):
        await store.opt_outs.record([an_opt_in(one, a_number(), sender_id=other)])
        page = await store.opt_outs.page(program.id, after=None, limit=10)
        assert (left is None) is (not page.items)
        assert left is None or left in {each.scope.value for each in page.items}


async def test_opt_outs_are_listed_with_their_first_proof(store: Store) -> None:
    program = await store.add_program()
    await store.opt_outs.record(
        [
            an_opt_out(program.id, a_number(1), at_us=NOW_US, method=Method.TEXT, wording="Stop!"),
            an_opt_out(program.id, a_number(1), at_us=NOW_US + 1, method=Method.PAGE),
            an_opt_out(program.id, a_number(2), method=Method.IMPORT),
            an_opt_in(program.id, a_number(2)),
        ]
    )

    (found,) = (await store.opt_outs.page(program.id, after=None, limit=10)).items

    assert found == OptOut(
        number=a_number(1), scope=Scope.PROGRAM, since_us=NOW_US, method=Method.TEXT, wording="Stop!"
    )


async def test_opt_outs_are_paged_by_number_and_scope(store: Store) -> None:
    program, other = await store.add_program("city-hall"), await store.add_program("museum", sender=OTHER_SENDER)
    sender_id = program.sender.id
    events = [an_opt_out(program.id, number) for number in numbers(5)]
    events += [an_opt_out(None, a_number(2), sender_id=sender_id), an_opt_out(None, a_number(2))]
    events += [an_opt_out(other.id, a_number(0)), an_opt_out(None, a_number(1), sender_id=other.sender.id)]
    await store.opt_outs.record(events)

    pages: list[list[tuple[str, str]]] = []
    after = None
    while True:
        page = await store.opt_outs.page(program.id, after=after, limit=3)
        pages.append([(each.number.e164, each.scope.value) for each in page.items])
        after = page.end
        if after is None:
            break

    first, second, third, fourth, fifth = (each.e164 for each in numbers(5))
    assert pages == [
        [(first, "program"), (second, "program"), (third, "program")],
        [(third, "global"), (third, "sender"), (fourth, "program")],
        [(fifth, "program")],
    ]
    of_one = await store.opt_outs.page(program.id, number=a_number(2), after=None, limit=10)
    assert [each.scope.value for each in of_one.items] == ["program", "global", "sender"]


async def test_everything_that_was_said_about_a_number_is_kept_in_order(store: Store) -> None:
    program, other = await store.add_program("city-hall"), await store.add_program("museum", sender=OTHER_SENDER)
    said = [
        an_opt_out(program.id, a_number(), at_us=NOW_US, method=Method.TEXT, wording="STOP"),
        an_opt_in(program.id, a_number(), at_us=NOW_US + 1),
        an_opt_out(None, a_number(), at_us=NOW_US + 2, sender_id=program.sender.id, method=Method.PROVIDER),
        an_opt_out(other.id, a_number(), at_us=NOW_US + 3),
        an_opt_out(None, a_number(), at_us=NOW_US + 4),
    ]
    await store.opt_outs.record([*said, an_opt_out(program.id, a_number(1))])

    everything = (await store.opt_outs.events(a_number(), limit=100)).items
    of_one = (await store.opt_outs.events(a_number(), program_id=program.id, limit=100)).items

    assert [replace(each, id=0) for each in everything] == said
    assert [each.id for each in everything] == sorted({each.id for each in everything})
    assert [replace(each, id=0) for each in of_one] == [said[0], said[1], said[2], said[4]]


async def test_events_are_recorded_all_or_none(store: Store) -> None:
    with pytest.raises(DatabaseFault, match="IntegrityError"):
        await store.opt_outs.record([an_opt_out(None, a_number()), an_opt_out("nobody", a_number())])

    assert (await store.opt_outs.events(a_number(), limit=100)).items == []
