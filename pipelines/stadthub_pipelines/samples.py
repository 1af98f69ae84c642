"""A sample of an uploaded file: the whole of what must be read whole, else its beginning and lines from everywhere in it."""

import re
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

import orjson

from stadthub_ingest.decoded import DecodeError
from stadthub_ingest.detection.packages import only_packs
from stadthub_ingest.foreign_parquet import beginning
from stadthub_ingest.sources.archives import is_archive, unpack
from stadthub_pipelines.sampling import Sample
from stadthub_pipelines.uploads import WHOLE, beyond
from stadthub_schemas.errors import FeedError, SourceError

#: Of a text table so many bytes and lines at its beginning are looked at, and lines at so many places in it; no line is longer.
HEAD, LINES, PLACES, THERE, LINE = 600_000, 1_000, 20, 45, 20_000
#: What may stand before JSON.
BLANKS = b"\xef\xbb\xbf \r\n\t"
#: How GeoJSON says what it is.
_GEOJSON = re.compile(rb'"type"\s*:\s*"Feature(Collection)?"')
#: First bytes of Parquet, which is read in a process of its own, whatever its size.
PARQUET = b"PAR1"
#: So many lines of its end, for a footer.
FOOTER = 12
#: First bytes of what can only be read whole: archives, SQLite, FlatGeobuf, gzip, what is marked up.
WHOLES = (b"PK", b"SQLite format 3", b"fgb", b"\x1f\x8b", b"<")


def sample_of(path: Path, file: str) -> Sample:
    """A sample of the uploaded file, and the source that reads it. SourceError, FeedError."""
    try:
        with path.open("rb") as opened:
            body = _taken(opened, path)
        if is_archive(path) and only_packs(body):
            body = next((inner for _, inner in unpack(path, path.name, WHOLE)), b"")
            _refuse_large(body[:HEAD].lstrip(BLANKS), BytesIO(body), path.name)
            if body.startswith(PARQUET):
                body = _begun(body)
    except OSError as error:
        raise SourceError(f"{path.name}: it can't be read: {error.strerror}") from error
    except DecodeError as error:
        raise FeedError(f"{path.name}: {error}") from error
    return Sample(((path.name, body),), {"type": "upload", "file": file})


def _taken(file: BinaryIO, path: Path) -> bytes:
    head, size = file.read(HEAD), path.stat().st_size
    if head.startswith(PARQUET):
        return beginning(file)
    if size <= HEAD:
        return head
    start = head.lstrip(BLANKS)
    if start.startswith(WHOLES) or head.startswith((b"\xff\xfe", b"\xfe\xff")) or (start[:1] in (b"{", b"[") and not _is_lines(start)):
        _refuse_large(start, file, path.name)
        file.seek(0)
        return file.read(WHOLE)
    return _spread(file, head, size)


def _begun(body: bytes) -> bytes:
    """The beginning of a Parquet file that was packed."""
    with TemporaryFile() as file:
        file.write(body)
        file.flush()
        return beginning(file)


def _refuse_large(start: bytes, file: BinaryIO, name: str) -> None:
    """FeedError for what is too large to be read as a whole."""
    too_big = beyond(_kind(start, file), file)
    if too_big:
        raise FeedError(f"{name}: {too_big}")


def _kind(start: bytes, file: BinaryIO) -> str:
    """The decoder that the file is for, as far as that decides how large it may be."""
    if start.startswith((b"{", b"[")) and not _is_lines(start):
        return "geojson" if _GEOJSON.search(start) else "json_table"
    if start.startswith(b"PK"):
        with suppress(BadZipFile), ZipFile(file) as archive:
            names = set(archive.namelist())
            return "xlsx_table" if names & {"xl/workbook.xml", "xl/workbook.bin", "content.xml"} else ""
    return ""


def _is_lines(start: bytes) -> bool:
    """Whether it is one JSON object a line."""
    first, line_end, _ = start.partition(b"\n")
    try:
        return bool(line_end) and isinstance(orjson.loads(first), dict)
    except orjson.JSONDecodeError:
        return False


def _spread(file: BinaryIO, head: bytes, size: int) -> bytes:
    """The first lines, some from everywhere, and the last ones: a column that is a number at first may hold words later."""
    lines = head.splitlines(keepends=True)[:-1][:LINES]
    if not lines:
        raise FeedError(f"its first line is longer than {HEAD} bytes: this is no table")
    if any(line.count(b'"') % 2 for line in lines):
        return b"".join(lines)  # a record may have several lines, so nobody knows where one begins
    for number in range(1, PLACES):
        file.seek(size * number // PLACES)
        file.readline(LINE)
        lines += [line for _ in range(THERE) if (line := file.readline(LINE)).endswith(b"\n")]
    file.seek(max(0, size - FOOTER * LINE))
    return b"".join((*lines, *file.read().splitlines(keepends=True)[1:][-FOOTER:]))
