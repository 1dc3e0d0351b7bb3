"""What operators see and change of senders, their accounts, and what they share."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from domain.model.access import Scope
from domain.model.credentials import Credentials
from domain.model.sender import SenderAddress
from entrypoints.stand_ins import twilio
from entrypoints.stand_ins.twilio import TwilioStandIn
from tests.e2e.sending import ENCRYPTION_KEYS
from tests.http import PUBLIC_URL, Hub, Office, a_hub

NONE_HAS = 999_999
TOKEN = "a-token-that-nobody-is-to-see"

_serial = itertools.count()


def a_sender() -> str:
    """One that no other test has."""
    return f"+1303{5_550_000 + next(_serial)}"


def an_account() -> Mapping[str, str]:
    return {"account_sid": f"AC{uuid4().hex}", "auth_token": TOKEN}


def a_name() -> str:
    return f"limit {next(_serial)}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand_in() -> AsyncIterator[TwilioStandIn]:
    async with TwilioStandIn().running() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(shared_database_url: str, stand_in: TwilioStandIn) -> AsyncIterator[Hub]:
    settings = {"encryption_keys": ENCRYPTION_KEYS, "twilio_api_base_url": stand_in.url, "public_url": PUBLIC_URL}
    async with a_hub(shared_database_url, **settings) as hub:
        yield hub


@pytest_asyncio.fixture(loop_scope="module")
async def operator(hub: Hub) -> Office:
    return await an_operator(hub)


async def an_operator(hub: Hub) -> Office:
    office = await hub.an_office()
    granted = hub.container.tokens().verify(office.token)
    grant = replace(granted, scopes=frozenset({Scope.OPERATOR}), token_id=str(uuid4()))
    return Office(office.credentials, hub.container.tokens().issue(grant))


async def change(
    hub: Hub, operator: Office, method: str, path: str, body: Mapping[str, object] | None = None
) -> httpx.Response:
    return await hub.client.request(method, path, json=body, headers=operator.headers)


def good(answer: httpx.Response) -> Any:  # noqa: ANN401 - JSON
    assert answer.status_code == 200, answer.text
    return answer.json()


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"]


async def last_event(hub: Hub, operator: Office) -> Mapping[str, Any]:
    events = good(await hub.get(operator, "/api/AuditEvents", Limit=1))["Items"]
    return {each: events[0][each] for each in ("Actor", "Via", "Action", "Subject", "Changes")}


async def a_sandbox_sender(hub: Hub, operator: Office, office: Office, **more: object) -> Mapping[str, Any]:
    body = {"ProgramId": office.id, "Sender": a_sender(), "Provider": "sandbox", **more}
    added: Mapping[str, Any] = good(await hub.post(operator, "/api/Senders", body))
    return added


class TestSenders:
    async def test_a_further_sender_of_a_program_sends_its_texts(self, hub: Hub, operator: Office) -> None:
        office = await hub.an_office()

        added = await a_sandbox_sender(hub, operator, office, Rate="40/min")
        again = await hub.post(
            operator, "/api/Senders", {"ProgramId": office.id, "Sender": added["Sender"], "Provider": "sandbox"}
        )
        event = await last_event(hub, operator)
        text = {"Message": "Hello", "PhoneNumber": "+19706904544", "Sender": added["Sender"]}

        assert added["Rate"] == "40/min"
        assert [each["ProgramId"] for each in added["Programs"]] == [office.id]
        assert good(again)["SenderId"] == added["SenderId"]
        assert event["Action"] == "program.sender-added"
        assert good(await hub.post(office, "/api/TextMessages", text))["Sender"] == added["Sender"]

    async def test_one_that_two_programs_share_names_both(self, hub: Hub, operator: Office) -> None:
        office, other = await hub.an_office(), await hub.an_office()
        added = await a_sandbox_sender(hub, operator, office)

        body = {"ProgramId": other.id.upper(), "Sender": added["Sender"], "Provider": "sandbox"}
        shared = good(await hub.post(operator, "/api/Senders", body))
        listed = good(await hub.get(operator, "/api/Senders"))["Items"]

        assert {each["ProgramId"] for each in shared["Programs"]} == {office.id, other.id}
        assert [each["Programs"] for each in listed if each["SenderId"] == added["SenderId"]] == [shared["Programs"]]

    async def test_it_is_taken_from_its_program_and_what_waits_there_goes_out(self, hub: Hub, operator: Office) -> None:
        office, other = await hub.an_office(), await hub.an_office()
        added = await a_sandbox_sender(hub, operator, office)
        body = {"ProgramId": other.id, "Sender": added["Sender"], "Provider": "sandbox"}
        good(await hub.post(operator, "/api/Senders", body))
        text = {"Message": "Hello", "PhoneNumber": "+19706904544", "Sender": added["Sender"]}
        posted = good(await hub.post(office, "/api/TextMessages", text))
        its = f"/api/Programs/{office.id}/Senders"

        left = good(await change(hub, operator, "DELETE", f"{its}/{added['SenderId']}"))
        event = await last_event(hub, operator)
        again = await change(hub, operator, "DELETE", f"{its}/{added['SenderId']}")
        # Programs are remembered for a moment.
        await asyncio.sleep(2.1)
        refused = await hub.post(office, "/api/TextMessages", text)
        async with hub.dispatching():
            sent = await hub.outcome(office, posted["Id"])

        assert added["Sender"] not in left["Senders"]
        assert (event["Action"], event["Subject"]) == ("program.sender-removed", f"program {office.id}")
        assert refusal(again) == (404, "sender-not-found")
        assert refusal(refused) == (422, "unknown-sender")
        assert sent["Status"] == "delivered"
        shown = good(await hub.get(operator, f"/api/Senders/{added['SenderId']}"))
        assert [each["ProgramId"] for each in shown["Programs"]] == [other.id]

    async def test_a_programs_own_sender_stays(self, hub: Hub, operator: Office) -> None:
        office = await hub.an_office()
        program = await hub.container.programs().find(office.id)
        assert program is not None

        path = f"/api/Programs/{office.id.upper()}/Senders/{program.sender.id}"

        assert refusal(await change(hub, operator, "DELETE", path)) == (409, "own-sender")
        nobodys = path.replace(office.id.upper(), "museum")
        assert refusal(await change(hub, operator, "DELETE", nobodys)) == (404, "program-not-found")

    async def test_it_is_changed_while_it_sends_and_what_is_left_out_stays(self, hub: Hub, operator: Office) -> None:
        added = await a_sandbox_sender(hub, operator, await hub.an_office())
        path = f"/api/Senders/{added['SenderId']}"

        good(await change(hub, operator, "PATCH", path, {"Rate": "40/min"}))
        changed = good(await change(hub, operator, "PATCH", path, {"Backlog": "PT1H", "OptOutReplies": "provider"}))

        assert changed == {**added, "Rate": "40/min", "Backlog": "PT1H", "OptOutReplies": "provider", **_queue(changed)}
        assert await last_event(hub, operator) == {
            "Actor": operator.id,
            "Via": "api",
            "Action": "sender.changed",
            "Subject": f"sender {added['Sender']}",
            "Changes": {
                "BacklogSeconds": {"Before": 0, "After": 3_600},
                "OptOutReplies": {"Before": "hub", "After": "provider"},
            },
        }

    @pytest.mark.parametrize(
        "body", [{"Rate": "0"}, {"Rate": "soon"}, {"Backlog": "PT11H"}, {"Backlog": "PTS"}, {"Backlog": "P1D"}]
    )
    async def test_what_cannot_be_is_refused_and_changes_nothing(
        self, hub: Hub, operator: Office, body: Mapping[str, str]
    ) -> None:
        added = await a_sandbox_sender(hub, operator, await hub.an_office())
        path = f"/api/Senders/{added['SenderId']}"

        assert refusal(await change(hub, operator, "PATCH", path, body)) == (422, "invalid-value")
        after = good(await hub.get(operator, path))
        assert after == {**added, **_queue(after)}

    async def test_it_is_paused_and_goes_on(self, hub: Hub, operator: Office) -> None:
        office = await hub.an_office()
        added = await a_sandbox_sender(hub, operator, office)
        path = f"/api/Senders/{added['SenderId']}"

        paused = good(await hub.post(operator, f"{path}/Pause"))
        async with hub.dispatching():
            text = {"Message": "Hello", "PhoneNumber": "+19706904544", "Sender": added["Sender"]}
            posted = good(await hub.post(office, "/api/TextMessages", text))
            waits = good(await hub.get(office, f"/api/TextMessages/{posted['Id']}"))["Status"]
            resumed = good(await hub.post(operator, f"{path}/Resume"))
            sent = await hub.outcome(office, posted["Id"])

        assert (paused["Paused"], resumed["Paused"]) == (True, False)
        assert (waits, sent["Status"]) == ("queued", "delivered")
        assert (await last_event(hub, operator))["Action"] == "sender.resumed"

    async def test_what_keeps_it_from_sending_is_told(self, hub: Hub, operator: Office) -> None:
        added = await a_sandbox_sender(hub, operator, await hub.an_office())

        now_us = hub.container.clock().now_us()
        await hub.container.queue().bar(added["SenderId"], "sender-not-registered", now_us=now_us)
        barred = good(await hub.get(operator, f"/api/Senders/{added['SenderId']}"))

        assert (added["Barred"], barred["Barred"]) == (None, "sender-not-registered")

    async def test_what_waits_at_it_is_told_with_when_it_is_through(self, shared_database_url: str) -> None:
        # A hub of its own: what waits was looked at some seconds ago elsewhere.
        async with a_hub(shared_database_url) as hub:
            office = await hub.an_office()
            await hub.post(
                office, "/api/TextMessages", {"Message": "Hello", "PhoneNumber": "+19706904544,+19706904545"}
            )
            program = await hub.container.programs().find(office.id)
            assert program is not None
            survey = await hub.container.survey_senders().one(program.sender.id)

        assert survey.queued_segments == 2
        assert survey.through_us is not None
        assert 0 <= survey.through_us - hub.container.clock().now_us() + 5_000_000 <= 10_000_000

    @pytest.mark.parametrize(("method", "path"), [("GET", ""), ("PATCH", ""), ("POST", "/Pause"), ("POST", "/Resume")])
    async def test_one_that_there_is_not_is_told(self, hub: Hub, operator: Office, method: str, path: str) -> None:
        body = {"Rate": "1"} if method == "PATCH" else None

        answer = await change(hub, operator, method, f"/api/Senders/{NONE_HAS}{path}", body)

        assert refusal(answer) == (404, "sender-not-found")
        assert "smshub" not in answer.text

    @pytest.mark.parametrize("sender", ["+1", "a name that is too long", "970-690-4544"])
    async def test_what_is_no_sender_is_refused(self, hub: Hub, operator: Office, sender: str) -> None:
        body = {"ProgramId": operator.id, "Sender": sender, "Provider": "sandbox"}

        answer = await hub.post(operator, "/api/Senders", body)

        assert refusal(answer) == (422, "invalid-value")
        assert sender not in answer.text

    @pytest.mark.parametrize(
        ("method", "path", "body", "named"),
        [
            ("POST", "Senders", {"Sender": "+1"}, "#/Sender"),
            ("POST", "Senders", {"Rate": "soon"}, "#/Rate"),
            ("POST", "Senders", {"Provider": "twilio", "Credentials": {"account_sid": "AC1"}}, "#/Credentials"),
            ("PATCH", "Senders/1", {"Rate": "soon"}, "#/Rate"),
            ("PATCH", "Senders/1", {"Backlog": "PT11H"}, "#/Backlog"),
            ("PUT", "ProviderAccounts/1/Credentials", {"Credentials": {"api_key": "k"}}, "#/Credentials"),
        ],
    )
    async def test_what_is_refused_is_named(
        self, hub: Hub, operator: Office, method: str, path: str, body: Mapping[str, object], named: str
    ) -> None:
        new = {"ProgramId": operator.id, "Sender": "+19705550100", "Provider": "sandbox"} if path == "Senders" else {}

        answer = await change(hub, operator, method, f"/api/{path}", {**new, **body})

        assert refusal(answer) == (422, "invalid-value")
        assert [each["pointer"] for each in answer.json()["errors"]] == [named]

    @pytest.mark.parametrize(("sender_id", "expected"), [(2**63 - 1, 404), (2**63, 400), (10**30, 400)])
    async def test_an_id_may_be_as_large_as_the_document_says(
        self, hub: Hub, operator: Office, sender_id: int, expected: int
    ) -> None:
        assert (await hub.get(operator, f"/api/Senders/{sender_id}")).status_code == expected


class TestAccounts:
    async def test_a_sender_comes_with_its_accounts_credentials_and_nobody_sees_them(
        self, hub: Hub, operator: Office
    ) -> None:
        credentials = an_account()
        body = {"ProgramId": operator.id, "Sender": a_sender(), "Provider": "twilio", "Credentials": credentials}

        added = await hub.post(operator, "/api/Senders", body)
        accounts = await hub.get(operator, "/api/ProviderAccounts")
        events = await hub.get(operator, "/api/AuditEvents")
        (account,) = [each for each in good(accounts)["Items"] if each["AccountId"] == good(added)["AccountId"]]

        assert account == {
            "AccountId": good(added)["AccountId"],
            "Provider": "twilio",
            "Account": credentials["account_sid"],
            "HasCredentials": True,
            "Limit": None,
            "Senders": [{"SenderId": good(added)["SenderId"], "Sender": body["Sender"]}],
        }
        assert [each for each in (added, accounts, events) if TOKEN in each.text] == []

    async def test_its_credentials_are_replaced_by_others_of_the_same_account(self, hub: Hub, operator: Office) -> None:
        account_id, credentials = await an_account_at_twilio(hub)
        path = f"/api/ProviderAccounts/{account_id}/Credentials"
        newer = {**credentials, "auth_token": "a-newer-token-of-it"}

        good(await change(hub, operator, "PUT", path, {"Credentials": newer}))

        assert (await hub.container.accounts().credentials(account_id)).values == newer
        event = await last_event(hub, operator)
        assert (event["Action"], event["Subject"], event["Changes"]) == (
            "account.credentials-set",
            f"account twilio {credentials['account_sid']}",
            {},
        )

    @pytest.mark.parametrize(
        ("credentials", "problem"),
        [
            ({"account_sid": f"AC{'0' * 32}", "auth_token": TOKEN}, "other-account"),
            ({"account_sid": "AC1", "auth_token": TOKEN}, "invalid-value"),
            ({"api_key": TOKEN}, "invalid-value"),
        ],
    )
    async def test_what_are_not_its_credentials_changes_nothing_and_is_not_repeated(
        self, hub: Hub, operator: Office, credentials: Mapping[str, str], problem: str
    ) -> None:
        account_id, before = await an_account_at_twilio(hub)
        path = f"/api/ProviderAccounts/{account_id}/Credentials"

        answer = await change(hub, operator, "PUT", path, {"Credentials": credentials})

        assert refusal(answer) == (422, problem)
        assert TOKEN not in answer.text
        assert (await hub.container.accounts().credentials(account_id)).values == before

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"Credentials": TOKEN},
            {"Credentials": {"auth_token": [TOKEN]}},
            {"Credentials": {"auth_token": TOKEN * 100}},
            {"Credentials": {TOKEN: "auth_token"}},
            {"Credentials": {"auth_token": TOKEN}, "Password": TOKEN},
        ],
    )
    async def test_what_are_no_credentials_is_refused_and_not_repeated(
        self, hub: Hub, operator: Office, body: Mapping[str, object]
    ) -> None:
        account_id, _ = await an_account_at_twilio(hub)

        answer = await change(hub, operator, "PUT", f"/api/ProviderAccounts/{account_id}/Credentials", body)

        assert answer.status_code == 400
        assert TOKEN not in answer.text

    async def test_the_sandbox_takes_none(self, hub: Hub, operator: Office) -> None:
        accounts = good(await hub.get(operator, "/api/ProviderAccounts"))["Items"]
        (sandbox,) = [each for each in accounts if each["Provider"] == "sandbox"]
        path = f"/api/ProviderAccounts/{sandbox['AccountId']}"

        answer = await change(hub, operator, "PUT", f"{path}/Credentials", {"Credentials": an_account()})

        assert refusal(answer) == (422, "invalid-value")
        assert sandbox["HasCredentials"] is False
        assert good(await hub.post(operator, f"{path}/Check"))["Result"] == "good"

    async def test_its_provider_says_whether_they_are_good(
        self, hub: Hub, operator: Office, stand_in: TwilioStandIn
    ) -> None:
        credentials = {"account_sid": twilio.ACCOUNT_SID, "auth_token": twilio.AUTH_TOKEN}
        account_id, _ = await an_account_at_twilio(hub, credentials)
        path = f"/api/ProviderAccounts/{account_id}"

        answers = [good(await hub.post(operator, f"{path}/Check"))]
        wrong = {**credentials, "auth_token": TOKEN}
        good(await change(hub, operator, "PUT", f"{path}/Credentials", {"Credentials": wrong}))
        answers.append(good(await hub.post(operator, f"{path}/Check")))
        good(await change(hub, operator, "PUT", f"{path}/Credentials", {"Credentials": credentials}))
        stand_in.does("500", count=1)
        answers.append(good(await hub.post(operator, f"{path}/Check")))

        assert [(each["Result"], each["Reason"]) for each in answers] == [
            ("good", "accepted"),
            ("refused", "credentials-refused"),
            ("not-asked", "server-error"),
        ]
        assert [each["Account"] for each in answers] == [twilio.ACCOUNT_SID] * 3
        assert TOKEN not in json.dumps(answers)

    async def test_credentials_that_the_hub_cannot_read_cannot_be_asked_about(
        self, shared_database_url: str, hub: Hub
    ) -> None:
        account_id, _ = await an_account_at_twilio(hub)

        async with a_hub(shared_database_url, encryption_keys=f"others:{'f' * 43}") as other:
            _, check = await other.container.operate_accounts().check(account_id)

        assert (check.verdict.value, check.reason) == ("not-asked", "credentials-unreadable")

    async def test_one_that_there_is_not_is_told(self, hub: Hub, operator: Office) -> None:
        path = f"/api/ProviderAccounts/{NONE_HAS}"
        answers = [
            await hub.post(operator, f"{path}/Check"),
            await change(hub, operator, "PUT", f"{path}/Credentials", {"Credentials": an_account()}),
        ]

        assert [refusal(each) for each in answers] == [(404, "account-not-found")] * 2


class TestLimits:
    async def test_a_limit_is_made_changed_and_removed(self, hub: Hub, operator: Office) -> None:
        name = a_name()
        path = f"/api/Limits/{name}"

        made = good(await change(hub, operator, "PUT", path, {"Rate": "2"}))
        changed = good(
            await change(hub, operator, "PUT", path, {"Daily": 2_000, "Zone": "America/Chicago", "Counts": "requests"})
        )
        event = await last_event(hub, operator)
        read = good(await hub.get(operator, path))
        listed = good(await hub.get(operator, "/api/Limits"))["Items"]
        removed = good(await change(hub, operator, "DELETE", path))

        assert (made["Name"], made["Rate"], made["Counts"], made["Daily"]) == (name, "2/s", "segments", None)
        assert (changed["Rate"], changed["Daily"], changed["Zone"]) == (None, 2_000, "America/Chicago")
        assert changed == read == removed
        assert changed in listed
        assert event["Changes"] == {
            "Counts": {"Before": "segments", "After": "requests"},
            "Rate": {"Before": "2/s", "After": None},
            "Daily": {"Before": None, "After": 2_000},
            "Zone": {"Before": None, "After": "America/Chicago"},
        }
        assert refusal(await hub.get(operator, path)) == (404, "limit-not-found")
        assert refusal(await change(hub, operator, "DELETE", path)) == (404, "limit-not-found")

    @pytest.mark.parametrize(
        "body", [{}, {"Rate": "0"}, {"Daily": 1}, {"Zone": "UTC"}, {"Daily": 1, "Zone": "Mars/Olympus"}]
    )
    async def test_what_is_no_limit_is_refused(self, hub: Hub, operator: Office, body: Mapping[str, object]) -> None:
        name = a_name()

        assert refusal(await change(hub, operator, "PUT", f"/api/Limits/{name}", body)) == (422, "invalid-value")
        assert (await hub.get(operator, f"/api/Limits/{name}")).status_code == 404

    async def test_a_sender_and_an_account_stand_under_it_and_are_freed(self, hub: Hub, operator: Office) -> None:
        name, other = a_name(), a_name()
        for each in (name, other):
            good(await change(hub, operator, "PUT", f"/api/Limits/{each}", {"Rate": "2"}))
        sender = await a_sandbox_sender(hub, operator, await hub.an_office())
        account_id, credentials = await an_account_at_twilio(hub)
        members = [{"SenderId": sender["SenderId"]}, {"AccountId": account_id}]

        attached = [good(await hub.post(operator, f"/api/Limits/{name}/Attach", each)) for each in members]
        elsewhere = [await hub.post(operator, f"/api/Limits/{other}/Detach", each) for each in members]
        in_use = await change(hub, operator, "DELETE", f"/api/Limits/{name}")
        shown = good(await hub.get(operator, f"/api/Senders/{sender['SenderId']}"))["Limit"]
        freed = [good(await hub.post(operator, f"/api/Limits/{name}/Detach", each)) for each in members]

        assert attached[0]["Senders"] == [sender["Sender"]]
        assert attached[1]["Accounts"] == [f"twilio:{credentials['account_sid']}"]
        assert shown == name
        assert [refusal(each) for each in elsewhere] == [(422, "not-under-limit")] * 2
        assert refusal(in_use) == (422, "limit-in-use")
        assert (freed[1]["Senders"], freed[1]["Accounts"]) == ([], [])
        assert (await last_event(hub, operator))["Changes"] == {"Limit": {"Before": name, "After": None}}

    @pytest.mark.parametrize("what", ["Attach", "Detach"])
    async def test_what_there_is_not_is_told(self, hub: Hub, operator: Office, what: str) -> None:
        name = a_name()
        good(await change(hub, operator, "PUT", f"/api/Limits/{name}", {"Rate": "2"}))
        sender = await a_sandbox_sender(hub, operator, await hub.an_office())

        answers = [
            await hub.post(operator, f"/api/Limits/nothing/{what}", {"SenderId": sender["SenderId"]}),
            await hub.post(operator, f"/api/Limits/{name}/{what}", {"SenderId": NONE_HAS}),
            await hub.post(operator, f"/api/Limits/{name}/{what}", {"AccountId": NONE_HAS}),
        ]
        unclear = [
            await hub.post(operator, f"/api/Limits/{name}/{what}", body)
            for body in ({}, {"SenderId": 1, "AccountId": 1})
        ]

        assert [refusal(each) for each in answers] == [
            (404, "limit-not-found"),
            (404, "sender-not-found"),
            (404, "account-not-found"),
        ]
        assert [refusal(each) for each in unclear] == [(400, "invalid-request")] * 2

    async def test_a_limit_stands_under_another_that_there_is(self, hub: Hub, operator: Office) -> None:
        name = a_name()

        answer = await change(hub, operator, "PUT", f"/api/Limits/{name}", {"Rate": "2", "Under": "nothing"})

        assert refusal(answer) == (404, "limit-not-found")


async def test_prices_are_set_and_removed(hub: Hub, operator: Office) -> None:
    path = "/api/Prices/US"

    first = good(await change(hub, operator, "PUT", path, {"Price": "0.0083", "Currency": "USD"}))
    good(await change(hub, operator, "PUT", path, {"Price": "0.0079", "Currency": "USD"}))
    event = await last_event(hub, operator)
    listed = good(await hub.get(operator, "/api/Prices"))["Items"]
    nowhere = await change(hub, operator, "PUT", "/api/Prices/XX", {"Price": "0.0079", "Currency": "USD"})
    removed = good(await change(hub, operator, "DELETE", path))

    assert first == {"Country": "US", "Price": "0.0083", "Currency": "USD"}
    assert listed == [removed] == [{"Country": "US", "Price": "0.0079", "Currency": "USD"}]
    assert event["Action"] == "price.set"
    assert event["Changes"] == {"Price": {"Before": "0.0083 USD", "After": "0.0079 USD"}}
    assert refusal(nowhere) == (422, "invalid-value")
    assert refusal(await change(hub, operator, "DELETE", path)) == (404, "price-not-found")
    assert (await last_event(hub, operator))["Action"] == "price.removed"


async def an_account_at_twilio(hub: Hub, credentials: Mapping[str, str] | None = None) -> tuple[int, Mapping[str, str]]:
    values = credentials or an_account()
    program, _ = await hub.container.create_program()(
        name="Library", provider="twilio", sender=SenderAddress(a_sender()), credentials=Credentials(values)
    )
    return program.sender.account_id, values


def _queue(sender: Mapping[str, Any]) -> Mapping[str, Any]:
    """Known only of a sender that the hub has looked at since it was added."""
    return {"QueuedSegments": sender["QueuedSegments"]}
