"""Small counts in derived datasets: in every face null and `suppressed` for anybody, exact for the city's own people; and what is
shown of them gives nothing away that their inputs hide."""

import csv
import io
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stadthub_api.app import create_app
from stadthub_pipelines.publish import Publisher
from stadthub_schemas.access import Role
from stadthub_schemas.settings import Settings
from tests.api.city import client, served
from tests.pipelines.running import METADATA, running

BEGIN = datetime(2026, 5, 4, tzinfo=UTC)
#: The counts of two access points of one site at eight times.
COUNTS = {"one": (12, 20, 3, 9, 0, 7, 8, 5), "two": (6, 30, 40, 4, 0, 9, 10, 5)}
PRIVACY = """
[metadata.privacy]
purpose = "Auslastung"
legal_basis = "Art. 6 (1) e DSGVO"
"""
WLAN = (
    """
id = "wlan"
title = "WLAN"
dataset = "wlan"
decoder = "wlan_counts"
source = { type = "push" }
[options]
rows = "aps"
id = "id"
label = "id"
operator_is_city = true
time = "time"
values = { wifi_clients = "all" }
"""
    + METADATA
    + PRIVACY
)
HOURLY = (
    """
id = "hourly"
title = "By time"
dataset = "hourly"
key = ["epoch"]
pause = "PT0.2S"
sql = '''
SELECT epoch, sum(result) AS clients, sum(result) / 4 AS device_hours, min(result) AS smallest_count, count(*) AS points,
  sum(result) + 100 AS undeclared, CAST(NULL AS VARCHAR) AS quality
FROM wlan GROUP BY epoch
'''
"""
    + METADATA
    + PRIVACY
    + """
counts = ["clients", "device_hours"]
smallest = "smallest_count"
plain = ["points"]
"""
)
TOTALS = (
    """
id = "totals"
title = "Totals"
dataset = "totals"
kind = "timeseries"
pause = "PT0.2S"
sql = '''
SELECT 'site' AS thing, 'site_clients' AS observed_property, phenomenon_time, sum(result) AS result,
  '{"smallest":' || CAST(CAST(min(result) AS INTEGER) AS VARCHAR) || '}' AS parameters
FROM wlan GROUP BY phenomenon_time
'''
"""
    + METADATA
    + PRIVACY
    + 'counts = ["site_clients"]\n'
)
#: Without a privacy block of its own: it inherits one, and no number of it is shown.
BARE = HOURLY.replace('"hourly"', '"bare"').partition("[metadata.privacy]")[0]

PAIRS = list(zip(*COUNTS.values(), strict=True))
EVERYBODY_SEES = sorted(float(sum(pair)) for pair in PAIRS if min(pair) >= 5)
CITY_SEES = sorted(float(sum(pair)) for pair in PAIRS)

Hub = tuple[str, dict[str | None, str | None]]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub with the counts and what is derived of them."""
    folder = tmp_path_factory.mktemp("derived")
    with running(folder, {"wlan": WLAN, "hourly": HOURLY, "totals": TOTALS, "bare": BARE}) as worker:
        rows = [
            {"id": name, "time": (BEGIN + timedelta(minutes=15 * step)).isoformat(), "all": number}
            for name, numbers in COUNTS.items()
            for step, number in enumerate(numbers)
        ]
        worker.push_bytes("wlan", orjson.dumps({"aps": rows}))
        for name in ("hourly", "totals", "bare"):
            worker.wait(lambda name=name: worker.count(name) == len(PAIRS), 60)  # type: ignore[misc]  # bound now
            worker.wait(lambda name=name: worker.catalog.entry(name).extent.rows == len(PAIRS), 60)  # type: ignore[misc]  # bound now
            worker.wait(lambda name=name: name != "totals" or len(worker.catalog.latest(name)) == 1, 60)  # type: ignore[misc]  # bound now
        publisher = Publisher(worker.reader, worker.lake, worker.catalog, folder / "distributions", 0.0)
        for name in ("hourly", "totals", "bare"):
            publisher.write_files(worker.catalog.entry(name).dataset, name)
        tokens: dict[str | None, str | None] = {role.value: worker.catalog.create_token(role.value, role) for role in Role}
    settings = Settings.model_validate({"data_dir": folder, "min_free_mb": 0})
    with served(create_app(settings)) as address:
        yield address, {**tokens, None: None}


def _read(format_: str, body: bytes) -> list[dict[str, Any]]:
    if format_ == "csv":
        return [{key: value or None for key, value in row.items()} for row in csv.DictReader(io.StringIO(body.decode("utf-8-sig")))]
    if format_ == "json":
        return list(orjson.loads(body))
    table = pq.read_table(io.BytesIO(body)) if format_ == "parquet" else pa.ipc.open_stream(body).read_all()
    return list(table.to_pylist())


def rows(face: str, one: httpx.Client, name: str) -> list[dict[str, Any]]:
    """The rows of a dataset as this face gives them."""
    base, format_ = f"/api/v1/datasets/{name}", face.rpartition(" ")[2]
    if face == "rows":
        return list(one.get(f"{base}/rows").json()["rows"])
    if face == "sql":
        return list(one.post("/api/v1/sql", json={"sql": f'SELECT * FROM "{name}"'}).json())
    if face.startswith("file"):
        return _read(format_, one.get(f"/distributions/{name}/{name}.{format_}").content)
    return _read(format_, one.get(f"{base}/exports/{format_}" if face.startswith("export") else f"{base}/rows?format={format_}").content)


def numbers(found: list[dict[str, Any]], column: str) -> list[float]:
    """The values of a column that are shown."""
    return sorted(float(row[column]) for row in found if row[column] is not None)


FACES = ("rows", "csv", "arrow", "parquet", "export csv", "export json", "export parquet", "export arrow", "sql")


@pytest.mark.parametrize("role", [None, Role.READER, Role.ANALYST])
@pytest.mark.parametrize("face", FACES)
def test_every_face_shows_a_computed_count_only_where_all_counts_behind_it_may_be_shown(hub: Hub, face: str, role: Role | None) -> None:
    address, tokens = hub
    inside = role is Role.ANALYST
    with client(address, tokens[role]) as one:
        found = rows(face, one, "hourly")
        assert numbers(found, "clients") == (CITY_SEES if inside else EVERYBODY_SEES)
        assert numbers(found, "device_hours") == [value / 4 for value in (CITY_SEES if inside else EVERYBODY_SEES)]
        assert len(numbers(found, "smallest_count")) == (len(PAIRS) if inside else len(EVERYBODY_SEES))
        assert numbers(found, "undeclared") == ([value + 100 for value in CITY_SEES] if inside else [])
        assert numbers(found, "points") == [2.0] * len(PAIRS)
        assert all((row["quality"] == "suppressed") == (row["clients"] is None) for row in found)
        observed = rows(face, one, "totals")
        assert numbers(observed, "result") == (CITY_SEES if inside else EVERYBODY_SEES)
        assert all((row["quality"] == "suppressed") == (row["result"] is None) for row in observed)
        assert all(row["parameters"] is None for row in observed if row["result"] is None)
        bare = rows(face, one, "bare")
        assert numbers(bare, "clients") == (CITY_SEES if inside else [])
        assert len(numbers(bare, "epoch")) == len(PAIRS)


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_published_files_latest_values_and_pages_obey(hub: Hub, format_: str) -> None:
    address, tokens = hub
    with client(address, tokens["admin"]) as one:
        assert numbers(rows(f"file {format_}", one, "hourly"), "clients") == EVERYBODY_SEES
        assert numbers(rows(f"file {format_}", one, "totals"), "result") == EVERYBODY_SEES
    with client(address) as anybody:
        newest = anybody.get("/api/v1/datasets/totals/latest").json()["rows"]
        assert [row["result"] for row in newest] == [10.0], "the newest pair is 5 and 5"
        for page in ("/datasets/hourly", "/datasets/totals", "/datasets/bare"):
            assert anybody.get(page, headers={"Accept": "text/html"}).status_code == 200


def test_filters_and_measures_know_only_what_is_shown(hub: Hub) -> None:
    address, tokens = hub
    with client(address) as anybody, client(address, tokens["analyst"]) as city:
        for one, seen in ((anybody, EVERYBODY_SEES), (city, CITY_SEES)):
            told = one.get("/api/v1/datasets/hourly/aggregate?metrics=sum(clients),min(clients),count(clients),sum(undeclared)").json()[
                "rows"
            ][0]
            assert (told["sum_clients"], told["min_clients"], told["count_clients"]) == (sum(seen), min(seen), len(seen))
            assert (told["sum_undeclared"] is None) == (seen is EVERYBODY_SEES)
            below = one.get("/api/v1/datasets/hourly/rows?smallest_count__lt=5").json()["rows"]
            assert len(below) == len(PAIRS) - len(EVERYBODY_SEES) if seen is CITY_SEES else below == []
            found = one.get("/api/v1/datasets/hourly/rows?sort=clients").json()["rows"]
            assert [row["clients"] for row in found if row["clients"] is not None] == seen


def test_no_hidden_count_follows_from_what_is_shown_together(hub: Hub) -> None:
    """Whoever subtracts the shown counts of access points from the shown sums finds no count that is not shown itself."""
    address, _ = hub
    with client(address) as anybody:
        counts = anybody.get("/api/v1/datasets/wlan/rows?limit=1000").json()["rows"]
        sums = {row["epoch"]: row["clients"] for row in rows("rows", anybody, "hourly") if row["clients"] is not None}
    shown: dict[int, list[float | None]] = {}
    for row in counts:
        shown.setdefault(int(datetime.fromisoformat(row["phenomenon_time"]).timestamp()), []).append(row["result"])
    assert sums
    for epoch, total in sums.items():
        assert None not in shown[epoch]
        assert sum(filter(None, shown[epoch])) == total
    hidden = [pair for pair in itertools.chain(*PAIRS) if pair < 5]
    assert len(hidden) == 4


def test_lineage_is_told_with_links_and_sql_to_those_who_may_see_the_inputs(hub: Hub) -> None:
    with client(hub[0]) as anybody:
        lineage = anybody.get("/api/v1/datasets/hourly").json()["lineage"]
        assert [one["name"] for one in lineage["derived_from"]] == ["wlan"]
        assert "FROM wlan GROUP BY epoch" in lineage["sql"]
        page = anybody.get("/datasets/hourly", headers={"Accept": "text/html"}).text
        assert "Abgeleitet aus" in page
        assert 'href="/datasets/wlan"' in page
        assert anybody.get("/api/v1/datasets/wlan").json()["lineage"] is None
        assert anybody.get("/api/v1/datasets/bare").json()["privacy"]["k"] == 5
