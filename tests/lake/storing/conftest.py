"""A new lake for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .given import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A lake with one timeseries, `air`."""
    place = Place.at(tmp_path)
    place.make("air")
    yield place
    place.store.close()
