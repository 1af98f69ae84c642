"""WFS 1.0, 1.1 and 2.0: features in GML 2, 3.1 and 3.2 under whatever namespaces, and the GeoJSON of servers that offer it.

[source]
url = "https://example.org/wfs?service=WFS&version=2.0.0&request=GetFeature&typeNames=app:baeume&srsName=EPSG:25832"
paging = { by = "offset", path = "numberReturned", parameter = "startIndex", page_size = 1000, size_parameter = "count" }
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from pydantic import Field

from stadthub_ingest.attributes import typed
from stadthub_ingest.crs import CRS84, CrsError, read_crs
from stadthub_ingest.decoded import Decoded, DecodeError, Unreadable
from stadthub_ingest.feature_json import Featured, features_in
from stadthub_ingest.gml import Frame, GmlError, is_geometry, read_gml
from stadthub_ingest.markup import Element, read_xml, text_of
from stadthub_ingest.texts import read_json

MEMBERS = ("member", "featureMember", "featureMembers")
#: What stands in a feature and is no property of the thing.
NO_PROPERTY = ("boundedBy",)
_NUMBERS = (".", None)
#: A day in XML may say its time zone; it is the same day.
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(Z|[+-]\d\d:\d\d)\Z")


class Options(Featured):
    """How answers of a WFS are read."""

    type_name: str | None = Field(default=None, description="only features of this type, where an answer holds several")
    geometry: str | None = Field(default=None, description="the geometry property, where features have several; absent: the first")


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """One row for each feature. Whole columns decide which type their values have."""
    if payload.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        yield from features_in(read_json(payload), options)
        return
    root = read_xml(payload)
    if "Exception" in root.tag:
        raise DecodeError(f"the server refused: {(text_of(root) or 'it gives no reason')[:300]}")
    around = _extent(root, Frame())
    rows = [_feature(element, options, around) for element in _features(root) if options.type_name in (None, element.tag)]
    _type([row["properties"] for row in rows if isinstance(row, dict)])
    yield from rows
    if root.find("truncatedResponse") is not None:
        raise DecodeError("the server broke the answer off (truncatedResponse): ask for smaller pages")


def _features(root: Element) -> Iterator[Element]:
    """The features of a collection, also of collections in it; a root that is no collection is one feature."""
    if not root.tag.endswith("Collection") and root.tag != "ValueCollection" and not any(child.tag in MEMBERS for child in root):
        if not len(root):
            raise DecodeError(f"it is no answer of a WFS: it begins with {root.tag!r}")
        yield root
        return
    for holder in root:
        if holder.tag in MEMBERS:
            for child in holder:
                if child.tag.endswith("FeatureCollection"):
                    yield from _features(child)
                else:
                    yield child


def _extent(element: Element, frame: Frame) -> Frame:
    """The frame that `boundedBy` gives those geometries that name no CRS."""
    bounds = element.find("boundedBy")
    return frame if bounds is None or not len(bounds) else frame.around(bounds[0])


def _feature(element: Element, options: Options, around: Frame) -> dict[str, Any] | Unreadable:
    if element.tag == "Tuple":
        return Unreadable(text_of(element) or "", "it is a tuple of features (a join): ask for one type")
    frame = _extent(element, around)
    properties: dict[str, Any] = {}
    place: Element | None = None
    for child in element:
        shape = next((one for one in child if is_geometry(one)), None)
        if child.tag in NO_PROPERTY:
            continue
        if shape is None and child.tag != options.geometry:
            _add(properties, child.tag, _value(child))
        elif place is None and options.geometry in (None, child.tag):
            place = shape
    if place is None:
        place = _inner(element, options)
    identity = properties.get(options.id) if options.id else element.get("id") or element.get("fid")
    row: dict[str, Any] = {"id": identity, "geometry": None, "properties": options.kept(properties)}
    return row if place is None else {**row, **_place(place, options, frame)}


def _inner(element: Element, options: Options) -> Element | None:
    """The first geometry deeper in the feature, as in INSPIRE's addresses; of the property that is named, if one is."""
    for child in element:
        if child.tag not in NO_PROPERTY and options.geometry in (None, child.tag):
            found = next((one for one in child.iter() if one is not child and len(one) and is_geometry(one)), None)
            if found is not None:
                return found
    return None


def _place(element: Element, options: Options, frame: Frame) -> dict[str, Any]:
    """The geometry and its CRS, or why there is none."""
    try:
        shape, srs = read_gml(element, frame)
        declared = CRS84 if srs is None or options.crs is not None else read_crs(srs)
    except (GmlError, CrsError) as error:
        return {"geometry": Unreadable("", str(error))}
    return {"geometry": shape, "crs": options.system(declared)}


def _value(element: Element) -> Any:
    """The text of a property, an object where it has parts, None where it is nil; a bare reference is what it refers to."""
    if len(element):
        inner: dict[str, Any] = {}
        for child in element:
            if not len(child) or not all(is_geometry(one) for one in child):
                _add(inner, child.tag, _value(child))
        return inner or None
    text = (element.text or "").strip()
    return text or element.get("href") or None


def _add(properties: dict[str, Any], name: str, value: Any) -> None:
    """The property; one that comes again makes a list."""
    if name not in properties:
        properties[name] = value
    elif isinstance(properties[name], list):
        properties[name].append(value)
    else:
        properties[name] = [properties[name], value]


def _type(rows: list[dict[str, Any]]) -> None:
    """Numbers, booleans and days instead of text, where all values of a column are such."""
    for name in dict.fromkeys(name for row in rows for name in row):
        holders = [row for row in rows if name in row]
        cells = [row[name] for row in holders]
        if all(cell is None or isinstance(cell, str) for cell in cells):
            for row, value in zip(holders, typed([_day(cell) for cell in cells], _NUMBERS), strict=True):
                row[name] = value


def _day(cell: str | None) -> str | None:
    match = None if cell is None else _DAY.match(cell)
    return cell if match is None or not _is_day(match[1]) else match[1]


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
