"""What a new version changes: rows of the old and the new one, told apart by their key and compared by content."""

from collections.abc import Sequence

import pyarrow as pa

from stadthub_lake.dedupe import ask

COMPARE = """
WITH before AS (SELECT {key} AS key, count(*) AS rows, {content} AS content FROM old AS side GROUP BY ALL),
     after AS (SELECT {key} AS key, count(*) AS rows, {content} AS content FROM new AS side GROUP BY ALL),
     both_sides AS (
        SELECT coalesce(before.rows, 0) AS was, coalesce(after.rows, 0) AS now, before.content IS NOT DISTINCT FROM after.content AS same
        FROM before FULL JOIN after ON before.key IS NOT DISTINCT FROM after.key
     )
SELECT sum(greatest(now - was, 0)) AS added, sum(least(was, now)) FILTER (NOT same) AS changed,
    sum(greatest(was - now, 0)) AS removed, sum(least(was, now)) FILTER (same) AS unchanged
FROM both_sides
"""


def compare(old: pa.Table, new: pa.Table, key: Sequence[str]) -> dict[str, int]:
    """How many rows were added, changed, removed, unchanged. Without a key a changed row is one removed and one added."""
    names = sorted(set(old.column_names) | set(new.column_names))
    types = {field.name: field.type for field in (*old.schema, *new.schema) if not pa.types.is_null(field.type)}
    sides = [_widened(side, names, types) for side in (old, new)]
    row = "hash({})".format(", ".join(f"side.{_quoted(name)}" for name in names))
    question = (
        COMPARE.format(key="hash({})".format(", ".join(f"side.{_quoted(name)}" for name in key)), content=f"sum({row})")
        if key
        else COMPARE.format(key=row, content="0")
    )
    answer = ask(question, {}, old=sides[0], new=sides[1]).to_pylist()[0]
    return {name: int(value or 0) for name, value in answer.items()}


def _widened(side: pa.Table, names: Sequence[str], types: dict[str, pa.DataType]) -> pa.Table:
    """The side with all columns of both, empty where it has none."""
    columns = [
        side[name].cast(types.get(name, pa.string()))
        if name in side.column_names
        else pa.nulls(side.num_rows, types.get(name, pa.string()))
        for name in names
    ]
    return pa.table(columns, names=list(names))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
