"""What the judge makes of real input agrees with a count of the same files by csv and json alone."""

import csv
import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stadthub_ingest.judge import Judge, Payload
from stadthub_schemas.feed import load_feed

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("STADTHUB_SHARED") or ROOT.parent / "shared") / "data"
FEEDS = ROOT / "deploy" / "real"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

Files = list[tuple[str, bytes]]


@dataclass(frozen=True)
class Count:
    """What an independent look at the files says: how many values there are, how many are missing, and their sum."""

    accepted: int
    dropped: int
    total: float | None = None
    rejected: int = 0


def one(path: str) -> Files:
    """The file, if it is there."""
    found = DATA / path
    return [(path, found.read_bytes())] if found.exists() else []


def some(folder: str, pattern: str) -> Files:
    return [(f"{folder}/{path.name}", path.read_bytes()) for path in sorted((DATA / folder).glob(pattern))]


def counters() -> Files:
    archive = DATA / "bikecount.tar.xz"
    return list(_members(archive)) if archive.exists() else []


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(archive) as opened:
        for member in opened:
            read = opened.extractfile(member) if member.name.endswith(".csv") else None
            if read is not None:
                yield member.name, read.read()


def count_counters(files: Files) -> Count:
    accepted = dropped = 0
    total = 0.0
    for _, body in files:
        header, *records = csv.reader(io.StringIO(body.decode()))
        wanted = [number for number, name in enumerate(header) if number and not name.endswith("-status")]
        for record in records:
            for number in wanted:
                if record[number] == "":
                    dropped += 1
                else:
                    accepted += 1
                    total += float(record[number])
    return Count(accepted, dropped, total)


def count_air(files: Files) -> Count:
    values = [
        cell
        for _, body in files
        for record in list(csv.reader(io.StringIO(body.decode("utf-8-sig")), delimiter=";"))[1:]
        if len(record) >= 7
        for cell in record[2:7]
    ]
    there = [cell for cell in values if cell not in ("-", "")]
    return Count(len(there), len(values) - len(there), sum(float(cell) for cell in there if cell.replace(".", "").isdigit()))


def count_uplinks(files: Files) -> Count:
    accepted = dropped = 0
    for _, body in files:
        for key, value in json.loads(body)["object"].items():
            if key == "messages":
                flat = [pair for group in value for pair in (group if isinstance(group, list) else [group])]
                accepted += len(flat)
            elif key in ("payload", "err", "valid"):
                dropped += 1
            else:
                accepted += 1
    return Count(accepted, dropped)


def count_freiburg(files: Files) -> Count:
    values = [
        feature["properties"][name]
        for _, body in files
        for feature in json.loads(body)["features"]
        for name in ("obs_free", "obs_max", "obs_state")
    ]
    there = [float(value) for value in values if value not in (None, "")]
    return Count(len(there), len(values) - len(there), sum(there))


def count_features(files: Files) -> Count:
    return Count(sum(len(json.loads(body)["features"]) for _, body in files), 0)


def count_reutlingen(files: Files) -> Count:
    return Count(sum(len(list(csv.DictReader(io.StringIO(body.decode())))) for _, body in files), 0)


CASES: dict[str, tuple[Callable[[], Files], Callable[[Files], Count]]] = {
    "muenster-bicycle-counts": (counters, count_counters),
    "muenster-air-quality": (lambda: some("airquality", "luftqualitaet_muenster_*.csv"), count_air),
    "jena-lorawan": (lambda: some("lorawan", "example*.json"), count_uplinks),
    "muenster-stops": (lambda: one("geodata/haltestellen.geojson"), count_features),
    "augsburg-districts": (lambda: one("geodata/augsburg.geojson"), count_features),
    "braunschweig-districts": (lambda: one("geodata/braunschweig.geojson"), count_features),
    "freiburg-car-parks": (lambda: one("parking/freiburg.json"), count_freiburg),
    "reutlingen-car-parks": (lambda: one("parking/reutlingen.csv"), count_reutlingen),
    "jena-car-parks": (lambda: one("parking/jena.geojson"), count_features),
}


@pytest.mark.parametrize("name", CASES)
def test_the_judge_counts_what_csv_and_json_count(name: str) -> None:
    read, count = CASES[name]
    files = read()
    if not files:
        pytest.skip(f"the recorded input of {name} is not there: set STADTHUB_SHARED to the folder that holds data/")
    judge = Judge(load_feed(FEEDS / f"{name}.toml"))
    expected = count(files)
    accepted = rejected = dropped = received = 0
    total = 0.0
    for name_of_file, body in files:
        judged = judge.judge([Payload(1, NOW, name_of_file, body)])
        received += judged.received
        accepted += judged.accepted.num_rows
        rejected += judged.rejects.num_rows
        dropped += judged.dropped
        total += _sum(judged.accepted)
    assert (accepted, rejected, dropped) == (expected.accepted, expected.rejected, expected.dropped)
    assert received == accepted + rejected + dropped
    assert expected.total is None or total == pytest.approx(expected.total)


def _sum(accepted: Any) -> float:
    return float(sum(value for value in accepted.column("result").drop_null().to_pylist())) if "result" in accepted.column_names else 0.0


def test_every_real_feed_has_its_independent_count() -> None:
    assert {path.stem for path in FEEDS.glob("*.toml")} == set(CASES)
