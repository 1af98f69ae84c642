"""Meraki's Scanning API: the dashboard proves that the address is ours by reading the validator, then brings its observations.

It sends no token: the secret in each body is its proof. Bodies are counted in memory; what is stored are counts of ended windows.
"""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request, Response

from stadthub_api.deps import PUBLIC, HubDep
from stadthub_api.feeds import PushFeed, push_feed
from stadthub_api.hub import Hub
from stadthub_ingest import registry
from stadthub_ingest.decoders import meraki_scanning
from stadthub_schemas.errors import AccessError, NotFound
from stadthub_schemas.feed import reveal

router = APIRouter(prefix="/api/v1/feeds", tags=["feeds"])

FeedName = Annotated[str, Path(max_length=100)]


@router.get("/{feed}/scanning", openapi_extra=PUBLIC)
async def validator(feed: FeedName, hub: HubDep) -> Response:
    """The validator of this feed, as the dashboard wants to read it before it sends anything."""
    _, options = await hub.work(_scanning, hub, feed)
    if options.validator is None:
        raise NotFound(f"there is no scanning feed {feed!r}")
    return Response(reveal(options.validator), media_type="text/plain", headers={"Cache-Control": "no-store"})


@router.post("/{feed}/scanning", openapi_extra=PUBLIC)
async def observations(request: Request, feed: FeedName, hub: HubDep) -> Response:
    """Count who was seen in the windows that are open; answers 200 with an empty body, as the dashboard expects."""
    found, options = await hub.work(_scanning, hub, feed)
    body = await hub.doors.buffered(request, found.max_bytes)
    if not body:
        raise HTTPException(400, "the body is empty: send the observations as the body of the POST")
    if not await hub.work(meraki_scanning.admits, body, options):
        raise AccessError("the secret in the body is not the one of this feed: compare dashboard and feed file")
    await hub.work(hub.doors.keep, found.feed, body, "scanning")
    return Response(status_code=200)


def _scanning(hub: Hub, name: str) -> tuple[PushFeed, meraki_scanning.Options]:
    """The feed and its options; NotFound unless it is one of this kind."""
    found = push_feed(hub.catalog, hub.settings.feeds, name)
    options = registry.read_options(found.feed)
    if not isinstance(options, meraki_scanning.Options):
        raise NotFound(f"there is no scanning feed {name!r}")
    return found, options
