"""Features and tables: each delivery is a version; what cannot be read alike is refused and the last good one stays served."""

import itertools
import json
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from stadthub_lake.store import Change
from stadthub_schemas.dataset import ColumnType, Kind
from stadthub_schemas.errors import TypeConflict

from .given import Place, features, progress


def point(longitude: float, latitude: float) -> bytes:
    return bytes(shapely.to_wkb(shapely.Point(longitude, latitude)))


def trees(*rows: tuple[str, float, dict[str, object]]) -> pa.Table:
    return features(*((name, point(longitude, 48.4), json.dumps(words)) for name, longitude, words in rows))


@pytest.fixture
def green(place: Place) -> Place:
    place.make("trees", Kind.FEATURES)
    return place


def test_a_version_says_what_changed_and_the_same_content_makes_none(green: Place) -> None:
    first = trees(("1", 10.9, {"Höhe": 3}), ("2", 10.8, {"Höhe": 4}), ("3", 10.7, {"Höhe": 5}))
    assert green.store.replace("trees", "feed", first, progress(1, 3)) == Change(1, added=3, changed=0, removed=0, unchanged=0)
    again = trees(("3", 10.7, {"Höhe": 5}), ("1", 10.9, {"Höhe": 3}), ("2", 10.8, {"Höhe": 4}))
    assert green.store.replace("trees", "feed", again, progress(2, 3)) == Change(1, added=0, changed=0, removed=0, unchanged=3)
    between = datetime.now(UTC)
    third = trees(("1", 10.9, {"Höhe": 9}), ("2", 10.8, {"Höhe": 4}), ("4", 10.7, {"Höhe": 1}))
    assert green.store.replace("trees", "feed", third, progress(3, 6)) == Change(2, added=1, changed=1, removed=1, unchanged=1)
    assert green.store.progress("trees", "feed") == progress(3, 6)
    place = green.reopen()
    assert place.store.progress("trees", "feed") == progress(3, 6)
    assert (place.reader.snapshot("trees").version, place.reader.snapshot("trees", between).version) == (2, 1)
    assert pq.read_table(place.reader.snapshot("trees", between).files[0])["hoehe"].to_pylist() == [5, 4, 3]
    place.store.close()


def test_attributes_become_typed_columns_with_names_for_every_query_language(green: Place) -> None:
    words = {"Höhe (m)": 3, "wert": 1.5, "gut": True, "Art": "Linde", "Pflanzung": "2001-04-05", "id": 7, "2nd": [1], "leer": None}
    green.store.replace("trees", "feed", trees(("1", 10.9, words), ("2", 10.8, {"wert": 2})), progress(1))
    assert [(column.name, column.type, column.title) for column in green.reader.columns("trees")] == [
        ("id", ColumnType.TEXT, "id"),
        ("geometry", ColumnType.GEOMETRY, "geometry"),
        ("hoehe_m", ColumnType.INTEGER, "Höhe (m)"),
        ("wert", ColumnType.NUMBER, "wert"),
        ("gut", ColumnType.BOOLEAN, "gut"),
        ("art", ColumnType.TEXT, "Art"),
        ("pflanzung", ColumnType.DATE, "Pflanzung"),
        ("id_2", ColumnType.INTEGER, "id"),
        ("a_2nd", ColumnType.JSON, "2nd"),
        ("leer", ColumnType.TEXT, "leer"),
    ]


def test_a_new_attribute_is_added_and_a_missing_one_stays_empty(green: Place) -> None:
    green.store.replace("trees", "feed", trees(("1", 10.9, {"a": 1, "b": 2})), progress(1))
    green.store.replace("trees", "feed", trees(("1", 10.9, {"a": 1.5, "c": "x"})), progress(2))
    names = [(column.name, column.type) for column in green.reader.columns("trees")[2:]]
    assert names == [("a", ColumnType.NUMBER), ("b", ColumnType.INTEGER), ("c", ColumnType.TEXT)]


def test_an_attribute_of_another_type_is_refused_and_the_old_version_stays(green: Place) -> None:
    green.store.replace("trees", "feed", trees(("1", 10.9, {"a": 1})), progress(1))
    with pytest.raises(TypeConflict, match="trees: a is stored as integer, but text was given"):
        green.store.replace("trees", "feed", trees(("1", 10.9, {"a": "viele"})), progress(2))
    assert green.reader.snapshot("trees").version == 1
    assert green.store.progress("trees", "feed").position == 1
    with pytest.raises(TypeConflict, match="trees: a geometry is not well-known binary"):
        green.store.replace("trees", "feed", features(("1", b"nonsense", "{}")), progress(2))


def test_the_file_is_geoparquet_with_boxes_and_near_features_near_each_other(green: Place) -> None:
    grid = [(f"{x}-{y}", point(10 + x / 100, 48 + y / 100), "{}") for x in range(20) for y in range(20)]
    green.store.replace("trees", "feed", features(*grid, ("nowhere", None, "{}")), progress(1))
    file = green.reader.snapshot("trees").files[0]
    words = json.loads(pq.read_metadata(file).metadata[b"geo"])
    assert (words["version"], words["primary_column"]) == ("1.1.0", "geometry")
    assert words["columns"]["geometry"]["geometry_types"] == ["Point"]
    assert words["columns"]["geometry"]["bbox"] == [10.0, 48.0, 10.19, 48.19]
    table = pq.ParquetFile(file, arrow_extensions_enabled=False).read()
    boxes = table["bbox"].to_pylist()
    steps = [abs(a["xmin"] - b["xmin"]) + abs(a["ymin"] - b["ymin"]) for a, b in itertools.pairwise(boxes[:400])]
    assert sum(steps) / len(steps) < 0.015, "a step along the curve is a step to a neighbour"
    assert table["id"].to_pylist()[-1] == "nowhere"


def test_the_original_of_a_geometry_is_kept_beside_it_and_what_has_none_has_no_such_columns(green: Place) -> None:
    words = '{"original_crs": "an attribute of this name"}'
    green.store.replace("trees", "feed", features(("1", point(10.9, 48.4), words)), progress(1))
    assert [column.name for column in green.reader.columns("trees")] == ["id", "geometry", "original_crs_2"]
    utm = point(640_000.125, 5_362_000)
    both = features(("1", point(10.9, 48.4), words, utm, "EPSG:25832"), ("2", point(10.8, 48.4), "{}"))
    assert green.store.replace("trees", "feed", both, progress(2)) == Change(2, added=1, changed=1, removed=0, unchanged=0)
    place = green.reopen()
    assert place.store.replace("trees", "feed", both, progress(3)) == Change(2, added=0, changed=0, removed=0, unchanged=2)
    stored = pq.read_table(place.reader.snapshot("trees").files[0])
    rows = {row["id"]: (row["original_geometry"], row["original_crs"], row["original_crs_2"]) for row in stored.to_pylist()}
    assert rows == {"1": (utm, "EPSG:25832", "an attribute of this name"), "2": (None, None, None)}
    moved = features(("1", point(10.9, 48.4), words, point(640_000.25, 5_362_000), "EPSG:25832"), ("2", point(10.8, 48.4), "{}"))
    assert place.store.replace("trees", "feed", moved, progress(4)).changed == 1
    assert place.store.replace("trees", "feed", features(("1", point(10.9, 48.4), words)), progress(5)).version == 4
    assert [column.name for column in place.reader.columns("trees")][-2:] == ["original_geometry", "original_crs"]
    place.store.close()


def test_a_table_is_replaced_and_grows_columns(place: Place) -> None:
    place.make("parks", Kind.TABLE, key=("name",))
    assert place.reader.snapshot("parks").rows == 0
    first = pa.table({"name": ["a", "b"], "free": [1, 2]})
    assert place.store.replace("parks", "feed", first, progress(1, 2)) == Change(1, added=2, changed=0, removed=0, unchanged=0)
    assert place.store.replace("parks", "feed", first, progress(2, 2)).version == 1
    between = datetime.now(UTC)
    second = pa.table({"name": ["b", "c"], "free": [5, 6], "open": [True, None]})
    assert place.store.replace("parks", "feed", second, progress(3, 4)) == Change(2, added=1, changed=1, removed=1, unchanged=0)
    snapshot = place.reader.snapshot("parks")
    rows = duckdb.execute("SELECT * FROM read_parquet($f) ORDER BY name", {"f": list(snapshot.files)}).fetchall()
    assert rows == [("b", 5, True), ("c", 6, None)]
    assert [(column.name, column.type) for column in snapshot.columns] == [
        ("name", ColumnType.TEXT),
        ("free", ColumnType.INTEGER),
        ("open", ColumnType.BOOLEAN),
    ]
    assert (snapshot.rows, place.reader.snapshot("parks", between).rows) == (2, 2)
    assert [column.name for column in place.reader.snapshot("parks", between).columns] == ["name", "free"]
    again = place.reopen()
    assert again.store.progress("parks", "feed") == progress(3, 4)
    again.store.close()


def test_a_table_column_of_another_type_is_refused_and_the_old_version_stays(place: Place) -> None:
    place.make("parks", Kind.TABLE)
    place.store.replace("parks", "feed", pa.table({"name": ["a"], "free": [1]}), progress(1))
    with pytest.raises(TypeConflict, match="parks: free is stored as int64, but string was given"):
        place.store.replace("parks", "feed", pa.table({"name": ["a"], "free": ["voll"]}), progress(2))
    assert place.reader.snapshot("parks").version == 1
    change = place.store.replace("parks", "feed", pa.table({"name": ["a", "a"], "free": pa.array([1, None], pa.int32())}), progress(3))
    assert change == Change(2, added=1, changed=0, removed=0, unchanged=1)
