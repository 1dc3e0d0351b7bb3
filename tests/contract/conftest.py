import pytest

from adapters.sql.database import Database
from tests.builders import Store


@pytest.fixture
def store(database: Database) -> Store:
    """Everything that the hub keeps in a database, once on each kind."""
    return Store.on(database)
