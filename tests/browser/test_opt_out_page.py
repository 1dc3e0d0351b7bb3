"""A program's public page in a browser, without script."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.visiting import DESKTOP, PHONE, a_visit
from tests.http import RunningHub


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_a_visitor_opts_out_with_the_keyboard_alone(
    browser: Browser, hub: RunningHub, size: dict[str, int], scheme: str
) -> None:
    program = hub.create_program()
    with a_visit(browser, hub.url, viewport=size, color_scheme=scheme) as visit:
        page = visit.open(f"/opt-out/{program.program_id}")
        assert visit.accessibility_faults() == []
        assert not visit.is_wider_than_the_window()

        page.keyboard.press("Tab")
        expect(page.get_by_label("Your phone number")).to_be_focused()
        page.keyboard.type("(970) 690-4544")
        page.keyboard.press("Enter")

        expect(page.get_by_role("status")).to_contain_text("It is done.")
        assert visit.accessibility_faults() == []


def test_what_is_no_number_is_told(browser: Browser, hub: RunningHub) -> None:
    program = hub.create_program()
    with a_visit(browser, hub.url) as visit:
        page = visit.open(f"/opt-out/{program.program_id}")
        page.get_by_label("Your phone number").fill("970-690")
        page.get_by_role("button", name="No more texts").click()

        expect(page.get_by_role("alert")).to_contain_text("This number is too short.")
        assert visit.accessibility_faults() == []
        # The browser's own word for the answer's status.
        visit.faults.clear()
