"""The one door to apprise: addresses of people and programs that are told of trouble. None of their secrets comes out of here."""

import logging
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apprise import Apprise, NotifyType
from pydantic import SecretStr

from stadthub_schemas.errors import FeedError
from stadthub_schemas.feed import reveal
from stadthub_schemas.finding import Severity

#: A comma ends an address only where another one begins.
_BETWEEN = re.compile(r",\s*(?=[a-zA-Z][a-zA-Z0-9+]*://|\$\{|file:/)")

#: apprise writes addresses into its log, and they hold secrets.
logging.getLogger("apprise").addHandler(logging.NullHandler())
logging.getLogger("apprise").propagate = False

_TYPES = {Severity.ERROR: NotifyType.FAILURE, Severity.WARNING: NotifyType.WARNING, Severity.INFO: NotifyType.SUCCESS}


@dataclass(frozen=True, slots=True)
class Channel:
    """One address. `name` is its service and its place in the list: what may be shown and kept."""

    name: str
    _plugin: Any
    _wrong: str | None = None

    def send(self, title: str, body: str, severity: Severity) -> str | None:
        """Deliver a message; None if it was taken, else why not."""
        if self._plugin is None:
            return self._wrong
        post = Apprise()
        post.add(self._plugin)
        if post.notify(body=body, title=title, notify_type=_TYPES[severity]):
            return None
        return f"{self.name} did not take the message: see whether its server answers and its address, user and password are right"


def channels(addresses: Sequence[SecretStr]) -> list[Channel]:
    """The channels of these addresses, secrets filled in; one that can't be used says why when it is to send."""
    return [_channel(number, address) for number, address in enumerate(addresses, start=1)]


def split(addresses: SecretStr | None) -> list[SecretStr]:
    """The addresses of a setting."""
    whole = "" if addresses is None else addresses.get_secret_value()
    return [SecretStr(part.strip()) for part in _BETWEEN.split(whole) if part.strip()]


def _channel(number: int, address: SecretStr) -> Channel:
    try:
        with warnings.catch_warnings():  # apprise reads all its services at the first address, some of them with what Python gives up
            warnings.simplefilter("ignore", DeprecationWarning)
            plugin = Apprise.instantiate(reveal(address), suppress_exceptions=True)
    except FeedError as error:
        return Channel(f"{number}: ?", None, str(error))
    if plugin is None:
        return Channel(f"{number}: ?", None, f"alarm address {number} is none that can be used: see the list of apprise's services")
    return Channel(f"{number}: {plugin.service_name}", plugin)
