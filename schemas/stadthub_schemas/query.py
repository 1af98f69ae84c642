"""Questions to the lake: one filter AST and three kinds of question. Faces build them, only the lake turns them into SQL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

#: What a filter compares with. Text for times and dates is ISO 8601 and is read by the column's type.
Value = str | int | float | bool | None


class Operator(StrEnum):
    """The comparisons of the filter AST. The lake holds the table from each to its SQL."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    IN = "in"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    IS_NULL = "is_null"
    BBOX = "bbox"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One column against a value. `IN` takes any number of values, `BBOX` four (west, south, east, north, CRS84 degrees),
    `IS_NULL` one bool, all others one."""

    column: str
    operator: Operator
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class And:
    """All of them."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them."""

    parts: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: "Filter"


Filter = Comparison | And | Or | Not

EVERYTHING = And(())


@dataclass(frozen=True, slots=True)
class Sort:
    """One key of an order; nulls come last."""

    column: str
    descending: bool = False


#: What every WLAN decoder calls its counts of people.
WIFI_CLIENTS = "wifi_clients"

#: The key in an observation's parameters under which SQL says the smallest count that its result was computed of.
SMALLEST = "smallest"


@dataclass(frozen=True, slots=True)
class Suppression:
    """Which counts this reader must not see: of `totals` those below `k`, of their parts (a total and more words) all of them.

    A part beside its total would give the other part away, so parts are never shown: that is the complementary suppression.
    What is suppressed has neither result, text nor parameters, and the quality `suppressed`. An observation that was computed of
    several counts says the smallest of them in its parameters, under the key `smallest`, which is then judged too.

    In other kinds of datasets `columns` hold the counts; of a row all are shown or none: as its column `smallest` says, or without
    one each by itself. Numbers that are neither counts nor `plain` are not shown.
    """

    k: int
    totals: tuple[str, ...] = (WIFI_CLIENTS,)
    columns: tuple[str, ...] = ()
    smallest: str | None = None
    plain: tuple[str, ...] = ()

    def hides(self, observed_property: str, result: float | None, smallest: float | None = None) -> bool:
        """Whether this observation must not be seen."""
        if not observed_property.startswith(self.totals):
            return False
        if observed_property not in self.totals or result is None or not result >= self.k:
            return True
        return smallest is not None and not smallest >= self.k


#: The quality of an observation that is not shown.
SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class RowsQuery:
    """Which rows, which columns (empty: all that are visible), in which order, how many, after which cursor, as of when.

    `cursor` is what the answer before gave (opaque text); `limit` None means without end.
    """

    dataset: str
    where: Filter = EVERYTHING
    columns: tuple[str, ...] = ()
    sort: tuple[Sort, ...] = ()
    limit: int | None = 100
    cursor: str | None = None
    as_of: datetime | None = None
    hidden: frozenset[str] = field(default_factory=frozenset)
    suppression: Suppression | None = None


class Form(StrEnum):
    """How a value is written where its type alone doesn't say it."""

    NAIVE_TIME = "naive_time"
    TEXT_OF_JSON = "text_of_json"


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that a row must have in these columns (together; none named: in all that are shown), whatever their case and their accents.
    A word that ends with `*` is the beginning of one."""

    words: tuple[str, ...]
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NumberedSort:
    """One key of an order in which also the place of missing values is said."""

    column: str
    descending: bool = False
    nulls_first: bool = False


#: The number of a row: its own where it is stored, else its place in the version, from 1.
ROW_NUMBER = "_id"


@dataclass(frozen=True, slots=True)
class NumberedQuery:
    """Rows by number, as those ask who page by offset. `columns` and `sort` may name the number; without an order it is the order.
    `after` and `before` bound the number, `among` names the wanted ones."""

    dataset: str
    where: Filter = EVERYTHING
    phrases: tuple[Phrase, ...] = ()
    columns: tuple[str, ...] = ()
    sort: tuple[NumberedSort, ...] = ()
    distinct: bool = False
    limit: int | None = 100
    offset: int = 0
    after: int | None = None
    before: int | None = None
    among: tuple[int, ...] | None = None
    as_of: datetime | None = None
    hidden: frozenset[str] = field(default_factory=frozenset)
    suppression: Suppression | None = None
    forms: Mapping[str, Form] = field(default_factory=dict)


class Metric(StrEnum):
    """What can be computed of a group."""

    AVG = "avg"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Measure:
    """One computed column: `count` needs no column. It is named `<metric>_<column>`, or `count`."""

    metric: Metric
    column: str | None = None

    @property
    def name(self) -> str:
        """The name of the computed column."""
        return self.metric.value if self.column is None else f"{self.metric.value}_{self.column}"


@dataclass(frozen=True, slots=True)
class AggregateQuery:
    """Measures per group. `bucket` is an ISO 8601 duration (PT15M, PT1H, P1D, P1W, P1M, P1Y) on `time_column`, cut in
    `time_zone` (so a day is the city's day, of 23, 24 or 25 hours)."""

    dataset: str
    measures: tuple[Measure, ...]
    where: Filter = EVERYTHING
    group_by: tuple[str, ...] = ()
    bucket: str | None = None
    time_column: str = "phenomenon_time"
    time_zone: str = "Europe/Berlin"
    limit: int = 100_000
    as_of: datetime | None = None
    hidden: frozenset[str] = field(default_factory=frozenset)
    suppression: Suppression | None = None
