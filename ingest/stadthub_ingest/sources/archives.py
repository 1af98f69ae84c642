"""What is packed in .gz, .xz and .zip: unpacked within bounds, since a small archive can hold more than the machine.

Refused: what gets bigger than allowed, what is packed denser than data are, too many members, names that lead out of the
archive, links, archives in archives, and what is encrypted.
"""

import gzip
import lzma
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from stadthub_schemas.errors import SourceError

#: How many times bigger than its archive a content may be, once it is bigger than FREE_BYTES.
MOST_RATIO = 200
FREE_BYTES = 10_000_000
MOST_MEMBERS = 10_000
LONGEST_NAME = 1_000

#: How much is unpacked at once, and how much memory xz may take for its dictionary.
CHUNK = 1_000_000
XZ_MEMORY = 256_000_000

NESTED = {".gz", ".xz", ".zip", ".tar", ".tgz", ".txz", ".bz2", ".zst", ".7z", ".rar"}


def is_archive(path: Path) -> bool:
    """Whether `unpack` knows this ending."""
    return path.suffix.lower() in UNPACKERS


def unpack(path: Path, name: str, most_bytes: int) -> Iterator[tuple[str, bytes]]:
    """Each member with its name, in the archive's order. SourceError if it is broken or out of bounds."""
    try:
        yield from UNPACKERS[path.suffix.lower()](path, name, most_bytes)
    except (gzip.BadGzipFile, zlib.error, lzma.LZMAError, zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise SourceError(f"{name}: the archive is broken or of an unknown kind") from error


class _Bounds:
    """How much may still come out of one archive."""

    def __init__(self, path: Path, name: str, most_bytes: int) -> None:
        self.name = name
        self.most_bytes = most_bytes
        self._total = 0
        self._most_total = max(path.stat().st_size * MOST_RATIO, FREE_BYTES)

    def collect(self, chunks: Iterator[bytes]) -> bytes:
        """The chunks as one body, unless there are too many."""
        body = bytearray()
        for chunk in chunks:
            body += chunk
            self._total += len(chunk)
            if len(body) > self.most_bytes:
                raise SourceError(f"{self.name}: it unpacks to more than source.max_bytes ({self.most_bytes})")
            if self._total > self._most_total:
                raise SourceError(f"{self.name}: it unpacks to more than {MOST_RATIO} times its size")
        return bytes(body)


def _gz(path: Path, name: str, most_bytes: int) -> Iterator[tuple[str, bytes]]:
    _refuse_nested(name, path.stem)
    with gzip.open(path) as file:
        yield path.stem, _Bounds(path, name, most_bytes).collect(_chunks(file.read))


def _xz(path: Path, name: str, most_bytes: int) -> Iterator[tuple[str, bytes]]:
    _refuse_nested(name, path.stem)
    with path.open("rb") as file:
        yield path.stem, _Bounds(path, name, most_bytes).collect(_decompressed(file))


def _decompressed(file: IO[bytes]) -> Iterator[bytes]:
    """The content in chunks; several streams one behind the other are one content. (LZMAFile knows no bound for its memory.)"""
    data = file.read(CHUNK)
    while data:
        decompressor = lzma.LZMADecompressor(memlimit=XZ_MEMORY)
        while not decompressor.eof:
            if decompressor.needs_input and not data:
                data = file.read(CHUNK)
                if not data:
                    raise EOFError
            yield decompressor.decompress(data, CHUNK)
            data = b""
        data = (decompressor.unused_data or file.read(CHUNK)).lstrip(b"\0")


def _zip(path: Path, name: str, most_bytes: int) -> Iterator[tuple[str, bytes]]:
    bounds = _Bounds(path, name, most_bytes)
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(archive.infolist()) > MOST_MEMBERS:
            raise SourceError(f"{name}: it has more than {MOST_MEMBERS} members")
        for member in members:
            if (wrong := wrong_member(member)) is not None:
                raise SourceError(f"{name}: {wrong}")
        for member in members:
            with archive.open(member) as file:
                yield member.filename, bounds.collect(_chunks(file.read))


def _chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while chunk := read(CHUNK):
        yield chunk


def wrong_member(member: zipfile.ZipInfo) -> str | None:
    """What is wrong with a member of a zip archive, by what the archive says of it; None if nothing is."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if len(member.filename) > LONGEST_NAME or not path.parts:
        return f"a member's name is empty or longer than {LONGEST_NAME} characters"
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        return "a member's name leads out of the archive"
    if stat.S_ISLNK(member.external_attr >> 16):
        return f"the member {path.name} is a link"
    if member.flag_bits & 0x1:
        return f"the member {path.name} is encrypted"
    if path.suffix.lower() in NESTED:
        return f"the member {path.name} is an archive itself"
    return None


def _refuse_nested(name: str, member: str) -> None:
    if PurePosixPath(member).suffix.lower() in NESTED:
        raise SourceError(f"{name}: the member {member} is an archive itself")


UNPACKERS: dict[str, Callable[[Path, str, int], Iterator[tuple[str, bytes]]]] = {
    ".gz": _gz,
    ".xz": _xz,
    ".zip": _zip,
}
