"""A hub with a small catalogue, served over a real socket, for foreign clients."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr

from stadthub_api.app import create_app
from stadthub_catalog import Catalog
from stadthub_schemas.access import Role
from stadthub_schemas.dataset import AccessClass
from stadthub_schemas.settings import Settings
from tests.api.city import served
from tests.catalog.samples import publish


@dataclass(frozen=True)
class Hub:
    """Where it is, what is in it by id, and a token of its administrator."""

    address: str
    token: str
    baeume: UUID
    csv: UUID


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A served hub with two public datasets, an internal one and one that was withdrawn."""
    with filled(tmp_path_factory.mktemp("hub")) as one:
        yield one


@contextmanager
def filled(folder: Path) -> Iterator[Hub]:
    """The same in this folder, until the block ends."""
    database = f"sqlite:///{folder / 'state.sqlite'}"
    settings = Settings(
        data_dir=folder,
        database_url=SecretStr(database),
        site_title="Daten Musterstadt",
        site_url="https://daten.musterstadt.example",
        site_contact="daten@musterstadt.example",
    )
    catalog = Catalog(database)
    catalog.migrate()
    publish(catalog, keywords=("Feinstaub PM10", "Baum"), title="Titel")
    publish(catalog, "parken", themes=("TRAN",), title="Parkhäuser", keywords=("Parken",))
    publish(catalog, "intern", access=AccessClass.INTERNAL, keywords=("geheim",))
    publish(catalog, "fort")
    catalog.withdraw("fort")
    entry = catalog.entry("baeume")
    token = catalog.create_token("admin", Role.ADMIN)
    catalog.close()
    csv = entry.distributions[0].id
    assert csv is not None
    with served(create_app(settings)) as address:
        yield Hub(address, token, entry.id, csv)
