"""One call of a CKAN action: what is asked, by whom, and what of the catalogue that shows."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from stadthub_catalog import accounts, packages
from stadthub_catalog.accounts import Account
from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import Entry
from stadthub_catalog.parameters import whole
from stadthub_catalog.shelf import Shelf
from stadthub_catalog.site import Site
from stadthub_catalog.uploads import Uploads
from stadthub_schemas.access import Principal
from stadthub_schemas.errors import NotFound

#: Lists of packages are cut here, as CKAN does.
MOST = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of an action. `changed` gathers the ids of the packages that it really changed; `actions` are all that there are."""

    catalog: Catalog
    parameters: Mapping[str, Any]
    principal: Principal
    site: Site
    uploads: Uploads | None = None
    changed: list[UUID] = field(default_factory=list)
    actions: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    _accounts: list[Account] = field(default_factory=list)

    @property
    def shelf(self) -> Shelf:
        """The catalogue in memory."""
        return self.catalog.shelf

    def package(self, entry: Entry) -> dict[str, Any]:
        """The dataset in CKAN's words."""
        return packages.package(entry, self.site, self.shelf.groups())

    def account(self) -> Account:
        """The caller's account, made if there is none yet."""
        if not self._accounts:
            self._accounts.append(self._account())
        return self._accounts[0]

    def _account(self) -> Account:
        with self.catalog.database.reading() as connection:
            try:
                return accounts.named(connection, self.principal.name)
            except NotFound:
                pass
        with self.catalog.database.keeping() as connection:
            return accounts.of(connection, self.principal)

    def visible(self) -> list[Entry]:
        """What the caller may know of, by name."""
        return list(self.shelf.visible(self.principal).values())


def first_packages(asked: Asked, found: Iterable[Entry]) -> list[dict[str, Any]]:
    """The first packages of a longer list."""
    part = list(found)[: min(whole(asked.parameters, "rows", MOST), MOST)]
    return [asked.package(entry) for entry in part]


def keyword(name: str) -> dict[str, Any]:
    """A keyword as `tag_list` and `tag_show` give it."""
    one = packages.tag(name)
    return {"id": one["id"], "name": name, "vocabulary_id": None, "display_name": name}
