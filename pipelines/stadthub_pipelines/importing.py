"""From an uploaded file to a dataset: what it is, a schema that can be corrected, and the feed that brings its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from stadthub_ingest.detection.detect import detect
from stadthub_ingest.detection.mapped import recast
from stadthub_ingest.detection.objects import with_properties
from stadthub_ingest.detection.proposal import BECOMES, PERSONAL, Field, Guess, Proposal, Said
from stadthub_ingest.detection.traits import Traits
from stadthub_ingest.judge import Judge
from stadthub_ingest.judged import Payload
from stadthub_ingest.registry import declared
from stadthub_pipelines import feedfiles, uploads
from stadthub_pipelines.describing import theme_of
from stadthub_pipelines.drafting import LAYERED, objections, reading, typed_words
from stadthub_pipelines.sampling import Sample
from stadthub_pipelines.staging import STAGED, folder_of, mark, path_of
from stadthub_schemas.dataset import ColumnType, Kind
from stadthub_schemas.errors import Conflict, FeedError, NotFound
from stadthub_schemas.feed import Feed, UploadSource, feed_of, parse_feed
from stadthub_schemas.settings import Settings

#: Decoders whose columns can be mapped, and become another kind of dataset.
MAPPED = ("csv_table", "xlsx_table", "json_table", "parquet")
#: Types that somebody may give to a column of a table or of features.
TYPES = tuple(one for one in ColumnType if one is not ColumnType.GEOMETRY)
#: What tells rows apart is never of these types.
NO_KEYS = (ColumnType.TIME, ColumnType.DATE, ColumnType.NUMBER)
#: From so many bytes on no key is proposed: to know that none stands twice, all of them must be in memory.
KEYED = 100_000_000
#: So many features are looked at to find the property that tells them apart.
LOOKED_AT = 20_000
#: Options of a text table that a schema may correct.
CORRECTED = ("delimiter", "encoding", "quote", "header", "skip_rows", "skip_footer", "decimal", "thousands", "missing", "times", "crs", "sheet", "layer", "rows")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Schema:
    """What is to become of a file: the reading half of its feed, as it was found or corrected."""

    proposal: Proposal
    fields: tuple[Field, ...]
    kind: Kind

    def told(self) -> dict[str, Any]:
        """The schema for a file or a script: `corrected` takes it back."""
        return {
            "decoder": self.proposal.decoder,
            "kind": self.kind.value,
            "options": {key: value for key, value in self.proposal.options.items() if key in CORRECTED},
            "columns": {one.place: _told(one) for one in self.fields},
        }


def _told(one: Field) -> dict[str, Any]:
    words = {
        "becomes": one.becomes,
        "name": one.name,
        "type": one.type.value if one.type else None,
        "unit": one.unit,
        "people": one.personal,
    }
    return {key: value for key, value in words.items() if value is not None}


def propose(sample: Sample, zone: str) -> Schema:
    """What the file is. FeedError for what no decoder reads."""
    proposal = detect(sample.body, sample.name, "", zone)
    if proposal.decoder not in (*MAPPED, *LAYERED):
        return Schema(replace(proposal, unpack=_unpacks(proposal)), (), proposal.kind)
    if not proposal.fields:
        proposal = with_properties(proposal, _rows(proposal, sample))
    proposal = _lossless(proposal)
    fields = tuple(replace(one, type=one.type or ColumnType.TEXT) for one in proposal.fields)
    times = _times(proposal, fields, zone) if proposal.decoder in MAPPED else {}
    return Schema(replace(proposal, options={**proposal.options, **times}, unpack=_unpacks(proposal)), fields, proposal.kind)


def _lossless(proposal: Proposal) -> Proposal:
    """The proposal, or a table with all columns where as observations some would be lost: who uploads a file wants all of it."""
    lost = [one for one in proposal.fields if one.becomes == "drop" and not one.personal]
    untold = [one for one in proposal.fields if one.becomes == "id" and one.type in NO_KEYS]
    would_lose = (proposal.kind is Kind.TIMESERIES and lost) or (proposal.kind is Kind.FEATURES and untold)  # places don't differ by a time
    if not would_lose or proposal.decoder not in MAPPED:
        return proposal
    reason = Said("so gehen keine Spalten verloren", "no columns are lost this way")
    guesses = [one for one in proposal.guesses if one.what not in ("kind", "shape", "frequency")]
    fields = tuple(
        replace(one, becomes="property") if one.becomes == "key" and one.type in NO_KEYS else one
        for one in recast(proposal.fields, Kind.TABLE)
    )
    return replace(
        proposal, kind=Kind.TABLE, fields=fields, guesses=(*guesses, Guess("kind", Kind.TABLE.value, 0.7, reason)), frequency=None
    )


def _unpacks(proposal: Proposal) -> bool:
    """Whether an archive only packs the file that is meant."""
    return proposal.unpack and proposal.decoder not in ("xlsx_table", "shapefile", "geopackage", "kml", "parquet")


def _rows(proposal: Proposal, sample: Sample) -> list[dict[str, Any]]:
    """The properties of the features, as far as they are looked at; FeedError says why there are none."""
    feed = feed_of({**STAND_IN, **reading(proposal, (), proposal.kind, "sample"), "source": {"type": "push"}}, sample.name)
    judged = Judge(feed).judge([Payload(1, datetime.now(UTC), *sample.pieces[0])])
    if not judged.accepted.num_rows and judged.rejects.num_rows:
        raise FeedError(f"{sample.name}: {judged.rejects['reason'][0].as_py()}")
    return [orjson.loads(text) for text in judged.accepted.slice(0, LOOKED_AT)["properties"].to_pylist()]


#: What a feed must have before anybody was asked.
STAND_IN: Mapping[str, Any] = {
    "id": "sample",
    "title": "–",
    "dataset": "sample",
    "metadata": {
        "title": "–", "description": "–", "license": "other-closed", "themes": ["REGI"], "publisher": {"name": "publisher", "title": "–"},
        "contact": {"name": "–"},
    },
}  # fmt: skip


def _times(proposal: Proposal, fields: Sequence[Field], zone: str) -> dict[str, Any]:
    """The option `times` with every way in which the columns of times are written: each column may have another."""
    said = dict(proposal.options.get("times", {}))
    formats = list(said.get("formats", ["iso"] if said or not fields else []))
    for one in fields:
        if one.type in (ColumnType.TIME, ColumnType.DATE) and one.becomes in ("property", "key"):
            found = Traits(one.place, one.place, list(one.examples)).time
            told = found.times(zone) if found is not None else {}
            formats += [pattern for pattern in told.get("formats", ["iso"]) if pattern not in formats]  # type: ignore[attr-defined]
            said = {**told, **said}
    return {"times": {**said, "formats": formats}} if (formats and formats != ["iso"]) or "time_zone" in said else {}


def corrected(schema: Schema, wanted: Mapping[str, Any]) -> Schema:
    """The schema with what somebody says of it: kind, options, and what its columns become. FeedError names what it does not know."""
    kind, fields = schema.kind, list(schema.fields)
    if wanted.get("kind") not in (None, kind.value):
        if schema.proposal.decoder not in MAPPED or wanted["kind"] not in tuple(BECOMES):
            raise FeedError(f"kind: {wanted['kind']!r} can't be made of this file: it is {kind.value}")
        kind = Kind(wanted["kind"])
        fields = list(recast(fields, kind))
    places = {one.place: number for number, one in enumerate(fields)}
    for place, said in dict(wanted.get("columns", {})).items():
        if place not in places:
            raise FeedError(f"columns: there is no column {place!r}: there are {', '.join(list(places)[:20])}")
        fields[places[place]] = with_words(fields[places[place]], said, kind)
    options = dict(wanted.get("options", {}))
    unknown = sorted(options.keys() - set(CORRECTED))
    if unknown:
        raise FeedError(f"options: {unknown[0]!r} can't be set here: take {', '.join(CORRECTED)}")
    return Schema(replace(schema.proposal, options={**schema.proposal.options, **options}), tuple(fields), kind)


def with_words(one: Field, said: Mapping[str, Any], kind: Kind) -> Field:
    """The column with what is said of it. FeedError."""
    becomes = str(said.get("becomes", one.becomes))
    if becomes not in BECOMES[kind]:
        raise FeedError(f"{one.place}: it can't become {becomes!r}: take {', '.join(BECOMES[kind])}")
    type_ = said.get("type", one.type)
    if type_ and type_ not in TYPES:
        raise FeedError(f"{one.place}: there is no type {str(type_)[:40]!r}: take {', '.join(TYPES)}")
    name = str(said.get("name") or one.name).strip()[:200]
    return replace(one, becomes=becomes, name=name, unit=said.get("unit", one.unit) or None, type=ColumnType(type_) if type_ else None)


def keyless(schema: Schema) -> Schema:
    """The schema without a key: a row that has the key of another is one more row."""
    return replace(schema, fields=tuple(replace(one, becomes="property") if one.becomes == "key" else one for one in schema.fields))


def feed_table(schema: Schema, name: str, file: str, size: int) -> dict[str, Any]:
    """The feed as a table, without its words: `metadata` has only what follows from the columns."""
    fields = schema.fields if size < KEYED else keyless(schema).fields
    feed: dict[str, Any] = {"id": name, "title": name, "dataset": name}
    feed |= reading(schema.proposal, fields, schema.kind, name)
    feed["raw_days"] = 1  # the file itself is kept
    feed["source"] = {"type": "upload", "file": file} | ({} if schema.proposal.unpack else {"unpack": False})
    columns = typed_words(fields, schema.kind)
    about = " ".join(one.name for one in fields)
    metadata: dict[str, Any] = {"themes": [theme_of(schema.proposal.decoder, f"{name} {about}")], "update_frequency": "IRREG"}
    feed["metadata"] = metadata | ({"columns": columns} if columns else {})
    return feed


def refusals(schema: Schema, purpose: str, *, confirmed: bool) -> list[Said]:
    """Why the file may not be taken as it is: data on people that nobody may store or confirmed, or that can't be left out of the file."""
    found = objections(schema.fields, purpose, confirmed=confirmed)
    left = [one for one in schema.fields if one.personal and (one.becomes == "drop" or one.personal not in PERSONAL)]
    if left and schema.proposal.decoder not in NARROWED:
        names = ", ".join(one.place for one in left)
        found.append(
            Said(
                f"{names}: aus einer Datei dieser Art kann eine Spalte mit Personenbezug nicht entfernt werden: löschen Sie sie vor dem Hochladen.",
                f"{names}: a column that tells of people can't be taken out of a file of this kind: remove it before the upload.",
            )
        )
    return found


#: Decoders that can write a file again without the columns that tell of people.
NARROWED = ("csv_table", "json_table", "geojson")


def place_of(text: str, settings: Settings) -> Path:
    """Where the feed of an uploaded file is to be written: over the one of its name, if that is the feed of a file too. FeedError."""
    try:
        feed = parse_feed(text, "feed.toml")
    except FeedError:
        return settings.feeds / "feed.toml"  # whoever checks it there tells all mistakes
    old = imported(settings, feed.id) if isinstance(feed.source, UploadSource) else None
    if old is not None and old.kind is not feed.kind:
        raise FeedError(f"kind: {feed.id} is {old.kind.value} and stays so: give the dataset another name")
    return settings.feeds / "feed.toml" if old is None else feedfiles.find(settings.feeds, feed.id).path


def admit(text: str, settings: Settings) -> Feed:
    """Write the feed of an uploaded file, so that its rows are loaded; what of the file is not to be kept is taken out before. A dataset
    that was imported under this name gets a new version, and its old file is forgotten. FeedError with all mistakes."""
    place = place_of(text, settings)
    feed = feedfiles.checked(settings.feeds, text, place)
    if not isinstance(feed, Feed) or not isinstance(feed.source, UploadSource):
        raise FeedError("source: this is not the feed of an uploaded file")
    path, old = path_of(settings, feed.source.file), imported(settings, feed.id)
    if not path.is_file():
        raise FeedError("source.file: this file is not there any more: upload it again")
    uploads.narrow(feed, path)
    if old is None:
        feedfiles.add(settings.feeds, text)
    else:
        assert isinstance(old.source, UploadSource)
        before = old.source.file.partition("/")[0]
        mark(before, settings)  # a kill leaves no file that nobody reads any more
        feedfiles.write(place, text)
        if before != feed.source.file.partition("/")[0]:
            folder_of(settings).drop(UUID(before))
    (path.parent / STAGED).unlink(missing_ok=True)
    return feed


def reads_alike(one: Feed, other: Feed) -> bool:
    """Whether both make the same of the same file."""
    return (one.decoder, one.options, one.key, declared(one)) == (other.decoder, other.options, other.key, declared(other))


def forget(feed: Feed, settings: Settings) -> None:
    """Take back what `admit` did, for a file of which nothing could be loaded: neither feed nor file stays."""
    assert isinstance(feed.source, UploadSource)
    feedfiles.find(settings.feeds, feed.id).path.unlink(missing_ok=True)
    folder_of(settings).drop(UUID(feed.source.file.partition("/")[0]))


def imported(settings: Settings, name: str) -> Feed | None:
    """The feed of this name, if it is that of an uploaded file: then another file may take its place. None if there is no such name."""
    try:
        feed = parse_feed(feedfiles.find(settings.feeds, name).text, f"{name}.toml")
    except NotFound:
        return None
    if not isinstance(feed.source, UploadSource):
        raise Conflict(f"{name}: it is a feed that brings its data itself: give the dataset another name")
    return feed
