"""What a text would be, told before it is sent."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests import builders
from tests.documented import PROBLEM
from tests.http import Credentials, Hub, Office, a_hub

TEXTS = "/api/TextMessages"
PREVIEW = f"{TEXTS}/Preview"
SUBSCRIBERS = "/api/Subscribers"

NUMBER = "+19706904544"
OTHER_NUMBER = "+19706904545"
OPTED_OUT = "+19706904546"
SMILE = "\N{GRINNING FACE}"


@pytest.fixture(scope="module")
def hub(a_hub_of_each_kind: Hub) -> Hub:
    return a_hub_of_each_kind


async def previewed(hub: Hub, office: Office, message: str = "Hello", **properties: object) -> Mapping[str, Any]:
    """Stores nothing, whatever else happens."""
    before = await hub.stored()
    response = await hub.post(office, PREVIEW, {"Message": message, **properties})
    assert response.status_code == 200, response.text
    assert await hub.stored() == before
    told: Mapping[str, Any] = response.json()
    return told


async def audience(hub: Hub, office: Office, message: str = "Hello", **properties: object) -> Mapping[str, Any]:
    told: Mapping[str, Any] = (await previewed(hub, office, message, **properties))["Audience"]
    return told


async def sent(hub: Hub, office: Office, **properties: object) -> Mapping[str, Any]:
    response = await hub.post(office, TEXTS, {"Message": "Hello", "PhoneNumber": NUMBER, **properties})
    assert response.status_code == 200, response.text
    told: Mapping[str, Any] = response.json()
    return told


async def opt_out(hub: Hub, office: Office, number: str = OPTED_OUT) -> None:
    assert (await hub.post(office, SUBSCRIBERS, {"PhoneNumber": number, "DoNotText": True})).status_code == 200


def numbers(count: int) -> str:
    return ",".join(each.e164 for each in builders.numbers(count))


# The text


@pytest.mark.parametrize(
    ("message", "encoding", "segments", "left"),
    [
        ("x", "GSM-7", 1, 159),
        ("x" * 159, "GSM-7", 1, 1),
        ("x" * 160, "GSM-7", 1, 0),
        ("x" * 161, "GSM-7", 2, 145),
        ("x" * 306, "GSM-7", 2, 0),
        ("x" * 307, "GSM-7", 3, 152),
        ("€", "GSM-7", 1, 158),
        ("€" * 80, "GSM-7", 1, 0),
        ("€" * 80 + "x", "GSM-7", 2, 144),
        # The escape does not leave its character: the first segment keeps one septet free.
        ("€" * 81, "GSM-7", 2, 143),
        ("{[~]}\\|^\f€", "GSM-7", 1, 140),
        ("\r\n@ÄÖÜäöüßñ¿", "GSM-7", 1, 148),
        ("я", "UCS-2", 1, 69),
        ("я" * 70, "UCS-2", 1, 0),
        ("я" * 71, "UCS-2", 2, 63),
        ("я" * 134, "UCS-2", 2, 0),
        ("я" * 135, "UCS-2", 3, 66),
        (SMILE, "UCS-2", 1, 68),
        (SMILE * 35, "UCS-2", 1, 0),
        # Nor are the halves of a pair parted.
        (SMILE * 36, "UCS-2", 2, 61),
        ("x" * 159 + "я", "UCS-2", 3, 41),
        ("x" * 1_600, "GSM-7", 11, 83),
    ],
    ids=lambda value: ascii(value)[:30],
)
async def test_a_text_is_measured_as_carriers_do(
    hub: Hub, message: str, encoding: str, segments: int, left: int
) -> None:
    office = await hub.an_office()

    told = await previewed(hub, office, message)

    assert (told["Encoding"], told["Segments"], told["CharactersLeft"]) == (encoding, segments, left)
    assert told["Characters"] == len(message)
    text = await sent(hub, office, Message=message)
    assert (text["Encoding"], text["Segments"]) == (encoding, segments)


@pytest.mark.parametrize(
    ("character", "instead"),
    [
        ("\N{RIGHT SINGLE QUOTATION MARK}", "'"),
        ("\N{LEFT SINGLE QUOTATION MARK}", "'"),
        ("\N{LEFT DOUBLE QUOTATION MARK}", '"'),
        ("\N{RIGHT DOUBLE QUOTATION MARK}", '"'),
        ("\N{DOUBLE LOW-9 QUOTATION MARK}", '"'),
        ("\N{EN DASH}", "-"),
        ("\N{EM DASH}", "-"),
        ("\N{NON-BREAKING HYPHEN}", "-"),
        ("\N{NO-BREAK SPACE}", " "),
        ("\N{NARROW NO-BREAK SPACE}", " "),
        ("\t", " "),
        ("\N{HORIZONTAL ELLIPSIS}", "..."),
        ("\N{BULLET}", "*"),
        ("\N{ZERO WIDTH SPACE}", ""),
        ("\N{ZERO WIDTH NO-BREAK SPACE}", ""),
        ("`", "'"),
        ("á", "a"),
        ("ç", "c"),
        ("ê", "e"),
        ("Č", "C"),
        ("ł", "l"),
        ("œ", "oe"),
        ("\N{LATIN SMALL LIGATURE FI}", "fi"),
        ("\N{FULLWIDTH DIGIT SEVEN}", "7"),
        ("я", None),
        ("漢", None),
        (SMILE, None),
        ("\x01", None),
    ],
    ids=ascii,
)
async def test_what_makes_a_text_longer_is_named_with_what_to_write_instead(
    hub: Hub, character: str, instead: str | None
) -> None:
    office = await hub.an_office()

    told = await previewed(hub, office, f"Don{character}t be late{character}" + "x" * 148)

    assert told["Encoding"] == "UCS-2"
    assert told["Obstacles"] == [
        {"Character": character, "CodePoint": f"U+{ord(character):04X}", "Count": 2, "Instead": instead}
    ]
    assert told["SegmentsInstead"] == (None if instead is None else 1 if not instead else 2)


async def test_several_obstacles_stand_in_the_order_in_which_they_come(hub: Hub) -> None:
    office = await hub.an_office()
    message = "\u201cGrüße\u201d \u2013 bis Montag\u2026"

    told = await previewed(hub, office, message + "x" * 60)

    assert [(each["CodePoint"], each["Instead"]) for each in told["Obstacles"]] == [
        ("U+201C", '"'),
        ("U+201D", '"'),
        ("U+2013", "-"),
        ("U+2026", "..."),
    ]
    assert (told["Segments"], told["SegmentsInstead"]) == (2, 1)


async def test_one_obstacle_that_cannot_be_replaced_spoils_it_all(hub: Hub) -> None:
    office = await hub.an_office()

    told = await previewed(hub, office, f"Don\u2019t be late {SMILE}")

    assert [(each["CodePoint"], each["Instead"]) for each in told["Obstacles"]] == [("U+2019", "'"), ("U+1F600", None)]
    assert told["SegmentsInstead"] is None


async def test_a_text_without_obstacles_has_nothing_to_replace(hub: Hub) -> None:
    office = await hub.an_office()

    told = await previewed(hub, office, "Don't be late")

    assert (told["Obstacles"], told["SegmentsInstead"]) == ([], None)


async def test_a_text_of_which_nothing_would_be_left_has_no_shorter_form(hub: Hub) -> None:
    office = await hub.an_office()

    told = await previewed(hub, office, "\N{ZERO WIDTH SPACE}")

    assert told["Obstacles"][0]["Instead"] == ""
    assert told["SegmentsInstead"] is None


async def test_a_text_that_is_too_long_to_be_sent_is_told_so(hub: Hub) -> None:
    office = await hub.an_office(segment_cap=2)

    told = await previewed(hub, office, "x" * 307, PhoneNumber=NUMBER)
    refused = await hub.post(office, TEXTS, {"Message": "x" * 307, "PhoneNumber": NUMBER})

    assert (told["Segments"], told["SegmentLimit"]) == (3, 2)
    assert told["Audience"]["TotalSegments"] == 3
    assert refused.json()["type"] == "too-many-segments"


# The sender


async def test_a_preview_names_the_sender(hub: Hub) -> None:
    office = await hub.an_office(sender="+14155550201")
    await hub.add_sender(office, "+447400555020")

    own = await previewed(hub, office)
    named = await previewed(hub, office, Sender="+44 7400 555020", PhoneNumber="07400 123456, 07400 123457")
    nothing = await previewed(hub, office, Sender=None, PhoneNumber=None, Priority=None, ProgramId=None)

    assert [each["Sender"] for each in (own, named, nothing)] == ["+14155550201", "+447400555020", "+14155550201"]
    assert (named["Audience"]["Recipients"], named["Audience"]["RefusedNumbers"]) == (2, [])
    assert own["Audience"] is nothing["Audience"] is None


@pytest.mark.parametrize(
    ("status", "slug", "properties"),
    [
        (422, "unknown-sender", {"Sender": "Nobody"}),
        (403, "other-program", {"ProgramId": "another"}),
        (422, "text-refused", {"Message": " \r\n\t\N{NO-BREAK SPACE}"}),
        (422, "no-recipients", {"PhoneNumber": " ,,"}),
        (422, "too-many-recipients", {"PhoneNumber": ",".join([NUMBER] * 10_001)}),
        (422, "too-many-recipients", {"PhoneNumber": "x," * 10_001}),
        (400, "unknown-property", {"Nonsense": 1}),
        (400, "unknown-property", {"SendAt": "2099-01-01T00:00:00Z"}),
        (400, "unknown-property", {"phonenumber": NUMBER}),
    ],
)
async def test_a_preview_is_refused_where_it_would_make_no_sense(
    hub: Hub, status: int, slug: str, properties: Mapping[str, object]
) -> None:
    office = await hub.an_office()
    before = await hub.stored()

    response = await hub.post(office, PREVIEW, {"Message": "Hello", **properties})

    assert response.headers["content-type"] == PROBLEM
    assert (response.status_code, response.json()["type"]) == (status, slug)
    [fault] = response.json()["errors"]
    assert fault["pointer"] == f"#/{next(iter(properties))}"
    assert await hub.stored() == before


async def test_the_program_may_be_named_in_any_letter_case(hub: Hub) -> None:
    office = await hub.an_office()

    told = await previewed(hub, office, ProgramId=office.id.upper())

    assert told["Segments"] == 1


async def test_a_program_of_the_first_hub_may_post_what_it_sends(hub: Hub) -> None:
    office = await hub.an_office(first_hub=Credentials("FIRST-HUB-PREVIEW", "AC-preview", "changeit"))

    told = await previewed(hub, office, PhoneNumber=NUMBER, DateSent="2026-11-02 09:00:00", SendSuccessful=None)

    assert told["Audience"]["Recipients"] == 1


# Whom it would go to


async def test_without_a_number_there_is_no_audience(hub: Hub) -> None:
    office = await hub.an_office()

    assert (await previewed(hub, office))["Audience"] is None


async def test_an_audience_is_counted_as_sending_would(hub: Hub) -> None:
    office = await hub.an_office()
    await opt_out(hub, office)
    to = f"nobody, {NUMBER}, (970) 690-4544,, {OPTED_OUT}, +1 900 555 1234, {OTHER_NUMBER}, {OPTED_OUT},"

    told = await audience(hub, office, "я" * 71, PhoneNumber=to)

    assert (told["Recipients"], told["Duplicates"], told["OptedOut"]) == (2, 2, 1)
    assert told["TotalSegments"] == 4
    strict = await hub.post(office, TEXTS, {"Message": "Hello", "PhoneNumber": to})
    assert [each["Position"] for each in told["RefusedNumbers"]] == [1, 6]
    assert [each["Detail"] for each in told["RefusedNumbers"]] == [each["detail"] for each in strict.json()["errors"]]


@pytest.mark.parametrize("to", ["nobody", OPTED_OUT, f"nobody,{OPTED_OUT},12"])
async def test_a_text_to_nobody_takes_no_time(hub: Hub, to: str) -> None:
    office = await hub.an_office()
    await opt_out(hub, office)

    told = await audience(hub, office, PhoneNumber=to)

    assert (told["Recipients"], told["TotalSegments"]) == (0, 0)
    assert told["EstimatedSeconds"] is told["EstimatedCompletionAt"] is None
    assert len(told["RefusedNumbers"]) + told["OptedOut"] == len(to.split(","))


async def test_another_programs_opt_outs_do_not_count(hub: Hub) -> None:
    office, other = await hub.an_office(), await hub.an_office()
    await opt_out(hub, other)

    assert (await audience(hub, office, PhoneNumber=OPTED_OUT))["Recipients"] == 1


async def test_ten_thousand_numbers_can_be_previewed(hub: Hub) -> None:
    office = await hub.an_office()

    told = await audience(hub, office, PhoneNumber=numbers(10_000))

    assert (told["Recipients"], told["TotalSegments"], told["Duplicates"]) == (10_000, 10_000, 0)
    # 10,000 segments at one a second, planned a little wider.
    assert 9_999 <= told["EstimatedSeconds"] <= 10_100


# When


async def seconds(hub: Hub, office: Office, message: str = "Hello", **properties: object) -> float:
    return float((await audience(hub, office, message, **{"PhoneNumber": NUMBER, **properties}))["EstimatedSeconds"])


async def test_an_estimate_follows_the_senders_pace(hub: Hub) -> None:
    office = await hub.an_office()
    await hub.add_sender(office, "72530", pace="10/s")
    await hub.add_sender(office, "72531", pace="1/min")
    ten, two_segments = numbers(10), "я" * 71

    assert await seconds(hub, office) == 0
    assert await seconds(hub, office, PhoneNumber=ten) == pytest.approx(9, rel=0.01)
    assert await seconds(hub, office, two_segments, PhoneNumber=ten) == pytest.approx(18, rel=0.01)
    assert await seconds(hub, office, PhoneNumber=ten, Sender="72530") == pytest.approx(0.9, rel=0.01)
    assert await seconds(hub, office, PhoneNumber=ten, Sender="72531") == pytest.approx(540, rel=0.01)


async def test_an_estimate_says_when_that_is(hub: Hub) -> None:
    office = await hub.an_office()
    before = datetime.now(UTC)

    told = await audience(hub, office, PhoneNumber=numbers(61))

    ended = datetime.fromisoformat(told["EstimatedCompletionAt"])
    assert told["EstimatedSeconds"] == pytest.approx(60, rel=0.01)
    assert abs(ended - before - timedelta(seconds=told["EstimatedSeconds"])) < timedelta(seconds=5)


async def test_an_estimate_grows_with_what_waits_already(hub: Hub) -> None:
    office, other = await hub.an_office(sender="+14155550202"), await hub.an_office(sender="+14155550202")
    assert await seconds(hub, office) == 0

    await sent(hub, office, PhoneNumber=numbers(10))
    assert await seconds(hub, office) == pytest.approx(10, rel=0.01)

    # Whoever shares the sender shares its line.
    await sent(hub, other, Message="я" * 71, PhoneNumber=numbers(5))
    assert await seconds(hub, office) == pytest.approx(20, rel=0.01)
    assert await seconds(hub, other, PhoneNumber=numbers(3)) == pytest.approx(22, rel=0.01)


async def test_what_goes_later_or_nowhere_is_not_waited_for(hub: Hub) -> None:
    office = await hub.an_office()
    await opt_out(hub, office)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    await sent(hub, office, SendAt=tomorrow, PhoneNumber=numbers(10))
    await sent(hub, office, PhoneNumber=OPTED_OUT)
    canceled = await sent(hub, office, PhoneNumber=numbers(10))
    await hub.post(office, f"{TEXTS}/{canceled['Id']}/Cancel")

    assert await seconds(hub, office) == 0


async def test_what_is_less_urgent_costs_a_tenth_of_the_slots_at_most(hub: Hub) -> None:
    office = await hub.an_office()
    for priority, count in (("urgent", 10), ("normal", 20), ("bulk", 30)):
        await sent(hub, office, Priority=priority, PhoneNumber=numbers(count))

    waits = [await seconds(hub, office, Priority=priority) for priority in ("urgent", "normal", "bulk")]

    # Each of the two lower lanes has had a turn when the urgent one goes.
    assert waits == [pytest.approx(12.1, rel=0.01), pytest.approx(33, rel=0.01), pytest.approx(60.3, rel=0.01)]
    assert await seconds(hub, office) == waits[1]


async def test_an_estimate_is_what_then_happens(database_url: str) -> None:
    async with a_hub(database_url) as hub:
        office = await hub.an_office()
        await hub.add_sender(office, "72532", pace="5/s")
        to = {"PhoneNumber": numbers(6), "Sender": "72532"}
        told = await audience(hub, office, **to)
        async with hub.dispatching():
            text = await sent(hub, office, **to)
            await hub.outcome(office, text["Id"])
        deliveries = (await hub.get(office, f"{TEXTS}/{text['Id']}/Deliveries")).json()["Items"]

    ended = sorted(datetime.fromisoformat(each["UpdatedAt"]) for each in deliveries)
    took_s = (ended[-1] - ended[0]).total_seconds()
    assert told["EstimatedSeconds"] == pytest.approx(1, rel=0.01)
    # On a busy machine it takes longer.
    assert took_s > told["EstimatedSeconds"] - 0.5


# What it costs


async def test_without_a_price_there_is_no_cost(hub: Hub) -> None:
    office = await hub.an_office()

    assert (await audience(hub, office, PhoneNumber=NUMBER))["EstimatedCost"] is None


@pytest.mark.parametrize(
    ("price", "count", "cost"),
    [
        ("0.0083 USD", 1, "0.0083"),
        ("0.0083 USD", 2, "0.0166"),
        ("0.0083 USD", 10, "0.0830"),
        ("2 EUR", 3, "6"),
        ("0.000001 USD", 100, "0.000100"),
        ("999999.999999 JPY", 100, "99999999.999900"),
        ("0 USD", 7, "0"),
    ],
)
async def test_a_cost_is_exact(sqlite_url: str, price: str, count: int, cost: str) -> None:
    async with a_hub(sqlite_url, segment_price=price) as hub:
        office = await hub.an_office()
        await opt_out(hub, office)

        told = await audience(hub, office, "я", PhoneNumber=f"{numbers(count)},{OPTED_OUT},nobody")
        twice = await audience(hub, office, "я" * 71, PhoneNumber=numbers(count))
        nobody = await audience(hub, office, PhoneNumber=OPTED_OUT)

    amount, currency = told["EstimatedCost"]["Amount"], told["EstimatedCost"]["Currency"]
    assert (amount, currency) == (cost, price.split(" ")[1])
    assert Decimal(twice["EstimatedCost"]["Amount"]) == 2 * Decimal(amount)
    assert Decimal(nobody["EstimatedCost"]["Amount"]) == 0


# The address


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("end", ["", "/"])
async def test_a_preview_is_no_message(hub: Hub, method: str, end: str) -> None:
    office = await hub.an_office()

    answers = [
        await hub.client.request(method, f"{PREVIEW}{end}", headers=headers) for headers in (office.headers, None)
    ]

    assert [(each.status_code, each.headers["allow"]) for each in answers] == [(405, "POST")] * 2


async def test_what_looks_like_its_address_is_a_messages(hub: Hub) -> None:
    office = await hub.an_office()
    answers: list[httpx.Response] = [
        await hub.get(office, f"{TEXTS}/preview"),
        await hub.get(office, f"{PREVIEW}/Deliveries"),
        await hub.post(office, f"{PREVIEW}/Cancel"),
    ]

    assert {each.status_code for each in answers} == {400}
    assert [each.json()["errors"][0]["parameter"] for each in answers] == ["Id"] * 3


async def test_nobody_previews_without_a_token(hub: Hub) -> None:
    response = await hub.client.post(PREVIEW, json={"Message": "Hello"})

    assert response.status_code == 401
