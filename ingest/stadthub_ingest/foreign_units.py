"""Units as other standards write them, to UCUM: SenML (RFC 8428, 8798), UN/CEFACT (NGSI-LD), symbols and definitions (SensorThings)."""

from stadthub_schemas.units import UNITS

#: SenML's units that UCUM writes in another way; the others are alike.
SENML = {
    "%RH": "%",
    "%EL": "%",
    "EL": "s",
    "/": "1",
    "/100": "%",
    "count": "{count}",
    "pH": "[pH]",
    "ppm": "[ppm]",
    "ppb": "[ppb]",
    "Wh": "W.h",
    "kWh": "kW.h",
    "B": "By",
    "dBm": "dB",
    "1/h": "/h",
}

#: UN/CEFACT's common codes (recommendation 20), as in NGSI-LD's unitCode.
CEFACT = {
    "C62": "1",
    "P1": "%",
    "59": "[ppm]",
    "61": "[ppb]",
    "CEL": "Cel",
    "KEL": "K",
    "FAH": "[degF]",
    "MTR": "m",
    "CMT": "cm",
    "MMT": "mm",
    "KMT": "km",
    "MTK": "m2",
    "HAR": "har",
    "KMK": "km2",
    "LTR": "l",
    "MTQ": "m3",
    "MQS": "m3/s",
    "G51": "l/s",
    "L2": "l/min",
    "GRM": "g",
    "KGM": "kg",
    "TNE": "t",
    "MTS": "m/s",
    "KMH": "km/h",
    "MSK": "m/s2",
    "DD": "deg",
    "C81": "rad",
    "HTZ": "Hz",
    "PAL": "Pa",
    "A97": "hPa",
    "KPA": "kPa",
    "MBR": "mbar",
    "BAR": "bar",
    "GQ": "ug/m3",
    "GP": "mg/m3",
    "2N": "dB",
    "LUX": "lx",
    "D54": "W/m2",
    "WTT": "W",
    "KWT": "kW",
    "JOU": "J",
    "WHR": "W.h",
    "KWH": "kW.h",
    "VLT": "V",
    "2Z": "mV",
    "AMP": "A",
    "4K": "mA",
    "OHM": "Ohm",
    "G42": "uS/cm",
    "H61": "mS/cm",
    "D10": "S/m",
    "Q30": "[pH]",
    "SEC": "s",
    "MIN": "min",
    "HUR": "h",
    "DAY": "d",
    "AD": "By",
}

#: Symbols and names beside those that our own table has.
SYMBOLS = {
    "degc": "Cel",
    "deg c": "Cel",
    "celsius": "Cel",
    "degree celsius": "Cel",
    "grad celsius": "Cel",
    "c": "Cel",
    "kelvin": "K",
    "percent": "%",
    "prozent": "%",
    "%rh": "%",
    "ug/m3": "ug/m3",
    "ug/m^3": "ug/m3",
    "ug.m-3": "ug/m3",
    "µg/m^3": "ug/m3",
    "mg/m^3": "mg/m3",
    "degree": "deg",
    "grad": "deg",
    "w/m^2": "W/m2",
    "m^3": "m3",
    "m^3/s": "m3/s",
    "lux": "lx",
    "db(a)": "dB[A]",
    "dba": "dB[A]",
    "anzahl": "{count}",
    "count": "{count}",
    "stk": "{count}",
    "liter": "l",
    "millibar": "mbar",
    "hectopascal": "hPa",
    "meter": "m",
    "metre": "m",
    "centimeter": "cm",
    "millimeter": "mm",
    "volt": "V",
    "us/cm": "uS/cm",
    "watt": "W",
    "ph": "[pH]",
    "deg_c": "Cel",
    "microgm-per-m3": "ug/m3",
    "hectopa": "hPa",
    "m-per-sec": "m/s",
    "millim": "mm",
}

_OURS = {unit.symbol.lower(): code for code, unit in reversed(UNITS.items()) if unit.symbol} | {code.lower(): code for code in UNITS}


def from_senml(unit: str | None) -> str | None:
    """The UCUM code; what is not known stays as it is, for the judge to refuse."""
    return None if unit is None else SENML.get(unit, unit)


def from_cefact(code: str | None) -> str | None:
    """The UCUM code; what is not known stays as it is, for the judge to refuse."""
    return None if code is None else CEFACT.get(code, code)


def from_words(*words: object) -> str | None:
    """The UCUM code out of a symbol, a definition's IRI or a name: the first that is understood, else the first that is there."""
    texts = [word.strip() for word in words if isinstance(word, str) and word.strip()]
    for text in texts:
        for one in (
            text,
            text.rsplit("/", 1)[-1].rsplit("#", 1)[-1].removeprefix("ucum:") if "://" in text or text.startswith("ucum:") else text,
        ):
            if one in UNITS:
                return one
            key = one.lower().replace("μ", "µ")
            found = SYMBOLS.get(key) or _OURS.get(key) or SYMBOLS.get(key.replace("µ", "u"))
            if found is not None:
                return found
    return texts[0] if texts else None
