"""One page of rows in a file format, with the cursor of the page after."""

from collections.abc import Sequence

from stadthub_api.formats import WRITERS, as_geojson
from stadthub_lake.lake import Lake
from stadthub_schemas.dataset import Column
from stadthub_schemas.query import RowsQuery


def page_bytes(lake: Lake, query: RowsQuery, format_: str, columns: Sequence[Column]) -> tuple[bytes, str | None]:
    """The page and its cursor; a file of the whole selection is an export instead."""
    page = lake.rows(query)
    if format_ == "geojson":
        return as_geojson(page.table, columns), page.cursor
    return WRITERS[format_](page.table), page.cursor
