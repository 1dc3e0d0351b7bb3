"""Who may call what: every operation of the document, with every kind of token that there is.

An operation that is added is in here by itself, and fails as long as the document does not say what it takes.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from adapters.tokens import JwtTokens
from domain.model.access import Grant, Scope
from domain.model.program_key import KeyTerms
from entrypoints.http.contract import Contract, Operation
from tests.contract.http.test_examples import ENCRYPTION_KEYS, Request, requests_of
from tests.http import Hub, Office, a_hub

CONTRACT = Contract.load()
# Nobody needs a token for it.
OPEN = {"logIn"}
GUARDED = [each for each in CONTRACT.operations.values() if not each.is_callback and each.id not in OPEN]

REFUSED_401 = [
    *("none", "nonsense", "of another scheme", "forged", "expired", "of the future"),
    *("of a revoked key", "of a suspended program", "of a key for other networks", "of no key", "of no program"),
]


@pytest.mark.parametrize("operation", GUARDED, ids=lambda each: each.id)
def test_the_document_says_what_an_operation_takes(operation: Operation) -> None:
    known = {scope.value for scope in Scope}
    assert operation.required_scopes
    assert operation.required_scopes <= known
    assert {"401", "403"} <= operation.definition["responses"].keys()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(shared_database_url: str) -> AsyncIterator[Hub]:
    async with a_hub(shared_database_url, encryption_keys=ENCRYPTION_KEYS) as hub:
        yield hub


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(hub: Hub) -> Office:
    return await hub.an_office()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def headers(hub: Hub, office: Office) -> Mapping[str, str]:
    """The header Authorization for each situation that somebody may be in."""
    keys, tokens, settings = hub.container.operate_keys(), hub.container.tokens(), hub.container.settings()
    good = tokens.verify(office.token)
    others = JwtTokens({"tests": b"f" * 32}, issuer=settings.token_issuer, audience=settings.token_audience)

    def issued(**changes: object) -> str:
        return tokens.issue(replace(good, token_id=str(uuid4()), **changes))  # type: ignore[arg-type]

    revoked = await an_office_by(hub, KeyTerms())
    await keys.revoke(revoked.id, (await keys.of(revoked.id))[-1].id)
    suspended = await hub.an_office()
    await hub.container.pause().suspend(suspended.id, suspended=True)
    elsewhere = await an_office_by(hub, KeyTerms(networks=("198.51.100.0/24",)), at="198.51.100.7")
    now = datetime.now(UTC).replace(microsecond=0)
    return {
        "none": "",
        "nonsense": "Bearer nonsense",
        "of another scheme": f"Basic {office.token}",
        "forged": others.issue(good),
        "expired": issued(issued_at=now - timedelta(hours=1), expires_at=now - timedelta(seconds=1)),
        "of the future": issued(issued_at=now + timedelta(hours=1), expires_at=now + timedelta(hours=2)),
        "without a scope": issued(scopes=frozenset()),
        "of a revoked key": revoked.token,
        "of a suspended program": suspended.token,
        "of a key for other networks": elsewhere.token,
        "of no key": issued(key_id=999_999),
        "of no program": issued(key_id=None, program_id=str(uuid4())),
    }


async def an_office_by(hub: Hub, terms: KeyTerms, *, at: str = "127.0.0.1") -> Office:
    """That has logged in with a key of its own, from that address."""
    credentials = await hub.create_program()
    _, key = await hub.container.operate_keys().issue(credentials.program_id, terms)
    credentials = replace(credentials, key=key.value)
    async with hub.client_at(at) as client:
        answer = await client.post("/api/Login", json=credentials.login)
    assert answer.status_code == 200, answer.text
    return Office(credentials, answer.json())


def one_of(operation: Operation) -> Request:
    return next(iter(requests_of(operation)))


async def called(hub: Hub, request: Request, authorization: str) -> httpx.Response:
    """As the document shows it, with that header."""
    headers = {**request.parameters.get("header", {}), "Authorization": authorization}
    if request.media_type is not None:
        headers["Content-Type"] = request.media_type
    body = request.body if isinstance(request.body, str) or request.body is None else json.dumps(request.body)
    return await hub.client.request(request.operation.method, request.path, content=body, headers=headers)


@pytest.mark.parametrize("situation", REFUSED_401)
@pytest.mark.parametrize("operation", GUARDED, ids=lambda each: each.id)
async def test_whoever_has_no_good_token_is_told_to_log_in(
    hub: Hub, headers: Mapping[str, str], operation: Operation, situation: str
) -> None:
    answer = await called(hub, one_of(operation), headers[situation])

    assert (answer.status_code, answer.json()["type"]) == (401, "token-refused")


@pytest.mark.parametrize("operation", GUARDED, ids=lambda each: each.id)
async def test_whoever_lacks_the_scope_is_refused(hub: Hub, headers: Mapping[str, str], operation: Operation) -> None:
    answer = await called(hub, one_of(operation), headers["without a scope"])

    assert (answer.status_code, answer.json()["type"]) == (403, "scope-missing")


@pytest.mark.parametrize("operation", GUARDED, ids=lambda each: each.id)
async def test_each_scope_that_is_asked_for_is_needed_and_no_other(
    hub: Hub, office: Office, operation: Operation
) -> None:
    tokens = hub.container.tokens()
    good = tokens.verify(office.token)
    needed = frozenset(scope for scope in Scope if scope.value in operation.required_scopes)

    enough = await called(hub, one_of(operation), tokens.issue(a_copy(good, needed)))
    too_few = [
        await called(hub, one_of(operation), tokens.issue(a_copy(good, frozenset(Scope) - {scope}))) for scope in needed
    ]

    # Not what is asked about, perhaps, but who asks is not refused.
    assert enough.status_code not in {401, 403}, enough.text
    assert [each.status_code for each in too_few] == [403] * len(needed)


def a_copy(grant: Grant, scopes: frozenset[Scope]) -> Grant:
    return replace(grant, scopes=scopes, token_id=str(uuid4()))


@pytest.mark.parametrize("operation", [each for each in GUARDED if "{Id}" in each.path], ids=lambda each: each.id)
async def test_what_another_program_has_is_not_there(hub: Hub, office: Office, operation: Operation) -> None:
    other = await hub.an_office()
    text = await hub.post(other, "/api/TextMessages", {"Message": "Hi", "PhoneNumber": "+19706904544"})
    webhook = await hub.post(other, "/api/Webhooks", {"Url": "https://office.example/hub"})
    theirs = webhook if "Webhooks" in operation.path else text
    assert theirs.status_code == 200, theirs.text
    request = one_of(operation)
    path = {**request.parameters["path"], "Id": theirs.json()["Id"]}
    refused = {"Webhooks": "webhook-not-found", "TextMessages": "message-not-found"}

    answer = await called(hub, replace(request, parameters={**request.parameters, "path": path}), office.token)

    assert (answer.status_code, answer.json()["type"]) == (404, refused[operation.path.split("/")[2]])
