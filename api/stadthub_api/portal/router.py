"""All pages of the portal under their addresses: without a prefix and below `/de` in German, below `/en` in English."""

from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from stadthub_api.deps import PUBLIC
from stadthub_api.portal.assets import BUILT, STATIC, URL
from stadthub_api.portal.views import (
    badge,
    dataset,
    datasets,
    feed_file,
    gaps,
    home,
    imports,
    measured,
    operator,
    privacy,
    quarantine,
    texts,
    wizard,
    wlan,
)
from stadthub_schemas.errors import NotFound

router = APIRouter(include_in_schema=False)

PAGES = (
    home.router,
    datasets.router,
    dataset.router,
    badge.router,
    measured.router,
    wlan.router,
    wizard.router,
    imports.router,
    feed_file.router,
    gaps.router,
    operator.router,
    quarantine.router,
    privacy.router,
    texts.router,
)

#: What bears its content's hash in its name never changes; everything else is asked for again.
FOR_EVER = "public, max-age=31536000, immutable"
AGAIN = "no-cache"
FIXED = ("swagger.js", "swagger.css", "LICENSES.txt", "manifest.json")


@router.get(URL + "/{path:path}", openapi_extra=PUBLIC)
def static(path: str) -> Response:
    """A file of the front end."""
    file = _found(path)
    if file is None:
        raise NotFound(f"there is no file {path[:100]!r}")
    hashed = file.parent == BUILT.resolve() and file.name not in FIXED
    return FileResponse(file, headers={"Cache-Control": FOR_EVER if hashed else AGAIN})


def _found(path: str) -> Path | None:
    """The file of ours; None also for what can't be the name of a file."""
    try:
        file = (STATIC / path).resolve()
        return file if file.is_relative_to(STATIC.resolve()) and file.is_file() else None
    except (OSError, ValueError):
        return None


@router.get("/favicon.ico", openapi_extra=PUBLIC)
def icon() -> Response:
    """The icon, for pages that name none."""
    return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml", headers={"Cache-Control": "public, max-age=86400"})


for prefix in ("", "/de", "/en"):
    for part in PAGES:
        router.include_router(part, prefix=prefix)
