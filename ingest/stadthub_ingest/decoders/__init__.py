"""The decoders: one file each, found by its name. They do not know each other."""
