"""Programs that came from the first hub."""

from collections.abc import Iterator
from importlib.util import find_spec
from uuid import uuid4

import pytest

from tests.browser.conftest import browser  # noqa: F401 - a fixture
from tests.conftest import BOTH_DATABASES, a_migrated_database
from tests.harmful_proxy import ProxiedHub, a_proxied_hub
from tests.http import Credentials
from tests.other_pages import OtherSite, an_other_site

collect_ignore = [] if find_spec("playwright") else ["test_page.py"]


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherSite]:
    with an_other_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="package", params=BOTH_DATABASES)
def shared_hub(
    request: pytest.FixtureRequest, site: OtherSite, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ProxiedHub]:
    """One that pages of the site may call, where the first hub was: once on each kind of database."""
    with (
        a_migrated_database(request, tmp_path_factory.mktemp("hub")) as url,
        a_proxied_hub(url, prefix="/cwis463", cors_origins=site.url) as hub,
    ):
        yield hub


@pytest.fixture
def hub(shared_hub: ProxiedHub) -> ProxiedHub:
    """As if nobody had called it yet."""
    shared_hub.proxy.forget()
    return shared_hub


@pytest.fixture
def program(hub: ProxiedHub) -> Credentials:
    """With the ids that it had there, and a key that somebody thought of."""
    credentials = Credentials(str(uuid4()).upper(), f"AC{uuid4().hex}", 'Xk2+/w==&y%41 é"')
    return hub.running.create_program(first_hub=credentials)
