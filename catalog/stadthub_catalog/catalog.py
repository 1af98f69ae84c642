"""The front door of the room: what datasets there are, who may see them, how the feeds are doing, and the newest values."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa

from stadthub_catalog import audit, datasets, feeds, findings, hot, migrate, quarantine, standing, teams, tokens
from stadthub_catalog.database import Database
from stadthub_catalog.datasets import Beside, Written, nothing
from stadthub_catalog.entry import Audited, Distribution, Entry, FeedState, Found, Organization, Run, Token
from stadthub_catalog.findings import Noticed
from stadthub_catalog.shelf import Shelf
from stadthub_catalog.standing import Change
from stadthub_catalog.synonyms import Synonyms
from stadthub_catalog.teams import TeamSort
from stadthub_catalog.tokens import COMMAND_LINE, Scope
from stadthub_catalog.watching import Watching
from stadthub_schemas.access import Action, Principal, Role
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Column, Dataset, Extent
from stadthub_schemas.errors import QueryError
from stadthub_schemas.finding import WAITING, Finding, Held, HeldBack, HeldState, Severity


class Catalog(Watching):
    """One state database, for all threads of a process; several processes may share it."""

    def __init__(self, url: str, synonyms: Path | None = None) -> None:
        """Open it; nothing is made until `migrate`. `synonyms` is the operator's own list for the search, where there is one.
        SettingsError if the address is not one of SQLite or PostgreSQL, or if that list can't be read."""
        self.database = Database(url)
        self.shelf = Shelf(self.database, Synonyms(synonyms))

    def migrate(self) -> None:
        """Make the tables, or bring them up to date; any number of times, and from several processes at once."""
        migrate.upgrade(self.database)

    def close(self) -> None:
        """Give all connections back."""
        self.database.close()

    def publish(
        self,
        dataset: Dataset,
        columns: Sequence[Column],
        extent: Extent,
        distributions: Sequence[Distribution],
        feed: str,
    ) -> None:
        """Make the dataset's entry, or bring it up to date; without a change nothing is written. PublishError."""
        datasets.publish(self.database, datasets.Draft(dataset, tuple(columns), extent, tuple(distributions), feed))

    def entry(self, name: str) -> Entry:
        """The entry of that name (or id); NotFound."""
        return self.shelf.entry(name)

    def entries(self) -> list[Entry]:
        """All entries by name, whoever may see them."""
        return self.shelf.entries()

    def withdraw(self, name: str) -> None:
        """Take the dataset out of the catalogue; NotFound."""
        datasets.withdraw(self.database, name)

    def write(self, *written: Written, beside: Beside = nothing, first: Beside = nothing) -> None:
        """Make datasets that come through CKAN's API, or bring them up to date, all or none. Conflict, NotFound."""
        self.shelf.hand(datasets.write(self.database, *written, beside=beside, first=first))

    def amend(self, dataset: UUID, change: Change, beside: Beside = nothing) -> None:
        """Change such a dataset as it stands now, so that nobody's change is lost. NotFound."""
        standing.amend(self.database, dataset, change, beside)

    def purge(self, dataset: UUID, beside: Beside = nothing) -> None:
        """Take such a dataset away for ever; NotFound."""
        datasets.purge(self.database, dataset, beside)

    def teams(self, sort: TeamSort) -> list[Organization]:
        """All organisations or all groups, by name."""
        return teams.teams(self.database, sort)

    def write_teams(self, sort: TeamSort, *written: Organization, beside: Beside = nothing) -> None:
        """Make organisations or groups, or bring them up to date, all or none. Conflict."""
        teams.write(self.database, sort, *written, beside=beside)

    def purge_teams(self, sort: TeamSort, *keys: UUID, beside: Beside = nothing) -> None:
        """Take organisations or groups away for ever. Conflict while there are datasets, NotFound."""
        teams.purge(self.database, sort, keys, beside)

    def search(
        self,
        text: str = "",
        *,
        principal: Principal,
        facets: Mapping[str, Sequence[str]] | None = None,
        sort: str = "relevance",
        limit: int = 20,
        offset: int = 0,
    ) -> Found:
        """What this principal may see of what fits the words of the text, in any of their forms. Facets: publisher, theme, license,
        format, kind, keyword; sort: relevance, title, modified."""
        if limit < 0 or offset < 0:
            raise QueryError("limit and offset of a search must not be negative")
        entries, counted, unknown = self.shelf.search(principal, text, facets or {}, sort)
        return Found(len(entries), tuple(entries[offset : offset + limit]), counted, unknown)

    def proposals(self, text: str, principal: Principal) -> list[str]:
        """What may have been meant by a text that nothing was found for: each finds something that this principal may see."""
        return self.shelf.proposals(principal, text)

    def feed(self, feed: str) -> FeedState:
        """How a feed is doing; NotFound."""
        return feeds.state(self.database, feed)

    def feeds(self) -> list[FeedState]:
        """How all feeds are doing, by name."""
        return feeds.states(self.database)

    def note_feed(self, feed: str, **changes: Any) -> None:
        """Write down what changed in a feed: title, dataset, connected, error, counts, source_state and so on; QueryError."""
        feeds.note(self.database, {feed: changes})

    def note_feeds(self, notes: Mapping[str, Mapping[str, Any]]) -> None:
        """The same of several feeds at once; QueryError."""
        feeds.note(self.database, notes)

    def forget_feed(self, feed: str) -> None:
        """The feed's file is gone: show it no more."""
        feeds.forget(self.database, feed)

    def start_run(self, feed: str) -> int:
        """The number of a run that begins now."""
        return feeds.start_run(self.database, feed)

    def cut_runs(self, feed: str) -> None:
        """Runs that never ended were killed: nobody runs the feed now."""
        feeds.cut_runs(self.database, feed)

    def end_run(self, run: int, counts: Counts, error: str | None) -> None:
        """The run ends now; NotFound."""
        feeds.end_run(self.database, run, counts, error)

    def runs(self, feed: str, limit: int = 20) -> list[Run]:
        """The last runs of a feed, newest first."""
        return feeds.runs(self.database, feed, limit)

    def note_finding(self, feed: str, kind: str, subject: str, severity: Severity, details: Mapping[str, Any] | None = None) -> None:
        """Something was noticed about a feed, now or again: a kind of finding, and of what (a column, a thing, a host)."""
        findings.note(self.database, feed, [Noticed(kind, subject, severity, details or {})])

    def note_findings(self, feed: str, noticed: Sequence[Noticed]) -> None:
        """The same of several findings at once."""
        findings.note(self.database, feed, noticed)

    def resolve_finding(self, feed: str, kind: str, subject: str | None = None) -> int:
        """It holds no longer; answer how many findings that ended. Without a subject: all of that kind."""
        return findings.resolve(self.database, feed, kind, subject)

    def findings(self, feed: str | None = None, *, open_only: bool = True) -> list[Finding]:
        """What was noticed, last seen first; of all feeds, and also what is resolved, if asked for."""
        return findings.listed(self.database, feed, open_only=open_only)

    def age_findings(self, before: datetime) -> int:
        """Close findings that are only good to know and were not seen since then; answer how many."""
        return findings.age(self.database, before)

    def held_back(self, dataset: str) -> HeldBack | None:
        """Why the newest data of a dataset are not served; None if they are."""
        return quarantine.held_back(self.database, dataset)

    def hold(self, *held: Held) -> None:
        """Put payloads aside; on disk when this returns, and the same however often it is told."""
        quarantine.hold(self.database, held)

    def note_held(self, feed: str, position: int, **changes: Any) -> None:
        """What became of a held payload: state, release_position, reason, differences; on disk when this returns."""
        quarantine.note(self.database, feed, position, changes)

    def decide(self, feed: str, positions: Collection[int], state: HeldState, who: str) -> int:
        """An operator's word on payloads in quarantine: RELEASING, ACCEPTING or DISCARDED; NotFound."""
        return quarantine.decide(self.database, feed, positions, state, who)

    def held(self, feed: str, states: Sequence[HeldState] = WAITING, after: int = 0, limit: int = 1000) -> list[Held]:
        """The payloads of a feed in quarantine, in the order in which they came."""
        return quarantine.listed(self.database, feed, states, after, limit)

    def held_payload(self, feed: str, position: int) -> Held:
        """One payload that is or was in quarantine; NotFound."""
        return quarantine.one(self.database, feed, position)

    def quarantined(self) -> dict[str, tuple[int, int, int]]:
        """Of each feed with payloads in quarantine: how many payloads, how many rows, and the position of the first."""
        return quarantine.counted(self.database)

    def profile(self, feed: str) -> dict[str, Any]:
        """What the good payloads of a feed look like; empty if nothing is known yet."""
        return quarantine.load_profile(self.database, feed)

    def save_profile(self, feed: str, body: Mapping[str, Any]) -> None:
        """Keep what the good payloads of a feed look like; on disk when this returns."""
        quarantine.save_profile(self.database, feed, body)

    def remember(self, dataset: str, fresh: pa.Table) -> None:
        """Keep the newest rows of each datastream at hand (columns as in `rows.OBSERVATIONS_IN`)."""
        hot.remember(self.database, dataset, fresh)

    def latest(self, dataset: str, limit: int = 100, after: str = "") -> list[dict[str, Any]]:
        """The newest row of each datastream, by datastream, those after `after`; keys as in `dataset.TIMESERIES_COLUMNS`."""
        return hot.latest(self.database, dataset, limit, after)

    def recent(self, dataset: str, datastream: str, limit: int) -> bytes | None:
        """The last rows of a datastream, newest first, as a JSON array with the keys of `latest`; None: ask the lake."""
        return hot.recent(self.database, dataset, datastream, limit)

    def forget(self, dataset: str, before: datetime) -> None:
        """Drop the newest rows that are older than `before`, because their retention has ended."""
        hot.forget(self.database, dataset, before)

    def create_token(
        self,
        name: str,
        role: Role,
        *,
        datasets: Iterable[str] | None = None,
        columns: Iterable[str] | None = None,
        actions: Iterable[Action] | None = None,
        expires: datetime | None = None,
        purpose: str = "",
    ) -> str:
        """A new token, told this once only; Conflict if a valid one bears that name."""
        return tokens.create(self.database, name, role, tokens.Scope(datasets, columns, actions, expires, purpose))

    def make_token(self, name: str, role: Role, scope: Scope) -> str:
        """The same for a token whose holder has another name."""
        return tokens.create(self.database, name, role, scope)

    def is_token(self, token: Token, secret: str) -> bool:
        """Whether this is the token's secret."""
        return tokens.is_token(self.database, token, secret)

    def tokens(self) -> list[Token]:
        """All tokens without their secrets, oldest first."""
        return tokens.listed(self.database)

    def revoke_token(self, name: str, who: str = COMMAND_LINE) -> None:
        """Refuse the token from now on; NotFound."""
        tokens.revoke(self.database, name, who)

    def principal(self, token: str | None) -> Principal:
        """Who holds this token; ANYBODY for None, AccessError for a wrong, expired or revoked one."""
        return tokens.principal(self.database, token)

    def record(self, who: str, what: str, on: str, details: Mapping[str, Any] | None = None) -> None:
        """Append to the audit chain; on disk when this returns."""
        audit.record(self.database, who, what, on, details or {})

    def audited(self, begins: str = "", limit: int = 100) -> list[Audited]:
        """The newest audit entries whose `what` begins so, newest first."""
        return audit.newest(self.database, begins, limit)

    def verify_audit(self) -> int:
        """How many audit entries there are; StorageError names the first broken one."""
        return audit.verify(self.database)
