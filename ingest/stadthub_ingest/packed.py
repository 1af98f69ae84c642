"""A zip archive as one payload: its members are read within the same bounds as archives of files."""

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import IO

from stadthub_ingest.decoded import DecodeError, Unreadable
from stadthub_ingest.sources.archives import FREE_BYTES, MOST_MEMBERS, MOST_RATIO, wrong_member

#: Errors of an archive that is broken, or packed in a way that nobody asked for.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


class Packed:
    """One archive in memory. What is read out of it, all reads together, stays within bounds."""

    def __init__(self, payload: bytes) -> None:
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(payload))
        except (*BROKEN, ValueError) as error:
            raise DecodeError("it is not a zip archive, or a broken one") from error
        members = self._archive.infolist()
        if len(members) > MOST_MEMBERS:
            raise DecodeError(f"it has more than {MOST_MEMBERS} members")
        if any(member.flag_bits & 0x1 for member in members):
            raise DecodeError("a member of the archive is encrypted")
        self._left = max(len(payload) * MOST_RATIO, FREE_BYTES)
        if sum(member.file_size for member in members) > self._left:  # what it says; what it really is, is counted while it is read
            raise DecodeError(f"it unpacks to more than {MOST_RATIO} times its size")
        self._members = {member.filename: member for member in members if not member.is_dir()}

    @property
    def names(self) -> list[str]:
        """The names of all members, with their folders."""
        return list(self._members)

    def refuse_wrong_members(self) -> None:
        """DecodeError if a member leads out of the archive, is a link or an archive itself."""
        for member in self._archive.infolist():
            wrong = None if member.is_dir() else wrong_member(member)
            if wrong is not None:
                raise DecodeError(wrong)

    def ending(self, ending: str) -> list[str]:
        """The names of the members with this ending, such as `.shp`."""
        return [name for name in self._members if PurePosixPath(name).suffix.lower() == ending and not name.startswith("__MACOSX")]

    def find(self, name: str) -> str | None:
        """The member with this file name, at the top or else in a folder; None if there is none."""
        if name in self._members:
            return name
        return next((one for one in self._members if PurePosixPath(one).name == name and not one.startswith("__MACOSX")), None)

    def read(self, name: str) -> bytes:
        """The whole member."""
        return b"".join(self._chunks(name))

    def chunks(self, name: str) -> Iterator[bytes]:
        """The member piece by piece."""
        yield from self._chunks(name)

    def _chunks(self, name: str) -> Iterator[bytes]:
        try:
            with self._archive.open(self._members[name]) as member:
                while chunk := self._bounded(member):
                    yield chunk
        except (*BROKEN, ValueError) as error:
            if isinstance(error, DecodeError):
                raise
            raise DecodeError(f"{name}: this member of the archive is broken") from error

    def _bounded(self, member: IO[bytes]) -> bytes:
        chunk = member.read(1_000_000)
        self._left -= len(chunk)
        if self._left < 0:
            raise DecodeError(f"it unpacks to more than {MOST_RATIO} times its size")
        return chunk

    def lines(self, name: str) -> Iterator[str]:
        """The lines of a member that is UTF-8 text, one at a time."""
        rest = b""
        started = False
        for chunk in self._chunks(name):
            if not started:
                chunk, started = chunk.removeprefix(b"\xef\xbb\xbf"), True
            *whole, rest = (rest + chunk).split(b"\n")
            yield from (line.decode("utf-8", "replace") + "\n" for line in whole)
            if len(rest) > csv.field_size_limit():
                raise DecodeError(f"{name}: a line is longer than {csv.field_size_limit()} bytes")
        if rest:
            yield rest.decode("utf-8", "replace")


def table(packed: Packed, name: str) -> tuple[list[str], Iterator[list[str] | Unreadable]]:
    """The header and the records of a CSV member; a record of another length than the header is Unreadable."""
    reader = csv.reader(packed.lines(name))
    file = PurePosixPath(name).name
    try:
        header = [cell.strip().strip('"') for cell in next(reader, [])]
    except csv.Error as error:
        raise DecodeError(f"{file} line 1: {error}") from error

    def records() -> Iterator[list[str] | Unreadable]:
        while True:
            try:
                record = next(reader, None)
            except csv.Error as error:
                raise DecodeError(f"{file} line {reader.line_num}: {error}") from error
            if record is None:
                return
            if len(record) == len(header):
                yield record
            elif len(record) > len(header) and not any(record[len(header) :]):
                yield record[: len(header)]
            elif record and any(record):
                reason = f"{file} line {reader.line_num}: {len(record)} fields where the header has {len(header)}"
                yield Unreadable(",".join(record), reason)

    return header, records()
