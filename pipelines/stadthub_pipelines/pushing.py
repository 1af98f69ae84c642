"""One run of a publication: what is public here is brought to a foreign CKAN, what is so no longer is withdrawn there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from stadthub_catalog import ledger, sending
from stadthub_catalog.ckan_client import Bounds, ForeignCkan
from stadthub_catalog.entry import Entry
from stadthub_catalog.foreign.adopting import HUB, HUB_ID
from stadthub_catalog.ledger import THERE, WITHDRAWN, Done, Outcome, Sent, Tally
from stadthub_catalog.site import Site
from stadthub_pipelines.harvesting import Ground
from stadthub_pipelines.pushing_rows import is_wanted, marker, send_rows
from stadthub_schemas.errors import FeedError, PublishError, SourceError, StadthubError
from stadthub_schemas.exchange import Publish
from stadthub_schemas.feed import reveal
from stadthub_schemas.finding import Severity

#: The finding that tells of rows that could not be brought.
ROWS = "rows_refused"

#: Addresses that mean another machine to everybody else.
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

#: After so many datasets in a row that the far side did not answer for, the run is given up.
PATIENCE = 3


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be done with one dataset: its package, what was sent before, and what would become of it."""

    dataset: UUID
    title: str
    outcome: Outcome
    package: Mapping[str, Any]
    digest: str
    sent: Sent | None
    entry: Entry | None = None


def plan(publish: Publish, ground: Ground) -> list[Planned]:
    """What a run would do, as far as this hub knows by itself. FeedError."""
    if _host(ground.site) in _LOOPBACK and _host(publish.publish.url) not in _LOOPBACK:
        raise FeedError(
            f"{publish.id}: the addresses of this hub would lead nowhere there: set STADTHUB_SITE_URL to the portal's own address"
        )
    sent = ledger.sent(ground.catalog.database, publish.id)
    entries = sending.chosen(ground.catalog, publish.publish)
    wanted = {entry.id for entry in entries}
    planned = [_planned(entry, publish, ground.site_words, sent.get(entry.id)) for entry in entries]
    gone = [one for one in sent.values() if one.state == THERE and one.dataset not in wanted]
    return [*planned, *(Planned(one.dataset, one.name, Outcome.WITHDRAWN, {}, "", one) for one in gone)]


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _planned(entry: Entry, publish: Publish, site: Site, sent: Sent | None) -> Planned:
    package = sending.package(entry, publish.publish, site)
    digest = sending.digest(package)
    stands = sent is not None and sent.state == THERE
    outcome = Outcome.CREATED if not stands else Outcome.UNCHANGED if sent is not None and sent.digest == digest else Outcome.UPDATED
    return Planned(entry.id, entry.dataset.metadata.title, outcome, package, digest, sent, entry)


def preview(publish: Publish, ground: Ground) -> list[tuple[Planned, list[tuple[str, str, str]]]]:
    """What a run would do, each with what it would change there; nothing is written, here or there."""
    with _Remote(publish, ground) as remote:
        return [(one, [] if one.outcome is Outcome.UNCHANGED else _differences(one, remote)) for one in plan(publish, ground)]


def _differences(one: Planned, remote: ForeignCkan) -> list[tuple[str, str, str]]:
    key = one.sent.foreign_id if one.sent is not None else str(one.package["name"])
    return sending.differences(one.package, remote.package(key))


def run_publish(publish: Publish, ground: Ground, run: int) -> Tally:
    """Bring it there. What one dataset is refused for stops no other; a far side that doesn't answer or refuses the token ends the run.
    StadthubError then; what was done is in the ledger in any case."""
    planned = plan(publish, ground)
    before = sum(one.state == THERE for one in ledger.sent(ground.catalog.database, publish.id).values())
    done: list[Done] = []
    failure: StadthubError | None = None
    with _Remote(publish, ground) as remote:
        silent = 0
        for number, one in enumerate(planned):
            if ground.stopped():
                failure = SourceError("the hub was stopped before all datasets were brought there")
            if failure is not None:
                done += [_left(left, str(failure)) for left in planned[number:]]
                break
            try:
                done.append(_bring(one, remote, publish, ground))
                silent = 0
            except PublishError as error:
                done.append(_left(one, str(error)))
            except SourceError as error:
                done.append(_left(one, str(error)))
                silent += 1
                failure = error if silent >= PATIENCE else None
            except StadthubError as error:
                done.append(_left(one, str(error)))
                failure = error
    tally = ledger.summed(run, publish.id, done, before)
    ledger.close(ground.catalog.database, tally, done)
    if failure is not None:
        raise failure
    if tally.failed and tally.failed == tally.found:
        raise PublishError(next(one.reason for one in done if one.outcome is Outcome.FAILED))
    return tally


def _left(one: Planned, reason: str) -> Done:
    """A dataset that could not be brought, or not be withdrawn."""
    return Done(str(one.dataset), one.title, Outcome.SPARED if one.outcome is Outcome.WITHDRAWN else Outcome.FAILED, reason)


def _bring(one: Planned, remote: ForeignCkan, publish: Publish, ground: Ground) -> Done:
    """Do what is planned, and write it down at once: a kill between the two is mended by the mark that the dataset bears there."""
    if one.outcome is Outcome.WITHDRAWN:
        return _withdraw(one, remote, publish, ground)
    if one.outcome is Outcome.UNCHANGED:
        _bring_rows(one, one.sent, remote, publish, ground)
        return Done(str(one.dataset), one.title, Outcome.UNCHANGED)
    foreign = _theirs(one, remote, ground.site)
    if foreign is None:
        foreign = remote.create(one.package)
    else:
        remote.update(foreign, one.package)
    rows = one.sent.rows if one.sent is not None and one.outcome is Outcome.UPDATED else ""
    sent = Sent(one.dataset, str(one.package["name"]), foreign, one.digest, THERE, rows)
    ledger.put_sent(ground.catalog.database, publish.id, sent)
    _bring_rows(one, sent, remote, publish, ground)
    return Done(str(one.dataset), one.title, one.outcome)


def _bring_rows(one: Planned, sent: Sent | None, remote: ForeignCkan, publish: Publish, ground: Ground) -> None:
    """Bring the rows too, where the file wants it and they have changed. What is refused for rows is a finding: the dataset is there."""
    said = publish.publish.datastore
    if said is None or one.entry is None or sent is None or ground.lake is None or not is_wanted(one.entry, said):
        return
    if sent.rows == marker(one.entry):
        return
    try:
        send_rows(one.entry, sent.foreign_id, remote, ground.lake, ground.site_words)
    except StadthubError as error:
        ground.catalog.note_finding(publish.id, ROWS, one.entry.name, Severity.WARNING, {"error": str(error)[:300]})
        return
    ground.catalog.resolve_finding(publish.id, ROWS, one.entry.name)
    ledger.put_sent(ground.catalog.database, publish.id, replace(sent, rows=marker(one.entry)))


def _theirs(one: Planned, remote: ForeignCkan, site: str) -> str | None:
    """The id there of the package that is this dataset; None if there is none yet. PublishError where its name is somebody else's."""
    name = str(one.package["name"])
    keys = [name] if one.sent is None else [one.sent.foreign_id, name]
    for key in keys:
        there = remote.package(key)
        if there is not None:
            if not _is_ours(there, one.dataset, site) and (one.sent is None or there["id"] != one.sent.foreign_id):
                raise PublishError(f"a dataset {name!r} is there that this hub did not make: set publish.prefix")
            return str(there["id"])
    return None


def _is_ours(there: Mapping[str, Any], dataset: UUID, site: str) -> bool:
    extras = {one["key"]: one["value"] for one in there.get("extras") or ()}
    return extras.get(HUB_ID) == str(dataset) and str(extras.get(HUB, "")).rstrip("/") == site


def _withdraw(one: Planned, remote: ForeignCkan, publish: Publish, ground: Ground) -> Done:
    """Take away there what this hub made there, as the file says."""
    assert one.sent is not None
    if publish.publish.withdraw == "delete":
        remote.delete(one.sent.foreign_id)
    elif publish.publish.withdraw == "private":
        remote.hide(one.sent.foreign_id)
    ledger.put_sent(ground.catalog.database, publish.id, replace(one.sent, state=WITHDRAWN, digest="", rows=""))
    return Done(str(one.dataset), one.title, Outcome.WITHDRAWN)


class _Remote:
    """The far side for the time of a block: its address is checked like those of feeds, its token is revealed."""

    def __init__(self, publish: Publish, ground: Ground) -> None:
        target = publish.publish
        ground.reach.check(target.url)
        bounds = Bounds(target.timeout.total_seconds(), target.retries, ground.sleep)
        self._remote = ForeignCkan(target.url, reveal(target.token), f"Stadthub/{ground.site_words.version}", bounds)

    def __enter__(self) -> ForeignCkan:
        return self._remote

    def __exit__(self, *_: object) -> None:
        self._remote.close()


def counted(planned: Sequence[Planned]) -> dict[str, int]:
    """How many datasets each outcome has."""
    return {outcome.value: sum(one.outcome is outcome for one in planned) for outcome in Outcome if outcome is not Outcome.SPARED}
