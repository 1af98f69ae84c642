"""When the certificate of a far side expires: of sources that speak TLS."""

import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from stadthub_ingest.sources.reach import Reach
from stadthub_schemas.errors import SourceError
from stadthub_schemas.feed import Feed, HttpSource, MqttSource

#: What OpenSSL calls a certificate that has expired.
EXPIRED = 10


@dataclass(frozen=True, slots=True)
class Certificate:
    """Whose certificate, and until when it is valid; None: it has expired already."""

    host: str
    until: datetime | None


def certificate(feed: Feed, reach: Reach, seconds: float = 10.0) -> Certificate | None:
    """The certificate of the feed's source; None if the source has none. SourceError if it does not answer."""
    source = feed.source
    if isinstance(source, HttpSource) and urlsplit(source.url).scheme == "https":
        parts = urlsplit(source.url)
        host, port = str(parts.hostname), parts.port or 443
        return _ask(host, port, reach.check(source.url), ssl.create_default_context(), seconds)
    if isinstance(source, MqttSource) and source.tls:
        context = ssl.create_default_context(cafile=source.ca_file)
        return _ask(source.host, source.port, source.host, context, seconds)
    return None


def _ask(host: str, port: int, address: str, context: ssl.SSLContext, seconds: float) -> Certificate:
    try:
        with socket.create_connection((address, port), seconds) as plain, context.wrap_socket(plain, server_hostname=host) as secure:
            told = secure.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        if error.verify_code == EXPIRED:
            return Certificate(host, None)
        raise SourceError(f"{host}:{port}: its certificate is not one to trust: {error.verify_message}") from error
    except OSError as error:
        raise SourceError(f"{host}:{port}: it does not answer: {error.strerror or error}") from error
    return Certificate(host, datetime.fromtimestamp(ssl.cert_time_to_seconds(str(told["notAfter"])), UTC))
