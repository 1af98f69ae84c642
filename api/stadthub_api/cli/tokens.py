"""`stadthub token`: keys to the hub for people and programs."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from stadthub_api.cli.hub import ConfigOption, DataDirOption, JsonOption, catalog_of, existing, settings_of
from stadthub_api.cli.output import print_json, print_table, say
from stadthub_api.cli.times import days
from stadthub_schemas.access import Action, Role

app = typer.Typer(no_args_is_help=True, help="Keys to the hub: make, list, revoke.")

EXAMPLES = """
[bold]Examples[/bold]

stadthub token create operations --role operator

stadthub token create counter-company --role publisher --dataset bicycle-counts --expires 365d

stadthub token create ci --role admin --json
"""


@app.command(epilog=EXAMPLES)
def create(
    name: Annotated[str, typer.Argument(help="What it is for; one name, one token.")],
    role: Annotated[Role, typer.Option(help="What its holder may do; each role may what the ones before it may.")] = Role.READER,
    dataset: Annotated[list[str] | None, typer.Option(help="Only this dataset (repeat for more). Without: all.")] = None,
    column: Annotated[list[str] | None, typer.Option(help="Only this column (repeat for more). Without: all.")] = None,
    action: Annotated[list[Action] | None, typer.Option(help="Only this action (repeat for more). Without: all of its role.")] = None,
    expires: Annotated[str | None, typer.Option(metavar="DAYS", help="Valid for how long: 90d. Without: until revoked.")] = None,
    purpose: Annotated[str, typer.Option(help="Why it exists, for those who come after you.")] = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Make a token and show it once: it is kept only as a checksum."""
    until = None if expires is None else datetime.now(UTC) + timedelta(days=days(expires))
    with catalog_of(settings_of(config, data_dir=data_dir)) as catalog:
        token = catalog.create_token(
            name,
            role,
            datasets=None if not dataset else frozenset(dataset),
            columns=None if not column else frozenset(column),
            actions=None if not action else frozenset(action),
            expires=until,
            purpose=purpose,
        )
    if as_json:
        print_json({"token": token})
    else:
        typer.echo(token)
        say("This is the only time that it is shown. Send it as `Authorization: Bearer <token>`.")


@app.command("list", epilog="[bold]Example[/bold]: stadthub token list --json")
def list_tokens(as_json: JsonOption = False, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """The tokens: their names, roles, scopes and ends; never the tokens themselves."""
    with catalog_of(existing(config, data_dir)) as catalog:
        tokens = catalog.tokens()
    if as_json:
        print_json(tokens)
        return
    rows = [[one.name, one.role, _scope(one.datasets), one.expires, one.revoked, one.purpose] for one in tokens]
    print_table("Tokens", ["name", "role", "datasets", "expires", "revoked", "purpose"], rows)


@app.command(epilog="[bold]Example[/bold]: stadthub token revoke counter-company")
def revoke(
    name: Annotated[str, typer.Argument(help="The token's name.")], config: ConfigOption = None, data_dir: DataDirOption = None
) -> None:
    """Make a token worthless from now on."""
    with catalog_of(existing(config, data_dir)) as catalog:
        catalog.revoke_token(name)
    say(f"{name} is revoked.")


def _scope(datasets: frozenset[str] | None) -> str:
    return "all" if datasets is None else ", ".join(sorted(datasets))
