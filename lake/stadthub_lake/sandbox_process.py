"""The process in which users' SQL runs: it gets tables over stdin, opens nothing itself, may write nothing, and is gone after one answer.

Started as a file by `sandbox.py` and imports nothing of ours. What a question may name (tables, functions) is an allow-list, checked on
the tree that DuckDB's own parser makes; everything that the check does not know is refused.
"""

import json
import os
import re
import resource
import struct
import sys
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO


class NoPandas:
    """Says that pandas is not there: pyarrow would load it, nothing needs it here, and a question would wait twice as long."""

    @staticmethod
    def find_spec(name: str, *_place: object) -> None:
        """Nothing is known of any other module."""
        if name == "pandas":
            raise ModuleNotFoundError(name)


sys.meta_path.insert(0, NoPandas)

import duckdb  # noqa: E402 - only after pandas is out of the way
import pyarrow as pa  # noqa: E402
import pyarrow.dataset as pa_dataset  # noqa: E402

Tree = dict[str, Any]

#: Parts of a tree that are neither expression nor value, by their type.
PARTS = frozenset(
    [
        "SELECT_NODE",
        "SET_OPERATION_NODE",
        "RECURSIVE_CTE_NODE",
        "CTE_NODE",
        "BASE_TABLE",
        "SUBQUERY",
        "JOIN",
        "TABLE_FUNCTION",
        "EXPRESSION_LIST",
        "EMPTY",
        "PIVOT",
        "LIMIT_MODIFIER",
        "LIMIT_PERCENT_MODIFIER",
        "ORDER_MODIFIER",
        "DISTINCT_MODIFIER",
        "ASCENDING",
        "DESCENDING",
        "ORDER_DEFAULT",
        "DECIMAL_TYPE_INFO",
        "LIST_TYPE_INFO",
        "STRUCT_TYPE_INFO",
        "ARRAY_TYPE_INFO",
        "STRING_TYPE_INFO",
        "GENERIC_TYPE_INFO",
        "GEO_TYPE_INFO",
        "UNBOUND_TYPE_INFO",
    ]
)
#: Classes of expressions.
EXPRESSIONS = frozenset(
    [
        "COLUMN_REF",
        "CONSTANT",
        "COMPARISON",
        "CONJUNCTION",
        "OPERATOR",
        "CAST",
        "CASE",
        "BETWEEN",
        "FUNCTION",
        "WINDOW",
        "SUBQUERY",
        "STAR",
        "LAMBDA",
        "LAMBDA_REF",
        "COLLATE",
        "POSITIONAL_REFERENCE",
        "TYPE",
    ]
)
#: Functions that may stand where a table stands.
TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series"})

#: The parser itself writes `extract` as a function of pg_catalog and `[1, 2]` as one of main.
SCHEMAS = frozenset({None, "", "main", "pg_catalog"})

#: The tables and views that a database has from the beginning.
NAMES = "SELECT lower(view_name) FROM duckdb_views() UNION SELECT lower(table_name) FROM duckdb_tables()"

#: Set when all is in place; after the last one nothing can be set any more. `{paths}` are the files of the datasets that are asked: no
#: question can name one of them, since no function that reads files is on the list.
SETTINGS = (
    "SET TimeZone = 'UTC'",
    "SET python_enable_replacements = false",
    "SET allow_community_extensions = false",
    "SET allowed_paths = [{paths}]",
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: How the engine begins its sentences.
_KIND = re.compile(r"^[A-Z][A-Za-z ]* Error: ")
_TOLD = (
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.ParserException,
    duckdb.SyntaxException,
    duckdb.ConversionException,
    duckdb.OutOfRangeException,
    duckdb.InvalidInputException,
)


class RefusedError(Exception):
    """The question may not be asked; the message says why."""


def check(tree: Tree, tables: frozenset[str], functions: frozenset[str], taken: frozenset[str]) -> None:
    """Refuse everything but one SELECT over these tables with these functions. `taken`: names that a CTE must not bear."""
    if tree.get("error"):
        message = str(tree.get("error_message", "")).splitlines() or [""]
        raise RefusedError("only one SELECT may be asked" if "SELECT" in message[0] else f"this is not SQL: {message[0]}")
    if len(tree["statements"]) != 1:
        raise RefusedError("only one SELECT may be asked")
    parts = list(_walk(tree))
    ctes = _ctes(parts)
    for name in ctes:
        if not _WORD.fullmatch(name) or name in taken:
            raise RefusedError(f"WITH {name!r}: another name is needed")
    for part in parts:
        _check_part(part, tables | ctes, functions)


def _ctes(parts: list[Tree]) -> frozenset[str]:
    """The names that a question gives to its own parts."""
    ctes = {str(entry["key"]).lower() for part in parts for entry in part.get("cte_map", {}).get("map", [])}
    return frozenset(ctes | {str(part["cte_name"]).lower() for part in parts if "cte_name" in part})


def _tables(parts: list[Tree]) -> frozenset[str]:
    """The tables that a question names."""
    return frozenset(str(part["table_name"]).lower() for part in parts if part.get("type") == "BASE_TABLE")


def _check_part(part: Tree, tables: frozenset[str], functions: frozenset[str]) -> None:
    kind, group = part.get("type"), part.get("class")
    if group is not None:
        if group not in EXPRESSIONS:
            raise RefusedError(f"expressions like {str(group).lower()} are not allowed")
    elif isinstance(kind, str) and kind not in PARTS:
        raise RefusedError(f"{kind.lower()} is not allowed")
    if group is None and kind == "BASE_TABLE":
        _check_table(part, tables)
    if group is None and kind == "TABLE_FUNCTION" and str(part["function"].get("function_name", "")).lower() not in TABLE_FUNCTIONS:
        raise RefusedError(f"the function {part['function'].get('function_name')!r} may not stand for a table")
    if "function_name" in part:
        name = str(part["function_name"]).lower()
        if name not in functions and name not in TABLE_FUNCTIONS:
            raise RefusedError(f"the function {name!r} is not allowed")
        if part.get("schema") not in SCHEMAS or part.get("catalog"):
            raise RefusedError(f"the function {name!r} may not be named with a schema")


def _check_table(part: Tree, tables: frozenset[str]) -> None:
    name = str(part["table_name"])
    if name.lower() not in tables:
        raise RefusedError(f"there is no dataset {name!r}: use {', '.join(sorted(tables)) or 'none, no dataset was given'}")
    if part.get("schema_name") or part.get("catalog_name") or part.get("at_clause"):
        raise RefusedError(f"{name!r} is named without schema, catalogue and time")


def _walk(tree: object) -> Iterator[Tree]:
    """Every object of the tree."""
    left = [tree]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            yield part
            left.extend(part.values())
        elif isinstance(part, list):
            left.extend(part)


def opened() -> tuple[duckdb.DuckDBPyConnection, frozenset[str]]:
    """An empty database, and the names that it has from the beginning. It is made while nobody waits, and does once what takes longer
    for the first time."""
    database = duckdb.connect(
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "threads": 1,
            "max_temp_directory_size": "0MB",
            "temp_directory": "",
        }
    )
    names = frozenset(name for (name,) in database.execute(NAMES).fetchall())
    _keep(database, "first", pa.table({"nothing": pa.array([], pa.int64())}))
    database.execute("SELECT json_serialize_sql('SELECT nothing FROM first')").to_arrow_reader(1).read_all()
    database.execute("DROP TABLE first")
    return database, names


def answer(database: duckdb.DuckDBPyConnection, there: frozenset[str], request: Tree, tables: list[pa.Table]) -> tuple[Tree, bytes]:
    """What is to be said of the question: a header, and the rows as an Arrow stream. `there`: what the database holds from the beginning."""
    database.execute(f"SET memory_limit = '{int(request['memory_mb']) // 2}MB'")
    tree = _refuse_early(database, there, request)
    if request["views"] is None:
        return {"names": sorted(_tables(tree) - _ctes(tree))}, b""
    named = {str(part["table_name"]).lower() for part in tree if "table_name" in part}
    views = [view for view in request["views"] if any(name.lower() in named for name in view["names"])]
    places = any(str(part.get("function_name", "")).lower().startswith("st_") for part in tree)
    if request["spatial"] and (places or any(view["spatial"] for view in views)):
        database.execute(f"LOAD '{request['spatial']}'")
    for view in views:
        _make_source(database, view, tables[view["schema"]])
    for name, number in request["tables"].items():
        _keep(database, name, tables[number])
    for view in views:
        for name in view["names"]:
            database.execute(f'CREATE TEMP VIEW "{name}" AS {view["sql"]}')
    if any(view["spatial"] and view["files"] for view in views):  # filters that joins make at run time can't reach Arrow's files
        database.execute("SET disabled_optimizers = 'join_filter_pushdown'")
    paths = _listed(path for view in views for path in view["files"])
    for setting in SETTINGS:
        database.execute(setting.format(paths=paths))
    return _rows(database, request)


def _make_source(database: duckdb.DuckDBPyConnection, view: Tree, empty: pa.Table) -> None:
    """The files of a dataset as one table, with the columns of `empty`, which not every file has. Those with geometries are read by
    Arrow: DuckDB would make something else of them than bytes."""
    if not view["files"]:
        _keep(database, view["source"], empty)
        return
    if view["spatial"]:
        database.register(view["source"], pa_dataset.dataset(view["files"], schema=empty.schema, format="parquet"))
        return
    _keep(database, f"{view['source']}_empty", empty)
    read = f"read_parquet([{_listed(view['files'])}], hive_partitioning = false, union_by_name = {not view['narrow']})"
    database.execute(f"CREATE TEMP VIEW {view['source']} AS FROM {view['source']}_empty UNION ALL BY NAME FROM {read}")


def _keep(database: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """The rows as a table of DuckDB's own: filters that joins make while they run can't reach those of Arrow, and fail."""
    database.register(f"{name}_sent", table)
    database.execute(f"CREATE TEMP TABLE {name} AS FROM {name}_sent")
    database.unregister(f"{name}_sent")


def _listed(paths: Iterable[str]) -> str:
    return ", ".join("'" + path.replace("'", "''") + "'" for path in paths)


def _refuse_early(database: duckdb.DuckDBPyConnection, there: frozenset[str], request: Tree) -> list[Tree]:
    """The parts of the question, checked before anything is made readable."""
    sources = {f"{view['source']}{ending}" for view in request["views"] or () for ending in ("", "_empty")}
    taken = there | sources | set(request["tables"])
    found = database.execute("SELECT CAST(json_serialize_sql(CAST($text AS VARCHAR)) AS VARCHAR)", {"text": request["text"]}).fetchone()
    tree = json.loads(found[0] if found else "{}")
    allowed = (
        _tables(list(_walk(tree)))
        if request["views"] is None
        else frozenset(name.lower() for view in request["views"] for name in view["names"])
    )
    check(tree, allowed, frozenset(request["functions"]), taken)
    return list(_walk(tree))


def _rows(database: duckdb.DuckDBPyConnection, request: Tree) -> tuple[Tree, bytes]:
    most, left, truncated = int(request["most_bytes"]), int(request["most_rows"]), False
    sink = pa.BufferOutputStream()
    reader = database.execute(request["text"]).to_arrow_reader(2000)
    with pa.ipc.new_stream(sink, reader.schema) as writer:
        for batch in reader:
            truncated = batch.num_rows > left or batch.nbytes > most
            if batch.nbytes > most:
                break
            writer.write_batch(batch.slice(0, left))
            left, most = left - min(left, batch.num_rows), most - batch.nbytes
            if truncated:
                break
    return {"truncated": truncated}, sink.getvalue().to_pybytes()


def told(error: Exception) -> str:
    """The sentence for an error: what the caller can mend in the words of the engine, all else in ours."""
    if isinstance(error, RefusedError):
        return str(error)
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, MemoryError | duckdb.OutOfMemoryException | pa.ArrowMemoryError):
        return "it needs more memory than it may have"
    if isinstance(error, _TOLD):
        line = str(error).split("\n", 1)[0]
        return _KIND.sub("", re.sub(r"\S*/\S*", "…", line))[:300]
    return "it can't be answered"


def limit(memory_mb: int, seconds: int) -> None:
    """Take from this process what it doesn't need: memory, processor time, the right to make files larger than nothing."""
    for what, most in (
        (resource.RLIMIT_AS, memory_mb * 1024 * 1024),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def main(source: BinaryIO, target: BinaryIO) -> None:
    """Read one request, answer it, end."""
    database, there = opened()
    head = source.read(8)
    if len(head) < 8:
        return
    request = json.loads(source.read(*struct.unpack("<Q", head)))
    tables = [pa.ipc.open_stream(source.read(*struct.unpack("<Q", source.read(8)))).read_all() for _ in range(request["sent"])]
    limit(request["memory_mb"], request["seconds"])
    try:
        said, body = answer(database, there, request, tables)
    except Exception as error:  # noqa: BLE001 - the top of this program
        said, body = {"error": told(error)}, b""
    header = json.dumps(said).encode()
    target.write(struct.pack("<Q", len(header)) + header)
    target.write(body)
    target.flush()


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
    os._exit(0)  # there is nothing to tidy up, and who asked needn't wait for it
