"""Freifunk nodes: where the many programs of the communities write what a node says. A further spelling is a further line."""

from collections.abc import Iterator, Mapping
from typing import Any

from stadthub_ingest.accesspoints import Point
from stadthub_ingest.decoded import DecodeError
from stadthub_ingest.texts import read_json

Way = tuple[str | int, ...]

#: Where each fact of a node stands: the first of these places that has something.
FACTS: dict[str, tuple[Way, ...]] = {
    "identity": (
        ("node_id",),
        ("nodeinfo", "node_id"),
        ("statistics", "node_id"),
        ("id",),
        ("mac",),
        ("network", "mac"),
        ("nodeinfo", "network", "mac"),
    ),
    "label": (("hostname",), ("nodeinfo", "hostname"), ("name",)),
    "online": (("is_online",), ("online",), ("flags", "online"), ("status", "online")),
    "time": (("lastseen",), ("last_seen",), ("status", "lastcontact"), ("lastcontact",)),
    "longitude": (
        ("location", "longitude"),
        ("nodeinfo", "location", "longitude"),
        ("position", "long"),
        ("position", "lon"),
        ("position", "lng"),
        ("location", "lon"),
        ("geo", 1),
    ),
    "latitude": (
        ("location", "latitude"),
        ("nodeinfo", "location", "latitude"),
        ("position", "lat"),
        ("location", "lat"),
        ("geo", 0),
    ),
}
#: Where each observed value stands.
VALUES: dict[str, tuple[Way, ...]] = {
    "wifi_clients": (
        ("clients",),
        ("clients", "total"),
        ("clients", "wifi"),
        ("statistics", "clients"),
        ("statistics", "clients", "total"),
        ("statistics", "clients", "wifi"),
        ("status", "clients"),
        ("clientcount",),
    ),
    "wifi_clients_2_4ghz": (
        ("clients_wifi24",),
        ("clients", "wifi24"),
        ("statistics", "clients", "wifi24"),
        ("statistics", "clients_wifi24"),
    ),
    "wifi_clients_5ghz": (("clients_wifi5",), ("clients", "wifi5"), ("statistics", "clients", "wifi5"), ("statistics", "clients_wifi5")),
    "received_bytes": (("traffic", "rx", "bytes"), ("statistics", "traffic", "rx", "bytes")),
    "transmitted_bytes": (("traffic", "tx", "bytes"), ("statistics", "traffic", "tx", "bytes")),
}
#: Where the time of the whole list stands.
TIMES: tuple[Way, ...] = (("timestamp",), ("meta", "timestamp"), ("updated_at",), ("meta", "updated_at"), ("generated",))


def read_object(payload: bytes) -> Mapping[str, Any] | list[Any] | None:
    """The object or list in a JSON payload; None if it is none."""
    try:
        found = read_json(payload)
    except DecodeError:
        return None
    return found if isinstance(found, dict | list) else None


def listed(document: Any) -> list[Any] | None:
    """The nodes under `nodes`, as a list or by their id; None if there are none."""
    nodes = document.get("nodes") if isinstance(document, dict) else None
    return list(nodes.values()) if isinstance(nodes, dict) else nodes if isinstance(nodes, list) else None


def points(nodes: list[Any], document: Any) -> Iterator[Point | None]:
    """What the nodes of a list say. The time is the one of the list: then its counts were so, and then a node was on or off."""
    time = first(document, TIMES)
    for node in nodes:
        if not isinstance(node, dict):
            yield None
            continue
        point = Point(**{name: first(node, ways) for name, ways in FACTS.items()})
        point.values = {name: first(node, ways) for name, ways in VALUES.items()}
        if time is not None:
            point.time = time
        yield point


def first(found: Any, ways: tuple[Way, ...]) -> Any:
    """What stands at the first of these places that is not empty; objects are on the way, not at its end."""
    for way in ways:
        value = found
        for step in way:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                value = None
        if value is not None and not isinstance(value, dict):
            return value
    return None
