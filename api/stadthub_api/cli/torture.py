"""`stadthub torture`: kills the hub again and again while data come in, and counts what is lost or stored twice."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from stadthub_api.cli.hub import JsonOption
from stadthub_api.cli.output import plain, print_json, print_table, say, working
from stadthub_pipelines.torture import torture as run_torture


def torture(
    cycles: Annotated[int, typer.Option(min=1, help="How often the worker is killed.")] = 25,
    workers: Annotated[int, typer.Option(min=1, max=8, help="How many workers share the subscription.")] = 1,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to do it, kept afterwards; without: a folder that is removed.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Prove the promise: nothing acknowledged is lost, nothing is stored twice, whenever a worker is killed (needs mosquitto).

    [bold]Examples[/bold]

    stadthub torture --cycles 100 --json

    stadthub torture --cycles 25 --workers 2
    """
    with tempfile.TemporaryDirectory(prefix="stadthub-torture-") as passing, working(f"Killing the worker {cycles} times"):
        report = run_torture(cycles, folder or Path(passing), workers)
    if as_json:
        print_json(report)
    else:
        print_table("Torture", ["what", "number"], [[key, value] for key, value in plain(report).items()])
    if report.lost or report.twice:
        say(f"The promise is broken: {report.lost} lost, {report.twice} stored twice.")
        raise typer.Exit(1)
