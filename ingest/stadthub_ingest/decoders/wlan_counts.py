"""Counts of clients per access point out of any JSON: dashboards of Meraki, Aruba Central, Cisco and others, by paths.

[options]
rows = "aps[*]"
id = "serial"
values = { wifi_clients = "client_count" }
"""

from collections.abc import Iterator
from typing import Any, Self

from pydantic import Field, model_validator

from stadthub_ingest.accesspoints import Kept, Point, kept, rows
from stadthub_ingest.decoded import Decoded
from stadthub_ingest.freifunk import read_object
from stadthub_ingest.paths import Place, find, read_path, walk
from stadthub_schemas.properties import OBSERVED_PROPERTIES

#: What a value may observe: nothing that says anything of a person.
MAY = tuple(name for name in OBSERVED_PROPERTIES if name.startswith(("wifi_clients", "channel_utilisation", "received_b", "transmitted_b")))
_FACTS = ("label", "time", "longitude", "latitude")


class Options(Kept):
    """Where the numbers stand. Nothing but what is named here is kept."""

    rows: str = Field(default="", description="the path to the access points; absent: the payload itself, or each item of its list")
    id: str = Field(description="the path of what tells one access point from the others; it becomes a pseudonym")
    label: str | None = Field(default=None, description="the path of its name; kept only with operator_is_city")
    time: str | None = Field(default=None, description="the path of the time; absent: the time of arrival")
    longitude: str | None = None
    latitude: str | None = None
    online: str | None = Field(default=None, description="the path of whether it is on")
    online_words: tuple[str, ...] = Field(default=("up", "online", "true", "active", "alerting"), description="texts that mean: it is on")
    values: dict[str, str] = Field(default_factory=dict, description="the path of each observed property")
    line: str | None = Field(default=None, description="of a vehicle: the path of its line")
    stop: str | None = Field(default=None, description="of a vehicle: the path of the stop where it is or that is next")
    lines: tuple[str, ...] = Field(default=(), description="the lines that are kept; of others nothing is")
    stops: dict[str, tuple[float, float]] = Field(
        default_factory=dict, description="the stops that are kept, each with its longitude and latitude; of others nothing is"
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        wrong = [f"values.{name}: use one of {', '.join(MAY)}" for name in self.values if name not in MAY]
        for place, path in [
            ("rows", self.rows),
            *((name, getattr(self, name)) for name in ("id", "online", "line", "stop", *_FACTS)),
            *self.values.items(),
        ]:
            try:
                read_path(path or "")
            except ValueError as error:
                wrong.append(f"{place}: {error}")
        if (self.line or self.stop) and self.place != "vehicle":
            wrong.append('line, stop: only a vehicle has them: write place = "vehicle"')
        if not self.values and self.online is None:
            wrong.append("values: missing: name at least one number, or online")
        if wrong:
            raise ValueError("\n".join(wrong))
        return self


def reduce(payload: bytes, options: Options, name: str, key: bytes) -> bytes | None:  # noqa: ARG001 - a name is not kept either
    """The numbers at the paths of the options, and nothing else."""
    document = read_object(payload)
    if document is None:
        return None
    places = [place for place in walk(Place(document), read_path(options.rows)) if place.value is not None]
    found = [Place(item, place) for place in places for item in (place.value if isinstance(place.value, list) else [place.value])]
    if not found and document:
        return None
    return kept((_point(place, options) for place in found), options, key)


def decode(payload: bytes, options: Options, name: str) -> Iterator[Decoded]:  # noqa: ARG001 - a name is not kept either
    """The observations of what was kept."""
    yield from rows(payload, options)


def _point(place: Place, options: Options) -> Point | None:
    if not isinstance(place.value, dict):
        return None
    facts = {name: _at(place, getattr(options, name)) for name in _FACTS}
    online = _at(place, options.online)
    if isinstance(online, str):
        online = online.strip().lower() in options.online_words
    values = {name: _at(place, path) for name, path in options.values.items()}
    return Point(identity=_at(place, options.id), online=online, values=values, on_way=_on_way(place, options), **facts)


def _on_way(place: Place, options: Options) -> dict[str, str | float]:
    """Line and stop, as far as the feed's file knows them: its words are kept, the source's only point at them."""
    line, stop = (str(_at(place, path)) for path in (options.line, options.stop))
    found: dict[str, str | float] = {} if line not in options.lines else {"line": next(one for one in options.lines if one == line)}
    if stop in options.stops:
        longitude, latitude = options.stops[stop]
        found |= {"stop": next(one for one in options.stops if one == stop), "longitude": longitude, "latitude": latitude}
    return found


def _at(place: Place, path: str | None) -> Any:
    return None if path is None else find(place, read_path(path))
