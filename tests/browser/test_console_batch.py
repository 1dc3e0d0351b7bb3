"""A batch as large as one can be, which staff watch while it goes out."""

import re
import time
from collections.abc import Iterator

from playwright.sync_api import Browser, Page, expect

from domain.model.pace import Pace
from domain.model.sender import SenderAddress
from entrypoints.container import Container, close
from entrypoints.settings import Settings
from tests.browser.test_console import at_the_console
from tests.http import SIGNING_KEYS, Credentials, RunningHub
from tests.loops import run

RECIPIENTS = 10_000
WITHIN_S = 600


def a_program_at(hub: RunningHub, pace: str, sender: str) -> Credentials:
    async def create() -> Credentials:
        container = Container(
            settings=Settings.from_environment(database_url=hub.database_url, signing_keys=SIGNING_KEYS)
        )
        try:
            await container.clock().synchronise()
            program, key = await container.create_program()(
                name="Water department", provider="sandbox", sender=SenderAddress(sender), pace=Pace.parse(pace)
            )
            return Credentials(program.id, program.sid, key.value)
        finally:
            await close(container)

    return run(create())


def send_to_all(page: Page) -> None:
    numbers = "\n".join(f"+1970555{index:04}" for index in range(RECIPIENTS))
    page.get_by_role("link", name="Send", exact=True).click()
    page.get_by_label("Text", exact=True).fill("Boil your water until Friday.")
    page.get_by_label("And from a file").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": f"PhoneNumber\n{numbers}\n".encode()}
    )
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_role("main")).to_contain_text("Through by")
    page.get_by_role("button", name="Send to 10,000 numbers").click()


def through(page: Page) -> Iterator[int]:
    """How many are, as the page says, until all of them are."""
    deadline, count = time.monotonic() + WITHIN_S, 0
    while count < RECIPIENTS:
        assert time.monotonic() < deadline, f"{count} are through"
        count = int(page.locator("#progress label").inner_text().split(" ")[0].replace(",", ""))
        yield count
        page.wait_for_timeout(200)


def test_the_numbers_move_and_other_pages_answer_meanwhile(browser: Browser, hub: RunningHub) -> None:
    office = a_program_at(hub, "800/s", "+19705550911")
    with at_the_console(browser, hub, office) as visit, at_the_console(browser, hub, office) as other:
        send_to_all(visit.page)
        counts, answered = [], 0
        for count in through(visit.page):
            counts.append(count)
            if count < RECIPIENTS and len(counts) % 5 == 1:
                other.open("/console/overview" if answered % 2 else "/console/messages")
                answered += 1
        expect(visit.page.locator(".counts")).to_contain_text(re.compile(r"Delivered\s*[1-9]"))

    assert counts == sorted(counts)
    assert len(set(counts)) > 3
    assert answered > 1


def test_a_batch_is_canceled_half_way(browser: Browser, hub: RunningHub) -> None:
    with at_the_console(browser, hub, a_program_at(hub, "100/s", "+19705550912")) as visit:
        page = visit.page
        send_to_all(page)
        next(count for count in through(page) if count)
        page.locator("summary", has_text="Cancel").click()
        page.get_by_role("button", name="Yes, cancel it").click()
        expect(page.get_by_text("10,000 of 10,000 are through")).to_be_visible()
        expect(page.locator("[data-again]")).to_have_count(0)
        page.reload()
        shown = page.locator(".counts").inner_text()

    counts = {
        each["state"]: int(each["count"].replace(",", ""))
        for each in re.finditer(r"(?P<state>Canceled|Delivered|Sent)\s*(?P<count>[\d,]+)", shown)
    }
    assert counts["Canceled"] > 0
    assert counts["Canceled"] < RECIPIENTS
    assert sum(counts.values()) == RECIPIENTS
