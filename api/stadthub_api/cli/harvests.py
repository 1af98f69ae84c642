"""`stadthub harvest`: take what other catalogues list, look at what came of it, clear it."""

from itertools import islice
from typing import Annotated

import typer

from stadthub_api.cli.errands import NUMBERS, harvest_named, harvests_of, numbers
from stadthub_api.cli.hub import ConfigOption, DataDirOption, JsonOption, catalog_of, existing, settings_of
from stadthub_api.cli.output import print_json, print_table, say, working
from stadthub_catalog.foreign.adopting import Adopted, Origin, Ours, Unfit, adopt
from stadthub_catalog.ledger import Outcome
from stadthub_catalog.taking import clear as clear_harvest
from stadthub_pipelines.errands import ground_of, run_errand
from stadthub_pipelines.harvesting import pages
from stadthub_schemas.errors import StadthubError

app = typer.Typer(no_args_is_help=True, help="Harvests of other catalogues: list, try, run, show, clear.")

NameArgument = Annotated[str, typer.Argument(help="The harvest's id.")]


@app.command("list", epilog="[bold]Example[/bold]: stadthub harvest list --json")
def list_harvests(as_json: JsonOption = False, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """All harvests of this hub: what is asked, and the numbers of the last run."""
    settings = existing(config, data_dir)
    found = harvests_of(settings)
    with catalog_of(settings) as catalog:
        last = {name: next(iter(catalog.tallies(name, 1)), None) for name in found}
    if as_json:
        print_json([{"harvest": one, "last_run": last[name]} for name, one in found.items()])
        return
    rows = [
        [
            name,
            one.harvest.protocol,
            one.harvest.purpose,
            one.harvest.url,
            *(numbers(tally) if (tally := last[name]) else [None] * len(NUMBERS)),
        ]
        for name, one in found.items()
    ]
    print_table("Harvests", ["id", "protocol", "purpose", "url", *NUMBERS], rows)
    if not found:
        say(f"No harvests yet: put a file with a [harvest] table into {settings.feeds}, see docs/harvest.md.")


@app.command("try", epilog="[bold]Example[/bold]: stadthub harvest try open-nrw")
def try_harvest(name: NameArgument, as_json: JsonOption = False, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Ask for the first page and show what would become of its datasets. Writes nothing."""
    settings = existing(config, data_dir)
    harvest = harvest_named(settings, name)
    origin = Origin(harvest.id, harvest.title, harvest.harvest.url, settings.url, harvest.harvest.license, harvest.harvest.private)
    found: list[tuple[str, Adopted | str]] = []
    with catalog_of(settings) as catalog, working(f"Asking {name}"):
        for page in islice(pages(harvest, ground_of(settings, catalog)), 1):
            for item in page.items:
                try:
                    found.append((item.key, adopt(item, origin)))
                except (Unfit, Ours) as error:
                    found.append((item.key, str(error)))
    if as_json:
        print_json(
            [{"item": key, **({"reason": one} if isinstance(one, str) else {"name": one.name, "package": one.said})} for key, one in found]
        )
        return
    rows = [[key, one, None, None, None] if isinstance(one, str) else [key, *_row(one)] for key, one in found]
    print_table("Datasets of the first page", ["item", "title", "license", "themes", "formats"], rows)
    say(f"{sum(not isinstance(one, str) for _, one in found)} of {len(found)} can be taken. Nothing was written.")


def _row(one: Adopted) -> list[str | None]:
    themes = ", ".join(theme["name"].upper() for theme in one.said["groups"])
    formats = ", ".join(dict.fromkeys(file["format"] for file in one.said["resources"]))
    return [one.title, one.said["license_id"], themes, formats]


@app.command(epilog="[bold]Examples[/bold]: stadthub harvest run open-nrw · stadthub harvest run open-nrw --withdraw")
def run(
    name: NameArgument,
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Withdraw what is gone there, however much it is.")] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Harvest now, in this process; a running hub may run on meanwhile. Exit code 1 if the catalogue could not be read to its end."""
    settings = existing(config, data_dir)
    harvest = harvest_named(settings, name)
    if withdraw:
        harvest = harvest.model_copy(update={"harvest": harvest.harvest.model_copy(update={"threshold": 1.0})})
    error: StadthubError | None = None
    with catalog_of(settings) as catalog:
        try:
            with working(f"Harvesting {name}"):
                run_errand(harvest, ground_of(settings, catalog))
        except StadthubError as failed:
            error = failed
        tally = next(iter(catalog.tallies(name, 1)), None)
    if as_json:
        print_json({"harvest": name, "error": str(error) if error else None, "run": tally})
    elif tally is not None:
        print_table(name, NUMBERS, [numbers(tally)])
    if error is not None:
        raise error


@app.command(epilog="[bold]Examples[/bold]: stadthub harvest show open-nrw · stadthub harvest show open-nrw --only failed --json")
def show(
    name: NameArgument,
    only: Annotated[list[Outcome] | None, typer.Option(help="Only datasets of which this became (repeat for more).")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many datasets at most.")] = 200,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """The last runs of a harvest or a publication in numbers that add up, and what became of each dataset in the last one."""
    with catalog_of(existing(config, data_dir)) as catalog:
        tallies = catalog.tallies(name)
        done = catalog.outcomes(tallies[0].run, only or tuple(Outcome), limit) if tallies else []
    if as_json:
        print_json({"runs": tallies, "datasets": done})
        return
    print_table("Runs", ["run", *NUMBERS, "adds up"], [[one.run, *numbers(one), one.balanced] for one in tallies])
    print_table(
        "Datasets of the last run", ["item", "title", "outcome", "reason"], [[one.item, one.title, one.outcome, one.reason] for one in done]
    )


@app.command(epilog="[bold]Example[/bold]: stadthub harvest clear open-nrw")
def clear(name: NameArgument, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Withdraw everything that a harvest has brought, also one whose file is gone. A file that is still there brings it again."""
    with catalog_of(settings_of(config, data_dir=data_dir)) as catalog:
        number = clear_harvest(catalog, name)
        catalog.record("command line", "harvest.clear", name, {"datasets": number})
    say(f"{name}: {number} {'dataset is' if number == 1 else 'datasets are'} withdrawn.")
