"""The demo city: a fictional Musterstadt whose simulated sensors speak real protocols."""

from stadthub_api.demo.running import Demo, start

__all__ = ["Demo", "start"]
