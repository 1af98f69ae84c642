"""A process that patches one resource of one dataset again and again, each time with a word of its own; for tests of writers at a time."""

import sys
from uuid import UUID

from stadthub_catalog import Catalog, Site
from stadthub_catalog.actions import call
from stadthub_catalog.entry import LoadState
from stadthub_catalog.loading import tell
from stadthub_schemas.access import Principal, Role

SITE = Site("Daten Musterstadt", "https://daten.musterstadt.example")
ADMIN = Principal("admin", Role.ADMIN)


def patch(catalog: Catalog, resource: str, who: str, times: int) -> None:
    """Give the resource these words, one patch each: even ones as a resource, odd ones as a package."""
    for number in range(times):
        if number % 2:
            call(catalog, "package_revise", {"match__name": "viel", f"update__resources__0__{who}-{number}": "x"}, ADMIN, SITE)
        else:
            call(catalog, "resource_patch", {"id": resource, f"{who}-{number}": "x"}, ADMIN, SITE)


def main(url: str, resource: str, who: str, times: str) -> None:
    """Patch as somebody with a name; `worker` tells how far the rows are instead."""
    catalog = Catalog(url)
    print("ready", flush=True)
    sys.stdin.readline()
    if who == "worker":
        for number in range(int(times)):
            tell(catalog, UUID(resource), LoadState.LOADING, f"step {number}")
        tell(catalog, UUID(resource), LoadState.LOADED, "all of it")
    else:
        patch(catalog, resource, who, int(times))
    catalog.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
