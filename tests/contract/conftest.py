from collections.abc import AsyncIterator

import pytest

from adapters.sql.database import Database
from tests.builders import Store
from tests.receiver import Receiver, a_receiver


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    """Everything that the hub keeps in a database, once on each kind."""
    store = Store.on(database)
    yield store
    # What a caller has given up is stored all the same.
    await store.intake.drained()
    await store.callbacks.drained()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Whom providers' stand-ins call."""
    async with a_receiver() as receiver:
        yield receiver
