"""Alarms: open findings become incidents, each is told once, reminded of once a day, and its end is told. What is to be told lies in
the state database until it is delivered, over restarts too."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from stadthub_catalog.alarms import Incident, Message
from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import FeedState
from stadthub_pipelines.alarm_words import Report, Teller, Trouble
from stadthub_pipelines.channels import Channel, channels, split
from stadthub_schemas.feed import Feed
from stadthub_schemas.finding import Finding, Severity
from stadthub_schemas.settings import Settings

LOG = structlog.get_logger()

#: The first pause after a failed delivery and the longest one; after so many days a message is given up.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
GIVEN_UP = timedelta(days=3)

#: Kinds that are one incident: what is late may become silent without another alarm.
TOPICS = {"late": "silent"}

#: Kinds whose cause lies with their subject and not with the feed: many feeds, one incident.
SHARED = frozenset({"source_error"})


@dataclass(frozen=True, slots=True)
class _Key:
    """What makes findings one incident."""

    channels: str
    kind: str
    subject: str


class Alarms:
    """Tells of trouble and of its end. One thread at a time."""

    def __init__(self, catalog: Catalog, settings: Settings) -> None:
        self._catalog = catalog
        self._addresses = split(settings.alerts)
        self._reminder = timedelta(hours=settings.alert_reminder_hours)
        self._teller = teller(settings)

    def look(self, feeds: Mapping[str, Feed], now: datetime) -> None:
        """Compare what is wrong with what was told, queue what is to be told now, and deliver what is due."""
        states = {state.feed: state for state in self._catalog.feeds()}
        told = {_Key(one.channels, one.kind, one.subject): one for one in self._catalog.incidents()}
        own = _own(feeds, told)
        findings = [one for one in self._catalog.findings() if one.severity is not Severity.INFO]
        found: dict[_Key, list[Finding]] = {}
        for finding in sorted(findings, key=lambda one: (one.first_seen, one.feed)):
            found.setdefault(_key(finding, own), []).append(finding)
        new = {
            key: _incident(key, several, now) for key, several in found.items() if key not in told and not _silenced(several, states, now)
        }
        over = {key: replace(one, closed=now) for key, one in told.items() if key not in found}
        still = {
            key: replace(one, told=now)
            for key, one in told.items()
            if key in found and self._is_forgotten(one, now) and not _silenced(found[key], states, now)
        }
        grown = [_grown(told[key], several) for key, several in found.items() if key in told and key not in still]
        messages: list[Message] = []
        for name in sorted({key.channels for key in (*new, *over, *still)}):
            report = Report(
                [_trouble(new[key], found[key]) for key in new if key.channels == name],
                [_trouble(one, ()) for key, one in over.items() if key.channels == name and not _resting(one, states)],
                [_trouble(one, found[key]) for key, one in still.items() if key.channels == name],
            )
            messages += self._messages(name, report, feeds, now)
        self._catalog.tell([*new.values(), *over.values(), *still.values(), *(one for one in grown if one is not None)], messages)
        self.deliver(feeds, now)

    def deliver(self, feeds: Mapping[str, Feed], now: datetime) -> None:
        """Try every message whose time has come; after a failure again, after a growing pause."""
        for message in self._catalog.waiting_messages(now):
            assert message.id is not None
            channel = next((one for one in self._channels(message.channels, feeds) if one.name == message.channel), None)
            if channel is None:
                self._catalog.note_message(message.id, next_attempt=None, error="this channel is no longer in the settings")
                continue
            error = channel.send(message.title, message.body, message.severity)
            attempts = message.attempts + 1
            pause = min(FIRST_PAUSE * float(2 ** min(attempts - 1, 10)), LONGEST_PAUSE)
            later = now + pause if error is not None and now - message.created < GIVEN_UP else None
            delivered = now if error is None else None
            self._catalog.note_message(message.id, attempts=attempts, next_attempt=later, delivered=delivered, error=error)
            if error is not None:
                LOG.warning("alarm not delivered", channel=message.channel, attempts=attempts, error=error)

    def _is_forgotten(self, incident: Incident, now: datetime) -> bool:
        return self._reminder > timedelta(0) and now - incident.told >= self._reminder

    def _messages(self, name: str, report: Report, feeds: Mapping[str, Feed], now: datetime) -> list[Message]:
        """One message for each channel, if there is anything to tell."""
        if not (report.new or report.over or report.still):
            return []
        title, body = self._teller.title(report), self._teller.body(report, now)
        severity = _worst(report)
        return [Message(name, one.name, title, body, severity, now, next_attempt=now) for one in self._channels(name, feeds)]

    def _channels(self, name: str, feeds: Mapping[str, Feed]) -> list[Channel]:
        """The channels of the hub, or of the feed that names its own."""
        if not name:
            return channels(self._addresses)
        return channels((feeds[name].alerts or ()) if name in feeds else ())


def teller(settings: Settings) -> Teller:
    """Who writes this hub's messages."""
    return Teller(settings.language, ZoneInfo(settings.time_zone), settings.site_title, settings.url)


def _own(feeds: Mapping[str, Feed], told: Iterable[_Key]) -> set[str]:
    """The feeds with channels of their own; one whose file can't be read now keeps those that were told last."""
    return {name for name, feed in feeds.items() if feed.alerts is not None} | ({key.channels for key in told} - feeds.keys())


def _key(finding: Finding, own: set[str]) -> _Key:
    """The incident that a finding belongs to."""
    topic = TOPICS.get(finding.kind, finding.kind)
    subject = finding.subject if topic in SHARED else "/".join(filter(None, (finding.feed, finding.subject)))
    return _Key(finding.feed if finding.feed in own else "", topic, subject[:300])


def _incident(key: _Key, findings: Sequence[Finding], now: datetime) -> Incident:
    opened = min(one.first_seen for one in findings)
    severity = Severity.ERROR if any(one.severity is Severity.ERROR for one in findings) else Severity.WARNING
    return Incident(key.channels, key.kind, key.subject, severity, _feeds(findings), opened, now)


def _grown(incident: Incident, findings: Sequence[Finding]) -> Incident | None:
    """The incident with feeds that joined it; None if none did."""
    joined = tuple(dict.fromkeys((*incident.feeds, *_feeds(findings))))
    return None if joined == incident.feeds else replace(incident, feeds=joined)


def _feeds(findings: Iterable[Finding]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.feed for one in findings))


def _trouble(incident: Incident, findings: Sequence[Finding]) -> Trouble:
    return Trouble(incident.feeds, findings[0] if findings else None, incident.opened)


def _silenced(findings: Sequence[Finding], states: Mapping[str, FeedState], now: datetime) -> bool:
    """Whether all feeds that it concerns are in maintenance."""
    return all(_is_silent(states.get(one.feed), now) for one in findings)


def _is_silent(state: FeedState | None, now: datetime) -> bool:
    return state is not None and state.silent_until is not None and state.silent_until > now


def _resting(incident: Incident, states: Mapping[str, FeedState]) -> bool:
    """Whether it is over only because its feeds are paused or gone."""
    resting = [name != "" and (name not in states or states[name].paused or states[name].held) for name in incident.feeds]
    return all(resting)


def _worst(report: Report) -> Severity:
    """How loud a message is: recovery is good news."""
    if not report.new and not report.still:
        return Severity.INFO
    findings = [one.finding for one in (*report.new, *report.still) if one.finding is not None]
    return Severity.ERROR if any(one.severity is Severity.ERROR for one in findings) else Severity.WARNING
