"""DATEX II parking (v2 with the facility and the parking extension, v3): car parks as features, their occupancy as observations.

kind = "features": ParkingTablePublication (static). kind = "timeseries": ParkingStatusPublication (dynamic).
"""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, field_validator

from stadthub_ingest.crs import CRS84, Crs
from stadthub_ingest.decoded import Decoded, DecodeError, Row, Unreadable
from stadthub_ingest.markup import Element, first, read_xml, text_of, texts
from stadthub_ingest.numerals import plain_number
from stadthub_schemas.dataset import Kind
from stadthub_schemas.model import Strict

#: What holds one car park, and one report on it.
RECORDS = ("parkingFacility", "parkingRecord", "parkingSite", "parkingArea")
REPORTS = ("parkingFacilityStatus", "parkingRecordStatus", "parkingSiteStatus", "parkingAreaStatus")

#: What is observed, under all its names.
VALUES = {
    "parking_free": ("totalNumberOfVacantParkingSpaces", "parkingNumberOfVacantSpaces", "parkingAreaTotalNumberOfVacantParkingSpaces"),
    "parking_occupied": ("totalNumberOfOccupiedParkingSpaces", "parkingNumberOfOccupiedSpaces"),
    "parking_occupancy": ("parkingFacilityOccupancy", "parkingAreaOccupancy", "parkingOccupancy"),
    "parking_capacity": ("totalParkingCapacityOverride", "parkingNumberOfSpacesOverride"),
}
TIMES = ("parkingFacilityStatusTime", "parkingAreaStatusTime", "parkingStatusOriginTime")
NAMES = ("parkingFacilityName", "parkingName", "parkingAreaName", "parkingAlias")
PLACES = ("parkingLocation", "facilityLocation", "locationForDisplay", "entranceLocation", "location")
CAPACITY = ("totalParkingCapacity", "parkingNumberOfSpaces")
OPENING = ("parkingSiteOpeningStatus", "openingStatus")
STATES = ("parkingFacilityStatus", "parkingSiteStatus", "parkingStatus")

#: What latitude and longitude really hold.
SYSTEMS = {"degrees": CRS84, "utm32": Crs("EPSG:25832"), "utm33": Crs("EPSG:25833")}

#: Words that say whether a car park is open, before those that only say how full it is.
OPEN_WORDS = ("closed", "closedAbnormal", "closedPermanently", "openingTimesInForce", "open")
UNKNOWN = ("statusUnknown", "unknown", "unknownOpeningStatus")


class Options(Strict):
    """How DATEX II parking is read."""

    kind: Kind = Field(default=Kind.TIMESERIES, description="set from the feed's own kind")
    coordinates: Literal["degrees", "utm32", "utm33"] = Field(default="degrees", description="what latitude and longitude really hold")
    occupancy: Literal["percent", "fraction"] = Field(default="percent", description="how full: of 100 or of 1")

    @field_validator("kind")
    @classmethod
    def _no_table(cls, value: Kind) -> Kind:
        if value is Kind.TABLE:
            raise ValueError('datex2_parking makes no table: write kind = "features" for car parks, "timeseries" for their occupancy')
        return value


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """One feature for each car park, or the observations of each report."""
    root = read_xml(payload)
    if options.kind is Kind.FEATURES:
        found = [element for element in root.iter() if element.tag in RECORDS and element.get("id") is not None]
        missing = "car parks (ParkingTablePublication)"
    else:
        found = [element for element in root.iter() if element.tag in REPORTS and _is_report(element)]
        missing = "reports (ParkingStatusPublication)"
    if not found and not any("Publication" in f"{element.tag}{element.get('type', '')}" for element in root.iter()):
        raise DecodeError(f"it is not a DATEX II publication: it begins with {root.tag!r}")
    if not found:
        raise DecodeError(f"the publication holds no {missing}: is kind = {str(options.kind)!r} right?")
    published = text_of(first(root, "publicationTime"))
    for element in found:
        if options.kind is Kind.FEATURES:
            yield _feature(element, options)
        else:
            yield from _observations(element, options, published)


def _is_report(element: Element) -> bool:
    return any(child.tag.endswith("Reference") for child in element)


def _feature(element: Element, options: Options) -> Row:
    properties: Row = {
        "name": _name(element),
        "capacity": _whole(text_of(first(element, *CAPACITY))),
        "layout": text_of(first(element, "parkingFacilityLayout", "parkingLayout")),
        "street": text_of(first(element, "street", "roadName", "addressLine")),
        "postcode": text_of(first(element, "postcode", "postalCode")),
        "city": text_of(first(element, "city")),
        "url": text_of(first(element, "urlLinkAddress", "contactDetailsWebsite")),
        "maximum_height": plain_number(text_of(first(element, "vehicleHeight"))),
        "maximum_parking_duration": text_of(first(element, "maximumParkingDuration")),
    }
    for name, kind in (("disabled", "capacity_disabled"), ("women", "capacity_women"), ("families", "capacity_families")):
        properties[kind] = _assigned(element, name)
    geometry = _geometry(element)
    return {
        "id": element.get("id"),
        "geometry": geometry,
        "crs": CRS84 if _is_in_degrees(geometry) else SYSTEMS[options.coordinates],
        "properties": {key: value for key, value in properties.items() if value is not None},
    }


def _name(element: Element) -> str | None:
    """The name in the first language that it has."""
    found = first(element, *NAMES)
    return None if found is None else next(texts(found, "value"), None) or text_of(found)


def _whole(text: str | None) -> Any:
    if text is None:
        return None
    number = plain_number(text)
    if number is None or not number.is_integer() or number < 0:
        return Unreadable(text, f"{text[:100]!r} is not a number of parking spaces")
    return int(number)


def _assigned(element: Element, person: str) -> Any:
    """How many spaces are kept for such persons."""
    for part in element.iter("assignedParkingSpaces"):
        found = first(part, "numberOfAssignedParkingSpaces")
        if found is not None and person in texts(part, "personTypeForWhichSpacesAssigned"):
            return _whole(text_of(found))
    return None


def _geometry(element: Element) -> Any:
    """The first place that the car park has."""
    around = first(element, *PLACES)
    latitude, longitude = ((text_of(first(element if around is None else around, name))) for name in ("latitude", "longitude"))
    if latitude is None and longitude is None:
        return None
    y, x = plain_number(latitude), plain_number(longitude)
    if x is None or y is None:
        return Unreadable(f"{longitude} {latitude}", f"longitude {longitude!r}, latitude {latitude!r} are not numbers")
    return {"type": "Point", "coordinates": [x, y]}


def _is_in_degrees(geometry: Any) -> bool:
    """Whether these can only be degrees: some feeds of metres hold single car parks as the standard wants them."""
    if not isinstance(geometry, dict):
        return False
    x, y = geometry["coordinates"]
    return bool(abs(x) <= 180 and abs(y) <= 90)


def _observations(element: Element, options: Options, published: str | None) -> Iterator[Decoded]:
    reference = next(child for child in element if child.tag.endswith("Reference"))
    states = [*_own(element, OPENING), *_own(element, STATES)]
    common: Row = {
        "thing": reference.get("id"),
        "phenomenon_time": text_of(first(element, *TIMES)) or published,
    }
    for name, tags in VALUES.items():
        text = next(_own(element, tags), None)
        if text is None:
            continue
        percent = name == "parking_occupancy"
        number = plain_number(text)
        yield {
            **common,
            "observed_property": name,
            "unit": "%" if percent else "{count}",
            "result": round(number * 100, 6) if percent and options.occupancy == "fraction" and number is not None else text,
        }
    state = next((word for word in OPEN_WORDS if word in states), next((word for word in states if word not in UNKNOWN), None))
    if state is None:
        yield None
        return
    yield {**common, "observed_property": "parking_state", "result": state, "parameters": {"states": states}}


def _own(element: Element, tags: tuple[str, ...]) -> Iterator[str]:
    """The texts of values of the car park as a whole: not of its groups of spaces, and not where the name is one of a group of values."""
    for child in element:
        if child.tag in tags and len(child) == 0 and child.text and child.text.strip():
            yield child.text.strip()
        elif not child.tag.startswith(("assigned", "group")):
            yield from _own(child, tags)
