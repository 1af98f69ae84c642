"""Records that come into a table: which are new, which take the place of others, and what is wrong with them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from stadthub_catalog.refusals import Invalid
from stadthub_lake.recordset import ID, RecordSet
from stadthub_pipelines.datastore.fields import Field, Layout
from stadthub_pipelines.datastore.tables import with_numbers
from stadthub_pipelines.datastore.values import Record, column

_NUMBER = "_number"


@dataclass(frozen=True, slots=True)
class Upsert:
    """Rows that are ready to be kept: those that take the places of others, and new ones; `layout` is what is said of the table then."""

    changed: pa.Table
    added: pa.Table
    layout: Layout

    @property
    def all(self) -> pa.Table:
        """All of them by number."""
        return pa.concat_tables([self.changed, self.added])

    def keep(self, table: RecordSet) -> None:
        """Put them into the table, on disk when this returns."""
        if self.changed.num_rows:
            table.mend(self.changed, pa.chunked_array([], pa.int64()), self.added, self.layout.note())
        elif self.added.num_rows:
            table.add(self.added, self.layout.note())


def upserted(table: RecordSet, layout: Layout, records: Sequence[Record], method: str) -> Upsert | None:
    """What the records change in the table; None if there are none. Invalid."""
    if not records:
        return None
    if method == "insert":
        rows = columns_of(layout.fields, records, method="insert")
        unique(layout, rows)
        _refuse_known(table, layout, rows)
        return _grown(layout, table.schema.empty_table(), rows)
    by_number = any(ID in record for record in records)
    if by_number and not all(ID in record for record in records):
        raise Invalid({"records": ["either all records name their _id or none does"]})
    merged = _merged(layout, records, (ID,) if by_number else layout.key)
    rows = columns_of(layout.fields, merged, method="upsert")
    found = _places(table, layout, rows, merged, by_number=by_number)
    there = found[ID].is_valid()
    if (method == "update" or by_number) and not pc.all(there).as_py():
        missing = pc.index(there, pa.scalar(value=False)).as_py()
        values = [merged[missing][name] for name in ((ID,) if by_number else layout.key)]
        raise Invalid({"key": [f'key "{values}" not found']})
    changed = _overlaid(table, layout, rows.filter(there), found[ID].filter(there), [merged[i] for i in np.flatnonzero(there.to_numpy())])
    if by_number and layout.key:
        _refuse_others(table, layout, changed)
    return _grown(layout, changed, rows.filter(pc.invert(there)))


def columns_of(fields: Sequence[Field], records: Sequence[Record], *, method: Literal["insert", "upsert"]) -> pa.Table:
    """The records as columns. Invalid for keys that are no fields, and for values that their fields can't have."""
    known = {one.id for one in fields}
    for row, record in enumerate(records):
        extra = [name for name in record if name not in known and (name != ID or method == "insert")]
        if extra and method == "insert":
            raise Invalid({"records": [f'row "{row + 1}" has extra keys "{", ".join(extra)}"']})
        if extra:
            raise Invalid({"fields": [f'fields "{", ".join(extra)}" do not exist']})
    if not fields:
        return pa.table({ID: pa.nulls(len(records), pa.int64())})
    return pa.table([column(one, records) for one in fields], names=[one.id for one in fields])


def unique(layout: Layout, rows: pa.Table) -> None:
    """Invalid if two rows bear the same key; missing values differ from each other."""
    if not layout.key or rows.num_rows < 2:
        return
    keys = rows.select(list(layout.key))
    whole = np.logical_and.reduce([keys[name].is_valid().to_numpy() for name in layout.key])
    kept = keys.filter(pa.array(whole))
    counted = (
        kept.append_column(_NUMBER, pa.array(np.flatnonzero(whole)))
        .group_by(list(layout.key))
        .aggregate([(_NUMBER, "count"), (_NUMBER, "max")])
    )
    twice = counted.filter(pc.greater(counted[f"{_NUMBER}_count"], 1))
    if twice.num_rows:
        raise _duplicate(layout, int(twice[f"{_NUMBER}_max"][0].as_py()))


def told(rows: pa.Table | None, layout: Layout) -> list[dict[str, Any]]:
    """Rows as records."""
    shown = [ID, *(one.id for one in layout.fields)]
    types = {one.id: one.type for one in layout.fields}
    found = rows.select(shown).to_pylist() if rows is not None else []
    return [{name: _plain(types.get(name, "int"), value) for name, value in row.items()} for row in found]


def _plain(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind in ("json", "jsonb"):
        return orjson.loads(value)
    if kind == "numeric":
        return int(value) if value == value.to_integral_value() else float(value)
    if kind == "timestamp":
        return value.replace(tzinfo=None).isoformat(timespec="milliseconds")
    return value.isoformat() if hasattr(value, "isoformat") else value


def _grown(layout: Layout, changed: pa.Table, rows: pa.Table) -> Upsert:
    """The change, its new rows numbered."""
    added = with_numbers(rows.drop_columns([ID]) if ID in rows.column_names else rows, layout.next, layout.schema)
    return Upsert(changed, added, replace(layout, next=layout.next + added.num_rows))


def _merged(layout: Layout, records: Sequence[Record], key: Sequence[str]) -> list[dict[str, Any]]:
    """One record of each key, as it is after all of them. Invalid."""
    if not key:
        raise Invalid({"table": ["unique key must be passed for update/upsert"]})
    known = {one.id for one in layout.fields} | {ID}
    merged: dict[Any, dict[str, Any]] = {}
    for number, record in enumerate(records):
        missing = [name for name in key if name not in record]
        if missing:
            raise Invalid({"key": [f'fields "{", ".join(missing)}" are missing but needed as key']})
        extra = [name for name in record if name not in known]
        if extra:
            raise Invalid({"fields": [f'fields "{", ".join(extra)}" do not exist']})
        mark = tuple(repr(record[name]) if record[name] is not None else number for name in key)
        merged[mark] = {**merged.get(mark, {}), **record}
    return list(merged.values())


def _places(table: RecordSet, layout: Layout, rows: pa.Table, records: Sequence[Record], *, by_number: bool) -> pa.Table:
    """The number of the row that each record means, in their order; empty where there is none."""
    key = (ID,) if by_number else layout.key
    if by_number:
        try:
            wanted = pa.table({ID: pa.array([int(record[ID]) for record in records], pa.int64())})
        except (TypeError, ValueError, OverflowError):
            raise Invalid({"records": ["_id must be a whole number"]}) from None
    else:
        unique(layout, rows)
        wanted = rows.select(list(key))
    found = table.find(wanted.append_column(_NUMBER, pa.array(np.arange(len(records)))), key)
    ids = np.zeros(len(records), dtype=np.int64)
    ids[found["number"].to_numpy()] = found["id"].to_numpy()
    return pa.table({ID: pa.chunked_array([pa.array(ids, mask=ids == 0)])})


def _overlaid(table: RecordSet, layout: Layout, rows: pa.Table, ids: pa.ChunkedArray, records: Sequence[Record]) -> pa.Table:
    """The stored rows with these numbers, with what the records say in place of what they said before."""
    order = pc.sort_indices(ids)
    rows, ids = rows.take(order), ids.take(order)
    records = [records[place] for place in order.to_pylist()]
    old = table.pick(ids)
    columns: list[Any] = [ids]
    for one in layout.fields:
        given = np.array([one.id in record for record in records], dtype=np.bool_)
        new = rows[one.id].cast(old[one.id].type)
        columns.append(new if given.all() else pc.if_else(pa.array(given), new, old[one.id]))
    return pa.table(columns, names=[ID, *(one.id for one in layout.fields)]).cast(layout.schema)


def _refuse_known(table: RecordSet, layout: Layout, rows: pa.Table) -> None:
    """Invalid if a row bears the key of one that is there."""
    if layout.key:
        found = table.find(rows.select(list(layout.key)).append_column(_NUMBER, pa.array(np.arange(rows.num_rows))), layout.key)
        if found.num_rows:
            raise _duplicate(layout, int(pc.min(found["number"]).as_py()))


def _refuse_others(table: RecordSet, layout: Layout, changed: pa.Table) -> None:
    """Invalid if a row that was named by its number would bear the key of another one."""
    unique(layout, changed)
    found = table.find(changed.select(list(layout.key)).append_column(_NUMBER, changed[ID]), layout.key)
    others = found.filter(
        pc.and_(pc.not_equal(found["number"], found["id"]), pc.invert(pc.is_in(found["id"], changed[ID].combine_chunks())))
    )
    if others.num_rows:
        raise _duplicate(layout, 0)


def _duplicate(layout: Layout, row: int) -> Invalid:
    names = ", ".join(layout.key)
    return Invalid({"records": [f'duplicate key value violates unique constraint "{names}"'], "records_row": row})
