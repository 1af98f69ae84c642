"""One batch of a timeseries, column-wise: keys, times, the words of its datastreams, and what is stored of it."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stadthub_lake.layout import ENTITIES, OBSERVATIONS, Numbers
from stadthub_schemas.errors import TypeConflict
from stadthub_schemas.rows import OBSERVATIONS_CODED, OBSERVATIONS_IN, datastream_key

#: The words of a datastream, without its key.
WORDS = tuple(name for name in ENTITIES.names if name != "datastream")

Words = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows with, for each, the number of its datastream within the batch (`keys` has the names) and its time in microseconds."""

    rows: pa.Table
    keys: list[str]
    which: Numbers
    times: Numbers

    def datastreams(self) -> pa.Array:
        """The datastream of each row, as a dictionary column."""
        return pa.DictionaryArray.from_arrays(pa.array(self.which.astype(np.int32)), pa.array(self.keys, pa.string()))

    def stored(self) -> pa.Table:
        """The rows as they are stored."""
        names = OBSERVATIONS.names[1:]
        columns = [self.datastreams(), *(self.rows[name].cast(OBSERVATIONS.field(name).type) for name in names)]
        return pa.table(columns, names=OBSERVATIONS.names)

    def take(self, chosen: pa.Array) -> "Batch":
        """The rows that are marked True."""
        flags = chosen.to_numpy(zero_copy_only=False)
        return Batch(self.rows.filter(chosen), self.keys, self.which[flags], self.times[flags])

    def words(self) -> dict[str, Words]:
        """For each datastream of the batch the last that its rows say of each word: a row without a place leaves the place."""
        if not len(self.which):
            return {}
        last: Numbers = np.full(len(self.keys), -1, dtype=np.int64)
        last[self.which] = np.arange(len(self.which))
        there = np.flatnonzero(last >= 0)
        found = []
        for name in WORDS:
            column = self.rows[name]
            said = last
            if 0 < column.null_count < len(column):
                said = self._last(np.flatnonzero(column.is_valid().to_numpy()))
                said = np.where(said >= 0, said, last)
            found.append(column.take(pa.array(said[there])).cast(ENTITIES.field(name).type).to_pylist())
        return dict(zip((self.keys[key] for key in there), zip(*found, strict=True), strict=True))

    def _last(self, rows: Numbers) -> Numbers:
        """For each datastream the last of these rows, or -1."""
        last: Numbers = np.full(len(self.keys), -1, dtype=np.int64)
        last[self.which[rows]] = rows
        return last


def read_batch(dataset: str, rows: pa.Table) -> Batch:
    """The batch behind a table in the shape OBSERVATIONS_IN. TypeConflict names the first column that does not fit."""
    rows = conform(dataset, rows, OBSERVATIONS_CODED if rows.schema == OBSERVATIONS_CODED else OBSERVATIONS_IN).combine_chunks()
    if not rows.num_rows:
        empty = np.empty(0, dtype=np.int64)
        return Batch(rows, [], empty, empty)
    things, properties = (_coded(rows[name]) for name in ("thing", "observed_property"))
    pairs = things[1].astype(np.int64) * len(properties[0]) + properties[1]
    there, which = _distinct(pairs, len(things[0]) * len(properties[0]))
    keys = [datastream_key(things[0][pair // len(properties[0])], properties[0][pair % len(properties[0])]) for pair in there.tolist()]
    times = rows["phenomenon_time"].cast(pa.int64()).to_numpy()
    return Batch(rows, keys, which, times)


def conform(dataset: str, rows: pa.Table, shape: pa.Schema) -> pa.Table:
    """The table with the columns of a shape. TypeConflict if one is missing, empty where it may not, or of another type."""
    columns = []
    for field in shape:
        if field.name not in rows.column_names:
            raise TypeConflict(f"{dataset}: the column {field.name} is missing")
        column = rows[field.name]
        if column.type != field.type:
            column = _cast(dataset, field, column)
        if not field.nullable and column.null_count:
            raise TypeConflict(f"{dataset}: {field.name} is empty in {column.null_count} rows, but every row needs it")
        columns.append(column)
    return pa.table(columns, schema=shape)


def _cast(dataset: str, field: pa.Field, column: pa.ChunkedArray) -> pa.ChunkedArray:
    fits = pa.types.is_null(column.type) or pa.types.is_dictionary(column.type) or _family(column.type) == _family(field.type)
    try:
        if fits:
            return column.cast(field.type)
    except pa.ArrowInvalid as error:
        raise TypeConflict(f"{dataset}: {field.name} is stored as {field.type}, {column.type} does not fit in") from error
    raise TypeConflict(f"{dataset}: {field.name} is stored as {field.type}, but {column.type} was given")


def _family(kind: pa.DataType) -> str:
    """Types of one family can be turned into each other without a change of meaning."""
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return "number"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "text"
    return "time" if pa.types.is_timestamp(kind) and kind.tz else str(kind)


def _coded(column: pa.ChunkedArray) -> tuple[list[str], Numbers]:
    """The distinct texts of a column and the number of each row's text."""
    given = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
    coded = given.unify_dictionaries().combine_chunks()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.chunk(0)
    return coded.dictionary.to_pylist(), coded.indices.to_numpy()


def _distinct(pairs: Numbers, most: int) -> tuple[Numbers, Numbers]:
    """The distinct pairs, and the number of each row's pair; by counting where there are few possible ones."""
    if most > 4 * len(pairs) + 1_000_000:
        there, which = np.unique(pairs, return_inverse=True)
        return there, which
    seen = np.zeros(most, dtype=np.int64)
    seen[pairs] = 1
    there = np.flatnonzero(seen)
    seen[there] = np.arange(len(there))
    return there, seen[pairs]
