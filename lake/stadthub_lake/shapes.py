"""How a value of each type of column is written in each format, as SQL that the engine runs."""

from collections.abc import Mapping, Sequence

from stadthub_lake.filters import quoted
from stadthub_schemas.dataset import Column, ColumnType

#: ISO 8601 with Z; a fraction only where there is one.
_TIME = "replace(CAST({column} AT TIME ZONE 'UTC' AS VARCHAR), ' ', 'T') || 'Z'"
_GEOMETRY = "ST_GeomFromWKB({column})"

JSON = {
    ColumnType.NUMBER: "CASE WHEN isfinite({column}) THEN {column} END",
    ColumnType.TIME: _TIME,
    ColumnType.DATE: "CAST({column} AS VARCHAR)",
    ColumnType.JSON: "try_cast({column} AS JSON)",
    ColumnType.GEOMETRY: f"CAST(ST_AsGeoJSON({_GEOMETRY}) AS JSON)",
}
CSV = {
    ColumnType.NUMBER: "CASE WHEN isfinite({column}) THEN {column} END",
    ColumnType.TIME: _TIME,
    ColumnType.DATE: "CAST({column} AS VARCHAR)",
    ColumnType.JSON: "CAST({column} AS VARCHAR)",
    ColumnType.GEOMETRY: f"ST_AsText({_GEOMETRY})",
}


def shaped(columns: Sequence[Column], shapes: Mapping[ColumnType, str], prefix: str = "") -> str:
    """The select list that writes these columns in a format."""
    return ", ".join(f"{_shape(column, shapes, prefix)} AS {quoted(column.name)}" for column in columns)


def json_object(columns: Sequence[Column], prefix: str = "") -> str:
    """The expression that writes a row of these columns as one JSON object."""
    if not columns:
        return "'{}'"
    pairs = ", ".join(f"{quoted(column.name)} := {_shape(column, JSON, prefix)}" for column in columns)
    return f"CAST(to_json(struct_pack({pairs})) AS VARCHAR)"


def needs_spatial(columns: Sequence[Column]) -> bool:
    """Whether writing these columns as text calls an ST_ function."""
    return any(column.type is ColumnType.GEOMETRY for column in columns)


def _shape(column: Column, shapes: Mapping[ColumnType, str], prefix: str) -> str:
    return shapes.get(column.type, "{column}").format(column=prefix + quoted(column.name))
