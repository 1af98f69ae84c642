"""`stadthub feed add`: from an address, a topic, a file or a template to a feed file, asking only what can't be seen in the data."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.prompt import Confirm, Prompt

from stadthub_api.cli.hub import ConfigOption, DataDirOption, JsonOption, settings_of
from stadthub_api.cli.output import console, language, print_json, print_rows, print_table, say, working
from stadthub_ingest.detection.detect import LARGEST, detect
from stadthub_ingest.detection.proposal import BECOMES, PERSONAL, WHATS, Field, Proposal, Said
from stadthub_ingest.sources.reach import Reach
from stadthub_pipelines import feedfiles
from stadthub_pipelines.describing import QUESTIONS, habits, lacking, metadata_of, theme_of
from stadthub_pipelines.drafting import assigned, changed, column_words, every_of, name_of, notes_of, opened, reading, written
from stadthub_pipelines.mistakes import check_text
from stadthub_pipelines.sampling import Sample, from_address, from_file
from stadthub_pipelines.templates import Template, filled, template, templates
from stadthub_pipelines.trial import rehearse
from stadthub_schemas.dataset import AccessClass, Kind
from stadthub_schemas.errors import Conflict, FeedError
from stadthub_schemas.feed import parse_feed
from stadthub_schemas.settings import Settings
from stadthub_schemas.vocabularies import FREQUENCIES, LICENSES, THEMES

#: What a prompt offers for these places.
CHOICES: Mapping[str, tuple[str, ...]] = {
    "license": tuple(LICENSES),
    "themes": tuple(THEMES),
    "update_frequency": tuple(FREQUENCIES),
    "access": tuple(AccessClass),
}
_ASIDE = ("title_en", "description_en", "attribution", "keywords", "release.note", "release.reference", "contact.email")


@dataclass(frozen=True, slots=True)
class Talk:
    """How the one at the keyboard is spoken to."""

    asks: bool
    language: str

    def ask(self, words: Said, default: str = "", choices: tuple[str, ...] = ()) -> str:
        """The answer, or the default where nobody is asked."""
        if not self.asks:
            return default
        text = words.in_language(self.language) + (f" ({', '.join(choices)})" if len(choices) > 4 else "")
        few = list(choices) if 0 < len(choices) <= 4 else None
        return str(Prompt.ask(text, default=default, choices=few, show_default=bool(default), console=console()) or "").strip()

    def agrees(self, words: Said) -> bool:
        """Whether the answer is yes; nobody asked means no."""
        return self.asks and Confirm.ask(words.in_language(self.language), default=False, console=console())


def add(
    origin: Annotated[str, typer.Argument(metavar="[URL|mqtt://BROKER/TOPIC|FILE|-]", help="Where data are; - reads a sample here.")] = "",
    template_name: Annotated[str, typer.Option("--template", metavar="NAME", help="A family; see stadthub feed templates.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: take what is proposed, and --set for the rest.")] = False,
    settings_given: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A key of the feed file, or a template's answer.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", metavar="FILE", help="Where to write; without: the folder of feeds.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Look at a sample, propose a feed, show what would come of it, ask for words and licence, and write the feed file."""
    settings = settings_of(config, data_dir=data_dir)
    talk = Talk(asks=not yes and not as_json and origin != "-" and sys.stdin.isatty(), language=language())
    given = list(settings_given or ())
    if template_name:
        text, sample, proposal = _from_template(template(template_name), talk, given), None, None
    elif origin:
        sample = _sample(origin, settings)
        proposal = detect(sample.body, sample.name, "", settings.time_zone)
        text = _from_sample(sample, proposal, talk)
    else:
        raise FeedError("what is to become a feed? name an address, a file, or --template; see stadthub feed add --help")
    text = described(text, talk, given, settings)
    path = output or settings.feeds / f"{opened(text).get('id')}.toml"
    _checked(text, path, settings)
    counts = _rehearsed(text, sample, settings) if sample is not None and not as_json else None
    _save(path, text, talk)
    if as_json:
        print_json({"file": str(path), "feed": opened(text)["id"], "proposal": _told(proposal) if proposal else None, "toml": text})
    else:
        say(f"{path}: {talk_of(talk, counts)}")
        say(f"next: stadthub feed try {path} · stadthub up")


def talk_of(talk: Talk, counts: Mapping[str, int] | None) -> str:
    """That it is written, and what came of the sample."""
    words = "geschrieben" if talk.language == "de" else "written"
    return words if counts is None else f"{words} ({', '.join(f'{number} {key}' for key, number in counts.items())})"


def list_templates(as_json: JsonOption = False) -> None:
    """The families of feeds that need no sample: each with what it asks."""
    lang = language()
    if as_json:
        print_json({name: {"title": one.title, "asks": {q.name: q.example for q in one.questions}} for name, one in templates().items()})
        return
    rows = [
        [name, one.description.in_language(lang), ", ".join(f"{q.name}={q.default or q.example}" for q in one.questions)]
        for name, one in templates().items()
    ]
    print_table("Templates", ["name", "what", "--set"], rows)


def _sample(origin: str, settings: Settings) -> Sample:
    if origin == "-":
        return Sample((("sample", sys.stdin.buffer.read(LARGEST + 1)),), {"type": "push"})
    if "://" in origin:
        with working(origin.partition("?")[0]):
            return from_address(origin, Reach(settings.allowed_hosts), strict=False)
    return from_file(Path(origin))


def _from_template(one: Template, talk: Talk, given: list[str]) -> str:
    """The feed of a template; `--set question=answer` answers it."""
    names = {question.name for question in one.questions}
    answers = {name: value for name, _, value in (item.partition("=") for item in given) if name in names}
    given[:] = [item for item in given if item.partition("=")[0] not in names or "." in item.partition("=")[0]]
    for question in one.questions:
        if question.name not in answers:
            answers[question.name] = talk.ask(question.words, question.default or (question.example if talk.asks else ""))
    feed = filled(one, answers)
    title = feed["metadata"]["title"]
    name = talk.ask(Said("Name des Feeds", "name of the feed"), one.name)
    return written({"id": name, "title": title, "dataset": name, **feed}, {}, talk.language)


def _from_sample(sample: Sample, proposal: Proposal, talk: Talk) -> str:
    """The feed of a sample, after the mapping was shown and, where somebody is asked, changed."""
    lang = talk.language
    _show(proposal, lang)
    fields = _mapped(proposal, talk) if talk.asks and proposal.fields else list(proposal.fields)
    stem = name_of(sample.name.partition("?")[0].rstrip("/").rsplit("/", 1)[-1].rsplit(".", 1)[0])
    name = talk.ask(Said("Name des Feeds", "name of the feed"), stem)
    feed: dict[str, Any] = {"id": name, "title": name.replace("-", " ").capitalize(), "dataset": name}
    feed |= reading(proposal, fields, proposal.kind, name)
    feed["source"] = dict(sample.source)
    if feed["source"]["type"] == "http":
        feed["source"]["every"] = every_of(proposal.frequency)
    if not proposal.unpack and feed["source"]["type"] == "file":
        feed["source"]["unpack"] = False
    about = f"{feed['title']} {' '.join(one.name for one in fields)}"
    metadata: dict[str, Any] = {"themes": [theme_of(proposal.decoder, about)], "update_frequency": proposal.frequency or "IRREG"}
    columns = column_words(fields, proposal.kind)
    feed["metadata"] = metadata | ({"columns": columns} if columns else {})
    return written(feed, notes_of(replace(proposal, fields=tuple(fields)), lang), lang)


def _show(proposal: Proposal, lang: str) -> None:
    """What was found, and why it is thought so."""
    rows = [[WHATS[g.what].in_language(lang), g.value, f"{g.confidence:.0%}", g.reason.in_language(lang)] for g in proposal.guesses]
    print_table(Said("Erkannt", "Detected").in_language(lang), ["what", "value", "sure", "why"], rows, sys.stderr)
    if proposal.fields:
        words = BECOMES[proposal.kind]
        mapping = [
            [one.place, words[one.becomes].in_language(lang), one.name, one.unit, PERSONAL[one.personal].in_language(lang) if one.personal else "", ", ".join(one.examples[:2])]
            for one in proposal.fields
        ]  # fmt: skip
        title = Said("Spalten", "Columns").in_language(lang)
        print_table(title, ["column", "becomes", "name", "unit", "people", "examples"], mapping, sys.stderr)
    for warning in proposal.warnings:
        say(warning.in_language(lang))


def _mapped(proposal: Proposal, talk: Talk) -> list[Field]:
    """The columns as the one at the keyboard wants them."""
    fields = list(proposal.fields)
    words = Said("Spalte ändern? (Name der Spalte, leer: weiter)", "change a column? (its name, empty: go on)")
    while wanted := talk.ask(words):
        place = next((number for number, one in enumerate(fields) if one.place == wanted), None)
        if place is None:
            say(f"{wanted}: ?")
            continue
        one = fields[place]
        becomes = talk.ask(Said("wird", "becomes"), one.becomes, tuple(BECOMES[proposal.kind]))
        if becomes not in BECOMES[proposal.kind]:
            continue
        if one.personal and becomes != "drop":
            say(
                Said(
                    "Angaben über Personen behält nur der Assistent im Portal.", "Only the portal's wizard keeps data on people."
                ).in_language(talk.language)
            )
            continue
        name = talk.ask(Said("Name", "name"), one.name)
        fields[place] = replace(
            one, becomes=becomes, name=name, unit=talk.ask(Said("Einheit (UCUM)", "unit (UCUM)"), one.unit or "") or None
        )
    return fields


def described(text: str, talk: Talk, given: list[str], settings: Settings) -> str:
    """The feed with its metadata: what is there, what the city's other feeds say, what is asked."""
    text = assigned(text, given)
    document = opened(text)
    there = document.get("metadata", {})
    habit = habits(sorted(settings.feeds.glob("*.toml")) if settings.feeds.is_dir() else [])
    answers: dict[str, Any] = {"access": "public", **habit}
    answers |= {place: value for place, value in _flat(there).items() if place in {asked.place for asked in QUESTIONS}}
    answers.setdefault("title", str(document.get("title", "")))
    known = {asked.place for asked in QUESTIONS if answers.get(asked.place)}
    decoder = str(document.get("decoder"))
    for asked in QUESTIONS:
        if not talk.asks or (asked.place in known and asked.place in {item.partition("=")[0].removeprefix("metadata.") for item in given}):
            continue
        needs = any(f"({asked.place})" in one.en for one in lacking(metadata_of(answers), decoder)) or asked.needed
        if needs or asked.place in _ASIDE:
            default = answers.get(
                asked.place, datetime.now(ZoneInfo(settings.time_zone)).date().isoformat() if asked.place == "release.date" else ""
            )
            answers[asked.place] = talk.ask(asked.words, str(default), CHOICES.get(asked.place, ()))
    if answers.get("publisher.title") != habit.get("publisher.title"):
        answers.pop("publisher.name", None)  # another publisher than that of the other feeds
    metadata = metadata_of(answers)
    missing = lacking(metadata, decoder)
    if missing:
        lines = "\n".join(one.in_language(talk.language) for one in missing)
        advice = Said("Sagen Sie es so:", "Say it so:").in_language(talk.language)
        flags = " ".join(f"--set metadata.{one.en.rpartition('(')[2].rstrip(')')}=…" for one in missing)
        raise FeedError(f"{lines}\n{advice} {flags}")
    return _merged(text, metadata)


def _merged(text: str, metadata: Mapping[str, Any]) -> str:
    """The file with these metadata beside those that were there and are not asked for."""
    there = opened(text).get("metadata", {})
    kept = dict(there.unwrap() if hasattr(there, "unwrap") else there)
    for key, value in metadata.items():
        kept[key] = {**kept[key], **value} if isinstance(value, Mapping) and isinstance(kept.get(key), Mapping) else value
    return changed(text, "metadata", kept)


def _flat(table: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Places with dots and their values as answers."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{before}{key}.")
        else:
            found[before + key] = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return found


def _checked(text: str, path: Path, settings: Settings) -> None:
    """FeedError with every mistake of the file."""
    others = sorted(settings.feeds.glob("*.toml")) if settings.feeds.is_dir() else []
    found = check_text(text, path, others)
    if found.mistakes:
        raise FeedError("\n".join(found.mistakes))


def _rehearsed(text: str, sample: Sample, settings: Settings) -> dict[str, int]:
    """What comes of the sample, shown."""
    trial = rehearse(parse_feed(text, "feed.toml"), settings, sample.pieces)
    print_rows("Accepted rows (the first)", trial.accepted.select([name for name, _ in trial.columns]), trial.accepted.num_rows)
    if trial.rejects.num_rows:
        print_rows("Rejects (the first)", trial.rejects.select(["row", "reason", "excerpt"]), 20)
    if trial.privacy_drops is not None:
        say(f"Privacy drops: {trial.privacy_drops} of {trial.received_bytes} bytes are dropped before anything is stored.")
    for hint in trial.hints:
        say(hint.in_language(language()))
    return trial.counts.as_dict()


def _save(path: Path, text: str, talk: Talk) -> None:
    """Write the file; one that is there is only overwritten when somebody says so."""
    words = Said(f"{path} ist schon da. Überschreiben?", f"{path} is there already. Overwrite it?")
    if path.exists() and not talk.agrees(words):
        raise Conflict(f"{path} is there already: name another file with --output, or another id with --set id=…")
    feedfiles.write(path, text)


def _told(proposal: Proposal) -> dict[str, Any]:
    """The proposal for scripts."""
    return {
        "decoder": proposal.decoder,
        "kind": Kind(proposal.kind).value,
        "guesses": [{"what": g.what, "value": g.value, "confidence": g.confidence, "reason": g.reason.en} for g in proposal.guesses],
        "columns": [
            {"place": one.place, "becomes": one.becomes, "name": one.name, "unit": one.unit, "personal": one.personal}
            for one in proposal.fields
        ],
        "warnings": [warning.en for warning in proposal.warnings],
    }
