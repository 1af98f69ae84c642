"""Several processes write one dataset at a time: what each of them says stands at the end, and the hub's own words are not pushed back."""

import io
import os
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from stadthub_catalog import Catalog
from stadthub_catalog.actions import Caller, answer
from stadthub_catalog.entry import LoadState
from stadthub_catalog.loading import tell
from stadthub_catalog.uploads import Upload
from stadthub_pipelines.uploads import UploadFolder
from tests.catalog.patching import ADMIN, SITE, patch

#: How often each process writes.
TIMES = 8


class Office:
    """A dataset with one uploaded file, and a short way to call actions."""

    def __init__(self, catalog: Catalog, folder: Path) -> None:
        self.catalog = catalog
        self.uploads = UploadFolder(folder / "uploads", 1)
        self("organization_create", name="amt", title="Amt")
        self("package_create", name="viel", owner_org="amt")
        made = self("resource_create", package_id="viel", name="A", upload=Upload("a.csv", io.BytesIO(b"a,b\n1,2\n")))
        self.resource = str(made["id"])

    def __call__(self, action: str, **said: Any) -> Any:
        return answer(self.catalog, action, said, Caller(ADMIN), SITE, self.uploads).result

    def shown(self) -> dict[str, Any]:
        return dict(self("resource_show", id=self.resource))

    def process(self, who: str, times: int = TIMES) -> subprocess.Popen[str]:
        """Somebody who writes as soon as he is told to."""
        url = self.catalog.database.url.render_as_string(hide_password=False)
        command = [sys.executable, "-m", "tests.catalog.patching", url, self.resource, who, str(times)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_patches_of_many_at_a_time_and_the_words_of_the_worker_all_stand(catalog: Catalog, tmp_path: Path) -> None:
    office = Office(catalog, tmp_path)
    with ExitStack() as stack:
        writers = [stack.enter_context(office.process(who)) for who in ("anna", "worker")]
        for one in writers:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        threads = [threading.Thread(target=patch, args=(catalog, office.resource, who, TIMES)) for who in ("cleo", "dora")]
        for one in writers:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert [one.wait(60) for one in writers] == [0, 0]
    shown = office.shown()
    lost = [f"{who}-{number}" for who in ("anna", "cleo", "dora") for number in range(TIMES) if shown.get(f"{who}-{number}") != "x"]
    assert not lost
    assert (shown["load_state"], shown["load_message"]) == ("loaded", "all of it")


def test_an_older_description_does_not_push_back_what_the_hub_knows_of_a_file(quick_catalog: Catalog, tmp_path: Path) -> None:
    office = Office(quick_catalog, tmp_path)
    old = office("package_show", id="viel")
    office("resource_patch", id=office.resource, upload=Upload("b.csv", io.BytesIO(b"a,b\n1,2\n3,4\n")))
    tell(quick_catalog, _id(office), LoadState.LOADED, "2 stored")
    new = office.shown()
    office("package_update", **{**old, "title": "Viel"})
    office("package_patch", id="viel", resources=[{**old["resources"][0], "load_state": "failed"}])
    shown = office.shown()
    for key in ("url", "size", "hash", "load_state", "load_message", "datastore_active"):
        assert shown[key] == new[key], key
    assert office("package_show", id="viel")["title"] == "Viel"


def test_another_file_is_not_loaded_yet_and_a_link_has_no_rows(quick_catalog: Catalog, tmp_path: Path) -> None:
    office = Office(quick_catalog, tmp_path)
    tell(quick_catalog, _id(office), LoadState.LOADED, "1 stored")
    office("resource_patch", id=office.resource, upload=Upload("b.csv", io.BytesIO(b"a,b\n1,2\n3,4\n")))
    shown = office.shown()
    assert "load_state" not in shown
    assert shown["datastore_active"] is True, "the rows of the old file are there until those of the new one are"
    tell(quick_catalog, _id(office), LoadState.LOADED, "2 stored")
    office("resource_patch", id=office.resource, url="https://example.org/c.csv", clear_upload=True)
    shown = office.shown()
    assert ("load_state" in shown, shown["datastore_active"], shown["url_type"]) == (False, False, None)


def _id(office: Office) -> Any:
    return next(one.id for one in office.catalog.entry("viel").distributions)
