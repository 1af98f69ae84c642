"""schema.org events (JSON-LD): one event, a list, @graph or an ItemList, as a table or features; organisers only where they are organisations."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import orjson

from stadthub_ingest.allowlists import PLAIN, Shape, kept
from stadthub_ingest.decoded import Decoded, DecodeError, Row, Unreadable
from stadthub_ingest.events import Events, event
from stadthub_ingest.numerals import plain_number
from stadthub_ingest.prose import plain
from stadthub_ingest.texts import read_json
from stadthub_ingest.times import TimeReader, Times

#: Members under which more events stand.
WITHIN = ("@graph", "itemListElement", "item", "mainEntity", "event", "events", "subEvent", "subEvents")
ORGANISATIONS = ("Organization", "GovernmentOrganization", "NGO", "LocalBusiness", "PerformingGroup", "EducationalOrganization")
ADDRESS = ("streetAddress", "postalCode", "addressLocality")
MOST_DEPTH = 20

#: What of an event may be stored: nobody who performs, attends or answers for it, unless it is an organisation.
_VALUE: Shape = (PLAIN, {"@value": PLAIN, "@id": PLAIN, "url": PLAIN, "value": PLAIN})
_TEXT: Shape = (_VALUE, [_VALUE])
_PLACE: Shape = {
    **dict.fromkeys(("@type", "name"), _TEXT),
    "address": (dict.fromkeys(ADDRESS, _TEXT), _VALUE),
    "geo": {"longitude": PLAIN, "latitude": PLAIN},
}
_OFFER: Shape = {"price": PLAIN, "lowPrice": PLAIN}
EVENT: Shape = {
    **dict.fromkeys(("@type", "@id", "identifier", "url", "name", "description", "startDate", "endDate", "keywords"), _TEXT),
    **dict.fromkeys(("eventStatus", "eventAttendanceMode", "isAccessibleForFree"), _TEXT),
    "location": (PLAIN, [(PLAIN, _PLACE)], _PLACE),
    "offers": ([_OFFER], _OFFER),
}


class Options(Events):
    """How events in JSON-LD are read."""


def reduce(payload: bytes, options: Options, _name: str, _key: bytes) -> bytes | None:  # noqa: ARG001 - the door's signature
    """The events with the members that the hub reads; organisers only where they are organisations."""
    found = read_json(payload)
    return orjson.dumps(_public(found, 0)) if isinstance(found, dict | list) else None


def _public(value: Any, depth: int) -> Any:
    if isinstance(value, list):
        return [_public(one, depth + 1) if isinstance(one, dict | list) else None for one in value] if depth < MOST_DEPTH else []
    public: Row = {}
    if _is_event(value):
        organisers = [{"@type": "Organization", "name": name} for name in _organisations(value.get("organizer"))]
        public = {**kept(value, EVENT), **({"organizer": organisers} if organisers else {})}
    if depth < MOST_DEPTH:
        public |= {member: _public(value[member], depth + 1) for member in WITHIN if isinstance(value.get(member), dict | list)}
    return public


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """One row for each event, in the order of the payload."""
    found = list(_found(read_json(payload), 0))
    if not found:
        raise DecodeError("@type: it holds no Event of schema.org")
    days, times = TimeReader(Times(formats=("%Y-%m-%d",))), TimeReader(Times(time_zone=options.time_zone, ambiguous="first"))
    for one in found:
        yield _row(one, days, times, options) if isinstance(one, dict) else Unreadable(str(one)[:1000], "it is not an object")


def _found(value: Any, depth: int) -> Iterator[Any]:
    """The events in it, however deep the lists are."""
    if isinstance(value, list):
        for one in value:
            yield from _found(one, depth + 1) if isinstance(one, dict | list) else [one]
    elif isinstance(value, dict) and depth < MOST_DEPTH:
        if _is_event(value):
            yield value
        for member in WITHIN:
            if isinstance(value.get(member), dict | list):
                yield from _found(value[member], depth + 1)


def _is_event(value: Row) -> bool:
    return any(_word(kind).endswith(("Event", "Festival")) for kind in _all(value.get("@type")))


def _all(value: Any) -> list[Any]:
    """What stands there as a list, be it one thing, several or none."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _word(value: Any) -> str:
    """The last part of a name of schema.org: EventScheduled of https://schema.org/EventScheduled."""
    return str(value).rpartition("/")[2].rpartition(":")[2]


def _row(one: Row, days: TimeReader, times: TimeReader, options: Options) -> Row | Unreadable:
    start, end = (_moment(one.get(name), days, times) for name in ("startDate", "endDate"))
    if end is not None and _is_day(start) and _is_day(end):
        end += timedelta(days=1)  # schema.org names the last day, the hub the moment at which it is over
    place = next(
        (spot for spot in _all(one.get("location")) if isinstance(spot, dict) and _word(spot.get("@type")) != "VirtualLocation"), {}
    )
    identity = one.get("@id") or _identifier(one.get("identifier")) or one.get("url")
    if identity is None:
        return Unreadable(str(one)[:1000], "@id: missing, and there is neither identifier nor url")
    offers = [offer for offer in _all(one.get("offers")) if isinstance(offer, dict)]
    prices = [number for offer in offers if (number := plain_number(offer.get("price", offer.get("lowPrice")))) is not None]
    facts: Row = {
        "title": plain(_text(one.get("name"))),
        "description": plain(_text(one.get("description"))),
        "location": plain(_text(place.get("name"))) or plain(_text(one.get("location"))),
        "address": _address(place.get("address")),
        "organizer": ", ".join(_organisations(one.get("organizer"))) or None,
        "url": _text(one.get("url")),
        "status": _word(one["eventStatus"]) if one.get("eventStatus") else None,
        "attendance": _word(one["eventAttendanceMode"]) if one.get("eventAttendanceMode") else None,
        "free": one.get("isAccessibleForFree") if isinstance(one.get("isAccessibleForFree"), bool) else None,
        "price": min(prices) if prices else None,
        "categories": [word for word in map(_text, _all(one.get("keywords"))) if word] or None,
    }
    return event(_text(identity), start, end, facts, _position(place.get("geo")), options)


def _moment(value: Any, days: TimeReader, times: TimeReader) -> Any:
    """The day or the time."""
    value = _text(value)
    if value is None:
        return None
    if len(value) == 10:
        found: date | Unreadable = days.read_day(value)
        return Unreadable(value, f"{value!r} is not a day") if isinstance(found, Unreadable) else found
    return times.read(value)


def _is_day(moment: Any) -> bool:
    return isinstance(moment, date) and not isinstance(moment, datetime)


def _text(value: Any) -> str | None:
    """The text; of several languages the first."""
    if isinstance(value, list):
        return _text(value[0]) if value else None
    if isinstance(value, dict):
        return _text(value.get("@value", value.get("@id", value.get("url"))))
    return None if value is None else str(value).strip() or None


def _identifier(value: Any) -> str | None:
    return _text(value.get("value") or value.get("@id")) if isinstance(value, dict) else _text(value)


def _address(value: Any) -> str | None:
    if not isinstance(value, dict):
        return _text(value)
    street, code, town = (_text(value.get(name)) for name in ADDRESS)
    return ", ".join(part for part in (street, " ".join(filter(None, (code, town)))) if part) or None


def _organisations(value: Any) -> Iterator[str]:
    """The names of organisers that are no persons."""
    for one in _all(value):
        if isinstance(one, dict) and any(_word(kind) in ORGANISATIONS for kind in _all(one.get("@type"))):
            name = _text(one.get("name"))
            if name:
                yield name


def _position(geo: Any) -> tuple[float | None, float | None]:
    """Longitude and latitude, if both can be true."""
    if not isinstance(geo, dict):
        return None, None
    x, y = plain_number(geo.get("longitude")), plain_number(geo.get("latitude"))
    return (x, y) if x is not None and y is not None and abs(x) <= 180 and abs(y) <= 90 else (None, None)
