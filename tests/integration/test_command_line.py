"""What operators type."""

import json
import re
import socket
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import Result

from entrypoints.cli import main
from tests.e2e.running import SENDER, SIGNING_KEYS, SMSHUB, Site, smshub
from tests.patience import PATIENCE_S
from tests.ports import free_port

CREATE = ("programs", "create", "--name", "City Hall", "--sender", SENDER, "--provider", "sandbox")
OTHER_SENDER = "+19705550177"
FIRST_HUB = ("--program-id", "PHARM-1", "--program-sid", "pharmacy-sid")


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    """Of a hub with a migrated database, once of each kind."""
    return {"SMSHUB_DATABASE_URL": database_url, "SMSHUB_SIGNING_KEYS": SIGNING_KEYS}


@pytest.fixture
def on_sqlite(sqlite_url: str) -> dict[str, str]:
    """Of a hub on SQLite, where the database makes no difference."""
    return {"SMSHUB_DATABASE_URL": sqlite_url, "SMSHUB_SIGNING_KEYS": SIGNING_KEYS}


def printed(result: Result) -> str:
    """What a command that did its work has printed."""
    assert result.exit_code == 0, result.output
    return result.stdout


def told(result: Result, *, status: int = 1) -> str:
    """What a command that did not do it says, which is no traceback."""
    assert result.exit_code == status, result.output
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result.stderr


def programs(environment: Mapping[str, str]) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = json.loads(
        printed(smshub("programs", "list", "--output", "json", environment=environment))
    )
    return listed


# programs


def test_a_program_is_created_and_its_credentials_are_printed_once(environment: dict[str, str]) -> None:
    result = smshub(*CREATE, environment=environment)
    shown = dict(line.split(maxsplit=1) for line in printed(result).splitlines())
    assert list(shown) == ["ProgramId:", "ProgramSID:", "ProgramKey:", "Sender:"]
    assert shown["Sender:"] == f"{SENDER} at 1/s (sandbox)"
    assert len(shown["ProgramKey:"]) >= 43
    assert result.stderr == "Keep the key safe: it cannot be shown again.\n"
    listed = printed(smshub("programs", "list", environment=environment))
    assert shown["ProgramId:"] in listed
    assert shown["ProgramKey:"] not in listed


def test_a_script_reads_the_credentials_as_json(environment: dict[str, str]) -> None:
    result = smshub(*CREATE, "--rate", "40/min", "--output", "json", environment=environment)
    created = json.loads(printed(result))
    assert set(created) == {"ProgramId", "ProgramSID", "ProgramKey", "SenderId"}
    assert programs(environment) == [
        {
            "ProgramId": created["ProgramId"],
            "ProgramSID": created["ProgramSID"],
            "Name": "City Hall",
            "SenderId": created["SenderId"],
            "Sender": SENDER,
            "Provider": "sandbox",
            "Rate": "40/min",
            "Senders": [{"SenderId": created["SenderId"], "Sender": SENDER, "Provider": "sandbox", "Rate": "40/min"}],
            "FirstHub": False,
            "Paused": False,
            "Suspended": False,
            "OnUnknown": "leave",
            "Failover": False,
            "Retention": None,
            "TextingHours": None,
            "UrgentAnyTime": False,
            "DuplicateWindow": None,
            "Notice": None,
            "OptOutReply": None,
            "OptInReply": None,
            "HelpReply": None,
            "MailTo": None,
            "Countries": None,
            "DailySegments": None,
            "MonthlySegments": None,
            "BudgetZone": "UTC",
            "RecipientsPerRequest": None,
            "PerRecipient": None,
            "SegmentCap": 24,
            "TokenLifetime": None,
        }
    ]


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    file = tmp_path / "key"
    file.write_text("old key: with spaces\n")
    return str(file)


def test_a_program_of_the_first_hub_keeps_its_identity(environment: dict[str, str], key_file: str) -> None:
    result = smshub(*CREATE, *FIRST_HUB, "--program-key-file", key_file, "--output", "json", environment=environment)
    created = json.loads(printed(result))
    assert (created["ProgramId"], created["ProgramSID"]) == ("PHARM-1", "pharmacy-sid")
    assert created["ProgramKey"] == "old key: with spaces"
    assert programs(environment)[0]["FirstHub"] is True


def test_its_key_comes_from_standard_input_too_so_that_no_shell_history_has_it(on_sqlite: dict[str, str]) -> None:
    result = smshub(*CREATE, *FIRST_HUB, "--program-key-file", "-", environment=on_sqlite, stdin="old key\n")
    assert "ProgramKey: old key\n" in printed(result)


@pytest.mark.parametrize(
    "given",
    [FIRST_HUB[:2], FIRST_HUB[2:], FIRST_HUB, ("--program-key-file", "-"), (*FIRST_HUB[:2], "--program-key-file", "-")],
)
def test_half_an_identity_is_refused(on_sqlite: dict[str, str], given: tuple[str, ...]) -> None:
    result = smshub(*CREATE, *given, environment=on_sqlite, stdin="old key\n")
    assert "--program-id, --program-sid and --program-key-file go together" in told(result, status=2)
    assert programs(on_sqlite) == []


@pytest.mark.parametrize(
    ("stdin", "arguments", "words"),
    [
        ("\n", FIRST_HUB, "ProgramKey is 1 to 500 characters"),
        ("x" * 501, FIRST_HUB, "ProgramKey is 1 to 500 characters"),
        ("key", ("--program-id", "x" * 101, "--program-sid", "sid"), "ProgramId is 1 to 100"),
        ("key", ("--program-id", "id", "--program-sid", "a\tb"), "ProgramSID is 1 to 100"),
    ],
)
def test_an_identity_that_cannot_be_is_refused(
    environment: dict[str, str], stdin: str, arguments: tuple[str, ...], words: str
) -> None:
    result = smshub(*CREATE, *arguments, "--program-key-file", "-", environment=environment, stdin=stdin)
    assert words in told(result)
    assert programs(environment) == []


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--sender", "970 690 4544", "Invalid value for --sender: A sender is a phone number with its +"),
        ("--sender", "", "Invalid value for --sender"),
        ("--sender", "+1", "Invalid value for --sender"),
        ("--rate", "fast", "Invalid value for --rate: A pace is written as 1, 0.5, 1/s, 40/min"),
        ("--rate", "0", "Invalid value for --rate: A pace is more than zero"),
        ("--rate", "-1", "Invalid value for --rate"),
    ],
)
def test_a_value_that_cannot_be_read_is_told_with_its_option(
    on_sqlite: dict[str, str], option: str, value: str, words: str
) -> None:
    assert words in told(smshub(*CREATE, option, value, environment=on_sqlite), status=2)
    assert programs(on_sqlite) == []


def test_an_unknown_provider_is_told_with_those_that_there_are(on_sqlite: dict[str, str]) -> None:
    result = smshub(*CREATE, "--provider", "pigeon", environment=on_sqlite)
    assert told(result) == "Error: There is no provider 'pigeon'; known are sandbox, twilio, vonage.\n"


@pytest.mark.parametrize("program_id", ["PHARM-1", "pharm-1"])
def test_no_two_programs_have_one_id_in_whatever_letter_case(environment: dict[str, str], program_id: str) -> None:
    key = ("--program-key-file", "-")
    printed(smshub(*CREATE, *FIRST_HUB, *key, environment=environment, stdin="key"))
    again = ("--program-id", program_id, "--program-sid", "another-sid")
    result = smshub(*CREATE, *again, *key, environment=environment, stdin="key")
    assert told(result) == "Error: There is a program with this ProgramId or ProgramSID already.\n"
    assert len(programs(environment)) == 1


def test_a_sender_has_one_pace_whoever_uses_it(environment: dict[str, str]) -> None:
    printed(smshub(*CREATE, "--rate", "5", environment=environment))
    assert "a pace of 5/s" in told(smshub(*CREATE, "--rate", "6", environment=environment))
    assert len(programs(environment)) == 1


def test_a_missing_option_is_told(on_sqlite: dict[str, str]) -> None:
    assert "Missing option '--name'" in told(smshub(*CREATE[:2], environment=on_sqlite), status=2)


def test_a_program_is_given_a_further_sender(environment: dict[str, str]) -> None:
    program_id = json.loads(printed(smshub(*CREATE, "--output", "json", environment=environment)))["ProgramId"]
    add = ("programs", "add-sender", "--program", program_id, "--sender", OTHER_SENDER, "--provider", "sandbox")

    shown = printed(smshub(*add, "--rate", "5", environment=environment))

    assert shown.splitlines() == [f"{SENDER} at 1/s (sandbox)", f"{OTHER_SENDER} at 5/s (sandbox)"]
    [listed] = programs(environment)
    assert listed["Sender"] == SENDER
    assert isinstance(listed["Senders"], list)
    assert [each["Sender"] for each in listed["Senders"]] == [SENDER, OTHER_SENDER]
    again = json.loads(printed(smshub(*add, "--output", "json", environment=environment)))
    assert again == listed


def test_a_further_sender_is_taken_from_a_program_and_its_own_is_not(environment: dict[str, str]) -> None:
    program_id = json.loads(printed(smshub(*CREATE, "--output", "json", environment=environment)))["ProgramId"]
    its = ("--program", program_id, "--sender")
    printed(smshub("programs", "add-sender", *its, OTHER_SENDER, "--provider", "sandbox", environment=environment))
    remove = ("programs", "remove-sender", *its)

    assert printed(smshub(*remove, OTHER_SENDER, environment=environment)) == f"{SENDER} at 1/s (sandbox)\n"
    assert "no such sender" in told(smshub(*remove, OTHER_SENDER, environment=environment))
    assert "program's own sender" in told(smshub(*remove, SENDER, environment=environment))


def test_deleted_programs_are_listed_apart(on_sqlite: dict[str, str]) -> None:
    program_id = json.loads(printed(smshub(*CREATE, "--output", "json", environment=on_sqlite)))["ProgramId"]
    printed(smshub("programs", "delete", "--program", program_id, environment=on_sqlite))

    shown = json.loads(printed(smshub("programs", "list", "--deleted", "--output", "json", environment=on_sqlite)))

    assert programs(on_sqlite) == []
    assert [each["ProgramId"] for each in shown] == [program_id]
    line = printed(smshub("programs", "list", "--deleted", environment=on_sqlite))
    assert line.endswith(f"  deleted {shown[0]['DeletedAt']}\n")


def test_a_further_sender_of_no_program_is_told(on_sqlite: dict[str, str]) -> None:
    add = ("programs", "add-sender", "--program", "nobody", "--sender", OTHER_SENDER, "--provider", "sandbox")
    assert "There is no program with this id" in told(smshub(*add, environment=on_sqlite))


def test_an_empty_list_says_how_to_go_on(on_sqlite: dict[str, str]) -> None:
    result = smshub("programs", "list", environment=on_sqlite)
    assert printed(result) == ""
    assert "smshub programs create" in result.stderr
    assert programs(on_sqlite) == []


def test_programs_are_listed_by_name(on_sqlite: dict[str, str]) -> None:
    for name in ("Zoo", "Admissions", "Housing"):
        printed(smshub(*CREATE, "--name", name, environment=on_sqlite))
    assert [each["Name"] for each in programs(on_sqlite)] == ["Admissions", "Housing", "Zoo"]


# keys


def test_a_generated_key_is_a_setting_as_it_is_printed(on_sqlite: dict[str, str]) -> None:
    keys = [printed(smshub("keys", "generate", environment={})).strip() for _ in range(2)]
    assert keys[0] != keys[1]
    for name in ("SIGNING_KEYS", "ENCRYPTION_KEYS", "KEY_PEPPERS"):
        printed(smshub("config", "check", environment={**on_sqlite, f"SMSHUB_{name}": keys[0]}))
    named = printed(smshub("keys", "generate", "--kid", "2026-11", environment={})).strip()
    assert re.fullmatch(r"2026-11:[A-Za-z0-9_-]{43}", named)
    printed(smshub("config", "check", environment={**on_sqlite, "SMSHUB_SIGNING_KEYS": f"{named},{keys[0]}"}))


@pytest.mark.parametrize("kid", ["", "a:b", "a,b", "a b", "a\nb"])
def test_a_kid_that_no_setting_could_hold_is_refused(kid: str) -> None:
    assert "--kid" in told(smshub("keys", "generate", "--kid", kid, environment={}), status=2)


# send


@pytest.fixture
def program(on_sqlite: dict[str, str]) -> str:
    created = printed(smshub(*CREATE, "--rate", "20", "--output", "json", environment=on_sqlite))
    return str(json.loads(created)["ProgramId"])


def test_a_text_is_sent_as_a_program_in_whatever_letter_case(environment: dict[str, str]) -> None:
    created = json.loads(printed(smshub(*CREATE, "--output", "json", environment=environment)))
    send = ("send", "--program", created["ProgramId"].upper(), "--message", "Hello")
    result = smshub(*send, "--to", "(970) 690-4544, 970.690.4545", environment=environment)
    assert re.fullmatch(r"Accepted for 2 numbers\. \(message [0-9a-f-]{36}\)\n", printed(result))
    sent = json.loads(printed(smshub(*send, "--to", "9706904544", "--output", "json", environment=environment)))
    assert sent["PhoneNumber"] == "+19706904544"
    assert sent["Status"] == "queued"
    assert sent["ProgramId"] == created["ProgramId"]


def test_a_text_is_sent_with_all_that_a_request_may_have(environment: dict[str, str]) -> None:
    program_id = json.loads(printed(smshub(*CREATE, "--output", "json", environment=environment)))["ProgramId"]
    add = ("programs", "add-sender", "--program", program_id, "--sender", OTHER_SENDER, "--provider", "sandbox")
    printed(smshub(*add, environment=environment))
    send = ("send", "--program", program_id, "--to", "9706904544", "--message", "Hello", "--output", "json")
    in_a_month = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    with_all = (
        *("--sender", OTHER_SENDER, "--priority", "urgent", "--key", "reminder-1"),
        *("--send-at", in_a_month.isoformat(), "--expires-at", (in_a_month + timedelta(hours=1)).isoformat()),
    )

    first, second = (json.loads(printed(smshub(*send, *with_all, environment=environment))) for _ in range(2))

    assert first == second
    assert (first["Sender"], first["Priority"], first["Status"]) == (OTHER_SENDER, "urgent", "scheduled")
    assert datetime.fromisoformat(first["SendAt"]) == in_a_month
    assert datetime.fromisoformat(first["ExpiresAt"]) == in_a_month + timedelta(hours=1)


@pytest.mark.parametrize("time", ["tomorrow", "2026-12-24T09:00:00", "09:00"])
def test_a_time_without_zone_or_sense_is_told(on_sqlite: dict[str, str], time: str) -> None:
    send = ("send", "--program", "x", "--to", "9706904544", "--message", "Hello", "--send-at", time)
    assert "--send-at" in told(smshub(*send, environment=on_sqlite), status=2)


@pytest.mark.parametrize("source", ["file", "-"])
def test_numbers_come_from_a_file_with_one_on_each_line(
    on_sqlite: dict[str, str], program: str, tmp_path: Path, source: str
) -> None:
    lines = "970 690 4544\n\n  +1 970 690 4545  \r\n9706904544\n"
    if source == "file":
        source = str(tmp_path / "numbers")
        Path(source).write_text(lines)
    send = ("send", "--program", program, "--message", "Hello", "--to-file", source, "--output", "json")
    sent = json.loads(printed(smshub(*send, environment=on_sqlite, stdin=lines)))
    assert sent["PhoneNumber"] == "+19706904544,+19706904545"


def test_refused_numbers_are_named_by_their_position_and_none_is_sent_to(
    on_sqlite: dict[str, str], program: str, tmp_path: Path
) -> None:
    file = tmp_path / "numbers"
    file.write_text("9706904544\n12\n\n970690CALL\n9706904545\n")
    result = smshub("send", "--program", program, "--message", "Hello", "--to-file", str(file), environment=on_sqlite)
    assert told(result).splitlines() == [
        "Error: 2 of the numbers cannot be texted.",
        "  number 2 is too short",
        "  number 4 has letters or an extension",
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--message", "Hello"), 2, "Give either --to or --to-file"),
        (("--message", "Hello", "--to", "9706904544", "--to-file", "-"), 2, "Give either --to or --to-file"),
        (("--message", "Hello", "--to-file", "/nowhere"), 2, "/nowhere"),
        (("--message", "Hello", "--to-file", "-"), 1, "There is no number to send to"),
        (("--message", "Hello", "--to", " , "), 1, "There is no number to send to"),
        (("--message", " ", "--to", "9706904544"), 1, "The message is blank"),
        (("--message", "x" * 1_601, "--to", "9706904544"), 1, "longer than 1600 characters"),
        (("--to", "9706904544"), 2, "Give either --message or --template."),
    ],
)
def test_what_cannot_be_sent_is_told(
    on_sqlite: dict[str, str], program: str, arguments: tuple[str, ...], status: int, words: str
) -> None:
    result = smshub("send", "--program", program, *arguments, environment=on_sqlite, stdin="")
    assert words in told(result, status=status)


def test_a_program_that_there_is_not_is_told(on_sqlite: dict[str, str]) -> None:
    send = ("send", "--program", "nobody", "--to", "9706904544", "--message", "Hello")
    assert "There is no program with this id" in told(smshub(*send, environment=on_sqlite))


@pytest.fixture
def dispatching(on_sqlite: dict[str, str], tmp_path: Path) -> Iterator[None]:
    """While a dispatcher runs."""
    with Site(on_sqlite["SMSHUB_DATABASE_URL"], tmp_path) as site:
        site.dispatcher().until_ready()
        yield


@pytest.mark.usefixtures("dispatching")
def test_one_may_wait_for_the_outcome_and_see_how_far_it_is(on_sqlite: dict[str, str], program: str) -> None:
    send = ("send", "--program", program, "--to", "9706904544,5005550001", "--message", "Hello", "--wait")
    result = smshub(*send, "--output", "json", environment=on_sqlite)
    ended = json.loads(printed(result))
    assert ended["Counts"] == {"failed": 1, "delivered": 1}
    assert ended["SendSuccessful"] is False
    assert "Sending" in result.stderr

    result = smshub(*send, environment=on_sqlite)
    assert printed(result).startswith("1 delivered, 1 failed. (message ")


# config


def test_the_check_prints_what_the_hub_would_run_with(on_sqlite: dict[str, str]) -> None:
    result = smshub("config", "check", environment={**on_sqlite, "SMSHUB_STOP_GRACE": "PT90S"})
    shown = dict(line.split("=", 1) for line in printed(result).splitlines())
    assert shown["SMSHUB_STOP_GRACE"] == "PT1M30S"
    assert shown["SMSHUB_LOG_LEVEL"] == "info"
    assert shown["SMSHUB_SIGNING_KEYS"] == shown["SMSHUB_DATABASE_URL"] == "**********"
    assert shown["SMSHUB_ENCRYPTION_KEYS"] == ""
    assert result.stderr == ""


def test_the_check_prints_parts_of_a_second(on_sqlite: dict[str, str]) -> None:
    result = smshub("config", "check", environment={**on_sqlite, "SMSHUB_ENQUIRY_DELAYS": "PT0.5S,PT1M"})
    assert "SMSHUB_ENQUIRY_DELAYS=PT0.5S,PT1M\n" in printed(result)


def test_the_check_tells_every_fault_and_ends_with_status_1(on_sqlite: dict[str, str]) -> None:
    faulty = {"SMSHUB_LOG_LEVEL": "loud", "SMSHUB_SIGNING_KEYS": "a:tooshort", "SMSHUB_FROBNICATE": "1"}
    result = smshub("config", "check", environment={**on_sqlite, **faulty})
    lines = told(result).splitlines()
    assert [line.split(":")[0] for line in lines] == ["SMSHUB_FROBNICATE", "SMSHUB_SIGNING_KEYS", "SMSHUB_LOG_LEVEL"]
    assert "tooshort" not in result.output
    result = smshub("config", "check", "--output", "json", environment={**on_sqlite, **faulty})
    told(result)
    shown = json.loads(result.stdout)
    assert {each["Name"] for each in shown["Faults"]} == set(faulty)


def test_the_check_finds_missing_signing_keys(on_sqlite: dict[str, str]) -> None:
    del on_sqlite["SMSHUB_SIGNING_KEYS"]
    assert "SMSHUB_SIGNING_KEYS: is missing" in told(smshub("config", "check", environment=on_sqlite))


def test_the_check_finds_keys_that_are_no_secret(on_sqlite: dict[str, str]) -> None:
    weak = {f"SMSHUB_{name}_KEYS": f"mine:{'a' * 43}" for name in ("SIGNING", "ENCRYPTION")}
    said = told(smshub("config", "check", environment={**on_sqlite, **weak}))
    assert [line.split(" ")[:3] for line in said.splitlines()] == [[f"{name}:", "key", "mine"] for name in weak]


def test_the_check_finds_private_keys_that_are_none(on_sqlite: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("no key")
    for file in (tmp_path / "key.pem", tmp_path / "none.pem"):
        said = told(smshub("config", "check", environment={**on_sqlite, "SMSHUB_TOKEN_KEY_FILES": str(file)}))
        assert said.startswith("SMSHUB_TOKEN_KEY_FILES: ")


@pytest.mark.parametrize("command", ["serve", "api", "dispatcher"])
def test_no_process_starts_with_keys_that_are_no_secret(on_sqlite: dict[str, str], command: str) -> None:
    said = told(smshub(command, environment={**on_sqlite, "SMSHUB_ENCRYPTION_KEYS": f"mine:{'a' * 43}"}))
    assert said.startswith("Error: SMSHUB_ENCRYPTION_KEYS: key mine has a few bytes again and again")


@pytest.mark.parametrize("command", ["serve", "api"])
def test_no_process_starts_with_private_keys_that_are_none(
    on_sqlite: dict[str, str], tmp_path: Path, command: str
) -> None:
    (tmp_path / "key.pem").write_text("no key")
    said = told(smshub(command, environment={**on_sqlite, "SMSHUB_TOKEN_KEY_FILES": str(tmp_path / "key.pem")}))
    assert said.startswith("Error: Every file of SMSHUB_TOKEN_KEY_FILES holds one private key")


@pytest.mark.parametrize("url", ["mysql://hub@db/hub", "sqlite://", "no url"])
def test_the_check_finds_a_database_url_that_cannot_be_used(on_sqlite: dict[str, str], url: str) -> None:
    result = smshub("config", "check", environment={**on_sqlite, "SMSHUB_DATABASE_URL": url})
    assert "SMSHUB_DATABASE_URL: " in told(result)


def test_the_check_is_for_scripts_too_and_shows_no_secret(on_sqlite: dict[str, str]) -> None:
    url = "postgresql://hub:open-sesame@db.example/hub"
    environment = {
        **on_sqlite,
        "SMSHUB_DATABASE_URL": url,
        "SMSHUB_CORS_ORIGINS": "https://a.example,https://b.example",
    }
    result = smshub("config", "check", "--output", "json", environment=environment)
    shown = json.loads(printed(result))
    assert shown["Faults"] == []
    assert shown["Settings"]["SMSHUB_CORS_ORIGINS"] == "https://a.example,https://b.example"
    assert "open-sesame" not in result.output
    assert SIGNING_KEYS.partition(":")[2] not in result.output


def test_every_setting_is_explained() -> None:
    explained = printed(smshub("config", "explain", environment={}))
    assert "SMSHUB_TOKEN_LIFETIME (default: P1D)\n    How long a token is good for.\n" in explained
    assert "SMSHUB_SIGNING_KEYS (default: none)\n" in explained
    table = printed(smshub("config", "explain", "--markdown", environment={})).splitlines()
    assert table[:2] == ["| variable | default | meaning |", "| --- | --- | --- |"]
    assert len(table) - 2 == explained.count("(default: ")


# migrate


def test_migrating_twice_is_as_good_as_once(empty_database_url: str) -> None:
    environment = {"SMSHUB_DATABASE_URL": empty_database_url}
    assert "run `smshub migrate`" in told(smshub("programs", "list", environment=environment))
    for _ in range(2):
        assert printed(smshub("migrate", environment=environment)) == "The database is at the schema of this version.\n"
    assert programs(environment) == []


# all commands


def commands(command: click.Command = main, *path: str) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from commands(each, *path, name)


@pytest.mark.parametrize("path", list(commands()), ids=lambda path: " ".join(path) or "smshub")
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_explains_itself(path: tuple[str, ...], option: str) -> None:
    shown = printed(smshub(*path, option, environment={}))
    assert shown.startswith("Usage: ")
    assert re.search(r"\n\n  \S", shown), "it says what it is for"


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"smshub, version \d+\.\d+\.\d+\n", printed(smshub("--version", environment={})))


@pytest.mark.parametrize(
    ("option", "fault"),
    [
        (("--receipt-delay", "soon"), "A duration is written as P30D or PT9H."),
        (("--rate", "fast"), "A pace is written as 1, 0.5, 1/s, 40/min, 100/h or 2000/day."),
    ],
)
@pytest.mark.parametrize("provider", ["twilio", "vonage"])
def test_an_option_of_a_stand_in_that_cannot_be_read_is_explained(
    provider: str, option: tuple[str, str], fault: str, tmp_path: Path
) -> None:
    directory = ("--directory", str(tmp_path)) if provider == "vonage" else ()
    result = smshub("sandbox", provider, *directory, *option, environment={})
    assert f"Error: Invalid value for {option[0]}: {fault}" in told(result, status=2)


def test_a_stand_in_that_cannot_listen_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        message = told(smshub("sandbox", "twilio", "--port", str(port), environment={}))
    assert message == f"Error: The stand-in cannot listen on 127.0.0.1, port {port}: address already in use.\n"


USES_DATABASE = [
    pytest.param(("programs", "list"), id="list"),
    pytest.param(CREATE, id="create"),
    pytest.param(("send", "--program", "a", "--to", "9706904544", "--message", "Hello"), id="send"),
]
MIGRATES = [*USES_DATABASE, pytest.param(("migrate",), id="migrate")]


@pytest.mark.parametrize("command", USES_DATABASE)
def test_a_database_that_is_not_migrated_says_what_to_do(empty_database_url: str, command: tuple[str, ...]) -> None:
    result = smshub(*command, environment={"SMSHUB_DATABASE_URL": empty_database_url})
    assert re.fullmatch(
        r"Error: The database is at schema none, this hub needs \d+: run `smshub migrate`\.\n", told(result)
    )


@pytest.mark.parametrize("command", MIGRATES)
@pytest.mark.parametrize(
    "url", ["no url", "mysql://hub:open-sesame@db/hub", "postgresql://hub:open-sesame@db:port/hub"]
)
def test_a_database_url_that_cannot_be_read_is_told_without_its_password(url: str, command: tuple[str, ...]) -> None:
    message = told(smshub(*command, environment={"SMSHUB_DATABASE_URL": url}))
    assert message.startswith("Error: The database URL ")
    assert "open-sesame" not in message


@pytest.mark.parametrize("command", MIGRATES)
def test_a_database_that_does_not_answer_is_told(command: tuple[str, ...]) -> None:
    url = f"postgresql://hub:open-sesame@127.0.0.1:{free_port()}/hub"
    message = told(smshub(*command, environment={"SMSHUB_DATABASE_URL": url}))
    assert message == "Error: The hub's database is not available; try again later.\n"


@pytest.mark.parametrize("command", MIGRATES)
def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path, command: tuple[str, ...]) -> None:
    url = f"sqlite:///{tmp_path / 'no such folder' / 'hub.db'}"
    assert "database is not available" in told(smshub(*command, environment={"SMSHUB_DATABASE_URL": url}))


@pytest.mark.parametrize(
    "command", [*MIGRATES, pytest.param(("serve",), id="serve"), pytest.param(("demo",), id="demo")]
)
def test_a_setting_that_cannot_be_used_is_told_in_one_line(command: tuple[str, ...], tmp_path: Path) -> None:
    if command == ("demo",):
        command = ("demo", "--directory", str(tmp_path))
    result = smshub(*command, environment={"SMSHUB_DATABASE_POOL_SIZE": "many", "SMSHUB_SIGNING_KEYS": SIGNING_KEYS})
    message = told(result)
    assert message.startswith("Error: SMSHUB_DATABASE_POOL_SIZE: ")
    assert message.count("\n") == 1


def test_the_installed_command_is_this_one() -> None:
    told = subprocess.run(
        [SMSHUB, "programs", "list"],
        env={"SMSHUB_DATABASE_URL": "no url"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert (told.returncode, told.stdout, told.stderr) == (1, "", "Error: The database URL cannot be read.\n")
