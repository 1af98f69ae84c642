"""What the catalogue says of an uploaded resource whose rows are loaded: how far that is, in extras of the resource, in CKAN's words."""

from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.datasets import Written


class LoadState(StrEnum):
    """How the rows of a file are: being loaded, loaded, held back (they tell of people), not loadable, or it went wrong."""

    LOADING = "loading"
    LOADED = "loaded"
    HELD = "held"
    FAILED = "failed"


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


def uploaded_file(catalog: Catalog, resource: UUID) -> tuple[str, str] | None:
    """The name of the resource's uploaded file and its title; None if it has none. NotFound if it is gone."""
    entry, one = catalog.shelf.any_distribution(str(resource))
    for said in (entry.document or {}).get("resources", ()):
        if said["id"] == str(resource) and said.get("url_type") == "upload":
            return str(one.url).rpartition("/")[2], str(said.get("name") or one.url.rpartition("/")[2])
    return None
