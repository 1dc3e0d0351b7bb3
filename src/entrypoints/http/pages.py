"""What is served beside the contract's operations: the document itself and its browsable reference."""

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from entrypoints.http.contract import Contract
from entrypoints.http.reference.routes import reference_routes


def pages(contract: Contract) -> ASGIApp:
    document = orjson.dumps(contract.document)
    base = contract.base_path

    async def openapi(_request: Request) -> Response:
        return Response(document, media_type="application/json")

    async def welcome(_request: Request) -> Response:
        return RedirectResponse(f"{base}/docs")

    return Router(
        [
            Route(f"{base}/openapi.json", openapi),
            *reference_routes(base),
            Route(f"{base}/", welcome),
        ],
        redirect_slashes=False,
    )
