"""Uploading a file: it is kept, looked at, its columns and types are corrected, and the wizard goes on from there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData, UploadFile

from stadthub_api.bodies import bounded
from stadthub_api.deps import OPERATE, HubDep, OperatorDep
from stadthub_api.hub import Hub
from stadthub_api.portal.language import Writing
from stadthub_api.portal.rendering import link, writing
from stadthub_api.portal.wizard_pages import Desk, describe_page, file_page, mapping_page
from stadthub_catalog.refusals import Invalid
from stadthub_catalog.uploads import Upload
from stadthub_pipelines.drafting import name_of, notes_of, written
from stadthub_pipelines.importing import MAPPED, STAND_IN, Schema, corrected, feed_table, imported, propose, refusals
from stadthub_pipelines.samples import sample_of
from stadthub_pipelines.sampling import Sample
from stadthub_pipelines.staging import discard, path_of, stage, staged
from stadthub_pipelines.trial import rehearse
from stadthub_schemas.errors import Conflict, FeedError, SourceError, StorageError
from stadthub_schemas.feed import parse_feed

router = APIRouter(include_in_schema=False, prefix="/operator/import")

#: What a form adds around its file.
_AROUND = 100_000


@router.get("", openapi_extra=OPERATE)
def file_step(request: Request, hub: HubDep, principal: OperatorDep) -> Response:
    """Which file."""
    return file_page(Desk(request, hub, principal))


@router.get("/{step}", openapi_extra=OPERATE)
def begin_again(request: Request, step: str, principal: OperatorDep) -> Response:  # noqa: ARG001 - the decision; the step is not one to go to
    """A step has no address of its own: it begins with the first."""
    return RedirectResponse(link(writing(request).language, "/operator/import"), 303)


@router.post("/file", openapi_extra=OPERATE)
async def upload_step(request: Request, hub: HubDep, principal: OperatorDep) -> Response:
    """Keep the file, and show what it is. One that nobody can read is forgotten at once."""
    desk = Desk(request, hub, principal)
    most = hub.settings.upload_mb * 1_000_000 + _AROUND
    bound = Request(request.scope, bounded(request.receive, most))
    try:
        async with bound.form(max_files=1, max_fields=10) as form:
            chosen = form.get("file")
            if not isinstance(chosen, UploadFile) or not chosen.filename:
                raise FeedError("choose a file")
            file, _ = await hub.work(stage, Upload(chosen.filename[:300], chosen.file), hub.settings)
    except HTTPException as error:
        if error.status_code != 413:
            raise
        return file_page(desk, f"the file is larger than {hub.settings.upload_mb} MB (STADTHUB_UPLOAD_MB)")
    except Invalid:
        return file_page(desk, f"the file is larger than {hub.settings.upload_mb} MB (STADTHUB_UPLOAD_MB)")
    except (FeedError, StorageError) as error:
        return file_page(desk, str(error))
    try:
        sample, schema = await hub.work(_looked_at, hub, file, {})
    except (FeedError, SourceError) as error:
        await hub.work(discard, file, hub.settings)
        return file_page(desk, str(error))
    return _mapping(desk, {}, sample, schema)


@router.post("/schema", openapi_extra=OPERATE)
async def schema_step(request: Request, hub: HubDep, principal: OperatorDep) -> Response:
    """The same file as another kind of dataset."""
    form = await request.form(max_fields=3_000)
    desk = Desk(request, hub, principal)
    try:
        sample, schema = await hub.work(_looked_at, hub, str(form.get("upload", "")), form)
    except (FeedError, SourceError) as error:
        return file_page(desk, str(error))
    return _mapping(desk, form, sample, schema)


@router.post("/try", openapi_extra=OPERATE)
async def trial_step(request: Request, hub: HubDep, principal: OperatorDep) -> Response:
    """What would come of the file with these columns and types, and the words that are still missing."""
    form = await request.form(max_fields=3_000)
    desk, purpose = Desk(request, hub, principal), str(form.get("purpose", ""))
    try:
        sample, schema = await hub.work(_looked_at, hub, str(form.get("upload", "")), form)
    except (FeedError, SourceError) as error:
        return file_page(desk, str(error))
    if str(form.get("kind-before", schema.kind)) != schema.kind:
        return _mapping(desk, form, sample, schema)
    try:
        against = refusals(schema, purpose, confirmed=bool(form.get("confirmed")))
        if against:
            raise FeedError("\n".join(one.in_language(desk.write.language) for one in against))
        name = str(form.get("id", ""))
        if not form.get("over") and await hub.work(imported, hub.settings, name) is not None:
            raise FeedError(f"{name}: there is a dataset of this name: choose another one, or say that this file is its new version")
        size = path_of(hub.settings, str(sample.source["file"])).stat().st_size
        text = _drafted(form, sample, schema, size, desk.write)
        trial = await hub.work(rehearse, parse_feed(text, "feed.toml"), hub.settings, sample.pieces)
    except (FeedError, Conflict) as error:
        return _mapping(desk, form, sample, schema, str(error))
    return await describe_page(desk, text, trial, {"purpose": purpose} if purpose else None)


def _mapping(desk: Desk, form: Mapping[str, Any], sample: Sample, schema: Schema, wrong: str = "") -> Response:
    proposal = replace(schema.proposal, kind=schema.kind)
    return mapping_page(desk, form, (sample, proposal, schema.fields, schema.kind, ""), wrong)


def _looked_at(hub: Hub, file: str, form: Mapping[str, Any]) -> tuple[Sample, Schema]:
    """The sample of the staged file, and its schema as the form wants it. FeedError, SourceError."""
    sample = sample_of(staged(file, hub.settings), file)
    schema = propose(sample, hub.settings.time_zone)
    kind = str(form.get("kind") or schema.kind)
    if schema.proposal.decoder in MAPPED:
        schema = corrected(schema, {"kind": kind})
    if str(form.get("kind-before", schema.kind)) != schema.kind:
        return sample, schema
    said = {
        one.place: {key: str(form[f"{key}-{number}"]).strip() for key in ("becomes", "name", "unit", "type") if f"{key}-{number}" in form}
        for number, one in enumerate(schema.fields)
    }
    return sample, corrected(schema, {"columns": said})


def _drafted(form: FormData, sample: Sample, schema: Schema, size: int, write: Writing) -> str:
    """The feed of the file without its words. FeedError."""
    name = str(form.get("id", "")).strip() or name_of(sample.name)
    file = str(sample.source["file"])
    feed = feed_table(schema, name, file, size)
    feed["title"] = str(form.get("title", "")).strip() or name
    stand_in = {**STAND_IN["metadata"], "title": feed["title"], "description": feed["title"]}
    feed["metadata"] = {**stand_in, **feed["metadata"]}  # just enough to be read; the next step asks for the words
    return written(feed, notes_of(replace(schema.proposal, fields=schema.fields), write.language), write.language)
