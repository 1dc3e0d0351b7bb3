from collections.abc import Sequence

from domain.model.pace import Pace
from domain.model.sender import OptOutReplies, Sender
from domain.ports.senders import Senders
from domain.use_cases.prepare_providers import PrepareProviders
from tests.unit.builders import a_sender
from tests.unit.fakes import OpenProvider


class TheseSenders(Senders):
    def __init__(self, *senders: Sender) -> None:
        self._senders = senders

    async def all(self) -> Sequence[Sender]:
        return self._senders

    async def change(
        self, sender_id: int, *, pace: Pace, backlog_us: int, opt_out_replies: OptOutReplies | None = None, now_us: int
    ) -> None:
        raise NotImplementedError


class UnpreparedProvider(OpenProvider):
    prepared = 0

    async def prepare(self) -> None:
        self.prepared += 1


async def test_providers_get_ready_that_there_are_senders_of() -> None:
    post, pigeon = UnpreparedProvider(), UnpreparedProvider()
    senders = TheseSenders(a_sender(provider="post"), a_sender(sender_id=2, provider="post"))

    await PrepareProviders(senders=senders, providers={"post": post, "pigeon": pigeon})()

    assert (post.prepared, pigeon.prepared) == (1, 0)


async def test_senders_of_a_provider_that_is_none_any_more_are_passed_over() -> None:
    await PrepareProviders(senders=TheseSenders(a_sender(provider="telegraph")), providers={})()
