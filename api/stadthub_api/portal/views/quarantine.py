"""The operator's pages on drift: what was noticed of a feed, the payloads in quarantine, and the words on them; behind a token."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from stadthub_api.deps import OPERATE, CatalogDep, HubDep, OperatorDep
from stadthub_api.held import Word, give_words, shown
from stadthub_api.portal.drift import SEVERITIES, sentence
from stadthub_api.portal.language import Writing
from stadthub_api.portal.rendering import link, page, writing
from stadthub_catalog.catalog import Catalog
from stadthub_pipelines import feedfiles
from stadthub_schemas.errors import Conflict
from stadthub_schemas.finding import HeldState

router = APIRouter(include_in_schema=False, prefix="/operator/feeds/{feed}")

#: How many payloads in quarantine one page lists.
HELD = 100

#: What became of a payload, in German, translated when shown.
STATES = {
    HeldState.HELD: "wartet auf eine Entscheidung",
    HeldState.RELEASING: "wird noch einmal geprüft",
    HeldState.ACCEPTING: "wird übernommen",
    HeldState.RELEASED: "freigegeben",
    HeldState.DISCARDED: "verworfen",
}


def noticed(catalog: Catalog, feed: str, write: Writing) -> dict[str, Any]:
    """What the page of a feed shows of its findings and its quarantine."""
    held = catalog.held(feed, limit=HELD)
    waiting = catalog.quarantined().get(feed, (0, 0, 0))
    return {
        "findings": [(one, sentence(write, one.kind, one.subject, one.details)) for one in catalog.findings(feed)],
        "severities": SEVERITIES,
        "held": [(one, _reasons(write, one.reason, one.differences)) for one in held],
        "held_states": STATES,
        "held_payloads": waiting[0],
        "held_rows": waiting[1],
    }


def _reasons(write: Writing, reason: str, differences: list[dict[str, Any]]) -> list[str]:
    """How a payload differs, in the reader's words; what only the lake had to say stays as it is."""
    return [sentence(write, one["kind"], one["subject"], one["details"]) for one in differences] or [reason]


@router.get("/quarantine/{position}", openapi_extra=OPERATE)
def payload(request: Request, feed: str, position: int, hub: HubDep, principal: OperatorDep) -> Response:
    """One payload in quarantine: why, its first rows, what may be done."""
    state = hub.catalog.feed(feed)
    found = shown(hub.settings, hub.catalog, feed, position)
    context = {
        "who": principal.name,
        "feed": state,
        "shown": found,
        "reasons": _reasons(writing(request), found.held.reason, found.held.differences),
        "state_words": STATES[found.held.state],
        "waits": found.held.state not in (HeldState.RELEASED, HeldState.DISCARDED),
    }
    answer = page(request, "payload.html", context)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.post("/quarantine/{position}/rename", openapi_extra=OPERATE)
def rename(
    request: Request,
    feed: str,
    position: int,
    hub: HubDep,
    principal: OperatorDep,
    new: Annotated[str, Form(max_length=500)],
) -> Response:
    """Write the suggested rename into the feed's file; the worker takes the file up by itself."""
    found = shown(hub.settings, hub.catalog, feed, position)
    wanted = next((one for one in found.renames if one.new == new), None)
    if wanted is None:
        raise Conflict(f"{feed}: no new name {new[:100]!r} is suggested for this payload")
    feedfiles.add_rename(hub.settings.feeds, feed, wanted.new, wanted.old)
    hub.catalog.record(principal.name, "feed.rename", feed, {"new": wanted.new, "old": wanted.old})
    return _back(request, f"{feed}/quarantine/{position}")


@router.post("/quarantine/{position}/{word}", openapi_extra=OPERATE)
def give_word(request: Request, feed: str, position: int, word: Word, catalog: CatalogDep, principal: OperatorDep) -> Response:
    """Release, accept or discard one payload; the worker sees it within seconds."""
    give_words(catalog, feed, [position], word, principal.name)
    return _back(request, feed)


@router.post("/quarantine-all/{word}", openapi_extra=OPERATE)
def give_word_on_all(request: Request, feed: str, word: Word, catalog: CatalogDep, principal: OperatorDep) -> Response:
    """The same for every payload of the feed that waits."""
    positions = [one.position for one in catalog.held(feed, limit=1_000_000)]
    give_words(catalog, feed, positions, word, principal.name)
    return _back(request, feed)


@router.post("/findings/settle", openapi_extra=OPERATE)
def settle(
    request: Request,
    feed: str,
    catalog: CatalogDep,
    principal: OperatorDep,
    kind: Annotated[str, Form(max_length=40)],
    subject: Annotated[str, Form(max_length=300)],
) -> Response:
    """The operator has seen a finding: it is open no more until it comes back."""
    catalog.resolve_finding(feed, kind, subject)
    catalog.record(principal.name, "feed.settle", feed, {"kind": kind, "subject": subject})
    return _back(request, feed)


def _back(request: Request, path: str) -> Response:
    return RedirectResponse(link(writing(request).language, f"/operator/feeds/{path}"), 303)
