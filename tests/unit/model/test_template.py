"""Texts with placeholders: how they are read, and what becomes of them with values."""

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidValue, PersonalisationRefused, TemplateRefused, TextRefused
from domain.model.template import Filling, TemplateName, TemplateText, TemplateVersion


def filled(text: str, **values: str) -> str:
    return TemplateText(text).filled(values).text


def refusal(text: str, values: Mapping[str, str]) -> PersonalisationRefused:
    with pytest.raises(PersonalisationRefused) as refused:
        TemplateText(text).filled(values)
    return refused.value


def escaped(text: str, *, before_placeholder: bool = False) -> str:
    """A template that says this, whatever is in it."""
    text = re.sub(r"(\\*)\{", lambda run: 2 * run[1] + r"\{", text)
    return re.sub(r"\\+$", lambda run: 2 * run[0], text) if before_placeholder else text


# Few characters, so that braces and backslashes meet often.
TEXTS = st.text(st.sampled_from("{}\\a_ "), max_size=30)
NAMES = st.from_regex(r"[A-Za-z0-9_]{1,8}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Hello {{Name}}.", "Hello Ada."),
        ("{{Name}}{{NAME}}, {{name}}", "AdaAda, Ada"),
        (r"\{{Name}} is {{Name}}", "{{Name}} is Ada"),
        (r"\\{{Name}}", "\\Ada"),
        (r"\\\{{Name}} {{Name}}", r"\{{Name}} Ada"),
        (r"\{{{Name}}}", "{Ada}"),
        (r"\{\{{{Name}}}}", "{{Ada}}"),
        (r"{Name} {{Name}} }} C:\new { \\", r"{Name} Ada }} C:\new { \\"),
    ],
)
def test_placeholders_are_filled_and_all_else_is_said_as_it_is(text: str, said: str) -> None:
    assert filled(text, Name="Ada") == said


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=6), TEXTS)
def test_a_text_that_is_escaped_is_said_as_it_was_whatever_is_in_it(pieces: list[tuple[str, str]], end: str) -> None:
    """Words and values, one after the other, come out as they went in."""
    values = {f"v{place}": value for place, (_, value) in enumerate(pieces)}
    template = "".join(
        f"{escaped(words, before_placeholder=True)}{{{{v{place}}}}}" for place, (words, _) in enumerate(pieces)
    )

    said = "x" + "".join(words + value for words, value in pieces) + end
    assert TemplateText(f"x{template}{escaped(end)}").filled(values).text == said


@given(st.text(st.sampled_from("{}\\aN"), min_size=1, max_size=30))
def test_whatever_is_read_is_read_in_one_way(text: str) -> None:
    """What a template says, escaped once more, is a template that says the same."""
    try:
        template = TemplateText(f"x{text}")
    except TemplateRefused:
        return
    said = template.filled(dict.fromkeys(template.placeholders, "{{a}}")).text

    assert filled(escaped(said)) == said


@given(st.dictionaries(NAMES.map(str.lower), st.text(st.sampled_from("{}\\Name"), max_size=30), min_size=1, max_size=5))
def test_what_is_in_a_value_stays_as_it_is(values: dict[str, str]) -> None:
    template = TemplateText("<" + "|".join(f"{{{{{name}}}}}" for name in values) + ">")

    assert template.filled({name.upper(): value for name, value in values.items()}).text == (
        "<" + "|".join(values.values()) + ">"
    )


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Hello {{ Name }}", 7),
        ("{{}}", 1),
        ("a {{Name", 3),
        ("{{First-Name}}", 1),
        ("{{{Name}}}", 1),
        ("{{Größe}}", 1),
        ("{{" + "a" * 51 + "}}", 1),
        (r"{{Name}} \\{{", 12),
    ],
)
def test_braces_that_begin_no_placeholder_are_refused_with_their_place(text: str, at: int) -> None:
    with pytest.raises(TemplateRefused) as refused:
        TemplateText(text)

    assert text[refused.value.at - 1 :].startswith("{{")
    assert (refused.value.at, f"character {at} " in str(refused.value)) == (at, True)


@pytest.mark.parametrize("text", ["", " \n", "a" * 1_601, "a\0b", "a\ud800"])
def test_what_no_message_can_say_no_template_can(text: str) -> None:
    with pytest.raises(TextRefused):
        TemplateText(text)


def test_a_template_has_no_more_placeholders_than_a_request_may_have_values() -> None:
    names = [f"a{index}" for index in range(101)]
    most = "".join(f"{{{{{name}}}}}" for name in names[:100])

    assert TemplateText(most + most).filled(dict.fromkeys(names[:100], "b")).text == "b" * 200
    with pytest.raises(InvalidValue):
        TemplateText(most + "{{a100}}")


def test_placeholders_are_told_once_in_their_order_as_they_are_first_written() -> None:
    assert TemplateText(r"{{Day}} {{Name}} {{DAY}} \{{None}}").placeholders == ["Day", "Name"]
    assert TemplateText("Hello").placeholders == []


@pytest.mark.parametrize(
    ("text", "segments"), [("{{Text}}", 0), ("{{Text}} ", 0), ("{{A}}" + "a" * 160, 1), ("a" * 161 + "{{A}}", 2)]
)
def test_what_the_template_takes_by_itself_counts_no_values(text: str, segments: int) -> None:
    assert TemplateText(text).own_segments == segments


def test_each_value_that_is_missing_not_asked_for_or_doubled_is_named() -> None:
    refused = refusal("{{Name}} {{Day}} {{Time}}", {"NAME": "Ada", "name": "Eve", "Date": "Monday", "Time": "9"})

    assert refused.faults == [
        ("Day", "A value for Day is missing."),
        ("Date", "The template has no Date."),
        ("Name", "Name stands twice."),
    ]
    assert str(refused) == "A value for Day is missing. The template has no Date. Name stands twice."


def test_what_stands_in_place_of_a_name_is_not_repeated() -> None:
    refused = refusal("Hello {{1}}", {"1": "Ada", "9706904544": "a", "+19706904544": "b", "x" * 31: "c", "2": "d"})

    assert (refused.unknown, refused.nameless) == (("2",), 3)
    assert "970690" not in str(refused)


@pytest.mark.parametrize("values", [{"Name": ""}, {"Name": " "}, {"Name": "a" * 1_601}, {"Name": "a\0"}])
def test_a_text_that_cannot_be_sent_is_put_down_to_the_values(values: Mapping[str, str]) -> None:
    with pytest.raises(TextRefused) as refused:
        TemplateText("{{Name}}").filled(values)

    assert refused.value.at == "Personalisation"


@pytest.mark.parametrize("name", ["", "a b", "ä", "a/b", "a\n", "a" * 101, "..", "{{a}}"])
def test_names_are_of_a_few_characters(name: str) -> None:
    with pytest.raises(InvalidValue):
        TemplateName(name)


def test_names_are_the_same_in_any_letter_case() -> None:
    assert TemplateName("Appointment_2-a").folded == TemplateName("APPOINTMENT_2-A").folded


def test_no_representation_shows_what_is_said() -> None:
    text = TemplateText("Your test {{Result}}.")
    version = TemplateVersion(name="result", number=1, text=text, created_us=0)
    filling = Filling(template=TemplateName("result"), values={"Result": "was positive"})

    assert "test" not in repr(text) + repr(version)
    assert "positive" not in repr(filling) + repr(text.filled(filling.values))


def test_the_same_is_asked_for_in_any_letter_case_and_order() -> None:
    one = Filling(template=TemplateName("result"), values={"A": "1", "b": "2"})
    same = Filling(template=TemplateName("RESULT"), values={"B": "2", "a": "1"})
    others = [
        Filling(template=TemplateName("results"), values=one.values),
        Filling(template=TemplateName("result"), version=1, values=one.values),
        Filling(template=TemplateName("result"), values={"A": "1", "b": "3"}),
        Filling(template=TemplateName("result")),
    ]

    assert one.asked() == same.asked()
    assert all(each.asked() != one.asked() for each in others)
