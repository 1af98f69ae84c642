"""Payloads before the judge and what became of them: what is written down of one call, and rejects as the tables of the lake want them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import pyarrow as pa

from stadthub_ingest.decoded import Unreadable
from stadthub_ingest.tables import Seen as Keys
from stadthub_schemas.rows import EXCERPT, REJECTS

#: What stands in the raw log instead of a payload of which nothing may be kept, so that it is counted exactly once.
REFUSED = b"refused: nothing of this payload may be kept"

#: What stands there instead of a message that was bigger than its feed allows.
TOO_BIG = b"refused: this message was bigger than source.max_bytes"

#: Why nothing was kept of a payload.
UNKEPT = {REFUSED: "it is not what decoder {decoder} reads", TOO_BIG: "it was bigger than source.max_bytes"}


class Payload(NamedTuple):
    """What came in one piece: `name` is its topic, URL or file."""

    position: int
    received_time: datetime
    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of payloads: `accepted` is OBSERVATIONS_IN (of large payloads OBSERVATIONS_CODED), FEATURES_IN or the free columns of a
    table; `rejects` is REJECTS, and so are `notes`: rows that were accepted but not as they came. `attributes` are the names of what
    features and rows of a table have."""

    accepted: pa.Table
    rejects: pa.Table
    received: int
    dropped: int
    notes: pa.Table
    attributes: frozenset[str] = frozenset()


#: One row of REJECTS.
Line = tuple[int, int, datetime, str, str]


@dataclass(slots=True)
class Sheet:
    """What is being written down of one call."""

    rows: list[Any] = field(default_factory=list)
    tables: list[pa.Table] = field(default_factory=list)
    rejects: list[Line] = field(default_factory=list)
    notes: list[Line] = field(default_factory=list)
    received: int = 0
    dropped: int = 0
    attributes: set[str] = field(default_factory=set)
    keys: Keys | None = None

    def refuse(self, payload: Payload, row: int, reason: str, what: Any) -> None:
        """The row is not kept."""
        self.rejects.append((payload.position, row, payload.received_time, reason, excerpt(what)))

    def note(self, payload: Payload, row: int, reason: str, what: Any) -> None:
        """The row is kept, but not as it came: the operator shall know."""
        self.notes.append((payload.position, row, payload.received_time, reason, excerpt(what)))


def lines(told: Sequence[Line]) -> pa.Table:
    """What was written down, as REJECTS."""
    columns = list(zip(*told, strict=True)) or [()] * len(REJECTS)
    return pa.Table.from_arrays([pa.array(column, one.type) for column, one in zip(columns, REJECTS, strict=True)], schema=REJECTS)


def excerpt(what: Any) -> str:
    """How a refused row looked, cut short: JSON where it can be, the text of a payload where it is one."""
    if isinstance(what, bytes):
        return what[: 4 * EXCERPT].decode("utf-8", "replace")[:EXCERPT]
    if isinstance(what, Unreadable):
        return what.text[:EXCERPT]
    try:
        return orjson.dumps(what, default=_spelled, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z).decode()[:EXCERPT]
    except TypeError:
        pass
    try:
        return repr(what)[:EXCERPT]
    except (RecursionError, ValueError):  # nested too deep, or a number of thousands of digits
        return f"({type(what).__name__})"


def _spelled(value: Any) -> Any:
    return value.text if isinstance(value, Unreadable) else getattr(value, "value", None) or str(value)
