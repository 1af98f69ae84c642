"""What an alarm says, in German and English: numbers, names of feeds and reasons; never a payload, a person or a secret."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from babel.dates import format_datetime, format_timedelta
from babel.numbers import format_decimal

from stadthub_schemas.dataset import Language
from stadthub_schemas.finding import Finding, told

#: How many troubles of one sort a message lists; the operator page has all.
LISTED = 20

WORDS: Mapping[Language, Mapping[str, str]] = {
    "de": {
        "new": "Neue Störungen",
        "over": "Behoben",
        "still": "Weiterhin gestört",
        "since": "seit {time}",
        "after": "nach {time}",
        "more": "… und {count} weitere",
        "one_new": "Störung: {name}",
        "many_new": "{count} Störungen",
        "one_over": "Behoben: {name}",
        "many_over": "{count} Störungen behoben",
        "one_still": "Weiterhin gestört: {name}",
        "many_still": "Weiterhin {count} Störungen",
        "feeds": "{count} Datenquellen ({names})",
        "hub": "Rechner",
        "never": "nie",
        "test": "Probealarm",
        "test_body": "Dies ist eine Probe. Alarme dieses Portals kommen hier an.",
    },
    "en": {
        "new": "New trouble",
        "over": "Recovered",
        "still": "Still in trouble",
        "since": "since {time}",
        "after": "after {time}",
        "more": "… and {count} more",
        "one_new": "Trouble: {name}",
        "many_new": "{count} troubles",
        "one_over": "Recovered: {name}",
        "many_over": "{count} troubles are over",
        "one_still": "Still in trouble: {name}",
        "many_still": "Still {count} troubles",
        "feeds": "{count} feeds ({names})",
        "hub": "machine",
        "never": "never",
        "test": "Test alarm",
        "test_body": "This is a test. Alarms of this portal arrive here.",
    },
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One incident as it is told: the feeds that it concerns, one finding that says what it is, since when."""

    feeds: tuple[str, ...]
    finding: Finding | None
    opened: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """What one message tells."""

    new: Sequence[Trouble]
    over: Sequence[Trouble]
    still: Sequence[Trouble]


@dataclass(frozen=True, slots=True)
class Teller:
    """Writes messages in one language, with times of the city."""

    language: Language
    zone: Any
    site_title: str
    url: str

    def title(self, report: Report) -> str:
        """The subject line: what is new before what is over."""
        parts = [
            self._word(f"{'one' if len(troubles) == 1 else 'many'}_{name}", count=len(troubles), name=self._names(troubles[0]))
            for name, troubles in self._sections(report)
        ]
        return f"[{self.site_title}] {' · '.join(parts)}"

    def body(self, report: Report, now: datetime) -> str:
        """All that there is to tell, and where to look."""
        write: dict[str, Callable[[Trouble], str]] = {
            "new": lambda one: self._line(one, now),
            "still": lambda one: self._line(one, now),
            "over": lambda one: f"{self._names(one)}: {self._word('after', time=self._lasting(now - one.opened))}",
        }
        lines: list[str] = []
        for name, troubles in self._sections(report):
            lines += [f"{self._word(name)}:", *(f"- {write[name](one)}" for one in troubles[:LISTED])]
            if len(troubles) > LISTED:
                lines.append(self._word("more", count=len(troubles) - LISTED))
            lines.append("")
        return "\n".join([*lines, f"{self.url}{'/en' if self.language == 'en' else ''}/operator"])

    def test(self) -> tuple[str, str]:
        """Title and body of a test."""
        return f"[{self.site_title}] {self._word('test')}", f"{self._word('test_body')}\n\n{self.url}/operator"

    def _sections(self, report: Report) -> list[tuple[str, Sequence[Trouble]]]:
        sections = (("new", report.new), ("over", report.over), ("still", report.still))
        return [(name, troubles) for name, troubles in sections if troubles]

    def _line(self, trouble: Trouble, now: datetime) -> str:
        since = self._word(
            "since", time=self._moment(trouble.opened) if now - trouble.opened < timedelta(hours=20) else self._day(trouble.opened)
        )
        return f"{self._names(trouble)}: {self.sentence(trouble.finding)} ({since})" if trouble.finding else self._names(trouble)

    def sentence(self, finding: Finding) -> str:
        """What a finding is, in words."""
        return told(finding.kind, finding.subject, self._facts(finding.details), self.language)

    def _facts(self, details: Mapping[str, Any]) -> dict[str, str]:
        """The details as they are read: lengths of time and times in words, numbers with their separators."""
        facts: dict[str, str] = {}
        for name, value in details.items():
            if name.endswith("_seconds"):
                facts[name.removesuffix("_seconds")] = self._lasting(timedelta(seconds=float(value)))
            elif name == "last":
                facts[name] = self._day(datetime.fromisoformat(value)) if value else self._word("never")
            elif isinstance(value, list):
                facts[name] = ", ".join(map(str, value)) or "–"
            elif isinstance(value, int | float):
                facts[name] = format_decimal(value, locale=self._locale)
            else:
                facts[name] = str(value)
        return facts

    def _names(self, trouble: Trouble) -> str:
        names = [name or self._word("hub") for name in trouble.feeds]
        return (
            names[0]
            if len(names) == 1
            else self._word("feeds", count=len(names), names=", ".join([*names[:3], *("…" for _ in names[3:4])]))
        )

    def _word(self, key: str, /, **values: object) -> str:
        return WORDS[self.language][key].format(**values)

    @property
    def _locale(self) -> str:
        return "de_DE" if self.language == "de" else "en_GB"

    def _lasting(self, time: timedelta) -> str:
        return format_timedelta(time, locale=self._locale, threshold=1.2)

    def _moment(self, time: datetime) -> str:
        return format_datetime(time.astimezone(self.zone), "HH:mm z", locale=self._locale)

    def _day(self, time: datetime) -> str:
        return format_datetime(
            time.astimezone(self.zone), "d. MMM, HH:mm z" if self.language == "de" else "d MMM, HH:mm z", locale=self._locale
        )
