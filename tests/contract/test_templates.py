"""Programs' templates, by both databases."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import insert, update

from adapters.sql import tables
from domain.errors import TemplateExists, TemplateNotFound, TooManyTemplates, TooManyTemplateVersions
from domain.model.template import MOST_TEMPLATES, MOST_VERSIONS, TemplateName, TemplateText, TemplateVersion
from tests.builders import NOW_US, Store, a_text

NAME = TemplateName("Greeting")
SHOUTED = TemplateName("GREETING")


async def add(store: Store, text: str = "Hello {{Name}}", *, name: TemplateName = NAME) -> TemplateVersion:
    return await store.templates.add("city-hall", name, TemplateText(text), now_us=NOW_US)


async def change(store: Store, text: str, *, name: TemplateName = NAME) -> TemplateVersion:
    return await store.templates.change("city-hall", name, TemplateText(text), now_us=NOW_US + 1)


async def retire(store: Store) -> None:
    await store.templates.retire("city-hall", NAME, now_us=NOW_US)


async def test_each_change_makes_the_next_version_and_leaves_those_before_it(store: Store) -> None:
    await store.add_program()
    first = await add(store)
    second = await change(store, "Dear {{Name}}", name=SHOUTED)

    assert first == TemplateVersion(name="Greeting", number=1, text=TemplateText("Hello {{Name}}"), created_us=NOW_US)
    assert (second.name, second.number, second.created_us) == ("Greeting", 2, NOW_US + 1)
    assert await store.templates.versions("city-hall", SHOUTED) == [second, first]
    assert await store.templates.all("city-hall") == [second]
    for version, found in ((None, second), (2, second), (1, first), (3, None)):
        assert await store.templates.find("city-hall", SHOUTED, version) == found


async def test_the_text_that_it_has_makes_no_version(store: Store) -> None:
    await store.add_program()
    first = await add(store)
    second = await change(store, "Dear {{Name}}")

    assert await change(store, "Dear {{Name}}") == second
    assert (await change(store, "Hello {{Name}}")).number == 3
    assert await store.templates.find("city-hall", NAME, 1) == first


async def test_a_name_is_taken_once_in_a_program_in_any_letter_case(store: Store) -> None:
    await store.add_program()
    await store.add_program("library")
    await add(store)

    with pytest.raises(TemplateExists):
        await add(store, name=SHOUTED)
    others = await store.templates.add("library", NAME, TemplateText("Hi"), now_us=NOW_US)

    assert await store.templates.all("library") == [others]
    assert [each.text.text for each in await store.templates.all("city-hall")] == ["Hello {{Name}}"]


async def test_templates_are_listed_by_their_names(store: Store) -> None:
    await store.add_program()
    for name in ("b", "C", "a"):
        await add(store, name=TemplateName(name))

    assert [each.name for each in await store.templates.all("city-hall")] == ["a", "b", "C"]


async def test_one_that_is_retired_is_not_found_and_goes_on_from_its_last_version(store: Store) -> None:
    await store.add_program()
    await add(store)
    await change(store, "Dear {{Name}}")
    await retire(store)

    assert await store.templates.all("city-hall") == []
    assert await store.templates.versions("city-hall", NAME) == []
    for version in (None, 1, 2):
        assert await store.templates.find("city-hall", NAME, version) is None
    with pytest.raises(TemplateNotFound):
        await change(store, "Hi")
    with pytest.raises(TemplateNotFound):
        await retire(store)

    anew = await add(store, "Hi", name=SHOUTED)

    assert (anew.name, anew.number) == ("GREETING", 3)
    assert [each.number for each in await store.templates.versions("city-hall", NAME)] == [3, 2, 1]


async def test_a_program_has_no_more_than_so_many_but_for_those_that_are_retired(store: Store) -> None:
    await store.add_program()
    others = [f"t{index}" for index in range(MOST_TEMPLATES - 1)]
    async with store.database.writing() as connection:
        rows = [{"program_id": "city-hall", "folded_name": name, "name": name, "versions": 1} for name in others]
        await connection.execute(insert(tables.templates), rows)
    await add(store)

    with pytest.raises(TooManyTemplates):
        await add(store, name=TemplateName("another"))
    await retire(store)

    assert (await add(store, name=TemplateName("another"))).number == 1
    with pytest.raises(TooManyTemplates):
        await add(store)


async def test_a_template_has_no_more_than_so_many_versions(store: Store) -> None:
    await store.add_program()
    await add(store)
    async with store.database.writing() as connection:
        its = {"program_id": "city-hall", "folded_name": "greeting", "body": "Hi", "created_us": NOW_US}
        rows = [{**its, "number": number} for number in range(2, MOST_VERSIONS + 1)]
        await connection.execute(insert(tables.template_versions), rows)
        await connection.execute(update(tables.templates).values(versions=MOST_VERSIONS))

    with pytest.raises(TooManyTemplateVersions):
        await change(store, "Dear {{Name}}")
    await retire(store)
    with pytest.raises(TooManyTemplateVersions):
        await add(store)

    assert await store.templates.all("city-hall") == [], "what is refused leaves it retired"


async def test_of_changes_that_come_together_none_is_lost(store: Store) -> None:
    await store.add_program()
    added = await asyncio.gather(*(add(store, f"{index}") for index in range(5)), return_exceptions=True)
    changed = await asyncio.gather(*(change(store, f"text {index}") for index in range(8)))

    assert [isinstance(each, TemplateExists) for each in added].count(True) == 4
    assert sorted(each.number for each in changed) == list(range(2, 10))
    assert len(await store.templates.versions("city-hall", NAME)) == 9


async def test_a_message_keeps_where_it_comes_from(store: Store) -> None:
    program = await store.add_program()
    plain, made = a_text(program), a_text(program)
    made = replace(made, message=replace(made.message, template="Greeting", template_version=2))
    await add(store)
    await asyncio.gather(store.intake.add(plain), store.intake.add(made))
    await retire(store)

    found = [await store.texts.find(program.id, each.message.id) for each in (plain, made)]

    assert [each and (each.message.template, each.message.template_version) for each in found] == [
        (None, None),
        ("Greeting", 2),
    ]
