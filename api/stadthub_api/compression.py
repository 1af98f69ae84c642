"""Smaller answers for those who ask: text is compressed, published files and column formats are sent as they are."""

from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

#: These are compressed inside already.
PACKED = ("application/vnd.apache.parquet", "application/vnd.apache.arrow.stream")
#: Published files keep their length, their ranges and their strong ETag.
UNTOUCHED = ("/distributions/",)


class Compression(GZipMiddleware):
    """gzip at a level that costs little; whoever doesn't ask for it doesn't pay for the wrapper either."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, minimum_size=1000, compresslevel=4, exclude_content_types=(*DEFAULT_EXCLUDED_CONTENT_TYPES, *PACKED))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _asks(scope) and not scope["path"].startswith(UNTOUCHED):
            await super().__call__(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _asks(scope: Scope) -> bool:
    return any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"])
