"""A feed's file in the browser: read, changed, checked, and written so that nobody's change is lost."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from stadthub_api.deps import OPERATE, HubDep, OperatorDep
from stadthub_api.hub import Hub
from stadthub_api.portal.rendering import link, page, writing
from stadthub_pipelines import feedfiles
from stadthub_pipelines.mistakes import check_text
from stadthub_schemas.access import Principal, Role
from stadthub_schemas.dataset import Release
from stadthub_schemas.derived import Derived, FolderFile, load_file
from stadthub_schemas.errors import AccessError, Conflict, FeedError
from stadthub_schemas.feed import Feed

router = APIRouter(include_in_schema=False, prefix="/operator/feeds/{feed}/edit")

Text = Annotated[str, Form(max_length=feedfiles.LONGEST)]


@router.get("", openapi_extra=OPERATE)
def read(request: Request, feed: str, hub: HubDep, principal: OperatorDep) -> Response:
    """The file as it stands."""
    file = feedfiles.find(hub.settings.feeds, feed)
    return _page(request, hub, principal, feed, (file.text, file.version, "", ""))


@router.post("", openapi_extra=OPERATE)
def change(
    request: Request,
    feed: str,
    hub: HubDep,
    principal: OperatorDep,
    toml: Text = "",
    version: Annotated[str, Form()] = "",
    only: Annotated[str, Form()] = "",
) -> Response:
    """Check what was written, and keep it unless only a check was asked for."""
    text = toml.replace("\r\n", "\n")
    if only:
        return _page(request, hub, principal, feed, (text, version, "", "checked"))
    try:
        _keep(hub, principal, feed, text, version)
    except (FeedError, Conflict, AccessError) as error:
        return _page(request, hub, principal, feed, (text, version, str(error), ""))
    return RedirectResponse(link(writing(request).language, f"/operator/feeds/{feed}"), 303)


def _keep(hub: Hub, principal: Principal, feed: str, text: str, version: str) -> None:
    """Write the file and the audit's entry of it."""
    folder = hub.settings.feeds
    there = feedfiles.find(folder, feed)
    new = feedfiles.checked(folder, text, there.path)
    try:
        before = load_file(there.path)
    except FeedError:
        before = None
    reason = None if principal.role is Role.ADMIN else feedfiles.touches_machine(new, before)
    if reason is not None:
        raise AccessError(reason)
    path = feedfiles.replace(folder, feed, text, version)
    old, release = _release(before), _release(new)
    details = {"file": path.name, "before": there.version, "sha256": feedfiles.version_of(text)}
    if release != old:
        details["release"] = release.model_dump_json(exclude_none=True) if release else "removed"
    hub.catalog.record(principal.name, "feed.edit", feed, details)


def _release(file: FolderFile | None) -> Release | None:
    """Who released the data, as the file says; None for what says nothing of data of its own."""
    return file.metadata.release if isinstance(file, Feed | Derived) and file.metadata is not None else None


def _page(request: Request, hub: Hub, principal: Principal, feed: str, told: tuple[str, str, str, str]) -> Response:
    text, version, wrong, checked = told
    folder = hub.settings.feeds
    found = check_text(text, feedfiles.find(folder, feed).path, sorted(folder.glob("*.toml")))
    mistakes = [*wrong.splitlines(), *(one for one in found.mistakes if one not in wrong)]
    context = {
        "who": principal.name, "feed": feed, "toml": text, "version": version, "mistakes": mistakes, "hints": found.hints, "checked": bool(checked),
    }  # fmt: skip
    answer = page(request, "wizard/edit.html", context, 422 if wrong or (checked and mistakes) else 200)
    answer.headers["Cache-Control"] = "no-store"
    return answer
