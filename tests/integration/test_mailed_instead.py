"""A program is tried out: a whole hub, a real mail server, and a provider that gets nothing."""

from domain.model.delivery import DeliveryState
from domain.model.phone_number import PhoneNumber
from domain.model.program import Program
from domain.model.retry import RetryPolicy
from domain.model.sender import SenderAddress
from domain.model.terms import USUAL_TERMS, Terms
from domain.model.text_message import TextMessage
from tests.builders import SENDER, an_opt_out
from tests.e2e.running import e164
from tests.integration.working_hub import ScriptedProvider, WorkingHub, a_hub
from tests.mailing import FROM, MailServer, a_mail_server, hang_up, saying

TO = "office@example.org"
RATE = "50"
OTHER = SenderAddress("+19705550101")
HASTY = RetryPolicy(first_backoff_us=50_000, longest_backoff_us=100_000, enquiry_delays_us=(100_000, 100_000))


def told(server: MailServer) -> dict[str, str]:
    return {"mail_url": f"smtp://127.0.0.1:{server.port}", "mail_from": FROM}


async def until_ended(
    hub: WorkingHub, program: Program, message: TextMessage
) -> list[tuple[DeliveryState, str | None]]:
    """How its deliveries have ended."""
    ended = await hub.until_are(program, message, lambda each: each.state.terminal)
    return [(each.state, each.reason) for each in ended]


async def test_nobody_is_texted_and_the_office_gets_it_all(database_url: str) -> None:
    provider = ScriptedProvider()
    async with a_mail_server() as server, a_hub(database_url, provider, retry=None, **told(server)) as hub:
        program = await hub.program(rate=RATE, mail_to=TO)
        first, second, third = e164(3)
        await hub.container.opt_outs().record([an_opt_out(program.id, PhoneNumber(third))])
        async with hub.dispatching():
            message = await hub.post(program, [first, second, third])
            ended = await until_ended(hub, program, message)
    delivered = (DeliveryState.DELIVERED, "mailed-instead")
    assert ended == [delivered, delivered, (DeliveryState.BLOCKED, "opted-out")]
    assert server.texts == [f"Text to {number} from {SENDER.value}" for number in (first, second)]
    assert server.recipients == [TO, TO]
    assert (provider.left, provider.asked) == ([], 0)


async def test_what_is_queued_when_it_is_switched_on_or_off_goes_the_new_way(database_url: str) -> None:
    provider = ScriptedProvider()
    async with a_mail_server() as server, a_hub(database_url, provider, retry=None, **told(server)) as hub:
        program = await hub.program(rate=RATE)
        mailed = await hub.post(program, e164(2))
        await hub.container.change_program()(program.id, lambda _: Terms(mail_to=TO))
        async with hub.dispatching():
            await until_ended(hub, program, mailed)
        assert (len(server.mails), provider.left) == (2, [])
        await hub.post(program, e164(2, first=2))
        await hub.container.change_program()(program.id, lambda _: USUAL_TERMS)
        async with hub.dispatching():
            await hub.until_left(2)
    assert sorted(each.number for each in provider.left) == e164(2, first=2)
    assert len(server.mails) == 2


async def test_without_a_mail_server_nobody_gets_anything(database_url: str) -> None:
    provider = ScriptedProvider()
    async with a_hub(database_url, provider) as hub:
        program = await hub.program(rate=RATE, mail_to=TO)
        async with hub.dispatching():
            ended = await until_ended(hub, program, await hub.post(program, e164(1)))
    assert ended == [(DeliveryState.FAILED, "mail-not-set-up")]
    assert provider.left == []


async def test_a_mail_server_that_comes_back_gets_what_waited(database_url: str) -> None:
    provider = ScriptedProvider()
    async with a_mail_server() as server, a_hub(database_url, provider, retry=HASTY, **told(server)) as hub:
        server.to_recipients.extend([saying("451 Later")] * 3)
        program = await hub.add_sender(await hub.program(rate=RATE, failover=True, mail_to=TO), OTHER, rate=RATE)
        async with hub.dispatching():
            ended = await until_ended(hub, program, await hub.post(program, e164(1)))
    assert ended == [(DeliveryState.DELIVERED, "mailed-instead")]
    assert provider.left == []


async def test_no_other_sender_takes_over_because_the_mail_server_is_away(database_url: str) -> None:
    async with a_mail_server() as server, a_hub(database_url, ScriptedProvider(), retry=HASTY, **told(server)) as hub:
        server.to_recipients.extend([saying("451 Later")] * 100)
        program = await hub.add_sender(await hub.program(rate=RATE, failover=True, mail_to=TO), OTHER, rate=RATE)
        async with hub.dispatching():
            message = await hub.post(program, e164(1))
            ended = await until_ended(hub, program, message)
        page = await hub.container.texts().deliveries(program.id, message.id, after=0, limit=1)
    assert ended == [(DeliveryState.FAILED, "mail-server-away")]
    assert page is not None
    assert [each.sender for each in page.items] == [SENDER]


async def test_what_the_mail_server_may_have_is_not_asked_of_the_provider(database_url: str) -> None:
    """Who would know nothing of it, so that it would be sent again."""
    provider = ScriptedProvider()
    async with a_mail_server() as server, a_hub(database_url, provider, retry=HASTY, **told(server)) as hub:
        server.to_mails.append(hang_up)
        program = await hub.program(rate=RATE, mail_to=TO)
        async with hub.dispatching():
            message = await hub.post(program, e164(1))
            unknown = DeliveryState.UNKNOWN
            await hub.until_are(program, message, lambda each: each.state is unknown and each.due_us is None)
    assert (provider.left, provider.asked, len(server.mails)) == ([], 0, 1)
