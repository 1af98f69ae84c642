"""Uploaded files on disk: `uploads/<resource id>/<name>`, written under a hidden name first, so that one is whole or not there.

What becomes rows is read from there, a large file in pieces.
"""

import hashlib
import mimetypes
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID, uuid4
from zipfile import BadZipFile, ZipFile

from stadthub_catalog.refusals import Invalid
from stadthub_catalog.uploads import Kept, Upload, slug
from stadthub_ingest import registry
from stadthub_ingest.decoded import DecodeError
from stadthub_ingest.reducing import narrows, reducer, storable
from stadthub_ingest.sources import file
from stadthub_ingest.sources.fetched import Fetched, page_sign
from stadthub_schemas.errors import SourceError, StorageError
from stadthub_schemas.feed import Feed, FileSource, UploadSource

_PIECE = 1 << 20

#: A file is read in pieces of this size where its decoder can, and otherwise may have so many bytes.
PAGE, WHOLE = 8_000_000, 200_000_000
#: Decoders that take so many bytes of memory for a byte of a file, what such a file may have at most, and the way out.
HEAVY = {
    "geojson": (27, WHOLE, "divide it"),
    "json_table": (17, WHOLE, "write it as NDJSON, one object a line, which is read in pieces"),
    "xlsx_table": (8, 2 * WHOLE, "save it as CSV, which is read in pieces"),
}
#: What reading such a file may take of memory in any case; where half of what is free is more, that.
ROOM = 1_500_000_000
#: What the machine has free, and what a container may take and has taken.
_MEMORY = re.compile(r"^MemAvailable:\s+(\d+) kB", re.MULTILINE)
_CONTAINER = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current")
#: What of a workbook weighs: its sheets and words as they are unpacked.
_SHEETS = re.compile(r"xl/worksheets/.*|xl/sharedStrings.*|content\.xml")
#: Decoders whose files are read in a process of its own and written anew, whatever their size: only what we wrote is logged and decoded.
ISOLATED = ("parquet",)


def fetch(feed: Feed, source: UploadSource, state: dict[str, Any], data_dir: Path) -> Iterator[Fetched]:
    """What the uploaded file holds, if it is new or another one. SourceError."""
    path = data_dir.absolute() / "uploads" / source.file
    if not path.is_file():
        raise SourceError(f"{path.name}: the uploaded file is not there any more: upload it again")
    asked = FileSource(type="file", path=path, max_bytes=source.max_bytes, unpack=source.unpack)

    def read(path: Path, name: str, most: int) -> Iterator[tuple[str, bytes]]:
        return pieces(feed, path, name, most)

    known = {name: one for name, one in state.get("files", {}).items() if one["done"]}  # a kill among the pieces: all of them come again
    return file.scan(asked, {**state, "files": known}, read=read)


def narrow(feed: Feed, path: Path) -> None:
    """Write the file anew without what the feed's options don't name, where it is read so: what tells of people is on no disk then."""
    if not narrows(feed):
        return
    reduce = reducer(feed, b"")
    hidden = path.with_name(f".{uuid4().hex}")
    try:
        with hidden.open("wb") as out:
            for number, (name, body) in enumerate(pieces(feed, path, path.name)):
                kept = storable(reduce(body, name)) or b""
                for line in kept.splitlines(keepends=True)[_header(feed) if number else 0 :]:
                    out.write(line)
                out.write(b"" if kept.endswith(b"\n") else b"\n")
            out.flush()
            os.fsync(out.fileno())
        hidden.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise StorageError(f"{path.name}: it can't be written: {error.strerror}") from error
    finally:
        hidden.unlink(missing_ok=True)


def _header(feed: Feed) -> int:
    """How many lines stand before the records of each piece."""
    options = registry.read_options(feed)
    return int(getattr(options, "skip_rows", 0)) + bool(getattr(options, "header", False))


def pieces(feed: Feed, path: Path, name: str, most: int = 2_000_000_000) -> Iterator[tuple[str, bytes]]:
    """The file in pieces, each with its name; as a whole where it is small or only the whole can be read. SourceError."""
    size = path.stat().st_size
    if size > most:
        raise SourceError(f"{name}: it is bigger than source.max_bytes ({most})")
    split = registry.find(feed.decoder).split
    if split is not None and (size > PAGE or feed.decoder in ISOLATED):
        try:
            with path.open("rb") as opened:
                found = split(opened, registry.read_options(feed), PAGE)
                if found is not None:
                    for number, body in enumerate(found.bodies, 1):
                        yield name + (page_sign(number, found.number) if found.number > 1 else ""), body
                    return
        except DecodeError as error:
            raise SourceError(f"{name}: {error}") from error
    with path.open("rb") as opened:
        too_big = beyond(feed.decoder, opened)
    if too_big:
        raise SourceError(f"{name}: {too_big}")
    yield from file.whole(path, name, most)


def beyond(decoder: str, file: BinaryIO) -> str:
    """Why the file can't be read as a whole by this decoder, and what to do; empty if it can."""
    factor, most, way = HEAVY.get(decoder, (1, WHOLE, "divide it"))
    most = min(most, max(ROOM, _free() // 2) // factor)
    size, what = file.seek(0, os.SEEK_END), "it is bigger than "
    if size <= WHOLE and decoder == "xlsx_table":
        size, what = _unpacked(file), "unpacked it is bigger than "
    return f"{what}{most // 1_000_000} MB, and a file of this kind is read as a whole: {way}" if size > most else ""


def _free() -> int:
    """How many bytes of memory are free; 0 where nothing tells."""
    with suppress(OSError, ValueError):
        found = _MEMORY.search(Path("/proc/meminfo").read_text("ascii"))
        free = int(found[1]) * 1024 if found else 0
        with suppress(OSError, ValueError):  # no container, or one without a bound
            most, taken = (int(Path(one).read_text("ascii")) for one in _CONTAINER)
            free = min(free, most - taken)
        return free
    return 0


def _unpacked(file: BinaryIO) -> int:
    """How large the sheets of a workbook say they are; nothing of what is none, which its decoder tells."""
    with suppress(BadZipFile), ZipFile(file) as archive:
        return sum(one.file_size for one in archive.infolist() if _SHEETS.fullmatch(one.filename))
    return 0


class UploadFolder:
    """The uploads of a hub; any number of threads and processes may share the folder."""

    def __init__(self, folder: Path, most_mb: int) -> None:
        self._folder = folder
        self._most = most_mb * 1_000_000

    def keep(self, resource: UUID, upload: Upload) -> Kept:
        """Keep the file as the only one of the resource, all of it or nothing; Invalid if it is too large, StorageError."""
        name = slug(upload.file_name)
        room = self._folder / str(resource)
        hidden = room / f".{uuid4().hex}"
        try:
            room.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                digest, size = self._pour(upload, hidden)
                hidden.rename(room / name)
            finally:
                hidden.unlink(missing_ok=True)
            for other in room.iterdir():
                if other.name != name and not other.name.startswith("."):
                    other.unlink(missing_ok=True)
            _sync(room)
            _sync(self._folder)
        except OSError as error:
            raise StorageError(f"the uploaded file can't be kept: {error.strerror}") from error
        return Kept(name, size, mimetypes.guess_type(name)[0], digest)

    def look_again(self, resource: UUID) -> None:
        """Nothing: the folder only keeps files."""

    def drop(self, resource: UUID) -> None:
        """Forget the resource's file."""
        shutil.rmtree(self._folder / str(resource), ignore_errors=True)

    def path(self, resource: UUID, name: str) -> Path:
        """Where the resource's file of that name lies, if it is there; a name that is no plain one lies nowhere."""
        return self._folder / str(resource) / slug(name)

    def _pour(self, upload: Upload, hidden: Path) -> tuple[str, int]:
        """Write the bytes durably, a piece at a time; answer their digest and number."""
        digest, size = hashlib.sha256(), 0
        upload.stream.seek(0)
        with hidden.open("wb") as out:
            while piece := upload.stream.read(_PIECE):
                size += len(piece)
                if size > self._most:
                    raise Invalid({"upload": [f"File upload too large: {self._most // 1_000_000} MB at most"]})
                digest.update(piece)
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        return digest.hexdigest(), size


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
