"""Fixtures of the api room: one served city for all tests that only read, and a client that is nobody in particular."""

from collections.abc import Iterator

import httpx
import pytest

from stadthub_api.app import create_app
from tests.api.city import City, build, client, served


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A filled hub."""
    return build(tmp_path_factory.mktemp("city"))


@pytest.fixture(scope="session")
def address(city: City) -> Iterator[str]:
    """Where the city's hub is served."""
    with served(create_app(city.settings)) as address:
        yield address


@pytest.fixture(scope="session")
def anybody(address: str) -> Iterator[httpx.Client]:
    """A client without a token."""
    with client(address) as one:
        yield one
