"""Musterstadt: where its districts, trees, stops, sensors, counters and car parks are. No such city exists."""

import math
from dataclasses import dataclass
from typing import Any

from stadthub_api.demo.chance import between, chance

#: The centre of the fictional city, and metres in a degree there.
CENTRE = (10.0, 51.0)
METRES_NORTH = 111_250.0
METRES_EAST = METRES_NORTH * math.cos(math.radians(CENTRE[1]))

#: Metres from the centre to the wall of the old town, and to the city's limit.
OLD_TOWN, LIMIT = 900.0, 4200.0

DISTRICTS = ("Altstadt", "Nordviertel", "Am Hang", "Oststadt", "Musterauen", "Südvorstadt", "Westend", "Hafen")
SPECIES = (
    ("Tilia cordata", "Winter-Linde"),
    ("Acer platanoides", "Spitz-Ahorn"),
    ("Quercus robur", "Stiel-Eiche"),
    ("Platanus x hispanica", "Ahornblättrige Platane"),
    ("Fraxinus excelsior", "Gemeine Esche"),
    ("Carpinus betulus", "Hainbuche"),
    ("Betula pendula", "Hänge-Birke"),
    ("Gleditsia triacanthos", "Lederhülsenbaum"),
)
STREETS = (
    "Lindenallee",
    "Ringstraße",
    "Hafenstraße",
    "Bergweg",
    "Marktgasse",
    "Bahnhofstraße",
    "Schulweg",
    "Auenstraße",
    "Mühlweg",
    "Am Wall",
)

#: The block of synthetic device numbers: locally administered, so that no maker has them. Kind and number fill the last bytes.
DEV_EUI_BLOCK = "02005eef10"

LICENCE_WORDS = "Simuliert: Musterstadt gibt es nicht. / Simulated: there is no such city."


@dataclass(frozen=True, slots=True)
class Fleet:
    """Devices of one kind: their ChirpStack application and how they are called."""

    kind: str
    count: int
    application: str
    application_name: str
    profile: str
    name: str


FLEETS = (
    Fleet("air", 100, "5d0c7a1e-0000-4000-8000-000000000001", "Musterstadt Luft (simuliert)", "Simulierte Luftmessung", "Luft"),
    Fleet("soil", 150, "5d0c7a1e-0000-4000-8000-000000000002", "Musterstadt Boden (simuliert)", "Simulierte Bodenfeuchte", "Boden"),
    Fleet("water", 50, "5d0c7a1e-0000-4000-8000-000000000003", "Musterstadt Pegel (simuliert)", "Simulierter Pegel", "Pegel"),
    Fleet("noise", 100, "5d0c7a1e-0000-4000-8000-000000000004", "Musterstadt Schall (simuliert)", "Simulierter Schallpegel", "Schall"),
)
FAULTY = Fleet("faulty", 5, "5d0c7a1e-0000-4000-8000-000000000009", "Musterstadt Störungen (simuliert)", "Simulierte Störung", "Störung")


@dataclass(frozen=True, slots=True)
class Spot:
    """Something that stands somewhere in the city."""

    id: str
    name: str
    longitude: float
    latitude: float
    district: str


@dataclass(frozen=True, slots=True)
class Device:
    """A LoRaWAN device."""

    fleet: Fleet
    number: int
    spot: Spot


def place(east: float, north: float) -> tuple[float, float]:
    """Longitude and latitude of a point so many metres from the centre."""
    return round(CENTRE[0] + east / METRES_EAST, 6), round(CENTRE[1] + north / METRES_NORTH, 6)


def river(share: float) -> tuple[float, float]:
    """A point of the river Muster, metres from the centre, on its way from west (0) to east (1)."""
    east = -LIMIT + 2 * LIMIT * share
    return east, -1100 + 450 * math.sin(share * 7) + 180 * math.sin(share * 17)


def district_of(east: float, north: float) -> str:
    """The district at a point so many metres from the centre."""
    if math.hypot(east, north) < OLD_TOWN:
        return DISTRICTS[0]
    turn = (math.atan2(east, north) / math.tau) % 1.0
    return DISTRICTS[1 + int(turn * 7) % 7]


def spot(kind: str, number: int, name: str, reach: float = LIMIT * 0.92) -> Spot:
    """A place in the city, denser towards its centre."""
    distance, turn = reach * chance(kind, number, "distance") ** 0.7, math.tau * chance(kind, number, "turn")
    east, north = distance * math.sin(turn), distance * math.cos(turn)
    if kind == "water":
        east, north = river((number + between(0.2, 0.8, kind, number)) / 50)
    district = district_of(east, north)
    return Spot(f"{kind}-{number:04d}", f"{name} {number:03d} {district}", *place(east, north), district)


def devices() -> list[Device]:
    """All LoRaWAN devices, those of the four fleets mixed."""
    found = [Device(fleet, number, spot(fleet.kind, number, fleet.name)) for fleet in FLEETS for number in range(fleet.count)]
    return sorted(found, key=lambda device: chance("order", device.fleet.kind, device.number))


def dev_eui(device: Device) -> str:
    """The device's synthetic number, out of the block that no maker has."""
    kind = (*FLEETS, FAULTY).index(device.fleet)
    return f"{DEV_EUI_BLOCK}{kind:02x}{device.number:04x}"


def counters() -> list[tuple[Spot, str]]:
    """The 60 counters: 40 for bicycles, 20 for pedestrians."""
    kinds = ["bicycles"] * 40 + ["pedestrians"] * 20
    words = {"bicycles": "Radzählstelle", "pedestrians": "Fußgängerzählstelle"}
    return [(spot("counter", number, words[kind], 2800), kind) for number, kind in enumerate(kinds)]


def car_parks() -> list[tuple[Spot, int]]:
    """The 20 car parks and their capacities."""
    return [(spot("parking", number, "Parkhaus", 1900), 40 + 20 * int(between(2, 30, "capacity", number))) for number in range(20)]


def districts() -> dict[str, Any]:
    """The eight districts as GeoJSON: the old town and seven around it, without a gap between them."""
    around = [_ring(turn / 84) for turn in range(84)]
    wall = [place(OLD_TOWN * math.sin(math.tau * turn / 84), OLD_TOWN * math.cos(math.tau * turn / 84)) for turn in range(84)]
    rings = [[*wall, wall[0]]]
    for number in range(7):
        turns = [turn % 84 for turn in range(number * 12, number * 12 + 13)]
        outside, inside = [around[turn] for turn in turns], [wall[turn] for turn in reversed(turns)]
        rings.append([*outside, *inside, outside[0]])
    features = []
    for number, (name, ring) in enumerate(zip(DISTRICTS, rings, strict=True)):
        people = int(between(4_000, 21_000, "people", name))
        properties = {"name": name, "nummer": number + 1, "einwohner": people, "simuliert": True}
        # RFC 7946: outer rings turn counterclockwise.
        features.append(_feature(f"bezirk-{number + 1}", {"type": "Polygon", "coordinates": [ring[::-1]]}, properties))
    return _collection(features)


def _ring(turn: float) -> tuple[float, float]:
    """A point of the city's limit, which is no circle."""
    distance = LIMIT * (1 + 0.08 * math.sin(math.tau * turn * 3) + 0.05 * math.sin(math.tau * turn * 5 + 1))
    return place(distance * math.sin(math.tau * turn), distance * math.cos(math.tau * turn))


def trees() -> dict[str, Any]:
    """2,000 trees as GeoJSON points."""
    return _collection([_tree(number) for number in range(2000)])


def _tree(number: int) -> dict[str, Any]:
    stands = spot("tree", number, "Baum")
    botanical, german = SPECIES[int(len(SPECIES) * chance("species", number))]
    year = 1900 + int(125 * chance("year", number) ** 0.6)
    properties = {
        "art_botanisch": botanical,
        "art_deutsch": german,
        "pflanzjahr": year,
        "stammumfang_cm": int((2026 - year) * between(1.2, 2.4, "girth", number)) + 12,
        "hoehe_m": round(min(28.0, 3 + (2026 - year) * between(0.15, 0.4, "height", number)), 1),
        "strasse": STREETS[int(len(STREETS) * chance("street", number))],
        "bezirk": stands.district,
        "simuliert": True,
    }
    return _feature(f"baum-{number:04d}", {"type": "Point", "coordinates": [stands.longitude, stands.latitude]}, properties)


def stops() -> dict[str, Any]:
    """120 stops of bus and tram as GeoJSON points."""
    features = []
    for number in range(120):
        stands = spot("stop", number, "Haltestelle")
        properties = {
            "name": f"{STREETS[number % len(STREETS)]} {number // len(STREETS) + 1}",
            "art": "Straßenbahn" if chance("tram", number) < 0.3 else "Bus",
            "linien": int(between(1, 6, "lines", number)),
            "barrierefrei": chance("access", number) < 0.7,
            "bezirk": stands.district,
            "simuliert": True,
        }
        features.append(
            _feature(f"haltestelle-{number:03d}", {"type": "Point", "coordinates": [stands.longitude, stands.latitude]}, properties)
        )
    return _collection(features)


def _feature(key: str, geometry: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "id": key, "geometry": geometry, "properties": properties}


def _collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "description": LICENCE_WORDS, "features": features}
