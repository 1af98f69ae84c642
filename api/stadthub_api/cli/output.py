"""How commands speak: results on standard output as tables or JSON, everything else on standard error."""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO

import orjson
import pyarrow as pa
import shapely
from pydantic import BaseModel
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from stadthub_schemas.dataset import Language

#: How wide a table may become where there is no terminal to ask.
WIDTH = 160
#: How many characters of a cell are shown in a table of rows.
CELL = 60


def language() -> Language:
    """The language of the one at the keyboard, as the environment says it; English unless it says German."""
    named = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "de" if named.startswith("de") else "en"


def console() -> Console:
    """Standard output as it is now."""
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH, highlight=False, soft_wrap=False)


def say(text: str) -> None:
    """Tell the one at the keyboard, on standard error: results stay clean for scripts."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def plain(value: Any) -> Any:
    """The same in words that JSON has."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return value.hex()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value)


def print_json(value: Any) -> None:
    """One JSON document, for scripts."""
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False, indent=2) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], file: TextIO | None = None) -> None:
    """A table for readers; numbers stand to the right."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for number, column in enumerate(columns):
        numeric = any(isinstance(row[number], int | float) and not isinstance(row[number], bool) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    (console() if file is None else Console(file=file, width=None if file.isatty() else WIDTH, highlight=False)).print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
    if isinstance(value, dict | list | tuple):
        return json.dumps(plain(value), ensure_ascii=False)
    return str(value)


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    """The rows of an Arrow table as dicts."""
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def print_rows(title: str, table: pa.Table, most: int) -> None:
    """The first rows of an Arrow table, long cells cut, with a word about the rest."""
    shown = rows_of(table.slice(0, most))
    cells = [[_short(row[name]) for name in table.column_names] for row in shown]
    print_table(title, table.column_names, cells)
    if table.num_rows > most:
        say(f"{most} of {table.num_rows} rows shown: --json and --csv give all of them.")


def _short(value: Any) -> Any:
    if isinstance(value, bytes):  # a geometry in WKB
        shape = shapely.from_wkb(value, on_invalid="ignore")
        value = f"{len(value)} bytes" if shape is None else shapely.to_wkt(shape, rounding_precision=5)
    return value[: CELL - 1] + "…" if isinstance(value, str) and len(value) > CELL else value


def json_rows(table: pa.Table) -> bytes:
    """All rows as one JSON array, times in UTC with a Z."""
    return orjson.dumps(rows_of(table), default=plain, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)


@contextmanager
def working(words: str) -> Iterator[Progress]:
    """Show that something is being done and for how long, as long as the block runs; nothing where nobody looks."""
    terminal = Console(file=sys.stderr)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal) as progress:
        progress.add_task(words)
        yield progress
