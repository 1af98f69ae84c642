"""The folder of feed files: which feeds there are, what changed since the last look, and which files are wrong."""

from dataclasses import dataclass, field
from pathlib import Path

from stadthub_catalog.land_portals import errand_mistakes
from stadthub_ingest.judge import Judge
from stadthub_ingest.reducing import counts_people
from stadthub_pipelines.lineage import Model, read_model, trace
from stadthub_schemas.dataset import Dataset, Kind
from stadthub_schemas.derived import Derived, load_file
from stadthub_schemas.errors import FeedError
from stadthub_schemas.exchange import Errand
from stadthub_schemas.feed import Feed, MqttSource


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the folder found: the feeds and models that are right, with the dataset of each, the sentences about wrong
    files, and what is harvested and published."""

    feeds: dict[str, Feed] = field(default_factory=dict)
    models: dict[str, Model] = field(default_factory=dict)
    datasets: dict[str, Dataset] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)
    errands: dict[str, Errand] = field(default_factory=dict)

    @property
    def known(self) -> set[str]:
        """The ids of all that is there, right or wrong."""
        return {*self.feeds, *self.models, *self.wrong, *self.errands}

    def shared(self) -> "Look":
        """What a further worker takes part in: the timeseries whose messages a broker shares out."""
        feeds = {name: feed for name, feed in self.feeds.items() if isinstance(feed.source, MqttSource) and feed.source.shared}
        feeds = {name: feed for name, feed in feeds.items() if feed.kind is Kind.TIMESERIES}
        return Look(feeds, datasets={name: self.datasets[name] for name in feeds})


class FeedFolder:
    """Reads a feed file again only when it changed; a file that became wrong leaves its last right feed in force."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamps: dict[Path, tuple[int, int]] = {}
        self._right: dict[Path, Feed] = {}
        self._models: dict[Path, Model] = {}
        self._errands: dict[Path, Errand] = {}
        self._wrong: dict[Path, str] = {}
        self._in_force: frozenset[Path] = frozenset()

    def look(self) -> Look | None:
        """The whole folder as it is in force now, or None when nothing changed since the last look."""
        stamps = _stamps(self._folder)
        if stamps == self._stamps and self._stamps:
            return None
        for path in set(self._stamps) - set(stamps):
            self._right.pop(path, None)
            self._models.pop(path, None)
            self._errands.pop(path, None)
            self._wrong.pop(path, None)
        for path, stamp in stamps.items():
            if self._stamps.get(path) != stamp:
                self._read(path)
        self._stamps = stamps
        return self._together()

    def _read(self, path: Path) -> None:
        """Take the file up if it is right, else remember what is wrong with it."""
        try:
            found = load_file(path)
            if isinstance(found, Derived):
                model = read_model(found, path.name)
                self._forget(path)
                self._models[path] = model
            elif isinstance(found, Feed):
                Judge(found)
                self._forget(path)
                self._right[path] = found
            else:
                for sentence in errand_mistakes(found):
                    raise FeedError(f"{path.name}: {sentence}")
                self._forget(path)
                self._errands[path] = found
        except FeedError as error:
            self._wrong[path] = str(error)
        else:
            self._wrong.pop(path, None)

    def _forget(self, path: Path) -> None:
        """What stood in the file before, whatever it was."""
        for one in (self._right, self._models, self._errands):
            one.pop(path, None)

    def _together(self) -> Look:
        """What can only be seen over all files: ids given twice, datasets described never or twice."""
        feeds: dict[str, Feed] = {}
        wrong = {self._name(path): sentence for path, sentence in self._wrong.items()}
        described: dict[str, Dataset] = {}
        by: dict[str, str] = {}
        in_force = set()
        for path, feed in sorted(self._right.items(), key=lambda one: self._turn(one[0], one[1].id)):
            if feed.id in feeds:
                wrong[path.stem] = f"{path.name}: id: {feed.id!r} is the id of another feed file too: give each its own"
                continue
            feeds[feed.id] = feed
            dataset = feed.described()
            if dataset is not None and dataset.name in described:
                wrong[feed.id] = (
                    f"{path.name}: metadata: dataset {dataset.name!r} is described by feed {by[dataset.name]!r} already: keep one of the two"
                )
                del feeds[feed.id]
                continue
            in_force.add(path)
            if dataset is not None:
                described[dataset.name], by[dataset.name] = dataset, feed.id
        self._in_force = frozenset(in_force)
        for feed in list(feeds.values()):
            reason = _misfit(feed, described)
            if reason is not None:
                wrong[feed.id] = reason
                del feeds[feed.id]
        datasets = {feed.id: described[feed.dataset] for feed in feeds.values()}
        return self._with_models(Look(feeds, {}, datasets, wrong), described)

    def _turn(self, path: Path, key: str) -> tuple[bool, bool, Path]:
        """Who comes first may keep an id: the file that had it at the last look, then the one that is named after it."""
        return path not in self._in_force, path.stem != key, path

    def _with_models(self, look: Look, described: dict[str, Dataset]) -> Look:
        """The same with the derived datasets that can be computed."""
        models: dict[str, Model] = {}
        for path, model in sorted(self._models.items()):
            key = model.derived.id
            if key in models or key in look.feeds:
                look.wrong[path.stem] = f"{path.name}: id: {key!r} is the id of another feed file too: give each its own"
            else:
                models[key] = model
        lineages = trace(models, described)
        wrong = {key: "\n".join(f"{key}: {sentence}" for sentence in sentences) for key, sentences in lineages.wrong.items()}
        errands: dict[str, Errand] = {}
        for path, errand in sorted(self._errands.items()):
            if errand.id in errands or errand.id in look.feeds or errand.id in models:
                wrong[path.stem] = f"{path.name}: id: {errand.id!r} is the id of another feed file too: give each its own"
            else:
                errands[errand.id] = errand
        return Look(look.feeds, dict(lineages.models), {**look.datasets, **lineages.datasets}, {**look.wrong, **wrong}, errands)

    def _name(self, path: Path) -> str:
        """The id of what a file held when it was right; else the file's own name."""
        if path in self._right:
            return self._right[path].id
        if path in self._errands:
            return self._errands[path].id
        return self._models[path].derived.id if path in self._models else path.stem


def _misfit(feed: Feed, described: dict[str, Dataset]) -> str | None:
    """Why this feed can't write to its dataset, or None."""
    if feed.dataset not in described:
        return f"{feed.id}: metadata: no feed file describes dataset {feed.dataset!r}: add a [metadata] table to one of its feeds"
    if described[feed.dataset].kind is not feed.kind:
        return f"{feed.id}: kind: dataset {feed.dataset!r} is {described[feed.dataset].kind}, this feed says {feed.kind}"
    if counts_people(feed) and described[feed.dataset].metadata.privacy is None:
        return f"{feed.id}: metadata.privacy: missing: decoder {feed.decoder} reads of people: say purpose and legal_basis"
    return None


def _stamps(folder: Path) -> dict[Path, tuple[int, int]]:
    """Modification time and size of each feed file."""
    found: dict[Path, tuple[int, int]] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        found[path] = (status.st_mtime_ns, status.st_size)
    return found
