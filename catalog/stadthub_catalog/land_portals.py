"""How foreign CKANs want a dataset to be written: a table of mappings, since portals of the Länder differ in names only.

GovData's words are those of ckanext-dcatde, which the CKANs of the Länder mostly share: licences by their address on each file,
themes as groups, the political place and the contributor as extras.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from stadthub_catalog.entry import Entry
from stadthub_catalog.packages import extras as feed_extras
from stadthub_catalog.site import Site
from stadthub_schemas.authorities import CONTRIBUTOR_IRI, license_iri
from stadthub_schemas.exchange import Errand, Publish


@dataclass(frozen=True, slots=True)
class Portal:
    """One portal's way: what the package's own licence is called (`id`: as here; `iri`: dcat-ap.de's address), whether each file says
    its licence too, whether themes are groups, new names of extras (empty: left out), and extras that are worked out."""

    title: str
    license: str = "id"
    file_license: bool = False
    groups: bool = True
    extras: Mapping[str, str] = field(default_factory=dict)
    worked_out: tuple[str, ...] = ()


#: Extras of ours that only say how the hub works.
_INNER = {"kind": "", "rows": "", "license_iri": "", "simulated": "", "title_en": "", "notes_en": "", "access_rights": ""}
_DE = {**_INNER, "attribution": "", "theme": "", "contact_name": "contact_name", "contact_email": "contact_email"}
_WORKED_OUT = ("contributorID", "politicalGeocodingURI", "politicalGeocodingLevelURI", "publisher_name", "maintainer_contacttype")

#: By the word in `publish.mapping`.
MAPPINGS: dict[str, Portal] = {
    "ckan": Portal("a CKAN as it comes, with ckanext-dcat's extras", groups=False),
    "govdata": Portal("GovData: ckanext-dcatde", "iri", True, True, _DE, _WORKED_OUT),
    "open-nrw": Portal("Open.NRW: ckanext-dcatde", "iri", True, True, _DE, _WORKED_OUT),
    "hessen": Portal("Open Data Hessen: ckanext-dcatde", "iri", True, True, _DE, _WORKED_OUT),
    "rlp": Portal("Open-Data-Portal Rheinland-Pfalz", "id", True, True, {**_DE, "attribution": "attribution"}, _WORKED_OUT),
    "sachsen": Portal("Open Data Sachsen: extras of ckanext-dcat", "iri", True, False, _INNER, ("contributorID", "publisher_name")),
}

_WORK: dict[str, Callable[[Entry, Site], str | None]] = {
    "contributorID": lambda _, site: orjson.dumps([CONTRIBUTOR_IRI + site.contributor]).decode() if site.contributor else None,
    "politicalGeocodingURI": lambda _, site: orjson.dumps([site.geocoding_iri]).decode() if site.geocoding_iri else None,
    "politicalGeocodingLevelURI": lambda _, site: site.level_iri,
    "publisher_name": lambda entry, _: entry.dataset.metadata.publisher.title,
    "maintainer_contacttype": lambda entry, _: "Organization" if entry.dataset.metadata.contact else None,
}


def mapped_extras(entry: Entry, mapping: Portal, site: Site, own: Mapping[str, str]) -> dict[str, str]:
    """The extras of a dataset as this portal wants them; `own` are those that the file adds to every dataset."""
    said = (entry.document or {}).get("extras") if entry.document is not None else feed_extras(entry)
    made = {mapping.extras.get(one["key"], one["key"]): one["value"] for one in said or ()}
    made |= {name: value for name in mapping.worked_out if (value := _WORK[name](entry, site))}
    made |= own
    made.pop("", None)
    return {key: value for key, value in sorted(made.items()) if value}


def mapped_license(entry: Entry, mapping: Portal) -> str | None:
    """The licence as this portal calls it."""
    said = entry.dataset.metadata.license
    return (license_iri(said) or said) if mapping.license == "iri" else said


def mapped_file(entry: Entry, mapping: Portal, said: Mapping[str, Any]) -> dict[str, Any]:
    """What a file says beside its own words."""
    if not mapping.file_license:
        return {}
    meta = entry.dataset.metadata
    found = {"license": said.get("license") or license_iri(meta.license) or meta.license, "licenseAttributionByText": meta.attribution}
    return {key: value for key, value in found.items() if value}


def errand_mistakes(errand: Errand) -> Iterator[str]:
    """What is wrong with a harvest or a publication beside its shape."""
    if isinstance(errand, Publish) and errand.publish.mapping not in MAPPINGS:
        yield f"publish.mapping: there is no mapping {errand.publish.mapping!r}: use one of {', '.join(MAPPINGS)}"
