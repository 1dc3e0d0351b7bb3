"""What operators type when somebody asks what is kept of them, or wants it erased."""

import json

import pytest

from tests.e2e.running import SENDER, SIGNING_KEYS, smshub

NUMBER = "+19706904544"


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    """Of a hub that has a text to the number in its queue."""
    environment = {"SMSHUB_DATABASE_URL": database_url, "SMSHUB_SIGNING_KEYS": SIGNING_KEYS}
    created = smshub(
        *("programs", "create", "--name", "City Hall", "--provider", "sandbox", "--sender", SENDER, "--output", "json"),
        environment=environment,
    )
    program = json.loads(created.stdout)["ProgramId"]
    sent = smshub("send", "--program", program, "--to", NUMBER, "--message", "Hello", environment=environment)
    assert sent.exit_code == 0, sent.output
    return environment


def test_a_number_is_found_and_erased(environment: dict[str, str]) -> None:
    found = smshub("subjects", "search", NUMBER, "--output", "json", environment=environment)
    told = smshub("subjects", "search", NUMBER, environment=environment)
    erased = smshub("subjects", "erase", NUMBER, "--yes", "--output", "json", environment=environment)
    again = smshub("subjects", "erase", "970 690 4544", "--yes", environment=environment)
    audit = smshub("audit", environment=environment)

    text, contact = json.loads(found.stdout)
    assert (text["Kind"], text["Details"]["Message"], contact["Kind"]) == ("text", "Hello", "first-contact")
    assert "Message: 'Hello'" in told.stdout
    assert json.loads(erased.stdout)["Erased"]["Canceled"] == 1
    assert again.stdout.startswith("Canceled: 1, Texts: 1")
    assert "subject.erasing" in audit.stdout
    assert NUMBER[1:] not in audit.stdout


def test_nothing_is_erased_unless_it_is_meant(environment: dict[str, str]) -> None:
    refused = smshub("subjects", "erase", NUMBER, environment=environment, stdin="n\n")
    wrong = smshub("subjects", "erase", "nobody", "--yes", environment=environment)
    found = smshub("subjects", "search", NUMBER, "--output", "json", environment=environment)

    assert (refused.exit_code, wrong.exit_code) == (1, 1)
    assert "letters" in wrong.stderr
    assert json.loads(found.stdout)[0]["Details"]["Message"] == "Hello"
