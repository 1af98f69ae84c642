"""One run of a harvest: what another catalogue lists is taken into this one, page by page, and what it lists no more is withdrawn."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from pydantic import ValidationError
from sqlalchemy import Connection, select

from stadthub_catalog import ledger, wordings
from stadthub_catalog.catalog import Catalog
from stadthub_catalog.database import Database
from stadthub_catalog.datasets import Written
from stadthub_catalog.documents import dataset as described
from stadthub_catalog.entry import Organization, State
from stadthub_catalog.foreign.adopting import PAGE, TAKEN_TIME, Adopted, Origin, Ours, Unfit, adopt, candidates
from stadthub_catalog.foreign.item import Item
from stadthub_catalog.ledger import THERE, WITHDRAWN, Done, Known, Outcome, Tally
from stadthub_catalog.packages import stamp, theme_name
from stadthub_catalog.refusals import Invalid
from stadthub_catalog.standing import standing
from stadthub_catalog.tables import dataset as table
from stadthub_schemas.errors import Conflict, StadthubError
from stadthub_schemas.exchange import Harvest
from stadthub_schemas.vocabularies import THEMES

#: Whatever the threshold says: so many may always be gone at once, unless they are all.
FEW = 2

#: What a resource says of its copy.
_OF_COPY = ("url", "url_type", "size", "hash", "mimetype", "mirror_url")

_GROUPS = {theme_name(theme): theme_name(theme) for theme in THEMES}
_STATES = select(table.c.id, table.c.name, table.c.state, table.c.created)


class TooManyGone(StadthubError):
    """So many datasets are missing at once that the far side may be broken: nothing was withdrawn."""

    def __init__(self, missing: int, before: int, harvest: str) -> None:
        super().__init__(
            f"{missing} of {before} datasets are missing there at once, so none was withdrawn: "
            f"look there, and then run: stadthub harvest run {harvest} --withdraw"
        )
        self.facts = {"missing": missing, "before": before}


class Taking:
    """What is done with the pages of one run. `site` is this hub's own address, by which it knows its own datasets."""

    def __init__(self, catalog: Catalog, harvest: Harvest, run: int, site: str) -> None:
        said = harvest.harvest
        self._catalog = catalog
        self._harvest = harvest
        self._run = run
        self._origin = Origin(harvest.id, harvest.title, said.url, site.rstrip("/"), said.license, said.private)
        self._known = ledger.known(catalog.database, harvest.id)
        self._before = sum(one.state == THERE for one in self._known.values())
        self._seen: set[str] = set()
        self._owner = _organization(catalog, harvest) if self._publishes else None
        with catalog.database.reading() as connection:
            rows = connection.execute(_STATES).all()
        self._states = {row.id: (State(row.state), row.name, row.created) for row in rows}
        self._names = {row.name: row.id for row in rows}
        self.done: list[Done] = []

    @property
    def _publishes(self) -> bool:
        return self._harvest.harvest.purpose == "publish"

    def take(self, items: Sequence[Item]) -> bool:
        """Take a page, all of it in one transaction; what is wrong with one dataset stops no other. False if none of them was new to
        this run: then the far side turns in a circle."""
        fresh = False
        ready: list[tuple[Adopted, Written | None, Done]] = []
        for item in items:
            if item.key in self._seen and item.wrong is None:
                self.done.append(Done(item.key, "", Outcome.SKIPPED, "it is listed twice"))
                continue
            self._seen.add(item.key)
            fresh = True
            try:
                found = self._ready(item)
            except Unfit as error:
                self.done.append(Done(item.key, str(item.said.get("title") or "")[:300], Outcome.FAILED, str(error)))
                continue
            except Ours as error:
                self.done.append(Done(item.key, str(item.said.get("title") or "")[:300], Outcome.SKIPPED, str(error)))
                continue
            if isinstance(found, Done):
                self.done.append(found)
            else:
                ready.append(found)
        self._keep(ready)
        return fresh

    def finish(self, *, whole: bool) -> Tally:
        """Withdraw what the catalogue lists no more, if all of it was seen; the run's numbers, which are in the ledger then.
        TooManyGone, also in the ledger, if more is missing than may be."""
        missing = [one for one in self._known.values() if one.state == THERE and one.key not in self._seen]
        most = self._harvest.harvest.threshold
        all_gone = bool(missing) and len(missing) == self._before and not self._took_some()
        too_many = most < 1 and (all_gone or (len(missing) > FEW and len(missing) > most * self._before))
        if whole and not too_many:
            self._withdraw(missing)
        else:
            reason = "more are missing at once than harvest.threshold allows" if whole else "the catalogue could not be read to its end"
            self.done += [Done(one.key, one.title, Outcome.SPARED, reason) for one in missing]
        tally = ledger.summed(self._run, self._harvest.id, self.done, self._before)
        ledger.close(self._catalog.database, tally, self.done)
        if whole and too_many:
            raise TooManyGone(len(missing), self._before, self._harvest.id)
        return tally

    def _took_some(self) -> bool:
        return any(one.outcome in (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED) for one in self.done)

    def _ready(self, item: Item) -> tuple[Adopted, Written | None, Done] | Done:
        """What is to be written of a dataset, or what became of it without that. Unfit, Ours."""
        adopted = adopt(item, self._origin)
        known = self._known.get(item.key)
        state, name, created = self._states.get(adopted.id, (None, "", None))
        stands = known is not None and known.state == THERE
        if self._publishes and known is not None and state in (State.DELETED, State.PURGED):
            return Done(item.key, adopted.title, Outcome.SKIPPED, "it was deleted here by hand")
        if stands and known is not None and known.digest == adopted.digest and (not self._publishes or state is not None):
            return Done(item.key, adopted.title, Outcome.UNCHANGED)
        outcome = Outcome.UPDATED if stands else Outcome.CREATED
        if not self._publishes:
            return adopted, None, Done(item.key, adopted.title, outcome)
        now = datetime.now(UTC)
        chosen = name if state is not None else self._free(adopted)
        document = self._document(adopted, chosen, now)
        modified = adopted.modified if adopted.modified is not None and adopted.modified <= now else now
        assert self._owner is not None
        active = State.ACTIVE if state in (None, State.WITHDRAWN) else state
        written = Written(adopted.id, chosen, self._owner.id, active, document, created or now, modified)
        return adopted, written, Done(item.key, adopted.title, outcome)

    def _free(self, adopted: Adopted) -> str:
        """A name that no other dataset bears, and that this one bears from now on."""
        chosen = next(name for name in candidates(adopted, self._origin) if self._names.get(name, adopted.id) == adopted.id)
        self._names[chosen] = adopted.id
        return chosen

    def _document(self, adopted: Adopted, name: str, now: datetime) -> wordings.Document:
        """The document as it is kept; Unfit if it can't be one."""
        before = self._standing(adopted.id) if adopted.id in self._states else {}
        said = {
            **adopted.said,
            "resources": _with_copies(adopted.said["resources"], before, self._copies(adopted.key)),
            "extras": [*adopted.said["extras"], {"key": TAKEN_TIME, "value": now.isoformat(timespec="seconds")}],
        }
        try:
            document = wordings.document(said, name, wordings.Ground(stamp(now) or "", before, _GROUPS))
            assert self._owner is not None
            described(name, document, self._owner)
        except Invalid as error:
            told = "; ".join(f"{key}: {value}" for key, value in error.fields.items())
            raise Unfit(told[:500]) from error
        except ValidationError as error:
            first = error.errors()[0]
            raise Unfit(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        return document

    def _copies(self, key: str) -> Collection[str]:
        """The ids of the dataset's files that were copied and are kept."""
        known = self._known.get(key)
        return known.body.get("files", {}).keys() if known is not None else ()

    def _standing(self, key: UUID) -> Mapping[str, Any]:
        """The document that stands, so that what is copied of it stays."""
        return next((one.document for one in standing(self._catalog.database, [key])), {})

    def _keep(self, ready: Sequence[tuple[Adopted, Written | None, Done]]) -> None:
        """Write a page and its place in the ledger; where that fails, dataset by dataset, so that only the wrong one fails."""
        if not ready:
            return
        try:
            self._write([one for one, _, _ in ready], [written for _, written, _ in ready if written is not None])
        except Conflict as error:
            if len(ready) == 1:
                adopted, _, done = ready[0]
                self.done.append(Done(adopted.key, done.title, Outcome.FAILED, str(error)))
                return
            for one in ready:
                self._keep([one])
            return
        for adopted, _, done in ready:
            self.done.append(done)
            self._known[adopted.key] = self._stands(adopted)

    def _write(self, adopted: Sequence[Adopted], written: Sequence[Written]) -> None:
        note = partial(self._note, [self._stands(one) for one in adopted])
        if written:
            self._catalog.write(*written, beside=note)
            return
        with self._catalog.database.keeping() as connection:
            note(connection)

    def _stands(self, adopted: Adopted) -> Known:
        """The dataset as it stands in the ledger now; of its copied files is remembered what was."""
        known, before = _known(adopted, THERE), self._known.get(adopted.key)
        files = before.body.get("files") if before is not None else None
        return replace(known, body={**known.body, "files": files}) if files else known

    def _note(self, items: Iterable[Known], connection: Connection) -> None:
        ledger.put(connection, self._harvest.id, self._run, *items)

    def _withdraw(self, missing: Sequence[Known]) -> None:
        """Let them stand in the catalogue no more; their ids stay for the day they come back."""
        gone = [replace(one, state=WITHDRAWN) for one in missing]
        written = withdrawn(self._catalog.database, missing) if self._publishes else []
        note = partial(self._note, gone)
        if written:
            self._catalog.write(*written, beside=note)
        elif gone:
            with self._catalog.database.keeping() as connection:
                note(connection)
        self.done += [Done(one.key, one.title, Outcome.WITHDRAWN) for one in missing]


def _with_copies(resources: Sequence[Mapping[str, Any]], before: Mapping[str, Any], kept: Collection[str]) -> list[dict[str, Any]]:
    """The files as they are said; one that was copied and is still at its address keeps leading to its copy, if that is kept."""
    copies = {one["id"]: one for one in before.get("resources", ()) if one.get("mirror_url") and one["id"] in kept}
    made = []
    for one in resources:
        copy = copies.get(one["id"])
        stays = copy is not None and copy["mirror_url"] == one["url"]
        made.append({**one, **{key: copy[key] for key in _OF_COPY}} if copy is not None and stays else dict(one))
    return made


def withdrawn(database: Database, items: Sequence[Known]) -> list[Written]:
    """The datasets of these that are shown, as they are when they are shown no more."""
    now = datetime.now(UTC)
    found = standing(database, [one.dataset for one in items])
    return [replace(one, state=State.WITHDRAWN, modified=now) for one in found if one.state is State.ACTIVE]


def clear(catalog: Catalog, feed: str) -> int:
    """Withdraw all datasets that a harvest has brought, and forget it; answer how many there were."""
    there = [one for one in ledger.known(catalog.database, feed).values() if one.state == THERE]
    written = withdrawn(catalog.database, there)

    def forget(connection: Connection) -> None:
        ledger.forget(connection, feed)

    if written:
        catalog.write(*written, beside=forget)
    else:
        with catalog.database.keeping() as connection:
            forget(connection)
    return len(there)


def _known(adopted: Adopted, state: str) -> Known:
    extras = {one["key"]: one["value"] for one in adopted.said["extras"]}
    body = {
        "page": extras.get(PAGE, ""),
        "publisher": extras.get("publisher_name", ""),
        "themes": [one["name"].upper() for one in adopted.said["groups"]],
        "keywords": [one["name"] for one in adopted.said["tags"]],
    }
    return Known(adopted.key, adopted.id, adopted.title, body, adopted.digest, state, datetime.now(UTC))


def _organization(catalog: Catalog, harvest: Harvest) -> Organization:
    """The organisation that the datasets belong to, made if it isn't there."""
    found = next((one for one in catalog.teams("organization") if one.name == harvest.organization), None)
    if found is not None:
        return found
    made = Organization(uuid4(), harvest.organization, harvest.title, harvest.harvest.url, datetime.now(UTC))
    catalog.write_teams("organization", made)
    return made
