"""OParl 1.0 and 1.1 (council information): one type as a table, one row an object; keys of others instead of what is nested.

Deleted objects are dropped: each fetch is the whole list, so that a row that is no longer in it is gone from the new version.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any, Literal

import orjson
from pydantic import Field, field_validator

from stadthub_ingest.allowlists import PLAIN, kept
from stadthub_ingest.decoded import Decoded, DecodeError, Row, Unreadable
from stadthub_ingest.keys import column_key
from stadthub_ingest.prose import plain
from stadthub_ingest.texts import read_json
from stadthub_ingest.times import ISO, TimeReader
from stadthub_schemas.dataset import Kind
from stadthub_schemas.model import Strict

Type = Literal[
    "System", "Body", "LegislativeTerm", "Organization", "Person", "Membership", "Meeting", "AgendaItem", "Paper", "Consultation", "File",
    "Location",
]  # fmt: skip

_TYPE = re.compile(r"https?://schema\.oparl\.org/1\.[01]/(\w+)/?\Z")
_TIMES = TimeReader(ISO)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

#: The columns of each type: what the standard lists, in its order, without what the hub leaves to the source.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "System": ("oparlVersion", "name", "website", "vendor", "product", "body"),
    "Body": ("system", "shortName", "name", "website", "ags", "rgs", "classification", "equivalent", "license", "legislativeTerm", "location"),
    "LegislativeTerm": ("body", "name", "startDate", "endDate"),
    "Organization": (
        "body", "name", "shortName", "organizationType", "classification", "post", "subOrganizationOf", "startDate", "endDate", "website",
        "membership", "memberCount", "votingMemberCount", "location", "externalBody",
    ),
    "Person": ("body", "name", "familyName", "givenName", "formOfAddress", "affix", "title", "status", "membership"),
    "Membership": ("person", "organization", "role", "votingRight", "startDate", "endDate", "onBehalfOf"),
    "Meeting": (
        "name", "meetingState", "cancelled", "start", "end", "location", "organization", "invitation", "resultsProtocol",
        "verbatimProtocol", "auxiliaryFile", "agendaItem",
    ),
    "AgendaItem": (
        "meeting", "number", "order", "name", "public", "consultation", "result", "resolutionText", "resolutionFile", "auxiliaryFile",
        "start", "end",
    ),
    "Paper": (
        "body", "name", "reference", "date", "paperType", "relatedPaper", "superordinatedPaper", "subordinatedPaper", "mainFile",
        "auxiliaryFile", "location", "originatorPerson", "underDirectionOf", "originatorOrganization", "consultation",
    ),
    "Consultation": ("paper", "agendaItem", "meeting", "organization", "authoritative", "role"),
    "File": (
        "name", "fileName", "mimeType", "date", "size", "sha1Checksum", "sha512Checksum", "accessUrl", "downloadUrl", "masterFile",
        "derivativeFile", "fileLicense", "meeting", "agendaItem", "paper",
    ),
    "Location": ("description", "streetAddress", "room", "postalCode", "subLocality", "locality", "geojson"),
}  # fmt: skip
COMMON = ("keyword", "license", "web", "created", "modified")

#: Members that are times and days, and those that must be there.
MOMENTS = frozenset(("start", "end", "created", "modified"))
DAYS = frozenset(("startDate", "endDate", "date"))
NEEDED: Mapping[str, tuple[str, ...]] = {"File": ("accessUrl",), "System": ("oparlVersion",), "Body": ("name",)}

#: What objects of one type hold of another: OParl nests some, and lists carry them along.
NESTED: Mapping[str, tuple[str, ...]] = {
    "AgendaItem": ("agendaItem",),
    "Membership": ("membership",),
    "Consultation": ("consultation",),
    "LegislativeTerm": ("legislativeTerm",),
    "Location": ("location", "locationObject"),
    "File": ("mainFile", "auxiliaryFile", "invitation", "resultsProtocol", "verbatimProtocol", "resolutionFile"),
}
#: What an object that is nested says of the one around it, where it does not say so itself.
BACK: Mapping[tuple[str, str], str] = {
    ("AgendaItem", "Meeting"): "meeting",
    ("Membership", "Person"): "person",
    ("Membership", "Organization"): "organization",
    ("Consultation", "Paper"): "paper",
    ("LegislativeTerm", "Body"): "body",
}
#: Objects of which types may hold some of this type.
HOLDERS: Mapping[str, tuple[str, ...]] = {
    "AgendaItem": ("Meeting",),
    "Membership": ("Person", "Organization"),
    "Consultation": ("Paper",),
    "LegislativeTerm": ("Body",),
    "Location": ("Body", "Meeting", "Organization", "Paper"),
    "File": ("Meeting", "Paper", "AgendaItem"),
}

#: How deep objects stand in one another.
MOST_DEPTH = 6


class Options(Strict):
    """Which type of object is made a table of."""

    kind: Kind = Field(default=Kind.TABLE, description="set from the feed's own kind")
    type: Type = Field(description="such as Meeting or Paper; objects of this type that stand within others are taken too")
    persons: bool = Field(default=False, description="Person: keep e-mail addresses and telephone numbers")

    @field_validator("kind")
    @classmethod
    def _not_timeseries(cls, value: Kind) -> Kind:
        if value is not Kind.TABLE:
            raise ValueError(f'oparl makes a table, not {value}: write kind = "table" and key = ["id"]')
        return value


def reduce(payload: bytes, options: Options, _name: str, _key: bytes) -> bytes | None:
    """The objects with the members that the hub reads: no e-mail address, telephone number, gender, life or home of a person."""
    found = read_json(payload)
    if isinstance(found, dict) and isinstance(found.get("data"), list):
        found = found["data"]
    if not isinstance(found, dict | list):
        return None
    return orjson.dumps({"data": [_public(one, None, options) for one in (found if isinstance(found, list) else [found])]})


def _public(one: Any, within: str | None, options: Options, depth: int = 0) -> Any:
    """What of an object may be stored. `within`: its type by the member it stands in, where it names none itself."""
    if isinstance(one, list):
        return [_public(inner, within, options, depth) for inner in one]
    if not isinstance(one, dict):
        return one if within is not None or depth else None
    kind = type_of(one) or within
    row: Row = {member: kept(one[member], PLAIN) for member in ("id", "type", "deleted") if member in one}
    if kind == "Location" and one.get("persons"):
        return row | {"deleted": True}  # somebody's home: for the hub it is not there
    for member in _members(kind, options) if kind and depth < MOST_DEPTH else ():
        if member == "geojson" and member in one:
            row[member] = one[member]
        elif member in one:
            inner = next((name for name, members in NESTED.items() if member in members), "")
            row[member] = _public(one[member], inner, options, depth + 1)
    return row


def _members(kind: str, options: Options) -> tuple[str, ...]:
    """The members of a type that are read."""
    reached = ("email", "phone") if kind == "Person" and options.persons else ()
    place = ("locationObject",) if "location" in COLUMNS[kind] else ()
    return (*COLUMNS[kind], *reached, *place, *COMMON)


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """One row for each object of the wanted type, in the order of the list; None for one that is deleted."""
    found = read_json(payload)
    if isinstance(found, dict) and isinstance(found.get("data"), list):
        objects = found["data"]
    elif isinstance(found, dict) and "type" in found:
        objects = [found]
    elif isinstance(found, list):
        objects = found
    else:
        raise DecodeError("data: it is neither a list of OParl nor one of its objects")
    kinds = {type_of(one) for one in objects if isinstance(one, dict)} - {None}
    if kinds and not kinds & {options.type, *HOLDERS.get(options.type, ())}:
        raise DecodeError(f"type: it holds {', '.join(sorted(map(str, kinds)))}, and none of these holds {options.type}: mend options.type")
    seen: set[Any] = set()
    for one in objects:
        if not isinstance(one, dict) or type_of(one) is None:
            yield Unreadable(str(one)[:1000], "type: it is not an object of OParl")
            continue
        for inner in _wanted(one, options.type):
            identity = inner.get("id")
            if type_of(one) != options.type and identity in seen:
                yield None  # the same file or place may stand in several objects
                continue
            if isinstance(identity, str):
                seen.add(identity)
            yield _row(inner, options)


def type_of(one: Mapping[str, Any]) -> str | None:
    """The name of the object's type."""
    match = _TYPE.match(one["type"]) if isinstance(one.get("type"), str) else None
    return match[1] if match is not None and match[1] in COLUMNS else None


def _wanted(one: Row, wanted: str, depth: int = 0) -> Iterator[Row]:
    """The object itself, or those of the wanted type within it."""
    kind = type_of(one)
    if kind == wanted:
        yield one
        return
    for member, value in one.items() if depth < 4 else ():
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict) and member != "geojson":
                if member in NESTED.get(wanted, ()) and type_of(inner) is None and "id" in inner:
                    inner = {"type": f"https://schema.oparl.org/1.1/{wanted}", **inner}
                back = BACK.get((wanted, kind or ""))
                if back is not None and type_of(inner) == wanted:
                    inner = {back: one.get("id"), **inner}
                yield from _wanted(inner, wanted, depth + 1)


def _row(one: Row, options: Options) -> Row | Unreadable | None:
    if one.get("deleted") is True:
        return None
    identity = one.get("id")
    if not isinstance(identity, str) or not identity.strip():
        return Unreadable(str(one)[:1000], "id: missing")
    lacking = [member for member in NEEDED.get(options.type, ()) if one.get(member) in (None, "")]
    if lacking:
        return Unreadable(str(one)[:1000], f"{lacking[0]}: missing")
    row: Row = {"id": identity.strip()}
    for member in _members(options.type, options):
        if member != "locationObject":
            row[column_name(member)] = _cell(member, one.get(member))
    return row


@cache
def column_name(member: str) -> str:
    """The member's name as a column; times end in _time."""
    name = column_key(_CAMEL.sub("_", member))
    return f"{name}_time" if member in MOMENTS else name


def _cell(member: str, value: Any) -> Any:
    if value is None or value in ("", []):
        return None
    if member in MOMENTS:
        return _TIMES.read(value)
    if member in DAYS:
        return _day(value)
    if member == "geojson":
        return value
    if isinstance(value, list):
        return [_reference(one) for one in value]
    if isinstance(value, dict):
        return _reference(value)
    return plain(value) if isinstance(value, str) and member in ("resolutionText", "description") else value


def _day(value: Any) -> Any:
    """The day; a time of day behind it is not asked for."""
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return Unreadable(str(value), f"{str(value)[:100]!r} is not a day")


def _reference(value: Any) -> Any:
    """The key of an object that is nested, or what stands there."""
    return value.get("id", value) if isinstance(value, dict) else value
