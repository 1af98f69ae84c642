"""The ledger of what is harvested and published: each run's numbers, what became of each dataset, how each one stands now."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select, update

from stadthub_catalog.database import Database
from stadthub_catalog.exchange_tables import exchange_outcome, exchange_run, harvested, published
from stadthub_schemas.counts import Counts

#: How many runs of a feed keep what became of each dataset.
KEPT_RUNS = 10
THERE, WITHDRAWN = "there", "withdrawn"


class Outcome(StrEnum):
    """What became of a dataset in a run. The first five are of those that were found; the last two of those that were not."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    SKIPPED = "skipped"
    WITHDRAWN = "withdrawn"
    SPARED = "spared"


@dataclass(frozen=True, slots=True)
class Tally:
    """One run in numbers: found = created + updated + unchanged + failed + skipped, and after = before + created - withdrawn."""

    run: int
    feed: str
    found: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    skipped: int = 0
    withdrawn: int = 0
    spared: int = 0
    before: int = 0
    after: int = 0

    @property
    def balanced(self) -> bool:
        """Whether the numbers add up."""
        found = self.created + self.updated + self.unchanged + self.failed + self.skipped
        return self.found == found and self.after == self.before + self.created - self.withdrawn

    @property
    def counts(self) -> Counts:
        """The same in the words of a feed's run: what was withdrawn counts as received and dropped."""
        stored = self.created + self.updated
        return Counts(self.found + self.withdrawn, stored, self.unchanged, self.failed, self.skipped + self.withdrawn)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one dataset."""

    item: str
    title: str
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """A dataset of a harvested catalogue as it stands in the ledger. `body`: page, publisher, themes and keywords."""

    key: str
    dataset: UUID
    title: str
    body: Mapping[str, Any]
    digest: str
    state: str
    first_time: datetime
    run: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """A dataset as it was brought to a foreign catalogue."""

    dataset: UUID
    name: str
    foreign_id: str
    digest: str
    state: str
    rows: str = ""


def known(database: Database, feed: str) -> dict[str, Known]:
    """All datasets that a harvest has ever taken, by their identifiers there."""
    with database.reading() as connection:
        rows = connection.execute(select(harvested).where(harvested.c.feed == feed).order_by(harvested.c.title)).all()
    return {row.key: Known(row.key, row.dataset_id, row.title, row.body, row.digest, row.state, row.first_time, row.run) for row in rows}


def put(connection: Connection, feed: str, run: int, *items: Known) -> None:
    """Write down how these stand."""
    now = datetime.now(UTC)
    for one in items:
        place = (harvested.c.feed == feed) & (harvested.c.item == digest_of(one.key))
        values = {"title": one.title, "body": dict(one.body), "digest": one.digest, "state": one.state, "changed_time": now, "run": run}
        if not connection.execute(update(harvested).where(place).values(**values)).rowcount:
            own = {"feed": feed, "item": digest_of(one.key), "key": one.key, "dataset_id": one.dataset, "first_time": now}
            connection.execute(insert(harvested).values(**own, **values))


def forget(connection: Connection, feed: str) -> None:
    """Nothing is known of this harvest's datasets any more."""
    connection.execute(delete(harvested).where(harvested.c.feed == feed))


def sent(database: Database, feed: str) -> dict[UUID, Sent]:
    """All datasets that were ever brought to a foreign catalogue."""
    with database.reading() as connection:
        rows = connection.execute(select(published).where(published.c.feed == feed)).all()
    return {row.dataset_id: Sent(row.dataset_id, row.name, row.foreign_id, row.digest, row.state, row.rows) for row in rows}


def put_sent(database: Database, feed: str, one: Sent) -> None:
    """Write down that it was brought there, or taken away; on disk when this returns."""
    values = {**asdict(one), "changed_time": datetime.now(UTC)}
    key = values.pop("dataset")
    place = (published.c.feed == feed) & (published.c.dataset_id == key)
    with database.keeping() as connection:
        if not connection.execute(update(published).where(place).values(**values)).rowcount:
            connection.execute(insert(published).values(feed=feed, dataset_id=key, **values))


def close(database: Database, tally: Tally, done: Sequence[Done]) -> None:
    """A run has ended: its numbers and what became of each dataset; older runs keep their numbers only."""
    rows = [
        {"run": tally.run, "number": number, "item": one.item[:2000], "title": one.title[:1000], "outcome": one.outcome, "reason": one.reason[:1000]}
        for number, one in enumerate(done)
    ]  # fmt: skip
    newest = select(exchange_run.c.run).where(exchange_run.c.feed == tally.feed).order_by(exchange_run.c.run.desc()).offset(KEPT_RUNS)
    with database.keeping() as connection:
        connection.execute(insert(exchange_run).values(**asdict(tally)))
        if rows:
            connection.execute(insert(exchange_outcome), rows)
        old = list(connection.execute(newest).scalars())
        if old:
            connection.execute(delete(exchange_outcome).where(exchange_outcome.c.run.in_(old)))


def tallies(database: Database, feed: str, limit: int = 20) -> list[Tally]:
    """The last runs of a harvest or publication, newest first."""
    newest = select(exchange_run).where(exchange_run.c.feed == feed).order_by(exchange_run.c.run.desc()).limit(limit)
    with database.reading() as connection:
        return [Tally(**row) for row in connection.execute(newest).mappings()]


def outcomes(database: Database, run: int, only: Sequence[Outcome] = tuple(Outcome), limit: int = 1000) -> list[Done]:
    """What became of each dataset in a run."""
    wanted = select(exchange_outcome).where(exchange_outcome.c.run == run, exchange_outcome.c.outcome.in_([str(one) for one in only]))
    with database.reading() as connection:
        rows = connection.execute(wanted.order_by(exchange_outcome.c.number).limit(limit)).all()
    return [Done(row.item, row.title, Outcome(row.outcome), row.reason) for row in rows]


def harvests(database: Database) -> dict[str, int]:
    """The harvests that have taken something, and how many datasets each has now."""
    counted = select(harvested.c.feed, func.count()).where(harvested.c.state == THERE).group_by(harvested.c.feed).order_by(harvested.c.feed)
    with database.reading() as connection:
        return {row[0]: int(row[1]) for row in connection.execute(counted)}


def summed(run: int, feed: str, done: Sequence[Done], before: int) -> Tally:
    """The numbers of a run out of what became of each dataset."""
    counted = Counter(one.outcome for one in done)
    parts = {outcome.value: counted[outcome] for outcome in Outcome}
    found = sum(counted.values()) - counted[Outcome.WITHDRAWN] - counted[Outcome.SPARED]
    after = before + counted[Outcome.CREATED] - counted[Outcome.WITHDRAWN]
    return Tally(run=run, feed=feed, found=found, before=before, after=after, **parts)


def digest_of(key: str) -> str:
    """The digest of an identifier, which may be of any length."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
