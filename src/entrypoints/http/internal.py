"""The internal port: for the machines that run the hub (see openapi/internal.yaml)."""

import asyncio
from contextlib import suppress

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from entrypoints.health import Health
from entrypoints.telemetry.metrics import Metrics

_LONGEST_LOOK_S = 1.0  # A database that hangs must not cost the scrape.


def create_internal_app(health: Health, metrics: Metrics) -> ASGIApp:
    async def livez(_request: Request) -> Response:
        return PlainTextResponse("alive")

    async def readyz(_request: Request) -> Response:
        ready, checks = await health.ready()
        return JSONResponse({"ready": ready, "checks": dict(checks)}, 200 if ready else 503)

    async def scrape(_request: Request) -> Response:
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_LOOK_S):
                await health.measure()
        return Response(generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    return Starlette(routes=[Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", scrape)])
