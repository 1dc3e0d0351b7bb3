"""Texts that are made from templates are accepted as others are, and say where they come from."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from domain.errors import (
    IdempotencyKeyReused,
    PersonalisationRefused,
    TemplateNotFound,
    TextRefused,
    TooManySegments,
    UnknownTemplate,
)
from domain.model.message_body import MAX_SEGMENTS
from domain.model.template import Filling, TemplateName, TemplateText
from domain.use_cases.keep_templates import KeepTemplates
from domain.use_cases.send_text import SendTextCommand
from tests.unit.builders import NOON, a_grant, a_program
from tests.unit.fakes import FakeClock, InMemoryTemplates
from tests.unit.use_cases.sending import Hub

ADA = {"Name": "Ada"}


async def a_hub(text: str = "Hello {{Name}}", *, segment_cap: int = MAX_SEGMENTS) -> Hub:
    hub = Hub(a_program(segment_cap=segment_cap))
    await hub.templates.add("PHARMACY", TemplateName("Greeting"), TemplateText(text), now_us=NOON)
    return hub


async def change(hub: Hub, text: str) -> None:
    await hub.templates.change("PHARMACY", TemplateName("greeting"), TemplateText(text), now_us=NOON)


def made(name: str = "greeting", values: Mapping[str, str] = ADA, *, version: int | None = None) -> SendTextCommand:
    return SendTextCommand(
        text=Filling(template=TemplateName(name), version=version, values=values), recipients="970-690-4544"
    )


async def test_a_text_is_made_from_the_newest_version_or_from_the_one_that_is_named() -> None:
    hub = await a_hub()
    await change(hub, "Dear {{Name}}")

    newest = (await hub.send(a_grant(), made())).summary.message
    first = (await hub.send(a_grant(), made(version=1))).summary.message

    assert (newest.body.text, newest.template, newest.template_version) == ("Dear Ada", "Greeting", 2)
    assert (first.body.text, first.template, first.template_version) == ("Hello Ada", "Greeting", 1)


async def test_a_text_in_words_of_its_own_looks_for_no_template() -> None:
    hub = await a_hub()

    message = (await hub.text(text="Hello {{Name}}")).message

    assert (message.body.text, message.template, message.template_version) == ("Hello {{Name}}", None, None)
    assert hub.templates.sought == []


async def test_what_no_text_can_be_made_of_is_refused() -> None:
    hub = await a_hub("{{Name}}", segment_cap=1)

    assert isinstance(await hub.refusal_of(made("farewell")), UnknownTemplate)
    assert isinstance(await hub.refusal_of(made(version=2)), UnknownTemplate)
    assert isinstance(await hub.refusal_of(made(values={})), PersonalisationRefused)
    for value, kind in ((" ", TextRefused), ("a" * 161, TooManySegments)):
        refused = await hub.refusal_of(made(values={"Name": value}))
        assert isinstance(refused, kind)
        assert refused.at == "Personalisation"


async def test_a_key_stands_for_the_template_and_its_values() -> None:
    hub = await a_hub()
    first = await hub.send(a_grant(), made(), key="order-7")
    await change(hub, "Dear {{Name}}")

    again = await hub.send(a_grant(), made("GREETING", {"NAME": "Ada"}), key="order-7")
    await hub.templates.retire("PHARMACY", TemplateName("greeting"), now_us=NOON)
    retired = await hub.send(a_grant(), made(), key="order-7")

    assert again == retired == replace(first, replayed=True)
    for other in (made(values={"Name": "Eve"}), made(version=1), replace(made(), text="Hello Ada")):
        with pytest.raises(IdempotencyKeyReused):
            await hub.send(a_grant(), other, key="order-7")


async def test_what_is_retired_is_told_as_it_was_and_found_no_more() -> None:
    keep = KeepTemplates(templates=InMemoryTemplates(), clock=FakeClock(NOON))
    grant = a_grant()
    await keep.create(grant, "greeting", "Hello")
    newest = await keep.change(grant, "greeting", "Dear {{Name}}")

    assert newest.created_us == NOON
    assert await keep.find(grant, "GREETING") == newest
    assert (await keep.find(grant, "greeting", 1)).text.text == "Hello"
    with pytest.raises(TemplateNotFound):
        await keep.find(grant, "greeting", 3)
    assert await keep.retire(grant, "greeting") == newest
    with pytest.raises(TemplateNotFound):
        await keep.find(grant, "greeting")
