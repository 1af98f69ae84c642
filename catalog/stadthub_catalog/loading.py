"""What the catalogue says of an uploaded resource whose rows are loaded: how far that is, in extras of the resource, in CKAN's words."""

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.datasets import Written
from stadthub_catalog.entry import RELEASE, LoadState


def tell(catalog: Catalog, resource: UUID, state: LoadState, message: str) -> None:
    """Say how far the resource is; what was changed meanwhile stays. NotFound if it is gone."""
    entry, _ = catalog.shelf.any_distribution(str(resource))
    document = dict(entry.document or {})
    resources = [dict(one) for one in document.get("resources", ())]
    mine = next(one for one in resources if one["id"] == str(resource))
    said: dict[str, str | bool] = {"load_state": state.value, "load_message": message[:1000]}
    said |= {"datastore_active": state is LoadState.LOADED or bool(mine.get("datastore_active"))}
    if all(mine.get(key) == value for key, value in said.items()):
        return
    mine |= said
    document["resources"] = resources
    modified = max(datetime.now(UTC), entry.modified)
    catalog.write(Written(entry.id, entry.name, entry.organization.id, entry.state, document, entry.created, modified))


class File(NamedTuple):
    """A resource's uploaded file; `release` says on what ground it may be published although columns of it seem to tell of people."""

    name: str
    title: str
    release: str


def uploaded_file(catalog: Catalog, resource: UUID) -> File | None:
    """The resource's uploaded file; None if it has none. NotFound if it is gone."""
    entry, one = catalog.shelf.any_distribution(str(resource))
    for said in (entry.document or {}).get("resources", ()):
        if said["id"] == str(resource) and said.get("url_type") == "upload":
            name = str(one.url).rpartition("/")[2]
            return File(name, str(said.get("name") or name), str(said.get(RELEASE) or "").strip())
    return None
