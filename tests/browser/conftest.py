"""One browser and one hub for all tests of a file; each test has a window and programs of its own."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from tests.conftest import BOTH_DATABASES, a_migrated_database
from tests.http import RunningHub, a_running_hub

if TYPE_CHECKING:
    from playwright.sync_api import Browser

collect_ignore_glob = [] if find_spec("playwright") else ["test_*.py"]


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    from tests.browser.visiting import AXE, CHROMIUM, a_browser  # noqa: PLC0415 - where there is none, tests are skipped

    for needed in (CHROMIUM, AXE):
        if not needed.exists():
            pytest.skip(f"There is no {needed}: `make test-all` installs it.")
    with a_browser() as browser:
        yield browser


@pytest.fixture(scope="module", params=BOTH_DATABASES)
def hub(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub in a process of its own, once on each kind of database."""
    with a_migrated_database(request, tmp_path_factory.mktemp("hub")) as url, a_running_hub(url) as hub:
        yield hub
