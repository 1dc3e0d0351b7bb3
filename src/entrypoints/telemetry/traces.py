"""Spans, as OpenTelemetry's SDK makes them and sends them to a collector. It reads its own variables (`OTEL_…`):
where to, and which share.
"""

import asyncio
import threading
from collections.abc import Mapping
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from domain.ports.clock import Clock

_NANOSECONDS = 1_000  # In a microsecond.
_STOPS_WITHIN_S = 2.0  # What is left of the 15 s beyond its calls under way that a process is given to stop.

_W3C = TraceContextTextMapPropagator()


class Traces:
    """All spans have their times on the hub's clock, so that those of several machines stand in order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        own = Resource({SERVICE_NAME: "sms-hub", SERVICE_VERSION: version("sms-hub")})
        # What is said in the environment goes before.
        resource = Resource.create().merge(own).merge(OTELResourceDetector().detect())
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        # Keeps some thousand spans and sends them from a thread of its own; what is more is dropped.
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("sms-hub", version("sms-hub"))

    def begun(self, name: str, kind: SpanKind, *, at_us: int, parent: Mapping[str, str]) -> Span:
        """`parent` are W3C's headers by their names; where they are missing or unreadable, a trace begins."""
        return self._tracer.start_span(name, context=_W3C.extract(parent), kind=kind, start_time=at_us * _NANOSECONDS)

    def now_us(self) -> int:
        return self._clock.now_us()

    async def stop(self) -> None:
        """Sends what is left, as far as the collector takes it within two seconds."""
        # A daemon, since an export that hangs must not keep the process.
        stopping = threading.Thread(target=self._provider.shutdown, daemon=True)
        stopping.start()
        await asyncio.to_thread(stopping.join, _STOPS_WITHIN_S)


def ended(span: Span, attributes: Mapping[str, AttributeValue | None], *, at_us: int) -> None:
    """Without what is None."""
    span.set_attributes({name: value for name, value in attributes.items() if value is not None})
    span.end(at_us * _NANOSECONDS)


def trace_id(span: Span) -> str:
    """32 hexadecimal digits."""
    return f"{span.get_span_context().trace_id:032x}"


def trace_parent() -> str | None:
    """The current span as W3C writes it; None where there is none."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier)
    return carrier.get("traceparent")
