"""What the hub noticed about a feed's payloads, and the payloads that it put aside: plain data for alarms, faces and operators."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How much a finding matters: `info` is good to know, `warning` wants a look, `error` means that data are wrong or missing."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was noticed: `kind` says what, `subject` of what (a column, a thing, a host), `details` the facts as JSON.

    `resolved_time` None: it still holds. `count`: how often it was seen since `first_seen`."""

    feed: str
    kind: str
    subject: str
    severity: Severity
    details: Mapping[str, Any]
    first_seen: datetime
    last_seen: datetime
    resolved_time: datetime | None = None
    count: int = 1


class HeldState(StrEnum):
    """What became of a payload that was put aside. `releasing` and `accepting` are an operator's wishes: judge it again with today's
    feed file; take it as it is, as the new normal."""

    HELD = "held"
    RELEASING = "releasing"
    ACCEPTING = "accepting"
    RELEASED = "released"
    DISCARDED = "discarded"


#: The states in which a payload is still put aside: its rows are not stored, and the raw log must keep it.
WAITING = (HeldState.HELD, HeldState.RELEASING, HeldState.ACCEPTING)


@dataclass(frozen=True, slots=True)
class Held:
    """A payload in quarantine: where it stands in the raw log, why it is not stored, and how it differs from what was normal.

    `rows` is how many rows count as rejected because of it; `release_position` is the place in the raw log that took it in."""

    feed: str
    position: int
    received_time: datetime
    name: str
    reason: str
    rows: int
    size: int
    differences: list[dict[str, Any]] = field(default_factory=list)
    state: HeldState = HeldState.HELD
    release_position: int | None = None
    decided_time: datetime | None = None
    decided_by: str = ""
