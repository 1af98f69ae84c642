"""A derived dataset: a file in the folder of feeds with `sql` instead of a source; a question to the hub's datasets becomes one itself."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator

from stadthub_schemas.dataset import AccessClass, Dataset, Kind, Lineage, Metadata, Privacy
from stadthub_schemas.errors import FeedError
from stadthub_schemas.exchange import KINDS, Errand, errand_of
from stadthub_schemas.feed import Feed, Positive, feed_of, mistakes
from stadthub_schemas.model import Name, Strict, Text

#: How open a class is: a dataset must not be more open than what it is made of.
_OPENNESS = {AccessClass.RESTRICTED: 0, AccessClass.INTERNAL: 1, AccessClass.PUBLIC: 2}


class Derived(Strict):
    """One file of a derived dataset. What `sql` reads is found in it."""

    id: Name
    title: Text
    dataset: Name
    kind: Kind = Kind.TABLE
    sql: Annotated[str, StringConstraints(min_length=1, max_length=20_000)] = Field(
        description="one SELECT over datasets of the hub, each named by its name; a hyphen may be written as underscore"
    )
    every: Positive | None = Field(default=None, description="how often it is computed; absent: when data it is made of have changed")
    pause: Positive = Field(default=timedelta(minutes=5), description="how long it waits at least after one computation when data change")
    bucket: Positive | None = Field(
        default=None,
        le=timedelta(days=31),
        description="timeseries: each result depends only on observations of its own bucket, so only buckets that changed are computed",
    )
    widens: Text | None = Field(default=None, description="why more people may see it than see what it is made of")
    key: tuple[str, ...] = ()
    paused: bool = False
    metadata: Metadata

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.kind is Kind.FILES:
            raise ValueError("kind: SQL answers rows: use table, features or timeseries")
        if self.bucket is not None and self.kind is not Kind.TIMESERIES:
            raise ValueError("bucket: only a timeseries is computed in parts: leave it out")
        if self.bucket is not None and timedelta(days=1) % self.bucket and self.bucket % timedelta(days=1):
            raise ValueError("bucket: it must divide a day, or be whole days")
        return self

    def described(self, inputs: Sequence[Dataset]) -> Dataset:
        """The dataset that comes of it: what its inputs say of people holds for it too."""
        privacy = inherited(self.metadata.privacy, inputs)
        lineage = Lineage(inputs=tuple(sorted(one.name for one in inputs)), sql=self.sql)
        metadata = self.metadata.model_copy(update={"privacy": privacy})
        return Dataset(name=self.dataset, kind=self.kind, metadata=metadata, key=self.key, lineage=lineage)

    def oversteps(self, inputs: Sequence[Dataset]) -> list[str]:
        """A sentence for each way in which more people would see it, or smaller counts of people, than its inputs allow."""
        found = []
        private = [one for one in inputs if one.metadata.privacy is not None]
        for one in inputs:
            closed = _closest(one)
            if _OPENNESS[self.metadata.access] > _OPENNESS[closed] and self.widens is None:
                found.append(
                    f"metadata.access: {self.metadata.access} is more open than {one.name}, of which parts are {closed}: "
                    f'write access = "{closed}", or say in widens why more people may see it'
                )
        own = self.metadata.privacy
        for one in private:
            assert one.metadata.privacy is not None
            if own is not None and own.k < one.metadata.privacy.k:
                found.append(
                    f"metadata.privacy.k: {own.k} is less than the {one.metadata.privacy.k} of {one.name}: raise it or leave it out"
                )
        return found


def inherited(own: Privacy | None, inputs: Sequence[Dataset]) -> Privacy | None:
    """The privacy block of a derived dataset: its own, else that of the strictest input; never a smaller k."""
    blocks = [one.metadata.privacy for one in inputs if one.metadata.privacy is not None]
    if not blocks:
        return own
    strictest = max(blocks, key=lambda block: block.k)
    if own is None:
        return strictest.model_copy(update={"counts": (), "smallest": None, "plain": ()})
    return own.model_copy(update={"k": max(own.k, strictest.k)})


def _closest(dataset: Dataset) -> AccessClass:
    """The least open class of a dataset and its columns: any of them may be in the answer."""
    classes = [dataset.metadata.access, *(words.access for words in dataset.metadata.columns.values())]
    return min(classes, key=lambda one: _OPENNESS[one])


def input_name(table: str) -> str:
    """The dataset that a table of the SQL means."""
    return table.lower().replace("_", "-")


#: What can stand in a file of the folder.
FolderFile = Feed | Derived | Errand


def load_file(path: Path) -> FolderFile:
    """Read a file of the folder, whichever it is; FeedError holds a sentence for each mistake."""
    try:
        return parse_file(path.read_text("utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise FeedError(f"{path.name}: it can't be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from error


def parse_file(text: str, file_name: str) -> FolderFile:
    """The feed, the derived dataset, the harvest or the publication in this TOML text; FeedError holds a sentence for each mistake."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FeedError(f"{file_name}: {error}") from error
    if KINDS.keys() & document.keys():
        return errand_of(document, file_name)
    return derived_of(document, file_name) if "sql" in document else feed_of(document, file_name)


def derived_of(document: Mapping[str, Any], file_name: str) -> Derived:
    """The derived dataset in a document; FeedError holds a sentence for each mistake."""
    try:
        return Derived.model_validate(document)
    except ValidationError as error:
        raise FeedError("\n".join(f"{file_name}: {sentence}" for sentence in mistakes(error, Derived))) from error
