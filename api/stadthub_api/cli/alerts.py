"""`stadthub alert`: try the channels of alarms, and see what was told."""

from typing import Annotated

import typer

from stadthub_api.cli.hub import ConfigOption, DataDirOption, JsonOption, catalog_of, existing, settings_of
from stadthub_api.cli.output import print_json, print_table, say
from stadthub_pipelines.alarms import teller
from stadthub_pipelines.channels import channels, split
from stadthub_schemas.errors import SettingsError
from stadthub_schemas.finding import Severity

app = typer.Typer(no_args_is_help=True, help="Alarms: try their channels, see what was told.")


@app.command(
    "test",
    epilog="[bold]Example[/bold]: STADTHUB_ALERTS='mailto://hub:${PASSWORD}@mail.example.org?to=team@example.org' stadthub alert test",
)
def send_test(as_json: JsonOption = False, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Send a test alarm to every address of STADTHUB_ALERTS, and say which took it."""
    settings = settings_of(config, data_dir=data_dir)
    found = channels(split(settings.alerts))
    if not found:
        raise SettingsError(
            "STADTHUB_ALERTS names no address: set it to one of apprise's, such as mailto://user:password@host?to=team@host"
        )
    title, body = teller(settings).test()
    results = [(one.name, one.send(title, body, Severity.INFO)) for one in found]
    if as_json:
        print_json([{"channel": name, "delivered": error is None, "error": error} for name, error in results])
    else:
        print_table("Test alarm", ["channel", "result"], [[name, error or "delivered"] for name, error in results])
    if any(error for _, error in results):
        raise typer.Exit(1)


@app.command("list", epilog="[bold]Example[/bold]: stadthub alert list --json")
def list_alerts(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many of the last ones.")] = 20,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """The last alarms, newest first: what was told, where, and whether it was taken."""
    with catalog_of(existing(config, data_dir)) as catalog:
        messages = catalog.messages(limit)
    if as_json:
        print_json(messages)
        return
    rows = [[one.created, one.channel, one.title, one.delivered, one.attempts, one.error] for one in messages]
    print_table("Alarms", ["time", "channel", "title", "delivered", "attempts", "error"], rows)
    if not messages:
        say("Nothing was told yet: stadthub alert test sends a test.")
