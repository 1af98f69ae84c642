"""The tables: what the migrations make is what the code expects, however often and by however many they are run."""

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from stadthub_catalog import Catalog
from stadthub_catalog.tables import metadata
from stadthub_schemas.errors import SettingsError, StorageError

MIGRATE = "import sys; from stadthub_catalog import Catalog; c = Catalog(sys.argv[1]); c.migrate(); print(len(c.entries())); c.close()"


def test_the_migrated_tables_are_those_of_the_code(catalog: Catalog) -> None:
    with catalog.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_migrating_again_changes_nothing(catalog: Catalog) -> None:
    catalog.record("a", "b", "c")
    catalog.migrate()
    assert catalog.verify_audit() == 1


def test_two_processes_may_migrate_at_once(database_url: str) -> None:
    command = [sys.executable, "-W", "error", "-c", MIGRATE, database_url]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ended = [(*one.communicate(timeout=60), one.returncode) for one in running]
    assert ended == [("0\n", "", 0)] * 2


def test_a_database_without_tables_is_an_error_without_sql(sqlite_url: str) -> None:
    catalog = Catalog(sqlite_url)
    catalog.database.make_folder()
    with pytest.raises(StorageError) as caught:
        catalog.entries()
    assert "SELECT" not in str(caught.value)
    catalog.close()


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/x", "sqlite://", "postgresql+nodriver://host/x"])
def test_an_address_that_is_no_database_is_a_setting_to_mend(url: str) -> None:
    with pytest.raises(SettingsError, match="STADTHUB_DATABASE_URL"):
        Catalog(url)
