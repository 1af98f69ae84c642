"""What others publish and this hub does not: the operator's page of the gap report."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from stadthub_api.deps import OPERATE, HubDep, OperatorDep
from stadthub_api.portal.rendering import page
from stadthub_pipelines.comparing import compare

router = APIRouter(include_in_schema=False, prefix="/operator")

#: How many gaps of a theme stand on the page.
MOST = 100


@router.get("/gaps", openapi_extra=OPERATE)
def gaps(request: Request, hub: HubDep, principal: OperatorDep, against: Annotated[str, Query(max_length=100)] = "") -> Response:
    """Against the catalogue that the address names; else against the first that was harvested."""
    counted = hub.catalog.harvests()
    titles = {one.feed: one.title for one in hub.catalog.feeds()}
    chosen = against or next(iter(counted), "")
    context = {
        "who": principal.name,
        "sources": [(name, titles.get(name) or name, count) for name, count in counted.items()],
        "against": chosen,
        "report": compare(hub.catalog, hub.settings, chosen) if chosen else None,
        "most": MOST,
    }
    answer = page(request, "gaps.html", context)
    answer.headers["Cache-Control"] = "no-store"
    return answer
