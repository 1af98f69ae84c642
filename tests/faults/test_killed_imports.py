"""`kill -9` in the middle of an import: the dataset is as before or whole, the next import makes it whole, and nothing stays about."""

import hashlib
import os
import random
import shutil
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stadthub_api.cli.app import app
from stadthub_catalog.catalog import Catalog
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_pipelines.staging import sweep
from stadthub_pipelines.uploads import fetch
from stadthub_schemas.errors import NotFound, QueryError
from stadthub_schemas.feed import UploadSource, load_feed
from stadthub_schemas.query import RowsQuery
from stadthub_schemas.settings import Settings
from tests.cli.test_import import WORDS
from tests.faults.children import command, ended, killed

#: How often an import is killed. Every third file is so large that it is read in pieces.
CYCLES, LARGE = 10, 3


class City:
    """A hub's folder, and what stands in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(data_dir=folder / "data", feeds_dir=folder / "feeds", min_free_mb=0)

    def write(self, number: int) -> int:
        """A file whose rows all bear this number; how many there are."""
        size = 45_000 if number % LARGE == 0 else 300 + number
        filling = "x" * 180
        rows = "".join(f"{row},{number},{filling}\n" for row in range(size))
        (self.folder / "zahlen.csv").write_text(f"nr,lauf,wort\n{rows}", "utf-8")
        return size

    def shown(self) -> tuple[set[int], int]:
        """Which numbers the rows bear that are served, and how many rows there are."""
        lake = Lake(Reader(self.settings.lake, self.settings.data_dir))
        try:
            table = lake.rows(RowsQuery("zahlen", columns=("lauf",), limit=None)).table
        except (NotFound, QueryError):  # there is none yet, or one without columns
            return set(), 0
        finally:
            lake.close()
        return set(table["lauf"].to_pylist()), table.num_rows

    def check_files(self) -> None:
        """No half file is offered: each bears the digest of its bytes in its name."""
        for path in (self.settings.data_dir / "distributions").glob("zahlen/zahlen-*"):
            assert path.stem.rpartition("-")[2] == hashlib.sha256(path.read_bytes()).hexdigest()[:12]

    def check_pieces(self) -> None:
        """A file of which some pieces were taken before a kill comes again from its first piece on."""
        feed = load_feed(self.settings.feeds / "zahlen.toml")
        assert isinstance(feed.source, UploadSource)
        self.write(LARGE)
        shutil.copy(self.folder / "zahlen.csv", self.settings.data_dir / "uploads" / feed.source.file)
        first = next(fetch(feed, feed.source, {}, self.settings.data_dir))
        names = [one.name.rpartition("#")[2] for one in fetch(feed, feed.source, first.state, self.settings.data_dir)]
        assert names == [f"page={number}/{len(names)}" for number in range(1, len(names) + 1)]
        assert len(names) > 1

    def check_whole(self, imported: Path) -> None:
        """Everything fits together, and once a day has passed nothing is left of those that were killed."""
        catalog = Catalog(self.settings.database)
        try:
            counts = catalog.feed("zahlen").counts
            assert counts.received == counts.stored + counts.duplicate + counts.rejected + counts.dropped
            runs = catalog.runs("zahlen", 100)
            assert all(one.ended is not None for one in runs), "a run that was killed has ended"
            original = next(one for one in catalog.entry("zahlen").distributions if "/original/" in one.url)
            assert original.sha256 == hashlib.sha256(imported.read_bytes()).hexdigest()
        finally:
            catalog.close()
        for left in [*self.settings.data_dir.glob("uploads/*/.*"), *self.settings.feeds.glob(".*")]:
            os.utime(left, times=(time.time() - 100_000,) * 2)
        sweep(self.settings)
        kept = [path for path in (self.settings.data_dir / "uploads").rglob("*") if path.is_file()]
        assert [path.read_bytes() for path in kept] == [imported.read_bytes()]
        assert len(list((self.settings.data_dir / "uploads").iterdir())) == 1
        assert not list(self.settings.data_dir.glob("waiting/*"))
        assert [path.name for path in self.settings.feeds.iterdir()] == ["zahlen.toml"]


@pytest.fixture
def city(tmp_path: Path) -> City:
    folder = tmp_path / "city"
    assert CliRunner().invoke(app, ["init", str(folder)]).exit_code == 0
    for path in (folder / "feeds").iterdir():
        path.unlink()
    return City(folder)


@pytest.mark.timeout(900)
def test_an_import_that_is_killed_leaves_the_dataset_as_before_or_whole_and_the_next_one_makes_it_whole(city: City) -> None:
    seed = int(os.environ.get("KILL_SEED", "0")) or random.randrange(1, 1_000_000)
    dice, took, before = random.Random(seed), 1.0, (set[int](), 0)
    words = ("dataset", "import", "zahlen.csv", *WORDS, "--json")
    for number in range(1, int(os.environ.get("KILL_CYCLES", CYCLES)) + 1):
        new = ({number}, city.write(number))
        killed(command(city.folder, *words), dice.uniform(0, took * (1.5 if number % LARGE == 0 else 1)))
        assert city.shown() in (before, new), f"seed {seed}, import {number}"
        city.check_files()
        took = ended(command(city.folder, *words))
        assert city.shown() == new, f"seed {seed}, import {number}: {(city.folder / 'said.txt').read_text()}"
        before = new
    city.check_whole(city.folder / "zahlen.csv")
    city.check_pieces()
    shutil.rmtree(city.folder)
