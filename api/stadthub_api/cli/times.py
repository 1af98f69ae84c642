"""Times and lengths of time as people type them."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from typer import BadParameter

_DAYS = re.compile(r"^(\d{1,5})\s*(d|days?)?$")
_AGO = re.compile(r"^(\d{1,5})\s*([smhdw])$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def days(text: str) -> int:
    """How many days `90d` or `90` are."""
    found = _DAYS.match(text.strip())
    if not found:
        raise BadParameter(f"{text!r} is not a number of days: write 90d")
    return int(found[1])


def lasting(text: str) -> timedelta:
    """The length of time that `30m`, `2h` or `1d` mean."""
    found = _AGO.match(text.strip())
    if not found:
        raise BadParameter(f"{text!r} is not a length of time: write 30m, 2h or 1d")
    return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])


def moment(text: str, time_zone: str) -> datetime:
    """The time in UTC that `2026-05-01`, `2026-05-01T10:00`, `…+02:00` or `2h` (ago) mean; without a zone it is the city's."""
    ago = _AGO.match(text.strip())
    if ago:
        return datetime.now(UTC) - timedelta(seconds=int(ago[1]) * _SECONDS[ago[2]])
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise BadParameter(f"{text!r} is not a time: write 2026-05-01, 2026-05-01T10:00+02:00, or how long ago: 2h, 7d") from error
    return (time if time.tzinfo else time.replace(tzinfo=ZoneInfo(time_zone))).astimezone(UTC)
