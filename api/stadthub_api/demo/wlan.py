"""The public WLAN: 26 access points of the city and 4 in buses and trams, as the JSON files of a controller; four weeks of history."""

import functools
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from stadthub_api.demo.chance import between, chance
from stadthub_api.demo.city import LICENCE_WORDS, Spot, spot, stops
from stadthub_api.demo.counters import QUARTER, SLOTS_A_DAY, Counters
from stadthub_api.demo.curves import DAY, bustle, hour_of_day, is_weekend, traffic

#: The sites and how many access points each has.
SITES = (
    ("Rathaus", 3),
    ("Marktplatz", 3),
    ("Stadtbibliothek", 3),
    ("Hauptbahnhof", 3),
    ("Schwimmbad", 2),
    ("Museum", 2),
    ("Volkshochschule", 2),
    ("Stadtpark", 2),
    ("Jugendzentrum", 1),
    ("Kulturhaus", 1),
    ("Hafenamt", 1),
    ("Sportplatz Auen", 1),
    ("Markthalle", 1),
    ("Waldfriedhof", 1),
)
#: The vehicles, each on its line.
VEHICLES = (("Straßenbahn 101", "1"), ("Straßenbahn 104", "4"), ("Bus 21", "21"), ("Bus 33", "33"))
STOPS_A_LINE = 8

#: Access points whose cost nobody knows.
WITHOUT_COST = ("Kulturhaus 1", "Bus 33")
#: Counters of bytes begin anew after so long.
METER = 40 * DAY
#: History is told by the hour, the last day by the quarter of an hour.
HOURLY = 4


@functools.cache
def access_points() -> tuple[tuple[Spot, str], ...]:
    """The fixed access points and their sites."""
    found = []
    for number, (site, count) in enumerate(SITES):
        place = spot("wlan", number, site, 2600)
        for one in range(count):
            shift = 0.0004 * one
            found.append((Spot(f"wlan-{number}-{one}", f"{site} {one + 1}", place.longitude + shift, place.latitude, place.district), site))
    return tuple(found)


@functools.cache
def line_stops(line: str) -> tuple[tuple[str, float, float], ...]:
    """The stops of a line in their order: name, longitude, latitude."""
    everywhere = [(one["properties"]["name"], *one["geometry"]["coordinates"]) for one in stops()["features"]]
    chosen = sorted(everywhere, key=lambda one: chance("line", line, one[0]))[:STOPS_A_LINE]
    return tuple(sorted(chosen, key=lambda one: one[1]))


def register() -> str:
    """The access points with site and monthly cost, as CSV."""
    lines = ["access_point;site;monthly_cost"]
    named = [(place.name, site) for place, site in access_points()] + [(name, "Busse und Bahnen") for name, _ in VEHICLES]
    for name, site in named:
        cost = "" if name in WITHOUT_COST else f"{between(14, 62, 'cost', name):.2f}"
        lines.append(f"{name};{site};{cost}")
    return "\n".join(lines) + "\n"


def clients(time: float, name: str, site: str) -> int:
    """How many devices are connected."""
    busy = bustle(time, "pedestrians") if site in ("Marktplatz", "Hauptbahnhof", "Stadtpark", "Markthalle") else _open(time)
    return int(between(2, 46, "popular", site) * between(0.6, 1.3, name) * busy * between(0.75, 1.25, name, int(time)))


def _open(time: float) -> float:
    """How much is going on in the city's houses, 0 to 1."""
    hour = hour_of_day(time)
    return 0.1 if is_weekend(time) or not 8 <= hour < 19 else 0.5 + 0.5 * (1 - abs(hour - 13.5) / 5.5)


def is_off(time: float, name: str) -> bool:
    """Whether it is switched off."""
    return _within(time, name, "off", 0.03)


def is_silent(time: float, name: str) -> bool:
    """Whether nothing is heard of it."""
    return _within(time, name, "silent", 0.015)


def _within(time: float, name: str, what: str, often: float) -> bool:
    day, hour = int(time // DAY), time % DAY / 3600
    if chance(what, name, day) >= often:
        return False
    begin = between(0, 16, what, name, day, "begin")
    return begin <= hour < begin + between(3, 8, what, name, day, "length")


def point(time: float, name: str, number: int) -> dict[str, Any]:
    """What the controller says of an access point with so many devices."""
    rate = between(2_000, 40_000, "rate", name)
    passed = int(time % METER)
    return {
        "id": name,
        "name": name,
        "time": datetime.fromtimestamp(time, UTC).isoformat(),
        "online": not is_off(time, name),
        "clients": number,
        "rx": int(rate * passed * 0.2),
        "tx": int(rate * passed),
    }


def fixed(time: float) -> Iterator[dict[str, Any]]:
    """All fixed access points at a time."""
    for place, site in access_points():
        if not is_silent(time, place.name):
            yield {**point(time, place.name, clients(time, place.name, site)), "lon": place.longitude, "lat": place.latitude}


def driving(time: float) -> Iterator[dict[str, Any]]:
    """All vehicles at a time, with line and next stop; at night they stand in the depot."""
    for number, (name, line) in enumerate(VEHICLES):
        if hour_of_day(time) < 4.5:
            yield point(time, name, 0)
            continue
        turn = int(time // QUARTER + 3 * number) % (2 * STOPS_A_LINE - 2)
        place = min(turn, 2 * STOPS_A_LINE - 2 - turn)
        full = int(6 + 50 * traffic(time) * between(0.6, 1.2, "full", line, place) * between(0.8, 1.2, name, int(time)))
        yield {**point(time, name, full), "line": line, "next_stop": line_stops(line)[place][0]}


class Controller(Counters):
    """Writes what the controller of the fixed access points says."""

    name = "wlan"
    history_days = 28
    ending = "json"

    def text(self, slots: Iterable[int]) -> Iterator[str]:
        """The access points in these quarters of an hour, of older ones only those at the hour."""
        recent = self.now() - SLOTS_A_DAY
        points = [one for slot in slots if slot >= recent or slot % HOURLY == 0 for one in self.points(slot * QUARTER)]
        yield json.dumps({"hinweis": LICENCE_WORDS, "aps": points}, ensure_ascii=False)

    def points(self, time: float) -> Iterator[dict[str, Any]]:
        """The access points at a time."""
        return fixed(time)


class Vehicles(Controller):
    """Writes what the access points in vehicles say."""

    name = "wlan-fahrzeuge"

    def points(self, time: float) -> Iterator[dict[str, Any]]:
        """The vehicles at a time."""
        return driving(time)
