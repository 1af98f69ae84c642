"""Rows to tables and back: the raw log, the lake's tables and versions, snapshots and questions."""
