"""The record of processing activities as a document (Markdown), a table (CSV) or data (JSON)."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict

import orjson

from stadthub_api.record import Processing
from stadthub_schemas.dataset import Language
from stadthub_schemas.privacy import Phrase, spoken

TITLE: Phrase = ("Verzeichnis von Verarbeitungstätigkeiten (Art. 30 DSGVO)", "Record of processing activities (Art. 30 GDPR)")

#: The headings of an entry's parts, in the order of Art. 30 (1).
HEADINGS: dict[str, Phrase] = {
    "name": ("Kennung", "Key"),
    "title": ("Verarbeitung", "Processing"),
    "controller": ("Verantwortlich", "Controller"),
    "contact": ("Kontakt", "Contact"),
    "protection_officer": ("Datenschutzbeauftragte Person", "Data protection officer"),
    "purpose": ("Zweck", "Purpose"),
    "legal_basis": ("Rechtsgrundlage", "Legal basis"),
    "subjects": ("Betroffene Personen", "Data subjects"),
    "categories": ("Kategorien von Daten", "Categories of data"),
    "recipients": ("Empfänger", "Recipients"),
    "transfer": ("Drittländer", "Third countries"),
    "retention": ("Löschfristen", "Retention"),
    "measures": ("Technische und organisatorische Maßnahmen", "Technical and organisational measures"),
    "assessment": ("Folgenabschätzung", "Impact assessment"),
    "changed": ("Letzte Änderung", "Last change"),
}


def as_markdown(entries: Sequence[Processing], language: Language) -> str:
    """A document with a chapter for each entry."""
    lines = [f"# {spoken(TITLE, language)}", ""]
    for entry in entries:
        cells = asdict(entry)
        lines += [f"## {_line(entry.title)}", ""]
        for part, heading in HEADINGS.items():
            value = cells[part]
            if isinstance(value, tuple):
                lines += [f"- **{spoken(heading, language)}**:", *(f"  - {_line(one)}" for one in value)]
            elif part != "title":
                lines.append(f"- **{spoken(heading, language)}**: {_line(_text(value))}")
        lines.append("")
    return "\n".join(lines)


def as_csv(entries: Sequence[Processing], language: Language) -> str:
    """A row for each entry; what has several parts is one cell with semicolons."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([spoken(heading, language) for heading in HEADINGS.values()])
    for entry in entries:
        cells = asdict(entry)
        writer.writerow([_cell(_text(cells[part])) for part in HEADINGS])
    return out.getvalue()


def as_json(entries: Sequence[Processing], language: Language) -> str:
    """The entries as objects with the keys of `Processing`."""
    return orjson.dumps(
        {"title": spoken(TITLE, language), "processings": [asdict(one) for one in entries]}, option=orjson.OPT_UTC_Z
    ).decode()


WRITERS: dict[str, tuple[str, Callable[[Sequence[Processing], Language], str]]] = {
    "md": ("text/markdown; charset=utf-8", as_markdown),
    "csv": ("text/csv; charset=utf-8", as_csv),
    "json": ("application/json", as_json),
}


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return "; ".join(value)
    return "–" if value is None else f"{value:%Y-%m-%d}" if hasattr(value, "strftime") else str(value)


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    """The text so that no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
