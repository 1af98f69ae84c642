"""Where Arrow takes its memory from."""

import pyarrow as pa


def keep_memory() -> None:
    """Arrow takes memory from the process's own allocator, which hands out again what was given back. Arrow's default gives large pieces
    back to the system at once, and touching them anew was a quarter of the processor time of loading a large file."""
    pa.set_memory_pool(pa.system_memory_pool())
