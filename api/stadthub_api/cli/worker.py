"""`stadthub worker`: the half of a hub that takes data in, by itself."""

from stadthub_api.cli.hub import ConfigOption, DataDirOption, WorkerOption, said
from stadthub_pipelines.__main__ import work
from stadthub_pipelines.logs import configure


def worker(config: ConfigOption = None, data_dir: DataDirOption = None, name: WorkerOption = None) -> None:
    """Run only the half that takes data in; `up` starts it by itself. With a name: one more worker for the MQTT feeds with `shared`.

    [bold]Examples[/bold]

    stadthub worker --data-dir /srv/stadthub

    stadthub worker --data-dir /srv/stadthub --name b
    """
    settings = said(config, data_dir=data_dir, worker=name)
    configure(settings)
    work(settings)
