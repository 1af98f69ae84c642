"""Meraki Scanning API (version 3, and 2): clients that are counted in memory per window, never stored. See docs/privacy.md."""

import hmac
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import Field

from stadthub_ingest.accesspoints import Kept, pseudonym, rows
from stadthub_ingest.decoded import Decoded, Sighting, Unreadable
from stadthub_ingest.freifunk import first, read_object
from stadthub_schemas.feed import Secret, reveal

_TIMES = (("latestRecord", "time"), ("seenTime",), ("seenEpoch",))


class Options(Kept):
    """How the dashboard is answered, and whom it may count."""

    validator: Secret | None = Field(default=None, description="what the dashboard wants to read from us, ${VARIABLE} or file:/path")
    secret: Secret | None = Field(default=None, description="what it sends in every body, ${VARIABLE} or file:/path")
    connected_only: bool = Field(
        default=True, description="count who is in the city's WLAN; passers-by whose device only asks are left out"
    )


def admits(payload: bytes, options: Options) -> bool:
    """Whether the body holds the secret that the feed expects; without one nobody is admitted."""
    document = read_object(payload)
    given = document.get("secret") if isinstance(document, dict) else None
    if options.secret is None or not isinstance(given, str):
        return False
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), reveal(options.secret).encode())


def sight(payload: bytes, options: Options, name: str, key: bytes) -> list[Sighting] | None:  # noqa: ARG001 - a name is not kept either
    """Who was seen at which access point and when; bodies about Bluetooth devices tell of nobody."""
    document = read_object(payload)
    data = document.get("data") if isinstance(document, dict) else None
    observations = data.get("observations") if isinstance(data, dict) else None
    if not isinstance(document, dict) or not isinstance(observations, list):
        return None
    if document.get("type") not in ("WiFi", "DevicesSeen"):
        return []
    seen = [_seen(one, data, options, key) for one in observations if isinstance(one, dict)]
    return [sighting for found in seen for sighting in found]


def decode(payload: bytes, options: Options, name: str) -> Iterator[Decoded]:  # noqa: ARG001 - a name is not kept either
    """The counts of the windows that have ended."""
    yield from rows(payload, options)


def _seen(client: dict[str, Any], data: Any, options: Options, key: bytes) -> Iterator[Sighting]:
    address = client.get("clientMac")
    if not isinstance(address, str) or (options.connected_only and not client.get("ssid")):
        return
    told = [(first(client, (("latestRecord", "nearestApMac"),)) or first(data, (("apMac",),)), first(client, _TIMES))]
    locations = client.get("locations")
    told += [(_nearest(one), one.get("time")) for one in locations if isinstance(one, dict)] if isinstance(locations, list) else []
    for point, time in told:
        thing, moment = pseudonym(point, key), _moment(time, options)
        if thing is not None and moment is not None:
            yield Sighting(thing, address.strip().lower().encode("utf-8", "surrogatepass"), moment)


def _nearest(location: dict[str, Any]) -> Any:
    """The access point that hears the client best."""
    heard = location.get("rssiRecords")
    heard = [one for one in heard if isinstance(one, dict) and isinstance(one.get("rssi"), int | float)] if isinstance(heard, list) else []
    return max(heard, key=lambda one: one["rssi"]).get("apMac") if heard else None


def _moment(time: Any, options: Options) -> datetime | None:
    found = options.reader.read(time)
    return None if isinstance(found, Unreadable) else found
