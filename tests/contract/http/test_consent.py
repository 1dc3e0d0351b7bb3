"""What programs say and ask about who is to be texted."""

from collections.abc import Sequence
from typing import Any

import pytest

from domain.model.callback import Callback, CallbackKind
from domain.model.consent import Consent, ConsentEvent, Method, Scope
from domain.model.inbound_message import InboundText
from domain.model.phone_number import PhoneNumber
from tests.http import Hub, Office

NUMBER = "+19706904544"
EVENTS = "/api/ConsentEvents"
# The sandbox says of it that it opted out there.
REFUSED_BY_PROVIDER = "+15005550004"


@pytest.fixture(scope="module")
def hub(a_hub_of_each_kind: Hub) -> Hub:
    return a_hub_of_each_kind


async def told(hub: Hub, office: Office, consent: str, **properties: object) -> Any:  # noqa: ANN401 - JSON
    response = await hub.post(office, EVENTS, {"PhoneNumber": NUMBER, "Consent": consent, **properties})
    assert response.status_code == 200, response.text
    return response.json()


async def items(hub: Hub, office: Office, path: str, **parameters: str | int) -> Sequence[Any]:
    response = await hub.get(office, path, **parameters)
    assert response.status_code == 200, response.text
    found: Sequence[Any] = response.json()["Items"]
    return found


async def status_of_a_text(hub: Hub, office: Office) -> str:
    response = await hub.post(office, "/api/TextMessages", {"Message": "Hello", "PhoneNumber": NUMBER})
    status: str = response.json()["Status"]
    return status


async def test_an_opt_out_with_its_proof_blocks_texts_until_it_is_lifted(hub: Hub) -> None:
    office = await hub.an_office()

    out = await told(hub, office, "opt-out", Wording="Please stop calling me", Actor="front desk")
    blocked = await status_of_a_text(hub, office)
    in_again = await told(hub, office, "opt-in", Wording="I agree")

    assert (out["Event"]["Scope"], out["Event"]["Method"], out["Event"]["Actor"]) == ("program", "api", "front desk")
    assert [each["Wording"] for each in out["OptOuts"]] == ["Please stop calling me"]
    assert blocked == "blocked"
    assert in_again["OptOuts"] == []
    assert in_again["Event"]["Actor"] == f"program {office.id}"
    assert await status_of_a_text(hub, office) == "queued"
    said = await items(hub, office, EVENTS, PhoneNumber="(970) 690-4544")
    assert [(each["Consent"], each["Wording"]) for each in said] == [
        ("opt-out", "Please stop calling me"),
        ("opt-in", "I agree"),
    ]


async def test_lifting_ones_own_opt_out_leaves_the_providers_and_says_so(hub: Hub) -> None:
    office = await hub.an_office()
    program = await hub.container.programs().find(office.id)
    assert program is not None
    event = ConsentEvent(
        number=PhoneNumber(NUMBER),
        sender_id=program.sender.id,
        consent=Consent.WITHDRAWN,
        method=Method.PROVIDER,
        at_us=hub.container.clock().now_us(),
        actor="provider",
        reference="SM1",
    )
    await hub.container.opt_outs().record([event])
    await told(hub, office, "opt-out")

    lifted = await told(hub, office, "opt-in")

    (bound,) = lifted["OptOuts"]
    assert (bound["Scope"], bound["Method"], bound["Reference"]) == ("sender", "provider", "SM1")
    assert await status_of_a_text(hub, office) == "blocked"


async def test_what_other_programs_were_told_is_nobody_elses_business(hub: Hub) -> None:
    mine, others = await hub.an_office(), await hub.an_office()
    await told(hub, others, "opt-out", Wording="Not from you")

    assert await items(hub, mine, EVENTS, PhoneNumber=NUMBER) == []
    assert await items(hub, mine, "/api/OptOuts") == []
    assert await status_of_a_text(hub, mine) == "queued"


async def test_lists_are_turned_page_by_page(hub: Hub) -> None:
    office = await hub.an_office()
    for last in range(5):
        for consent in ("opt-out", "opt-in", "opt-out"):
            body = {"PhoneNumber": f"+1970690454{last}", "Consent": consent}
            assert (await hub.post(office, EVENTS, body)).status_code == 200

    for path, parameters, count in (
        ("/api/OptOuts", {}, 5),
        (EVENTS, {"PhoneNumber": "+19706904540"}, 3),
    ):
        found: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = (await hub.get(office, path, Limit=2, **parameters, **cursor)).json()
            found += page["Items"]
            if page["NextCursor"] is None:
                break
            cursor = {"Cursor": page["NextCursor"]}
        assert len(found) == count
        assert len({str(each) for each in found}) == count


@pytest.mark.parametrize("path", ["/api/OptOuts", "/api/InboundMessages", f"{EVENTS}?PhoneNumber=9706904544"])
@pytest.mark.parametrize("cursor", ["?", "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkw", "KzE5NzA2OTA0NTQ0", "LTE"])
async def test_a_cursor_that_is_none_is_refused(hub: Hub, path: str, cursor: str) -> None:
    office = await hub.an_office()

    response = await hub.client.get(f"{path}{'&' if '?' in path else '?'}Cursor={cursor}", headers=office.headers)

    assert response.status_code == 422
    assert response.json()["type"] == "cursor-refused"


async def test_whose_events_are_wanted_must_be_said(hub: Hub) -> None:
    office = await hub.an_office()

    response = await hub.get(office, EVENTS)

    assert response.status_code == 400
    assert response.json()["errors"] == [{"parameter": "PhoneNumber", "detail": "The parameter is missing."}]


@pytest.mark.parametrize("path", ["/api/OptOuts", EVENTS])
async def test_a_number_that_is_none_is_refused(hub: Hub, path: str) -> None:
    office = await hub.an_office()

    response = await hub.get(office, path, PhoneNumber="970-690")

    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == "PhoneNumber"


async def test_however_it_was_told_an_opt_out_looks_the_same_and_has_its_own_proof(hub: Hub) -> None:
    office = await hub.an_office()
    by = {way: f"+1970690454{place}" for place, way in enumerate(("api", "import", "page", "text"))}
    by["provider"] = REFUSED_BY_PROVIDER

    await told(hub, office, "opt-out", PhoneNumber=by["api"])
    listed = {**office.headers, "Content-Type": "text/csv"}
    await hub.client.post("/api/OptOuts/Import", content=by["import"], headers=listed)
    await hub.client.post(f"/opt-out/{office.id}", data={"PhoneNumber": by["page"]})
    await the_recipient_texts_stop(hub, office, by["text"])
    text = {"Message": "Hello", "PhoneNumber": by["provider"]}
    async with hub.dispatching():
        await hub.outcome(office, (await hub.post(office, "/api/TextMessages", text)).json()["Id"])

    found = {each["PhoneNumber"]: each for each in await items(hub, office, "/api/OptOuts")}
    assert {number: each["Method"] for number, each in found.items()} == {number: way for way, number in by.items()}
    assert len({frozenset(each) for each in found.values()}) == 1
    assert all(each["Since"] and each["Actor"] for each in found.values())
    everybody = {"Message": "Hello", "PhoneNumber": ",".join(by.values())}
    assert (await hub.post(office, "/api/TextMessages", everybody)).json()["Counts"] == {"blocked": len(by)}


async def the_recipient_texts_stop(hub: Hub, office: Office, number: str) -> None:
    program = await hub.container.programs().find(office.id)
    assert program is not None
    stop = InboundText(addresses=[program.sender.address.value], number=number, text="STOP", reference="SM1")
    await hub.container.callbacks().add(
        Callback(
            source="sandbox",
            kind=CallbackKind.INBOUND,
            account_id=program.sender.account_id,
            key=office.id,
            received_us=hub.container.clock().now_us(),
            fields={},
        )
    )
    now = hub.container.clock().now_us
    await hub.container.inbound_messages().take_in(lambda _: stop, scope=Scope.PROGRAM, now=now, limit=100)
