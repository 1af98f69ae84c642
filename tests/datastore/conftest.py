"""A served hub with datasets of feeds of every kind, and an empty dataset into which tables are pushed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pyarrow as pa
import pytest
from ckanapi import RemoteCKAN

from stadthub_api.app import create_app
from stadthub_catalog.catalog import Catalog
from stadthub_lake.store import Progress, Store
from stadthub_schemas.access import Role
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Extent, Kind, Privacy
from tests.api.city import BUDGET, build, described, served

VISITORS = "visitors"


@dataclass(frozen=True)
class Hub:
    """Where it is, and the tokens of its administrator and of an editor of another office."""

    address: str
    token: str
    other: str

    def client(self, token: str = "") -> httpx.Client:
        """A client with a token; without one as anybody."""
        return httpx.Client(base_url=self.address, headers={"Authorization": token} if token else {}, timeout=60)

    def call(self, action: str, token: str = "", **said: Any) -> httpx.Response:
        """One action by POST."""
        with self.client(token) as client:
            return client.post(f"/api/3/action/{action}", json=said)

    def result(self, action: str, token: str = "", **said: Any) -> Any:
        """What an action answers that is granted."""
        answer = self.call(action, token, **said)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def error(self, action: str, token: str = "", **said: Any) -> tuple[int, dict[str, Any]]:
        """Status and error of an action that is refused."""
        answer = self.call(action, token, **said)
        return answer.status_code, answer.json()["error"]

    def table(self, fields: list[dict[str, Any]], **more: Any) -> str:
        """A new table in the dataset `tafeln`; the id of its resource."""
        made = self.result("datastore_create", self.token, resource={"package_id": "tafeln", "name": "t"}, fields=fields, **more)
        return str(made["resource_id"])


@pytest.fixture(scope="package")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    city = build(tmp_path_factory.mktemp("city") / "hub")
    catalog = Catalog(city.settings.database)
    _visitors(city.settings.lake, city.settings.data_dir, catalog)
    token, other = catalog.create_token("boss", Role.ADMIN), catalog.create_token("nachbar", Role.PUBLISHER)
    catalog.close()
    with served(create_app(city.settings)) as address:
        found = Hub(address, token, other)
        found.result("organization_create", token, name="amt", title="Amt")
        found.result("package_create", token, name="tafeln", owner_org="amt", title="Tafeln")
        found.result("package_create", token, name="geheim", owner_org="amt", title="Geheim", private=True)
        yield found


def _visitors(lake: str, data_dir: Any, catalog: Catalog) -> None:
    """A table that counts people: numbers below five are for the city's own people."""
    words = described(BUDGET)
    privacy = Privacy(purpose="Zählung", legal_basis="Satzung", counts=("visitors",), plain=("year",))
    dataset = words.model_copy(
        update={"name": VISITORS, "kind": Kind.TABLE, "metadata": words.metadata.model_copy(update={"privacy": privacy})}
    )
    table = pa.table({"year": list(range(2000, 2020)), "visitors": list(range(20))})
    store = Store(lake, data_dir)
    store.ensure(dataset)
    store.replace(VISITORS, "visitors-feed", table, Progress(1, Counts(received=20, stored=20)))
    store.close()
    catalog.publish(dataset, (), Extent(rows=20), [], "visitors-feed")


@pytest.fixture(scope="package")
def site(hub: Hub) -> RemoteCKAN:
    """The hub as ckanapi's client sees it with the administrator's token."""
    return RemoteCKAN(hub.address, apikey=hub.token)
