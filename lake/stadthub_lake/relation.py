"""What a question reads: the files of a snapshot that can hold an answer, its fresh rows, and the words of its entities.

A filter on an entity (thing, unit, place …) is first answered by the small table of datastreams and becomes a list of datastreams, and
a bound on the time leaves out files, so that little of the observations is read.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

import pyarrow as pa
import pyarrow.compute as pc

from stadthub_lake.engine import Engine, Question
from stadthub_lake.filters import Parameters, Scope, condition, has_box, quoted, read_time
from stadthub_lake.snapshot import Snapshot
from stadthub_lake.veil import NARROW, veiled
from stadthub_schemas.dataset import Column, ColumnType, Kind
from stadthub_schemas.query import EVERYTHING, And, Comparison, Filter, Not, Operator, Or, Suppression

TIME = "phenomenon_time"

#: So many datastreams are read thing by thing.
FEW = 16

_BOX = {
    Kind.TIMESERIES: "({prefix}longitude BETWEEN {west} AND {east} AND {prefix}latitude BETWEEN {south} AND {north})",
    Kind.FEATURES: "ST_Intersects(ST_GeomFromWKB({prefix}geometry), ST_MakeEnvelope({west}, {south}, {east}, {north}))",
}

#: What an empty column of each type is in SQL, for a dataset without a file.
SQL_TYPES = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.DECIMAL: "DECIMAL(38, 10)",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.DATE: "DATE",
    ColumnType.TIME: "TIMESTAMPTZ",
    ColumnType.JSON: "VARCHAR",
    ColumnType.GEOMETRY: "BLOB",
}


@dataclass(frozen=True)
class Bounds:
    """From when to when rows can match; None: without end."""

    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True)
class Matching:
    """The rows of a snapshot that match a filter: the condition over `o`, its parameters and the files to read."""

    snapshot: Snapshot
    where: str
    parameters: Parameters
    bounds: Bounds
    spatial: bool
    datastreams: tuple[str, ...] = ()
    suppression: Suppression | None = None

    @property
    def narrow(self) -> bool:
        """Whether observations and entities lie apart."""
        return self.snapshot.kind is Kind.TIMESERIES

    def is_narrow(self, column: str) -> bool:
        """Whether the column is read without the entities."""
        return not self.narrow or column in NARROW.names

    def source(self) -> str:
        """The rows of files and tail as a table expression named `o`; only what is asked of it is read."""
        names = NARROW.names if self.narrow else [column.name for column in self.snapshot.columns]
        wanted = ", ".join(map(quoted, names))
        place = ", file_index, file_row_number" if self.snapshot.kind is Kind.TABLE else ""
        parts = []
        if self.snapshot.files:
            union = self.snapshot.kind is Kind.TABLE and len(self.snapshot.files) > 1
            self.parameters.values["files"] = list(self.snapshot.files)
            files = f"SELECT {wanted}{place} FROM read_parquet($files, hive_partitioning = false, union_by_name = {union})"
            parts += [f"{files} WHERE datastream BETWEEN {first} AND {last}" for first, last in self._spans()] or [files]
        if self.snapshot.tail is not None and self.snapshot.tail.num_rows:
            self.parameters.tables["tail"] = self.snapshot.tail
            parts.append(f"SELECT {wanted} FROM tail")
        rows = "(" + (" UNION ALL ".join(parts) or self._nothing(names)) + ")"
        if self.suppression is not None:
            rows = f"(SELECT {veiled(self.suppression, self.snapshot)}{place} FROM {rows} AS v)"
        return f"{rows} AS o"

    def _spans(self) -> list[tuple[str, str]]:
        """The few datastreams as ranges from one to another: those of one thing lie side by side and are read together."""
        things = groupby(sorted(self.datastreams), key=lambda name: name.rpartition(":")[0])
        spans = [list(names) for _, names in things]
        return [(self.parameters.add(names[0]), self.parameters.add(names[-1])) for names in spans]

    def joined(self, columns: Iterable[str]) -> str:
        """The source, and the entities as `e` where one of these columns is theirs."""
        return self.source() if all(self.is_narrow(name) for name in columns) else f"{self.source()} {self.entities()}"

    def entities(self) -> str:
        """The join that puts the words of its entities beside each observation. A join keeps no order."""
        self._name_entities()
        return "LEFT JOIN entities AS e ON e.datastream = o.datastream"

    def as_they_lie(self, rows: str, columns: Iterable[str]) -> str:
        """The rows `o` in the order in which they lie, with these of their columns that are the entities' in `e`: they are looked up by the
        place of the datastream in an enumeration. It costs some milliseconds before the first row, and less than writing them after."""
        names = [name for name in columns if not self.is_narrow(name)]
        if not names:
            return rows
        self._name_entities()
        names = list(dict.fromkeys(map(quoted, names)))
        lists = ", ".join(f"{name} := list({name} ORDER BY datastream)" for name in names)
        self.parameters.before += [
            "CREATE TEMP TYPE place AS ENUM (SELECT datastream FROM entities ORDER BY datastream)",
            f"SET VARIABLE words = (SELECT struct_pack({lists}) FROM entities)",
        ]
        words = ", ".join(f"{name} := getvariable('words').{name}[_place]" for name in names)
        placed = f"(SELECT *, enum_code(TRY_CAST(datastream AS place)) + 1 AS _place FROM {rows})"
        return f"(SELECT * EXCLUDE (_place), struct_pack({words}) AS e FROM {placed}) AS o"

    def _name_entities(self) -> None:
        entities = self.snapshot.entities
        assert entities is not None
        if self.datastreams:
            entities = entities.filter(pc.is_in(entities["datastream"], pa.array(self.datastreams, pa.string())))
        self.parameters.tables["entities"] = entities

    def at(self, column: str) -> str:
        """The column as it stands after `joined`."""
        return ("o." if self.is_narrow(column) else "e.") + quoted(column)

    def question(self, sql: str) -> Question:
        """The question that this SQL puts."""
        return Question(sql, self.parameters.values, self.parameters.tables, self.spatial, self.parameters.before)

    def reading(self, files: tuple[str, ...]) -> "Matching":
        """The same with fewer files."""
        snapshot = replace(self.snapshot, files=files, ranges=())
        parameters = Parameters(dict(self.parameters.values), dict(self.parameters.tables), list(self.parameters.before))
        return replace(self, snapshot=snapshot, parameters=parameters)

    def _nothing(self, names: Iterable[str]) -> str:
        types = {column.name: SQL_TYPES[column.type] for column in self.snapshot.columns}
        empty = [f"NULL::{types[name]} AS {quoted(name)}" for name in names]
        place = ["NULL::UBIGINT AS file_index", "NULL::BIGINT AS file_row_number"] if self.snapshot.kind is Kind.TABLE else []
        return f"SELECT {', '.join([*empty, *place])} WHERE false"


def visible(snapshot: Snapshot, hidden: frozenset[str]) -> dict[str, Column]:
    """The columns that this question may know of."""
    return {column.name: column for column in snapshot.columns if column.name not in hidden}


def matching(engine: Engine, snapshot: Snapshot, where: Filter, hidden: frozenset[str], suppression: Suppression | None = None) -> Matching:
    """Read a filter against a snapshot. QueryError says what is wrong with it."""
    columns = visible(snapshot, hidden)
    needed = {"longitude", "latitude"} if snapshot.kind is Kind.TIMESERIES else {"geometry"}
    box = _BOX.get(snapshot.kind) if needed <= columns.keys() else None
    scope = Scope(snapshot.dataset, columns, "o.", box)
    condition(where, scope, Parameters())
    spatial = snapshot.kind is Kind.FEATURES and has_box(where)
    bounds = Bounds()
    if snapshot.kind is Kind.TIMESERIES:
        bounds = time_bounds(where)
        snapshot = _between(snapshot, bounds)
        where = _resolve(engine, snapshot, where, scope)
    scope = replace(scope, columns={column.name: column for column in snapshot.columns})
    parameters = Parameters()
    return Matching(snapshot, condition(where, scope, parameters), parameters, bounds, spatial, few_datastreams(where), suppression)


def few_datastreams(where: Filter) -> tuple[str, ...]:
    """The datastreams outside of which no row can match, if they are few: each is then read for itself, which skips most of the files."""
    if isinstance(where, And):
        return next(filter(None, map(few_datastreams, where.parts)), ())
    if isinstance(where, Comparison) and where.column == "datastream" and where.operator in (Operator.EQ, Operator.IN):
        names = tuple(dict.fromkeys(str(value) for value in where.values if value is not None))
        return names if len(names) <= FEW else ()
    return ()


def time_bounds(where: Filter, column: str = TIME) -> Bounds:
    """The range outside of which no row can match."""
    if isinstance(where, And):
        found = [time_bounds(part, column) for part in where.parts]
        firsts = [bounds.first for bounds in found if bounds.first is not None]
        lasts = [bounds.last for bounds in found if bounds.last is not None]
        return Bounds(max(firsts, default=None), min(lasts, default=None))
    if not isinstance(where, Comparison) or where.column != column or not where.values or where.values[0] is None:
        return Bounds()
    if where.operator in (Operator.GT, Operator.GE):
        return Bounds(first=read_time(column, where.values[0]))
    if where.operator in (Operator.LT, Operator.LE):
        return Bounds(last=read_time(column, where.values[0]))
    if where.operator is Operator.EQ:
        time = read_time(column, where.values[0])
        return Bounds(time, time)
    return Bounds()


def _between(snapshot: Snapshot, bounds: Bounds) -> Snapshot:
    """The snapshot without the files that lie outside the bounds."""
    if len(snapshot.ranges) != len(snapshot.files):
        return snapshot
    kept = [
        number
        for number, span in enumerate(snapshot.ranges)
        if span is None or ((bounds.first is None or span[1] >= bounds.first) and (bounds.last is None or span[0] <= bounds.last))
    ]
    return replace(snapshot, files=tuple(snapshot.files[n] for n in kept), ranges=tuple(snapshot.ranges[n] for n in kept))


def _resolve(engine: Engine, snapshot: Snapshot, where: Filter, scope: Scope) -> Filter:
    """The filter with every part that speaks of entities alone replaced by the datastreams for which it holds."""
    speaks = _speaks_of(where)
    if speaks <= set(NARROW.names):
        return where
    if not speaks & set(NARROW.names) - {"datastream"}:
        return _datastreams(engine, snapshot, where, scope)
    if isinstance(where, Not):
        return Not(_resolve(engine, snapshot, where.part, scope))
    if isinstance(where, And | Or):
        alone = tuple(part for part in where.parts if not _speaks_of(part) & set(NARROW.names) - {"datastream"})
        mixed = tuple(part for part in where.parts if part not in alone)
        resolved = (_resolve(engine, snapshot, type(where)(alone), scope),) if alone else ()
        return type(where)((*resolved, *(_resolve(engine, snapshot, part, scope) for part in mixed)))
    return where


def _speaks_of(where: Filter) -> set[str]:
    if isinstance(where, Comparison):
        return {"longitude"} if where.operator is Operator.BBOX else {where.column}
    if isinstance(where, Not):
        return _speaks_of(where.part)
    return set().union(*(_speaks_of(part) for part in where.parts))


def _datastreams(engine: Engine, snapshot: Snapshot, where: Filter, scope: Scope) -> Filter:
    entities = snapshot.entities
    if entities is None:
        return Or(())
    parameters = Parameters()
    sql = f"SELECT o.datastream FROM entities AS o WHERE {condition(where, scope, parameters)}"
    found = engine.table(Question(sql, parameters.values, {**parameters.tables, "entities": entities})).column(0).to_pylist()
    if len(found) == entities.num_rows:
        return EVERYTHING
    return Or(()) if not found else Comparison("datastream", Operator.IN, tuple(found))
