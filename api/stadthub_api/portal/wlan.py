"""What the public WLAN tells: load by site and stop, use by weekday and hour, outages, and what each access point costs and brings.

It reads the datasets of the shipped models; small counts are suppressed in them as in every face, and what is summed up here is
summed up of what is shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from stadthub_api.hub import Readable, readable
from stadthub_catalog.catalog import Catalog
from stadthub_lake.lake import Lake
from stadthub_schemas.access import Principal
from stadthub_schemas.dataset import Kind
from stadthub_schemas.errors import NotFound, QueryError
from stadthub_schemas.query import EVERYTHING, AggregateQuery, Comparison, Filter, Measure, Metric, Operator, RowsQuery, Sort

USE, OUTAGES, LINES, WORTH = DATASETS = ("wlan-use", "wlan-outages", "wlan-line-load", "wlan-worth")

#: Shades of the heat strip.
LEVELS = 6
#: How many outages and access points the page lists; the pages of the datasets have all.
LISTED = 50
MOST_SITES = 1000

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """One hour of the week: devices at once, of all sites that are shown; None where none is."""

    value: float | None
    partly: bool
    level: int


def shown(catalog: Catalog, principal: Principal) -> dict[str, Readable]:
    """The datasets of the models that this principal may read, by name."""
    found = {}
    for entry in catalog.entries():
        if entry.name in DATASETS and entry.dataset.kind is Kind.TABLE:
            try:
                found[entry.name] = readable(entry, principal)
            except NotFound:
                continue
    return found


def bound(seen: Readable) -> int | None:
    """Below which number counts are not shown to this reader; None: they are exact."""
    return None if seen.decision.suppression is None else seen.decision.suppression.k


def week(lake: Lake, seen: Readable, site: str) -> dict[tuple[int, int], Cell]:
    """The hours of the week, of one site or of all."""
    where: Filter = Comparison("site", Operator.EQ, (site,)) if site else EVERYTHING
    mean = "mean_clients"
    measures = (Measure(Metric.SUM, mean), Measure(Metric.COUNT, mean), Measure(Metric.COUNT))
    rows = _grouped(lake, seen, ("weekday", "hour"), measures, where)
    most = max((row["sum_mean_clients"] or 0.0 for row in rows), default=0.0)
    return {
        (int(row["weekday"]), int(row["hour"])): Cell(
            row["sum_mean_clients"],
            row["count_mean_clients"] < row["count"],
            _level(row["sum_mean_clients"], most),
        )
        for row in rows
        if row["weekday"] is not None and row["hour"] is not None
    }


def sites(lake: Lake, seen: Readable) -> list[Row]:
    """The sites, busiest first: `name`, `mean`, `most`, `longitude`, `latitude`."""
    return _places(lake, seen, "site")


def stops(lake: Lake, seen: Readable) -> list[Row]:
    """The stops of buses and trams, busiest first."""
    return _places(lake, seen, "stop")


def lines(lake: Lake, seen: Readable) -> list[Row]:
    """The lines with the stops between which they are followed: `line`, `mean`, `most`, `stop` where it is fullest."""
    measures = (Measure(Metric.AVG, "mean_clients"), Measure(Metric.MAX, "most_clients"))
    rows = _grouped(lake, seen, ("line", "stop"), measures)
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(str(row["line"]), []).append(row)
    return [_line(line, of) for line, of in sorted(found.items(), key=lambda pair: (len(pair[0]), pair[0]))]


def outages(lake: Lake, seen: Readable) -> list[Row]:
    """The newest outages."""
    return _rows(lake, seen, RowsQuery(OUTAGES, sort=(Sort("start_time", descending=True),), limit=LISTED))


def months(lake: Lake, seen: Readable) -> list[str]:
    """The months of which use is known, newest first."""
    rows = _grouped(lake, seen, ("month",), (Measure(Metric.COUNT),))
    return sorted((str(row["month"]) for row in rows if row["month"] is not None), reverse=True)


def worth(lake: Lake, seen: Readable, month: str) -> list[Row]:
    """The access points in a month, the most worth keeping first."""
    where = Comparison("month", Operator.EQ, (month,))
    by = "place" if seen.decision.suppression is None else "access_point"
    return _rows(lake, seen, RowsQuery(WORTH, where=where, sort=(Sort(by), Sort("access_point")), limit=MOST_SITES))


def _line(line: str, rows: Sequence[Row]) -> Row:
    means = [row["avg_mean_clients"] for row in rows if row["avg_mean_clients"] is not None]
    most = [row["max_most_clients"] for row in rows if row["max_most_clients"] is not None]
    fullest = max(
        (row for row in rows if row["avg_mean_clients"] is not None), key=lambda row: float(row["avg_mean_clients"]), default=None
    )
    return {
        "line": line,
        "mean": sum(means) / len(means) if means else None,
        "most": max(most, default=None),
        "stops": len(rows),
        "fullest": None if fullest is None else fullest["stop"],
    }


def _places(lake: Lake, seen: Readable, column: str) -> list[Row]:
    place = [Measure(Metric.AVG, name) for name in ("longitude", "latitude") if name not in seen.hidden]
    measures = (Measure(Metric.AVG, "mean_clients"), Measure(Metric.MAX, "most_clients"), *place)
    rows = [
        {
            "name": row[column],
            "mean": row["avg_mean_clients"],
            "most": row["max_most_clients"],
            "longitude": row.get("avg_longitude"),
            "latitude": row.get("avg_latitude"),
        }
        for row in _grouped(lake, seen, (column,), measures)
        if row[column] is not None
    ]
    return sorted(rows, key=lambda row: (-(row["mean"] or 0.0), str(row["name"])))[:MOST_SITES]


def _level(value: float | None, most: float) -> int:
    """The shade of a value: 0 for nothing to show, up to LEVELS for the largest."""
    if value is None or most <= 0:
        return 0
    return max(1, min(LEVELS, int(1 + (LEVELS - 1) * value / most + 0.5)))


def _grouped(lake: Lake, seen: Readable, groups: tuple[str, ...], measures: tuple[Measure, ...], where: Filter = EVERYTHING) -> list[Row]:
    """Measures by groups; none where the dataset has no such columns for this reader, or no rows yet."""
    question = AggregateQuery(
        seen.entry.name, measures, where, groups, hidden=seen.hidden, suppression=seen.decision.suppression, limit=10_000
    )
    try:
        rows: list[Row] = lake.aggregate(question).to_pylist()
    except (NotFound, QueryError):
        return []
    return rows


def _rows(lake: Lake, seen: Readable, question: RowsQuery) -> list[Row]:
    asked = RowsQuery(
        question.dataset,
        question.where,
        sort=question.sort,
        limit=question.limit,
        hidden=seen.hidden,
        suppression=seen.decision.suppression,
    )
    try:
        body, _ = lake.json(asked)
    except (NotFound, QueryError):
        return []
    rows: list[Mapping[str, Any]] = orjson.loads(body)
    return [dict(row) for row in rows]
