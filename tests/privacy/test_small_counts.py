"""Small counts of people: in every face null and `suppressed` for anybody, exact for the city's own people."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stadthub_api.app import create_app
from stadthub_catalog.catalog import Catalog
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_pipelines.publish import Publisher
from stadthub_schemas.access import Role
from stadthub_schemas.feed import parse_feed
from stadthub_schemas.settings import Settings
from tests.api.city import client, served
from tests.pipelines.running import METADATA, running

BEGIN = datetime(2026, 5, 1, tzinfo=UTC)
TOTALS = (0, 3, 4, 5, 12, 2)
FEED = (
    """
id = "wlan"
title = "WLAN"
dataset = "wlan"
decoder = "wlan_counts"
[source]
type = "push"
[options]
rows = "aps"
id = "id"
time = "time"
values = { wifi_clients = "all", wifi_clients_2_4ghz = "slow", wifi_clients_5ghz = "fast", channel_utilisation_5ghz = "busy" }
"""
    + METADATA
    + """
[metadata.privacy]
purpose = "Auslastung des öffentlichen WLANs"
legal_basis = "Art. 6 (1) e DSGVO"
"""
)
EVERYBODY_SEES = [5.0, 12.0]
CITY_SEES = sorted(map(float, TOTALS))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str | None, str | None], str]]:
    """A hub with counts in files and fresh ones: its address, its tokens, and the one access point."""
    folder = tmp_path_factory.mktemp("wlan")
    with running(folder, {"wlan": FEED}) as worker:
        for batch in (TOTALS[:4], TOTALS[4:]):
            start = TOTALS.index(batch[0])
            rows = [_row(start + number, total) for number, total in enumerate(batch)]
            worker.push_bytes("wlan", orjson.dumps({"aps": rows}))
            worker.wait(lambda count=4 * (start + len(batch)): worker.count("wlan") == count)  # type: ignore[misc]  # bound now
        tokens: dict[str | None, str | None] = {role.value: worker.catalog.create_token(role.value, role) for role in Role}
        [thing] = worker.lake.things("wlan").column("thing").to_pylist()
    _write_files(folder)
    settings = Settings.model_validate({"data_dir": folder, "min_free_mb": 0})
    with served(create_app(settings)) as address:
        yield address, {**tokens, None: None}, thing


def _write_files(folder: Path) -> None:
    """Publish what the lake holds now; the worker has stopped, so that none of its files comes after."""
    settings = Settings.model_validate({"data_dir": folder, "min_free_mb": 0})
    catalog, reader = Catalog(settings.database), Reader(settings.lake, folder)
    lake = Lake(reader)
    described = parse_feed(FEED, "wlan.toml").described()
    assert described is not None
    Publisher(reader, lake, catalog, folder / "distributions", 0.0).write_files(described, "wlan")
    lake.close()
    catalog.close()


def _row(number: int, total: int) -> dict[str, Any]:
    time = (BEGIN + timedelta(minutes=15 * number)).isoformat()
    return {"id": "one", "time": time, "all": total, "slow": min(total, 10), "fast": total - min(total, 10), "busy": 50 + number}


FACES = ("rows", "filtered", "newest", "csv", "arrow", "parquet", "export csv", "export json", "export parquet", "sql")
BASE = "/api/v1/datasets/wlan"


def totals(face: str, one: httpx.Client, thing: str, observed: str = "wifi_clients") -> list[dict[str, Any]]:
    """The rows of the totals as this face gives them."""
    of = f"observed_property={observed}"
    if face == "rows":
        return list(one.get(f"{BASE}/rows?{of}").json()["rows"])
    if face == "filtered":
        return list(one.get(f"{BASE}/rows?{of}&result__ge=0&sort=result").json()["rows"])
    if face == "newest":
        return list(one.get(f"{BASE}/rows?thing={thing}&{of}&sort=-phenomenon_time&limit=6").json()["rows"])
    if face == "sql":
        return list(one.post("/api/v1/sql", json={"sql": f"SELECT * FROM wlan WHERE observed_property = '{observed}'"}).json())
    format_ = face.rpartition(" ")[2]
    path = f"{BASE}/exports/{format_}?{of}" if face.startswith("export") else f"{BASE}/rows?{of}&format={format_}"
    body = one.get(path).content
    return _read(format_, body)


def _read(format_: str, body: bytes) -> list[dict[str, Any]]:
    if format_ == "csv":
        rows = csv.DictReader(io.StringIO(body.decode("utf-8-sig")))
        return [{**row, "result": float(row["result"]) if row["result"] else None} for row in rows]
    if format_ == "json":
        return list(orjson.loads(body))
    table = pq.read_table(io.BytesIO(body)) if format_ == "parquet" else pa.ipc.open_stream(body).read_all()
    return list(table.to_pylist())


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize("face", FACES)
def test_every_face_shows_small_counts_to_the_citys_own_people_only(
    hub: tuple[str, dict[str | None, str | None], str], face: str, role: Role | None
) -> None:
    address, tokens, thing = hub
    inside = role not in (None, Role.READER)
    with client(address, tokens[role]) as one:
        rows = totals(face, one, thing)
        assert sorted(row["result"] for row in rows if row["result"] is not None) == (CITY_SEES if inside else EVERYBODY_SEES)
        assert all((row["quality"] == "suppressed") == (row["result"] is None) for row in rows)
        parts = [row["result"] for row in totals(face, one, thing, "wifi_clients_2_4ghz") if row["result"] is not None]
        assert len(parts) == (6 if inside else 0), "a part beside its total would give the other part away"
        assert len(totals(face, one, thing, "channel_utilisation_5ghz")) == 6


def test_what_is_computed_knows_only_what_is_shown(hub: tuple[str, dict[str | None, str | None], str]) -> None:
    address, tokens, _ = hub
    metrics = "metrics=count(result),sum(result),min(result),max(result),avg(result)"
    for grouping in ("", "&bucket=PT1H", "&group_by=observed_property", "&group_by=thing", "&group_by=result"):
        path = f"{BASE}/aggregate?{metrics}&observed_property=wifi_clients{grouping}"
        with client(address) as anybody, client(address, tokens["analyst"]) as city:
            told = [row for row in anybody.get(path).json()["rows"] if row["count_result"]]
            assert sum(row["sum_result"] for row in told) == 17.0
            assert min(row["min_result"] for row in told) == 5.0
            assert sum(row["sum_result"] or 0 for row in city.get(path).json()["rows"]) == 26.0


def test_filters_find_nothing_below_the_bound(hub: tuple[str, dict[str | None, str | None], str]) -> None:
    address, tokens, _ = hub
    with client(address) as anybody, client(address, tokens["analyst"]) as city:
        path = f"{BASE}/rows?observed_property=wifi_clients&result__lt=5"
        assert anybody.get(path).json()["rows"] == []
        assert len(city.get(path).json()["rows"]) == 4
        sql = "SELECT count(*) AS n FROM wlan WHERE observed_property = 'wifi_clients' AND result < 5"
        assert anybody.post("/api/v1/sql", json={"sql": sql}).json() == [{"n": 0}]


def test_latest_values_chart_and_pages_obey(hub: tuple[str, dict[str | None, str | None], str]) -> None:
    address, tokens, thing = hub
    with client(address) as anybody, client(address, tokens["analyst"]) as city:
        for one, seen in ((anybody, None), (city, 2.0)):
            newest = {row["observed_property"]: row for row in one.get(f"{BASE}/latest").json()["rows"]}
            assert newest["wifi_clients"]["result"] == seen
            assert (newest["wifi_clients"]["quality"] == "suppressed") == (seen is None)
            assert newest["wifi_clients_2_4ghz"]["result"] == seen
            assert newest["channel_utilisation_5ghz"]["result"] == 55.0
        path = f"{BASE}/series?datastream={thing}:wifi_clients"
        assert min(anybody.get(path).json()["series"][0]["min"]) == 5.0
        assert min(city.get(path).json()["series"][0]["min"]) == 0.0
        for page in ("/datasets/wlan", "/live", "/"):
            assert anybody.get(page, headers={"Accept": "text/html"}).status_code == 200


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_the_published_files_hold_what_anybody_may_see(hub: tuple[str, dict[str | None, str | None], str], format_: str) -> None:
    address, tokens, _ = hub
    with client(address, tokens["admin"]) as one:
        rows = _read(format_, one.get(f"/distributions/wlan/wlan.{format_}").content)
    shown = [row["result"] for row in rows if row["observed_property"].startswith("wifi_clients") and row["result"] is not None]
    assert set(shown) <= set(EVERYBODY_SEES)
    assert shown


def test_anybody_can_read_why_people_are_counted(hub: tuple[str, dict[str | None, str | None], str]) -> None:
    with client(hub[0]) as anybody:
        told = anybody.get(BASE).json()["privacy"]
    assert told["purpose"] == "Auslastung des öffentlichen WLANs"
    assert (told["k"], told["bucket"]) == (5, "PT15M")


def test_a_feed_that_reads_of_people_must_say_why(tmp_path: Path) -> None:
    with running(tmp_path, {"wlan": FEED.partition("[metadata.privacy]")[0]}) as hub:
        hub.wait(lambda: "metadata.privacy" in (hub.catalog.feed("wlan").wrong or ""))
