"""The independent count of WLAN, LoRaWAN, sensors, councils, money and statistics: the standard library reads the files, nothing of the hub is used."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

from deploy.real.counted import Count, Files

CLIENTS = ("clients", "clients_wifi24", "clients_wifi5")
#: When the resolved forms of SenML's examples were made: the time of records that have none.
NOW = 1_498_780_179


def access_points(files: Files) -> Count:
    """Whether each node is on, and how many clients it has; the clients of one that is off are dropped."""
    nodes = json.loads(files[0])["nodes"]
    nodes = list(nodes.values()) if isinstance(nodes, dict) else nodes
    on = [node[name] for node in nodes if node["is_online"] for name in CLIENTS if node.get(name) is not None]
    off = [node[name] for node in nodes if not node["is_online"] for name in CLIENTS if node.get(name) is not None]
    return Count(len(nodes) + len(on), len(off), sum(on) + sum(node["is_online"] for node in nodes))


def access_point(files: Files) -> Count:
    """One access point that is on: clients and bytes, and of each radio how many clients it has and how busy its channel is."""
    device = json.loads(files[0])
    values = [1, *(device[name] for name in ("num_sta", "rx_bytes", "tx_bytes"))]
    values += [radio[name] for radio in device["radio_table_stats"] for name in ("num_sta", "cu_total")]
    return Count(len(values), total=sum(values))


def motion_sensor(files: Files) -> Count:
    """A value for each key of the decoded payload."""
    values = json.loads(files[0])["uplink_message"]["decoded_payload"].values()
    return Count(len(values), total=sum(value for value in values if not isinstance(value, str)))


def station_push(files: Files) -> Count:
    """A value for each one that is a measurement; what the station says of itself is dropped. Pressure comes in Pa and is kept in hPa."""
    values = {one["value_type"]: float(one["value"]) for one in json.loads(files[0])["sensordatavalues"]}
    own = [name for name in values if name in ("samples", "min_micro", "max_micro")]
    total = sum(value / 100 if name.endswith("pressure") else value for name, value in values.items() if name not in own)
    return Count(len(values) - len(own), len(own), total)


def air_stations(files: Files) -> Count:
    """The mean of each metric of each station."""
    means = [metric["avg"] for station in json.loads(files[0]) for metric in station["data"].values()]
    return Count(len(means), total=sum(means))


def empty_datastreams(files: Files) -> Count:
    """The datastreams that hold no observations."""
    return Count(0, sum("Observations" not in one for one in json.loads(files[0])["Datastreams"]))


def senml(files: Files) -> Count:
    """The records of the examples. A pair of coordinates is a place and no value; the same name at the same time counts once."""
    values: list[tuple[Any, ...]] = []
    places = 0
    for body in files:
        for name, unit, time, value in _resolved(json.loads(body)):
            if unit in ("lon", "lat"):
                places += 1
            else:
                values.append((name, unit, time, value))
    first = {value[:3]: value[3] for value in reversed(values)}
    return Count(len(first), places, sum(first.values()), duplicate=len(values) - len(first))


def _resolved(pack: list[dict[str, Any]]) -> list[tuple[str, str, float, float]]:
    """Each record with the base name, base time and base unit before it, as RFC 8428 has it."""
    name, unit, time = "", "", 0.0
    found = []
    for record in pack:
        name, unit, time = record.get("bn", name), record.get("bu", unit), record.get("bt", time)
        moment = time + record.get("t", 0)
        moment = moment if moment >= 2**28 else NOW + moment
        found.append((name + record.get("n", ""), record.get("u", unit), round(moment, 3), float(record["v"])))
    return found


def objects(files: Files) -> Count:
    """One row for each object."""
    found = json.loads(files[0])
    return Count(len(found) if isinstance(found, list) else 1)


def amounts(files: Files) -> Count:
    """A row for each title, with its amount."""
    titles = json.loads(files[0])
    return Count(len(titles), total=sum(one["betrag"] for one in titles), column="betrag")


def waste_water(files: Files) -> Count:
    """A row for each line, with the number of sites."""
    rows = list(csv.DictReader(io.StringIO(files[0].decode()), delimiter="\t"))
    return Count(len(rows), total=sum(int(row["n"]) for row in rows), column="n")


def events(files: Files) -> Count:
    """A feature for each event of the page."""
    return Count(len(json.loads(files[0].decode("utf-8-sig"))["data"]))


OPARL = "council/oparl-spec/examples"

#: Where the files of each feed are under data/, and how they are counted.
CITY: dict[str, tuple[str, Callable[[Files], Count]]] = {
    **{f"{city}-freifunk": (f"wlan/freifunk-{city}-meshviewer.json", access_points) for city in ("aachen", "bielefeld", "ulm")},
    "unifi-access-point": ("wlan/unifi-uap.json", access_point),
    "ttn-motion-sensor": ("lorawan/ttn-v3-uplink-example.json", motion_sensor),
    "sensor-community-station": ("airquality/sensor-community-push.json", station_push),
    "jena-air-stations": ("airquality/jena-icesensor.json", air_stations),
    "hamburg-bicycle-counter": ("sensorthings/hamburg-thing-7648.json", empty_datastreams),
    "senml-examples": ("senml/ex*[0-9].json", senml),
    **{
        f"oparl-{kind.lower()}": (f"{OPARL}/{kind}-01.json", objects)
        for kind in ("System", "Body", "Organization", "Person", "Meeting", "Paper", "File", "Location")
    },
    "berlin-budget": ("budget/berlin-2026-einnahmetitel-08.json", amounts),
    "rki-amelag": ("statistics/rki-amelag/amelag_aggregierte_kurve.tsv", waste_water),
    "muensterland-events": ("events/datenportal-muensterland-events-beispiel.json", events),
}
