"""One derived dataset, computed where no worker does it: as a dress rehearsal, or for good."""

from contextlib import ExitStack
from pathlib import Path

from stadthub_catalog.catalog import Catalog
from stadthub_lake.derivation import Workshop
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_lake.store import Store
from stadthub_pipelines.derive import Derivation, rooms
from stadthub_pipelines.lineage import Model
from stadthub_pipelines.publish import Publisher
from stadthub_pipelines.trial import SHOWN, Trial
from stadthub_schemas.counts import Counts
from stadthub_schemas.dataset import Dataset
from stadthub_schemas.errors import NotFound, SourceError
from stadthub_schemas.settings import Settings, make_data_dir


def try_model(model: Model, dataset: Dataset, settings: Settings) -> Trial:
    """What would come of it over the data of this hub; nothing is written. QueryError, SourceError where there are no data yet."""
    reader = Reader(settings.lake, settings.data_dir)
    try:
        snapshots = [reader.snapshot(name) for name in model.inputs]
    except NotFound as error:
        raise _nothing_yet(model) from error
    if any(not one.columns or one.rows == 0 for one in snapshots):
        raise _nothing_yet(model)
    with ExitStack() as stack:
        workshop = Workshop(reader, settings.time_zone, settings.query_seconds * 10, settings.query_memory_mb)
        stack.callback(workshop.close)
        found = workshop.derive(model.derived.sql, snapshots, dataset, None)
    rows = found.rows
    return Trial(
        columns=tuple((name, str(rows.schema.field(name).type)) for name in rows.column_names),
        accepted=rows.slice(0, SHOWN),
        rejects=found.rejects,
        counts=Counts(found.received, rows.num_rows, 0, found.rejects.num_rows, 0),
        dataset=dataset,
        page=f"{settings.url}/datasets/{dataset.name}",
        payloads=1,
    )


def compute_once(model: Model, dataset: Dataset, settings: Settings) -> Derivation:
    """Compute it and publish what came of it. SourceError where there are no data yet; other trouble is in its `error`."""
    make_data_dir(settings.data_dir)
    with ExitStack() as stack:
        catalog = Catalog(settings.database)
        stack.callback(catalog.close)
        catalog.migrate()
        store = Store(settings.lake, settings.data_dir)
        stack.callback(store.close)
        reader = Reader(settings.lake, settings.data_dir)
        lake = Lake(reader, settings.threads)
        stack.callback(lake.close)
        derivation = Derivation(model, dataset, rooms(settings, reader, store, catalog))
        catalog.note_feed(model.derived.id, **derivation.state())
        if not derivation.compute():
            raise _nothing_yet(model)
        publisher = Publisher(reader, lake, catalog, Path(settings.data_dir) / "distributions", 0.0)
        publisher.announce(dataset, model.derived.id)
        publisher.write_files(dataset, model.derived.id)
        return derivation


def _nothing_yet(model: Model) -> SourceError:
    return SourceError(f"{model.derived.id}: {' or '.join(model.inputs)} has no data yet: run its feed first")
