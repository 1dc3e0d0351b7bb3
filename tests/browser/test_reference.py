"""The reference at `/docs`: all of the document, tried out, by keyboard, on a phone, in the dark, by everybody."""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from entrypoints.http.contract import Contract
from tests.browser.visiting import DESKTOP, PHONE, Visit, a_visit
from tests.http import Credentials, RunningHub, a_running_hub

OPERATIONS = Contract.load().operations
WINDOWS = {"desktop": DESKTOP, "phone": PHONE}
OPEN_AT_ONCE = 12
# Each method, with parameters and bodies of each kind.
OF_ALL_KINDS = ("sendTextMessage", "listTextMessages", "importOptOuts", "putLimit", "changeProgram", "deleteProgram")

# For machines that do much else meanwhile.
expect.set_options(timeout=120_000)


@pytest.fixture(scope="module")
def prefixed_hub(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """For what does not depend on the database."""
    database = shutil.copy(migrated_sqlite, tmp_path_factory.mktemp("reference") / "hub.db")
    with a_running_hub(f"sqlite:///{database}", prefix="/cwis463") as hub:
        yield hub


def the_reference(visit: Visit) -> Page:
    page = visit.open("/docs")
    page.locator(".opblock").first.wait_for()
    return page


def operation(page: Page, name: str) -> Locator:
    return page.locator(f".opblock[id$='-{name}']")


def tried_out(page: Page, name: str) -> Locator:
    """The operation, opened and ready to be executed."""
    its = operation(page, name)
    its.locator(".opblock-summary-control").click()
    its.get_by_role("button", name="Try it out").click()
    return its


def executed(its: Locator, status: int) -> Any:  # noqa: ANN401 - JSON
    """What the hub answers to what stands in the operation's fields."""
    its.get_by_role("button", name="Execute").click()
    live = its.locator(".live-responses-table tbody > .response")
    expect(live.locator(".response-col_status")).to_contain_text(str(status))
    return json.loads(live.locator("pre.microlight").first.inner_text())


def with_some_open(page: Page, names: Sequence[str]) -> Iterator[None]:
    """These operations, and whatever can be tried out in them, a few at a time: to check a page takes the longer the
    more is open in it.
    """
    for first in range(0, len(names), OPEN_AT_ONCE):
        some = names[first : first + OPEN_AT_ONCE]
        click_in(page, some, ".opblock-summary-control")
        expect(page.locator(".try-out__btn")).to_have_count(len(some))
        click_in(page, some, ".try-out__btn")
        expect(page.get_by_role("button", name="Execute")).to_have_count(len(some))
        yield
        click_in(page, some, ".opblock-summary-control")
        expect(page.locator(".try-out__btn")).to_have_count(0)


def click_in(page: Page, names: Sequence[str], part: str) -> None:
    """All at once, since the page is made anew after each."""
    parts = ", ".join(f".opblock[id$='-{name}'] {part}" for name in names)
    page.locator(parts).evaluate_all("all => all.forEach(each => each.click())")


def logged_in(page: Page, credentials: Credentials) -> None:
    login = tried_out(page, "logIn")
    login.get_by_label("Request body").fill(json.dumps(credentials.login))
    token = executed(login, 200)
    assert token.count(".") == 2


def test_it_shows_every_operation_and_asks_nobody_but_the_hub(prefixed_hub: RunningHub, browser: Browser) -> None:
    with a_visit(browser, prefixed_hub.url) as visit:
        page = the_reference(visit)

        shown = page.locator(".opblock").evaluate_all("all => all.map(each => each.id.split('-').at(-1))")
        assert sorted(shown) == sorted(OPERATIONS)
        assert all(address.startswith(f"{prefixed_hub.url}/") for address in visit.received)
        links = page.get_by_role("navigation", name="This hub").get_by_role("link")
        targets = links.evaluate_all("all => all.map(each => each.href)")
        assert targets == [f"{prefixed_hub.url}/", f"{prefixed_hub.url}/openapi.json"]


def test_a_text_is_sent_and_read_by_who_has_logged_in(hub: RunningHub, browser: Browser) -> None:
    with a_visit(browser, hub.url) as visit:
        page = the_reference(visit)
        logged_in(page, hub.create_program())

        sent = executed(tried_out(page, "sendTextMessage"), 200)
        read = tried_out(page, "getTextMessage")
        read.get_by_label("Id", exact=True).fill(sent["Id"])
        found = executed(read, 200)

        assert found["Id"] == sent["Id"]
        assert found["PhoneNumber"] == "+19706904544"
        assert executed(tried_out(page, "listTextMessages"), 200)["Items"][0]["Id"] == sent["Id"]


def test_what_may_be_left_out_is_left_out_until_somebody_writes_it(prefixed_hub: RunningHub, browser: Browser) -> None:
    with a_visit(browser, prefixed_hub.url) as visit:
        sending = tried_out(the_reference(visit), "sendTextMessage")

        expect(sending.get_by_label("Idempotency-Key")).to_have_value("")
        expect(sending.locator("[data-param-name=Prefer]")).to_contain_text("For example handling=lenient.")
        for name in ("To one number", "To many numbers", "As clients of the first hub send it"):
            sending.get_by_label("Example").first.select_option(name)
            assert json.loads(sending.get_by_label("Request body").input_value())["Message"]


def test_a_token_can_be_given_by_hand(prefixed_hub: RunningHub, browser: Browser) -> None:
    office = prefixed_hub.an_office()
    with a_visit(browser, prefixed_hub.url) as visit:
        page = the_reference(visit)
        page.get_by_role("button", name="Authorize").first.click()
        dialog = page.locator(".dialog-ux")
        assert visit.accessibility_faults() == []
        dialog.locator("input").first.fill(office.token)
        dialog.get_by_role("button", name="Authorize").first.click()
        dialog.get_by_role("button", name="Close").first.click()

        assert executed(tried_out(page, "listTextMessages"), 200) == {"Items": [], "NextCursor": None}


def test_the_keyboard_reaches_and_opens_an_operation(prefixed_hub: RunningHub, browser: Browser) -> None:
    with a_visit(browser, prefixed_hub.url) as visit:
        page = the_reference(visit)
        summary = operation(page, "sendTextMessage").locator(".opblock-summary-control")
        for _ in range(30):
            page.keyboard.press("Tab")
            if summary.evaluate("each => each === document.activeElement"):
                break
        assert summary.evaluate("each => getComputedStyle(each).outlineStyle") == "solid", "one sees where one is"
        page.keyboard.press("Enter")

        expect(summary).to_have_attribute("aria-expanded", "true")
        expect(page).to_have_url(re.compile("#/.*/sendTextMessage$"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("window", WINDOWS)
def test_everybody_can_read_it_and_nothing_is_wider_than_the_window(
    prefixed_hub: RunningHub, browser: Browser, window: str, scheme: str
) -> None:
    with a_visit(browser, prefixed_hub.url, viewport=WINDOWS[window], color_scheme=scheme) as visit:
        page = the_reference(visit)
        assert visit.accessibility_faults() == []
        assert not visit.is_wider_than_the_window()
        dark = page.evaluate("() => getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
        assert dark is (scheme == "dark")

        all_of_it = (window, scheme) == ("desktop", "light")
        for _ in with_some_open(page, sorted(OPERATIONS) if all_of_it else OF_ALL_KINDS):
            assert visit.accessibility_faults() == []
            assert not visit.is_wider_than_the_window()


def test_without_javascript_it_leads_to_the_document_and_the_welcome(
    prefixed_hub: RunningHub, browser: Browser
) -> None:
    with a_visit(browser, prefixed_hub.url, java_script_enabled=False) as visit:
        page = visit.open("/docs")

        links = page.locator("noscript a").evaluate_all("all => all.map(each => each.href)")
        assert links == [f"{prefixed_hub.url}/openapi.json", f"{prefixed_hub.url}/"]
