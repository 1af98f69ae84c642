"""Our own hub and a neighbour."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exchange.hubs import Home, Other, home, other


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Home]:
    """Our own hub."""
    with home(tmp_path, f"sqlite:///{tmp_path / 'ours.sqlite'}") as one:
        yield one


@pytest.fixture
def neighbour(tmp_path: Path) -> Iterator[Other]:
    """Another hub, served."""
    with other(tmp_path / "neighbour") as one:
        yield one
