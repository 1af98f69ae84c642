"""A feed: where data come from, how they are read, what they become. One TOML file each, every mistake told at once."""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from stadthub_schemas.dataset import Dataset, Kind, Metadata, Privacy, Release
from stadthub_schemas.errors import FeedError
from stadthub_schemas.expect import Expect
from stadthub_schemas.model import SHAPES, Name, Strict, Text
from stadthub_schemas.schedule import Address, Schedule, is_windowed

Positive = Annotated[timedelta, Field(gt=timedelta(0))]
Bytes = Annotated[int, Field(ge=1)]

_REFERENCE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}|^file:(/\S+)$")


def _reference(secret: SecretStr) -> SecretStr:
    if not _REFERENCE.search(secret.get_secret_value()):
        raise ValueError("a secret must not stand in a feed file: write ${VARIABLE} or file:/path/of/the/secret")
    return secret


#: Names a secret, never holds it.
Secret = Annotated[SecretStr, AfterValidator(_reference)]


class TokenAuth(Strict):
    """A header with a secret. `value` is `${VARIABLE}` or `file:/path`, with words around it if need be (`Bearer ${TOKEN}`)."""

    header: str = "Authorization"
    value: Secret


class MqttSource(Strict):
    """Subscribe to a broker. A message is acknowledged after it is durably written, never before."""

    type: Literal["mqtt"]
    host: str
    port: int = Field(default=1883, ge=1, le=65535)
    topics: tuple[str, ...] = Field(min_length=1)
    qos: Literal[0, 1, 2] = 1
    version: Literal["5", "3.1.1"] = "5"
    client_id: str | None = Field(default=None, description="absent: stadthub-<feed>; it names the persistent session")
    username: str | None = None
    password: Secret | None = None
    tls: bool = False
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    keep_alive: timedelta = timedelta(seconds=30)
    session_expiry: timedelta = Field(
        default=timedelta(days=7), description="how long the broker keeps messages for an absent hub (MQTT 5)"
    )
    in_flight: int = Field(default=1000, ge=1, le=65535, description="how many messages may be unacknowledged")
    shared: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9_-]+$", description="the name of a shared subscription, for several workers"
    )
    max_bytes: Bytes = 1_000_000


class Paging(Strict):
    """How to get the next page: a link in the answer, a growing offset, or a cursor out of the answer."""

    by: Literal["link", "offset", "cursor"]
    path: str | None = Field(
        default=None,
        description="where the next link, the cursor, or the rows or their number stand in the answer, with dots; for link: absent means "
        "the Link header",
    )
    more: str | None = Field(
        default=None, description="for offset: what says in the answer that there is a further page; absent: until a page is empty"
    )
    parameter: str = "offset"
    page_size: int | None = Field(default=None, ge=1)
    size_parameter: str = "limit"
    max_pages: int = Field(default=1000, ge=1)


class HttpSource(Strict):
    """Fetch a URL every so often. `{start}`, `{end}` and `{time}` in it take the times of the turn."""

    type: Literal["http"]
    url: Address
    every: Positive = timedelta(hours=1)
    auth: TokenAuth | None = None
    headers: dict[str, str] = Field(default_factory=dict)
    paging: Paging | None = None
    timeout: Positive = timedelta(seconds=30)
    max_bytes: Bytes = 200_000_000
    retries: int = Field(default=3, ge=0, le=10)


class PushSource(Strict):
    """Wait for authenticated POSTs to /api/v1/feeds/<id>/push; the token must have the dataset in its scope."""

    type: Literal["push"]
    max_bytes: Bytes = 10_000_000


class FileSource(Strict):
    """Read a file, or every file that comes into a folder; .gz, .xz and .zip are unpacked within bounds."""

    type: Literal["file"]
    path: Path
    pattern: str = "*"
    every: Positive = timedelta(seconds=60)
    max_bytes: Bytes = Field(default=2_000_000_000, description="of one unpacked file")
    unpack: bool = Field(default=True, description="false: an archive is itself the payload, such as a timetable")


class UploadSource(Strict):
    """Read a file that was uploaded to this hub: once, and again when another takes its place."""

    every: ClassVar[timedelta] = timedelta(days=1)  # another file has another address: this only tells that it is still there

    type: Literal["upload"]
    file: str = Field(
        pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/[a-z0-9_][a-z0-9_-]{0,109}(\.[a-z0-9]{1,20})?$",
        description="where it lies below data_dir/uploads: the hub writes it when a file is imported",
    )
    max_bytes: Bytes = Field(default=2_000_000_000, description="of the file")
    unpack: bool = Field(default=True, description="false: an archive is itself the payload, such as a shapefile")


Source = Annotated[MqttSource | HttpSource | PushSource | FileSource | UploadSource, Field(discriminator="type")]

#: Sources that are asked, each in its turn; to the others data come by themselves.
AskedSource = HttpSource | FileSource | UploadSource


class Rules(Strict):
    """What the judge lets pass beyond its table of observed properties."""

    ranges: dict[str, tuple[float, float]] = Field(
        default_factory=dict, description="plausible range by observed property, in its stored unit"
    )
    units: dict[str, str] = Field(default_factory=dict, description="the UCUM unit in which an observed property is stored")
    future: timedelta = Field(default=timedelta(minutes=10), description="how far ahead of now an observation may be")
    oldest: timedelta | None = Field(default=None, description="how old an observation may be; absent: any age since 1900")


class Contract(StrEnum):
    """What a payload that looks other than usual may do. `evolve`: it is taken, what is new in it too; `freeze`: only what is known
    is taken, and a payload that lacks a column is refused; `quarantine`: it is put aside whole until an operator has looked."""

    EVOLVE = "evolve"
    FREEZE = "freeze"
    QUARANTINE = "quarantine"


class Feed(Strict):
    """One feed file."""

    id: Name
    title: Text
    dataset: Name
    kind: Kind = Kind.TIMESERIES
    decoder: str = Field(pattern=r"^[a-z][a-z0-9_]{1,60}$")
    source: Source
    schedule: Schedule = Schedule()
    expect: Expect = Expect()
    alerts: tuple[Secret, ...] | None = Field(default=None, description="whom to tell of trouble; absent: as STADTHUB_ALERTS says")
    options: dict[str, Any] = Field(default_factory=dict)
    rules: Rules = Rules()
    metadata: Metadata | None = Field(default=None, description="absent where another feed describes the same dataset")
    key: tuple[str, ...] = ()
    paused: bool = False
    contract: Contract = Field(default=Contract.EVOLVE, description="what a payload that looks other than usual may do")
    renames: dict[str, str] = Field(
        default_factory=dict, description="new names of columns and the ones that they had: `Neue Spalte` = `Alte Spalte`"
    )
    raw_days: int = Field(default=30, ge=1, description="how many days the raw log is kept for replay")

    @field_validator("kind")
    @classmethod
    def _has_rows(cls, kind: Kind) -> Kind:
        if kind is Kind.FILES:
            raise ValueError("a feed brings rows: use timeseries, features or table")
        return kind

    @model_validator(mode="after")
    def _schedule_fits(self) -> "Feed":
        said = self.schedule
        if isinstance(self.source, AskedSource):
            windowed = isinstance(self.source, HttpSource) and is_windowed(self.source.url)
            if said.window is not None and not windowed:
                raise ValueError("schedule.window: source.url asks for no time: put {start} and {end} into it")
            if said.catch_up == "all" and not windowed:
                raise ValueError("schedule.catch_up: all needs {start}, {end} or {time} in source.url: without them each fetch is the same")
        elif said != Schedule():
            raise ValueError(f"schedule: to a {self.source.type} feed data come by themselves: remove it")
        return self

    def described(self) -> Dataset | None:
        """The dataset that this feed describes, or None where another feed does."""
        if self.metadata is None:
            return None
        return Dataset(name=self.dataset, kind=self.kind, metadata=self.metadata, key=self.key)


def reveal(secret: SecretStr, environment: Mapping[str, str] = os.environ) -> str:
    """The secret itself, out of the environment or its file; FeedError names what is missing, never what is there."""

    def one(match: re.Match[str]) -> str:
        variable, path = match.groups()
        if variable is not None:
            if variable not in environment:
                raise FeedError(f"the environment variable {variable} is not set: set it or mend the feed file")
            return environment[variable]
        try:
            return Path(path).read_text("utf-8").strip()
        except OSError as error:
            raise FeedError(f"the secret file can't be read: {error.strerror}") from error

    return _REFERENCE.sub(one, secret.get_secret_value())


def load_feed(path: Path) -> Feed:
    """Read one feed file, or say in one sentence for each mistake what is wrong with it."""
    try:
        return parse_feed(path.read_text("utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise FeedError(f"{path.name}: it can't be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from error


def parse_feed(text: str, file_name: str) -> Feed:
    """The feed in this TOML text; FeedError holds a sentence for each mistake, each with file and key."""
    try:
        return feed_of(tomllib.loads(text), file_name)
    except tomllib.TOMLDecodeError as error:
        raise FeedError(f"{file_name}: {error}") from error


def feed_of(document: Mapping[str, Any], file_name: str) -> Feed:
    """The feed in a document; FeedError holds a sentence for each mistake."""
    try:
        return Feed.model_validate(document)
    except ValidationError as error:
        raise FeedError("\n".join(f"{file_name}: {sentence}" for sentence in mistakes(error, Feed))) from error


def mistakes(error: ValidationError, model: type[Strict], parts: Sequence[type[Strict]] = ()) -> list[str]:
    """A sentence for each mistake: the key with dots, what is wrong, and the nearest right key for an unknown one. `parts` are the
    tables of a file that is no feed."""
    known = {name for one in parts for name in one.model_fields} or _keys(model)
    return [_sentence(detail, known) for detail in error.errors()]


def _sentence(detail: ErrorDetails, keys: set[str]) -> str:
    place = ".".join(str(part) for part in detail["loc"] if part not in ("mqtt", "http", "push", "file", "upload"))
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(detail["loc"][-1]), sorted(keys), n=1)
        return f"{place}: there is no such key" + (f": did you mean {near[0]}?" if near else "")
    message = SHAPES.get(str(detail.get("ctx", {}).get("pattern")), detail["msg"].removeprefix("Value error, "))
    return f"{place}: {message}" if place and not message.startswith(place) else message


def _keys(model: type[Strict]) -> set[str]:
    """All keys that stand anywhere in a feed file."""
    parts = (MqttSource, HttpSource, PushSource, FileSource, UploadSource, Paging, TokenAuth, Rules, Expect, Schedule)
    models: list[type[Strict]] = [model, Metadata, Privacy, Release, *parts]
    return {name for one in models for name in one.model_fields}
