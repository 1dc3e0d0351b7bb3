"""What bounds a program's texts, as its clients meet it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.model.budget import Velocity
from domain.model.terms import Terms
from tests.http import Hub, Office

TEXTS = "/api/TextMessages"
NUMBERS = [f"+1970690454{last}" for last in range(5)]
BRITISH = "+447400123456"


@pytest.fixture(scope="module")
def hub(a_hub_of_each_kind: Hub) -> Hub:
    return a_hub_of_each_kind


async def an_office(hub: Hub, terms: Terms) -> Office:
    office = await hub.an_office()
    await hub.container.change_program()(office.id, lambda _: terms)
    return office


def a_text(*numbers: str) -> dict[str, object]:
    return {"Message": "Hello", "PhoneNumber": ",".join(numbers or NUMBERS[:1])}


async def usage(hub: Hub, office: Office) -> Any:  # noqa: ANN401 - JSON
    today = datetime.now(UTC).date()
    response = await hub.get(office, "/api/Usage", From=str(today), To=str(today + timedelta(days=1)))
    assert response.status_code == 200, response.text
    return response.json()


async def test_a_text_that_the_budget_has_no_room_for_is_refused_until_the_next_day(hub: Hub) -> None:
    office = await an_office(hub, Terms(daily_segments=3))
    assert (await hub.post(office, TEXTS, a_text(*NUMBERS[:2]))).status_code == 200

    refused = await hub.post(office, TEXTS, a_text(*NUMBERS[:2]), Idempotency_Key="later")

    assert refused.status_code == 429
    assert refused.json()["type"] == "budget-exceeded"
    assert "takes 2 segments for all its numbers; 1 of" in refused.json()["detail"]
    assert 1 <= int(refused.headers["Retry-After"]) <= 86_400
    # The key is free for when there is room.
    assert (await hub.post(office, TEXTS, a_text(), Idempotency_Key="later")).status_code == 200


async def test_a_number_of_another_country_is_refused_and_left_out_of_a_lenient_request(hub: Hub) -> None:
    office = await an_office(hub, Terms(countries=frozenset({"US"})))

    refused = await hub.post(office, TEXTS, a_text(NUMBERS[0], BRITISH))
    lenient = await hub.post(office, TEXTS, a_text(NUMBERS[0], BRITISH), Prefer="handling=lenient")
    previewed = await hub.post(office, f"{TEXTS}/Preview", a_text(NUMBERS[0], BRITISH))

    assert (refused.status_code, refused.json()["type"]) == (422, "country-not-allowed")
    fault = {"Position": 2, "Detail": "Number 2 belongs to a country that this program does not text."}
    assert refused.json()["errors"] == [
        {"pointer": "#/PhoneNumber", "position": fault["Position"], "detail": fault["Detail"]}
    ]
    assert lenient.status_code == 200
    assert lenient.json()["RefusedNumbers"] == previewed.json()["Audience"]["RefusedNumbers"] == [fault]
    assert (await hub.post(office, TEXTS, a_text(BRITISH), Prefer="handling=lenient")).status_code == 422


async def test_a_number_that_has_had_enough_texts_is_spared(hub: Hub) -> None:
    office = await an_office(hub, Terms(per_recipient=Velocity(1, timedelta(hours=1))))
    await hub.post(office, TEXTS, a_text())

    answer = (await hub.post(office, TEXTS, a_text(*NUMBERS[:2]), Idempotency_Key="key")).json()
    again = (await hub.post(office, TEXTS, a_text(*NUMBERS[:2]), Idempotency_Key="key")).json()

    assert answer == again
    assert answer["Counts"] == {"queued": 1, "blocked": 1}
    told = "Accepted for 1 number. 1 number got as many texts lately as may be and will not be texted."
    assert answer["SentResult"] == told
    alone = (await hub.post(office, TEXTS, a_text())).json()
    assert alone["Status"] == "blocked"
    read = (await hub.get(office, f"{TEXTS}/{alone['Id']}")).json()
    assert read["SentResult"] == "Not texted. This number has got as many of your texts lately as it may."


async def test_more_numbers_than_agreed_are_refused(hub: Hub) -> None:
    office = await an_office(hub, Terms(recipients_per_request=2))

    refused = await hub.post(office, TEXTS, a_text(*NUMBERS[:3]))

    assert (refused.status_code, refused.json()["type"]) == (422, "too-many-recipients")
    assert refused.json()["detail"] == "There are 3 numbers; one request takes 2 at most."


async def test_usage_is_of_the_caller_alone_by_day_sender_and_status(hub: Hub) -> None:
    office, other = await hub.an_office(), await hub.an_office()
    await hub.post(office, "/api/Subscribers", {"PhoneNumber": NUMBERS[0], "DoNotText": True})
    await hub.post(other, TEXTS, a_text(*NUMBERS))
    for numbers in (NUMBERS[:3], [*NUMBERS[:1], BRITISH]):
        await hub.post(office, TEXTS, a_text(*numbers))

    told = await usage(hub, office)

    assert {(each["Status"], each["Messages"], each["Deliveries"], each["Segments"]) for each in told["Items"]} == {
        ("blocked", 2, 2, 2),
        ("queued", 2, 3, 3),
    }
    assert told["Zone"] == "UTC"
    assert told["EstimatedCost"] is None


@pytest.mark.parametrize(
    ("first", "last", "status"),
    [
        ("2026-11-01", "2026-10-31", 422),
        ("2026-01-01", "2027-01-01", 200),
        ("2026-01-01", "2027-01-02", 422),
        ("0000-01-01", "0000-12-31", 200),
        ("0001-01-01", "0001-12-31", 200),
        ("9999-01-01", "9999-12-31", 200),
        ("2026-11-31", "2026-12-01", 400),
        ("2026-W01-1", "2026-W02-1", 400),
        ("20261101", "20261130", 400),
    ],
)
async def test_a_period_is_two_days_not_more_than_a_year_apart(hub: Hub, first: str, last: str, status: int) -> None:
    office = await hub.an_office()

    response = await hub.get(office, "/api/Usage", From=first, To=last)

    assert response.status_code == status, response.text
