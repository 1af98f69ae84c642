"""One file each step."""
