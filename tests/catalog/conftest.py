"""What the tests of the catalogue share: an open catalogue on each kind of database."""

from collections.abc import Iterator

import pytest

from stadthub_catalog import Catalog


@pytest.fixture
def catalog(database_url: str) -> Iterator[Catalog]:
    """An open catalogue with nothing in it."""
    opened = Catalog(database_url)
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def quick_catalog(sqlite_url: str) -> Iterator[Catalog]:
    """The same on SQLite alone, for what doesn't depend on the database."""
    opened = Catalog(sqlite_url)
    opened.migrate()
    yield opened
    opened.close()
