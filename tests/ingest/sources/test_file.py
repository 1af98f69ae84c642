"""Files: each read once, and again when its content has changed; archives only within bounds."""

import gzip
import json
import lzma
import os
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

from stadthub_ingest.sources.file import Fetched, scan
from stadthub_schemas.errors import SourceError
from stadthub_schemas.feed import FileSource


def source_of(path: Path, **more: Any) -> FileSource:
    return FileSource.model_validate({"type": "file", "path": path, **more})


def look(path: Path, state: dict[str, Any] | None = None, **more: Any) -> list[Fetched]:
    return list(scan(source_of(path, **more), state or {}, pause=lambda _: None))


def wrong(path: Path, **more: Any) -> str:
    with pytest.raises(SourceError) as caught:
        look(path, **more)
    assert str(path.parent) not in str(caught.value)
    return str(caught.value)


def put(path: Path, body: bytes, age: int = 100) -> Path:
    path.write_bytes(body)
    when = path.stat().st_mtime_ns - age * 10**9
    os.utime(path, ns=(when, when))
    return path


def test_a_folder_is_read_oldest_first_and_each_file_once(tmp_path: Path) -> None:
    put(tmp_path / "a.csv", b"new", age=10)
    put(tmp_path / "b.csv", b"old", age=20)
    put(tmp_path / "c.txt", b"other")
    put(tmp_path / ".hidden.csv", b"hidden")
    found = look(tmp_path, pattern="*.csv")
    assert [(one.name, one.body) for one in found] == [("b.csv", b"old"), ("a.csv", b"new")]
    state = json.loads(json.dumps(found[-1].state))
    assert look(tmp_path, state, pattern="*.csv") == []
    assert [one.name for one in look(tmp_path, found[0].state, pattern="*.csv")] == ["a.csv"]


def test_a_changed_file_is_read_again_and_a_touched_one_not(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", b"one")
    (first,) = look(path)
    put(path, b"one", age=50)
    assert look(path, first.state) == []
    put(path, b"two", age=40)
    (second,) = look(path, first.state)
    assert second.body == b"two"


def test_a_file_that_grows_is_left_for_the_next_scan(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"half")

    def grow(_: float) -> None:
        path.write_bytes(b"half and whole")

    assert list(scan(source_of(path), {}, pause=grow)) == []
    (later,) = look(path)
    assert later.body == b"half and whole"


def test_a_removed_file_is_forgotten(tmp_path: Path) -> None:
    put(tmp_path / "a.csv", b"one", age=20)
    (first,) = look(tmp_path)
    (tmp_path / "a.csv").unlink()
    put(tmp_path / "b.csv", b"two")
    (second,) = look(tmp_path, first.state)
    assert list(second.state["files"]) == ["b.csv"]


def test_links_and_ways_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    secret = put(tmp_path / "secret", b"geheim")
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.csv").symlink_to(secret)
    assert look(folder) == []
    assert "must stay in the folder" in wrong(folder, pattern="../*")
    assert "mend source.path" in wrong(tmp_path / "none")


@pytest.mark.parametrize(("ending", "pack"), [("gz", gzip.compress), ("xz", lzma.compress)])
def test_packed_files_are_unpacked(tmp_path: Path, ending: str, pack: Any) -> None:
    body = b"".join(b"%d;%d\n" % (number, number * 7919 % 1000) for number in range(400_000))
    path = put(tmp_path / f"a.csv.{ending}", pack(body[:1000]) + pack(body[1000:]))
    (one,) = look(path)
    assert one.name == f"a.csv.{ending}/a.csv"
    assert one.body == body


def test_a_zip_gives_each_member_and_goes_on_where_it_was_left(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("x/", "x/1.csv", "2.csv", "3.csv"):
            archive.writestr(name, name)
    found = look(path)
    assert [(one.name, one.body) for one in found] == [(f"a.zip/{name}", name.encode()) for name in ("x/1.csv", "2.csv", "3.csv")]
    assert [one.name for one in look(path, found[0].state)] == ["a.zip/2.csv", "a.zip/3.csv"]
    assert look(path, found[2].state) == []


def test_bombs_are_refused(tmp_path: Path) -> None:
    zeros = b"\0" * 30_000_000
    assert "more than 200 times" in wrong(put(tmp_path / "a.gz", gzip.compress(zeros)))
    assert "more than 200 times" in wrong(put(tmp_path / "a.xz", lzma.compress(zeros)))
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", zeros)
    assert "more than 200 times" in wrong(tmp_path / "a.zip")
    assert "source.max_bytes (1000)" in wrong(put(tmp_path / "b.gz", gzip.compress(b"x" * 1001)), max_bytes=1000)
    assert "source.max_bytes (1000)" in wrong(put(tmp_path / "b.csv", b"x" * 1001), max_bytes=1000)
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(10_001):
            archive.writestr(str(number), b"")
    assert "more than 10000 members" in wrong(tmp_path / "many.zip")


@pytest.mark.parametrize("name", ["../a.csv", "/a.csv", "x/../../a.csv", "..\\a.csv", "c:\\a.csv"])
def test_members_that_lead_out_of_the_archive_are_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(name, b"x")
    assert "leads out of the archive" in wrong(tmp_path / "a.zip")


def test_links_and_archives_in_archives_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link = zipfile.ZipInfo("a.csv")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    assert "is a link" in wrong(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("inner.zip", b"x")
    assert "is an archive itself" in wrong(tmp_path / "b.zip")
    assert "is an archive itself" in wrong(put(tmp_path / "a.tar.gz", gzip.compress(b"x")))


@pytest.mark.parametrize("name", ["a.gz", "a.xz", "a.zip"])
def test_a_broken_archive_is_a_sentence(tmp_path: Path, name: str) -> None:
    whole = {"a.gz": gzip.compress(b"x" * 1000), "a.xz": lzma.compress(b"x" * 1000), "a.zip": b"PK\3\4 not a zip"}[name]
    assert wrong(put(tmp_path / name, whole[:-12])) == f"{name}: the archive is broken or of an unknown kind"
    assert "the archive is broken" in wrong(put(tmp_path / name, b"no archive at all"))


def test_a_wrong_file_does_not_keep_the_others_back(tmp_path: Path) -> None:
    put(tmp_path / "a.gz", b"broken", age=30)
    put(tmp_path / "b.csv", b"good", age=20)
    scanned = scan(source_of(tmp_path), {})
    assert next(scanned).body == b"good"
    with pytest.raises(SourceError, match=r"a\.gz"):
        next(scanned)


def test_a_linked_folder_in_a_watched_one_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    put(tmp_path / "secrets" / "a.csv", b"secret")
    watched = tmp_path / "watched"
    (watched / "own").mkdir(parents=True)
    put(watched / "own" / "b.csv", b"ours")
    (watched / "linked").symlink_to(tmp_path / "secrets")
    assert [one.body for one in look(watched, pattern="*/*.csv")] == [b"ours"]


def test_a_name_that_is_no_text_stops_no_other_file(tmp_path: Path) -> None:
    put(Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.csv")), b"a", age=20)
    put(tmp_path / "b.csv", b"b", age=10)
    assert "not UTF-8: rename it" in wrong(tmp_path)
    scanned = scan(source_of(tmp_path), {}, pause=lambda _: None)
    assert next(scanned).body == b"b"


def test_a_member_with_an_endless_name_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("x" * 60_000, b"a")
    assert "longer than 1000 characters" in wrong(tmp_path / "a.zip")
