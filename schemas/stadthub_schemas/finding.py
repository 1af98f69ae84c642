"""What the hub noticed about a feed's payloads, and the payloads that it put aside: plain data for alarms, faces and operators."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from stadthub_schemas.dataset import Language


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


#: What each kind of finding says in one sentence, German and English. `{subject}` is what it is about, the other words are its details;
#: of a length of time that ends in `_seconds` the name without that.
SENTENCES: Mapping[str, tuple[str, str]] = {
    "form_changed": (
        "Die Lieferung ist {now}, üblich ist {before}.",
        "payloads are {now} where {before} is usual",
    ),
    "encoding_changed": (
        "Die Zeichenkodierung ist {now} statt {before}.",
        "the encoding is {now} instead of {before}",
    ),
    "delimiter_changed": (
        "Das Trennzeichen ist „{now}“ statt „{before}“.",
        "the delimiter is '{now}' instead of '{before}'",
    ),
    "namespace_changed": (
        "Andere XML-Namensräume: {now} statt {before}.",
        "other XML namespaces: {now} instead of {before}",
    ),
    "column_new": (
        "Die Spalte „{subject}“ ist neu.",
        "column '{subject}' is new",
    ),
    "column_missing": (
        "Die Spalte „{subject}“ fehlt.",
        "column '{subject}' is missing",
    ),
    "column_renamed": (
        "Die Spalte „{subject}“ fehlt; „{now}“ könnte ihr neuer Name sein.",
        "column '{subject}' is missing, '{now}' may be its new name",
    ),
    "column_retyped": (
        "Die Spalte „{subject}“ enthält {now} statt {before}.",
        "column '{subject}' holds {now} instead of {before}",
    ),
    "column_empty": (
        "Die Spalte „{subject}“ ist da, aber leer.",
        "column '{subject}' is there, but empty",
    ),
    "channels_changed": (
        "Andere Kanäle als zuvor: neu {new}, es fehlen {missing}.",
        "other channels than before: new {new}, missing {missing}",
    ),
    "unit_changed": (
        "Die Einheit von „{subject}“ ist „{now}“ statt „{before}“.",
        "the unit of '{subject}' is '{now}' instead of '{before}'",
    ),
    "scale_jump": (
        "Die Werte von „{subject}“ sind das {factor}-Fache des Üblichen.",
        "the values of '{subject}' are {factor} times what is usual",
    ),
    "time_stuck": (
        "Es kommen Lieferungen, aber ihr neuester Zeitpunkt bleibt stehen.",
        "payloads come, but their newest time stands still",
    ),
    "timezone_shift": (
        "Die Zeiten sind um {hours} Stunden verschoben: Hat sich die Zeitzone geändert?",
        "times are off by {hours} hours: did the time zone change?",
    ),
    "cardinality_jump": (
        "Die Anzahl „{subject}“ ist {now}, üblich sind {usual}.",
        "the number of '{subject}' is {now} where {usual} is usual",
    ),
    "spelling_variant": (
        "Ein Name in zwei Schreibweisen: {spellings}.",
        "one name in two spellings: {spellings}",
    ),
    "certificate_expires": (
        "Das Zertifikat von {subject} läuft in {days} Tagen ab.",
        "the certificate of {subject} expires in {days} days",
    ),
    "certificate_expired": (
        "Das Zertifikat von {subject} ist abgelaufen.",
        "the certificate of {subject} has expired",
    ),
    "quarantine": (
        "Lieferungen liegen in Quarantäne: {reason}",
        "payloads are in quarantine: {reason}",
    ),
    "source_error": (
        "{subject} antwortet nicht, wie es soll: {error}",
        "{subject} does not answer as it should: {error}",
    ),
    "file": (
        "die Feed-Datei ist fehlerhaft: {error}",
        "the feed file is wrong: {error}",
    ),
    "harvest_gone": (
        "{missing} von {before} Datensätzen fehlen dort auf einmal; hier wurde keiner zurückgezogen",
        "{missing} of {before} datasets are missing there at once; none was withdrawn here",
    ),
    "mirror_failed": (
        "{failed} Dateien konnten nicht kopiert werden: {error}",
        "{failed} files could not be copied: {error}",
    ),
    "rows_refused": (
        "Die Zeilen von „{subject}“ konnten nicht übertragen werden: {error}",
        "the rows of '{subject}' could not be brought there: {error}",
    ),
    "late": (
        "es kommt nichts Neues, erwartet alle {every}; zuletzt {last}",
        "nothing new comes, expected every {every}; last {last}",
    ),
    "silent": (
        "es ist still, erwartet alle {every}; zuletzt {last}",
        "it is silent, expected every {every}; last {last}",
    ),
    "lag": (
        "der neueste Wert ist {lag} alt, erlaubt sind {max}",
        "the newest observation is {lag} old, allowed are {max}",
    ),
    "backlog": (
        "was kommt, wartet {lag} auf seine Verarbeitung",
        "what comes waits {lag} to be processed",
    ),
    "gap": (
        "nur {reporting} von {known} Messstellen melden, erwartet mindestens {expected}",
        "only {reporting} of {known} things report, expected at least {expected}",
    ),
    "rejects": (
        "{rejected} von {received} Zeilen abgelehnt",
        "{rejected} of {received} rows rejected",
    ),
    "volume": (
        "{rows} Zeilen in der letzten Stunde, üblich sind {usual}",
        "{rows} rows in the last hour, usual are {usual}",
    ),
    "disk": (
        "nur {free_mb} MB frei; unter {floor_mb} MB wird nichts angenommen",
        "only {free_mb} MB free; below {floor_mb} MB nothing is taken",
    ),
    "clock": (
        "die Uhr des Rechners geht falsch: die letzte Nachricht kam {ahead} später als jetzt",
        "the machine's clock is wrong: the last message came {ahead} later than now",
    ),
    "time_service": (
        "kein Zeitdienst hält die Uhr des Rechners richtig",
        "no time service keeps the machine's clock right",
    ),
}
OTHER = ("{kind}: {subject}", "{kind}: {subject}")


def told(kind: str, subject: str, facts: Mapping[str, str], language: Language) -> str:
    """A finding in one sentence, out of facts that are spelled already; of a kind that has none its kind and subject."""
    return SENTENCES.get(kind, OTHER)[language == "en"].format_map(_Facts({"kind": kind, "subject": subject, **facts}))


def sentence(kind: str, subject: str, details: Mapping[str, Any]) -> str:
    """A finding in one English sentence, for machines and the command line."""
    return told(kind, subject, {name.removesuffix("_seconds"): _spelled(name, value) for name, value in details.items()}, "en")


def _spelled(name: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _lasting(value) if name.endswith("_seconds") else f"{value:g}"
    return "never" if value is None else str(value)


def _lasting(seconds: float) -> str:
    """A length of time in its largest unit."""
    size, unit = next(((size, unit) for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")) if seconds >= size), (1, "s"))
    return f"{seconds / size:.3g} {unit}"


class _Facts(dict[str, str]):
    """What a sentence wants to say and a finding does not know is a dash."""

    def __missing__(self, key: str) -> str:
        return "–"
