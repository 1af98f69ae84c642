"""Foreign clients against a running hub."""
