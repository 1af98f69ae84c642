"""What strangers send as PostgreSQL: nothing but one SELECT over what they may see is run, and no answer holds SQL of ours or a path."""

import pytest

from tests.api.city import BUDGET, PUBLIC_AIR, RESTRICTED_CAMERAS, SECRET, VEILED_METERS

from .conftest import Hub

ATTACKS = (
    "SELECT 1; DROP TABLE air",
    "DROP TABLE air",
    "DELETE FROM air",
    "UPDATE air SET result = 0",
    "INSERT INTO air VALUES (1)",
    "CREATE TABLE x AS SELECT 1",
    "COPY air TO '/tmp/x.csv'",
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "SELECT * INTO x FROM air",
    "SET search_path = x",
    "EXPLAIN SELECT 1",
    "CALL pragma_version()",
    "PRAGMA database_list",
    "ATTACH '/etc/passwd' AS x",
    "INSTALL httpfs",
    "LOAD spatial",
    "SELECT pg_sleep(10)",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT current_setting('data_directory')",
    "SELECT version()",
    "SELECT getenv('HOME')",
    "SELECT read_text('/etc/passwd')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_parquet('/**')",
    "SELECT * FROM parquet_metadata('/x')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM '/etc/passwd'",
    'SELECT * FROM "/etc/passwd"',
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM pg_catalog.pg_tables",
    "SELECT * FROM pg_user",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM main.air",
    "SELECT * FROM memory.main.air",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM duckdb_tables",
    "SELECT * FROM source_0",
    "SELECT * FROM tail_0",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('air')",
    "WITH air AS (SELECT * FROM read_csv('/etc/passwd')) SELECT * FROM air",
    "WITH x AS (DELETE FROM air RETURNING *) SELECT * FROM x",
    "SELECT (SELECT max(content) FROM read_text('/etc/passwd'))",
    "SELECT * FROM air WHERE thing = (SELECT read_blob('/etc/passwd'))",
    "SELECT * FROM air, LATERAL (SELECT * FROM read_json('/etc/passwd')) AS x",
    "SELECT 1 FROM air UNION SELECT content FROM read_text('/etc/passwd')",
    "SELECT * FROM dblink('host=127.0.0.1', 'SELECT 1') AS t(a int)",
    "SELECT query_to_xml('SELECT 1', true, true, '')",
    "SELECT set_config('TimeZone', 'x', false)",
    "SELECT nextval('x')",
    "SELECT $1",
    "SELECT * FROM air FOR UPDATE",
    "VALUES (read_text('/etc/passwd'))",
    "TABLE pg_user",
    "DO $$ BEGIN END $$",
    "",
    ";",
    "--",
    "SELECT '",
    "SELECT (" * 500,
    "SELECT " + "(" * 3000 + "1" + ")" * 3000,
    "SELECT 1" + " UNION ALL SELECT 1" * 3000,
)


@pytest.mark.parametrize("sql", ATTACKS, ids=range(len(ATTACKS)))
def test_what_is_no_plain_question_is_refused_and_gives_nothing_away(hub: Hub, sql: str) -> None:
    answer = hub.call("datastore_search_sql", sql=sql)
    assert answer.status_code in (403, 404, 409), answer.text[:300]
    error = answer.json()["error"]
    assert error["__type"] in ("Validation Error", "Authorization Error", "Not Found Error")
    said = answer.text.replace(sql[:60], "")
    for secret in ("root:", "/rows/", ".parquet", "read_parquet($", "Traceback", "ds-", SECRET):
        assert secret not in said


@pytest.mark.parametrize("name", ["read_csv", "read_parquet", "read_text", "duckdb_settings"])
def test_a_function_that_is_refused_is_named_as_it_was_written(hub: Hub, name: str) -> None:
    for sql in (f"SELECT * FROM {name}('/x')", f"SELECT {name}('/x')"):
        status, error = hub.error("datastore_search_sql", sql=sql)
        assert (status, error["message"]) == (403, f"Access denied: Not authorized to call function {name}")


@pytest.mark.parametrize(
    "sql",
    [
        f'SELECT * FROM "{RESTRICTED_CAMERAS}"',
        f'SELECT * FROM {BUDGET} WHERE year IN (SELECT 1 FROM "{RESTRICTED_CAMERAS}")',
        f'WITH x AS (SELECT * FROM "{RESTRICTED_CAMERAS}") SELECT * FROM x',
        f'SELECT 1 AS n FROM {BUDGET} UNION SELECT 2 FROM "{RESTRICTED_CAMERAS}"',
        f'SELECT (SELECT count(*) FROM "{RESTRICTED_CAMERAS}")',
        f'SELECT * FROM {BUDGET} AS "{RESTRICTED_CAMERAS}", "{RESTRICTED_CAMERAS}" AS b',
    ],
)
def test_a_dataset_that_may_not_be_read_is_reached_by_no_way_of_naming_it(hub: Hub, sql: str) -> None:
    assert hub.call("datastore_search_sql", sql=sql).status_code == 403


def test_a_hidden_column_is_reached_by_no_way_of_naming_it(hub: Hub) -> None:
    for item in ("parameters", "m.parameters", '"parameters"', "m", "to_json(m)", "row_to_json(m)", "COLUMNS('.*')", "m.*"):
        answer = hub.call("datastore_search_sql", sql=f'SELECT {item} AS x FROM "{VEILED_METERS}" AS m LIMIT 3')
        assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("sql", "first"),
    [
        (f"SELECT COUNT(*) FROM {BUDGET}", {"count": 26}),
        (f'SELECT MAX("year") AS most, UPPER(\'x\') AS x FROM "{BUDGET}"', {"most": 2025, "x": "X"}),
        (f"SELECT CAST(amount AS INTEGER) AS n FROM {BUDGET} WHERE amount IS NOT NULL AND year IN (2002, 2003) ORDER BY year", {"n": 3}),
        (f"SELECT year::text AS y FROM {BUDGET} ORDER BY _id DESC LIMIT 1", {"y": "2025"}),
        (f"SELECT to_char(day, 'DD.MM.YYYY') AS d FROM {BUDGET} LIMIT 1", {"d": "01.01.2026"}),
        (f"SELECT extract(year FROM day)::int AS y FROM {BUDGET} LIMIT 1", {"y": 2026}),
        (f"SELECT thing FROM {PUBLIC_AIR} WHERE thing ~* '^PA' AND thing ILIKE 'p%' LIMIT 1", {"thing": "park"}),
        (f"SELECT date_trunc('day', phenomenon_time) AS d FROM {PUBLIC_AIR} ORDER BY 1 LIMIT 1", {"d": "2026-03-01T00:00:00+00:00"}),
        (f"SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY year) AS m FROM {BUDGET}", {"m": 2012.5}),
        (f"SELECT string_agg(thing, ',' ORDER BY thing) AS t FROM (SELECT DISTINCT thing FROM {PUBLIC_AIR}) AS s", {"t": "park,ring,ufer"}),
        (f"WITH s AS (SELECT avg(amount) AS a FROM {BUDGET}) SELECT a FROM s", {"a": 18.75}),
        (f'SELECT "{BUDGET}".year FROM "{BUDGET}" ORDER BY 1 LIMIT 1', {"year": 2000}),
        (
            f"SELECT coalesce(NULL, 1) AS a, CASE WHEN year > 2010 THEN 'neu' ELSE 'alt' END AS b FROM {BUDGET} ORDER BY year LIMIT 1",
            {"a": 1, "b": "alt"},
        ),
    ],
)
def test_postgresqls_words_are_understood(hub: Hub, sql: str, first: dict[str, object]) -> None:
    assert hub.result("datastore_search_sql", sql=sql)["records"][0] == first


def test_more_rows_than_may_come_are_cut_and_said_to_be(hub: Hub) -> None:
    found = hub.result("datastore_search_sql", sql="SELECT * FROM generate_series(1, 40000)")
    assert (len(found["records"]), found["records_truncated"]) == (32_000, True)
    assert "records_truncated" not in hub.result("datastore_search_sql", sql="SELECT 1 AS one")
