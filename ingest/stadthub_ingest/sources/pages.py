"""How to get from one page of an answer to the next: by a link, by a growing offset, or by a cursor.

Of an answer in XML the paths see the attributes of its root, such as `next` and `numberReturned` of a WFS.
"""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import httpx

from stadthub_ingest.markup import root_attributes
from stadthub_ingest.sources.reach import tidy
from stadthub_schemas.errors import SourceError
from stadthub_schemas.feed import HttpSource, Paging

#: The moment of the answer, which makes two answers of the same rows differ.
_STAMP = re.compile(rb"""timeStamp["']?\s*[=:]\s*["'][^"']{0,60}["']""")


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
        self._rows = b""
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
        rows = _STAMP.sub(b"", body)
        if following in self._seen or (self.pages > 1 and rows == self._rows):
            raise SourceError(f"{self._place}: the pages go round in a circle: mend source.paging")
        if self.pages >= self._paging.max_pages:
            raise SourceError(f"{self._place}: there are more than source.paging.max_pages ({self._paging.max_pages}) pages")
        self._seen.add(following)
        self._rows = rows
        return following

    def by_link(self, paging: Paging, headers: httpx.Headers, body: bytes, url: str) -> str | None:
        """The next URL out of the Link header, or out of the answer: a text, an object with `href`, or a list of those with `rel`."""
        if paging.path is None:
            found: Any = httpx.Response(200, headers=headers).links.get("next", {}).get("url")
        else:
            found = self._at(self._read(body), paging.path)
            if isinstance(found, list):
                found = next((one for one in found if isinstance(one, dict) and one.get("rel") == "next"), None)
            found = found.get("href") if isinstance(found, dict) else found
        return urljoin(url, str(found)) if found else None

    def by_offset(self, paging: Paging, _: httpx.Headers, body: bytes, __: str) -> str | None:
        """The URL behind the rows that we have, as long as there are rows: a server may give less than page_size of them."""
        answer = self._read(body)
        count = _count(self._at(answer, paging.path) if paging.path else _rows(answer))
        if count is None:
            raise SourceError(f"{self._place}: the answer holds no list of rows, nor their number: mend source.paging.path")
        self.is_empty = not count
        self._offset += count
        if paging.more is not None and self._at(answer, paging.more) in (None, False, "", "false"):
            return None
        return _with(self.first, paging.parameter, self._offset) if count else None

    def by_cursor(self, paging: Paging, _: httpx.Headers, body: bytes, __: str) -> str | None:
        """The URL with the cursor out of the answer."""
        found = self._at(self._read(body), paging.path or paging.parameter)
        return _with(self.first, paging.parameter, found) if isinstance(found, str | int) and found not in ("", False) else None

    def _read(self, body: bytes) -> Any:
        attributes = root_attributes(body)
        if attributes is not None:
            return attributes
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise SourceError(f"{self._place}: the answer is neither JSON nor XML, which source.paging needs") from error

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


def _count(rows: Any) -> int | None:
    """How many rows there are: the length of a list, or the number that the answer gives."""
    if isinstance(rows, list):
        return len(rows)
    if isinstance(rows, str) and rows.isascii() and rows.isdigit():
        rows = int(rows)
    return rows if isinstance(rows, int) and not isinstance(rows, bool) and rows >= 0 else None


def _with(url: str, parameter: str, value: object) -> str:
    return str(httpx.URL(url).copy_set_param(parameter, str(value)))
