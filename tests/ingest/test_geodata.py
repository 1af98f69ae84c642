"""Geodata: the decoders agree with GDAL's own reading of the same files, and coordinates come to CRS84 with the original kept."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely

from stadthub_ingest.crs import Crs, CrsError, read_crs
from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Judged
from tests.ingest.feeds import feed, payload

UTM = "EPSG:25832"
AREA = shapely.Polygon(
    [(409000, 5765000), (409100, 5765000), (409100, 5765100), (409000, 5765000)],
    [[(409050, 5765010), (409090, 5765010), (409090, 5765050), (409050, 5765010)]],
)
SHAPES = {
    "Point": shapely.Point(409166.411, 5765040.423),
    "LineString": shapely.LineString([(409000, 5765000), (409100.25, 5765000.5), (409100, 5765100)]),
    "Polygon": AREA,
    "MultiPoint": shapely.MultiPoint([(409000, 5765000), (409100, 5765000)]),
    "MultiLineString": shapely.MultiLineString([[(409000, 5765000), (409100, 5765000)], [(409000, 5765010), (409100, 5765010)]]),
    "MultiPolygon": shapely.MultiPolygon([AREA, shapely.box(409200, 5765000, 409300, 5765100)]),
}
NAMES = np.array(["Süd", "ä\"<&>'", "Nord"], dtype=object)
NUMBERS = np.array([1, -2, 3], dtype=np.int32)

#: GDAL's driver, ending and options to write with, by decoder.
WAYS = [
    ("geopackage", "GPKG", "gpkg", {}),
    ("flatgeobuf", "FlatGeobuf", "fgb", {}),
    ("shapefile", "ESRI Shapefile", "shp", {}),
    ("geojson", "GeoJSON", "geojson", {"RFC7946": "NO"}),
    ("wfs", "GML", "gml", {"FORMAT": "GML2"}),
    ("wfs", "GML", "gml", {"FORMAT": "GML3"}),
    ("wfs", "GML", "gml", {"FORMAT": "GML3.2"}),
    ("kml", "KML", "kml", {}),
    ("kml", "LIBKML", "kml", {}),
]


def judged(decoder: str, body: bytes, options: dict[str, Any] | None = None, name: str = "payload") -> Judged:
    return Judge(feed(decoder, options, kind="features")).judge([payload(body, name)])


def written(folder: Path, driver: str, ending: str, options: dict[str, str], shape: Any) -> tuple[Path, bytes]:
    """A file as GDAL writes it, and what a feed would bring of it."""
    path = folder / f"places.{ending}"
    degrees = ending == "kml"
    shapes = [shapely.transform(shape, lambda xy, step=step: xy / ([100_000, 1_000_000] if degrees else 1) + step) for step in (0, 1, 2)]
    pyogrio.raw.write(
        path,
        np.array(shapely.to_wkb(shapes), dtype=object),
        [NAMES, NUMBERS],
        ["name", "zahl"],
        geometry_type=shape.geom_type,
        crs="EPSG:4326" if degrees else UTM,
        driver=driver,
        layer="places",
        dataset_options=options if driver in ("GML", "KML", "LIBKML") else None,
        layer_options=options if driver == "GeoJSON" else None,
    )
    if ending != "shp":
        return path, path.read_bytes()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for part in folder.glob("places.*"):
            file.write(part, part.name)
    return path, archive.getvalue()


#: What is read in a process of its own takes its time: two kinds of geometry are enough there.
CASES = [(*way, kind) for way in WAYS for kind in SHAPES if way[2] in ("geojson", "gml", "kml") or kind in ("Point", "MultiPolygon")]


@pytest.mark.parametrize(
    ("decoder", "driver", "ending", "options", "kind"), CASES, ids=[f"{case[1]}{case[3].get('FORMAT', '')}-{case[4]}" for case in CASES]
)
def test_a_file_reads_as_gdal_itself_reads_it(
    decoder: str, driver: str, ending: str, options: dict[str, str], kind: str, tmp_path: Path
) -> None:
    path, body = written(tmp_path, driver, ending, options, SHAPES[kind])
    about, _, wkb, fields = pyogrio.raw.read(path)
    theirs = shapely.from_wkb(wkb)
    found = judged(decoder, body, {"id": "zahl"} if decoder == "geojson" else None)
    assert (found.accepted.num_rows, found.rejects.to_pylist()) == (3, [])
    originals = found.accepted["original_geometry"] if ending != "kml" else found.accepted["geometry"]
    ours = shapely.from_wkb(originals.to_pylist())
    for mine, his in zip(ours, theirs, strict=True):
        assert shapely.equals_exact(shapely.force_2d(shapely.normalize(mine)), shapely.force_2d(shapely.normalize(his)), tolerance=1e-7)
    if ending != "kml":
        assert set(found.accepted["original_crs"].to_pylist()) == {UTM}
    values = dict(zip((str(name).lower() for name in about["fields"]), fields, strict=True))
    for number, text in enumerate(found.accepted["properties"].to_pylist()):
        properties = {name.lower(): value for name, value in json.loads(text).items()}
        assert (properties["name"], properties["zahl"]) == (values["name"][number], values["zahl"][number])


ARCS = {
    "Curve": "<gml:segments><gml:Arc><gml:posList>500000 5760000 500001 5760001 500002 5760000</gml:posList></gml:Arc>"
    "<gml:ArcString><gml:posList>500002 5760000 500003 5759999 500004 5760000 500005 5760001 500006 5760000</gml:posList></gml:ArcString></gml:segments>",
    "CompositeCurve": "<gml:curveMember><gml:Curve><gml:segments><gml:Circle><gml:posList>500001 5760000 500000 5760001 499999 5760000</gml:posList></gml:Circle>"
    "</gml:segments></gml:Curve></gml:curveMember>",
    "Surface": "<gml:patches><gml:PolygonPatch><gml:exterior><gml:Ring><gml:curveMember><gml:Curve><gml:segments>"
    "<gml:CircleByCenterPoint numArc='1'><gml:pos>500003 5760004</gml:pos><gml:radius uom='m'>2</gml:radius></gml:CircleByCenterPoint>"
    "</gml:segments></gml:Curve></gml:curveMember></gml:Ring></gml:exterior></gml:PolygonPatch></gml:patches>",
}


@pytest.mark.parametrize("tag", ARCS)
def test_arcs_become_the_lines_that_gdal_makes_of_them(tag: str, tmp_path: Path) -> None:
    shape = f"<gml:{tag} srsName='EPSG:25832'>{ARCS[tag]}</gml:{tag}>"
    text = (
        '<c:FeatureCollection xmlns:c="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml" xmlns:x="urn:x">'
        f'<gml:featureMember><x:bogen gml:id="a"><x:g>{shape}</x:g></x:bogen></gml:featureMember></c:FeatureCollection>'
    )
    path = tmp_path / "arcs.gml"
    path.write_text(text)
    (theirs,) = shapely.from_wkb(pyogrio.raw.read(path)[2])
    found = judged("wfs", text.encode())
    (ours,) = shapely.from_wkb(found.accepted["original_geometry"].to_pylist())
    assert found.rejects.num_rows == 0
    assert shapely.hausdorff_distance(ours, theirs) < 0.002
    assert ours.geom_type in theirs.geom_type


@pytest.mark.parametrize(
    ("name", "crs"),
    [
        ("EPSG:4326", Crs("EPSG:4326")),
        ("http://www.opengis.net/gml/srs/epsg.xml#4326", Crs("EPSG:4326")),
        ("urn:ogc:def:crs:EPSG::4326", Crs("EPSG:4326", north_first=True)),
        ("urn:ogc:def:crs:EPSG:6.9:4326", Crs("EPSG:4326", north_first=True)),
        ("urn:x-ogc:def:crs:EPSG:4326", Crs("EPSG:4326", north_first=True)),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", Crs("EPSG:4326", north_first=True)),
        ("https://www.opengis.net/def/crs/EPSG/0/31467", Crs("EPSG:31467", north_first=True)),
        ("urn:ogc:def:crs:EPSG::25833", Crs("EPSG:25833")),
        ("urn:ogc:def:crs,crs:EPSG::25832,crs:EPSG::7837", Crs("EPSG:25832")),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", Crs("CRS84")),
        ("http://www.opengis.net/def/crs/OGC/0/CRS84h", Crs("CRS84")),
        ("urn:adv:crs:ETRS89_UTM32*DE_DHHN2016_NH", Crs("EPSG:25832")),
        ("urn:adv:crs:DE_DHDN_3GK2", Crs("EPSG:31466")),
        ("3857", Crs("EPSG:3857")),
    ],
)
def test_the_name_of_a_crs_says_which_axis_comes_first(name: str, crs: Crs) -> None:
    assert read_crs(name) == crs


@pytest.mark.parametrize(
    "name", ["", "UTM", "EPSG:1", "EPSG:99999", "+proj=utm +zone=32", "urn:ogc:def:crs:EPSG::", "EPSG:25832; DROP", "x" * 99_999]
)
def test_what_is_no_crs_is_a_sentence(name: str) -> None:
    with pytest.raises(CrsError, match="EPSG:25832"):
        read_crs(name)


@pytest.mark.parametrize("text", ["PROJCS[" + "x" * 30_000, 'GEOGCS["x",EXTENSION["PROJ4","+proj=longlat +nadgrids=/etc/passwd"]]'])
def test_the_text_of_a_crs_can_name_no_file(text: str) -> None:
    with pytest.raises(CrsError, match=r"options\.crs"):
        read_crs(text)


#: Places whose coordinates the survey offices give in both systems: central points of Gauss-Krüger's second to fourth zone and of UTM.
@pytest.mark.parametrize(
    ("crs", "east", "north", "longitude", "latitude", "metres"),
    [
        ("EPSG:25832", 500_000, 5_761_038.21, 9, 52, 0.01),
        ("EPSG:25833", 500_000, 5_761_038.21, 15, 52, 0.01),
        ("EPSG:4647", 32_500_000, 5_761_038.21, 9, 52, 0.01),
        ("EPSG:3857", 1_001_875.417, 6_800_125.454, 9, 52, 0.01),
        ("EPSG:31467", 3_500_074.4, 5_762_905.3, 9, 52, 10),
    ],
)
def test_coordinates_come_to_crs84(crs: str, east: float, north: float, longitude: float, latitude: float, metres: float) -> None:
    body = json.dumps({"type": "Feature", "id": 1, "geometry": {"type": "Point", "coordinates": [east, north]}, "properties": {}})
    (row,) = judged("geojson", body.encode(), {"crs": crs}).accepted.to_pylist()
    place = shapely.from_wkb(row["geometry"])
    assert abs(place.x - longitude) * 68_000 < metres
    assert abs(place.y - latitude) * 111_000 < metres
    original = shapely.from_wkb(row["original_geometry"])
    assert (original.x, original.y, row["original_crs"]) == (east, north, crs)


def test_the_header_of_an_ogc_api_says_which_axis_comes_first() -> None:
    body = (
        b'{"type": "FeatureCollection", "features": [{"type": "Feature", "id": 1, "geometry": {"type": "Point", "coordinates": [52, 9]}}]}'
    )
    name = "https://example.org/items#crs=http://www.opengis.net/def/crs/EPSG/0/4326#page=1/2"
    assert shapely.from_wkb(judged("ogc_features", body, name=name).accepted["geometry"][0].as_py()) == shapely.Point(9, 52)
    assert shapely.from_wkb(judged("ogc_features", body).accepted["geometry"][0].as_py()) == shapely.Point(52, 9)


@pytest.mark.parametrize(
    ("wrong", "area"),
    [
        ([[[7, 51], [8, 52], [8, 51], [7, 52], [7, 51]]], 0.5),
        (
            [
                [[7, 51], [8, 51], [8, 52], [7, 52], [7, 51]],
                [[7.2, 51.2], [7.9, 51.2], [7.9, 51.9], [7.2, 51.2]],
                [[7.2, 51.2], [7.9, 51.2], [7.9, 51.9], [7.2, 51.2]],
            ],
            0.755,
        ),
        ([[[7, 51], [8, 51], [8, 52], [7, 51], [7, 51], [6, 50], [7, 51]]], 0.5),
    ],
)
def test_an_invalid_area_is_mended_stays_an_area_and_is_told(wrong: Any, area: float) -> None:
    body = json.dumps({"type": "Feature", "id": 1, "geometry": {"type": "Polygon", "coordinates": wrong}, "properties": {}})
    found = judged("geojson", body.encode())
    shape = shapely.from_wkb(found.accepted["geometry"][0].as_py())
    assert shape.is_valid
    assert shape.geom_type in ("Polygon", "MultiPolygon")
    assert shape.area == pytest.approx(area)
    (note,) = found.notes.to_pylist()
    assert note["reason"].startswith("geometry: mended and kept: ")
    assert (note["row"], found.received, found.rejects.num_rows) == (1, 1, 0)


@pytest.mark.parametrize("crs", ["EPSG:25832", "CRS84"])
@pytest.mark.parametrize(("text", "stored"), [("POINT M (7 51 5)", "POINT (7 51)"), ("POINT ZM (7 51 60 5)", "POINT Z (7 51 60)")])
def test_heights_are_kept_and_measures_are_not(crs: str, text: str, stored: str) -> None:
    text, stored = (one.replace("7 51", "409000 5765000") if crs != "CRS84" else one for one in (text, stored))
    judge = Judge(feed("json_table", {"crs": crs, "columns": {"id": "id", "geometry": "wkt"}}, kind="features"))
    (row,) = judge.judge([payload(json.dumps([{"id": 1, "wkt": text}]))]).accepted.to_pylist()
    assert shapely.to_wkt(shapely.from_wkb(row["original_geometry"] or row["geometry"]), rounding_precision=0) == stored
    assert shapely.from_wkb(row["geometry"]).has_z == ("Z" in stored)


def test_an_area_of_which_nothing_is_left_is_refused() -> None:
    body = b'{"type": "Feature", "id": 1, "geometry": {"type": "Polygon", "coordinates": [[[7, 51], [8, 52], [9, 53], [7, 51]]]}, "properties": {}}'
    assert "can't be mended" in judged("geojson", body).rejects["reason"][0].as_py()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e308", "1e400", "-1e17"])
@pytest.mark.parametrize("crs", ["EPSG:25832", "EPSG:31467", "EPSG:3857", "CRS84"])
def test_numbers_that_are_no_coordinates_are_refused(number: str, crs: str) -> None:
    line = f"[[409000, 5765000], [409100, {number}], [409100, 5765100]]"
    body = f'{{"type": "Feature", "id": 1, "geometry": {{"type": "LineString", "coordinates": {line}}}, "properties": {{}}}}'
    found = judged("geojson", body.encode(), {"crs": crs})
    assert (found.accepted.num_rows, found.rejects.num_rows) == (0, 1)
