"""An independent count of the real input: what the standard library alone finds in the files. Nothing of the hub is used here.

Every value that is there counts as stored, every missing one as dropped. Should a file say the same thing twice, the hub's
count of duplicates would show it as a difference.
"""

import csv
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

from deploy.real.counted import Count, Files
from deploy.real.counts_city import CITY
from deploy.real.counts_mobility import MOBILITY


def count(feed: str, data: Path) -> Count | None:
    """The count of one feed's files; None if they are not there."""
    pattern, counted = FEEDS[feed]
    files = [body for path in sorted(data.glob(pattern)) for body in _bodies(path)]
    return counted(files) if files else None


def _bodies(path: Path) -> Iterator[bytes]:
    """The file, or each CSV file in the archive."""
    if path.suffixes[-2:] != [".tar", ".xz"]:
        yield path.read_bytes()
        return
    with tarfile.open(path) as opened:
        for member in opened:
            read = opened.extractfile(member) if member.name.endswith(".csv") else None
            if read is not None:
                yield read.read()


def _counters(files: Files) -> Count:
    """A column for each counter, and one for each counter's status, which is no value."""
    stored = dropped = 0
    total = 0.0
    for body in files:
        header, *records = csv.reader(io.StringIO(body.decode()))
        wanted = [number for number, name in enumerate(header) if number and not name.endswith("-status")]
        for record in records:
            cells = [record[number] for number in wanted if record[number]]
            stored += len(cells)
            dropped += len(wanted) - len(cells)
            total += sum(map(float, cells))
    return Count(stored, dropped, total)


def _air(files: Files) -> Count:
    """Five values an hour, `-` where there is none; the last line is a footer."""
    values = [
        cell
        for body in files
        for record in list(csv.reader(io.StringIO(body.decode("utf-8-sig")), delimiter=";"))[1:]
        if len(record) >= 7
        for cell in record[2:7]
    ]
    there = [cell for cell in values if cell not in ("-", "")]
    return Count(len(there), len(values) - len(there), sum(float(cell) for cell in there if cell.replace(".", "").isdigit()))


def _uplinks(files: Files) -> Count:
    """A value for each key of the decoded object or each of its messages; the rest is about the payload itself."""
    stored = dropped = 0
    for body in files:
        for key, value in json.loads(body)["object"].items():
            if key == "messages":
                stored += sum(len(group) if isinstance(group, list) else 1 for group in value)
            elif key in ("payload", "err", "valid"):
                dropped += 1
            else:
                stored += 1
    return Count(stored, dropped)


def _freiburg(files: Files) -> Count:
    """Three values for each car park."""
    features = [feature["properties"] for body in files for feature in json.loads(body)["features"]]
    values = [feature[name] for feature in features for name in ("obs_free", "obs_max", "obs_state")]
    there = [float(value) for value in values if value not in (None, "")]
    return Count(len(there), len(values) - len(there), sum(there))


def _features(files: Files) -> Count:
    return Count(sum(len(json.loads(body)["features"]) for body in files))


def _lines(files: Files) -> Count:
    return Count(sum(len(list(csv.DictReader(io.StringIO(body.decode())))) for body in files))


def _semicolons(files: Files) -> Count:
    return Count(sum(len(list(csv.DictReader(io.StringIO(body.decode("utf-8-sig")), delimiter=";"))) for body in files))


#: Where the files of each feed are under data/, and how they are counted.
FEEDS: dict[str, tuple[str, Callable[[Files], Count]]] = {
    "muenster-bicycle-counts": ("bikecount.tar.xz", _counters),
    "muenster-air-quality": ("airquality/luftqualitaet_muenster_*.csv", _air),
    "jena-lorawan": ("lorawan/example*.json", _uplinks),
    "muenster-stops": ("geodata/haltestellen.geojson", _features),
    "muenster-glass-containers": ("geodata/awm-glascontainer2017.geojson", _features),
    "muenster-charging-points": ("geodata/ladesaeulen-muenster.csv", _semicolons),
    "augsburg-districts": ("geodata/augsburg.geojson", _features),
    "braunschweig-districts": ("geodata/braunschweig.geojson", _features),
    "freiburg-car-parks": ("parking/freiburg.json", _freiburg),
    "reutlingen-car-parks": ("parking/reutlingen.csv", _lines),
    "jena-car-parks": ("parking/jena.geojson", _features),
    **MOBILITY,
    **CITY,
}
