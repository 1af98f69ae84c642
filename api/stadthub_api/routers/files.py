"""Published files: HEAD, ranges, strong ETags, so that DuckDB, pandas and browsers read only the part that they need."""

import os
from pathlib import Path as FolderPath
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse
from starlette.types import Receive, Scope, Send

from stadthub_api.answers import has
from stadthub_api.deps import DATASET, HubDep, ReadableDep
from stadthub_api.hub import Hub, Readable
from stadthub_catalog.entry import Distribution
from stadthub_pipelines.importing import imported
from stadthub_pipelines.originals import PLACE
from stadthub_pipelines.staging import path_of
from stadthub_schemas.access import visible
from stadthub_schemas.errors import NotFound
from stadthub_schemas.feed import UploadSource
from stadthub_schemas.vocabularies import FORMATS

router = APIRouter(tags=["files"])

#: An edition's name holds the beginning of its content's digest, so what it names never changes; the plain name is the newest.
DIGITS = 12
EDITION = "max-age=31536000, immutable"
NEWEST = "max-age=60, must-revalidate"
#: What somebody uploaded may be a page with scripts: a browser shows it without rights in the portal.
SANDBOX = "default-src 'none'; sandbox"


@router.get("/distributions/{name}/{file}", openapi_extra=DATASET)
async def published_file(request: Request, hub: HubDep, seen: ReadableDep, file: Annotated[str, Path(max_length=255)]) -> Response:
    """One published file of a dataset. The name is looked up in the catalogue; what was asked for never becomes a path."""
    if seen.decision.columns is not None:
        raise NotFound(f"{seen.entry.name} has no file for a token that is narrowed to columns: use its exports")
    plain, distribution = _distribution(seen, file)
    folder = hub.settings.data_dir.absolute() / "distributions" / seen.entry.name
    path, status = await hub.work(_on_disk, folder, plain, distribution)
    etag = f'"{distribution.sha256}"'
    scope = "public" if seen.is_public and "authorization" not in request.headers else "private"
    headers = {"ETag": etag, "Cache-Control": f"{scope}, {NEWEST if file == plain else EDITION}", "Accept-Ranges": "bytes"}
    if has(request, etag):
        return Response(status_code=304, headers=headers)
    return _Published(path, headers=headers, media_type=FORMATS[distribution.format].media_type, filename=file, stat_result=status)


@router.get("/distributions/{name}/original/{file}", openapi_extra=DATASET)
async def original(request: Request, hub: HubDep, seen: ReadableDep, file: Annotated[str, Path(max_length=255)]) -> Response:
    """The file that a dataset was imported from, as it came: to who may see all of its columns."""
    one = next((one for one in seen.entry.distributions if one.url == f"/distributions/{seen.entry.name}/{PLACE}/{file}"), None)
    all_shown = len(visible(seen.decision, seen.entry.columns)) == len(seen.entry.columns) and seen.decision.suppression is None
    if one is None or not all_shown:
        raise NotFound(f"{seen.entry.name} has no original {file!r}")
    path, status = await hub.work(_in_uploads, hub, seen.entry.feed, file, one.size)
    etag = f'"{one.sha256}"'
    scope = "public" if seen.is_public and "authorization" not in request.headers else "private"
    headers = {"ETag": etag, "Cache-Control": f"{scope}, {NEWEST}", "Accept-Ranges": "bytes", "Content-Security-Policy": SANDBOX}
    if has(request, etag):
        return Response(status_code=304, headers=headers)
    return _Published(path, headers=headers, filename=file, stat_result=status)


def _in_uploads(hub: Hub, name: str, file: str, size: int | None) -> tuple[FolderPath, os.stat_result]:
    """The imported file of the dataset, out of the feed that brings it; what was asked for never becomes a path."""
    absent = NotFound(f"{name} has no file {file!r} at the moment: try again soon")
    feed = imported(hub.settings, name)
    if feed is None or not isinstance(feed.source, UploadSource):
        raise absent
    path = path_of(hub.settings, feed.source.file)
    try:
        status = path.stat()
    except OSError as error:
        raise absent from error
    if path.name != file or status.st_size != size:
        raise absent
    return path, status


def _distribution(seen: Readable, file: str) -> tuple[str, Distribution]:
    """The plain name and the distribution of the file that is asked for by its plain or its edition's name."""
    before = f"/distributions/{seen.entry.name}/"
    for one in seen.entry.distributions:
        plain = one.url.removeprefix(before)
        if one.sha256 and plain != one.url and "/" not in plain and file in (plain, _edition(plain, one)):
            return plain, one
    raise NotFound(f"{seen.entry.name} has no file {file!r}")


def _edition(plain: str, distribution: Distribution) -> str:
    stem, dot, ending = plain.rpartition(".")
    return f"{stem}-{distribution.sha256[:DIGITS]}{dot}{ending}"


def _on_disk(folder: FolderPath, plain: str, distribution: Distribution) -> tuple[FolderPath, os.stat_result]:
    """The edition that the catalogue speaks of: it is never rewritten, so its ETag never lies."""
    path = folder / _edition(plain, distribution)
    try:
        return path, path.stat()
    except OSError as error:
        raise NotFound(f"{folder.name} has no file {plain!r} at the moment: it is published anew, try again soon") from error


class _Published(FileResponse):
    """A file whose HEAD is told by the request's state, because routes only ever see GET."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = "HEAD" if scope["state"]["is_head"] else "GET"
        await super().__call__({**scope, "method": method}, receive, send)
