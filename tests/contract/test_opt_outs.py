import asyncio

from sqlalchemy import select

from adapters.sql.tables import opt_outs
from tests.builders import NOW_US, Store, a_number, an_opt_in, an_opt_out, numbers


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
