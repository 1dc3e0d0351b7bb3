from dataclasses import dataclass
from uuid import UUID

from domain.errors import MessageNotFound
from domain.model.access import Grant
from domain.model.text_message import TextSummary
from domain.ports.clock import Clock
from domain.ports.text_log import TextLog


@dataclass(frozen=True, kw_only=True)
class CancelText:
    """Stops what has not been handed to the provider. What has is not called back, but is not tried again either."""

    texts: TextLog
    clock: Clock

    async def __call__(self, grant: Grant, message_id: UUID) -> tuple[int, TextSummary]:
        """How many deliveries this stopped, and the message as it stands now.

        Canceling again changes nothing. Raises `MessageNotFound`, for another program's messages too.
        """
        canceled = await self.texts.cancel(grant.program_id, message_id, now_us=self.clock.now_us())
        summary = await self.texts.find(grant.program_id, message_id)
        if canceled is None or summary is None:
            raise MessageNotFound
        return canceled, summary
