"""Every example of the document is true: requests can be sent as they stand, answers are what the hub says."""

import json
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import delete, insert, select, update

from adapters.sql import tables
from domain.errors import (
    BudgetExceeded,
    CountryNotAllowed,
    EncryptionKeysMissing,
    HubBusy,
    HubError,
    IdempotencyKeyInUse,
    StoreUnavailable,
)
from domain.model.access import Grant, KeyKind, Scope
from domain.model.callback import Callback, CallbackKind
from domain.model.consent import Scope as ConsentScope
from domain.model.credentials import Credentials as ProviderCredentials
from domain.model.inbound_message import InboundText
from domain.model.limit import DailyCap, Limit
from domain.model.message_body import MessageBody
from domain.model.pace import Pace
from domain.model.phone_number import PhoneNumber
from domain.model.price import Price
from domain.model.program_key import KeyHash, KeyTerms, ProgramKey
from domain.model.recipients import OTHER_COUNTRY
from domain.model.sender import OptOutReplies, SenderAddress
from domain.model.template import TemplateName, TemplateText
from domain.model.terms import USUAL_TERMS
from domain.model.webhook import EventType, Webhook
from domain.model.webhook_secret import WebhookSecret
from domain.use_cases.receive_callback import ReceiveCallback
from domain.use_cases.send_text import SendText
from entrypoints.http.contract import Contract, Operation
from tests import signing
from tests.builders import Store, a_program, a_text
from tests.documented import PROBLEM, Documented
from tests.http import PUBLIC_URL, Credentials, Hub, Office, a_hub

CONTRACT = Contract.load()
DOCUMENTED = Documented(CONTRACT)
OPERATIONS = list(CONTRACT.operations.values())
COMPONENTS: Mapping[str, Any] = CONTRACT.document["components"]

FORM = "application/x-www-form-urlencoded"
SECRET = "the-signature-secret-of-an-account"
ENCRYPTION_KEYS = "tests:" + "0123456789abcdef" * 3


def examples_of(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those of a parameter or of content, by name; a schema's own where there are no others."""
    if "examples" in value:
        return {name: each["value"] for name, each in value["examples"].items()}
    its = value if "example" in value else DOCUMENTED.resolved(value["schema"])
    return {"example": its["example"]} if "example" in its else {}


def parameters_of(operation: Operation) -> Sequence[Mapping[str, Any]]:
    return [DOCUMENTED.resolved(each) for each in operation.definition.get("parameters", ())]


def bodies_of(operation: Operation) -> Mapping[str, Mapping[str, Any]]:
    """By media type."""
    content: Mapping[str, Mapping[str, Any]] = operation.definition.get("requestBody", {}).get("content", {})
    return content


def success_of(operation: Operation) -> tuple[int, Mapping[str, Mapping[str, Any]]]:
    """What it is answered with when all is well: status and content."""
    ((status, response),) = (each for each in operation.definition["responses"].items() if each[0].startswith("2"))
    return int(status), DOCUMENTED.resolved(response).get("content", {})


@dataclass(frozen=True, kw_only=True)
class Request:
    """One that the document shows. `name` is that of the body's example."""

    operation: Operation
    name: str = "example"
    media_type: str | None = None
    body: Any = None
    parameters: Mapping[str, Mapping[str, Any]]

    def __str__(self) -> str:
        return " ".join(filter(None, (self.operation.id, self.name, self.media_type)))

    @property
    def path(self) -> str:
        query = urlencode(self.parameters.get("query", {}))
        return self.operation.path.format(**self.parameters.get("path", {})) + (f"?{query}" if query else "")


def requests_of(operation: Operation) -> Iterator[Request]:
    """Each body of each media type, and with every parameter; the first of several bodies goes without them."""
    parameters: dict[str, dict[str, Any]] = {}
    for each in parameters_of(operation):
        [value] = examples_of(each).values()
        its = value if each.get("explode") else {each["name"]: value}
        parameters.setdefault(each["in"], {}).update(
            {name: one if isinstance(one, str) else json.dumps(one) for name, one in its.items()}
        )
    if not bodies_of(operation):
        yield Request(operation=operation, parameters=parameters)
    for media_type, content in bodies_of(operation).items():
        bodies = examples_of(content)
        for index, (name, body) in enumerate(bodies.items()):
            alone = index == 0 and len(bodies) > 1
            yield Request(
                operation=operation,
                name=name,
                media_type=media_type,
                body=body,
                parameters={} if alone else parameters,
            )


REQUESTS = [request for operation in OPERATIONS for request in requests_of(operation)]
THE_TEXT = examples_of(success_of(CONTRACT.operations["getTextMessage"])[1]["application/json"])["example"]
THE_WEBHOOK = examples_of(success_of(CONTRACT.operations["getWebhook"])[1]["application/json"])["example"]
THE_TEMPLATE = examples_of(success_of(CONTRACT.operations["getTemplate"])[1]["application/json"])["example"]
THE_DELIVERIES = examples_of(success_of(CONTRACT.operations["listDeliveries"])[1]["application/json"])["example"]
ANSWERS = [
    (operation, name, media_type, value)
    for operation in OPERATIONS
    for media_type, content in success_of(operation)[1].items()
    for name, value in examples_of(content).items()
]
PROBLEMS = [
    (response, name, value)
    for response, definition in COMPONENTS["responses"].items()
    for name, value in (examples_of(definition["content"][PROBLEM]) if "content" in definition else {}).items()
]


# The document


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.id)
def test_every_request_parameter_answer_and_problem_has_an_example(operation: Operation) -> None:
    responses = [DOCUMENTED.resolved(each) for each in operation.definition["responses"].values()]
    contents = [content for each in responses for content in each.get("content", {}).values()]

    for each in [*parameters_of(operation), *bodies_of(operation).values(), *contents]:
        assert examples_of(each), each


@pytest.mark.parametrize(
    ("operation", "media_type", "value"),
    [(operation, media_type, value) for operation, _, media_type, value in ANSWERS],
    ids=[f"{operation.id} {name}" for operation, name, _, _ in ANSWERS],
)
def test_answers_match_their_schemas(operation: Operation, media_type: str, value: object) -> None:
    response = httpx.Response(
        success_of(operation)[0],
        content=value if isinstance(value, str) and not media_type.endswith("json") else json.dumps(value),
        headers={"Content-Type": media_type, "Location": "there", "Content-Disposition": "attachment"},
        request=httpx.Request(operation.method, f"https://hub{operation.path.replace('{Id}', str(uuid4()))}"),
    )

    DOCUMENTED.check(response)


@pytest.mark.parametrize(("response", "value"), [(response, value) for response, _, value in PROBLEMS])
def test_problems_have_the_status_under_which_they_stand(response: str, value: Mapping[str, Any]) -> None:
    statuses = {
        int(status)
        for operation in OPERATIONS
        for status, each in operation.definition["responses"].items()
        if each.get("$ref") == f"#/components/responses/{response}"
    }

    assert statuses == {value["status"]}
    DOCUMENTED.validator("Problem").validate(value)


def test_the_examples_tell_of_one_program_and_one_text() -> None:
    ids = {
        str(each): each.parameters["path"]["Id"]
        for each in REQUESTS
        if "Id" in each.parameters.get("path", {}) and "Webhooks" not in each.path
    }
    canceled = examples_of(success_of(CONTRACT.operations["cancelTextMessage"])[1]["application/json"])["example"]
    (sent,) = [
        value for operation, name, _, value in ANSWERS if (operation.id, name) == ("sendTextMessage", "oneNumber")
    ]
    listed = examples_of(success_of(CONTRACT.operations["listTextMessages"])[1]["application/json"])["example"]

    assert (
        set(ids.values()) == {THE_TEXT["Id"], canceled["Id"], sent["Id"], listed["Items"][0]["Id"]} == {THE_TEXT["Id"]}
    )
    assert listed["Items"] == [THE_TEXT]
    assert [each["PhoneNumber"] for each in THE_DELIVERIES["Items"]] == [THE_TEXT["PhoneNumber"]]


LISTS: Mapping[str, Any] = {
    operation.id: examples_of(success_of(operation)[1]["application/json"])["example"]
    for operation in CONTRACT.operations.values()
    if operation.id.startswith("list")
}
NEW_PROGRAMS = examples_of(bodies_of(CONTRACT.operations["createProgram"])["application/json"])
FILES: Mapping[str, str] = {
    operation.id: examples_of(success_of(operation)[1]["text/csv"])["example"]
    for operation in OPERATIONS
    if operation.id.startswith("export")
}


# What the hub says


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def the_hub(shared_database_url: str) -> AsyncIterator[Hub]:
    """It has the program of the examples, and an account at each provider that calls in them."""
    accounts: Sequence[tuple[str, Mapping[str, str]]] = [
        ("twilio", {"account_sid": example("TwilioStatus")["AccountSid"], "auth_token": SECRET}),
        (
            "vonage",
            {"api_key": example("VonageSms")["api-key"], "api_secret": "a-secret-of-its", "signature_secret": SECRET},
        ),
    ]
    settings = {"encryption_keys": ENCRYPTION_KEYS, "segment_price": "0.0083 USD", "logins_per_minute": 250}
    async with a_hub(shared_database_url, **settings) as hub:
        credentials = example("Credentials")
        key_hash = KeyHash(ProgramKey(credentials["ProgramKey"]).hash())
        program = a_program(
            THE_TEXT["ProgramId"],
            sid=credentials["ProgramSID"],
            key_hash=key_hash,
            sender=SenderAddress(THE_TEXT["Sender"]),
        )
        await Store.on(hub.container.database()).programs.add(program)
        for provider, values in accounts:
            await hub.container.create_program()(
                name="City Hall",
                provider=provider,
                sender=SenderAddress("+19705550199"),
                pace=Pace.parse("1"),
                credentials=ProviderCredentials(values),
            )
        yield hub


@pytest_asyncio.fixture(loop_scope="module")
async def office(the_hub: Hub) -> Office:
    """The program of the examples, logged in; its log has the text of the examples, an older one, and nothing else."""
    database = the_hub.container.database()
    async with database.writing() as connection:
        for table in (
            tables.idempotency_keys,
            tables.deliveries,
            tables.text_messages,
            tables.opt_outs,
            tables.consent_events,
            tables.inbound_messages,
            tables.callbacks,
            tables.audit_events,
            tables.erasures,
            tables.webhook_calls,
            tables.webhook_events,
            tables.webhooks,
            tables.template_versions,
            tables.templates,
        ):
            await connection.execute(delete(table))
        await connection.execute(update(tables.programs).values(deleted_us=None))
        await connection.execute(update(tables.program_keys).values(revoked_us=None))
    program = await Store.on(database).programs.find(THE_TEXT["ProgramId"])
    assert program is not None
    at_us = microseconds(THE_TEXT["DateSent"])
    [delivery] = THE_DELIVERIES["Items"]
    number = PhoneNumber(delivery["PhoneNumber"])
    text_id = UUID(THE_TEXT["Id"])
    for message_id, minutes in ((UUID(int=text_id.int - (60_000 << 80)), 1), (text_id, 0)):
        text = a_text(program, number, message_id=message_id, at_us=at_us - minutes * 60_000_000)
        await Store.on(database).intake.add(text)
    async with database.writing() as connection:
        await connection.execute(
            update(tables.text_messages).values(body=MessageBody(THE_TEXT["Message"]).text, estimated_us=at_us)
        )
        await connection.execute(
            update(tables.deliveries).values(
                state=delivery["Status"],
                attempt=delivery["Attempts"],
                provider_reference=delivery["ProviderReference"],
                updated_us=microseconds(delivery["UpdatedAt"]),
            )
        )
    await the_hub.container.change_program()(THE_TEXT["ProgramId"], lambda _: USUAL_TERMS)
    await the_second_key(the_hub)
    await the_hub.container.pause().suspend(program.id, suspended=False)
    await senders_are_as_shown(the_hub)
    await a_webhook_is_told(the_hub)
    await the_hub.container.templates().add(
        program.id,
        TemplateName(THE_TEMPLATE["Name"]),
        TemplateText(THE_TEMPLATE["Message"]),
        now_us=microseconds(THE_TEMPLATE["CreatedAt"]),
    )
    login = example("Credentials")
    credentials = Credentials(THE_TEXT["ProgramId"], login["ProgramSID"], login["ProgramKey"])
    return Office(credentials, await the_hub.log_in(credentials))


async def the_second_key(hub: Hub) -> None:
    """The program of the examples has the key that they revoke, and its first one."""
    shown = examples_of(success_of(CONTRACT.operations["revokeKey"])[1]["application/json"])["example"]
    keys, its = hub.container.program_keys(), tables.program_keys.c
    first = (await keys.of_program(THE_TEXT["ProgramId"]))[0]
    async with hub.container.database().writing() as connection:
        of_program = its.program_id == THE_TEXT["ProgramId"]
        await connection.execute(delete(tables.program_keys).where(of_program, its.id != first.id))
    terms = KeyTerms(
        kind=KeyKind(shown["Kind"]),
        name=shown["Name"],
        numbers=frozenset(map(PhoneNumber, shown["Numbers"])),
        networks=tuple(shown["Networks"]),
        expires_us=microseconds(shown["ExpiresAt"]),
    )
    added = await keys.add(THE_TEXT["ProgramId"], KeyHash(b"7" * 32), terms, hint=shown["Hint"], now_us=1)
    async with hub.container.database().writing() as connection:
        await connection.execute(update(tables.program_keys).where(its.id == added.id).values(id=shown["KeyId"]))


async def senders_are_as_shown(hub: Hub) -> None:
    """With the limit, which one of them stands under, and the price."""
    container, limits = hub.container, hub.container.limits()
    shown, limit, price = LISTS["listSenders"]["Items"][0], LISTS["listLimits"]["Items"][0], LISTS["listPrices"]
    async with container.database().writing() as connection:
        await connection.execute(delete(tables.program_senders))
        added = tables.programs.c.name.in_(each["Name"] for each in NEW_PROGRAMS.values())
        its_keys = tables.program_keys.c.program_id.in_(select(tables.programs.c.id).where(added))
        await connection.execute(delete(tables.program_keys).where(its_keys))
        await connection.execute(delete(tables.programs).where(added))
        await connection.execute(delete(tables.senders).where(tables.senders.c.id > 3))
        await connection.execute(delete(tables.prices))
        await connection.execute(delete(tables.staff_roles))
        for role in LISTS["listStaffRoles"]["Items"]:
            its = {"id": role["Id"], "group_name": role["Group"], "role": role["Role"], "program_id": role["ProgramId"]}
            await connection.execute(insert(tables.staff_roles).values(its))
    await container.change_sender()(
        shown["SenderId"],
        pace=Pace.parse(shown["Rate"]),
        backlog=timedelta(0),
        opt_out_replies=OptOutReplies(shown["OptOutReplies"]),
    )
    await container.pause().sender(shown["SenderId"], paused=False)
    cap = DailyCap(limit["Daily"], limit["Zone"])
    await limits.put(Limit(name=limit["Name"], pace=Pace.parse(limit["Rate"]), daily=cap))
    await limits.attach_sender(LISTS["listSenders"]["Items"][1]["SenderId"], limit["Name"])
    for each in price["Items"]:
        await container.prices().put(each["Country"], Price.parse(f"{each['Price']} {each['Currency']}"))


@pytest_asyncio.fixture(loop_scope="module")
async def operator(the_hub: Hub, office: Office) -> Office:
    """That of the examples, with a key of their program's."""
    (event,) = LISTS["listAuditEvents"]["Items"]
    granted = the_hub.container.tokens().verify(office.token)
    grant = replace(granted, program_id=event["Actor"], scopes=frozenset({Scope.OPERATOR}), token_id=str(uuid4()))
    return Office(office.credentials, the_hub.container.tokens().issue(grant))


@pytest.mark.parametrize("request_", REQUESTS, ids=str)
async def test_a_request_is_taken_as_it_stands_and_answered_as_the_document_shows(
    the_hub: Hub, office: Office, operator: Office, request_: Request
) -> None:
    if request_.operation.id == "cancelTextMessage":
        await nothing_is_sent_yet(the_hub)
    if request_.operation.id == "createTemplate":
        await there_are_no_templates(the_hub)
    if request_.operation.id == "deleteLimit":
        await the_hub.container.limits().attach_sender(2, None)
    if request_.operation.id == "removeSender":
        sender = SenderAddress("+19705550199")
        await the_hub.container.add_sender()(THE_TEXT["ProgramId"], provider="twilio", sender=sender)

    response = await send(the_hub, operator if request_.operation.is_operators else office, request_)

    status, content = success_of(request_.operation)
    assert response.status_code == status, response.text
    shown = {name: value for each in content.values() for name, value in examples_of(each).items()}
    if request_.name in shown and request_.operation.id not in {"logIn", *LISTS, *FILES}:
        is_json = "json" in response.headers["content-type"]
        assert lasting(response.json() if is_json else response.text) == lasting(shown[request_.name])


async def test_each_list_and_each_file_is_as_the_document_shows(the_hub: Hub, office: Office) -> None:
    texts = await the_hub.get(office, "/api/TextMessages", Limit=1)
    deliveries = await the_hub.get(office, f"/api/TextMessages/{THE_TEXT['Id']}/Deliveries")

    await the_recipient_texts(the_hub, LISTS["listInboundMessages"]["Items"][0]["Message"])
    inbox = await the_hub.get(office, "/api/InboundMessages")
    opt_outs = await the_hub.get(office, "/api/OptOuts")
    said = await the_hub.get(office, "/api/ConsentEvents", PhoneNumber=THE_TEXT["PhoneNumber"])
    texts_file = await the_hub.get(office, "/api/TextMessages/Export", DateSentFrom=THE_TEXT["DateSent"])
    opt_outs_file = await the_hub.get(office, "/api/OptOuts/Export")

    shown = LISTS["listTextMessages"]
    assert texts.json() == shown
    assert deliveries.json() == THE_DELIVERIES
    assert shown["NextCursor"] == examples_of(COMPONENTS["parameters"]["Cursor"])["example"]
    (stopped,) = inbox.json()["Items"]
    assert {**inbox.json(), "Items": [{**stopped, "Id": 17}]} == LISTS["listInboundMessages"]
    assert opt_outs.json() == LISTS["listOptOuts"]
    assert said.json() == LISTS["listConsentEvents"]
    assert texts_file.text == FILES["exportTextMessages"]
    assert opt_outs_file.text == FILES["exportOptOuts"]
    for path, name in (("", "listTemplates"), ("/appointment/Versions", "listTemplateVersions")):
        assert (await the_hub.get(office, f"/api/Templates{path}")).json() == LISTS[name]


async def test_what_operators_list_is_as_the_document_shows(the_hub: Hub, operator: Office) -> None:
    its = f"/api/Programs/{THE_TEXT['ProgramId']}"
    await the_hub.post(operator, f"{its}/Suspend")
    await the_hub.post(operator, f"{its}/Reinstate")
    await the_hub.container.program_keys().used(1, now_us=1)

    programs = await the_hub.get(operator, "/api/Programs")
    keys = await the_hub.get(operator, f"{its}/Keys")
    events = await the_hub.get(operator, "/api/AuditEvents", ProgramId=THE_TEXT["ProgramId"])

    (program,) = LISTS["listPrograms"]["Items"]
    assert program in programs.json()["Items"]
    first = lasting(keys.json()["Items"][0])
    assert first == lasting(LISTS["listKeys"]["Items"][0])
    suspended = [each for each in events.json()["Items"] if each["Action"] == "program.suspended"]
    assert lasting(suspended) == lasting(LISTS["listAuditEvents"]["Items"])


async def test_the_senders_and_what_they_share_are_listed_as_the_document_shows(the_hub: Hub, operator: Office) -> None:
    senders = (await the_hub.get(operator, "/api/Senders")).json()
    accounts = (await the_hub.get(operator, "/api/ProviderAccounts")).json()
    limits = await the_hub.get(operator, "/api/Limits")
    prices = await the_hub.get(operator, "/api/Prices")
    roles = await the_hub.get(operator, "/api/StaffRoles")

    own, twilios = LISTS["listSenders"]["Items"]
    assert senders["Items"][0] == own
    assert {**senders["Items"][1], "Programs": twilios["Programs"]} == twilios
    assert accounts["Items"][:2] == LISTS["listProviderAccounts"]["Items"]
    assert limits.json() == LISTS["listLimits"]
    assert prices.json() == LISTS["listPrices"]
    assert roles.json() == LISTS["listStaffRoles"]


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """A request that goes wrong. `accident` is what happens meanwhile to every text and callback."""

    method: str = "POST"
    path: str = "/api/TextMessages"
    body: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    accident: HubError | None = None
    anonymous: bool = False
    by_operator: bool = False
    times: int = 1


GOOD = {"Message": "Hello", "PhoneNumber": "+19706904544"}
KEY = {"Idempotency-Key": "once"}
A_SENDER = {"ProgramId": THE_TEXT["ProgramId"], "Sender": "+19705550188", "Provider": "sandbox"}
STRANGER = {"ProgramSID": "nobody", "ProgramKey": "nothing"}
A_PROGRAM = {"Name": "Library", "Sender": THE_TEXT["Sender"], "Provider": "sandbox"}
PROVOKED: Mapping[tuple[str, str], Wrong] = {
    ("BadRequest", "missing"): Wrong(body={"Message": "Hello"}),
    ("BadRequest", "unknown"): Wrong(body={**GOOD, "Colour": "red"}),
    ("BadRequest", "parameter"): Wrong(method="GET", path="/api/TextMessages?Limit=0"),
    ("BadRequest", "list"): Wrong(path="/api/OptOuts/Import", content=b"Name", headers={"Content-Type": "text/csv"}),
    ("Unauthorized", "token"): Wrong(body=GOOD, anonymous=True),
    ("Unauthorized", "credentials"): Wrong(path="/api/Login", body=STRANGER),
    ("Forbidden", "program"): Wrong(body={**GOOD, "ProgramId": "another"}),
    ("Forbidden", "scope"): Wrong(body=GOOD),
    ("NotTheProviders", "refused"): Wrong(
        path="/callbacks/twilio/status", content=b"a=b", headers={"Content-Type": FORM}
    ),
    ("NotFound", "message"): Wrong(method="GET", path=f"/api/TextMessages/{uuid4()}"),
    ("NotFound", "program"): Wrong(method="GET", path="/api/Programs/museum/Keys", by_operator=True),
    ("NotFound", "key"): Wrong(path=f"/api/Programs/{THE_TEXT['ProgramId']}/Keys/999/Revoke", by_operator=True),
    ("NotFound", "sender"): Wrong(method="GET", path="/api/Senders/999", by_operator=True),
    ("NotFound", "account"): Wrong(path="/api/ProviderAccounts/999/Check", by_operator=True),
    ("NotFound", "limit"): Wrong(method="GET", path="/api/Limits/pool", by_operator=True),
    ("NotFound", "staffRole"): Wrong(method="DELETE", path="/api/StaffRoles/999", by_operator=True),
    ("NotFound", "price"): Wrong(method="DELETE", path="/api/Prices/US", by_operator=True),
    ("NotFound", "webhook"): Wrong(method="GET", path=f"/api/Webhooks/{uuid4()}"),
    ("NotFound", "template"): Wrong(method="GET", path="/api/Templates/invitation"),
    ("NotFound", "event"): Wrong(path=f"/api/Webhooks/{THE_WEBHOOK['Id']}/Replay", body={"EventId": str(uuid4())}),
    ("ContentTooLarge", "text"): Wrong(content=b" " * (4 * 1024 * 1024 + 1)),
    ("ContentTooLarge", "login"): Wrong(path="/api/Login", content=b" " * (16 * 1024 + 1)),
    ("ContentTooLarge", "callback"): Wrong(path="/callbacks/vonage/status", content=b" " * (64 * 1024 + 1)),
    ("UnsupportedMediaType", "json"): Wrong(content=b"Hello", headers={"Content-Type": "text/plain"}),
    ("UnsupportedMediaType", "csv"): Wrong(path="/api/OptOuts/Import", body=GOOD),
    ("Conflict", "exists"): Wrong(
        path="/api/Programs",
        body={
            **A_PROGRAM,
            "ProgramId": THE_TEXT["ProgramId"],
            "ProgramSID": "another",
            "ProgramKey": "of the first hub",
        },
        by_operator=True,
    ),
    ("Conflict", "own"): Wrong(
        method="DELETE", path=f"/api/Programs/{LISTS['listAuditEvents']['Items'][0]['Actor']}", by_operator=True
    ),
    ("Conflict", "sender"): Wrong(
        method="DELETE", path=f"/api/Programs/{THE_TEXT['ProgramId']}/Senders/1", by_operator=True
    ),
    ("InFlight", "key"): Wrong(body=GOOD, accident=IdempotencyKeyInUse()),
    ("Conflict", "template"): Wrong(path="/api/Templates", body={"Name": "Appointment", "Message": "Hello"}),
    ("Refused", "template"): Wrong(body={"Template": "invitation", "PhoneNumber": "+19706904544"}),
    ("Refused", "values"): Wrong(
        path="/api/Templates/appointment/Preview", body={"Personalisation": {"FirstName": "Ada", "Date": "Monday"}}
    ),
    ("Refused", "unclear"): Wrong(body={**GOOD, "Template": "appointment"}),
    ("Refused", "braces"): Wrong(path="/api/Templates", body={"Name": "invitation", "Message": "Hello {{ Name }}"}),
    ("Refused", "numbers"): Wrong(body={**GOOD, "PhoneNumber": "+19706904544, 555, 970-690-HELP"}),
    ("Refused", "time"): Wrong(body={**GOOD, "ExpiresAt": "2025-11-22T04:00:00-07:00"}),
    ("Refused", "sender"): Wrong(body={**GOOD, "Sender": "+19705550123"}),
    ("Refused", "key"): Wrong(body={**GOOD, "Message": "Goodbye"}, headers=KEY),
    ("Refused", "number"): Wrong(method="GET", path="/api/TextMessages?PhoneNumber=555"),
    ("Refused", "address"): Wrong(path="/api/Webhooks", body={"Url": "https://10.0.0.1/hooks"}),
    ("Refused", "webhooks"): Wrong(path="/api/Webhooks", body={"Url": THE_WEBHOOK["Url"]}, times=10),
    ("Refused", "replay"): Wrong(path=f"/api/Webhooks/{THE_WEBHOOK['Id']}/Replay", body={}),
    ("Refused", "program"): Wrong(path="/api/Senders", body={**A_SENDER, "ProgramId": "museum"}, by_operator=True),
    ("Refused", "account"): Wrong(
        method="PUT",
        path="/api/ProviderAccounts/2/Credentials",
        body={"Credentials": {"account_sid": f"AC{'0' * 32}", "auth_token": SECRET}},
        by_operator=True,
    ),
    ("Refused", "limit"): Wrong(method="DELETE", path="/api/Limits/campaign", by_operator=True),
    ("Refused", "circle"): Wrong(
        method="PUT", path="/api/Limits/campaign", body={"Rate": "1", "Under": "campaign"}, by_operator=True
    ),
    ("Refused", "member"): Wrong(path="/api/Limits/campaign/Detach", body={"SenderId": 1}, by_operator=True),
    ("Refused", "currency"): Wrong(
        method="PUT", path="/api/Prices/DE", body={"Price": "0.07", "Currency": "EUR"}, by_operator=True
    ),
    ("Refused", "property"): Wrong(path="/api/Programs", body={**A_PROGRAM, "Retention": "PT1H"}, by_operator=True),
    ("Refused", "pace"): Wrong(path="/api/Programs", body={**A_PROGRAM, "Rate": "2"}, by_operator=True),
    ("Refused", "credentials"): Wrong(
        path="/api/Programs",
        body={**A_PROGRAM, "Provider": "vonage", "Sender": "+19705550177"},
        by_operator=True,
    ),
    ("Refused", "keys"): Wrong(body=GOOD, accident=EncryptionKeysMissing()),
    ("Refused", "cursor"): Wrong(method="GET", path="/api/TextMessages?Cursor=MQ"),
    ("Refused", "country"): Wrong(
        body=GOOD,
        accident=CountryNotAllowed([(1, OTHER_COUNTRY)]),
    ),
    ("Refused", "period"): Wrong(method="GET", path="/api/Usage?From=2025-11-30&To=2025-11-01"),
    ("TooManyRequests", "budget"): Wrong(
        body=GOOD, accident=BudgetExceeded(segments=200, left=38, period="2025-11-22", retry_after_s=44_439)
    ),
    ("TooManyRequests", "logins"): Wrong(path="/api/Login", body={**STRANGER, "ProgramSID": "too many"}, times=260),
    ("Unavailable", "away"): Wrong(body=GOOD, accident=StoreUnavailable()),
    ("Unavailable", "busy"): Wrong(body=GOOD, accident=HubBusy()),
    ("UnavailableOrUnsigned", "unsigned"): Wrong(path="/callbacks/vonage/status", body={}),
    ("UnavailableOrUnsigned", "away"): Wrong(path="/callbacks/vonage/status", body={}, accident=StoreUnavailable()),
}


@pytest.mark.parametrize(("response", "name", "value"), PROBLEMS)
async def test_a_problem_is_what_the_hub_says(
    the_hub: Hub,
    office: Office,
    operator: Office,
    monkeypatch: pytest.MonkeyPatch,
    response: str,
    name: str,
    value: Mapping[str, Any],
) -> None:
    wrong = PROVOKED[response, name]
    await the_hub.post(office, "/api/TextMessages", GOOD, Idempotency_Key="once")
    headers = {**(operator if wrong.by_operator else office).headers, **wrong.headers}
    if wrong.anonymous or wrong.path.startswith("/callbacks"):
        headers.pop("Authorization")
    if (response, name) == ("Forbidden", "scope"):
        headers["Authorization"] = a_token_to_read(the_hub, office)
    if wrong.accident is not None:
        befalls(monkeypatch, wrong.accident)

    answers = [
        await the_hub.client.request(wrong.method, wrong.path, json=wrong.body, content=wrong.content, headers=headers)
        for _ in range(wrong.times)
    ]

    assert lasting(answers[-1].json()) == lasting(value)


def example(schema: str) -> Mapping[str, Any]:
    value: Mapping[str, Any] = COMPONENTS["schemas"][schema]["example"]
    return value


def microseconds(instant: str) -> int:
    return (datetime.fromisoformat(instant) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def lasting(value: Any, name: str = "") -> Any:  # noqa: ANN401 - JSON
    """All but what is another each time: moments, how long something takes, and ids of what is new."""
    match value:
        case {"ProgramId": str(), "SenderId": int(), **rest}:
            return lasting({**rest, "Id": "a program's"})
        case dict():
            return {each: lasting(one, each) for each, one in value.items()}
        case list():
            return [lasting(each) for each in value]
        case str() if name in {"Id", "EventId", "Secret", "ProgramSID", "ProgramKey", "Hint", "NextCursor"}:
            return "an id"
        case int() if name in {"Id", "KeyId", "SenderId"}:
            return "a number"
        case int() | None if name == "QueuedSegments":
            return "a number, or none of a sender that is new"
        case int() | float() if name == "EstimatedSeconds":
            return "a while"
        case str():
            return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z|\d+ s\b", "a time", value)
        case _:
            return value


async def a_webhook_is_told(hub: Hub) -> None:
    """That of the examples, of the event of the examples."""
    webhooks = hub.container.webhooks()
    webhook = Webhook(
        id=UUID(THE_WEBHOOK["Id"]),
        program_id=THE_TEXT["ProgramId"],
        url=THE_WEBHOOK["Url"],
        description=THE_WEBHOOK["Description"],
        events=[EventType(each) for each in THE_WEBHOOK["Events"]],
        created_us=microseconds(THE_WEBHOOK["CreatedAt"]),
    )
    await webhooks.add(webhook, WebhookSecret.new())
    await webhooks.test(webhook.program_id, webhook.id, now_us=webhook.created_us)
    (attempt,) = LISTS["listWebhookAttempts"]["Items"]
    async with hub.container.database().writing() as connection:
        await connection.execute(update(tables.webhook_events).values(uid=UUID(attempt["EventId"])))


async def the_recipient_texts(hub: Hub, text: str) -> None:
    """At the moment of the examples."""
    store = Store.on(hub.container.database())
    (shown,) = LISTS["listOptOuts"]["Items"]
    inbound = InboundText(
        addresses=[THE_TEXT["Sender"]], number=THE_TEXT["PhoneNumber"], text=text, reference=shown["Reference"]
    )
    program = await store.programs.find(THE_TEXT["ProgramId"])
    assert program is not None
    await store.callbacks.add(
        Callback(
            source="sandbox",
            kind=CallbackKind.INBOUND,
            account_id=program.sender.account_id,
            key=shown["Reference"],
            received_us=microseconds(shown["Since"]),
            fields={},
        )
    )
    at_us = microseconds(shown["Since"])
    await store.inbound.take_in(lambda _: inbound, scope=ConsentScope.PROGRAM, now=lambda: at_us, limit=1)


async def there_are_no_templates(hub: Hub) -> None:
    async with hub.container.database().writing() as connection:
        for table in (tables.template_versions, tables.templates):
            await connection.execute(delete(table))


async def nothing_is_sent_yet(hub: Hub) -> None:
    async with hub.container.database().writing() as connection:
        await connection.execute(update(tables.deliveries).values(state="queued", attempt=0, provider_reference=None))


async def send(hub: Hub, office: Office, request: Request) -> httpx.Response:
    """The request, with the token that a program has or the signature that a provider makes."""
    headers = dict(request.parameters.get("header", {}))
    path, body = request.path, request.body
    if request.media_type is not None:
        headers["Content-Type"] = request.media_type
    if path.startswith("/callbacks/vonage/sms"):
        added = {"timestamp": str(int(time.time())), "nonce": str(uuid4())}
        if body is None:
            query = signing.signed({**request.parameters["query"], **added}, SECRET)
            path = f"{request.operation.path}?{urlencode(query)}"
        else:
            body = signing.signed({**body, **added}, SECRET)
    content = None
    if isinstance(body, str):
        content = body.encode()
    elif body is not None:
        content = (urlencode(body) if request.media_type == FORM else json.dumps(body)).encode()
    if path.startswith("/callbacks/twilio"):
        headers["X-Twilio-Signature"] = signing.by_twilio(f"{PUBLIC_URL}{path}", body, SECRET)
    elif path.startswith("/callbacks/vonage") and content is not None:
        api_key = example("VonageSms")["api-key"]
        token = signing.token(content, SECRET, iat=int(time.time()), jti=str(uuid4()), api_key=api_key)
        headers["Authorization"] = f"Bearer {token}"
    elif not request.operation.is_callback:
        headers.update(office.headers)
    return await hub.client.request(request.operation.method, path, content=content, headers=headers)


def a_token_to_read(hub: Hub, office: Office) -> str:
    now = datetime.now(UTC).replace(microsecond=0)
    grant = Grant(
        program_id=office.id,
        program_sid=office.credentials.sid,
        scopes=frozenset({Scope.READ}),
        issued_at=now,
        expires_at=now + timedelta(minutes=5),
        token_id=str(uuid4()),
    )
    return f"Bearer {hub.container.tokens().issue(grant)}"


def befalls(monkeypatch: pytest.MonkeyPatch, accident: HubError) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise accident

    for use_case in (SendText, ReceiveCallback):
        monkeypatch.setattr(use_case, "__call__", fail)
