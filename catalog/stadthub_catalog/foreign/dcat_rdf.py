"""A catalogue in DCAT: Turtle, RDF/XML or JSON-LD, page by page as hydra leads. The door to rdflib.

What comes is not trusted: no document type declaration, no entities, no remote context, bounded in size and number of statements;
nothing is fetched while it is read.
"""

import xml.parsers.expat
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import orjson
from rdflib import RDF, Graph, Literal, Namespace, URIRef
from rdflib.namespace import DCTERMS, FOAF
from rdflib.plugins.parsers.jsonld import to_rdf
from rdflib.term import Node

from stadthub_catalog.foreign.item import Asking, Item, Page, extras, from_html, with_parameters
from stadthub_schemas.errors import SourceError

ACCEPT = "text/turtle, application/rdf+xml;q=0.9, application/ld+json;q=0.8"

#: No page says more.
MOST_STATEMENTS = 2_000_000

#: rdflib's own list of DCAT's words ends before version 3.
DCAT = Namespace("http://www.w3.org/ns/dcat#")
_HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
_VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
_LOCN = Namespace("http://www.w3.org/ns/locn#")
_SCHEMA = Namespace("http://schema.org/")
_DCATDE = Namespace("http://dcat-ap.de/def/dcatde/")
_DCATAP = Namespace("http://data.europa.eu/r5r/")
_NEXT = (_HYDRA.next, _HYDRA.nextPage)


def first(asking: Asking) -> str:
    """The address of the first page."""
    return with_parameters(asking.url, **asking.parameters) if asking.parameters else asking.url


def read(body: bytes, url: str, asking: Asking) -> Page:  # noqa: ARG001 (one signature for all protocols)
    """The datasets of a page, and the next page if hydra names one."""
    graph = parse(body, url)
    found = sorted(set(graph.subjects(RDF.type, DCAT.Dataset)) | set(graph.subjects(RDF.type, DCAT.DatasetSeries)), key=str)
    items = tuple(_item(graph, one, number) for number, one in enumerate(found))
    following = next((str(value) for way in _NEXT for value in graph.objects(None, way) if str(value)), None)
    return Page(items, urljoin(url, following) if following else None)


def parse(body: bytes, url: str) -> Graph:
    """The statements of a document; SourceError if it can't or may not be read."""
    place = url.partition("?")[0]
    start = body.removeprefix(b"\xef\xbb\xbf").lstrip()[:200]
    said: Any = None
    if start.startswith((b"{", b"[")):
        form = "json-ld"
        said = _harmless(body, place)
    elif start.startswith((b"<?xml", b"<rdf:", b"<!")) or b"\x00" in start:
        form = "xml"
        _refuse_declarations(body, place)
    else:
        form = "turtle"
    graph = _Bounded()
    try:
        if said is None:
            graph.parse(data=body.removeprefix(b"\xef\xbb\xbf"), format=form, publicID=url)
        else:
            to_rdf(said, graph, url)
    except _TooMany as error:
        raise SourceError(f"{place}: a page says more than {MOST_STATEMENTS} things: ask for smaller pages") from error
    except Exception as error:  # rdflib's parsers raise whatever they like
        reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise SourceError(f"{place}: the answer is no readable {form}: {reason[0][:200]}") from error
    return graph


class _TooMany(Exception):
    """A page says too much."""


class _Bounded(Graph):
    """A graph that takes so many statements and no more."""

    def __init__(self) -> None:
        super().__init__(bind_namespaces="none")
        self._told = 0

    def add(self, triple: Any) -> "_Bounded":
        """Take one more statement."""
        self._told += 1
        if self._told > MOST_STATEMENTS:
            raise _TooMany
        super().add(triple)
        return self


def _refuse_declarations(body: bytes, place: str) -> None:
    """XML may not declare a document type: entities grow, and name files of this machine."""

    def refuse(*_: object) -> None:
        raise SourceError(f"{place}: a catalogue with a document type declaration is not read")

    parser = xml.parsers.expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(body, True)
    except xml.parsers.expat.ExpatError as error:
        raise SourceError(f"{place}: the answer is no readable xml: {error}") from error


def _harmless(body: bytes, place: str) -> Any:
    """What JSON-LD says. It may not name a context elsewhere: reading it would fetch that."""
    try:
        said = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise SourceError(f"{place}: the answer is no readable json-ld: {error}") from error
    waiting = [said]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            contexts = one.get("@context")
            named = contexts if isinstance(contexts, list) else [contexts]
            if "@import" in one or any(isinstance(context, str) for context in named):
                raise SourceError(f"{place}: its JSON-LD names a context elsewhere, which is not fetched: ask for Turtle or RDF/XML")
            waiting += one.values()
    if isinstance(said, dict) and "@graph" in said:
        said.pop("@id", None)  # a graph with a name is the same catalogue
    return said


def _item(graph: Graph, one: Node, number: int) -> Item:
    if not isinstance(one, URIRef):
        named = _text(graph, one, DCTERMS.identifier)
        return Item(named, _package(graph, one, named)) if named else Item(f"#{number}", {}, "it has neither address nor identifier")
    return Item(str(one), _package(graph, one, str(one)))


def _package(graph: Graph, one: Node, key: str) -> dict[str, Any]:
    contact = graph.value(one, DCAT.contactPoint)
    publisher = graph.value(one, DCTERMS.publisher)
    begin, end = _period(graph, one)
    return {
        "title": _text(graph, one, DCTERMS.title),
        "notes": from_html(_text(graph, one, DCTERMS.description)),
        "license_id": _text(graph, one, DCTERMS.license),
        "maintainer": _text(graph, contact, _VCARD.fn),
        "maintainer_email": _text(graph, contact, _VCARD.hasEmail).removeprefix("mailto:"),
        "url": _text(graph, one, DCAT.landingPage) or (key if key.startswith("http") else ""),
        "tags": [{"name": word} for word in dict.fromkeys(_texts(graph, one, DCAT.keyword))],
        "groups": [{"name": theme} for theme in _texts(graph, one, DCAT.theme)],
        "version": _text(graph, one, DCAT.version),
        "metadata_modified": _text(graph, one, DCTERMS.modified),
        "extras": extras(
            identifier=_text(graph, one, DCTERMS.identifier) or key,
            uri=key,
            title_en=_text(graph, one, DCTERMS.title, "en", strictly=True),
            notes_en=_text(graph, one, DCTERMS.description, "en", strictly=True),
            publisher_name=_text(graph, publisher, FOAF.name),
            publisher_uri=str(publisher) if isinstance(publisher, URIRef) else "",
            contributorID=_texts(graph, one, _DCATDE.contributorID),
            frequency=_text(graph, one, DCTERMS.accrualPeriodicity),
            issued=_text(graph, one, DCTERMS.issued),
            spatial=_place(graph, one),
            temporal_start=begin,
            temporal_end=end,
            hvd_category=_texts(graph, one, _DCATAP.hvdCategory),
        ),
        "resources": [_resource(graph, file) for file in sorted(graph.objects(one, DCAT.distribution), key=str)],
    }


def _resource(graph: Graph, file: Node) -> dict[str, Any]:
    size = _text(graph, file, DCAT.byteSize).partition(".")[0]
    return {
        "id": str(file) if isinstance(file, URIRef) else "",
        "url": _text(graph, file, DCAT.downloadURL) or _text(graph, file, DCAT.accessURL),
        "name": _text(graph, file, DCTERMS.title),
        "description": from_html(_text(graph, file, DCTERMS.description)),
        "format": _text(graph, file, DCTERMS["format"]),
        "mimetype": _text(graph, file, DCAT.mediaType),
        "license": _text(graph, file, DCTERMS.license),
        "attribution": _text(graph, file, _DCATDE.licenseAttributionByText),
        "last_modified": _text(graph, file, DCTERMS.modified),
        "size": int(size) if size.isdigit() and len(size) < 18 else None,
    }


def _text(graph: Graph, one: Node | None, word: URIRef, language: str = "de", *, strictly: bool = False) -> str:
    """A text, that of this language before others. A word that is a node of its own gives its label if its address is no address."""
    best = ""
    for rank, value in sorted(((_rank(value, language), str(value)) for value in _values(graph, one, word)), key=lambda one: one):
        if not strictly or rank == 0:
            best = best or value
    return best.strip()


def _values(graph: Graph, one: Node | None, word: URIRef) -> Iterator[Node]:
    if one is None:
        return
    for value in graph.objects(one, word):
        if isinstance(value, Literal | URIRef):
            yield value
        else:
            yield from (found for way in (RDF.value, DCTERMS.title, FOAF.name, _VCARD.value) for found in graph.objects(value, way))


def _rank(value: Node, language: str) -> int:
    if not isinstance(value, Literal) or not value.language:
        return 1
    return 0 if value.language.lower().startswith(language) else 2


def _texts(graph: Graph, one: Node, word: URIRef) -> list[str]:
    return sorted({str(value).strip() for value in _values(graph, one, word)} - {""})


def _period(graph: Graph, one: Node) -> tuple[str, str]:
    """From when to when the data tell, in DCAT's words or in the older ones of schema.org."""
    period = graph.value(one, DCTERMS.temporal)
    begin = _text(graph, period, DCAT.startDate) or _text(graph, period, _SCHEMA.startDate)
    end = _text(graph, period, DCAT.endDate) or _text(graph, period, _SCHEMA.endDate)
    return begin, end


def _place(graph: Graph, one: Node) -> Any:
    """Where the data are, as GeoJSON, where it is said so."""
    for place in graph.objects(one, DCTERMS.spatial):
        for word in (DCAT.bbox, _LOCN.geometry, DCAT.centroid):
            for value in graph.objects(place, word):
                if str(value).lstrip().startswith("{"):
                    return str(value)
                found = _from_wkt(str(value))
                if found:
                    return found
    return None


def _from_wkt(said: str) -> str | None:
    """A box out of a polygon as DCAT-AP writes it; other shapes are left to their owners."""
    body = said.rpartition(">")[2].strip()
    if not body.upper().startswith("POLYGON") or len(body) > 10_000:
        return None
    try:
        points = [tuple(float(part) for part in pair.split()[:2]) for pair in body[body.index("((") + 2 : body.index("))")].split(",")]
    except ValueError:
        return None
    if any(len(point) != 2 for point in points):
        return None
    return orjson.dumps({"type": "Polygon", "coordinates": [[list(point) for point in points]]}).decode()
