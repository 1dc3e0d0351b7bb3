"""What callers may ask for with a text: to be safe from doubles, to wait, a time, a priority, a sender."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import asyncpg
import httpx
import pytest
from sqlalchemy import update

import adapters.sql.intake
from adapters.sql.tables import idempotency_keys
from tests.documented import PROBLEM
from tests.http import OFFICE_PAGES, Hub, Office, a_hub
from tests.patience import PATIENCE_S

TEXTS = "/api/TextMessages"
SUBSCRIBERS = "/api/Subscribers"

NUMBER = "+19706904544"
OTHER_NUMBER = "+19706904545"
KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"
DAY_S = 24 * 60 * 60


@pytest.fixture(scope="module")
def hub(a_hub_of_each_kind: Hub) -> Hub:
    return a_hub_of_each_kind


def a_text(**properties: object) -> dict[str, object]:
    return {"Message": "Your appointment is tomorrow.", "PhoneNumber": NUMBER, **properties}


def in_(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def a_day_ahead() -> date:
    return (datetime.now(UTC) + timedelta(days=30)).date()


def is_refused(response: httpx.Response, slug: str, *at: str, status: int = 422) -> bool:
    if (response.status_code, response.headers["content-type"]) != (status, PROBLEM):
        return False
    problem = response.json()
    faults = [each.get("pointer") or each.get("parameter") for each in problem.get("errors", ())]
    return bool(problem["type"] == slug and faults == list(at))


def is_replayed(response: httpx.Response) -> bool:
    assert response.status_code == 200, response.text
    said: str | None = response.headers.get("Idempotency-Replayed")
    return said == "true"


async def texts_of(hub: Hub, office: Office) -> int:
    return len((await hub.get(office, TEXTS)).json()["Items"])


async def the_text_of(hub: Hub, office: Office) -> str:
    """The id of its one text, as soon as that is stored."""
    while True:
        for text in (await hub.get(office, TEXTS)).json()["Items"]:
            return str(text["Id"])
        await asyncio.sleep(0.01)


@contextmanager
def a_minute_later(hub: Hub) -> Iterator[None]:
    clock = hub.container.clock()
    clock._offset_us += 60_000_000
    yield
    clock._offset_us -= 60_000_000


async def let_keys_grow_older(hub: Hub, office: Office, by_s: int) -> None:
    age = idempotency_keys.c.created_us - by_s * 1_000_000
    own = idempotency_keys.c.program_id == office.id
    async with hub.container.database().writing() as connection:
        await connection.execute(update(idempotency_keys).where(own).values(created_us=age))


async def opt_out(hub: Hub, office: Office, number: str = NUMBER) -> None:
    assert (await hub.post(office, SUBSCRIBERS, {"PhoneNumber": number, "DoNotText": True})).status_code == 200


# Idempotency-Key


async def test_a_request_that_is_repeated_with_its_key_is_sent_once_and_answered_as_the_first_was(hub: Hub) -> None:
    office = await hub.an_office()
    text = a_text(PhoneNumber=f"{NUMBER},{OTHER_NUMBER}", DateSent="2026-11-02 09:00:00", SendAt=in_(DAY_S))

    first = await hub.post(office, TEXTS, text, Idempotency_Key=KEY)
    repeated = [await hub.post(office, TEXTS, text, Idempotency_Key=KEY) for _ in range(3)]

    assert first.status_code == 200
    assert "Idempotency-Replayed" not in first.headers
    assert all(map(is_replayed, repeated))
    assert {each.content for each in repeated} == {first.content}
    assert {each.headers["Location"] for each in repeated} == {first.headers["Location"]}
    assert await texts_of(hub, office) == 1


async def test_without_a_key_each_request_is_one_of_its_own(hub: Hub) -> None:
    office = await hub.an_office()

    answers = [await hub.post(office, TEXTS, a_text()) for _ in range(2)]

    assert not any(map(is_replayed, answers))
    assert await texts_of(hub, office) == 2


SAME_REQUEST: Mapping[str, str] = {
    "blanks": '{ "Message" :\t"Am Dienstag um 9 Uhr",\r\n  "PhoneNumber": "+19706904544" }',
    "another order": '{"PhoneNumber":"+19706904544","Message":"Am Dienstag um 9 Uhr"}',
    "small letters": '{"message":"Am Dienstag um 9 Uhr","phonenumber":"+19706904544"}',
    "capitals": '{"MESSAGE":"Am Dienstag um 9 Uhr","PHONENUMBER":"+19706904544"}',
    "escapes": r'{"\u004dessage":"\u0041m Dienstag um 9 Uhr","PhoneNumber":"\u002b19706904544"}',
    "a byte order mark": '\ufeff{"Message":"Am Dienstag um 9 Uhr","PhoneNumber":"+19706904544"}',
    "null for nothing": '{"Message":"Am Dienstag um 9 Uhr","PhoneNumber":"+19706904544","SendAt":null,"Sender":null}',
    "the priority that it has": '{"Message":"Am Dienstag um 9 Uhr","PhoneNumber":"+19706904544","Priority":"normal"}',
}


@pytest.mark.parametrize("what", SAME_REQUEST)
async def test_how_a_request_is_written_does_not_make_it_another(hub: Hub, what: str) -> None:
    office = await hub.an_office()
    headers = {**office.headers, "Content-Type": "application/json", "Idempotency-Key": KEY}
    first = '{"Message":"Am Dienstag um 9 Uhr","PhoneNumber":"+19706904544"}'

    answers = [
        await hub.client.post(TEXTS, content=written.encode(), headers=headers)
        for written in (first, SAME_REQUEST[what])
    ]

    assert [is_replayed(each) for each in answers] == [False, True]
    assert answers[1].content == answers[0].content


async def test_the_same_moment_in_another_zone_is_no_other_request(hub: Hub) -> None:
    office = await hub.an_office()
    day = a_day_ahead()

    answers = [
        await hub.post(office, TEXTS, a_text(SendAt=f"{day}T{written}"), Idempotency_Key=KEY)
        for written in ("12:00:00Z", "05:00:00.000-07:00")
    ]

    assert [is_replayed(each) for each in answers] == [False, True]


OTHER_REQUESTS: Mapping[str, Mapping[str, object]] = {
    "another text": {"Message": "Your appointment is today."},
    "a blank more": {"Message": "Your appointment is tomorrow. "},
    "another number": {"PhoneNumber": OTHER_NUMBER},
    "a number more": {"PhoneNumber": f"{NUMBER},{OTHER_NUMBER}"},
    "another priority": {"Priority": "urgent"},
    "a time": {"SendAt": "2027-01-01T00:00:00Z"},
    "an end": {"ExpiresAt": "2199-01-01T00:00:00Z"},
    "another sender": {"Sender": "72525"},
    "another date of the client's": {"DateSent": "2026-11-02 09:00:00"},
}


@pytest.mark.parametrize("what", OTHER_REQUESTS)
async def test_a_key_stands_for_one_request(hub: Hub, what: str) -> None:
    office = await hub.an_office()
    await hub.add_sender(office, "72525")
    first = await hub.post(office, TEXTS, a_text(), Idempotency_Key=KEY)
    other = a_text(**OTHER_REQUESTS[what])
    if "SendAt" in other:
        other["SendAt"] = in_(DAY_S)
    before = await hub.stored()

    refused = await hub.post(office, TEXTS, other, Idempotency_Key=KEY)

    assert is_refused(refused, "idempotency-key-reused", "Idempotency-Key")
    assert await hub.stored() == before
    replayed = await hub.post(office, TEXTS, a_text(), Idempotency_Key=KEY)
    assert is_replayed(replayed)
    assert replayed.content == first.content


async def test_whether_numbers_may_be_left_out_is_part_of_the_request(hub: Hub) -> None:
    office = await hub.an_office()
    text = a_text(PhoneNumber=f"nobody,{NUMBER}")

    lenient = [
        await hub.post(office, TEXTS, text, Idempotency_Key=KEY, Prefer="handling=lenient, foo") for _ in range(2)
    ]
    strict = await hub.post(office, TEXTS, text, Idempotency_Key=KEY)

    assert [is_replayed(each) for each in lenient] == [False, True]
    assert lenient[0].content == lenient[1].content
    assert lenient[1].json()["RefusedNumbers"][0]["Position"] == 1
    assert strict.status_code == 422


async def test_each_program_has_keys_of_its_own(hub: Hub) -> None:
    offices = [await hub.an_office() for _ in range(2)]

    first = [await hub.post(each, TEXTS, a_text(), Idempotency_Key=KEY) for each in offices]
    again = [await hub.post(each, TEXTS, a_text(), Idempotency_Key=KEY) for each in offices]

    assert not any(map(is_replayed, first))
    assert all(map(is_replayed, again))
    assert [each.content for each in again] == [each.content for each in first]
    assert [each.json()["ProgramId"] for each in again] == [each.id for each in offices]


async def test_keys_are_compared_to_the_letter(hub: Hub) -> None:
    office = await hub.an_office()
    keys = ["a", "A", "aa", '"a"', "a,a", "!~", "x" * 254, "x" * 255, "%61", "';--"]

    first = [await hub.post(office, TEXTS, a_text(), Idempotency_Key=key) for key in keys]
    again = [await hub.post(office, TEXTS, a_text(), Idempotency_Key=f" {key} ") for key in keys]

    assert not any(map(is_replayed, first))
    assert all(map(is_replayed, again))
    assert len({each.json()["Id"] for each in first}) == len(keys)


async def test_an_opt_out_meanwhile_does_not_change_the_answer(hub: Hub) -> None:
    office = await hub.an_office()
    first = await hub.post(office, TEXTS, a_text(), Idempotency_Key=KEY)
    await opt_out(hub, office)

    replayed = await hub.post(office, TEXTS, a_text(), Idempotency_Key=KEY)

    assert is_replayed(replayed)
    assert replayed.content == first.content
    assert first.json()["Counts"] == {"queued": 1}


async def test_an_opt_out_that_was_lifted_meanwhile_does_not_change_the_answer(hub: Hub) -> None:
    office = await hub.an_office()
    await opt_out(hub, office)
    text = a_text(PhoneNumber=f"{NUMBER},{OTHER_NUMBER}")
    first = await hub.post(office, TEXTS, text, Idempotency_Key=KEY)
    await hub.post(office, SUBSCRIBERS, {"PhoneNumber": NUMBER, "DoNotText": False})

    replayed = await hub.post(office, TEXTS, text, Idempotency_Key=KEY)

    assert is_replayed(replayed)
    assert replayed.content == first.content
    assert first.json()["Counts"] == {"queued": 1, "blocked": 1}


async def test_a_cancellation_meanwhile_does_not_change_the_answer(hub: Hub) -> None:
    office = await hub.an_office()
    first = await hub.post(office, TEXTS, a_text(), Idempotency_Key=KEY)
    canceled = await hub.post(office, f"{TEXTS}/{first.json()['Id']}/Cancel")

    replayed = await hub.post(office, TEXTS, a_text(), Idempotency_Key=KEY)

    assert canceled.json()["Canceled"] == 1
    assert is_replayed(replayed)
    assert replayed.content == first.content
    assert (await hub.get(office, f"{TEXTS}/{first.json()['Id']}")).json()["Status"] == "canceled"


async def test_delivery_meanwhile_does_not_change_the_answer_and_nothing_is_sent_again(database_url: str) -> None:
    async with a_hub(database_url) as hub, hub.dispatching():
        office = await hub.an_office()
        first = await hub.post(office, TEXTS, a_text(), Idempotency_Key=KEY)
        await hub.outcome(office, first.json()["Id"])

        replayed = await hub.post(office, TEXTS, a_text(), Idempotency_Key=KEY)
        waited = await hub.post(office, TEXTS, a_text(), Idempotency_Key=KEY, Prefer="wait=10")

        assert is_replayed(replayed)
        assert replayed.content == first.content
        # Who waits asks for the outcome, also of the request before.
        assert is_replayed(waited)
        assert (waited.json()["Id"], waited.json()["Status"]) == (first.json()["Id"], "delivered")
        assert await texts_of(hub, office) == 1


async def test_a_request_is_answered_as_before_when_its_times_have_passed(hub: Hub) -> None:
    office = await hub.an_office()
    soon, later = in_(50), in_(55)
    texts = {
        "start": a_text(SendAt=soon),
        "end": a_text(ExpiresAt=soon),
        "both": a_text(SendAt=soon, ExpiresAt=later),
    }
    first = [await hub.post(office, TEXTS, text, Idempotency_Key=key) for key, text in texts.items()]

    with a_minute_later(hub):
        replayed = [await hub.post(office, TEXTS, text, Idempotency_Key=key) for key, text in texts.items()]
        other = await hub.post(office, TEXTS, a_text(Message="Another", SendAt=soon), Idempotency_Key="start")
        late = [await hub.post(office, TEXTS, text, Idempotency_Key=KEY) for text in texts.values()]

    assert all(map(is_replayed, replayed))
    assert [each.content for each in replayed] == [each.content for each in first]
    assert is_refused(other, "idempotency-key-reused", "Idempotency-Key")
    at = ["#/SendAt", "#/ExpiresAt", "#/SendAt"]
    assert all(is_refused(each, "time-refused", name) for each, name in zip(late, at, strict=True))


REFUSED: Mapping[str, tuple[int, Mapping[str, object]]] = {
    "a wrong number": (422, {"PhoneNumber": "nobody"}),
    "no number": (422, {"PhoneNumber": ","}),
    "a blank text": (422, {"Message": " "}),
    "too long a text": (422, {"Message": "\N{GRINNING FACE}" * 1_600}),
    "a time that has passed": (422, {"SendAt": "2001-01-01T00:00:00Z"}),
    "an unknown sender": (422, {"Sender": "Nobody"}),
    "another program": (403, {"ProgramId": "another"}),
    "a wrong priority": (400, {"Priority": "high"}),
    "no text": (400, {"Message": None}),
    "an unknown property": (400, {"Nonsense": 1}),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_a_request_that_is_refused_leaves_its_key_free(hub: Hub, what: str) -> None:
    office = await hub.an_office()
    status, properties = REFUSED[what]
    before = await hub.stored()

    refused = [await hub.post(office, TEXTS, a_text(**properties), Idempotency_Key=KEY) for _ in range(2)]
    assert await hub.stored() == before
    put_right = [await hub.post(office, TEXTS, a_text(), Idempotency_Key=KEY) for _ in range(2)]

    assert [each.status_code for each in refused] == [status] * 2
    assert refused[0].content == refused[1].content
    assert [is_replayed(each) for each in put_right] == [False, True]


async def test_a_key_is_free_again_after_24_hours(hub: Hub) -> None:
    office, other = await hub.an_office(), await hub.an_office()
    first, others = [await hub.post(each, TEXTS, a_text(), Idempotency_Key=KEY) for each in (office, other)]

    await let_keys_grow_older(hub, office, DAY_S - 60)
    in_time = await hub.post(office, TEXTS, a_text(), Idempotency_Key=KEY)
    await let_keys_grow_older(hub, office, 60)
    later = [await hub.post(office, TEXTS, a_text(Message="Another"), Idempotency_Key=KEY) for _ in range(2)]

    assert is_replayed(in_time)
    assert in_time.content == first.content
    assert [is_replayed(each) for each in later] == [False, True]
    assert later[0].content == later[1].content
    assert later[0].json()["Id"] != first.json()["Id"]
    assert await texts_of(hub, office) == 2
    assert (await hub.post(other, TEXTS, a_text(), Idempotency_Key=KEY)).content == others.content


async def test_a_time_that_has_passed_is_refused_when_its_key_is_free_again(hub: Hub) -> None:
    office = await hub.an_office()
    text = a_text(SendAt=in_(50))
    first = await hub.post(office, TEXTS, text, Idempotency_Key=KEY)
    await let_keys_grow_older(hub, office, DAY_S)

    with a_minute_later(hub):
        again = await hub.post(office, TEXTS, text, Idempotency_Key=KEY)

    assert first.status_code == 200
    assert is_refused(again, "time-refused", "#/SendAt")


async def test_of_twenty_equal_requests_at_once_one_is_sent(hub: Hub) -> None:
    office = await hub.an_office()

    answers = await asyncio.gather(*(hub.post(office, TEXTS, a_text(), Idempotency_Key=KEY) for _ in range(20)))

    assert sorted(is_replayed(each) for each in answers) == [False] + [True] * 19
    assert len({each.content for each in answers}) == 1
    assert len({each.headers["Location"] for each in answers}) == 1
    assert await texts_of(hub, office) == 1


async def test_of_different_requests_with_one_key_at_once_one_is_sent(hub: Hub) -> None:
    office, other = await hub.an_office(), await hub.an_office()

    answers, others = [
        await asyncio.gather(
            *(hub.post(each, TEXTS, a_text(Message=f"No. {index}"), Idempotency_Key=KEY) for index in range(10))
        )
        for each in (office, other)
    ]

    for each in (answers, others):
        assert sorted(answer.status_code for answer in each) == [200] + [422] * 9
        refused = [answer for answer in each if answer.status_code == 422]
        assert all(is_refused(answer, "idempotency-key-reused", "Idempotency-Key") for answer in refused)
    assert await texts_of(hub, office) == await texts_of(hub, other) == 1


async def test_a_key_holds_in_every_process_of_the_hub(database_url: str) -> None:
    async with a_hub(database_url) as one, a_hub(database_url) as another:
        office = await one.an_office()

        answers = await asyncio.gather(
            *(hub.post(office, TEXTS, a_text(), Idempotency_Key=KEY) for hub in (one, another) * 5)
        )

        assert {each.status_code for each in answers} == {200}
        assert sorted(is_replayed(each) for each in answers) == [False] + [True] * 9
        assert len({each.content for each in answers}) == 1
        assert await texts_of(another, office) == 1


# Numbers that may be left out


async def test_with_lenient_handling_the_valid_numbers_are_texted_and_the_others_named(hub: Hub) -> None:
    office = await hub.an_office()
    text = a_text(PhoneNumber=f"nobody,{NUMBER},,+1 900 555 1234,{OTHER_NUMBER},{NUMBER},")
    before = await hub.stored()

    strict = await hub.post(office, TEXTS, text)
    assert await hub.stored() == before
    sent = await hub.post(office, TEXTS, text, Prefer="handling=lenient")

    assert strict.json()["type"] == "recipients-refused"
    assert sent.status_code == 200
    assert sent.headers["Preference-Applied"] == "handling=lenient"
    assert (sent.json()["PhoneNumber"], sent.json()["Recipients"]) == (f"{NUMBER},{OTHER_NUMBER}", 2)
    refused = sent.json()["RefusedNumbers"]
    assert [each["Position"] for each in refused] == [1, 4]
    assert [each["Detail"] for each in refused] == [each["detail"] for each in strict.json()["errors"]]
    read = (await hub.get(office, f"{TEXTS}/{sent.json()['Id']}")).json()
    assert "RefusedNumbers" not in read


async def test_with_lenient_handling_the_refused_numbers_stand_there_even_when_there_are_none(hub: Hub) -> None:
    office = await hub.an_office()

    lenient = await hub.post(office, TEXTS, a_text(), Prefer="handling=lenient")
    strict = await hub.post(office, TEXTS, a_text(), Prefer="handling=strict")

    assert lenient.json()["RefusedNumbers"] == []
    assert "RefusedNumbers" not in strict.json()
    assert "Preference-Applied" not in strict.headers


@pytest.mark.parametrize("numbers", ["nobody", "nobody,12,+1 900 555 1234"])
async def test_with_lenient_handling_a_text_to_nobody_is_refused_all_the_same(hub: Hub, numbers: str) -> None:
    office = await hub.an_office()
    before = await hub.stored()

    response = await hub.post(office, TEXTS, a_text(PhoneNumber=numbers), Prefer="handling=lenient")

    assert is_refused(response, "recipients-refused", *["#/PhoneNumber"] * len(numbers.split(",")))
    assert "Preference-Applied" not in response.headers
    assert await hub.stored() == before


@pytest.mark.parametrize(
    ("slug", "properties"),
    [
        ("no-recipients", {"PhoneNumber": ",,"}),
        ("too-many-recipients", {"PhoneNumber": "x," * 10_001}),
        ("text-refused", {"Message": " "}),
        ("time-refused", {"SendAt": "2001-01-01T00:00:00Z"}),
        ("unknown-sender", {"Sender": "Nobody"}),
    ],
)
async def test_lenient_handling_is_about_numbers_alone(hub: Hub, slug: str, properties: Mapping[str, object]) -> None:
    office = await hub.an_office()

    response = await hub.post(office, TEXTS, a_text(**properties), Prefer="handling=lenient")

    assert (response.status_code, response.json()["type"]) == (422, slug)


# Waiting for the outcome


async def test_who_waits_is_answered_with_the_outcome(database_url: str) -> None:
    async with a_hub(database_url) as hub, hub.dispatching():
        office = await hub.an_office()

        delivered, failed = await asyncio.gather(
            hub.post(office, TEXTS, a_text(), Prefer="wait=15"),
            hub.post(office, TEXTS, a_text(PhoneNumber="nobody,+15005550001"), Prefer="wait=15,handling=lenient"),
        )

        assert [each.headers["Preference-Applied"] for each in (delivered, failed)] == [
            "wait=15",
            "wait=15, handling=lenient",
        ]
        assert delivered.headers["Location"].endswith(f"{TEXTS}/{delivered.json()['Id']}")
        assert (delivered.json()["Status"], delivered.json()["SentResult"]) == ("delivered", "Delivered.")
        assert (failed.json()["Status"], failed.json()["SendSuccessful"]) == ("failed", False)
        assert [each["Position"] for each in failed.json()["RefusedNumbers"]] == [1]
        for each in (delivered, failed):
            read = (await hub.get(office, f"{TEXTS}/{each.json()['Id']}")).json()
            assert read == {name: value for name, value in each.json().items() if name != "RefusedNumbers"}


async def test_who_waits_in_vain_is_told_how_things_stand(hub: Hub) -> None:
    office = await hub.an_office()
    started = time.monotonic()

    response = await hub.post(office, TEXTS, a_text(), Prefer="wait=1")

    assert time.monotonic() - started >= 1
    assert response.headers["Preference-Applied"] == "wait=1"
    assert (response.json()["Status"], response.json()["Counts"]) == ("queued", {"queued": 1})


async def test_the_wait_is_over_when_somebody_cancels(hub: Hub) -> None:
    office = await hub.an_office()
    waiting = asyncio.create_task(hub.post(office, TEXTS, a_text(), Prefer="wait=30"))
    async with asyncio.timeout(PATIENCE_S):
        await hub.post(office, f"{TEXTS}/{await the_text_of(hub, office)}/Cancel")

        response = await waiting

    assert response.status_code == 200
    assert response.json()["Status"] == "canceled"


async def test_a_text_that_is_scheduled_for_later_is_not_waited_for(hub: Hub) -> None:
    office = await hub.an_office()
    started = time.monotonic()

    response = await hub.post(office, TEXTS, a_text(SendAt=in_(60)), Prefer="wait=30")

    assert time.monotonic() - started < 30
    assert response.json()["Status"] == "scheduled"
    assert response.headers["Preference-Applied"] == "wait=30"


async def test_a_stop_of_the_hub_ends_the_wait(database_url: str) -> None:
    async with a_hub(database_url) as hub:
        office = await hub.an_office()
        waiting = asyncio.create_task(hub.post(office, TEXTS, a_text(), Prefer="wait=30"))
        async with asyncio.timeout(PATIENCE_S):
            await the_text_of(hub, office)
            hub.container.stopping().set()

            response = await waiting

    assert response.status_code == 200
    assert response.json()["Status"] == "queued"


PREFERENCES: Mapping[str, str | None] = {
    "wait=0": "wait=0",
    "wait=1": "wait=1",
    "wait=007": "wait=7",
    "wait=30": "wait=30",
    "wait=31": "wait=30",
    "wait=3600": "wait=30",
    "wait=999999999": "wait=30",
    'wait="10"': "wait=10",
    "Wait=10": "wait=10",
    "WAIT=10": "wait=10",
    " wait = 10 ": "wait=10",
    "wait=10; foo=bar": "wait=10",
    "wait=10;foo": "wait=10",
    "handling=lenient": "handling=lenient",
    "HANDLING=Lenient": "handling=lenient",
    'handling="lenient"': "handling=lenient",
    "handling=lenient, wait=5": "wait=5, handling=lenient",
    "wait=5,handling=lenient": "wait=5, handling=lenient",
    ",, wait=5 ,,": "wait=5",
    "respond-async, wait=5": "wait=5",
    'return=minimal; foo="some parameter", wait=5': "wait=5",
    "nonsense, =, ;, wait=5": "wait=5",
    "\xe9t\xe9, wait=5": "wait=5",
    # The first counts (RFC 7240, section 2).
    "wait=5, wait=10": "wait=5",
    "wait=5, WAIT=10": "wait=5",
    "wait=soon, wait=5": None,
    "handling=strict, handling=lenient": None,
    "": None,
    ",": None,
    "wait": None,
    "wait=": None,
    'wait=""': None,
    "wait=-1": None,
    "wait=+1": None,
    "wait=1.5": None,
    "wait=1e1": None,
    "wait=0x10": None,
    "wait=5 s": None,
    "wait=\xb2": None,
    'wait="10': None,
    "wait:10": None,
    "wait 10": None,
    "waits=10": None,
    "x-wait=10": None,
    "handling": None,
    "handling=": None,
    "handling=strict": None,
    "handling=lenient-ish": None,
    "lenient": None,
    "respond-async": None,
    "\x01": None,
    "=" * 1_000: None,
    "," * 1_000: None,
    '"' * 1_000: None,
    "wait=5," + " " * 993: "wait=5",
}


@pytest.mark.parametrize("header", PREFERENCES, ids=lambda header: ascii(header[:40]))
async def test_preferences_are_followed_where_they_are_understood(hub: Hub, header: str) -> None:
    # Whoever has opted out need not be waited for.
    office = await hub.an_office()
    await opt_out(hub, office)
    headers = {**office.headers, "Prefer": header.encode("latin-1")}

    response = await hub.client.post(TEXTS, json=a_text(), headers=headers)  # type: ignore[arg-type]

    assert response.status_code == 200
    assert response.headers.get("Preference-Applied") == PREFERENCES[header]
    assert response.json()["Status"] == "blocked"


@pytest.mark.parametrize("header", ['foo="a, wait=5, b"', 'foo="a,handling=lenient,b"'])
async def test_what_stands_in_quotes_is_no_preference(hub: Hub, header: str) -> None:
    office = await hub.an_office()
    await opt_out(hub, office)

    response = await hub.post(office, TEXTS, a_text(), Prefer=header)

    assert "Preference-Applied" not in response.headers


async def test_preferences_may_stand_in_several_headers(hub: Hub) -> None:
    office = await hub.an_office()
    await opt_out(hub, office)
    headers = [*office.headers.items(), ("Prefer", "wait=5"), ("prefer", "foo"), ("Prefer", "handling=lenient")]

    response = await hub.client.post(TEXTS, json=a_text(), headers=headers)

    assert response.headers["Preference-Applied"] == "wait=5, handling=lenient"


async def test_an_operation_that_knows_no_preferences_and_keys_does_not_mind_them(hub: Hub) -> None:
    office = await hub.an_office()
    sent = (await hub.post(office, TEXTS, a_text())).json()
    headers = {**office.headers, "Prefer": "x" * 2_000, "Idempotency-Key": "not a key"}

    answers = [
        await hub.client.get(TEXTS, headers=headers),
        await hub.client.get(f"{TEXTS}/{sent['Id']}", headers=headers),
        await hub.client.get(f"{TEXTS}/{sent['Id']}/Deliveries", headers=headers),
        await hub.client.post(f"{TEXTS}/{sent['Id']}/Cancel", headers=headers),
        await hub.client.post(f"{TEXTS}/Preview", json={"Message": "Hello"}, headers=headers),
    ]

    assert [each.status_code for each in answers] == [200] * 5
    assert not any("Preference-Applied" in each.headers for each in answers)


# SendAt and ExpiresAt


async def test_a_text_with_a_time_is_scheduled(hub: Hub) -> None:
    office = await hub.an_office()
    day = a_day_ahead()
    send_at, expires_at = f"{day}T12:00:00.000Z", f"{day}T13:00:00.000Z"

    sent = (await hub.post(office, TEXTS, a_text(SendAt=send_at, ExpiresAt=expires_at))).json()

    assert (sent["Status"], sent["Counts"]) == ("scheduled", {"scheduled": 1})
    assert (sent["SendAt"], sent["ExpiresAt"]) == (send_at, expires_at)
    assert (sent["SendSuccessful"], sent["SentResult"]) == (True, "Accepted for 1 number.")
    read = (await hub.get(office, f"{TEXTS}/{sent['Id']}")).json()
    assert read == sent | {"SentResult": "Scheduled."}
    [delivery] = (await hub.get(office, f"{TEXTS}/{sent['Id']}/Deliveries")).json()["Items"]
    assert (delivery["Status"], delivery["Reason"]) == ("scheduled", None)


MOMENTS: Mapping[str, str] = {
    "T12:00:00Z": "T12:00:00.000Z",
    "t12:00:00z": "T12:00:00.000Z",
    "T12:00:00+00:00": "T12:00:00.000Z",
    "T12:00:00-00:00": "T12:00:00.000Z",
    "T05:00:00-07:00": "T12:00:00.000Z",
    "T17:45:00+05:45": "T12:00:00.000Z",
    "T12:00:00.5Z": "T12:00:00.500Z",
    "T12:00:00.123Z": "T12:00:00.123Z",
    "T12:00:00.1239999Z": "T12:00:00.123Z",
    "T14:00:00.1234567+02:00": "T12:00:00.123Z",
    "T12:00:00.000000000000000001Z": "T12:00:00.000Z",
    "T23:59:59.999999999Z": "T23:59:59.999Z",
}


@pytest.mark.parametrize("written", MOMENTS)
@pytest.mark.parametrize("name", ["SendAt", "ExpiresAt"])
async def test_times_are_read_in_any_zone_and_told_in_utc(hub: Hub, name: str, written: str) -> None:
    office = await hub.an_office()
    day = a_day_ahead()

    sent = await hub.post(office, TEXTS, a_text(**{name: f"{day}{written}"}))

    assert sent.status_code == 200, sent.text
    assert sent.json()[name] == f"{day}{MOMENTS[written]}"


@pytest.mark.parametrize("written", ["T23:59:60Z", "T16:59:60-07:00", "T23:59:60.0Z"])
async def test_a_leap_second_is_the_second_after_it(hub: Hub, written: str) -> None:
    office = await hub.an_office()
    day = a_day_ahead()

    sent = await hub.post(office, TEXTS, a_text(SendAt=f"{day}{written}", ExpiresAt=in_(DAY_S * 40)))

    assert sent.json()["SendAt"] == f"{day + timedelta(days=1)}T00:00:00.000Z"


TIMES_REFUSED: Mapping[str, tuple[Mapping[str, float], str]] = {
    "SendAt has passed": ({"SendAt": -1}, "#/SendAt"),
    "SendAt passed long ago": ({"SendAt": -50 * 365 * DAY_S}, "#/SendAt"),
    "SendAt passed before 1970": ({"SendAt": -70 * 365 * DAY_S}, "#/SendAt"),
    "SendAt is more than a year ahead": ({"SendAt": 367 * DAY_S}, "#/SendAt"),
    "ExpiresAt has passed": ({"ExpiresAt": -1}, "#/ExpiresAt"),
    "ExpiresAt is before SendAt": ({"SendAt": 7_200, "ExpiresAt": 3_600}, "#/ExpiresAt"),
    "both have passed": ({"SendAt": -2, "ExpiresAt": -1}, "#/SendAt"),
}


@pytest.mark.parametrize("what", TIMES_REFUSED)
async def test_times_at_which_nothing_can_be_sent_are_refused(hub: Hub, what: str) -> None:
    office = await hub.an_office()
    times, at = TIMES_REFUSED[what]
    before = await hub.stored()

    response = await hub.post(office, TEXTS, a_text(**{name: in_(seconds) for name, seconds in times.items()}))

    assert is_refused(response, "time-refused", at)
    assert await hub.stored() == before


async def test_a_text_must_not_expire_in_the_moment_in_which_it_is_sent(hub: Hub) -> None:
    office = await hub.an_office()
    send_at = datetime.now(UTC) + timedelta(days=1)
    elsewhere = (send_at + timedelta(hours=2)).isoformat().replace("+00:00", "+02:00")
    after = (send_at + timedelta(microseconds=1)).isoformat()

    same = await hub.post(office, TEXTS, a_text(SendAt=send_at.isoformat(), ExpiresAt=elsewhere))
    later = await hub.post(office, TEXTS, a_text(SendAt=send_at.isoformat(), ExpiresAt=after))

    assert is_refused(same, "time-refused", "#/ExpiresAt")
    assert later.status_code == 200


async def test_a_text_may_be_scheduled_a_year_ahead(hub: Hub) -> None:
    office = await hub.an_office()

    response = await hub.post(office, TEXTS, a_text(SendAt=in_(365 * DAY_S)))

    assert response.status_code == 200


async def test_null_is_as_if_it_were_left_out(hub: Hub) -> None:
    office = await hub.an_office()
    nothing = dict.fromkeys(("SendAt", "ExpiresAt", "Priority", "Sender"))

    sent, ordinary = [(await hub.post(office, TEXTS, a_text(**each))).json() for each in (nothing, {})]

    own = {"SendAt": None, "ExpiresAt": None, "Priority": "normal", "Status": "queued", "Sender": ordinary["Sender"]}
    assert {name: sent[name] for name in own} == {name: ordinary[name] for name in own} == own


EDGES_OF_THE_CALENDAR = [
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "0001-01-01T00:00:00+23:59",
    "0000-12-31T23:59:60Z",
    "1969-12-31T23:59:60Z",
    "1970-01-01T00:00:00Z",
    "2038-01-19T03:14:08Z",
    "2262-04-11T23:47:17Z",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59.999999999Z",
    "9999-12-31T23:59:60Z",
    "9999-12-31T23:59:60.999999Z",
    "9999-12-31T23:59:59-00:01",
    "9999-12-31T23:59:59-23:59",
    "9999-12-31T23:59:59+23:59",
]


@pytest.mark.parametrize("written", EDGES_OF_THE_CALENDAR)
@pytest.mark.parametrize("name", ["SendAt", "ExpiresAt"])
async def test_the_edges_of_the_calendar_are_no_fault_of_the_hub(hub: Hub, name: str, written: str) -> None:
    office = await hub.an_office()

    response = await hub.post(office, TEXTS, a_text(**{name: written}))

    listed = await hub.get(office, TEXTS)
    assert listed.status_code == 200
    if response.status_code == 200:
        assert listed.json()["Items"][0][name] == response.json()[name]
        assert name == "ExpiresAt"
    else:
        assert is_refused(response, "time-refused", f"#/{name}")
        assert listed.json()["Items"] == []


async def test_a_text_is_sent_when_its_time_comes_and_not_before(database_url: str) -> None:
    async with a_hub(database_url) as hub, hub.dispatching():
        office = await hub.an_office()
        send_at = in_(3)

        response = await hub.post(office, TEXTS, a_text(SendAt=send_at), Prefer="wait=30")

        told = response.json()
        [delivery] = (await hub.get(office, f"{TEXTS}/{told['Id']}/Deliveries")).json()["Items"]
    assert told["Status"] == "delivered"
    ended = datetime.fromisoformat(delivery["UpdatedAt"])
    assert ended >= datetime.fromisoformat(send_at)


async def test_what_could_not_be_sent_in_time_expires(database_url: str) -> None:
    async with a_hub(database_url) as hub:
        office = await hub.an_office()
        sent = [
            (await hub.post(office, TEXTS, a_text(**times))).json()["Id"]
            for times in ({"ExpiresAt": in_(4)}, {"SendAt": in_(3.9), "ExpiresAt": in_(4)}, {})
        ]
        await asyncio.sleep(4.1)
        async with hub.dispatching():
            told = [await hub.outcome(office, each) for each in sent]
        [late] = (await hub.get(office, f"{TEXTS}/{sent[0]}/Deliveries")).json()["Items"]

    assert [each["Status"] for each in told] == ["expired", "expired", "delivered"]
    assert [each["SendSuccessful"] for each in told] == [False, False, True]
    assert told[0]["SentResult"] == "Expired. It could not be sent before it expired."
    assert late["Reason"] == "not-sent-in-time"


# Priority


@pytest.mark.parametrize("priority", ["urgent", "normal", "bulk"])
async def test_a_text_has_the_priority_that_it_is_given(hub: Hub, priority: str) -> None:
    office = await hub.an_office()

    sent = (await hub.post(office, TEXTS, a_text(Priority=priority))).json()

    assert sent["Priority"] == priority
    assert (await hub.get(office, f"{TEXTS}/{sent['Id']}")).json()["Priority"] == priority


async def test_urgent_texts_overtake_those_that_wait(database_url: str) -> None:
    async with a_hub(database_url) as hub:
        office = await hub.an_office()
        await hub.add_sender(office, "72525", pace="1/s")
        sent = {
            priority: (await hub.post(office, TEXTS, a_text(Priority=priority, Sender="72525"))).json()["Id"]
            for priority in ("bulk", "normal", "urgent")
        }
        async with hub.dispatching():
            for each in sent.values():
                await hub.outcome(office, each)
        ended = {
            priority: (await hub.get(office, f"{TEXTS}/{each}/Deliveries")).json()["Items"][0]["UpdatedAt"]
            for priority, each in sent.items()
        }

    assert sorted(ended, key=ended.__getitem__) == ["urgent", "normal", "bulk"]


# Sender


async def test_a_text_comes_from_the_programs_own_sender(hub: Hub) -> None:
    office = await hub.an_office(sender="+14155550101")
    writings = ["+14155550101", "(415) 555-0101", "415.555.0101", "1 415 555 0101", " +1 415-555-0101 "]

    sent = [
        (await hub.post(office, TEXTS, a_text(**properties))).json()
        for properties in ({}, *({"Sender": written} for written in writings))
    ]

    assert {each["Sender"] for each in sent} == {"+14155550101"}
    assert (await hub.get(office, f"{TEXTS}/{sent[-1]['Id']}")).json()["Sender"] == "+14155550101"


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("72525", "72525"),
        ("72525", " 72525 "),
        ("City Hall", "City Hall"),
        ("+14155550102", "(415) 555-0102"),
        ("+447400555001", "+44 7400 555001"),
        ("MG0123456789abcdef0123456789abcdef", "MG0123456789abcdef0123456789abcdef"),
    ],
)
async def test_a_text_may_come_from_another_of_the_programs_senders(hub: Hub, address: str, written: str) -> None:
    office = await hub.an_office()
    await hub.add_sender(office, address)

    named = (await hub.post(office, TEXTS, a_text(Sender=written))).json()
    unnamed = (await hub.post(office, TEXTS, a_text())).json()

    assert named["Sender"] == address
    assert (await hub.get(office, f"{TEXTS}/{named['Id']}")).json()["Sender"] == address
    [delivery] = (await hub.get(office, f"{TEXTS}/{named['Id']}/Deliveries")).json()["Items"]
    assert delivery["Sender"] == address
    assert unnamed["Sender"] != address


async def test_numbers_are_those_of_the_named_senders_country(hub: Hub) -> None:
    office = await hub.an_office()
    await hub.add_sender(office, "+447400555002")
    british, american = "07400 123456", "(970) 690-4544"

    sent = await hub.post(office, TEXTS, a_text(PhoneNumber=british, Sender="+447400555002"))
    own = await hub.post(office, TEXTS, a_text(PhoneNumber=american))
    wrong = await hub.post(office, TEXTS, a_text(PhoneNumber=f"{american},{british}"))

    assert sent.json()["PhoneNumber"] == "+447400123456"
    assert own.json()["PhoneNumber"] == NUMBER
    assert is_refused(wrong, "recipients-refused", "#/PhoneNumber")


async def test_two_programs_may_share_a_sender(hub: Hub) -> None:
    offices = [await hub.an_office() for _ in range(2)]
    for each in offices:
        await hub.add_sender(each, "+14155550103")

    sent = [(await hub.post(each, TEXTS, a_text(Sender="+14155550103"))).json() for each in offices]

    assert [each["Sender"] for each in sent] == ["+14155550103"] * 2


@pytest.mark.parametrize(
    "written", ["+14155550104", "415 555 0104", "+14155550199", "Nobody", "12345", " ", "*", "\N{GRINNING FACE}", "+"]
)
async def test_a_sender_that_is_not_the_programs_is_refused(hub: Hub, written: str) -> None:
    office, other = await hub.an_office(), await hub.an_office()
    await hub.add_sender(other, "+14155550104")
    before = await hub.stored()

    refused = await hub.post(office, TEXTS, a_text(Sender=written))

    assert is_refused(refused, "unknown-sender", "#/Sender")
    assert await hub.stored() == before


# All of it


@pytest.mark.parametrize("fold", [str.lower, str.upper, str.swapcase])
async def test_property_names_are_read_in_any_letter_case(hub: Hub, fold: Callable[[str], str]) -> None:
    office = await hub.an_office()
    await hub.add_sender(office, "72525")
    asked = a_text(Sender="72525", Priority="bulk", SendAt=in_(DAY_S), ExpiresAt=in_(2 * DAY_S))

    sent = await hub.post(office, TEXTS, {fold(name): value for name, value in asked.items()})

    assert sent.status_code == 200, sent.text
    told = sent.json()
    assert (told["Sender"], told["Priority"], told["Status"]) == ("72525", "bulk", "scheduled")
    assert told["SendAt"][:19] == str(asked["SendAt"])[:19]
    assert told["ExpiresAt"][:19] == str(asked["ExpiresAt"])[:19]


async def test_a_property_in_two_letter_cases_is_refused(hub: Hub) -> None:
    office = await hub.an_office()

    answers = [
        await hub.post(office, TEXTS, a_text(**{name: None, name.lower(): None}))
        for name in ("SendAt", "ExpiresAt", "Priority", "Sender")
    ]

    pointers = [[each["pointer"] for each in answer.json()["errors"]] for answer in answers]
    assert {each.status_code for each in answers} == {400}
    assert pointers == [["#/sendat"], ["#/expiresat"], ["#/priority"], ["#/sender"]]


async def test_all_can_be_asked_for_at_once(hub: Hub) -> None:
    office = await hub.an_office()
    await hub.add_sender(office, "72525")
    await opt_out(hub, office, OTHER_NUMBER)
    text = a_text(
        PhoneNumber=f"nobody,{NUMBER},{OTHER_NUMBER}",
        Sender="72525",
        Priority="urgent",
        SendAt=in_(DAY_S),
        ExpiresAt=in_(2 * DAY_S),
    )

    first, again = [
        await hub.post(office, TEXTS, text, Idempotency_Key=KEY, Prefer="wait=20, handling=lenient") for _ in range(2)
    ]

    told = first.json()
    assert (told["Status"], told["Counts"]) == ("scheduled", {"scheduled": 1, "blocked": 1})
    assert told["SentResult"] == "Accepted for 1 number. 1 number opted out and will not be texted."
    assert [each["Position"] for each in told["RefusedNumbers"]] == [1]
    assert [is_replayed(each) for each in (first, again)] == [False, True]
    assert again.content == first.content
    assert {each.headers["Preference-Applied"] for each in (first, again)} == {"wait=20, handling=lenient"}


# Pages of other origins


@pytest.mark.parametrize("asked", ["idempotency-key", "prefer", "authorization,content-type,idempotency-key,prefer"])
async def test_a_page_may_name_its_requests_and_have_preferences(sqlite_url: str, asked: str) -> None:
    preflight = {
        "Origin": OFFICE_PAGES,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": asked,
    }
    async with a_hub(sqlite_url, cors_origins=OFFICE_PAGES) as hub:
        answers = [
            await hub.client.options(path, headers=preflight)
            for path in (TEXTS, f"{TEXTS}/Preview", f"{TEXTS}/019aab5c-8f6e-7c7e-9d5a-3f1f0f6b2a11/Cancel")
        ]

    assert {each.status_code for each in answers} == {200}
    for each in answers:
        assert each.headers["access-control-allow-origin"] == OFFICE_PAGES
        allowed = {name.strip().lower() for name in each.headers["access-control-allow-headers"].split(",")}
        assert allowed >= set(asked.split(","))


async def test_a_page_can_read_whether_it_was_replayed_and_what_was_applied(sqlite_url: str) -> None:
    async with a_hub(sqlite_url, cors_origins=OFFICE_PAGES) as hub:
        office = await hub.an_office()
        answers = [
            await hub.post(office, TEXTS, a_text(), Idempotency_Key=KEY, Prefer="wait=0", Origin=OFFICE_PAGES)
            for _ in range(2)
        ]

    assert [is_replayed(each) for each in answers] == [False, True]
    for each in answers:
        exposed = {name.strip() for name in each.headers["access-control-expose-headers"].split(",")}
        assert exposed >= {"Idempotency-Replayed", "Preference-Applied", "Location"}
        assert each.headers["Preference-Applied"] == "wait=0"


# Where it gets narrow


async def test_where_too_much_waits_to_be_stored_a_text_is_turned_away_for_a_moment(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapters.sql.intake, "_ROOM", 3)
    async with a_hub(database_url) as hub:
        office = await hub.an_office()

        answers = await asyncio.gather(*(hub.post(office, TEXTS, a_text()) for _ in range(20)))

        turned_away = [each for each in answers if each.status_code == 503]
        assert turned_away
        assert all(is_refused(each, "hub-busy", status=503) for each in turned_away)
        assert {each.headers["Retry-After"] for each in turned_away} == {"1"}
        assert await texts_of(hub, office) == len(answers) - len(turned_away) > 0
        assert (await hub.post(office, TEXTS, a_text())).status_code == 200


async def test_a_request_whose_twin_does_not_come_to_its_end_is_told_to_ask_again(postgres_url: str) -> None:
    async with a_hub(postgres_url) as hub:
        office = await hub.an_office()
        stuck = await asyncpg.connect(postgres_url)
        twin = stuck.transaction()
        await twin.start()
        held = "INSERT INTO idempotency_keys VALUES ($1, $2, '', gen_random_uuid(), '{}', '[]', 0)"
        await stuck.execute(held, office.id, KEY)

        meanwhile = await hub.post(office, TEXTS, a_text(), Idempotency_Key=KEY)
        await twin.rollback()
        after = await hub.post(office, TEXTS, a_text(), Idempotency_Key=KEY)
        await stuck.close()

        assert is_refused(meanwhile, "idempotency-key-in-use", "Idempotency-Key", status=409)
        assert meanwhile.headers["Retry-After"] == "1"
        assert not is_replayed(after)
        assert await texts_of(hub, office) == 1
