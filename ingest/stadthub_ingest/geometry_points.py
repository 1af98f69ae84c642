"""A place out of GeoJSON: the point that stands for a geometry, a feature or a bare pair of coordinates."""

from typing import Any

from stadthub_ingest.numerals import plain_number


def point_of(place: Any) -> tuple[Any, Any] | None:
    """Longitude and latitude of a point, or of the middle of another geometry's bounds; None where there is none."""
    if not isinstance(place, dict):
        return None
    geometry = place.get("geometry") if place.get("type") == "Feature" else place
    if not isinstance(geometry, dict):
        return None
    coordinates = geometry.get("coordinates")
    if geometry.get("type") == "Point" and isinstance(coordinates, list) and len(coordinates) >= 2:
        return coordinates[0], coordinates[1]
    pairs = list(_pairs(coordinates, 0))
    if not pairs:
        return None
    longitudes, latitudes = zip(*pairs, strict=True)
    return (min(longitudes) + max(longitudes)) / 2, (min(latitudes) + max(latitudes)) / 2


def _pairs(coordinates: Any, depth: int) -> Any:
    """All pairs of coordinates, at any depth that GeoJSON has."""
    if not isinstance(coordinates, list) or depth > 4:
        return
    if len(coordinates) >= 2 and not isinstance(coordinates[0], list):
        longitude, latitude = (None if isinstance(one, str | bool) else plain_number(one) for one in coordinates[:2])
        if longitude is not None and latitude is not None:
            yield longitude, latitude
        return
    for inner in coordinates:
        yield from _pairs(inner, depth + 1)
