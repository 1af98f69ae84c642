"""What a dataset is derived from, as far as the caller may know it."""

from dataclasses import dataclass

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import Entry
from stadthub_schemas.access import Action, Principal, may
from stadthub_schemas.errors import NotFound


@dataclass(frozen=True, slots=True)
class Ancestry:
    """The datasets that a dataset is derived from and that the caller may see; the SQL only where these are all."""

    inputs: tuple[Entry, ...]
    sql: str | None


def ancestry(catalog: Catalog, entry: Entry, principal: Principal) -> Ancestry | None:
    """What the dataset is derived from; None where a feed brings it."""
    lineage = entry.dataset.lineage
    if lineage is None:
        return None
    seen = tuple(found for name in lineage.inputs if (found := _visible(catalog, name, principal)) is not None)
    return Ancestry(seen, lineage.sql.strip() if len(seen) == len(lineage.inputs) else None)


def _visible(catalog: Catalog, name: str, principal: Principal) -> Entry | None:
    try:
        entry = catalog.entry(name)
    except NotFound:
        return None
    return entry if may(principal, Action.READ, entry.dataset).allowed else None
