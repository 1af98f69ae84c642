"""A dataset in the words of DCAT-AP.de 3.0, DCAT-AP 3.0.1 or 2.1.1: the dataset, its files, its interface, its people.

What a catalogue wants to know is asked for once: the city's key, type and contact come from the settings, box, period, sizes
and times from the data. All addresses are made of ids, so that they stay whatever is renamed.
"""

from collections.abc import Iterator
from urllib.parse import quote

from stadthub_catalog.dcat_words import (
    Profile,
    Scene,
    address,
    agent,
    box_of,
    concepts,
    contact_of,
    identifier,
    keywords,
    license_of,
    moment,
    period,
    person,
    type_of,
    words,
)
from stadthub_catalog.entry import Distribution, Entry
from stadthub_catalog.rdf import Iri, Literal, Node, iri, node, text, typed
from stadthub_catalog.site import Site
from stadthub_schemas import authorities as eu
from stadthub_schemas.dataset import AccessClass, Kind
from stadthub_schemas.filetypes import MEDIA_TYPE_IRI
from stadthub_schemas.vocabularies import FILE_TYPE_IRI, FREQUENCY_IRI, THEME_IRI, license_named

_ACCESS = {AccessClass.PUBLIC: eu.PUBLIC, AccessClass.INTERNAL: eu.RESTRICTED, AccessClass.RESTRICTED: eu.NON_PUBLIC}
SHA256 = Iri("http://spdx.org/rdf/terms#checksumAlgorithm_sha256")
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
OPENAPI = "https://spec.openapis.org/oas/v3.1.0"


def describe(entry: Entry, scene: Scene) -> tuple[Node, ...]:
    """Everything that is said of one dataset; the dataset comes first, the words that it uses last."""
    files = [one for one in entry.files if one.id is not None]
    said = [_dataset(entry, scene, files)]
    for one in files:
        said += _file(entry, one, scene)
    if entry.dataset.kind is not Kind.FILES:
        said += _interface(entry, scene)
    said += [*_people(entry, scene), *_covered(entry, scene), *_documents(entry, scene)]
    return (*said, *concepts(said))


def _dataset(entry: Entry, scene: Scene, files: list[Distribution]) -> Node:
    here, meta, site = address(entry, scene.site), entry.dataset.metadata, scene.site
    has_rows = entry.dataset.kind is not Kind.FILES
    geocoding = site.geocoding_iri
    places = [Iri(f"{here}#place")] if box_of(entry) else []
    version = (entry.document or {}).get("version") or (entry.modified.isoformat() if has_rows else None)
    lineage = entry.dataset.lineage
    return node(
        here,
        "dcat:Dataset",
        ("dct:identifier", text(identifier(entry))),
        ("dct:title", words(meta.title, meta.title_en)),
        ("dct:description", words(meta.description, meta.description_en) if meta.description else None),
        ("dcat:keyword", [text(one, "de") for one in keywords(entry)]),
        ("dcat:theme", [iri(THEME_IRI + one) for one in meta.themes]),
        ("dct:publisher", _publisher_address(entry, site)),
        ("dcat:contactPoint", Iri(f"{here}#contact") if contact_of(entry, site) else None),
        ("dct:issued", moment(entry.created)),
        ("dct:modified", moment(entry.modified)),
        ("dct:accrualPeriodicity", iri(FREQUENCY_IRI + meta.update_frequency) if meta.update_frequency else None),
        ("dct:language", iri(eu.GERMAN)),
        ("dct:accessRights", iri(_ACCESS[meta.access])),
        ("dct:spatial", [*places, *([geocoding] if geocoding else [])]),
        ("dct:temporal", Iri(f"{here}#period") if period(entry) else None),
        ("dct:type", _type(entry)),
        ("dcat:landingPage", iri(site.absolute(f"/datasets/{entry.name}"))),
        ("dct:conformsTo", iri(CRS84) if entry.dataset.kind is Kind.FEATURES else None),
        ("prov:wasDerivedFrom", [scene.known[one] for one in lineage.inputs if one in scene.known] if lineage else None),
        ("prov:wasDerivedFrom", iri(str(meta.source_url)) if meta.source_url and has_rows else None),
        ("dct:provenance", Iri(f"{here}#provenance") if has_rows else None),
        ("owl:versionInfo" if scene.profile.is_old else "dcat:version", text(version) if version else None),
        ("dcatap:applicableLegislation", iri(eu.HVD_LAW) if meta.hvd_categories else None),
        ("dcatap:hvdCategory", [iri(eu.HVD_IRI + one) for one in meta.hvd_categories or ()]),
        *_german(entry, scene),
        ("dcat:distribution", [_file_address(here, one) for one in files]),
        ("dcat:distribution", Iri(f"{here}#rows") if has_rows else None),
    )


def _german(entry: Entry, scene: Scene) -> list[tuple[str, Iri | None]]:
    """What only dcat-ap.de asks for."""
    if not scene.profile.is_german:
        return []
    site = scene.site
    return [
        ("dcatap:availability", iri(eu.EXPERIMENTAL if entry.dataset.metadata.simulated else eu.AVAILABLE)),
        ("dcatde:contributorID", iri(eu.CONTRIBUTOR_IRI + site.contributor) if site.contributor else None),
        ("dcatde:politicalGeocodingLevelURI", site.level_iri),
    ]


def _type(entry: Entry) -> Iri | None:
    if entry.dataset.metadata.simulated:
        return iri(eu.TEST_DATA)
    return iri(eu.GEOSPATIAL) if entry.dataset.kind is Kind.FEATURES else None


def _file_address(here: str, one: Distribution) -> Iri:
    return Iri(f"{here}/resource/{one.id}")


def _file(entry: Entry, one: Distribution, scene: Scene) -> Iterator[Node]:
    """A file, or an address of somebody else's."""
    here, kind = address(entry, scene.site), type_of(one)
    there, url = _file_address(here, one), iri(quote(scene.site.absolute(one.url), safe="/:?=&%#+,;@!$'()*~[]"))
    is_file = kind is None or not (kind.is_service or kind.code == "HTML")
    checked = len(one.sha256) == 64 and not scene.profile.is_old  # 2.1.1 knows SHA-1 only
    yield node(
        there,
        "dcat:Distribution",
        ("dct:title", text(one.title or (kind.title if kind else entry.dataset.metadata.title), "de")),
        ("dcat:accessURL", url),
        ("dcat:downloadURL", url if is_file else None),
        ("dct:format", iri(FILE_TYPE_IRI + kind.code) if kind else None),
        ("dcat:mediaType", iri(MEDIA_TYPE_IRI + kind.media_type) if kind else None),
        ("dcat:byteSize", _size(one.size, scene.profile)),
        ("spdx:checksum", Iri(f"{there}#checksum") if checked else None),
        ("dct:issued", moment(one.created)),
        ("dct:modified", moment(one.modified)),
        *_terms(entry, scene),
    )
    if checked:
        yield node(
            f"{there}#checksum",
            "spdx:Checksum",
            ("spdx:algorithm", SHA256),
            ("spdx:checksumValue", typed(one.sha256, "xsd:hexBinary")),
        )
        yield node(SHA256, "spdx:ChecksumAlgorithm")


def _size(size: int | None, profile: Profile) -> Literal | None:
    if size is None:
        return None
    return typed(str(size), "xsd:decimal" if profile.is_old else "xsd:nonNegativeInteger")


def _status(profile: Profile, status: str) -> str:
    return eu.OLD_STATUS[status] if profile.is_old else status


def _terms(entry: Entry, scene: Scene) -> list[tuple[str, Iri | Literal | None]]:
    """Under which terms a distribution may be used, and whether one can rely on it."""
    meta, known = entry.dataset.metadata, license_named(entry.dataset.metadata.license)
    attribution = meta.attribution or (meta.publisher.title if known and known.wants_attribution else None)
    wanted = scene.profile.is_german and known is not None and known.wants_attribution
    return [
        ("dct:license", license_of(entry, scene.profile)),
        ("dct:rights", Iri(f"{address(entry, scene.site)}#rights") if license_of(entry, scene.profile) else None),
        ("dcatde:licenseAttributionByText", text(attribution, "de") if wanted and attribution else None),
        ("dcatap:availability", iri(eu.EXPERIMENTAL if meta.simulated else eu.AVAILABLE)),
        ("adms:status", iri(_status(scene.profile, eu.DEVELOP if meta.simulated else eu.COMPLETED))),
        ("dct:language", iri(eu.GERMAN)),
        ("dcatap:applicableLegislation", iri(eu.HVD_LAW) if meta.hvd_categories else None),
    ]


def _interface(entry: Entry, scene: Scene) -> Iterator[Node]:
    """The hub's interface to the rows: a distribution of no file, and the service behind it."""
    here, meta, site = address(entry, scene.site), entry.dataset.metadata, scene.site
    url = iri(site.absolute(f"/api/v1/datasets/{entry.name}"))
    yield node(
        f"{here}#rows",
        "dcat:Distribution",
        ("dct:title", words(f"{meta.title} (Schnittstelle)", f"{meta.title_en or meta.title} (interface)")),
        ("dct:description", words("Zeilen gefiltert, sortiert, seitenweise", "Rows filtered, sorted and page by page")),
        ("dcat:accessURL", url),
        ("dcat:accessService", Iri(f"{here}#api")),
        ("dct:format", iri(FILE_TYPE_IRI + "JSON")),
        ("dcat:mediaType", iri(MEDIA_TYPE_IRI + "application/json")),
        ("dct:issued", moment(entry.created)),
        ("dct:modified", moment(entry.modified)),
        *_terms(entry, scene),
    )
    yield node(
        f"{here}#api",
        "dcat:DataService",
        ("dct:title", words(f"{meta.title}: Abfrage", f"{meta.title_en or meta.title}: queries")),
        (
            "dct:description",
            words(
                "Filter, Sortierung, Verdichtung und Ausgabe der Zeilen über HTTP",
                "Filters, order, aggregation and export of the rows over HTTP",
            ),
        ),
        ("dcat:endpointURL", url),
        ("dcat:endpointDescription", iri(site.absolute("/openapi.json"))),
        ("foaf:page", iri(site.absolute("/api/docs"))),
        ("dcat:servesDataset", here),
        ("dcat:keyword", [text(one, "de") for one in keywords(entry)]),
        ("dcat:theme", [iri(THEME_IRI + one) for one in meta.themes]),
        ("dct:publisher", _publisher_address(entry, site)),
        ("dcat:contactPoint", Iri(f"{here}#contact") if contact_of(entry, site) else None),
        ("dct:license", license_of(entry, scene.profile)),
        ("dct:accessRights", iri(_ACCESS[meta.access])),
        ("dct:conformsTo", iri(OPENAPI)),
        ("dcatap:applicableLegislation", iri(eu.HVD_LAW) if meta.hvd_categories else None),
        ("dcatap:hvdCategory", [iri(eu.HVD_IRI + one) for one in meta.hvd_categories or ()]),
    )


def _publisher_address(entry: Entry, site: Site) -> Iri:
    return Iri(f"{site.url}/organization/{entry.organization.id}")


def _people(entry: Entry, scene: Scene) -> Iterator[Node]:
    """Who publishes the dataset, and whom to ask."""
    publisher = entry.dataset.metadata.publisher
    said = dict(entry.organization.extras).get("publisher_type", "")
    kind = said if said in eu.PUBLISHER_TYPES else scene.site.publisher_type
    yield agent(_publisher_address(entry, scene.site), publisher.title, kind, str(publisher.url or ""))
    contact = contact_of(entry, scene.site)
    if contact is not None:
        yield person(f"{address(entry, scene.site)}#contact", contact)


def _covered(entry: Entry, scene: Scene) -> Iterator[Node]:
    """Where and when."""
    here, box, times = address(entry, scene.site), box_of(entry), period(entry)
    if box is not None:
        west, south, east, north = box
        ring = f"{west} {south}, {east} {south}, {east} {north}, {west} {north}, {west} {south}"
        middle = f"POINT({(west + east) / 2:.6f} {(south + north) / 2:.6f})"
        yield node(
            f"{here}#place",
            "dct:Location",
            ("dcat:bbox", typed(f"POLYGON(({ring}))", "geo:wktLiteral")),
            ("dcat:centroid", typed(middle, "geo:wktLiteral")),
        )
    if times is not None:
        yield node(f"{here}#period", "dct:PeriodOfTime", ("dcat:startDate", times[0]), ("dcat:endDate", times[1]))


def _documents(entry: Entry, scene: Scene) -> Iterator[Node]:
    """The pages, standards and terms that the dataset names."""
    here, meta, site = address(entry, scene.site), entry.dataset.metadata, scene.site
    licence = license_of(entry, scene.profile)
    yield node(iri(site.absolute(f"/datasets/{entry.name}")), "foaf:Document", ("dct:title", words(meta.title, meta.title_en)))
    if licence is not None:
        known = license_named(meta.license)
        terms = f"{known.title if known else licence} – {meta.attribution or meta.publisher.title}"
        yield node(f"{here}#rights", "dct:RightsStatement", ("rdfs:label", text(terms, "de")))
        yield node(licence, "dct:LicenseDocument")
    for media in dict.fromkeys(["application/json", *(kind.media_type for one in entry.files if (kind := type_of(one)))]):
        yield node(MEDIA_TYPE_IRI + media, "dct:MediaType dct:MediaTypeOrExtent")
    if entry.dataset.kind is Kind.FEATURES:
        yield node(CRS84, "dct:Standard", ("dct:title", text("CRS84", "en")))
    if entry.dataset.kind is not Kind.FILES:
        yield node(f"{here}#provenance", "dct:ProvenanceStatement", ("rdfs:label", _origin(entry)))
        yield node(OPENAPI, "dct:Standard", ("dct:title", text("OpenAPI 3.1", "en")))
        yield node(
            iri(site.absolute("/api/docs")), "foaf:Document", ("dct:title", words("Dokumentation der Schnittstelle", "API documentation"))
        )
    if meta.hvd_categories:
        yield node(
            eu.HVD_LAW,
            "eli:LegalResource",
            ("dct:title", words("Durchführungsverordnung (EU) 2023/138", "Implementing Regulation (EU) 2023/138")),
        )


def _origin(entry: Entry) -> tuple[Literal, ...]:
    """How the rows came to be."""
    if entry.dataset.metadata.simulated:
        return words("Erfunden, um das Portal zu zeigen", "Invented, to show the portal")
    if entry.dataset.lineage is not None:
        return words("Berechnet aus anderen Datensätzen dieses Portals", "Computed from other datasets of this portal")
    return words("Laufend von der Quelle übernommen, geprüft und gespeichert", "Taken from the source continuously, checked and stored")
