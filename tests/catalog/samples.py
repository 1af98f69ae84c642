"""Datasets and rows for tests."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from stadthub_catalog import Catalog, Distribution
from stadthub_schemas.dataset import Column, ColumnType, Contact, Dataset, Extent, Kind, Metadata, Publisher
from stadthub_schemas.rows import OBSERVATIONS_IN

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

MUSTERSTADT = Publisher(name="musterstadt", title="Stadt Musterstadt", description="Die Stadt")

COLUMNS = (
    Column(name="art", type=ColumnType.TEXT, title="Baumart", title_en="Species"),
    Column(name="hoehe", type=ColumnType.NUMBER, title="Höhe", unit="m"),
)

CSV = Distribution(format="csv", url="/distributions/baeume/baeume.csv", title="CSV", size=100, sha256="a" * 64)
GEOJSON = Distribution(format="geojson", url="/distributions/baeume/baeume.geojson", title="GeoJSON", size=300, sha256="b" * 64)


def dataset(name: str = "baeume", **words: Any) -> Dataset:
    """A dataset with good words; any of its metadata may be given."""
    metadata: dict[str, Any] = {
        "title": "Bäume der Stadt",
        "description": "Alle Straßenbäume mit Art und Höhe",
        "license": "dl-de-by-2.0",
        "publisher": MUSTERSTADT,
        "contact": Contact(name="Grünflächenamt", email="gruen@musterstadt.example"),
        "themes": ("ENVI",),
        "keywords": ("Baum", "Stadtgrün"),
    }
    return Dataset(name=name, kind=Kind.FEATURES, metadata=Metadata(**(metadata | words)))


def publish(catalog: Catalog, name: str = "baeume", distributions: Sequence[Distribution] = (CSV, GEOJSON), **words: Any) -> None:
    """Put a dataset into the catalogue."""
    extent = Extent(rows=3, bbox=(7.0, 51.0, 7.5, 51.5), first_time="2026-01-01T00:00:00Z", last_time="2026-02-01T00:00:00Z")
    own = tuple(Distribution(one.format, one.url.replace("baeume", name), one.title, one.size, one.sha256) for one in distributions)
    catalog.publish(dataset(name, **words), COLUMNS, extent, own, name)


def rows(*minutes: int, thing: str = "t1", **words: Any) -> pa.Table:
    """Observations of one datastream; the result is the minute."""
    return pa.Table.from_pylist(
        [
            {
                "thing": thing,
                "observed_property": "air_temperature",
                "phenomenon_time": START + timedelta(minutes=minute),
                "result": float(minute),
                "received_time": START + timedelta(days=1),
                **words,
            }
            for minute in minutes
        ],
        schema=OBSERVATIONS_IN,
    )
