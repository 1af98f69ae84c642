"""A city to look at: air with a week of values, trees and districts, opening hours, an empty dataset, feeds in every state."""

import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import shapely

from stadthub_catalog.alarms import Message
from stadthub_catalog.backfills import Backfill
from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import Distribution
from stadthub_lake.lake import Lake
from stadthub_lake.rawlog import RawLog
from stadthub_lake.snapshot import Reader
from stadthub_lake.storage import local_folder
from stadthub_lake.store import Progress, Store
from stadthub_pipelines.datastore.fields import Field
from stadthub_pipelines.datastore.tables import replace_table
from stadthub_schemas.access import Role
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Contact, Dataset, Kind, Metadata, Publisher
from stadthub_schemas.finding import Held, Severity
from stadthub_schemas.rows import FEATURES_IN, OBSERVATIONS_IN, REJECTS
from stadthub_schemas.settings import Settings
from tests.catalog.test_documents import RESOURCE, write
from tests.portal import harvest_city, wlan_city

AIR, TREES, DISTRICTS, HOURS, EMPTY, HIDDEN = "air-quality", "trees", "districts", "opening-hours", "water-levels", "cameras"
VEILED = "meters"
#: Written through CKAN's API: only addresses.
LINKS = "bauplaene"
WLAN = "wlan"
#: Stands in a column that nobody may see.
SECRET = "streng-geheim"
THINGS = 24
NOW = datetime.now(UTC).replace(microsecond=0)
PROPERTIES = {"pm10": ("ug/m3", 18.0), "air_temperature": ("Cel", 9.0)}

UMWELT = Publisher(name="umweltamt", title="Umweltamt Musterstadt")
VERKEHR = Publisher(name="tiefbauamt", title="Tiefbauamt Musterstadt")


@dataclass(frozen=True)
class City:
    """A hub's folder that is filled, and the operator's token."""

    settings: Settings
    token: str
    reader_token: str


def build(folder: Path) -> City:
    """Fill a hub's folder."""
    settings = Settings(data_dir=folder, site_title="Musterstadt", site_contact="daten@musterstadt.example", min_free_mb=0)
    catalog = Catalog(settings.database)
    catalog.migrate()
    store = Store(settings.lake, settings.data_dir)
    store.ensure(_described(AIR, Kind.TIMESERIES))
    appended = store.append(AIR, "air", 1, _air())
    store.commit(AIR, {"air": Progress(1, Counts(received=appended.stored, stored=appended.stored))})
    catalog.remember(AIR, appended.fresh)
    store.ensure(_described(EMPTY, Kind.TIMESERIES))
    store.ensure(_described(HIDDEN, Kind.TIMESERIES))
    store.ensure(_described(VEILED, Kind.TIMESERIES))
    veiled = store.append(VEILED, VEILED, 1, _veiled())
    store.commit(VEILED, {VEILED: Progress(1, Counts(received=veiled.stored, stored=veiled.stored))})
    catalog.remember(VEILED, veiled.fresh)
    store.ensure(_described(WLAN, Kind.TIMESERIES))
    counted = store.append(WLAN, WLAN, 1, _wlan())
    store.commit(WLAN, {WLAN: Progress(1, Counts(received=counted.stored, stored=counted.stored))})
    catalog.remember(WLAN, counted.fresh)
    for name, kind, rows in ((TREES, Kind.FEATURES, _trees()), (DISTRICTS, Kind.FEATURES, _districts()), (HOURS, Kind.TABLE, _hours())):
        store.ensure(_described(name, kind))
        store.replace(name, name, rows, Progress(1, Counts(received=rows.num_rows, stored=rows.num_rows)))
    wlan_city.fill(store)
    store.reject("air", 2, _rejects())
    store.commit(AIR, {"air": Progress(2, Counts(received=appended.stored + 3, stored=appended.stored, rejected=3))})
    store.close()
    reader = Reader(settings.lake, settings.data_dir)
    lake = Lake(reader)
    for name, kind in (
        (AIR, Kind.TIMESERIES),
        (EMPTY, Kind.TIMESERIES),
        (HIDDEN, Kind.TIMESERIES),
        (VEILED, Kind.TIMESERIES),
        (WLAN, Kind.TIMESERIES),
        (TREES, Kind.FEATURES),
        (DISTRICTS, Kind.FEATURES),
        (HOURS, Kind.TABLE),
    ):
        file = Distribution("csv", f"/distributions/{name}/{name}.csv", title="CSV", size=123_456, sha256="0" * 64, modified=NOW)
        catalog.publish(_described(name, kind), reader.columns(name), lake.extent(name), [file] if name == AIR else [], name)
    for name in wlan_city.TABLES:
        catalog.publish(wlan_city.described(name), reader.columns(name), lake.extent(name), [], name)
    lake.close()
    plans = str(uuid4())
    write(catalog, LINKS, title="Bebauungspläne", resources=[{**RESOURCE, "id": plans, "datastore_active": True}])
    pushed = pa.table({"nr": pa.array([1, 2], pa.int32()), "plan": ["Am Bach", None]})
    replace_table(local_folder(settings.lake), plans, (Field("nr", "int4"), Field("plan", "text")), [pushed])
    harvest_city.fill(catalog)
    _feeds(catalog, appended.stored)
    _quarantine(settings, catalog)
    city = City(settings, catalog.create_token("Leitwarte", Role.OPERATOR), catalog.create_token("leser", Role.READER))
    catalog.close()
    return city


#: The words of each dataset: German title, English title, description, publisher, licence, themes, keywords, frequency.
WORDS: dict[str, dict[str, Any]] = {
    AIR: {
        "title": "Luftqualität",
        "title_en": "Air quality",
        "description": "Feinstaub und Lufttemperatur an 24 Messstellen.\n\nDie Werte kommen alle 15 Minuten über LoRaWAN.",
        "description_en": "Particulate matter and air temperature at 24 stations.",
        "themes": ("ENVI", "HEAL"),
        "keywords": ("Luft", "Feinstaub", "LoRaWAN"),
        "update_frequency": "15MIN",
        "simulated": True,
        "attribution": "Umweltamt Musterstadt, Luftmessnetz",
        "release": {"by": "Leitung Umweltamt", "date": "2026-01-02", "legal_basis": "§ 12a EGovG", "reference": "UA-17/2026"},
    },
    EMPTY: {
        "title": "Wasserstände",
        "title_en": "Water levels",
        "description": "Pegel an der Muster.",
        "themes": ("ENVI",),
        "update_frequency": "5MIN",
    },
    HIDDEN: {"title": "Kameras", "description": "Nur für Befugte.", "themes": ("TRAN",), "access": "restricted"},
    VEILED: {
        "title": "Zähler",
        "description": "Zähler ohne ihre Namen und Orte.",
        "themes": ("ENER",),
        "columns": {name: {"access": "restricted"} for name in ("thing_name", "longitude")},
    },
    WLAN: {
        "title": "WLAN",
        "title_en": "Public WLAN",
        "description": "Wie viele Geräte das öffentliche WLAN benutzen.",
        "themes": ("TECH",),
        "retention": "P365D",
        "update_frequency": "15MIN",
        "privacy": {
            "purpose": "Auslastung planen",
            "purpose_en": "Planning for load",
            "legal_basis": "Art. 6 (1) e DSGVO",
            "assessment_url": "https://musterstadt.example/dsfa",
        },
    },
    TREES: {
        "title": "Bäume",
        "title_en": "Trees",
        "description": "Das Baumkataster der Stadt mit <Art> & Pflanzjahr.",
        "themes": ("ENVI",),
        "keywords": ("Bäume",),
        "license": "dl-de-zero-2.0",
        "columns": {"height": {"title": "Höhe", "title_en": "Height", "unit": "m"}, "species": {"title": "Art", "title_en": "Species"}},
    },
    DISTRICTS: {"title": "Stadtteile", "title_en": "Districts", "description": "Die Grenzen der Stadtteile.", "themes": ("REGI",)},
    HOURS: {"title": "Öffnungszeiten", "title_en": "Opening hours", "description": "Wann die Ämter offen haben.", "themes": ("GOVE",)},
}


def _described(name: str, kind: Kind) -> Dataset:
    words = {
        "license": "dl-de-by-2.0",
        "publisher": VERKEHR if name == TREES else UMWELT,
        "contact": Contact(name="Geodatenstelle", email="daten@musterstadt.example"),
        **WORDS[name],
    }
    return Dataset(name=name, kind=kind, metadata=Metadata.model_validate(words))


def _air() -> pa.Table:
    """A week of values every quarter of an hour for some things, the last one a minute ago."""
    rows = []
    for number in range(THINGS):
        for place, (observed, (unit, mean)) in enumerate(PROPERTIES.items()):
            for step in range(0, 7 * 24 * 4, 1 if number < 4 else 8):
                time = NOW - timedelta(minutes=1 + 15 * step)
                wave = math.sin(time.timestamp() / 86_400 * 2 * math.pi + number / 5) + math.sin(time.timestamp() / 9_000) / 4
                rows.append(
                    {
                        "thing": f"luft-{number:02}",
                        "thing_name": f"Musterstraße {number + 1}",
                        "observed_property": observed,
                        "phenomenon_time": time,
                        "result": round(mean + (8 - 2 * place) * wave, 1),
                        "unit": unit,
                        "longitude": 10.0 + 0.012 * (number % 6),
                        "latitude": 51.0 + 0.009 * (number // 6),
                        "received_time": time + timedelta(seconds=2),
                    }
                )
    return pa.Table.from_pylist(rows, schema=OBSERVATIONS_IN)


def _veiled() -> pa.Table:
    """Two values, newer than any other, of a thing whose name and place nobody may see."""
    row = {
        "thing": "zaehler-1",
        "thing_name": SECRET,
        "observed_property": "electric_power",
        "unit": "kW",
        "longitude": 8.12345,
        "latitude": 50.0,
        "received_time": NOW,
    }
    return pa.Table.from_pylist(
        [{**row, "phenomenon_time": NOW - timedelta(seconds=number), "result": 3.0 + number} for number in range(2)], schema=OBSERVATIONS_IN
    )


def _wlan() -> pa.Table:
    """Counts at two access points in different hands: one above k, one below."""
    rows = [
        {
            "thing": f"Rathaus {place}/EG",
            "observed_property": "wifi_clients",
            "phenomenon_time": NOW - timedelta(days=1, minutes=15),
            "result": float(count),
            "unit": "{count}",
            "longitude": 10.0,
            "latitude": 51.0,
            "received_time": NOW,
        }
        for place, count in enumerate((23, 3))
    ]
    return pa.Table.from_pylist(rows, schema=OBSERVATIONS_IN)


def _trees() -> pa.Table:
    species = ("Linde", "Eiche", "Ahorn", "Kastanie")
    return _features(
        (
            f"B{number:04}",
            shapely.Point(10.0 + 0.001 * (number % 70), 51.0 + 0.003 * (number % 13)),
            {"species": species[number % 4], "height": 5 + number % 20, "protected": number % 7 == 0},
        )
        for number in range(300)
    )


def _districts() -> pa.Table:
    return _features(
        (
            f"{row}{column}",
            shapely.box(9.99 + 0.03 * column, 50.99 + 0.02 * row, 10.02 + 0.03 * column, 51.01 + 0.02 * row),
            {"name": f"Stadtteil {row}{column}", "inhabitants": 4000 + 100 * row},
        )
        for row in range(3)
        for column in range(3)
    )


def _features(items: Any) -> pa.Table:
    return pa.Table.from_pylist(
        [{"id": name, "geometry": shapely.to_wkb(shape), "properties": json.dumps(words)} for name, shape, words in items],
        schema=FEATURES_IN,
    )


def _hours() -> pa.Table:
    days = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag")
    return pa.table(
        {"office": ["Bürgeramt"] * 5 + ["Standesamt"] * 5, "weekday": [*days, *days], "hours": pa.array([8.0, 8.0, 4.5, 10.0, 6.0] * 2)}
    )


def _rejects() -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "position": 2,
                "row": number,
                "received_time": NOW,
                "reason": f"result: {900 + number // 2} is outside 0..500 (pm10)",
                "excerpt": '{"thing": "luft-99", "result": 901}',
            }
            for number in range(3)
        ]
        + [
            {
                "position": 2,
                "row": 3 + number,
                "received_time": NOW,
                "reason": f"phenomenon_time: 2099-01-0{1 + number}T00:00:00Z lies 2 days ahead",
                "excerpt": '{"thing": "luft-98"}',
            }
            for number in range(2)
        ],
        schema=REJECTS,
    )


#: A feed file with a comment, that a page of the operator may add a line to.
HOURS_FILE = """# Amt für Bürgerdienste
id = "opening-hours"
title = "Öffnungszeiten"
dataset = "opening-hours"
kind = "table"
decoder = "csv_table"
contract = "quarantine"

[source]
type = "http"
url = "https://aemter.example/zeiten.csv"
"""


def _quarantine(settings: Settings, catalog: Catalog) -> None:
    """A payload of the opening hours whose column has a new name, in raw log and catalogue."""
    settings.feeds.mkdir(parents=True, exist_ok=True)
    (settings.feeds / f"{HOURS}.toml").write_text(HOURS_FILE, "utf-8")
    log = RawLog(settings.data_dir / "raw" / HOURS)
    body = "office,weekday,Stunden <neu>\nBürgeramt,Montag,<b>8</b>\nStandesamt,Montag,10\n".encode()
    log.append([(NOW, "https://aemter.example/zeiten.csv", one) for one in (b"office,weekday,hours\n", body)])
    log.sync()
    log.close()
    details = {"before": "hours", "now": "Stunden <neu>", "path": "Stunden <neu>"}
    difference = {"kind": "column_renamed", "subject": "hours", "severity": "warning", "details": details}
    reason = "column 'hours' is missing, 'Stunden <neu>' may be its new name"
    catalog.hold(Held(HOURS, 2, NOW, "https://aemter.example/zeiten.csv", reason, 2, len(body), [difference]))
    catalog.note_finding(HOURS, "column_renamed", "hours", Severity.WARNING, details)
    catalog.note_finding(HOURS, "spelling_variant", "Bürgeramt", Severity.WARNING, {"spellings": ["Bürgeramt", "Buergeramt"]})
    catalog.note_finding(HOURS, "quarantine", "payloads", Severity.ERROR, {"reason": reason})


def _feeds(catalog: Catalog, stored: int) -> None:
    counts = Counts(received=stored + 3, stored=stored, rejected=3)
    catalog.note_feed(
        "air",
        title="Luftmessnetz",
        dataset=AIR,
        source="mqtt",
        connected=True,
        last_message_time=NOW,
        last_commit_time=NOW,
        lag_seconds=0.4,
        rate_per_minute=96.0,
        frames_received=970,
        frames_missing=30,
        frames_restarts=2,
        counts=counts,
    )
    catalog.note_feed(
        "trees",
        title="Baumkataster",
        dataset=TREES,
        source="http",
        last_message_time=NOW,
        next_run_time=NOW + timedelta(hours=1),
        counts=Counts(300, 300),
    )
    catalog.note_feed(
        "parking",
        title="Parkhäuser",
        source="http",
        wrong="parking.toml: source.url: Field required\nparking.toml: sorce: there is no such key: did you mean source?",
    )
    catalog.note_feed(
        "bikes",
        title="Radzählung",
        source="http",
        error="https://zaehler.example/: timed out",
        counts=Counts(100, 40, 0, 60, 0),
        last_message_time=NOW - timedelta(hours=3),
    )
    catalog.note_feed("noise", title="Lärm", source="mqtt", connected=False, paused=True, counts=Counts(10, 5))
    catalog.note_feed(
        HOURS,
        title="Öffnungszeiten",
        dataset=HOURS,
        source="http",
        last_message_time=NOW,
        counts=Counts(22, 10, 10, 2),
        quarantine="column 'hours' is missing, 'Stunden <neu>' may be its new name",
    )
    for error in (None, "https://zaehler.example/: timed out"):
        run = catalog.start_run("bikes")
        catalog.end_run(run, Counts(50, 20, 0, 30, 0), error)
    _watched(catalog)


def _watched(catalog: Catalog) -> None:
    """Something that was noticed and something that is over, an alarm that was told and one that was not, history under way."""
    catalog.note_finding("bikes", "source_error", "zaehler.example", Severity.ERROR, {"error": "https://zaehler.example/: timed out"})
    catalog.note_finding("trees", "rejects", "", Severity.WARNING, {"received": 300, "rejected": 60})
    catalog.note_finding("", "disk", "", Severity.WARNING, {"free_mb": 900, "floor_mb": 500})
    catalog.note_finding("air", "silent", "", Severity.ERROR, {"every_seconds": 600.0, "last": NOW.isoformat()})
    catalog.resolve_finding("air", "silent")
    told = Message("", "1: E-Mail", "[Musterstadt] Störung: bikes", "…", Severity.ERROR, NOW)
    catalog.tell(
        [], [replace(told, delivered=NOW, attempts=1), replace(told, next_attempt=NOW, error="1: E-Mail did not take the message")]
    )
    number = catalog.want_backfill(Backfill(0, "air", NOW - timedelta(days=30), NOW, step_seconds=86_400.0)).id
    catalog.note_backfill(number, state="running", done=12, total=30, counts=Counts(1200, 1190, 0, 10, 0))
