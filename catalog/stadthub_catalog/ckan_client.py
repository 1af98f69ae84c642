"""The door to foreign CKANs: ckanapi with bounds of time, attempts where another one makes sense, and our errors for theirs."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from ckanapi import RemoteCKAN
from ckanapi.errors import CKANAPIError, NotAuthorized, NotFound, SearchError, ValidationError

from stadthub_schemas.errors import AccessError, PublishError, SourceError

#: Seconds before the first new attempt; doubled each time.
FIRST_DELAY, LONGEST_DELAY = 1.0, 60.0

#: Signs in ckanapi's words of an answer after which another attempt makes sense.
_AGAIN = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long an answer may take, how often it is tried again, and how one waits between."""

    seconds: float = 60.0
    retries: int = 3
    sleep: Callable[[float], None] = time.sleep


class ForeignCkan:
    """A CKAN of somebody else, with a token of ours."""

    def __init__(self, url: str, token: str, agent: str, bounds: Bounds) -> None:
        session = requests.Session()
        session.trust_env = False
        self._host = urlsplit(url).netloc.rpartition("@")[2]
        self._bounds = bounds
        self._remote = RemoteCKAN(url.rstrip("/"), apikey=token, user_agent=agent, session=session)

    def close(self) -> None:
        """Give the connections back."""
        self._remote.close()

    def package(self, key: str) -> dict[str, Any] | None:
        """The package of this name or id there; None if there is none, or one that was deleted, which a CKAN shows to nobody else."""
        try:
            return dict(self._call("package_show", {"id": key}))
        except (NotFound, AccessError):
            return None

    def create(self, package: Mapping[str, Any]) -> str:
        """Make the package; its id there. PublishError with what that CKAN has against it."""
        return str(self._call("package_create", package)["id"])

    def update(self, key: str, package: Mapping[str, Any]) -> None:
        """Write the package with this id anew. PublishError."""
        self._call("package_update", {**package, "id": key})

    def hide(self, key: str) -> None:
        """Let only the organisation's own people see it; nothing to do if it is gone."""
        self._forgiving("package_patch", {"id": key, "private": True})

    def delete(self, key: str) -> None:
        """Delete it; nothing to do if it is gone."""
        self._forgiving("package_delete", {"id": key})

    def make_table(self, resource: str, fields: Sequence[Mapping[str, Any]]) -> None:
        """An empty table in the DataStore for this resource, in place of one that is there."""
        self._forgiving("datastore_delete", {"resource_id": resource, "force": True})
        self._call("datastore_create", {"resource_id": resource, "force": True, "fields": list(fields)})

    def add_rows(self, resource: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """More rows for that table."""
        self._call("datastore_upsert", {"resource_id": resource, "force": True, "method": "insert", "records": list(rows)})

    def _forgiving(self, action: str, said: Mapping[str, Any]) -> None:
        try:
            self._call(action, said)
        except NotFound:
            return

    def _call(self, action: str, said: Mapping[str, Any]) -> Any:
        """One action, after as many attempts as are granted. NotFound is the caller's affair."""
        for attempt in range(self._bounds.retries + 1):
            try:
                return self._remote.call_action(action, dict(said), requests_kwargs={"timeout": (10, self._bounds.seconds)})
            except NotFound:
                raise
            except NotAuthorized as error:
                raise AccessError(f"{self._host}: it refuses {action}: mend publish.token or publish.organization") from error
            except (ValidationError, SearchError) as error:
                raise PublishError(f"{self._host}: it refuses the dataset: {_told(error)}") from error
            except CKANAPIError as error:
                if not _may_pass(error):
                    raise PublishError(f"{self._host}: {action} failed: {_told(error)}") from error
                self._wait(attempt, f"{action} failed: {_told(error)}", error)
            except (requests.RequestException, OSError) as error:
                self._wait(attempt, _reason(error), error)
        raise SourceError(f"{self._host}: it was not asked")

    def _wait(self, attempt: int, reason: str, error: Exception) -> None:
        """Wait for another attempt; SourceError if there is none."""
        if attempt >= self._bounds.retries:
            raise SourceError(f"{self._host}: {reason}") from error
        self._bounds.sleep(min(FIRST_DELAY * 2.0**attempt, LONGEST_DELAY))


def _may_pass(error: CKANAPIError) -> bool:
    """Whether an answer of that status may be another one next time: ckanapi gives the list of address, status and body as a text."""
    return any(f", {status}, " in str(error) for status in _AGAIN)


def _told(error: CKANAPIError) -> str:
    """What that CKAN said, in one short line."""
    said = getattr(error, "error_dict", None)
    if isinstance(said, Mapping):
        parts = [
            f"{key}: {'; '.join(map(str, value)) if isinstance(value, list) else value}" for key, value in said.items() if key[:2] != "__"
        ]
        return ", ".join(parts)[:500]
    return " ".join(str(error).split())[:300]


def _reason(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return "it did not answer in time"
    return "it can't be reached" if isinstance(error, requests.ConnectionError) else type(error).__name__
