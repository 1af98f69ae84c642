"""The formats of resources as CKAN spells them, whatever their writer calls them: `text/csv` and `csv` are `CSV`."""

import mimetypes
from urllib.parse import urlsplit

#: The spelling, and everything else that means it, in small letters.
_SPELLINGS: dict[str, tuple[str, ...]] = {
    "API": (),
    "Arrow": ("application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.file"),
    "Atom Feed": ("application/atom+xml", "atom"),
    "BIN": ("application/octet-stream",),
    "CSV": ("text/csv", "text/comma-separated-values", "text/x-csv"),
    "DBF": ("application/x-dbf",),
    "DOC": ("application/msword",),
    "DOCX": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document",),
    "DXF": ("image/vnd.dxf",),
    "FlatGeobuf": ("fgb", "application/flatgeobuf"),
    "GIF": ("image/gif",),
    "GML": ("application/gml+xml",),
    "GPKG": ("application/geopackage+sqlite3", "geopackage"),
    "GPX": ("application/gpx+xml",),
    "GZ": ("application/gzip", "application/x-gzip", "gzip"),
    "GeoJSON": ("application/geo+json", "application/vnd.geo+json", "geojson"),
    "GeoTIFF": ("image/tiff; application=geotiff",),
    "HTML": ("text/html", "htm", "application/xhtml+xml"),
    "ICS": ("text/calendar",),
    "JPEG": ("image/jpeg", "jpg", "image/jpg"),
    "JSON": ("application/json",),
    "JSON-LD": ("application/ld+json", "jsonld"),
    "KML": ("application/vnd.google-earth.kml+xml",),
    "KMZ": ("application/vnd.google-earth.kmz",),
    "MDB": ("application/msaccess", "application/x-msaccess"),
    "MP3": ("audio/mpeg",),
    "N3": ("text/n3", "text/rdf+n3"),
    "NDJSON": ("application/x-ndjson", "jsonl", "application/jsonl"),
    "NetCDF": ("application/netcdf", "application/x-netcdf"),
    "ODP": ("application/vnd.oasis.opendocument.presentation",),
    "ODS": ("application/vnd.oasis.opendocument.spreadsheet",),
    "ODT": ("application/vnd.oasis.opendocument.text",),
    "PDF": ("application/pdf",),
    "PNG": ("image/png",),
    "PPT": ("application/vnd.ms-powerpoint",),
    "PPTX": ("application/vnd.openxmlformats-officedocument.presentationml.presentation",),
    "Parquet": ("application/vnd.apache.parquet",),
    "RDF": ("application/rdf+xml", "rdf/xml"),
    "RSS": ("application/rss+xml",),
    "RTF": ("application/rtf", "text/rtf"),
    "SHP": ("shapefile", "application/shapefile", "esri shapefile", "application/x-shapefile"),
    "SPARQL": ("application/sparql-query", "application/sparql-results+xml"),
    "SVG": ("image/svg+xml",),
    "TAR": ("application/x-tar",),
    "TIFF": ("image/tiff", "tif"),
    "TSV": ("text/tab-separated-values", "text/tsv"),
    "TTL": ("text/turtle", "turtle"),
    "TXT": ("text/plain", "text"),
    "WCS": ("wcs_srvc",),
    "WFS": ("wfs_srvc", "application/wfs+xml"),
    "WMS": ("wms_srvc", "application/vnd.ogc.wms_xml"),
    "WMTS": ("wmts_srvc",),
    "XLS": ("application/vnd.ms-excel", "application/excel"),
    "XLSX": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",),
    "XML": ("application/xml", "text/xml"),
    "ZIP": ("application/zip", "application/x-zip-compressed"),
}

_KNOWN = {word: spelling for spelling, words in _SPELLINGS.items() for word in (spelling.lower(), *words)}


def spelled(format_: str) -> str:
    """The format as CKAN spells it; one that is not known stays as it is."""
    return _KNOWN.get(format_.strip().lower().removeprefix("."), format_)


def media_type(url: str) -> str | None:
    """What kind of file the ending of an address tells."""
    try:
        there = urlsplit(url)
    except ValueError:
        return None
    return None if there.scheme and not there.path else mimetypes.guess_type(there.path if there.scheme else url)[0]
