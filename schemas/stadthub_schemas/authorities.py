"""The words of Europe's and Germany's catalogues beside themes and frequencies: each an address with its list and its labels.

Sources: EU authority tables (access-right, planned-availability, distribution-status, dataset-type, language, licence), ADMS
publisher types, dcat-ap.de (licences, contributors, political geocoding), the EU's categories of high-value datasets.
"""

import re
from dataclasses import dataclass

from stadthub_schemas.filetypes import FILE_TYPES
from stadthub_schemas.vocabularies import FILE_TYPE_IRI, FREQUENCIES, FREQUENCY_IRI, LICENSE_IRI, LICENSES, THEME_IRI, THEMES

_EU = "http://publications.europa.eu/resource/authority/"
_DE = "http://dcat-ap.de/def/"
CONTRIBUTOR_IRI = _DE + "contributors/"
GEOCODING_IRI = _DE + "politicalGeocoding/"
HVD_IRI = "http://data.europa.eu/bna/"
#: The implementing regulation that names the high-value datasets.
HVD_LAW = "http://data.europa.eu/eli/reg_impl/2023/138/oj"
PUBLIC, NON_PUBLIC, RESTRICTED = (f"{_EU}access-right/{one}" for one in ("PUBLIC", "NON_PUBLIC", "RESTRICTED"))
AVAILABLE, EXPERIMENTAL = (f"{_EU}planned-availability/{one}" for one in ("AVAILABLE", "EXPERIMENTAL"))
COMPLETED, DEVELOP = (f"{_EU}distribution-status/{one}" for one in ("COMPLETED", "DEVELOP"))
#: DCAT-AP 2 has ADMS's own list of states.
OLD_STATUS = {COMPLETED: "http://purl.org/adms/status/Completed", DEVELOP: "http://purl.org/adms/status/UnderDevelopment"}
GEOSPATIAL, TEST_DATA = (f"{_EU}dataset-type/{one}" for one in ("GEOSPATIAL", "TEST_DATA"))
GERMAN, ENGLISH = (f"{_EU}language/{one}" for one in ("DEU", "ENG"))
PUBLISHER_IRI = "http://purl.org/adms/publishertype/"


@dataclass(frozen=True, slots=True)
class Concept:
    """A word of a list: `kind` is the class that DCAT-AP wants it to have beside skos:Concept."""

    scheme: str
    german: str
    english: str
    kind: str = ""


_WORDS = {
    PUBLIC: ("access-right", "öffentlich", "public", "dct:RightsStatement"),
    NON_PUBLIC: ("access-right", "nicht öffentlich", "non-public", "dct:RightsStatement"),
    RESTRICTED: ("access-right", "eingeschränkt", "restricted", "dct:RightsStatement"),
    AVAILABLE: ("planned-availability", "verfügbar", "available", ""),
    EXPERIMENTAL: ("planned-availability", "experimentell", "experimental", ""),
    COMPLETED: ("distribution-status", "fertiggestellt", "completed", ""),
    DEVELOP: ("distribution-status", "in Entwicklung", "under development", ""),
    GEOSPATIAL: ("dataset-type", "Geodaten", "geospatial data", ""),
    TEST_DATA: ("dataset-type", "Testdaten", "test data", ""),
    GERMAN: ("language", "Deutsch", "German", "dct:LinguisticSystem"),
    ENGLISH: ("language", "Englisch", "English", "dct:LinguisticSystem"),
}

PUBLISHER_TYPES = {
    "LocalAuthority": ("Kommunalbehörde", "Local authority"),
    "RegionalAuthority": ("Landesbehörde", "Regional authority"),
    "NationalAuthority": ("Bundesbehörde", "National authority"),
    "PublicLawBody": ("Einrichtung des öffentlichen Rechts", "Public law body"),
    "Company": ("Unternehmen", "Company"),
}

#: By the number of digits of a German official key: the list that it stands in, and the political level.
GEOCODINGS = {
    2: ("stateKey", "state"),
    3: ("governmentDistrictKey", "administrativeDistrict"),
    5: ("districtKey", "administrativeDistrict"),
    8: ("municipalityKey", "municipality"),
    9: ("municipalAssociationKey", "municipality"),
    12: ("regionalKey", "municipality"),
}
_LEVELS = {
    "state": ("Land", "State"),
    "administrativeDistrict": ("Kreis oder Regierungsbezirk", "Administrative district"),
    "municipality": ("Gemeinde", "Municipality"),
}

#: The six categories of high-value datasets (Implementing Regulation (EU) 2023/138).
HVD_CATEGORIES = {
    "c_ac64a52d": ("Georaum", "Geospatial"),
    "c_dd313021": ("Erdbeobachtung und Umwelt", "Earth observation and environment"),
    "c_164e0bf5": ("Meteorologie", "Meteorological"),
    "c_e1da4e07": ("Statistik", "Statistics"),
    "c_a9135398": ("Unternehmen und Eigentümerschaft von Unternehmen", "Companies and company ownership"),
    "c_b79e35eb": ("Mobilität", "Mobility"),
}

#: dcat-ap.de's licences and what the EU's table calls the same one.
EU_LICENSES = {
    LICENSE_IRI + german: f"{_EU}licence/{european}"
    for german, european in {
        "dl-by-de/2.0": "DLDE_BY_2_0",
        "dl-by-de/1.0": "DLDE_BY_1_0",
        "dl-by-nc-de/1.0": "DLDE_BYNC_1_0",
        "dl-zero-de/2.0": "DLDE_ZERO_2_0",
        "cc-by/4.0": "CC_BY_4_0",
        "cc-by-sa/4.0": "CC_BYSA_4_0",
        "cc-by-nc/4.0": "CC_BYNC_4_0",
        "cc-by-nd/4.0": "CC_BYND_4_0",
        "cc-zero": "CC0",
        "odbl": "ODC_BL",
        "odby": "ODC_BY",
        "odcpddl": "ODC_PDDL",
    }.items()
}

#: What other catalogues write as licence, beside the words of our own list.
_LICENSE_WORDS = {
    "cc-by": "cc-by/4.0",
    "cc-by-sa": "cc-by-sa/4.0",
    "cc-by-sa-4.0": "cc-by-sa/4.0",
    "cc-nc": "cc-by-nc/4.0",
    "cc-by-nc-4.0": "cc-by-nc/4.0",
    "cc-by-nd-4.0": "cc-by-nd/4.0",
    "cc-zero": "cc-zero",
    "odc-odbl": "odbl",
    "odc-by": "odby",
    "odc-pddl": "odcpddl",
    "dl-de-by-1.0": "dl-by-de/1.0",
    "dl-de-by-nc-1.0": "dl-by-nc-de/1.0",
    "other-open": "other-open",
    "other-pd": "ccpdm/1.0",
}


def license_iri(said: str | None) -> str | None:
    """The address in dcat-ap.de's list of the licence that somebody named by a word or an address; None for one outside of it."""
    if not said:
        return None
    known = LICENSES.get(said)
    if known is not None:
        return known.iri
    if said.startswith(LICENSE_IRI):
        return said
    named = _LICENSE_WORDS.get(re.sub(r"/(?=\d)", "-", said.casefold()))
    if named is not None:
        return LICENSE_IRI + named
    return _BY_ADDRESS.get(re.sub(r"^https?:|/$", "", said))


def license_key(said: str | None) -> str | None:
    """The one word for a licence that somebody named by its address in dcat-ap.de's list, however that is written; all else as it was
    said."""
    found = _LISTED.fullmatch(said.strip()) if said else None
    return said if found is None else _KEYS.get(LICENSE_IRI + found[1], LICENSE_IRI + found[1])


def concept(iri: str) -> Concept | None:
    """What is known of a word; None for one of no list of ours."""
    found = _CONCEPTS.get(iri)
    if found is None and iri.startswith(CONTRIBUTOR_IRI):
        name = iri.removeprefix(CONTRIBUTOR_IRI)
        return Concept(_DE + "contributors", name, name)
    if found is None and iri.startswith(GEOCODING_IRI):
        scheme, _, key = iri.removeprefix(GEOCODING_IRI).partition("/")
        return Concept(GEOCODING_IRI + scheme, key, key, "dct:Location")
    if found is None and iri.startswith(HVD_IRI + "c_"):
        return Concept(HVD_IRI + "asd487ae75", iri.removeprefix(HVD_IRI), iri.removeprefix(HVD_IRI))
    return found


#: An address in dcat-ap.de's list, and the words for those that have one.
_LISTED = re.compile(r"https?://(?:www\.)?dcat-ap\.de/def/licenses/(\S*[^\s/])/*", re.IGNORECASE)
_KEYS = {**{LICENSE_IRI + path: word for word, path in _LICENSE_WORDS.items()}, **{one.iri: one.id for one in LICENSES.values()}}
_BY_ADDRESS = {
    **{re.sub(r"^https?:|/$", "", one.url): one.iri for one in LICENSES.values()},
    **{re.sub(r"^https?:|/$", "", european): german for german, european in EU_LICENSES.items()},
}
_CONCEPTS: dict[str, Concept] = {
    **{THEME_IRI + code: Concept(_EU + "data-theme", *words) for code, words in THEMES.items()},
    **{FREQUENCY_IRI + code: Concept(_EU + "frequency", *words[:2], "dct:Frequency") for code, words in FREQUENCIES.items()},
    **{FILE_TYPE_IRI + one.code: Concept(_EU + "file-type", one.title, one.title, "dct:MediaTypeOrExtent") for one in FILE_TYPES.values()},
    **{iri: Concept(_EU + scheme, german, english, kind) for iri, (scheme, german, english, kind) in _WORDS.items()},
    **{old: Concept("http://purl.org/adms/status/1.0", *_WORDS[new][1:3]) for new, old in OLD_STATUS.items()},
    **{PUBLISHER_IRI + name: Concept(PUBLISHER_IRI + "1.0", *words) for name, words in PUBLISHER_TYPES.items()},
    **{f"{GEOCODING_IRI}Level/{name}": Concept(GEOCODING_IRI + "Level", *words) for name, words in _LEVELS.items()},
    **{HVD_IRI + code: Concept(HVD_IRI + "asd487ae75", *words) for code, words in HVD_CATEGORIES.items()},
    **{
        iri: Concept(_DE + "licenses", iri.rpartition("licenses/")[2], iri.rpartition("licenses/")[2], "dct:LicenseDocument")
        for iri in EU_LICENSES
    },
    **{one.iri: Concept(_DE + "licenses", one.title, one.title, "dct:LicenseDocument") for one in LICENSES.values()},
    **{
        iri: Concept(_EU + "licence", iri.rpartition("/")[2], iri.rpartition("/")[2], "dct:LicenseDocument") for iri in EU_LICENSES.values()
    },
}
