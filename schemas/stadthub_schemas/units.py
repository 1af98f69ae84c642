"""Units of measurement by their UCUM code (Unified Code for Units of Measure, ucum.org), and how to turn one into another.

Only linear conversions (`result * factor + offset`), each to the base unit of its kind.
"""

import math
from dataclasses import dataclass

from stadthub_schemas.errors import QueryError


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: `code` in UCUM, `symbol` for readers, `kind` it measures, and the way to the kind's base unit."""

    code: str
    symbol: str
    kind: str
    factor: float = 1.0
    offset: float = 0.0


UNITS: dict[str, Unit] = {
    unit.code: unit
    for unit in (
        Unit("1", "", "number"),
        Unit("{count}", "", "count"),
        Unit("%", "%", "ratio"),
        Unit("[ppm]", "ppm", "fraction"),
        Unit("[ppb]", "ppb", "fraction", 0.001),
        Unit("Cel", "°C", "temperature"),
        Unit("K", "K", "temperature", 1.0, -273.15),
        Unit("[degF]", "°F", "temperature", 5 / 9, -160 / 9),
        Unit("m", "m", "length"),
        Unit("nm", "nm", "length", 1e-9),
        Unit("um", "µm", "length", 1e-6),
        Unit("cm", "cm", "length", 0.01),
        Unit("mm", "mm", "length", 0.001),
        Unit("km", "km", "length", 1000.0),
        Unit("m2", "m²", "area"),
        Unit("har", "ha", "area", 10_000.0),
        Unit("km2", "km²", "area", 1_000_000.0),
        Unit("l", "l", "volume", 0.001),
        Unit("m3", "m³", "volume"),
        Unit("m3/s", "m³/s", "flow"),
        Unit("l/s", "l/s", "flow", 0.001),
        Unit("l/h", "l/h", "flow", 0.001 / 3600),
        Unit("l/min", "l/min", "flow", 0.001 / 60),
        Unit("g", "g", "mass", 0.001),
        Unit("kg", "kg", "mass"),
        Unit("t", "t", "mass", 1000.0),
        Unit("m/s", "m/s", "speed"),
        Unit("km/h", "km/h", "speed", 1 / 3.6),
        Unit("m/s2", "m/s²", "acceleration"),
        Unit("[g]", "g", "acceleration", 9.80665),
        Unit("deg", "°", "angle"),
        Unit("rad", "rad", "angle", 180 / math.pi),
        Unit("deg/s", "°/s", "angular speed"),
        Unit("Hz", "Hz", "frequency"),
        Unit("Pa", "Pa", "pressure"),
        Unit("hPa", "hPa", "pressure", 100.0),
        Unit("kPa", "kPa", "pressure", 1000.0),
        Unit("mbar", "mbar", "pressure", 100.0),
        Unit("bar", "bar", "pressure", 100_000.0),
        Unit("ug/m3", "µg/m³", "concentration"),
        Unit("mg/m3", "mg/m³", "concentration", 1000.0),
        Unit("dB", "dB", "level"),
        Unit("dB[A]", "dB(A)", "sound level"),
        Unit("lx", "lx", "illuminance"),
        Unit("W/m2", "W/m²", "irradiance"),
        Unit("umol/m2/s", "µmol/(m²·s)", "photon flux"),
        Unit("W", "W", "power"),
        Unit("kW", "kW", "power", 1000.0),
        Unit("J", "J", "energy", 1 / 3600),
        Unit("W.h", "Wh", "energy"),
        Unit("kW.h", "kWh", "energy", 1000.0),
        Unit("V", "V", "voltage"),
        Unit("mV", "mV", "voltage", 0.001),
        Unit("A", "A", "current"),
        Unit("mA", "mA", "current", 0.001),
        Unit("Ohm", "Ω", "resistance"),
        Unit("uS/cm", "µS/cm", "conductivity"),
        Unit("mS/cm", "mS/cm", "conductivity", 1000.0),
        Unit("S/m", "S/m", "conductivity", 10_000.0),
        Unit("[pH]", "pH", "acidity"),
        Unit("s", "s", "time"),
        Unit("min", "min", "time", 60.0),
        Unit("h", "h", "time", 3600.0),
        Unit("d", "d", "time", 86_400.0),
        Unit("By", "B", "data"),
        Unit("kBy", "kB", "data", 1000.0),
        Unit("MBy", "MB", "data", 1_000_000.0),
        Unit("bit/s", "bit/s", "data rate"),
        Unit("/h", "1/h", "rate"),
        Unit("/d", "1/d", "rate", 1 / 24),
    )
}


def conversion(given: str, wanted: str) -> tuple[float, float]:
    """The (factor, offset) that turn a result in `given` into `wanted`; QueryError if they measure different things."""
    for code in (given, wanted):
        if code not in UNITS:
            raise QueryError(f"unit {code!r} is not a UCUM code that the hub knows: use one of {', '.join(sorted(UNITS))}")
    source, target = UNITS[given], UNITS[wanted]
    if source.kind != target.kind:
        raise QueryError(f"unit {given!r} measures {source.kind}, {wanted!r} measures {target.kind}: they can't be converted")
    factor = source.factor / target.factor
    return factor, (source.offset - target.offset) / target.factor
