"""UniFi controllers: `stat/device`, the access points with their radios. Switches and gateways are dropped, stations never read."""

import operator
from collections.abc import Iterator, Mapping
from typing import Any

from stadthub_ingest.accesspoints import Kept, Point, kept, rows
from stadthub_ingest.decoded import Decoded
from stadthub_ingest.freifunk import first, read_object

#: What UniFi calls the band of a radio.
BANDS = {"ng": "2_4ghz", "na": "5ghz", "6e": "6ghz", "ac": "5ghz"}
IDS = (("mac",), ("serial",), ("_id",), ("device_id",))
#: `state`: connected; every other number means that the controller does not hear it as it should.
CONNECTED = 1


class Options(Kept):
    """What is kept of an answer of `stat/device`."""


def reduce(payload: bytes, options: Options, name: str, key: bytes) -> bytes | None:  # noqa: ARG001 - a name is not kept either
    """The numbers of each access point; names, addresses, networks and whoever is connected are left out."""
    document = read_object(payload)
    devices = document.get("data", [document]) if isinstance(document, dict) else document
    if not isinstance(devices, list) or not any(isinstance(one, dict) and first(one, IDS) for one in devices):
        return None if devices != [] else kept([], options, key)
    return kept((_point(one) for one in devices if not _is_other(one)), options, key)


def decode(payload: bytes, options: Options, name: str) -> Iterator[Decoded]:  # noqa: ARG001 - a name is not kept either
    """The observations of what was kept."""
    yield from rows(payload, options)


def _is_other(device: Any) -> bool:
    """Whether it is a device that is no access point."""
    return isinstance(device, dict) and device.get("type", "uap") != "uap" and not device.get("radio_table_stats")


def _point(device: Any) -> Point | None:
    if not isinstance(device, dict):
        return None
    values: dict[str, Any] = {
        "wifi_clients": device.get("num_sta"),
        "received_bytes": device.get("rx_bytes"),
        "transmitted_bytes": device.get("tx_bytes"),
    }
    for radio in device.get("radio_table_stats") or ():
        if isinstance(radio, dict):
            _add(values, radio)
    state = device.get("state")
    online = state if isinstance(state, bool) else None if state is None else state == CONNECTED
    return Point(
        identity=first(device, IDS),
        label=device.get("name"),
        time=device.get("last_seen") if online else None,
        online=online,
        values=values,
    )


def _add(values: dict[str, Any], radio: Mapping[str, Any]) -> None:
    """A radio's clients are added to those of its band; the busiest radio says how busy the band is."""
    band = BANDS.get(radio.get("radio", "")) if isinstance(radio.get("radio"), str) else None
    if band is None:
        return
    for name, value, together in (
        (f"wifi_clients_{band}", radio.get("num_sta"), operator.add),
        (f"channel_utilisation_{band}", radio.get("cu_total"), max),
    ):
        known = values.get(name)
        both = isinstance(known, int) and isinstance(value, int)
        values[name] = together(known, value) if both else value if known is None else known
