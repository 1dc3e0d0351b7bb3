"""The console as office staff meet it: by mouse and keyboard, on a phone, in the dark, and without script."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from domain.model.access import Scope
from domain.model.program_key import KeyTerms
from domain.model.sender import SenderAddress
from entrypoints.container import Container, close
from entrypoints.settings import Settings
from tests.browser.visiting import DESKTOP, PHONE, Visit, a_visit
from tests.http import SIGNING_KEYS, Credentials, Office, RunningHub
from tests.loops import run
from tests.patience import PATIENCE_S

NUMBER = "+19706904544"

WINDOWS = [(DESKTOP, "light"), (PHONE, "dark")]
WINDOW_NAMES = ["desktop", "phone"]

# For machines that do much else meanwhile.
expect.set_options(timeout=120_000)


def sign_in(page: Page, credentials: Credentials) -> None:
    page.get_by_label("ProgramSID").fill(credentials.sid)
    page.get_by_label("ProgramKey").fill(credentials.key)
    page.get_by_role("button", name="Sign in").click()


@contextmanager
def at_the_console(
    browser: Browser,
    hub: RunningHub,
    credentials: Credentials,
    **options: Any,  # noqa: ANN401 - those of a browser's context
) -> Iterator[Visit]:
    with a_visit(browser, hub.url, **options) as visit:
        sign_in(visit.open("/console/sign-in"), credentials)
        expect(visit.page.get_by_role("button", name="Sign out")).to_be_visible()
        yield visit


def an_operator(hub: RunningHub) -> Credentials:
    async def create() -> Credentials:
        container = Container(
            settings=Settings.from_environment(database_url=hub.database_url, signing_keys=SIGNING_KEYS)
        )
        try:
            await container.clock().synchronise()
            program, key = await container.create_program()(
                name="Service desk",
                provider="sandbox",
                sender=SenderAddress("Operators"),
                key_terms=KeyTerms(scopes=frozenset({Scope.OPERATOR})),
            )
            return Credentials(program.id, program.sid, key.value)
        finally:
            await close(container)

    return run(create())


def send(hub: RunningHub, office: Office, text: str, *numbers: str) -> str:
    body = {"Message": text, "PhoneNumber": ",".join(numbers or (NUMBER,))}
    response = hub.client.post("/api/TextMessages", json=body, headers=office.headers)
    assert response.status_code == 200, response.text
    return str(response.json()["Id"])


def outcome(hub: RunningHub, office: Office, message_id: str) -> None:
    """Waits for it."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        text = hub.client.get(f"/api/TextMessages/{message_id}", headers=office.headers).json()
        if text["Status"] not in {"queued", "sending", "sent"}:
            return
        time.sleep(0.2)
    raise AssertionError("It comes to no end.")


def assert_good(visit: Visit) -> None:
    assert visit.accessibility_faults() == []
    assert not visit.is_wider_than_the_window()


@pytest.mark.parametrize(("size", "scheme"), WINDOWS, ids=WINDOW_NAMES)
@pytest.mark.parametrize("options", [{}, {"java_script_enabled": False}], ids=["script", "no script"])
def test_staff_see_how_it_goes_and_what_became_of_each_text(
    browser: Browser, hub: RunningHub, size: dict[str, int], scheme: str, options: dict[str, bool]
) -> None:
    office = hub.an_office()
    outcome(hub, office, send(hub, office, "Your appointment is at 10:30."))
    with at_the_console(browser, hub, office.credentials, viewport=size, color_scheme=scheme, **options) as visit:
        page = visit.page
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        expect(page.locator(".figures")).to_contain_text(re.compile(r"Delivered\s*1"))
        expect(page.get_by_role("img", name="Texts by day")).to_be_visible()
        if not options:
            assert_good(visit)
        page.get_by_role("link", name="Messages").click()
        expect(page.get_by_role("table")).to_contain_text("Delivered")
        if not options:
            assert_good(visit)
        page.get_by_role("link", name="Your appointment").click()
        expect(page.locator(".histories")).to_contain_text("It arrived.")
        if not options:
            assert_good(visit)


def test_a_message_keeps_itself_up_to_date_while_it_goes_out(browser: Browser, hub: RunningHub) -> None:
    office = hub.an_office()
    with at_the_console(browser, hub, office.credentials) as visit:
        message_id = send(hub, office, "Hello", *(f"+1970690454{digit}" for digit in range(4)))
        page = visit.open(f"/console/messages/{message_id}")
        expect(page.get_by_text(re.compile("[0-3] of 4 are through"))).to_be_visible()
        expect(page.get_by_text("4 of 4 are through")).to_be_visible()


def test_the_keyboard_alone_signs_in_and_out(browser: Browser, hub: RunningHub) -> None:
    credentials = hub.create_program()
    with a_visit(browser, hub.url) as visit:
        page = visit.open("/console/messages")
        page.get_by_label("ProgramSID").focus()
        page.keyboard.type(credentials.sid)
        page.keyboard.press("Tab")
        page.keyboard.type(credentials.key)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Messages")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="To the content")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        page.go_back()
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_wrong_credentials_are_told_in_words(browser: Browser, hub: RunningHub) -> None:
    with a_visit(browser, hub.url) as visit:
        page = visit.open("/console/sign-in")
        assert_good(visit)
        sign_in(page, Credentials("", "nobody", "wrong"))
        expect(page.get_by_role("alert")).to_contain_text("do not belong together")
        assert_good(visit)
        # The browser's own word for the answer's status.
        visit.faults.clear()


def test_what_was_sent_as_script_does_not_run(browser: Browser, hub: RunningHub) -> None:
    office = hub.an_office()
    text = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
    message_id = send(hub, office, text)
    with at_the_console(browser, hub, office.credentials) as visit:
        for path in ("/console/messages", f"/console/messages/{message_id}"):
            page = visit.open(path)
            expect(page.get_by_text("document.title").first).to_be_visible()
            expect(page).not_to_have_title("run")


@pytest.mark.parametrize(("size", "scheme"), WINDOWS, ids=WINDOW_NAMES)
@pytest.mark.parametrize("options", [{}, {"java_script_enabled": False}], ids=["script", "no script"])
def test_staff_send_a_text_to_a_list_and_see_it_go_out(
    browser: Browser, hub: RunningHub, size: dict[str, int], scheme: str, options: dict[str, bool]
) -> None:
    office = hub.an_office()
    opted_out = "+19706904545"
    hub.client.post(
        "/api/Subscribers", json={"PhoneNumber": opted_out, "DoNotText": True}, headers=office.headers
    ).raise_for_status()
    with at_the_console(browser, hub, office.credentials, viewport=size, color_scheme=scheme, **options) as visit:
        page = visit.page
        page.get_by_role("link", name="Send", exact=True).click()
        page.get_by_label("Text", exact=True).fill("The office is closed today.")
        page.get_by_label("To", exact=True).fill(f"(970) 690-4544\n{opted_out}\n970-690")
        page.get_by_label("And from a file").set_input_files(
            {"name": "list.csv", "mimeType": "text/csv", "buffer": b"Name,Phone Number\nAnn,970.690.4546\n"}
        )
        if not options:
            assert_good(visit)
        page.get_by_role("button", name="Review").click()
        expect(page.get_by_role("main")).to_contain_text("Number 3 is too short.")
        expect(page.get_by_role("main")).to_contain_text("1 that opted out")
        if not options:
            assert_good(visit)
        page.get_by_role("button", name="Send to 2 numbers").click()
        expect(page.locator(".histories > li")).to_have_count(3)
        if not options:
            assert_good(visit)
        if not options:
            expect(page.get_by_text("3 of 3 are through")).to_be_visible()


def test_the_length_is_counted_while_somebody_writes(browser: Browser, hub: RunningHub) -> None:
    with at_the_console(browser, hub, hub.create_program()) as visit:
        page = visit.open("/console/send")
        measure = page.locator("#measure")
        text = page.get_by_label("Text", exact=True)
        text.fill("a" * 161)
        expect(measure).to_contain_text("161 characters, 2 segments; 145 more fit into the last one.")
        text.fill("Don\u2019t come")
        expect(measure).to_contain_text("These characters leave room for 70")
        expect(measure).to_contain_text("' would do")
        assert_good(visit)


def test_a_template_is_picked_and_filled(browser: Browser, hub: RunningHub) -> None:
    office = hub.an_office()
    template = {"Name": "reminder", "Message": "Hello {{Name}}, see you at {{Time}}."}
    hub.client.post("/api/Templates", json=template, headers=office.headers).raise_for_status()
    with at_the_console(browser, hub, office.credentials) as visit:
        page = visit.page
        page.get_by_role("link", name="Templates").click()
        assert_good(visit)
        page.get_by_role("link", name="Send a text from reminder").click()
        page.get_by_label("Name").fill("Ann")
        page.get_by_label("Time").fill("10:30")
        page.get_by_label("To", exact=True).fill(NUMBER)
        expect(page.locator("#measure")).to_contain_text("1 segment")
        assert_good(visit)
        page.get_by_role("button", name="Review").click()
        expect(page.get_by_role("main")).to_contain_text("Hello Ann, see you at 10:30.")
        page.get_by_role("button", name="Change").click()
        expect(page.get_by_label("Name")).to_have_value("Ann")
        page.get_by_role("button", name="Review").click()
        page.get_by_role("button", name="Send to 1 number").click()
        expect(page.get_by_role("main")).to_contain_text("Hello Ann, see you at 10:30.")


@pytest.mark.parametrize(("size", "scheme"), WINDOWS, ids=WINDOW_NAMES)
def test_staff_keep_the_list_of_those_who_want_no_texts(
    browser: Browser, hub: RunningHub, size: dict[str, int], scheme: str
) -> None:
    with at_the_console(browser, hub, hub.create_program(), viewport=size, color_scheme=scheme) as visit:
        page = visit.page
        page.get_by_role("link", name="Opt-outs").click()
        page.get_by_label("Their phone number").fill("(970) 690-4544")
        page.get_by_label("In their words").fill("<b>please</b> stop")
        page.get_by_role("button", name="Opt out").click()
        expect(page.get_by_role("status")).to_have_text("+19706904544 gets no more texts from you.")
        expect(page.get_by_text("<b>please</b> stop")).to_be_visible()
        page.get_by_label("CSV file").set_input_files(
            {"name": "list.csv", "mimeType": "text/csv", "buffer": b"PhoneNumber\n+19706904545\n123\n"}
        )
        page.get_by_role("button", name="Import").click()
        expect(page.get_by_role("status")).to_have_text("1 added, 0 were there already.")
        expect(page.get_by_text("Line 3 is too short.")).to_be_visible()
        assert_good(visit)
        page.get_by_role("button", name="Lift that of +19706904544").click()
        expect(page.get_by_role("status")).to_have_text("+19706904544 may be texted again.")
        with page.expect_download() as download:
            page.get_by_role("link", name="Download as CSV").click()
        assert "+19706904545" in download.value.path().read_text()


@pytest.mark.parametrize(("size", "scheme"), WINDOWS, ids=WINDOW_NAMES)
def test_operators_look_at_every_program_and_stop_what_goes_wrong(
    browser: Browser, hub: RunningHub, size: dict[str, int], scheme: str
) -> None:
    office = hub.an_office()
    outcome(hub, office, send(hub, office, "Hello"))
    with at_the_console(browser, hub, an_operator(hub), viewport=size, color_scheme=scheme) as visit:
        page = visit.page
        expect(page.get_by_role("heading", level=1)).to_have_text("Programs")
        assert_good(visit)
        visit.open(f"/console/programs/{office.id}/program")
        assert_good(visit)
        page.get_by_label("Name of a new key").fill("The new one")
        page.get_by_role("button", name="Issue").click()
        expect(page.get_by_role("status")).to_contain_text("smshub_live_")
        page.locator("summary", has_text="Revoke").first.click()
        assert_good(visit)
        page.get_by_role("button", name="Yes, revoke it").first.click()
        expect(page.get_by_role("main")).to_contain_text("Revoked")
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_text("It is paused")).to_be_visible()
        page.get_by_role("button", name="Resume").click()
        page.get_by_role("link", name="Messages").click()
        expect(page.get_by_role("table")).to_contain_text("Delivered")
        page.get_by_role("link", name="Senders").click()
        assert_good(visit)
        page.get_by_role("link", name="Audit").click()
        expect(page.get_by_role("main")).to_contain_text("program.paused")
        expect(page.get_by_role("main")).to_contain_text("key.revoked")
        assert_good(visit)


def test_the_senders_page_keeps_itself_up_to_date(browser: Browser, hub: RunningHub) -> None:
    hub.create_program()
    operator = an_operator(hub)
    with at_the_console(browser, hub, operator) as one, at_the_console(browser, hub, operator) as other:
        watched, acting = one.open("/console/senders"), other.open("/console/senders")
        button = acting.get_by_role("button", name=re.compile(r"Pause \+1")).first
        name = button.inner_text().removeprefix("Pause").strip()
        button.click()
        expect(watched.get_by_role("button", name=f"Resume {name}")).to_be_visible()
        acting.get_by_role("button", name=f"Resume {name}").click()
        expect(watched.get_by_role("button", name=f"Pause {name}")).to_be_visible()
