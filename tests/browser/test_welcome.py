"""The welcome page as visitors meet it, with and without script, mouse and sight."""

import re
from itertools import pairwise
from urllib.parse import urldefrag, urljoin

import httpx
import pytest
from playwright.sync_api import Browser, expect

from entrypoints.http.pages.samples import SAMPLES
from tests.browser.visiting import DESKTOP, PHONE, a_visit
from tests.http import RunningHub

MOST_BYTES = 200_000

# Every part and every sample at once.
OPEN_ALL = """() => {
    const style = new CSSStyleSheet();
    style.replaceSync(".tab, .sample { display: block !important; }");
    document.adoptedStyleSheets.push(style);
}"""


def test_visitors_find_what_is_for_them_without_script(browser: Browser, hub: RunningHub) -> None:
    with a_visit(browser, hub.url, java_script_enabled=False) as visit:
        page = visit.open("/")
        users, developers = page.locator("#users"), page.locator("#developers")

        expect(page).to_have_title("Welcome to the SMS Hub")
        expect(users).to_be_visible()
        expect(developers).to_be_hidden()
        page.get_by_role("link", name="Developers", exact=True).click()
        expect(developers).to_be_visible()
        expect(users).to_be_hidden()
        page.get_by_role("link", name="all of them").click()
        expect(page.get_by_role("heading", name="What the outcomes mean")).to_be_in_viewport()
        expect(developers).to_be_hidden()
        page.go_back()
        expect(developers).to_be_visible()
        page.get_by_role("link", name="Users", exact=True).click()
        expect(users).to_be_visible()


def test_one_sample_is_shown_at_a_time_without_script(browser: Browser, hub: RunningHub) -> None:
    with a_visit(browser, hub.url, java_script_enabled=False) as visit:
        page = visit.open("/#developers")
        for sample in SAMPLES:
            page.get_by_text(sample.title, exact=True).locator("visible=true").first.click()

            shown = page.locator(".sample").locator("visible=true")
            expect(shown).to_have_count(1)
            expect(shown.get_by_role("heading")).to_have_text(sample.title)
            expect(shown.locator("code")).to_contain_text(hub.url)


def test_an_address_leads_to_a_sample(browser: Browser, hub: RunningHub) -> None:
    with a_visit(browser, hub.url) as visit:
        page = visit.open("/#php")

        expect(page.locator("#sample-php")).to_be_in_viewport()
        expect(page.get_by_role("radio", name="PHP", exact=True)).to_be_checked()
        expect(page.locator(".sample").locator("visible=true")).to_have_count(1)


def test_a_keyboard_is_enough(browser: Browser, hub: RunningHub) -> None:
    with a_visit(browser, hub.url) as visit:
        page = visit.open("/")

        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Users", exact=True)).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#developers")).to_be_visible()
        expect(page.get_by_role("link", name="Developers", exact=True)).to_have_attribute("aria-current", "true")
        page.get_by_role("radio", name="curl").focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("radio", name="Python")).to_be_focused()
        expect(page.locator("#sample-python")).to_be_visible()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#python").get_by_role("button")).to_have_text("Copied")


def test_what_is_copied_is_what_is_shown(browser: Browser, hub: RunningHub) -> None:
    with a_visit(browser, hub.url, permissions=["clipboard-read", "clipboard-write"]) as visit:
        page = visit.open("/#wordpress")
        block = page.locator("#wordpress .code")
        block.get_by_role("button", name="Copy").click()
        expect(block.get_by_role("button", name="Copied")).to_be_visible()

        shown = page.locator("#sample-wordpress").text_content()
        assert page.evaluate("() => navigator.clipboard.readText()") == shown
        assert httpx.get(f"{hub.url}/samples/wordpress.php").text == shown, "and what is downloaded"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(browser: Browser, hub: RunningHub, size: dict[str, int], scheme: str) -> None:
    with a_visit(browser, hub.url, viewport=size, color_scheme=scheme) as visit:
        page = visit.open("/")
        assert visit.accessibility_faults() == []
        assert not visit.is_wider_than_the_window()

        page.evaluate(OPEN_ALL)
        expect(page.locator("#sample-jquery")).to_be_visible()
        assert visit.accessibility_faults() == []
        assert not visit.is_wider_than_the_window()


def test_headings_make_an_outline(browser: Browser, hub: RunningHub) -> None:
    with a_visit(browser, hub.url) as visit:
        page = visit.open("/")
        levels = [
            int(each[1]) for each in page.locator("h1, h2, h3, h4").evaluate_all("all => all.map(e => e.tagName)")
        ]

    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), "none is left out"


def test_it_is_light_and_all_of_it_comes_from_the_hub(browser: Browser, hub: RunningHub) -> None:
    with a_visit(browser, hub.url) as visit:
        visit.open("/")

        assert set(visit.received) == {
            f"{hub.url}/{path}" for path in ("", "assets/pages.css", "assets/pages.js", "assets/icon.svg")
        }
        assert sum(visit.received.values()) < MOST_BYTES


def test_no_foreign_script_or_style_can_get_into_it(browser: Browser, hub: RunningHub) -> None:
    with a_visit(browser, hub.url) as visit:
        page = visit.open("/")
        page.evaluate(
            """() => {
                document.body.insertAdjacentHTML("beforeend", '<p id="styled" style="color: red">a</p>');
                const script = document.createElement("script");
                script.textContent = "window.foreign = true";
                document.body.append(script);
            }"""
        )

        assert page.evaluate("() => window.foreign") is None
        assert page.evaluate("() => getComputedStyle(document.getElementById('styled')).color") != "rgb(255, 0, 0)"
        assert len(visit.faults) == 2
        assert all("Content Security Policy" in fault for fault in visit.faults)
        visit.faults.clear()


def test_every_link_within_the_hub_leads_somewhere(browser: Browser, hub: RunningHub) -> None:
    with a_visit(browser, hub.url) as visit:
        page = visit.open("/")
        links = page.locator("a").evaluate_all("all => all.map(each => each.getAttribute('href'))")
        named = set(page.locator("[id]").evaluate_all("all => all.map(each => each.id)"))

    leading_out = [link for link in links if re.match(r"[a-z]+:", link)]
    assert all(link.startswith("https://") for link in leading_out)
    for link in set(links) - set(leading_out):
        path, fragment = urldefrag(link)
        assert not fragment or fragment in named, link
        assert not path or httpx.get(urljoin(f"{hub.url}/", path)).status_code == 200, link
