"""A feed as a TOML file that explains itself: written with comments, changed later without losing them."""

from collections.abc import Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import InlineTable, Item, Table

from stadthub_ingest.detection.mapped import options_of
from stadthub_ingest.detection.objects import geojson_options
from stadthub_ingest.detection.proposal import NEVER, PERSONAL, WHATS, Field, Proposal, Said
from stadthub_ingest.keys import thing_key
from stadthub_schemas.dataset import Kind
from stadthub_schemas.errors import FeedError
from stadthub_schemas.vocabularies import FREQUENCIES

#: The order of the keys at the top of a feed file.
TOP = ("id", "title", "dataset", "kind", "decoder", "key", "paused", "raw_days")
#: How often an address is asked at least and at most, whatever the data's own cadence, in minutes.
SELDOM, OFTEN = 24 * 60, 1

#: Decoders whose features have properties of which some are kept.
LAYERED = ("geojson", "kml", "gpx", "geopackage", "shapefile", "flatgeobuf")

HEAD = Said(
    "Ein Feed sagt, woher Daten kommen, wie sie gelesen werden und was daraus wird. Alle Schlüssel: docs/feeds.md\nPrüfen: stadthub feed check · Ausprobieren: stadthub feed try",
    "A feed says where data come from, how they are read and what they become. All keys: docs/feeds.md\nCheck: stadthub feed check · try: stadthub feed try",
)


def name_of(text: str) -> str:
    """A name for feeds and datasets out of any words."""
    key = thing_key(text).replace("_", "-").replace(".", "-").strip("-")
    key = "-".join(part for part in key.split("-") if part)[:100].strip("-")
    return key if len(key) > 1 and key[0].isalpha() else f"feed-{key}".strip("-")


def reading(proposal: Proposal, fields: Sequence[Field], kind: Kind, name: str) -> dict[str, Any]:
    """The reading half of a feed after the mapping was edited: kind, decoder, options, key, and the words of its columns."""
    options = dict(proposal.options)
    if fields and proposal.decoder in LAYERED:
        options = geojson_options(fields, proposal.options)
        if proposal.decoder != "geojson":
            options.pop("keep", None)  # such a file can only be stored whole
    elif fields:
        options = options_of(kind, fields, proposal.options, name)
        if proposal.decoder in ("xlsx_table", "parquet"):
            options.pop("keep", None)  # a workbook can only be stored whole
    feed: dict[str, Any] = {"kind": kind.value, "decoder": proposal.decoder}
    key = [one.name for one in fields if one.becomes == "key"] if fields else list(proposal.key)
    if key and kind is Kind.TABLE:
        feed["key"] = key
    if proposal.decoder == "xlsx_table" and any(one.personal for one in fields):
        feed["raw_days"] = 1
    return feed | ({"options": options} if options else {})


def typed_words(fields: Sequence[Field], kind: Kind) -> dict[str, Any]:
    """The same with the types, for files whose columns are fixed."""
    found = column_words(fields, kind)
    for one in fields:
        if one.becomes in ("property", "key") and one.type is not None and kind is not Kind.TIMESERIES:
            found[one.name] = {**found.get(one.name, {}), "type": one.type.value}
    return found


def column_words(fields: Sequence[Field], kind: Kind) -> dict[str, Any]:
    """`metadata.columns`: the headers as titles, units, and who may see what tells of people."""
    found: dict[str, Any] = {}
    for one in fields:
        if one.becomes == "parameter" and one.personal:
            found["parameters"] = {"access": "restricted"}
        if kind is Kind.TIMESERIES or one.becomes not in ("property", "key"):
            continue
        header = one.place.removeprefix("properties.").rsplit(".", 1)[-1].replace('"', "")
        words: dict[str, Any] = {} if header == one.name else {"title": header}
        words |= {"unit": one.unit} if one.unit else {}
        words |= {"access": "restricted"} if one.personal else {}
        if words:
            found[one.name] = words
    return found


def objections(fields: Sequence[Field], purpose: str, *, confirmed: bool) -> list[Said]:
    """Why this mapping may not be kept: data on people that nobody may store, or without purpose and confirmation."""
    kept = [one for one in fields if one.personal and one.becomes != "drop"]
    found = [
        Said(
            f"„{one.place}“: {PERSONAL[one.personal].de} wird nie gespeichert.",
            f"“{one.place}”: a {PERSONAL[one.personal].en} is never stored.",
        )
        for one in kept
        if one.personal in NEVER
    ]
    if kept and not (purpose.strip() and confirmed):
        names = ", ".join(one.place for one in kept)
        found.append(
            Said(
                f"{names}: Angaben über Personen brauchen einen Zweck und Ihre Bestätigung, oder lassen Sie sie weg.",
                f"{names}: data on people need a purpose and your confirmation, or leave them out.",
            )
        )
    return found


def every_of(frequency: str | None) -> str:
    """How often an address with this frequency is asked."""
    length = FREQUENCIES[frequency][2] if frequency else None
    minutes = 60 if length is None else min(SELDOM, max(OFTEN, int(length.total_seconds() // 60)))
    return f"PT{minutes}M" if minutes % 60 else ("P1D" if minutes == SELDOM else f"PT{minutes // 60}H")


def notes_of(proposal: Proposal, language: str) -> dict[str, str]:
    """A comment for each key that was guessed."""
    places = {
        "format": "decoder", "kind": "kind", "delimiter": "options.delimiter", "skip_rows": "options.skip_rows", "decimal": "options.decimal",
        "skip_footer": "options.skip_footer", "times": "options.times", "rows": "options.rows", "missing": "options.missing",
        "header": "options.header", "sheet": "options.sheet", "frequency": "metadata.update_frequency", "thousands": "options.thousands",
    }  # fmt: skip
    notes: dict[str, str] = {}
    for guess in proposal.guesses:
        if guess.what in places:
            notes[places[guess.what]] = f"{WHATS[guess.what].in_language(language)}: {guess.reason.in_language(language)}"
        if guess.what == "time_zone" and "options.times" in notes:
            notes["options.times"] += f"; {guess.reason.in_language(language)}"
    people = [f"{one.place} ({PERSONAL[one.personal].in_language(language)})" for one in proposal.fields if one.personal]
    if people:
        words = Said(
            "nur was hier genannt ist, wird gespeichert; Personenbezug haben: ", "only what is named here is stored; these tell of people: "
        )
        notes["options.keep"] = words.in_language(language) + ", ".join(people)
    return notes


def written(feed: Mapping[str, Any], notes: Mapping[str, str], language: str = "de") -> str:
    """The feed as a TOML file with comments."""
    document = tomlkit.document()
    for line in HEAD.in_language(language).splitlines():
        document.add(tomlkit.comment(line))
    for key in TOP:
        if feed.get(key) not in (None, (), []):
            document.add(key, _noted(tomlkit.item(feed[key]), notes.get(key)))
    for part in ("source", "options", "rules", "metadata"):
        if feed.get(part):
            document.add(tomlkit.nl())
            document.add(part, _table(feed[part], notes, part))
    return tomlkit.dumps(document)


#: Tables that stand under a heading of their own; others are written within braces.
_HEADED = frozenset({"options.values", "options.properties", "metadata.release", "metadata.privacy", "metadata.columns", "options.codec"})


def _table(values: Mapping[str, Any], notes: Mapping[str, str], place: str) -> Table:
    table = tomlkit.table()
    # The properties of features are a list of names or a table of new names: only a table stands under a heading.
    headed = {key: value for key, value in values.items() if f"{place}.{key}" in _HEADED and isinstance(value, Mapping) and value}
    for key, value in values.items():
        if key not in headed and value not in (None, "", [], (), {}):
            table.add(key, _noted(_inline(value), notes.get(f"{place}.{key}")))
    for key, value in headed.items():
        inner = tomlkit.table()
        for name, one in value.items():
            inner.add(name, _inline(one))
        table.add(key, inner)
    return table


def _inline(value: Any) -> Any:
    """The value on one line."""
    if isinstance(value, Mapping):
        table: InlineTable = tomlkit.inline_table()
        for key, one in value.items():
            table.add(key, _inline(one))
        return table
    if isinstance(value, list | tuple):
        array = tomlkit.array()
        for one in value:
            array.append(_inline(one))
        return array
    return tomlkit.item(value)


def _noted(item: Any, note: str | None) -> Any:
    if note and isinstance(item, Item):
        item.comment(" ".join(note.split())[:200])
    return item


def changed(text: str, part: str, values: Mapping[str, Any]) -> str:
    """The same file with this part set anew; everything else, comments too, stays as it is. FeedError if it is no TOML."""
    document = opened(text)
    if part in document:
        there: Any = document[part]
        notes = {f"{part}.{key}": item.trivia.comment.lstrip("# ") for key, item in there.items() if isinstance(item, Item)}
        document[part] = _table(values, notes, part)
    else:
        document.add(tomlkit.nl())
        document.add(part, _table(values, {}, part))
    return tomlkit.dumps(document)


def opened(text: str) -> tomlkit.TOMLDocument:
    """The file as a document; FeedError if it is no TOML."""
    try:
        return tomlkit.parse(text)
    except (TOMLKitError, ValueError) as error:
        raise FeedError(f"this is not TOML: {error}") from error


def assigned(text: str, assignments: Sequence[str]) -> str:
    """The file after `key.with.dots=value` assignments; a value that is no TOML is text. FeedError names a wrong one."""
    document = opened(text)
    for assignment in assignments:
        place, equals, value = assignment.partition("=")
        *way, last = place.strip().split(".")
        if not equals or not last:
            raise FeedError(f"--set {assignment}: write key=value, such as metadata.license=dl-de-by-2.0")
        table: Any = document
        for part in way:
            if part not in table:
                table[part] = tomlkit.table()
            table = table[part]
            if not isinstance(table, Mapping):
                raise FeedError(f"--set {assignment}: {part} is no table")
        table[last] = _value(value)
    return tomlkit.dumps(document)


def _value(text: str) -> Any:
    try:
        return tomlkit.parse(f"value = {text}")["value"]
    except (TOMLKitError, ValueError):
        return tomlkit.item(text)
