"""The two languages of the portal: its words, and how numbers, times, sizes and units are written in each."""

import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import Translations

from stadthub_ingest.detection.names import unit_in
from stadthub_schemas.dataset import Language
from stadthub_schemas.units import UNITS

TRANSLATIONS = Path(__file__).parent / "translations"

#: By language: the locale of numbers and times, the language's own name, and what stands before its addresses.
LOCALES: Mapping[Language, str] = {"de": "de_DE", "en": "en_GB"}
NAMES: Mapping[Language, str] = {"de": "Deutsch", "en": "English"}
PREFIXES: Mapping[Language, str] = {"de": "", "en": "/en"}

_SIZES = ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB"))


def language_of(path: str) -> Language:
    """The language that an address asks for: English below `/en`, else German."""
    return "en" if path == "/en" or path.startswith("/en/") else "de"


def bare(path: str) -> str:
    """The address without its language."""
    for prefix in ("/en", "/de"):
        if path == prefix or path.startswith(f"{prefix}/"):
            path = path.removeprefix(prefix)
            break
    return "/" + path.lstrip("/\\")  # two slashes at the start would be the address of another host


def in_language(path: str, language: Language) -> str:
    """The same page in this language."""
    there = bare(path)
    return PREFIXES[language] + there


@cache
def translations(language: Language) -> Translations:
    """The words of a language, compiled at the start; German is what stands in the templates."""
    source = TRANSLATIONS / language / "LC_MESSAGES" / "portal.po"
    if not source.is_file():
        return Translations()
    with source.open("rb") as file:
        catalog = read_po(file, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translations(compiled, domain="portal")


def exactly(length: timedelta, language: Language) -> str:
    """A length of time in whole days or hours: what is promised must not be rounded to weeks or years."""
    granularity: Literal["day", "hour"] = "hour" if length % timedelta(days=1) else "day"
    return format_timedelta(length, granularity, threshold=math.inf, locale=LOCALES[language])


@dataclass(frozen=True, slots=True)
class Writing:
    """How things are written for one reader: a language and the city's time zone."""

    language: Language
    zone: ZoneInfo

    @property
    def locale(self) -> str:
        """The locale's name, as Babel and browsers (with a hyphen) know it."""
        return LOCALES[self.language]

    def word(self, text: str) -> str:
        """A German phrase in the reader's language."""
        return translations(self.language).gettext(text) if self.language != "de" else text

    def phrase(self, german: str, english: str | None) -> str:
        """What the data offer in two languages; German where there is no English."""
        return english if self.language == "en" and english else german

    def number(self, value: float | None) -> str:
        """A number with the language's separators; a dash for none."""
        if value is None:
            return "–"
        return format_decimal(value, format="#,##0.##" if abs(value) >= 1 else "0.####", locale=self.locale)

    def place(self, degrees: float) -> str:
        """A longitude or latitude in degrees, to about a metre."""
        return f"{format_decimal(degrees, format='0.00000', locale=self.locale)}°"

    def degrees(self, value: float) -> str:
        """An edge of an area in degrees, to about a hundred metres."""
        return f"{format_decimal(value, format='0.000', locale=self.locale)}°"

    def measure(self, value: float | None, unit: str | None) -> str:
        """A number with the symbol of its unit."""
        symbol = self.unit(unit)
        return f"{self.number(value)}\u00a0{symbol}" if symbol else self.number(value)

    def unit(self, code: str | None) -> str:
        """The symbol of a UCUM code; the code itself if it is not known."""
        if not code:
            return ""
        known = UNITS.get(code)
        return code if known is None else known.symbol

    def unit_beside(self, title: str, code: str | None) -> str:
        """The symbol that is to stand beside this title; nothing where the title says the unit itself."""
        symbol = self.unit(code)
        if not code or not symbol or unit_in(title)[1] == code:
            return ""
        said = "|".join(re.escape(word) for word in (symbol, code))
        return "" if re.search(rf"(?<![^\W_])(?:{said})(?![^\W_])", title) else symbol

    def size(self, count: int) -> str:
        """A size in bytes, rounded for reading."""
        for factor, name in _SIZES:
            if count >= factor:
                return f"{format_decimal(count / factor, format='#,##0.#', locale=self.locale)}\u00a0{name}"
        return f"{count}\u00a0B"

    def here(self, time: datetime | str) -> datetime:
        """The moment in the city's time zone."""
        aware = datetime.fromisoformat(time) if isinstance(time, str) else time
        return (aware if aware.tzinfo else aware.replace(tzinfo=UTC)).astimezone(self.zone)

    def moment(self, time: datetime | str | None) -> str:
        """Day, time and time zone."""
        if time is None:
            return "–"
        return format_datetime(self.here(time), "d. MMM y, HH:mm z" if self.language == "de" else "d MMM y, HH:mm z", locale=self.locale)

    def exact(self, time: datetime | str | None) -> str:
        """Day and time to the second, short, for tables."""
        if time is None:
            return "–"
        return format_datetime(self.here(time), "dd.MM.y HH:mm:ss z" if self.language == "de" else "dd/MM/y HH:mm:ss z", locale=self.locale)

    def zoneless(self, time: datetime) -> str:
        """The same of a time that names no zone."""
        return format_datetime(time, "dd.MM.y HH:mm:ss" if self.language == "de" else "dd/MM/y HH:mm:ss", locale=self.locale)

    def short_day(self, day: date) -> str:
        """The day, short, for tables."""
        return format_date(day, "dd.MM.y" if self.language == "de" else "dd/MM/y", locale=self.locale)

    def clock(self, time: datetime | str) -> str:
        """The time of day."""
        return format_time(self.here(time), "HH:mm:ss z", locale=self.locale)

    def day(self, time: datetime | date | str | None) -> str:
        """The day."""
        if time is None:
            return "–"
        if isinstance(time, date) and not isinstance(time, datetime):
            return format_date(time, "long", locale=self.locale)
        return format_date(self.here(time), "long", locale=self.locale)

    def period(self, first: datetime | str | None, last: datetime | str | None) -> tuple[str, str]:
        """Both ends of a period in one form: as days if one of them is told as a day, else as times; empty where nobody tells an end."""
        ends = [one for one in (first, last) if one is not None]
        days = any(isinstance(one, str) and len(one) == len("2026-01-01") for one in ends)
        written = [(self._short(one) if days else self.moment(one)) if one is not None else "" for one in (first, last)]
        return written[0], written[1]

    def _short(self, time: datetime | str) -> str:
        """A day, in the form of `moment`; what is told as a day is none of another zone."""
        day = date.fromisoformat(time) if isinstance(time, str) and len(time) == len("2026-01-01") else self.here(time).date()
        return format_date(day, "d. MMM y" if self.language == "de" else "d MMM y", locale=self.locale)

    def ago(self, time: datetime | str | None, now: datetime) -> str:
        """How long ago it was, in words."""
        if time is None:
            return "–"
        return format_timedelta(min(self.here(time) - now, timedelta(0)), add_direction=True, locale=self.locale, threshold=1.2)

    def kept(self, length: timedelta | None) -> str:
        """How long something is kept, in words."""
        return self.word("unbegrenzt") if length is None else exactly(length, self.language)

    def lasting(self, seconds: float | None) -> str:
        """How long something takes, in words."""
        if seconds is None:
            return "–"
        if seconds < 1:
            return f"{round(seconds * 1000)}\u00a0ms"
        return format_timedelta(timedelta(seconds=seconds), locale=self.locale, threshold=1.2, format="short")
