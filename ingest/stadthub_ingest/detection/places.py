"""In which reference system coordinates are, by the ranges of their values over Germany."""

from collections.abc import Sequence
from dataclasses import dataclass

from stadthub_ingest.detection.dates import enough
from stadthub_ingest.detection.proposal import Said


@dataclass(frozen=True, slots=True)
class System:
    """A reference system and the box of its values: easting and northing, or longitude and latitude."""

    code: str
    title: str
    east: tuple[float, float]
    north: tuple[float, float]
    confidence: float = 0.9


DEGREES = "EPSG:4326"

#: The first whose box holds nearly all pairs. UTM 32 and 33 overlap: 32 is what most of Germany uses.
SYSTEMS = (
    System(DEGREES, "WGS 84", (5.0, 16.0), (46.5, 55.6), 0.98),
    System("EPSG:31466", "Gauss-Krüger 2", (2_400_000, 2_700_000), (5_200_000, 6_150_000)),
    System("EPSG:31467", "Gauss-Krüger 3", (3_300_000, 3_800_000), (5_200_000, 6_150_000)),
    System("EPSG:31468", "Gauss-Krüger 4", (4_300_000, 4_800_000), (5_200_000, 6_150_000)),
    System("EPSG:31469", "Gauss-Krüger 5", (5_300_000, 5_700_000), (5_200_000, 6_150_000)),
    System("EPSG:4647", "UTM 32 (zE-N)", (32_200_000, 32_950_000), (5_200_000, 6_150_000)),
    System("EPSG:5650", "UTM 33 (zE-N)", (33_200_000, 33_950_000), (5_200_000, 6_150_000)),
    System("EPSG:25832", "ETRS89 / UTM 32", (220_000, 950_000), (5_200_000, 6_150_000), 0.8),
    System("EPSG:3857", "Web-Mercator", (550_000, 1_800_000), (5_800_000, 7_500_000), 0.8),
    System(DEGREES, "WGS 84", (-180.0, 180.0), (-90.0, 90.0), 0.6),
)


@dataclass(frozen=True, slots=True)
class Placed:
    """The system that fits, whether the two are swapped, and why."""

    system: System
    swapped: bool
    reason: Said


def system_of(east: Sequence[float], north: Sequence[float]) -> Placed | None:
    """The system whose box holds these pairs; None if none does."""
    pairs = list(zip(east, north, strict=False))[:1000]
    if not pairs:
        return None
    for system in SYSTEMS:
        for swapped in (False, True):
            inside = sum(_inside(pair[::-1] if swapped else pair, system) for pair in pairs)
            if enough(inside, len(pairs)):
                first, second = pairs[0]
                reason = Said(
                    f"Werte wie {first:g} / {second:g} liegen im Bereich von {system.code} ({system.title})",
                    f"values such as {first:g} / {second:g} lie in the range of {system.code} ({system.title})",
                )
                return Placed(system, swapped, reason)
    return None


def _inside(pair: Sequence[float], system: System) -> bool:
    return system.east[0] <= pair[0] <= system.east[1] and system.north[0] <= pair[1] <= system.north[1]
