from typing import Protocol
from uuid import UUID

from domain.errors import HubError
from domain.model.webhook import Call, Disabled
from domain.model.webhook_retry import Answer


class WebhookObserver(Protocol):
    """Told of what happens, for logs and metrics. Must be quick and must not raise."""

    def called(self, call: Call, answer: Answer, *, given_up: bool) -> None: ...

    def disabled(self, webhook_id: UUID, program_id: str, why: Disabled) -> None: ...

    def held_up(self, error: HubError) -> None:
        """The store did not answer; work goes on when it does."""
        ...
