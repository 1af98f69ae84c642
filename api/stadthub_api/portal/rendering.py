"""From a template to an answer: what every page knows, in the reader's language."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stadthub_api.portal import assets, wlan
from stadthub_api.portal.exchange import taken_from
from stadthub_api.portal.freshness import LOOKS
from stadthub_api.portal.language import NAMES, PREFIXES, Writing, bare, in_language, language_of, translations
from stadthub_api.portal.sentences import shown
from stadthub_catalog.entry import Entry
from stadthub_schemas.access import ANYBODY
from stadthub_schemas.dataset import Kind, Language
from stadthub_schemas.freshness import Freshness, freshness
from stadthub_schemas.properties import title
from stadthub_schemas.settings import Settings
from stadthub_schemas.vocabularies import FORMATS, FREQUENCIES, LICENSES, THEMES

TEMPLATES = Path(__file__).parent / "templates"

#: The words for what is counted of a feed and for the types of columns; in German, translated when shown.
COUNTS = {"received": "empfangen", "stored": "gespeichert", "duplicate": "doppelt", "rejected": "abgelehnt", "dropped": "verworfen"}
COLUMN_TYPES = {
    "text": "Text",
    "integer": "Ganzzahl",
    "number": "Zahl",
    "decimal": "Dezimalzahl",
    "boolean": "ja oder nein",
    "date": "Tag",
    "time": "Zeitpunkt",
    "json": "JSON",
    "geometry": "Geometrie",
}
NUMERIC = ("integer", "number", "decimal")

#: The words for the kinds of dataset and for what MapLibre says by itself; in German, translated when shown.
KINDS = {"timeseries": "Zeitreihe", "features": "Geodaten", "table": "Tabelle", "files": "Dateien"}
MAP_WORDS = {
    "Map.Title": "Karte",
    "NavigationControl.ZoomIn": "Vergrößern",
    "NavigationControl.ZoomOut": "Verkleinern",
    "Popup.Close": "Schließen",
    "CooperativeGesturesHandler.WindowsHelpText": "Strg und Mausrad vergrößern die Karte",
    "CooperativeGesturesHandler.MacHelpText": "⌘ und Mausrad vergrößern die Karte",
    "CooperativeGesturesHandler.MobileHelpText": "Die Karte mit zwei Fingern bewegen",
    "ScaleControl.Meters": "m",
    "ScaleControl.Kilometers": "km",
}


#: How data come in, or where they go, by the word in feed files; in German, translated when shown.
SOURCES = {
    "mqtt": "MQTT",
    "http": "Abruf einer Adresse",
    "push": "Zusendung",
    "file": "Datei oder Ordner",
    "upload": "hochgeladene Datei",
    "sql": "Berechnung (SQL)",
    "harvest": "Übernahme aus einem Katalog",
    "publish": "Veröffentlichung in einem Katalog",
}


@cache
def _environment(language: Language) -> Environment:
    """The templates with the words of one language."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
    environment.globals.update(
        looks=LOOKS,
        licenses=LICENSES,
        themes=THEMES,
        frequencies=FREQUENCIES,
        formats=FORMATS,
        asset=assets.address,
        language_names=NAMES,
        count_words=COUNTS,
        numeric=NUMERIC,
        taken_from=taken_from,
    )
    return environment


def writing(request: Request) -> Writing:
    """How things are written for this reader."""
    return Writing(language_of(request.url.path), ZoneInfo(settings(request).time_zone))


def settings(request: Request) -> Settings:
    """The settings that the process was started with."""
    found: Settings = request.app.state.hub.settings
    return found


def link(language: Language, path: str, **parameters: Any) -> str:
    """The address of a page in this language, with the parameters that are not empty."""
    there = in_language(path, language)
    kept = [(name, value) for name, value in parameters.items() if value not in (None, "", ())]
    return f"{there}?{urlencode(kept, doseq=True)}" if kept else there


def _everywhere(request: Request) -> dict[str, Any]:
    """What every template may use."""
    write = writing(request)
    hub = settings(request)
    query = f"?{request.url.query}" if request.url.query else ""
    now = datetime.now(UTC)

    def fresh(entry: Entry) -> Freshness:
        if entry.dataset.kind is Kind.FILES:
            return Freshness.UNKNOWN
        return freshness(entry.extent, entry.dataset.metadata.update_frequency, now)

    return {
        "w": write,
        "lang": write.language,
        "now": now,
        "here": bare(request.url.path),
        "site_title": hub.site_title,
        "site_url": hub.url,
        "site_contact": hub.site_contact,
        "site_operator": hub.site_operator,
        "privacy_contact": hub.privacy_contact,
        "wlan_there": bool(wlan.shown(request.app.state.hub.catalog, getattr(request.state, "principal", ANYBODY))),
        "alternates": {code: in_language(request.url.path, code) + query for code in PREFIXES},
        "link": lambda path, **parameters: link(write.language, path, **parameters),
        "said": lambda sentence: shown(sentence, write.language),
        "sources": {source: write.word(words) for source, words in SOURCES.items()},
        "static": lambda name: f"{assets.URL}/{name}",
        "freshness": fresh,
        "property_title": lambda name: title(name, write.language),
        "kinds": {kind: write.word(words) for kind, words in KINDS.items()},
        "column_types": {kind: write.word(words) for kind, words in COLUMN_TYPES.items()},
        "map_words": {name: write.word(words) for name, words in MAP_WORDS.items()},
    }


def page(request: Request, template: str, context: Mapping[str, Any], status: int = 200) -> HTMLResponse:
    """The page, or the part of one that htmx asked for."""
    words = _environment(language_of(request.url.path)).get_template(template).render({**_everywhere(request), **context})
    return HTMLResponse(
        words,
        status,
        headers={"Content-Language": language_of(request.url.path), "Cache-Control": "no-cache", "Vary": "Cookie, Authorization"},
    )
