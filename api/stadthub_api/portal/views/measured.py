"""What is measured here, for everybody: all datasets on one page, and a page of its own for each thing, fit for a sign on a mast."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from stadthub_api.deps import DATASET, CatalogDep, LakeDep, PrincipalDep, ReadableDep
from stadthub_api.hub import readable
from stadthub_api.measured import KINDS, address, measured, thing
from stadthub_api.portal.rendering import page, settings
from stadthub_schemas.access import Action, may
from stadthub_schemas.privacy import NEVER_KEPT

router = APIRouter(include_in_schema=False)

SIZE = 25
#: How many observed properties or columns of a dataset are named at most.
NAMED = 12


@router.get("/measured", openapi_extra=DATASET)
def what_is_measured(
    request: Request,
    catalog: CatalogDep,
    lake: LakeDep,
    principal: PrincipalDep,
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    """All datasets in plain facts; those that count people with purpose and protection."""
    found = catalog.search("", principal=principal, facets={"kind": KINDS}, sort="title", limit=SIZE, offset=(number - 1) * SIZE)
    seen = [entry for entry in catalog.entries() if may(principal, Action.READ, entry.dataset).allowed]
    context = {
        "total": found.total,
        "rows": [measured(lake, readable(entry, principal)) for entry in found.entries],
        "counting": [entry for entry in seen if entry.dataset.metadata.privacy],
        "never_kept": NEVER_KEPT,
        "named": NAMED,
        "page_number": number,
        "pages": max(1, -(-found.total // SIZE)),
        "machine": f"/api/v1/measured?limit={SIZE}&offset={(number - 1) * SIZE}",
    }
    return page(request, "measured.html", context)


@router.get("/datasets/{name}/things/{thing:path}", openapi_extra=DATASET)
def what_a_thing_measures(
    request: Request, catalog: CatalogDep, lake: LakeDep, seen: ReadableDep, name: Annotated[str, Path(alias="thing", max_length=1000)]
) -> Response:
    """What one thing measures, its newest values, and why."""
    one = thing(lake, catalog, seen, name)
    there = address(seen.entry.name, name)
    context = {
        "one": one,
        "entry": seen.entry,
        "meta": seen.entry.dataset.metadata,
        "never_kept": NEVER_KEPT,
        "permalink": settings(request).url + there,
        "machine": f"/api/v1{there}",
    }
    return page(request, "thing.html", context)
