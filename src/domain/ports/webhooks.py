from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from domain.model.webhook import Disabled, EventType, Webhook
from domain.model.webhook_secret import WebhookSecret
from domain.ports.text_log import Page


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedAttempt:
    """`status` is None where no answer came; `error` says why then."""

    id: int
    event_id: UUID
    type: EventType
    at_us: int
    accepted: bool
    status: int | None
    error: str | None
    took_ms: int


class Webhooks(Protocol):
    """The programs' endpoints. Where a `program_id` goes with an id, `WebhookNotFound` is raised for another's."""

    async def add(self, webhook: Webhook, secret: WebhookSecret) -> None:
        """Raises `TooManyWebhooks`, `ProgramNotFound` where the program is deleted, and `InvalidValue` where the hub
        has no key to keep secrets with.
        """
        ...

    async def all(self, program_id: str | None = None) -> Sequence[Webhook]:
        """In the order in which they were made; those of all programs where none is given."""
        ...

    async def find(self, program_id: str, webhook_id: UUID) -> Webhook: ...

    async def change(self, webhook: Webhook) -> None:
        """Stores what it wants and whether it is called. One that is called again begins as one that never failed."""
        ...

    async def remove(self, program_id: str, webhook_id: UUID) -> None:
        """With all that waits for it."""
        ...

    async def rotate(self, program_id: str, webhook_id: UUID, secret: WebhookSecret, *, old_until_us: int) -> None:
        """The secret that was in force holds until then; one before it does no more."""
        ...

    async def attempts(
        self, program_id: str, webhook_id: UUID, *, before: int | None, limit: int
    ) -> Page[LoggedAttempt, int]:
        """Newest first."""
        ...

    async def replay(self, program_id: str, webhook_id: UUID, event_id: UUID, *, now_us: int) -> None:
        """Makes the call once more. Raises `EventNotFound`."""
        ...

    async def replay_failed(self, program_id: str, webhook_id: UUID, *, since_us: int, now_us: int) -> int:
        """Makes those calls anew that were not accepted, of events from then on; says how many."""
        ...

    async def test(self, program_id: str, webhook_id: UUID, *, now_us: int) -> UUID:
        """Tells the endpoint something without meaning; the event's id."""
        ...

    async def enable(self, webhook_id: UUID) -> None:
        """Whichever program's it is. Raises `WebhookNotFound`."""
        ...

    async def disable(self, webhook_id: UUID, why: Disabled) -> bool:
        """Whether this did it: it was not disabled before."""
        ...

    async def seal_anew(self) -> int:
        """Seals all secrets with the newest key; says of how many endpoints. Raises `CredentialsUnreadable`."""
        ...
