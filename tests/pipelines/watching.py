"""A hub that is watched, for tests: a catalogue with feeds, and looks at it at chosen times."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from stadthub_catalog.catalog import Catalog
from stadthub_pipelines.alarms import Alarms
from stadthub_pipelines.health import Health
from stadthub_schemas.counts import Counts
from stadthub_schemas.feed import Feed, parse_feed
from stadthub_schemas.settings import Settings
from tests.pipelines.running import METADATA

MINUTE = timedelta(minutes=1)

MQTT = 'type = "mqtt"\nhost = "broker.example"\ntopics = ["a"]'
HTTP = 'type = "http"\nurl = "https://daten.example/air.json"\nevery = "PT1H"'


def feed(name: str = "air", source: str = MQTT, more: str = "", head: str = "") -> Feed:
    """A feed with this source and these further tables."""
    text = f'id = "{name}"\ntitle = "{name}"\ndataset = "{name}"\ndecoder = "json_table"\n{head}\n[source]\n{source}\n{more}\n{METADATA}'
    return parse_feed(text, f"{name}.toml")


@dataclass
class Watched:
    """What a test may do: note how a feed does, let time pass, see what was found."""

    catalog: Catalog
    settings: Settings
    feeds: dict[str, Feed] = field(default_factory=dict)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """What is only in memory is forgotten."""
        self.health = Health(self.catalog, self.settings)
        self.alarms = Alarms(self.catalog, self.settings)

    def add(self, one: Feed, **notes: Any) -> None:
        """A feed that is well, unless the notes say otherwise."""
        self.feeds[one.id] = one
        well = {"title": one.title, "dataset": one.dataset, "source": one.source.type, "connected": True, "last_message": self.now}
        self.catalog.note_feed(one.id, **{**well, **notes})

    def passes(self, minutes: int, **notes: Any) -> None:
        """Minutes go by, with a look each; before the first one this was noted of every feed."""
        for number in range(minutes):
            if notes and number == 0:
                self.catalog.note_feeds(dict.fromkeys(self.feeds, notes))
            self.now += MINUTE
            self.health.look(self.feeds, self.now)

    def brings(self, name: str, rows: int, rejected: int = 0) -> None:
        """Rows that came just now."""
        before = self.catalog.feed(name).counts
        self.catalog.note_feed(name, last_message=self.now, counts=before + Counts(rows, rows - rejected, 0, rejected, 0))

    def found(self, name: str = "air") -> list[str]:
        """The kinds of the open findings."""
        return sorted(one.kind for one in self.catalog.findings(name))


@contextmanager
def watched(folder: Path, **settings: Any) -> Iterator[Watched]:
    """A hub without feeds yet."""
    given = Settings.model_validate({"data_dir": folder, "min_free_mb": 0, **settings})
    catalog = Catalog(given.database)
    catalog.migrate()
    try:
        yield Watched(catalog, given)
    finally:
        catalog.close()
