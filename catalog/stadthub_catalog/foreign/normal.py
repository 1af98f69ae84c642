"""What others say in many spellings, in ours: formats, themes, frequencies, keywords, times."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from stadthub_catalog.resource_formats import media_type, spelled
from stadthub_schemas.vocabularies import FREQUENCIES, THEME_IRI, THEMES

#: Codes of the EU's table of file types that are no names of formats.
_CODES = {
    "JSON_LD": "JSON-LD",
    "RDF_TURTLE": "TTL",
    "RDF_XML": "RDF",
    "RDF_N_TRIPLES": "NT",
    "GEOJSON": "GeoJSON",
    "GML": "GML",
    "WFS_SRVC": "WFS",
    "WMS_SRVC": "WMS",
    "WMTS_SRVC": "WMTS",
    "WCS_SRVC": "WCS",
    "ATOM": "Atom Feed",
    "ZIP": "ZIP",
    "OP_DATPRO": "",
}
#: Words of catalogues for what is a service or a page.
_WORDS = {
    "wms service": "WMS",
    "wms_service": "WMS",
    "ogc wms": "WMS",
    "ogc:wms": "WMS",
    "wfs service": "WFS",
    "wfs_service": "WFS",
    "ogc wfs": "WFS",
    "ogc:wfs": "WFS",
    "excel": "XLSX",
    "xls/xlsx": "XLSX",
    "web page": "HTML",
    "website": "HTML",
    "webseite": "HTML",
    "arcgis geoservices rest api": "API",
    "arcgis geoservice": "API",
    "geopackage": "GPKG",
    "rest": "API",
    "rest-api": "API",
}

#: What the groups of German catalogues mean in Europe's themes.
_GROUPS = {
    "bevoelkerung": "SOCI",
    "bildung-wissenschaft": "EDUC",
    "bildung": "EDUC",
    "geo": "REGI",
    "geographie-geologie-geobasisdaten": "REGI",
    "geobasisdaten": "REGI",
    "stadtplanung": "REGI",
    "gesetze-justiz": "JUST",
    "oeffentliche-sicherheit": "JUST",
    "gesundheit": "HEAL",
    "infrastruktur-bauen-wohnen": "REGI",
    "bauen-wohnen": "REGI",
    "kultur-freizeit-sport-tourismus": "EDUC",
    "kultur": "EDUC",
    "freizeit": "EDUC",
    "sport": "EDUC",
    "politik-wahlen": "GOVE",
    "wahlen": "GOVE",
    "soziales": "SOCI",
    "transport-verkehr": "TRAN",
    "verkehr": "TRAN",
    "mobilitaet": "TRAN",
    "umwelt-klima": "ENVI",
    "umwelt": "ENVI",
    "verbraucherschutz": "HEAL",
    "verwaltung": "GOVE",
    "verwaltung-haushalt-steuern": "GOVE",
    "haushalt": "GOVE",
    "finanzen": "ECON",
    "wirtschaft-arbeit": "ECON",
    "wirtschaft": "ECON",
    "environment": "ENVI",
    "transport": "TRAN",
    "population": "SOCI",
}

#: Spans of time between two issues, as ISO 8601 and as words say them.
_RHYTHMS = {
    "r/p1y": "ANNUAL",
    "r/p3m": "QUARTERLY",
    "r/p1m": "MONTHLY",
    "r/p1w": "WEEKLY",
    "r/p7d": "WEEKLY",
    "r/p1d": "DAILY",
    "r/pt1h": "HOURLY",
    "r/pt1s": "CONT",
    "irregular": "IRREG",
    "continuous": "CONT",
    "update_cont": "CONT",
    "hourly": "HOURLY",
    "stündlich": "HOURLY",
    "daily": "DAILY",
    "täglich": "DAILY",
    "weekly": "WEEKLY",
    "wöchentlich": "WEEKLY",
    "monthly": "MONTHLY",
    "monatlich": "MONTHLY",
    "quarterly": "QUARTERLY",
    "vierteljährlich": "QUARTERLY",
    "annual": "ANNUAL",
    "annually": "ANNUAL",
    "jährlich": "ANNUAL",
    "unregelmäßig": "IRREG",
    "nach bedarf": "IRREG",
    "never": "NEVER",
    "nie": "NEVER",
    "einmalig": "NEVER",
}

_SLUGS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e", "è": "e", "&": " und "})


def format_of(said: Iterable[str], url: str) -> str:
    """The format in our spelling: the first that says something, else what the address ends in."""
    for one in said:
        word = one.strip()
        if word.startswith(("http://", "https://")):
            word = word.partition("media-types/")[2] or word.rstrip("/").rpartition("/")[2]
        word = word.partition(";")[0].strip().removeprefix(".")
        word = _CODES.get(word, _WORDS.get(word.casefold(), word))
        if word and len(word) <= 60:
            return spelled(word)
    guessed = media_type(url)
    return spelled(guessed) if guessed else ""


def slug(said: str) -> str:
    """Words as they stand in an address."""
    return re.sub(r"[^a-z0-9]+", "-", said.casefold().translate(_SLUGS)).strip("-")


def theme_of(said: str) -> str | None:
    """Europe's theme that a group, a theme's name or its address means."""
    code = said.removeprefix(THEME_IRI).strip().upper()
    return code if code in THEMES else _THEMES.get(_bare(said))


def _bare(said: str) -> str:
    """The words of a group's name."""
    return slug(said).replace("-und-", "-").replace("-and-", "-")


def frequency_of(said: str) -> str | None:
    """How often something is brought up to date, as a code of Europe's list."""
    word = said.strip().rstrip("/").rpartition("/")[2] if said.startswith("http") else said.strip()
    return word.upper() if word.upper() in FREQUENCIES else _RHYTHMS.get(word.casefold(), _RHYTHMS.get(said.strip().casefold()))


def keyword_of(said: str) -> str:
    """A keyword in the signs that CKAN lets it have; empty if nothing is left of it."""
    word = " ".join(re.sub(r"[^\w \-.]", " ", said).split())[:100].strip()
    return word if len(word) >= 2 else ""


def moment_of(said: str) -> datetime | None:
    """A time that somebody wrote; None for what is none."""
    try:
        found = datetime.fromisoformat(said.strip())
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def day_of(said: str) -> str:
    """A time or a day as it was said if it is one, a year as its first day; else empty."""
    plain = said.strip()
    if re.fullmatch(r"\d{4}", plain):
        plain += "-01-01"
    try:
        date.fromisoformat(plain[:10])
    except ValueError:
        return ""
    return plain if len(plain) == 10 or moment_of(plain) else plain[:10]


def plain_texts(said: Mapping[str, Any], *keys: str) -> list[str]:
    """The texts under these keys, as far as there are some."""
    return [value for key in keys if isinstance(value := said.get(key), str) and value.strip()]


_THEMES = {
    **_GROUPS,
    **{_bare(words[0]): code for code, words in THEMES.items()},
    **{_bare(words[1]): code for code, words in THEMES.items()},
}
