"""What the catalogue answers with: entries, distributions, found datasets, feeds, runs and tokens as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from stadthub_schemas.access import Action, Role
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Column, Dataset, Extent


class State(StrEnum):
    """Whether an entry is shown: `active` to those who may see it, the others to those who may write it."""

    ACTIVE = "active"
    DRAFT = "draft"
    DELETED = "deleted"
    WITHDRAWN = "withdrawn"
    PURGED = "purged"


#: The field of a resource that says on what ground a file that seems to tell of people is published.
RELEASE = "personal_data_release"


class LoadState(StrEnum):
    """How the rows of an uploaded file are: being loaded, loaded, held back with the file (they seem to tell of people), not there (the
    file has none and is kept as it is), or it went wrong."""

    LOADING = "loading"
    LOADED = "loaded"
    HELD = "held"
    KEPT = "kept"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Distribution:
    """One published file or address of a dataset. `url` is a path of this hub (`/…`) or an absolute address; it is what tells
    distributions apart, so that the `id` (given by the catalogue) stays when the file's content changes. `is_held`: it seems to tell of
    people, so that only those who may write the dataset get it."""

    format: str
    url: str
    title: str = ""
    size: int | None = None
    sha256: str = ""
    modified: datetime | None = None
    created: datetime | None = None
    id: UUID | None = None
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class Organization:
    """A publisher or a group as the catalogue keeps it."""

    id: UUID
    name: str
    title: str
    description: str
    created: datetime
    image_url: str = ""
    state: State = State.ACTIVE
    extras: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A dataset of the catalogue. `modified` changes only when its data or its words do. `document` is what was written through
    CKAN's API, in its words; None for a dataset that a feed file describes. `observed` are the observed properties of its datastreams."""

    id: UUID
    dataset: Dataset
    columns: tuple[Column, ...]
    extent: Extent
    distributions: tuple[Distribution, ...]
    organization: Organization
    created: datetime
    modified: datetime
    feed: str = ""
    state: State = State.ACTIVE
    document: Mapping[str, Any] | None = None
    observed: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The dataset's name."""
        return self.dataset.name

    @property
    def files(self) -> tuple[Distribution, ...]:
        """What of it can be had by whoever may read it."""
        return tuple(one for one in self.distributions if one.url and not one.is_held)


@dataclass(frozen=True, slots=True)
class Found:
    """An answer to a search: how many there are, one page of them, for each facet how many there are of each value, and the words that
    no dataset has and that were left out."""

    total: int
    entries: tuple[Entry, ...]
    facets: Mapping[str, Mapping[str, int]]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedState:
    """How a feed is doing. `wrong` is the sentence on its file if that can't be read, `error` what went wrong at its last run,
    `quarantine` why its last payload is not served, `held` whether its file pauses it, `last_success_time` when it was last asked and answered. `paused`, `wanted_run`,
    `replay_since` and `silent_until` (no alarms before) are what operators ask of the worker."""

    feed: str
    title: str = ""
    dataset: str = ""
    source: str = ""
    connected: bool = False
    paused: bool = False
    wrong: str | None = None
    error: str | None = None
    last_message_time: datetime | None = None
    last_commit_time: datetime | None = None
    next_run_time: datetime | None = None
    lag_seconds: float | None = None
    rate_per_minute: float | None = None
    position: int = 0
    counts: Counts = field(default_factory=Counts)
    source_state: Mapping[str, Any] = field(default_factory=dict)
    quarantine: str | None = None
    held: bool = False
    wanted_run: datetime | None = None
    replay_since: datetime | None = None
    last_success_time: datetime | None = None
    silent_until: datetime | None = None
    frames_received: int = 0
    frames_missing: int = 0
    frames_restarts: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a feed; `ended` None while it runs, or if it was killed."""

    id: int
    feed: str
    started: datetime
    ended: datetime | None
    counts: Counts
    error: str | None


@dataclass(frozen=True, slots=True)
class Token:
    """A token without its secret. `prefix` is how its holder recognises it."""

    name: str
    prefix: str
    role: Role
    datasets: frozenset[str] | None
    columns: frozenset[str] | None
    actions: frozenset[Action] | None
    purpose: str
    created: datetime
    expires: datetime | None
    last_used: datetime | None
    revoked: datetime | None
    id: int = 0
    holder: str | None = None


@dataclass(frozen=True, slots=True)
class Audited:
    """One entry of the audit chain: who did what to which thing, and when."""

    number: int
    time: datetime
    who: str
    what: str
    on: str
    details: Mapping[str, Any]
