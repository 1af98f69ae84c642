"""Events of calendars as rows, whatever format they came in: what, when, where; never who (an e-mail address is no part of it)."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from stadthub_ingest.decoded import Row, Unreadable
from stadthub_ingest.times import Times
from stadthub_schemas.dataset import Kind
from stadthub_schemas.model import Strict


class Events(Strict):
    """The options that formats of events share."""

    kind: Kind = Field(default=Kind.TABLE, description="set from the feed's own kind")
    time_zone: str = Field(default="Europe/Berlin", description="of times that do not say theirs, and of whole days")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.kind is Kind.TIMESERIES:
            raise ValueError('events are a table or features: write kind = "table" and key = ["id"], or kind = "features"')
        Times(time_zone=self.time_zone)
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The zone of times that do not say theirs."""
        return ZoneInfo(self.time_zone)


def instant(moment: date | datetime, zone: ZoneInfo) -> datetime:
    """The time in UTC; of a whole day its first moment."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(0), zone)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).astimezone(UTC)


def event(identity: Any, start: Any, end: Any, facts: Row, place: tuple[Any, Any], options: Events) -> Row | Unreadable:
    """One row. `start` and `end` are days or times, or why they are none; `place` is longitude and latitude."""
    for name, value in (("start", start), ("end", end)):
        if isinstance(value, Unreadable):
            return Unreadable(value.text, f"{name}: {value.reason}")
    if start is None:
        return Unreadable(str(identity), "start: missing")
    if facts.get("title") is None:
        return Unreadable(str(identity), "title: missing")
    all_day = not isinstance(start, datetime)
    begins = instant(start, options.zone)
    ends = None if end is None else instant(end, options.zone)
    if ends is not None and ends < begins:
        return Unreadable(str(identity), f"end: {ends.isoformat()} lies before the start")
    if all_day and ends is not None and ends == begins:
        ends = instant(start + timedelta(days=1), options.zone)
    properties: Row = {**facts, "start_time": begins, "end_time": ends, "all_day": all_day}
    longitude, latitude = place
    if options.kind is Kind.TABLE:
        return {"id": identity, **properties, "longitude": longitude, "latitude": latitude}
    geometry = None if longitude is None or latitude is None else {"type": "Point", "coordinates": [longitude, latitude]}
    return {"id": identity, "geometry": geometry, "properties": {key: value for key, value in properties.items() if value is not None}}
