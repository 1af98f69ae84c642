"""`stadthub dataset import`: a file becomes a dataset. It is looked at, shown, corrected, kept, and its rows are loaded."""

import sys
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer

from stadthub_api.cli.feed_add import Talk, described
from stadthub_api.cli.hub import ConfigOption, DataDirOption, JsonOption, catalog_of, settings_of
from stadthub_api.cli.output import language, print_json, print_rows, print_table, say, working
from stadthub_api.cli.quarantine import WHO
from stadthub_catalog.catalog import Catalog
from stadthub_catalog.entry import Run
from stadthub_catalog.refusals import Invalid
from stadthub_catalog.uploads import Upload
from stadthub_ingest.detection.proposal import BECOMES, PERSONAL, WHATS, Said
from stadthub_lake.snapshot import Reader
from stadthub_pipelines import feedfiles
from stadthub_pipelines.drafting import assigned, name_of, notes_of, opened, written
from stadthub_pipelines.importing import Schema, admit, corrected, feed_table, forget, imported, propose, reads_alike, refusals
from stadthub_pipelines.logs import configure
from stadthub_pipelines.once import run_once
from stadthub_pipelines.running import WORKER, holder
from stadthub_pipelines.samples import sample_of
from stadthub_pipelines.sampling import Sample
from stadthub_pipelines.staging import discard, stage
from stadthub_pipelines.trial import rehearse
from stadthub_schemas.errors import Conflict, FeedError, SourceError, StadthubError
from stadthub_schemas.feed import Feed, parse_feed
from stadthub_schemas.settings import Settings

EXAMPLES = """
[bold]Examples[/bold]

stadthub dataset import trees.csv --preview

stadthub dataset import trees.csv --preview --json > schema.json    (correct it, then:)

stadthub dataset import trees.csv --schema schema.json --license dl-de-by-2.0 --organization "Stadt Musterstadt"
"""

#: How often it is asked whether the running hub has loaded the file, in seconds.
ASK = 0.2

Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A key of the feed file, such as metadata.keywords=…")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was said of the dataset on the command line."""

    name: str
    title: str
    organization: str
    license: str
    others: tuple[str, ...]

    @property
    def given(self) -> list[str]:
        """The same as `--set` says it."""
        said = {"metadata.title": self.title, "metadata.publisher.title": self.organization, "metadata.license": self.license}
        return [*(f"{key}={value}" for key, value in said.items() if value), *self.others]


def import_file(
    file: Annotated[Path, typer.Argument(help="CSV, TSV, XLSX, ODS, JSON, NDJSON, GeoJSON, GeoPackage, Shapefile (zip), FlatGeobuf, KML, GPX, Parquet.")],
    name: Annotated[str, typer.Option(help="The dataset's name; one that was imported before gets a new version.")] = "",
    title: Annotated[str, typer.Option(help="The dataset's title.")] = "",
    organization: Annotated[str, typer.Option(help="Who publishes it.")] = "",
    license_: Annotated[str, typer.Option("--license", help="Its licence, such as dl-de-by-2.0.")] = "",
    preview: Annotated[bool, typer.Option("--preview", help="Only show what would come of it.")] = False,
    schema_file: Annotated[Path | None, typer.Option("--schema", metavar="FILE", help="A corrected schema (JSON or TOML), as --preview --json writes it.")] = None,
    purpose: Annotated[str, typer.Option(help="Why columns that tell of people are kept; says that there is a legal basis.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    settings_given: Set = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:  # fmt: skip
    """Take a file in as a dataset: types, dates, numbers and places are found, and can be corrected; the original is kept and served."""
    settings = settings_of(config, data_dir=data_dir)
    wanted = Wanted(name or name_of(file.name.rpartition(".")[0] or file.name), title, organization, license_, tuple(settings_given or ()))
    sample = sample_of(file, "")
    schema = propose(sample, settings.time_zone)
    if schema_file is not None:
        schema = corrected(schema, _schema(schema_file))
    if preview:
        _show(schema, sample, settings, as_json)
        return
    against = refusals(schema, purpose, confirmed=bool(purpose))
    if against:
        raise FeedError("\n".join(one.in_language(language()) for one in against))
    old = imported(settings, wanted.name)
    talk = Talk(asks=not yes and not as_json and sys.stdin.isatty(), language=language())
    if (
        old is not None
        and not yes
        and not talk.agrees(Said(f"{wanted.name} ist schon da. Neue Fassung laden?", f"{wanted.name} is there. Load a new version?"))
    ):
        raise Conflict(f"{wanted.name} is there already: say --yes to load this file as its new version, or another --name")
    since = datetime.now(UTC)
    feed = _admitted(file, schema, wanted, (talk, old), settings)
    if not _loaded(feed, since, settings, as_json):
        if old is None:
            with catalog_of(settings) as catalog:
                forget(feed, settings)
                catalog.withdraw(feed.dataset)
        raise typer.Exit(1)


def _schema(path: Path) -> Mapping[str, Any]:
    """The schema in this file; FeedError if it is none."""
    try:
        body = path.read_bytes()
        return dict(tomllib.loads(body.decode()) if path.suffix == ".toml" else orjson.loads(body))
    except (OSError, ValueError, TypeError) as error:
        raise FeedError(f"{path.name}: it can't be read as a schema (JSON or TOML): {error}") from error


def _show(schema: Schema, sample: Sample, settings: Settings, as_json: bool) -> None:
    """What was found, and what the first rows would be."""
    if as_json:
        print_json(schema.told())
        return
    lang = language()
    rows = [[WHATS[g.what].in_language(lang), g.value, f"{g.confidence:.0%}", g.reason.in_language(lang)] for g in schema.proposal.guesses]
    print_table(Said("Erkannt", "Detected").in_language(lang), ["what", "value", "sure", "why"], rows)
    words = BECOMES[schema.kind]
    columns = [
        [one.place, words[one.becomes].in_language(lang), one.name, one.type, one.unit, PERSONAL[one.personal].in_language(lang) if one.personal else "", ", ".join(one.examples[:2])]
        for one in schema.fields
    ]  # fmt: skip
    print_table(Said("Spalten", "Columns").in_language(lang), ["column", "becomes", "name", "type", "unit", "people", "examples"], columns)
    for warning in schema.proposal.warnings:
        say(warning.in_language(lang))
    trial = rehearse(parse_feed(_stand_in(schema), "feed.toml"), settings, sample.pieces)
    print_rows("Accepted rows (the first)", trial.accepted.select([name for name, _ in trial.columns]), trial.accepted.num_rows)
    if trial.rejects.num_rows:
        print_rows("Rejects (the first)", trial.rejects.select(["row", "reason", "excerpt"]), 20)
    say("Nothing was written.")


def _stand_in(schema: Schema) -> str:
    """A feed that reads the file, before anybody was asked for words."""
    feed = feed_table(schema, "preview", f"{UUID(int=0)}/preview", 0)
    words = {
        "title": "–",
        "description": "–",
        "license": "other-closed",
        "publisher": {"name": "publisher", "title": "–"},
        "contact": {"name": "–"},
    }
    return written({**feed, "metadata": {**words, **feed["metadata"]}}, {})


def _admitted(file: Path, schema: Schema, wanted: Wanted, how: tuple[Talk, Feed | None], settings: Settings) -> Feed:
    """The feed of the file, which is kept now; nothing stays of either if something is wrong."""
    talk, old = how
    try:
        with file.open("rb") as opened_file:
            kept, size = stage(Upload(file.name, opened_file), settings)
    except OSError as error:
        raise SourceError(f"{file.name}: it can't be read: {error.strerror}") from error
    except Invalid as error:
        raise FeedError(f"{file.name}: it is larger than STADTHUB_UPLOAD_MB allows ({settings.upload_mb} MB)") from error
    try:
        table = feed_table(schema, wanted.name, kept, size)
        notes = notes_of(schema.proposal, talk.language)
        if old is None:
            return admit(described(written(table, notes, talk.language), talk, wanted.given, settings), settings)
        before = dict(opened(feedfiles.find(settings.feeds, old.id).text)["metadata"].unwrap())
        table |= {"title": old.title, "metadata": {**before, "columns": table["metadata"].get("columns", {})}}
        text = assigned(written(table, notes, talk.language), wanted.given)
        if not reads_alike(old, parse_feed(text, "feed.toml")):
            with catalog_of(settings) as catalog:
                catalog.note_feed(old.id, source_state={})  # also the same file is read again
        return admit(text, settings)
    except StadthubError:
        discard(kept, settings)
        raise


def _loaded(feed: Feed, since: datetime, settings: Settings, as_json: bool) -> bool:
    """Let the rows be loaded, by the running hub or right here, and tell how it went; whether any were. `since`: before the feed was there."""
    began, start = time.monotonic(), datetime.now(UTC)
    with working(f"Loading {feed.id}"), catalog_of(settings) as catalog:
        catalog.note_feed(feed.id, title=feed.title, dataset=feed.dataset, source=feed.source.type, wanted_run=start)
        catalog.record(WHO, "dataset.import", feed.dataset, {"feed": feed.id})
        if holder(settings.data_dir, WORKER) is None:
            configure(settings)
            run_once(feed, settings)
        run = _awaited(catalog, feed, (since, start))
        findings = [(one.kind, one.subject, one.severity.value) for one in catalog.findings(feed.id)]
    counts = run.counts.as_dict()
    rejects = Reader(settings.lake, settings.data_dir).rejects(feed.id, 20) if counts["rejected"] else None
    page = f"{settings.url}/datasets/{feed.dataset}"
    words = {"dataset": feed.dataset, "feed": feed.id, "page": page, "error": run.error, "findings": findings}
    answer = {**words, **counts, "seconds": round(time.monotonic() - began, 2)}
    if as_json:
        print_json(answer)
    else:
        say(f"{feed.dataset}: {run.error or ', '.join(f'{number} {key}' for key, number in counts.items())}")
        for kind, subject, severity in findings:
            say(f"{severity}: {kind} {subject}")
        if rejects is not None:
            print_rows("Rejects (the first)", rejects.select(["row", "reason", "excerpt"]), 20)
        say(f"its page: {page} · its feed file: {feed.id}.toml, in the folder of feeds")
    return not run.error and (not counts["received"] or counts["stored"] + counts["duplicate"] > 0)


def _awaited(catalog: Catalog, feed: Feed, times: tuple[datetime, datetime]) -> Run:
    """The run that took the file in, once it has ended; FeedError if the feed can't start. A running hub may have taken the feed up before
    it was asked to, and then finds nothing new: `times` are when the feed was not there yet, and when it was asked."""
    since, asked = times
    while True:
        ended = [one for one in reversed(catalog.runs(feed.id, 5)) if one.started >= since and one.ended is not None]
        told = [one for one in ended if one.counts.received or one.error]
        if told or any(one.started >= asked for one in ended):
            return (told or ended)[0]
        state = catalog.feed(feed.id)
        if state.wrong:
            raise FeedError(f"{feed.id}: {state.wrong}")
        time.sleep(ASK)
