"""How values are written where rows are asked for by number: as JSON, or as plain text for tables of text."""

from collections.abc import Mapping, Sequence

from stadthub_lake.filters import quoted
from stadthub_schemas.dataset import Column, ColumnType
from stadthub_schemas.query import Form

#: The column that holds a whole row as text.
ROW = "_row"

Shapes = Mapping[ColumnType | Form, str]

#: A number without the zeros at its end.
_EXACT = "CASE WHEN contains(CAST({column} AS VARCHAR), '.') THEN rtrim(rtrim(CAST({column} AS VARCHAR), '0'), '.') ELSE CAST({column} AS VARCHAR) END"
#: Without the calendar of a zone this is three times as fast; times are stored in UTC.
_UTC = "make_timestamp(epoch_us({column}))"
_TIME = f"replace(CAST({_UTC} AS VARCHAR), ' ', 'T') || 'Z'"
_NAIVE = f"strftime({_UTC}, '%Y-%m-%dT%H:%M:%S.%g')"
_PLACE = "CAST(ST_AsGeoJSON(ST_GeomFromWKB({column})) AS VARCHAR)"

#: Each type as a value for `to_json`.
VALUES: Shapes = {
    ColumnType.NUMBER: "CASE WHEN isfinite({column}) THEN {column} END",
    ColumnType.DECIMAL: f"CAST({_EXACT} AS JSON)",
    ColumnType.TIME: _TIME,
    ColumnType.DATE: "CAST({column} AS VARCHAR)",
    ColumnType.GEOMETRY: f"CAST({_PLACE} AS JSON)",
    ColumnType.JSON: "coalesce(try_cast({column} AS JSON), to_json({column}))",
    Form.NAIVE_TIME: _NAIVE,
    Form.TEXT_OF_JSON: "coalesce(try_cast({column} AS JSON), to_json({column}))",
}

#: Each type as text in a table of text.
TEXTS: Shapes = {
    ColumnType.TEXT: "{column}",
    ColumnType.NUMBER: "CASE WHEN isfinite({column}) THEN CAST({column} AS VARCHAR) END",
    ColumnType.DECIMAL: _EXACT,
    ColumnType.BOOLEAN: "CASE WHEN {column} THEN 't' WHEN NOT {column} THEN 'f' END",
    ColumnType.TIME: _TIME,
    ColumnType.JSON: "CAST(coalesce(try_cast({column} AS JSON), to_json({column})) AS VARCHAR)",
    ColumnType.GEOMETRY: _PLACE,
    Form.NAIVE_TIME: _NAIVE,
    Form.TEXT_OF_JSON: "{column}",
}
#: Types whose text can hold a delimiter, a quote or an end of line.
_LOOSE = frozenset({ColumnType.TEXT, ColumnType.JSON, ColumnType.GEOMETRY})
_QUOTED = """CASE WHEN {text} = '' OR contains({text}, {delimiter}) OR contains({text}, '"') OR contains({text}, chr(10)) OR contains({text}, chr(13))
THEN '"' || replace({text}, '"', '""') || '"' ELSE {text} END"""

#: What is compared of a text: small letters without accents; ä is ae, ß is ss, in rows and in questions alike.
FOLDED = "strip_accents(replace(replace(replace(replace(lower({text}), 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'), 'ß', 'ss'))"


def needs_spatial(columns: Sequence[Column]) -> bool:
    """Whether writing these columns calls an ST_ function."""
    return any(column.type is ColumnType.GEOMETRY for column in columns)


def as_object(columns: Sequence[Column], forms: Mapping[str, Form]) -> str:
    """A row as a JSON object."""
    pairs = ", ".join(f"{quoted(column.name)} := {_written(column, VALUES, forms)}" for column in columns)
    return f"CAST(to_json(struct_pack({pairs})) AS VARCHAR) AS {ROW}"


def as_list(columns: Sequence[Column], forms: Mapping[str, Form]) -> str:
    """A row as a JSON list."""
    return f"CAST(json_array({', '.join(_written(column, VALUES, forms) for column in columns)}) AS VARCHAR) AS {ROW}"


def as_csv(columns: Sequence[Column], forms: Mapping[str, Form]) -> str:
    """A row as a line of values with commas between them; a missing value is empty, an empty text is in quotes."""
    return _line(columns, forms, "','")


def as_tsv(columns: Sequence[Column], forms: Mapping[str, Form]) -> str:
    """The same with tabs."""
    return _line(columns, forms, "chr(9)")


def as_numbers(_columns: Sequence[Column], _forms: Mapping[str, Form]) -> str:
    """Nothing of a row but its number."""
    return f"NULL AS {ROW}"


def _line(columns: Sequence[Column], forms: Mapping[str, Form], delimiter: str) -> str:
    values = []
    for column in columns:
        text = _written(column, TEXTS, forms, "CAST({column} AS VARCHAR)")
        values.append(f"coalesce({_QUOTED.format(text=text, delimiter=delimiter) if column.type in _LOOSE else text}, '')")
    between = f", {delimiter}, "
    return f"concat({between.join(values)}, chr(10)) AS {ROW}"


def _written(column: Column, shapes: Shapes, forms: Mapping[str, Form], plain: str = "{column}") -> str:
    form = forms.get(column.name)
    shape = shapes.get(form) if form is not None else None
    return (shape or shapes.get(column.type, plain)).format(column=quoted(column.name))
