"""The one base of all models: frozen, and every unknown key is a mistake that is told."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints


class Strict(BaseModel):
    """A model that says what is wrong instead of guessing."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


#: A word that becomes a folder, a URL and a CKAN name: `[a-z][a-z0-9-]{1,99}`.
NAME = r"^[a-z][a-z0-9-]{1,99}$"
Name = Annotated[str, StringConstraints(pattern=NAME)]

#: What CKAN lets a dataset or an organisation be called: more than our own names, so that every catalogue can be taken in.
CATALOG_NAME = r"^[a-z0-9_-]{2,100}$"
CatalogName = Annotated[str, StringConstraints(pattern=CATALOG_NAME)]

#: A column of a dataset: lower case, digits and underscores, so that it is one word in every query language.
COLUMN_NAME = r"^[a-z][a-z0-9_]{0,62}$"
ColumnName = Annotated[str, StringConstraints(pattern=COLUMN_NAME)]

#: What a pattern means, for those who wrote something else.
SHAPES = {
    NAME: "a name has 2 to 100 small letters (a-z), digits and hyphens, and begins with a letter",
    CATALOG_NAME: "a name has 2 to 100 small letters (a-z), digits, hyphens and underscores",
    COLUMN_NAME: "a column's name has 1 to 63 small letters (a-z), digits and underscores, and begins with a letter",
}

#: Text that a reader sees: never empty.
Text = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
