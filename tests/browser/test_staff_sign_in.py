"""Persons sign in at the console in a real browser, with a real identity provider."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from domain.model.staff import Role, StaffRole
from entrypoints.container import Container, close
from entrypoints.settings import Settings
from tests.browser.test_console import NUMBER, WINDOW_NAMES, WINDOWS, an_operator, assert_good, sign_in
from tests.browser.visiting import a_visit
from tests.conftest import BOTH_DATABASES, a_migrated_database
from tests.e2e.running import eventually
from tests.http import SIGNING_KEYS, RunningHub, a_running_hub
from tests.identity_provider import ADA, BEN, NORA, OLGA, IdentityProvider
from tests.loops import run

expect.set_options(timeout=20_000)


@pytest.fixture(scope="module", params=BOTH_DATABASES)
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningHub, IdentityProvider]]:
    """The hub is there first: its provider is started when it is wanted."""
    provider = IdentityProvider()
    with (
        a_migrated_database(request, tmp_path_factory.mktemp("hub")) as url,
        a_running_hub(url, **provider.settings) as hub,
    ):
        provider.hub_url = hub.url
        provider.start()
        try:
            yield hub, provider
        finally:
            provider.stop()


@pytest.fixture
def hub(site: tuple[RunningHub, IdentityProvider]) -> RunningHub:
    return site[0]


@pytest.fixture
def provider(site: tuple[RunningHub, IdentityProvider]) -> IdentityProvider:
    return site[1]


def give(hub: RunningHub, *roles: StaffRole) -> None:
    async def put() -> None:
        settings = Settings.from_environment(database_url=hub.database_url, signing_keys=SIGNING_KEYS)
        container = Container(settings=settings)
        try:
            for each in await container.operate_staff_roles().all():
                await container.operate_staff_roles().remove(each.id)
            for each in roles:
                await container.operate_staff_roles().put(each)
        finally:
            await close(container)

    run(put())


def come_in(page: Page, login: str) -> None:
    page.get_by_role("link", name="Sign in with Campus login").click()
    page.get_by_label("User").fill(login)
    page.get_by_role("button", name="Continue").click()


@pytest.mark.parametrize(("size", "scheme"), WINDOWS, ids=WINDOW_NAMES)
@pytest.mark.parametrize("options", [{}, {"java_script_enabled": False}], ids=["script", "no script"])
def test_a_sender_signs_in_sends_and_signs_out(
    browser: Browser,
    hub: RunningHub,
    provider: IdentityProvider,
    size: dict[str, int],
    scheme: str,
    options: dict[str, bool],
) -> None:
    office = hub.an_office()
    give(hub, StaffRole(group="housing-senders", role=Role.SENDER, program_id=office.id))
    with a_visit(browser, hub.url, asks=provider.issuer, viewport=size, color_scheme=scheme, **options) as visit:
        page = visit.open("/console/sign-in?next=messages")
        if not options:
            assert_good(visit)
        come_in(page, ADA)
        expect(page.get_by_role("heading", level=1)).to_have_text("Messages")
        expect(page).to_have_url(f"{hub.url}/console/programs/{office.id}/messages")
        page.get_by_role("navigation", name="Console").get_by_role("link", name="Send").click()
        page.get_by_label("Text", exact=True).fill("Your key is ready.")
        page.get_by_label("To", exact=True).fill(NUMBER)
        page.get_by_role("button", name="Review").click()
        page.get_by_role("button", name="Send to 1 number").click()
        expect(page.locator(".facts")).to_contain_text("ada (1001)")
        if not options:
            assert_good(visit)
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="Sign out everywhere").click()
        expect(page).to_have_url(re.compile(f"^{hub.url}/console/sign-in"))
        visit.open("/console/messages")
        expect(page).to_have_url(re.compile(f"^{hub.url}/console/sign-in"))


@pytest.mark.parametrize(("size", "scheme"), WINDOWS, ids=WINDOW_NAMES)
def test_two_tabs_have_two_programs(
    browser: Browser, hub: RunningHub, provider: IdentityProvider, size: dict[str, int], scheme: str
) -> None:
    housing, library = hub.an_office(), hub.an_office()
    give(
        hub,
        StaffRole(group="housing-readers", role=Role.READER, program_id=housing.id),
        StaffRole(group="library-senders", role=Role.SENDER, program_id=library.id),
    )
    with a_visit(browser, hub.url, asks=provider.issuer, viewport=size, color_scheme=scheme) as visit:
        come_in(visit.open("/console/sign-in"), BEN)
        page = visit.page
        expect(page.get_by_role("heading", level=1)).to_have_text("Your programs")
        assert_good(visit)
        page.locator(f'main a[href*="{housing.id}"]').click()
        other = page.context.new_page()
        other.goto(f"{hub.url}/console/programs/{library.id}/opt-outs")
        page.get_by_role("link", name="Opt-outs").click()
        expect(page).to_have_url(f"{hub.url}/console/programs/{housing.id}/opt-outs")
        expect(page.get_by_role("button", name="Opt out")).to_have_count(0)
        expect(other.get_by_role("button", name="Opt out")).to_be_visible()
        assert_good(visit)
        page.get_by_role("link", name="Another program").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Your programs")


@pytest.mark.parametrize(("size", "scheme"), WINDOWS, ids=WINDOW_NAMES)
def test_an_operator_gives_a_role_to_who_had_none(
    browser: Browser, hub: RunningHub, provider: IdentityProvider, size: dict[str, int], scheme: str
) -> None:
    office = hub.an_office()
    give(hub, StaffRole(group="/sms/operators", role=Role.OPERATOR))
    look = {"viewport": size, "color_scheme": scheme}
    with (
        a_visit(browser, hub.url, asks=provider.issuer, **look) as operator,
        a_visit(browser, hub.url, asks=provider.issuer, **look) as nora,
    ):
        come_in(nora.open("/console/sign-in"), NORA)
        expect(nora.page.get_by_role("heading", level=1)).to_have_text("You have no role here yet")
        expect(nora.page.get_by_role("listitem").filter(has_text="gardeners")).to_be_visible()
        assert_good(nora)
        # The browser itself tells of the status, 403.
        nora.faults.clear()
        come_in(operator.open("/console/sign-in"), OLGA)
        page = operator.page
        expect(page.get_by_role("heading", level=1)).to_have_text("Programs")
        page.get_by_role("link", name="Staff").click()
        page.get_by_label("Group").fill("gardeners")
        page.get_by_label("Program").select_option(office.id)
        page.get_by_role("button", name="Give").click()
        expect(page.get_by_role("table")).to_contain_text("gardeners")
        assert_good(operator)
        page.get_by_role("link", name="Audit").click()
        expect(page.get_by_role("table")).to_contain_text("olga (1003)")
        nora.open("/console/")
        expect(nora.page.get_by_role("heading", level=1)).to_have_text("Overview")


def test_without_the_provider_people_are_told_and_programs_sign_in(
    browser: Browser, hub: RunningHub, provider: IdentityProvider
) -> None:
    operator = an_operator(hub)
    provider.stop()
    try:
        # It was there a moment ago, and that is believed for ten seconds.
        eventually(lambda: hub.client.get("/console/sign-in/begin").status_code == 503, within_s=60)
        with a_visit(browser, hub.url) as visit:
            page = visit.open("/console/sign-in")
            link = page.get_by_role("link", name="Sign in with Campus login")
            expect(link).to_be_visible()
            link.click()
            expect(page.get_by_role("alert")).to_contain_text("at the moment")
            visit.faults.clear()
            sign_in(page, operator)
            expect(page.get_by_role("heading", level=1)).to_have_text("Programs")
            # What was asked for above.
            visit.faults.clear()
    finally:
        provider.start()
