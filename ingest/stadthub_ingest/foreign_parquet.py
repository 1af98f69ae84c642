"""Parquet files from elsewhere: read in a process of its own, and written anew by us. What comes behind this door is only what we wrote.

A Parquet file can be made to break the library that reads it, or to take the whole machine. So its bytes are opened in a process with
bounds of memory and time, without network; its answer is Arrow, which is checked before anything is done with it.
"""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from stadthub_ingest.columnar import COLUMNS, PART, UNPACKED, written
from stadthub_ingest.decoded import DecodeError, Pieces
from stadthub_ingest.gdal import BARE

PROGRAM = Path(__file__).with_name("parquet_process.py")
ENVIRONMENT = {**BARE, "ARROW_DEFAULT_MEMORY_POOL": "system"}
#: Of a sample so many rows.
SAMPLED = 2_000
#: The line before the rows is no longer.
LINE = 1_000
TOO_MUCH = "it is a broken Parquet file, or reading it took more memory or time than allowed"


@dataclass(frozen=True, slots=True)
class Limits:
    """What the process may take: seconds for each piece and of the processor beside what its size asks for, and megabytes of memory."""

    seconds: float = 120.0
    memory_mb: int = 2500


def pieces(file: BinaryIO, most: int, limits: Limits = Limits()) -> Pieces:
    """The file in pieces of about `most` bytes when unpacked, each a Parquet file of our own; DecodeError."""
    reading = _Reading(file, {"most": most, "head": None}, limits)
    return Pieces(reading.number, reading.bodies())


def beginning(file: BinaryIO, limits: Limits = Limits()) -> bytes:
    """The first rows as a Parquet file of our own; DecodeError."""
    [body] = _Reading(file, {"most": 0, "head": SAMPLED}, limits).bodies()
    return body


class _Reading:
    """One process that reads one file."""

    def __init__(self, file: BinaryIO, wanted: dict[str, object], limits: Limits) -> None:
        self._seconds = limits.seconds
        size = file.seek(0, 2)
        file.seek(0)
        cpu = limits.seconds + size / 1_000_000  # a megabyte takes a small part of a second
        bounds = {**asdict(limits), "seconds": cpu, "columns": COLUMNS, "unpacked": UNPACKED, "part": PART}
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(PROGRAM), json.dumps({**wanted, **bounds})],
            stdin=file.fileno(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(ENVIRONMENT),
            cwd=tempfile.gettempdir(),
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._answer = self._process.stdout
        try:
            self.number = self._told()
        except BaseException:
            self._end()
            raise

    def _told(self) -> int:
        """How many pieces there will be; DecodeError says why none."""
        with self._in_time():
            line = self._answer.readline(LINE)
        try:
            told = json.loads(line)
        except ValueError as error:
            raise DecodeError(TOO_MUCH) from error
        if "error" in told:
            raise DecodeError(str(told["error"])[:500])
        return int(told["number"])

    def bodies(self) -> Iterator[bytes]:
        """The pieces in order; the process is gone after the last one."""
        try:
            with self._in_time():
                reader = pa.ipc.open_stream(self._answer)
            for _ in range(self.number):
                with self._in_time():
                    batch = reader.read_next_batch()
                batch.validate(full=True)
                yield written(pa.Table.from_batches([batch]), reader.schema.metadata)
        except (pa.ArrowException, OSError, EOFError, StopIteration) as error:
            raise DecodeError(TOO_MUCH) from error
        finally:
            self._end()

    def _in_time(self) -> "_Watch":
        return _Watch(self._process, self._seconds)

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._answer.close()


class _Watch:
    """Ends a process that takes longer than so many seconds for what is waited for in the block."""

    def __init__(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        self._timer = threading.Timer(seconds, process.kill)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
