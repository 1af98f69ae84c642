"""Coordinate reference systems: what a name means, which axis comes first, and the way to CRS84. The one door to PROJ.

The name decides the axis order, as with GDAL: `urn:ogc:def:crs:EPSG::4326` and `http://www.opengis.net/def/crs/EPSG/0/4326` mean the
order of the authority (latitude first), `EPSG:4326` and `http://www.opengis.net/gml/srs/epsg.xml#4326` longitude or easting first.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from pydantic import AfterValidator
from pyproj.exceptions import ProjError
from pyproj.network import set_network_enabled  # type: ignore[attr-defined]  # it is documented there

Positions = npt.NDArray[np.float64]
#: How a feed file overrules the order that the name of the CRS means.
AxisOrder = Literal["declared", "longitude_first", "latitude_first"]

#: Grids are never fetched: a feed must not decide what the hub downloads, and places must not depend on who was reachable.
set_network_enabled(False)

#: Names that mean the order of the authority, and names that mean longitude or easting first.
_STRICT = re.compile(
    r"(?:\[([a-z]+):(\w+)\]|(?:urn:(?:x-)?ogc:def:crs:|https?://www\.opengis\.net/def/crs/)([a-z]+)[:/](?:[\d.]*[:/])?([\w-]+)/?)\Z",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"(?:(?:[\w:/.]*/gml/srs/)?([a-z]+)(?:\.xml#|:))?(\d{3,7}|CRS:?84h?)\Z", re.IGNORECASE)
_OGC = re.compile(r"CRS:?84h?\Z", re.IGNORECASE)
#: A compound URN: what is horizontal stands first, heights stay as they are.
_COMPOUND = re.compile(r"urn:ogc:def:crs,crs:([a-z]+:[\d.]*:\w+),", re.IGNORECASE)
#: What the German survey offices call their systems (GeoInfoDok); easting first.
_ADV = {
    **{f"ETRS89_UTM{zone}": f"EPSG:258{zone}" for zone in (31, 32, 33)},
    **{f"DE_DHDN_3GK{zone}": f"EPSG:3146{zone + 4}" for zone in (2, 3, 4, 5)},
    "ETRS89_LAT-LON": "EPSG:4258",
}
_SURVEY = re.compile(r"urn:adv:crs:([\w-]+?)(?:\*DE_\w+)?\Z", re.IGNORECASE)
_WELL_KNOWN = re.compile(r"\s*(PROJCS|GEOGCS|PROJCRS|GEOGCRS|GEODCRS|COMPD_CS|COMPOUNDCRS|BOUNDCRS)\s*\[", re.IGNORECASE)
#: Text of a CRS that could name a file of this machine.
_FOREIGN = re.compile(r"EXTENSION\s*\[|grids|PARAMETERFILE|\+proj", re.IGNORECASE)
LONGEST_TEXT = 20_000

#: These are CRS84 itself for everything that a city maps: nothing is transformed, nothing else kept.
_SAME = ("CRS84", "EPSG:4326", "EPSG:4979")
#: A place so many degrees outside the area for which a CRS is made was written in another one, or with its axes exchanged.
BESIDE = 10.0


class CrsError(ValueError):
    """There is no such CRS, or it can't be used: one sentence."""


@dataclass(frozen=True, slots=True)
class Crs:
    """The CRS of coordinates as they were written: its code, and whether north comes before east in them."""

    code: str
    north_first: bool = False

    @property
    def is_crs84(self) -> bool:
        """Whether the coordinates are CRS84 already, but perhaps for their order."""
        return self.code in _SAME


CRS84 = Crs("CRS84")


def read_crs(name: Any, axis_order: AxisOrder = "declared") -> Crs:
    """The CRS of this name, URN, URL, number or well-known text; CrsError if there is none."""
    text = str(name).strip()
    if axis_order != "declared":
        return Crs(_named(text).code, axis_order == "latitude_first")
    return _named(text)


@lru_cache(maxsize=256)
def _named(text: str) -> Crs:
    survey = _SURVEY.match(text)
    if survey and survey[1].upper() in _ADV:
        return Crs(_ADV[survey[1].upper()], survey[1].upper().endswith("LAT-LON"))
    compound = _COMPOUND.match(text)
    text = f"urn:ogc:def:crs:{compound[1]}" if compound else text
    match = _STRICT.match(text) or _PLAIN.match(text)
    if match is not None:
        *_, authority, code = [None, *(group for group in match.groups() if group is not None)]
        if _OGC.match(str(code)):
            return CRS84
        found = f"{(authority or 'EPSG').upper()}:{code}"
        first = _known(found).axis_info[:1]
        return Crs(found, match.re is _STRICT and bool(first) and first[0].direction.lower() == "north")
    if _WELL_KNOWN.match(text):
        return Crs(_code_of_text(text))
    raise CrsError(f"{text[:100]!r} is not the name of a CRS: write it such as EPSG:25832")


def _code_of_text(text: str) -> str:
    """The code of a CRS that is spelled out, as beside shapefiles; the text itself where no authority knows it."""
    if len(text) > LONGEST_TEXT or _FOREIGN.search(text):
        raise CrsError("the text of the CRS is longer than any or names files: set options.crs")
    found = _known(text)
    for authority in ("EPSG", "ESRI"):
        code = found.to_authority(authority, min_confidence=60)
        if code is not None:
            return ":".join(code)
    return text


@lru_cache(maxsize=256)
def _known(code: str) -> pyproj.CRS:
    try:
        return pyproj.CRS.from_wkt(code) if _WELL_KNOWN.match(code) else pyproj.CRS.from_authority(*code.split(":", 1))
    except ProjError:
        pass
    try:
        return pyproj.CRS.from_authority("ESRI", code.removeprefix("EPSG:"))  # ArcGIS gives its own numbers no other name
    except ProjError:
        raise CrsError(f"there is no CRS {code[:100]!r}: write it such as EPSG:25832") from None


@lru_cache(maxsize=256)
def _way(code: str) -> pyproj.Transformer:
    try:
        return pyproj.Transformer.from_crs(_known(code), pyproj.CRS.from_authority("OGC", "CRS84"), always_xy=True)
    except ProjError:
        raise CrsError(f"there is no way from {code[:100]!r} to CRS84: it is no system on the earth") from None


def east_first(shapes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The geometries with their first two coordinates exchanged."""
    return _changed(shapes, lambda positions: positions[:, [1, 0]])


def to_crs84(shapes: npt.NDArray[Any], crs: Crs) -> npt.NDArray[Any]:
    """The geometries, easting first, in CRS84. A place that the CRS can't have becomes infinite."""
    way = _way(crs.code)

    def moved(positions: Positions) -> Positions:
        longitudes, latitudes = way.transform(positions[:, 0], positions[:, 1], errcheck=False)
        return np.column_stack([longitudes, latitudes])

    return _changed(shapes, moved)


def strays(bounds: npt.NDArray[np.float64], crs: Crs) -> npt.NDArray[np.bool_]:
    """Which boxes, in CRS84, lie far outside the area for which the CRS is made."""
    area = _known(crs.code).area_of_use
    if area is None or area.west > area.east:
        return np.zeros(len(bounds), dtype=np.bool_)
    low, high = (area.west - BESIDE, area.south - BESIDE), (area.east + BESIDE, area.north + BESIDE)
    return np.asarray(((bounds[:, :2] < low) | (bounds[:, 2:] > high)).any(axis=1))


def _changed(shapes: npt.NDArray[Any], change: Any) -> npt.NDArray[Any]:
    """The geometries with other first two coordinates; heights stay as they are."""
    changed = np.asarray(shapes, dtype=object).copy()
    high = shapely.has_z(changed)
    for which, with_height in ((~high, False), (high, True)):
        if not which.any():
            continue
        positions = shapely.get_coordinates(changed[which], include_z=with_height)
        positions[:, :2] = change(positions[:, :2])
        changed[which] = shapely.set_coordinates(changed[which], positions)
    return changed


def _is_crs(name: str | None) -> str | None:
    if name is not None:
        read_crs(name)
    return name


#: The name of a CRS in a feed file.
CrsName = Annotated[str | None, AfterValidator(_is_crs)]
