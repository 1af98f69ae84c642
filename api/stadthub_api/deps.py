"""What routes need, written once: the open hub, who asks, and the access decision that lets the route run.

Each route names its decision twice, and a test over the route table compares the two: in `openapi_extra` (one of `PUBLIC`,
`DATASET`, `WRITE`, `OPERATE`) and by depending on what takes that decision (`ReadableDep` or `PrincipalDep` for `DATASET`,
`WriterDep` for `WRITE`, `OperatorDep` or `ScraperDep` for `OPERATE`).
"""

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import Depends, Path, Request

from stadthub_api.feeds import PushFeed, push_feed
from stadthub_api.hub import Hub, Readable, readable
from stadthub_api.problems import Unauthorized
from stadthub_catalog.catalog import Catalog
from stadthub_catalog.site import Site
from stadthub_lake.lake import Lake
from stadthub_schemas.access import ANYBODY, Action, Principal, may
from stadthub_schemas.errors import AccessError, NotFound
from stadthub_schemas.settings import Settings

Access = Literal["public", "dataset", "write", "operate"]

#: The operator's session: the token itself, HttpOnly and SameSite=Strict; the portal sets it after sign-in.
SESSION_COOKIE = "stadthub_session"

PUBLIC: dict[str, Any] = {"x-access": "public"}
DATASET: dict[str, Any] = {"x-access": "dataset"}
WRITE: dict[str, Any] = {"x-access": "write"}
OPERATE: dict[str, Any] = {"x-access": "operate"}

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def open_hub(request: Request) -> Hub:
    """The process's open doors."""
    hub: Hub = request.app.state.hub
    return hub


HubDep = Annotated[Hub, Depends(open_hub)]


def _catalog(hub: HubDep) -> Catalog:
    return hub.catalog


def _lake(hub: HubDep) -> Lake:
    return hub.lake


def _settings(hub: HubDep) -> Settings:
    return hub.settings


def _site(hub: HubDep) -> Site:
    return hub.site


CatalogDep = Annotated[Catalog, Depends(_catalog)]
LakeDep = Annotated[Lake, Depends(_lake)]
SettingsDep = Annotated[Settings, Depends(_settings)]
SiteDep = Annotated[Site, Depends(_site)]


def header_token(header: str | None) -> str | None:
    """The token in an `Authorization` header: `Bearer <token>`, or bare as CKAN's clients send it."""
    if not header or not header.strip():
        return None
    scheme, _, rest = header.strip().partition(" ")
    return rest.strip() if rest and scheme.lower() in ("bearer", "token") else header.strip()


async def who_asks(request: Request, hub: HubDep) -> Principal:
    """Who asks, noted for the menu of the portal's pages too. A wrong token in the header is an error; an outdated session only means
    that nobody is signed in."""
    request.state.principal = await _holder(request, hub)
    principal: Principal = request.state.principal
    return principal


async def _holder(request: Request, hub: Hub) -> Principal:
    token = header_token(request.headers.get("authorization"))
    if token is not None:
        try:
            return await hub.work(hub.catalog.principal, token)
        except AccessError as error:
            raise Unauthorized(str(error)) from error
    session = request.cookies.get(SESSION_COOKIE)
    if not session:
        return ANYBODY
    if request.method not in _SAFE_METHODS and not _same_origin(request):
        raise AccessError("a signed-in session may only be used from the portal's own pages: send the token in the Authorization header")
    try:
        return await hub.work(hub.catalog.principal, session)
    except AccessError:
        return ANYBODY


def _same_origin(request: Request) -> bool:
    """Whether a page of ours sent this: browsers say so in `Sec-Fetch-Site` or at least in `Origin`."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(request.headers.get("origin", "")).netloc == request.headers.get("host")


PrincipalDep = Annotated[Principal, Depends(who_asks)]


async def readable_dataset(name: Annotated[str, Path(max_length=100)], hub: HubDep, principal: PrincipalDep) -> Readable:
    """The dataset with what the caller may see of it; NotFound as if it were absent where that is nothing."""
    known = hub.remembered(name)
    return readable(known if known is not None else await hub.work(hub.entry, name), principal)


ReadableDep = Annotated[Readable, Depends(readable_dataset)]


async def operator(principal: PrincipalDep) -> Principal:
    """Somebody who may run the hub."""
    decision = may(principal, Action.OPERATE)
    if not decision.allowed:
        raise refused(principal, decision.reason)
    return principal


async def scraper(request: Request, hub: HubDep, principal: PrincipalDep) -> Principal:
    """Somebody who may read the hub's metrics: an operator, or a machine whose address the settings name. What a proxy passes on is
    judged by its token alone: the address would be the proxy's."""
    passed_on = any(name in request.headers for name in ("x-forwarded-for", "forwarded", "via"))
    if request.client is not None and not passed_on and _is_among(request.client.host, hub.settings.metrics_from):
        return principal
    return await operator(principal)


def _is_among(address: str, networks: tuple[str, ...]) -> bool:
    try:
        return any(ip_address(address) in ip_network(one) for one in networks)
    except ValueError:
        return False


ScraperDep = Annotated[Principal, Depends(scraper)]

OperatorDep = Annotated[Principal, Depends(operator)]


@dataclass(frozen=True, slots=True)
class Writer:
    """Who pushes, and into which feed."""

    principal: Principal
    feed: PushFeed


async def push_writer(feed: Annotated[str, Path(max_length=100)], hub: HubDep, principal: PrincipalDep) -> Writer:
    """Somebody who may write the dataset of this push feed. Whoever may not write at all doesn't learn whether it exists."""
    hubwide = may(principal, Action.WRITE)
    if not hubwide.allowed:
        raise refused(principal, hubwide.reason)
    found = await hub.work(push_feed, hub.catalog, hub.settings.feeds, feed)
    decision = may(principal, Action.WRITE, found.dataset)
    if not decision.allowed:
        known = may(principal, Action.READ, found.dataset).allowed
        raise AccessError(f"{feed}: {decision.reason}") if known else NotFound(f"there is no push feed {feed!r}")
    return Writer(principal, found)


WriterDep = Annotated[Writer, Depends(push_writer)]


def refused(principal: Principal, reason: str) -> AccessError:
    """The right refusal: somebody without a token may sign in (401), somebody with one may not (403)."""
    return Unauthorized(reason) if principal.role is None else AccessError(reason)
