import time
from collections.abc import MutableMapping
from typing import Any

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, use_span
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from domain.model.pace import SECOND_US
from entrypoints.http.telemetry import PROBLEM, known_method, operation_of, program_of
from entrypoints.telemetry.traces import Traces, ended, trace_id

# W3C's headers, by which callers name the span that a request is part of.
_PARENT = {b"traceparent": "traceparent", b"tracestate": "tracestate"}


class TracedRequests:
    """One span for each request, which the log lines written meanwhile name. Stands outside of all other layers."""

    def __init__(self, app: ASGIApp, traces: Traces) -> None:
        self._app = app
        self._traces = traces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Made here, so that what the inner layers note in it is seen here.
        extensions: MutableMapping[str, Any] = scope.setdefault("extensions", {})
        method = known_method(scope["method"])
        parent = {_PARENT[name]: value.decode("latin-1") for name, value in scope["headers"] if name in _PARENT}
        began_us, began_s = self._traces.now_us(), time.perf_counter()
        span = self._traces.begun(method, SpanKind.SERVER, at_us=began_us, parent=parent)
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            # What is raised may show what must not be shown.
            with (
                use_span(span, record_exception=False, set_status_on_exception=False),
                bound_contextvars(trace=trace_id(span)),
            ):
                await self._app(scope, receive, noting)
        finally:
            took_us = int((time.perf_counter() - began_s) * SECOND_US)
            _end(span, method, status, extensions, at_us=began_us + took_us)


def _end(span: Span, method: str, status: int, extensions: MutableMapping[str, Any], *, at_us: int) -> None:
    operation, problem = operation_of(extensions), extensions.get(PROBLEM)
    if operation is not None:
        span.update_name(operation)
    if status >= 500:
        span.set_status(Status(StatusCode.ERROR, problem))
    attributes = {
        "http.request.method": method,
        "http.response.status_code": status,
        "error.type": problem,
        "smshub.program": program_of(extensions),
    }
    ended(span, attributes, at_us=at_us)
