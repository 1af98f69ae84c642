"""`stadthub query`: SQL on all datasets of the hub, for its operator."""

import sys
from typing import Annotated

import pyarrow as pa
import pyarrow.csv as pa_csv
import typer

from stadthub_api.cli.hub import ConfigOption, DataDirOption, JsonOption, existing, lake_of, reader_of
from stadthub_api.cli.output import json_rows, print_rows, working

#: How many rows a table shows to readers.
SHOWN = 100

EXAMPLES = """
[bold]Examples[/bold]

stadthub query 'SELECT thing_name, sum(result) FROM "bicycle-counts" GROUP BY 1 ORDER BY 2 DESC'

stadthub query --csv 'SELECT * FROM trees LIMIT 1000' > trees.csv
"""


def query(
    sql: Annotated[str, typer.Argument(help="One SELECT. Datasets are tables; a name with a hyphen stands in double quotes.")],
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="CSV for spreadsheets.")] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Ask the lake in SQL (DuckDB's), reading only."""
    if as_json and as_csv:
        raise typer.BadParameter("choose one of --json and --csv")
    settings = existing(config, data_dir)
    with lake_of(settings) as lake, working("Asking the lake"):
        answer = lake.sql(sql, reader_of(settings).datasets(), {})
    if as_json:
        sys.stdout.buffer.write(json_rows(answer))
    elif as_csv:
        pa_csv.write_csv(_flat(answer), sys.stdout.buffer)
    else:
        print_rows("Answer", answer, SHOWN)


def _flat(table: pa.Table) -> pa.Table:
    """The same with only such columns as CSV can hold: nested ones as text, bytes as hexadecimal digits."""
    columns = []
    for column in table.columns:
        if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
            column = pa.chunked_array([[None if one is None else str(one) for one in column.to_pylist()]], type=pa.string())
        columns.append(column)
    return pa.table(columns, names=table.column_names)


query.__doc__ = (query.__doc__ or "") + "\n" + EXAMPLES
