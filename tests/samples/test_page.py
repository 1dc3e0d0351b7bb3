"""The sample that is a page of another origin, in a browser, exactly as it is shown."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.visiting import a_visit
from tests.harmful_proxy import LOGIN, TEXTS, Harm, ProxiedHub
from tests.http import Credentials
from tests.other_pages import OtherSite
from tests.samples.shown import FILES, shown

NUMBER = "(970) 690-4544"
MESSAGE = 'Grüße: "Room 5" costs $1 & <more>\nCome in.'
SENT = re.compile(r"[0-9a-f-]{36} is (queued|sending|sent|delivered)\. \w")


@contextmanager
def the_page(browser: Browser, site: OtherSite, hub: ProxiedHub, program: Credentials) -> Iterator[Page]:
    """With the credentials typed in. The browser's own word on answers that are no success is no fault of the page."""
    name = FILES["jquery"]
    site.publish_jquery()
    site.publish(name, shown(hub.running, "jquery"))
    with a_visit(browser, site.url, asks=hub.proxy.url) as visit:
        page = visit.open(f"/{name}")
        page.get_by_label("Program SID").fill(program.sid)
        page.get_by_label("Program key").fill(program.key)
        yield page
        visit.faults[:] = [fault for fault in visit.faults if "Failed to load resource" not in fault]


def send(page: Page, number: str, message: str) -> None:
    page.get_by_label("Number").fill(number)
    page.get_by_label("Text").fill(message)
    page.get_by_role("button", name="Send").click()


def until_it_says(page: Page, said: str | re.Pattern[str]) -> None:
    page.get_by_role("status").filter(has_text=said).wait_for(timeout=120_000)


def assert_sent_once(hub: ProxiedHub, program: Credentials) -> None:
    (text,) = hub.texts_of(program)
    assert (text["PhoneNumber"], text["Message"]) == ("+19706904544", MESSAGE)


def test_it_sends_a_text(browser: Browser, site: OtherSite, hub: ProxiedHub) -> None:
    program = hub.running.create_program()
    with the_page(browser, site, hub, program) as page:
        send(page, NUMBER, MESSAGE)
        until_it_says(page, SENT)

    assert_sent_once(hub, program)


def test_it_keeps_its_token_from_text_to_text(browser: Browser, site: OtherSite, hub: ProxiedHub) -> None:
    program = hub.running.create_program()
    with the_page(browser, site, hub, program) as page:
        for message in ("One", "Two"):
            send(page, NUMBER, message)
            until_it_says(page, SENT)
            page.get_by_role("status").evaluate("output => output.textContent = ''")

    assert [text["Message"] for text in hub.texts_of(program)] == ["Two", "One"]
    assert hub.proxy.statuses(LOGIN) == [200]


def test_it_logs_in_again_when_its_token_has_expired(browser: Browser, site: OtherSite, hub: ProxiedHub) -> None:
    program = hub.running.create_program()
    hub.proxy.harms.append(Harm.EXPIRED_TOKEN)
    with the_page(browser, site, hub, program) as page:
        send(page, NUMBER, MESSAGE)
        until_it_says(page, SENT)

    assert_sent_once(hub, program)
    assert hub.proxy.statuses(TEXTS) == [401, 200]


def test_who_presses_send_twice_sends_once(browser: Browser, site: OtherSite, hub: ProxiedHub) -> None:
    program = hub.running.create_program()
    with the_page(browser, site, hub, program) as page:
        send(page, NUMBER, MESSAGE)
        page.get_by_role("button", name="Send").click()
        until_it_says(page, SENT)
        page.wait_for_load_state("networkidle")

    assert_sent_once(hub, program)
    assert len(hub.proxy.statuses(TEXTS)) == 2


def test_a_text_whose_answer_was_lost_is_sent_once(browser: Browser, site: OtherSite, hub: ProxiedHub) -> None:
    program = hub.running.create_program()
    # Browsers themselves repeat a call on a new connection where one that they had kept was cut.
    hub.proxy.harms.extend([Harm.LOST_ANSWER] * 10)
    with the_page(browser, site, hub, program) as page:
        send(page, NUMBER, MESSAGE)
        until_it_says(page, "There was no answer. Press Send again.")
        hub.proxy.harms.clear()
        page.get_by_role("button", name="Send").click()
        until_it_says(page, SENT)

    assert_sent_once(hub, program)
    assert len(hub.proxy.statuses(TEXTS)) >= 2


@pytest.mark.parametrize(
    ("number", "key", "said"),
    [
        (NUMBER, "wrong", "credentials-refused: ProgramSID and ProgramKey do not belong together."),
        ("970-690", None, "recipients-refused: 1 of the numbers cannot be texted."),
    ],
)
def test_it_says_in_the_hubs_words_what_was_refused(
    browser: Browser, site: OtherSite, hub: ProxiedHub, number: str, key: str | None, said: str
) -> None:
    program = hub.running.create_program()
    with the_page(browser, site, hub, replace(program, key=key or program.key)) as page:
        send(page, number, MESSAGE)
        until_it_says(page, said)

    assert hub.texts_of(program) == []
