"""The files of harvested datasets, copied: only formats that the harvest names, within bounds, and only again when they changed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import structlog
from pydantic import ValidationError
from sqlalchemy import Connection

from stadthub_catalog import ledger
from stadthub_catalog.datasets import Written
from stadthub_catalog.entry import State
from stadthub_catalog.ledger import THERE, Known
from stadthub_catalog.standing import standing
from stadthub_catalog.uploads import Upload, address
from stadthub_ingest.sources import http
from stadthub_ingest.sources.reach import tidy
from stadthub_pipelines.harvesting import Ground
from stadthub_pipelines.uploads import UploadFolder
from stadthub_schemas.errors import SourceError, StadthubError
from stadthub_schemas.exchange import Harvest, Mirror
from stadthub_schemas.feed import HttpSource
from stadthub_schemas.finding import Severity

LOG = structlog.get_logger()

#: The finding that tells of files that could not be copied.
FAILED = "mirror_failed"

#: Where the file was before it was copied, in the words of the resource.
ORIGINAL = "mirror_url"


@dataclass(slots=True)
class _Run:
    """One run: its number and harvest, what the file says, where copies are kept, how much may still be copied, and what went wrong."""

    number: int
    feed: str
    said: Mirror
    uploads: UploadFolder
    room: int
    failures: list[str]


def mirror(harvest: Harvest, ground: Ground, run: int) -> None:
    """Copy what is new or has changed. A file that can't be copied stays a link; a finding counts them. Never raises a StadthubError for
    a file of theirs."""
    said = harvest.harvest.mirror
    if said is None or harvest.harvest.purpose != "publish":
        return
    copying = _Run(run, harvest.id, said, ground.uploads, said.total_bytes, [])
    for known in ledger.known(ground.catalog.database, harvest.id).values():
        if ground.stopped():
            return
        entry = next(standing(ground.catalog.database, [known.dataset]), None)
        if known.state != THERE:
            _forget(known, ground, copying)
        elif entry is not None and entry.state is State.ACTIVE:
            _dataset(entry, known, ground, copying)
    if copying.failures:
        facts = {"failed": len(copying.failures), "error": copying.failures[0]}
        ground.catalog.note_finding(harvest.id, FAILED, "", Severity.WARNING, facts)
    else:
        ground.catalog.resolve_finding(harvest.id, FAILED)


def _dataset(entry: Written, known: Known, ground: Ground, copying: _Run) -> None:
    """Copy the files of one dataset, and let its resources lead to the copies."""
    there: Mapping[str, Any] = known.body.get("files", {})
    files: dict[str, Any] = {}
    copies: dict[str, dict[str, Any]] = {}
    for one in entry.document.get("resources", ()):
        state = dict(there.get(one["id"], {})) if one.get(ORIGINAL) else {}
        try:
            told = _copied(entry.id, one, state, ground, copying)
        except StadthubError as error:
            copying.failures.append(str(error))
            told = None
        if told is not None:
            copies[one["id"]] = told[0]
        if told is not None or state:
            files[one["id"]] = state if told is None else told[1]
    for gone in there.keys() - files.keys():
        copying.uploads.drop(UUID(gone))
    if files == there:
        return
    noted = partial(_note, copying.feed, copying.number, replace(known, body={**known.body, "files": files}))
    ground.catalog.amend(entry.id, partial(_leading, copies), beside=noted)


def _leading(copies: Mapping[str, Mapping[str, Any]], there: Written) -> Written:
    """The dataset whose resources lead to their copies; all else of it is as it stands now."""
    resources = [{**one, **copies.get(one["id"], {})} for one in there.document.get("resources", ())]
    return replace(there, document={**there.document, "resources": resources})


def _note(feed: str, run: int, known: Known, connection: Connection) -> None:
    ledger.put(connection, feed, run, known)


def _copied(
    package: UUID, one: Mapping[str, Any], state: dict[str, Any], ground: Ground, copying: _Run
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """What leads the resource to its copy, and what to remember of it; None if nothing is to be copied. SourceError, StorageError."""
    url = str(one.get(ORIGINAL) or one["url"])
    wanted = {name.casefold() for name in copying.said.formats}
    if str(one.get("format") or "").casefold() not in wanted or not url.startswith(("http://", "https://")) or copying.room <= 0:
        return None
    values = {"type": "http", "url": url, "max_bytes": min(copying.said.max_bytes, copying.room), "retries": 0}
    try:
        source = HttpSource.model_validate(values)
    except ValidationError as error:
        raise SourceError(f"{tidy(url)}: this is no address that can be asked") from error
    for fetched in http.fetch(source, state, ground.reach, ground.sleep):
        copying.room -= len(fetched.body)
        name = unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2])
        if "." not in name:
            name = f"{name or 'file'}.{str(one['format']).lower()}"
        kept = copying.uploads.keep(UUID(one["id"]), Upload(name, BytesIO(fetched.body)))
        told = {"url": address(package, UUID(one["id"]), kept.name), "url_type": "upload", "size": kept.size, "hash": kept.sha256}
        return {**told, "mimetype": one.get("mimetype") or kept.media_type, ORIGINAL: url}, fetched.state
    return None


def _forget(known: Known, ground: Ground, copying: _Run) -> None:
    """Let the copies of a dataset go that is withdrawn."""
    if not known.body.get("files"):
        return
    body = {key: value for key, value in known.body.items() if key != "files"}
    with ground.catalog.database.keeping() as connection:
        ledger.put(connection, copying.feed, known.run, replace(known, body=body))
    for key in known.body["files"]:
        copying.uploads.drop(UUID(key))
