"""What operators type about templates."""

import json
from typing import Any

import pytest

from tests.e2e.running import SENDER, SIGNING_KEYS, smshub

CREATE = ("programs", "create", "--name", "City Hall", "--provider", "sandbox", "--sender", SENDER, "--output", "json")
TEXT = "Hello {{Name}}, see you on {{Day}}."


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    return {"SMSHUB_DATABASE_URL": database_url, "SMSHUB_SIGNING_KEYS": SIGNING_KEYS}


@pytest.fixture
def program_id(environment: dict[str, str]) -> str:
    created: dict[str, str] = json.loads(smshub(*CREATE, environment=environment).stdout)
    return created["ProgramId"]


def typed(environment: dict[str, str], *arguments: str) -> str:
    result = smshub(*arguments, environment=environment)
    assert result.exit_code == 0, result.output
    return result.stdout


def as_json(environment: dict[str, str], *arguments: str) -> Any:  # noqa: ANN401
    return json.loads(typed(environment, *arguments, "--output", "json"))


def test_one_is_set_shown_previewed_sent_and_retired(environment: dict[str, str], program_id: str) -> None:
    its = ("--program", program_id)
    values = ("--value", "name=Ada", "--value", "Day=7=seven")

    made = typed(environment, "templates", "set", "greeting", *its, "--message", TEXT)
    changed = typed(environment, "templates", "set", "Greeting", *its, "--message", "Dear {{Name}}: {{Day}}")
    listed = typed(environment, "templates", "list", *its)
    shown = typed(environment, "templates", "show", "greeting", *its, "--version", "1")
    preview = typed(environment, "templates", "preview", "greeting", *its, *values)
    sent = as_json(environment, "send", *its, "--to", "+19706904544", "--template", "greeting", *values)
    first = ("--template-version", "1", "--to", "+19706904544")
    old = as_json(environment, "send", *its, "--template", "greeting", *first, *values)
    retired = typed(environment, "templates", "retire", "greeting", *its)

    assert (made, changed) == ("greeting is at version 1.\n", "greeting is at version 2.\n")
    assert listed == "greeting  version 2  Name, Day\n"
    assert shown == f"{TEXT}\n"
    assert preview == "Dear Ada: 7=seven\n"
    assert (sent["Message"], sent["Template"], sent["TemplateVersion"]) == ("Dear Ada: 7=seven", "greeting", 2)
    assert (old["Message"], old["TemplateVersion"]) == ("Hello Ada, see you on 7=seven.", 1)
    assert retired == "greeting is sent no more.\n"
    assert as_json(environment, "templates", "list", *its) == []


def test_scripts_read_them_as_json(environment: dict[str, str], program_id: str) -> None:
    its = ("--program", program_id)
    made = as_json(environment, "templates", "set", "greeting", *its, "--message", TEXT)
    values = ("--value", "Name=Ada", "--value", "Day=M\N{LATIN SMALL LETTER E WITH CIRCUMFLEX}", "--to", "+19706904544")
    preview = as_json(environment, "templates", "preview", "greeting", *its, *values)

    assert (made["Name"], made["Version"], made["Placeholders"]) == ("greeting", 1, ["Name", "Day"])
    assert as_json(environment, "templates", "list", *its) == [made]
    assert as_json(environment, "templates", "show", "greeting", *its) == made
    assert (preview["Encoding"], preview["Audience"]["Recipients"]) == ("UCS-2", 1)


@pytest.mark.parametrize(
    ("arguments", "status", "error"),
    [
        (("templates", "show", "other"), 1, "There is no such template, or no such version of it."),
        (("templates", "retire", "other"), 1, "There is no such template, or no such version of it."),
        (("templates", "preview", "other"), 1, "There is no such template, or no such version of it."),
        (("templates", "preview", "greeting", "--value", "Nme=Ada"), 1, "A value for Name is missing. A value for Day"),
        (("templates", "preview", "greeting", "--value", "Name"), 2, "such as Name=Ada"),
        (("templates", "set", "a b", "--message", "Hello"), 1, "A template's name is 1 to 100 letters"),
        (("templates", "set", "greeting", "--message", "Hello {{ Name }}"), 1, "The braces at character 7"),
        (("send", "--to", "+19706904544"), 2, "Give either --message or --template."),
        (("send", "--to", "1", "--message", "Hi", "--template", "a"), 2, "Give either --message or --template."),
        (("send", "--to", "1", "--message", "Hi", "--value", "a=b"), 2, "--value go with --template."),
        (("send", "--to", "+19706904544", "--template", "other"), 1, "This program has no such template"),
    ],
)
def test_what_cannot_be_done_is_told(
    environment: dict[str, str], program_id: str, arguments: tuple[str, ...], status: int, error: str
) -> None:
    its = ("--program", program_id)
    typed(environment, "templates", "set", "greeting", *its, "--message", TEXT)

    result = smshub(*arguments, *its, environment=environment)

    assert result.exit_code == status, result.output
    assert error in result.stderr
    assert "Traceback" not in result.output
