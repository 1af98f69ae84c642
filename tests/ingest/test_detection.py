"""A sample is recognised by its content, whatever its name: decoder, notation, columns, people."""

import contextlib
import io
import json
import time
import tomllib
import zipfile
import zlib
from pathlib import Path

import pytest

from stadthub_ingest import registry
from stadthub_ingest.detection.detect import detect
from stadthub_ingest.detection.proposal import Field, Proposal
from stadthub_schemas.errors import FeedError
from stadthub_schemas.feed import Feed

CASES = Path(__file__).parents[1] / "connectors"

#: Payloads that nobody could tell by their content: broken on purpose, or fit for two decoders alike.
NOT_TOLD = {
    "arcgis-geojson", "arcgis-refused", "datex2_parking-bomb", "gtfs-broken", "ogc_features-refused", "wfs-geojson", "wfs-refused", "gtfs_realtime-broken", "json_table-broken", "json_table-pairs", "meshviewer-broken",
    "table_schema-statistics", "xlsx_table-bomb", "xlsx_table-broken", "xlsx_table-far-cell",
}  # fmt: skip
TOLD = [case for case in sorted(CASES.iterdir()) if case.name not in NOT_TOLD]

WIDE = """Luftmessnetz Musterstadt
Stand heute
Station;Zeit;PM10 [µg/m³];Lufttemperatur (°C);Längengrad;Breitengrad
Nord;01.02.2026 10:00;13,5;4,1;10,01;51,02
Süd;01.02.2026 10:00;1.014,0;-;10,02;51,03
Nord;01.02.2026 11:00;14,5;4,3;10,01;51,02
Süd;01.02.2026 11:00;15,0;4,4;10,02;51,03
Nord;01.02.2026 12:00;15,5;4,5;10,01;51,02
"""

PEOPLE = """Nummer;Vorname;Nachname;Straße;E-Mail;Telefon;IBAN;Gerät;Adresse im Netz;Geburtsdatum;Kennzeichen;Betrag
1;Erika;Muster;Weg 1;erika@example.org;0931 123456;DE89370400440532013000;02:00:5e:10:00:01;192.0.2.7;01.02.1980;WÜ-AB 123;5
2;Max;Muster;Weg 2;max@example.org;+49 931 654321;DE89370400440532013000;02:00:5e:10:00:02;192.0.2.8;03.02.1981;M-XY 9;7
"""


def named(proposal: Proposal) -> dict[str, Field]:
    """The mapping by column."""
    return {field.place: field for field in proposal.fields}


@pytest.mark.parametrize("case", TOLD, ids=lambda case: case.name)
def test_the_payload_of_a_golden_folder_finds_its_decoder(case: Path) -> None:
    feed = tomllib.loads((case / "feed.toml").read_text("utf-8"))
    payload = next(case.glob("payload.*"))
    assert detect(payload.read_bytes(), payload.name).decoder == feed["decoder"]


def test_a_wide_table_is_read_with_its_notation_units_and_time_zone() -> None:
    found = detect(WIDE.encode("cp1252"), "luft.csv")
    assert (found.decoder, found.kind, found.frequency) == ("csv_table", "timeseries", "HOURLY")
    assert found.value("encoding") == "Windows-1252"
    assert found.options["delimiter"] == ";"
    assert found.options["skip_rows"] == 2
    assert (found.options["decimal"], found.options["thousands"]) == (",", ".")
    assert found.options["times"] == {"formats": ["%d.%m.%Y %H:%M"], "time_zone": "Europe/Berlin"}
    columns = named(found)
    assert {place: field.becomes for place, field in columns.items()} == {
        "Station": "thing",
        "Zeit": "phenomenon_time",
        "PM10 [µg/m³]": "value",
        "Lufttemperatur (°C)": "value",
        "Längengrad": "longitude",
        "Breitengrad": "latitude",
    }
    assert (columns["PM10 [µg/m³]"].name, columns["PM10 [µg/m³]"].unit) == ("pm10", "ug/m3")
    assert (columns["Lufttemperatur (°C)"].name, columns["Lufttemperatur (°C)"].unit) == ("air_temperature", "Cel")
    assert all(guess.reason.de and guess.reason.en and 0 < guess.confidence <= 1 for guess in found.guesses)


def test_a_long_table_names_what_it_observes_in_a_column() -> None:
    rows = "\n".join(f"2026-01-01T0{hour}:00:00Z,a,{name},{hour}" for hour in range(9) for name in ("no2", "o3"))
    found = detect(f"time,station,parameter,value\n{rows}\n".encode(), "x")
    assert found.value("shape") == "long"
    assert found.options["columns"] == {"phenomenon_time": "time", "thing": "station", "observed_property": "parameter", "result": "value"}
    assert "times" not in found.options


@pytest.mark.parametrize(
    ("cells", "pattern"),
    [
        (("13/02/2026", "01/02/2026", "02/02/2026"), "%d/%m/%Y"),
        (("02/13/2026", "02/01/2026", "02/02/2026"), "%m/%d/%Y"),
        (("02/03/2026", "02/01/2026", "02/02/2026"), "%d/%m/%Y"),
        (("2026-02-01", "2026-02-02", "2026-02-03"), "%Y-%m-%d"),
        (("2026020110", "2026020111", "2026020112"), "%Y%m%d%H"),
        (("1760000000", "1760000900", "1760001800"), "epoch"),
        (("1760000000123", "1760000900123", "1760001800123"), "epoch_ms"),
    ],
)
def test_day_month_and_epoch_are_told_by_what_they_can_be(cells: tuple[str, ...], pattern: str) -> None:
    rows = "\n".join(f"a;{cell};{number}.5" for number, cell in enumerate(cells))
    found = detect(f"station;datum;pm10\n{rows}\n".encode(), "x.csv")
    assert found.value("times") == pattern


def test_day_and_clock_in_two_columns_are_one_time() -> None:
    found = detect(b"Ort;Datum;Uhrzeit;PM10\nA;01.02.2026;10:00;1\nA;01.02.2026;11:00;2\nA;02.02.2026;11:30;3\n", "x.csv")
    assert found.options["columns"]["phenomenon_time"] == ["Datum", "Uhrzeit"]
    assert found.options["times"]["formats"] == ["%d.%m.%Y %H:%M"]


@pytest.mark.parametrize(
    ("east", "north", "code"),
    [
        (7.62, 51.96, "EPSG:4326"),
        (405_000, 5_757_000, "EPSG:25832"),
        (3_405_000, 5_759_000, "EPSG:31467"),
        (848_000, 6_790_000, "EPSG:3857"),
    ],
)
def test_the_reference_system_is_told_by_the_range_of_its_values(east: float, north: float, code: str) -> None:
    rows = "\n".join(f"{number};{east + number / 1000};{north + number / 1000}" for number in range(5))
    found = detect(f"id;Rechtswert;Hochwert\n{rows}\n".encode(), "x.csv")
    assert found.value("crs") == code
    assert found.options.get("crs", "EPSG:4326") == code
    assert found.options["columns"] == {"id": "id", "longitude": "Rechtswert", "latitude": "Hochwert"}


def test_swapped_degrees_are_put_right() -> None:
    found = detect(b"id,lon,lat\n1,51.96,7.62\n2,51.97,7.63\n3,51.98,7.64\n", "x.csv")
    assert found.options["columns"] == {"id": "id", "longitude": "lat", "latitude": "lon"}


def test_what_tells_of_people_is_left_out_masked_and_never_stored() -> None:
    found = detect(PEOPLE.encode(), "liste.csv")
    told = {field.place: field.personal for field in found.fields if field.personal}
    assert told == {
        "Vorname": "name", "Nachname": "name", "Straße": "address", "E-Mail": "email", "Telefon": "phone", "IBAN": "iban", "Gerät": "mac",
        "Adresse im Netz": "ip", "Geburtsdatum": "birth", "Kennzeichen": "plate",
    }  # fmt: skip
    assert all(field.becomes == "drop" for field in found.fields if field.personal)
    assert found.options["keep"] == "named"
    assert found.options["properties"] == {"nummer": "Nummer", "betrag": "Betrag"}
    shown = json.dumps([field.examples for field in found.fields if field.personal]) + str(found.warnings)
    assert not any(secret in shown for secret in ("Erika", "erika@", "123456", "DE89", "5e:10", "192.0", "1980", "AB 123"))


def test_a_station_is_not_a_person() -> None:
    found = detect(b"id;name;strasse;kapazitaet;lat;lon\n1;Rathaus;Weg 1;10;50.1;10.2\n2;Dom;Weg 2;11;50.2;10.3\n", "x.csv")
    assert not any(field.personal for field in found.fields)
    assert "keep" not in found.options


def test_the_change_of_the_kind_of_a_json_answer_follows_its_content() -> None:
    live = [{"id": "p1", "free": 3, "lat": 50.1, "lon": 10.1}, {"id": "p2", "free": 5, "lat": 50.2, "lon": 10.2}]
    found = detect(json.dumps({"data": {"parkings": live}}).encode(), "x")
    assert (found.decoder, found.kind, found.options["rows"]) == ("json_table", "timeseries", "data.parkings[*]")
    assert found.options["constants"] == {"phenomenon_time": "received"}
    assert found.options["values"] == {"free": {"observed_property": "parking_free", "unit": "{count}"}}


@pytest.mark.parametrize(
    "header", ["PLZ", "Postleitzahl", "plz_ort", "AGS", "Gemeindeschlüssel", "Amtl. Gemeindeschlüssel", "ARS", "Vorwahl", "zip"]
)
def test_codes_are_text_though_they_are_written_in_digits(header: str) -> None:
    rows = "\n".join(f"{48143 + number};{number % 7}" for number in range(20))
    found = named(detect(f"{header};Anzahl je PLZ\n{rows}\n".encode(), "orte.csv"))
    assert [one.type for one in found.values()] == ["text", "integer"]


@pytest.mark.parametrize("header", ["OBJECTID", "FID", "gid", "id", "uuid", "GlobalID", "nummer", "Nr.", "lfd. Nr."])
def test_a_technical_id_is_proposed_as_what_tells_rows_apart(header: str) -> None:
    rows = "\n".join(f"Art {number % 3};{number + 1};x{number % 4}" for number in range(20))
    found = detect(f"Art;{header};Bemerkung\n{rows}\n".encode(), "liste.csv")
    assert [one.place for one in found.fields if one.becomes == "key"] == [header]
    twice = detect(f"Art;{header};Bemerkung\n{rows}\nArt 1;1;y\n".encode(), "liste.csv")
    assert [one.place for one in twice.fields if one.becomes == "key"] == [], "what stands twice tells nothing apart"


def test_access_points_become_counts_and_nothing_else() -> None:
    points = [{"serial": "A1", "macaddr": "02:00:5e:10:00:01", "client_count": 3}, {"serial": "A2", "client_count": 1}]
    found = detect(json.dumps({"aps": points}).encode(), "x")
    assert (found.decoder, found.options) == ("wlan_counts", {"rows": "aps", "id": "serial", "values": {"wifi_clients": "client_count"}})


@pytest.mark.parametrize(
    ("body", "decoder"),
    [
        (b'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document/></kml>', "kml"),
        (b'<wfs:FeatureCollection xmlns:wfs="http://www.opengis.net/wfs/2.0"><wfs:member/></wfs:FeatureCollection>', "wfs"),
        (b"SQLite format 3\x00" + bytes(100), "geopackage"),
        (b"fgb\x03fgb\x01" + bytes(100), "flatgeobuf"),
        (b'{"geometryType":"esriGeometryPoint","spatialReference":{"wkid":4326},"features":[{"attributes":{"a":1}}]}', "arcgis"),
        (b'{"version":0.6,"osm3s":{},"elements":[{"type":"node","id":1}]}', "overpass"),
        (b'{"type":"FeatureCollection","numberReturned":1,"links":[{"rel":"self","href":"x"}],"features":[]}', "ogc_features"),
        (zlib.compress(b"a;b\n1;2\n3;4\n5;6\n", wbits=31), "csv_table"),
    ],
)
def test_other_formats_are_named_whether_or_not_this_version_reads_them(body: bytes, decoder: str) -> None:
    found = detect(body, "x")
    assert found.decoder == decoder
    assert any(decoder in warning.en for warning in found.warnings) == (decoder not in registry.names())


def test_a_shapefile_in_a_zip_is_named() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for ending in ("shp", "dbf", "shx", "prj"):
            archive.writestr(f"kreise.{ending}", b"x")
    assert detect(packed.getvalue(), "x.zip").decoder == "shapefile"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"  \n ", "it is empty"),
        (b"%PDF-1.7 ...", "ask the source for CSV"),
        (b"<!DOCTYPE html><html><body>Daten</body></html>", "this is a web page"),
        (b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a/>', "DOCTYPE"),
        (b"Ein Satz ohne Tabelle.\nUnd noch einer, der lang ist.\n", "neither a table nor"),
        (b'{"type":"object","properties":{"a":{}}}', "JSON Schema"),
        (b'["a","b"]', "without objects"),
        (b'{"error":{"code":400,"message":"Pagination is not supported."}}', "answers with an error: Pagination is not supported"),
        (b'{"type":"x","title":"Bad Request","status":400,"detail":"limit is too large"}', "answers with an error: limit is too large"),
        (b'<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows/1.1"/>', "exception report"),
        (bytes(range(256)) * 8, "binary format"),
        (b"PK\x03\x04 broken", "zip archive"),
    ],
)
def test_what_no_decoder_reads_is_refused_with_a_word_of_advice(body: bytes, words: str) -> None:
    with pytest.raises(FeedError, match=words):
        detect(body, "https://user:secret@example.org/a/daten?key=secret")


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b";" * 2_000_000,
        b"a;b\n" + b'"' * 1_000_000,
        (b"0" * 300 + b"@" + b"a." * 300 + b";x\n") * 2_000,
        b"\n" * 1_000_000 + b"a;b\n1;2\n",
        b"<a>" * 300_000,
        json.dumps({f"k{number}": {f"m{inner}": inner for inner in range(200)} for number in range(400)}).encode(),
        ("+" + "1 " * 200 + "\n").encode() * 3_000,
    ],
    ids=["lists", "objects", "delimiters", "quotes", "mails", "lines", "elements", "members", "phones"],
)
def test_a_hostile_sample_takes_neither_long_nor_the_machine(body: bytes) -> None:
    begin = time.process_time()
    with contextlib.suppress(FeedError):
        detect(body, "x")
    assert time.process_time() - begin < 10


def test_options_that_are_proposed_are_right_for_their_decoder() -> None:
    for case in TOLD:
        payload = next(case.glob("payload.*"))
        found = detect(payload.read_bytes(), payload.name)
        if found.decoder not in registry.names():
            continue
        told = {"id": "xx", "title": "x", "dataset": "xx", "kind": found.kind, "decoder": found.decoder, "source": {"type": "push"}}
        registry.read_options(Feed.model_validate({**told, "options": found.options}))
