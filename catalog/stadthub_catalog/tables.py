"""The tables of the state database. The migrations make them; a test holds both equal on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    false,
)
from sqlalchemy.dialects.postgresql import TEXT


class UtcTime(TypeDecorator[datetime]):
    """An aware time in UTC, in and out; a naive one is a mistake of the program."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The time in UTC; SQLite stores it without its zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone can't be stored")
        moved = value.astimezone(UTC)
        return moved.replace(tzinfo=None) if dialect.name == "sqlite" else moved

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 (SQLAlchemy's signature)
        """The stored time, aware again."""
        if value is None:
            return None
        stored: datetime = value
        return stored.replace(tzinfo=UTC) if stored.tzinfo is None else stored.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

#: Numbers that several processes must agree on: `datasets` grows with every change of the catalogue, `audit` counts its entries.
counter = Table(
    "counter",
    metadata,
    Column("name", String(30), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

organization = Table(
    "organization",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("image_url", Text, nullable=False, server_default=""),
    Column("state", String(20), nullable=False, server_default="active"),
    Column("extras", JSON, nullable=False, server_default="[]"),
)

#: Groups of datasets as CKAN has them, beside the themes, which are groups too.
group = Table(
    "group",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("image_url", Text, nullable=False, server_default=""),
    Column("state", String(20), nullable=False, server_default="active"),
    Column("extras", JSON, nullable=False, server_default="[]"),
)

#: `change` is the value of the counter when the row was last written: readers load only what is newer than what they have.
#: `document` is what was written through CKAN's API; null where a feed file describes the dataset.
dataset = Table(
    "dataset",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
    Column("organization_id", Uuid, ForeignKey("organization.id"), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("feed", String(100), nullable=False),
    Column("words", JSON, nullable=False),
    Column("columns", JSON, nullable=False),
    Column("extent", JSON, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("modified", UtcTime, nullable=False),
    Column("change", BigInteger, nullable=False, index=True),
    Column("document", JSON(none_as_null=True)),
)

distribution = Table(
    "distribution",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("dataset_id", Uuid, ForeignKey("dataset.id", ondelete="CASCADE"), nullable=False),
    Column("place", Integer, nullable=False),
    Column("format", String(30), nullable=False),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("size", BigInteger),
    Column("sha256", String(64), nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("modified", UtcTime),
    UniqueConstraint("dataset_id", "url"),
)

tag = Table(
    "tag",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
)

dataset_tag = Table(
    "dataset_tag",
    metadata,
    Column("dataset_id", Uuid, ForeignKey("dataset.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", Uuid, ForeignKey("tag.id"), primary_key=True, index=True),
)

feed = Table(
    "feed",
    metadata,
    Column("feed", String(100), primary_key=True),
    Column("title", Text, nullable=False),
    Column("dataset", String(100), nullable=False, index=True),
    Column("source", String(30), nullable=False),
    Column("connected", Boolean, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("wrong", Text),
    Column("error", Text),
    Column("last_message_time", UtcTime),
    Column("last_commit_time", UtcTime),
    Column("next_run_time", UtcTime),
    Column("lag_seconds", Float),
    Column("rate_per_minute", Float),
    Column("position", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("dropped", BigInteger, nullable=False),
    Column("source_state", JSON, nullable=False),
    Column("quarantine", Text),
    Column("held", Boolean, nullable=False, server_default=false()),
    Column("wanted_run", UtcTime),
    Column("replay_since", UtcTime),
    Column("frames_received", BigInteger, nullable=False, server_default="0"),
    Column("frames_missing", BigInteger, nullable=False, server_default="0"),
    Column("frames_restarts", BigInteger, nullable=False, server_default="0"),
    Column("last_success_time", UtcTime),
    Column("silent_until", UtcTime),
)

run = Table(
    "run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("feed", String(100), nullable=False),
    Column("started", UtcTime, nullable=False),
    Column("ended", UtcTime),
    Column("received", BigInteger, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("dropped", BigInteger, nullable=False),
    Column("error", Text),
    Index(None, "feed", "id"),
)

#: `holder` is the name of the account; null: the token's own name.
token = Table(
    "token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False, index=True),
    Column("holder", String(200)),
    Column("prefix", String(12), nullable=False, index=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("role", String(20), nullable=False),
    Column("datasets", JSON(none_as_null=True)),
    Column("columns", JSON(none_as_null=True)),
    Column("actions", JSON(none_as_null=True)),
    Column("purpose", Text, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("expires", UtcTime),
    Column("last_used", UtcTime),
    Column("revoked", UtcTime),
)

#: An append-only chain: each entry's digest covers the one before it. `details` is the canonical JSON that was digested.
audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("time", String(32), nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("on", Text, nullable=False),
    Column("details", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
)

#: Sorted by code point on both databases, so that a page goes on where the last one ended.
_Key = Text().with_variant(TEXT(collation="C"), "postgresql")

#: The hot store: what all rows of a datastream share, as fragments of their JSON, and the time of its newest row. `written` grows
#: with every row and says when to cut. Times are microseconds since 1970, which both databases compare alike.
latest = Table(
    "latest",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("dataset", String(100), nullable=False),
    Column("datastream", _Key, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("identity", Text, nullable=False),
    Column("thing_name", Text, nullable=False),
    Column("observed_property", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("place", Text, nullable=False),
    Column("written", Integer, nullable=False),
    UniqueConstraint("dataset", "datastream"),
)

#: The last rows of each datastream: their JSON with marks where the words belong that the datastream shares.
recent = Table(
    "recent",
    metadata,
    Column("latest_id", Integer, ForeignKey("latest.id", ondelete="CASCADE"), primary_key=True),
    Column("time", BigInteger, primary_key=True),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

#: What was noticed about feeds: one row for each feed, kind and subject. What comes back after it was resolved begins anew.
finding = Table(
    "finding",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("feed", String(100), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("details", JSON, nullable=False),
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Column("resolved_time", UtcTime),
    Column("count", BigInteger, nullable=False),
    UniqueConstraint("feed", "kind", "subject"),
)

#: What the good payloads of a feed look like.
profile = Table(
    "profile",
    metadata,
    Column("feed", String(100), primary_key=True),
    Column("body", JSON, nullable=False),
    Column("written", UtcTime, nullable=False),
)

#: Payloads in quarantine, by their place in the raw log, which keeps them.
held = Table(
    "held",
    metadata,
    Column("feed", String(100), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("received_time", UtcTime, nullable=False),
    Column("name", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("differences", JSON, nullable=False),
    Column("state", String(20), nullable=False),
    Column("release_position", BigInteger),
    Column("decided_time", UtcTime),
    Column("decided_by", Text, nullable=False),
)
