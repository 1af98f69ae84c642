"""A question in PostgreSQL's words becomes one in DuckDB's: one SELECT, its tables named, its functions looked at. Nothing is run here;
the lake's sandbox checks the result once more by its own list."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from stadthub_catalog.refusals import Invalid, Missing, NotAuthorized
from stadthub_lake.sandbox_functions import FUNCTIONS

LONGEST = 20_000

_STARTS = re.compile(
    r"[\s(]*(select|with|values|table|insert|update|delete|merge|create|drop|alter|truncate|copy|set|begin|commit|rollback|explain|grant|"
    r"revoke|comment|analyze|vacuum|do|call|show|lock|declare|execute|prepare|listen|notify|reset|start|end|savepoint)\b",
    re.IGNORECASE,
)
_COMMENTS = re.compile(r"/\*.*?\*/|--[^\n]*", re.DOTALL)
_CALL = re.compile(r"([A-Za-z_]\w*)\s*\(|CASE\b")

#: What PostgreSQL calls the statements that are no SELECT.
_STATEMENTS: Mapping[type[Any], str] = {
    exp.Insert: "InsertStmt",
    exp.Update: "UpdateStmt",
    exp.Delete: "DeleteStmt",
    exp.Merge: "MergeStmt",
    exp.Create: "CreateStmt",
    exp.Drop: "DropStmt",
    exp.Alter: "AlterTableStmt",
    exp.TruncateTable: "TruncateStmt",
    exp.Copy: "CopyStmt",
    exp.Set: "VariableSetStmt",
    exp.Transaction: "TransactionStmt",
    exp.Commit: "TransactionStmt",
    exp.Rollback: "TransactionStmt",
    exp.Describe: "ExplainStmt",
    exp.Grant: "GrantStmt",
    exp.Comment: "CommentStmt",
    exp.Analyze: "VacuumStmt",
}
#: Parts of a SELECT that read or write something beside its tables.
_REFUSED: Mapping[type[Any], str] = {**_STATEMENTS, exp.Into: "IntoClause", exp.Lock: "LockingClause", exp.Parameter: "ParamRef"}

#: Functions that only PostgreSQL knows, which the translation knows how to say.
_SAID = frozenset(
    [
        "to_char",
        "to_date",
        "to_number",
        "string_agg",
        "array_agg",
        "json_agg",
        "jsonb_agg",
        "now",
        "clock_timestamp",
        "statement_timestamp",
        "localtimestamp",
        "btrim",
    ]
)
_RENAMED = {
    "json_agg": "json_group_array",
    "jsonb_agg": "json_group_array",
    "clock_timestamp": "now",
    "statement_timestamp": "now",
    "btrim": "trim",
}


def translated(sql: str, table_of: Callable[[str], str]) -> str:
    """The question in DuckDB's words, each table under the name that `table_of` gives it. Invalid, Missing, NotAuthorized."""
    query = _read(sql)
    ctes = {cte.alias_or_name for cte in query.find_all(exp.CTE)}
    for node in query.walk():
        if type(node) in _REFUSED:
            raise Invalid({"message": f"Invalid query AST element: {_REFUSED[type(node)]}"})
        if isinstance(node, exp.Anonymous):
            _check_function(node)
    for table in list(query.find_all(exp.Table)):
        if table.name and not (table.name in ctes and not table.args.get("db")) and isinstance(table.this, exp.Identifier):
            _point(table, table_of)
        elif not isinstance(table.this, exp.Identifier):
            _check_source(table)
    _name_columns(query)
    try:
        return query.sql(dialect="duckdb")
    except (SqlglotError, RecursionError) as error:
        raise Invalid({"message": "Invalid SQL: it can't be said to this engine"}) from error


def _name_columns(query: exp.Query) -> None:
    """Let what bears no name be called as PostgreSQL calls it: a function by its name."""
    first = query
    while isinstance(first, exp.SetOperation):
        first = first.left
    for place, one in enumerate(first.expressions if isinstance(first, exp.Select) else ()):
        if not isinstance(one, exp.Alias | exp.Column | exp.Star) and not one.is_star:
            first.expressions[place].replace(exp.alias_(one.copy(), _called(one), quoted=True))


def _called(one: exp.Expression) -> str:
    if isinstance(one, exp.Cast):
        return _called(one.this)
    if isinstance(one, exp.Column | exp.Dot):
        return one.name
    match = _CALL.match(one.sql(dialect="postgres"))
    return (match[1] or "case").lower() if match else "?column?"


def names_number(sql: str) -> bool:
    """Whether the question speaks of the numbers of rows."""
    return "_id" in sql


def _begins(sql: str) -> bool:
    """Whether the first word can begin a statement at all."""
    return bool(_STARTS.match(_COMMENTS.sub(" ", sql)))


def _read(sql: str) -> exp.Query:
    if len(sql) > LONGEST:
        raise Invalid({"message": f"Invalid SQL: it is longer than {LONGEST} characters"})
    if "\0" in sql:
        raise Invalid({"message": "Invalid SQL: it holds a NUL"})
    if not _begins(sql):
        raise _syntax(sql, None)
    try:
        statements = [one for one in sqlglot.parse(sql, read="postgres") if one is not None]
    except SqlglotError as error:
        raise _syntax(sql, error) from error
    except RecursionError as error:
        raise Invalid({"message": "Invalid SQL: it is nested too deeply"}) from error
    if len(statements) != 1:
        raise Invalid({"message": "Query is not a single statement"})
    found = statements[0]
    if isinstance(found, exp.Query):
        return found
    word = _STARTS.match(_COMMENTS.sub(" ", sql))
    told = _STATEMENTS.get(type(found)) or f"{word[1].capitalize() if word else ''}Stmt"
    raise Invalid({"message": f"Invalid query AST element: {told}"})


def _syntax(sql: str, error: SqlglotError | None) -> Invalid:
    """Where it is wrong: the word, and how many signs stand before it."""
    places: list[dict[str, Any]] = list(getattr(error, "errors", None) or [])
    word = str(places[0].get("highlight") or "") if places else ""
    if not word:
        word = sql.split(maxsplit=1)[0] if sql.split() else ""
    index = sql.find(word) if word else 0
    return Invalid({"message": f'Invalid SQL: syntax error at or near "{word[:100]}", at index {max(index, 0)}'})


def _point(table: exp.Table, table_of: Callable[[str], str]) -> None:
    """Let the table be the one in the lake; the rest of the question goes on calling it as before."""
    if table.args.get("catalog"):
        raise Invalid({"message": f"Catalog cannot be provided: {table.catalog}"})
    if table.args.get("db") and table.db != "public":
        raise NotAuthorized("Access denied: Not authorized to access tables in other schemas")
    name = table.name
    if name.lower().startswith("pg_"):
        raise NotAuthorized("Access denied: Not authorized to access system tables")
    if not name:
        raise Missing
    lake = table_of(name)
    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(name, quoted=True)))
    table.set("db", None)
    table.set("this", exp.to_identifier(lake, quoted=True))


def _check_function(node: exp.Anonymous) -> None:
    name = str(node.this).lower()
    if name not in FUNCTIONS and name not in _SAID:
        raise NotAuthorized(f"Access denied: Not authorized to call function {name[:100]}")
    if name in _RENAMED:
        node.set("this", _RENAMED[name])


def _check_source(table: exp.Table) -> None:
    """A function in the place of a table: only those that make rows of nothing."""
    made = table.this
    if not isinstance(made, exp.GenerateSeries | exp.ExplodingGenerateSeries | exp.Unnest):
        name = str(made.name if isinstance(made, exp.Anonymous) else made.sql_name() if isinstance(made, exp.Func) else made.key).lower()
        raise NotAuthorized(f"Access denied: Not authorized to call function {name[:100]}")
