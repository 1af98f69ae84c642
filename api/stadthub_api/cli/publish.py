"""`stadthub publish`: bring the hub's datasets to foreign CKANs, or write the catalogue as files that others fetch."""

from pathlib import Path
from typing import Annotated, Any

import typer

from stadthub_api.cli.errands import NUMBERS, numbers, publications_of
from stadthub_api.cli.hub import ConfigOption, DataDirOption, JsonOption, catalog_of, existing, lake_of
from stadthub_api.cli.output import print_json, print_table, say, working
from stadthub_catalog.ledger import Outcome
from stadthub_pipelines.errands import ground_of, run_errand
from stadthub_pipelines.harvesting import Ground
from stadthub_pipelines.pushing import Planned, counted, preview
from stadthub_pipelines.static_catalog import write_static
from stadthub_schemas.errors import NotFound, StadthubError
from stadthub_schemas.exchange import Publish
from stadthub_schemas.settings import Settings


def publish(
    target: Annotated[list[str] | None, typer.Option(help="The id of a publication (repeat for more); without: all.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done; nothing is written, here or there.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="With --dry-run: each value that would change there.")] = False,
    static: Annotated[Path | None, typer.Option(metavar="DIR", help="Write the catalogue as files into this folder instead.")] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    r"""Bring the public datasets to the CKANs of the hub's files with a \[publish] table, now and in this process.

    [bold]Examples[/bold]: stadthub publish --dry-run --diff · stadthub publish --target land · stadthub publish --static out/
    """
    settings = existing(config, data_dir)
    if settings.site_url is None:
        say(f"STADTHUB_SITE_URL is not set: addresses of datasets and files begin with {settings.url}, which only this machine may reach.")
    if static is not None:
        _write(settings, static, as_json)
        return
    targets = _targets(settings, target or [])
    with catalog_of(settings) as catalog, lake_of(settings) as lake:
        ground = ground_of(settings, catalog, lake)
        told = [_rehearsed(one, ground) if dry_run else _run(one, ground) for one in targets]
    if as_json:
        print_json(told)
    else:
        for one in told:
            _tell(one, diff)
    if any(one["error"] for one in told):
        raise typer.Exit(1)


def _targets(settings: Settings, names: list[str]) -> list[Publish]:
    found = publications_of(settings)
    unknown = [name for name in names if name not in found]
    if unknown or not found:
        named = f"There is no publication {unknown[0]!r}" if unknown else "There is no publication yet"
        raise NotFound(f"{named} in {settings.feeds}; there are: {', '.join(sorted(found)) or 'none: see docs/harvest.md'}")
    return [found[name] for name in names] or list(found.values())


def _run(publication: Publish, ground: Ground) -> dict[str, Any]:
    error, catalog = None, ground.catalog
    try:
        with working(f"Publishing to {publication.id}"):
            run_errand(publication, ground)
    except StadthubError as failed:
        error = str(failed)
    tally = next(iter(catalog.tallies(publication.id, 1)), None)
    failures = catalog.outcomes(tally.run, (Outcome.FAILED, Outcome.SPARED)) if tally else []
    return {"target": publication.id, "error": error, "run": tally, "failed": failures}


def _rehearsed(publication: Publish, ground: Ground) -> dict[str, Any]:
    try:
        with working(f"Comparing with {publication.id}"):
            found = preview(publication, ground)
    except StadthubError as failed:
        return {"target": publication.id, "error": str(failed), "would": {}, "datasets": []}
    datasets = [{"title": one.title, "outcome": one.outcome, "name": _name(one), "changes": changes} for one, changes in found]
    return {"target": publication.id, "error": None, "would": counted([one for one, _ in found]), "datasets": datasets}


def _name(one: Planned) -> str:
    return str(one.package.get("name") or (one.sent.name if one.sent else ""))


def _tell(one: dict[str, Any], diff: bool) -> None:
    if one["error"]:
        say(f"{one['target']}: {one['error']}")
    if "would" in one:
        rows = [[dataset["name"], dataset["title"], dataset["outcome"], len(dataset["changes"])] for dataset in one["datasets"]]
        print_table(f"{one['target']}: what would be done", ["name there", "title", "outcome", "changes"], rows)
        if diff:
            changes = [[dataset["name"], *change] for dataset in one["datasets"] for change in dataset["changes"]]
            print_table("Changes", ["name there", "what", "there", "new"], changes)
        return
    if one["run"] is not None:
        print_table(one["target"], NUMBERS, [numbers(one["run"])])
    for failed in one["failed"]:
        say(f"{failed.title}: {failed.reason}")


def _write(settings: Settings, folder: Path, as_json: bool) -> None:
    with catalog_of(settings) as catalog, working(f"Writing {folder}"):
        files = write_static(catalog, settings, folder)
    if as_json:
        print_json([{"file": str(path), "bytes": size} for path, size in files])
    else:
        print_table("Files", ["file", "bytes"], [[str(path), size] for path, size in files])
