"""A feed with `keep = "named"` writes nothing of a push or a fetch but what its options name: not to the spool, not to the raw log."""

from pathlib import Path

from stadthub_api.doors import Doors
from stadthub_lake.rawlog import RawLog
from stadthub_pipelines.door import door
from stadthub_pipelines.spool import take
from stadthub_schemas.feed import Feed
from stadthub_schemas.settings import Settings

BODY = b"Ort;Zeit;Name;PM10\nA;2026-01-01T10:00Z;Erika Muster;5\n"
FEED = Feed.model_validate(
    {
        "id": "probe",
        "title": "Probe",
        "dataset": "probe",
        "decoder": "csv_table",
        "source": {"type": "push"},
        "options": {
            "delimiter": ";",
            "columns": {"thing": "Ort", "phenomenon_time": "Zeit"},
            "values": {"PM10": {"observed_property": "pm10"}},
            "keep": "named",
        },
    }
)


def written(folder: Path) -> bytes:
    """Everything that stands in the folder."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_push_is_narrowed_before_the_spool_and_stays_so_in_the_raw_log(tmp_path: Path) -> None:
    doors = Doors(Settings(data_dir=tmp_path, min_free_mb=0))
    assert doors.of(FEED) is not None
    doors.keep(FEED, BODY, "somebody")
    assert b"PM10" in written(tmp_path)
    assert b"Erika" not in written(tmp_path)
    log = RawLog(tmp_path / "raw")
    assert take(tmp_path / "push" / "probe", log, door(FEED, tmp_path)) == 1
    [frame] = log.read(0)
    assert (frame.name, frame.body) == ("push:somebody", b"Ort;Zeit;Name;PM10\nA;2026-01-01T10:00Z;;5\n")


def test_what_is_fetched_is_narrowed_and_keeps_its_name(tmp_path: Path) -> None:
    frame = door(FEED, tmp_path).frame("https://example.org/a.csv", BODY)
    assert frame == ("https://example.org/a.csv", b"Ort;Zeit;Name;PM10\nA;2026-01-01T10:00Z;;5\n")
    assert not (tmp_path / "keys").exists()
