"""Published files: HEAD, ranges, strong ETags, so that DuckDB, pandas and browsers read only the part that they need."""

import os
from typing import Annotated
from urllib.parse import unquote

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse
from starlette.types import Receive, Scope, Send

from stadthub_api.answers import has
from stadthub_api.deps import DATASET, HubDep, ReadableDep
from stadthub_api.hub import Readable
from stadthub_catalog.entry import Distribution
from stadthub_schemas.errors import NotFound
from stadthub_schemas.vocabularies import FORMATS

router = APIRouter(tags=["files"])

#: A name that holds its content's version never changes its content.
_YEAR = "max-age=31536000, immutable"
_MINUTE = "max-age=60, must-revalidate"
#: How much of the content's digest must stand in a file's name to make it a name of this very content.
_DIGITS = 8


@router.get("/distributions/{name}/{file}", openapi_extra=DATASET)
async def published_file(request: Request, hub: HubDep, seen: ReadableDep, file: Annotated[str, Path(max_length=255)]) -> Response:
    """One published file of a dataset. The name is looked up in the catalogue; it never becomes a path by itself."""
    distribution = _distribution(seen, file)
    path = hub.settings.data_dir.absolute() / "distributions" / seen.entry.name / file
    try:
        status = await hub.work(os.stat, path)
    except OSError as error:
        raise NotFound(f"{seen.entry.name} has no file {file!r} any more: look at its description for the present ones") from error
    etag = f'"{distribution.sha256}"'
    scope = "public" if seen.is_public and "authorization" not in request.headers else "private"
    lasting = _YEAR if distribution.sha256[:_DIGITS] in file else _MINUTE
    headers = {"ETag": etag, "Cache-Control": f"{scope}, {lasting}", "Accept-Ranges": "bytes"}
    if has(request, etag):
        return Response(status_code=304, headers=headers)
    return _Published(path, headers=headers, media_type=FORMATS[distribution.format].media_type, filename=file, stat_result=status)


def _distribution(seen: Readable, file: str) -> Distribution:
    """The distribution of that file name; only names that the catalogue lists and that are one path segment count."""
    wanted = f"/distributions/{seen.entry.name}/{file}"
    found = next((one for one in seen.entry.distributions if unquote(one.url) == wanted and one.sha256), None)
    if found is None or "/" in file or file in (".", ".."):
        raise NotFound(f"{seen.entry.name} has no file {file!r}")
    return found


class _Published(FileResponse):
    """A file whose HEAD is told by the request's state, because routes only ever see GET."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = "HEAD" if scope["state"]["is_head"] else "GET"
        await super().__call__({**scope, "method": method}, receive, send)
