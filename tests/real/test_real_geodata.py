"""Recorded map layers: what PROJ makes of their metres are the degrees that the city itself gives."""

import json
import os
from pathlib import Path

import pytest
import shapely

from stadthub_ingest.judge import Judge
from stadthub_schemas.feed import load_feed
from tests.ingest.feeds import payload

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("SHARED_DIR") or ROOT.parent / "shared") / "data" / "geodata"
CONTAINERS = DATA / "awm-glascontainer2017.geojson"


@pytest.mark.skipif(not CONTAINERS.exists(), reason="the recorded input is not there: set SHARED_DIR to the folder that holds data/")
def test_rechtswert_and_hochwert_come_out_where_the_city_says_that_they_are() -> None:
    judged = Judge(load_feed(ROOT / "deploy" / "real" / "muenster-glass-containers.toml")).judge([payload(CONTAINERS.read_bytes())])
    told = {str(one["properties"]["id"]): one["geometry"]["coordinates"] for one in json.loads(CONTAINERS.read_bytes())["features"]}
    assert (judged.accepted.num_rows, judged.rejects.num_rows) == (len(told), 0)
    apart = [
        shapely.from_wkb(row["geometry"]).distance(shapely.Point(told[row["id"]][:2])) * 111_000 for row in judged.accepted.to_pylist()
    ]
    assert sorted(apart)[len(apart) // 2] < 0.001, "metres"
    assert max(apart) < 0.1, "metres"
