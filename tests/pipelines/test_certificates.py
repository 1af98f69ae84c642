"""Certificates of sources: told before they end, and when they have ended."""

import subprocess
from pathlib import Path

import pytest

from stadthub_catalog.catalog import Catalog
from stadthub_ingest.sources.reach import Reach
from stadthub_pipelines.certificates import look_at_certificate
from stadthub_schemas.feed import Feed, parse_feed
from stadthub_schemas.finding import Severity
from tests.pipelines.running import METADATA
from tests.servers import make_certificates, program, running_mosquitto

FEED = """
id = "air"
title = "Air"
dataset = "air"
decoder = "json_table"
[source]
type = "mqtt"
host = "localhost"
port = {port}
topics = ["x"]
tls = true
ca_file = "{ca}"
[options]
columns = {{ thing = "a", observed_property = "b", phenomenon_time = "c", result = "d" }}
"""


@pytest.mark.parametrize(("days", "severity"), [(0, Severity.ERROR), (5, Severity.WARNING), (20, Severity.INFO), (40, None)])
def test_a_certificate_near_its_end_is_told_the_more_the_nearer(tmp_path: Path, days: int, severity: Severity | None) -> None:
    found = _looked(tmp_path, days, ())
    assert [(kind, one) for kind, one in found] == ([] if severity is None else [("certificate_expires", severity)])


def test_a_certificate_that_has_ended_is_an_error(tmp_path: Path) -> None:
    found = _looked(tmp_path, 2, ("-days", "-1"))
    assert found == [("certificate_expired", Severity.ERROR)]


def _looked(folder: Path, days: int, dates: tuple[str, ...]) -> list[tuple[str, Severity]]:
    """What is found of a broker whose certificate is valid for so many days and half a one."""
    made = make_certificates(folder / "certificates")
    openssl = program("openssl", "openssl")
    span = dates or ("-days", str(days + 1))
    command = [openssl, "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem"]
    subprocess.run([*command, *span, "-extfile", "names.cnf"], check=True, capture_output=True, cwd=folder / "certificates", timeout=60)
    lines = [f"cafile {made.ca}", f"certfile {made.server}", f"keyfile {made.server_key}", "allow_anonymous true"]
    catalog = Catalog(f"sqlite:///{folder / 'state.sqlite'}")
    catalog.migrate()
    with running_mosquitto(folder / "broker", *lines) as broker:
        look_at_certificate(_feed(broker.port, made.ca), catalog, Reach(()))
    found = [(one.kind, one.severity) for one in catalog.findings("air")]
    catalog.close()
    return found


def _feed(port: int, ca: Path) -> Feed:
    return parse_feed(FEED.format(port=port, ca=ca) + METADATA, "air.toml")
