"""A large file as pieces that can each be read by itself: text is cut between records, and the header stands before each piece."""

import io
from collections.abc import Iterator
from typing import BinaryIO

from stadthub_ingest.decoded import DecodeError, Pieces

#: So far it is looked for the end of a record, and no line is longer.
FURTHEST = 4_000_000


def of_records(file: BinaryIO, head: bytes, quote: bytes | None, most: int) -> Pieces:
    """The text as pieces of about `most` bytes; `head` is what it begins with, up to its first record, and stands before each."""
    places = list(_places(file, len(head), quote, most))
    return Pieces(len(places), _read(file, head, places))


def _places(file: BinaryIO, start: int, quote: bytes | None, most: int) -> Iterator[tuple[int, int]]:
    """From where to where each piece reaches, without its head."""
    end = file.seek(0, io.SEEK_END)
    while start + most < end:
        file.seek(start)
        stop = _end_of_record(file, file.read(most), quote)
        yield start, stop
        start = stop
    yield start, end


def _end_of_record(file: BinaryIO, read: bytes, quote: bytes | None) -> int:
    """Where the record ends in which the bytes that were read leave off; a quotation mark that is not closed for long counts no more."""
    is_open = quote is not None and read.count(quote) % 2 == 1
    began, first = file.tell(), None
    while line := file.readline(FURTHEST):
        if len(line) == FURTHEST and not line.endswith(b"\n"):
            raise DecodeError(f"a line of it is longer than {FURTHEST} bytes")
        is_open ^= quote is not None and line.count(quote) % 2 == 1
        first = first or file.tell()
        if not is_open or file.tell() - began > FURTHEST:
            break
    return first if is_open and first else file.tell()


def _read(file: BinaryIO, head: bytes, places: list[tuple[int, int]]) -> Iterator[bytes]:
    for start, end in places:
        file.seek(start)
        yield head + file.read(end - start)
