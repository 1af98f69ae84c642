"""The audit chain: whole, or it says where it is broken."""

import subprocess
import sys

import pytest
from sqlalchemy import delete, update

from stadthub_catalog import Catalog
from stadthub_catalog.tables import audit
from stadthub_schemas.errors import StorageError

APPEND = (
    "import sys; from stadthub_catalog import Catalog; c = Catalog(sys.argv[1]); [c.record('p', 'w', str(n)) for n in range(25)]; c.close()"
)


@pytest.fixture
def told(catalog: Catalog) -> Catalog:
    """A catalogue with five audit entries."""
    for number in range(5):
        catalog.record("ana", "token.create", f"token {number}", {"rolle": "Prüfer", "b": 1, "a": [number]})
    return catalog


def test_a_whole_chain_is_counted(told: Catalog) -> None:
    assert told.verify_audit() == 5


def test_an_empty_chain_is_whole(catalog: Catalog) -> None:
    assert catalog.verify_audit() == 0


@pytest.mark.parametrize("column", ["who", "what", "on", "details", "time", "previous", "digest"])
def test_a_changed_entry_is_named(told: Catalog, column: str) -> None:
    with told.database.keeping() as connection:
        connection.execute(update(audit).where(audit.c.number == 3).values({column: "x"}))
    with pytest.raises(StorageError, match="audit entry 3 is not as it was written"):
        told.verify_audit()


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_missing_entry_is_named_even_the_last(told: Catalog, number: int) -> None:
    with told.database.keeping() as connection:
        connection.execute(delete(audit).where(audit.c.number == number))
    with pytest.raises(StorageError, match=f"audit entry {number} is missing"):
        told.verify_audit()


def test_two_processes_do_not_fork_the_chain(catalog: Catalog, database_url: str) -> None:
    running = [subprocess.Popen([sys.executable, "-W", "error", "-c", APPEND, database_url]) for _ in range(2)]
    assert [one.wait(timeout=120) for one in running] == [0, 0]
    assert catalog.verify_audit() == 50
