"""History that is taken in beside a live feed: what was asked for, how far it is, what became of its rows."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping, insert, select, update

from stadthub_catalog.database import Database
from stadthub_catalog.watch_tables import backfill as table
from stadthub_schemas.counts import Counts
from stadthub_schemas.errors import Conflict, NotFound

_COUNTS = tuple(Counts().as_dict())


class BackfillState(StrEnum):
    """How it stands: wished for, under way, over. `failed` goes on from where it stopped when it is asked for again."""

    WANTED = "wanted"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


#: The states in which the worker has something to do.
OPEN = (BackfillState.WANTED, BackfillState.RUNNING)


@dataclass(frozen=True, slots=True)
class Backfill:
    """A piece of history: windows of a web address from `first` to before `last`, or the files at `path`. `mark` is what is durable:
    the time up to which windows, or the last file that, was taken in."""

    id: int
    feed: str
    first: datetime | None = None
    last: datetime | None = None
    step_seconds: float | None = None
    path: str | None = None
    mark: str = ""
    state: BackfillState = BackfillState.WANTED
    total: int = 0
    done: int = 0
    counts: Counts = field(default_factory=Counts)
    run: int | None = None
    error: str | None = None
    created: datetime | None = None
    ended: datetime | None = None


def want(database: Database, wanted: Backfill) -> Backfill:
    """Ask the worker for it. One that failed or was stopped goes on from its mark; Conflict while another one of the feed is open."""
    values = {name: value for name, value in asdict(wanted).items() if name not in ("id", "counts")}
    with database.keeping() as connection:
        of_feed = [_backfill(row) for row in connection.execute(select(table).where(table.c.feed == wanted.feed)).mappings()]
        if any(one.state in OPEN for one in of_feed):
            raise Conflict(f"{wanted.feed}: a back-fill is under way already: wait for its end, or stop it")
        again = next((one for one in of_feed if _is_same(one, wanted) and one.state is not BackfillState.DONE), None)
        if again is not None:
            change = update(table).where(table.c.id == again.id).values(state=BackfillState.WANTED.value, error=None, ended=None)
            connection.execute(change)
            number = again.id
        else:
            row = {**values, "state": BackfillState.WANTED.value, "created": datetime.now(UTC), **wanted.counts.as_dict()}
            number = int(connection.execute(insert(table).values(row).returning(table.c.id)).scalar_one())
    return one(database, number)


def _is_same(one: Backfill, other: Backfill) -> bool:
    return (one.first, one.last, one.step_seconds, one.path) == (other.first, other.last, other.step_seconds, other.path)


def one(database: Database, number: int) -> Backfill:
    """One of them; NotFound."""
    with database.reading() as connection:
        row = connection.execute(select(table).where(table.c.id == number)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"there is no back-fill {number}")
    return _backfill(row)


def listed(database: Database, feed: str | None, limit: int) -> list[Backfill]:
    """The newest of one feed or of all."""
    wanted = select(table).order_by(table.c.id.desc()).limit(limit)
    if feed is not None:
        wanted = wanted.where(table.c.feed == feed)
    with database.reading() as connection:
        return [_backfill(row) for row in connection.execute(wanted).mappings()]


def open_ones(database: Database) -> list[Backfill]:
    """Those that the worker has to do, oldest first."""
    wanted = select(table).where(table.c.state.in_([state.value for state in OPEN])).order_by(table.c.id)
    with database.reading() as connection:
        return [_backfill(row) for row in connection.execute(wanted).mappings()]


def note(database: Database, number: int, changes: dict[str, Any]) -> None:
    """How far it is; on disk when this returns."""
    values = dict(changes)
    counts = values.pop("counts", None)
    if counts is not None:
        values.update(counts.as_dict())
    with database.keeping() as connection:
        connection.execute(update(table).where(table.c.id == number).values(values))


def stop(database: Database, feed: str) -> int:
    """Ask the worker to leave off; answer how many were open."""
    ended = update(table).where(table.c.feed == feed, table.c.state.in_([state.value for state in OPEN]))
    with database.keeping() as connection:
        return int(connection.execute(ended.values(state=BackfillState.STOPPED.value, ended=datetime.now(UTC))).rowcount)


def _backfill(row: RowMapping) -> Backfill:
    values = dict(row)
    counts = Counts(**{name: values.pop(name) for name in _COUNTS})
    return Backfill(**{**values, "state": BackfillState(values["state"]), "counts": counts})
