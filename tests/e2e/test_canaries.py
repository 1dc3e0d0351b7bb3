"""Marked texts, numbers and secrets go through every operation of a whole hub, and are seen where they belong alone.

An operation that is added fails here as long as it has no row in `CALLS`.
"""

import base64
import json
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters.sql.tables import metadata
from entrypoints.http.contract import Contract
from entrypoints.stand_ins.certificates import Certificate
from tests import signing
from tests.conftest import Console, PostgresServer, migrate
from tests.documented import PROBLEM
from tests.e2e import canaries_at_the_console as walk
from tests.e2e.canaries import Mark, columns_with, echoing, seen
from tests.e2e.running import Caller, Credentials, HubProcess, Site, eventually, smshub
from tests.e2e.stand_in import StandIn
from tests.import_path import import_path
from tests.patience import PATIENCE_S
from tests.ports import free_port

CONTRACT = Contract.load()
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
SENDER = "+15005550006"

BODY = Mark("body", 'canary-text "é" <7f3a> & co')
INBOUND = Mark("inbound body", 'canary-reply "ü" <9c1b> & co')
NUMBER = Mark("number", "+16135550147", is_number=True)
TYPED = Mark("number typed into the page", "+16135550158", is_number=True)
ERASED = Mark("number that was erased", "+16135550169", is_number=True)
WRONG_KEY = Mark("wrong key", "canary-wrong-program-key-5512")
FORGED = Mark("forged token", "canary.forged.token-8841")
OLD_KEY = Mark("ProgramKey of the first hub", "canary-program-key-of-old-2207")
PASSWORD = Mark("database password", "canary-database-password-3391")
RINGS = {name: Mark(name, secrets.token_urlsafe(32)) for name in ("signing_keys", "encryption_keys", "key_peppers")}
PERSONAL = Mark("what goes into a template", "canary-first-name-6620")
TEMPLATE = Mark("template", "canary-template-7731")
OTHER_TOKEN = Mark("another auth_token", "decade00decade11decade22decade33")
AUTH_TOKEN = Mark("auth_token", "c0ffee00c0ffee11c0ffee22c0ffee33")

# Where texts and numbers may stand in the database. Secrets may stand nowhere.
OF_TEXTS = {"text_messages.body", "inbound_messages.body", "callbacks.fields", "webhook_events.data"}
OF_NUMBERS = {
    "callbacks.fields",
    "consent_events.number",
    "deliveries.number",
    "inbound_messages.number",
    "opt_outs.number",
    "program_keys.numbers",
    "recent_texts.number",
    "sender_opt_outs.number",
    "webhook_calls.subject",
    "webhook_events.data",
    "webhook_events.subject",
}
ALLOWED = {
    BODY.name: OF_TEXTS,
    INBOUND.name: OF_TEXTS | {"consent_events.wording"},
    PERSONAL.name: {"text_messages.body"},
    TEMPLATE.name: {"template_versions.body", "text_messages.body"},
    NUMBER.name: OF_NUMBERS,
    TYPED.name: OF_NUMBERS,
    ERASED.name: {"erasures.number"},
}


@dataclass
class World:
    """A hub that is driven, and all that it says to those who are not to see the marks."""

    site: Site
    url: str
    office: Caller
    operator: Caller
    marks: list[Mark]
    endpoint: str
    signed_with: Mapping[str, str]
    ids: dict[str, str] = field(default_factory=dict)
    processes: list[HubProcess] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    tables: Mapping[str, Sequence[Mapping[str, object]]] = field(default_factory=dict)
    last_status: int = 0

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        media_type: str = JSON,
        by: Caller | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        content = body if isinstance(body, str) else urlencode(body) if media_type == FORM else json.dumps(body)  # type: ignore[arg-type]
        all_headers = {"Authorization": f"Bearer {(by or self.office).token}", **(headers or {})}
        if body is not None:
            all_headers["Content-Type"] = media_type
        # On a connection of its own, and with the path as it is.
        answer = httpx.request(
            method,
            f"{self.url}{path}",
            params=query,
            content=None if body is None else content.encode(),
            headers=all_headers,
            verify=False,
            trust_env=False,
            timeout=PATIENCE_S,
        )
        self.last_status = answer.status_code
        # The page shows its visitor what was typed in.
        if answer.status_code >= 400 and not path.startswith("/opt-out/"):
            self.told[f"problem {len(self.told)} of {method} {path[:20]}"] = f"{answer.headers} {answer.text}"
        return answer

    def get(self, path: str, **query: str) -> httpx.Response:
        return self.call("GET", path, query=query)

    def post(self, path: str, body: object = None, **options: Any) -> httpx.Response:  # noqa: ANN401
        return self.call("POST", path, body, **options)

    def operate(self, method: str, path: str, body: object = None) -> httpx.Response:
        return self.call(method, path, body, by=self.operator)

    def keeps(self, name: str, answer: httpx.Response, key: str = "Id") -> httpx.Response:
        """For later calls."""
        self.ids[name] = str(answer.json()[key])
        return answer

    def hides(self, name: str, answer: httpx.Response, key: str) -> httpx.Response:
        """A secret that is told this once."""
        self.marks.append(Mark(name, answer.json()[key]))
        return answer

    def signed_by_vonage(self, path: str, body: Mapping[str, str]) -> httpx.Response:
        content = json.dumps(body)
        token = signing.token(
            content.encode(), self.signed_with["vonage"], iat=int(time.time()), jti=str(uuid4()), api_key="abcd1234"
        )
        return self.post(path, content, headers={"Authorization": f"Bearer {token}"})

    def signed_by_twilio(self, path: str, form: Mapping[str, str]) -> httpx.Response:
        signature = signing.by_twilio(f"{self.url}{path}", form, self.signed_with["twilio"])
        return self.post(path, form, media_type=FORM, headers={"X-Twilio-Signature": signature})

    def signed_fields(self, fields: Mapping[str, str]) -> Mapping[str, str]:
        added = {"api-key": "abcd1234", "timestamp": str(int(time.time())), "nonce": str(uuid4())}
        return signing.signed({**fields, **added}, self.signed_with["vonage"])

    def output(self) -> Mapping[str, str]:
        return {
            f"{kind} of {index}": getattr(each, kind)
            for index, each in enumerate(self.processes)
            for kind in ("output", "errors")
        }

    def notes_metrics(self) -> None:
        for index, each in enumerate(self.processes):
            if each.alive:
                self.told[f"metrics of {index}"] = each.get("/metrics").text + each.get("/readyz").text


def twilio(of: str) -> Mapping[str, str]:
    account = {"AccountSid": "AC0123456789abcdef0123456789abcdef", "MessageSid": f"SM{uuid4().hex}"}
    if of == "status":
        return {**account, "MessageStatus": "delivered", "To": NUMBER.text, "From": SENDER, "ErrorMessage": BODY.text}
    return {**account, "From": NUMBER.text, "To": SENDER, "Body": INBOUND.text}


def sends_by_template(world: World) -> str:
    """The template's name."""
    text = {"PhoneNumber": NUMBER.text, "Template": "canary", "Personalisation": {"Name": PERSONAL.text}}
    assert world.post("/api/TextMessages", text).status_code == 200
    # The sentence that is shown names no value.
    assert world.post("/api/TextMessages", {**text, "Personalisation": {PERSONAL.text: "x"}}).is_error
    return "canary"


SMS = {"messageId": "0B00000127FDBC63", "msisdn": NUMBER.text[1:], "to": "15005550006"}
MESSAGE = {"message_uuid": "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab", "to": NUMBER.text[1:]}
A_TEXT = {"Message": BODY.text, "PhoneNumber": NUMBER.text}
THE_PERIOD = {"From": "2026-11-01", "To": "2026-11-30"}
KEYS = "/api/Programs/{program}/Keys"

Call = Callable[[World], httpx.Response]

# In the order in which they are made.
CALLS: Mapping[str, Call] = {
    "logIn": lambda w: w.office.log_in(),
    "createWebhook": lambda w: w.hides(
        "webhook secret", w.keeps("webhook", w.post("/api/Webhooks", {"Url": w.endpoint})), "Secret"
    ),
    "sendTextMessage": lambda w: w.keeps(
        "text", w.post("/api/TextMessages", A_TEXT, headers={"Idempotency-Key": "of-the-canaries"})
    ),
    "previewTextMessage": lambda w: w.post("/api/TextMessages/Preview", A_TEXT),
    "listTextMessages": lambda w: w.get("/api/TextMessages", PhoneNumber=NUMBER.text),
    "getTextMessage": lambda w: w.get(f"/api/TextMessages/{w.ids['text']}"),
    "listDeliveries": lambda w: w.get(f"/api/TextMessages/{w.ids['text']}/Deliveries"),
    "cancelTextMessage": lambda w: w.post(f"/api/TextMessages/{w.ids['text']}/Cancel"),
    "exportTextMessages": lambda w: w.get("/api/TextMessages/Export", PhoneNumber=NUMBER.text),
    "receiveTwilioStatus": lambda w: w.signed_by_twilio(
        "/callbacks/twilio/status?Delivery=1&Attempt=1", twilio("status")
    ),
    "receiveTwilioMessage": lambda w: w.signed_by_twilio("/callbacks/twilio/inbound", twilio("inbound")),
    "receiveVonageStatus": lambda w: w.signed_by_vonage(
        "/callbacks/vonage/status", {**MESSAGE, "status": "rejected", "client_ref": "1.1", "error": BODY.text}
    ),
    "receiveVonageMessage": lambda w: w.signed_by_vonage(
        "/callbacks/vonage/inbound",
        {**MESSAGE, "from": NUMBER.text[1:], "to": SENDER[1:], "text": INBOUND.text},
    ),
    "receiveVonageReceiptByQuery": lambda w: w.get(
        "/callbacks/vonage/sms/receipt", **w.signed_fields({**SMS, "status": "delivered"})
    ),
    "receiveVonageReceipt": lambda w: w.post(
        "/callbacks/vonage/sms/receipt", w.signed_fields({**SMS, "status": "failed"}), media_type=FORM
    ),
    "receiveVonageSmsByQuery": lambda w: w.get(
        "/callbacks/vonage/sms/inbound", **w.signed_fields({**SMS, "messageId": "A1", "text": INBOUND.text})
    ),
    "receiveVonageSms": lambda w: w.post(
        "/callbacks/vonage/sms/inbound", w.signed_fields({**SMS, "messageId": "A2", "text": INBOUND.text})
    ),
    "listInboundMessages": lambda w: w.get("/api/InboundMessages", PhoneNumber=NUMBER.text),
    "setSubscriber": lambda w: w.post("/api/Subscribers", {"PhoneNumber": NUMBER.text, "DoNotText": False}),
    "recordConsent": lambda w: w.post(
        "/api/ConsentEvents", {"PhoneNumber": NUMBER.text, "Consent": "opt-in", "Wording": INBOUND.text}
    ),
    "listConsentEvents": lambda w: w.get("/api/ConsentEvents", PhoneNumber=NUMBER.text),
    "importOptOuts": lambda w: w.post(
        "/api/OptOuts/Import", f"PhoneNumber,Wording\n{TYPED.text},Never\n{INBOUND.text},x\n", media_type="text/csv"
    ),
    "listOptOuts": lambda w: w.get("/api/OptOuts", PhoneNumber=TYPED.text),
    "exportOptOuts": lambda w: w.get("/api/OptOuts/Export"),
    "getUsage": lambda w: w.get("/api/Usage", **THE_PERIOD),
    "listWebhooks": lambda w: w.get("/api/Webhooks"),
    "getWebhook": lambda w: w.get(f"/api/Webhooks/{w.ids['webhook']}"),
    "changeWebhook": lambda w: w.call("PATCH", f"/api/Webhooks/{w.ids['webhook']}", {"Description": "Canaries"}),
    "rotateWebhookSecret": lambda w: w.hides(
        "new webhook secret", w.post(f"/api/Webhooks/{w.ids['webhook']}/RotateSecret"), "Secret"
    ),
    "testWebhook": lambda w: w.keeps("event", w.post(f"/api/Webhooks/{w.ids['webhook']}/Test"), "EventId"),
    "listWebhookAttempts": lambda w: w.get(f"/api/Webhooks/{w.ids['webhook']}/Attempts"),
    "replayWebhookEvents": lambda w: w.post(f"/api/Webhooks/{w.ids['webhook']}/Replay", {"EventId": w.ids["event"]}),
    "deleteWebhook": lambda w: w.call(
        "DELETE", f"/api/Webhooks/{w.post('/api/Webhooks', {'Url': w.endpoint}).json()['Id']}"
    ),
    "listPrograms": lambda w: w.operate("GET", "/api/Programs"),
    "issueKey": lambda w: w.hides(
        "issued key",
        w.keeps(
            "key",
            w.operate("POST", KEYS.format(**w.ids), {"Kind": "team", "Name": "Canaries", "Numbers": [NUMBER.text]}),
            "KeyId",
        ),
        "ProgramKey",
    ),
    "listKeys": lambda w: w.operate("GET", KEYS.format(**w.ids)),
    "revokeKey": lambda w: w.operate("POST", f"{KEYS.format(**w.ids)}/{w.ids['key']}/Revoke"),
    "createProgram": lambda w: w.hides(
        "key of a new program",
        w.keeps(
            "new program",
            w.operate(
                "POST",
                "/api/Programs",
                {
                    "Name": "New",
                    "Sender": "+15005550004",
                    "Provider": "twilio",
                    "Credentials": {"account_sid": f"AC{'3' * 32}", "auth_token": OTHER_TOKEN.text},
                },
            ),
            "ProgramId",
        ),
        "ProgramKey",
    ),
    "getProgram": lambda w: w.operate("GET", f"/api/Programs/{w.ids['new program']}"),
    "changeProgram": lambda w: w.operate("PATCH", f"/api/Programs/{w.ids['new program']}", {"Name": "Newer"}),
    "deleteProgram": lambda w: w.operate("DELETE", f"/api/Programs/{w.ids['new program']}"),
    "suspendProgram": lambda w: w.operate("POST", f"/api/Programs/{w.ids['other']}/Suspend"),
    "reinstateProgram": lambda w: w.operate("POST", f"/api/Programs/{w.ids['other']}/Reinstate"),
    "listSenders": lambda w: w.operate("GET", "/api/Senders"),
    "addSender": lambda w: w.keeps(
        "sender",
        w.operate(
            "POST",
            "/api/Senders",
            {
                "ProgramId": w.ids["other"],
                "Sender": "+15005550005",
                "Provider": "twilio",
                "Rate": "5",
                "Credentials": {"account_sid": f"AC{'2' * 32}", "auth_token": OTHER_TOKEN.text},
            },
        ),
        "SenderId",
    ),
    "getSender": lambda w: w.keeps("account", w.operate("GET", f"/api/Senders/{w.ids['sender']}"), "AccountId"),
    "changeSender": lambda w: w.operate("PATCH", f"/api/Senders/{w.ids['sender']}", {"Rate": "4"}),
    "pauseSender": lambda w: w.operate("POST", f"/api/Senders/{w.ids['sender']}/Pause"),
    "resumeSender": lambda w: w.operate("POST", f"/api/Senders/{w.ids['sender']}/Resume"),
    "removeSender": lambda w: w.operate("DELETE", f"/api/Programs/{w.ids['other']}/Senders/{w.ids['sender']}"),
    "listProviderAccounts": lambda w: w.operate("GET", "/api/ProviderAccounts"),
    "setProviderCredentials": lambda w: w.operate(
        "PUT",
        f"/api/ProviderAccounts/{w.ids['account']}/Credentials",
        {"Credentials": {"account_sid": f"AC{'2' * 32}", "auth_token": AUTH_TOKEN.text}},
    ),
    "checkProviderAccount": lambda w: w.operate("POST", f"/api/ProviderAccounts/{w.ids['account']}/Check"),
    "putLimit": lambda w: w.operate("PUT", "/api/Limits/campaign", {"Counts": "segments", "Rate": "50/s"}),
    "listLimits": lambda w: w.operate("GET", "/api/Limits"),
    "getLimit": lambda w: w.operate("GET", "/api/Limits/campaign"),
    "attachToLimit": lambda w: w.operate("POST", "/api/Limits/campaign/Attach", {"SenderId": int(w.ids["sender"])}),
    "detachFromLimit": lambda w: w.operate("POST", "/api/Limits/campaign/Detach", {"SenderId": int(w.ids["sender"])}),
    "deleteLimit": lambda w: w.operate("DELETE", "/api/Limits/campaign"),
    "putPrice": lambda w: w.operate("PUT", "/api/Prices/CA", {"Price": "0.01", "Currency": "USD"}),
    "listPrices": lambda w: w.operate("GET", "/api/Prices"),
    "deletePrice": lambda w: w.operate("DELETE", "/api/Prices/CA"),
    "putStaffRole": lambda w: w.keeps(
        "role", w.operate("PUT", "/api/StaffRoles", {"Group": "staff", "Role": "operator"}), "Id"
    ),
    "listStaffRoles": lambda w: w.operate("GET", "/api/StaffRoles"),
    "deleteStaffRole": lambda w: w.operate("DELETE", f"/api/StaffRoles/{w.ids['role']}"),
    "createTemplate": lambda w: w.post("/api/Templates", {"Name": "canary", "Message": "Hello {{Name}}"}),
    "changeTemplate": lambda w: w.call("PATCH", "/api/Templates/canary", {"Message": f"{TEMPLATE.text} {{{{Name}}}}"}),
    "listTemplates": lambda w: w.get("/api/Templates"),
    "getTemplate": lambda w: w.get("/api/Templates/canary"),
    "listTemplateVersions": lambda w: w.get("/api/Templates/canary/Versions"),
    "previewTemplate": lambda w: w.post(
        "/api/Templates/canary/Preview", {"Personalisation": {"Name": PERSONAL.text}, "PhoneNumber": NUMBER.text}
    ),
    "deleteTemplate": lambda w: w.call("DELETE", f"/api/Templates/{sends_by_template(w)}"),
    "searchSubject": lambda w: w.operate("POST", "/api/Subjects/Search", {"PhoneNumber": NUMBER.text}),
    "eraseSubject": lambda w: w.operate("POST", "/api/Subjects/Erase", {"PhoneNumber": ERASED.text}),
    "listAuditEvents": lambda w: w.operate("GET", "/api/AuditEvents"),
}


def bad_calls(world: World) -> Iterator[httpx.Response]:
    """Of every operation, with marks wherever something is wrong."""
    for operation in CONTRACT.operations.values():
        path = operation.path.replace("{Id}", NUMBER.text).replace("{ProgramId}", WRONG_KEY.text)
        path = re.sub(r"\{\w+\}", NUMBER.text, path)
        by = world.operator if operation.is_operators else world.office
        method = operation.method.upper()
        bodies: list[object] = [
            {BODY.text: INBOUND.text, "Message": [BODY.text], "PhoneNumber": {"a": NUMBER.text}},
            {"Message": BODY.text, "PhoneNumber": f"x{NUMBER.text}", "ProgramKey": OLD_KEY.text, "Url": BODY.text},
            f'{{"Message": "{NUMBER.text}", {BODY.text}',
            f"{NUMBER.text},{BODY.text}\n",
        ]
        for body in bodies:
            yield world.call(method, path, body, by=by)
        yield world.call(method, path, BODY.text, media_type="text/plain", by=by)
        yield world.call(method, path, {"ProgramKey": OLD_KEY.text}, media_type=FORM, by=by)
        query = {"PhoneNumber": f"x{NUMBER.text}", "Cursor": BODY.text, "Other": INBOUND.text}
        yield world.call(method, path, {}, by=by, query=query)
        for given in (f"Bearer {FORGED.text}", FORGED.text, f"Basic {base64.b64encode(BODY.text.encode()).decode()}"):
            yield world.call(method, path, {}, headers={"Authorization": given, "X-Twilio-Signature": FORGED.text})
    wrong = {"ProgramSID": world.office.credentials.program_sid, "ProgramKey": WRONG_KEY.text}
    yield world.post("/api/Login", wrong)
    yield world.post("/api/Login", wrong, media_type=FORM)
    yield world.post("/api/TextMessages", {**A_TEXT, "PhoneNumber": f"{NUMBER.text},nobody,{TYPED.text[:-5]}"})
    yield world.post("/api/TextMessages", {**A_TEXT, "Sender": TYPED.text, "ProgramId": BODY.text})
    yield world.post("/api/TextMessages", {**A_TEXT, "Message": BODY.text * 100})
    yield world.post("/api/TextMessages", A_TEXT, headers={"Idempotency-Key": BODY.text.encode().hex() * 20})
    yield world.post("/api/TextMessages", {**A_TEXT, "Message": "x"}, headers={"Idempotency-Key": "of-the-canaries"})
    yield world.get(f"/{NUMBER.text}/{BODY.text}")
    page = f"/opt-out/{world.office.credentials.program_id}"
    for number in (TYPED.text, NUMBER.text * 9):
        yield world.post(page, {"PhoneNumber": number}, media_type=FORM)


def at_the_console(world: World) -> Iterator[httpx.Response]:
    office, desk = world.office.credentials, world.operator.credentials
    yield from walk.refused_sign_ins(
        world.url, office.program_sid, wrong_key=WRONG_KEY.text, forged=FORGED.text, number=NUMBER.text
    )
    with walk.a_client(world.url) as client, walk.a_client(world.url) as other:
        staff, operator = (walk.signed_in(client, world.url, office), walk.signed_in(other, world.url, desk))
        world.marks += [Mark("session", each) for each in (*staff.secrets, *operator.secrets)]
        yield from walk.by_office(
            staff, text=BODY.text, number=NUMBER.text, wording=INBOUND.text, message_id=world.ids["text"]
        )
        yield from walk.by_operator(
            operator, office.program_id, secret=AUTH_TOKEN.text, text=BODY.text, number=NUMBER.text
        )


def a_ring(mark: Mark) -> str:
    return f"test:{base64.urlsafe_b64encode(mark.text.encode()).decode().rstrip('=')}"


def a_private_key() -> str:
    key = generate_private_key(public_exponent=65_537, key_size=2_048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """To be stopped."""
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def world(server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Driven through all of it, and at its end."""
    folder = tmp_path_factory.mktemp("canaries")
    with ExitStack() as at_end:
        url = at_end.enter_context(server.database())
        migrate(url)
        port, endpoint, echo, echo_tls = (free_port() for _ in range(4))
        public_url = f"http://127.0.0.1:{port}"
        stand_ins = {}
        for name in ("twilio", "vonage"):
            (folder / name).mkdir()
            stand_ins[name] = StandIn(folder / name, name)
            at_end.callback(stand_ins[name].kill)
        at_end.enter_context(echoing(endpoint))
        site = at_end.enter_context(
            Site(
                url.replace("postgresql://postgres:@", f"postgresql://postgres:{PASSWORD.text}@"),
                folder,
                public_url=public_url,
                log_level="debug",
                enquiry_delays="PT0.2S,PT0.2S",
                webhook_private_networks="127.0.0.0/8",
                **{name: a_ring(mark) for name, mark in RINGS.items()},
            )
        )
        assert PASSWORD.text in site.environment["SMSHUB_DATABASE_URL"]
        for each in stand_ins.values():
            site.environment |= {**each.told["Environment"], "SMSHUB_PUBLIC_URL": public_url}
        site.environment["PYTHONPATH"] = import_path()
        world = set_up(site, public_url, f"http://127.0.0.1:{endpoint}/hooks", stand_ins)
        drive(world, port)
        drive_with_echoes(world, port, echo, echo_tls, at_end)
        break_the_database(world, url)
        world.tables = dump(url)
        take_the_database_away(world, server)
        world.told |= world.output()
        yield world


def set_up(site: Site, url: str, endpoint: str, stand_ins: Mapping[str, StandIn]) -> World:
    private_key = a_private_key()
    twilio, vonage = (stand_ins[name].credentials for name in ("twilio", "vonage"))
    accounts = {
        "Twilio": ("twilio", SENDER, twilio),
        "Vonage Messages": ("vonage", SENDER, vonage),
        "Vonage key": (
            "vonage",
            "+15005550007",
            {"application_id": str(uuid4()), "private_key": private_key},
        ),
        "Echo": ("twilio", "+15005550008", {"account_sid": "AC" + "1" * 32, "auth_token": AUTH_TOKEN.text}),
    }
    marks = [
        *(
            BODY,
            INBOUND,
            PERSONAL,
            TEMPLATE,
            NUMBER,
            TYPED,
            ERASED,
            WRONG_KEY,
            FORGED,
            OLD_KEY,
            PASSWORD,
            AUTH_TOKEN,
            OTHER_TOKEN,
            *RINGS.values(),
        ),
        Mark("private key", private_key.splitlines()[3]),
        *(
            Mark(f"{name} at {provider}", value)
            for provider, given in (("Twilio", twilio), ("Vonage", vonage))
            for name, value in given.items()
            if name in {"auth_token", "api_secret", "signature_secret"}
        ),
    ]
    programs = {name: a_program(site, name, *account, marks=marks) for name, account in accounts.items()}
    old = site.folder / "old-key"
    old.write_text(OLD_KEY.text)
    identity = ("--program-id", "0LD", "--program-sid", "old", "--program-key-file", str(old))
    site_run(
        site, "programs", "create", "--name", "Old", "--sender", "+15005550009", "--provider", "sandbox", *identity
    )
    told = json.loads(site_run(site, "operators", "create", "--name", "Service desk", "--output", "json"))
    operator = Credentials(told["ProgramId"], told["ProgramSID"], told["ProgramKey"])
    marks.append(Mark("operator's key", operator.program_key))
    office, desk = (Caller(url, each) for each in (programs["Twilio"], operator))
    ids = {"program": programs["Twilio"].program_id, "other": programs["Vonage key"].program_id}
    signed_with = {"twilio": twilio["auth_token"], "vonage": vonage["signature_secret"]}
    return World(site, url, office, desk, marks=marks, endpoint=endpoint, signed_with=signed_with, ids=ids)


def a_program(
    site: Site, name: str, provider: str, sender: str, given: Mapping[str, str], *, marks: list[Mark]
) -> Credentials:
    arguments = ["programs", "create", "--name", name, "--sender", sender, "--provider", provider, "--rate", "50"]
    told = json.loads(
        site_run(site, *arguments, "--credentials-file", "-", "--output", "json", stdin=json.dumps(given))
    )
    marks.append(Mark(f"key of {name}", told["ProgramKey"]))
    site_run(site, "programs", "set", "--program", told["ProgramId"], "--duplicate-window", "PT1S")
    return Credentials(told["ProgramId"], told["ProgramSID"], told["ProgramKey"])


def site_run(site: Site, *arguments: str, stdin: str | None = None) -> str:
    result = smshub(*arguments, environment=site.environment, stdin=stdin)
    assert result.exit_code == 0, result.output
    return result.stdout


def start(world: World, port: int, environment: Mapping[str, str] | None = None) -> None:
    """The processes that there are from now on."""
    world.site.environment |= environment or {}
    world.processes += [
        world.site.start("api", port=port).until_ready(),
        world.site.start("dispatcher").until_ready(),
    ]
    for each in (world.office, world.operator):
        assert each.log_in().status_code == 200
        world.marks.append(Mark("token", each.token.rpartition(".")[2]))


def send(world: World, *programs: str) -> None:
    """To the number, by the programs of those names; waits until a provider was called, and a little more."""
    found = {each["Name"]: each["ProgramId"] for each in json.loads(site_run(world.site, *LIST))}
    dispatcher = world.processes[-1]
    before = len(dispatcher.attempts)
    for name in programs:
        arguments = ("send", "--program", found[name], "--to", NUMBER.text, "--message", BODY.text)
        site_run(world.site, *arguments)
    eventually(lambda: len(dispatcher.attempts) > before, what="a provider is called")
    time.sleep(1.5)


LIST = ("programs", "list", "--output", "json")


def drive(world: World, port: int) -> None:
    start(world, port)
    for name, call in CALLS.items():
        world.statuses[name] = call(world).status_code
    for answer in bad_calls(world):
        assert answer.status_code < 500, answer.text
    for answer in at_the_console(world):
        assert answer.status_code < 500, answer.text
    send(world, "Twilio", "Vonage Messages", "Vonage key", "Old")
    world.notes_metrics()
    world.told["audit"] = world.operate("GET", "/api/AuditEvents").text
    world.told["audit by command"] = site_run(world.site, "audit")
    world.told["settings"] = smshub("config", "check", environment=world.site.environment).output


def drive_with_echoes(world: World, port: int, echo: int, echo_tls: int, at_end: ExitStack) -> None:
    """By providers that repeat all that they are told."""
    for each in world.processes:
        each.stop()
    certificate = Certificate(world.site.folder / "echo")
    at_end.enter_context(echoing(echo))
    at_end.enter_context(echoing(echo_tls, certificate.server()))
    host = f"127.0.0.1:{echo_tls}"
    environment = {
        "SMSHUB_TWILIO_API_BASE_URL": f"http://127.0.0.1:{echo}",
        "SMSHUB_VONAGE_API_HOST": host,
        "SMSHUB_VONAGE_REST_HOST": host,
        "SSL_CERT_FILE": str(certificate.file),
    }
    start(world, port, environment)
    for _ in range(4):
        send(world, "Twilio", "Vonage Messages", "Vonage key", "Echo")
    world.notes_metrics()


# Statements that the database refuses from then on, showing the whole row.
FAULTS = (
    "ALTER TABLE text_messages ADD CONSTRAINT canary CHECK (body NOT LIKE 'canary%') NOT VALID",
    "ALTER TABLE consent_events ADD CONSTRAINT canary CHECK (consent = 'nothing') NOT VALID",
    "ALTER TABLE callbacks ADD CONSTRAINT canary CHECK (kind = 'nothing') NOT VALID",
    "ALTER TABLE program_keys ADD CONSTRAINT canary CHECK (kind = 'nothing') NOT VALID",
    "ALTER TABLE webhooks ADD CONSTRAINT canary CHECK (url = 'nothing') NOT VALID",
)
BROKEN: Mapping[str, Call] = {
    **{name: CALLS[name] for name in ("recordConsent", "receiveTwilioMessage", "createWebhook", "issueKey")},
    "sendTextMessage": lambda w: w.post("/api/TextMessages", A_TEXT),
    "importOptOuts": lambda w: w.post("/api/OptOuts/Import", f"{NUMBER.text}\n", media_type="text/csv"),
}


def break_the_database(world: World, url: str) -> None:
    """So that what is asked for fails with an exception that nobody expects; at last where a text is sent."""
    console = Console(url)
    try:
        site_run(world.site, "send", "--program", world.ids["program"], "--to", NUMBER.text, "--message", BODY.text)
        for each in FAULTS:
            console.run(each)
        for name in BROKEN:
            world.statuses[f"{name} broken"] = status_of(world, name)
        for each in FAULTS:
            console.run(f"ALTER TABLE {each.split()[2]} DROP CONSTRAINT canary")
        console.run("ALTER TABLE deliveries ADD CONSTRAINT canary CHECK (state IN ('queued', 'canceled')) NOT VALID")
        site_run(world.site, "send", "--program", world.ids["program"], "--to", NUMBER.text, "--message", "Again")
        time.sleep(2)
        console.run("ALTER TABLE deliveries DROP CONSTRAINT canary")
    finally:
        console.close()


def dump(url: str) -> Mapping[str, Sequence[Mapping[str, object]]]:
    console = Console(url)
    try:
        return {
            table.name: json.loads(str(console.run(f"SELECT coalesce(json_agg(t), '[]') FROM {table.name} t")))
            for table in metadata.sorted_tables
        }
    finally:
        console.close()


def status_of(world: World, name: str) -> int:
    """Of a call that fails, and answers with none of what a good one would."""
    with suppress(KeyError):
        BROKEN[name](world)
    return world.last_status


def take_the_database_away(world: World, server: PostgresServer) -> None:
    if not world.processes[-1].alive:
        world.processes.append(world.site.dispatcher().until_ready())
    server.stop()
    for name in BROKEN:
        world.statuses[f"{name} away"] = status_of(world, name)
    world.statuses["logIn away"] = world.office.log_in().status_code
    time.sleep(3)
    world.notes_metrics()
    server.start()


# What is looked for, and where


def test_every_operation_has_a_row() -> None:
    assert CALLS.keys() == CONTRACT.operations.keys()


def test_every_operation_did_what_it_is_for(world: World) -> None:
    expected = dict.fromkeys(CALLS, 200) | {
        operation.id: 204 for operation in CONTRACT.operations.values() if "204" in operation.definition["responses"]
    }
    good = {name: status for name, status in world.statuses.items() if " " not in name}
    assert good == expected
    broken = {name: status for name, status in world.statuses.items() if name.endswith(" broken")}
    assert broken == {f"{name} broken": 500 for name in BROKEN}
    away = {name: status for name, status in world.statuses.items() if name.endswith(" away")}
    assert set(away.values()) == {503}


def test_the_marks_went_through_all_of_it(world: World) -> None:
    """Or nothing could be seen anywhere."""
    said = " ".join(text for name, text in world.told.items() if name.startswith("output"))
    assert '"event":"delivery_attempted"' in said
    assert '"level":"debug"' in said or '"level":"info"' in said
    assert "request_failed" in said
    assert "DatabaseFault" in said
    assert sum(name.startswith("problem") for name in world.told) > 200
    assert PROBLEM in str(world.told)
    found = columns_with([BODY, NUMBER, TYPED, INBOUND], world.tables)
    assert found.keys() == {BODY.name, NUMBER.name, TYPED.name, INBOUND.name}
    assert found[NUMBER.name] >= {"deliveries.number", "callbacks.fields", "inbound_messages.number"}


def test_nothing_that_is_said_shows_them(world: World) -> None:
    shown = {name: found for name, text in world.told.items() if (found := seen(world.marks, text))}

    assert not shown, "\n".join(f"{name}: {found}" for name, found in shown.items())[:6_000]


def test_the_database_has_them_in_their_own_columns_alone(world: World) -> None:
    found = columns_with(world.marks, world.tables)

    assert {
        name: columns - ALLOWED.get(name, set())
        for name, columns in found.items()
        if columns - ALLOWED.get(name, set())
    } == {}


@pytest.mark.parametrize(
    "written",
    [
        "to +16135550147.",
        "to=%2B16135550147&",
        "(613) 555-0147",
        base64.b64encode(b"of +16135550147 and others").decode(),
        base64.b64encode(b"+16135550147:x").decode(),
        b"+16135550147".hex(),
    ],
)
def test_a_number_is_seen_in_any_form(written: str) -> None:
    assert seen([NUMBER], written)
    assert not seen([NUMBER], written.replace("0147", "0148").replace("MDE0N", "MDE0O")[:4])


@pytest.mark.parametrize("written", [json.dumps(BODY.text), json.dumps(BODY.text, ensure_ascii=False), repr(BODY.text)])
def test_a_text_is_seen_in_any_form(written: str) -> None:
    assert seen([BODY], written)
