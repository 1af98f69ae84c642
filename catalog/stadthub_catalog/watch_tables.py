"""The tables of what is watched: feeds by the hour, trouble and who was told of it, history that is taken in."""

from sqlalchemy import JSON, BigInteger, Column, Float, Integer, String, Table, Text

from stadthub_catalog.tables import UtcTime, metadata

#: What each feed brought in each hour (in UTC), and its longest pause that ended in it: out of these its usual rhythm and volume are read.
feed_hour = Table(
    "feed_hour",
    metadata,
    Column("feed", String(100), primary_key=True),
    Column("hour", UtcTime, primary_key=True),
    Column("received", BigInteger, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("dropped", BigInteger, nullable=False),
    Column("pause_seconds", Float, nullable=False),
)

#: Trouble that is or was told: one for everything that one cause brought about. `channels` is the feed that names its own, or empty.
incident = Table(
    "incident",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("channels", String(100), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("subject", String(300), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("feeds", JSON, nullable=False),
    Column("opened", UtcTime, nullable=False),
    Column("told", UtcTime, nullable=False),
    Column("closed", UtcTime, index=True),
)

#: Messages on their way to one channel each; `channel` names it without its secrets.
alert = Table(
    "alert",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("channels", String(100), nullable=False),
    Column("channel", String(200), nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("severity", String(10), nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt", UtcTime, index=True),
    Column("delivered", UtcTime),
    Column("error", Text),
)

#: History that is taken in beside the live feed: what was asked for, how far it is, and what became of its rows.
backfill = Table(
    "backfill",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("feed", String(100), nullable=False, index=True),
    Column("first", UtcTime),
    Column("last", UtcTime),
    Column("step_seconds", Float),
    Column("path", Text),
    Column("mark", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("stored", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("dropped", BigInteger, nullable=False),
    Column("run", Integer),
    Column("error", Text),
    Column("created", UtcTime, nullable=False),
    Column("ended", UtcTime),
)
