"""`stadthub`: finds the commands in their files, and turns what goes wrong into sentences and exit codes.

Exit codes: 0 fine, 1 the operator mends it, 2 the command was not understood.
"""

import difflib
import importlib
import os
import traceback
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from stadthub_api.cli.output import say
from stadthub_schemas.errors import StadthubError
from stadthub_schemas.settings import PREFIX
from stadthub_schemas.version import VERSION

#: Each command or group, and the file in this folder that holds it. A file is read when its command is wanted: `token create`
#: has not to wait until a web server is read.
COMMANDS = {
    "init": "init",
    "up": "serve",
    "demo": "demo",
    "worker": "worker",
    "status": "status",
    "doctor": "doctor",
    "query": "query",
    "feed": "feeds",
    "dataset": "datasets",
    "catalog": "gaps",
    "harvest": "harvests",
    "publish": "publish",
    "token": "tokens",
    "alert": "alerts",
    "privacy": "privacy",
    "schema": "schema",
    "torture": "torture",
}


class Commands(TyperGroup):
    """The group of all commands: an error is one sentence for each mistake, never a traceback."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  # typer's signature
        """Their names, in the order in which a reader wants them."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command out of its file."""
        if cmd_name not in COMMANDS:
            near = difflib.get_close_matches(cmd_name, COMMANDS, n=1)
            raise typer.BadParameter(f"there is no command {cmd_name!r}" + (f": did you mean {near[0]}?" if near else ""), ctx)
        module = importlib.import_module(f"stadthub_api.cli.{COMMANDS[cmd_name]}")
        holder = getattr(module, "app", None)
        if holder is None:
            holder = typer.Typer(rich_markup_mode="rich", add_completion=False)
            holder.command(cmd_name, context_settings=HELP)(getattr(module, cmd_name))
        command = typer.main.get_command(holder)
        command.name = cmd_name
        return command

    def invoke(self, ctx: Any) -> Any:
        """Run the command; what the hub raises on purpose is told, and so is a bug."""
        try:
            return super().invoke(ctx)
        except StadthubError as error:
            say(str(error))
            raise typer.Exit(1) from error
        except Exception as error:  # this is the top of the program: whatever comes here is told, never thrown at the reader
            if isinstance(error, BrokenPipeError) or type(error).__module__.startswith("typer"):
                raise
            if os.environ.get(f"{PREFIX}LOG_LEVEL") == "debug":
                say(traceback.format_exc())
            say(f"This is a mistake in Stadthub, please report it: {type(error).__name__}: {error} ({PREFIX}LOG_LEVEL=debug shows where)")
            raise typer.Exit(1) from error


HELP = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="stadthub",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings=HELP,
    epilog="Begin with [bold]stadthub demo[/bold] (a simulated city) or [bold]stadthub init my-city[/bold] (your own).",
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"stadthub {VERSION}")
        raise typer.Exit


@app.callback()
def everything(
    _version: Annotated[bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version.")] = False,
) -> None:
    """The open urban data platform that a city can own: feeds, lake, catalogue, APIs and portal."""


def main() -> None:
    """The command line."""
    app()
