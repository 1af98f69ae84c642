"""Observed properties: the names that every feed uses alike, each with its unit, its plausible range and words for readers.

Names follow the CF conventions and SensorThings usage where there is one. A property that is not listed may be observed too:
it then has the unit and the range that its feed gives.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ObservedProperty:
    """One observed property; `lowest` and `highest` are the bounds of what can be true, in `unit` (UCUM)."""

    name: str
    unit: str
    lowest: float
    highest: float
    title_de: str
    title_en: str


OBSERVED_PROPERTIES: dict[str, ObservedProperty] = {
    row.name: row
    for row in (
        ObservedProperty("air_temperature", "Cel", -60, 60, "Lufttemperatur", "Air temperature"),
        ObservedProperty("soil_temperature", "Cel", -40, 60, "Bodentemperatur", "Soil temperature"),
        ObservedProperty("water_temperature", "Cel", -5, 45, "Wassertemperatur", "Water temperature"),
        ObservedProperty("surface_temperature", "Cel", -60, 90, "Oberflächentemperatur", "Surface temperature"),
        ObservedProperty("device_temperature", "Cel", -60, 120, "Gerätetemperatur", "Device temperature"),
        ObservedProperty("relative_humidity", "%", 0, 100, "Relative Luftfeuchte", "Relative humidity"),
        ObservedProperty("soil_moisture", "%", 0, 100, "Bodenfeuchte", "Soil moisture"),
        ObservedProperty("soil_conductivity", "uS/cm", 0, 30_000, "Leitfähigkeit des Bodens", "Soil conductivity"),
        ObservedProperty("soil_water_tension", "hPa", -10_000, 10_000, "Saugspannung", "Soil water tension"),
        ObservedProperty("air_pressure", "hPa", 850, 1100, "Luftdruck", "Air pressure"),
        ObservedProperty("wind_speed", "m/s", 0, 115, "Windgeschwindigkeit", "Wind speed"),
        ObservedProperty("wind_gust", "m/s", 0, 140, "Windböe", "Wind gust"),
        ObservedProperty("wind_from_direction", "deg", 0, 360, "Windrichtung", "Wind direction"),
        ObservedProperty("precipitation", "mm", 0, 500, "Niederschlag", "Precipitation"),
        ObservedProperty("rainfall_rate", "1", 0, 2000, "Niederschlagsrate", "Rainfall rate"),
        ObservedProperty("illuminance", "lx", 0, 200_000, "Beleuchtungsstärke", "Illuminance"),
        ObservedProperty("solar_irradiance", "W/m2", 0, 1800, "Sonneneinstrahlung", "Solar irradiance"),
        ObservedProperty("uv_index", "1", 0, 25, "UV-Index", "UV index"),
        ObservedProperty("pm1", "ug/m3", 0, 2000, "Feinstaub PM1", "Particulate matter PM1"),
        ObservedProperty("pm2_5", "ug/m3", 0, 2000, "Feinstaub PM2,5", "Particulate matter PM2.5"),
        ObservedProperty("pm4", "ug/m3", 0, 2000, "Feinstaub PM4", "Particulate matter PM4"),
        ObservedProperty("pm10", "ug/m3", 0, 3000, "Feinstaub PM10", "Particulate matter PM10"),
        ObservedProperty("nitrogen_dioxide", "ug/m3", 0, 2000, "Stickstoffdioxid", "Nitrogen dioxide"),
        ObservedProperty("nitrogen_monoxide", "ug/m3", 0, 3000, "Stickstoffmonoxid", "Nitrogen monoxide"),
        ObservedProperty("ozone", "ug/m3", 0, 1000, "Ozon", "Ozone"),
        ObservedProperty("sulphur_dioxide", "ug/m3", 0, 3000, "Schwefeldioxid", "Sulphur dioxide"),
        ObservedProperty("carbon_monoxide", "mg/m3", 0, 1000, "Kohlenmonoxid", "Carbon monoxide"),
        ObservedProperty("carbon_dioxide", "[ppm]", 250, 40_000, "Kohlendioxid", "Carbon dioxide"),
        ObservedProperty("sound_level", "dB[A]", 0, 150, "Schallpegel", "Sound level"),
        ObservedProperty("water_level", "cm", -500, 3000, "Wasserstand", "Water level"),
        ObservedProperty("discharge", "m3/s", 0, 20_000, "Abfluss", "Discharge"),
        ObservedProperty("water_conductivity", "uS/cm", 0, 100_000, "Leitfähigkeit des Wassers", "Water conductivity"),
        ObservedProperty("acidity", "[pH]", 0, 14, "pH-Wert", "pH value"),
        ObservedProperty("bicycles", "{count}", 0, 50_000, "Fahrräder", "Bicycles"),
        ObservedProperty("pedestrians", "{count}", 0, 200_000, "Fußgänger", "Pedestrians"),
        ObservedProperty("vehicles", "{count}", 0, 100_000, "Fahrzeuge", "Vehicles"),
        ObservedProperty("parking_capacity", "{count}", 0, 100_000, "Stellplätze", "Parking spaces"),
        ObservedProperty("parking_free", "{count}", 0, 100_000, "Freie Stellplätze", "Free parking spaces"),
        ObservedProperty("parking_occupied", "{count}", 0, 100_000, "Belegte Stellplätze", "Occupied parking spaces"),
        ObservedProperty("parking_occupancy", "%", 0, 150, "Auslastung der Stellplätze", "Parking occupancy"),
        ObservedProperty("parking_state", "1", 0, 0, "Öffnungszustand", "Opening state"),
        ObservedProperty("vehicles_available", "{count}", 0, 100_000, "Freie Leihfahrzeuge", "Vehicles for hire"),
        ObservedProperty("vehicles_disabled", "{count}", 0, 100_000, "Gesperrte Leihfahrzeuge", "Disabled vehicles for hire"),
        ObservedProperty("docks_available", "{count}", 0, 100_000, "Freie Rückgabeplätze", "Free docks"),
        ObservedProperty("docks_disabled", "{count}", 0, 100_000, "Gesperrte Rückgabeplätze", "Disabled docks"),
        ObservedProperty("free_vehicles", "{count}", 0, 100_000, "Frei stehende Leihfahrzeuge", "Free-floating vehicles for hire"),
        ObservedProperty("delay", "s", -43_200, 86_400, "Verspätung", "Delay"),
        ObservedProperty("vehicle_longitude", "deg", -180, 180, "Länge des Fahrzeugs", "Longitude of the vehicle"),
        ObservedProperty("vehicle_latitude", "deg", -90, 90, "Breite des Fahrzeugs", "Latitude of the vehicle"),
        ObservedProperty("vehicle_speed", "km/h", 0, 500, "Geschwindigkeit", "Speed"),
        ObservedProperty("vehicle_occupancy", "%", 0, 300, "Auslastung des Fahrzeugs", "Vehicle occupancy"),
        ObservedProperty("wifi_clients", "{count}", 0, 100_000, "WLAN-Nutzende", "WLAN clients"),
        ObservedProperty("wifi_clients_2_4ghz", "{count}", 0, 100_000, "WLAN-Nutzende (2,4 GHz)", "WLAN clients (2.4 GHz)"),
        ObservedProperty("wifi_clients_5ghz", "{count}", 0, 100_000, "WLAN-Nutzende (5 GHz)", "WLAN clients (5 GHz)"),
        ObservedProperty("wifi_clients_6ghz", "{count}", 0, 100_000, "WLAN-Nutzende (6 GHz)", "WLAN clients (6 GHz)"),
        ObservedProperty("online", "1", 0, 1, "In Betrieb", "Online"),
        ObservedProperty("received_bytes", "By", 0, 9e15, "Empfangene Daten", "Received data"),
        ObservedProperty("transmitted_bytes", "By", 0, 9e15, "Gesendete Daten", "Transmitted data"),
        ObservedProperty("channel_utilisation_2_4ghz", "%", 0, 100, "Kanalauslastung (2,4 GHz)", "Channel utilisation (2.4 GHz)"),
        ObservedProperty("channel_utilisation_5ghz", "%", 0, 100, "Kanalauslastung (5 GHz)", "Channel utilisation (5 GHz)"),
        ObservedProperty("channel_utilisation_6ghz", "%", 0, 100, "Kanalauslastung (6 GHz)", "Channel utilisation (6 GHz)"),
        ObservedProperty("battery_voltage", "V", 0, 60, "Batteriespannung", "Battery voltage"),
        ObservedProperty("battery_level", "%", 0, 100, "Batteriestand", "Battery level"),
        ObservedProperty("signal_strength", "dB", -200, 50, "Signalstärke", "Signal strength"),
        ObservedProperty("electric_power", "kW", -100_000, 100_000, "Elektrische Leistung", "Electric power"),
        ObservedProperty("electric_energy", "kW.h", -1e9, 1e12, "Elektrische Energie", "Electric energy"),
    )
}


def title(name: str, language: str) -> str:
    """The words for a reader, in `de` or `en`; an unlisted property's name with its underscores as blanks."""
    known = OBSERVED_PROPERTIES.get(name)
    if known is None:
        return name.replace("_", " ")
    return known.title_de if language == "de" else known.title_en


def is_about_device(name: str) -> bool:
    """Whether the property tells of the device and its radio rather than of the city."""
    return name.startswith(("battery", "signal", "device"))
