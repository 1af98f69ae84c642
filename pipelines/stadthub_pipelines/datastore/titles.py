"""What the header of a resource's file calls its columns: kept beside the rows that were loaded, as their data dictionary."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from stadthub_lake.storage import read_json, storing, write_json
from stadthub_schemas.dataset import Column, ColumnWords

#: In the folder of the table, so that it goes with it.
FILE = "titles.json"


def keep(root: Path, table: str, words: Mapping[str, ColumnWords]) -> None:
    """Note titles and units of the table's columns, in place of those of the file before. StorageError."""
    said = {name: {"title": one.title, "unit": one.unit} for name, one in words.items() if one.title or one.unit}
    with storing(table):
        write_json(root / table / FILE, said)


def titled(root: Path, table: str, columns: Sequence[Column]) -> dict[str, Column]:
    """The columns by name, with the words of the file's header."""
    said = read_json(root / table / FILE) or {}
    return {
        one.name: one.model_copy(update={"title": told["title"] or "", "unit": told["unit"]})
        for one in columns
        if (told := said.get(one.name))
    }
