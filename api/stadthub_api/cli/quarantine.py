"""`stadthub feed findings`, `quarantine`, `release` and `discard`: what was noticed of a feed, and payloads that wait for a word."""

from dataclasses import asdict
from typing import Annotated

import typer

from stadthub_api.cli.hub import ConfigOption, DataDirOption, JsonOption, catalog_of, existing
from stadthub_api.cli.output import print_json, print_table, say
from stadthub_api.held import Word, excerpt_of, give_words
from stadthub_catalog.catalog import Catalog
from stadthub_pipelines.running import WORKER, holder
from stadthub_schemas.errors import QueryError
from stadthub_schemas.finding import sentence
from stadthub_schemas.settings import Settings

FeedArgument = Annotated[str, typer.Argument(help="The feed's id.")]
Positions = Annotated[list[int] | None, typer.Argument(help="Positions of payloads, as `feed quarantine` lists them.")]
All = Annotated[bool, typer.Option("--all", help="Every payload of the feed that is in quarantine.")]

#: Who the audit names for what is done at the command line.
WHO = "command line"


def findings(
    name: FeedArgument,
    everything: Annotated[bool, typer.Option("--all", help="Also what holds no longer.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """What was noticed of a feed: new or missing columns, units, scales, spellings, times, certificates."""
    with catalog_of(existing(config, data_dir)) as catalog:
        catalog.feed(name)
        found = catalog.findings(name, open_only=not everything)
    if as_json:
        print_json([{**asdict(one), "sentence": sentence(one.kind, one.subject, one.details)} for one in found])
        return
    rows = [
        [one.severity, one.kind, sentence(one.kind, one.subject, one.details), one.first_seen, one.last_seen, one.count] for one in found
    ]
    print_table(f"Findings of {name}", ["severity", "kind", "what", "since", "last", "times"], rows)


def quarantine(name: FeedArgument, as_json: JsonOption = False, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Payloads of a feed that are put aside: where each stands in the raw log, when it came, why it is not stored."""
    settings = existing(config, data_dir)
    with catalog_of(settings) as catalog:
        catalog.feed(name)
        held = catalog.held(name)
    excerpts = [excerpt_of(settings, one) for one in held]
    if as_json:
        print_json([{**asdict(one), "excerpt": excerpt} for one, excerpt in zip(held, excerpts, strict=True)])
        return
    rows = [
        [one.position, one.received_time, one.rows, one.size, one.reason, (excerpt or "")[:60]]
        for one, excerpt in zip(held, excerpts, strict=True)
    ]
    print_table(f"Quarantine of {name}", ["position", "received", "rows", "bytes", "reason", "begins with"], rows)
    if held:
        say(f"Mend the feed file (renames), then `stadthub feed release {name} --all`; what is right as it is: add --as-is.")


def release(
    name: FeedArgument,
    positions: Positions = None,
    everything: All = False,
    as_is: Annotated[bool, typer.Option("--as-is", help="Take them as they are: they are the new normal.")] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Judge payloads in quarantine again with today's feed file, and take in those that fit; with --as-is all of them."""
    _decide(existing(config, data_dir), name, _Wanted(positions or [], everything), Word.ACCEPT if as_is else Word.RELEASE)


def discard(
    name: FeedArgument,
    positions: Positions = None,
    everything: All = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Never store payloads that are in quarantine: their rows stay rejected."""
    _decide(existing(config, data_dir), name, _Wanted(positions or [], everything), Word.DISCARD)


class _Wanted:
    """Which payloads are meant."""

    def __init__(self, positions: list[int], everything: bool) -> None:
        if bool(positions) == everything:
            raise QueryError("name the positions of payloads, or --all")
        self.positions = positions
        self.everything = everything

    def of(self, catalog: Catalog, feed: str) -> list[int]:
        return [one.position for one in catalog.held(feed, limit=1_000_000)] if self.everything else self.positions


#: The words for what is done.
WORDS = {Word.ACCEPT: "released as they are", Word.RELEASE: "released", Word.DISCARD: "discarded"}


def _decide(settings: Settings, name: str, wanted: _Wanted, word: Word) -> None:
    with catalog_of(settings) as catalog:
        catalog.feed(name)
        decided = give_words(catalog, name, wanted.of(catalog, name), word, WHO)
    runs = holder(settings.data_dir, WORKER) is not None
    say(f"{name}: {decided} payloads {WORDS[word]}, {'now' if runs else 'as soon as the hub runs'}.")
