"""What is served beside the contract's operations: pages for people, and the document itself."""

from collections.abc import Awaitable, Callable
from importlib.metadata import distribution
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from entrypoints.http.contract import Contract
from entrypoints.http.pages.samples import SAMPLES, sample
from entrypoints.http.pages.welcome import Welcome

_REFERENCE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>SMS Hub: API reference</title>
<link rel="icon" href="docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="docs/assets/swagger-ui.css">
</head>
<body>
<div id="reference">
<noscript>This page needs JavaScript; the document is at <a href="openapi.json">openapi.json</a>.</noscript>
</div>
<script src="docs/assets/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""

_START = """"use strict";
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  persistAuthorization: false,
  validatorUrl: null,
});
"""

# Swagger UI sets styles and shows its icons inline; nothing comes from or goes to another address.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

# All that a page needs is the hub's own, and stands in files.
_STRICT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def pages(contract: Contract, welcome: Welcome) -> ASGIApp:
    base = contract.base_path
    document = orjson.dumps(contract.document)
    files = {each.file: sample(each.file, contract.url) for each in SAMPLES}

    async def openapi(_request: Request) -> Response:
        return Response(document, media_type="application/json")

    async def reference(_request: Request) -> Response:
        return Response(_REFERENCE, media_type="text/html", headers={"Content-Security-Policy": _POLICY})

    async def start(_request: Request) -> Response:
        return Response(_START, media_type="text/javascript")

    async def to_welcome(_request: Request) -> Response:
        return RedirectResponse(f"{base}/")

    routes = [
        Route(f"{base}/", _page(welcome.page())),
        *(Route(f"{base}/samples/{name}", _file(text)) for name, text in files.items()),
        Mount(f"{base}/assets", _Assets(directory=Path(__file__).parent / "assets")),
        Route(f"{base}/openapi.json", openapi),
        Route(f"{base}/docs", reference),
        Route(f"{base}/docs/start.js", start),
        Mount(f"{base}/docs/assets", StaticFiles(directory=_swagger_ui())),
    ]
    if base:
        routes.append(Route(base, to_welcome))
    return Router(routes, redirect_slashes=False)


_Endpoint = Callable[[Request], Awaitable[Response]]


def _page(html: str) -> _Endpoint:
    async def page(_request: Request) -> Response:
        return Response(html, media_type="text/html", headers=_HEADERS | {"Content-Security-Policy": _STRICT_POLICY})

    return page


def _file(text: str) -> _Endpoint:
    async def file(_request: Request) -> Response:
        return PlainTextResponse(text, headers=_HEADERS)

    return file


class _Assets(StaticFiles):
    """Browsers ask each time whether what they have is still good: a new version of the hub is seen at once."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers.update(_HEADERS)
        return response


def _swagger_ui() -> Path:
    """The files alone: importing the package would import Flask."""
    return Path(str(distribution("flask-swagger-ui").locate_file("flask_swagger_ui/dist")))
