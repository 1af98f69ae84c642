"""How frames lie in a raw-log segment: packed, checksummed, found again after a crash.

A segment is named after its first position, `00000000000000000001.log`, or `.log.zst` when it is closed and compressed. It begins
with MAGIC; then frame after frame: length of the rest u32, CRC-32 of the rest u32, received µs i64, position u64, length of the name
u16, name, body; all little-endian.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import zstandard

MAGIC = b"STADTHUB-RAWLOG1"
PLAIN = ".log"
PACKED = ".log.zst"

_FRONT = struct.Struct("<II")
_REST = struct.Struct("<qQH")
_POSITION = struct.Struct("<Q")

#: Where the position stands in a frame.
_POSITION_AT = _FRONT.size + 8

#: A frame's shortest rest.
_SHORTEST = _REST.size

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Frame(NamedTuple):
    """One payload as it was received."""

    position: int
    received_time: datetime
    name: str
    body: bytes


class BrokenFrameError(ValueError):
    """The bytes at `offset` are no whole frame with the expected position."""

    def __init__(self, offset: int, position: int) -> None:
        super().__init__(f"frame {position} at byte {offset} is broken")
        self.offset = offset
        self.position = position


def pack(first: int, frames: Sequence[tuple[datetime, str, bytes]]) -> bytes:
    """The frames as bytes, positions from `first` on."""
    parts: list[bytes] = []
    last_time: datetime | None = None
    stamp = 0
    for position, (time, name, body) in enumerate(frames, first):
        if time is not last_time:
            last_time, stamp = time, (time - _EPOCH) // _MICROSECOND
        label = name.encode()
        head = _REST.pack(stamp, position, len(label)) + label
        parts += (_FRONT.pack(len(head) + len(body), zlib.crc32(body, zlib.crc32(head))), head, body)
    return b"".join(parts)


def frame_at(data: bytes, offset: int, position: int) -> tuple[Frame, int] | None:
    """The frame at an offset and where the next begins; None if the data end before it does. BrokenFrameError."""
    body_at = offset + _FRONT.size
    if len(data) < body_at:
        return None
    length, checksum = _FRONT.unpack_from(data, offset)
    end = body_at + length
    if length < _SHORTEST:
        raise BrokenFrameError(offset, position)
    if len(data) < end:
        return None
    if zlib.crc32(memoryview(data)[body_at:end]) != checksum:
        raise BrokenFrameError(offset, position)
    stamp, found, size = _REST.unpack_from(data, body_at)
    if found != position:
        raise BrokenFrameError(offset, position)
    name_at = body_at + _SHORTEST
    name_end = name_at + size
    return Frame(found, _moment(stamp), data[name_at:name_end].decode(), data[name_end:end]), end


@lru_cache(maxsize=256)
def _moment(stamp: int) -> datetime:
    """The time behind microseconds since 1970. Frames that were written together share it."""
    return _EPOCH + timedelta(microseconds=stamp)


def length_at(data: bytes, offset: int) -> int:
    """How many bytes the frame at an offset has, as far as the data tell: a large one is then read in one go."""
    return _FRONT.size + int(_FRONT.unpack_from(data, offset)[0]) if len(data) >= offset + _FRONT.size else 0


@dataclass(frozen=True, slots=True)
class Survey:
    """What a segment holds: its last position, where its last whole frame ends, and which positions are broken before that."""

    last: int
    end: int
    broken: tuple[int, ...]


def survey(data: bytes, first: int) -> Survey:
    """What a whole segment holds. What follows the last whole frame is torn off; what stands before it is broken."""
    last, end = first - 1, len(MAGIC)
    broken: list[int] = []
    while True:
        try:
            found = frame_at(data, end, last + 1)
        except BrokenFrameError:
            found = None
        if found is None:
            resumed = next_whole(data, end, last + 1)
            if resumed is None:
                return Survey(last, end, tuple(broken))
            broken.append(last + 1)
            last, end = last + 1, resumed
        else:
            last, end = last + 1, found[1]


def next_whole(data: bytes, offset: int, position: int) -> int | None:
    """Where after a broken frame the next whole one begins, which must be of the next position; None: the rest is torn off."""
    wanted = _POSITION.pack(position + 1)
    at = data.find(wanted, offset + 1)
    while at >= 0:
        start = at - _POSITION_AT
        try:
            if start > offset and frame_at(data, start, position + 1) is not None:
                return start
        except BrokenFrameError:
            pass
        at = data.find(wanted, at + 1)
    return None


def unpack_segment(path: Path) -> bytes:
    """The bytes of a compressed segment."""
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as reader:
        return reader.read()


def pack_segment(path: Path, hidden: Path) -> None:
    """Compresses a closed segment into a file of another name."""
    with path.open("rb") as source, hidden.open("wb") as sink:
        zstandard.ZstdCompressor(level=6).copy_stream(source, sink)
