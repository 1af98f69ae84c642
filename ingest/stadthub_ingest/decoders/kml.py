"""KML and KMZ: placemarks with their geometry, their ExtendedData and the folders in which they lie.

[options]
id = "Nummer"
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
from shapely.errors import ShapelyError

from stadthub_ingest.attributes import typed
from stadthub_ingest.decoded import Decoded, DecodeError, Row, Unreadable
from stadthub_ingest.feature_json import Featured
from stadthub_ingest.markup import Element, read_xml, text_of
from stadthub_ingest.packed import Packed

#: What a placemark says of itself beside its data, and how the property is called.
WORDS = {"name": "name", "description": "description", "address": "address", "phoneNumber": "phone_number"}
TIMES = {"when": "time", "begin": "begin", "end": "end"}
_SHAPES = ("Point", "LineString", "LinearRing", "Polygon", "MultiGeometry", "MultiTrack", "Track")


class Options(Featured):
    """How KML is read."""


def decode(payload: bytes, options: Options, _name: str) -> Iterator[Decoded]:
    """One row for each placemark; where neither options nor file name an id, its number is the id."""
    root = read_xml(_unpacked(payload) if payload.startswith(b"PK") else payload)
    if root.tag not in ("kml", "Document", "Folder", "Placemark"):
        raise DecodeError(f"it is not KML: it begins with {root.tag!r}")
    found = list(_placemarks(root, ()))
    data = [_properties(element, folders) for element, folders in found]
    _type(data)
    for number, ((element, _), properties) in enumerate(zip(found, data, strict=True), 1):
        identity = properties.get(options.id) if options.id else element.get("id") or number
        yield {"id": identity, "geometry": _geometry(element), "properties": options.kept(properties)}


def _unpacked(payload: bytes) -> bytes:
    packed = Packed(payload)
    names = packed.ending(".kml")
    if not names:
        raise DecodeError("there is no .kml in the archive")
    return packed.read(packed.find("doc.kml") or names[0])


def _placemarks(element: Element, folders: tuple[str, ...]) -> Iterator[tuple[Element, tuple[str, ...]]]:
    """Every placemark with the names of the folders around it."""
    if element.tag == "Placemark":
        yield element, folders
        return
    name = text_of(element.find("name")) if element.tag == "Folder" else None
    for child in element:
        if child.tag in ("Document", "Folder", "Placemark"):
            yield from _placemarks(child, (*folders, name) if name else folders)


def _properties(element: Element, folders: tuple[str, ...]) -> Row:
    found: Row = {called: text for name, called in WORDS.items() if (text := text_of(element.find(name))) is not None}
    if folders:
        found["folder"] = " / ".join(folders)
    for stamp in (*element.findall("TimeStamp"), *element.findall("TimeSpan")):
        found |= {TIMES[part.tag]: text_of(part) for part in stamp if part.tag in TIMES}
    for data in element.findall("ExtendedData"):
        for one in data.iter():
            name = one.get("name")
            if name is not None and one.tag in ("Data", "SimpleData"):
                found[name] = text_of(one.find("value")) if one.tag == "Data" else text_of(one)
    return found


def _type(rows: list[Row]) -> None:
    """Numbers, booleans and days instead of text, where all values of a column are such. Words stay words."""
    for name in dict.fromkeys(name for row in rows for name in row):
        if name not in (*WORDS.values(), "folder"):
            holders = [row for row in rows if name in row]
            for row, value in zip(holders, typed([row[name] for row in holders], (".", None)), strict=True):
                row[name] = value


def _geometry(element: Element) -> Any:
    shapes = [child for child in element if child.tag in _SHAPES]
    try:
        return _shape(shapes[0]) if shapes else None
    except (ValueError, IndexError, ShapelyError):
        return Unreadable(text_of(shapes[0]) or "", f"the coordinates of its {shapes[0].tag} can't be read")


def _shape(element: Element) -> Any:
    if element.tag == "Point":
        return shapely.Point(_positions(element)[0])
    if element.tag == "Polygon":
        outer, inner = (
            [_positions(ring) for side in element.findall(name) for ring in side] for name in ("outerBoundaryIs", "innerBoundaryIs")
        )
        return shapely.Polygon(outer[0], inner)
    if element.tag in ("MultiGeometry", "MultiTrack"):
        return _together([_shape(child) for child in element if child.tag in _SHAPES])
    return shapely.LineString(_positions(element))


def _together(parts: list[Any]) -> Any:
    """One geometry out of several: of one kind where they all are."""
    kinds = {part.geom_type for part in parts}
    for kind, many in (("Point", shapely.MultiPoint), ("LineString", shapely.MultiLineString), ("Polygon", shapely.MultiPolygon)):
        if kinds == {kind}:
            return many(parts)
    return shapely.GeometryCollection(parts)


def _positions(element: Element) -> Any:
    """Longitude, latitude and height; a track has a `coord` for each of its positions."""
    texts = [",".join((one.text or "").split()) for one in element.findall("coord")] or (element.findtext("coordinates") or "").split()
    rows = [[float(number) for number in text.split(",")[:3]] for text in texts]
    width = min(map(len, rows))
    return np.array([row[:width] for row in rows], dtype=np.float64)
