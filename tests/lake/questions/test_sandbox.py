"""Users' SQL: what may be asked is answered, what may not is refused, whatever it costs the process that runs it."""

import gc
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers import wait_until

from stadthub_lake.lake import Lake
from stadthub_lake.sandbox import AHEAD
from stadthub_schemas.errors import QueryError

from .conftest import START, Shelf, air_entities, air_observations, timeseries

ALL = ("air", "districts", "car-parks")


@pytest.fixture(scope="module")
def lake(city: Shelf) -> Iterator[Lake]:
    """A lake whose patience ends after eight seconds."""
    opened = Lake(city, seconds=8, memory_mb=1500)
    yield opened
    opened.close()


def test_a_question_is_answered(lake: Lake) -> None:
    table = lake.sql("SELECT thing_name, count(*) AS n, max(result) AS most FROM air GROUP BY ALL ORDER BY ALL", ["air"], {})
    assert table.to_pylist() == [
        {"thing_name": "Straße 0", "n": 240, "most": 23.1},
        {"thing_name": "Straße 1", "n": 240, "most": 23.3},
        {"thing_name": None, "n": 240, "most": 23.5},
    ]
    assert table.schema.metadata == {b"truncated": b"false"}


@pytest.mark.parametrize(
    "text",
    [
        'SELECT name FROM "car-parks" WHERE free > 3',
        "SELECT name FROM car_parks WHERE free > 3",
        "FROM car_parks",
        "WITH full_ones AS (SELECT * FROM car_parks WHERE free = 0) SELECT count(*) FROM full_ones",
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5) SELECT * FROM n",
        "SELECT a.name FROM car_parks a JOIN car_parks b USING (name) ORDER BY 1 DESC LIMIT 3",
        "SELECT date_trunc('day', phenomenon_time) AS day, avg(result) FROM air GROUP BY 1 HAVING count(*) > 1 ORDER BY day",
        "SELECT row_number() OVER (PARTITION BY thing ORDER BY phenomenon_time) FROM air LIMIT 5",
        "SELECT * FROM (PIVOT car_parks ON open IN (true, false) USING sum(free))",
        "SELECT CASE WHEN free IS NULL THEN 'x' ELSE free::VARCHAR || ' frei' END, TRY_CAST(name AS DECIMAL(10, 2)) FROM car_parks",
        "SELECT list_transform([1, 2], lambda x: x + 1), {'a': 1}.a, [1, 2, 3][1:2]",
        "SELECT parameters->>'$.battery' FROM air WHERE result BETWEEN 1 AND 2 AND thing IN ('station-1') AND thing LIKE 's%'",
        "SELECT x FROM unnest([1, 2]) AS t(x) UNION ALL SELECT * FROM range(3)",
        "SELECT (SELECT max(free) FROM car_parks), EXISTS (SELECT 1 FROM air), current_date, now() > TIMESTAMPTZ '2020-01-01'",
        "SELECT quantile_cont(result, 0.9), extract(hour FROM max(phenomenon_time)), time_bucket(INTERVAL 1 HOUR, min(phenomenon_time)) FROM air",
        "VALUES (1, 'a'), (2, 'b')",
        "SELECT id, round(ST_Area(geometry), 4), ST_AsText(ST_Centroid(geometry)) FROM districts ORDER BY id",
        "SELECT d.id, count(*) FROM districts d JOIN air a ON ST_Contains(d.geometry, ST_Point(a.longitude, a.latitude)) GROUP BY 1",
        "SELECT * FROM districts",
    ],
)
def test_what_analysts_write_is_allowed(lake: Lake, text: str) -> None:
    assert lake.sql(text, ALL, {}).num_columns >= 1


SECRET = "stadthub-secret-7431"

ATTACKS = [
    "SELECT * FROM read_text('{secret}')",
    "SELECT * FROM read_csv('{secret}')",
    "SELECT * FROM read_blob('{secret}')",
    "SELECT * FROM read_json('{secret}')",
    "SELECT * FROM read_parquet('{parquet}')",
    "SELECT * FROM parquet_scan('{parquet}')",
    "SELECT * FROM parquet_metadata('{parquet}')",
    "SELECT * FROM '{secret}'",
    "SELECT * FROM '{parquet}'",
    "SELECT * FROM '/etc/passwd'",
    'SELECT * FROM "/etc/passwd"',
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM sniff_csv('{secret}')",
    "SELECT * FROM ST_Read('{secret}')",
    "SELECT * FROM ST_ReadSHP('{secret}')",
    "SELECT * FROM ST_Read_Meta('/vsicurl/http://127.0.0.1/x')",
    "SELECT * FROM ST_Drivers()",
    "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
    "SELECT * FROM sqlite_scan('{secret}', 'x')",
    "SELECT * FROM postgres_scan('host=127.0.0.1', 'public', 'x')",
    "SELECT * FROM delta_scan('/tmp')",
    "SELECT getenv('PATH')",
    "SELECT current_setting('temp_directory')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_settings",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_views()",
    "SELECT * FROM duckdb_views",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('source_0')",
    "SELECT * FROM source_0",
    "SELECT * FROM entities_0",
    "SELECT * FROM main.source_0",
    "SELECT * FROM temp.air",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "SELECT json_serialize_sql('SELECT 1')",
    "SELECT getvariable('x')",
    "SELECT write_log('x')",
    "SELECT sleep_ms(1000)",
    "SELECT nextval('x')",
    "SELECT main.getenv('PATH')",
    "SELECT * FROM pandas_scan(1)",
    "SELECT * FROM arrow_scan(1, 2, 3)",
    "SELECT * FROM tables",
    "SELECT * FROM request",
    "SELECT * FROM (WITH duckdb_settings AS (SELECT 1) SELECT 1), duckdb_settings",
    "SELECT * FROM (WITH \"{secret}\" AS (SELECT 1) SELECT 1), '{secret}'",
    "SELECT * FROM (WITH source_0 AS (SELECT 1) SELECT 1), source_0",
    "SELECT (SELECT content FROM read_text('{secret}'))",
    "SELECT * FROM air WHERE thing = (SELECT getenv('HOME'))",
    "SELECT count(*) FILTER (WHERE getenv('HOME') = 'x') FROM air",
    "SELECT sum(result) OVER (ORDER BY getenv('HOME')) FROM air",
    "SELECT * FROM air ORDER BY getenv('HOME')",
    "SELECT * FROM air LIMIT (SELECT length(getenv('HOME')))",
    "SELECT list_transform([1], lambda x: getenv('HOME'))",
    "SELECT * FROM (PIVOT air ON thing USING max(getenv('HOME')))",
    "SELECT * FROM (VALUES (getenv('HOME')))",
    "SELECT * FROM air TABLESAMPLE 10% UNION ALL SELECT * FROM read_text('{secret}')",
    "SELECT * FROM (DESCRIBE air)",
    "SHOW TABLES",
    "SUMMARIZE air",
    "DESCRIBE air",
    "EXPLAIN SELECT 1",
    "SELECT 1; SELECT 2",
    "COPY (SELECT 1) TO '{written}'",
    "COPY (SELECT 666) TO '{parquet}' (FORMAT parquet, USE_TMP_FILE false)",
    "ATTACH '{written}' AS x",
    "ATTACH '{secret}' AS x (TYPE sqlite)",
    "EXPORT DATABASE '{written}'",
    "IMPORT DATABASE '/tmp'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET memory_limit = '10GB'",
    "RESET lock_configuration",
    "PRAGMA database_list",
    "CALL pragma_version()",
    "CREATE TABLE x AS SELECT 1",
    "CREATE TEMP TABLE x AS SELECT 1",
    "DROP VIEW air",
    "INSERT INTO air SELECT * FROM air",
    "DELETE FROM air",
    "UPDATE air SET thing = 'x'",
    "PREPARE x AS SELECT 1",
    "EXECUTE x",
    "SET VARIABLE x = 1",
    "CHECKPOINT",
    "BEGIN",
    "USE temp",
    "CREATE MACRO f() AS 1",
    "CREATE SECRET (TYPE s3)",
    "PIVOT air ON thing",
    "",
    ";",
    "--",
    "nonsense",
    "SELECT $1",
    "SELECT ?",
    'FROM "{secret}"',
    'SELECT * FROM main."{secret}"',
    "SELECT * FROM system.main.duckdb_settings()",
    "SELECT * FROM TAIL_0",
    'WITH "Source_0" AS (SELECT 1) SELECT * FROM source_0',
    "WITH a AS (WITH tail_0 AS (SELECT 1) SELECT 1) SELECT * FROM a, tail_0",
    "WITH sqlite_master AS (SELECT 1) SELECT * FROM sqlite_master",
    "WITH a AS MATERIALIZED (SELECT * FROM read_text('{secret}')) SELECT 1",
    "WITH RECURSIVE a(x) AS (SELECT 1 UNION SELECT length(getenv('HOME')) FROM a) SELECT * FROM a",
    "SELECT * FROM pragma_table_info('air')",
    "SELECT * FROM duckdb_external_file_cache()",
    "SELECT ('PATH').getenv()",
    "SELECT \"GetEnv\"('PATH')",
    "SELECT * FROM query('SELE' || 'CT 1')",
    "SELECT * FROM query_table(['air'])",
    "SELECT json_deserialize_sql('{{}}')",
    "SELECT list_aggregate([1], 'getenv')",
    "SELECT COLUMNS(lambda c: getenv('HOME') = 'x') FROM air",
    "SELECT * REPLACE (getenv('HOME') AS thing) FROM air",
    "SELECT sum(1) OVER w FROM air WINDOW w AS (ORDER BY getenv('HOME'))",
    "SELECT DISTINCT ON (getenv('HOME')) 1 FROM air",
    "SELECT 1 FROM air GROUP BY ROLLUP (getenv('HOME'))",
    "SELECT * FROM (PIVOT read_text('{secret}') ON content IN ('a') USING count(*))",
    "SELECT * FROM air, LATERAL (SELECT * FROM read_text('{secret}'))",
    "SELECT ST_Transform(ST_Point(1, 2), '{secret}', 'EPSG:4326')",
    "COPY air FROM '{secret}'",
    "CREATE OR REPLACE TEMP VIEW air AS SELECT 1",
    "/* SELECT */ COPY (SELECT 1) TO '{written}'",
]

BOMBS = [
    "SELECT length(repeat('x', 3000000000))",
    "SELECT len(generate_series(1, 1000000000))",
    "SELECT length(format('{{:>2000000000}}', 1))",
    "SELECT count(*) FROM range(100000000) a, range(100000000) b",
    "SELECT levenshtein(repeat('ab', 100000), repeat('ba', 100000))",
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n",
    "SELECT " + "(" * 5000 + "1" + ")" * 5000,
    "SELECT " + "-" * 1 + " -".join(["1"] * 4000),
    "SELECT 1" + " UNION ALL SELECT 1" * 1000 + " UNION ALL SELECT no_such",
    "SELECT repeat('x', 1000000) FROM range(100000)",
    "SELECT list(repeat('x', 100000)) FROM range(100000)",
    "SELECT lpad('x', 2000000000, 'y')",
    "WITH RECURSIVE n(x) AS (SELECT 'a' UNION ALL SELECT x || x FROM n) SELECT max(length(x)) FROM n",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_in_one_sentence(lake: Lake, tmp_path: Path, city: Shelf, attack: str) -> None:
    secret, written = tmp_path / "secret.csv", tmp_path / "written"
    secret.write_text(SECRET)
    parquet = Path(city.snapshot("air").files[0])
    before = parquet.read_bytes()
    with pytest.raises(QueryError) as error:
        lake.sql(attack.format(secret=secret, written=written, parquet=parquet), ALL, {})
    sentence = str(error.value)
    assert sentence.startswith("sql: ")
    assert SECRET not in sentence
    assert "\n" not in sentence
    assert not written.exists()
    assert parquet.read_bytes() == before


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: bomb[:40])
def test_a_bomb_hurts_only_itself(lake: Lake, bomb: str) -> None:
    began = time.monotonic()
    try:
        table = lake.sql(bomb.replace("{{", "{").replace("}}", "}"), ["air"], {})
        assert table.nbytes < 70_000_000
    except QueryError as refused:
        assert str(refused).startswith("sql: ")  # noqa: PT017 - whether it is refused or answered, both are fine
    assert time.monotonic() - began < 20


def test_a_hidden_column_is_not_in_the_view(lake: Lake) -> None:
    hidden = {"air": frozenset({"thing_name"})}
    for text in (
        "SELECT * FROM air LIMIT 1",
        "SELECT COLUMNS(*) FROM air LIMIT 1",
        "SELECT COLUMNS('thing.*') FROM air LIMIT 1",
        "SELECT t FROM air AS t LIMIT 1",
        "SELECT to_json(air) FROM air LIMIT 1",
        "SELECT unnest(air) FROM air LIMIT 1",
        "FROM (UNPIVOT (SELECT COLUMNS(c -> c LIKE 'thing%')::VARCHAR FROM air) ON COLUMNS(*)) LIMIT 9",
    ):
        answer = lake.sql(text, ["air"], hidden)
        assert "thing_name" not in str(answer.schema) + str(answer.to_pylist())
    for text in (
        "SELECT thing_name FROM air",
        "SELECT air.thing_name FROM air",
        "SELECT e.thing_name FROM air",
        "SELECT COLUMNS('thing_n.*') FROM air",
        "SELECT * FROM air a JOIN air b USING (thing_name)",
        "SELECT * FROM air ORDER BY thing_name",
        "SELECT t.thing_name FROM (SELECT unnest(air) FROM air) t",
        "FROM (DESCRIBE air)",
        "FROM (SUMMARIZE air)",
    ):
        with pytest.raises(QueryError) as error:
            lake.sql(text, ["air"], hidden)
        assert "Straße" not in str(error.value)


def test_only_the_given_datasets_can_be_named(lake: Lake) -> None:
    with pytest.raises(QueryError, match="sql: there is no dataset 'car_parks': use air"):
        lake.sql("SELECT * FROM car_parks", ["air"], {})


def test_more_rows_than_may_come_are_cut_and_said_to_be(lake: Lake) -> None:
    table = lake.sql("SELECT * FROM range(100001)", [], {})
    assert table.num_rows == 100_000
    assert table.schema.metadata == {b"truncated": b"true"}
    assert lake.sql("SELECT * FROM range(100000)", [], {}).schema.metadata == {b"truncated": b"false"}


def test_a_mistake_is_told_so_that_it_can_be_mended(lake: Lake) -> None:
    with pytest.raises(QueryError, match="resutl"):
        lake.sql("SELECT resutl FROM air", ["air"], {})
    with pytest.raises(QueryError, match="longer than 20000"):
        lake.sql("SELECT 1" + " " * 20_000, ["air"], {})


def test_a_dataset_without_rows_can_be_asked(lake: Lake) -> None:
    assert lake.sql("SELECT count(*) AS n FROM silent", ["silent"], {}).to_pylist() == [{"n": 0}]
    with pytest.raises(QueryError, match="no dataset"):
        lake.sql("SELECT * FROM no_features", ["no-features"], {})


def test_filters_that_joins_make_while_they_run_reach_rows_that_are_in_no_file_yet(tmp_path: Path) -> None:
    things = [air_entities()[0] | {"datastream": f"s{number}", "thing": f"s{number}"} for number in range(1000)]
    rows = [air_observations()[0] | {"datastream": f"s{number % 1000}", "phenomenon_time": START} for number in range(3000)]
    shelf = Shelf()
    shelf.put(timeseries(tmp_path, "fresh", rows, things, START))
    lake = Lake(shelf, seconds=20, memory_mb=1500)
    found = lake.sql(
        "SELECT count(*) AS n FROM fresh WHERE thing LIKE 's1%' AND thing IN ('s1', 's2', 's17') AND result < 9", ["fresh"], {}
    )
    lake.close()
    assert found.to_pylist() == [{"n": 6}]


def test_no_process_is_left_when_the_lake_closes(city: Shelf) -> None:
    before = _settled()
    lake = Lake(city, seconds=20, memory_mb=1500)
    assert lake.sql("SELECT 1 AS one", [], {}).to_pylist() == [{"one": 1}]
    assert len(_settled() - before) == 1, "a process waits for the next question"
    lake.close()
    assert _children() - before == set()


def test_no_process_is_left_of_a_lake_that_nobody_closed(city: Shelf) -> None:
    before = _settled()
    lake = Lake(city, seconds=20, memory_mb=1500)
    lake.sql("SELECT 1 AS one", [], {})
    assert len(_settled() - before) == 1
    del lake
    gc.collect()
    assert _children() - before == set()


def _settled() -> set[str]:
    """The processes, once none is being started."""
    wait_until(lambda: all(one.name != AHEAD for one in threading.enumerate()), "no process is being started", seconds=30)
    return _children()


def _children() -> set[str]:
    """The processes that this one started and that are not gone; other lakes of this run have theirs too."""
    return {number for file in Path(f"/proc/{os.getpid()}/task").glob("*/children") for number in file.read_text().split()}
