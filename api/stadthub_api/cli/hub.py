"""The hub that a command means: its settings out of options, file and environment, and the parts of it that are asked."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from stadthub_catalog.catalog import Catalog
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_pipelines.mistakes import check_files, feed_files
from stadthub_pipelines.running import HUB, noted
from stadthub_schemas.errors import NotFound, SettingsError
from stadthub_schemas.feed import Feed
from stadthub_schemas.settings import PREFIX, Settings, load_settings, make_data_dir

#: The settings file that is taken without being named, if it stands where the command is given.
SETTINGS_FILE = Path("stadthub.toml")

ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings file. Without it: STADTHUB_CONFIG, or stadthub.toml here.")
]
DataDirOption = Annotated[Path | None, typer.Option("--data-dir", metavar="DIR", help="Where the hub keeps its data.")]
HostOption = Annotated[str | None, typer.Option("--host", help="Address to listen on.")]
PortOption = Annotated[int | None, typer.Option("--port", help="Port to listen on.", min=1, max=65535)]
WorkerOption = Annotated[str | None, typer.Option("--name", help="The name of a further worker; without it: the main one.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON for scripts.")]


def settings_of(config: Path | None, **options: Any) -> Settings:
    """The settings for a command beside a hub: the address is that of the hub which runs on this data_dir, if one does."""
    settings = said(config, **options)
    note = noted(settings.data_dir, HUB)
    return settings if note is None else settings.model_copy(update=json.loads(note))


def said(config: Path | None, **options: Any) -> Settings:
    """The settings: options before variables before the file. SettingsError names every mistake."""
    if config is None and f"{PREFIX}CONFIG" not in os.environ and SETTINGS_FILE.is_file():
        config = SETTINGS_FILE
    given = {PREFIX + name.upper(): str(value) for name, value in options.items() if value is not None}
    return load_settings({**os.environ, **given}, config)


def address_note(settings: Settings) -> str:
    """What a hub notes while it runs, so that commands beside it name its address."""
    return json.dumps({name: getattr(settings, name) for name in ("host", "port", "site_url")})


def existing(config: Path | None, data_dir: Path | None) -> Settings:
    """The settings of a hub that is there; NotFound says how to name another or make one."""
    settings = settings_of(config, data_dir=data_dir)
    if not settings.data_dir.is_dir() and settings.database_url is None:
        raise NotFound(
            f"There is no hub in {settings.data_dir}: start one with `stadthub up`, or name its folder with --data-dir or {PREFIX}DATA_DIR"
        )
    return settings


@contextmanager
def catalog_of(settings: Settings) -> Iterator[Catalog]:
    """The catalogue of this hub, with its tables as this version wants them."""
    try:
        make_data_dir(settings.data_dir)
    except OSError as error:
        raise SettingsError(f"{settings.data_dir} can't be made: {error.strerror}") from error
    catalog = Catalog(settings.database, settings.synonyms)
    try:
        catalog.migrate()
        yield catalog
    finally:
        catalog.close()


def feed_of(settings: Settings, name: str) -> Feed:
    """The feed of this name out of the hub's feed files; NotFound names those that are there."""
    feeds = {one.feed.id: one.feed for one in check_files(feed_files(settings.feeds)) if one.feed is not None}
    if name not in feeds:
        raise NotFound(f"There is no feed {name!r} in {settings.feeds}; there are: {', '.join(sorted(feeds)) or 'none'}")
    return feeds[name]


def reader_of(settings: Settings) -> Reader:
    """What stands in this hub's lake."""
    return Reader(settings.lake, settings.data_dir)


@contextmanager
def lake_of(settings: Settings) -> Iterator[Lake]:
    """The lake of this hub, to be asked."""
    lake = Lake(reader_of(settings), settings.threads, settings.query_seconds, settings.query_memory_mb)
    try:
        yield lake
    finally:
        lake.close()


def as_environment(settings: Settings) -> dict[str, str]:
    """This process's environment with exactly these settings, for a process that is to mean the same hub."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return others | {PREFIX + name.upper(): _word(value) for name, value in settings if value is not None}


def _word(value: Any) -> str:
    if hasattr(value, "get_secret_value"):
        return str(value.get_secret_value())
    return ",".join(value) if isinstance(value, tuple) else str(value)
