"""Licences, formats, themes and rhythms in the spellings of other catalogues, and real datasets of Köln."""

import os
from pathlib import Path

import pytest

from stadthub_catalog.foreign.adopting import Origin, adopt
from stadthub_catalog.foreign.licenses import license_named
from stadthub_catalog.foreign.normal import format_of, frequency_of, theme_of
from stadthub_catalog.foreign.protocols import read_document
from stadthub_schemas.authorities import EU_LICENSES, license_iri
from stadthub_schemas.vocabularies import LICENSES

SHARED = Path(os.environ.get("SHARED_DIR", Path(__file__).parents[3] / "shared"))
KOELN = SHARED / "data" / "catalogue" / "koeln-catalog.json"

SPELLINGS = {
    "dl-de-by-2.0": (
        "dl-de/by-2-0",
        "DL-DE-BY-2.0",
        "Datenlizenz Deutschland – Namensnennung – Version 2.0",
        "Datenlizenz Deutschland Namensnennung 2.0",
        "https://www.govdata.de/dl-de/by-2-0",
        "http://dcat-ap.de/def/licenses/dl-by-de/2.0",
        "http://publications.europa.eu/resource/authority/licence/DLDE_BY_2_0",
    ),
    "dl-de-zero-2.0": (
        "dl-de/zero-2-0",
        "Datenlizenz Deutschland – Zero – Version 2.0",
        "http://dcat-ap.de/def/licenses/dl-zero-de/2.0",
        "http://publications.europa.eu/resource/authority/licence/DLDE_ZERO_2_0",
    ),
    "dl-de-by-1.0": ("Datenlizenz Deutschland Namensnennung 1.0", "http://dcat-ap.de/def/licenses/dl-by-de/1.0"),
    "dl-de-by-nc-1.0": ("http://dcat-ap.de/def/licenses/dl-by-nc-de/1.0", "Datenlizenz Deutschland – Namensnennung – nicht kommerziell"),
    "cc-by-4.0": (
        "CC-BY-4.0",
        "CC BY 4.0",
        "Creative Commons Namensnennung 4.0 International",
        "Creative Commons Attribution 4.0 International (CC BY 4.0)",
        "https://creativecommons.org/licenses/by/4.0/deed.de",
        "http://dcat-ap.de/def/licenses/cc-by/4.0",
        "http://publications.europa.eu/resource/authority/licence/CC_BY_4_0",
    ),
    "cc-by-sa-4.0": ("Creative Commons Attribution-ShareAlike 4.0", "http://publications.europa.eu/resource/authority/licence/CC_BYSA_4_0"),
    "cc-by-nc-4.0": ("https://creativecommons.org/licenses/by-nc/4.0/", "CC BY-NC 4.0"),
    "cc-by-3.0": ("https://creativecommons.org/licenses/by/3.0/de/",),
    "cc-by": ("cc-by", "Creative Commons Namensnennung"),
    "cc0-1.0": ("CC0", "cc-zero", "https://creativecommons.org/publicdomain/zero/1.0/", "http://publications.europa.eu/resource/authority/licence/CC0"),
    "odbl-1.0": ("ODbL", "odc-odbl", "Open Data Commons Open Database License", "http://opendatacommons.org/licenses/odbl/1-0/"),
    "other-closed": ("other-closed", "Andere geschlossene Lizenz"),
    "Nutzung nach § 5": ("Nutzung nach § 5",),
}  # fmt: skip


@pytest.mark.parametrize(("said", "meant"), [(said, meant) for meant, some in SPELLINGS.items() for said in some])
def test_a_licence_is_known_in_every_spelling(said: str, meant: str) -> None:
    assert license_named(said) == meant


@pytest.mark.parametrize("license_", LICENSES.values(), ids=lambda one: one.id)
def test_every_licence_of_ours_is_known_by_id_title_and_addresses(license_: object) -> None:
    one = LICENSES[license_.id]  # type: ignore[attr-defined]
    told = [one.id, one.title, one.iri, one.url] if one.is_open else [one.id, one.title, one.iri]
    assert {license_named(said) for said in told} == {one.id}


@pytest.mark.parametrize(("german", "european"), EU_LICENSES.items())
def test_german_and_european_addresses_of_a_licence_mean_the_same_and_are_led_back(german: str, european: str) -> None:
    named = license_named(german)
    assert named == license_named(european)
    assert license_iri(named) == german


@pytest.mark.parametrize("said", ["", "notspecified", None])
def test_no_licence_is_none(said: str | None) -> None:
    assert license_named(said or "") is None


@pytest.mark.parametrize(
    ("said", "url", "meant"),
    [
        ("text/csv; charset=utf-8", "", "CSV"),
        ("http://publications.europa.eu/resource/authority/file-type/JSON_LD", "", "JSON-LD"),
        ("https://www.iana.org/assignments/media-types/application/geo+json", "", "GeoJSON"),
        ("http://publications.europa.eu/resource/authority/file-type/WFS_SRVC", "", "WFS"),
        ("WMS_SRVC", "", "WMS"),
        ("", "https://x.example/a.xlsx?b=1", "XLSX"),
        (".csv", "", "CSV"),
        ("eigenes", "", "eigenes"),
        ("", "https://x.example/", ""),
    ],
)
def test_a_format_is_spelled_as_ours(said: str, url: str, meant: str) -> None:
    assert format_of([said], url) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [("Transport und Verkehr", "TRAN"), ("umwelt_klima", "ENVI"), ("TRAN", "TRAN"), ("Verkehr", "TRAN"), ("Umwelt", "ENVI"), ("Stadt Köln", None)],
)  # fmt: skip
def test_groups_of_german_portals_are_europes_themes(said: str, meant: str | None) -> None:
    assert theme_of(said) == meant


@pytest.mark.parametrize(
    ("said", "meant"), [("R/P1D", "DAILY"), ("jährlich", "ANNUAL"), ("http://x/frequency/HOURLY", "HOURLY"), ("selten", None)]
)
def test_rhythms_are_codes_of_europes_list(said: str, meant: str | None) -> None:
    assert frequency_of(said) == meant


@pytest.mark.skipif(not KOELN.is_file(), reason="the shared folder with the catalogue of Köln is not there")
def test_every_dataset_of_koeln_can_be_taken() -> None:
    origin = Origin("koeln", "Offene Daten Köln", "https://offenedaten-koeln.de", "https://daten.musterstadt.example")
    taken = [adopt(item, origin) for item in read_document(KOELN.read_bytes(), KOELN.name)]
    assert len(taken) == 137
    assert len({one.id for one in taken}) == 137
    assert {one.said["license_id"] for one in taken} == {"cc-by"}
    assert sum(bool(one.said["groups"]) for one in taken) > 120
    assert {file["format"] for one in taken for file in one.said["resources"]} <= {"CSV", "JSON", "KMZ", "XML", "ZIP", "PDF", "XLS"}
