"""Watching one feed for drift: what its payloads look like and how its values are, against what is usual, and what its contract says."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from stadthub_catalog.catalog import Catalog
from stadthub_catalog.findings import Noticed
from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Judged, Payload
from stadthub_ingest.shape import Shape, spread
from stadthub_pipelines.habits import Habits
from stadthub_pipelines.profile import Difference, Profile
from stadthub_schemas.dataset import AccessClass, Kind
from stadthub_schemas.feed import Contract, Feed
from stadthub_schemas.finding import Severity

#: After how many good payloads it is known what is usual: messages of many kinds share one feed.
LEARNED = {"http": 1, "file": 1, "upload": 1, "push": 10, "mqtt": 20}

#: How many payloads of one step are looked at where the contract lets all pass, and how often at messages and their values, in seconds.
LOOKS, MESSAGES, VALUES = 20, 1.0, 5.0

#: How often a finding that goes on is written down again, how often the profile is kept, how soon what messages taught, and the span in
#: which things are counted.
AGAIN, KEEP, SOON, WINDOW = 60.0, 300.0, 30.0, 3600.0

#: What a frozen feed does not take.
FROZEN = {"column_missing", "column_renamed", "unit_changed", "form_changed", "delimiter_changed"}

#: Findings that hold only as long as payloads show them; of the others, which are events, time is the only judge.
STATES = {"column_missing", "column_empty"}


class Watch:
    """Knows what is usual for one feed. Its owner calls from one thread at a time."""

    def __init__(self, feed: Feed, judge: Judge, catalog: Catalog, clock: Callable[[], float] = time.monotonic) -> None:
        body = catalog.profile(feed.id)
        self.feed = feed
        self.last_good = int(body.get("last_good", 0))
        self._judge = judge
        self._catalog = catalog
        self._clock = clock
        self._profile = Profile.read(body.get("profile", {}))
        self._habits = Habits.read(body.get("habits", {}))
        columns = feed.metadata.columns if feed.metadata else {}
        self._hidden = {name for name, words in columns.items() if words.access is not AccessClass.PUBLIC}
        self._learned = LEARNED[feed.source.type]
        self._messages = feed.source.type == "mqtt" and feed.kind is Kind.TIMESERIES
        self._shapes: dict[int, Shape] = {}
        self._open = {(one.kind, one.subject) for one in catalog.findings(feed.id)}
        self._told: dict[tuple[str, str], float] = {}
        self._refused: set[tuple[str, str]] = {(kind, subject) for kind, subject in body.get("refused", ())}
        self._due: dict[str, float] = {}
        self._kept = self._clock()
        self._learned_more = False
        self._window: tuple[datetime | None, set[str]] = (None, set())
        self._freeze()

    @property
    def is_learning(self) -> bool:
        """Whether each payload must be taken by itself, because the next is compared with it."""
        return self.feed.contract is not Contract.EVOLVE and not self._settled

    @property
    def _settled(self) -> bool:
        return self._profile.payloads >= self._learned

    def sift(self, payloads: Sequence[Payload]) -> tuple[list[Payload], list[tuple[Payload, list[Difference]]]]:
        """The payloads that the contract lets pass, and those that it does not, each with how it differs."""
        self._shapes.clear()
        if self.feed.contract is Contract.EVOLVE:
            return list(payloads), []
        sound, strange = [], []
        for payload in payloads:
            against = [one for one in self.compare(payload) if self._is_against(one)]
            if against:
                self._refuse(against)
                strange.append((payload, against))
            else:
                sound.append(payload)
        return sound, strange

    def compare(self, payload: Payload) -> list[Difference]:
        """How the payload looks other than usual; nothing as long as it is not known what is usual."""
        shape = self._shapes.get(payload.position) or self._judge.shape(payload)
        self._shapes[payload.position] = shape
        return self._profile.compare(shape, self._judge.is_channel) if self._settled else []

    def _is_against(self, one: Difference) -> bool:
        return one.shape and (self.feed.contract is Contract.QUARANTINE or one.kind in FROZEN)

    def narrowed(self, judged: Judged) -> Judged:
        """What a frozen feed takes of observations: those of known properties; the others are dropped and counted."""
        known = self._profile.properties
        if self.feed.contract is not Contract.FREEZE or not self._settled or self.feed.kind is not Kind.TIMESERIES:
            return judged
        fits = pc.is_in(judged.accepted["observed_property"].cast(pa.string()), pa.array(known, pa.string()))
        kept = judged.accepted.filter(fits)
        for name in pc.unique(judged.accepted.filter(pc.invert(fits))["observed_property"]).to_pylist():
            self._tell([Difference("column_new", name, Severity.WARNING, {"dropped": True})])
        return replace(judged, accepted=kept, dropped=judged.dropped + judged.accepted.num_rows - kept.num_rows)

    def learn(self, payloads: Sequence[Payload], judged: Judged) -> None:
        """Look at what was judged: say what is not usual, and take up what is good."""
        for payload in self._looked_at(payloads):
            if _is_good(payload, payloads, judged):
                self._look(payload)
            else:
                self._refuse(self.compare(payload))
        if judged.accepted.num_rows:
            self.last_good = payloads[-1].position
            self._learn_values(payloads[-1].received_time, judged)
        elif judged.rejects.num_rows and self.feed.kind is Kind.TIMESERIES:
            self._habits.ahead(judged.rejects)
            self._tell(self._habits.told())
        self._keep_if_due()

    def adopt(self, payload: Payload) -> None:
        """An operator takes this payload as the new normal."""
        self._profile.adopt(self._shapes.get(payload.position) or self._judge.shape(payload))
        self._resolve(self._refused | {key for key in self._open if key[0] in _SHAPES})
        self._refused.clear()
        self._judge.know(None, None)
        self.keep()

    def keep(self) -> None:
        """Write down what is usual."""
        body = {"profile": self._profile.kept(), "habits": self._habits.kept(), "last_good": self.last_good}
        self._catalog.save_profile(self.feed.id, {**body, "refused": sorted(self._refused)})
        self._kept, self._learned_more = self._clock(), False

    def _looked_at(self, payloads: Sequence[Payload]) -> Iterable[Payload]:
        """Which payloads are looked at: enough to see a change, so few that it costs nothing; what a contract guards was compared before."""
        if not self._messages:
            return spread(payloads, LOOKS)
        return payloads[-1:] if not self._settled or self._is_due("messages", MESSAGES) else ()

    def _look(self, payload: Payload) -> None:
        """Take up how a good payload looks, and say what is other than before."""
        differences = self.compare(payload)
        shape = self._shapes[payload.position]
        frozen = self.feed.contract is Contract.FREEZE and self._settled
        self._tell(_marked(one) if frozen and one.kind == "column_new" else one for one in differences)
        now = {(one.kind, one.subject) for one in differences}
        passing = STATES if self.feed.contract is Contract.EVOLVE else STATES | _SHAPES
        gone = {key for key in self._open if key[0] in passing and key not in now}
        self._resolve(gone | (self._refused - now))
        self._refused &= now
        for one in differences:
            if one.kind in ("column_renamed", "unit_changed") and not frozen:
                self._profile.columns.pop(one.subject, None)
        if frozen:
            shape = Shape(shape.form, columns={name: seen for name, seen in shape.columns.items() if name in self._profile.columns})
        if self._profile.learn(shape) or not self._settled:
            self._keep_soon()
        self._freeze()

    def _learn_values(self, received: datetime, judged: Judged) -> None:
        accepted = judged.accepted
        known = {*self._profile.attributes, *self._profile.properties}
        if self.feed.kind is Kind.TIMESERIES:
            self._count_things(accepted, received)
            if self._messages and not self._is_due("values", VALUES):
                return
            self._habits.observe(accepted, received)
            new = set(pc.unique(accepted["observed_property"]).to_pylist()) - known
            self._profile.properties = sorted({*self._profile.properties, *new})[:1000]
        else:
            rows = _attributes(accepted) if self.feed.kind is Kind.FEATURES else accepted
            shown = [name for name in rows.column_names if name not in self._hidden]
            self._habits.tabulate(rows.select(shown), accepted.num_rows)
            new = set(judged.attributes) - known
            self._profile.attributes = sorted({*self._profile.attributes, *new})[:1000]
        if new:
            self._keep_soon()
            self._freeze()
        self._tell(self._habits.told())
        self._resolve({key for key in self._open if key[0] in VALUE_KINDS and key not in self._habits.alarms})

    def _count_things(self, accepted: pa.Table, received: datetime) -> None:
        """Of payloads that come on request each is counted; of messages all of an hour together."""
        things = set(pc.unique(accepted["thing"]).to_pylist())
        if not self._messages:
            self._habits.count("things", len(things))
            return
        start, seen = self._window
        if start is None or (received - start).total_seconds() >= WINDOW:
            if start is not None:
                self._habits.count("things", len(seen))
            start, seen = received, set()
        seen |= things
        self._window = (start, seen)

    def _freeze(self) -> None:
        """Tell the judge what a frozen feed may take."""
        if self.feed.contract is Contract.FREEZE and self._settled:
            attributes = frozenset(self._profile.attributes) if self._profile.attributes else None
            self._judge.know(frozenset(self._profile.columns), attributes)

    def _refuse(self, differences: Sequence[Difference]) -> None:
        """Tell of differences of a payload that is not stored: they end with the next good one."""
        self._refused |= {(one.kind, one.subject) for one in differences}
        self._tell(differences)

    def _tell(self, differences: Iterable[Difference]) -> None:
        """Write findings down; one that goes on only once a while."""
        now, noticed = self._clock(), []
        for one in differences:
            key = (one.kind, one.subject[:300])
            if key not in self._open or now - self._told.get(key, now) >= AGAIN:
                noticed.append(Noticed(one.kind, one.subject, one.severity, one.details))
                self._told[key] = now
                self._open.add(key)
            else:
                self._told.setdefault(key, now)
        self._catalog.note_findings(self.feed.id, noticed)

    def _resolve(self, keys: Iterable[tuple[str, str]]) -> None:
        for kind, subject in [key for key in keys if key in self._open]:
            self._catalog.resolve_finding(self.feed.id, kind, subject)
            self._open.discard((kind, subject))
            self._told.pop((kind, subject), None)

    def _is_due(self, what: str, seconds: float) -> bool:
        now = self._clock()
        if now < self._due.get(what, float("-inf")):
            return False
        self._due[what] = now + seconds
        return True

    def _keep_soon(self) -> None:
        """Write down what is new. Messages whose contract lets all pass don't wait for that: what a kill takes is learned from the next."""
        if self._messages and self.feed.contract is Contract.EVOLVE:
            self._learned_more = True
        else:
            self.keep()

    def _keep_if_due(self) -> None:
        if self._clock() - self._kept >= (SOON if self._learned_more else KEEP):
            self.keep()


#: Findings about values, and those about looks.
VALUE_KINDS = {"scale_jump", "time_stuck", "timezone_shift", "cardinality_jump"}
_SHAPES = {
    *("form_changed", "encoding_changed", "delimiter_changed", "namespace_changed", "unit_changed"),
    *("column_new", "column_missing", "column_renamed", "column_retyped"),
}


def _marked(one: Difference) -> Difference:
    """A new column of a frozen feed: it is dropped."""
    return Difference(one.kind, one.subject, Severity.WARNING, {**one.details, "dropped": True}, one.shape)


def _is_good(payload: Payload, payloads: Sequence[Payload], judged: Judged) -> bool:
    """Whether rows of it were stored. Of several payloads judged together those without a reject surely are."""
    if not judged.accepted.num_rows:
        return False
    return len(payloads) == 1 or not pc.any(pc.equal(judged.rejects["position"], payload.position), min_count=0).as_py()


def _attributes(features: pa.Table) -> pa.Table:
    """The attributes of some features that are text."""
    rows: list[dict[str, Any]] = [orjson.loads(text) for text in spread(features["properties"].to_pylist(), 500)]
    names = dict.fromkeys(name for row in rows for name in row)
    texts = {name: [row.get(name) if isinstance(row.get(name), str) else None for row in rows] for name in names}
    return pa.table({name: pa.array(values, pa.string()) for name, values in texts.items()}) if texts else features.select(["id"])
