"""The wizard: from a source to a feed file in five steps of plain forms; behind a token, from the portal's own pages only."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from anyio import sleep
from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from stadthub_api.deps import OPERATE, HubDep, OperatorDep
from stadthub_api.hub import Hub
from stadthub_api.portal.carrying import packed, proposed, unpacked
from stadthub_api.portal.forms import filled
from stadthub_api.portal.language import Writing
from stadthub_api.portal.rendering import link, writing
from stadthub_api.portal.wizard_pages import Desk, describe_page, mapping_page, metadata_answers, plain_table, review_page, source_page
from stadthub_ingest.detection.proposal import Field, Proposal
from stadthub_ingest.sources.reach import Reach
from stadthub_pipelines import feedfiles, templates
from stadthub_pipelines.describing import QUESTIONS, lacking, metadata_of, theme_of
from stadthub_pipelines.drafting import changed, column_words, every_of, name_of, notes_of, objections, opened, reading, written
from stadthub_pipelines.importing import admit, place_of
from stadthub_pipelines.sampling import Sample, from_address, parsed
from stadthub_pipelines.staging import staged
from stadthub_pipelines.trial import rehearse
from stadthub_schemas.access import Principal, Role
from stadthub_schemas.dataset import Kind
from stadthub_schemas.errors import AccessError, Conflict, FeedError, NotFound, SourceError
from stadthub_schemas.feed import Feed, UploadSource, parse_feed

#: How long a dataset is waited for after its file was saved, and how often it is looked, in seconds.
TAKEN_UP, ASK = 8.0, 0.25

router = APIRouter(include_in_schema=False, prefix="/operator/feeds/new")


@router.get("", openapi_extra=OPERATE)
def source_step(request: Request, hub: HubDep, principal: OperatorDep) -> Response:
    """Where data come from: an address, a topic, a file, pasted text, or a template."""
    return source_page(Desk(request, hub, principal), {}, str(request.query_params.get("template", "")))


@router.get("/{step}", openapi_extra=OPERATE)
def begin_again(request: Request, step: str, principal: OperatorDep) -> Response:  # noqa: ARG001 - the decision; the step is not one to go to
    """A step has no address of its own: it begins with the first."""
    return RedirectResponse(link(writing(request).language, "/operator/feeds/new"), 303)


@router.post("/template", openapi_extra=OPERATE)
async def template_step(request: Request, hub: HubDep, principal: OperatorDep) -> Response:
    """A template with its answers becomes a feed that is to be described."""
    form = await _form(request)
    name = str(form.get("template", ""))
    try:
        feed = templates.filled(templates.template(name), {key: str(value) for key, value in form.items()})
    except (FeedError, NotFound) as error:
        return source_page(Desk(request, hub, principal), form, name, str(error))
    title = feed["metadata"]["title"]
    words = {"id": name_of(str(form.get("id") or name)), "title": title}
    text = written({**words, "dataset": words["id"], **feed}, {}, writing(request).language)
    return await describe_page(Desk(request, hub, principal), text)


@router.post("/detect", openapi_extra=OPERATE)
async def mapping_step(request: Request, hub: HubDep, principal: OperatorDep) -> Response:
    """What the sample is, and the mapping to look at and change."""
    form, file = await filled(request)
    try:
        sample = await _sampled(form, file, hub)
        proposal, fields, kind = await hub.work(proposed, sample, hub.settings.time_zone, form)
        carried = packed(sample, proposal)
    except (FeedError, SourceError) as error:
        return source_page(Desk(request, hub, principal), form, "", str(error))
    return mapping_page(Desk(request, hub, principal), form, (sample, proposal, fields, kind, carried))


@router.post("/try", openapi_extra=OPERATE)
async def trial_step(request: Request, hub: HubDep, principal: OperatorDep) -> Response:
    """What would come of the sample with this mapping, and the words that are still missing."""
    form = await _form(request)
    write = writing(request)
    try:
        sample = unpacked(str(form.get("sample", "")))
        proposal, fields, kind = await hub.work(proposed, sample, hub.settings.time_zone, form)
    except FeedError as error:
        return source_page(Desk(request, hub, principal), form, "", str(error))
    carried = str(form.get("sample", ""))
    purpose = str(form.get("purpose", ""))
    if str(form.get("kind-before", kind)) != kind:  # another kind has another mapping: look at it first
        return mapping_page(Desk(request, hub, principal), form, (sample, proposal, fields, kind, carried))
    against = objections(fields, purpose, confirmed=bool(form.get("confirmed")))
    try:
        if against:
            raise FeedError("\n".join(one.in_language(write.language) for one in against))
        text = _drafted(form, (sample, proposal, fields, kind), write)
        trial = await hub.work(rehearse, parse_feed(text, "feed.toml"), hub.settings, sample.pieces)
    except FeedError as error:
        return mapping_page(Desk(request, hub, principal), form, (sample, proposal, fields, kind, carried), str(error))
    return await describe_page(Desk(request, hub, principal), text, trial, {"purpose": purpose} if purpose else None)


@router.post("/review", openapi_extra=OPERATE)
async def review_step(request: Request, hub: HubDep, principal: OperatorDep) -> Response:
    """The whole file to read once more, with what is wrong in it."""
    form = await _form(request)
    text = str(form.get("toml", ""))[: feedfiles.LONGEST]
    try:
        document = opened(text)
        answers: dict[str, Any] = {asked.place: form.get(asked.place, "") for asked in QUESTIONS}
        answers["publisher.name"] = str(form.get("publisher.name", "")) if form.get("publisher.title") == form.get("publisher.was") else ""
        metadata = metadata_of({**answers, "themes": [str(one) for one in form.getlist("themes")]})
        missing = lacking(metadata, str(document.get("decoder", "")))
        if missing:
            sentences = "\n".join(one.in_language(writing(request).language) for one in missing)
            return await describe_page(Desk(request, hub, principal), text, None, metadata_answers(answers, form), sentences)
        columns = plain_table(document.get("metadata", {})).get("columns")
        text = changed(text, "metadata", metadata | ({"columns": columns} if columns else {}))
    except FeedError as error:
        return source_page(Desk(request, hub, principal), form, "", str(error))
    return await review_page(Desk(request, hub, principal), text)


@router.post("/save", openapi_extra=OPERATE)
async def save_step(request: Request, hub: HubDep, principal: OperatorDep) -> Response:
    """Write the file; the running worker takes it up within seconds."""
    form = await _form(request)
    text = str(form.get("toml", "")).replace("\r\n", "\n")
    if form.get("check"):
        return await review_page(Desk(request, hub, principal), text)
    try:
        feed = await hub.work(_save, hub, principal, text)
    except (FeedError, Conflict, AccessError) as error:
        return await review_page(Desk(request, hub, principal), text, str(error))
    return RedirectResponse(link(writing(request).language, await _page_of(hub, feed)), 303)


async def _page_of(hub: Hub, feed: Feed) -> str:
    """Where to go from here: to the dataset of a file as soon as the running hub has taken it up, else to the feed."""
    if isinstance(feed.source, UploadSource):
        for _ in range(int(TAKEN_UP / ASK)):
            try:
                await hub.work(hub.catalog.entry, feed.dataset)
            except NotFound:
                await sleep(ASK)
            else:
                return f"/datasets/{feed.dataset}"
    return f"/operator/feeds/{feed.id}"


def _save(hub: Hub, principal: Principal, text: str) -> Feed:
    """The feed that is now there."""
    feed = feedfiles.checked(hub.settings.feeds, text, place_of(text, hub.settings))
    if not isinstance(feed, Feed):
        raise FeedError("sql: the wizard makes feeds; put the file of a derived dataset into the folder of feeds")
    reason = None if principal.role is Role.ADMIN else feedfiles.touches_machine(feed, None)
    if reason is not None:
        raise AccessError(reason)
    missing = lacking(plain_table(opened(text).get("metadata", {})), feed.decoder) if feed.metadata is not None else []
    if missing:
        raise FeedError("\n".join(one.en for one in missing))
    if isinstance(feed.source, UploadSource):
        staged(feed.source.file, hub.settings)
        hub.catalog.note_feed(feed.id, source_state={})  # of a new version also the same file is read again
        admit(text, hub.settings)
    else:
        feedfiles.add(hub.settings.feeds, text)
    hub.catalog.note_feed(feed.id, title=feed.title, dataset=feed.dataset, source=feed.source.type)
    release = feed.metadata.release.model_dump(mode="json", exclude_none=True) if feed.metadata and feed.metadata.release else {}
    details = {"file": f"{feed.id}.toml", "sha256": feedfiles.version_of(text), "release": release}
    hub.catalog.record(principal.name, "feed.add", feed.id, details)
    return feed


async def _form(request: Request) -> FormData:
    """The texts of the form."""
    return (await filled(request))[0]


async def _sampled(form: FormData, file: tuple[str, bytes] | None, hub: Hub) -> Sample:
    """The sample that the form brings or names. FeedError, SourceError."""
    if form.get("sample"):
        return unpacked(str(form["sample"]))
    pasted, address = str(form.get("pasted", "")), str(form.get("address", "")).strip()
    if file is not None:
        return Sample((file,), {"type": "push"})
    if pasted.strip():
        return Sample((("sample", pasted.encode()),), {"type": "push"})
    if not address:
        raise FeedError("name an address, choose a file or paste a sample")
    asked = partial(from_address, address, Reach(hub.settings.allowed_hosts), strict=True)
    return await run_sync(asked, limiter=hub.samples)


def _drafted(form: Mapping[str, Any], found: tuple[Sample, Proposal, Sequence[Field], Kind], write: Writing) -> str:
    """The feed file without its words: FeedError for a wrong name or source."""
    sample, proposal, fields, kind = found
    name = str(form.get("id", "")).strip()
    feed: dict[str, Any] = {
        "id": name,
        "title": str(form.get("title", "")).strip() or name,
        "dataset": str(form.get("dataset", "")).strip() or name,
    }
    feed |= reading(proposal, fields, kind, name)
    feed["source"] = dict(sample.source)
    url = str(form.get("url", "")).strip()
    if feed["source"]["type"] == "push" and url:
        feed["source"] = {"type": "http", "url": url}
    if feed["source"]["type"] == "http":
        feed["source"]["every"] = str(form.get("every", "")).strip() or every_of(proposal.frequency)
    parsed(feed["source"])
    about = f"{feed['title']} {' '.join(one.name for one in fields)}"
    columns = column_words(fields, kind)
    # just enough to be read; the next step asks for the words
    feed["metadata"] = {
        "title": feed["title"],
        "description": feed["title"],
        "license": "other-closed",
        "themes": [theme_of(proposal.decoder, about)],
        "update_frequency": proposal.frequency or "IRREG",
        "publisher": {"name": "publisher", "title": "–"},
        "contact": {"name": "–"},
    } | ({"columns": columns} if columns else {})
    return written(feed, notes_of(replace(proposal, fields=tuple(fields)), write.language), write.language)
