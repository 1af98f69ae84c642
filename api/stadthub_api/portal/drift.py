"""What was noticed of a feed, in the reader's words."""

from collections.abc import Mapping
from typing import Any

from stadthub_api.portal.freshness import Look
from stadthub_api.portal.language import Writing
from stadthub_schemas.finding import Severity, told

#: How much it matters.
SEVERITIES: dict[Severity, Look] = {
    Severity.INFO: Look("Hinweis", "info", "info"),
    Severity.WARNING: Look("Warnung", "warning", "warning"),
    Severity.ERROR: Look("Fehler", "danger", "danger"),
}


def sentence(write: Writing, kind: str, subject: str, details: Mapping[str, Any]) -> str:
    """A difference of a payload in one sentence."""
    return told(kind, subject, {name: _spelled(write, value) for name, value in details.items()}, write.language)


def _spelled(write: Writing, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return write.number(value)
    return str(value)
