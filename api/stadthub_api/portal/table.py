"""The table of a dataset page: the rows that the address asks for, in the row API's own words, and the addresses that lead on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from stadthub_api.hub import Readable
from stadthub_api.parameters import PAGE, Question
from stadthub_api.portal.language import Writing
from stadthub_lake.lake import Lake
from stadthub_schemas.dataset import Column, ColumnType, Kind
from stadthub_schemas.errors import NotFound
from stadthub_schemas.query import EVERYTHING, RowsQuery

#: Rows on one page, and columns that are shown when nobody chose any.
SIZE = 25
FIRST = 10

#: What is most worth seeing of a timeseries.
WORTH = ("phenomenon_time", "thing_name", "observed_property", "result", "unit", "quality")

#: Parameters of the page that the row API doesn't know: the chart's.
CHART = "chart_"
#: Parameters of the row API that are not about which rows there are.
_NOT_FILTERS = ("sort", "columns", "limit", "cursor", "format", "as_of")

Parameters = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Field:
    """One input of the filter form."""

    name: str
    label: str
    type: str
    value: str
    choices: tuple[tuple[str, str], ...] = ()


#: By type of column: the inputs of its filter as (operator, words in German, type of input).
FIELDS: dict[ColumnType, tuple[tuple[str, str, str], ...]] = {
    ColumnType.TEXT: (("contains", "{} enthält", "search"),),
    ColumnType.INTEGER: (("ge", "{} ab", "number"), ("le", "{} bis", "number")),
    ColumnType.NUMBER: (("ge", "{} ab", "number"), ("le", "{} bis", "number")),
    ColumnType.DECIMAL: (("ge", "{} ab", "number"), ("le", "{} bis", "number")),
    ColumnType.BOOLEAN: (("eq", "{}", "select"),),
    ColumnType.DATE: (("ge", "{} ab", "date"), ("le", "{} bis", "date")),
    ColumnType.TIME: (("ge", "{} ab", "datetime-local"), ("lt", "{} vor", "datetime-local")),
}


@dataclass(frozen=True)
class Table:
    """What the address asks of a dataset, and the answer."""

    readable: Readable
    write: Writing
    given: Parameters

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that this reader may see."""
        return tuple(column for column in self.readable.entry.columns if column.name not in self.readable.hidden)

    @property
    def asked(self) -> Parameters:
        """The parameters in the row API's words: without empty ones, with times as the city's clock means them."""
        times = {column.name for column in self.columns if column.type is ColumnType.TIME}
        plain = [(name, self._aware(value) if _column(name) in times else value) for name, value in self.given if name != "columns"]
        chosen = ",".join(value for name, value in self.given if name == "columns" and value)
        return [*plain, ("columns", chosen)] if chosen else plain

    @property
    def filters(self) -> Parameters:
        """The parameters that say which rows, as the row API and the exports take them."""
        return [(name, value) for name, value in self.asked if name not in _NOT_FILTERS]

    def sorted_by(self) -> str:
        """The order: as asked, else the newest first."""
        asked = next((value for name, value in self.given if name == "sort"), "")
        if asked:
            return asked
        return "-phenomenon_time" if self.readable.entry.dataset.kind is Kind.TIMESERIES and self._has("phenomenon_time") else ""

    def query(self) -> RowsQuery:
        """The question to the lake; QueryError where the address makes no sense."""
        asked = [(name, value) for name, value in self.asked if name not in ("sort", "limit", "format")]
        order = self.sorted_by()
        words = [*asked, ("limit", str(SIZE)), *([("sort", order)] if order else [])]
        query, _ = Question(self.readable.entry, self.readable.hidden, PAGE, self.readable.decision.suppression).rows(words, SIZE, SIZE)
        return query

    def shown(self, query: RowsQuery) -> list[Column]:
        """The columns to show: those that were chosen, else the ones most worth seeing."""
        known = {column.name: column for column in self.columns}
        if query.columns:
            return [known[name] for name in query.columns]
        if self.readable.entry.dataset.kind is Kind.TIMESERIES:
            return [known[name] for name in WORTH if name in known]
        return [column for column in self.columns if column.type not in (ColumnType.GEOMETRY, ColumnType.JSON)][:FIRST]

    def answer(self, lake: Lake) -> "Answer":
        """The rows of this page of the table; none where nothing is stored yet."""
        query = self.query()
        shown = self.shown(query)
        wanted = {column.name for column in shown} | ({"id"} & {column.name for column in self.columns})
        narrowed = RowsQuery(
            dataset=query.dataset,
            where=query.where,
            columns=tuple(column.name for column in self.columns if column.name in wanted),
            sort=query.sort,
            limit=query.limit,
            cursor=query.cursor,
            as_of=query.as_of,
            hidden=query.hidden,
            suppression=query.suppression,
        )
        try:
            page = lake.rows(narrowed)
            total = self.readable.entry.extent.rows if query.where == EVERYTHING else lake.count(narrowed)
        except NotFound:
            return Answer(shown, [], None, 0)
        return Answer(shown, page.table.to_pylist(), page.cursor, total)

    def fields(self, shown: Sequence[Column]) -> list[Field]:
        """The inputs of the filter form, filled with what the address says."""
        there = dict(self.given)
        return [
            self._field(column, f"{column.name}__{operator}", words, kind, there)
            for column in shown
            for operator, words, kind in FIELDS.get(column.type, ())
        ]

    def kept(self, fields: Iterable[Field]) -> Parameters:
        """What the form must carry along since none of its inputs does."""
        names = {field.name for field in fields} | {"cursor", "columns"}
        return [(name, value) for name, value in self.given if name not in names]

    def address(self, base: str, changes: Parameters, without: Sequence[str] = ()) -> str:
        """The page's address with some parameters changed; paging begins anew."""
        gone = {"cursor", *without, *(name for name, _ in changes)}
        words = [(name, value) for name, value in self.given if name not in gone] + [(name, value) for name, value in changes if value]
        return f"{base}?{urlencode(words)}" if words else base

    def dropping(self, base: str, parameter: tuple[str, str]) -> str:
        """The page's address without one filter."""
        words = [pair for pair in self.given if pair != parameter and pair[0] != "cursor"]
        return f"{base}?{urlencode(words)}" if words else base

    def machine(self, path: str, more: Parameters | None = None) -> str:
        """The address of the API that gives the same rows."""
        words = [*self.filters, *(more or [])]
        return f"{path}?{urlencode(words)}" if words else path

    def _field(self, column: Column, name: str, words: str, kind: str, there: dict[str, str]) -> Field:
        named = self.write.phrase(column.title or column.name, column.title_en)
        label = self.write.word(words).format(named) if words != "{}" else named
        choices = (("", "–"), ("true", self.write.word("ja")), ("false", self.write.word("nein"))) if kind == "select" else ()
        value = there.get(name, "")
        return Field(name, label, kind, self._for_clock(value) if kind == "datetime-local" else value, choices)

    def _aware(self, value: str) -> str:
        """A time from the form gets the city's offset."""
        try:
            time = datetime.fromisoformat(value)
        except ValueError:
            return value
        return value if time.tzinfo else time.replace(tzinfo=self.write.zone).isoformat()

    def _for_clock(self, value: str) -> str:
        """A time as the form's input wants it: the city's clock, without an offset."""
        try:
            time = datetime.fromisoformat(value)
            return (time.astimezone(self.write.zone) if time.tzinfo else time).strftime("%Y-%m-%dT%H:%M")
        except (ValueError, OverflowError):
            return ""

    def _has(self, name: str) -> bool:
        return any(column.name == name for column in self.columns)


@dataclass(frozen=True, slots=True)
class Answer:
    """One page of rows, the cursor to the next, and how many rows there are in all."""

    shown: list[Column]
    rows: list[dict[str, Any]]
    cursor: str | None
    total: int


def table(readable: Readable, write: Writing, query: Iterable[tuple[str, str]]) -> Table:
    """The table that these parameters of the address ask for; the chart's and empty ones don't count."""
    return Table(readable, write, [(name, value) for name, value in query if value and not name.startswith(CHART)])


def _column(parameter: str) -> str:
    return parameter.rpartition("__")[0] or parameter
