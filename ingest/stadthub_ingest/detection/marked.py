"""XML, by its first elements: DATEX II, feeds of news, WFS and GML, KML. Only the head is read, and no entity ever."""

from collections.abc import Callable
from dataclasses import dataclass, field
from xml.parsers import expat

from stadthub_ingest.decoded import DecodeError
from stadthub_ingest.detection.proposal import Guess, Proposal, Said
from stadthub_schemas.dataset import Kind

#: So many bytes and elements are looked at.
HEAD, ELEMENTS = 300_000, 2_000


@dataclass
class Marks:
    """The root, and which elements (without namespace) stand in the head; texts of types."""

    root: str = ""
    names: set[str] = field(default_factory=set)
    space: str = ""
    types: set[str] = field(default_factory=set)
    count: int = 0


class _Enough(Exception):
    """The head is read."""


def marks_of(sample: bytes) -> Marks:
    """The elements of the head; DecodeError for a DOCTYPE or what is no XML."""
    marks = Marks()
    parser = expat.ParserCreate(namespace_separator=" ")

    def start(name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        if not marks.root:
            marks.root, marks.space = local, space
        marks.names.add(local)
        marks.types.update(value for key, value in attributes.items() if key.endswith(" type"))
        marks.count += 1
        if marks.count >= ELEMENTS:
            raise _Enough

    def refuse(*_: object) -> None:
        raise DecodeError("it declares a DOCTYPE, which could hold harmful entities: it is not read")

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(sample[:HEAD], len(sample) <= HEAD)
    except _Enough:
        pass
    except (expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, DecodeError):
            raise
        if not marks.root:
            raise DecodeError(f"it is not XML: {error}") from error
    return marks


def _datex_kind(marks: Marks) -> Kind:
    dynamic = any("Status" in name or "Dynamic" in name for name in (*marks.names, *marks.types))
    static = any(name in marks.names for name in ("parkingTable", "genericPublicationExtension", "parkingRecord", "parkingFacilityTable"))
    return (
        Kind.TIMESERIES
        if dynamic and not ("parkingFacilityTable" in marks.names or (static and "parkingRecord" in marks.names))
        else Kind.FEATURES
    )


Test = Callable[[Marks], bool]

#: Title, decoder, test, what the decoder makes of it, key, frequency.
LANGUAGES: tuple[tuple[str, str, Test, Callable[[Marks], Kind], tuple[str, ...], str], ...] = (
    ("DATEX II", "datex2_parking", lambda m: m.root == "d2LogicalModel" or "datex2" in m.space, _datex_kind, (), "5MIN"),
    ("RSS", "rss", lambda m: m.root in ("rss", "RDF") and "item" in m.names, lambda _: Kind.TABLE, ("id",), "HOURLY"),
    ("Atom", "rss", lambda m: m.root == "feed" and "Atom" in m.space, lambda _: Kind.TABLE, ("id",), "HOURLY"),
    ("KML", "kml", lambda m: m.root == "kml", lambda _: Kind.FEATURES, (), "DAILY"),
    ("GPX", "gpx", lambda m: m.root == "gpx", lambda _: Kind.FEATURES, (), "DAILY"),
    (
        "WFS/GML",
        "wfs",
        lambda m: m.root in ("FeatureCollection", "WFS_Capabilities") or "/wfs" in m.space or "/gml" in m.space,
        lambda _: Kind.FEATURES,
        (),
        "DAILY",
    ),
)


def of_marked(sample: bytes) -> Proposal | None:
    """What XML is; None if it is none that a decoder reads. DecodeError for what could do harm."""
    marks = marks_of(sample)
    for title, decoder, test, kind, key, frequency in LANGUAGES:
        if test(marks):
            made = kind(marks)
            reason = Said(f"das erste Element heißt {marks.root}", f"the first element is {marks.root}")
            kinds = Guess("kind", made.value, 0.85, Said("das macht der Dekodierer daraus", "this is what the decoder makes of it"))
            return Proposal(decoder, made, {}, (), (Guess("format", title, 0.95, reason), kinds), (), key, frequency)
    return None
