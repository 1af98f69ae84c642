"""`stadthub feed backfill`: history beside the live feed, asked for here and done by the running hub."""

import time
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from stadthub_api.cli.hub import ConfigOption, DataDirOption, JsonOption, catalog_of, feed_of, settings_of
from stadthub_api.cli.output import print_json, print_table, say
from stadthub_api.cli.times import moment
from stadthub_catalog.backfills import Backfill, BackfillState
from stadthub_catalog.catalog import Catalog
from stadthub_pipelines.backfill import want
from stadthub_pipelines.running import WORKER, holder
from stadthub_schemas.settings import Settings

#: How often it is looked how far it is, in seconds.
LOOK = 0.3

_STEP: TypeAdapter[timedelta] = TypeAdapter(timedelta)
_DAY = timedelta(days=1)


def backfill(
    name: Annotated[str, typer.Argument(help="The feed's id.")],
    begin: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Windows from then on: 2024-01-01 (the city's time).")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Windows until then; without it until now.")] = None,
    step: Annotated[str, typer.Option(metavar="LENGTH", help="How long each window is: P1D, PT6H.")] = "P1D",
    file: Annotated[Path | None, typer.Option(metavar="PATH", help="A file, a folder, or a pattern in quotes: files of history.")] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Leave off; asked for again it goes on from there.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Watch until it is done; ctrl-C only ends the watching.")] = True,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Take in history beside the live feed, with the same decoder: windows of its address, or files. Nothing comes twice."""
    settings = settings_of(config, data_dir=data_dir)
    feed = feed_of(settings, name)
    with catalog_of(settings) as catalog:
        if stop:
            stopped = catalog.stop_backfill(feed.id)
            say(f"{feed.id}: {'the back-fill leaves off' if stopped else 'no back-fill is under way'}.")
            return
        asked = catalog.want_backfill(want(feed, _wanted(settings, feed.id, (begin, end, step), file)))
        if holder(settings.data_dir, WORKER) is None:
            say(f"{feed.id}: the back-fill begins as soon as the hub runs.")
        elif wait:
            asked = _watched(catalog, asked)
        else:
            say(f"{feed.id}: the running hub does it now; the operator page shows how far it is.")
    _tell(asked, as_json)


def _wanted(settings: Settings, feed: str, times: tuple[str | None, str | None, str], file: Path | None) -> Backfill:
    """What is asked for; a sentence if it is neither windows nor files."""
    begin, end, step = times
    if file is not None:
        if begin is not None or end is not None:
            raise typer.BadParameter("--file takes all that the files hold: leave --from and --to away")
        return Backfill(0, feed, path=str(file.absolute()))
    if begin is None:
        raise typer.BadParameter("say from when on (--from 2024-01-01), or name files of history (--file PATH)")
    try:
        length = _STEP.validate_python(step)
    except ValidationError as error:
        raise typer.BadParameter(f"{step!r} is no length of time: write P1D, PT6H or P7D") from error
    if length <= timedelta(0):
        raise typer.BadParameter("a window must have a length: write P1D, PT6H or P7D")
    last = moment(end, settings.time_zone) if end is not None else moment("0s", settings.time_zone).replace(microsecond=0)
    return Backfill(0, feed, moment(begin, settings.time_zone), last, step_seconds=length.total_seconds())


def _watched(catalog: Catalog, asked: Backfill) -> Backfill:
    """The same, once it has ended or nobody watches any more."""
    terminal = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as progress:
            bar = progress.add_task(f"Back-fill of {asked.feed}", total=None)
            while asked.state in (BackfillState.WANTED, BackfillState.RUNNING):
                time.sleep(LOOK)
                asked = catalog.backfill(asked.id)
                progress.update(bar, completed=asked.done, total=asked.total or None)
    except KeyboardInterrupt:
        say("The hub goes on with it; --stop ends it.")
    return asked


def _tell(asked: Backfill, as_json: bool) -> None:
    if as_json:
        print_json(asked)
    else:
        row = [asked.state.value, asked.done, asked.total, *asked.counts.as_dict().values()]
        print_table(f"Back-fill of {asked.feed}", ["state", "pieces", "of", *asked.counts.as_dict()], [row])
    if asked.error:
        say(f"{asked.feed}: {asked.error}; asked for again it goes on from there.")
        raise typer.Exit(1)
