"""What the accept rate is measured against: the least that a durable, authenticated POST can be.

Starlette, PyJWT and asyncpg: BEGIN, two inserts, COMMIT, answer. No validation, no queue, no pacing.
"""

import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import jwt
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

KEY = b"k" * 32


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async with asyncpg.create_pool(os.environ["BARE_DATABASE_URL"], min_size=10, max_size=10) as pool:
        await pool.execute("CREATE TABLE IF NOT EXISTS bare_messages (id uuid PRIMARY KEY, body text NOT NULL)")
        await pool.execute("CREATE TABLE IF NOT EXISTS bare_deliveries (id uuid PRIMARY KEY, number text NOT NULL)")
        app.state.pool = pool
        yield


async def accept(request: Request) -> Response:
    token = request.headers["authorization"].removeprefix("Bearer ")
    jwt.decode(token, KEY, ["HS256"], audience="sms-hub", issuer="sms-hub")
    message = orjson.loads(await request.body())
    message_id = uuid.uuid4()
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        await connection.execute("INSERT INTO bare_messages VALUES ($1, $2)", message_id, message["Message"])
        await connection.execute("INSERT INTO bare_deliveries VALUES ($1, $2)", message_id, message["PhoneNumber"])
    return Response(orjson.dumps({"Id": str(message_id)}), media_type="application/json")


app = Starlette(routes=[Route("/api/TextMessages", accept, methods=["POST"])], lifespan=lifespan)

if __name__ == "__main__":
    uvicorn.run(app, port=int(os.environ["BARE_PORT"]), log_level="error", access_log=False)
