"""Draws the console for the documentation: `python -m tests.browser.pictures`.

Needs requirements/browser.txt and a Chromium beside the rest.
"""

import asyncio
import tempfile
from pathlib import Path

from sqlalchemy import insert

from adapters.sql.tables import prices
from domain.model.pace import Pace
from domain.model.sender import SenderAddress
from entrypoints.container import Container, close
from entrypoints.settings import Settings
from tests.browser.a_past import fill_in
from tests.browser.test_console import at_the_console
from tests.browser.visiting import a_browser
from tests.conftest import migrate
from tests.http import SIGNING_KEYS, Credentials, a_running_hub

FILE = Path(__file__).parents[2] / "docs" / "pictures" / "console.png"
SIZE = {"width": 1120, "height": 985}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/smshub.db"
        migrate(url)
        clinic = asyncio.run(a_clinic(url))
        with (
            a_browser() as browser,
            a_running_hub(url) as hub,
            at_the_console(browser, hub, clinic, viewport=SIZE, color_scheme="light") as visit,
        ):
            visit.page.screenshot(path=FILE)


async def a_clinic(url: str) -> Credentials:
    """A program that has texted for a month."""
    container = Container(settings=Settings.from_environment(database_url=url, signing_keys=SIGNING_KEYS))
    try:
        await container.clock().synchronise()
        program, key = await container.create_program()(
            name="Weld County Clinic", provider="sandbox", sender=SenderAddress("+19705550100"), pace=Pace.parse("2/s")
        )
        async with container.database().writing() as connection:
            await connection.execute(insert(prices), {"country": "US", "amount": "0.0079", "currency": "USD"})
        await fill_in(container.database(), program.id, program.sender.id)
        return Credentials(program.id, program.sid, key.value)
    finally:
        await close(container)


if __name__ == "__main__":
    main()
