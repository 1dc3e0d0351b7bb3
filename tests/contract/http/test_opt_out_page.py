"""A program's public page, on which anybody can opt out."""

import httpx
import pytest

from tests.http import PUBLIC_URL, Hub, Office

NUMBER = "+19706904544"


@pytest.fixture(scope="module")
def hub(a_hub_of_each_kind: Hub) -> Hub:
    return a_hub_of_each_kind


async def typed_in(hub: Hub, office: Office, number: str, *, address: str = "198.51.100.1") -> httpx.Response:
    async with hub.client_at(address) as client:
        return await client.post(f"/opt-out/{office.id}", data={"PhoneNumber": number})


async def opt_outs(hub: Hub, office: Office) -> list[dict[str, object]]:
    items: list[dict[str, object]] = (await hub.get(office, "/api/OptOuts")).json()["Items"]
    return items


async def test_a_visitor_opts_out_before_ever_being_texted(hub: Hub) -> None:
    office = await hub.an_office()
    page = await hub.client.get(f"/opt-out/{office.id}")

    response = await typed_in(hub, office, "(970) 690-4544")

    assert page.status_code == response.status_code == 200
    assert "No more texts from City Hall" in page.text
    assert "It is done." in response.text
    (opt_out,) = await opt_outs(hub, office)
    assert (opt_out["PhoneNumber"], opt_out["Method"], opt_out["Scope"]) == (NUMBER, "page", "program")
    assert (opt_out["Actor"], opt_out["Wording"]) == (
        "visitor",
        "I do not want any more texts from City Hall to this number.",
    )
    assert str(opt_out["Wording"]) in page.text, "what is recorded was shown"


async def test_it_tells_nobody_whether_a_number_is_known(hub: Hub) -> None:
    office = await hub.an_office()
    await hub.post(office, "/api/TextMessages", {"Message": "Hello", "PhoneNumber": NUMBER})

    answers = [await typed_in(hub, office, number) for number in (NUMBER, NUMBER, "+19706904545")]

    assert len({(each.status_code, each.text) for each in answers}) == 1
    assert len(await opt_outs(hub, office)) == 2


async def test_what_is_no_number_is_told_and_changes_nothing(hub: Hub) -> None:
    office = await hub.an_office()

    answers = [await typed_in(hub, office, number) for number in ("970-690", "<script>alert(1)</script>", "")]

    assert {each.status_code for each in answers} == {422}
    assert "This number is too short." in answers[0].text
    assert all("<script>" not in each.text for each in answers)
    assert await opt_outs(hub, office) == []


async def test_nobody_types_in_numbers_by_the_dozen_and_nobody_else_is_held_up(hub: Hub) -> None:
    office = await hub.an_office()

    answers = [await typed_in(hub, office, NUMBER, address="198.51.100.2") for _ in range(12)]
    another = await typed_in(hub, office, NUMBER, address="198.51.100.3")

    assert [each.status_code for each in answers] == [200] * 10 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "Try again in a minute." in answers[-1].text
    assert another.status_code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_program_that_there_is_not_has_no_page(hub: Hub, method: str) -> None:
    response = await hub.client.request(method, "/opt-out/nobody", data={"PhoneNumber": NUMBER})

    assert response.status_code == 404


async def test_other_bodies_are_refused(hub: Hub) -> None:
    office = await hub.an_office()
    path = f"/opt-out/{office.id}"

    as_json = await hub.client.post(path, json={"PhoneNumber": NUMBER})
    long = await hub.client.post(path, data={"PhoneNumber": "1" * 5_000})

    assert (as_json.status_code, long.status_code) == (415, 413)
    assert await opt_outs(hub, office) == []


async def test_it_keeps_to_itself(hub: Hub) -> None:
    office = await hub.an_office()
    response = await hub.client.get(f"{PUBLIC_URL}{hub.base_path}/opt-out/{office.id}", headers={"Origin": PUBLIC_URL})
    policy = dict(each.strip().split(" ", 1) for each in response.headers["content-security-policy"].split(";"))

    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["form-action"] == "'self'"
    assert "set-cookie" not in response.headers, "without a session there is nothing that another page could abuse"
    assert response.headers["cache-control"] == "no-store"
