"""`stadthub privacy`: the record of processing activities, and the proof that what had to be deleted was."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stadthub_api.cli.hub import ConfigOption, DataDirOption, JsonOption, catalog_of, existing
from stadthub_api.cli.output import print_json, print_table, say
from stadthub_api.record import record as processings
from stadthub_api.record_formats import WRITERS
from stadthub_schemas.errors import StorageError

app = typer.Typer(no_args_is_help=True, help="Data protection: the record of processing activities, proof of deletions.")


class RecordFormat(StrEnum):
    """The forms of the record."""

    MD = "md"
    CSV = "csv"
    JSON = "json"


class RecordLanguage(StrEnum):
    """The languages of the record."""

    DE = "de"
    EN = "en"


@app.command(epilog="[bold]Example[/bold]: stadthub privacy record --format csv --output art-30.csv")
def record(
    record_format: Annotated[RecordFormat, typer.Option("--format", help="A document, a table or data.")] = RecordFormat.MD,
    language: Annotated[RecordLanguage, typer.Option(help="German or English.")] = RecordLanguage.DE,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write; without: standard output.")] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """The record of processing activities (Art. 30 GDPR): each feed that counts people, and what the hub itself keeps of people."""
    settings = existing(config, data_dir)
    with catalog_of(settings) as catalog:
        entries = processings(catalog, settings, language.value)
    text = WRITERS[record_format.value][1](entries, language.value)
    if output is None:
        typer.echo(text, nl=not text.endswith("\n"))
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise StorageError(f"{output} can't be written: {error.strerror}") from error
    say(f"{output}: {len(entries)} processings")


@app.command(epilog="[bold]Example[/bold]: stadthub privacy deletions --json")
def deletions(
    limit: Annotated[int, typer.Option(min=1, help="How many at most, newest first.")] = 100,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """What retention deleted, and when: entries of the audit, whose chain `stadthub doctor` checks."""
    with catalog_of(existing(config, data_dir)) as catalog:
        found = catalog.audited("retention.", limit)
    if as_json:
        print_json(found)
        return
    rows = [[one.time, one.on, one.what.removeprefix("retention."), one.details.get("before"), _amount(one.details)] for one in found]
    print_table("Deletions", ["time", "of", "what", "older than", "how many"], rows)
    if not found:
        say("Nothing has been deleted yet: no retention has ended.")


def _amount(details: object) -> object:
    return details.get("rows", details.get("segments")) if isinstance(details, dict) else None
