"""What operators type while the hub sends."""

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.e2e.running import SENDER, SIGNING_KEYS, smshub

SID = "AC" + "0123456789abcdef" * 2
TOKEN = "a-token-that-nobody-is-to-see"
CREDENTIALS = json.dumps({"account_sid": SID, "auth_token": TOKEN})
CREATE = ("programs", "create", "--name", "City Hall", "--provider", "twilio", "--sender")
POOL = "MG" + "0" * 32


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    """Of a hub with a migrated database, once of each kind."""
    return {
        "SMSHUB_DATABASE_URL": database_url,
        "SMSHUB_SIGNING_KEYS": SIGNING_KEYS,
        "SMSHUB_ENCRYPTION_KEYS": SIGNING_KEYS,
    }


@pytest.fixture
def hub(environment: dict[str, str]) -> dict[str, str]:
    """One with a program at Twilio."""
    printed(smshub(*CREATE, SENDER, "--credentials-file", "-", environment=environment, stdin=CREDENTIALS))
    return environment


def printed(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def told(result: Result, *, status: int = 1) -> str:
    assert result.exit_code == status, result.output
    assert isinstance(result.exception, SystemExit)
    return result.stderr


def read(environment: Mapping[str, str], *command: str) -> Any:  # noqa: ANN401 - it is JSON
    return json.loads(printed(smshub(*command, "--output", "json", environment=environment)))


class TestCredentials:
    def test_they_are_read_and_never_shown(self, hub: dict[str, str]) -> None:
        (sender,) = read(hub, "senders", "list")

        assert (sender["Provider"], sender["Account"]) == ("twilio", SID)
        assert TOKEN not in printed(smshub("senders", "list", environment=hub))

    def test_they_are_encrypted_with_a_newer_key(self, hub: dict[str, str]) -> None:
        newer = printed(smshub("keys", "generate", "--kid", "newer", environment=hub)).strip()
        both = hub | {"SMSHUB_ENCRYPTION_KEYS": f"{newer},{SIGNING_KEYS}"}

        assert printed(smshub("keys", "reseal", environment=both)).startswith("The credentials of 1 provider accounts")
        said = told(smshub("keys", "reseal", environment=hub))

        assert said.startswith("Error: The provider account's credentials cannot be read")

    def test_a_second_program_of_a_sender_needs_none(self, hub: dict[str, str]) -> None:
        printed(smshub(*CREATE, SENDER, environment=hub))

        assert len(read(hub, "senders", "list")) == 1

    def test_another_sender_needs_them(self, hub: dict[str, str]) -> None:
        said = told(smshub(*CREATE, "+19705550101", environment=hub))

        assert said == "Error: This provider needs the credentials of the account that the sender belongs to.\n"

    @pytest.mark.parametrize(
        "given", ["", "not JSON", "[]", '{"account_sid": 1}', '{"account_sid": "AC1"}', f'{{"auth_token": "{TOKEN}"}}']
    )
    def test_what_are_none_is_refused_without_being_shown(self, environment: dict[str, str], given: str) -> None:
        result = smshub(*CREATE, SENDER, "--credentials-file", "-", environment=environment, stdin=given)

        assert result.exit_code != 0
        assert TOKEN not in result.output
        assert read(environment, "programs", "list") == []

    def test_without_a_key_nothing_is_stored(self, environment: dict[str, str]) -> None:
        keyless = environment | {"SMSHUB_ENCRYPTION_KEYS": ""}

        said = told(smshub(*CREATE, SENDER, "--credentials-file", "-", environment=keyless, stdin=CREDENTIALS))

        assert "SMSHUB_ENCRYPTION_KEYS" in said
        assert read(environment, "programs", "list") == []

    def test_the_sandbox_takes_none(self, environment: dict[str, str], tmp_path: Path) -> None:
        file = tmp_path / "credentials.json"
        file.write_text(CREDENTIALS)
        create = ("programs", "create", "--name", "Demo", "--provider", "sandbox", "--sender", SENDER)

        said = told(smshub(*create, "--credentials-file", str(file), environment=environment))

        assert said == "Error: The sandbox takes no credentials.\n"


class TestSenders:
    def test_one_that_there_are_none_of_is_told(self, environment: dict[str, str]) -> None:
        assert "no such sender" in told(smshub("senders", "pause", SENDER, environment=environment))
        assert "smshub programs create" in smshub("senders", "list", environment=environment).stderr

    def test_its_rate_is_changed(self, hub: dict[str, str]) -> None:
        assert read(hub, "senders", "set", SENDER, "--rate", "40/min")["Rate"] == "40/min"
        assert read(hub, "senders", "list")[0]["Rate"] == "40/min"

    @pytest.mark.parametrize("option", [("--rate", "0"), ("--backlog", "soon"), ("--backlog", "PT11H")])
    def test_what_cannot_be_is_refused(self, hub: dict[str, str], option: tuple[str, str]) -> None:
        before = read(hub, "senders", "list")

        assert smshub("senders", "set", SENDER, *option, environment=hub).exit_code != 0
        assert read(hub, "senders", "list") == before

    def test_a_messaging_service_has_a_backlog_that_can_be_changed(self, hub: dict[str, str]) -> None:
        printed(smshub(*CREATE, POOL, "--credentials-file", "-", environment=hub, stdin=CREDENTIALS))

        pool = next(each for each in read(hub, "senders", "list") if each["Sender"] == POOL)
        changed = read(hub, "senders", "set", POOL, "--backlog", "PT1H", "--rate", "10")

        assert pool["BacklogSeconds"] == 9 * 3_600
        assert (changed["BacklogSeconds"], changed["Rate"]) == (3_600, "10/s")

    def test_one_of_two_of_an_address_is_to_be_named(self, hub: dict[str, str]) -> None:
        create = ("programs", "create", "--name", "Demo", "--provider", "sandbox", "--sender", SENDER)
        printed(smshub(*create, environment=hub))

        assert "--provider" in told(smshub("senders", "pause", SENDER, environment=hub))
        printed(smshub("senders", "pause", SENDER, "--provider", "sandbox", environment=hub))

        paused = {each["Provider"]: each["Paused"] for each in read(hub, "senders", "list")}
        assert paused == {"sandbox": True, "twilio": False}


class TestPausing:
    def test_a_sender_is_paused_and_resumed(self, hub: dict[str, str]) -> None:
        assert "paused" in printed(smshub("senders", "pause", SENDER, environment=hub))
        assert read(hub, "senders", "list")[0]["Paused"] is True
        assert "sends" in printed(smshub("senders", "resume", SENDER, environment=hub))
        assert read(hub, "senders", "list")[0]["Paused"] is False

    def test_a_program_is_paused_and_resumed(self, hub: dict[str, str]) -> None:
        program = ("--program", read(hub, "programs", "list")[0]["ProgramId"])

        printed(smshub("programs", "pause", *program, environment=hub))
        assert read(hub, "programs", "list")[0]["Paused"] is True
        printed(smshub("programs", "resume", *program, environment=hub))
        assert read(hub, "programs", "list")[0]["Paused"] is False
        assert "no program" in told(smshub("programs", "pause", "--program", "nobody", environment=hub))

    def test_the_hub_is_paused_and_resumed(self, hub: dict[str, str]) -> None:
        assert printed(smshub("pause", environment=hub)) == "The hub sends nothing until `smshub resume`.\n"
        assert printed(smshub("resume", environment=hub)) == "The hub sends again.\n"


class TestTerms:
    def test_they_are_given_at_the_start_and_changed_later(self, environment: dict[str, str]) -> None:
        create = ("programs", "create", "--name", "Demo", "--provider", "sandbox", "--sender", SENDER)
        terms = ("--on-unknown", "resend", "--failover", "on", "--retention", "P30D")
        printed(smshub(*create, *terms, environment=environment))
        (program,) = read(environment, "programs", "list")
        assert (program["OnUnknown"], program["Failover"], program["Retention"]) == ("resend", True, "P30D")

        its = ("--program", program["ProgramId"])
        changed = read(environment, "programs", "set", *its, "--retention", "P7D")
        assert (changed["OnUnknown"], changed["Failover"], changed["Retention"]) == ("resend", True, "P7D")

        told = printed(smshub("programs", "set", *its, "--failover", "off", environment=environment))
        assert told == "Unknown outcomes: resend.\nFailover: off.\nTexts are kept: P7D.\n"
        assert read(environment, "programs", "list")[0]["Failover"] is False

    def test_texting_hours_are_set_and_unset(self, hub: dict[str, str]) -> None:
        its = ("programs", "set", "--program", read(hub, "programs", "list")[0]["ProgramId"])

        changed = read(hub, *its, "--texting-hours", "Mo-Su 09:00-20:00", "--urgent-any-time", "on")
        assert (changed["TextingHours"], changed["UrgentAnyTime"]) == ("09:00-20:00", True)
        told = printed(smshub(*its, "--texting-hours", "Sa 10:00-12:00", environment=hub))
        assert "Texts go out Sa 10:00-12:00, by the recipients' clocks, urgent ones at any time.\n" in told
        refused = smshub(*its, "--texting-hours", "22:00-06:00", environment=hub)
        assert "those over midnight are two" in refused.stderr
        assert read(hub, *its, "--texting-hours", "none")["TextingHours"] is None

    def test_a_program_is_tried_out_by_e_mail_and_where_there_is_no_mail_server_that_is_told(
        self, hub: dict[str, str]
    ) -> None:
        program = read(hub, "programs", "list")[0]["ProgramId"]
        by_mail = ("programs", "set", "--program", program, "--mail-to", "office@example.org")

        warned = smshub(*by_mail, environment=hub)
        assert "its texts go to office@example.org" in printed(warned)
        assert "no mail server (SMSHUB_MAIL_URL, SMSHUB_MAIL_FROM)" in warned.stderr
        assert smshub(*by_mail, environment={**hub, "SMSHUB_MAIL_FROM": "texts@hub.example"}).stderr == ""

        over = smshub("programs", "set", "--program", program, "--mail-to", "none", environment=hub)
        assert (over.exit_code, over.stderr) == (0, "")
        assert read(hub, "programs", "list")[0]["MailTo"] is None

    def test_no_program_is_one_of_the_mail_servers(self, environment: dict[str, str]) -> None:
        told_why = told(smshub(*CREATE[:4], "--provider", "mail", "--sender", SENDER, environment=environment))
        assert "sandbox, twilio, vonage" in told_why

    @pytest.mark.parametrize("retention", ["PT1H", "P0D", "-P3D", "a week"])
    def test_texts_are_kept_for_a_day_at_least(self, hub: dict[str, str], retention: str) -> None:
        program = read(hub, "programs", "list")[0]["ProgramId"]

        assert smshub("programs", "set", "--program", program, "--retention", retention, environment=hub).exit_code != 0
        assert read(hub, "programs", "list")[0]["Retention"] is None


class TestPrograms:
    def test_its_name_its_longest_text_and_how_long_its_tokens_are_good_are_set(self, hub: dict[str, str]) -> None:
        its = ("programs", "set", "--program", read(hub, "programs", "list")[0]["ProgramId"])

        changed = read(hub, *its, "--name", "Town Hall", "--segment-cap", "3", "--token-lifetime", "PT1M")
        assert [changed[each] for each in ("Name", "SegmentCap", "TokenLifetime")] == ["Town Hall", 3, "PT1M"]
        said = printed(smshub(*its, "--failover", "on", environment=hub))
        assert said.endswith("A text may have 3 segments.\nIts tokens are good for PT1M.\n")
        back = read(hub, *its, "--segment-cap", "none", "--token-lifetime", "none")
        assert [back[each] for each in ("Name", "SegmentCap", "TokenLifetime")] == ["Town Hall", 24, None]

    def test_they_are_given_at_the_start(self, environment: dict[str, str]) -> None:
        create = ("programs", "create", "--name", "Demo", "--provider", "sandbox", "--sender", SENDER)
        printed(smshub(*create, "--segment-cap", "1", "--token-lifetime", "P366D", environment=environment))

        (program,) = read(environment, "programs", "list")
        assert (program["SegmentCap"], program["TokenLifetime"]) == (1, "P1Y1D")

    @pytest.mark.parametrize(
        "option",
        [
            ("--segment-cap", "0"),
            ("--segment-cap", "25"),
            ("--segment-cap", "all"),
            ("--token-lifetime", "PT59S"),
            ("--token-lifetime", "P367D"),
        ],
    )
    def test_what_cannot_be_is_refused(self, hub: dict[str, str], option: tuple[str, str]) -> None:
        before = read(hub, "programs", "list")

        said = told(smshub("programs", "set", "--program", before[0]["ProgramId"], *option, environment=hub), status=2)

        assert f"Invalid value for {option[0]}:" in said
        assert read(hub, "programs", "list") == before

    def test_one_is_deleted_once(self, hub: dict[str, str]) -> None:
        program = read(hub, "programs", "list")[0]["ProgramId"]

        deleted = read(hub, "programs", "delete", "--program", program.upper())
        assert (deleted["ProgramId"], deleted["Canceled"]) == (program, 0)
        assert read(hub, "programs", "list") == []
        assert "no program" in told(smshub("programs", "delete", "--program", program, environment=hub))
        assert "no program" in told(smshub("programs", "reinstate", "--program", program, environment=hub))
        assert read(hub, "audit", "--program", program)[0]["Action"] == "program.deleted"
        assert len(read(hub, "senders", "list")) == 1

    def test_it_is_told_how_many_of_its_texts_were_canceled(self, hub: dict[str, str]) -> None:
        program = read(hub, "programs", "list")[0]["ProgramId"]
        printed(
            smshub(
                "send", "--program", program, "--to", "+19706904544,+19706904545", "--message", "Hi", environment=hub
            )
        )

        said = printed(smshub("programs", "delete", "--program", program, environment=hub))

        assert said == "The program is deleted. It had 2 deliveries waiting, which are canceled.\n"


class TestGuards:
    GUARDS = (
        *("--countries", "US, CA", "--daily-segments", "1000", "--monthly-segments", "20000"),
        *("--budget-zone", "America/Denver", "--recipients-per-request", "500", "--per-recipient", "5/PT1H"),
    )

    def test_they_are_set_shown_and_switched_off(self, hub: dict[str, str]) -> None:
        its = ("--program", read(hub, "programs", "list")[0]["ProgramId"])

        changed = read(hub, "programs", "set", *its, *self.GUARDS)

        assert changed["Countries"] == ["CA", "US"]
        assert (changed["DailySegments"], changed["MonthlySegments"]) == (1000, 20000)
        assert (changed["BudgetZone"], changed["RecipientsPerRequest"]) == ("America/Denver", 500)
        assert changed["PerRecipient"] == "5/PT1H"
        said = printed(smshub("programs", "set", *its, "--daily-segments", "none", environment=hub))
        assert said.endswith(
            "It texts numbers of: CA, US.\nIt may send 20000 segments in a month (America/Denver).\n"
            "A request may have 500 numbers.\nOne number may get so many texts: 5/PT1H.\n"
        )

    @pytest.mark.parametrize(
        "option",
        [
            ("--countries", "USA"),
            ("--daily-segments", "0"),
            ("--daily-segments", "many"),
            ("--budget-zone", "none"),
            ("--recipients-per-request", "10001"),
            ("--per-recipient", "5"),
            ("--per-recipient", "PT1H/5"),
        ],
    )
    def test_what_cannot_be_is_refused(self, hub: dict[str, str], option: tuple[str, str]) -> None:
        (program,) = read(hub, "programs", "list")

        told(smshub("programs", "set", "--program", program["ProgramId"], *option, environment=hub), status=2)

        assert read(hub, "programs", "list") == [program]

    def test_prices_are_set_listed_and_removed(self, hub: dict[str, str]) -> None:
        put = ("prices", "set", "--country", "US", "--price", "0.0079", "--currency")
        assert "smshub prices set" in smshub("prices", "list", environment=hub).stderr
        assert printed(smshub(*put, "USD", environment=hub)) == "US  0.0079 USD\n"

        assert read(hub, "prices", "list") == [{"Country": "US", "Price": "0.0079", "Currency": "USD"}]
        assert printed(smshub("prices", "list", environment=hub)) == "US  0.0079 USD\n"
        in_canada = ("prices", "set", "--country", "CA", "--price", "0.01", "--currency", "CAD")
        assert "one currency, which is USD" in told(smshub(*in_canada, environment=hub))
        assert "ISO 3166-1" in told(smshub(*put[:3], "USA", *put[4:], "USD", environment=hub))
        told(smshub(*put, "dollars", environment=hub), status=2)
        printed(smshub("prices", "remove", "--country", "US", environment=hub))
        assert "no price" in told(smshub("prices", "remove", "--country", "US", environment=hub))

    def test_roles_of_staff_are_given_listed_and_taken_away(self, hub: dict[str, str]) -> None:
        (program,) = read(hub, "programs", "list")
        program_id = program["ProgramId"]
        assert "smshub staff grant" in smshub("staff", "list", environment=hub).stderr
        grant, revoke = ("staff", "grant", "--group", "/housing"), ("staff", "revoke", "--group", "/housing")
        of_program = ("--program", program_id)
        assert printed(smshub(*grant, "--role", "operator", environment=hub)) == "/housing  operator  all programs\n"
        given = printed(smshub(*grant, "--role", "sender", "--program", program_id.upper(), environment=hub))
        assert given == f"/housing  sender  {program_id}\n"
        listed = read(hub, "staff", "list")
        assert [(each["Group"], each["Role"], each["ProgramId"]) for each in listed] == [
            ("/housing", "operator", None),
            ("/housing", "sender", program_id),
        ]
        assert "an operator of none" in told(smshub(*grant, "--role", "reader", environment=hub))
        assert "an operator of none" in told(smshub(*grant, "--role", "operator", *of_program, environment=hub))
        assert "no program" in told(smshub(*grant, "--role", "reader", "--program", "museum", environment=hub))
        told(smshub(*grant, "--role", "admin", environment=hub), status=2)
        printed(smshub(*revoke, *of_program, environment=hub))
        assert "no such role" in told(smshub(*revoke, *of_program, environment=hub))
        assert printed(smshub(*revoke, environment=hub)) == "The role is gone.\n"
        assert read(hub, "staff", "list") == []
        assert [each["Action"] for each in read(hub, "audit")[:2]] == ["staff-role.removed"] * 2

    def test_usage_is_told_by_day_with_its_cost(self, environment: dict[str, str]) -> None:
        create = ("programs", "create", "--name", "Demo", "--provider", "sandbox", "--sender", SENDER)
        program = read(environment, *create)["ProgramId"]
        send = ("send", "--program", program, "--message", "Hello", "--to", "+19706904544,+19706904545")
        printed(smshub(*send, environment=environment))
        today = datetime.now(UTC).date()
        # Midnight may pass meanwhile.
        its = ("usage", "--program", program, "--from", str(today), "--to", str(today + timedelta(days=1)))

        said = read(environment, *its)

        (day,) = said["Items"]
        assert (day["Sender"], day["Status"], day["Messages"], day["Segments"]) == (SENDER, "queued", 1, 2)
        assert said["EstimatedCost"] is None
        assert "2 segments in all, for which there are no prices" in printed(smshub(*its, environment=environment))
        priced = environment | {"SMSHUB_SEGMENT_PRICE": "0.01 USD"}
        lines = printed(smshub(*its, environment=priced)).splitlines()
        assert lines[0].endswith(f"{SENDER}  queued: 1 messages, 2 deliveries, 2 segments, about 0 USD")
        assert lines[1] == "2 segments in all, about 0 USD"
        backwards = (*its[:4], str(today), "--to", str(today - timedelta(days=1)))
        assert "To is before From" in told(smshub(*backwards, environment=environment))
        nobody = (*its[:2], "nobody", *its[3:])
        assert "no program with this id" in told(smshub(*nobody, environment=environment))


class TestLimits:
    def test_they_are_put_attached_listed_and_removed(self, hub: dict[str, str]) -> None:
        assert "smshub limits set" in smshub("limits", "list", environment=hub).stderr
        printed(smshub("limits", "set", "account", "--rate", "30", "--counts", "requests", environment=hub))
        campaign = ("--rate", "2/s", "--daily", "2000", "--zone", "America/Chicago", "--under", "account")
        printed(smshub("limits", "set", "campaign", *campaign, environment=hub))
        printed(smshub("limits", "attach", "account", "--provider", "twilio", "--account", SID, environment=hub))
        printed(smshub("limits", "attach", "campaign", "--sender", SENDER, environment=hub))

        account, shown = read(hub, "limits", "list")

        assert (account["Counts"], account["Rate"], account["Accounts"]) == ("requests", "30/s", [f"twilio:{SID}"])
        assert shown == {
            "Name": "campaign",
            "Under": "account",
            "Counts": "segments",
            "Rate": "2/s",
            "Daily": 2000,
            "Zone": "America/Chicago",
            "UsedToday": 0,
            "Senders": [SENDER],
            "Accounts": [],
        }
        told(smshub("limits", "remove", "campaign", environment=hub))
        printed(smshub("limits", "detach", "--sender", SENDER, environment=hub))
        printed(smshub("limits", "remove", "campaign", environment=hub))
        assert [each["Name"] for each in read(hub, "limits", "list")] == ["account"]

    @pytest.mark.parametrize(
        "options",
        [
            (),
            ("--rate", "0"),
            ("--daily", "0", "--zone", "UTC"),
            ("--daily", "5"),
            ("--zone", "UTC"),
            ("--daily", "5", "--zone", "Mars/Base"),
            ("--rate", "1", "--under", "nobody"),
            ("--rate", "1", "--under", "new"),
            ("--rate", "1", "--counts", "sheep"),
        ],
    )
    def test_what_cannot_be_is_refused(self, hub: dict[str, str], options: tuple[str, ...]) -> None:
        result = smshub("limits", "set", "new", *options, environment=hub)

        assert result.exit_code != 0
        assert isinstance(result.exception, SystemExit)
        assert read(hub, "limits", "list") == []

    def test_who_is_meant_is_to_be_said(self, hub: dict[str, str]) -> None:
        printed(smshub("limits", "set", "account", "--rate", "30", environment=hub))

        assert "--sender" in told(smshub("limits", "attach", "account", environment=hub), status=2)
        nobody = ("--provider", "twilio", "--account", "nobody")
        assert "no such provider account" in told(smshub("limits", "attach", "account", *nobody, environment=hub))


class TestRestored:
    def test_it_pauses_and_says_what_may_have_been_sent_since_when(self, hub: dict[str, str]) -> None:
        (program,) = read(hub, "programs", "list")
        send = ("send", "--program", program["ProgramId"], "--message", "Hello", "--to")
        printed(smshub(*send, "+19706904544,+19706904545", environment=hub))

        told_of = read(hub, "restored")
        again = printed(smshub("restored", environment=hub))

        assert told_of["MayHaveBeenSent"] == 2
        assert again == (
            f"0 deliveries may have been sent since {told_of['Since']}, and are unknown until that is settled.\n"
            "The hub is paused: start it, and let it send with `smshub resume`.\n"
        )
        assert time.time() - datetime.fromisoformat(told_of["Since"]).timestamp() < 60
