"""Whether what the hub does is traced: what does it is wrapped accordingly."""

from typing import Protocol

from starlette.types import ASGIApp

from domain.ports.callback_observer import CallbackObserver
from domain.ports.dispatch_observer import DispatchObserver
from domain.ports.intake import Intake
from entrypoints.telemetry.callback_observer import LoggedCallbacks
from entrypoints.telemetry.metrics import Metrics
from entrypoints.telemetry.observers import LoggedDispatch


class Tracing(Protocol):
    def app(self, app: ASGIApp) -> ASGIApp: ...

    def intake(self, intake: Intake) -> Intake: ...

    def dispatch(self, metrics: Metrics) -> DispatchObserver: ...

    def callbacks(self, metrics: Metrics) -> CallbackObserver: ...

    async def stop(self) -> None:
        """Sends what is left, within two seconds."""
        ...


class Untraced(Tracing):
    """All is as it is."""

    def app(self, app: ASGIApp) -> ASGIApp:
        return app

    def intake(self, intake: Intake) -> Intake:
        return intake

    def dispatch(self, metrics: Metrics) -> DispatchObserver:
        return LoggedDispatch(metrics)

    def callbacks(self, metrics: Metrics) -> CallbackObserver:
        return LoggedCallbacks(metrics)

    async def stop(self) -> None:
        """There is nothing left."""
