"""A hub whose doings are traced. What this imports is loaded where traces are on, and else not."""

from starlette.types import ASGIApp

from domain.ports.callback_observer import CallbackObserver
from domain.ports.clock import Clock
from domain.ports.dispatch_observer import DispatchObserver
from domain.ports.intake import Intake
from entrypoints.http.traced_requests import TracedRequests
from entrypoints.telemetry.metrics import Metrics
from entrypoints.telemetry.traced_texts import TracedCallbacks, TracedDispatch, TracedIntake
from entrypoints.telemetry.traces import Traces
from entrypoints.tracing import Tracing


class Traced(Tracing):
    def __init__(self, clock: Clock) -> None:
        self._traces = Traces(clock)

    def app(self, app: ASGIApp) -> ASGIApp:
        return TracedRequests(app, self._traces)

    def intake(self, intake: Intake) -> Intake:
        return TracedIntake(intake)

    def dispatch(self, metrics: Metrics) -> DispatchObserver:
        return TracedDispatch(metrics, self._traces)

    def callbacks(self, metrics: Metrics) -> CallbackObserver:
        return TracedCallbacks(metrics, self._traces)

    async def stop(self) -> None:
        await self._traces.stop()
