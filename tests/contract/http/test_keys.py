"""What a program's keys are good for, and when they and their tokens are so no more."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from domain.model.access import KeyKind, Scope
from domain.model.credentials import Credentials
from domain.model.pace import SECOND_US
from domain.model.phone_number import PhoneNumber
from domain.model.program_key import KeyTerms
from domain.model.sender import SenderAddress
from tests.e2e.sending import ENCRYPTION_KEYS
from tests.http import Credentials as ProgramCredentials
from tests.http import Hub, Office, a_hub

# What a process has read of keys may be two seconds old. It is about when a request is begun, however long it takes.
WITHIN_S = 5.0

NUMBER, OTHER_NUMBER = "+19706904544", "+19706904545"


async def an_office_by(hub: Hub, terms: KeyTerms) -> tuple[Office, int]:
    """A program that has logged in with a further key, and that key's id."""
    credentials = await hub.create_program()
    issued, key = await hub.container.operate_keys().issue(credentials.program_id, terms)
    credentials = replace(credentials, key=key.value)
    return Office(credentials, await hub.log_in(credentials)), issued.id


async def refused_in_time(hub: Hub, office: Office) -> httpx.Response:
    changed_s = asked_s = time.monotonic()
    while (answer := await hub.get(office, "/api/TextMessages")).status_code == 200:
        assert asked_s < changed_s + WITHIN_S, "the token is good still"
        await asyncio.sleep(0.1)
        asked_s = time.monotonic()
    return answer


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"]


async def test_a_revoked_key_ends_its_tokens_and_no_others(a_hub_of_each_kind: Hub) -> None:
    hub = a_hub_of_each_kind
    office, key_id = await an_office_by(hub, KeyTerms())
    first_key = await hub.container.operate_keys().of(office.id)
    assert [each.id for each in first_key][-1] == key_id
    assert (await hub.get(office, "/api/TextMessages")).status_code == 200

    await hub.container.operate_keys().revoke(office.id, key_id)

    assert refusal(await refused_in_time(hub, office)) == (401, "token-refused")
    answer = await hub.client.post("/api/Login", json=office.credentials.login)
    assert refusal(answer) == (401, "credentials-refused")
    renewed, _ = await hub.container.operate_keys().issue(office.id, KeyTerms())
    assert renewed.id > key_id


async def test_one_key_is_replaced_by_another_while_both_work(a_hub_of_each_kind: Hub) -> None:
    hub = a_hub_of_each_kind
    old = await hub.an_office()
    _, key = await hub.container.operate_keys().issue(old.id, KeyTerms(name="The new one"))
    credentials = replace(old.credentials, key=key.value)
    new = Office(credentials, await hub.log_in(credentials))
    assert [(await hub.get(each, "/api/TextMessages")).status_code for each in (old, new)] == [200, 200]

    keys = await hub.container.operate_keys().of(old.id)
    await hub.container.operate_keys().revoke(old.id, keys[0].id)

    assert refusal(await refused_in_time(hub, old)) == (401, "token-refused")
    assert (await hub.get(new, "/api/TextMessages")).status_code == 200
    assert [each.last_used_us is not None for each in keys] == [True, True]


async def test_a_suspended_program_is_shut_out_until_it_is_let_in_again(a_hub_of_each_kind: Hub) -> None:
    hub = a_hub_of_each_kind
    office = await hub.an_office()
    await hub.get(office, "/api/TextMessages")

    await hub.container.pause().suspend(office.id, suspended=True)

    assert refusal(await refused_in_time(hub, office)) == (401, "token-refused")
    answer = await hub.client.post("/api/Login", json=office.credentials.login)
    assert refusal(answer) == (401, "credentials-refused")
    await hub.container.pause().suspend(office.id, suspended=False)
    assert await hub.log_in(office.credentials)


async def test_a_key_that_ends_ends_its_tokens(a_hub_of_each_kind: Hub) -> None:
    hub = a_hub_of_each_kind
    ends_us = hub.container.clock().now_us() + 3 * SECOND_US
    office, _ = await an_office_by(hub, KeyTerms(expires_us=ends_us))
    assert (await hub.get(office, "/api/TextMessages")).status_code == 200

    assert refusal(await refused_in_time(hub, office)) == (401, "token-refused")
    assert datetime.now(UTC).timestamp() >= ends_us // SECOND_US


async def test_a_teams_key_texts_its_numbers_alone(a_hub_of_each_kind: Hub) -> None:
    hub = a_hub_of_each_kind
    terms = KeyTerms(kind=KeyKind.TEAM, numbers=frozenset({PhoneNumber(NUMBER)}))
    office, _ = await an_office_by(hub, terms)

    allowed = await hub.post(office, "/api/TextMessages", {"Message": "Hi", "PhoneNumber": "970-690-4544"})
    text = {"Message": "Hi", "PhoneNumber": f"{NUMBER},{OTHER_NUMBER}"}
    refused = await hub.post(office, "/api/TextMessages", text)
    lenient = await hub.post(office, "/api/TextMessages", text, Prefer="handling=lenient")
    preview = await hub.post(office, "/api/TextMessages/Preview", text)

    assert allowed.status_code == 200
    assert refusal(refused) == (422, "recipients-refused")
    (fault,) = refused.json()["errors"]
    assert fault["detail"] == "Number 2 is not among those that your key may text."
    assert lenient.json()["PhoneNumber"] == NUMBER
    assert preview.json()["Audience"]["Recipients"] == 1


async def test_a_key_allows_what_it_is_for(a_hub_of_each_kind: Hub) -> None:
    hub = a_hub_of_each_kind
    office, _ = await an_office_by(hub, KeyTerms(scopes=frozenset({Scope.READ})))

    assert (await hub.get(office, "/api/TextMessages")).status_code == 200
    answer = await hub.post(office, "/api/TextMessages", {"Message": "Hi", "PhoneNumber": NUMBER})
    assert refusal(answer) == (403, "scope-missing")


@pytest.mark.parametrize(("address", "status"), [("198.51.100.7", 200), ("192.0.2.1", 401)])
async def test_a_token_is_good_from_its_keys_networks_alone(a_hub_of_each_kind: Hub, address: str, status: int) -> None:
    hub = a_hub_of_each_kind
    networks = KeyTerms(networks=("127.0.0.0/8", "198.51.100.0/24"))
    office, _ = await an_office_by(hub, networks)

    async with hub.client_at(address) as client:
        answer = await client.get("/api/TextMessages", headers=office.headers)
        login = await client.post("/api/Login", json=office.credentials.login)

    assert (answer.status_code, login.status_code) == (status, status)


async def test_a_test_keys_texts_go_to_the_sandbox_whatever_the_sender(shared_database_url: str) -> None:
    async with a_hub(shared_database_url, encryption_keys=ENCRYPTION_KEYS) as hub:
        program, _ = await hub.container.create_program()(
            name="City Hall",
            provider="twilio",
            # An account that is none: whatever Twilio were asked to send, it would refuse.
            credentials=Credentials({"account_sid": f"AC{'0' * 32}", "auth_token": "0" * 32}),
            sender=SenderAddress("+19705550177"),
        )
        _, key = await hub.container.operate_keys().issue(program.id, KeyTerms(kind=KeyKind.TEST))
        credentials = ProgramCredentials(program.id, program.sid, key.value)
        office = Office(credentials, await hub.log_in(credentials))

        async with hub.dispatching():
            posted = await hub.post(office, "/api/TextMessages", {"Message": "Hi", "PhoneNumber": NUMBER})
            text = await hub.outcome(office, posted.json()["Id"])

        (delivery,) = (await hub.get(office, f"/api/TextMessages/{text['Id']}/Deliveries")).json()["Items"]
        assert (text["Status"], text["Sender"]) == ("delivered", "+19705550177")
        assert delivery["ProviderReference"].startswith("sandbox-")
