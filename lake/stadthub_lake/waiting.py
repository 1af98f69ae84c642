"""Rows that wait on disk until all of a table are there: written piece by piece, read as one table that the memory need not hold."""

from pathlib import Path
from types import TracebackType

import pyarrow as pa

from stadthub_lake.storage import make_folder, storing


class Waiting:
    """The rows of one table to be, in a file that goes with the end of the block; one that a kill left behind is written over."""

    def __init__(self, folder: Path, name: str) -> None:
        self.rows = 0
        self._path = folder / f"{name}.arrow"
        self._writer: pa.ipc.RecordBatchFileWriter | None = None
        with storing("the rows that wait"):
            make_folder(folder)

    def __enter__(self) -> "Waiting":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._writer is not None:
            self._writer.close()
        self._path.unlink(missing_ok=True)

    def add(self, rows: pa.Table) -> None:
        """Keep these rows; all have the same columns."""
        with storing("the rows that wait"):
            if self._writer is None:
                self._writer = pa.ipc.new_file(str(self._path), rows.schema)
            self._writer.write_table(rows)
        self.rows += rows.num_rows

    def table(self) -> pa.Table:
        """All rows; nothing can be added any more."""
        assert self._writer is not None
        self._writer.close()
        self._writer = None
        with storing("the rows that wait"):
            return pa.ipc.open_file(pa.memory_map(str(self._path))).read_all()
