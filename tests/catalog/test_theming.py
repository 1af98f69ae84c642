"""The theme that is proposed for a dataset is that of its subject."""

import pytest

from stadthub_catalog.theming import suggested


@pytest.mark.parametrize(
    ("title", "theme"),
    [
        ("Parkanlagen der Stadt", "ENVI"),
        ("Belegung der Parkhäuser", "TRAN"),
        ("Baumkataster", "ENVI"),
        ("Kindertagesstätten", "EDUC"),
        ("Einwohner nach Stadtbezirken", "SOCI"),
        ("Stadtbezirke", "REGI"),
        ("Hundesteuer", "ECON"),
        ("Wahl des Stadtrats", "GOVE"),
        ("Ladesäulen", "ENER"),
        ("Krankenhäuser", "HEAL"),
        ("Einsätze der Feuerwehr", "JUST"),
        ("Bicycle counts", "TRAN"),
        ("Freies WLAN", "TECH"),
        ("Wochenmärkte", "AGRI"),
        ("Partnerstädte", "INTR"),
        ("Xyz 42", None),
    ],
)
def test_a_title_speaks_of_a_theme(title: str, theme: str | None) -> None:
    assert suggested(title) == theme


def test_a_title_says_more_than_the_description() -> None:
    assert suggested("Schulen", "Standorte an Straßen mit Haltestellen, Radwegen und Parkplätzen") == "EDUC"
    assert suggested("Liste 3", "Haltestellen der Straßenbahn") == "TRAN"
