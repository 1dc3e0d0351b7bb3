import time
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.model.access import Grant
from entrypoints.telemetry.metrics import Metrics

PROBLEM = "smshub_problem"


class RequestTelemetry:
    """One log line and one observation for each request. Paths are not logged, for callers put anything into them."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics
        # What is looked up once need not be for each request.
        self._log = structlog.get_logger("smshub.http").bind()
        self._counters: dict[tuple[str, int], Counter] = {}
        self._timers: dict[str, Histogram] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Made here, outside of all else, so that what the inner layers note in it is seen here.
        extensions: MutableMapping[str, Any] = scope.setdefault("extensions", {})
        status = 500
        started = time.perf_counter()

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._note(scope["method"], status, time.perf_counter() - started, extensions)

    def _note(self, method: str, status: int, seconds: float, extensions: MutableMapping[str, Any]) -> None:
        operation = operation_of(extensions) or "none"
        self._counter(operation, status).inc()
        self._timer(operation).observe(seconds)
        self._log.info(
            "request_served",
            method=known_method(method),
            operation=operation,
            status=status,
            ms=round(seconds * 1_000, 1),
            program=program_of(extensions),
            problem=extensions.get(PROBLEM),
        )

    def _counter(self, operation: str, status: int) -> Counter:
        if (operation, status) not in self._counters:
            self._counters[operation, status] = self._metrics.http_requests.labels(operation, str(status))
        return self._counters[operation, status]

    def _timer(self, operation: str) -> Histogram:
        if operation not in self._timers:
            self._timers[operation] = self._metrics.http_seconds.labels(operation)
        return self._timers[operation]


def operation_of(extensions: Mapping[str, Any]) -> str | None:
    operation: str | None = extensions.get("connexion_routing", {}).get("operation_id")
    return operation


def program_of(extensions: Mapping[str, Any]) -> str | None:
    grant: Grant | None = extensions.get("connexion_context", {}).get("token_info", {}).get("grant")
    return None if grant is None else grant.program_id


def known_method(method: str) -> str:
    """Callers put anything into it."""
    return method if method.isalpha() and len(method) < 10 else "other"
