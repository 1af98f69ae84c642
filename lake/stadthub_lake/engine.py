"""The only door to DuckDB for reading: one in-memory database per process, one cursor per question, foreign errors become ours."""

import importlib.util
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa

from stadthub_schemas.errors import QueryError, StorageError

#: Set once. Nothing is fetched from a network, times are UTC, geometry stays WKB until a question asks for more, and the footers
#: of Parquet files (which never change) are kept.
SETTINGS = (
    "SET GLOBAL TimeZone = 'UTC'",
    "SET GLOBAL parquet_metadata_cache = true",
    "SET GLOBAL enable_geoparquet_conversion = false",
    "SET GLOBAL python_enable_replacements = false",
    "SET GLOBAL preserve_insertion_order = true",
)

NARROW_IT = "narrow it by a shorter time range, fewer columns or a filter"


@dataclass(frozen=True)
class Question:
    """SQL of ours with its values, and the Arrow tables that it names. `spatial`: it calls an ST_ function. `before`: what its cursor does
    first."""

    sql: str
    values: Mapping[str, object] = field(default_factory=dict)
    tables: Mapping[str, pa.Table] = field(default_factory=dict)
    spatial: bool = False
    before: Sequence[str] = ()


class Engine:
    """Answers questions as Arrow. Thread-safe: each question has its own cursor."""

    def __init__(self, threads: int = 2, seconds: float = 30.0, memory_mb: int = 2500) -> None:
        self._seconds = seconds
        self._spatial = False
        self._lock = threading.Lock()
        self._database = duckdb.connect(
            config={
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "threads": threads,
                "memory_limit": f"{memory_mb}MB",
                "temp_directory": str(Path(tempfile.gettempdir()) / f"stadthub-query-{id(self):x}"),
            }
        )
        for setting in SETTINGS:
            self._database.execute(setting)

    def close(self) -> None:
        """Give memory back; no question may be asked after."""
        self._database.close()

    def table(self, question: Question) -> pa.Table:
        """The whole answer, or QueryError after `seconds`."""
        with self._asked(question) as cursor:
            stop = threading.Timer(self._seconds, cursor.interrupt)
            stop.daemon = True
            stop.start()
            try:
                return cursor.execute(question.sql, dict(question.values)).to_arrow_table()
            finally:
                stop.cancel()

    def batches(self, question: Question, rows: int = 50_000) -> Iterator[pa.RecordBatch]:
        """The answer piece by piece, without end; the cursor closes when the reader goes."""
        with self._asked(question) as cursor:
            yield from cursor.execute(question.sql, dict(question.values)).to_arrow_reader(rows)

    @contextmanager
    def _asked(self, question: Question) -> Iterator[duckdb.DuckDBPyConnection]:
        if question.spatial:
            self._load_spatial()
        cursor = self._database.cursor()
        try:
            for name, table in question.tables.items():
                cursor.register(name, table)
            for statement in question.before:
                cursor.execute(statement)
            yield cursor
        except duckdb.InterruptException as error:
            raise QueryError(f"the question took longer than {self._seconds:g} s and was stopped: {NARROW_IT}") from error
        except duckdb.OutOfMemoryException as error:
            raise QueryError(f"the question needs more memory than it may have: {NARROW_IT}") from error
        except (duckdb.ConversionException, duckdb.OutOfRangeException) as error:
            raise QueryError("a value of the question does not fit its column") from error
        except duckdb.IOException as error:
            raise StorageError("a file of the lake can't be read") from error
        except duckdb.Error as error:
            raise QueryError("the question can't be answered as it is put") from error
        finally:
            cursor.close()

    def _load_spatial(self) -> None:
        """Load the extension the first time that a question needs it: it costs 250 ms and 80 MB."""
        with self._lock:
            if self._spatial:
                return
            path = spatial_path()
            try:
                self._database.execute(f"LOAD '{path}'" if path else "LOAD spatial")
            except duckdb.Error as error:
                raise StorageError(
                    f"the spatial extension for DuckDB {duckdb.__version__} is missing: install duckdb-extension-spatial=={duckdb.__version__}"
                ) from error
            self._spatial = True


def spatial_path() -> Path | None:
    """Where the wheel `duckdb-extension-spatial` has put the extension for this DuckDB; None: it is not installed."""
    found = importlib.util.find_spec("duckdb_extension_spatial")
    for place in (found.submodule_search_locations or ()) if found else ():
        path = Path(place) / "extensions" / f"v{duckdb.__version__}" / "spatial.duckdb_extension"
        if path.is_file() and "'" not in str(path):
            return path
    return None
