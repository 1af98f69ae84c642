"""What a decoder hands to the judge: rows, what it could not read, and blocks of columns for bulk."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, BinaryIO, TypeAlias

import pyarrow as pa


class DecodeError(ValueError):
    """A payload is broken as a whole: one sentence that names the place. The judge makes one reject of it."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands where a value, or a whole row, should: its text, and why it can't be read. It becomes a reject."""

    text: str
    reason: str


class Clock(Enum):
    """A `phenomenon_time` that the payload does not hold: the judge takes the time when it was received."""

    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class SinceArrival:
    """A `phenomenon_time` that the payload gives in seconds from its arrival: negative ones lie before it."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Arrival:
    """A `phenomenon_time` like `Clock.RECEIVED`, cut to the beginning of its bucket: nobody shall see the very moment."""

    bucket: timedelta


#: One row as `stadthub_schemas.rows` describes it.
Row = dict[str, Any]

#: What a decoder yields: a row, None for one that is dropped on purpose, Unreadable for a row that is none.
Decoded = Row | Unreadable | None

#: A field of a block: the same for all its rows, or an Arrow array of strings.
Field: TypeAlias = str | float | Any | None  # Any: pa.Array, which has no types


@dataclass(frozen=True)
class Block:
    """Many observations as columns. Where `times` or `results` is null the judge asks `spell` for the row and judges that."""

    first: int
    step: int
    fields: Mapping[str, Field]
    times: pa.Array
    results: pa.Array
    missing: pa.Array
    spell: Callable[[int], Decoded]

    def ordinal(self, index: int) -> int:
        """Which row of the payload this is, counted as the row path counts: from 1."""
        return self.first + index * self.step


Decode = Callable[[bytes, Any, str], Any]
#: What a reducer answers: the only bytes of a payload that may ever be stored. None: it is broken, nothing of it may be kept.
Reduce = Callable[[bytes, Any, str, bytes], "bytes | None"]
#: What a narrowing decoder answers where its options say `keep = "named"`: the payload without all that they don't name.
Narrow = Callable[[bytes, Any, str], bytes]
#: Who was seen where, in memory only: for sources that tell of clients instead of counts. None: the payload is broken.
Sight = Callable[[bytes, Any, str, bytes], "list[Sighting] | None"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A client at a thing. `client` is never written anywhere; `thing` is what the hub may call the access point."""

    thing: str
    client: bytes
    time: datetime


DecodeTable = Callable[[bytes, Any, str], "list[Block] | None"]
#: A decoder of tables with a header opens the table alone, so that its columns can be looked at before they are mapped.
OpenSheet = Callable[[bytes, Any], Any]


@dataclass(frozen=True, slots=True)
class Pieces:
    """A large file as payloads that can each be read by itself: how many there are, and their bytes in order."""

    number: int
    bodies: Iterator[bytes]


#: How a decoder cuts a large file into pieces of about so many bytes; None: only the whole can be read.
Split = Callable[[BinaryIO, Any, int], "Pieces | None"]
