"""Operators find what the hub has of a phone number, and have it erased."""

from dataclasses import replace
from uuid import uuid4

import pytest

from domain.model.access import Scope
from tests.http import Hub, Office

NUMBER = "+19706904544"
SEARCH, ERASE = "/api/Subjects/Search", "/api/Subjects/Erase"


async def an_operator(hub: Hub) -> Office:
    office = await hub.an_office()
    granted = hub.container.tokens().verify(office.token)
    grant = replace(granted, scopes=frozenset({Scope.OPERATOR}), token_id=str(uuid4()))
    return Office(office.credentials, hub.container.tokens().issue(grant))


async def test_a_number_is_found_in_any_writing_and_erased_in_all_programs(a_hub_of_each_kind: Hub) -> None:
    hub = a_hub_of_each_kind
    operator, first, second = await an_operator(hub), await hub.an_office(), await hub.an_office()
    for office in (first, second):
        text = {"Message": "Your appointment is tomorrow.", "PhoneNumber": NUMBER}
        assert (await hub.post(office, "/api/TextMessages", text)).status_code == 200

    found = await hub.post(operator, SEARCH, {"PhoneNumber": "(970) 690-4544", "Limit": 1})
    rest = await hub.post(operator, SEARCH, {"PhoneNumber": NUMBER, "Cursor": found.json()["NextCursor"]})
    erased = await hub.post(operator, ERASE, {"PhoneNumber": "970.690.4544"})
    again = await hub.post(operator, SEARCH, {"PhoneNumber": NUMBER})

    assert found.json()["PhoneNumber"] == NUMBER
    programs = [each["ProgramId"] for each in found.json()["Items"] + rest.json()["Items"] if each["Kind"] == "text"]
    assert programs == [first.id, second.id]
    assert erased.json() == {"Erased": {"Canceled": 2, "Texts": 2, "Bodies": 2, "IdempotencyKeys": 0}, "Remaining": 0}
    assert [each["Kind"] for each in again.json()["Items"]] == ["erasure"]
    (shown,) = (await hub.get(first, "/api/TextMessages")).json()["Items"]
    assert (shown["Message"], shown["Status"], shown["PhoneNumber"]) == ("(erased)", "canceled", "+9995380")


@pytest.mark.parametrize("path", [SEARCH, ERASE])
@pytest.mark.parametrize("number", ["nobody", "+9995380", "555"])
async def test_what_is_no_number_is_refused_and_not_repeated(a_hub_of_each_kind: Hub, path: str, number: str) -> None:
    answer = await a_hub_of_each_kind.post(await an_operator(a_hub_of_each_kind), path, {"PhoneNumber": number})

    assert (answer.status_code, answer.json()["type"]) == (422, "number-refused")
    assert number not in answer.text


@pytest.mark.parametrize("cursor", ["nonsense", "MQ", "OTk5OS4x"])
async def test_a_cursor_of_nowhere_is_refused(a_hub_of_each_kind: Hub, cursor: str) -> None:
    hub = a_hub_of_each_kind
    answer = await hub.post(await an_operator(hub), SEARCH, {"PhoneNumber": NUMBER, "Cursor": cursor})

    assert (answer.status_code, answer.json()["type"]) == (422, "cursor-refused")
