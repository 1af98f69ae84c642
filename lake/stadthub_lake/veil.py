"""Rows as they are shown to a reader who must not see small counts of people.

Filters, orders, measures and files are made of these columns, so that none of them can tell more than the rows do.
"""

import pyarrow as pa

from stadthub_lake.filters import quoted
from stadthub_lake.snapshot import Snapshot
from stadthub_schemas.dataset import Column, ColumnType, Kind
from stadthub_schemas.query import SUPPRESSED, Suppression

#: The columns of a timeseries that stand with each observation; all others stand once per datastream.
NARROW = pa.schema(
    [
        pa.field("datastream", pa.string()),
        pa.field("phenomenon_time", pa.timestamp("us", tz="UTC")),
        pa.field("result", pa.float64()),
        pa.field("result_text", pa.string()),
        pa.field("quality", pa.string()),
        pa.field("received_time", pa.timestamp("us", tz="UTC")),
        pa.field("parameters", pa.string()),
    ]
)

#: Types whose values can be a count, or be computed from one.
_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.DECIMAL, ColumnType.JSON})

#: The column that says of a row of a table that something of it is not shown.
_FLAG = "quality"


def veiled(rule: Suppression, snapshot: Snapshot) -> str:
    """The select items of the rows `v`, under their own names."""
    return _observations(rule) if snapshot.kind is Kind.TIMESERIES else _rows(rule, snapshot.columns)


def _observations(rule: Suppression) -> str:
    observed = "split_part(v.datastream, ':', -1)"
    part = " OR ".join(f"starts_with({observed}, {_text(total)})" for total in rule.totals)
    totals = ", ".join(map(_text, rule.totals))
    small = f"v.result IS NULL OR NOT v.result >= {int(rule.k)}"
    if rule.smallest is not None:
        small += (
            f" OR coalesce(TRY_CAST(json_extract_string(v.parameters, {_text('$.' + rule.smallest)}) AS DOUBLE) < {int(rule.k)}, false)"
        )
    hides = f"(({part}) AND ({observed} NOT IN ({totals}) OR {small}))"
    said = {name: f"CASE WHEN {hides} THEN NULL ELSE v.{name} END" for name in ("result", "result_text", "parameters")}
    said["quality"] = f"CASE WHEN {hides} THEN '{SUPPRESSED}' ELSE v.quality END"
    return ", ".join(f"{said[name]} AS {name}" if name in said else f"v.{name}" for name in NARROW.names)


def _rows(rule: Suppression, columns: tuple[Column, ...]) -> str:
    """Of each row all counts or none, where a column says what is behind them; else each by itself."""
    kinds = {column.name: column.type for column in columns}
    counts = [name for name in (*rule.columns, *filter(None, [rule.smallest])) if name in kinds]
    small = {name: f"coalesce(NOT TRY_CAST(v.{quoted(name)} AS DOUBLE) >= {int(rule.k)}, true)" for name in counts}
    if rule.smallest is not None:  # a row without that column says nothing of its counts
        small = dict.fromkeys(counts, small.get(rule.smallest, "true"))
    items = []
    for name, kind in kinds.items():
        if name in small:
            items.append(f"CASE WHEN {small[name]} THEN NULL ELSE v.{quoted(name)} END AS {quoted(name)}")
        elif kind in _NUMBERS and name not in rule.plain:
            items.append(f"CASE WHEN false THEN v.{quoted(name)} END AS {quoted(name)}")
        elif name == _FLAG and kind is ColumnType.TEXT and small:
            hidden = " OR ".join(dict.fromkeys(small.values()))
            items.append(f"CASE WHEN {hidden} THEN '{SUPPRESSED}' ELSE v.{quoted(name)} END AS {quoted(name)}")
        else:
            items.append(f"v.{quoted(name)}")
    return ", ".join(items)


def _text(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"
