"""A page for the first hub, with jQuery and on another origin, goes on working."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Page

from tests.browser.visiting import a_visit
from tests.harmful_proxy import LOGIN, SUBSCRIBERS, TEXTS, Harm, ProxiedHub
from tests.http import Credentials
from tests.other_pages import OtherSite

PAGE = Path(__file__).with_name("page.html")


@contextmanager
def the_page(browser: Browser, site: OtherSite, hub: ProxiedHub, program: Credentials) -> Iterator[Page]:
    """Logged in. The browser's own word on answers that are no success is no fault of the page."""
    settings = {
        "hub": hub.proxy.public_url,
        "programId": program.program_id,
        "sid": program.sid,
        "key": program.key,
    }
    site.publish_jquery()
    site.publish(PAGE.name, PAGE.read_text(encoding="utf-8"))
    with a_visit(browser, site.url, asks=hub.proxy.url) as visit:
        page = visit.open(f"/{PAGE.name}#{quote(json.dumps(settings))}")
        until_it_says(page, "Logged in")
        yield page
        visit.faults[:] = [fault for fault in visit.faults if "Failed to load resource" not in fault]


def until_it_says(page: Page, line: str) -> None:
    page.get_by_role("listitem").get_by_text(line, exact=True).wait_for(timeout=120_000)


def test_it_sends_and_opts_out(browser: Browser, site: OtherSite, hub: ProxiedHub, program: Credentials) -> None:
    with the_page(browser, site, hub, program) as page:
        page.get_by_role("button", name="Send to all").click()
        until_it_says(page, "Accepted for 3 numbers.")
        page.get_by_role("button", name="Stop texts").click()
        until_it_says(page, "Opted out")
        page.get_by_role("button", name="Send to all").click()
        until_it_says(page, "Accepted for 2 numbers. 1 number opted out and will not be texted.")

    # The browser asks first where a page posts JSON, and not where it posts a form.
    assert [call.path for call in hub.proxy.calls if call.method == "OPTIONS"] == [TEXTS, SUBSCRIBERS]
    second, first = hub.texts_of(program)
    assert first["PhoneNumber"] == second["PhoneNumber"] == "+19706904544,+19706904545,+19706904546"
    assert second["Counts"]["blocked"] == 1


def test_it_logs_in_again_when_its_token_has_expired(
    browser: Browser, site: OtherSite, hub: ProxiedHub, program: Credentials
) -> None:
    hub.proxy.harms.append(Harm.EXPIRED_TOKEN)
    with the_page(browser, site, hub, program) as page:
        page.get_by_role("button", name="Send to all").click()
        until_it_says(page, "Accepted for 3 numbers.")

    assert len(hub.texts_of(program)) == 1
    assert hub.proxy.statuses(TEXTS) == [401, 200]
    assert hub.proxy.statuses(LOGIN) == [200, 200]
