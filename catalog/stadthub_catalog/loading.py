"""What the catalogue says of an uploaded resource whose rows are loaded: how far that is, in extras of the resource, in CKAN's words."""

from typing import NamedTuple
from uuid import UUID

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import RELEASE, LoadState
from stadthub_catalog.saying import Resource, say


def tell(catalog: Catalog, resource: UUID, state: LoadState, message: str) -> None:
    """Say how far the resource is; what was changed meanwhile stays. NotFound if it is gone."""

    def said(mine: Resource) -> Resource:
        active = state is LoadState.LOADED or bool(mine.get("datastore_active"))
        return {"load_state": state.value, "load_message": message[:1000], "datastore_active": active}

    say(catalog, resource, said)


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
