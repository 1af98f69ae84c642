"""The quality of a description as data.europa.eu measures it (Metadata Quality Assessment): metrics, points, and what is missing.

A dataset has the points of its own metrics and those of its best distribution; 405 is everything, from 351 on it is excellent.
Whether an address answers is not tried here: what this hub serves answers, what stands elsewhere is taken at its word.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from stadthub_catalog.rdf import Iri, Node, Value
from stadthub_catalog.rdf import Literal as Text
from stadthub_schemas import authorities as eu
from stadthub_schemas.filetypes import MEDIA_TYPE_IRI, FileType, file_type
from stadthub_schemas.vocabularies import FILE_TYPE_IRI

#: Below this a dataset is not told to other catalogues.
EXCELLENT, MOST = 351, 405

Rating = Literal["excellent", "good", "sufficient", "bad"]
Dimension = Literal["findability", "accessibility", "interoperability", "reusability", "contextuality"]


Said = Mapping[str, Sequence[Value]]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric: `share` says how much of it is there, from 0 to 1; `mend` is what to do where it is missing (German, English)."""

    name: str
    dimension: Dimension
    points: int
    of_file: bool
    share: Callable[["Described", Said], float]
    title: tuple[str, str]
    mend: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Described:
    """A description as it is measured: what is said of the dataset, and of each distribution, by word."""

    dataset: Said
    files: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one metric came to."""

    metric: Metric
    points: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return self.points == self.metric.points


@dataclass(frozen=True, slots=True)
class Score:
    """The points of a dataset, metric by metric; `file` is the distribution that counted, None without any."""

    measured: tuple[Measured, ...]
    file: Iri | None

    @property
    def total(self) -> int:
        """All points together."""
        return sum(one.points for one in self.measured)

    @property
    def is_excellent(self) -> bool:
        """Whether the dataset may be told to other catalogues."""
        return self.total >= EXCELLENT

    @property
    def rating(self) -> Rating:
        """The points as one word."""
        bounds: tuple[tuple[int, Rating], ...] = ((EXCELLENT, "excellent"), (221, "good"), (121, "sufficient"))
        return next((word for bound, word in bounds if self.total >= bound), "bad")

    @property
    def missing(self) -> tuple[Measured, ...]:
        """What is not whole, the dearest first."""
        short = (one for one in self.measured if not one.is_whole)
        return tuple(sorted(short, key=lambda one: one.points - one.metric.points))


def score(nodes: Sequence[Node]) -> Score:
    """The points of a dataset that is described so."""
    files = [one for one in nodes if "dcat:Distribution" in one.types]
    described = Described(nodes[0].by_word(), tuple(one.by_word() for one in files))
    best = Score(_measure(described, {}), None)
    for said, one in zip(described.files, files, strict=True):
        found = Score(_measure(described, said), one.subject)
        best = max(best, found, key=lambda score: score.total)
        if best.total == MOST:
            break
    return best


def breaches(described: Described) -> list[str]:
    """Which of the rules that must be kept are not (DCAT-AP, DCAT-AP.de): the words that are missing."""
    wanted = ("dct:title", "dct:description", "dct:publisher")
    found = [word for word in wanted if word not in described.dataset]
    return found + ["dct:license"] * any("dct:license" not in one for one in described.files)


def _measure(described: Described, file: Said) -> tuple[Measured, ...]:
    rows = ((metric, file if metric.of_file else described.dataset) for metric in METRICS)
    return tuple(Measured(metric, round(metric.points * metric.share(described, one))) for metric, one in rows)


def _has(word: str) -> Callable[[Described, Said], float]:
    return lambda _, one: float(word in one)


def _either(word: str) -> Callable[[Described, Said], float]:
    """It counts at the distribution as well as at the dataset."""
    return lambda described, one: float(word in one or word in described.dataset)


def _kind(one: Said) -> FileType | None:
    return next((file_type(value) for value in one.get("dct:format", ()) if isinstance(value, Iri)), None)


def _aligned(_: Described, one: Said) -> float:
    lists = {"dct:format": FILE_TYPE_IRI, "dcat:mediaType": MEDIA_TYPE_IRI}
    return sum(any(isinstance(value, Iri) and value.startswith(begin) for value in one.get(word, ())) for word, begin in lists.items()) / 2


def _free(_: Described, one: Said) -> float:
    kind = _kind(one)
    return float(kind is not None and kind.is_free and kind.in_lists)


def _readable(_: Described, one: Said) -> float:
    kind = _kind(one)
    return float(kind is not None and kind.is_readable and kind.in_lists)


def _conforms(described: Described, _: Said) -> float:
    return float(not breaches(described))


_KNOWN_LICENSES = frozenset({*eu.EU_LICENSES, *eu.EU_LICENSES.values()})


def _known_license(_: Described, one: Said) -> float:
    return float(any(value in _KNOWN_LICENSES for value in one.get("dct:license", ()) if isinstance(value, Iri)))


def _known_rights(_: Described, one: Said) -> float:
    return float(any(not isinstance(value, Text) and eu.concept(value) is not None for value in one.get("dct:accessRights", ())))


_ADDRESS = ("Eine Adresse angeben, unter der die Daten stehen.", "Give an address at which the data are.")
_FILE = ("Eine Datei zum Herunterladen veröffentlichen; die des Portals entstehen von selbst, sobald Daten da sind.",
         "Publish a file to download; those of the portal are made by themselves as soon as there are data.")  # fmt: skip
_FORMAT = ("Ein Format angeben, das der Katalog kennt (CSV, GeoJSON, …).", "Name a format that the catalogue knows (CSV, GeoJSON, …).")
_OPEN = ("Auch ein freies, maschinenlesbares Format anbieten, wie CSV oder GeoJSON.", "Offer a free, machine-readable format too, such as CSV or GeoJSON.")  # fmt: skip
_LICENSE = ("Eine Lizenz aus der Liste von dcat-ap.de angeben (license), wie dl-de-by-2.0.", "Name a licence of dcat-ap.de's list (license), such as dl-de-by-2.0.")  # fmt: skip
_ACCESS = ("Angeben, wer die Daten sehen darf (access).", "Say who may see the data (access).")
_TIMES = ("Angeben, wann die Datei entstand und geändert wurde.", "Say when the file was made and changed.")

METRICS: tuple[Metric, ...] = (
    Metric("keywordAvailability", "findability", 30, False, _has("dcat:keyword"), ("Schlagwörter", "Keywords"),
           ("Wenigstens ein Schlagwort angeben (keywords).", "Give at least one keyword (keywords).")),
    Metric("categoryAvailability", "findability", 30, False, _has("dcat:theme"), ("Thema", "Theme"),
           ("Ein Thema der EU angeben (themes).", "Give one of the EU's themes (themes).")),
    Metric("spatialAvailability", "findability", 20, False, _has("dct:spatial"), ("Gebiet", "Area"),
           ("Orte in den Daten, oder den Schlüssel der Stadt in den Einstellungen (geocoding) angeben.",
            "Give places in the data, or the city's key in the settings (geocoding).")),
    Metric("temporalAvailability", "findability", 20, False, _has("dct:temporal"), ("Zeitraum", "Period"),
           ("Angeben, von wann bis wann die Daten gelten (temporal_start, temporal_end).",
            "Say from when to when the data tell (temporal_start, temporal_end).")),
    Metric("accessUrlStatusCode", "accessibility", 50, True, _has("dcat:accessURL"), ("Adresse antwortet", "Address answers"), _ADDRESS),
    Metric("downloadUrlAvailability", "accessibility", 20, True, _has("dcat:downloadURL"), ("Datei zum Herunterladen", "File to download"), _FILE),
    Metric("downloadUrlStatusCode", "accessibility", 30, True, _has("dcat:downloadURL"), ("Datei antwortet", "File answers"), _FILE),
    Metric("formatAvailability", "interoperability", 20, True, _has("dct:format"), ("Format", "Format"), _FORMAT),
    Metric("mediaTypeAvailability", "interoperability", 10, True, _has("dcat:mediaType"), ("Medientyp", "Media type"), _FORMAT),
    Metric("formatMediaTypeVocabularyAlignment", "interoperability", 10, True, _aligned,
           ("Format aus den Listen", "Format of the lists"), _FORMAT),
    Metric("formatMediaTypeNonProprietary", "interoperability", 20, True, _free, ("Freies Format", "Free format"), _OPEN),
    Metric("formatMediaTypeMachineInterpretable", "interoperability", 20, True, _readable,
           ("Maschinenlesbares Format", "Machine-readable format"), _OPEN),
    Metric("dcatApCompliance", "interoperability", 30, False, _conforms, ("Regeln von DCAT-AP", "Rules of DCAT-AP"),
           ("Beschreibung (description) und Lizenz (license) angeben: sie sind Pflicht.",
            "Give a description and a licence (license): they must be there.")),
    Metric("licenceAvailability", "reusability", 20, True, _has("dct:license"), ("Lizenz", "Licence"), _LICENSE),
    Metric("knownLicence", "reusability", 10, True, _known_license, ("Bekannte Lizenz", "Known licence"), _LICENSE),
    Metric("accessRightsAvailability", "reusability", 10, False, _has("dct:accessRights"), ("Zugang", "Access"), _ACCESS),
    Metric("accessRightsVocabularyAlignment", "reusability", 5, False, _known_rights, ("Zugang aus der Liste", "Access of the list"), _ACCESS),
    Metric("contactPointAvailability", "reusability", 20, False, _has("dcat:contactPoint"), ("Ansprechstelle", "Contact"),
           ("Eine Ansprechstelle mit E-Mail oder Adresse angeben (contact), oder die des Portals in den Einstellungen (site_contact).",
            "Give a contact with e-mail or address (contact), or that of the portal in the settings (site_contact).")),
    Metric("publisherAvailability", "reusability", 10, False, _has("dct:publisher"), ("Herausgeber", "Publisher"),
           ("Einen Herausgeber angeben (publisher).", "Give a publisher (publisher).")),
    Metric("rightsAvailability", "contextuality", 5, True, _has("dct:rights"), ("Nutzungsrechte", "Rights"), _LICENSE),
    Metric("byteSizeAvailability", "contextuality", 5, True, _has("dcat:byteSize"), ("Dateigröße", "File size"),
           ("Die Größe der Datei angeben (size).", "Give the size of the file (size).")),
    Metric("dateIssuedAvailability", "contextuality", 5, True, _either("dct:issued"), ("Veröffentlicht am", "Issued"), _TIMES),
    Metric("dateModifiedAvailability", "contextuality", 5, True, _either("dct:modified"), ("Geändert am", "Modified"), _TIMES),
)  # fmt: skip
