"""Which column plays which part, and where things are: geometry, degrees, or metres that become no place."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from stadthub_ingest.detection.names import role_of
from stadthub_ingest.detection.places import Placed, system_of
from stadthub_ingest.detection.proposal import Guess, Said
from stadthub_ingest.detection.traits import Traits


@dataclass
class Parts:
    """Which column plays which part; what is not in it is free."""

    columns: Sequence[Traits]
    personal: Sequence[str | None]
    roles: dict[str, str] = field(default_factory=dict)

    def free(self) -> list[Traits]:
        """The columns that play no part yet and tell of nobody."""
        told = {column.place for column, kind in zip(self.columns, self.personal, strict=True) if kind is not None}
        return [column for column in self.columns if column.place not in self.roles and column.place not in told]

    def take(self, column: Traits | None, role: str) -> None:
        """The column plays this part."""
        if column is not None:
            self.roles[column.place] = role

    def playing(self, role: str) -> Traits | None:
        """The column that plays this part."""
        return next((column for column in self.columns if self.roles.get(column.place) == role), None)


def placed(parts: Parts, notation: tuple[str, str | None], guesses: list[Guess]) -> Placed | None:
    """Find geometry, degrees or metres; answers the system of the latter two."""
    shape = next((column for column in parts.free() if column.is_geometry), None)
    if shape is not None:
        parts.take(shape, "geometry")
        guesses.append(Guess("geometry", shape.header, 0.95, Said("enthält WKT oder GeoJSON", "holds WKT or GeoJSON")))
        return None
    for east, north in (("longitude", "latitude"), ("easting", "northing")):
        pair = [_numeric(parts, role) for role in (east, north)]
        if pair[0] is None or pair[1] is None:
            continue
        found = system_of(pair[0].numbers(notation), pair[1].numbers(notation))
        if found is None:
            continue
        guesses.append(Guess("crs", found.system.code, found.system.confidence, found.reason))
        first, second = (pair[1], pair[0]) if found.swapped else (pair[0], pair[1])
        parts.take(first, "longitude")
        parts.take(second, "latitude")
        return found
    return None


def _numeric(parts: Parts, role: str) -> Traits | None:
    return next((column for column in parts.free() if column.is_number and role_of(column.header) == role), None)


def unplaced(parts: Parts, found: Placed) -> Said:
    """Leave metres out of observations, whose places are degrees; the sentence that says so."""
    for place, role in list(parts.roles.items()):
        if role in ("longitude", "latitude"):
            parts.roles[place] = "drop"
    return Said(
        f"Die Koordinaten stehen in {found.system.code} ({found.system.title}): bitten Sie die Quelle um EPSG:4326, sonst fehlt die Karte.",
        f"The coordinates are in {found.system.code} ({found.system.title}): ask the source for EPSG:4326, else there is no map.",
    )
