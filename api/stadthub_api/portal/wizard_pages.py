"""The pages of the wizard: what each step shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Request, Response
from starlette.datastructures import FormData

from stadthub_api.hub import Hub
from stadthub_api.portal.carrying import MAPPED
from stadthub_api.portal.language import Writing
from stadthub_api.portal.rendering import COLUMN_TYPES, KINDS, page, writing
from stadthub_ingest.detection.proposal import BECOMES, PERSONAL, WHATS, Field, Proposal, Said
from stadthub_pipelines import feedfiles
from stadthub_pipelines.describing import QUESTIONS, habits, lacking
from stadthub_pipelines.drafting import every_of, name_of, opened
from stadthub_pipelines.importing import TYPES, place_of
from stadthub_pipelines.sampling import Sample
from stadthub_pipelines.templates import templates
from stadthub_pipelines.trial import Trial
from stadthub_schemas.access import Principal
from stadthub_schemas.dataset import AccessClass, Kind
from stadthub_schemas.errors import Conflict, FeedError
from stadthub_schemas.units import UNITS
from stadthub_schemas.vocabularies import FREQUENCIES, LICENSES, THEMES

#: The steps, in German, translated when shown.
STEPS = ("Quelle", "Erkannt und zugeordnet", "Probe und Beschreibung", "Prüfen und speichern")
#: The words of the access classes, in German, translated when shown.
ACCESS = {"public": "alle (öffentlich)", "internal": "die Beschäftigten der Stadt", "restricted": "nur ausdrücklich Berechtigte"}


@dataclass(frozen=True, slots=True)
class Desk:
    """Who sits before the wizard, and in which hub."""

    request: Request
    hub: Hub
    principal: Principal

    @property
    def write(self) -> Writing:
        """How things are written for this reader."""
        return writing(self.request)


#: A sample with what it is, its mapping, and the sample packed for the form.
Found = tuple[Sample, Proposal, Sequence[Field], Kind, str]


def source_page(desk: Desk, form: Mapping[str, Any], chosen: str, wrong: str = "") -> Response:
    """Where the data come from, or what a template asks."""
    known = templates()
    context = {
        "who": desk.principal.name,
        "form": {key: str(form.get(key, "")) for key in ("address", "pasted", "id")},
        "answers": {key: str(value) for key, value in form.items() if isinstance(value, str)},
        "templates": known.values(),
        "chosen": known.get(chosen),
        "wrong": wrong,
        **_steps(desk.write, 0),
    }
    return _private(page(desk.request, "wizard/source.html", context, 422 if wrong else 200))


def file_page(desk: Desk, wrong: str = "") -> Response:
    """Which file is to become a dataset."""
    most = desk.hub.settings.upload_mb * 1_000_000
    context = {"who": desk.principal.name, "most": most, "wrong": wrong, **_steps(desk.write, 0)}
    return _private(page(desk.request, "wizard/file.html", context, 422 if wrong else 200))


def mapping_page(desk: Desk, form: Mapping[str, Any], found: Found, wrong: str = "") -> Response:
    """What was detected, and the mapping as an editable table."""
    sample, proposal, fields, kind, carried = found
    language = desk.write.language
    upload = str(sample.source.get("file", ""))
    stem = name_of(sample.name.partition("?")[0].rstrip("/").rsplit("/", 1)[-1].rsplit(".", 1)[0])
    words: dict[str, Said] = dict(BECOMES[kind]) if fields else {}
    if proposal.decoder == "geojson":
        words = {key: value for key, value in words.items() if key in ("id", "property", "drop")}
    context = {
        "who": desk.principal.name,
        "proposal": proposal,
        "kind": kind.value,
        "kind_choices": [(one.value, desk.write.word(KINDS[one])) for one in BECOMES],
        "may_change_kind": proposal.decoder in MAPPED,
        "guesses": [(WHATS[g.what].in_language(language), g.value, g.confidence, g.reason.in_language(language)) for g in proposal.guesses],
        "warnings": [one.in_language(language) for one in proposal.warnings],
        "rows": [(one, PERSONAL[one.personal].in_language(language) if one.personal else "") for one in fields],
        "becomes": [(key, one.in_language(language)) for key, one in words.items()],
        "has_personal": any(one.personal for one in fields),
        "units": sorted(UNITS),
        "sample": carried,
        "upload": upload,
        "types": [(one.value, desk.write.word(COLUMN_TYPES[one])) for one in TYPES] if upload and kind is not Kind.TIMESERIES else [],
        "steps_at": "/operator/import" if upload else "/operator/feeds/new",
        "source": sample.source,
        "form": {
            "id": str(form.get("id") or stem),
            "title": str(form.get("title") or stem.replace("-", " ").capitalize()),
            "dataset": str(form.get("dataset") or ""),
            "every": str(form.get("every") or every_of(proposal.frequency)),
            "url": str(form.get("url") or ""),
            "purpose": str(form.get("purpose") or ""),
            "confirmed": bool(form.get("confirmed")),
            "over": bool(form.get("over")),
        },
        "wrong": wrong,
        **_steps(desk.write, 1),
    }
    return _private(page(desk.request, "wizard/mapping.html", context, 422 if wrong else 200))


async def describe_page(
    desk: Desk, text: str, trial: Trial | None = None, given: Mapping[str, Any] | None = None, wrong: str = ""
) -> Response:
    """What the trial gave, and the words that are asked for."""
    write = desk.write
    folder = desk.hub.settings.feeds
    habit = await desk.hub.work(habits, sorted(folder.glob("*.toml")) if folder.is_dir() else [])
    document = opened(text)
    there = plain_table(document.get("metadata", {}))
    answers: dict[str, Any] = {
        "access": "public",
        "release.date": datetime.now(write.zone).date().isoformat(),
        **habit,
        **_answers(there),
        **(given or {}),
    }
    context = {
        "who": desk.principal.name,
        "toml": text,
        "trial": trial,
        "reasons": _reasons(trial),
        "hints": [one.in_language(write.language) for one in trial.hints] if trial else [],
        "questions": [(asked, asked.words.in_language(write.language), asked.hint.in_language(write.language)) for asked in QUESTIONS],
        "answers": answers,
        "habit": habit,
        "choices": _choices(write),
        "wrong": wrong,
        "is_private": any("(privacy.purpose)" in one.en for one in lacking({}, str(document.get("decoder", "")))),
        **_steps(desk.write, 2),
    }
    return _private(page(desk.request, "wizard/describe.html", context, 422 if wrong else 200))


async def review_page(desk: Desk, text: str, wrong: str = "") -> Response:
    """The whole file with what is wrong in it."""
    if not wrong:
        try:
            place = await desk.hub.work(place_of, text, desk.hub.settings)
            await desk.hub.work(feedfiles.checked, desk.hub.settings.feeds, text, place)
        except (FeedError, Conflict) as error:
            wrong = str(error)
    context = {"who": desk.principal.name, "toml": text, "wrong": wrong, **_steps(desk.write, 3)}
    return _private(page(desk.request, "wizard/review.html", context, 422 if wrong else 200))


def _answers(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What a draft says already, by place; its stand-ins say nothing."""
    found: dict[str, Any] = {}
    for asked in QUESTIONS:
        table, _, key = asked.place.rpartition(".")
        value = (metadata.get(table, {}) if table else metadata).get(key)
        if value not in (None, "", "–", "other-closed"):
            found[asked.place] = value if asked.place == "themes" else ", ".join(value) if isinstance(value, list) else str(value)
    if found.get("description") == found.get("title"):
        found.pop("description", None)
    return found


def metadata_answers(answers: Mapping[str, Any], form: FormData) -> dict[str, Any]:
    """What somebody answered, to be shown again."""
    return {**{place: str(value) for place, value in answers.items()}, "themes": [str(one) for one in form.getlist("themes")]}


def _choices(write: Writing) -> dict[str, list[tuple[str, str]]]:
    return {
        "license": [("", "–"), *((key, one.title) for key, one in LICENSES.items())],
        "themes": [(key, write.phrase(*words)) for key, words in THEMES.items()],
        "update_frequency": [(key, write.phrase(words[0], words[1])) for key, words in FREQUENCIES.items()],
        "access": [(key.value, write.word(ACCESS[key])) for key in AccessClass],
    }


def _reasons(trial: Trial | None) -> list[tuple[str, int]]:
    counted: dict[str, int] = {}
    for reason in trial.rejects.column("reason").to_pylist() if trial else ():
        counted[reason] = counted.get(reason, 0) + 1
    return sorted(counted.items(), key=lambda pair: -pair[1])[:50]


def _steps(write: Writing, at: int) -> dict[str, Any]:
    return {"steps": [write.word(step) for step in STEPS], "at": at}


def plain_table(table: Any) -> dict[str, Any]:
    """A table of a TOML document as plain values."""
    return dict(table.unwrap()) if hasattr(table, "unwrap") else dict(table)


def _private(answer: Response) -> Response:
    answer.headers["Cache-Control"] = "no-store"
    return answer
