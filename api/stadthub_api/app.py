"""The application: every router, what stands around every answer, and the doors that are open while it runs. Wiring only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from stadthub_api.bodies import BodyLimit
from stadthub_api.compression import Compression
from stadthub_api.envelope import Envelope
from stadthub_api.hub import opened
from stadthub_api.metrics import Measured
from stadthub_api.portal import errors
from stadthub_api.portal import router as portal
from stadthub_api.problems import register
from stadthub_api.recent import Recent
from stadthub_api.routers import (
    addresses,
    aggregate,
    atom,
    autocomplete,
    ckan,
    datasets,
    datastore,
    dcat,
    discovery,
    documentation,
    downloads,
    exports,
    feeds,
    files,
    health,
    measured,
    privacy,
    push,
    scanning,
    sql,
)
from stadthub_schemas.settings import Settings
from stadthub_schemas.version import VERSION

#: In the order in which an address is looked for: what clients ask most stands first, since each router before costs its share.
ROUTERS = (
    ckan.router,
    datasets.router,
    measured.router,
    aggregate.router,
    exports.router,
    sql.router,
    datastore.router,
    files.router,
    downloads.router,
    push.router,
    scanning.router,
    feeds.router,
    privacy.router,
    health.router,
    discovery.router,
    dcat.router,
    addresses.router,
    atom.router,
    autocomplete.router,
    documentation.router,
    portal.router,
)


def create_app(settings: Settings) -> FastAPI:
    """The hub's HTTP side, ready to be served; the doors open when it starts and close when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened(settings) as hub:
            app.state.hub = hub
            app.state.measured = Measured(hub)
            yield

    app = FastAPI(
        title=settings.site_title,
        version=VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    for router in ROUTERS:
        app.include_router(router)
    app.state.error_page = errors.page
    register(app)
    for around in (BodyLimit, Recent, Compression, Envelope):  # the last one stands outermost
        app.add_middleware(around)
    return app
