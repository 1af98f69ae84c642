"""The tables of what is harvested and published: what each run did, to which dataset, and how each one stands."""

from sqlalchemy import JSON, BigInteger, Column, Integer, String, Table, Text, Uuid

from stadthub_catalog.tables import UtcTime, metadata

#: What one run of a harvest or a publication did, in numbers that add up. `run` is the number of the feed's run.
exchange_run = Table(
    "exchange_run",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("feed", String(100), nullable=False, index=True),
    Column("found", BigInteger, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("unchanged", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("skipped", BigInteger, nullable=False),
    Column("withdrawn", BigInteger, nullable=False),
    Column("spared", BigInteger, nullable=False),
    Column("before", BigInteger, nullable=False),
    Column("after", BigInteger, nullable=False),
)

#: What became of each dataset in a run.
exchange_outcome = Table(
    "exchange_outcome",
    metadata,
    Column("run", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("item", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("reason", Text, nullable=False),
)

#: The datasets of harvested catalogues: `item` is the digest of the identifier there. `state`: there, or withdrawn.
harvested = Table(
    "harvested",
    metadata,
    Column("feed", String(100), primary_key=True),
    Column("item", String(64), primary_key=True),
    Column("key", Text, nullable=False),
    Column("dataset_id", Uuid, nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("body", JSON, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("state", String(20), nullable=False),
    Column("first_time", UtcTime, nullable=False),
    Column("changed_time", UtcTime, nullable=False),
    Column("run", Integer, nullable=False),
)

#: The datasets that were brought to foreign catalogues, and what they are called there. `rows`: which rows they have there. `state`: there, or withdrawn.
published = Table(
    "published",
    metadata,
    Column("feed", String(100), primary_key=True),
    Column("dataset_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("foreign_id", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("rows", String(64), nullable=False),
    Column("state", String(20), nullable=False),
    Column("changed_time", UtcTime, nullable=False),
)
