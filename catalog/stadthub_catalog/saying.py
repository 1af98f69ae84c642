"""What the hub itself says of a resource, beside what its owners say: written into the dataset as it stands in that moment."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.datasets import Written
from stadthub_schemas.errors import NotFound

#: A resource as it is kept, or part of it.
Resource = Mapping[str, Any]


def say(catalog: Catalog, resource: UUID, said: Callable[[Resource], Resource]) -> None:
    """Write of the resource what `said` makes of it as it stands; nothing is written if it says so already. NotFound if it is gone."""
    entry, _ = catalog.shelf.any_distribution(str(resource))

    def change(there: Written) -> Written | None:
        resources = [dict(one) for one in there.document.get("resources", ())]
        mine = next((one for one in resources if one["id"] == str(resource)), None)
        if mine is None:
            raise NotFound(f"there is no resource {resource}")
        more = said(mine)
        if all(mine.get(key) == value for key, value in more.items()):
            return None
        mine |= more
        return replace(there, document={**there.document, "resources": resources}, modified=max(datetime.now(UTC), there.modified))

    catalog.amend(entry.id, change)
