"""What headers mean, in German and English: the observed property, the unit, the part that a column plays."""

import re
from functools import lru_cache

from stadthub_ingest.foreign_units import from_words
from stadthub_ingest.keys import property_key
from stadthub_ingest.well_known import MEMBERS
from stadthub_schemas.properties import OBSERVED_PROPERTIES
from stadthub_schemas.units import UNITS

#: Further words for observed properties, as keys; a header that is one of them, or begins or ends with one, means it.
_PROPERTIES: dict[str, str] = {
    "temperatur": "air_temperature", "lufttemperatur": "air_temperature", "temp": "air_temperature", "tt": "air_temperature",
    "temperature_c": "air_temperature", "aussentemperatur": "air_temperature",
    "bodentemperatur": "soil_temperature", "wassertemperatur": "water_temperature", "water_temp": "water_temperature",
    "oberflaechentemperatur": "surface_temperature", "fahrbahntemperatur": "surface_temperature",
    "feuchte": "relative_humidity", "luftfeuchte": "relative_humidity", "luftfeuchtigkeit": "relative_humidity",
    "relative_feuchte": "relative_humidity", "rel_feuchte": "relative_humidity", "relative_luftfeuchte": "relative_humidity",
    "rf": "relative_humidity",
    "bodenfeuchte": "soil_moisture", "luftdruck": "air_pressure", "druck": "air_pressure",
    "windgeschwindigkeit": "wind_speed", "wind": "wind_speed", "windboe": "wind_gust", "boeen": "wind_gust", "windrichtung": "wind_from_direction",
    "niederschlag": "precipitation", "regen": "precipitation", "rain": "precipitation", "rainfall": "precipitation",
    "beleuchtungsstaerke": "illuminance", "helligkeit": "illuminance", "globalstrahlung": "solar_irradiance", "strahlung": "solar_irradiance",
    "uv_index": "uv_index", "uvi": "uv_index",
    "pm2.5": "pm2_5", "pm_2_5": "pm2_5", "pm_2.5": "pm2_5", "pm2_5": "pm2_5", "pm25": "pm2_5", "pm_10": "pm10", "pm10": "pm10", "pm1": "pm1",
    "feinstaub": "pm10", "sds_p1": "pm10", "sds_p2": "pm2_5",
    "no2": "nitrogen_dioxide", "stickstoffdioxid": "nitrogen_dioxide", "stickoxid": "nitrogen_dioxide", "no": "nitrogen_monoxide",
    "stickstoffmonoxid": "nitrogen_monoxide", "o3": "ozone", "ozon": "ozone", "so2": "sulphur_dioxide", "schwefeldioxid": "sulphur_dioxide",
    "sulfur_dioxide": "sulphur_dioxide", "co": "carbon_monoxide", "kohlenmonoxid": "carbon_monoxide", "co2": "carbon_dioxide",
    "kohlendioxid": "carbon_dioxide",
    "schallpegel": "sound_level", "laerm": "sound_level", "pegel_db": "sound_level", "laeq": "sound_level", "noise": "sound_level",
    "wasserstand": "water_level", "pegelstand": "water_level", "pegel": "water_level", "fuellstand": "water_level", "abfluss": "discharge",
    "durchfluss": "discharge", "leitfaehigkeit": "water_conductivity", "ph": "acidity", "ph_wert": "acidity",
    "fahrraeder": "bicycles", "radfahrer": "bicycles", "raeder": "bicycles", "radverkehr": "bicycles", "bikes": "bicycles", "cyclists": "bicycles",
    "fussgaenger": "pedestrians", "passanten": "pedestrians", "personen": "pedestrians", "besucher": "pedestrians",
    "kfz": "vehicles", "fahrzeuge": "vehicles", "pkw": "vehicles", "autos": "vehicles", "cars": "vehicles",
    "kapazitaet": "parking_capacity", "capacity": "parking_capacity", "stellplaetze": "parking_capacity", "gesamt": "parking_capacity",
    "max_cap": "parking_capacity", "real_capa": "parking_capacity", "obs_max": "parking_capacity", "plaetze_gesamt": "parking_capacity",
    "frei": "parking_free", "freie_plaetze": "parking_free", "free": "parking_free", "bookable": "parking_free", "obs_free": "parking_free",
    "real_fcap": "parking_free", "available": "parking_free", "freie_stellplaetze": "parking_free", "verfuegbar": "parking_free",
    "belegt": "parking_occupied", "occupied": "parking_occupied", "auslastung": "parking_occupancy", "belegung": "parking_occupancy",
    "prozent": "parking_occupancy", "occupancy": "parking_occupancy",
    "batterie": "battery_voltage", "akku": "battery_level", "batteriespannung": "battery_voltage", "rssi": "signal_strength",
    "leistung": "electric_power", "power": "electric_power", "energie": "electric_energy", "verbrauch": "electric_energy",
    "strom": "electric_energy", "energy": "electric_energy",
    "verspaetung": "delay", "delay": "delay", "wlan_nutzer": "wifi_clients", "clients": "wifi_clients",
    "humidity": "relative_humidity", "pressure": "air_pressure", "wind_speed": "wind_speed", "gust": "wind_gust",
    "wind_direction": "wind_from_direction", "windspeed": "wind_speed", "winddirection": "wind_from_direction",
}  # fmt: skip

_TITLES = {property_key(title): name for name, row in OBSERVED_PROPERTIES.items() for title in (name, row.title_de, row.title_en)}
_KNOWN: dict[str, str] = {**{key: name for key, (name, _) in MEMBERS.items() if not key.isdigit()}, **_TITLES, **_PROPERTIES}

#: Inside a longer header only these may stand: shorter words mean too much ("no", "co", "frei").
_INSIDE = tuple(sorted((key for key in _KNOWN if len(key) >= 3), key=len, reverse=True))

#: The parts that columns play, by their header as a key.
ROLES: dict[str, frozenset[str]] = {
    "longitude": frozenset({"longitude", "lon", "lng", "long", "laengengrad", "laenge", "geo_lon", "x_wgs84", "coordinates_0", "longitude_deg", "geolaenge", "lon_wgs84"}),
    "latitude": frozenset({"latitude", "lat", "breitengrad", "breite", "geo_lat", "y_wgs84", "coordinates_1", "geobreite", "lat_wgs84"}),
    "easting": frozenset({"easting", "rechtswert", "ostwert", "rw", "x", "x_koordinate", "utm_x", "utm_ost", "ost", "xcoord", "e"}),
    "northing": frozenset({"northing", "hochwert", "nordwert", "hw", "y", "y_koordinate", "utm_y", "utm_nord", "nord", "ycoord", "n"}),
    "geometry": frozenset({"geometry", "geom", "wkt", "geometrie", "the_geom", "shape", "geojson", "geo_shape", "geo_point"}),
    "observed_property": frozenset(
        {"parameter", "merkmal", "messgroesse", "variable", "indikator", "indicator", "observed_property", "property", "komponente", "schadstoff", "kennzahl"}
    ),
    "result": frozenset({"result", "wert", "value", "messwert", "ergebnis", "anzahl", "count", "zaehlwert", "menge", "measurement", "reading", "val"}),
    "unit": frozenset({"unit", "einheit", "werteeinheit", "units", "uom", "masseinheit", "unitcode"}),
    "quality": frozenset({"quality", "qualitaet", "flag", "qualitaetskennung", "status_flag", "pruefstatus", "qn"}),
    "sensor": frozenset({"sensor", "sensortyp", "sensor_type", "geraetetyp"}),
}  # fmt: skip

_TIME_WORDS = frozenset(
    {
        "zeit", "zeitpunkt", "datum", "date", "time", "timestamp", "uhrzeit", "datetime", "zeitstempel", "stand", "messzeit", "messdatum", "tag",
        "day", "jahr", "year", "monat", "phenomenontime", "phenomenon_time", "observed_at", "observedat", "ts", "obs_ts", "mess_datum", "zeitraum",
        "beginn", "start", "von", "created_at", "updated_at", "updated", "lastupdate", "last_update", "received_at", "stichtag", "berichtsjahr",
        "start_datetime", "datemodified", "epoch", "created",
    }
)  # fmt: skip
#: Times that tell of the row and not of what was observed.
_SECOND_TIMES = frozenset({"created", "created_at", "updated", "updated_at", "inbetriebnahmedatum", "last_modified", "geaendert"})
_THING_WORDS = (
    "station_code", "station_id", "stationsnummer", "messstelle", "messstation", "station", "standort", "zaehlstelle", "zaehler", "sensor_id",
    "device_id", "deveui", "device", "geraet", "site", "thing", "counter", "stop_id", "objekt", "obs_parkid", "park_id", "parkhaus", "anlage", "location",
    "raum", "ort", "haltestelle", "ice_id", "dateiname", "typ",
)  # fmt: skip
_NAME_WORDS = (
    "thing_name", "station_name", "stationsname", "standortname", "bezeichnung", "name", "title", "park_name", "stop_name", "titel", "label",
)  # fmt: skip
_ID_WORDS = (
    "id", "objectid", "gid", "fid", "uuid", "globalid", "guid", "global_id", "object_id", "ogc_fid", "oid", "kennung", "nummer", "nr", "schluessel", "key",
    "code", "lfd_nr", "lfdnr", "laufende_nummer", "obs_id", "stop_id", "_id", "ags",
)  # fmt: skip
#: What is written in digits and is no number: nobody adds it up, and its zeros count. Alone, or as a part of a header.
_CODES = frozenset(
    {
        "plz", "postleitzahl", "postleitzahlen", "zip", "zipcode", "postcode", "postal_code", "postalcode", "ags", "ars", "gkz", "gemeindekennziffer",
        "gemeindeschluessel", "gemeindenummer", "kreisschluessel", "regionalschluessel", "schluesselnummer", "telefon", "telefonnummer", "tel", "telnr",
        "phone", "telephone", "fax", "faxnummer", "telefax", "vorwahl", "blz", "iban", "ean", "gtin", "isbn", "dhid", "ifopt", "kennziffer",
    }
)  # fmt: skip
_CODE_ENDS = ("schluessel", "kennziffer", "leitzahl", "telefonnummer", "kennzeichen")
#: Years, and how headers of further keys end.
_YEARS = frozenset({"jahr", "year", "jahrgang"})
_KEY_ENDS = ("jahr", "_year", "nummer", "objectid")
#: Beside a code these say that something is counted by it.
_COUNTING = frozenset({"anzahl", "zahl", "summe", "anteil", "quote", "count", "number", "share", "je", "pro", "per"})

_UNIT = re.compile(r"\s*(?:[\[(]\s*([^\[\]()]{1,20}(?:\(A\))?)\s*[\])]|,?\s+in\s+(\S{1,12}))\s*\Z")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


@lru_cache(maxsize=4096)
def unit_in(header: str) -> tuple[str, str | None]:
    """The header without its unit, and the unit as UCUM; None where none is named or understood."""
    found = _UNIT.search(header)
    if found is None or "coordinates" in header:
        return header, None
    code = from_words(found[1] or found[2])
    return (header[: found.start()].strip() or header, code) if code in UNITS else (header, None)


def key_of(header: str) -> str:
    """The header's last part as a key, without its unit."""
    bare = unit_in(header)[0].translate(_SUBSCRIPTS)
    return property_key(bare.rsplit("/", 1)[-1] if "/" in bare and " " not in bare else bare)


@lru_cache(maxsize=4096)
def property_of(header: str) -> tuple[str, float] | None:
    """The observed property that the header names, and how sure that is."""
    key = key_of(_telling(header))
    if key in _KNOWN:
        return _KNOWN[key], 0.9
    padded = f"_{key.replace('.', '_')}_"
    for word in _INSIDE:
        if f"_{word.replace('.', '_')}_" in padded:
            return _KNOWN[word], 0.7
    return None


#: The last part of a path that only says: here is the value.
_HOLDERS = frozenset({"avg", "mean", "value", "val", "v", "result"})


def _telling(header: str) -> str:
    """The part of a path that says what is observed: the last, or the one before where the last only holds the value."""
    if not _is_path(header):
        return header
    *_, before, last = ("", *header.split("."))
    return before if last in _HOLDERS and before else last


def _is_path(header: str) -> bool:
    return "." in header.rstrip(".") and " " not in header


def _last_key(header: str) -> str:
    """The last part of a path as a key, or the whole header; "Nr." is no path."""
    bare = header.rstrip(".")
    return key_of(bare.rsplit(".", 1)[-1] if _is_path(bare) else bare)


def role_of(header: str) -> str | None:
    """The part that this column plays by its header alone, or None."""
    key = _last_key(header)
    return next((role for role, names in ROLES.items() if key in names), None)


def is_time_word(header: str) -> bool:
    """Whether the header speaks of time."""
    key = key_of(header.rstrip(".").rsplit(".", 1)[-1])
    return key in _TIME_WORDS or bool(set(key.split("_")) & _TIME_WORDS) or key.endswith(("zeit", "datum", "_at", "time", "date"))


def is_second_time(header: str) -> bool:
    """Whether this time tells of the row rather than of what was observed."""
    return key_of(header.rsplit(".", 1)[-1]) in _SECOND_TIMES


def thing_rank(header: str) -> int | None:
    """How well the header fits what tells things apart: 0 best; None: not at all."""
    return _rank(header, (*_THING_WORDS, *_ID_WORDS))


def name_rank(header: str) -> int | None:
    """How well the header fits a name for readers."""
    return _rank(header, _NAME_WORDS)


def id_rank(header: str) -> int | None:
    """How well the header fits a key."""
    return _rank(header, _ID_WORDS)


def is_id_word(header: str) -> bool:
    """Whether the header is one that technical keys bear."""
    return _last_key(header) in _ID_WORDS


def is_code(header: str) -> bool:
    """Whether what stands below this header is a code: text, though it be written in digits."""
    key = _last_key(header)
    parts = key.split("_")
    named = key in _CODES or parts[0] in _CODES or parts[-1] in _CODES or key.endswith(_CODE_ENDS)
    return named and _COUNTING.isdisjoint(parts)


def is_key(header: str) -> bool:
    """Whether whole numbers below this header name something, as keys and years do, and are no amounts."""
    key = _last_key(header)
    parts = key.split("_")
    named = key.endswith(_KEY_ENDS) or parts[-1] in _ID_WORDS or parts[0] in _YEARS or parts[-1] in _YEARS
    return is_code(header) or (named and _COUNTING.isdisjoint(parts))


def _rank(header: str, words: tuple[str, ...]) -> int | None:
    key = _last_key(header)
    if key in words:
        return words.index(key)
    tail = next((len(words) + number for number, word in enumerate(words) if len(word) > 1 and key.endswith(f"_{word}")), None)
    return (
        tail
        if tail is not None
        else next((2 * len(words) + n for n, word in enumerate(words) if len(word) > 3 and key.startswith(word)), None)
    )
