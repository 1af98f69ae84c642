"""Regular expressions that operators and foreign schemas write: given up where they take too long, so that none can stop a hub.

Some expressions take longer with each sign of a text than with the one before, twice as long. While one works, other feeds go on.
"""

from functools import lru_cache

import regex

from stadthub_ingest.decoded import DecodeError

#: How long one search may take, in seconds. A sound expression takes microseconds.
SECONDS = 1.0

Match = regex.Match[str]


def expression(text: str) -> str:
    """The regular expression, or a ValueError that says what is wrong with it."""
    groups(text)
    return text


def groups(text: str) -> frozenset[str]:
    """The names of its groups; ValueError if it is none."""
    try:
        return frozenset(_compiled(text, "").groupindex)
    except regex.error as error:
        raise ValueError(f"{text!r} is not a regular expression: {error}") from error


def search(pattern: str, text: str, start: int = 0) -> Match | None:
    """The first place that matches; `^` and `$` are the ends of lines. DecodeError if that takes too long."""
    try:
        return _compiled(pattern, "(?m)").search(text, start, timeout=SECONDS, concurrent=True)
    except TimeoutError as error:
        raise _too_slow(pattern) from error


def find(pattern: str, text: str) -> Match | None:
    """The first place that matches; `^` and `$` are the ends of the text. DecodeError if that takes too long."""
    try:
        return _compiled(pattern, "").search(text, timeout=SECONDS, concurrent=True)
    except TimeoutError as error:
        raise _too_slow(pattern) from error


def fits(pattern: str, text: str) -> bool:
    """Whether the whole text matches. DecodeError if that takes too long."""
    try:
        return _compiled(pattern, "").fullmatch(text, timeout=SECONDS, concurrent=True) is not None
    except TimeoutError as error:
        raise _too_slow(pattern) from error


@lru_cache(maxsize=1000)
def _compiled(pattern: str, flags: str) -> regex.Pattern[str]:
    return regex.compile(flags + pattern)


def _too_slow(pattern: str) -> DecodeError:
    return DecodeError(f"the regular expression {pattern[:100]!r} takes longer than {SECONDS:g} s on it: write a simpler one")
