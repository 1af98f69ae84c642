"""How fast the catalogue answers with many datasets: search with facets, one dataset, a page, and the index built from nothing.

    python -m tests.benchmarks.bench_catalogue [--datasets 10000] [--rounds 300] [--create 1000]

Writes datasets with three resources each into a state database of its own, as CKAN's API would. Each figure is one action with its
answer as JSON, in this process, without HTTP: CKAN 2.12.0 was measured so too (2 cores, PostgreSQL 15, without the way to Solr),
with its catalogue of 100 datasets. The second half asks a hub over HTTP, also for its pages of RDF.
"""

import argparse
import random
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson

from stadthub_catalog import Catalog
from stadthub_catalog.actions import call
from stadthub_catalog.datasets import Written
from stadthub_catalog.entry import Organization, State
from stadthub_catalog.site import Site
from stadthub_schemas.access import ANYBODY, Principal, Role
from stadthub_schemas.settings import Settings
from tests.benchmarks import catalogue_served

SITE = Site(title="Benchmark", url="https://hub.example")

#: As many datasets are written in one transaction.
PART = 1000

_SUBJECTS = """Abfall Ampel Baum Bebauung Bibliothek Brücken Bürger Denkmal Einwohner Energie Fahrrad Feuerwehr Friedhof Gewässer Grünflächen
Haltestellen Haushalt Kindergarten Klima Kultur Ladesäulen Lärm Luft Markt Miet Müll Museum Park Pegel Radwege Rathaus Regen Schul Senioren
Spielplatz Sport Stadtrat Straßen Strom Tourismus Trinkwasser Umwelt Unfall Verkehr Wahl Wald Wasser Wetter Wohnungs Zensus"""
SUBJECTS = _SUBJECTS.split()
_KINDS = """kataster karte liste statistik plan zählung messwerte standorte verzeichnis bericht daten bestand entwicklung übersicht
ergebnisse"""
KINDS = _KINDS.split()
PLACES = [f"{first}{last}" for first in ("Nord", "Süd", "West", "Ost", "Alt", "Neu") for last in ("stadt", "dorf", "heim", "feld", "hafen")]
_FILLERS = """Datensatz enthält alle Angaben für Stadt wird jährlich aktualisiert Grundlage sind amtliche Erhebungen Werte beziehen sich auf
Stichtag räumliche Gliederung folgt Bezirken Quellen stehen Metadaten Hinweise Nutzung Zeitreihe seit Messung Standort Koordinaten"""
FILLERS = _FILLERS.split()
FORMATS = (("CSV", "GeoJSON", "WMS"), ("CSV", "XLSX", "PDF"), ("JSON", "Parquet", "ZIP"))
LICENSES = ("dl-de-by-2.0", "dl-de-zero-2.0", "cc-by-4.0", "cc0-1.0")
FACETS = '["organization","groups","tags","res_format","license_id"]'

#: One search after the other: words, fields, filters, everything.
SEARCHES: tuple[dict[str, str], ...] = (
    {"q": "baumkataster"},
    {"q": "Radwege Nordstadt"},
    {"q": "strassen"},
    {"q": "Verkehrszählung"},
    {"q": "spielplaz"},
    {"q": "*:*"},
    {"q": "title:Wasser OR title:Energie", "fq": "res_format:CSV"},
    {"q": "Statistik", "fq": "groups:envi organization:amt-3"},
    {"q": "*:*", "fq": "metadata_modified:[NOW-30DAYS TO *]", "sort": "metadata_modified desc"},
    {"q": "daten der stadt", "sort": "title_string asc"},
)


def main() -> None:
    """Print the figures, beside those of CKAN."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datasets", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--create", type=int, default=1000, help="how many datasets are made one by one")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = Settings(data_dir=Path(folder)).database
        seconds = _fill(url, asked.datasets)
        print(f"{asked.datasets} datasets with 3 resources written in {seconds:.1f} s = {asked.datasets / seconds:.0f}/s  (CKAN: 10-18/s)")
        before = _resident()
        catalog = Catalog(url)
        started, began = time.perf_counter(), time.process_time()
        names = [entry.name for entry in catalog.entries()]
        took = f"{time.perf_counter() - started:.1f} s ({time.process_time() - began:.1f} s of the processor)"
        print(f"read and indexed from nothing: {took}, {_resident() - before:.0f} MB")
        _measure(catalog, names, asked.rounds)
        _create_here(catalog, asked.create)
        catalog.close()
        packages = [_package(number, f"ueber-http-{number}") for number in range(asked.create)]
        searches = [{**one, "facet.field": FACETS} for one in SEARCHES]
        catalogue_served.measure(Path(folder), names, searches, packages, asked.rounds)


def _create_here(catalog: Catalog, count: int) -> None:
    """Make datasets one by one, each with all checks, its note and its entry of the audit, on disk before the next."""
    admin = Principal("bench", Role.ADMIN)
    said = [_package(number, f"einzeln-{number}") for number in range(count)]
    started = time.perf_counter()
    for one in said:
        call(catalog, "package_create", one, admin, SITE)
    seconds = time.perf_counter() - started
    print(f"package_create, one by one: {count} in {seconds:.1f} s = {count / seconds:.0f}/s   CKAN 10-18/s", flush=True)
    started = time.perf_counter()
    for number in range(100):
        catalog.record("bench", "bench.nothing", str(number))
    print(f"  of which the disk: {(time.perf_counter() - started) * 10:.1f} ms for one small durable transaction", flush=True)


def _package(number: int, name: str) -> dict[str, Any]:
    """A dataset as it is said to package_create."""
    document = _dataset(number, UUID(int=0), random.Random(number)).document
    computed = ("creator_user_id", "groups", "resources", "tags")
    return {
        **{key: value for key, value in document.items() if key not in computed},
        "name": name,
        "owner_org": f"amt-{number % 30}",
        "groups": [{"name": one} for one in document["groups"]],
        "tags": [{"name": one["name"]} for one in document["tags"]],
        "resources": [{key: one[key] for key in ("url", "name", "format", "description", "size")} for one in document["resources"]],
    }


def _measure(catalog: Catalog, names: list[str], rounds: int) -> None:
    def search(number: int) -> Any:
        return call(catalog, "package_search", {**SEARCHES[number % len(SEARCHES)], "facet.field": FACETS}, ANYBODY, SITE)

    def changed(number: int) -> Any:
        entry = catalog.entry(names[number % len(names)])
        document = {**(entry.document or {}), "title": f"Neuer Titel{number} nach Änderung"}
        catalog.write(Written(entry.id, entry.name, entry.organization.id, State.ACTIVE, document, entry.created, datetime.now(UTC)))
        return search(number)

    figures: dict[str, tuple[Callable[[int], Any], str]] = {
        "package_search, 5 facets": (search, "about 1000 ms for 1000 rows"),
        "the same after a change": (changed, ""),
        "package_search, 100 rows": (lambda number: call(catalog, "package_search", {"rows": 100, "start": number}, ANYBODY, SITE), ""),
        "package_show": (lambda number: call(catalog, "package_show", {"id": names[number % len(names)]}, ANYBODY, SITE), "10.6-26 ms"),
        "list of 100 with facets": (
            lambda number: catalog.search("", principal=ANYBODY, limit=100, offset=number).facets,
            "395-750 ms as RDF",
        ),
        "proposals for a typo": (lambda number: catalog.proposals("Fahradzählstelllen Nordstatd", ANYBODY), ""),
    }
    print(f"{'':28} {'p50 ms':>8} {'p95 ms':>8} {'processor':>9} {'p95':>8}   CKAN 2.12.0")
    for name, (ask, theirs) in figures.items():
        clock, processor = _timed(ask, rounds if ask is not changed else 20)
        late = int(len(clock) * 0.95)
        said = (clock[len(clock) // 2], clock[late], processor[len(clock) // 2], processor[late])
        print(f"{name:28} {said[0]:>8.2f} {said[1]:>8.2f} {said[2]:>9.2f} {said[3]:>8.2f}   {theirs}", flush=True)
    for number, asked in enumerate(SEARCHES):
        _, processor = _timed(partial(_again, search, number), 20)
        print(f"  {' '.join(asked.values())[:60]:60} {processor[10]:>8.2f} ms of the processor")


def _again(ask: Callable[[int], Any], number: int, _: int) -> Any:
    """The same question, whichever round it is."""
    return ask(number)


def _timed(ask: Callable[[int], Any], rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds on the clock and of the processor, each sorted."""
    clock, processor = [], []
    for number in range(rounds):
        started, began = time.perf_counter(), time.process_time()
        orjson.dumps(ask(number))
        clock.append((time.perf_counter() - started) * 1000)
        processor.append((time.process_time() - began) * 1000)
    return sorted(clock), sorted(processor)


def _fill(url: str, count: int) -> float:
    """Write the datasets; answer how long that took."""
    chance = random.Random(1)
    catalog = Catalog(url)
    catalog.migrate()
    owners = [Organization(uuid4(), f"amt-{number}", f"Amt {number} für {SUBJECTS[number]}", "", datetime.now(UTC)) for number in range(30)]
    catalog.write_teams("organization", *owners)
    made = [_dataset(number, owners[number % len(owners)].id, chance) for number in range(count)]
    started = time.perf_counter()
    for part in range(0, count, PART):
        catalog.write(*made[part : part + PART])
    seconds = time.perf_counter() - started
    catalog.close()
    return seconds


def _dataset(number: int, owner: UUID, chance: random.Random) -> Written:
    subject, kind, place = chance.choice(SUBJECTS), chance.choice(KINDS), chance.choice(PLACES)
    time_ = datetime.now(UTC) - timedelta(hours=number)
    west, south = round(chance.uniform(6, 14), 3), round(chance.uniform(47, 54), 3)
    ring = [[west, south], [west + 0.1, south], [west + 0.1, south + 0.1], [west, south + 0.1], [west, south]]
    document = {
        "title": f"{subject}{kind} {place} {2000 + number % 26}",
        "notes": " ".join(chance.choices(FILLERS + SUBJECTS, k=60)),
        "author": f"Team {subject}",
        "author_email": None,
        "creator_user_id": None,
        "license_id": chance.choice(LICENSES),
        "maintainer": f"Fachstelle {number % 200}",
        "maintainer_email": f"stelle{number % 200}@stadt.example",
        "private": False,
        "type": "dataset",
        "url": f"https://stadt.example/{number}",
        "version": "1",
        "extras": [
            {"key": "spatial", "value": orjson.dumps({"type": "Polygon", "coordinates": [ring]}).decode()},
            {"key": "geocoding", "value": f"0{number % 9}"},
            {"key": "temporal_start", "value": f"{2000 + number % 26}-01-01"},
        ],
        "groups": chance.sample(["envi", "tran", "soci", "econ", "heal", "educ", "gove"], k=2),
        "tags": [{"name": name, "vocabulary_id": None} for name in {subject, kind, place}],
        "resources": [_resource(name, number, time_) for name in chance.choice(FORMATS)],
    }
    return Written(uuid4(), f"datensatz-{number:06}", owner, State.ACTIVE, document, time_, time_)


def _resource(format_: str, number: int, time_: datetime) -> dict[str, Any]:
    stamp = time_.replace(tzinfo=None).isoformat(timespec="microseconds")
    return {
        "created": stamp,
        "description": f"Datei {number} als {format_}",
        "format": format_,
        "hash": "",
        "id": str(uuid4()),
        "last_modified": stamp,
        "metadata_modified": stamp,
        "mimetype": None,
        "name": f"Datei {number}",
        "package_id": None,
        "position": 0,
        "size": 1000 + number,
        "state": "active",
        "url": f"https://stadt.example/{number}/datei.{format_.lower()}",
        "url_type": None,
    }


def _resident() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
