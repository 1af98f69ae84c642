"""`stadthub doctor`: what is wrong or will lose data silently, and what mends it."""

from typing import Annotated

import typer

from stadthub_api.cli.hub import ConfigOption, DataDirOption, JsonOption, existing
from stadthub_api.cli.output import print_json, print_table, say, working
from stadthub_pipelines.doctor import examine

#: A finding of this severity makes the command fail, so that monitoring sees it.
BAD = "error"


def doctor(
    as_json: JsonOption = False,
    strict: Annotated[bool, typer.Option("--strict", help="Fail at warnings too.")] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Verify stored files and find what silently loses data: broker queues, disk, clock. Exit code 1 if something is wrong.

    [bold]Example[/bold]: stadthub doctor --json
    """
    settings = existing(config, data_dir)
    with working("Examining"):
        findings = list(examine(settings))
    if as_json:
        print_json(findings)
    elif findings:
        print_table("Findings", ["severity", "what", "mend"], [[one.severity, one.what, one.mend] for one in findings])
    else:
        say("Nothing is wrong.")
    if any(one.severity == BAD or strict for one in findings):
        raise typer.Exit(1)
