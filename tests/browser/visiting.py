"""A visitor with a real browser, who notices what a page should not do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, ViewportSize, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(__file__).parents[2] / "requirements" / "npm" / "node_modules" / "axe-core" / "axe.min.js"

DESKTOP = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=360, height=740)

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def a_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visit:
    """A page at an origin. `faults` are errors of scripts, of the network and of the policy for content."""

    page: Page
    origin: str
    faults: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    responses: list[Response] = field(default_factory=list)

    def open(self, path: str = "") -> Page:
        response = self.page.goto(f"{self.origin}{path}", wait_until="networkidle")
        # There is none where only the fragment is another.
        assert response is None or response.ok, response
        return self.page

    def accessibility_faults(self) -> list[str]:
        """What axe finds serious or critical, each with the places where it is."""
        # A page has its text before it has its colours.
        self.page.wait_for_load_state()
        # Evaluated by the debugger, which the page's policy does not bind.
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found: dict[str, Any] = self.page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{each['id']}: {[' '.join(map(str, node['target'])) for node in each['nodes']]}"
            for each in found["violations"]
            if each["impact"] in {"serious", "critical"}
        ]

    @property
    def received(self) -> dict[str, int]:
        """How many bytes each address has answered with, unpacked."""
        return {each.url: len(each.body()) for each in self.responses if each.url.startswith("http")}

    def is_wider_than_the_window(self) -> bool:
        wider: bool = self.page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth")
        return wider


@contextmanager
def a_visit(
    browser: Browser,
    url: str,
    *,
    asks: str | None = None,
    **options: Any,  # noqa: ANN401 - those of a browser's context
) -> Iterator[Visit]:
    """`options` are those of `Browser.new_context`. A page that asks another origin than its own and `asks` for
    something, or whose script fails, fails at the end.
    """
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}"
    context = browser.new_context(**{"viewport": DESKTOP, **options})
    try:
        page = context.new_page()
        visit = Visit(page, url)

        def asked(request: Request) -> None:
            if not request.url.startswith((origin, asks or origin, "data:", "blob:")):
                visit.elsewhere.append(request.url)

        def told(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                visit.faults.append(message.text)

        page.on("request", asked)
        page.on("console", told)
        page.on("pageerror", lambda error: visit.faults.append(str(error)))
        page.on("response", lambda response: visit.responses.append(response))  # noqa: PLW0108 - Playwright marks it
        yield visit
        assert visit.elsewhere == []
        assert visit.faults == []
    finally:
        context.close()
