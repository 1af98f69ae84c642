"""Fifty searches as people type them, over titles as German cities give them: the right dataset is among the first."""

from collections.abc import Iterator
from math import log2

import pytest

from stadthub_catalog import Catalog
from stadthub_schemas.access import ANYBODY
from tests.catalog.written import bulk

#: name, title, description, keywords, group
DATASETS = (
    ("baumkataster", "Baumkataster", "Standort, Art und Pflanzjahr der städtischen Bäume", ("Baum", "Grün"), "envi"),
    ("baumfaellungen", "Baumfällungen", "Genehmigte Fällungen mit Begründung und Ersatzpflanzung", ("Baum",), "envi"),
    ("strassenverzeichnis", "Straßenverzeichnis", "Alle amtlichen Straßennamen mit Schlüssel und Stadtteil", ("Straßen",), "tran"),
    ("strassenbeleuchtung", "Standorte der Straßenbeleuchtung", "Leuchten mit Leuchtmittel und Leistung", ("Licht",), "tran"),
    ("kitas", "Kindertageseinrichtungen", "Adressen, Träger und Plätze der Einrichtungen", ("Betreuung", "Kinder"), "educ"),
    ("schulen", "Schulstandorte", "Grundschulen, Realschulen und Gymnasien", ("Bildung",), "educ"),
    ("schuelerzahlen", "Schülerzahlen nach Schulform", "Zahl der Schülerinnen und Schüler je Schuljahr", ("Bildung",), "educ"),
    ("spielplaetze", "Spielplätze", "Öffentliche Spielflächen mit Geräten und Altersgruppen", ("Kinder", "Freizeit"), "soci"),
    ("radzaehlung", "Verkehrszählung Radverkehr", "Stündliche Werte der Dauerzählstellen", ("Fahrrad", "Zählstelle"), "tran"),
    ("kfz-zaehlung", "Verkehrsmengen Kfz", "Durchschnittlicher täglicher Verkehr an Hauptstraßen", ("Verkehr",), "tran"),
    ("radwege", "Radverkehrsnetz", "Haupt- und Nebenrouten für den Alltagsverkehr", ("Radweg",), "tran"),
    ("leihraeder", "Bikesharing-Stationen", "Stationen und freie Räder", ("Fahrrad",), "tran"),
    ("parkhaeuser", "Belegung der Parkhäuser", "Freie Stellplätze in Echtzeit", ("Parken",), "tran"),
    ("parkscheinautomaten", "Parkscheinautomaten", "Standorte, Gebührenzonen, Höchstparkdauer", ("Parken",), "tran"),
    ("haltestellen", "Haltestellen des ÖPNV", "Bus- und Bahnsteige mit Barrierefreiheit", ("Nahverkehr",), "tran"),
    ("fahrplan", "Soll-Fahrplandaten (GTFS)", "Linien, Abfahrten und Fahrten des Verkehrsverbundes", ("Bus", "Bahn"), "tran"),
    ("ladesaeulen", "Ladesäulen für Elektrofahrzeuge", "Öffentlich zugängliche Ladepunkte", ("Elektromobilität",), "ener"),
    ("baustellen", "Aktuelle Baustellen", "Sperrungen und Umleitungen", ("Verkehr",), "tran"),
    ("unfaelle", "Verkehrsunfälle mit Personenschaden", "Unfallorte nach Jahr und Beteiligung", ("Unfallatlas",), "tran"),
    ("luftqualitaet", "Messwerte zur Luftqualität", "Feinstaub, Ozon und Stickstoffdioxid, stündlich", ("PM10", "NO2"), "envi"),
    ("laermkarte", "Lärmkartierung", "Umgebungslärm von Straßen und Schienen nach EU-Richtlinie", ("Schall",), "envi"),
    ("pegel", "Pegelstände der Flüsse", "Wasserstände und Abflüsse, alle 15 Minuten", ("Hochwasser",), "envi"),
    ("wetterstation", "Wetterstation Rathaus", "Lufttemperatur, Niederschlag und Wind", ("Klima",), "envi"),
    ("klimaschutz", "Treibhausgasbilanz", "Emissionen nach Sektoren", ("CO2", "Klimaschutz"), "envi"),
    ("solarpotenzial", "Solarpotenzialkataster", "Eignung von Dachflächen für Photovoltaik", ("Energie",), "ener"),
    ("stromverbrauch", "Stromverbrauch städtischer Gebäude", "Jahresverbrauch in kWh", ("Energie",), "ener"),
    ("muellabfuhr", "Abfuhrtermine", "Leerung von Restmüll, Bioabfall, Papier und gelber Tonne", ("Abfallkalender",), "envi"),
    ("wertstoff", "Standorte der Wertstoffcontainer", "Sammelstellen für Glas, Papier und Altkleider", ("Recycling",), "envi"),
    ("haushalt", "Haushaltsplan", "Erträge und Aufwendungen nach Produktbereichen", ("Finanzen",), "gove"),
    ("steuern", "Hebesätze der Realsteuern", "Gewerbesteuer und Grundsteuer seit 1990", ("Finanzen",), "econ"),
    ("einwohner", "Einwohnerzahlen nach Stadtbezirken", "Bevölkerung nach Alter und Geschlecht", ("Statistik",), "soci"),
    ("geburten", "Geborene und Gestorbene", "Natürliche Bevölkerungsbewegung", ("Statistik",), "soci"),
    ("vornamen", "Häufigste Vornamen", "Vornamen Neugeborener nach Jahr", ("Namen",), "soci"),
    ("wahlen", "Ergebnisse der Kommunalwahl", "Stimmen nach Wahlbezirk und Partei", ("Wahl",), "gove"),
    ("ratssitzungen", "Sitzungen des Gemeinderats", "Tagesordnungen, Vorlagen und Beschlüsse", ("OParl",), "gove"),
    ("bebauungsplaene", "Bebauungspläne", "Rechtskräftige Pläne im Standard XPlanung", ("Bauleitplanung",), "regi"),
    ("bodenrichtwerte", "Bodenrichtwerte", "Grundstückspreise nach Zonen", ("Gutachterausschuss",), "regi"),
    ("gebaeude3d", "3D-Gebäudemodell", "Gebäude in LoD2 als CityGML", ("Stadtmodell",), "regi"),
    ("denkmaeler", "Denkmalliste", "Geschützte Kulturdenkmale mit Adresse", ("Denkmalschutz",), "educ"),
    ("friedhoefe", "Friedhöfe", "Grabfelder und Öffnungszeiten", ("Bestattung",), "soci"),
    ("baeder", "Besucherzahlen der Schwimmbäder", "Gäste von Hallenbad und Freibad je Tag", ("Freizeit",), "educ"),
    ("sportstaetten", "Sportstätten", "Turnhallen, Sportplätze und Vereine", ("Sport",), "educ"),
    ("bibliothek", "Ausleihen der Stadtbücherei", "Entleihungen nach Mediengruppe", ("Bücher",), "educ"),
    ("museen", "Museen und Galerien", "Adressen und Öffnungszeiten", ("Kultur",), "educ"),
    ("veranstaltungen", "Veranstaltungskalender", "Konzerte, Feste und Märkte", ("Termine",), "educ"),
    ("wochenmaerkte", "Wochenmärkte", "Marktplätze, Tage und Zeiten", ("Einkaufen",), "econ"),
    ("gewerbe", "Gewerbeanmeldungen", "An- und Abmeldungen nach Wirtschaftszweig", ("Wirtschaft",), "econ"),
    ("arbeitslose", "Arbeitslosenquote", "Arbeitsmarkt nach Stadtteilen", ("Arbeit",), "econ"),
    ("toiletten", "Öffentliche Toiletten", "Standorte, Gebühr, Rollstuhlgerechtigkeit", ("WC",), "soci"),
    ("trinkbrunnen", "Trinkbrunnen", "Brunnen mit Trinkwasser im öffentlichen Raum", ("Hitze",), "envi"),
    ("freifunk", "Freifunk-Zugangspunkte", "Offenes WLAN im Stadtgebiet", ("WLAN",), "tech"),
    ("feuerwehr", "Einsätze der Feuerwehr", "Einsatzzahlen nach Art", ("Brandschutz",), "just"),
    ("krankenhaeuser", "Krankenhäuser", "Betten und Fachabteilungen", ("Gesundheit",), "heal"),
    ("hunde", "Hundebestand", "Angemeldete Hunde nach Rasse", ("Hundesteuer",), "soci"),
    ("mietspiegel", "Mietspiegel", "Ortsübliche Vergleichsmieten", ("Wohnen",), "soci"),
    ("gruenflaechen", "Park- und Grünanlagen", "Gepflegte Flächen mit Größe", ("Erholung",), "envi"),
    ("ampeln", "Lichtsignalanlagen", "Standorte mit Blindenakustik", ("Verkehr",), "tran"),
    ("trinkwasser", "Trinkwasseranalyse", "Härtegrad und Inhaltsstoffe nach Versorgungszone", ("Wasser",), "heal"),
)

#: What is typed, and what should be among the first three.
QUERIES = (
    ("bäume", "baumkataster"),
    ("Baeume", "baumkataster"),
    ("Baum Standorte", "baumkataster"),
    ("Straßen", "strassenverzeichnis"),
    ("strassennamen", "strassenverzeichnis"),
    ("Straßenlaternen", "strassenbeleuchtung"),
    ("Kita", "kitas"),
    ("kindergärten", "kitas"),
    ("Schule", "schulen"),
    ("Anzahl Schüler", "schuelerzahlen"),
    ("spielplatz", "spielplaetze"),
    ("Spielplaz", "spielplaetze"),
    ("Fahrradzählung", "radzaehlung"),
    ("Zählstellen Fahrrad", "radzaehlung"),
    ("Verkehrszählung Autos", "kfz-zaehlung"),
    ("Fahrradwege", "radwege"),
    ("Leihfahrräder", "leihraeder"),
    ("freie Parkplätze", "parkhaeuser"),
    ("Parkhaus Belegung", "parkhaeuser"),
    ("Bushaltestellen", "haltestellen"),
    ("Fahrpläne Bus", "fahrplan"),
    ("Ladestation Elektroauto", "ladesaeulen"),
    ("Straßensperrungen", "baustellen"),
    ("Unfallschwerpunkte", "unfaelle"),
    ("Luftverschmutzung", "luftqualitaet"),
    ("feinstaup", "luftqualitaet"),
    ("Lärm", "laermkarte"),
    ("Wasserstand Fluss", "pegel"),
    ("Temperatur", "wetterstation"),
    ("Niederschläge", "wetterstation"),
    ("CO2 Emissionen", "klimaschutz"),
    ("Solardächer", "solarpotenzial"),
    ("Energieverbrauch Gebäude", "stromverbrauch"),
    ("Müllabfuhr Termine", "muellabfuhr"),
    ("Altglas", "wertstoff"),
    ("Haushalt der Stadt", "haushalt"),
    ("Grundsteuer", "steuern"),
    ("Bevölkerung", "einwohner"),
    ("Bevölkerung nach Bezirk", "einwohner"),
    ("beliebte Vornamen", "vornamen"),
    ("Wahlergebnisse", "wahlen"),
    ("Stadtrat Beschlüsse", "ratssitzungen"),
    ("B-Plan", "bebauungsplaene"),
    ("Denkmäler", "denkmaeler"),
    ("Schwimmbad Besucher", "baeder"),
    ("Bibliotek", "bibliothek"),
    ("Museum", "museen"),
    ("öffentliches WC", "toiletten"),
    ("Ampel", "ampeln"),
    ("Krankenhauss", "krankenhaeuser"),
)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    """A catalogue as a German city has it."""
    opened = Catalog(f"sqlite:///{tmp_path_factory.mktemp('relevance') / 'state.sqlite'}")
    opened.migrate()
    bulk(opened, *({"name": n, "title": t, "notes": d, "tags": k, "groups": [g]} for n, t, d, k, g in DATASETS))
    yield opened
    opened.close()


def test_fifty_german_searches_find_the_right_dataset_among_the_first(city: Catalog) -> None:
    assert len(QUERIES) == 50
    places = {}
    for query, wanted in QUERIES:
        names = [entry.name for entry in city.search(query, principal=ANYBODY, limit=10).entries]
        places[query] = names.index(wanted) if wanted in names else None
    gain = sum(1 / log2(2 + place) for place in places.values() if place is not None) / len(places)
    late = {query: place for query, place in places.items() if place is None or place > 2}
    print(f"nDCG@10 {gain:.3f}; first {sum(place == 0 for place in places.values())} of 50; not among the first three: {late}")
    assert not late
    assert gain >= 0.9
