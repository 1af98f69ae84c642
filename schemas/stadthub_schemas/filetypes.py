"""File types as catalogues name them: EU code, media type, and whether programs of anybody can read them.

Source of the codes: EU authority table file-type; of the media types: IANA. What counts as free and as machine-readable follows
the lists of data.europa.eu's quality check; formats that it does not know (Parquet) are written down as it would see them.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

MEDIA_TYPE_IRI = "https://www.iana.org/assignments/media-types/"


@dataclass(frozen=True, slots=True)
class FileType:
    """A type of file or of service. `is_free`: no one owns the format; `is_readable`: a machine can make sense of the content;
    `is_service`: its address answers questions and is no file; `in_lists`: the quality check knows it."""

    code: str
    title: str
    media_type: str
    is_free: bool = True
    is_readable: bool = True
    is_service: bool = False
    in_lists: bool = True


_ROWS = (
    FileType("CSV", "CSV", "text/csv"),
    FileType("TSV", "TSV", "text/tab-separated-values"),
    FileType("JSON", "JSON", "application/json"),
    FileType("JSON_LD", "JSON-LD", "application/ld+json"),
    FileType("GEOJSON", "GeoJSON", "application/geo+json"),
    FileType("GPKG", "GeoPackage", "application/geopackage+sqlite3"),
    FileType("PARQUET", "Parquet", "application/vnd.apache.parquet", in_lists=False),
    FileType("GML", "GML", "application/gml+xml"),
    FileType("KML", "KML", "application/vnd.google-earth.kml+xml"),
    FileType("KMZ", "KMZ", "application/vnd.google-earth.kmz"),
    FileType("SHP", "Shapefile", "application/vnd.shp", is_free=False),
    FileType("XML", "XML", "application/xml"),
    FileType("RDF", "RDF", "application/rdf+xml"),
    FileType("RDF_XML", "RDF/XML", "application/rdf+xml"),
    FileType("RDF_TURTLE", "Turtle", "text/turtle"),
    FileType("RDF_N_TRIPLES", "N-Triples", "application/n-triples"),
    FileType("XLSX", "XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", is_free=False),
    FileType("XLS", "XLS", "application/vnd.ms-excel", is_free=False),
    FileType("ODS", "ODS", "application/vnd.oasis.opendocument.spreadsheet"),
    FileType("ODT", "ODT", "application/vnd.oasis.opendocument.text", is_readable=False),
    FileType("DOCX", "DOCX", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", is_free=False, is_readable=False),
    FileType("PDF", "PDF", "application/pdf", is_free=False, is_readable=False),
    FileType("TXT", "TXT", "text/plain", is_readable=False),
    FileType("HTML", "HTML", "text/html", is_readable=False),
    FileType("PNG", "PNG", "image/png", is_readable=False),
    FileType("JPEG", "JPEG", "image/jpeg", is_readable=False),
    FileType("SVG", "SVG", "image/svg+xml", is_readable=False),
    FileType("TIFF", "TIFF", "image/tiff", is_readable=False),
    FileType("GEOTIFF", "GeoTIFF", "image/tiff", is_readable=False),
    FileType("NETCDF", "NetCDF", "application/netcdf"),
    FileType("ICS", "iCalendar", "text/calendar"),
    FileType("ATOM", "Atom", "application/atom+xml"),
    FileType("RSS", "RSS", "application/rss+xml"),
    FileType("GTFS", "GTFS", "application/zip"),
    FileType("YAML", "YAML", "application/yaml"),
    FileType("ZIP", "ZIP", "application/zip", is_readable=False),
    FileType("GZIP", "GZIP", "application/gzip", is_readable=False),
    FileType("WMS_SRVC", "WMS", "application/xml", is_service=True),
    FileType("WFS_SRVC", "WFS", "application/xml", is_service=True),
    FileType("WCS_SRVC", "WCS", "application/xml", is_service=True),
    FileType("REST", "API", "application/json", is_service=True),
)

#: By EU code.
FILE_TYPES: dict[str, FileType] = {row.code: row for row in _ROWS}

#: Other words for the same.
_OTHERS = {"excel": "XLSX", "jpg": "JPEG", "shape": "SHP", "ttl": "RDF_TURTLE", "nt": "RDF_N_TRIPLES", "ical": "ICS", "webservice": "REST"}
_OTHERS |= {"json_ld": "JSON_LD", "rest api": "REST", "geo+json": "GEOJSON", "text": "TXT", "tif": "TIFF", "yml": "YAML"}
_WORDS = {
    **{row.media_type: row for row in reversed(_ROWS)},
    **{word: row for row in _ROWS for word in (row.code.casefold(), row.title.casefold())},
    **{word: FILE_TYPES[code] for word, code in _OTHERS.items()},
}


@lru_cache(maxsize=4096)
def file_type(word: str) -> FileType | None:
    """The file type that somebody means by this word, media type or address of the EU's table; None for one that we don't know."""
    plain = re.sub(r"^.*authority/file-type/|^.*media-types/", "", word.strip()).partition(";")[0].strip().lstrip(".").casefold()
    return _WORDS.get(plain)
