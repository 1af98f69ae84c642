"""The part of the catalogue's door for what is watched: feeds by the hour, alarms, history that is taken in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from stadthub_catalog import alarms, backfills, history, ledger
from stadthub_catalog.alarms import Incident, Message
from stadthub_catalog.backfills import Backfill
from stadthub_catalog.database import Database
from stadthub_catalog.history import Hour, Things
from stadthub_catalog.ledger import Done, Known, Outcome, Tally


class Watching:
    """What health checks, alarms and back-fills keep."""

    database: Database

    def note_hours(self, hours: Sequence[Hour]) -> None:
        """Add what feeds brought to their hours."""
        history.note(self.database, hours)

    def hours(self, since: datetime) -> list[Hour]:
        """What all feeds brought, hour by hour, since then."""
        return history.since(self.database, since)

    def hours_at(self, hours: Sequence[datetime]) -> list[Hour]:
        """What all feeds brought in these hours."""
        return history.at(self.database, hours)

    def forget_past(self, hours_before: datetime, alarms_before: datetime) -> None:
        """Drop hours and alarms that are too old to be of use."""
        history.forget(self.database, hours_before)
        alarms.forget(self.database, alarms_before)

    def reporting(self, dataset: str, known: datetime, recent: datetime) -> Things:
        """How many things of the dataset observed something since `known`, and how many of them since `recent`."""
        return history.things(self.database, dataset, known, recent)

    def incidents(self) -> list[Incident]:
        """The trouble that was told and is not over."""
        return alarms.incidents(self.database)

    def tell(self, changed: Sequence[Incident], messages: Sequence[Message]) -> None:
        """Keep incidents together with the messages that tell of them; on disk when this returns."""
        alarms.tell(self.database, changed, messages)

    def waiting_messages(self, now: datetime) -> list[Message]:
        """The messages that are to be tried now, oldest first."""
        return alarms.waiting(self.database, now)

    def note_message(self, message: int, **changes: Any) -> None:
        """How an attempt to deliver a message went: attempts, next_attempt, delivered, error."""
        alarms.note(self.database, message, **changes)

    def messages(self, limit: int = 20) -> list[Message]:
        """The last messages, newest first."""
        return alarms.messages(self.database, limit)

    def want_backfill(self, wanted: Backfill) -> Backfill:
        """Ask the worker for a piece of history; Conflict while another one of the feed is open."""
        return backfills.want(self.database, wanted)

    def backfill(self, number: int) -> Backfill:
        """How a piece of history stands; NotFound."""
        return backfills.one(self.database, number)

    def backfills(self, feed: str | None = None, limit: int = 20) -> list[Backfill]:
        """The newest pieces of history of one feed or of all."""
        return backfills.listed(self.database, feed, limit)

    def open_backfills(self) -> list[Backfill]:
        """Those that the worker has to do, oldest first."""
        return backfills.open_ones(self.database)

    def note_backfill(self, number: int, **changes: Any) -> None:
        """How far a piece of history is; on disk when this returns."""
        backfills.note(self.database, number, changes)

    def tallies(self, feed: str, limit: int = 20) -> list[Tally]:
        """The last runs of a harvest or a publication in numbers that add up, newest first."""
        return ledger.tallies(self.database, feed, limit)

    def outcomes(self, run: int, only: Sequence[Outcome] = tuple(Outcome), limit: int = 1000) -> list[Done]:
        """What became of each dataset in a run of a harvest or a publication."""
        return ledger.outcomes(self.database, run, only, limit)

    def harvested(self, feed: str) -> list[Known]:
        """The datasets that a harvested catalogue lists now."""
        return [one for one in ledger.known(self.database, feed).values() if one.state == ledger.THERE]

    def harvests(self) -> dict[str, int]:
        """The catalogues that were harvested, and how many datasets each lists."""
        return ledger.harvests(self.database)

    def stop_backfill(self, feed: str) -> int:
        """Ask the worker to leave off; answer how many were open."""
        return backfills.stop(self.database, feed)
