"""Hubs that many tests share: each test has programs of its own in them."""

import shutil
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conftest import BOTH_DATABASES, PostgresServer
from tests.http import OFFICE_PAGES, PUBLIC_URL, Hub, RunningHub, a_hub, a_running_hub

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Lets each module's tests run in one event loop, in which the hubs that they share live."""
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest.fixture(scope="module", params=BOTH_DATABASES)
def shared_database_url(
    request: pytest.FixtureRequest, migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A migrated database for a whole module, once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path_factory.mktemp('shared') / 'hub.db')}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database(template=request.getfixturevalue("migrated_postgres")) as url:
        yield url


@pytest.fixture(scope="package")
def running_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A process on SQLite that trusts no proxy."""
    file = tmp_path_factory.mktemp("running") / "hub.db"
    with a_running_hub(f"sqlite:///{file}", cors_origins=OFFICE_PAGES) as hub:
        yield hub


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def a_hub_of_each_kind(shared_database_url: str) -> AsyncIterator[Hub]:
    """On SQLite without a prefix, on PostgreSQL under the first hub's."""
    prefix = "" if shared_database_url.startswith("sqlite") else "/cwis463"
    async with a_hub(shared_database_url, public_url=f"{PUBLIC_URL}{prefix}", cors_origins=OFFICE_PAGES) as hub:
        yield hub


@pytest.fixture(scope="module")
def hub(a_hub_of_each_kind: Hub) -> Hub:
    return a_hub_of_each_kind
