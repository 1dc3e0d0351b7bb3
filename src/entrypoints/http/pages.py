"""What is served beside the contract's operations: the document itself and its browsable reference."""

from importlib.metadata import distribution
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from entrypoints.http.contract import Contract

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


def pages(contract: Contract) -> ASGIApp:
    document = orjson.dumps(contract.document)
    base = contract.base_path

    async def openapi(_request: Request) -> Response:
        return Response(document, media_type="application/json")

    async def reference(_request: Request) -> Response:
        return Response(_REFERENCE, media_type="text/html", headers={"Content-Security-Policy": _POLICY})

    async def start(_request: Request) -> Response:
        return Response(_START, media_type="text/javascript")

    async def welcome(_request: Request) -> Response:
        return RedirectResponse(f"{base}/docs")

    return Router(
        [
            Route(f"{base}/openapi.json", openapi),
            Route(f"{base}/docs", reference),
            Route(f"{base}/docs/start.js", start),
            Mount(f"{base}/docs/assets", StaticFiles(directory=_swagger_ui())),
            Route(f"{base}/", welcome),
        ],
        redirect_slashes=False,
    )


def _swagger_ui() -> Path:
    """The files alone: importing the package would import Flask."""
    return Path(str(distribution("flask-swagger-ui").locate_file("flask_swagger_ui/dist")))
