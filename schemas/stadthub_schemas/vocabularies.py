"""Licences, themes and frequencies by the IRIs that German and European catalogues expect.

Sources: dcat-ap.de/def/licenses; EU authority tables data-theme, frequency and file-type (publications.europa.eu).
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

LICENSE_IRI = "http://dcat-ap.de/def/licenses/"
THEME_IRI = "http://publications.europa.eu/resource/authority/data-theme/"
FREQUENCY_IRI = "http://publications.europa.eu/resource/authority/frequency/"
FILE_TYPE_IRI = "http://publications.europa.eu/resource/authority/file-type/"


@dataclass(frozen=True, slots=True)
class License:
    """A licence: `id` is its key in CKAN and in feed files, `iri` the one of dcat-ap.de."""

    id: str
    title: str
    iri: str
    url: str
    is_open: bool
    wants_attribution: bool


LICENSES: dict[str, License] = {
    row.id: row
    for row in (
        License(
            "dl-de-by-2.0",
            "Datenlizenz Deutschland – Namensnennung – Version 2.0",
            LICENSE_IRI + "dl-by-de/2.0",
            "https://www.govdata.de/dl-de/by-2-0",
            True,
            True,
        ),
        License(
            "dl-de-zero-2.0",
            "Datenlizenz Deutschland – Zero – Version 2.0",
            LICENSE_IRI + "dl-zero-de/2.0",
            "https://www.govdata.de/dl-de/zero-2-0",
            True,
            False,
        ),
        License(
            "cc-by-4.0",
            "Creative Commons Namensnennung 4.0 International (CC BY 4.0)",
            LICENSE_IRI + "cc-by/4.0",
            "https://creativecommons.org/licenses/by/4.0/",
            True,
            True,
        ),
        License(
            "cc0-1.0",
            "Creative Commons CC0 1.0 (Public Domain)",
            LICENSE_IRI + "cc-zero",
            "https://creativecommons.org/publicdomain/zero/1.0/",
            True,
            False,
        ),
        License(
            "odbl-1.0",
            "Open Data Commons Open Database License 1.0 (ODbL)",
            LICENSE_IRI + "odbl",
            "https://opendatacommons.org/licenses/odbl/1-0/",
            True,
            True,
        ),
        License(
            "other-closed", "Andere geschlossene Lizenz", LICENSE_IRI + "other-closed", "https://www.dcat-ap.de/def/licenses/", False, False
        ),
    )
}


def license_named(id_: str | None) -> License | None:
    """The licence with this key; None for one that the hub does not know, or none at all."""
    return None if id_ is None else LICENSES.get(id_)


LicenseId = Literal["dl-de-by-2.0", "dl-de-zero-2.0", "cc-by-4.0", "cc0-1.0", "odbl-1.0", "other-closed"]

ThemeId = Literal["AGRI", "ECON", "EDUC", "ENER", "ENVI", "GOVE", "HEAL", "INTR", "JUST", "REGI", "SOCI", "TECH", "TRAN"]

#: The words for each theme: (German, English).
THEMES: dict[str, tuple[str, str]] = {
    "AGRI": ("Landwirtschaft, Fischerei, Forstwirtschaft und Nahrungsmittel", "Agriculture, fisheries, forestry and food"),
    "ECON": ("Wirtschaft und Finanzen", "Economy and finance"),
    "EDUC": ("Bildung, Kultur und Sport", "Education, culture and sport"),
    "ENER": ("Energie", "Energy"),
    "ENVI": ("Umwelt", "Environment"),
    "GOVE": ("Regierung und öffentlicher Sektor", "Government and public sector"),
    "HEAL": ("Gesundheit", "Health"),
    "INTR": ("Internationale Themen", "International issues"),
    "JUST": ("Justiz, Rechtssystem und öffentliche Sicherheit", "Justice, legal system and public safety"),
    "REGI": ("Regionen und Städte", "Regions and cities"),
    "SOCI": ("Bevölkerung und Gesellschaft", "Population and society"),
    "TECH": ("Wissenschaft und Technologie", "Science and technology"),
    "TRAN": ("Verkehr", "Transport"),
}

FrequencyId = Literal[
    "CONT", "1MIN", "5MIN", "10MIN", "15MIN", "30MIN", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "QUARTERLY", "ANNUAL", "IRREG", "NEVER"
]

#: The words for each frequency (German, English), and within which time the next data are due (None: no promise).
FREQUENCIES: dict[str, tuple[str, str, timedelta | None]] = {
    "CONT": ("laufend", "continuous", timedelta(minutes=30)),
    "1MIN": ("jede Minute", "every minute", timedelta(minutes=1)),
    "5MIN": ("alle 5 Minuten", "every 5 minutes", timedelta(minutes=5)),
    "10MIN": ("alle 10 Minuten", "every 10 minutes", timedelta(minutes=10)),
    "15MIN": ("alle 15 Minuten", "every 15 minutes", timedelta(minutes=15)),
    "30MIN": ("alle 30 Minuten", "every 30 minutes", timedelta(minutes=30)),
    "HOURLY": ("stündlich", "hourly", timedelta(hours=1)),
    "DAILY": ("täglich", "daily", timedelta(days=1)),
    "WEEKLY": ("wöchentlich", "weekly", timedelta(weeks=1)),
    "MONTHLY": ("monatlich", "monthly", timedelta(days=31)),
    "QUARTERLY": ("vierteljährlich", "quarterly", timedelta(days=92)),
    "ANNUAL": ("jährlich", "annual", timedelta(days=366)),
    "IRREG": ("unregelmäßig", "irregular", None),
    "NEVER": ("nie", "never", None),
}


@dataclass(frozen=True, slots=True)
class Format:
    """A file format: its CKAN word, its media type, its file name ending and its EU file-type code."""

    id: str
    title: str
    media_type: str
    ending: str
    file_type: str


FORMATS: dict[str, Format] = {
    row.id: row
    for row in (
        Format("csv", "CSV", "text/csv; charset=utf-8", "csv", "CSV"),
        Format("json", "JSON", "application/json", "json", "JSON"),
        Format("geojson", "GeoJSON", "application/geo+json", "geojson", "GEOJSON"),
        Format("parquet", "Parquet", "application/vnd.apache.parquet", "parquet", "PARQUET"),
        Format("arrow", "Arrow", "application/vnd.apache.arrow.stream", "arrows", "ARROW"),
    )
}
