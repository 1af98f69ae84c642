"""RDF as text: nodes that all have an address, written as Turtle, N-Triples, RDF/XML or JSON-LD, a node at a time.

There are no blank nodes, so that the same description is always the same bytes, and pieces written apart can be put together.
rdflib writes the same ten to thirty times slower; the tests read every form back with it.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

import orjson

#: The prefixes of all words that stand in our descriptions.
PREFIXES = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dcatde": "http://dcat-ap.de/def/dcatde/",
    "dct": "http://purl.org/dc/terms/",
    "eli": "http://data.europa.eu/eli/ontology#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "geo": "http://www.opengis.net/ont/geosparql#",
    "hydra": "http://www.w3.org/ns/hydra/core#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

#: What no XML document can hold (XML 1.0, section 2.2), and what no IRI can (RFC 3987).
_NEVER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NO_IRI = re.compile(r"[\x00-\x20<>\"{}|\\^`\x7f]")
#: What is written otherwise within quotes; the sign that does it comes first.
_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))


class Iri(str):
    """The address of something."""

    __slots__ = ()


class Literal(NamedTuple):
    """A text in a language, or a value of a type (`xsd:date`)."""

    value: str
    language: str = ""
    datatype: str = ""


Value = Iri | Literal


class Node(NamedTuple):
    """Something with what is said of it; `types` and predicates are short words as `dct:title`."""

    subject: Iri
    types: tuple[str, ...]
    said: tuple[tuple[str, Value], ...]

    def by_word(self) -> dict[str, list[Value]]:
        """What is said, by predicate."""
        found: dict[str, list[Value]] = {}
        for word, value in self.said:
            found.setdefault(word, []).append(value)
        return found


def node(subject: str, types: str, *said: tuple[str, Value | Iterable[Value] | None]) -> Node:
    """A node; what is None is not said. `types` are words with blanks between them."""
    pairs: list[tuple[str, Value]] = []
    for predicate, values in said:
        if isinstance(values, Iri | Literal):
            pairs.append((predicate, values))
        elif values is not None:
            pairs += [(predicate, value) for value in values]
    return Node(Iri(subject), tuple(types.split()), tuple(dict.fromkeys(pairs)))


@lru_cache(maxsize=20_000)
def iri(address: str) -> Iri:
    """The address with what can't stand in one as percent signs."""
    return Iri(_NO_IRI.sub(lambda found: f"%{ord(found[0]):02X}", _NEVER.sub("", address)))


def text(words: str, language: str = "") -> Literal:
    """A text, without the signs that no XML can hold."""
    return Literal(_NEVER.sub("", words), language)


def typed(value: str, datatype: str) -> Literal:
    """A value of an XML Schema type."""
    return Literal(value, "", datatype)


def full(word: str) -> str:
    """The whole address of a short word."""
    prefix, _, local = word.partition(":")
    return PREFIXES[prefix] + local


def _turtle(one: Node) -> str:
    parts = ["a " + ", ".join(one.types)] if one.types else []
    parts += [f"{predicate} {_quoted(value, _short)}" for predicate, value in one.said]
    return f"<{one.subject}> " + " ;\n  ".join(parts) + " .\n"


def _triples(one: Node) -> str:
    begin = f"<{one.subject}>"
    lines = [f"{begin} <{full('rdf:type')}> <{full(kind)}> .\n" for kind in one.types]
    lines += [f"{begin} <{full(predicate)}> {_quoted(value, _long)} .\n" for predicate, value in one.said]
    return "".join(lines)


def _short(datatype: str) -> str:
    return datatype


def _long(datatype: str) -> str:
    return f"<{full(datatype)}>"


def _quoted(value: Value, spelled: Callable[[str], str]) -> str:
    """The value as Turtle and N-Triples write it."""
    if isinstance(value, Iri):
        return f"<{value}>"
    quoted = f'"{_escaped(value.value)}"'
    if value.language:
        return f"{quoted}@{value.language}"
    return f"{quoted}^^{spelled(value.datatype)}" if value.datatype else quoted


def _escaped(words: str) -> str:
    # several times as fast as str.translate, which looks at each sign
    for sign, written in _ESCAPES:
        words = words.replace(sign, written)
    return words


def _xml(one: Node) -> str:
    name, *others = one.types or ("rdf:Description",)
    lines = [f"<{name} rdf:about={quoteattr(one.subject)}>"]
    lines += [f'<rdf:type rdf:resource="{full(kind)}"/>' for kind in others]
    for predicate, value in one.said:
        if isinstance(value, Iri):
            lines.append(f"<{predicate} rdf:resource={quoteattr(value)}/>")
            continue
        about = f' xml:lang="{value.language}"' if value.language else ""
        about += f' rdf:datatype="{full(value.datatype)}"' if value.datatype else ""
        # a line feed that stood after a carriage return would be lost to the reader
        lines.append(f"<{predicate}{about}>{escape(value.value, {chr(13): '&#13;'})}</{predicate}>")
    return "\n  ".join(lines) + f"\n</{name}>\n"


def _json(one: Node) -> str:
    told: dict[str, Any] = {"@id": one.subject}
    if one.types:
        told["@type"] = list(one.types)
    for predicate, value in one.said:
        told.setdefault(predicate, []).append(_told(value))
    return orjson.dumps(told, default=str).decode()


def _told(value: Value) -> dict[str, str]:
    if isinstance(value, Iri):
        return {"@id": str(value)}
    if value.language:
        return {"@value": value.value, "@language": value.language}
    return {"@value": value.value, "@type": value.datatype} if value.datatype else {"@value": value.value}


@dataclass(frozen=True, slots=True)
class Form:
    """A way to write RDF: what stands before, between and after its nodes."""

    media_type: str
    write: Callable[[Node], str]
    begin: str = ""
    between: str = ""
    end: str = ""

    def whole(self, pieces: Iterable[str]) -> bytes:
        """A document out of written nodes; what was written twice stands in it once."""
        return f"{self.begin}{self.between.join(dict.fromkeys(pieces))}{self.end}".encode()

    def document(self, nodes: Sequence[Node]) -> bytes:
        """A document of these nodes."""
        return self.whole(map(self.write, nodes))


_HEAD = "".join(f"@prefix {prefix}: <{address}> .\n" for prefix, address in PREFIXES.items()) + "\n"
_NAMESPACES = "".join(f'\n  xmlns:{prefix}="{address}"' for prefix, address in PREFIXES.items())
_XML_FORM = Form("application/rdf+xml", _xml, f'<?xml version="1.0" encoding="utf-8"?>\n<rdf:RDF{_NAMESPACES}>\n', end="</rdf:RDF>\n")
_TURTLE_FORM = partial(Form, write=_turtle, begin=_HEAD)

#: The forms by the ending of their address, as CKAN's DCAT extension names them.
FORMS: dict[str, Form] = {
    "ttl": _TURTLE_FORM("text/turtle; charset=utf-8"),
    "rdf": _XML_FORM,
    "xml": _XML_FORM,
    "jsonld": Form("application/ld+json", _json, '{"@context":' + orjson.dumps(PREFIXES).decode() + ',"@graph":[\n', ",\n", "\n]}\n"),
    "nt": Form("application/n-triples", _triples),
    "n3": _TURTLE_FORM("text/n3; charset=utf-8"),
}


def wanted(accept: str) -> str | None:
    """The ending of the form that an `Accept` header asks for; None where it asks for none, or likes a page as much."""
    best, weight = None, 0.0
    for part in accept.split(","):
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((piece[2:] for piece in parameters if piece.startswith("q=")), "1")
        known = "" if media in ("text/html", "application/xhtml+xml") else _ENDINGS.get(media)
        if known is not None and re.fullmatch(r"[01](\.\d{0,3})?", quality) and float(quality) > weight:
            best, weight = known, float(quality)
    return best or None


_ENDINGS = {one.media_type.partition(";")[0]: ending for ending, one in FORMS.items() if ending != "xml"}
