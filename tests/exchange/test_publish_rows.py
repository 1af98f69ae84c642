"""Rows go into the DataStore of a foreign CKAN: a second hub takes them, and shows what anybody may see."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pytest

from stadthub_catalog.actions import NOTHING_MORE
from stadthub_catalog.entry import Distribution
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_lake.store import Progress, Store
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Dataset, Extent, Kind, Privacy
from tests.catalog.samples import dataset
from tests.exchange.hubs import Home, Other, other, publish_of

NAME = "besucher"
MORE = "datastore = { most_rows = 5000 }\n"


@pytest.fixture
def filled(ours: Home, tmp_path: Path) -> Iterator[Home]:
    """Our hub with a table that counts people; counts below five are for the city's own people."""
    words = dataset(NAME, title="Besucher")
    privacy = Privacy(purpose="Zählung", legal_basis="Satzung", counts=("visitors",), plain=("year",))
    described = Dataset(name=NAME, kind=Kind.TABLE, metadata=words.metadata.model_copy(update={"privacy": privacy}))
    asked = Lake(_reader(tmp_path))
    home = Home(ours.catalog, replace(ours.ground, lake=asked))
    _fill(home, tmp_path, described, list(range(3000)))
    try:
        yield home
    finally:
        asked.close()


def _reader(folder: Path) -> Reader:
    return Reader(str(folder / "lake"), folder / "data")


def _fill(home: Home, folder: Path, described: Dataset, visitors: list[int]) -> None:
    table = pa.table({"year": list(range(len(visitors))), "visitors": visitors, "place": ["Süd"] * len(visitors)})
    store = Store(str(folder / "lake"), folder / "data")
    store.ensure(described)
    store.replace(NAME, NAME, table, Progress(1, Counts(received=table.num_rows, stored=table.num_rows)))
    store.close()
    file = Distribution("csv", f"/distributions/{NAME}/{NAME}.csv", title="CSV", size=len(visitors), sha256=f"{len(visitors):064}")
    home.catalog.publish(described, _reader(folder).columns(NAME), Extent(rows=table.num_rows), [file], NAME)


@pytest.fixture
def land(neighbour: Other, monkeypatch: pytest.MonkeyPatch) -> Other:
    """The neighbour with the organisation of our city, and our token for it."""
    _call(neighbour, "organization_create", name="stadt")
    monkeypatch.setenv("FEED_TOKEN", neighbour.token)
    return neighbour


def _call(other: Other, action: str, **said: Any) -> Any:
    return httpx.post(f"{other.address}/api/3/action/{action}", json=said, headers={"Authorization": other.token}, timeout=60).json()


def _search(land: Other) -> dict[str, Any]:
    [resource] = _call(land, "package_show", id=NAME)["result"]["resources"]
    return dict(_call(land, "datastore_search", resource_id=resource["id"], sort="year", limit=10)["result"])


def test_rows_are_brought_once_and_anew_when_they_changed(filled: Home, land: Other, tmp_path: Path) -> None:
    target = publish_of(land.address, MORE)
    assert filled.run(target).created == 1
    assert filled.catalog.findings("land") == []
    found = _search(land)
    assert found["total"] == 3000
    assert {one["id"]: one["type"] for one in found["fields"]} == {"_id": "int", "year": "int8", "visitors": "int8", "place": "text"}
    assert [row["visitors"] for row in found["records"]][:7] == [None] * 5 + [5, 6]
    assert found["records"][0]["place"] == "Süd"
    assert filled.run(target).unchanged == 1
    described = filled.catalog.entry(NAME).dataset
    _fill(filled, tmp_path, described, [7, 8])
    filled.run(target)
    assert [row["visitors"] for row in _search(land)["records"]] == [7, 8]


def test_a_portal_without_a_datastore_gets_the_datasets_and_the_operator_a_word(
    filled: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with other(tmp_path / "bare", NOTHING_MORE) as bare:
        _call(bare, "organization_create", name="stadt")
        monkeypatch.setenv("FEED_TOKEN", bare.token)
        assert filled.run(publish_of(bare.address, MORE)).created == 1
    [finding] = filled.catalog.findings("land")
    assert (finding.kind, finding.subject) == ("rows_refused", NAME)
