"""The way of a pushed body to the worker: a durable file in `push/<feed>/`, taken from there in the order of its name.

A file is named `<microseconds since 1970>-<uuid>.body`. Its first line is a JSON object (`content_type`, `received_time`, `name`),
what follows the line feed is the body as it came, or what may be stored of it where `reduced` names the decoder that saw to it. Names that begin with a dot are being written: leave them alone.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from uuid import uuid4

import orjson

from stadthub_lake.rawlog import RawLog
from stadthub_pipelines.door import Door
from stadthub_schemas.errors import StorageError

ENDING = ".body"


@dataclass(frozen=True, slots=True)
class Spooled:
    """A body that is durable: its id and its size."""

    id: str
    size: int


class Spooling:
    """One body on its way to the disk; `keep` makes it durable, leaving without it leaves nothing behind."""

    def __init__(self, folder: Path, content_type: str, who: str, reduced: str | None = None) -> None:
        now = datetime.now(UTC)
        self._folder = folder
        self.id = uuid4().hex
        self._final = folder / f"{int(now.timestamp() * 1_000_000):020d}-{self.id}{ENDING}"
        self._hidden = folder / f".{self._final.name}"
        self.size = 0
        self._file: IO[bytes] = _opened(self._hidden)
        header = {"content_type": content_type, "received_time": now.isoformat(), "name": f"push:{who}"}
        self._header = orjson.dumps(header if reduced is None else {**header, "reduced": reduced}) + b"\n"
        self._file.write(self._header)

    def write(self, piece: bytes) -> None:
        """Append a piece of the body; StorageError."""
        try:
            self._file.write(piece)
        except OSError as error:
            raise _full(error) from error
        self.size += len(piece)

    def keep(self) -> Spooled:
        """Make it durable under its final name: only now may the sender be told."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            os.replace(self._hidden, self._final)  # noqa: PTH105 - the atomic one of the two
            _sync_folder(self._folder)
        except OSError as error:
            raise _full(error) from error
        return Spooled(self.id, self.size)

    def drop(self) -> None:
        """Forget what was not kept."""
        self._file.close()
        self._hidden.unlink(missing_ok=True)


def want_room(folder: Path, min_free_bytes: int) -> None:
    """Refuse while there is less free disk than the settings want; StorageError."""
    folder.mkdir(parents=True, exist_ok=True)
    status = os.statvfs(folder)
    if status.f_bavail * status.f_frsize < min_free_bytes:
        raise StorageError("there is too little free disk to take more data: nothing is acknowledged until there is room")


def take(folder: Path, log: RawLog, door: Door) -> int:
    """Move every waiting body into the raw log, oldest first; answer how many. A body leaves the folder once it is durable.

    A body that the feed's reducer has not seen (it came before the feed had this decoder) goes through it first.
    """
    waiting = sorted(path for path in folder.glob(f"*{ENDING}") if not path.name.startswith("."))
    for path in waiting:
        head, _, body = path.read_bytes().partition(b"\n")
        header = orjson.loads(head)
        seen = door.reduces and header.get("reduced") == door.feed.decoder
        frame = (header["name"], body) if seen else door.frame(header["name"], body)
        if frame is not None:
            log.append([(datetime.fromisoformat(header["received_time"]), *frame)])
            log.sync()
        path.unlink()
    return len(waiting)


def _opened(path: Path) -> IO[bytes]:
    try:
        known = path.parent.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        if not known:
            _sync_folder(path.parent.parent)
        return path.open("xb")
    except OSError as error:
        raise _full(error) from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _full(error: OSError) -> StorageError:
    return StorageError(f"the body can't be stored: {error.strerror}")
