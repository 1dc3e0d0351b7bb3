"""The browsable reference at `/docs`: Swagger UI, with a page, a stylesheet and a plugin of the hub's own."""

from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path

from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

# Nothing comes from or goes to another address. Swagger UI draws its icons out of `data:`.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_FOLDER = Path(__file__).parent


def reference_routes(base: str) -> Sequence[BaseRoute]:
    """`base` is the path under which the hub lives."""

    async def page(_request: Request) -> Response:
        return FileResponse(
            _FOLDER / "reference.html", media_type="text/html", headers={"Content-Security-Policy": _POLICY}
        )

    async def style(_request: Request) -> Response:
        return FileResponse(_FOLDER / "reference.css", media_type="text/css")

    async def script(_request: Request) -> Response:
        return FileResponse(_FOLDER / "reference.js", media_type="text/javascript")

    return [
        Route(f"{base}/docs", page),
        Route(f"{base}/docs/reference.css", style),
        Route(f"{base}/docs/reference.js", script),
        # 1.9 MB, of which a browser on a slow line loads a third.
        Mount(f"{base}/docs/assets", GZipMiddleware(StaticFiles(directory=_swagger_ui()), compresslevel=6)),
    ]


def _swagger_ui() -> Path:
    """The files alone: importing the package would import Flask."""
    return Path(str(distribution("flask-swagger-ui").locate_file("flask_swagger_ui/dist")))
