"""The process in which a Parquet file is read that may be made to do harm: it has no network, bounds of memory and time, and one answer.

Started as a file by `foreign_parquet.py`, with the file as its standard input, and imports nothing of ours but the bounds of the process
for GDAL. A line of JSON says what was found or what is wrong; then the rows follow as an Arrow stream, a batch a piece.
"""

import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO


def _bounds() -> Any:
    """What bounds the process for GDAL, loaded by its path: the folder beside is no place to import from."""
    found = importlib.util.spec_from_file_location("bounds", Path(__file__).with_name("gdal_process.py"))
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


class RefusedError(Exception):
    """The file is not read; the message says why."""


def opened(wanted: dict[str, Any]) -> Any:
    """The file with its footer read; RefusedError for a trap."""
    import pyarrow as pa  # noqa: PLC0415 - only within the bounds
    import pyarrow.parquet as pq  # noqa: PLC0415 - as above

    try:
        found = pq.ParquetFile(os.fdopen(0, "rb"), arrow_extensions_enabled=False)
        told = found.metadata
        groups = [told.row_group(one).total_byte_size for one in range(told.num_row_groups)]
    except (pa.ArrowException, OSError, ValueError):
        raise RefusedError("it is not a Parquet file, or a broken one") from None
    if told.num_columns > wanted["columns"]:
        raise RefusedError(f"it has more than {wanted['columns']} columns")
    if sum(groups) > wanted["unpacked"] or any(one > wanted["part"] for one in groups):
        raise RefusedError(f"it unpacks to more than {wanted['unpacked']} bytes, or to {wanted['part']} in one row group")
    return found


def plan(file: Any, most: int) -> tuple[int, int]:
    """In how many pieces of about so many bytes the file is read, and how many rows each has at most."""
    told = file.metadata
    groups = [told.row_group(one) for one in range(told.num_row_groups)]
    rows = max(1_000, int(told.num_rows * most / max(1, sum(one.total_byte_size for one in groups))))
    return max(1, sum(-(-one.num_rows // rows) for one in groups)), rows


def pieces(file: Any, rows: int) -> Iterator[Any]:
    """The tables of the pieces; one without rows of a file that has none."""
    given = False
    for group in range(file.metadata.num_row_groups):
        table = file.read_row_group(group)
        for start in range(0, table.num_rows, rows):
            given = True
            yield table.slice(start, rows)
    if not given:
        yield file.schema_arrow.empty_table()


def head(file: Any, rows: int) -> Any:
    """The first rows."""
    import pyarrow as pa  # noqa: PLC0415 - only within the bounds

    batch = next(file.iter_batches(rows), None)
    return file.schema_arrow.empty_table() if batch is None else pa.Table.from_batches([batch])


def plain(table: Any, words: Any) -> Any:
    """The table as one batch of types that need no word of the file's own; `words` are the file's, for its geometry."""
    import pyarrow as pa  # noqa: PLC0415 - only within the bounds

    columns = []
    for column in table.combine_chunks().columns:
        whole = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
        own = isinstance(whole.type, pa.BaseExtensionType) and not isinstance(whole.type, pa.UuidType | pa.Bool8Type)
        columns.append(whole.storage if own else whole)
    fields = [pa.field(name, one.type) for name, one in zip(table.column_names, columns, strict=True)]
    return pa.record_batch(columns, schema=pa.schema(fields, metadata=words))


def answer(wanted: dict[str, Any], out: BinaryIO) -> None:
    """What was found, and then the rows."""
    import pyarrow as pa  # noqa: PLC0415 - only within the bounds

    file = opened(wanted)
    number, rows = plan(file, wanted["most"]) if wanted["head"] is None else (1, wanted["head"])
    out.write(json.dumps({"number": number}).encode() + b"\n")
    words = file.schema_arrow.metadata
    writer = None
    for table in pieces(file, rows) if wanted["head"] is None else [head(file, rows)]:
        batch = plain(table, words)
        writer = writer or pa.ipc.new_stream(out, batch.schema)
        writer.write_batch(batch)
        out.flush()
    assert writer is not None
    writer.close()


def main(wanted: dict[str, Any]) -> None:
    """Answer one request. What goes wrong among the rows ends the stream before its end."""
    bounds = _bounds()
    sys.meta_path.insert(0, bounds.NoPandas)
    bounds.bound(wanted["seconds"], wanted["memory_mb"], 0)
    bounds.close_network()
    with os.fdopen(1, "wb") as out:
        try:
            answer(wanted, out)
        except RefusedError as refused:
            out.write(json.dumps({"error": str(refused)}).encode() + b"\n")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
