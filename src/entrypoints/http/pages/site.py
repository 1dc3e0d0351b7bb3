"""What is served beside the contract's operations: pages for people, the document itself, and keys."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from entrypoints.http.console.routes import console_routes
from entrypoints.http.console.use_cases import UseCases
from entrypoints.http.contract import Contract
from entrypoints.http.pages.opt_out import OptOutPage
from entrypoints.http.pages.reference.routes import reference_routes
from entrypoints.http.pages.samples import SAMPLES, sample
from entrypoints.http.pages.welcome import Welcome

# All that a page needs is the hub's own, and stands in files.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


# A new key is published for longer than this before it signs.
_KEY_SET_HEADERS = {"Cache-Control": "public, max-age=300"}


def pages(
    contract: Contract, welcome: Welcome, opt_out: OptOutPage, console: UseCases, key_set: Mapping[str, object]
) -> ASGIApp:
    base = contract.base_path
    document = orjson.dumps(contract.document)
    keys = orjson.dumps(key_set)
    files = {each.file: sample(each.file, contract.url) for each in SAMPLES}

    async def openapi(_request: Request) -> Response:
        return Response(document, media_type="application/json")

    async def public_keys(_request: Request) -> Response:
        return Response(keys, media_type="application/jwk-set+json", headers=_KEY_SET_HEADERS)

    async def to_welcome(_request: Request) -> Response:
        return RedirectResponse(f"{base}/")

    routes = [
        Route(f"{base}/", _page(welcome.page)),
        *(Route(f"{base}/samples/{name}", _file(text)) for name, text in files.items()),
        Mount(f"{base}/assets", _Assets(directory=Path(__file__).parent / "assets")),
        Route(f"{base}/openapi.json", openapi),
        Route(f"{base}/.well-known/jwks.json", public_keys),
        *reference_routes(base),
        Route(f"{base}/opt-out/{{program_id}}", opt_out.__call__, methods=["GET", "POST"]),
        *console_routes(base, contract.url, console, contact=welcome.contact),
    ]
    if base:
        routes.append(Route(base, to_welcome))
    return Router(routes, redirect_slashes=False)


_Endpoint = Callable[[Request], Awaitable[Response]]


def _page(made: Callable[[], str]) -> _Endpoint:
    """Made when somebody first asks for it, besides all else: to colour its code takes a third of a second."""
    once = functools.cache(made)

    async def page(_request: Request) -> Response:
        html = await asyncio.to_thread(once)
        return Response(html, media_type="text/html", headers=_HEADERS | {"Content-Security-Policy": _POLICY})

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
