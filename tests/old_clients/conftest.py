"""Programs that came from the first hub."""

from importlib.util import find_spec
from uuid import uuid4

import pytest

from tests.browser.conftest import browser  # noqa: F401 - a fixture
from tests.harmful_proxy import ProxiedHub
from tests.http import Credentials

collect_ignore = [] if find_spec("playwright") else ["test_page.py"]


@pytest.fixture
def hub(hub_of_the_file: ProxiedHub) -> ProxiedHub:
    """Nobody has called it."""
    hub_of_the_file.proxy.forget()
    return hub_of_the_file


@pytest.fixture
def program(hub: ProxiedHub) -> Credentials:
    """With the ids that it had there, and a key that somebody thought of."""
    credentials = Credentials(str(uuid4()).upper(), f"AC{uuid4().hex}", 'Xk2+/w==&y%41 é"')
    return hub.running.create_program(first_hub=credentials)
