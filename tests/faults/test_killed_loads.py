"""`kill -9` of the worker while it loads the file of a resource: its rows are those of the file before or of the new one, and a worker that
starts again makes the new one whole."""

import io
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from stadthub_catalog import Catalog, Site
from stadthub_catalog.actions import Caller, answer
from stadthub_catalog.uploads import Upload
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_pipelines.loads import ORDERS, OrderingUploads
from stadthub_pipelines.staging import folder_of
from stadthub_schemas.access import Principal, Role
from stadthub_schemas.errors import NotFound, QueryError
from stadthub_schemas.query import RowsQuery
from stadthub_schemas.settings import Settings
from tests.faults.children import PATIENCE, killed, worker
from tests.servers import wait_until

SITE = Site("Daten Musterstadt", "https://daten.musterstadt.example")
ADMIN = Principal("admin", Role.ADMIN)
#: The numbers that rows bear, and how many rows there are.
Shown = tuple[set[int], int]
NOTHING: Shown = (set(), 0)
#: How often the worker is killed.
CYCLES = 10


class Office:
    """A hub without a worker, with one dataset and one resource."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data_dir=folder / "hub", min_free_mb=0)
        self.settings.feeds.mkdir(parents=True)
        self.catalog = Catalog(self.settings.database)
        self.catalog.migrate()
        self.uploads = OrderingUploads(folder_of(self.settings), self.settings.data_dir)
        self("organization_create", name="amt", title="Amt")
        self("package_create", name="zahlen", owner_org="amt")
        self.resource = str(self("resource_create", package_id="zahlen", name="A", upload=_file(0)[0])["id"])

    def __call__(self, action: str, **said: Any) -> Any:
        return answer(self.catalog, action, said, Caller(ADMIN), SITE, self.uploads).result

    def state(self) -> tuple[str | None, str | None]:
        found = self("resource_show", id=self.resource)
        return found.get("load_state"), found.get("load_message")

    def order_is_old(self) -> None:
        """The order was given a while ago: it need not be waited for."""
        for order in (self.settings.data_dir / ORDERS).iterdir():
            os.utime(order, times=(time.time() - 10,) * 2)

    def is_loading(self) -> bool:
        """Whether the worker follows the order, or has done so."""
        return not (self.settings.data_dir / ORDERS / self.resource).exists()

    def shown(self) -> Shown:
        """Which numbers the rows bear, and how many rows there are."""
        lake = Lake(Reader(self.settings.lake, self.settings.data_dir))
        try:
            table = lake.rows(RowsQuery(f"ds-{self.resource}", columns=("lauf",), limit=None)).table
        except (NotFound, QueryError):  # there is none yet, or one without columns
            return set(), 0
        finally:
            lake.close()
        return set(table["lauf"].to_pylist()), table.num_rows


def _file(number: int) -> tuple[Upload, Shown]:
    """A file whose rows all bear this number, and how many there are; every fifth is read in pieces."""
    size = 45_000 if number % 5 == 4 else 300 + number
    filling = "x" * 180
    body = "nr,lauf,wort\n" + "".join(f"{row},{number},{filling}\n" for row in range(size))
    return Upload(f"zahlen-{number % 3}.csv", io.BytesIO(body.encode())), ({number}, size)


@pytest.mark.timeout(900)
def test_a_worker_that_is_killed_while_it_loads_a_file_makes_it_whole_when_it_starts_again(tmp_path: Path) -> None:
    seed = int(os.environ.get("KILL_SEED", "0")) or random.randrange(1, 1_000_000)
    dice, office = random.Random(seed), Office(tmp_path)
    possible = [NOTHING, _file(0)[1]]
    for number in range(1, int(os.environ.get("KILL_CYCLES", CYCLES)) + 1):
        upload, wanted = _file(number)
        office.order_is_old()
        at_work = worker(office.settings)
        wait_until(office.is_loading, f"seed {seed}: file {number - 1} is being loaded", PATIENCE)
        killed(at_work, dice.uniform(0, 0.7))
        shown = office.shown()
        assert shown in possible, f"seed {seed}, start {number}"
        possible = possible if shown == NOTHING else [one for one in possible if one != NOTHING]  # what was there is not gone again
        office("resource_update", id=office.resource, name="A", upload=upload)
        possible.append(wanted)
    office.order_is_old()
    at_work = worker(office.settings)
    try:
        wait_until(lambda: office.state()[0] == "loaded", f"seed {seed}: the file is loaded: {office.state()}", PATIENCE)
        assert office.shown() == possible[-1], f"seed {seed}"
        wait_until(lambda: not list((office.settings.data_dir / ORDERS).iterdir()), "no order is left", PATIENCE)
    finally:
        killed(at_work, 0)
    assert str(office.state()[1]).startswith(f"{possible[-1][1]} received, "), office.state()
    assert all(run.ended is not None for run in office.catalog.runs(f"ds-{office.resource}", 100))
    office.catalog.close()
