"""The tables of CKAN's people and of what they do: accounts, who belongs where, followers, activities, views, vocabularies."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, Uuid

from stadthub_catalog.tables import UtcTime, metadata

#: The holder of tokens: no person need be named. `seen` is when its dashboard was last read.
account = Table(
    "account",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("fullname", Text),
    Column("about", Text),
    Column("email", Text),
    Column("created", UtcTime, nullable=False),
    Column("state", String(20), nullable=False),
    Column("sysadmin", Boolean, nullable=False),
    Column("seen", UtcTime),
)

#: Who belongs to what: `circle` says whether `target` is the id of an organisation, a group or a dataset.
member = Table(
    "member",
    metadata,
    Column("circle", String(20), primary_key=True),
    Column("target", Uuid, primary_key=True),
    Column("account_id", Uuid, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("capacity", String(20), nullable=False),
    Column("modified", UtcTime, nullable=False),
)

follower = Table(
    "follower",
    metadata,
    Column("kind", String(20), primary_key=True),
    Column("target", Uuid, primary_key=True),
    Column("account_id", Uuid, ForeignKey("account.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("time", UtcTime, nullable=False),
)

#: What was written, newest last; `owner` is the organisation of a dataset, `body` what it was afterwards, in CKAN's words.
activity = Table(
    "activity",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", Uuid, nullable=False, unique=True),
    Column("time", UtcTime, nullable=False),
    Column("account_id", Uuid, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("target", Uuid, nullable=False),
    Column("owner", Uuid),
    Column("body", JSON, nullable=False),
    Index(None, "target", "number"),
    Index(None, "account_id", "number"),
    Index(None, "owner", "number"),
)

#: How a resource may be looked at, in CKAN's words.
view = Table(
    "view",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("resource_id", Uuid, nullable=False, index=True),
    Column("place", BigInteger, nullable=False),
    Column("body", JSON, nullable=False),
)

relationship = Table(
    "relationship",
    metadata,
    Column("subject", Uuid, primary_key=True),
    Column("object", Uuid, primary_key=True),
    Column("type", String(20), primary_key=True),
    Column("comment", Text, nullable=False),
)

#: Lists of keywords that are kept by hand.
vocabulary = Table(
    "vocabulary",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(100), nullable=False, unique=True),
)

term = Table(
    "term",
    metadata,
    Column("vocabulary_id", Uuid, ForeignKey("vocabulary.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(100), primary_key=True),
)
