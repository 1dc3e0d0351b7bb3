"""What groups of staff may do, as each database keeps it."""

import asyncio
from dataclasses import replace

import pytest

from domain.errors import ProgramNotFound, StaffRoleNotFound
from domain.model.staff import Role, StaffRole
from tests.builders import NOW_US, Store, a_text

OPERATORS = StaffRole(group="operators", role=Role.OPERATOR)
READERS = StaffRole(group="Housing / staff", role=Role.READER, program_id="city-hall")


async def test_they_are_listed_by_group_with_those_of_operators_first(store: Store) -> None:
    await store.add_program()
    await store.add_program("library")
    given = [
        await store.staff_roles.put(each)
        for each in (
            replace(OPERATORS, group="b"),
            replace(READERS, group="b", program_id="library"),
            replace(READERS, group="b"),
            replace(READERS, group="a"),
        )
    ]

    assert await store.staff_roles.all() == [given[3], given[0], given[2], given[1]]
    assert len({each.id for each in given}) == 4


async def test_a_group_has_one_role_in_a_program_and_the_last_one_holds(store: Store) -> None:
    await store.add_program()
    first = await store.staff_roles.put(READERS)
    second = await store.staff_roles.put(replace(READERS, role=Role.SENDER, program_id="CITY-Hall"))

    assert second == replace(first, role=Role.SENDER)
    assert await store.staff_roles.all() == [second]


async def test_groups_are_told_apart_to_the_letter(store: Store) -> None:
    for group in ("staff", "Staff", "staff ß", "staff ss"):
        await store.staff_roles.put(replace(OPERATORS, group=group))

    assert sorted(each.group for each in await store.staff_roles.all()) == ["Staff", "staff", "staff ss", "staff ß"]


async def test_one_that_is_removed_is_told_as_it_was_and_is_gone(store: Store) -> None:
    given = await store.staff_roles.put(OPERATORS)

    assert await store.staff_roles.remove(given.id) == given
    assert await store.staff_roles.all() == []
    with pytest.raises(StaffRoleNotFound):
        await store.staff_roles.remove(given.id)


async def test_there_is_none_in_a_program_that_nobody_finds(store: Store) -> None:
    with pytest.raises(ProgramNotFound):
        await store.staff_roles.put(READERS)
    await store.add_program()
    await store.staff_roles.put(READERS)
    await store.deletions.begin("city-hall", now_us=NOW_US)

    assert await store.staff_roles.all() == []
    with pytest.raises(ProgramNotFound):
        await store.staff_roles.put(READERS)


async def test_of_many_that_come_together_one_is_stored(store: Store) -> None:
    await store.add_program()
    given = await asyncio.gather(*(store.staff_roles.put(each) for each in (OPERATORS, READERS) for _ in range(6)))

    assert len({each.id for each in given}) == 2
    assert len(await store.staff_roles.all()) == 2


async def test_a_message_keeps_who_sent_it(store: Store) -> None:
    program = await store.add_program()
    texts = [a_text(program), a_text(program)]
    texts[1] = replace(texts[1], message=replace(texts[1].message, sent_by="ada (1001)"))
    await asyncio.gather(*(store.intake.add(each) for each in texts))

    found = [await store.texts.find(program.id, each.message.id) for each in texts]
    assert [each and each.message.sent_by for each in found] == [None, "ada (1001)"]
