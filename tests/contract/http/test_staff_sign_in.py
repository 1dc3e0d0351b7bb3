"""Persons sign in at the console with a real identity provider, as their browsers do."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
import pytest_asyncio

from domain.model.staff import Role, StaffRole
from tests.contract.http.test_console import Browser, an_operator, cookie_of
from tests.http import PUBLIC_URL, Hub, Office, a_hub
from tests.identity_provider import ADA, BEN, EVE, NORA, OLGA, IdentityProvider, an_identity_provider


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with an_identity_provider(hub_url=PUBLIC_URL) as provider:
        yield provider


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(shared_database_url: str, provider: IdentityProvider) -> AsyncIterator[Hub]:
    async with a_hub(shared_database_url, **provider.settings, contact="sms@campus.example") as hub:
        yield hub


@asynccontextmanager
async def a_person(hub: Hub, provider: IdentityProvider, login: str | None = None) -> AsyncIterator[Browser]:
    async with hub.client_at("127.0.0.1") as client:
        browser = Browser(hub, client)
        if login is not None:
            response = await sign_in(browser, provider, login)
            assert response.status_code == 303, response.text
        yield browser


async def begin(browser: Browser, **parameters: str) -> str:
    """Where the browser is sent to."""
    response = await browser.get("sign-in/begin", **parameters)
    assert response.status_code == 303, response.text
    return str(response.headers["location"])


async def come_back(browser: Browser, address: str) -> httpx.Response:
    parts = urlsplit(address)
    assert address.startswith(f"{PUBLIC_URL}/console/sign-in/callback?")
    return await browser.client.get(f"{parts.path}?{parts.query}")


async def sign_in(browser: Browser, provider: IdentityProvider, login: str, **parameters: str) -> httpx.Response:
    return await come_back(browser, await provider.answer(await begin(browser, **parameters), login))


async def give(hub: Hub, group: str, role: Role, program_id: str | None = None) -> StaffRole:
    return await hub.container.operate_staff_roles()(StaffRole(group=group, role=role, program_id=program_id))


@pytest.mark.asyncio(loop_scope="module")
async def test_a_person_signs_in_and_sees_their_program(hub: Hub, provider: IdentityProvider) -> None:
    office = await hub.an_office()
    await hub.container.operate_staff_roles().put(
        StaffRole(group="housing-senders", role=Role.SENDER, program_id=office.id)
    )
    async with a_person(hub, provider, ADA) as browser:
        first = await browser.get("")
        page = await browser.client.get(first.headers["location"])

    assert first.headers["location"] == f"/console/programs/{office.id}/overview"
    assert page.status_code == 200
    assert "City Hall" in page.text
