"""`stadthub dataset import`: a file of every format becomes a dataset with true types; what is wrong, hostile or personal is told."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from tests.cli.conftest import Command
from tests.pipelines.filesmade import FILES, cell, csv, workbook, zipped
from typer.testing import CliRunner

from stadthub_api.cli.app import app
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_schemas.feed import load_feed
from stadthub_schemas.query import RowsQuery

WORDS = [
    "--title=Bäume",
    "--license=dl-de-by-2.0",
    "--organization=Stadt Musterstadt",
    "--yes",
    *(
        f"--set=metadata.{one}"
        for one in (
            "description=Bäume",
            "contact.name=Grünamt",
            "release.by=Grünamt",
            "release.date=2026-01-01",
            "release.legal_basis=EGovG",
        )
    ),
]
TYPES = {"nr": "integer", "art": "text", "hoehe": "number", "plz": "text", "gepflanzt": "date"}

Told = Callable[..., Any]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one hub for all tests here."""
    folder = tmp_path_factory.mktemp("imports") / "my-city"
    assert CliRunner().invoke(app, ["init", str(folder)]).exit_code == 0
    return folder


@pytest.fixture
def city(shared: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same; commands are given in it."""
    monkeypatch.chdir(shared)
    return shared


@pytest.fixture
def imported(told: Told, city: Path) -> Told:
    """Import these bytes under this file name; what the command says."""

    def load(name: str, body: bytes, *more: str) -> Any:
        (city / name).write_bytes(body)
        return told("dataset", "import", name, *WORDS, *more)

    return load


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_each_format_becomes_a_dataset_with_true_types(name: str, imported: Told, told: Told, city: Path) -> None:
    make, kind = FILES[name]
    done = imported(name, make(city), f"--name=als-{name.replace('.', '-')}")
    assert (done["received"], done["stored"], done["rejected"], done["error"]) == (30, 30, 0, None)
    entry = told("dataset", "show", done["dataset"])
    columns = {one["name"]: one["type"] for one in entry["columns"]}
    assert entry["dataset"]["kind"] == kind
    if name.endswith("gpx"):
        assert {"kind", "name", "begin"} <= columns.keys()
    else:
        wanted = {key: value for key, value in TYPES.items() if kind == "table" or key != "nr"}
        assert {key: columns[key] for key in wanted} == wanted
    if kind == "features":
        west, south, east, north = entry["extent"]["bbox"]
        assert 10 < west < east < 12
        assert 50.8 < south <= north < 51
    original = next(one for one in entry["distributions"] if "/original/" in one["url"])
    assert original["size"] == (city / name).stat().st_size


def test_properties_of_geodata_whose_names_are_no_names_of_columns_come_under_names_that_are(
    imported: Told, told: Told, city: Path
) -> None:
    properties = {
        "OBJECTID": 7,
        "Name der Anlage": "Sonnental",
        "Straße": "Weg 1",
        "STRASSE": "Weg 2",
        "Fläche (m²)": 1.5,
        "geometry": "Punkt",
        "Adresse": {"plz": "01067"},
    }
    feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [11.0, 50.9]}, "properties": properties}
    done = imported("gärten.geojson", json.dumps({"type": "FeatureCollection", "features": [feature]}).encode(), "--name=gaerten-geo")
    assert (done["stored"], done["rejected"], done["error"]) == (1, 0, None)
    columns = {one["name"]: (one["title"], one["type"]) for one in told("dataset", "show", "gaerten-geo")["columns"]}
    assert columns["name_der_anlage"] == ("Name der Anlage", "text")
    assert columns["flaeche_m2"] == ("Fläche (m²)", "number")
    assert {columns["strasse"][0], columns["strasse_2"][0]} == {"Straße", "STRASSE"}
    lake = Lake(Reader(str(city / "data" / "lake"), city / "data"))
    [row] = json.loads(b"".join(lake.export(RowsQuery("gaerten-geo", limit=None), "json")))
    assert (row["id"], row["strasse"], row["strasse_2"], row["geometry_2"]) == ("7", "Weg 1", "Weg 2", "Punkt")
    assert json.loads(row["adresse"]) == {"plz": "01067"}, "a property that is an object is JSON as a text"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gross.geojson", "bigger than 200 MB, and a file of this kind is read as a whole: divide it"),
        ("gross.json", "bigger than 200 MB, and a file of this kind is read as a whole: write it as NDJSON"),
        ("gross.xlsx", "unpacked it is bigger than 400 MB, and a file of this kind is read as a whole: save it as CSV"),
    ],
)
def test_a_file_that_would_take_too_much_memory_is_refused_before_it_is_read(name: str, words: str, stadthub: Command, city: Path) -> None:
    path = city / name
    if name.endswith("xlsx"):
        with ZipFile(path, "w", ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr("xl/workbook.xml", "<workbook/>")
            with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
                for _ in range(401):
                    sheet.write(bytes(1_000_000))
    else:
        begin = b'{"type": "FeatureCollection", "features": [' if name.endswith("geojson") else b'[{"nr": 1},'
        path.write_bytes(begin + b" " * 700_000)
        os.truncate(path, 201_000_000)
    done = stadthub("dataset", "import", name, *WORDS)
    assert done.exit_code == 1
    assert words in " ".join(done.stderr.split())
    path.unlink()


def test_a_preview_writes_nothing_and_its_schema_can_be_corrected(stadthub: Command, told: Told, city: Path) -> None:
    (city / "vorschau.csv").write_bytes(csv(city))
    schema = told("dataset", "import", "vorschau.csv", "--preview")
    assert {one["name"]: one["type"] for one in schema["columns"].values()} == TYPES
    assert "Nothing was written" in stadthub("dataset", "import", "vorschau.csv", "--preview").stderr
    assert not list((city / "feeds").glob("vorschau*"))
    schema["columns"]["nr"] |= {"type": "text", "name": "nummer"}
    schema["columns"]["art"]["becomes"] = "drop"
    schema["columns"]["hoehe"]["unit"] = "m"
    (city / "schema.json").write_text(json.dumps(schema))
    told("dataset", "import", "vorschau.csv", "--schema", "schema.json", *WORDS)
    columns = {one["name"]: (one["type"], one["unit"]) for one in told("dataset", "show", "vorschau")["columns"]}
    assert columns["nummer"] == ("text", None)
    assert columns["hoehe"] == ("number", "m")
    assert "art" not in columns
    wrong = stadthub("dataset", "import", "vorschau.csv", "--schema", "nowhere.toml")
    assert wrong.exit_code == 1
    assert "can't be read as a schema" in wrong.stderr


def test_another_file_becomes_a_new_version_with_other_types_and_the_old_one_can_be_read(imported: Told, told: Told, city: Path) -> None:
    imported("baeume.csv", csv(city))
    reader = Reader(str(city / "data" / "lake"), city / "data")
    first = reader.snapshot("baeume")
    again = imported("baeume.csv", csv(city) + b"30,Birke,abc,99084,2026-05-01\n")
    assert (again["received"], again["rejected"]) == (31, 1), "abc is no number"
    assert reader.snapshot("baeume").rows == 30
    assert reader.snapshot("baeume", first.time).rows == 30
    third = imported("baeume.csv", csv(city).replace(b"Linde", b"Birke"))
    assert (third["stored"], third["duplicate"]) == (10, 20)
    assert told("dataset", "import", "baeume.csv", *WORDS)["received"] == 0, "the same file once more"
    (city / "andere.csv").write_text("Nr;Name\nA1;Linde\nA2;Eiche\n")
    assert told("dataset", "import", "andere.csv", "--name=baeume", *WORDS)["stored"] == 2
    assert {one["name"] for one in told("dataset", "show", "baeume")["columns"]} == {"nr", "name"}
    assert reader.snapshot("baeume", first.time).rows == 30


def test_columns_on_people_never_reach_the_disk_and_a_file_that_can_not_be_freed_of_them_is_not_kept(
    imported: Told, stadthub: Command, told: Told, city: Path
) -> None:
    text = "Nr;Art;E-Mail\n" + "".join(f"{n};Linde;erika{n}@example.org\n" for n in range(20))
    (city / "melder.csv").write_text(text)
    told("dataset", "import", "melder.csv", *WORDS)
    (city / "melder.csv").unlink()
    there = [path for path in city.rglob("*") if path.is_file() and b"erika" in path.read_bytes()]
    assert there == []
    rows = "".join(f"<table:table-row>{cell(n)}{cell(f'erika{n}@example.org')}</table:table-row>" for n in range(20))
    head = f"<table:table-row>{cell('Nr')}{cell('E-Mail')}</table:table-row>"
    (city / "blatt.ods").write_bytes(workbook(head + rows))
    refused = stadthub("dataset", "import", "blatt.ods", *WORDS)
    assert refused.exit_code == 1
    assert "E-Mail" in refused.stderr
    assert not list((city / "feeds").glob("blatt*"))


NOTATIONS: dict[str, tuple[bytes, dict[str, Any]]] = {
    "utf16.csv": (
        "Nr;Straße;Länge\n1;Große Straße;1,5\n2;Öhde;2,25\n3;Weg;3,0\n".encode("utf-16"),
        {"nr": 1, "strasse": "Große Straße", "laenge": 1.5},
    ),
    "vorspann.csv": (
        b"Stadt Musterstadt\nStand: 2026\n\nNr;Name;Wert\n1;a;1.234,50\n2;b;7,25\n3;c;9,00\n",
        {"nr": 1, "name": "a", "wert": 1234.5},
    ),
    "tage.json": (
        json.dumps([{"nr": n, "tag": f"2026-05-0{n}", "zeit": f"2026-05-0{n}T23:30:00"} for n in range(1, 6)]).encode(),
        {"nr": 1, "tag": "2026-05-01", "zeit": "2026-05-01T21:30:00Z"},
    ),
    "tage.csv": (
        ("nr,tag,zeit\n" + "".join(f"{n},0{n}.05.2026,0{n}.05.2026 23:30\n" for n in range(1, 6))).encode(),
        {"nr": 1, "tag": "2026-05-01", "zeit": "2026-05-01T21:30:00Z"},
    ),
    "kommas.csv": (b'nr,text\n1,"eins, zwei\ndrei"\n2,"vier ""f\xc3\xbcnf"""\n', {"nr": 1, "text": "eins, zwei\ndrei"}),
}


@pytest.mark.parametrize("name", NOTATIONS)
def test_encodings_notations_and_days_beside_times_are_read_as_they_are_meant(name: str, imported: Told, told: Told, city: Path) -> None:
    body, first = NOTATIONS[name]
    dataset = f"not-{name.replace('.', '-')}"
    assert imported(name, body, f"--name={dataset}")["rejected"] == 0
    row = json.loads(b"".join(Lake(Reader(str(city / "data" / "lake"), city / "data")).export(RowsQuery(dataset, limit=None), "json")))[0]
    assert {key: row[key] for key in first} == first


PIECES = 40_000


def test_a_large_file_is_read_in_pieces_and_all_of_it_is_there(imported: Told, city: Path) -> None:
    line = '{n},"ein langer Text, mit Komma und ""Zeichen"" darin, der die Datei groß macht, damit sie in mehreren Teilen gelesen wird {n}",{n}.5\n'
    body = "nr,text,wert\n" + "".join(line.replace("{n}", str(n)) for n in range(PIECES * 2))
    body += "falsch,text,1.5\n"
    done = imported("gross.csv", body.encode(), "--name=gross")
    assert done["received"] == PIECES * 2 + 1
    assert (done["stored"], done["rejected"]) == (PIECES * 2, 1)


HOSTILE = {
    "bombe.ods": workbook(
        f"<table:table-row>{cell('a')}{cell('b')}</table:table-row>"
        f'<table:table-row table:number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="1000" '
        'office:value-type="float" office:value="1"><text:p>1</text:p></table:table-cell></table:table-row>'
    ),
    "entitaeten.gpx": b'<!DOCTYPE gpx [<!ENTITY a "b">]><gpx xmlns="http://www.topografix.com/GPX/1/1"><wpt lat="1" lon="1"/></gpx>',
    "bombe.zip": zipped({"a.csv": "0" * 60_000_000}),
    "falsch.csv": b"\x89PNG\r\n\x1a\n" + b"\0" * 1000,
    "leer.csv": b"",
    "kopf.csv": b"\n\n\n",
    "kaputt.parquet": b"PAR1" + b"\xff" * 100 + b"PAR1",
    "kaputt.gpkg": b"SQLite format 3\0" + b"\xff" * 2000,
    "seite.csv": b"<html><body>nicht gefunden</body></html>",
    "tief.json": b"[" * 100_000,
    "pfad.zip": zipped({"../../boese.csv": "a,b\n1,2\n"}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_or_broken_file_is_refused_in_a_sentence_and_not_kept(name: str, stadthub: Command, city: Path) -> None:
    (city / name).write_bytes(HOSTILE[name])
    before = uploads(city)
    refused = stadthub("dataset", "import", name, *WORDS)
    assert refused.exit_code == 1, refused.stdout
    assert "Traceback" not in refused.stderr
    assert len(refused.stderr.strip()) > 20
    assert uploads(city) == before


def uploads(city: Path) -> list[Path]:
    """The files that are kept."""
    return sorted(path for path in (city / "data" / "uploads").rglob("*") if path.is_file())


def test_a_file_whose_name_lies_is_read_as_what_it_is(imported: Told, city: Path) -> None:
    make, _ = FILES["baeume.geojson"]
    assert imported("gelogen.csv", make(city))["stored"] == 30
    feed = load_feed(city / "feeds" / "gelogen.toml")
    assert feed.decoder == "geojson"


def test_the_id_of_a_geodata_file_and_of_a_table_with_times_is_its_key(told: Told, city: Path) -> None:
    (city / "orte.gpkg").write_bytes(FILES["baeume.gpkg"][0](city))
    columns = told("dataset", "import", str(city / "orte.gpkg"), "--preview")["columns"]
    assert {place: one["becomes"] for place, one in columns.items() if place.endswith((".nr", ".art"))} == {
        "properties.nr": "id",
        "properties.art": "property",
    }
    rows = "".join(f"S{number % 3};{number}.5;2024-01-{number + 1:02};{number};x{number}y\n" for number in range(20))
    (city / "messung.csv").write_text("Station;Temperatur;Datum;OBJECTID;Bemerkung\n" + rows, "utf-8")
    found = told("dataset", "import", str(city / "messung.csv"), "--preview")
    assert found["kind"] == "table"
    assert [place for place, one in found["columns"].items() if one["becomes"] == "key"] == ["OBJECTID"]
