"""Clients of the first hub, in C#, PHP and JavaScript, go on working as they are."""

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode
from uuid import uuid4

import httpx
import jwt
import pytest

from entrypoints.http.contract import Contract
from tests.http import OFFICE_PAGES, PUBLIC_URL, Credentials, Hub, Office, RunningHub, a_hub, a_running_hub
from tests.patience import PATIENCE_S

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

LOGIN = "/api/Login"
TEXTS = "/api/TextMessages"
SUBSCRIBERS = "/api/Subscribers"
EVENTS = "/api/ConsentEvents"

NUMBER = "+19706904544"
OTHER_PAGES = "https://elsewhere.example"

CONTRACT = Contract.load()
GUARDED = [each for each in CONTRACT.operations.values() if each.definition.get("security") != []]


def a_text(**properties: object) -> dict[str, object]:
    return {"Message": "Your appointment is tomorrow.", "PhoneNumber": "(970) 690-4544", **properties}


def a_subscriber(**properties: object) -> dict[str, object]:
    return {"PhoneNumber": "(970) 690-4544", "DoNotText": True, **properties}


def of_the_first_hub(key: str = "Xk2+/w==&y%41 é") -> Credentials:
    """Its ids are GUIDs in capitals, and its keys are whatever people thought of."""
    return Credentials(str(uuid4()).upper(), f"AC{uuid4().hex}", key)


async def post(
    hub: Hub, path: str, body: Mapping[str, object], office: Office, *, origin: str | None = None
) -> httpx.Response:
    headers = {**office.headers, **({"Origin": origin} if origin else {})}
    return await hub.client.post(path, json=body, headers=headers)


def errors_of(response: httpx.Response) -> Iterable[str]:
    """Where the faults are that a problem names."""
    return [each.get("pointer") or each.get("parameter") for each in response.json()["errors"]]


# Logging in

WAYS_TO_LOG_IN: Mapping[str, tuple[str, Callable[[Mapping[str, str]], bytes]]] = {
    "C# FormUrlEncodedContent": (FORM, lambda login: urlencode(login).encode()),
    "C# StringContent": (f"{JSON}; charset=utf-8", lambda login: json.dumps(login).encode()),
    "C# StreamWriter": (f"{JSON}; charset=utf-8", lambda login: b"\xef\xbb\xbf" + json.dumps(login).encode()),
    "C# PostAsJsonAsync": (f"{JSON}; charset=utf-8", lambda login: json.dumps(login, ensure_ascii=False).encode()),
    "PHP curl": (JSON, lambda login: json.dumps(login).replace("/", "\\/").encode()),
    "PHP file_get_contents": (FORM, lambda login: "&".join(f"{k}={quote_plus(v)}" for k, v in login.items()).encode()),
    "jQuery form": (f"{FORM}; charset=UTF-8", lambda login: urlencode(login).encode()),
    "jQuery JSON": (f"{JSON};charset=UTF-8", lambda login: json.dumps(login, separators=(",", ":")).encode()),
    "no content type": ("", lambda login: json.dumps(login).encode()),
}


@pytest.mark.parametrize("way", WAYS_TO_LOG_IN)
async def test_login_is_answered_with_the_token_as_a_bare_json_string(hub: Hub, way: str) -> None:
    content_type, written = WAYS_TO_LOG_IN[way]
    credentials = await hub.create_program(first_hub=of_the_first_hub())
    headers = {"Content-Type": content_type} if content_type else {}

    response = await hub.client.post(LOGIN, content=written(credentials.login), headers=headers)

    assert response.status_code == 200
    assert response.headers["content-type"] == JSON
    assert re.fullmatch(r'"[\w-]+\.[\w-]+\.[\w-]+"', response.text, re.ASCII)
    token = response.text.strip('"')
    assert (await hub.client.get(TEXTS, headers={"Authorization": f"Bearer {token}"})).status_code == 200


@pytest.mark.parametrize(
    "names", [("programSID", "ProgramKey"), ("PROGRAMSID", "programkey"), ("programsid", "pROGRAMkEY")]
)
@pytest.mark.parametrize("encoding", ["json", "data"])
async def test_login_takes_property_names_in_any_letter_case(hub: Hub, names: tuple[str, str], encoding: str) -> None:
    credentials = await hub.create_program()
    body = dict(zip(names, (credentials.sid, credentials.key), strict=True))

    response = await hub.client.post(LOGIN, **{encoding: body})  # type: ignore[arg-type]

    assert response.status_code == 200


async def test_wrong_credentials_are_answered_with_401(hub: Hub) -> None:
    credentials = await hub.create_program()
    wrong: list[Mapping[str, str]] = [
        {"ProgramSID": credentials.sid, "ProgramKey": "wrong"},
        {"ProgramSID": credentials.sid, "ProgramKey": credentials.key.swapcase()},
        {"ProgramSID": credentials.sid, "ProgramKey": credentials.key + " "},
        {"ProgramSID": credentials.program_id, "ProgramKey": credentials.key},
        {"ProgramSID": "nobody", "ProgramKey": credentials.key},
    ]

    answers = [
        await hub.client.post(LOGIN, **{encoding: login})  # type: ignore[arg-type]
        for login in wrong
        for encoding in ("json", "data")
    ]

    assert {each.status_code for each in answers} == {401}
    assert len({each.text for each in answers}) == 1, "which of the two is wrong is nobody's business"
    assert all(each.headers["www-authenticate"].startswith("Bearer ") for each in answers)


async def test_a_token_has_the_claims_that_clients_read(hub: Hub) -> None:
    credentials = await hub.create_program()
    before = int(time.time())

    token = await hub.log_in(credentials)

    key = hub.container.settings().signing_ring()["tests"]
    claims = jwt.decode(token, key, ["HS256"], audience="sms-hub", issuer="sms-hub")
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    assert claims["unique_name"] == credentials.sid
    assert claims["sub"] == credentials.program_id
    assert claims["scope"].split() == ["messages:read", "messages:send"]
    assert before - 1 <= claims["iat"] == claims["nbf"] <= time.time() + 1
    assert claims["exp"] - claims["iat"] == 24 * 60 * 60
    assert claims["jti"]
    assert await hub.log_in(credentials) != token, "each login has a token of its own"


async def test_the_lifetime_of_tokens_is_a_setting_of_the_hub_and_of_a_program(database_url: str) -> None:
    async with a_hub(database_url, token_lifetime="P182D", token_issuer="first", token_audience="hub") as hub:
        ordinary = await hub.log_in(await hub.create_program())
        brief = await hub.log_in(await hub.create_program(token_lifetime=timedelta(minutes=5)))

    key = hub.container.settings().signing_ring()["tests"]
    claims = [jwt.decode(token, key, ["HS256"], audience="hub", issuer="first") for token in (ordinary, brief)]
    assert [each["exp"] - each["iat"] for each in claims] == [182 * 24 * 60 * 60, 5 * 60]


# A client in a loop


async def test_sixty_logins_in_a_row_pass_and_then_none_from_there(hub: Hub) -> None:
    credentials = await hub.create_program()
    async with hub.client_at("203.0.113.7") as there, hub.client_at("203.0.113.8") as elsewhere:
        first = [(await there.post(LOGIN, json=credentials.login)).status_code for _ in range(60)]
        more = [await there.post(LOGIN, json=credentials.login) for _ in range(10)]

        assert first == [200] * 60
        assert {each.status_code for each in more} == {429}
        assert {each.json()["type"] for each in more} == {"too-many-logins"}
        assert all(1 <= int(each.headers["retry-after"]) <= 60 for each in more)
        assert (await elsewhere.post(LOGIN, json=credentials.login)).status_code == 200
        other = await hub.create_program()
        assert (await there.post(LOGIN, json=other.login)).status_code == 200


async def test_who_guesses_keys_does_not_lock_the_program_out(hub: Hub) -> None:
    credentials = await hub.create_program()
    guess = {"ProgramSID": credentials.sid, "ProgramKey": "wrong"}
    async with hub.client_at("203.0.113.66") as guesser, hub.client_at("203.0.113.7") as office:
        guesses = [(await guesser.post(LOGIN, data=guess)).status_code for _ in range(70)]

        assert guesses == [401] * 60 + [429] * 10
        assert (await office.post(LOGIN, data=credentials.login)).status_code == 200


def logins_from(hub: RunningHub, credentials: Credentials, forwarded: str, *, times: int) -> list[int]:
    headers = {"X-Forwarded-For": forwarded}
    return [hub.client.post(LOGIN, json=credentials.login, headers=headers).status_code for _ in range(times)]


def test_a_trusted_proxy_tells_where_a_client_is(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("proxied") / "hub.db"
    with a_running_hub(f"sqlite:///{file}", prefix="/cwis463", trusted_proxies="127.0.0.1, 10.0.0.0/8") as hub:
        credentials = hub.create_program()

        assert logins_from(hub, credentials, "203.0.113.7", times=61) == [200] * 60 + [429]
        assert logins_from(hub, credentials, "203.0.113.8", times=1) == [200]
        # What a client puts before its own address is its own invention.
        assert logins_from(hub, credentials, "198.51.100.1, 203.0.113.7", times=1) == [429]
        # A second trusted proxy is passed over as the first one is.
        assert logins_from(hub, credentials, "203.0.113.7, 10.1.2.3", times=1) == [429]
        assert logins_from(hub, credentials, "203.0.113.9, 10.1.2.3", times=1) == [200]
        assert logins_from(hub, credentials, "2001:db8::7", times=1) == [200]


def test_nobody_else_is_believed_about_where_a_client_is(running_hub: RunningHub) -> None:
    credentials = running_hub.create_program()

    answers = [logins_from(running_hub, credentials, f"203.0.113.{index}", times=1)[0] for index in range(61)]

    assert answers == [200] * 60 + [429]


# The token in the header Authorization


@pytest.mark.parametrize("written", ["{}", "Bearer {}", "bearer {}", "BEARER {}", "Bearer  {}", " {} "])
async def test_the_token_comes_back_with_a_scheme_or_without(hub: Hub, written: str) -> None:
    office = await hub.an_office()
    headers = {"Authorization": written.format(office.token)}

    sent = await hub.client.post(TEXTS, json=a_text(), headers=headers)
    read = [
        await hub.client.get(path, headers=headers)
        for path in (TEXTS, f"{TEXTS}/{sent.json()['Id']}", f"{TEXTS}/{sent.json()['Id']}/Deliveries")
    ]
    subscribed = await hub.client.post(SUBSCRIBERS, json=a_subscriber(), headers=headers)

    assert [each.status_code for each in (sent, *read, subscribed)] == [200] * 5


def forged(office: Office, key: bytes, *, algorithm: str = "HS256", kid: object = "tests", **claims: object) -> str:
    own = jwt.decode(office.token, options={"verify_signature": False})
    secret = "" if algorithm == "none" else key
    return jwt.encode(own | claims, secret, algorithm, headers={"kid": kid})


def ago(seconds: int) -> int:
    return int(datetime.now(UTC).timestamp()) - seconds


BAD_TOKENS: Mapping[str, Callable[[Office, bytes], str | None]] = {
    "no header": lambda _office, _key: None,
    "empty": lambda _office, _key: "",
    "a scheme alone": lambda _office, _key: "Bearer",
    "garbage": lambda _office, _key: "Bearer garbage",
    "raw garbage": lambda _office, _key: "undefined",
    "dots": lambda _office, _key: "Bearer ..",
    "expired": lambda office, key: f"Bearer {forged(office, key, iat=ago(99), nbf=ago(99), exp=ago(1))}",
    "expired and raw": lambda office, key: forged(office, key, iat=ago(99), nbf=ago(99), exp=ago(1)),
    "expired long ago": lambda office, key: f"Bearer {forged(office, key, exp=1)}",
    "not yet good": lambda office, key: f"Bearer {forged(office, key, nbf=ago(-3_600))}",
    "cut": lambda office, _key: f"Bearer {office.token[:-3]}",
    "still in quotes": lambda office, _key: f'Bearer "{office.token}"',
    "twice": lambda office, _key: f"Bearer {office.token} {office.token}",
    "another scheme": lambda office, _key: f"Basic {office.token}",
    "another key": lambda office, _key: f"Bearer {forged(office, b'x' * 32)}",
    "unsigned": lambda office, key: f"Bearer {forged(office, key, algorithm='none')}",
    "another algorithm": lambda office, key: f"Bearer {forged(office, key * 2, algorithm='HS512')}",
    "an unknown key": lambda office, key: f"Bearer {forged(office, key, kid='nobody')}",
    "no word for a key": lambda office, key: f"Bearer {forged(office, key, kid='')}",
    "another issuer": lambda office, key: f"Bearer {forged(office, key, iss='elsewhere')}",
    "another audience": lambda office, key: f"Bearer {forged(office, key, aud='elsewhere')}",
    "an end out of range": lambda office, key: f"Bearer {forged(office, key, exp=10**30)}",
    "an end that is no time": lambda office, key: f"Bearer {forged(office, key, exp='soon')}",
    "very long": lambda _office, _key: f"Bearer {'a' * 8_000}",
    "letters of no alphabet": lambda _office, _key: "Bearer \xe9\xff\x80",
}


@pytest.mark.parametrize("kind", BAD_TOKENS)
async def test_a_token_that_is_not_good_is_answered_with_exactly_401(hub: Hub, kind: str) -> None:
    office = await hub.an_office()
    header = BAD_TOKENS[kind](office, hub.container.settings().signing_ring()["tests"])
    headers = {} if header is None else {b"Authorization": header.encode("latin-1")}
    good_bodies = {TEXTS: a_text(), SUBSCRIBERS: a_subscriber()}
    before = await hub.stored()

    answers = [
        await hub.client.request(
            each.method, re.sub(r"{\w+Id}", "1", each.path.replace("{Id}", path_id)), json=body, headers=headers
        )
        for each in GUARDED
        for path_id in (str(uuid4()), "no-id")
        for body in (good_bodies.get(each.path), {"Wrong": True})
    ]

    assert {each.status_code for each in answers} == {401}
    assert {each.json()["type"] for each in answers} == {"token-refused"}
    assert all(each.headers["www-authenticate"].startswith("Bearer ") for each in answers)
    assert await hub.stored() == before


# Bodies


@pytest.mark.parametrize("fold", [str.lower, str.upper, str.swapcase])
async def test_a_text_takes_property_names_in_any_letter_case(hub: Hub, fold: Callable[[str], str]) -> None:
    office = await hub.an_office()
    body = a_text(ProgramId=office.id, DateSent="2026-11-02 09:00:00", SendSuccessful=None, SentResult=None)

    response = await post(hub, TEXTS, {fold(name): value for name, value in body.items()}, office)

    assert response.status_code == 200
    assert response.json()["PhoneNumber"] == NUMBER
    assert response.json()["ClientDateSent"] == "2026-11-02 09:00:00"


@pytest.mark.parametrize("fold", [str.lower, str.upper, str.swapcase])
async def test_a_subscriber_takes_property_names_in_any_letter_case(hub: Hub, fold: Callable[[str], str]) -> None:
    office = await hub.an_office()

    response = await post(hub, SUBSCRIBERS, {fold(name): value for name, value in a_subscriber().items()}, office)

    assert response.status_code == 200
    assert response.json() == {"PhoneNumber": NUMBER, "DoNotText": True}


async def test_two_names_that_differ_in_letter_case_alone_are_refused(hub: Hub) -> None:
    office = await hub.an_office(first_hub=of_the_first_hub())
    login = dict(office.credentials.login)
    before = await hub.stored()

    answers = [
        await post(hub, TEXTS, a_text(message="Another"), office),
        await post(hub, TEXTS, a_text(PHONENUMBER=NUMBER), office),
        await post(hub, SUBSCRIBERS, a_subscriber(doNotText=False), office),
        await hub.client.post(LOGIN, json=login | {"programsid": login["ProgramSID"]}),
        await hub.client.post(LOGIN, data=login | {"programKey": login["ProgramKey"]}),
    ]

    assert [each.status_code for each in answers] == [400] * 5
    pointers = [list(errors_of(each)) for each in answers]
    assert pointers == [["#/message"], ["#/PHONENUMBER"], ["#/doNotText"], ["#/programsid"], ["#/programKey"]]
    assert await hub.stored() == before


UNKNOWN: Mapping[str, Any] = {"Id": 0, "Program": {"Name": "City Hall", "Texts": [{}, []]}, "created_at": None}


async def test_properties_that_nobody_knows_are_refused(hub: Hub) -> None:
    office = await hub.an_office()
    login = office.credentials.login
    before = await hub.stored()

    answers = [
        await post(hub, TEXTS, a_text(**UNKNOWN), office),
        await post(hub, SUBSCRIBERS, a_subscriber(**UNKNOWN), office),
        await hub.client.post(LOGIN, json={**login, **UNKNOWN}),
    ]
    form = await hub.client.post(LOGIN, data={**login, "Remember": "yes"})

    assert [each.status_code for each in (*answers, form)] == [400] * 4
    assert {each.json()["type"] for each in (*answers, form)} == {"unknown-property"}
    assert [list(errors_of(each)) for each in answers] == [["#/Id", "#/Program", "#/created_at"]] * 3
    assert errors_of(form) == ["#/Remember"]
    assert await hub.stored() == before


async def test_programs_of_the_first_hub_may_post_whole_models(hub: Hub) -> None:
    office = await hub.an_office(first_hub=of_the_first_hub())
    login = office.credentials.login

    answers = [
        await post(hub, TEXTS, a_text(**UNKNOWN), office),
        await post(hub, SUBSCRIBERS, a_subscriber(**UNKNOWN), office),
        await hub.client.post(LOGIN, json={**login, **UNKNOWN}),
        await hub.client.post(LOGIN, data={**login, "Remember": "yes"}),
    ]

    assert [each.status_code for each in answers] == [200] * 4


async def test_a_program_of_the_first_hub_keeps_its_ids_and_its_key(hub: Hub) -> None:
    credentials = of_the_first_hub(key="changeit")
    created = await hub.create_program(first_hub=credentials)

    office = Office(credentials, await hub.log_in(credentials))
    sent = await post(hub, TEXTS, a_text(ProgramId=credentials.program_id.lower()), office)

    assert created == credentials
    assert sent.status_code == 200
    assert sent.json()["ProgramId"] == credentials.program_id


@pytest.mark.parametrize("fold", [str, str.lower, str.upper, str.swapcase])
async def test_program_id_is_read_in_any_letter_case(hub: Hub, fold: Callable[[str], str]) -> None:
    office = await hub.an_office(first_hub=of_the_first_hub())

    sent = await post(hub, TEXTS, a_text(ProgramId=fold(office.id)), office)
    subscribed = await post(hub, SUBSCRIBERS, a_subscriber(ProgramId=fold(office.id)), office)

    assert sent.status_code == subscribed.status_code == 200
    assert sent.json()["ProgramId"] == office.id


async def test_the_id_of_another_program_is_answered_with_403(hub: Hub) -> None:
    office, other = await hub.an_office(), await hub.an_office(first_hub=of_the_first_hub())
    before = await hub.stored()

    answers = [
        await post(hub, path, body | {"ProgramId": program_id}, office)
        for path, body in ((TEXTS, a_text()), (SUBSCRIBERS, a_subscriber()))
        for program_id in (other.id, other.id.lower(), str(uuid4()), "", f"{office.id} ", "1")
    ]

    assert {each.status_code for each in answers} == {403}
    assert {each.json()["type"] for each in answers} == {"other-program"}
    assert {tuple(errors_of(each)) for each in answers} == {("#/ProgramId",)}
    assert await hub.stored() == before


# What a .NET client makes of a DateTime, and others of a date.
DATES = [
    "0001-01-01T00:00:00",
    "2026-11-02T09:00:00",
    "2026-11-02T09:00:00Z",
    "2026-11-02T09:00:00-07:00",
    "2026-11-02T09:00:00.1",
    "2026-11-02T09:00:00.123Z",
    "2026-11-02T09:00:00.1234567",
    "2026-11-02T09:00:00.1234567Z",
    "2026-11-02T09:00:00.1234567+05:30",
    "9999-12-31T23:59:59.9999999",
    "2026-11-02 09:00:00",
    "2099-01-01 00:00:00",
]


@pytest.mark.parametrize("written", DATES)
async def test_date_sent_is_kept_as_it_came_and_means_now(hub: Hub, written: str) -> None:
    office = await hub.an_office()
    before = datetime.now(UTC)

    sent = (await post(hub, TEXTS, a_text(DateSent=written), office)).json()
    read = (await hub.client.get(f"{TEXTS}/{sent['Id']}", headers=office.headers)).json()

    assert sent["ClientDateSent"] == read["ClientDateSent"] == written
    assert sent["Status"] == read["Status"] == "queued"
    assert sent["DateSent"] == read["DateSent"]
    assert abs(datetime.fromisoformat(sent["DateSent"]) - before) < timedelta(seconds=5)


@pytest.mark.parametrize("successful", [None, False, True])
@pytest.mark.parametrize("result", [None, "", "Queued"])
async def test_a_whole_model_is_taken(hub: Hub, successful: bool | None, result: str | None) -> None:  # noqa: FBT001
    office = await hub.an_office()
    model = {
        "Message": "Grüße aus dem Büro",
        "PhoneNumber": "19706904544",
        "ProgramId": office.id.upper(),
        "DateSent": "0001-01-01T00:00:00",
        "SendSuccessful": successful,
        "SentResult": result,
    }

    response = await hub.client.post(
        TEXTS,
        content=json.dumps(model, ensure_ascii=False).encode(),
        headers={**office.headers, "Content-Type": "application/json; charset=utf-8"},
    )

    assert response.status_code == 200
    assert response.json()["SendSuccessful"] is True
    assert response.json()["Message"] == "Grüße aus dem Büro"


async def test_a_model_may_have_null_wherever_there_is_nothing(hub: Hub) -> None:
    office = await hub.an_office()
    empty = {"ProgramId": None, "DateSent": None, "SendSuccessful": None, "SentResult": None}

    sent = await post(hub, TEXTS, a_text(**empty), office)
    subscribed = await post(hub, SUBSCRIBERS, a_subscriber(ProgramId=None), office)

    assert sent.status_code == subscribed.status_code == 200
    assert sent.json()["ClientDateSent"] is None


# What the hub answers


async def test_a_text_is_taken_with_exactly_200_and_says_where_it_is(hub: Hub) -> None:
    office = await hub.an_office()

    response = await post(hub, TEXTS, a_text(), office)

    sent = response.json()
    assert response.status_code == 200
    assert sent["SendSuccessful"] is True
    assert sent["SentResult"] == "Accepted for 1 number."
    assert (sent["Status"], sent["Counts"], sent["Recipients"]) == ("queued", {"queued": 1}, 1)
    assert (sent["Encoding"], sent["Segments"]) == ("GSM-7", 1)
    assert response.headers["location"] == f"{hub.base_path}{TEXTS}/{sent['Id']}"
    located = await hub.client.get(httpx.URL(f"{PUBLIC_URL}{response.headers['location']}"), headers=office.headers)
    assert located.status_code == 200
    assert located.json()["Id"] == sent["Id"]


async def test_send_successful_and_sent_result_tell_the_outcome_later(database_url: str) -> None:
    async with a_hub(database_url) as hub, hub.dispatching():
        delivered, failed, mixed = [await hub.an_office() for _ in range(3)]
        await post(hub, SUBSCRIBERS, a_subscriber(PhoneNumber="9706904545"), mixed)
        sent = {
            office: (await post(hub, TEXTS, a_text(PhoneNumber=numbers), office)).json()
            for office, numbers in (
                (delivered, "9706904544"),
                (failed, "+15005550001"),
                (mixed, "9706904544,9706904545"),
            )
        }
        told = {office: await outcome(hub, office, text["Id"]) for office, text in sent.items()}

    assert {text["SendSuccessful"] for text in sent.values()} == {True}
    assert sent[mixed]["SentResult"] == "Accepted for 1 number. 1 number opted out and will not be texted."
    assert [(told[each]["Status"], told[each]["SendSuccessful"]) for each in (delivered, failed, mixed)] == [
        ("delivered", True),
        ("failed", False),
        ("blocked", False),
    ]
    assert [told[each]["SentResult"] for each in (delivered, failed, mixed)] == [
        "Delivered.",
        "Failed. There is no such phone number.",
        "1 delivered, 1 not texted.",
    ]


async def outcome(hub: Hub, office: Office, message_id: str) -> Mapping[str, Any]:
    """The message when all of it has come to an end."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            text: Mapping[str, Any] = (await hub.client.get(f"{TEXTS}/{message_id}", headers=office.headers)).json()
            if text["Status"] in {"failed", "undelivered", "expired", "blocked", "canceled", "delivered"}:
                return text
            await asyncio.sleep(0.05)


WRITINGS = [
    "(970) 690-4544",
    "1.970.690.4544",
    "970.690.4544",
    "970-690-4544",
    "970 690 4544",
    "9706904544",
    "19706904544",
    "1-970-690-4544",
    "1 (970) 690-4544",
    "+19706904544",
    "+1 (970) 690-4544",
    "+1.970.690.4544",
    "  970-690-4544  ",
    "(970)\N{NO-BREAK SPACE}690\N{NON-BREAKING HYPHEN}4544",
    "970-690-4544,",
    " , 970-690-4544 , (970) 690-4544",
]


@pytest.mark.parametrize("written", WRITINGS)
async def test_a_number_is_read_in_any_common_writing(hub: Hub, written: str) -> None:
    office = await hub.an_office()

    sent = await post(hub, TEXTS, a_text(PhoneNumber=written), office)

    assert sent.status_code == 200
    assert (sent.json()["PhoneNumber"], sent.json()["Recipients"]) == (NUMBER, 1)


async def test_a_number_without_plus_is_one_of_the_senders_country(database_url: str) -> None:
    async with a_hub(database_url, default_region="DE") as hub:
        british, short_code = await hub.an_office(sender="+447400555000"), await hub.an_office(sender="72525")

        sent = [
            (await post(hub, TEXTS, a_text(PhoneNumber=number), office)).json()["PhoneNumber"]
            for office, number in ((british, "07400 123456"), (short_code, "0151 23456789"), (short_code, NUMBER))
        ]

    assert sent == ["+447400123456", "+4915123456789", NUMBER]


async def test_ten_thousand_numbers_are_taken_at_once(database_url: str) -> None:
    numbers = [f"(970) {555 + index // 10_000}-{index % 10_000:04}" for index in range(10_000)]
    async with a_hub(database_url) as hub:
        office = await hub.an_office()

        response = await post(hub, TEXTS, a_text(PhoneNumber=", ".join(numbers)), office)

        sent = response.json()
        assert response.status_code == 200
        assert (sent["Recipients"], sent["Counts"]) == (10_000, {"queued": 10_000})
        assert len(sent["PhoneNumber"].split(",")) == 100
        assert sent["SentResult"] == "Accepted for 10000 numbers."
        assert await hub.stored() == {"text_messages": 1, "deliveries": 10_000, "opt_outs": 0}
        listed = [
            each["PhoneNumber"]
            async for page in pages(hub, office, f"{TEXTS}/{sent['Id']}/Deliveries")
            for each in page
        ]
        assert listed == [f"+1970555{index:04}" for index in range(10_000)]


async def pages(hub: Hub, office: Office, path: str) -> Any:  # noqa: ANN401
    cursor: dict[str, str] = {}
    while True:
        page = (await hub.client.get(path, params={"Limit": 1_000, **cursor}, headers=office.headers)).json()
        yield page["Items"]
        if page["NextCursor"] is None:
            return
        cursor = {"Cursor": page["NextCursor"]}


async def test_a_subscriber_is_not_texted_until_the_opt_out_is_lifted(hub: Hub) -> None:
    office, other = await hub.an_office(), await hub.an_office()

    async def state_of_a_text(sender: Office) -> str:
        return str((await post(hub, TEXTS, a_text(), sender)).json()["Status"])

    opted_out = await post(hub, SUBSCRIBERS, a_subscriber(PhoneNumber="970.690.4544"), office)
    again = await post(hub, SUBSCRIBERS, a_subscriber(PhoneNumber=NUMBER), office)
    assert [await state_of_a_text(each) for each in (office, other)] == ["blocked", "queued"]

    lifted = await post(hub, SUBSCRIBERS, a_subscriber(DoNotText=False), office)
    assert await state_of_a_text(office) == "queued"

    assert opted_out.status_code == again.status_code == lifted.status_code == 200
    assert lifted.json() == {"PhoneNumber": NUMBER, "DoNotText": False}


# Pages of other origins


async def test_a_page_logs_in_with_a_form_and_no_preflight(hub: Hub) -> None:
    credentials = await hub.create_program()
    headers = {"Origin": OFFICE_PAGES, "Content-Type": f"{FORM}; charset=UTF-8", "Accept": "*/*"}

    response = await hub.client.post(LOGIN, content=urlencode(credentials.login), headers=headers)

    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == OFFICE_PAGES


@pytest.mark.parametrize("path", [TEXTS, SUBSCRIBERS, LOGIN])
@pytest.mark.parametrize(
    "asked", ["authorization,content-type", "content-type", "authorization, content-type, x-requested-with"]
)
async def test_a_page_asks_before_it_posts_json(hub: Hub, path: str, asked: str) -> None:
    headers = {
        "Origin": OFFICE_PAGES,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": asked,
    }

    response = await hub.client.options(path, headers=headers)

    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == OFFICE_PAGES
    assert "POST" in response.headers["access-control-allow-methods"]
    allowed = {name.strip().lower() for name in response.headers["access-control-allow-headers"].split(",")}
    assert allowed >= {name.strip() for name in asked.split(",")}


@pytest.mark.parametrize("method", ["DELETE", "GET", "PATCH", "POST", "PUT"])
async def test_a_page_may_use_every_method_of_the_document(hub: Hub, method: str) -> None:
    headers = {"Origin": OFFICE_PAGES, "Access-Control-Request-Method": method}

    response = await hub.client.options(TEXTS, headers=headers)

    assert response.status_code == 200
    assert method in response.headers["access-control-allow-methods"].split(", ")


async def test_a_page_can_read_every_answer(hub: Hub) -> None:
    office = await hub.an_office()
    page = {"Origin": OFFICE_PAGES}
    token = {**page, **office.headers}

    answers = {
        200: await post(hub, TEXTS, a_text(), office, origin=OFFICE_PAGES),
        400: await post(hub, TEXTS, {}, office, origin=OFFICE_PAGES),
        401: await hub.client.post(TEXTS, json=a_text(), headers=page),
        403: await post(hub, TEXTS, a_text(ProgramId="other"), office, origin=OFFICE_PAGES),
        404: await hub.client.get(f"{TEXTS}/{uuid4()}", headers=token),
        405: await hub.client.get(LOGIN, headers=page),
        413: await hub.client.post(TEXTS, content=b" " * (4 * 1024 * 1024 + 1), headers=token),
        415: await hub.client.post(TEXTS, content=b"<a/>", headers={**token, "Content-Type": "text/xml"}),
        422: await post(hub, TEXTS, a_text(PhoneNumber="none"), office, origin=OFFICE_PAGES),
    }
    nowhere = await hub.client.get("/api/nowhere", headers=page)

    assert [each.status_code for each in answers.values()] == list(answers)
    assert nowhere.status_code == 404
    for answer in (*answers.values(), nowhere):
        assert answer.headers["access-control-allow-origin"] == OFFICE_PAGES
        exposed = {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")}
        assert exposed >= {"Location", "Retry-After", "WWW-Authenticate"}
        # A cache must not show one origin's answer to another.
        assert "Origin" in answer.headers.get("vary", "")


@pytest.mark.parametrize("origin", [OTHER_PAGES, "null", f"{OFFICE_PAGES}.elsewhere.example", OFFICE_PAGES.upper()])
async def test_pages_of_a_foreign_origin_are_told_nothing(hub: Hub, origin: str) -> None:
    office = await hub.an_office()
    preflight = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }

    answers = [
        await hub.client.post(LOGIN, data=office.credentials.login, headers={"Origin": origin}),
        await post(hub, TEXTS, a_text(), office, origin=origin),
        await hub.client.get(TEXTS, headers={"Origin": origin}),
        await hub.client.options(TEXTS, headers=preflight),
    ]

    assert not any("access-control-allow-origin" in each.headers for each in answers)


async def test_without_origins_in_the_settings_no_page_is_told_anything(sqlite_url: str) -> None:
    async with a_hub(sqlite_url) as hub:
        credentials = await hub.create_program()
        login = await hub.client.post(LOGIN, data=credentials.login, headers={"Origin": OFFICE_PAGES})
        preflight = await hub.client.options(
            TEXTS, headers={"Origin": OFFICE_PAGES, "Access-Control-Request-Method": "POST"}
        )

    assert login.status_code == 200
    assert preflight.status_code == 405
    assert not any(name.startswith("access-control") for each in (login, preflight) for name in each.headers)


async def test_several_origins_stand_with_commas_between(sqlite_url: str) -> None:
    origins = [OFFICE_PAGES, "https://desk.example:8443"]
    async with a_hub(sqlite_url, cors_origins=", ".join(origins)) as hub:
        answers = [await hub.client.get(TEXTS, headers={"Origin": origin}) for origin in origins]

    assert [each.headers["access-control-allow-origin"] for each in answers] == origins


# The prefix


async def test_nothing_is_served_outside_the_prefix(sqlite_url: str) -> None:
    async with a_hub(sqlite_url, public_url=f"{PUBLIC_URL}/cwis463") as hub:
        paths = [LOGIN, TEXTS, "/docs", "/openapi.json", "/", "/cwis463api/Login", "/CWIS463/api/Login"]

        answers = [await hub.client.get(httpx.URL(f"{PUBLIC_URL}{path}")) for path in paths]

    assert {each.status_code for each in answers} == {404}


async def test_a_slash_at_the_end_of_an_address_changes_nothing(hub: Hub) -> None:
    office = await hub.an_office()
    bodies = {
        ("post", LOGIN): office.credentials.login,
        ("post", TEXTS): a_text(),
        ("post", f"{TEXTS}/Preview"): a_text(),
        ("post", SUBSCRIBERS): a_subscriber(),
        ("post", EVENTS): {"PhoneNumber": NUMBER, "Consent": "opt-in"},
    }
    asked = {
        ("get", EVENTS): {"PhoneNumber": NUMBER},
        ("get", "/api/Usage"): {"From": "2026-11-01", "To": "2026-11-30"},
    }
    files = {("post", "/api/OptOuts/Import"): NUMBER.encode()}
    sent = (await post(hub, TEXTS, a_text(), office)).json()["Id"]

    for operation in CONTRACT.operations.values():
        # The first hub had none for operators, no webhooks and no templates.
        if operation.is_callback or operation.is_operators or "Webhooks" in operation.path:
            continue
        if "Templates" in operation.path:
            continue
        path = operation.path.replace("{Id}", sent) + "/"
        called = operation.method, operation.path
        response = await hub.client.request(
            operation.method,
            path,
            json=bodies.get(called),
            content=files.get(called),
            params=asked.get(called),
            headers={**office.headers, **({"Content-Type": "text/csv"} if called in files else {})},
        )
        assert response.status_code == 200


# On the wire


def request(method: str, path: str, *headers: str, body: bytes = b"", version: str = "1.1") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: hub", *headers, "", ""]).encode() + body


def test_php_posts_a_form_as_http_1_0(running_hub: RunningHub) -> None:
    form = urlencode(running_hub.create_program().login).encode()
    headers = ["Connection: close", f"Content-type: {FORM}", f"Content-Length: {len(form)}"]
    with running_hub.connection() as connection:
        connection.send(request("POST", LOGIN, *headers, body=form, version="1.0"))
        response = connection.answer("POST", LOGIN)

        assert response.status_code == 200
        assert "transfer-encoding" not in response.headers
        assert connection.socket.recv(1) == b""


def test_dot_net_waits_to_be_told_to_go_on(running_hub: RunningHub) -> None:
    office = running_hub.an_office()
    body = json.dumps(a_text()).encode()
    headers = [
        f"Authorization: Bearer {office.token}",
        "Content-Type: application/json; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Expect: 100-continue",
    ]
    with running_hub.connection() as connection:
        for _ in range(2):
            connection.send(request("POST", TEXTS, *headers))
            assert connection.receive_head() == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.send(body)
            assert connection.answer("POST", TEXTS).status_code == 200


def test_dot_net_is_told_401_before_it_sends_the_body(running_hub: RunningHub) -> None:
    office = running_hub.an_office()
    body = json.dumps(a_text()).encode()
    headers = [f"Content-Type: {JSON}", f"Content-Length: {len(body)}", "Expect: 100-continue"]
    with running_hub.connection() as connection:
        connection.send(request("POST", TEXTS, "Authorization: expired", *headers))
        refused = connection.answer("POST", TEXTS)

        # A client that has waited long enough sends the body nevertheless, and logs in again on the same connection.
        connection.send(body)
        connection.send(request("POST", TEXTS, f"Authorization: {office.token}", *headers))
        assert connection.receive_head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.send(body)
        accepted = connection.answer("POST", TEXTS)

    assert (refused.status_code, accepted.status_code) == (401, 200)


def test_dot_net_posts_json_in_chunks(running_hub: RunningHub) -> None:
    office = running_hub.an_office()
    body = json.dumps(a_text()).encode()
    headers = [
        f"Authorization: Bearer {office.token}",
        "Content-Type: application/json; charset=utf-8",
        "Transfer-Encoding: chunked",
    ]
    chunks = [body[:7], body[7:], b""]
    with running_hub.connection() as connection:
        connection.send(request("POST", TEXTS, *headers))
        for chunk in chunks:
            connection.send(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        response = connection.answer("POST", TEXTS)

    assert response.status_code == 200
