"""The WLAN of the city to look at: use of two sites and a line, outages, and what its access points cost and bring."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from stadthub_lake.store import Progress, Store
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Contact, Dataset, Kind, Lineage, Metadata, Publisher

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
#: A count that nobody but the city's own people may see; it stands nowhere else.
SMALL = 3.25
PRIVACY = {"purpose": "Auslastung", "legal_basis": "Art. 6 (1) e DSGVO"}
LOAD = {
    **PRIVACY,
    "counts": ("mean_clients", "most_clients"),
    "smallest": "smallest_count",
    "plain": ("observations", "longitude", "latitude"),
}


def _use() -> pa.Table:
    rows = []
    for weekday in range(1, 8):
        for hour in range(24):
            busy = 8 <= hour < 20
            rows.append(_load({"site": "Rathaus", "weekday": weekday, "hour": hour}, 10.5 + hour if busy else SMALL, 5 if busy else 0))
            rows.append(_load({"site": "Waldbad", "weekday": weekday, "hour": hour}, SMALL, 1))
    return pa.Table.from_pylist(rows)


def _load(key: dict[str, Any], mean: float, smallest: int) -> dict[str, Any]:
    place = {"Rathaus": (10.01, 51.0), "Waldbad": (10.03, 51.01), "Markt": (10.02, 51.005)}[key.get("site") or key["stop"]]
    return {
        **key,
        "mean_clients": mean,
        "most_clients": mean * 2,
        "smallest_count": float(smallest),
        "observations": 32,
        "longitude": place[0],
        "latitude": place[1],
        "quality": None,
    }


def _lines() -> pa.Table:
    rows = [_load({"line": "4", "stop": "Markt", "hour": hour}, 31.5, 9) for hour in range(6, 22)]
    return pa.Table.from_pylist(rows)


def _outages() -> pa.Table:
    begin = NOW - timedelta(days=1)
    rows = [
        {"access_point": "Rathaus 1", "reason": "off", "start_time": begin, "end_time": begin + timedelta(hours=2), "minutes": 120.0},
        {"access_point": "Waldbad 1", "reason": "silent", "start_time": NOW, "end_time": None, "minutes": 30.0},
    ]
    return pa.Table.from_pylist(rows)


def _worth() -> pa.Table:
    rows = [
        ("Rathaus 1", "2026-11", "Rathaus", 812.5, 30.0, 30 / 812.5, 1, 6),
        ("Waldbad 1", "2026-11", "Waldbad", 4.5, 45.0, 10.0, 2, 1),
        ("Museum 1", "2026-11", None, 99.0, None, None, None, 7),
        ("Rathaus 1", "2026-10", "Rathaus", 700.0, 30.0, 30 / 700, 1, 6),
    ]
    names = ("access_point", "month", "site", "client_hours", "monthly_cost", "cost_per_client_hour", "place", "smallest_count")
    return pa.Table.from_pylist([{**dict(zip(names, row, strict=True)), "gigabytes": 12.5, "days": 20, "quality": None} for row in rows])


TABLES = {"wlan-use": _use, "wlan-line-load": _lines, "wlan-outages": _outages, "wlan-worth": _worth}
WORDS: dict[str, dict[str, Any]] = {
    "wlan-use": {"title": "Nutzung des WLANs", "title_en": "Use of the Wi-Fi", "privacy": LOAD},
    "wlan-line-load": {"title": "Auslastung der Linien", "privacy": LOAD},
    "wlan-outages": {"title": "Ausfälle des WLANs", "privacy": {**PRIVACY, "plain": ("minutes",)}},
    "wlan-worth": {"title": "Nutzen des WLANs", "access": "internal", "privacy": {**PRIVACY, "smallest": "smallest_count"}},
}


def described(name: str) -> Dataset:
    """One of the datasets of the models."""
    words = {
        "description": "Simuliert.",
        "license": "cc0-1.0",
        "themes": ("TECH",),
        "publisher": Publisher(name="umweltamt", title="Umweltamt Musterstadt"),
        "contact": Contact(name="Geodatenstelle", email="daten@musterstadt.example"),
        **WORDS[name],
    }
    return Dataset(
        name=name,
        kind=Kind.TABLE,
        metadata=Metadata.model_validate(words),
        key=("weekday", "hour", "site") if name == "wlan-use" else ("hour",) if name == "wlan-line-load" else (),
        lineage=Lineage(inputs=("wlan", "cameras") if name == "wlan-worth" else ("air-quality",), sql="SELECT 1 AS one FROM nothing"),
    )


def fill(store: Store) -> None:
    """Write the tables."""
    for name, make in TABLES.items():
        rows = make()
        store.ensure(described(name))
        store.replace(name, name, rows, Progress(1, Counts(received=rows.num_rows, stored=rows.num_rows)))
