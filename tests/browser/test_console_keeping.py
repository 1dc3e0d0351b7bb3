"""What is made and changed in the console: templates by programs; programs, their terms and senders by operators."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_console import NUMBER, WINDOW_NAMES, WINDOWS, an_operator, assert_good, at_the_console
from tests.http import RunningHub

EVERY_WINDOW = pytest.mark.parametrize(("size", "scheme"), WINDOWS, ids=WINDOW_NAMES)


@EVERY_WINDOW
def test_a_template_is_made_tried_out_changed_and_retired(
    browser: Browser, hub: RunningHub, size: dict[str, int], scheme: str
) -> None:
    with at_the_console(browser, hub, hub.create_program(), viewport=size, color_scheme=scheme) as visit:
        page = visit.page
        page.get_by_role("link", name="Templates").click()
        page.get_by_role("link", name="Make the first one").click()
        page.get_by_label("Name").fill("no blanks")
        page.get_by_label("Text", exact=True).fill("Hello {{Name}}, see you at {{Time}}.")
        expect(page.locator("#measure")).to_contain_text("To be filled in: Name, Time.")
        page.get_by_role("button", name="Make it").click()
        expect(page.get_by_role("alert")).to_contain_text("A template's name is")
        expect(page.get_by_label("Name")).to_be_focused()
        assert_good(visit)
        # The browser's own word for the answer's status.
        visit.faults.clear()
        page.get_by_label("Name").fill("reminder")
        page.get_by_role("button", name="Make it").click()
        page.get_by_label("Name", exact=True).fill("Ann")
        page.get_by_label("Time", exact=True).fill("10:30")
        page.get_by_role("button", name="Fill it in").click()
        expect(page.get_by_role("status")).to_have_text("Hello Ann, see you at 10:30.")
        assert_good(visit)
        page.get_by_label("Text", exact=True).fill("Hi {{Name}}.")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("table").get_by_role("row")).to_have_count(3)
        page.locator("summary", has_text="Retire").click()
        assert_good(visit)
        page.get_by_role("button", name="Yes, retire it").click()
        expect(page.get_by_role("main")).to_contain_text("There are none so far.")


@EVERY_WINDOW
def test_an_operator_makes_a_program_and_agrees_on_its_terms(
    browser: Browser, hub: RunningHub, size: dict[str, int], scheme: str
) -> None:
    with at_the_console(browser, hub, an_operator(hub), viewport=size, color_scheme=scheme) as visit:
        page = visit.page
        page.get_by_role("link", name="New program").click()
        assert_good(visit)
        page.get_by_label("Name", exact=True).fill(f"Library of {scheme}")
        page.get_by_label("Sender", exact=True).fill("Library")
        page.get_by_label("Pace", exact=True).fill("fast")
        page.get_by_role("button", name="Make it").click()
        expect(page.get_by_role("alert")).to_contain_text("A pace is written as")
        visit.faults.clear()
        page.get_by_label("Pace", exact=True).fill("2/s")
        page.get_by_role("button", name="Make it").click()
        expect(page.get_by_role("status")).to_contain_text("smshub_live_")
        assert_good(visit)
        page.get_by_role("link", name="Change", exact=True).click()
        assert_good(visit)
        page.get_by_label("Time zone").fill("Middle of nowhere")
        page.get_by_label("Segments a day").fill("500")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert")).to_contain_text("A zone is a name")
        expect(page.get_by_label("Segments a day")).to_have_value("500")
        assert_good(visit)
        visit.faults.clear()
        page.get_by_label("Time zone").fill("America/Denver")
        page.get_by_label("Hours").fill("Mo-Sa 09:00-20:00")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("main")).to_contain_text("It may send 500 segments in a day (America/Denver).")
        expect(page.locator("footer")).to_contain_text("America/Denver")
        page.get_by_role("link", name="Audit").click()
        expect(page.get_by_role("main")).to_contain_text("program.created")


def test_an_operator_gives_a_program_a_sender_and_a_pace(browser: Browser, hub: RunningHub) -> None:
    office = hub.an_office()
    with at_the_console(browser, hub, an_operator(hub)) as visit:
        page = visit.open(f"/console/programs/{office.id}/program")
        page.locator("summary", has_text="Add a sender").click()
        page.get_by_label("Sender", exact=True).fill("Second")
        page.get_by_role("button", name="Add it").click()
        page.get_by_role("link", name="Second").click()
        page.get_by_label("Pace").fill("40/min")
        assert_good(visit)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("row", name="Second")).to_contain_text("40/min")
        visit.open(f"/console/programs/{office.id}/program")
        page.locator("summary", has_text="Remove Second").click()
        page.get_by_role("button", name="Yes, remove it").click()
        expect(page.get_by_role("link", name="Second")).to_have_count(0)


def test_a_program_sees_its_keys_and_answers_a_wrong_number_where_it_was_typed(
    browser: Browser, hub: RunningHub
) -> None:
    with at_the_console(browser, hub, hub.create_program()) as visit:
        page = visit.page
        page.get_by_role("link", name="Keys").click()
        expect(page.get_by_role("table")).to_contain_text("smshub_live_")
        expect(page.get_by_role("button", name="Yes, revoke it")).to_have_count(0)
        assert_good(visit)
        page.get_by_role("link", name="Send", exact=True).click()
        page.get_by_label("Text", exact=True).fill("Hello")
        page.get_by_role("button", name="Review").click()
        to = page.get_by_label("To", exact=True)
        expect(to).to_be_focused()
        expect(to).to_have_accessible_description(
            "There is no number to send to. Phone numbers, with commas or lines between; 10,000 at the most."
        )
        assert_good(visit)
        visit.faults.clear()
        to.fill(NUMBER)
        page.get_by_role("button", name="Review").click()
        page.get_by_role("button", name="Send to 1 number").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Message")


def test_what_is_no_page_is_told_on_one(browser: Browser, hub: RunningHub) -> None:
    with at_the_console(browser, hub, hub.create_program()) as visit:
        visit.page.goto(f"{hub.url}/console/nowhere")
        expect(visit.page.get_by_role("heading", level=1)).to_have_text("Not found")
        assert_good(visit)
        visit.faults.clear()
        visit.page.get_by_role("link", name="To the console").click()
        expect(visit.page.get_by_role("heading", level=1)).to_have_text("Overview")
