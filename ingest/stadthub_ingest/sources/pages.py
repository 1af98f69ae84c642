"""How to get from one page of an answer to the next: by a link, by a growing offset, or by a cursor."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import httpx

from stadthub_ingest.sources.reach import tidy
from stadthub_schemas.errors import SourceError
from stadthub_schemas.feed import HttpSource, Paging


class Turn:
    """Where one fetch stands: how many pages it has seen, and which."""

    def __init__(self, source: HttpSource) -> None:
        self.first = str(source.url)
        self.pages = 0
        self.is_empty = False
        self._paging = source.paging
        self._offset = 0
        self._place = tidy(self.first)
        self._seen: set[str] = set()
        self._body = b""
        if self._paging is not None and self._paging.page_size is not None:
            self.first = _with(self.first, self._paging.size_parameter, self._paging.page_size)

    def next(self, url: str, headers: httpx.Headers, body: bytes) -> str | None:
        """The URL of the page behind this one, or None if this is the last. SourceError if it goes round in a circle."""
        self.pages += 1
        self._seen.add(url)
        if self._paging is None:
            return None
        following = WAYS[self._paging.by](self, self._paging, headers, body, url)
        if following is None:
            return None
        if following in self._seen or (self.pages > 1 and body == self._body):
            raise SourceError(f"{self._place}: the pages go round in a circle: mend source.paging")
        if self.pages >= self._paging.max_pages:
            raise SourceError(f"{self._place}: there are more than source.paging.max_pages ({self._paging.max_pages}) pages")
        self._seen.add(following)
        self._body = body
        return following

    def by_link(self, paging: Paging, headers: httpx.Headers, body: bytes, url: str) -> str | None:
        """The next URL out of the Link header, or out of the JSON answer."""
        if paging.path is None:
            found = httpx.Response(200, headers=headers).links.get("next", {}).get("url")
        else:
            found = self._at(self._json(body), paging.path)
            found = found.get("href") if isinstance(found, dict) else found
        return urljoin(url, str(found)) if found else None

    def by_offset(self, paging: Paging, _: httpx.Headers, body: bytes, __: str) -> str | None:
        """The URL behind the rows that we have, as long as there are rows: a server may give less than page_size of them."""
        answer = self._json(body)
        rows = self._at(answer, paging.path) if paging.path else _rows(answer)
        if not isinstance(rows, list):
            raise SourceError(f"{self._place}: the answer holds no list of rows: mend source.paging.path")
        self.is_empty = not rows
        self._offset += len(rows)
        return _with(self.first, paging.parameter, self._offset) if rows else None

    def by_cursor(self, paging: Paging, _: httpx.Headers, body: bytes, __: str) -> str | None:
        """The URL with the cursor out of the JSON answer."""
        found = self._at(self._json(body), paging.path or paging.parameter)
        return _with(self.first, paging.parameter, found) if isinstance(found, str | int) and found not in ("", False) else None

    def _json(self, body: bytes) -> Any:
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise SourceError(f"{self._place}: the answer is not JSON, which source.paging needs") from error

    def _at(self, answer: Any, path: str) -> Any:
        """What stands at a path with dots, or at a key that has dots itself (@iot.nextLink); None if nothing does."""
        if isinstance(answer, dict) and path in answer:
            return answer[path]
        for key in path.split("."):
            if isinstance(answer, list) and key.isdigit() and int(key) < len(answer):
                answer = answer[int(key)]
            elif isinstance(answer, dict):
                answer = answer.get(key)
            else:
                return None
        return answer


WAYS: dict[str, Callable[[Turn, Paging, httpx.Headers, bytes, str], str | None]] = {
    "link": Turn.by_link,
    "offset": Turn.by_offset,
    "cursor": Turn.by_cursor,
}


def _rows(answer: Any) -> Any:
    """The list of rows: the answer itself, or the longest list in it or one level deeper."""
    if not isinstance(answer, dict):
        return answer
    inner = [value for one in answer.values() if isinstance(one, dict) for value in one.values()]
    lists = [value for value in [*answer.values(), *inner] if isinstance(value, list)]
    return max(lists, key=len, default=None)


def _with(url: str, parameter: str, value: object) -> str:
    return str(httpx.URL(url).copy_set_param(parameter, str(value)))
