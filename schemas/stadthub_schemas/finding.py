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


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Why the newest data of a dataset are not served: since when, in how many payloads, and what kinds of findings say so."""

    since: datetime
    payloads: int
    kinds: tuple[str, ...]


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


#: What each kind of finding says, in one sentence. `{subject}` is what it is about, the other words are its details.
SENTENCES: dict[str, str] = {
    "form_changed": "payloads are {now} where {before} is usual",
    "encoding_changed": "the encoding is {now} instead of {before}",
    "delimiter_changed": "the delimiter is {now!r} instead of {before!r}",
    "namespace_changed": "other XML namespaces: {now} instead of {before}",
    "column_new": "column {subject!r} is new",
    "column_missing": "column {subject!r} is missing",
    "column_renamed": "column {subject!r} is missing, {now!r} may be its new name",
    "column_retyped": "column {subject!r} holds {now} instead of {before}",
    "column_empty": "column {subject!r} is there, but empty",
    "channels_changed": "other channels than before: new {new}, missing {missing}",
    "unit_changed": "the unit of {subject!r} is {now!r} instead of {before!r}",
    "scale_jump": "the values of {subject!r} are {factor:g} times what is usual",
    "time_stuck": "payloads come, but their newest time stands still",
    "timezone_shift": "times are off by {hours} hours: did the time zone change?",
    "cardinality_jump": "the number of {subject!r} is {now} where {usual:g} is usual",
    "spelling_variant": "one name in two spellings: {spellings}",
    "certificate_expires": "the certificate of {subject} expires in {days:g} days",
    "certificate_expired": "the certificate of {subject} has expired",
    "quarantine": "payloads are in quarantine: {reason}",
}


def sentence(kind: str, subject: str, details: Mapping[str, Any]) -> str:
    """A finding in one English sentence; of a kind that has none its kind and subject."""
    words = {name: ", ".join(map(str, value)) or "none" if isinstance(value, list) else value for name, value in details.items()}
    try:
        return SENTENCES.get(kind, f"{kind}: {{subject}}").format(subject=subject, **words)
    except (KeyError, ValueError):
        return f"{kind}: {subject}"
