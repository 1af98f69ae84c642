"""`stadthub`: wires the groups of commands, and turns what goes wrong into sentences and exit codes.

Exit codes: 0 fine, 1 the operator mends it, 2 the command was not understood.
"""

import os
import traceback
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from stadthub_api.cli import datasets, doctor, feeds, init, query, schema, serve, status, tokens, torture
from stadthub_api.cli.output import say
from stadthub_schemas.errors import StadthubError
from stadthub_schemas.settings import PREFIX


class Sentences(TyperGroup):
    """The group of all commands: an error is one sentence for each mistake, never a traceback."""

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


app = typer.Typer(
    name="stadthub",
    cls=Sentences,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="The open urban data platform that a city can own: feeds, lake, catalogue, APIs and portal.",
    epilog="Begin with [bold]stadthub demo[/bold] (a simulated city) or [bold]stadthub init my-city[/bold] (your own).",
)

for name, command in {
    "init": init.init,
    "up": serve.up,
    "demo": serve.demo,
    "worker": serve.worker,
    "status": status.status,
    "doctor": doctor.doctor,
    "query": query.query,
    "torture": torture.torture,
}.items():
    app.command(name)(command)
for name, group in {"feed": feeds.app, "dataset": datasets.app, "token": tokens.app, "schema": schema.app}.items():
    app.add_typer(group, name=name)


def own_version() -> str:
    """The version that is installed."""
    try:
        return version("stadthub")
    except PackageNotFoundError:
        return "not installed"


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"stadthub {own_version()}")
        raise typer.Exit


@app.callback()
def everything(
    _version: Annotated[bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version.")] = False,
) -> None:
    """The open urban data platform that a city can own: feeds, lake, catalogue, APIs and portal."""


def main() -> None:
    """The command line."""
    app()
