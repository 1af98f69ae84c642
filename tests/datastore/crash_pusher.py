"""A program that pushes until it is killed: `python -m tests.datastore.crash_pusher FOLDER`; it says each call that was answered."""

import sys
from pathlib import Path

import orjson

from stadthub_catalog import Catalog
from stadthub_catalog.actions import Caller, answer
from stadthub_catalog.site import Site
from stadthub_lake.lake import Lake
from stadthub_lake.snapshot import Reader
from stadthub_pipelines.datastore.actions import actions_over
from stadthub_pipelines.datastore.opened import Rooms
from stadthub_schemas.access import Principal, Role
from stadthub_schemas.settings import Settings

BATCH = 50


def main(folder: Path) -> None:
    """Every third call makes a new table, the others put rows in and change all that are there."""
    settings = Settings(data_dir=folder)
    catalog = Catalog(settings.database)
    catalog.migrate()
    reader = Reader(settings.lake, settings.data_dir)
    rooms = Rooms(reader, Lake(reader), Path(settings.lake))
    caller = Caller(Principal("boss", Role.ADMIN), more=actions_over(rooms))

    def call(action: str, **said: object) -> dict[str, object]:
        result = answer(catalog, action, said, caller, Site(title="x", url="https://x.example"), None).result
        found: dict[str, object] = orjson.loads(result) if isinstance(result, bytes) else result
        return found

    call("organization_create", name="amt", title="Amt")
    call("package_create", name="tafeln", owner_org="amt")
    fields = [{"id": "n", "type": "int"}, {"id": "round", "type": "int"}]
    while True:
        made = call(
            "datastore_create",
            resource={"package_id": "tafeln"},
            fields=fields,
            primary_key="n",
            records=[{"n": n, "round": 0} for n in range(BATCH)],
        )
        key = made["resource_id"]
        print(f"{key} 0 {BATCH}", flush=True)
        for turn in range(1, 6):
            rows = (turn + 1) * BATCH
            call("datastore_upsert", resource_id=key, records=[{"n": n, "round": turn} for n in range(rows)])
            print(f"{key} {turn} {rows}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
