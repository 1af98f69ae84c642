"""A URL that is fetched: only what is new, page by page, within bounds of time and size, from where it may."""

import email.utils
import hashlib
import hmac
import importlib.metadata
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from stadthub_ingest.sources.fetched import Fetched, crs_sign, page_sign
from stadthub_ingest.sources.pages import Turn
from stadthub_ingest.sources.reach import Reach, tidy
from stadthub_schemas.errors import SourceError
from stadthub_schemas.feed import HttpSource, reveal

__all__ = ["Fetched", "fetch"]

#: How many redirects are followed, each checked like the first address.
MOST_REDIRECTS = 5

#: A fetch with all its pages, attempts and waits ends after this many seconds.
LONGEST_FETCH = 3600.0

#: Seconds before the first new attempt; doubled each time, with jitter.
FIRST_DELAY, LONGEST_DELAY = 1.0, 60.0

#: Answers after which a new attempt makes sense.
TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}

REDIRECTS = {301, 302, 303, 307, 308}

#: What an answer may be packed in. Others are not asked for, and could be bombs.
ENCODINGS = {"", "identity", "gzip", "deflate"}

#: What the operator can do about a refusal.
MENDS = {401: "mend source.auth", 403: "mend source.auth", 404: "mend source.url", 410: "mend source.url"}

#: Errors of the address or of the agreement: a new attempt gives the same.
LASTING = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL, httpx.DecodingError)


@dataclass(frozen=True, slots=True)
class _Answer:
    url: str
    status: int
    headers: httpx.Headers
    body: bytes


class _Attempt(Exception):
    """One attempt failed; another one may not."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


def fetch(
    source: HttpSource, state: dict[str, Any], reach: Reach, sleep: Callable[[float], None] = time.sleep, key: bytes = b""
) -> Iterator[Fetched]:
    """What the URL has to say, page by page, if it is not what it said before. SourceError if it doesn't answer as agreed.

    With a key what is remembered of the answer can't be guessed without it.
    """
    # No connection is used twice: it goes to an address, and two hosts behind one address have two certificates.
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(trust_env=False, follow_redirects=False, timeout=_timeouts(source), limits=limits) as client:
        fetching = _Fetching(source, reach, client, sleep)
        conditions = {} if source.paging else _conditions(state)
        answers = list(_pages(fetching, conditions))
    if not answers:
        return
    told = b"".join(hashlib.sha256(answer.body).digest() for answer in answers)
    digest = hmac.new(key, told, "sha256").hexdigest() if key else hashlib.sha256(told).hexdigest()
    if digest == state.get("sha256"):
        return
    name = tidy(str(source.url))
    remembered = {"etag": answers[0].headers.get("etag"), "last_modified": answers[0].headers.get("last-modified"), "sha256": digest}
    for number, answer in enumerate(answers, start=1):
        is_last = number == len(answers)
        page = "" if len(answers) == 1 else page_sign(number, len(answers))
        yield Fetched(f"{name}{crs_sign(answers[0].headers.get('content-crs'))}{page}", answer.body, remembered if is_last else dict(state))


def _pages(fetching: "_Fetching", conditions: dict[str, str]) -> Iterator[_Answer]:
    """All answers of one fetch; none if nothing was modified."""
    source = fetching.source
    turn = Turn(source)
    url: str | None = turn.first
    room = source.max_bytes
    while url is not None:
        answer = fetching.ask(url, conditions, room)
        if answer.status == httpx.codes.NOT_MODIFIED:
            return
        room -= len(answer.body)
        following = turn.next(answer.url, answer.headers, answer.body)
        if following is None and turn.is_empty and turn.pages > 1:
            return
        yield answer
        url = following


class _Fetching:
    """One fetch with its deadline: asks for one page after the other and tries again where that makes sense."""

    def __init__(self, source: HttpSource, reach: Reach, client: httpx.Client, sleep: Callable[[float], None]) -> None:
        self.source = source
        self._reach = reach
        self._client = client
        self._sleep = sleep
        self._deadline = time.monotonic() + LONGEST_FETCH
        self._secret = {source.auth.header: reveal(source.auth.value)} if source.auth else {}

    def ask(self, url: str, conditions: dict[str, str], room: int) -> _Answer:
        """The answer to one request, after as many attempts as the source grants."""
        for attempt in range(self.source.retries + 1):
            if time.monotonic() > self._deadline:
                raise SourceError(f"{tidy(url)}: all pages together took longer than {LONGEST_FETCH:g} s")
            try:
                return self._follow(url, conditions, room, attempt)
            except _Attempt as failed:
                wait = failed.wait if failed.wait is not None else _delay(attempt)
                left = self._deadline - time.monotonic()
                if attempt == self.source.retries or wait > left:
                    raise SourceError(f"{tidy(url)}: {failed}") from failed
                self._sleep(wait)
        raise SourceError(f"{tidy(url)}: it was not asked")

    def _follow(self, url: str, conditions: dict[str, str], room: int, attempt: int) -> _Answer:
        """The answer at the end of all redirects."""
        start = url
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._send(url, conditions, room, attempt)
            if answer.status not in REDIRECTS:
                return answer
            if "location" not in answer.headers:
                raise SourceError(f"{tidy(url)}: it redirects to nowhere")
            url = urljoin(url, answer.headers["location"])
        raise SourceError(f"{tidy(start)}: it redirects more than {MOST_REDIRECTS} times")

    def _send(self, url: str, conditions: dict[str, str], room: int, attempt: int) -> _Answer:
        """One request to an address that is checked, and what came back."""
        addresses = self._reach.addresses(url)
        try:
            wanted = httpx.URL(url)
            if self._secret:
                wanted = wanted.copy_with(userinfo=b"")
            request = self._client.build_request(
                "GET",
                wanted.copy_with(host=addresses[attempt % len(addresses)], fragment=None),
                headers={**self._headers(url), **conditions, "Host": wanted.netloc.decode("ascii")},
                extensions={"sni_hostname": wanted.raw_host.decode("ascii")},
            )
            response = self._client.send(request, stream=True)
            try:
                return self._read(url, response, room)
            finally:
                response.close()
        except UnicodeEncodeError:
            raise SourceError(f"{tidy(url)}: a header holds letters that HTTP doesn't know") from None
        except LASTING as error:
            raise SourceError(f"{tidy(url)}: {_reason(error)}") from error
        except httpx.HTTPError as error:
            raise _Attempt(_reason(error)) from error

    def _headers(self, url: str) -> dict[str, str]:
        """Our headers; the operator's own and the secret go to no other host than the one in the feed file."""
        ours = {"User-Agent": f"Stadthub/{_version()}", "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
        return {**ours, **self.source.headers, **self._secret} if _same_site(str(self.source.url), url) else ours

    def _read(self, url: str, response: httpx.Response, room: int) -> _Answer:
        """The body, unless it is too big, too slow, or none at all."""
        status = response.status_code
        if status in TRY_AGAIN:
            raise _Attempt(f"the server answered {_status(response)}", _retry_after(response.headers.get("retry-after")))
        if status in REDIRECTS or status == httpx.codes.NOT_MODIFIED:
            return _Answer(url, status, response.headers, b"")
        if not response.is_success:
            mend = f": {MENDS[status]}" if status in MENDS else ""
            raise SourceError(f"{tidy(url)}: the server answered {_status(response)}{mend}")
        if response.headers.get("content-encoding", "").strip().lower() not in ENCODINGS:
            raise SourceError(f"{tidy(url)}: the answer is packed in a way that was not asked for")
        seconds = self.source.timeout.total_seconds()
        ends = time.monotonic() + seconds
        body = bytearray()
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > room:
                raise SourceError(f"{tidy(url)}: the answer is bigger than source.max_bytes ({self.source.max_bytes})")
            if time.monotonic() > ends:
                raise _Attempt(f"the answer took longer than {seconds:g} s")
        return _Answer(url, status, response.headers, bytes(body))


def _timeouts(source: HttpSource) -> httpx.Timeout:
    seconds = source.timeout.total_seconds()
    return httpx.Timeout(seconds, connect=min(seconds, 10.0))


def _conditions(state: dict[str, Any]) -> dict[str, str]:
    """The headers by which the server can say that nothing was modified."""
    names = {"If-None-Match": "etag", "If-Modified-Since": "last_modified"}
    return {header: str(state[key]) for header, key in names.items() if state.get(key)}


def _delay(attempt: int) -> float:
    return min(FIRST_DELAY * 2.0**attempt, LONGEST_DELAY) * random.uniform(0.5, 1.0)


def _retry_after(value: str | None) -> float | None:
    """How many seconds the server wants us to wait: it says a number or a date."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        then = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, ((then if then.tzinfo else then.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())


def _same_site(first: str, second: str) -> bool:
    """Whether both are one site; from http to https of the same host is allowed."""
    one, other = urlsplit(first), urlsplit(second)
    if one.hostname != other.hostname:
        return False
    return (one.scheme, one.port) == (other.scheme, other.port) or (one.port is other.port is None and other.scheme == "https")


def _status(response: httpx.Response) -> str:
    return f"{response.status_code} {response.reason_phrase}".strip()


#: Why it failed, in words that hold neither address nor secret; the first that fits.
REASONS: tuple[tuple[type[Exception], str], ...] = (
    (httpx.TimeoutException, "timed out"),
    (httpx.ConnectError, "the server can't be reached"),
    (httpx.DecodingError, "the answer is packed in a way that can't be read"),
    (httpx.InvalidURL, "this is not a URL"),
    (httpx.LocalProtocolError, "a header is not valid HTTP"),
    (httpx.HTTPError, "the server broke off the connection"),
)


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.ConnectError) and "CERTIFICATE" in str(error).upper():
        return "TLS failed: the certificate is not trusted"
    return next(words for kind, words in REASONS if isinstance(error, kind))


def _version() -> str:
    try:
        return importlib.metadata.version("stadthub")
    except importlib.metadata.PackageNotFoundError:
        return "0"
