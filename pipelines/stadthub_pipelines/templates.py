"""Templates for whole families of feeds: data files with questions in two languages, filled in with the answers."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from stadthub_ingest.detection.proposal import Said
from stadthub_schemas.errors import FeedError, NotFound

FOLDER = Path(__file__).parent / "feed_templates"

_SLOT = re.compile(r"<<(\w+)>>")


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that a template asks: its slot, its words, an example, what an answer must look like, the answer if none is given."""

    name: str
    words: Said
    example: str
    pattern: str
    default: str = ""
    number: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """One family: its name, its words, what it asks, and the feed with slots."""

    name: str
    title: Said
    description: Said
    questions: tuple[Question, ...]
    feed: Mapping[str, Any]


@cache
def templates() -> dict[str, Template]:
    """All templates by name."""
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.toml"))}


def template(name: str) -> Template:
    """The template of this name; NotFound names those that there are."""
    if name not in templates():
        raise NotFound(f"there is no template {name[:50]!r}: there are {', '.join(templates())}")
    return templates()[name]


def _read(path: Path) -> Template:
    told = tomllib.loads(path.read_text("utf-8"))
    questions = tuple(
        Question(
            one["name"],
            Said(one["de"], one["en"]),
            one["example"],
            one.get("pattern", r".{1,500}"),
            one.get("default", ""),
            one.get("number", False),
        )
        for one in told["questions"]
    )
    return Template(path.stem, Said(**told["title"]), Said(**told["description"]), questions, told["feed"])


def filled(one: Template, answers: Mapping[str, str]) -> dict[str, Any]:
    """The feed with these answers; FeedError names each that is missing or does not fit."""
    given: dict[str, str | float] = {}
    wrong = []
    for question in one.questions:
        answer = (answers.get(question.name) or question.default).strip()
        if not re.fullmatch(question.pattern, answer):
            wrong.append(f"{question.name}: {question.words.en}: write it such as {question.example}")
        elif question.number:
            given[question.name] = float(answer)
        else:
            given[question.name] = answer
    if wrong:
        raise FeedError("\n".join(wrong))
    result: dict[str, Any] = _fill(one.feed, given)
    return result


def _fill(value: Any, given: Mapping[str, str | float]) -> Any:
    if isinstance(value, Mapping):
        return {str(_fill(key, given)): _fill(one, given) for key, one in value.items()}
    if isinstance(value, list):
        return [_fill(one, given) for one in value]
    if not isinstance(value, str):
        return value
    whole = _SLOT.fullmatch(value)
    if whole is not None:
        return given[whole[1]]
    return _SLOT.sub(lambda match: str(given[match[1]]), value)
