"""`stadthub catalog`: the catalogue compared with others."""

from pathlib import Path
from typing import Annotated

import typer

from stadthub_api.cli.hub import ConfigOption, DataDirOption, JsonOption, catalog_of, existing
from stadthub_api.cli.output import language, print_json, print_table, say
from stadthub_pipelines.comparing import compare
from stadthub_schemas.vocabularies import THEMES

app = typer.Typer(no_args_is_help=True, help="The catalogue compared with others.")


@app.callback()
def catalogs() -> None:
    """The catalogue compared with others."""


@app.command(epilog="[bold]Examples[/bold]: stadthub catalog gaps --against koeln · stadthub catalog gaps --against catalog.json --json")
def gaps(
    against: Annotated[
        str, typer.Option(metavar="NAME|FILE", help="The id of a harvest, or a file: CKAN's packages, data.json, DCAT as RDF.")
    ],
    theme: Annotated[str | None, typer.Option(help="Only this theme, such as ENVI.")] = None,
    place: Annotated[str, typer.Option(help="Words of their titles to pass over, such as the name of their city.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many gaps of each theme are shown.")] = 20,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """What others publish and we don't, by theme: titles that none of our datasets is like, compared by the stems of their words."""
    settings = existing(config, data_dir)
    with catalog_of(settings) as catalog:
        report = compare(catalog, settings, Path(against) if Path(against).is_file() else against, place)
    shown = {name: some for name, some in report.themes.items() if theme is None or name == theme.upper()}
    if as_json:
        told = [gap for some in shown.values() for gap in some]
        print_json({"against": report.source, "compared": report.compared, "covered": report.covered, "gaps": told})
        return
    tongue = 0 if language() == "de" else 1
    for name, some in shown.items():
        title = THEMES[name][tongue] if name in THEMES else ("ohne Thema", "no theme")[tongue]
        rows = [
            [gap.title, gap.count, gap.near[1] if gap.near else ("keiner", "none")[tongue], gap.likeness if gap.near else None]
            for gap in some[:limit]
        ]
        print_table(f"{title} ({len(some)})", ["they have", "datasets", "our nearest", "likeness"], rows)
    say(f"{report.compared} datasets of {report.source}: of {report.covered} we have the like; {len(report.gaps)} subjects we don't have.")
