"""`stadthub dataset`: what the hub holds, how well it is described, and a way to take it along."""

import os
import secrets
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from stadthub_api.cli.hub import ConfigOption, DataDirOption, JsonOption, catalog_of, existing, lake_of
from stadthub_api.cli.imports import EXAMPLES, import_file
from stadthub_api.cli.output import language, print_json, print_table, say, working
from stadthub_api.cli.times import moment
from stadthub_catalog.mqa import EXCELLENT, Metric, Score
from stadthub_catalog.publication import Publication
from stadthub_catalog.theming import theme_of
from stadthub_pipelines.site import site_of
from stadthub_schemas.access import ANYBODY
from stadthub_schemas.errors import StorageError
from stadthub_schemas.query import RowsQuery
from stadthub_schemas.vocabularies import FORMATS, THEMES

app = typer.Typer(no_args_is_help=True, help="What the hub holds: list, show, check, export.")

ExportFormat = StrEnum("ExportFormat", {name: name for name in FORMATS})  # type: ignore[misc]  # the names stand in one table

EXPORT_EXAMPLES = """
[bold]Examples[/bold]

stadthub dataset export bicycle-counts --format parquet --output counts.parquet

stadthub dataset export trees --format geojson --column id --column species > trees.geojson

stadthub dataset export bicycle-counts --as-of 2026-05-01
"""


@app.command("list", epilog="[bold]Example[/bold]: stadthub dataset list --json | jq '.[].dataset.name'")
def list_datasets(as_json: JsonOption = False, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """All datasets of the hub, also those that are not public."""
    with catalog_of(existing(config, data_dir)) as catalog:
        entries = catalog.entries()
    if as_json:
        print_json(entries)
        return
    rows = [
        [one.dataset.name, one.dataset.metadata.title, one.dataset.kind, one.dataset.metadata.access, one.extent.rows, one.extent.last_time]
        for one in entries
    ]
    print_table("Datasets", ["name", "title", "kind", "access", "rows", "last time"], rows)


@app.command(epilog="[bold]Example[/bold]: stadthub dataset show bicycle-counts")
def show(
    name: Annotated[str, typer.Argument(help="The dataset's name.")],
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """One dataset: its words, its columns, what it covers and its files."""
    with catalog_of(existing(config, data_dir)) as catalog:
        entry = catalog.entry(name)
    if as_json:
        print_json(entry)
        return
    words, extent = entry.dataset.metadata, entry.extent
    facts = {
        "title": words.title,
        "description": words.description,
        "kind": entry.dataset.kind,
        "access": words.access,
        "license": words.license,
        "publisher": words.publisher.title,
        "contact": words.contact and words.contact.name,
        "themes": ", ".join(words.themes),
        "rows": extent.rows,
        "from": extent.first_time,
        "to": extent.last_time,
        "box": None if extent.bbox is None else ", ".join(f"{edge:.5f}" for edge in extent.bbox),
        "modified": entry.modified,
    }
    print_table(name, ["what", "value"], [[key, value if value is None else str(value)] for key, value in facts.items()])
    print_table(
        "Columns",
        ["name", "type", "unit", "access", "title"],
        [[one.name, one.type, one.unit, one.access, one.title] for one in entry.columns],
    )
    print_table(
        "Distributions",
        ["format", "address", "bytes", "modified"],
        [[one.format, one.url, one.size, one.modified] for one in entry.distributions],
    )


@app.command(epilog="[bold]Example[/bold]: stadthub dataset check bicycle-counts")
def check(
    name: Annotated[str | None, typer.Argument(help="The dataset's name; without: all that are public.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """How good the descriptions are for other catalogues (405 points), and what is missing. Exit code 1: one is not told to them."""
    settings = existing(config, data_dir)
    with catalog_of(settings) as catalog:
        publication = Publication(catalog, site_of(settings))
        entries = [catalog.entry(name)] if name else list(catalog.shelf.visible(ANYBODY).values())
        scores = {entry.name: publication.score(entry) for entry in entries}
        themes = {entry.name: theme for entry in entries if (theme := theme_of(entry)) is not None}
    if as_json:
        print_json({one: _told(score) for one, score in scores.items()})
    else:
        tongue = 0 if language() == "de" else 1
        print_table("Descriptions", ["dataset", "points", "rating"], [[one, score.total, score.rating] for one, score in scores.items()])
        short = [(one, part) for one, score in scores.items() for part in score.missing]
        rows = [
            [one, part.metric.title[tongue], f"{part.points}/{part.metric.points}", _mend(part.metric, themes.get(one), tongue)]
            for one, part in short
        ]
        if rows:
            print_table("Missing", ["dataset", "what", "points", "what to do"], rows)
    if not all(score.is_excellent for score in scores.values()):
        say(f"Datasets below {EXCELLENT} points are not told to other catalogues.")
        raise typer.Exit(1)


def _mend(metric: Metric, theme: str | None, tongue: int) -> str:
    """What to do for this metric; where a theme is missing, which one it may be."""
    if metric.name != "categoryAvailability" or theme is None:
        return metric.mend[tongue]
    return f"{metric.mend[tongue]} {('Vielleicht', 'Perhaps')[tongue]}: {THEMES[theme][tongue]} ({theme})."


def _told(score: Score) -> dict[str, Any]:
    """The score of one dataset for scripts."""
    metrics = [{"metric": one.metric.name, "points": one.points, "most": one.metric.points} for one in score.measured]
    missing = [{"metric": one.metric.name, "de": one.metric.mend[0], "en": one.metric.mend[1]} for one in score.missing]
    return {"points": score.total, "rating": score.rating, "published": score.is_excellent, "metrics": metrics, "missing": missing}


@app.command(epilog=EXPORT_EXAMPLES)
def export(
    name: Annotated[str, typer.Argument(help="The dataset's name.")],
    export_format: Annotated[ExportFormat, typer.Option("--format", help="The file's format.")] = ExportFormat("csv"),
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write; without: standard output.")] = None,
    column: Annotated[list[str] | None, typer.Option(help="Only this column (repeat for more).")] = None,
    as_of: Annotated[str | None, typer.Option(metavar="TIME", help="The dataset as it was then: 2026-05-01T10:00, or 7d (ago).")] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """All rows as a file, of any size. The file appears when it is whole."""
    settings = existing(config, data_dir)
    query = RowsQuery(
        dataset=name, columns=tuple(column or ()), limit=None, as_of=None if as_of is None else moment(as_of, settings.time_zone)
    )
    with lake_of(settings) as lake:
        chunks = lake.export(query, export_format.value)
        if output is None:
            for chunk in chunks:
                sys.stdout.buffer.write(chunk)
            return
        with working(f"Writing {output}"):
            size = _write(output, chunks)
    say(f"{output}: {size:,} bytes")


app.command("import", epilog=EXAMPLES)(import_file)


def _write(path: Path, chunks: Iterator[bytes]) -> int:
    """Write all chunks under a hidden name first, so that a half file never bears the right name; answer how many bytes."""
    hidden = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    size = 0
    try:
        with hidden.open("wb") as file:
            for chunk in chunks:
                size += file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(path)
    except OSError as error:
        raise StorageError(f"{path} can't be written: {error.strerror}") from error
    finally:
        hidden.unlink(missing_ok=True)
    return size
