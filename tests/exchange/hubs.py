"""Hubs for tests of the exchange: a catalogue with its ground, and a second hub that is served over a real socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from stadthub_api.app import create_app
from stadthub_catalog import Catalog
from stadthub_catalog.actions import More
from stadthub_catalog.ledger import Outcome, Tally
from stadthub_catalog.site import Site
from stadthub_ingest.sources.reach import Reach
from stadthub_pipelines.errands import run_errand
from stadthub_pipelines.harvesting import Ground
from stadthub_pipelines.uploads import UploadFolder
from stadthub_schemas.access import Role
from stadthub_schemas.derived import parse_file
from stadthub_schemas.exchange import Harvest, Publish
from stadthub_schemas.settings import Settings
from tests.api.city import served

OURS = "https://daten.musterstadt.example"


@dataclass
class Home:
    """Our own hub: its catalogue, and where its errands are done."""

    catalog: Catalog
    ground: Ground

    def harvest(self, url: str, protocol: str = "ckan", more: str = "", **words: str) -> Tally:
        """Run a harvest once."""
        return self.run(harvest_of(url, protocol, more, **words))

    def run(self, errand: Harvest | Publish) -> Tally:
        """Run it once; its numbers must add up."""
        try:
            tally = run_errand(errand, self.ground)
        finally:
            last = self.catalog.tallies(errand.id, 1)
            assert not last or last[0].balanced
            [run] = self.catalog.runs(errand.id, 1)
            assert run.ended is not None
            assert run.counts.balanced
        return tally

    def outcomes(self, errand: str = "nebenan") -> dict[str, tuple[Outcome, str]]:
        """What became of each dataset in the last run."""
        [last] = self.catalog.tallies(errand, 1)
        return {one.item: (one.outcome, one.reason) for one in self.catalog.outcomes(last.run)}

    def extras(self, name: str) -> dict[str, str]:
        """The extras of a dataset."""
        document = self.catalog.entry(name).document
        assert document is not None
        return {one["key"]: one["value"] for one in document["extras"]}


def harvest_of(url: str, protocol: str = "ckan", more: str = "", **words: str) -> Harvest:
    """A harvest as its file says it."""
    name = words.get("id", "nebenan")
    text = f'id = "{name}"\ntitle = "Stadt Nebenan"\n[harvest]\nprotocol = "{protocol}"\nurl = "{url}"\nretries = 0\n{more}'
    errand = parse_file(text, f"{name}.toml")
    assert isinstance(errand, Harvest)
    return errand


def publish_of(url: str, more: str = "") -> Publish:
    """A publication as its file says it."""
    text = f'id = "land"\ntitle = "Landesportal"\n[publish]\nurl = "{url}"\ntoken = "${{FEED_TOKEN}}"\norganization = "stadt"\nretries = 1\n{more}'
    errand = parse_file(text, "land.toml")
    assert isinstance(errand, Publish)
    return errand


@contextmanager
def home(folder: Path, database: str) -> Iterator[Home]:
    """Our own hub, which may reach this machine."""
    catalog = Catalog(database)
    catalog.migrate()
    uploads = UploadFolder(folder / "uploads", 100)
    site = Site("Daten Musterstadt", OURS, "daten@musterstadt.example", "1", geocoding="05315000", contributor="musterstadt")
    try:
        yield Home(catalog, Ground(folder, catalog, Reach(["127.0.0.1"]), site, uploads, None, lambda _: None))
    finally:
        catalog.close()


@dataclass
class Other:
    """Another hub over a real socket, and a token of its administrator."""

    address: str
    catalog: Catalog
    token: str


@contextmanager
def other(folder: Path, datastore: More | None = None) -> Iterator[Other]:
    """A second Stadthub; `datastore`: these actions instead of its DataStore's, as of a portal that has none."""
    settings = Settings(data_dir=folder, site_title="Daten Nebenan", site_contact="daten@nebenan.example")
    folder.mkdir(parents=True, exist_ok=True)
    catalog = Catalog(settings.database)
    catalog.migrate()
    token = catalog.create_token("admin", Role.ADMIN)
    try:
        app = create_app(settings)
        with served(app) as address:
            if datastore is not None:
                app.state.hub = replace(app.state.hub, datastore=datastore)
            yield Other(address, catalog, token)
    finally:
        catalog.close()
