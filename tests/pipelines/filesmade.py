"""The same thirty trees as a file of each format, written by real libraries where one writes it."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pyproj
import shapely

TREES: list[dict[str, Any]] = [
    {"nr": n, "art": ("Linde", "Eiche", "Ahorn")[n % 3], "hoehe": n + 0.5, "plz": f"0{1067 + n}", "gepflanzt": f"{1990 + n % 20}-04-{1 + n % 28:02}"}
    for n in range(30)
]  # fmt: skip
CRS = "EPSG:25832"
WHERE = [shapely.Point(630_000 + 10 * tree["nr"], 5_640_000) for tree in TREES]


def csv(_: Path) -> bytes:
    """With a comma and a point."""
    return _lines(",", "nr,art,hoehe,plz,gepflanzt", lambda tree: [str(value) for value in tree.values()]).encode()


def tsv(_: Path) -> bytes:
    """As a German spreadsheet writes it: Windows-1252, decimal commas, days first."""

    def told(tree: dict[str, Any]) -> list[str]:
        year, month, day = tree["gepflanzt"].split("-")
        return [str(tree["nr"]), "Büsche", str(tree["hoehe"]).replace(".", ","), tree["plz"], f"{day}.{month}.{year}"]

    return _lines("\t", "nr\tArt\tHöhe\tplz\tgepflanzt", told).encode("cp1252")


def _lines(sign: str, header: str, told: Callable[[dict[str, Any]], list[str]]) -> str:
    return "\n".join([header, *(sign.join(told(tree)) for tree in TREES), ""])


def as_json(_: Path) -> bytes:
    """A list of objects."""
    return json.dumps(TREES).encode()


def ndjson(_: Path) -> bytes:
    """An object a line."""
    return "\n".join(map(json.dumps, TREES)).encode()


def geojson(_: Path) -> bytes:
    """Features in CRS84."""
    features = [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [11 + tree["nr"] / 100, 50.9]}, "properties": tree}
        for tree in TREES
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def _table() -> pa.Table:
    return pa.Table.from_pylist([{**tree, "gepflanzt": date.fromisoformat(tree["gepflanzt"])} for tree in TREES])


def parquet(_: Path) -> bytes:
    """Typed columns."""
    out = io.BytesIO()
    pq.write_table(_table(), out)
    return out.getvalue()


def geoparquet(_: Path) -> bytes:
    """The same with a geometry in a CRS of its own."""
    column = {"encoding": "WKB", "geometry_types": ["Point"], "crs": json.loads(pyproj.CRS(CRS).to_json())}
    words = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    table = _table().append_column("geometry", pa.array([shapely.to_wkb(where) for where in WHERE]))
    out = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(words)}), out)
    return out.getvalue()


def _gdal(path: Path, driver: str) -> None:
    names = list(TREES[0])
    cells = [np.array([tree[name] for tree in TREES], dtype=object if isinstance(TREES[0][name], str) else None) for name in names]
    shapes = np.array([shapely.to_wkb(where) for where in WHERE], dtype=object)
    encoding = {"encoding": "UTF-8"} if driver == "ESRI Shapefile" else {}
    pyogrio.raw.write(str(path), shapes, cells, names, driver=driver, geometry_type="Point", crs=CRS, **encoding)


def geopackage(folder: Path) -> bytes:
    """As QGIS saves it."""
    _gdal(folder / "made.gpkg", "GPKG")
    return (folder / "made.gpkg").read_bytes()


def flatgeobuf(folder: Path) -> bytes:
    """As GDAL saves it."""
    _gdal(folder / "made.fgb", "FlatGeobuf")
    return (folder / "made.fgb").read_bytes()


def shapefile(folder: Path) -> bytes:
    """Its parts in a zip archive."""
    _gdal(folder / "made.shp", "ESRI Shapefile")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for part in sorted(folder.glob("made.*")):
            archive.write(part, part.name)
    return out.getvalue()


def kml(_: Path) -> bytes:
    """Placemarks with their data."""
    marks = "".join(
        f"<Placemark><name>Baum {tree['nr']}</name><ExtendedData>"
        + "".join(f'<Data name="{name}"><value>{value}</value></Data>' for name, value in tree.items())
        + f"</ExtendedData><Point><coordinates>11.{tree['nr']:02},50.9</coordinates></Point></Placemark>"
        for tree in TREES
    )
    return f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{marks}</Document></kml>'.encode()


def gpx(_: Path) -> bytes:
    """Waypoints and a track."""
    points = "".join(f'<wpt lat="50.9" lon="11.{tree["nr"]:02}"><name>{tree["art"]} {tree["nr"]}</name></wpt>' for tree in TREES[:-1])
    track = "".join(f'<trkpt lat="50.9" lon="11.{n}"><time>2026-01-01T10:{n}:00Z</time></trkpt>' for n in range(10, 20))
    return f'<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">{points}<trk><name>Weg</name><trkseg>{track}</trkseg></trk></gpx>'.encode()


def ods(_: Path) -> bytes:
    """A workbook in OpenDocument; what is empty at its end is repeated a million times, as LibreOffice writes it."""
    return workbook(
        "".join(
            f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in ([*TREES[0]], *(tree.values() for tree in TREES))
        )
        + '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="1024"/></table:table-row>'
    )


def cell(value: Any) -> str:
    """One cell of a workbook in OpenDocument."""
    kind = f'office:value-type="float" office:value="{value}"' if isinstance(value, int | float) else 'office:value-type="string"'
    return f"<table:table-cell {kind}><text:p>{value}</text:p></table:table-cell>"


def workbook(rows: str) -> bytes:
    """A workbook in OpenDocument with these rows."""
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text"))
    content = (
        f'<office:document-content {spaces}><office:body><office:spreadsheet><table:table table:name="T">{rows}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="/"'
        ' manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>'
    )
    return zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": content, "META-INF/manifest.xml": manifest})


def xlsx(_: Path) -> bytes:
    """A workbook of Excel, as small as one can be."""
    rows = "".join(f"<row>{''.join(map(_excel, row))}</row>" for row in ([*TREES[0]], *(tree.values() for tree in TREES)))
    main, office = (
        "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    )
    package = "http://schemas.openxmlformats.org/package/2006"
    return zipped(
        {
            "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
            "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="T" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
        }
    )


def _excel(value: Any) -> str:
    return f"<c><v>{value}</v></c>" if isinstance(value, int | float) else f'<c t="inlineStr"><is><t>{value}</t></is></c>'


def zipped(members: dict[str, str]) -> bytes:
    """An archive of these texts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return out.getvalue()


#: A file of each format: its name, how it is made, what kind of dataset it becomes.
FILES: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "baeume.csv": (csv, "table"),
    "baeume.tsv": (tsv, "table"),
    "baeume.xlsx": (xlsx, "table"),
    "baeume.ods": (ods, "table"),
    "baeume.json": (as_json, "table"),
    "baeume.ndjson": (ndjson, "table"),
    "baeume.geojson": (geojson, "features"),
    "baeume.gpkg": (geopackage, "features"),
    "baeume.zip": (shapefile, "features"),
    "baeume.fgb": (flatgeobuf, "features"),
    "baeume.kml": (kml, "features"),
    "baeume.gpx": (gpx, "features"),
    "baeume.parquet": (parquet, "table"),
    "orte.parquet": (geoparquet, "features"),
}
