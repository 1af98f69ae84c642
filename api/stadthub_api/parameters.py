"""The query language of the row API: URL parameters become the filter AST. The tables here are also its documentation."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stadthub_catalog.entry import Entry
from stadthub_schemas.dataset import Column, ColumnType, Kind
from stadthub_schemas.errors import NotFound, QueryError
from stadthub_schemas.query import EVERYTHING, And, Comparison, Filter, Operator, RowsQuery, Sort, Suppression

Parameters = Sequence[tuple[str, str]]

#: Operators as they are written behind `__`, each with its words. The second table holds the names that data.gouv.fr's API uses.
OPERATORS: dict[str, tuple[Operator, str]] = {
    "eq": (Operator.EQ, "equal; the same as `column=value`"),
    "ne": (Operator.NE, "not equal"),
    "lt": (Operator.LT, "less than"),
    "le": (Operator.LE, "less than or equal"),
    "gt": (Operator.GT, "greater than"),
    "ge": (Operator.GE, "greater than or equal"),
    "in": (Operator.IN, "one of, separated by commas"),
    "contains": (Operator.CONTAINS, "text contains"),
    "starts_with": (Operator.STARTS_WITH, "text starts with"),
    "is_null": (Operator.IS_NULL, "is empty: true or false"),
}
ALIASES: dict[str, str] = {
    "exact": "eq",
    "differs": "ne",
    "less": "le",
    "greater": "ge",
    "strictly_less": "lt",
    "strictly_greater": "gt",
    "startswith": "starts_with",
    "isnull": "is_null",
}

#: Parameters that are not columns: name → (schema, words).
WORDS: dict[str, tuple[dict[str, Any], str]] = {
    "bbox": ({"type": "string", "example": "7.5,51.9,7.7,52.0"}, "west,south,east,north in CRS84 degrees"),
    "start": ({"type": "string", "example": "2026-01-01"}, "from this time on (ISO 8601; UTC where no offset is given)"),
    "end": ({"type": "string"}, "before this time (ISO 8601; UTC where no offset is given)"),
    "sort": ({"type": "string", "example": "-phenomenon_time,thing"}, "columns separated by commas, `-` before one for descending"),
    "columns": ({"type": "string"}, "the columns wanted, separated by commas; absent: all"),
    "limit": ({"type": "integer", "minimum": 1}, "how many rows at most"),
    "cursor": ({"type": "string"}, "where to go on: what the answer before gave; the other parameters must be the same"),
    "as_of": ({"type": "string", "format": "date-time"}, "the data as they were stored at that time"),
    "format": ({"type": "string", "enum": ["json", "csv", "geojson", "parquet", "arrow"]}, "the format; absent: by the Accept header"),
}
FILTERING = ("bbox", "start", "end")
PAGE = (*FILTERING, "sort", "columns", "limit", "cursor", "as_of", "format")
EXPORT = (*FILTERING, "sort", "columns", "limit", "as_of")

MAX_LIMIT = 10_000

#: An offset whose plus sign a URL has turned into a blank.
_LOST_PLUS = re.compile(r"(T\S+) (\d\d:?\d\d)$")


@dataclass(frozen=True, slots=True)
class Question:
    """What one dataset may be asked: its visible columns and the parameters that a route knows beside them."""

    entry: Entry
    hidden: frozenset[str]
    words: tuple[str, ...]
    suppression: Suppression | None = None

    def __post_init__(self) -> None:
        """NotFound where there are no rows to ask for."""
        if self.entry.dataset.kind is Kind.FILES:
            raise NotFound(f"{self.entry.name} has no rows, only files and addresses: see its distributions")

    @property
    def columns(self) -> Mapping[str, Column]:
        """The columns that may be asked for."""
        return {column.name: column for column in self.entry.columns if column.name not in self.hidden}

    def split(self, parameters: Parameters) -> tuple[dict[str, str], Filter]:
        """The route's own parameters by name, and the filter that all others make."""
        words: dict[str, str] = {}
        conditions: dict[tuple[str, Operator], list[str]] = {}
        for name, value in parameters:
            if name in self.words:
                if name in words:
                    raise QueryError(f"{name}: it stands there twice")
                words[name] = value
            else:
                conditions.setdefault(self._condition(name), []).append(value)
        parts = [part for (column, operator), values in conditions.items() for part in _comparisons(self.columns[column], operator, values)]
        parts += self._shorthands(words)
        return words, (And(tuple(parts)) if parts else EVERYTHING)

    def rows(self, parameters: Parameters, default_limit: int | None, max_limit: int | None) -> tuple[RowsQuery, dict[str, str]]:
        """The query for rows, and the route's own parameters."""
        words, where = self.split(parameters)
        query = RowsQuery(
            dataset=self.entry.name,
            where=where,
            columns=tuple(self.known(name, "columns") for name in listed(words.get("columns", ""))),
            sort=tuple(Sort(self.known(name.lstrip("-"), "sort"), name.startswith("-")) for name in listed(words.get("sort", ""))),
            limit=limit(words.get("limit"), default_limit, max_limit),
            cursor=words.get("cursor"),
            as_of=moment(words["as_of"], "as_of") if "as_of" in words else None,
            hidden=self.hidden,
            suppression=self.suppression,
        )
        return query, words

    def known(self, name: str, place: str) -> str:
        """The column's name if there is such a column; QueryError with the nearest."""
        if name not in self.columns:
            raise QueryError(f"{place}: there is no column {name[:80]!r}{nearest(name, self.columns)}")
        return name

    def time_column(self) -> Column:
        """The column that `start` and `end` are about."""
        if self.entry.dataset.kind is Kind.TIMESERIES:
            return self.columns[self.known("phenomenon_time", "start, end")]
        found = next((column for column in self.columns.values() if column.type in (ColumnType.TIME, ColumnType.DATE)), None)
        if found is None:
            raise QueryError(f"{self.entry.name} has no column with times: start and end make no sense here")
        return found

    def _condition(self, name: str) -> tuple[str, Operator]:
        if name in self.columns:
            return name, Operator.EQ
        column, separator, operator = name.rpartition("__")
        if separator and column in self.columns:
            named = OPERATORS.get(ALIASES.get(operator, operator))
            if named is None:
                raise QueryError(
                    f"{name}: there is no operator {operator[:50]!r}{nearest(operator, OPERATORS)}; there are {', '.join(OPERATORS)}"
                )
            return column, named[0]
        raise QueryError(f"there is no parameter {name[:80]!r}{nearest(column or name, (*self.words, *self.columns))}")

    def _shorthands(self, words: Mapping[str, str]) -> Iterable[Comparison]:
        for name, operator in (("start", Operator.GE), ("end", Operator.LT)):
            if name in words:
                column, time = self.time_column(), moment(words[name], name)
                yield Comparison(column.name, operator, ((time.date() if column.type is ColumnType.DATE else time).isoformat(),))
        if "bbox" in words:
            self._want_place()
            yield Comparison("bbox", Operator.BBOX, bbox(words["bbox"]))

    def _want_place(self) -> None:
        """A place that the caller may not see can't be asked for either."""
        if self.entry.dataset.kind is Kind.TIMESERIES:
            self.known("longitude", "bbox")
            self.known("latitude", "bbox")
        elif not any(column.type is ColumnType.GEOMETRY for column in self.columns.values()):
            raise QueryError(f"{self.entry.name} has no geometry: bbox makes no sense here")


def refuse_unknown(parameters: Parameters, known: Sequence[str]) -> dict[str, str]:
    """The parameters by name; QueryError with the nearest right name for one that a route doesn't know."""
    for name, _ in parameters:
        if name not in known:
            raise QueryError(
                f"there is no parameter {name[:80]!r}{nearest(name, known)}" + (f"; there are {', '.join(known)}" if known else "")
            )
    return dict(parameters)


def nearest(name: str, known: Iterable[str]) -> str:
    """The words that point at the right name, or nothing if none is near."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f": did you mean {near[0]}?" if near else ""


def listed(text: str) -> list[str]:
    """What stands between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def limit(text: str | None, default: int | None, most: int | None) -> int | None:
    """The limit as a number within its bounds."""
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 12) or int(text) < 1 or (most is not None and int(text) > most):
        raise QueryError(
            f"limit: {text[:30]!r} must be a whole number from 1 up"
            if most is None
            else f"limit: {text[:30]!r} must be a whole number from 1 to {most}"
        )
    return int(text)


def moment(text: str, place: str) -> datetime:
    """The time, aware and in UTC; a plus sign that the URL turned into a blank is mended."""
    try:
        found = datetime.fromisoformat(_LOST_PLUS.sub(r"\1+\2", text.strip()))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise QueryError(f"{place}: {text[:60]!r} is not a time: write it like 2026-01-31T12:00:00Z") from error


def bbox(text: str) -> tuple[float, float, float, float]:
    """West, south, east, north; the lake says what is out of bounds."""
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise QueryError(f"bbox: {text[:80]!r} must be four numbers: west,south,east,north in degrees") from error
    return west, south, east, north


def _comparisons(column: Column, operator: Operator, values: list[str]) -> Iterable[Comparison]:
    """One comparison for each value; several equal signs on one column mean any of them. The lake reads text by the column's type."""
    read = [
        moment(text, column.name).isoformat() if column.type is ColumnType.TIME and _LOST_PLUS.search(text) else text for text in values
    ]
    if operator is Operator.IN:
        yield Comparison(column.name, operator, tuple(part for text in read for part in text.split(",")))
    elif operator is Operator.EQ and len(read) > 1:
        yield Comparison(column.name, Operator.IN, tuple(read))
    else:
        for text in read:
            yield Comparison(column.name, operator, (text,))


def documented(names: Sequence[str]) -> list[dict[str, Any]]:
    """The parameters for the OpenAPI document."""
    return [{"name": name, "in": "query", "required": False, "schema": WORDS[name][0], "description": WORDS[name][1]} for name in names]


#: What stands in the OpenAPI document for the filters, since every dataset has its own columns.
FILTER_DOCUMENTATION: dict[str, Any] = {
    "name": "filters",
    "in": "query",
    "required": False,
    "style": "form",
    "explode": True,
    "schema": {"type": "object", "additionalProperties": {"type": "string"}},
    "description": "`column=value` or `column__operator=value`. Operators: "
    + "; ".join(f"`{name}` ({words})" for name, (_, words) in OPERATORS.items())
    + ". Also understood: "
    + ", ".join(f"`{alias}` for `{name}`" for alias, name in ALIASES.items())
    + ".",
}
