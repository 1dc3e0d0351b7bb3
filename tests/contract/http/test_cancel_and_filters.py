"""Texts that are called back, and lists of some of them."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest

from entrypoints.http.contract import Contract
from tests import builders
from tests.http import Hub, Office, a_hub

TEXTS = "/api/TextMessages"
SUBSCRIBERS = "/api/Subscribers"

CONTRACT = Contract.load()

NUMBER = "+19706904544"
OTHER_NUMBER = "+19706904545"
OPTED_OUT = "+19706904546"

Text = Mapping[str, Any]


@pytest.fixture(scope="module")
def hub(a_hub_of_each_kind: Hub) -> Hub:
    return a_hub_of_each_kind


def a_text(**properties: object) -> dict[str, object]:
    return {"Message": "Your appointment is tomorrow.", "PhoneNumber": NUMBER, **properties}


def in_(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


async def sent(hub: Hub, office: Office, **properties: object) -> Text:
    response = await hub.post(office, TEXTS, a_text(**properties))
    assert response.status_code == 200, response.text
    told: Text = response.json()
    return told


async def opt_out(hub: Hub, office: Office, *numbers: str) -> None:
    for number in numbers or (OPTED_OUT,):
        await hub.post(office, SUBSCRIBERS, {"PhoneNumber": number, "DoNotText": True})


async def cancel(hub: Hub, office: Office, text: Text) -> Text:
    response = await hub.post(office, f"{TEXTS}/{text['Id']}/Cancel")
    assert response.status_code == 200, response.text
    told: Text = response.json()
    return told


async def read(hub: Hub, office: Office, text: Text) -> Text:
    told: Text = (await hub.get(office, f"{TEXTS}/{text['Id']}")).json()
    return told


def ids(texts: Iterable[Text]) -> Sequence[str]:
    return [each["Id"] for each in texts]


async def listed(hub: Hub, office: Office, **wanted: str | int) -> Sequence[str]:
    """The ids on one page that is the last one."""
    response = await hub.get(office, TEXTS, **wanted)
    assert response.status_code == 200, response.text
    assert response.json()["NextCursor"] is None
    return ids(response.json()["Items"])


# Cancel


@pytest.mark.parametrize(
    ("state", "times"), [("queued", {}), ("scheduled", {"SendAt": 1}), ("queued", {"ExpiresAt": 1})]
)
async def test_what_has_not_been_sent_is_canceled(hub: Hub, state: str, times: Mapping[str, float]) -> None:
    office = await hub.an_office()
    asked = {name: in_(hours) for name, hours in times.items()}
    text = await sent(hub, office, PhoneNumber=f"{NUMBER},{OTHER_NUMBER}", **asked)

    first, again = [await cancel(hub, office, text) for _ in range(2)]

    assert text["Counts"] == {state: 2}
    assert first == {"Id": text["Id"], "Canceled": 2, "Status": "canceled", "Counts": {"canceled": 2}}
    assert again == {**first, "Canceled": 0}
    told = await read(hub, office, text)
    assert (told["Status"], told["Counts"], told["SendSuccessful"]) == ("canceled", {"canceled": 2}, False)
    assert told["SentResult"] == "2 canceled."
    deliveries = (await hub.get(office, f"{TEXTS}/{text['Id']}/Deliveries")).json()["Items"]
    assert [(each["Status"], each["Reason"]) for each in deliveries] == [("canceled", None)] * 2


async def test_what_is_blocked_stays_blocked(hub: Hub) -> None:
    office = await hub.an_office()
    await opt_out(hub, office)
    mixed = await sent(hub, office, PhoneNumber=f"{NUMBER},{OPTED_OUT},{OTHER_NUMBER}")
    blocked = await sent(hub, office, PhoneNumber=OPTED_OUT)

    canceled = [await cancel(hub, office, each) for each in (mixed, blocked)]

    assert [each["Canceled"] for each in canceled] == [2, 0]
    assert [each["Counts"] for each in canceled] == [{"blocked": 1, "canceled": 2}, {"blocked": 1}]
    assert [each["Status"] for each in canceled] == ["blocked", "blocked"]


async def test_an_opt_out_after_it_does_not_change_what_is_canceled(hub: Hub) -> None:
    office = await hub.an_office()
    text = await sent(hub, office)
    await cancel(hub, office, text)

    await opt_out(hub, office, NUMBER)

    assert (await read(hub, office, text))["Status"] == "canceled"


async def test_what_is_canceled_is_not_sent(database_url: str) -> None:
    async with a_hub(database_url) as hub:
        office = await hub.an_office()
        now, later = await sent(hub, office), await sent(hub, office, SendAt=in_(4 / 3_600))
        for each in (now, later):
            await cancel(hub, office, each)
        async with hub.dispatching():
            delivered = await hub.outcome(office, (await sent(hub, office))["Id"])
            await asyncio.sleep(4)
        after = await cancel(hub, office, delivered)

        assert [(await read(hub, office, each))["Counts"] for each in (now, later)] == [{"canceled": 1}] * 2
        assert delivered["Status"] == "delivered"
        assert after == {"Id": delivered["Id"], "Canceled": 0, "Status": "delivered", "Counts": {"delivered": 1}}


async def test_of_calls_at_once_each_delivery_is_canceled_by_one(hub: Hub) -> None:
    office = await hub.an_office()
    text = await sent(hub, office, PhoneNumber=",".join(each.e164 for each in builders.numbers(300)))

    canceled = await asyncio.gather(*(cancel(hub, office, text) for _ in range(10)))

    assert sorted(each["Canceled"] for each in canceled) == [0] * 9 + [300]
    assert {each["Status"] for each in canceled} == {"canceled"}


async def test_the_other_texts_go_on(hub: Hub) -> None:
    office = await hub.an_office()
    texts = [await sent(hub, office) for _ in range(3)]

    await cancel(hub, office, texts[1])

    assert [(await read(hub, office, each))["Status"] for each in texts] == ["queued", "canceled", "queued"]


async def test_a_texts_id_is_read_in_any_letter_case(hub: Hub) -> None:
    office = await hub.an_office()
    text = await sent(hub, office)

    canceled = await cancel(hub, office, {"Id": text["Id"].upper()})

    assert (canceled["Id"], canceled["Canceled"]) == (text["Id"], 1)


@pytest.mark.parametrize("content", [b"", b"{}", b"[", b"\xff", b'{"Id": 1}'])
async def test_a_body_means_nothing_to_a_cancellation(hub: Hub, content: bytes) -> None:
    office = await hub.an_office()
    text = await sent(hub, office)

    response = await hub.client.post(f"{TEXTS}/{text['Id']}/Cancel", content=content, headers=office.headers)

    assert response.status_code == 200


async def test_other_programs_texts_cannot_be_canceled(hub: Hub) -> None:
    office, other = await hub.an_office(), await hub.an_office()
    theirs = await sent(hub, other)

    answers = [
        await hub.post(office, f"{TEXTS}/{each}/Cancel")
        for each in (theirs["Id"], theirs["Id"].upper(), str(uuid4()), "00000000-0000-0000-0000-000000000000")
    ]

    assert {each.status_code for each in answers} == {404}
    assert {each.json()["type"] for each in answers} == {"message-not-found"}
    assert len({each.text for each in answers}) == 1, "whether there is one at another program must not show"
    assert (await read(hub, other, theirs))["Status"] == "queued"


async def test_nobody_cancels_without_a_token(hub: Hub) -> None:
    office = await hub.an_office()
    text = await sent(hub, office)

    answers = [await hub.client.post(f"{TEXTS}/{each}/Cancel") for each in (text["Id"], str(uuid4()), "no-id")]

    assert {each.status_code for each in answers} == {401}
    assert (await read(hub, office, text))["Status"] == "queued"


# Filters


async def test_texts_are_listed_by_their_status(hub: Hub) -> None:
    office = await hub.an_office()
    await opt_out(hub, office)
    texts = {
        "queued": [await sent(hub, office), await sent(hub, office, PhoneNumber=f"{NUMBER},{OPTED_OUT}")],
        "scheduled": [await sent(hub, office, SendAt=in_(1))],
        "blocked": [await sent(hub, office, PhoneNumber=OPTED_OUT)],
        "canceled": [await sent(hub, office), await sent(hub, office, SendAt=in_(1))],
    }
    for each in texts["canceled"]:
        await cancel(hub, office, each)

    for state in ("scheduled", "queued", "sending", "unknown", "sent", "failed", "blocked", "canceled", "delivered"):
        newest_first = ids(reversed(texts.get(state, [])))
        assert await listed(hub, office, Status=state) == newest_first
        items = (await hub.get(office, TEXTS, Status=state)).json()["Items"]
        assert {each["Status"] for each in items} <= {state}


async def test_a_texts_status_is_that_of_now(database_url: str) -> None:
    async with a_hub(database_url) as hub:
        office = await hub.an_office()
        text = await sent(hub, office)
        assert await listed(hub, office, Status="queued") == [text["Id"]]
        async with hub.dispatching():
            await hub.outcome(office, text["Id"])

        assert await listed(hub, office, Status="queued") == []
        assert await listed(hub, office, Status="delivered") == [text["Id"]]


@pytest.mark.parametrize(
    "written", ["+19706904544", "(970) 690-4544", "970.690.4544", "1 970 690 4544", " 9706904544 ", "+1-970-690-4544"]
)
async def test_texts_are_listed_by_a_number_in_any_common_writing(hub: Hub, written: str) -> None:
    office, other = await hub.an_office(), await hub.an_office()
    texts = [
        await sent(hub, office, PhoneNumber=numbers)
        for numbers in (NUMBER, OTHER_NUMBER, f"{OTHER_NUMBER},{NUMBER}", f"{NUMBER},{NUMBER}")
    ]
    await sent(hub, other)

    assert await listed(hub, office, PhoneNumber=written) == ids([texts[3], texts[2], texts[0]])
    assert await listed(hub, office, PhoneNumber="+19706904599") == []


async def test_a_number_without_plus_is_one_of_the_programs_country(hub: Hub) -> None:
    office = await hub.an_office(sender="+447400555010")
    text = await sent(hub, office, PhoneNumber="07400 123456")

    assert await listed(hub, office, PhoneNumber="07400 123456") == [text["Id"]]


async def test_a_text_to_a_number_that_is_not_shown_any_more_is_found_by_it(hub: Hub) -> None:
    office = await hub.an_office()
    numbers = [each.e164 for each in builders.numbers(150)]
    text = await sent(hub, office, PhoneNumber=",".join(numbers))

    assert await listed(hub, office, PhoneNumber=numbers[-1]) == [text["Id"]]


async def test_texts_are_listed_from_one_moment_and_before_another(hub: Hub) -> None:
    office = await hub.an_office()
    texts = []
    for _ in range(4):
        texts.append(await sent(hub, office))
        await asyncio.sleep(0.002)
    newest_first = texts[::-1]
    moments = [each["DateSent"] for each in texts]
    elsewhere = datetime.fromisoformat(moments[1]).astimezone(timezone(timedelta(hours=-7))).isoformat()

    for moment in moments:
        from_it, before_it = (
            await listed(hub, office, DateSentFrom=moment),
            await listed(hub, office, DateSentBefore=moment),
        )
        assert from_it == ids(each for each in newest_first if each["DateSent"] >= moment)
        assert before_it == ids(each for each in newest_first if each["DateSent"] < moment)
        assert [*from_it, *before_it] == ids(newest_first)
    assert await listed(hub, office, DateSentFrom=moments[1], DateSentBefore=moments[3]) == ids(newest_first[1:3])
    assert await listed(hub, office, DateSentFrom=elsewhere, DateSentBefore=moments[3]) == ids(newest_first[1:3])
    assert await listed(hub, office, DateSentFrom=moments[1], DateSentBefore=moments[1]) == []
    assert await listed(hub, office, DateSentFrom=moments[3], DateSentBefore=moments[1]) == []


@pytest.mark.parametrize(
    "moment",
    [
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "1969-12-31T23:59:59.999999Z",
        "1969-12-31T23:59:60Z",
        "1970-01-01T00:00:00Z",
        "2001-09-09T01:46:40Z",
        "9999-12-31T23:59:59.999999999Z",
        "9999-12-31T23:59:60Z",
        "9999-12-31T23:59:59-23:59",
    ],
)
async def test_a_moment_may_be_any_of_the_calendar(hub: Hub, moment: str) -> None:
    office = await hub.an_office()
    text = await sent(hub, office)

    after, before = (
        await listed(hub, office, DateSentFrom=moment),
        await listed(hub, office, DateSentBefore=moment),
    )

    assert (after, before) == (([], [text["Id"]]) if moment > "2026" else ([text["Id"]], []))


async def test_all_of_the_filters_must_apply(hub: Hub) -> None:
    office = await hub.an_office()
    texts = []
    for index in range(12):
        asked = {"SendAt": in_(1)} if index % 2 else {}
        texts.append(await sent(hub, office, PhoneNumber=NUMBER if index % 3 else OTHER_NUMBER, **asked))
        await asyncio.sleep(0.002)
    first, last = texts[2]["DateSent"], texts[10]["DateSent"]

    found = await listed(
        hub, office, Status="scheduled", PhoneNumber="970 690 4544", DateSentFrom=first, DateSentBefore=last, Limit=20
    )

    assert found == ids([texts[7], texts[5]])


async def turned(hub: Hub, office: Office, path: str = TEXTS, **wanted: str | int) -> Sequence[Text]:
    """All items of all pages; before each page a text that would fit is added."""
    items: list[Text] = []
    cursor: dict[str, str | int] = {}
    while True:
        page = (await hub.get(office, path, **wanted, **cursor)).json()
        assert len(page["Items"]) <= int(wanted["Limit"])
        items += page["Items"]
        if page["NextCursor"] is None:
            return items
        assert cursor != {"Cursor": page["NextCursor"]}
        cursor = {"Cursor": page["NextCursor"]}
        for number in (NUMBER, OTHER_NUMBER):
            await sent(hub, office, PhoneNumber=number)
            await sent(hub, office, PhoneNumber=number, SendAt=in_(1))


@pytest.mark.parametrize("limit", [1, 2, 3])
@pytest.mark.parametrize(
    ("wanted", "places"),
    [
        ({}, range(10)),
        ({"Status": "scheduled"}, (1, 2, 6, 9)),
        ({"PhoneNumber": NUMBER}, (2, 3, 4, 6, 7, 9)),
        ({"Status": "queued", "PhoneNumber": NUMBER}, (3, 4, 7)),
    ],
    ids=["all", "Status", "PhoneNumber", "both"],
)
async def test_pages_have_each_text_once_while_others_are_added(
    hub: Hub, limit: int, wanted: Mapping[str, str], places: Sequence[int]
) -> None:
    office = await hub.an_office()
    texts = []
    for place in range(10):
        asked = {"SendAt": in_(1)} if place in {1, 2, 6, 9} else {}
        number = OTHER_NUMBER if place in {0, 1, 5, 8} else NUMBER
        texts.append(await sent(hub, office, PhoneNumber=number, **asked))

    found = await turned(hub, office, Limit=limit, **wanted)

    assert ids(found) == ids(texts[place] for place in reversed(places))


async def test_pages_of_a_rare_status_may_be_short_and_go_on_to_the_last(hub: Hub) -> None:
    office = await hub.an_office()
    program = await hub.container.programs().find(office.id)
    assert program is not None
    oldest = [await sent(hub, office) for _ in range(3)]
    for each in oldest:
        await cancel(hub, office, each)
    # More than a page looks through.
    await asyncio.gather(*(hub.container.intake().add(builders.a_text(program)) for _ in range(1_900)))
    newest = await sent(hub, office)
    await cancel(hub, office, newest)
    await asyncio.gather(*(hub.container.intake().add(builders.a_text(program)) for _ in range(1_900)))

    pages = []
    cursor: dict[str, str] = {}
    while True:
        page = (await hub.get(office, TEXTS, Status="canceled", Limit=2, **cursor)).json()
        pages.append(ids(page["Items"]))
        if page["NextCursor"] is None:
            break
        cursor = {"Cursor": page["NextCursor"]}

    assert [each for page in pages for each in page] == ids([newest, *reversed(oldest)])
    assert len(pages[0]) < 2


async def test_deliveries_are_listed_by_their_status(hub: Hub) -> None:
    office = await hub.an_office()
    numbers = [each.e164 for each in builders.numbers(9)]
    await opt_out(hub, office, *(numbers[index] for index in (0, 3, 4, 8)))
    text = await sent(hub, office, PhoneNumber=",".join(numbers))
    path = f"{TEXTS}/{text['Id']}/Deliveries"
    positions = {"blocked": [1, 4, 5, 9], "queued": [2, 3, 6, 7, 8], "delivered": []}

    for state, expected in positions.items():
        for limit in (1, 2, 3, 4, 1_000):
            found = await turned(hub, office, path, Limit=limit, Status=state)
            assert [each["Position"] for each in found] == expected
            assert [each["PhoneNumber"] for each in found] == [numbers[position - 1] for position in expected]
            assert {each["Status"] for each in found} <= {state}


@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_the_last_page_of_deliveries_says_so(hub: Hub, limit: int) -> None:
    office = await hub.an_office()
    text = await sent(hub, office, PhoneNumber=",".join(each.e164 for each in builders.numbers(limit)))

    page = (await hub.get(office, f"{TEXTS}/{text['Id']}/Deliveries", Status="queued", Limit=limit)).json()

    assert (len(page["Items"]), page["NextCursor"]) == (limit, None)


async def test_a_filter_does_not_show_other_programs_texts(hub: Hub) -> None:
    office, other = await hub.an_office(), await hub.an_office()
    theirs = await sent(hub, other)

    answers = [
        await listed(hub, office, **wanted)
        for wanted in (
            {"Status": "queued"},
            {"PhoneNumber": NUMBER},
            {"DateSentFrom": theirs["DateSent"]},
            {"DateSentBefore": "9999-12-31T00:00:00Z"},
        )
    ]

    assert answers == [[]] * 4
    unseen = await hub.get(office, f"{TEXTS}/{theirs['Id']}/Deliveries", Status="queued")
    assert unseen.status_code == 404


@pytest.mark.parametrize("written", ["nobody", f"{NUMBER},{OTHER_NUMBER}", " ", "690-4544", "+1 900 555 1234"])
async def test_what_is_no_number_is_a_fault_of_the_parameter(hub: Hub, written: str) -> None:
    office = await hub.an_office()

    response = await hub.get(office, TEXTS, PhoneNumber=written)

    assert (response.status_code, response.json()["type"]) == (422, "number-refused")
    [fault] = response.json()["errors"]
    assert fault.get("parameter") == "PhoneNumber"
    assert "pointer" not in fault


@pytest.mark.parametrize("operation_id", ["listTextMessages", "listDeliveries", "listOptOuts"])
async def test_the_documents_link_to_the_next_page_leads_there(hub: Hub, operation_id: str) -> None:
    operation = CONTRACT.operations[operation_id]
    parameters = operation.definition["responses"]["200"]["links"]["next"]["parameters"]
    office = await hub.an_office()
    first = await sent(hub, office, PhoneNumber=f"{NUMBER},{OTHER_NUMBER}")
    await sent(hub, office, PhoneNumber=OTHER_NUMBER)
    for number in (NUMBER, OTHER_NUMBER):
        await hub.post(office, "/api/Subscribers", {"PhoneNumber": number, "DoNotText": True})
    path = operation.path.replace("{Id}", str(first["Id"]))

    one = (await hub.get(office, path, Limit=1)).json()
    assert parameters["Cursor"] == "$response.body#/NextCursor"
    other = (await hub.get(office, path, Limit=1, Cursor=one["NextCursor"])).json()

    assert len(one["Items"]) == len(other["Items"]) == 1
    assert one["Items"] != other["Items"]
