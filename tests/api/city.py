"""A small city for tests of the api: one dataset of each class, with secrets in hidden columns and tokens of each role."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Thread

import httpx
import orjson
import pyarrow as pa
import shapely
import uvicorn
from fastapi import FastAPI

from stadthub_api.serving import UVICORN
from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import Distribution
from stadthub_lake.snapshot import Reader
from stadthub_lake.store import Progress, Store
from stadthub_schemas.access import Role
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import (
    TIMESERIES_COLUMNS,
    AccessClass,
    ColumnWords,
    Contact,
    Dataset,
    Extent,
    Kind,
    Metadata,
    Publisher,
)
from stadthub_schemas.rows import FEATURES_IN, OBSERVATIONS_IN
from stadthub_schemas.settings import Settings

#: Stands in every column that somebody must not see; no answer to them may hold it.
SECRET = "streng-geheim"
HOURS = 150
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
END = BEGIN + timedelta(hours=HOURS)
THINGS = ("park", "ring", "ufer")
PROPERTIES = ("pm10", "air_temperature")

PUBLIC_AIR, INTERNAL_NOISE, RESTRICTED_CAMERAS, VEILED_METERS = "air", "noise", "cameras", "meters"
DATASETS = {
    PUBLIC_AIR: AccessClass.PUBLIC,
    INTERNAL_NOISE: AccessClass.INTERNAL,
    RESTRICTED_CAMERAS: AccessClass.RESTRICTED,
    VEILED_METERS: AccessClass.PUBLIC,
}
#: Public datasets of the other kinds.
TREES, BUDGET = "trees", "budget"
KINDS = {TREES: Kind.FEATURES, BUDGET: Kind.TABLE}
#: What is hidden from anybody in `meters`; the first from the city's own people too.
VEILED = {"parameters": AccessClass.RESTRICTED, "thing_name": AccessClass.INTERNAL}


@dataclass(frozen=True)
class City:
    """A hub's folder that is filled, and its tokens by name."""

    settings: Settings
    tokens: dict[str, str]
    files: dict[str, str]


def build(folder: Path) -> City:
    """Fill a hub's folder with datasets, latest values, files, feeds and tokens."""
    settings = Settings(data_dir=folder, site_url="https://daten.musterstadt.example", site_contact="daten@musterstadt.example")
    catalog = Catalog(settings.database)
    catalog.migrate()
    store = Store(settings.lake, settings.data_dir)
    files = {name: _dataset(settings, catalog, store, name) for name in DATASETS}
    for name, table in {TREES: trees(), BUDGET: budget()}.items():
        version(settings, catalog, store, name, table)
    store.close()
    _feeds(settings, catalog)
    tokens = _tokens(catalog)
    catalog.close()
    return City(settings, tokens, files)


def described(name: str) -> Dataset:
    """The words of one of the city's datasets."""
    veiled = {column: ColumnWords(access=access) for column, access in VEILED.items()} if name == VEILED_METERS else {}
    return Dataset(
        name=name,
        kind=KINDS.get(name, Kind.TIMESERIES),
        metadata=Metadata(
            title=f"Messwerte {name}",
            title_en=f"Observations {name}",
            description="Erfundene Messwerte für Tests",
            license="dl-de-by-2.0",
            publisher=Publisher(name="umweltamt", title="Umweltamt Musterstadt"),
            contact=Contact(name="Umweltamt", email="umwelt@musterstadt.example"),
            themes=("ENVI",),
            keywords=("Luft", name),
            access=DATASETS.get(name, AccessClass.PUBLIC),
            columns=veiled,
        ),
    )


def rows(name: str) -> pa.Table:
    """Hourly observations of each thing and property; the things' names and parameters are secrets."""
    made = []
    for hour in range(HOURS):
        for place, thing in enumerate(THINGS):
            for number, observed in enumerate(PROPERTIES):
                made.append(
                    {
                        "thing": thing,
                        "observed_property": observed,
                        "phenomenon_time": BEGIN + timedelta(hours=hour),
                        "result": float(hour % 24 + place + 10 * number),
                        "unit": ("ug/m3", "Cel")[number],
                        "thing_name": f"{SECRET} {thing}" if name == VEILED_METERS else f"Station {thing}",
                        "longitude": 7.6 + place / 10,
                        "latitude": 51.9 + place / 10,
                        "parameters": f'{{"note":"{SECRET}"}}' if name == VEILED_METERS else '{"battery":3.5}',
                        "received_time": BEGIN + timedelta(hours=hour, seconds=5),
                    }
                )
    return pa.Table.from_pylist(made, schema=OBSERVATIONS_IN)


def _dataset(settings: Settings, catalog: Catalog, store: Store, name: str) -> str:
    dataset, table = described(name), rows(name)
    store.ensure(dataset)
    appended = store.append(name, f"{name}-feed", 1, table)
    counts = Counts(received=table.num_rows, stored=appended.stored)
    store.commit(name, {f"{name}-feed": Progress(1, counts)})
    catalog.remember(name, appended.fresh)
    body = b"thing,result\r\n" + b"\r\n".join(f"{thing},{number}".encode() for number in range(1000) for thing in THINGS)
    digest = sha256(body).hexdigest()
    file = f"{name}-{digest[:12]}.csv"
    folder = settings.data_dir / "distributions" / name
    folder.mkdir(parents=True)
    (folder / file).write_bytes(body)
    published = Distribution("csv", f"/distributions/{name}/{name}.csv", title="CSV", size=len(body), sha256=digest, modified=END)
    extent = Extent(
        rows=table.num_rows, first_time=BEGIN.isoformat(), last_time=END.isoformat(), bbox=(7.6, 51.9, 7.8, 52.1), datastreams=6, things=3
    )
    catalog.publish(dataset, TIMESERIES_COLUMNS, extent, [published], f"{name}-feed")
    return f"{name}.csv"


def trees() -> pa.Table:
    """Three hundred trees in a row, each a point with its species."""
    made = [
        {
            "id": f"tree-{number:03d}",
            "geometry": shapely.to_wkb(shapely.Point(7.5 + number / 1000, 51.9)),
            "properties": orjson.dumps({"species": ("Linde", "Eiche")[number % 2], "height": 5.5 + number % 20}).decode(),
        }
        for number in range(300)
    ]
    return pa.Table.from_pylist(made, schema=FEATURES_IN)


def budget() -> pa.Table:
    """Sums by year."""
    return pa.table({"year": list(range(2000, 2026)), "amount": [number * 1.5 for number in range(26)], "day": [date(2026, 1, 1)] * 26})


def version(settings: Settings, catalog: Catalog, store: Store, name: str, table: pa.Table) -> None:
    dataset = described(name)
    store.ensure(dataset)
    store.replace(name, f"{name}-feed", table, Progress(1, Counts(received=table.num_rows, stored=table.num_rows)))
    columns = Reader(settings.lake, settings.data_dir).columns(name)
    catalog.publish(dataset, columns, Extent(rows=table.num_rows), [], f"{name}-feed")


PUSH_FEED = """
id = "air-push"
title = "Luft, gesendet"
dataset = "air"
decoder = "json_table"
[source]
type = "push"
max_bytes = 1000
"""


def _feeds(settings: Settings, catalog: Catalog) -> None:
    settings.feeds.mkdir()
    (settings.feeds / "air-push.toml").write_text(PUSH_FEED, "utf-8")
    (settings.feeds / "broken.toml").write_text("id = ", "utf-8")
    catalog.note_feed(
        "air-push", title="Luft, gesendet", dataset=PUBLIC_AIR, source="push", counts=Counts(received=10, stored=9, rejected=1)
    )
    catalog.note_feed("air-feed", title="Luft", dataset=PUBLIC_AIR, source="mqtt", source_state={"url": SECRET})
    run = catalog.start_run("air-feed")
    catalog.end_run(run, Counts(received=3, stored=3), None)


def _tokens(catalog: Catalog) -> dict[str, str]:
    return {
        "reader": catalog.create_token("reader", Role.READER),
        "analyst": catalog.create_token("analyst", Role.ANALYST),
        "publisher": catalog.create_token("publisher", Role.PUBLISHER),
        "operator": catalog.create_token("operator", Role.OPERATOR),
        "scoped": catalog.create_token("scoped", Role.READER, datasets=[RESTRICTED_CAMERAS]),
        "columns": catalog.create_token("columns", Role.ANALYST, columns=["thing", "phenomenon_time", "result"]),
        "noise-publisher": catalog.create_token("noise-publisher", Role.PUBLISHER, datasets=[INTERNAL_NOISE]),
        "expired": catalog.create_token("expired", Role.ADMIN, expires=datetime(2020, 1, 1, tzinfo=UTC)),
    }


@contextmanager
def served(app: FastAPI, port: int = 0) -> Iterator[str]:
    """The address of the app, served by uvicorn on this port of this machine, or on a free one, until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, **UVICORN))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert thread.is_alive(), "the server ended before it began"
        assert time.monotonic() < deadline, "the server did not start within 20 s"
        thread.join(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


@contextmanager
def client(address: str, token: str | None = None) -> Iterator[httpx.Client]:
    """A client with this token, or with none."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with httpx.Client(base_url=address, headers=headers, timeout=30) as one:
        yield one
