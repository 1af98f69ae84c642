"""Rows by number: one page of them, how many there are, all of them as a stream.

A row's number is stored with it (tables that are written row by row), or it is its place in the version: the files one after the other as
they lie, then the fresh rows. Rows are read in that order anyway, so that the order of the numbers costs nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from stadthub_lake.engine import Engine, Question
from stadthub_lake.filters import Parameters, quoted
from stadthub_lake.numbered_forms import FOLDED, needs_spatial
from stadthub_lake.relation import SQL_TYPES, Matching, matching, visible
from stadthub_lake.snapshot import Snapshot
from stadthub_lake.veil import NARROW, veiled
from stadthub_schemas.dataset import Column, ColumnType, Kind
from stadthub_schemas.errors import QueryError
from stadthub_schemas.query import EVERYTHING, ROW_NUMBER, NumberedQuery, Phrase

_NUMBER = Column(name=ROW_NUMBER, type=ColumnType.INTEGER)

_WORDS = frozenset({ColumnType.TEXT, ColumnType.JSON, ColumnType.BOOLEAN})
_ANY = frozenset(ColumnType) - {ColumnType.GEOMETRY}

#: A word stands by itself, or begins another one.
_WHOLE, _BEGINS = r"\b{word}\b", r"\b{word}"


@dataclass(frozen=True)
class Numbered:
    """The rows that a question asks for. `bases` say how many rows lie before each file; `condition` holds for `o` and its entities `e`."""

    rows: Matching
    query: NumberedQuery
    columns: Mapping[str, Column]
    bases: Mapping[str, int]
    condition: str = "true"

    @property
    def is_stored(self) -> bool:
        """Whether the rows bear their numbers."""
        return any(column.name == ROW_NUMBER for column in self.rows.snapshot.columns)

    def is_entity(self, name: str) -> bool:
        """Whether the column stands once for each datastream."""
        return name != ROW_NUMBER and not self.rows.is_narrow(name)

    def at(self, name: str) -> str:
        """The column as it stands beside the entities."""
        return f"o.{quoted(name)}" if name == ROW_NUMBER else self.rows.at(name)

    def joined(self, names: Iterable[str]) -> str:
        """The source, with the entities beside it where one of these columns is theirs."""
        return f"{self.source()} {self.rows.entities()}" if any(map(self.is_entity, names)) else self.source()

    def source(self) -> str:
        """The rows with their numbers as `o`."""
        if self.is_stored:
            return self.rows.source()
        snapshot, parameters = self.rows.snapshot, self.rows.parameters
        names = NARROW.names if self.rows.narrow else [column.name for column in snapshot.columns]
        wanted = ", ".join(map(quoted, names))
        parts = []
        if snapshot.files:
            parameters.values["files"] = list(snapshot.files)
            parameters.values["bases"] = [self.bases[path] for path in snapshot.files]
            union = snapshot.kind is Kind.TABLE and len(snapshot.files) > 1
            number = f"list_extract($bases, CAST(file_index AS BIGINT) + 1) + file_row_number + 1 AS {ROW_NUMBER}"
            parts.append(f"SELECT {wanted}, {number} FROM read_parquet($files, hive_partitioning = false, union_by_name = {union})")
            parts[-1] += self._from_the_middle()
        if snapshot.tail is not None and snapshot.tail.num_rows:
            parameters.tables["tail"] = snapshot.tail
            before = snapshot.rows - snapshot.tail.num_rows
            parts.append(f"SELECT {wanted}, {before} + row_number() OVER () AS {ROW_NUMBER} FROM tail")
        rows = "(" + (" UNION ALL ".join(parts) or self._nothing(names)) + ")"
        if self.rows.suppression is not None:
            rows = f"(SELECT {veiled(self.rows.suppression, snapshot)}, v.{ROW_NUMBER} FROM {rows} AS v)"
        return f"{rows} AS o"

    def _from_the_middle(self) -> str:
        """The condition that skips what lies in the first file before the row that is asked for."""
        first = (self.query.after or 0) - self.bases[self.rows.snapshot.files[0]]
        return f" WHERE (file_index > 0 OR file_row_number >= {first})" if first > 0 else ""

    def _nothing(self, names: Iterable[str]) -> str:
        types = {column.name: SQL_TYPES[column.type] for column in self.rows.snapshot.columns}
        empty = [f"NULL::{types[name]} AS {quoted(name)}" for name in names]
        return f"SELECT {', '.join([*empty, f'NULL::BIGINT AS {ROW_NUMBER}'])} WHERE false"


def columns_of(snapshot: Snapshot, hidden: frozenset[str]) -> dict[str, Column]:
    """The columns that may be asked for, the number first."""
    return {ROW_NUMBER: _NUMBER, **visible(snapshot, hidden)}


def numbered(engine: Engine, snapshot: Snapshot, query: NumberedQuery) -> Numbered:
    """Read a question against a snapshot. QueryError says what is wrong with it."""
    columns = columns_of(snapshot, query.hidden)
    for name in (*query.columns, *(sort.column for sort in query.sort), *(name for one in query.phrases for name in one.columns)):
        if name not in columns:
            raise QueryError(f"{query.dataset} has no column {name!r}")
    bases = dict(zip(snapshot.files, accumulate(snapshot.counts, initial=0), strict=False))
    rows = matching(engine, snapshot, query.where, query.hidden, query.suppression)
    rows = replace(rows, snapshot=_beyond(rows.snapshot, bases, query))
    rows = replace(rows, spatial=rows.spatial or needs_spatial([columns[name] for name in query.columns or columns]))
    found = Numbered(rows, query, columns, bases)
    parts = [rows.where]
    if query.after is not None:
        parts.append(f"o.{ROW_NUMBER} > {rows.parameters.add(query.after)}")
    if query.before is not None:
        parts.append(f"o.{ROW_NUMBER} < {rows.parameters.add(query.before)}")
    if query.among is not None:
        parts.append(f"list_contains({rows.parameters.add(list(query.among))}, o.{ROW_NUMBER})" if query.among else "false")
    parts += [part for phrase in query.phrases for part in _phrase(found, phrase, rows.parameters)]
    return replace(found, condition=" AND ".join(f"({part})" for part in parts))


def page(engine: Engine, snapshot: Snapshot, query: NumberedQuery, select: str) -> Question:
    """The question for one page (or for all rows, without a limit): `select` are items over the columns that are shown."""
    asked = numbered(engine, snapshot, query)
    shown = list(query.columns or asked.columns)
    by = [sort.column for sort in query.sort]
    cut = "" if query.limit is None else f" LIMIT {int(query.limit)}"
    cut += f" OFFSET {int(query.offset)}" if query.offset else ""
    if query.distinct:
        rows = f"(SELECT DISTINCT {_listed(asked, shown)} FROM {asked.joined([*shown, *_named(asked)])} WHERE {asked.condition}) AS d"
        order = ", ".join(filter(None, [_order(query, "").removeprefix("ORDER BY "), *map(quoted, shown)]))
        return asked.rows.question(f"SELECT {select} FROM (SELECT * FROM {rows} ORDER BY {order} {cut}) AS d ORDER BY {order}")
    early = list(dict.fromkeys([*(name for name in [*shown, *by] if not asked.is_entity(name)), ROW_NUMBER]))
    late = [name for name in dict.fromkeys([*shown, *by]) if asked.is_entity(name)]
    if late and not any(map(asked.is_entity, [*by, *_named(asked)])):
        key = ["datastream"] if "datastream" not in early else []
        rows = f"(SELECT {', '.join(f'o.{quoted(name)}' for name in [*early, *key])} FROM {asked.source()}"
        rows += f" WHERE {asked.condition} {_order(query, 'o.')} {cut}) AS o"
        rows = f"{rows} {asked.rows.entities()}" if query.sort or query.limit is not None else asked.rows.as_they_lie(rows, late)
        return asked.rows.question(f"SELECT {select} FROM (SELECT {_listed(asked, [*early, *late])} FROM {rows}) AS d {_final(query)}")
    used = [*early, *late, *_named(asked)]
    entities = [name for name in dict.fromkeys(used) if asked.is_entity(name)]
    read = asked.joined(used) if query.sort else asked.rows.as_they_lie(asked.source(), entities)
    rows = f"{read} WHERE {asked.condition}"
    listed = _listed(asked, [*early, *late])
    return asked.rows.question(f"SELECT {select} FROM (SELECT {listed} FROM {rows} {_order(query, '')} {cut}) AS d {_final(query)}")


def count(engine: Engine, snapshot: Snapshot, query: NumberedQuery) -> int:
    """How many rows there are in all; what nothing narrows is known without reading."""
    whole = query.where == EVERYTHING and not query.phrases and (query.after, query.before, query.among) == (None, None, None)
    if not snapshot.columns or (whole and not query.distinct):
        return snapshot.rows
    asked = numbered(engine, snapshot, query)
    shown = list(query.columns or asked.columns)
    if query.distinct:
        rows = f"(SELECT DISTINCT {_listed(asked, shown)} FROM {asked.joined([*shown, *_named(asked)])} WHERE {asked.condition})"
        question = asked.rows.question(f"SELECT count(*) FROM {rows}")
    else:
        question = asked.rows.question(f"SELECT count(*) FROM {asked.joined(_named(asked))} WHERE {asked.condition}")
    return int(engine.table(question).column(0)[0].as_py())


def _listed(asked: Numbered, names: Sequence[str]) -> str:
    return ", ".join(f"{asked.at(name)} AS {quoted(name)}" for name in names)


def _named(asked: Numbered) -> list[str]:
    """The columns in which words are looked for."""
    return [name for phrase in asked.query.phrases for name in phrase.columns or asked.columns]


def _order(query: NumberedQuery, prefix: str) -> str:
    """The order that is asked for; that of the numbers is how rows lie. Equal rows go on by number."""
    if not query.sort:
        return ""
    keys = [
        f"{prefix}{quoted(one.column)} {'DESC' if one.descending else 'ASC'} NULLS {'FIRST' if one.nulls_first else 'LAST'}"
        for one in query.sort
    ]
    if not query.distinct and all(one.column != ROW_NUMBER for one in query.sort):
        keys.append(f"{prefix}{quoted(ROW_NUMBER)}")
    return f"ORDER BY {', '.join(keys)}"


def _final(query: NumberedQuery) -> str:
    """The order of a page that was cut already; a stream of all rows keeps that in which it is read."""
    if query.limit is None:
        return _order(query, "")
    return _order(query, "") or f"ORDER BY {quoted(ROW_NUMBER)}"


def _beyond(snapshot: Snapshot, bases: Mapping[str, int], query: NumberedQuery) -> Snapshot:
    """The snapshot without the files whose numbers are out of bounds."""
    if (query.after is None and query.before is None) or any(column.name == ROW_NUMBER for column in snapshot.columns):
        return snapshot
    ends = dict(zip(bases, [*list(bases.values())[1:], float("inf")], strict=True))
    after, before = query.after or 0, float("inf") if query.before is None else query.before
    kept = [place for place, path in enumerate(snapshot.files) if ends[path] > after and bases[path] + 1 < before]
    ranges = tuple(snapshot.ranges[place] for place in kept) if len(snapshot.ranges) == len(snapshot.files) else ()
    return replace(snapshot, files=tuple(snapshot.files[place] for place in kept), ranges=ranges)


def _phrase(asked: Numbered, phrase: Phrase, parameters: Parameters) -> list[str]:
    """The conditions that each word stands in one of the columns. Each column is looked at for itself: what repeats in it is folded
    once. A word of digits may be part of any value, all others are in texts."""
    found = []
    for word in phrase.words:
        plain = word.removesuffix("*")
        pattern = (_BEGINS if word.endswith("*") else _WHOLE).format(word=plain)
        names = phrase.columns or [name for name, one in asked.columns.items() if one.type in (_ANY if plain.isdigit() else _WORDS)]
        part, whole = parameters.add(plain), parameters.add(pattern)
        ways = [
            f"(contains({text}, {part}) AND regexp_matches({text}, {whole}))"
            for text in (FOLDED.format(text=_text(asked, name)) for name in names)
        ]
        found.append(" OR ".join(ways) or "false")
    return found


def _text(asked: Numbered, name: str) -> str:
    column = asked.at(name)
    return column if asked.columns[name].type is ColumnType.TEXT else f"CAST({column} AS VARCHAR)"
