"""Whether the hub is alive and ready, and whom to tell of a weakness."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client.exposition import choose_encoder

from stadthub_api.deps import OPERATE, PUBLIC, HubDep, ScraperDep, SettingsDep, SiteDep
from stadthub_api.hub import Hub
from stadthub_schemas.errors import NotFound, StadthubError

router = APIRouter(tags=["hub"])


@router.get("/healthz", openapi_extra=PUBLIC)
async def alive() -> Response:
    """Whether the process answers."""
    return PlainTextResponse("ok", headers={"Cache-Control": "no-store"})


@router.get("/readyz", openapi_extra=PUBLIC)
async def ready(hub: HubDep) -> Response:
    """Whether the database answers, the lake can be read and the disk has room: 200, or 503 and what is missing."""
    found = {name: await hub.work(_checked, check, hub) for name, check in CHECKS.items()}
    is_ready = all(state == "ok" for state in found.values())
    body = orjson.dumps({"ready": is_ready, "checks": found})
    return Response(body, 200 if is_ready else 503, media_type="application/json", headers={"Cache-Control": "no-store"})


def _database(hub: Hub) -> str:
    hub.catalog.feeds()
    return "ok"


def _lake(hub: Hub) -> str:
    hub.reader.datasets()
    return "ok"


def _disk(hub: Hub) -> str:
    status = os.statvfs(hub.settings.data_dir)
    free = status.f_bavail * status.f_frsize // 1_000_000
    return "ok" if free >= hub.settings.min_free_mb else f"{free} MB free, {hub.settings.min_free_mb} MB are wanted"


CHECKS: dict[str, Callable[[Hub], str]] = {"database": _database, "lake": _lake, "disk": _disk}


def _checked(check: Callable[[Hub], str], hub: Hub) -> str:
    try:
        return check(hub)
    except StadthubError:
        return "it can't be read"
    except OSError as error:
        return error.strerror or "it can't be read"


@router.get("/metrics", openapi_extra=OPERATE)
async def metrics(request: Request, hub: HubDep, scraper: ScraperDep) -> Response:  # noqa: ARG001 - it is the decision
    """The hub in numbers, for Prometheus; with an operator's token, or from an address that STADTHUB_METRICS_FROM names."""
    write, media_type = choose_encoder(request.headers.get("accept", ""))
    body = await hub.work(lambda: write(request.app.state.measured))
    return Response(body, headers={"Content-Type": media_type, "Cache-Control": "no-store"})


@router.get("/.well-known/security.txt", openapi_extra=PUBLIC, include_in_schema=False)
async def security(settings: SettingsDep, site: SiteDep) -> Response:
    """Whom to tell of a weakness (RFC 9116)."""
    if not settings.site_contact:
        raise NotFound("this hub names no contact")
    expires = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=180)
    lines = (
        f"Contact: mailto:{settings.site_contact}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: de, en",
        f"Canonical: {site.url}/.well-known/security.txt",
    )
    return PlainTextResponse("\n".join(lines) + "\n")
