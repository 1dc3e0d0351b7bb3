"""Commands about the organisation's accounts at the providers."""

import json
from typing import Any

import pytest
from click.testing import Result

from tests.contract.calling import closed_port
from tests.e2e.running import SENDER, SIGNING_KEYS, smshub

SID = "AC" + "0123456789abcdef" * 2
TOKEN = "a-token-that-nobody-is-to-see"
CREDENTIALS = {"account_sid": SID, "auth_token": TOKEN}
TWILIO = ("--provider", "twilio", "--account", SID)
SANDBOX = ("--provider", "sandbox", "--account", "sandbox")


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    """Of a hub with a program at Twilio and one in the sandbox, once on each kind of database."""
    environment = {
        "SMSHUB_DATABASE_URL": database_url,
        "SMSHUB_SIGNING_KEYS": SIGNING_KEYS,
        "SMSHUB_ENCRYPTION_KEYS": SIGNING_KEYS,
        "SMSHUB_TWILIO_API_BASE_URL": f"http://127.0.0.1:{closed_port()}",
    }
    create = ("programs", "create", "--name", "City Hall", "--sender", SENDER)
    given = ("--provider", "twilio", "--credentials-file", "-")
    printed(smshub(*create, *given, environment=environment, stdin=json.dumps(CREDENTIALS)))
    printed(smshub(*create, "--provider", "sandbox", environment=environment))
    return environment


def printed(result: Result, *, status: int = 0) -> str:
    assert result.exit_code == status, result.output
    assert TOKEN not in result.output
    return result.stdout


def read(environment: dict[str, str], *command: str, status: int = 0) -> Any:  # noqa: ANN401 - JSON
    return json.loads(printed(smshub(*command, "--output", "json", environment=environment), status=status))


def test_they_are_listed_with_their_senders(environment: dict[str, str]) -> None:
    listed = read(environment, "accounts", "list")
    lines = printed(smshub("accounts", "list", environment=environment)).splitlines()

    assert [(each["Provider"], each["Account"], each["HasCredentials"]) for each in listed] == [
        ("sandbox", "sandbox", False),
        ("twilio", SID, True),
    ]
    assert [[one["Sender"] for one in each["Senders"]] for each in listed] == [[SENDER], [SENDER]]
    assert lines == [
        f"sandbox  sandbox  no credentials: {SENDER}",
        f"twilio  {SID}  has credentials: {SENDER}",
    ]


def test_whether_they_are_good_is_told_by_the_exit_status_too(environment: dict[str, str]) -> None:
    sandbox = read(environment, "accounts", "check", *SANDBOX)
    away = read(environment, "accounts", "check", *TWILIO, status=2)
    told = printed(smshub("accounts", "check", *TWILIO, environment=environment), status=2)

    assert (sandbox["Result"], away["Result"], away["Reason"]) == ("good", "not-asked", "no-connection")
    assert told == "The provider could not be reached, or hung up.\n"


def test_their_credentials_are_replaced_by_others_of_the_same_account(environment: dict[str, str]) -> None:
    command = ("accounts", "set-credentials", *TWILIO, "--credentials-file", "-")

    newer = {**CREDENTIALS, "auth_token": "a-newer-token-of-it"}
    told = printed(smshub(*command, environment=environment, stdin=json.dumps(newer)))
    others = smshub(
        *command, environment=environment, stdin=json.dumps({**CREDENTIALS, "account_sid": f"AC{'0' * 32}"})
    )
    events = read(environment, "audit")

    assert told == f"twilio  {SID}  has credentials: {SENDER}\n"
    assert (others.exit_code, others.stderr) == (1, "Error: The credentials are another account's.\n")
    assert [each["Action"] for each in events].count("account.credentials-set") == 2
    assert events[0]["Subject"] == f"account twilio {SID}"


@pytest.mark.parametrize("command", [("check",), ("set-credentials", "--credentials-file", "-")])
def test_one_that_there_is_not_is_told(environment: dict[str, str], command: tuple[str, ...]) -> None:
    stranger = ("--provider", "vonage", "--account", "abcd1234")

    result = smshub("accounts", *command, *stranger, environment=environment, stdin="{}")

    assert result.exit_code == 1
    assert "There is no such provider account" in result.stderr
