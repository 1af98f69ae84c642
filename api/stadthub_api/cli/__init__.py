"""The command line `stadthub`: one file per group of commands, wired in app.py."""

from stadthub_api.cli.app import main

__all__ = ["main"]
