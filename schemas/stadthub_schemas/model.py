"""The one base of all models: frozen, and every unknown key is a mistake that is told."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints


class Strict(BaseModel):
    """A model that says what is wrong instead of guessing."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


#: A word that becomes a folder, a URL and a CKAN name: `[a-z][a-z0-9-]{1,99}`.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,99}$")]

#: A column of a dataset: lower case, digits and underscores, so that it is one word in every query language.
ColumnName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,62}$")]

#: Text that a reader sees: never empty.
Text = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
