"""Units are turned into one another only where they measure the same."""

import math

import pytest

from stadthub_schemas.errors import QueryError
from stadthub_schemas.properties import OBSERVED_PROPERTIES
from stadthub_schemas.units import UNITS, conversion


@pytest.mark.parametrize(
    ("given", "wanted", "value", "expected"),
    [
        ("K", "Cel", 273.15, 0),
        ("[degF]", "Cel", 212, 100),
        ("Pa", "hPa", 99623.66, 996.2366),
        ("m", "cm", 1.5, 150),
        ("Cel", "K", 20, 293.15),
        ("mbar", "hPa", 1013, 1013),
    ],
)
def test_a_result_is_converted(given: str, wanted: str, value: float, expected: float) -> None:
    factor, offset = conversion(given, wanted)
    assert math.isclose(value * factor + offset, expected, abs_tol=1e-9)


def test_what_measures_another_thing_is_refused() -> None:
    with pytest.raises(QueryError, match="measures temperature"):
        conversion("Cel", "hPa")


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(QueryError, match="not a UCUM code"):
        conversion("Grad", "Cel")


@pytest.mark.parametrize("name", OBSERVED_PROPERTIES)
def test_every_observed_property_has_a_known_unit(name: str) -> None:
    assert OBSERVED_PROPERTIES[name].unit in UNITS
