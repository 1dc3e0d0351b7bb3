"""Where webhooks may lead: to public addresses, to networks that the operator has opened, and nowhere else."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from aiohttp import web

from adapters.webhooks.destinations import AddressRefused, Destinations, networks
from adapters.webhooks.transport import HttpWebhookTransport
from domain.errors import UrlRefused
from domain.model.webhook_retry import Answer
from entrypoints.stand_ins.certificates import Certificate
from tests.ports import free_port
from tests.receiver import Receiver

OPEN = Destinations(networks(["127.0.0.0/8", "::1/128"]))
CLOSED = Destinations()

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.8",
    "192.88.99.1",
    "198.18.0.1",
    "203.0.113.7",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:a9fe:a9fe",
    "::127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "2001:0:a00:1::1",
]
PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]


@asynccontextmanager
async def a_transport(
    destinations: Destinations = OPEN, *, timeout_s: float = 15, lookup: Callable[..., Any] = socket.getaddrinfo
) -> AsyncIterator[HttpWebhookTransport]:
    transport = HttpWebhookTransport(destinations, timeout_s=timeout_s, lookup=lookup)
    try:
        yield transport
    finally:
        await transport.close()


def leading_to(*answers: Sequence[str]) -> Callable[..., Any]:
    """What a name leads to, at the first look-up, the next one, and so on; the last answer is that of all others."""
    left = list(answers)

    def look_up(_host: str, port: int | None, **_: object) -> list[tuple[Any, ...]]:
        addresses = left.pop(0) if len(left) > 1 else left[0]
        return [found for each in addresses for found in socket.getaddrinfo(each, port, type=socket.SOCK_STREAM)]

    return look_up


async def post(transport: HttpWebhookTransport, url: str) -> Answer:
    return await transport.post(url, {"webhook-id": "one"}, b"{}")


# Addresses


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_not_connected_to(address: str) -> None:
    with pytest.raises(AddressRefused):
        CLOSED.check_connection(address, encrypted=True)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_connected_to(address: str) -> None:
    CLOSED.check_connection(address, encrypted=True)


def test_a_network_that_is_open_is_open_in_whichever_form_it_is_written() -> None:
    opened = Destinations(networks(["10.20.0.0/16"]))

    opened.check_connection("10.20.0.1", encrypted=False)
    opened.check_connection("::ffff:10.20.0.1", encrypted=True)
    for address, encrypted in (("10.21.0.1", True), ("8.8.8.8", False)):
        with pytest.raises(AddressRefused):
            opened.check_connection(address, encrypted=encrypted)


@pytest.mark.parametrize(
    "url",
    [
        "http://office.example/hooks",
        "ftp://office.example/hooks",
        "file:///etc/passwd",
        "office.example/hooks",
        "https://",
        "https:///hooks",
        "https://user@office.example/",
        "https://user:secret@office.example/",
        "https://office.example:22/",
        "https://office.example:99999/",
        "https://office.example/#part",
        "https://office.example\\@10.0.0.1/",
        "https://office.example/a b",
        "https://[::1/",
        "https://127.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        f"https://office.example/{'a' * 2_000}",
    ],
)
async def test_such_a_url_is_refused_when_it_is_given_and_when_it_is_called(url: str) -> None:
    async with a_transport(CLOSED) as transport:
        with pytest.raises(UrlRefused):
            await transport.check(url)
        answer = await post(transport, url)

    assert (answer.status, answer.error) == (None, "address-refused")


@pytest.mark.parametrize("url", ["https://office.example/hooks?a=b", "https://office.example:8443/"])
async def test_such_a_url_is_taken_though_its_name_is_not_given_out_yet(url: str) -> None:
    def unknown(*_: object, **__: object) -> list[tuple[Any, ...]]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    async with a_transport(CLOSED, lookup=unknown) as transport:
        await transport.check(url)
        answer = await post(transport, url)

    assert (answer.status, answer.error) == (None, "name-unknown")


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::1"]])
async def test_a_name_that_leads_to_a_private_address_is_refused(addresses: Sequence[str]) -> None:
    async with a_transport(CLOSED, lookup=leading_to(addresses)) as transport:
        with pytest.raises(UrlRefused):
            await transport.check("https://office.example/")
        answer = await post(transport, "https://office.example/")

    assert answer.error == "address-refused"


# The system's own resolver reads these as addresses.
@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f.1", "127.1", "0177.0.0.1"])
async def test_other_ways_to_write_this_machine_are_refused(receiver: Receiver, host: str) -> None:
    port = receiver.url.rpartition(":")[2]
    async with a_transport(Destinations(networks(["10.0.0.0/8"]))) as transport:
        answer = await post(transport, f"http://{host}:{port}/")

    assert answer.status is None
    assert receiver.calls == []


async def test_a_name_that_leads_elsewhere_by_the_time_of_the_call_is_refused_then(receiver: Receiver) -> None:
    port = receiver.url.rpartition(":")[2]
    lookup = leading_to(["8.8.8.8"], ["127.0.0.1"])
    async with a_transport(CLOSED, lookup=lookup) as transport:
        await transport.check(f"https://office.example:{port}/")
        answer = await post(transport, f"https://office.example:{port}/")

    assert (answer.status, answer.error) == (None, "address-refused")
    assert receiver.calls == []


async def test_a_call_looks_its_name_up_once(receiver: Receiver) -> None:
    """What the first look-up says is checked and connected to; a second one might say something else."""
    port = receiver.url.rpartition(":")[2]
    asked: list[str] = []

    def look_up(host: str, port: int | None, **options: object) -> list[tuple[Any, ...]]:
        asked.append(host)
        return leading_to(["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"])(host, port, **options)  # type: ignore[no-any-return]

    async with a_transport(lookup=look_up) as transport:
        answer = await post(transport, f"http://office.example:{port}/")

    assert answer.accepted
    assert asked == ["office.example"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_nobody_is_followed_elsewhere(receiver: Receiver, status: int) -> None:
    redirect = {"Location": receiver.url}
    async with answering(lambda _: web.Response(status=status, headers=redirect)) as url, a_transport() as transport:
        answer = await post(transport, url)

    assert (answer.status, answer.accepted) == (status, False)
    assert receiver.calls == []


# What a call comes to

Respond: TypeAlias = Callable[[web.Request], web.StreamResponse | Awaitable[web.StreamResponse]]


@asynccontextmanager
async def answering(respond: Respond, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    async def handle(request: web.Request) -> web.StreamResponse:
        answer = respond(request)
        return answer if isinstance(answer, web.StreamResponse) else await answer

    port = free_port()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
        yield f"http{'s' if tls else ''}://127.0.0.1:{port}/hooks"
    finally:
        await runner.cleanup()


async def test_what_is_sent_arrives_as_it_is(receiver: Receiver) -> None:
    async with a_transport() as transport:
        answer = await transport.post(f"{receiver.url}/a%2Fb?c=d", {"webhook-id": "one"}, b'{"a":1}')

    (call,) = receiver.calls
    assert answer.accepted
    assert answer.took_us > 0
    assert (call.method, call.url, call.body) == ("POST", f"{receiver.url}/a%2Fb?c=d", b'{"a":1}')
    assert call.headers["webhook-id"] == "one"
    assert "cookie" not in call.headers


async def test_retry_after_is_read() -> None:
    async with (
        answering(lambda request: web.Response(status=503, headers={"Retry-After": request.query["after"]})) as url,
        a_transport() as transport,
    ):
        for written, seconds in (("120", 120), ("Wed,+21+Oct+2026+07:28:00+GMT", None), ("9" * 100, 604_800)):
            assert (await post(transport, f"{url}?after={written}")).retry_after_s == seconds


async def test_a_long_answer_is_not_read_to_its_end() -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(1_000):
            await answer.write(b"a" * 100_000)
            sent += 100_000
        return answer

    async with answering(endless) as url, a_transport() as transport:
        assert (await post(transport, url)).accepted

    assert sent < 50_000_000


async def test_an_endpoint_that_says_nothing_is_left_after_a_while() -> None:
    async def silent(_request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async with answering(silent) as url, a_transport(timeout_s=0.2) as transport:
        answer = await post(transport, url)

    assert (answer.status, answer.error) == (None, "timeout")
    assert answer.took_us >= 200_000


async def test_nobody_there_is_an_error_of_the_connection() -> None:
    async with a_transport() as transport:
        assert (await post(transport, f"http://127.0.0.1:{free_port()}/")).error == "connection"


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    tls = Certificate(tmp_path).server()
    async with answering(lambda _: web.Response(), tls=tls) as url, a_transport() as transport:
        assert (await post(transport, url)).error == "tls"


def test_addresses_of_the_lists_above_are_addresses() -> None:
    assert all(ip_address(each) for each in [*PRIVATE, *PUBLIC])
