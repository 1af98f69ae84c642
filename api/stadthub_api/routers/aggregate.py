"""Rows in groups: measures per time bucket and column, and the series that charts draw."""

import re
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson
import pyarrow as pa
from fastapi import APIRouter, Query, Request, Response

from stadthub_api.answers import cached
from stadthub_api.deps import DATASET, HubDep, ReadableDep
from stadthub_api.formats import WRITERS, wanted
from stadthub_api.parameters import (
    FILTER_DOCUMENTATION,
    FILTERING,
    Question,
    documented,
    limit,
    listed,
    moment,
    nearest,
    refuse_unknown,
)
from stadthub_schemas.dataset import Kind
from stadthub_schemas.errors import QueryError
from stadthub_schemas.query import AggregateQuery, Measure, Metric
from stadthub_schemas.vocabularies import FORMATS

router = APIRouter(prefix="/api/v1/datasets", tags=["datasets"])

OFFERED = ("json", "csv", "parquet", "arrow")
WORDS: dict[str, tuple[dict[str, Any], str]] = {
    "metrics": ({"type": "string", "example": "avg(result),count"}, "avg, sum, min, max of a column in brackets, or count; absent: count"),
    "group_by": ({"type": "string", "example": "thing"}, "columns separated by commas"),
    "bucket": ({"type": "string", "example": "PT1H"}, "length of a time bucket (ISO 8601): PT15M, PT1H, P1D, P1W, P1M, P1Y"),
    "tz": ({"type": "string", "example": "Europe/Berlin"}, "the time zone in which buckets are cut; absent: the city's"),
}
KNOWN = (*FILTERING, "limit", "as_of", "format", *WORDS)
MAX_GROUPS = 100_000
_METRIC = re.compile(r"^(avg|sum|min|max|count)(?:\(\s*([^()]*?)\s*\))?$")

_DOCUMENTED = [
    *({"name": name, "in": "query", "required": False, "schema": schema, "description": words} for name, (schema, words) in WORDS.items()),
    *documented((*FILTERING, "limit", "as_of", "format")),
    FILTER_DOCUMENTATION,
]


@router.get("/{name}/aggregate", openapi_extra={**DATASET, "parameters": _DOCUMENTED})
async def aggregate(request: Request, hub: HubDep, seen: ReadableDep) -> Response:
    """Measures per time bucket and group, e.g. `metrics=avg(result),count&bucket=PT1H&group_by=thing`."""
    query, words = _aggregate_query(Question(seen.entry, seen.hidden, KNOWN, seen.decision.suppression), request, hub.settings.time_zone)
    format_ = wanted(words.get("format"), request.headers.get("accept", ""), OFFERED)

    def answer() -> bytes:
        body = WRITERS[format_](hub.lake.aggregate(query))
        return b'{"rows":' + body + b"}" if format_ == "json" else body

    return cached(request, await hub.work(answer), FORMATS[format_].media_type, 10)


def _aggregate_query(question: Question, request: Request, city_zone: str) -> tuple[AggregateQuery, dict[str, str]]:
    words, where = question.split(request.query_params.multi_items())
    bucket = words.get("bucket")
    query = AggregateQuery(
        dataset=question.entry.name,
        measures=tuple(_measure(question, text) for text in listed(words.get("metrics", "count"))),
        where=where,
        group_by=tuple(question.known(name, "group_by") for name in listed(words.get("group_by", ""))),
        bucket=bucket,
        time_column=question.time_column().name if bucket else "phenomenon_time",
        time_zone=_zone(words.get("tz", city_zone)),
        limit=limit(words.get("limit"), MAX_GROUPS, MAX_GROUPS) or MAX_GROUPS,
        as_of=moment(words["as_of"], "as_of") if "as_of" in words else None,
        hidden=question.hidden,
        suppression=question.suppression,
    )
    return query, words


def _measure(question: Question, text: str) -> Measure:
    found = _METRIC.match(text)
    if found is None:
        name = text.partition("(")[0]
        raise QueryError(
            f"metrics: {text[:60]!r} is none{nearest(name, tuple(Metric))}; write avg(result), sum(…), min(…), max(…) or count"
        )
    metric, column = Metric(found[1]), found[2] or None
    if column is None and metric is not Metric.COUNT:
        raise QueryError(f"metrics: {metric} needs a column: write {metric}(result)")
    return Measure(metric, question.known(column, "metrics") if column and column != "*" else None)


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise QueryError(f"tz: there is no time zone {name[:50]!r}: write it like Europe/Berlin") from error


@router.get("/{name}/series", openapi_extra=DATASET)
async def series(
    request: Request,
    hub: HubDep,
    seen: ReadableDep,
    datastream: Annotated[list[str], Query(description="one or more datastreams", min_length=1, max_length=20)],
    start: Annotated[str | None, Query(description="from this time on (ISO 8601)")] = None,
    end: Annotated[str | None, Query(description="before this time (ISO 8601)")] = None,
    points: Annotated[int, Query(ge=1, le=10_000, description="how many buckets at most for each datastream")] = 1000,
) -> Response:
    """What a chart draws: for each datastream its buckets with lowest, mean and highest result, so that no peak is lost."""
    refuse_unknown(request.query_params.multi_items(), ("datastream", "start", "end", "points"))
    if seen.entry.dataset.kind is not Kind.TIMESERIES:
        raise QueryError(f"{seen.entry.name} is no timeseries: it has no series, only /rows and /aggregate")
    span = (moment(start, "start") if start else None, moment(end, "end") if end else None)
    veil = (seen.hidden, seen.decision.suppression)
    table = await hub.work(hub.lake.series, seen.entry.name, tuple(datastream), span, points, *veil)
    return cached(request, await hub.work(_columnar, table), "application/json", 10)


def _columnar(table: pa.Table) -> bytes:
    """Each datastream with its columns; times in milliseconds since 1970, as charts want them."""
    found: dict[str, dict[str, Any]] = {}
    measures = [name for name in table.column_names if name not in ("datastream", "bucket")]
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    for number, datastream in enumerate(columns["datastream"]):
        one = found.setdefault(datastream, {"datastream": datastream, "time": [], **{name: [] for name in measures}})
        one["time"].append(int(columns["bucket"][number].timestamp() * 1000))
        for name in measures:
            one[name].append(columns[name][number])
    return orjson.dumps({"series": list(found.values())}, option=orjson.OPT_UTC_Z)
