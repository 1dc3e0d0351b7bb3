"""Operators create, change and delete programs."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest
import pytest_asyncio

from adapters.sql import tables
from domain.model.access import Scope
from domain.model.audit import AuditEvent
from domain.model.program_key import KeyTerms
from entrypoints.http.contract import Contract
from tests.contract.http.test_keys import WITHIN_S, refused_in_time
from tests.e2e.sending import ENCRYPTION_KEYS
from tests.http import Credentials, Hub, Office, a_hub

SCHEMAS: Mapping[str, Any] = Contract.load().document["components"]["schemas"]
TERMS = {
    "OnUnknown": "resend",
    "Failover": True,
    "Retention": "P30D",
    "TextingHours": "Mo-Sa 09:00-20:00, Su 12:00-20:00",
    "UrgentAnyTime": True,
    "DuplicateWindow": "PT10M",
    "Notice": "Reply STOP to get no more.",
    "OptOutReply": "You get no more texts.",
    "OptInReply": "You get texts again.",
    "HelpReply": "Ask 970 491 0000.",
    "MailTo": "office@example.org",
    "Countries": ["CA", "own"],
    "DailySegments": 5_000,
    "MonthlySegments": 60_000,
    "BudgetZone": "America/Denver",
    "RecipientsPerRequest": 500,
    "PerRecipient": "5/PT1H",
    "SegmentCap": 3,
    "TokenLifetime": "PT8H",
}
USUAL: Mapping[str, Any] = {
    **dict.fromkeys(TERMS),
    "OnUnknown": "leave",
    "Failover": False,
    "UrgentAnyTime": False,
    "BudgetZone": "UTC",
    "SegmentCap": 24,
}
WRONG: Mapping[str, Any] = {
    "Retention": "PT1H",
    "TextingHours": "22:00-06:00",
    "DuplicateWindow": "P8D",
    "Notice": "  ",
    "OptOutReply": "x" * 480,
    "MailTo": "office at example.org",
    "Countries": ["ZZ"],
    "BudgetZone": "Denver",
    "PerRecipient": "0/PT1H",
    "TokenLifetime": "PT59S",
}
NUMBER = "+19706904544"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(shared_database_url: str) -> AsyncIterator[Hub]:
    async with a_hub(shared_database_url, encryption_keys=ENCRYPTION_KEYS) as hub:
        yield hub


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operator(hub: Hub) -> Office:
    credentials = await hub.create_program()
    _, key = await hub.container.operate_keys().issue(
        credentials.program_id, KeyTerms(scopes=frozenset({Scope.OPERATOR}))
    )
    credentials = Credentials(credentials.program_id, credentials.sid, key.value)
    return Office(credentials, await hub.log_in(credentials))


async def create(hub: Hub, operator: Office, **properties: object) -> httpx.Response:
    body = {"Name": "Library", "Sender": a_sender(), "Provider": "sandbox", **properties}
    return await hub.post(operator, "/api/Programs", body)


def a_sender() -> str:
    return f"+1307555{uuid4().int % 10_000:04}"


async def created(hub: Hub, operator: Office, **properties: object) -> Any:  # noqa: ANN401 - JSON
    answer = await create(hub, operator, **properties)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def office_of(hub: Hub, program: Mapping[str, Any]) -> Office:
    credentials = Credentials(program["ProgramId"], program["ProgramSID"], program["ProgramKey"])
    return Office(credentials, await hub.log_in(credentials))


async def changed(hub: Hub, operator: Office, program: Mapping[str, Any], **changes: object) -> httpx.Response:
    path = f"/api/Programs/{program['ProgramId']}"
    return await hub.client.patch(path, json=changes, headers=operator.headers)


async def deleted(hub: Hub, operator: Office, program_id: str) -> httpx.Response:
    return await hub.client.delete(f"/api/Programs/{program_id}", headers=operator.headers)


def refusal(answer: httpx.Response) -> tuple[int, str, list[str]]:
    problem = answer.json()
    return answer.status_code, problem["type"], [each["pointer"] for each in problem.get("errors", ())]


def terms_of(program: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: program[name] for name in TERMS}


async def events(hub: Hub, program_id: str) -> list[AuditEvent]:
    page = await hub.container.list_audit_events()(program_id=program_id, before=None, limit=10)
    return list(page.items)


def test_what_is_read_when_it_is_created_is_read_alike_when_it_is_changed() -> None:
    new, change = SCHEMAS["NewProgram"]["properties"], SCHEMAS["ProgramChange"]["properties"]

    assert {name: new[name] for name in change} == change
    assert set(change) == {"Name", *TERMS}
    assert set(TERMS) <= set(SCHEMAS["Program"]["properties"])


async def test_a_new_program_can_log_in_and_send_at_once(hub: Hub, operator: Office) -> None:
    answer = await create(hub, operator, Rate="40/min")

    program = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert terms_of(program) == USUAL
    office = await office_of(hub, program)
    sent = await hub.post(office, "/api/TextMessages", {"Message": "Hi", "PhoneNumber": NUMBER})
    assert sent.status_code == 200
    shown = await hub.client.get(answer.headers["Location"], headers=operator.headers)
    assert {**program, **shown.json()} == program
    assert "ProgramKey" not in shown.json()
    listed = (await hub.get(operator, "/api/Programs")).json()["Items"]
    assert shown.json() in listed
    (event,) = await events(hub, program["ProgramId"])
    assert (event.action, event.actor.name, event.actor.via) == ("program.created", operator.id, "api")


async def test_all_terms_are_taken_and_told_as_they_were_given(hub: Hub, operator: Office) -> None:
    program = await created(hub, operator, **TERMS)
    assert terms_of(program) == TERMS

    back = await changed(hub, operator, program, **{name: USUAL[name] for name in TERMS if USUAL[name] is None})
    assert terms_of(back.json()) == {**TERMS, **{name: None for name in TERMS if USUAL[name] is None}}
    again = await changed(hub, operator, program, **TERMS, Name="Main Library")
    assert (again.json()["Name"], terms_of(again.json())) == ("Main Library", TERMS)
    uncapped = await changed(hub, operator, program, SegmentCap=None)
    assert uncapped.json()["SegmentCap"] == 24


async def test_what_is_left_out_stays_as_it_is(hub: Hub, operator: Office) -> None:
    program = await created(hub, operator, **TERMS)

    answer = await changed(hub, operator, program, Retention="P7D")

    assert terms_of(answer.json()) == {**TERMS, "Retention": "P7D"}
    assert answer.json()["Name"] == "Library"
    assert (await changed(hub, operator, program)).json() == answer.json()
    # That nothing was changed is not recorded.
    newest, _ = await events(hub, program["ProgramId"].upper())
    assert (newest.action, newest.changes) == ("program.changed", {"retention_s": (2_592_000, 604_800)})


async def test_durations_are_told_as_they_are_kept_to_the_second(hub: Hub, operator: Office) -> None:
    program = await created(hub, operator, TokenLifetime="PT90.5S")

    answer = await changed(hub, operator, program, DuplicateWindow="PT1.5S")

    assert (program["TokenLifetime"], answer.json()["DuplicateWindow"]) == ("PT1M30S", "PT1S")


async def test_changes_at_the_same_moment_are_all_made(hub: Hub, operator: Office) -> None:
    program = await created(hub, operator)

    await asyncio.gather(*(changed(hub, operator, program, **{name: value}) for name, value in TERMS.items()))

    answer = await hub.client.get(f"/api/Programs/{program['ProgramId'].upper()}", headers=operator.headers)
    assert terms_of(answer.json()) == TERMS


@pytest.mark.parametrize("name", WRONG)
async def test_a_wrong_value_is_named_and_nothing_is_changed(hub: Hub, operator: Office, name: str) -> None:
    program = await created(hub, operator)
    before = (await hub.get(operator, "/api/Programs")).json()

    refused = [
        await changed(hub, operator, program, SegmentCap=2, **{name: WRONG[name]}),
        await create(hub, operator, **{name: WRONG[name]}),
    ]

    assert [refusal(each) for each in refused] == [(422, "invalid-value", [f"#/{name}"])] * 2
    assert (await hub.get(operator, "/api/Programs")).json() == before


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({"Name": " Library"}, (422, "invalid-value", ["#/Name"])),
        ({"Sender": "the front desk of the library"}, (422, "invalid-value", ["#/Sender"])),
        ({"Rate": "soon"}, (422, "invalid-value", ["#/Rate"])),
        ({"Credentials": {"api_key": "k"}}, (422, "invalid-value", ["#/Credentials"])),
        ({"Provider": "twilio", "Credentials": {"account_sid": "AC1"}}, (422, "invalid-value", ["#/Credentials"])),
        ({"Provider": "twilio"}, (422, "credentials-missing", ["#/Credentials"])),
        ({"ProgramId": "library"}, (422, "invalid-value", ["#/ProgramSID"])),
        (
            {"ProgramId": "a\u200bb", "ProgramSID": "s", "ProgramKey": "k"},
            (422, "invalid-value", ["#/ProgramId"]),
        ),
        ({"Provider": "mail"}, (400, "invalid-request", ["#/Provider"])),
        ({"Retention": 30}, (400, "invalid-request", ["#/Retention"])),
        ({"SegmentCap": 25}, (400, "invalid-request", ["#/SegmentCap"])),
        ({"DailySegments": True}, (400, "invalid-request", ["#/DailySegments"])),
        ({"Countries": []}, (400, "invalid-request", ["#/Countries"])),
        ({"Credentials": {"api_key": 1}}, (400, "invalid-request", ["#/Credentials/api_key"])),
        ({"Colour": "red"}, (400, "unknown-property", ["#/Colour"])),
    ],
)
async def test_what_cannot_be_created_is_refused_and_named(
    hub: Hub, operator: Office, properties: Mapping[str, object], expected: tuple[int, str, list[str]]
) -> None:
    before = (await hub.get(operator, "/api/Programs")).json()

    assert refusal(await create(hub, operator, **properties)) == expected
    assert (await hub.get(operator, "/api/Programs")).json() == before


async def test_a_sender_is_shared_with_its_pace(hub: Hub, operator: Office) -> None:
    program = await created(hub, operator, Rate="2")
    its = {"Sender": program["Senders"][0]}

    second = await created(hub, operator, **its)
    refused = await create(hub, operator, **its, Rate="3")

    assert second["SenderId"] == program["SenderId"]
    assert refusal(refused) == (422, "pace-differs", ["#/Rate"])


async def test_credentials_are_kept_encrypted_and_shown_nowhere(hub: Hub, operator: Office) -> None:
    secret = "a-token-that-nobody-is-to-see"
    given = {"account_sid": "AC" + "5" * 32, "auth_token": secret}

    program = await create(hub, operator, Provider="twilio", Credentials=given)

    assert program.status_code == 200
    assert secret not in program.text
    assert secret not in (await hub.get(operator, "/api/AuditEvents")).text
    (sender,) = [each for each in await hub.container.senders().all() if each.id == program.json()["SenderId"]]
    assert (await hub.container.accounts().credentials(sender.account_id)).values == given


async def test_a_program_of_the_first_hub_keeps_its_identity(hub: Hub, operator: Office) -> None:
    identity = {"ProgramId": str(uuid4()).upper(), "ProgramSID": f"PG{uuid4().hex}", "ProgramKey": "k3y"}

    program = await created(hub, operator, **identity)
    again = await create(hub, operator, **{**identity, "ProgramId": identity["ProgramId"].lower()})

    assert {**program, **identity, "FirstHub": True} == program
    assert (await hub.get(await office_of(hub, program), "/api/TextMessages")).status_code == 200
    assert (again.status_code, again.json()["type"]) == (409, "program-exists")


@pytest.mark.parametrize(("lifetime", "seconds"), [("PT1M", 60), ("PT8H", 28_800), ("P366D", 31_622_400)])
async def test_its_tokens_are_good_for_as_long_as_it_says(
    hub: Hub, operator: Office, lifetime: str, seconds: int
) -> None:
    program = await created(hub, operator, TokenLifetime=lifetime)

    office = await office_of(hub, program)

    claims = jwt.decode(office.token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == seconds
    assert (await hub.get(office, "/api/TextMessages")).status_code == 200


@pytest.mark.parametrize("lifetime", ["PT59S", "P366DT1S", "P999999999D", "-PT1H", "P"])
async def test_tokens_are_good_for_a_minute_to_366_days(hub: Hub, operator: Office, lifetime: str) -> None:
    program = await created(hub, operator)

    answer = await changed(hub, operator, program, TokenLifetime=lifetime)

    assert answer.status_code in {400, 422}
    assert [each["pointer"] for each in answer.json()["errors"]] == ["#/TokenLifetime"]


async def test_a_cap_of_segments_holds_within_five_seconds(hub: Hub, operator: Office) -> None:
    program = await created(hub, operator, SegmentCap=2)
    office = await office_of(hub, program)
    long = {"Message": "x" * 307, "PhoneNumber": NUMBER}

    refused = await hub.post(office, "/api/TextMessages", long)
    await changed(hub, operator, program, SegmentCap=3)
    changed_s = asked_s = time.monotonic()
    while (answer := await hub.post(office, "/api/TextMessages", long)).status_code != 200:
        assert asked_s < changed_s + WITHIN_S
        await asyncio.sleep(0.1)
        asked_s = time.monotonic()

    assert refused.json()["type"] == "too-many-segments"
    assert answer.json()["Segments"] == 3


async def test_a_deleted_program_is_shut_out_for_good(hub: Hub, operator: Office) -> None:
    program = await created(hub, operator)
    office = await office_of(hub, program)
    await hub.post(office, "/api/Webhooks", {"Url": "https://office.example/hub"})
    text = (await hub.post(office, "/api/TextMessages", {"Message": "Hi", "PhoneNumber": NUMBER})).json()
    path = f"/api/Programs/{program['ProgramId']}"

    answer = await deleted(hub, operator, program["ProgramId"].upper())

    assert (answer.status_code, answer.json()["ProgramId"]) == (200, program["ProgramId"])
    assert answer.json()["Canceled"] == 1
    await refused_in_time(hub, office)
    login = await hub.client.post("/api/Login", json=office.credentials.login)
    assert login.json()["type"] == "credentials-refused"
    assert program["ProgramId"] not in (await hub.get(operator, "/api/Programs")).text
    (last, *_) = (await hub.get(operator, "/api/Programs", Deleted="true")).json()["Items"]
    assert (last["ProgramId"], last["DeletedAt"]) == (program["ProgramId"], answer.json()["DeletedAt"])
    for method, after in (("GET", ""), ("DELETE", ""), ("GET", "/Keys"), ("POST", "/Reinstate"), ("POST", "/Suspend")):
        refused = await hub.client.request(method, path + after, headers=operator.headers)
        assert (refused.status_code, refused.json()["type"]) == (404, "program-not-found")
    refused = await changed(hub, operator, program, Name="Museum")
    assert (refused.status_code, refused.json()["type"]) == (404, "program-not-found")
    identity = {"ProgramId": program["ProgramId"], "ProgramSID": "new", "ProgramKey": "k3y"}
    assert (await create(hub, operator, **identity)).json()["type"] == "program-exists"
    assert [each.action for each in await events(hub, program["ProgramId"])] == ["program.deleted", "program.created"]
    summary = await hub.container.texts().page(program["ProgramId"], before=None, limit=1)
    assert [str(each.message.id) for each in summary.items] == [text["Id"]]
    assert [state.value for state in summary.items[0].counts] == ["canceled"]


async def test_of_many_who_delete_it_at_once_one_does(hub: Hub, operator: Office) -> None:
    program = await created(hub, operator)

    answers = await asyncio.gather(*(deleted(hub, operator, program["ProgramId"]) for _ in range(5)))

    assert sorted(each.status_code for each in answers) == [200, 404, 404, 404, 404]


async def test_no_operator_deletes_itself(hub: Hub, operator: Office) -> None:
    answers = [await deleted(hub, operator, each) for each in (operator.id, operator.id.upper())]

    assert [(each.status_code, each.json()["type"]) for each in answers] == [(409, "own-program")] * 2
    assert (await hub.get(operator, "/api/Programs")).status_code == 200


async def test_without_a_key_to_encrypt_with_credentials_are_refused(database_url: str) -> None:
    async with a_hub(database_url) as keyless:
        credentials = await keyless.create_program()
        _, key = await keyless.container.operate_keys().issue(
            credentials.program_id, KeyTerms(scopes=frozenset({Scope.OPERATOR}))
        )
        office = await office_of(
            keyless, {"ProgramId": credentials.program_id, "ProgramSID": credentials.sid, "ProgramKey": key.value}
        )

        answer = await create(
            keyless, office, Provider="twilio", Credentials={"account_sid": "AC" + "5" * 32, "auth_token": "a-secret"}
        )

        assert (answer.status_code, answer.json()["type"]) == (422, "encryption-keys-missing")
        async with keyless.container.database().reading() as connection:
            assert len((await connection.execute(tables.programs.select())).all()) == 1
