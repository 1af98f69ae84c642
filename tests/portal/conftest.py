"""Fixtures of the portal: a served city, and a real browser that tells of everything that went wrong on a page."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from stadthub_api.app import create_app
from stadthub_api.deps import SESSION_COOKIE
from stadthub_api.portal.assets import BUILT
from tests.api.city import served
from tests.portal.city import City, build

FRONTEND = Path(__file__).parents[2] / "api" / "frontend"
AXE = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
#: Chromium asks nobody by itself; software rendering draws the map without a graphics card.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]


@pytest.fixture(scope="session")
def portal_city(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A filled hub."""
    return build(tmp_path_factory.mktemp("portal"))


@pytest.fixture(scope="session")
def portal_address(portal_city: City) -> Iterator[str]:
    """Where its portal is served."""
    with served(create_app(portal_city.settings)) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    if not (BUILT / "manifest.json").is_file():
        pytest.skip("the front end is not built: cd api/frontend && npm ci && npm run build")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield started
        started.close()


@dataclass
class Visit:
    """A page that is being looked at, what the browser complained of, and whom it asked."""

    page: Page
    address: str
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def go(self, path: str) -> "Visit":
        """Open the page and wait until its map, if it has one, is drawn."""
        self.page.goto(self.address + path)
        if self.page.locator("stadthub-map").count() and self.page.evaluate("document.documentElement.classList.contains('scripted')"):
            self.page.wait_for_selector("stadthub-map[data-ready]", timeout=60_000)
        return self

    @property
    def foreign(self) -> list[str]:
        """What was asked of anybody but us."""
        return [url for url in self.asked if not url.startswith((self.address, "data:", f"blob:{self.address}"))]


@pytest.fixture
def visit(browser: Browser, portal_address: str) -> Callable[..., Any]:
    """Look at the portal with a browser of its own: its size, its look, with or without scripts, signed in or not."""

    @contextmanager
    def look(token: str | None = None, **options: Any) -> Iterator[Visit]:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **options})
        context.set_default_timeout(30_000)
        if token:
            context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": portal_address}])
        seen = Visit(context.new_page(), portal_address)
        seen.page.on("console", lambda message: seen.complaints.append(message.text) if message.type in ("error", "warning") else None)
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        context.on("request", lambda request: seen.asked.append(request.url))
        yield seen
        context.close()

    return look


@pytest.fixture(scope="session")
def axe() -> str:
    """The accessibility checker's source."""
    if not AXE.is_file():
        pytest.skip("axe-core is not there: cd api/frontend && npm ci")
    return AXE.read_text("utf-8")
