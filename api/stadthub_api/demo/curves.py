"""How the city lives: sun, rain, traffic, and what the sensors therefore see. All of it follows from time and place alone."""

import functools
import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from stadthub_api.demo.chance import between, smooth

LOCAL = ZoneInfo("Europe/Berlin")
DAY = 86_400.0
SHOWER = 3 * 3600.0


def hour_of_day(time: float) -> float:
    """The hour on the city's clocks."""
    local = datetime.fromtimestamp(time, LOCAL)
    return local.hour + local.minute / 60 + local.second / 3600


def is_weekend(time: float) -> bool:
    """Whether the city has its weekend."""
    return datetime.fromtimestamp(time, LOCAL).weekday() >= 5


def season(time: float) -> float:
    """From -1 in the middle of January to 1 in the middle of July."""
    return -math.cos(math.tau * (datetime.fromtimestamp(time, UTC).timetuple().tm_yday - 15) / 365.25)


def sun(time: float) -> float:
    """How much the sun shines, 0 to 1."""
    day = 12 + 4.2 * season(time)
    return max(0.0, math.sin(math.pi * (hour_of_day(time) - 12.4 + day / 2) / day)) * (1 - 0.6 * rain(time))


def rain(time: float) -> float:
    """How hard it rains, 0 to 1; most of the time it doesn't."""
    return max(0.0, smooth(time, SHOWER, "rain") - 0.72) / 0.28


def wetness(time: float) -> float:
    """The rain of the last two days, the latest most."""
    return min(1.0, sum(rain(time - step * SHOWER) * 0.88**step for step in range(16)) / 2.5)


def traffic(time: float) -> float:
    """How full the streets are, 0 to 1: two peaks on working days, one flat hill at the weekend."""
    hour = hour_of_day(time)
    if is_weekend(time):
        return 0.05 + 0.45 * _peak(hour, 14.5, 4.0)
    return min(1.0, 0.05 + 0.8 * _peak(hour, 7.8, 1.1) + 0.75 * _peak(hour, 17.0, 1.6) + 0.4 * _peak(hour, 12.7, 3.0))


def _peak(hour: float, at: float, width: float) -> float:
    return math.exp(-(((hour - at) / width) ** 2))


def temperature(time: float, who: str = "") -> float:
    """Air temperature in degrees Celsius."""
    mean = 9.5 + 9.0 * season(time) + 7 * (smooth(time, 2.5 * DAY, "front") - 0.5)
    daily = 4.5 * math.cos(math.tau * (hour_of_day(time) - 15) / 24) * (0.6 + 0.4 * (1 - rain(time)))
    return round(mean + daily + _own(who, 1.2) + _noise(time, who, 0.3), 2)


def air(time: float, who: str) -> dict[str, float]:
    """What an air station sees."""
    streets = traffic(time - 1200) * between(0.5, 1.4, who, "street")
    still = 0.5 + smooth(time, DAY, "wind")
    pm10 = (9 + 22 * streets) * still * (1 - 0.6 * rain(time)) + _noise(time, who, 1.5)
    return {
        "temperature": temperature(time, who),
        "humidity": round(min(100.0, max(20.0, 78 - 22 * sun(time) + 20 * rain(time) + _own(who, 4) + _noise(time, who, 1))), 1),
        "pressure": round(1013 + 22 * (smooth(time, 3 * DAY, "pressure") - 0.5) + _own(who, 1.5), 1),
        "pm2_5": round(max(1.0, pm10 * between(0.5, 0.65, who)), 1),
        "pm10": round(max(2.0, pm10), 1),
        "no2": round(max(2.0, (7 + 42 * streets) * still + _noise(time, who, 2)), 1),
        "battery": battery(time, who),
    }


def soil(time: float, who: str) -> dict[str, float]:
    """What a sensor under a tree sees."""
    moisture = between(12, 24, who) + 20 * wetness(time) - 6 * max(0.0, season(time)) + _noise(time, who, 0.3)
    warmth = temperature(time - 6 * 3600, who) * 0.4 + (9.5 + 7 * season(time)) * 0.6
    return {
        "soil_moisture": round(min(60.0, max(3.0, moisture)), 2),
        "soil_temperature": round(warmth, 2),
        "battery": battery(time, who),
    }


def water(time: float, who: str) -> dict[str, float]:
    """What a gauge on the river sees."""
    level = between(60, 130, who) + 95 * wetness(time - 4 * 3600) + 6 * smooth(time, 1800, who)
    return {
        "water_level": round(level, 1),
        "water_temperature": round(8.5 + 7.5 * season(time) + 0.8 * sun(time), 2),
        "battery": battery(time, who),
    }


def noise(time: float, who: str) -> dict[str, float]:
    """What a sound level meter hears."""
    level = between(38, 46, who) + 24 * traffic(time) ** 0.5 * between(0.6, 1.0, who, "street") + 5 * rain(time) + _noise(time, who, 2.5)
    return {"laeq": round(level, 1), "battery": battery(time, who)}


def battery(time: float, who: str) -> float:
    """Per cent: 100 when the battery is new, and a new one every eighteen months."""
    life = 540 * DAY
    return round(100 - 92 * ((time / life + between(0, 1, who, "battery")) % 1.0), 1)


def crossings(time: float, who: str, kind: str) -> int:
    """How many bicycles or people pass a counter in the quarter of an hour that begins at `time`."""
    return int(_popular(who) * bustle(time, kind) * between(0.7, 1.3, who, int(time)))


@functools.lru_cache(maxsize=256)
def _popular(who: str) -> float:
    return between(20, 150, who)


@functools.lru_cache(maxsize=256)
def bustle(time: float, kind: str) -> float:
    """How much is going on in the whole city on foot or by bicycle, 0 to 1."""
    dry = 1 - 0.7 * rain(time)
    warm = 0.55 + 0.45 * min(1.0, max(0.0, (temperature(time) + 5) / 25))
    if kind == "pedestrians":
        return dry * warm * (0.04 + 0.9 * _peak(hour_of_day(time), 15.5, 4.2) * (1.25 if is_weekend(time) else 1.0))
    return dry * warm * traffic(time)


def occupied(time: float, who: str) -> float:
    """How full a car park is, 0 to 1."""
    hill = _peak(hour_of_day(time), 13.5, 4.2) * (0.8 if is_weekend(time) else 1.0)
    return min(1.0, max(0.02, between(0.05, 0.2, who) + between(0.5, 0.9, who, "hill") * hill + 0.06 * (smooth(time, 900, who) - 0.5)))


def _own(who: str, width: float) -> float:
    """In what one sensor differs from the others, always."""
    return between(-width, width, who, "own") if who else 0.0


def _noise(time: float, who: str, width: float) -> float:
    return between(-width, width, who, int(time)) if who else 0.0


CURVES = {"air": air, "soil": soil, "water": water, "noise": noise}
