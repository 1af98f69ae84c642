"""Objects in JSON: paths to observations, features or a table; nested lists, key and value pairs, one object a line.

[options]
rows = "features[*].properties"
columns = { thing = "id", phenomenon_time = "$.updated" }
values = { free = { observed_property = "parking_free" } }
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, BinaryIO, Literal, Self

import orjson
from pydantic import Field, model_validator

from stadthub_ingest.attributes import exact, feature, moment, without_amounts
from stadthub_ingest.decoded import Decoded, DecodeError, Pieces, Unreadable
from stadthub_ingest.keys import column_keys
from stadthub_ingest.mapping import Cell, Mapped, Plan, clean, constants_of, fields_of, named_places, names_in, needs, observations
from stadthub_ingest.paths import Path, Place, below, find, read_path, walk
from stadthub_ingest.pieces import of_records
from stadthub_ingest.pruning import Pruner, spelt
from stadthub_ingest.texts import read_exact_json, read_json, read_text
from stadthub_ingest.times import TimeReader
from stadthub_schemas.dataset import ColumnType, Kind
from stadthub_schemas.model import Strict

#: The mapping is kept for so many names of payloads.
_NAMES = 10_000


class Pairs(Strict):
    """A list of objects that each hold a name and a value; the names are then the keys of `values`."""

    path: str = Field(description="from the row to the objects, such as sensordatavalues[*]")
    key: str = Field(description="the path of the name in such an object")
    value: str = Field(description="the path of the value in such an object")
    others: Literal["drop", "keep"] = Field(default="drop", description="pairs that `values` does not name")


@dataclass(frozen=True, slots=True)
class _Way:
    """The mapping for payloads of one name: `direct` reads objects without their surroundings, where no path asks for those."""

    plan: Plan
    direct: Plan | None
    cells: dict[str, Cell]


class Options(Mapped):
    """How a JSON payload is read."""

    rows: str | None = Field(default=None, description="the path to the rows; absent: the payload itself, or each item of its list")
    lines: bool = Field(default=False, description="one JSON object a line (NDJSON)")
    pairs: Pairs | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        wrong = []
        for place, path in self._paths():
            try:
                read_path(path)
            except ValueError as error:
                wrong.append(f"{place}: {error}")
        if wrong:
            raise ValueError("\n".join(wrong))
        if self.kind is Kind.TIMESERIES:
            keeps = self.pairs is not None and self.pairs.others == "keep"
            needs(self, {"observed_property", "result"} if keeps else set())
        return self

    def _paths(self) -> Iterator[tuple[str, str]]:
        """Every path in the options with its place there."""
        if self.rows is not None:
            yield "rows", self.rows
        for field, path in self.columns:
            for one in (path,) if isinstance(path, str) else path or ():
                yield f"columns.{field}", one
        for group, table in (("parameters", self.parameters), ("properties", self.properties or {})):
            for name, path in table.items():
                yield f"{group}.{name}", path
        if self.pairs is not None:
            for name in ("path", "key", "value"):
                yield f"pairs.{name}", getattr(self.pairs, name)
        else:
            for path, value in self.values.items():
                yield f"values.{path}", path
                if value.quality is not None:
                    yield f"values.{path}.quality", value.quality

    @cached_property
    def plan(self) -> Plan:
        """The mapping with its paths read, without what the payload's name adds."""
        columns = self.columns
        times = (columns.phenomenon_time,) if isinstance(columns.phenomenon_time, str) else columns.phenomenon_time or ()
        named = [(field, path) for field, path in columns if isinstance(path, str) and field not in ("phenomenon_time", "result")]
        return Plan(
            fetch=_fetch,
            constants={},
            fields=[(field, read_path(path)) for field, path in named],
            times=[read_path(path) for path in times],
            cells=[] if columns.result is None else [Cell(read_path(columns.result), {})],
            parameters=[(name, read_path(path)) for name, path in self.parameters.items()],
            marks=frozenset(self.missing),
            notation=(self.decimal, self.thousands),
        )

    @cached_property
    def reader(self) -> TimeReader:
        """What reads the times; each payload has one afresh."""
        return TimeReader(self.times)

    @cached_property
    def ways(self) -> dict[str, _Way]:
        """The mapping for each name that payloads had, with what the name adds. It grows with the names that come, up to a bound."""
        return {}


@dataclass(frozen=True, slots=True)
class _Record:
    """A row of the payload: its place, and the values of its pairs by name."""

    place: Place
    pairs: dict[str, Any]


def _fetch(record: _Record, place: Path | str) -> Any:
    return record.pairs.get(place) if isinstance(place, str) else find(record.place, place)


def decode(payload: bytes, options: Options, name: str) -> Iterator[Decoded]:
    """The rows in the order of the payload."""
    way = _way(options, name)
    reader = options.reader.afresh()
    if way.direct is None or options.rows is not None or options.lines:
        return _decoded(_rows(payload, options), options, way, reader)
    found = read_json(payload)
    if isinstance(found, dict):  # the payload is the row, as most messages are
        return iter(observations(way.direct, found, reader.read))
    return _decoded(_places(found, None), options, way, reader)


def _decoded(places: Iterator[Place | Unreadable], options: Options, way: _Way, reader: TimeReader) -> Iterator[Decoded]:
    for place in places:
        if isinstance(place, Unreadable):
            yield place
        elif options.kind is Kind.TIMESERIES:
            yield from _observations(place, options, way, reader)
        else:
            yield _attributes(place, options, way.plan, reader)


def _way(options: Options, name: str) -> _Way:
    """The mapping for payloads of this name. It is worked out once."""
    known = name if options.file_name else ""
    way = options.ways.get(known)
    if way is None:
        if len(options.ways) >= _NAMES:
            options.ways.clear()
        way = options.ways[known] = _worked_out(options, names_in(options.file_name, name))
    return way


def _worked_out(options: Options, groups: dict[str, str]) -> _Way:
    cells: dict[str, Cell] = {}
    for path, value in options.values.items():
        quality = None if value.quality is None else read_path(value.quality)
        at = path if options.pairs else read_path(path)
        cells[path] = Cell(at, fields_of(value, {**groups, "path": path}), quality, value.factor)
    plan = replace(options.plan, constants=constants_of(options, groups))
    if options.pairs is not None:
        return _Way(plan, None, cells)
    plan = replace(plan, cells=[*cells.values(), *plan.cells])
    return _Way(plan, _direct(plan) if options.kind is Kind.TIMESERIES else None, cells)


def _direct(plan: Plan) -> Plan | None:
    """The plan for objects as they are, without their surroundings; None if a path asks for those."""
    cells = [(cell.place, cell.quality) for cell in plan.cells]
    paths = [*plan.times, *(path for _, path in (*plan.fields, *plan.parameters)), *(path for pair in cells for path in pair if path)]
    if not all(path.plain for path in paths):
        return None
    if not all(len(path.steps) == 1 and isinstance(path.steps[0], str) for path in paths):
        return replace(plan, fetch=below)
    return replace(
        plan,
        fetch=dict.get,
        fields=[(name, path.steps[0]) for name, path in plan.fields],
        times=[path.steps[0] for path in plan.times],
        cells=[replace(cell, place=cell.place.steps[0], quality=cell.quality and cell.quality.steps[0]) for cell in plan.cells],
        parameters=[(name, path.steps[0]) for name, path in plan.parameters],
    )


def _rows(payload: bytes, options: Options) -> Iterator[Place | Unreadable]:
    if not options.lines:
        yield from _places(_read(payload, options), options.rows)
        return
    for number, line in enumerate(read_text(payload, None).splitlines(), 1):
        if not line.strip():
            continue
        try:
            found = _read(line.encode(), options)
        except DecodeError as error:
            yield Unreadable(line, f"line {number}: {error}")
        else:
            yield from _places(found, options.rows)


def _read(payload: bytes, options: Options) -> Any:
    """The objects; with `decimal_columns` numbers come with all their digits."""
    return read_exact_json(payload) if options.decimal_columns else read_json(payload)


def _places(found: Any, rows: str | None) -> Iterator[Place]:
    """The places of the rows. A path that ends at a list means its items."""
    for place in walk(Place(found), read_path(rows or "")):
        if isinstance(place.value, list):
            for number, item in enumerate(place.value):
                yield Place(item, place, number)
        else:
            yield place


def _observations(place: Place, options: Options, way: _Way, reader: TimeReader) -> Iterator[Decoded]:
    if way.direct is not None and isinstance(place.value, dict):
        yield from observations(way.direct, place.value, reader.read)
        return
    if not isinstance(place.value, dict | list):
        yield Unreadable(str(place.value)[:1000], f"rows: {str(place.value)[:100]!r} is not an object")
        return
    if options.pairs is None:
        yield from observations(way.plan, _Record(place, {}), reader.read)
        return
    pairs: dict[str, Any] = {}
    for found in walk(place, read_path(options.pairs.path)):
        key = _name(find(found, read_path(options.pairs.key)))
        if key in pairs or (key not in way.cells and options.pairs.others == "drop"):
            yield None
        else:
            pairs[key] = find(found, read_path(options.pairs.value))
    named = [way.cells.get(key) or Cell(key, {"observed_property": key}) for key in pairs]
    yield from observations(replace(way.plan, cells=named), _Record(place, pairs), reader.read)


def _name(key: Any) -> str:
    # 4097 and 4097.0 are "4097"
    return str(int(key)) if isinstance(key, float) and key.is_integer() else str(key).strip()


def _attributes(place: Place, options: Options, plan: Plan, reader: TimeReader) -> Decoded:
    """A feature or a row of a table."""
    if not isinstance(place.value, dict):
        return Unreadable(str(place.value)[:1000], f"rows: {str(place.value)[:100]!r} is not an object")
    if options.properties is not None:
        found = {name: find(place, read_path(path)) for name, path in options.properties.items()}
    else:
        used = {path for _, path in options.columns if isinstance(path, str)} if options.kind is Kind.FEATURES else set()
        kept = {key: value for key, value in place.value.items() if key not in used and key.partition(".")[0] not in used}
        found = dict(zip(column_keys(kept), kept.values(), strict=True))
    row = {name: clean(value, plan.marks) for name, value in found.items()}
    if options.decimal_columns:
        row = {name: value if name in options.decimal_columns else without_amounts(value) for name, value in row.items()}
    for name in options.decimal_columns:
        row[name] = exact(row.get(name), plan.notation)
    for name in options.time_columns:
        if row.get(name) is not None:
            is_day = options.column_types.get(name) is ColumnType.DATE and isinstance(row[name], str)
            row[name] = reader.read_day(row[name]) if is_day else moment(row[name], name, reader)
    if options.kind is Kind.TABLE:
        return row
    given = {field: clean(find(place, path), plan.marks) for field, path in plan.fields}
    return feature(given, row, plan.notation, options.system)


def split(file: BinaryIO, options: Options, most: int) -> Pieces | None:
    """The lines in pieces; None where the payload is one object."""
    return of_records(file, b"", None, most) if options.lines else None


def narrow(payload: bytes, options: Options, _name: str) -> bytes:
    """The payload with that only to which a path of the options leads."""
    lines = [line.encode() for line in read_text(payload, None).splitlines() if line.strip()] if options.lines else [payload]
    return b"\n".join(orjson.dumps(_narrowed(_read(line, options), options), default=spelt) for line in lines)


def _narrowed(found: Any, options: Options) -> Any:
    pruner = Pruner(found)
    names = set(options.values) if options.pairs is not None else set()
    paths = [read_path(text) for text in named_places(options) - names]
    for place in _places(found, options.rows):
        pruner.want(place, paths)
        if options.pairs is not None:
            inner = [read_path(options.pairs.key), read_path(options.pairs.value)]
            for pair in walk(place, read_path(options.pairs.path)):
                if options.pairs.others == "keep" or _name(find(pair, inner[0])) in options.values:
                    pruner.want(pair, inner)
    return pruner.pruned()
