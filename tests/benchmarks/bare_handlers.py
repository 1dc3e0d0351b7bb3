"""What the hub is measured against: the least that the same requests can be. Run by `tests.benchmarks.bare`.

Starlette, PyJWT and asyncpg on uvicorn. No validation, no use of the number, no queue, no log, no metrics.
"""

import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import jwt
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uuid_utils.compat import uuid7

from tests.benchmarks import signing

_POOL = 10
_TABLES = """
CREATE TABLE bare_keys (
    program_id text NOT NULL, key text NOT NULL, message_id uuid NOT NULL, PRIMARY KEY (program_id, key)
);
CREATE TABLE bare_messages (
    id uuid PRIMARY KEY, program_id text NOT NULL, body text NOT NULL, number text NOT NULL, created_us bigint NOT NULL
);
"""
_INSERT_KEY = "INSERT INTO bare_keys VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
_INSERT_MESSAGE = "INSERT INTO bare_messages VALUES ($1, $2, $3, $4, $5)"

_remembered: dict[str, Mapping[str, Any]] = {}


def _claims(request: Request) -> Mapping[str, Any]:
    return _verified(_token(request))


def _remembered_claims(request: Request) -> Mapping[str, Any]:
    token = _token(request)
    claims = _remembered.get(token)
    if claims is None:
        claims = _remembered[token] = _verified(token)
    if claims["exp"] <= time.time():
        raise jwt.ExpiredSignatureError
    return claims


def _token(request: Request) -> str:
    return request.headers["authorization"].removeprefix("Bearer ")


def _verified(token: str) -> Mapping[str, Any]:
    return jwt.decode(token, signing.KEY, ["HS256"], audience="sms-hub", issuer="sms-hub")


async def accept(request: Request) -> Response:
    program_id = _claims(request)["sub"]
    message = orjson.loads(await request.body())
    message_id = uuid7()
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        status = await connection.execute(_INSERT_KEY, program_id, request.headers["idempotency-key"], message_id)
        if status == "INSERT 0 0":
            return Response(status_code=409)
        await connection.execute(
            _INSERT_MESSAGE,
            message_id,
            program_id,
            message["Message"],
            message["PhoneNumber"],
            time.time_ns() // 1_000,
        )
    return _json({"Id": str(message_id)})


async def preview(request: Request) -> Response:
    _claims(request)
    return await _previewed(request)


async def preview_with_token_remembered(request: Request) -> Response:
    _remembered_claims(request)
    return await _previewed(request)


async def ready(_: Request) -> Response:
    return Response()


async def _previewed(request: Request) -> Response:
    message = orjson.loads(await request.body())
    return _json({"Characters": len(message["Message"]), "Encoding": "GSM-7", "Segments": 1})


def _json(value: object) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")


def accepting_app(database_url: str) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(database_url, min_size=_POOL, max_size=_POOL) as pool:
            await pool.execute(_TABLES)
            app.state.pool = pool
            yield

    routes = [Route("/api/TextMessages", accept, methods=["POST"]), Route("/readyz", ready)]
    return Starlette(routes=routes, lifespan=lifespan)


def previewing_app() -> Starlette:
    return Starlette(
        routes=[
            Route("/preview", preview, methods=["POST"]),
            Route("/preview-with-token-remembered", preview_with_token_remembered, methods=["POST"]),
            Route("/readyz", ready),
        ]
    )


def main(kind: str, port: str, database_url: str) -> None:
    app = accepting_app(database_url) if kind == "accept" else previewing_app()
    # As the hub has it.
    uvicorn.run(app, port=int(port), log_level="error", access_log=False, server_header=False, proxy_headers=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
