"""What is measured here, for machines: of all datasets, of one, and of one thing."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from stadthub_api.answers import cached
from stadthub_api.deps import DATASET, HubDep, PrincipalDep, ReadableDep
from stadthub_api.hub import Hub, readable
from stadthub_api.measured import KINDS, measured, thing, told, told_thing
from stadthub_api.parameters import refuse_unknown
from stadthub_schemas.access import Principal

router = APIRouter(prefix="/api/v1", tags=["datasets"])

JSON = "application/json"


@router.get("/measured", openapi_extra=DATASET)
async def list_measured(
    request: Request,
    hub: HubDep,
    principal: PrincipalDep,
    limit: Annotated[int, Query(ge=1, le=1000)] = 20,
    offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    """What is observed, by how many, where, how often, since when, how long it is kept; why and with what protection where people are
    counted. Also as a page for readers: `/measured`."""
    refuse_unknown(request.query_params.multi_items(), ("limit", "offset"))
    return cached(request, await hub.work(_listed, hub, principal, limit, offset), JSON, 60)


def _listed(hub: Hub, principal: Principal, limit: int, offset: int) -> bytes:
    found = hub.catalog.search("", principal=principal, facets={"kind": KINDS}, sort="title", limit=limit, offset=offset)
    following = f"/api/v1/measured?limit={limit}&offset={offset + limit}" if offset + len(found.entries) < found.total else None
    datasets = [told(measured(hub.lake, readable(entry, principal)), hub.site) for entry in found.entries]
    return orjson.dumps({"total": found.total, "datasets": datasets, "next": following})


@router.get("/datasets/{name}/measured", openapi_extra=DATASET)
async def measured_by_dataset(request: Request, hub: HubDep, seen: ReadableDep) -> Response:
    """The same of one dataset."""
    refuse_unknown(request.query_params.multi_items(), ())
    facts = await hub.work(measured, hub.lake, seen)
    return cached(request, orjson.dumps(told(facts, hub.site)), JSON, 60)


@router.get("/datasets/{name}/things/{thing:path}", openapi_extra=DATASET)
async def one_thing(
    request: Request, hub: HubDep, seen: ReadableDep, name: Annotated[str, Path(alias="thing", max_length=1000)]
) -> Response:
    """One thing: what it observes, the newest values, and why. Also as a page for readers: `/datasets/{name}/things/{thing}`."""
    refuse_unknown(request.query_params.multi_items(), ())
    facts = await hub.work(thing, hub.lake, hub.catalog, seen, name)
    return cached(request, orjson.dumps(told_thing(facts, hub.site)), JSON, 2)
