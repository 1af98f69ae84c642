"""What tests of several rooms share: real servers and databases."""

import pytest

from tests.databases import database_url, postgresql_server, postgresql_url, sqlite_url
from tests.servers import mosquitto, mosquitto_tls, web_server

__all__ = ["database_url", "mosquitto", "mosquitto_tls", "postgresql_server", "postgresql_url", "sqlite_url", "web_server"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests that ask for the most time begin first, so that two processes end together."""
    items.sort(key=_patience, reverse=True)


def _patience(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker is not None else 0.0
