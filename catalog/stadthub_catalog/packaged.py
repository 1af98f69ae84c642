"""A dataset in three more descriptions: schema.org for search engines, Croissant for machine learning, Frictionless for data tools."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from stadthub_catalog.dcat_words import address, box_of, contact_of, identifier, keywords, period, type_of
from stadthub_catalog.entry import Distribution, Entry
from stadthub_catalog.site import Site
from stadthub_schemas.dataset import AccessClass, Column, ColumnType, Kind, Language
from stadthub_schemas.vocabularies import license_named

#: The types of columns for Croissant and for Frictionless.
_TYPES = {
    ColumnType.TEXT: ("sc:Text", "string"),
    ColumnType.INTEGER: ("sc:Integer", "integer"),
    ColumnType.NUMBER: ("sc:Float", "number"),
    ColumnType.DECIMAL: ("sc:Float", "number"),
    ColumnType.BOOLEAN: ("sc:Boolean", "boolean"),
    ColumnType.DATE: ("sc:Date", "date"),
    ColumnType.TIME: ("sc:DateTime", "datetime"),
    ColumnType.JSON: ("sc:Text", "any"),
    ColumnType.GEOMETRY: ("sc:Text", "string"),
}

_CROISSANT = "http://mlcommons.org/croissant/"
_WORDS = (
    "citeAs column extract field fileProperty fileObject fileSet format includes isLiveDataset jsonPath key md5 parentField path recordSet "
    "references regex repeated replace separator source subField transform"
)
_CONTEXT: dict[str, Any] = {
    "@language": "de",
    "@vocab": "https://schema.org/",
    "cr": _CROISSANT,
    "sc": "https://schema.org/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{word: f"cr:{word}" for word in _WORDS.split()},
}


def schema_org(entry: Entry, columns: Sequence[Column], site: Site, language: Language) -> dict[str, Any]:
    """The dataset as search engines for data read it (schema.org/Dataset)."""
    told = _about(entry, site, language)
    told["variableMeasured"] = [
        {"@type": "PropertyValue", "name": one.title or one.name, **({"unitCode": one.unit} if one.unit else {})} for one in columns
    ]
    told["distribution"] = [_download(one, site) for one in entry.files]
    return {"@context": "https://schema.org/", **_filled(told)}


def croissant(entry: Entry, columns: Sequence[Column], site: Site) -> dict[str, Any]:
    """The dataset as libraries for machine learning load it (MLCommons Croissant 1.0)."""
    told = _about(entry, site, "de")
    files = [one for one in entry.files if one.id is not None]
    told["conformsTo"] = _CROISSANT + "1.0"
    told["citeAs"] = f"{entry.dataset.metadata.publisher.title} ({entry.modified.year}): {entry.dataset.metadata.title}. {told['url']}"
    told["isLiveDataset"] = entry.dataset.kind is Kind.TIMESERIES
    told["distribution"] = [
        {"@type": "cr:FileObject", "@id": str(one.id), **_download(one, site, "sha256"), "name": _file_name(entry, one)} for one in files
    ]
    table = next((one for format_ in ("csv", "parquet") for one in files if one.format == format_), None)
    if table is not None and columns:
        told["recordSet"] = [{"@type": "cr:RecordSet", "@id": "rows", "name": "rows", "field": [_field(one, table) for one in columns]}]
    return {"@context": _CONTEXT, **_filled(told)}


def data_package(entry: Entry, columns: Sequence[Column], site: Site) -> dict[str, Any]:
    """The dataset as a Frictionless data package."""
    meta, contact = entry.dataset.metadata, contact_of(entry, site)
    license_ = license_named(meta.license)
    told = {
        "name": entry.name,
        "id": str(entry.id),
        "title": meta.title,
        "description": meta.description,
        "homepage": site.absolute(f"/datasets/{entry.name}"),
        "version": entry.modified.isoformat(),
        "created": entry.created.isoformat(),
        "keywords": list(keywords(entry)),
        "licenses": [{"name": license_.id, "path": license_.url, "title": license_.title}] if license_ else None,
        "contributors": [
            _filled({"title": meta.publisher.title, "role": "publisher", "email": contact.email if contact else None}),
        ],
        "sources": [{"title": str(meta.source_url), "path": str(meta.source_url)}] if meta.source_url else None,
        "resources": [_resource(entry, one, columns, site) for one in entry.files],
    }
    return _filled(told)


def _about(entry: Entry, site: Site, language: Language) -> dict[str, Any]:
    """What schema.org says of a dataset without its files."""
    meta, license_ = entry.dataset.metadata, license_named(entry.dataset.metadata.license)
    english = language == "en"
    publisher: dict[str, Any] = {
        "@type": "Organization",
        "name": meta.publisher.title,
        "url": str(meta.publisher.url) if meta.publisher.url else None,
    }
    contact, times, box = contact_of(entry, site), period(entry), box_of(entry)
    if contact is not None:
        publisher["contactPoint"] = _filled({"@type": "ContactPoint", "name": contact.name, "email": contact.email})
    begin, end = times or (None, None)
    return {
        "@type": "Dataset",
        "@id": str(address(entry, site)),
        "name": (meta.title_en if english else None) or meta.title,
        "description": (meta.description_en if english else None) or meta.description,
        "url": site.absolute(f"/datasets/{entry.name}"),
        "identifier": identifier(entry),
        "keywords": list(keywords(entry)),
        "license": license_.url if license_ else meta.license,
        "isAccessibleForFree": meta.access is AccessClass.PUBLIC,
        "inLanguage": "de",
        "creator": _filled(publisher),
        "publisher": _filled(publisher),
        "datePublished": entry.created.isoformat(),
        "dateModified": entry.modified.isoformat(),
        "version": entry.modified.isoformat(),
        "temporalCoverage": f"{begin.value if begin else '..'}/{end.value if end else '..'}" if times else None,
        "spatialCoverage": {"@type": "Place", "geo": {"@type": "GeoShape", "box": f"{box[1]} {box[0]} {box[3]} {box[2]}"}} if box else None,
        "includedInDataCatalog": {"@type": "DataCatalog", "name": site.title, "url": site.url},
    }


def _download(one: Distribution, site: Site, *digests: str) -> dict[str, Any]:
    kind = type_of(one)
    told = {
        "@type": "DataDownload",
        "name": one.title or one.format,
        "contentUrl": _address(one, site),
        "encodingFormat": kind.media_type if kind else one.format,
        "contentSize": f"{one.size} B" if one.size is not None else None,
        "dateModified": one.modified.isoformat() if one.modified else None,
        **{digest: one.sha256 for digest in digests if len(one.sha256) == 64},
    }
    if digests:
        del told["@type"]
    return _filled(told)


def _field(column: Column, table: Distribution) -> dict[str, Any]:
    return _filled(
        {
            "@type": "cr:Field",
            "@id": f"rows/{column.name}",
            "name": column.name,
            "description": column.description_en or column.description or column.title_en or column.title,
            "dataType": _TYPES[column.type][0],
            "source": {"fileObject": {"@id": str(table.id)}, "extract": {"column": column.name}},
        }
    )


def _resource(entry: Entry, one: Distribution, columns: Sequence[Column], site: Site) -> dict[str, Any]:
    kind = type_of(one)
    is_table = one.format in ("csv", "parquet") and bool(columns)
    fields = [
        _filled(
            {
                "name": column.name,
                "type": _TYPES[column.type][1],
                "title": column.title,
                "description": column.description,
                "unit": column.unit,
            }
        )
        for column in columns
    ]
    return _filled(
        {
            "name": _file_name(entry, one).lower().replace(" ", "-"),
            "title": one.title,
            "path": _address(one, site),
            "format": one.format.lower(),
            "mediatype": kind.media_type if kind else None,
            "encoding": "utf-8" if one.format == "csv" else None,
            "bytes": one.size,
            "hash": f"sha256:{one.sha256}" if len(one.sha256) == 64 else None,
            "profile": "tabular-data-resource" if is_table else None,
            "schema": {"fields": fields, "missingValues": [""]} if is_table else None,
        }
    )


def _file_name(entry: Entry, one: Distribution) -> str:
    """A name that no other file of the dataset bears."""
    alike = [other.id for other in entry.distributions if other.format == one.format]
    number = f"-{alike.index(one.id) + 1}" if len(alike) > 1 else ""
    return f"{entry.name}-{one.format or 'file'}{number}"


def _address(one: Distribution, site: Site) -> str:
    return quote(site.absolute(one.url), safe="/:?=&%#+,;@!$'()*~[]")


def _filled(told: dict[str, Any]) -> dict[str, Any]:
    """What is known."""
    return {name: value for name, value in told.items() if value not in (None, "", [])}
