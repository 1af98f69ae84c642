"""`stadthub feed`: look at feeds, try a feed file, and tell the running hub what to do with one."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from stadthub_api.cli.feed_add import add, list_templates
from stadthub_api.cli.histories import backfill
from stadthub_api.cli.hub import ConfigOption, DataDirOption, JsonOption, catalog_of, existing, settings_of
from stadthub_api.cli.output import language, plain, print_json, print_rows, print_table, rows_of, say, working
from stadthub_api.cli.quarantine import WHO, discard, findings, quarantine, release
from stadthub_api.cli.status import SUM, state
from stadthub_api.cli.times import lasting, moment
from stadthub_pipelines.derive import SOURCE
from stadthub_pipelines.derive_once import compute_once, try_model
from stadthub_pipelines.errands import run_here
from stadthub_pipelines.mistakes import Checked, check_files, feed_files
from stadthub_pipelines.once import run_once
from stadthub_pipelines.running import WORKER, holder
from stadthub_pipelines.trial import Trial, try_feed
from stadthub_schemas.errors import Conflict, FeedError, NotFound
from stadthub_schemas.exchange import Harvest
from stadthub_schemas.settings import Settings

app = typer.Typer(
    no_args_is_help=True, help="Feeds: add, list, check, try, run, pause, resume, replay, silence, back-fill; findings and quarantine."
)
app.command(
    epilog="[bold]Examples[/bold]: stadthub feed add https://example.org/data.csv · stadthub feed add counts.csv --yes --output feeds/counts.toml"
)(add)
app.command("templates", epilog="[bold]Example[/bold]: stadthub feed templates")(list_templates)

NameArgument = Annotated[str, typer.Argument(help="The feed's id.")]
#: How many rejects a trial shows; each different reason is counted in any case.
REJECTS = 20
#: The sources that are asked; to the others data come by themselves.
PULLED = ("http", "file", SOURCE, "harvest", "publish")


@app.command("list", epilog="[bold]Example[/bold]: stadthub feed list --json")
def list_feeds(as_json: JsonOption = False, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """All feeds: how each is, when it last brought something, what became of its rows."""
    settings = existing(config, data_dir)
    with catalog_of(settings) as catalog:
        known = catalog.feeds()
    if as_json:
        print_json(known)
        return
    rows = [
        [one.feed, one.source, one.dataset, state(one), one.last_message_time, one.next_run_time, one.lag_seconds]
        + [one.counts.as_dict()[key] for key in SUM]
        for one in known
    ]
    print_table("Feeds", ["feed", "source", "dataset", "state", "last message", "next run", "lag s", *SUM], rows)
    for one in known:
        for sentence in filter(None, (one.wrong, one.error)):
            say(f"{one.feed}: {sentence}")
    if not known:
        say(f"No feeds yet: put feed files into {settings.feeds}, or see `stadthub init --help`.")


@app.command(epilog="[bold]Examples[/bold]: stadthub feed check · stadthub feed check my-city/feeds/*.toml")
def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Feed files; without: all of this hub.", metavar="[FILE]...")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Say every mistake in feed files, one sentence each with file and key. Nothing is fetched."""
    folder = settings_of(config, data_dir=data_dir).feeds
    checked = check_files(files or feed_files(folder), sorted(folder.glob("*.toml")))
    if as_json:
        print_json([{"file": one.path.name, "feed": one.id, "mistakes": one.mistakes, "hints": one.hints} for one in checked])
    else:
        _tell_checked(checked)
    if any(one.mistakes for one in checked):
        raise typer.Exit(1)


def _tell_checked(checked: list[Checked]) -> None:
    for one in checked:
        for sentence in (*one.mistakes, *one.hints):
            say(sentence)
    right = sum(not one.mistakes for one in checked)
    say(f"{right} of {len(checked)} feed files are right.")


@app.command("try", epilog="[bold]Example[/bold]: stadthub feed try my-city/feeds/bicycles.toml")
def try_file(
    file: Annotated[Path, typer.Argument(help="The feed file.", metavar="FILE")],
    seconds: Annotated[float, typer.Option(min=1, help="How long to listen where messages come by themselves.")] = 15.0,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Fetch or listen once and show what the hub would make of it: columns, rows, rejects, the dataset. Writes nothing."""
    settings = settings_of(config, data_dir=data_dir)
    [one] = check_files([file], sorted(settings.feeds.glob("*.toml")))
    if one.id is None or (one.model is not None and one.dataset is None):
        raise FeedError("\n".join(one.mistakes))
    with working(f"Trying {one.id} ({_source(one)})"):
        trial = _trial(one, settings, seconds)
    if as_json:
        print_json(_trial_words(trial))
    else:
        _show_trial(_source(one), trial)


def _source(one: Checked) -> str:
    if one.errand is not None:
        return "harvest" if isinstance(one.errand, Harvest) else "publish"
    return SOURCE if one.feed is None else one.feed.source.type


def _trial(one: Checked, settings: Settings, seconds: float) -> Trial:
    if one.model is not None and one.dataset is not None:
        return try_model(one.model, one.dataset, settings)
    if one.feed is None:
        raise Conflict(f"{one.id} is no feed: stadthub harvest try {one.id}, or stadthub publish --target {one.id} --dry-run")
    return try_feed(one.feed, settings, seconds)


def _trial_words(trial: Trial) -> dict[str, Any]:
    return {
        "columns": [{"name": name, "type": str(kind)} for name, kind in trial.columns],
        "accepted": rows_of(trial.accepted),
        "rejects": rows_of(trial.rejects),
        "counts": trial.counts.as_dict(),
        "privacy_drops": trial.privacy_drops,
        "hints": [hint.en for hint in trial.hints],
        "dataset": trial.dataset,
        "page": trial.page,
    }


def _show_trial(source: str, trial: Trial) -> None:
    counts = trial.counts
    print_table("Columns", ["name", "type"], [[name, str(kind)] for name, kind in trial.columns])
    print_rows("Accepted rows (the first)", trial.accepted.select([name for name, _ in trial.columns]), trial.accepted.num_rows)
    reasons: dict[str, int] = {}
    for row in rows_of(trial.rejects):
        reasons[row["reason"]] = reasons.get(row["reason"], 0) + 1
    if reasons:
        print_table("Rejects by reason", ["rows", "reason"], [[number, reason] for reason, number in sorted(reasons.items())])
        print_rows("Rejects (the first)", trial.rejects.select(["row", "reason", "excerpt"]), REJECTS)
    print_table("Sum", list(counts.as_dict()), [list(counts.as_dict().values())])
    if trial.privacy_drops is not None:
        say(f"Privacy drops: {trial.privacy_drops} of {trial.received_bytes} bytes are dropped before anything is stored.")
    if trial.dataset is not None:
        words = plain(trial.dataset.metadata)
        shown = ("title", "description", "license", "themes", "keywords", "update_frequency", "access")
        print_table(f"Dataset {trial.dataset.name} ({trial.dataset.kind})", ["what", "value"], [[key, words[key]] for key in shown])
    for hint in trial.hints:
        say(hint.in_language(language()))
    say(f"Its page would be {trial.page}. Nothing was written.")
    if counts.received == 0:
        say(f"Nothing came from {source}: look at the source's address, or listen longer with --seconds.")


@app.command(epilog="[bold]Example[/bold]: stadthub feed run districts")
def run(name: NameArgument, as_json: JsonOption = False, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Run a feed now: by the running hub, or right here if none runs."""
    settings = settings_of(config, data_dir=data_dir)
    one = _checked(settings, name)
    if _source(one) not in PULLED:
        raise Conflict(f"{name} needs no run: data come by themselves to a {_source(one)} feed as long as the hub runs")
    if one.model is not None and one.dataset is None:
        raise FeedError("\n".join(one.mistakes))
    if holder(settings.data_dir, WORKER) is not None:
        with catalog_of(settings) as catalog:
            catalog.note_feed(name, wanted_run=datetime.now(UTC))
        answer: dict[str, Any] = {"feed": name, "by": "worker"}
        say(f"{name}: the running hub does it now; `stadthub status` shows the result.")
    else:
        with working(f"Running {name}"):
            _run_here(one, settings)
        with catalog_of(settings) as catalog:
            done = catalog.feed(name)
        answer = {"feed": name, "by": "here", "error": done.error, **done.counts.as_dict()}
        say(f"{name}: {done.error or 'done'}; all in all {', '.join(f'{number} {key}' for key, number in done.counts.as_dict().items())}.")
    if as_json:
        print_json(answer)
    if answer.get("error"):
        raise typer.Exit(1)


def _run_here(one: Checked, settings: Settings) -> None:
    if one.errand is not None:
        run_here(one.errand, settings)
        return
    if one.model is not None and one.dataset is not None:
        compute_once(one.model, one.dataset, settings)
        return
    feed = one.feed
    assert feed is not None
    with catalog_of(settings) as catalog:
        catalog.note_feed(feed.id, title=feed.title, dataset=feed.dataset, source=feed.source.type)
    run_once(feed, settings)


@app.command(epilog="[bold]Example[/bold]: stadthub feed pause districts")
def pause(name: NameArgument, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Stop taking data from a feed until it is resumed; a broker keeps its messages as long as its limits allow."""
    _note(settings_of(config, data_dir=data_dir), name, "pause", "paused", paused=True)


@app.command(epilog="[bold]Example[/bold]: stadthub feed resume districts")
def resume(name: NameArgument, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Take data from a paused feed again."""
    _note(settings_of(config, data_dir=data_dir), name, "resume", "resumed", paused=False)


@app.command(epilog="[bold]Examples[/bold]: stadthub feed replay air --since 2026-05-01 · stadthub feed replay air --since 6h")
def replay(
    name: NameArgument,
    since: Annotated[str, typer.Option(metavar="TIME", help="From when on: 2026-05-01T10:00 (the city's time), or how long ago: 6h, 7d.")],
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Decode what was received since then again, after a decoder or its options were mended. Makes no duplicates."""
    settings = settings_of(config, data_dir=data_dir)
    if _checked(settings, name).feed is None:
        raise Conflict(f"{name} is no feed of data and has nothing to replay: run it, then all of it is done anew")
    time = moment(since, settings.time_zone)
    _note(settings, name, "replay", f"replayed since {time:%Y-%m-%d %H:%M:%S}Z", replay_since=time)


@app.command(epilog="[bold]Examples[/bold]: stadthub feed silence districts --for 2h · stadthub feed silence districts --end")
def silence(
    name: NameArgument,
    length: Annotated[str, typer.Option("--for", metavar="LENGTH", help="For how long: 30m, 2h, 1d.")] = "2h",
    end: Annotated[bool, typer.Option("--end", help="Raise alarms again from now on.")] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Raise no alarms for a feed while it is under maintenance; what is wrong is still shown."""
    settings = settings_of(config, data_dir=data_dir)
    until = None if end else datetime.now(UTC) + lasting(length)
    words = "alarms are raised again" if until is None else f"no alarms until {until:%Y-%m-%d %H:%M}Z"
    _note(settings, name, "silence", words, silent_until=until)


app.command("backfill", epilog="[bold]Examples[/bold]: stadthub feed backfill air --from 2024-01-01 --to 2026-01-01 · --file old/")(
    backfill
)

app.command(epilog="[bold]Example[/bold]: stadthub feed findings counts")(findings)
app.command(epilog="[bold]Example[/bold]: stadthub feed quarantine counts --json")(quarantine)
app.command(epilog="[bold]Examples[/bold]: stadthub feed release counts --all · stadthub feed release counts 17 18 --as-is")(release)
app.command(epilog="[bold]Example[/bold]: stadthub feed discard counts 17")(discard)


def _note(settings: Settings, name: str, what: str, words: str, **changes: Any) -> None:
    """Leave a wish for the worker where it looks for it, and in the audit who had it."""
    _checked(settings, name)
    with catalog_of(settings) as catalog:
        catalog.note_feed(name, **changes)
        catalog.record(WHO, f"feed.{what}", name)
    runs = holder(settings.data_dir, WORKER) is not None
    say(f"{name}: {words}, {'now' if runs else 'as soon as the hub runs'}.")


def _checked(settings: Settings, name: str) -> Checked:
    """The feed or model of this name out of the hub's feed files; NotFound names those that are there."""
    files = {one.id: one for one in check_files(feed_files(settings.feeds)) if one.id is not None}
    if name not in files:
        raise NotFound(f"There is no feed {name!r} in {settings.feeds}; there are: {', '.join(sorted(filter(None, files))) or 'none'}")
    return files[name]
