"""Whoever is killed in the middle of a push leaves whole calls behind: each that was answered, and of the last one all or nothing."""

import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import orjson
import pytest

from stadthub_catalog import Catalog
from stadthub_catalog.actions import Caller, answer
from stadthub_catalog.site import Site
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_pipelines.datastore.actions import actions_over
from stadthub_pipelines.datastore.opened import Rooms
from stadthub_schemas.access import Principal, Role
from stadthub_schemas.settings import Settings

from .crash_pusher import BATCH

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_push_is_whole_or_not_there(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.datastore.crash_pusher", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    assert process.stdout is not None
    told = [process.stdout.readline().decode().split() for _ in range(chance.randint(2, 12))]
    try:
        process.wait(timeout=chance.random() * 0.1)
    except subprocess.TimeoutExpired:
        process.kill()
    told += [line.decode().split() for line in process.stdout.read().splitlines(keepends=True) if line.endswith(b"\n")]
    process.wait()
    process.stdout.close()
    answered = {key: int(turn) for key, turn, _ in told}
    _check(tmp_path, answered)


def _check(folder: Path, answered: dict[str, int]) -> None:
    settings = Settings(data_dir=folder)
    catalog, reader = Catalog(settings.database), Reader(settings.lake, settings.data_dir)
    lake = Lake(reader)
    caller = Caller(Principal("boss", Role.ADMIN), more=actions_over(Rooms(reader, lake, Path(settings.lake))))
    site = Site(title="x", url="https://x.example")
    resources = answer(catalog, "package_show", {"id": "tafeln"}, caller, site, None).result["resources"]
    assert set(answered) <= {one["id"] for one in resources}
    for resource in resources:
        found = answer(catalog, "datastore_search", {"resource_id": resource["id"], "limit": 32_000}, caller, site, None).result
        rows = orjson.loads(found)["records"]
        (turn,) = {row["round"] for row in rows}
        assert answered.get(resource["id"], 0) <= turn <= answered.get(resource["id"], 0) + 1
        assert Counter(row["n"] for row in rows) == Counter(range((turn + 1) * BATCH))
        again = {"resource_id": resource["id"], "records": [{"n": 0, "round": 99}]}
        answer(catalog, "datastore_upsert", again, caller, site, None)
    lake.close()
    catalog.close()
