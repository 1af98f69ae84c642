"""`stadthub init`: the first files of a new hub, with comments that say what to do with them."""

from pathlib import Path
from typing import Annotated

import typer

from stadthub_api.cli.output import say
from stadthub_schemas.errors import Conflict, StorageError
from stadthub_schemas.settings import Settings

#: Settings that a new hub most likely wants to change; the others stand as comments with their defaults.
WRITTEN = ("data_dir", "feeds_dir", "host", "port", "site_title")

EXAMPLE_FEED = """#:schema ./feed.schema.json
# A feed says where data come from, how they are read and what they become.
# Try it: stadthub feed try feeds/example.toml. All keys: docs/feeds.md, or your editor by the schema above.
id = "example"
title = "Example: bicycle counters"
dataset = "bicycle-counts"
kind = "timeseries"
decoder = "csv_table"
# Remove this line when the feed is yours.
paused = true

[source]
type = "file"
path = "{path}"
every = "PT1M"

[options]
delimiter = ";"
times = {{ time_zone = "Europe/Berlin" }}
columns = {{ thing = "station", phenomenon_time = "time", result = "count" }}
constants = {{ observed_property = "bicycles" }}

[metadata]
title = "Radverkehr an Zählstellen"
title_en = "Bicycle counts"
description = "Gezählte Fahrräder je Stunde."
description_en = "Bicycles counted each hour."
license = "dl-de-by-2.0"
themes = ["TRAN"]
keywords = ["Radverkehr"]
update_frequency = "HOURLY"
publisher = {{ name = "musterstadt", title = "Stadt Musterstadt" }}
contact = {{ name = "Amt für Mobilität" }}
"""

EXAMPLE_DATA = """station;time;count
bridge;2026-05-01 10:00;124
bridge;2026-05-01 11:00;131
market;2026-05-01 10:00;88
market;2026-05-01 11:00;
"""


def init(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")]) -> None:
    """Make the first files of a new hub: a settings file, a folder of feeds with an example, and say what comes next.

    [bold]Example[/bold]: stadthub init my-city
    """
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"{folder} is there already and not an empty folder: name another one")
    sample = folder / "example" / "counts.csv"
    files = {
        folder / "stadthub.toml": settings_file(folder),
        folder / "feeds" / "example.toml": EXAMPLE_FEED.format(path=sample),
        sample: EXAMPLE_DATA,
    }
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    except OSError as error:
        raise StorageError(f"{folder} can't be written: {error.strerror}") from error
    say(f"Made {', '.join(str(path.relative_to(folder)) for path in files)} in {folder}. Next:")
    for step in (
        f"cd {folder}",
        "stadthub schema feed > feeds/feed.schema.json   # your editor completes feed files by it",
        "stadthub feed try feeds/example.toml            # look at what a feed makes of its data",
        "stadthub up                                     # then remove `paused = true` from the feed",
        "stadthub token create me --role admin           # the key to the operator page",
    ):
        typer.echo(f"  {step}")


def settings_file(folder: Path) -> str:
    """A settings file with every setting, those that keep their default as comments."""
    values = {"data_dir": str(folder / "data"), "feeds_dir": str(folder / "feeds")}
    lines = ["# The settings of this hub. A variable STADTHUB_<NAME> in the environment goes before the line here.", ""]
    for name, field in Settings.model_fields.items():
        value = values.get(name, field.default)
        lines.append(f"# {field.description}")
        lines.append(("" if name in WRITTEN else "#") + f"{name} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else f'"{"" if value is None else value}"'
