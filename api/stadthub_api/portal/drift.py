"""What was noticed of a feed, in the reader's words."""

from collections.abc import Mapping
from typing import Any

from stadthub_api.portal.freshness import Look
from stadthub_api.portal.language import Writing
from stadthub_schemas.finding import Severity

#: The words for each kind of finding, in German, translated when shown.
SENTENCES: dict[str, str] = {
    "form_changed": "Die Lieferung ist %(now)s, üblich ist %(before)s.",
    "encoding_changed": "Die Zeichenkodierung ist %(now)s statt %(before)s.",
    "delimiter_changed": "Das Trennzeichen ist „%(now)s“ statt „%(before)s“.",
    "namespace_changed": "Andere XML-Namensräume: %(now)s statt %(before)s.",
    "column_new": "Die Spalte „%(subject)s“ ist neu.",
    "column_missing": "Die Spalte „%(subject)s“ fehlt.",
    "column_renamed": "Die Spalte „%(subject)s“ fehlt; „%(now)s“ könnte ihr neuer Name sein.",
    "column_retyped": "Die Spalte „%(subject)s“ enthält %(now)s statt %(before)s.",
    "column_empty": "Die Spalte „%(subject)s“ ist da, aber leer.",
    "channels_changed": "Andere Kanäle als zuvor: neu %(new)s, es fehlen %(missing)s.",
    "unit_changed": "Die Einheit von „%(subject)s“ ist „%(now)s“ statt „%(before)s“.",
    "scale_jump": "Die Werte von „%(subject)s“ sind das %(factor)s-Fache des Üblichen.",
    "time_stuck": "Es kommen Lieferungen, aber ihr neuester Zeitpunkt bleibt stehen.",
    "timezone_shift": "Die Zeiten sind um %(hours)s Stunden verschoben: Hat sich die Zeitzone geändert?",
    "cardinality_jump": "Die Anzahl „%(subject)s“ ist %(now)s, üblich sind %(usual)s.",
    "spelling_variant": "Ein Name in zwei Schreibweisen: %(spellings)s.",
    "certificate_expires": "Das Zertifikat von %(subject)s läuft in %(days)s Tagen ab.",
    "certificate_expired": "Das Zertifikat von %(subject)s ist abgelaufen.",
    "quarantine": "Lieferungen liegen in Quarantäne.",
}

#: How much it matters.
SEVERITIES: dict[Severity, Look] = {
    Severity.INFO: Look("Hinweis", "info", "info"),
    Severity.WARNING: Look("Warnung", "warning", "warning"),
    Severity.ERROR: Look("Fehler", "danger", "danger"),
}


def sentence(write: Writing, kind: str, subject: str, details: Mapping[str, Any]) -> str:
    """A finding in one sentence; of a kind that has none its kind and subject."""
    words = {name: _spelled(write, value) for name, value in details.items()}
    try:
        return write.word(SENTENCES[kind]) % {"subject": subject, **words}
    except KeyError:
        return f"{kind}: {subject}"


def _spelled(write: Writing, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return write.number(value)
    return str(value)
