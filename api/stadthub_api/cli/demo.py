"""`stadthub demo`: a hub over a simulated city."""

from pathlib import Path

from stadthub_api import demo as city
from stadthub_api.cli.hub import ConfigOption, DataDirOption, HostOption, PortOption, said
from stadthub_api.cli.serve import as_the_only_one, listen, serve

#: Where the simulated city keeps its data if nothing else is said.
DEMO_DIR = Path("stadthub-data/demo")


def demo(config: ConfigOption = None, data_dir: DataDirOption = None, host: HostOption = None, port: PortOption = None) -> None:
    """Start a hub with the simulated city Musterstadt: sensors, counters, car parks, maps. A second start keeps the data.

    [bold]Examples[/bold]

    stadthub demo

    stadthub demo --port 8080 --data-dir /tmp/musterstadt
    """
    settings = said(config, data_dir=data_dir, host=host, port=port)
    if "data_dir" not in settings.model_fields_set:
        settings = settings.model_copy(update={"data_dir": DEMO_DIR})
    with as_the_only_one(settings):
        listening = listen(settings)
        simulated = city.start(settings)
        try:
            hosts = (*settings.allowed_hosts, *simulated.allowed_hosts)
            serve(settings.model_copy(update={"allowed_hosts": tuple(dict.fromkeys(hosts))}), listening)
        finally:
            simulated.stop()
