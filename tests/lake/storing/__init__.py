"""The storing side of the lake: raw log, store, snapshots, upkeep."""
