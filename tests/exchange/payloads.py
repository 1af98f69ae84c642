"""What foreign catalogues answer, in their own true shapes, small."""

from typing import Any

import orjson

GERMAN = "Datenlizenz Deutschland – Namensnennung – Version 2.0"


def package(number: int, **words: Any) -> dict[str, Any]:
    """A package as a CKAN lists it."""
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "name": f"paket-{number}",
        "title": f"Paket {number}",
        "notes": "Ein *Datensatz*",
        "license_id": "dl-de/by-2-0",
        "license_title": GERMAN,
        "type": "dataset",
        "state": "active",
        "private": False,
        "metadata_modified": "2026-03-01T10:00:00.000000",
        "organization": {"id": "x", "name": "stadt-nebenan", "title": "Stadt Nebenan"},
        "tags": [{"name": "Verkehr", "display_name": "Verkehr"}, {"name": "Zählung"}],
        "groups": [{"name": "transport-verkehr", "title": "Transport und Verkehr"}],
        "extras": [{"key": "frequency", "value": "http://publications.europa.eu/resource/authority/frequency/DAILY"}],
        "resources": [
            {"id": f"r{number}", "url": f"https://nebenan.example/{number}.csv", "name": "Daten", "format": "text/csv", "position": 0},
        ],
        **words,
    }


def found(packages: list[dict[str, Any]], count: int | None = None) -> bytes:
    """The answer of package_search."""
    return orjson.dumps({"success": True, "result": {"count": len(packages) if count is None else count, "results": packages}})


def data_json(*datasets: dict[str, Any]) -> bytes:
    """A data.json as DKAN writes it."""
    head = {"@context": "https://project-open-data.cio.gov/v1.1/schema/catalog.jsonld", "@type": "dcat:Catalog"}
    return orjson.dumps({**head, "conformsTo": "https://project-open-data.cio.gov/v1.1/schema", "dataset": list(datasets)})


DKAN = {
    "@type": "dcat:Dataset",
    "accessLevel": "public",
    "contactPoint": {"@type": "vcard:Contact", "fn": "Statistikstelle", "hasEmail": "mailto:statistik@nebenan.example"},
    "description": "<p>Zahlen der <b>Wahlen</b></p>",
    "identifier": "2af0c5d6-aaaa",
    "issued": "2020-01-01",
    "keyword": ["Wahlen", "Statistik & Zahlen"],
    "license": "https://www.govdata.de/dl-de/by-2-0",
    "modified": "2026-01-02",
    "publisher": {"@type": "org:Organization", "name": "Stadt Nebenan"},
    "spatial": "10.4,52.2,10.6,52.3",
    "temporal": "2019-01-01/2019-12-31",
    "theme": ["Politik und Wahlen"],
    "title": "Wahlergebnisse 2019",
    "accrualPeriodicity": "R/P1Y",
    "distribution": [
        {
            "@type": "dcat:Distribution",
            "downloadURL": "https://nebenan.example/wahl.csv",
            "mediaType": "text/csv",
            "format": "csv",
            "title": "CSV",
        },
        {"@type": "dcat:Distribution", "accessURL": "https://nebenan.example/wahl", "title": "Seite", "format": "html"},
    ],
}

ARCGIS = {
    "@type": "dcat:Dataset",
    "identifier": "https://www.arcgis.com/home/item.html?id=0a1b&sublayer=0",
    "landingPage": "https://hub-nebenan.example/datasets/0a1b_0",
    "title": "Spielplätze",
    "description": "Alle <a href='https://x.example'>Spielplätze</a>",
    "keyword": ["spielplatz"],
    "issued": "2021-05-01T08:00:00.000Z",
    "modified": "2026-02-01T08:00:00.000Z",
    "publisher": {"name": "Geoportal Nebenan"},
    "contactPoint": {"@type": "vcard:Contact", "fn": "gis", "hasEmail": "mailto:gis@nebenan.example"},
    "accessLevel": "public",
    "spatial": "8.40,49.40,8.60,49.60",
    "license": "https://creativecommons.org/licenses/by/4.0",
    "theme": ["geospatial"],
    "distribution": [
        {"@type": "dcat:Distribution", "title": "ArcGIS GeoService", "format": "ArcGIS GeoServices REST API", "accessURL": "https://services.example/0"},
        {"@type": "dcat:Distribution", "title": "GeoJSON", "format": "GeoJSON", "mediaType": "application/vnd.geo+json", "accessURL": "https://hub.example/0.geojson"},
    ],
}  # fmt: skip


def ods(*names: str, total: int) -> bytes:
    """A page of the catalogue of an Opendatasoft, Explore API v2.1."""
    return orjson.dumps({"total_count": total, "results": [ods_dataset(name) for name in names]})


def ods_dataset(name: str) -> dict[str, Any]:
    """One dataset there."""
    return {
        "dataset_id": name,
        "dataset_uid": f"da_{name}",
        "attachments": [{"mimetype": "application/pdf", "url": "odsfile://x.pdf", "id": "pdf", "title": "Erläuterung"}],
        "has_records": True,
        "data_visible": True,
        "fields": [{"name": "geo", "type": "geo_point_2d"}, {"name": "anzahl", "type": "int"}],
        "metas": {
            "default": {
                "title": f"Zählung {name}",
                "description": "<p>Passanten je Stunde</p><p>Seit 2019</p>",
                "theme": ["Verkehr"],
                "keyword": ["Passanten", "Frequenz"],
                "license": "dl-de-by-2.0",
                "license_url": "https://www.govdata.de/dl-de/by-2-0",
                "modified": "2026-02-03T04:05:06+00:00",
                "publisher": "Stadt Nebenan",
                "records_count": 5,
            },
            "dcat": {"contact_name": "Amt", "contact_email": "amt@nebenan.example", "accrualperiodicity": "täglich", "issued": None},
        },
    }


HUB_SEARCH = {
    "id": "kita-plaetze",
    "resource": "https://open.land.example/set/data/kita-plaetze",
    "title": {"de": "Kita-Plätze", "en": "Day care places"},
    "description": {"de": "Plätze je Einrichtung"},
    "catalog": {"id": "stadt", "title": {"de": "Stadt Nebenan"}},
    "categories": [{"id": "EDUC", "label": {"de": "Bildung"}, "resource": "http://publications.europa.eu/resource/authority/data-theme/EDUC"}],
    "keywords": [{"id": "kita", "label": "Kita", "language": "de"}],
    "publisher": {"name": "Stadt Nebenan", "type": "Agent"},
    "contact_point": [{"type": "Organization", "name": "Jugendamt", "email": "mailto:jugend@nebenan.example"}],
    "issued": "2024-01-01T00:00:00Z",
    "modified": "2026-02-01T00:00:00Z",
    "accrual_periodicity": {"id": "ANNUAL", "label": "jährlich", "resource": "http://publications.europa.eu/resource/authority/frequency/ANNUAL"},
    "temporal": [{"gte": "2023-01-01T00:00:00Z", "lte": "2023-12-31T00:00:00Z"}],
    "landing_page": [{"resource": "https://nebenan.example/kita"}],
    "identifier": ["kita-2023"],
    "distributions": [
        {
            "id": "d1",
            "title": {"de": "Tabelle"},
            "format": {"id": "XLSX", "label": "XLSX", "resource": "http://publications.europa.eu/resource/authority/file-type/XLSX"},
            "license": {"id": "dl-by-de/2.0", "label": GERMAN, "resource": "http://dcat-ap.de/def/licenses/dl-by-de/2.0"},
            "access_url": ["https://nebenan.example/kita.xlsx"],
            "download_url": ["https://nebenan.example/kita.xlsx"],
        }
    ],
}  # fmt: skip


def hub_search(*rows: dict[str, Any], scroll: str | None = None, count: int | None = None) -> bytes:
    """An answer of a piveau's hub-search."""
    result = {"index": "dataset", "count": len(rows) if count is None else count, "results": list(rows)}
    return orjson.dumps({"result": {**result, **({"scrollId": scroll} if scroll else {})}})


PREFIXES = """
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> . @prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix hydra: <http://www.w3.org/ns/hydra/core#> . @prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
"""


def turtle(number: int) -> str:
    """A dataset in DCAT-AP."""
    return f"""
<https://nebenan.example/set/{number}> a dcat:Dataset ;
  dct:title "Messung {number}"@de , "Measurement {number}"@en ; dct:description "Luft {number}"@de ; dct:identifier "luft-{number}" ;
  dcat:keyword "Luft"@de , "Feinstaub"@de ; dcat:theme <http://publications.europa.eu/resource/authority/data-theme/ENVI> ;
  dct:publisher [ a foaf:Organization ; foaf:name "Umweltamt" ] ;
  dcat:contactPoint [ a vcard:Kind ; vcard:fn "Messnetz" ; vcard:hasEmail <mailto:luft@nebenan.example> ] ;
  dct:accrualPeriodicity <http://publications.europa.eu/resource/authority/frequency/HOURLY> ;
  dct:temporal [ a dct:PeriodOfTime ; dcat:startDate "2020-01-01"^^xsd:date ] ;
  dct:spatial [ a dct:Location ; dcat:bbox "POLYGON((7 51,8 51,8 52,7 52,7 51))" ] ;
  dct:modified "2026-01-0{number}T00:00:00Z"^^xsd:dateTime ;
  dcat:distribution <https://nebenan.example/set/{number}/csv> .
<https://nebenan.example/set/{number}/csv> a dcat:Distribution ; dcat:accessURL <https://nebenan.example/{number}.csv> ;
  dct:format <http://publications.europa.eu/resource/authority/file-type/CSV> ; dct:license <http://dcat-ap.de/def/licenses/dl-zero-de/2.0> ;
  dct:title "Stundenwerte"@de .
"""
