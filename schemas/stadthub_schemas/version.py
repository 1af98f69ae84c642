"""The version of the hub, as installed or, in a checkout that is not installed, as developed."""

from importlib.metadata import PackageNotFoundError, version


def _installed() -> str:
    try:
        return version("stadthub")
    except PackageNotFoundError:
        return "0.0.0+checkout"


VERSION = _installed()
