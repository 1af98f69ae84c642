"""One call of a CKAN action: what is asked, by whom, and what of the catalogue that shows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stadthub_catalog import packages
from stadthub_catalog.entry import Entry
from stadthub_catalog.parameters import whole
from stadthub_catalog.shelf import Shelf
from stadthub_catalog.site import Site
from stadthub_schemas.access import Principal

#: Lists of packages are cut here, as CKAN does.
MOST = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of an action."""

    shelf: Shelf
    parameters: Mapping[str, Any]
    principal: Principal
    site: Site

    def visible(self) -> list[Entry]:
        """What the caller may know of, by name."""
        return list(self.shelf.visible(self.principal).values())


def groups(asked: Asked) -> list[dict[str, Any]]:
    """The themes in which the caller may know of datasets, as groups."""
    found = asked.visible()
    counts = Counter(theme for entry in found for theme in set(entry.dataset.metadata.themes))
    first = {theme: min(entry.created for entry in found if theme in entry.dataset.metadata.themes) for theme in counts}
    return [packages.group(theme, count, first[theme]) for theme, count in counts.items()]


def first_packages(asked: Asked, found: Iterable[Entry]) -> list[dict[str, Any]]:
    """The first packages of a longer list."""
    part = list(found)[: min(whole(asked.parameters, "rows", MOST), MOST)]
    return [packages.package(entry, asked.site) for entry in part]


def keyword(name: str) -> dict[str, Any]:
    """A keyword as `tag_list` and `tag_show` give it."""
    one = packages.tag(name)
    return {"id": one["id"], "name": name, "vocabulary_id": None, "display_name": name}
