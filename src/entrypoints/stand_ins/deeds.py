"""The ways in which any provider may go wrong."""

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus

from entrypoints.stand_ins.fates import Behaviour
from entrypoints.stand_ins.http import Arrival, Conversation, response
from entrypoints.stand_ins.stand_in import Deed, StandIn


def _ok(stand_in: StandIn, conversation: Conversation, arrival: Arrival, _how: Behaviour) -> None:
    conversation.write(*stand_in.success(arrival))


def _slow(stand_in: StandIn, conversation: Conversation, arrival: Arrival, how: Behaviour) -> None:
    """Takes it at once, and answers later."""
    asyncio.get_running_loop().call_later(how.delay_s, conversation.write, *stand_in.success(arrival))


def _hang(_stand_in: StandIn, _conversation: Conversation, _arrival: Arrival, _how: Behaviour) -> None:
    """Neither takes the text nor answers."""


def _hang_but_taken(stand_in: StandIn, _conversation: Conversation, arrival: Arrival, _how: Behaviour) -> None:
    stand_in.success(arrival)


def _drip(stand_in: StandIn, conversation: Conversation, arrival: Arrival, how: Behaviour) -> None:
    """Takes it, and answers byte by byte."""
    left = list(_whole_answer(stand_in, arrival))

    def next_byte() -> None:
        conversation.put(bytes([left.pop(0)]))
        if left:
            asyncio.get_running_loop().call_later(how.delay_s, next_byte)

    next_byte()


def _reset_before_answer(stand_in: StandIn, conversation: Conversation, arrival: Arrival, _how: Behaviour) -> None:
    stand_in.success(arrival)
    conversation.abort()


def _reset_without_taking(_stand_in: StandIn, conversation: Conversation, _arrival: Arrival, _how: Behaviour) -> None:
    conversation.abort()


def _close_before_answer(stand_in: StandIn, conversation: Conversation, arrival: Arrival, _how: Behaviour) -> None:
    """Politely: what HTTP libraries take for a connection that was idle for too long."""
    stand_in.success(arrival)
    conversation.close()


def _html_200(_stand_in: StandIn, conversation: Conversation, _arrival: Arrival, _how: Behaviour) -> None:
    conversation.write_raw(200, b"<html><body>Welcome to this Wi-Fi</body></html>", {"Content-Type": "text/html"})


def _no_http(_stand_in: StandIn, conversation: Conversation, _arrival: Arrival, _how: Behaviour) -> None:
    conversation.put(b"220 mail.example ESMTP\r\n\r\n")
    conversation.close()


def _cut_json(stand_in: StandIn, conversation: Conversation, arrival: Arrival, _how: Behaviour) -> None:
    status, answer = stand_in.success(arrival)
    whole = json.dumps(answer).encode()
    conversation.write_raw(status, whole[: len(whole) // 2], {"Content-Type": "application/json"})


def _cut_answer(stand_in: StandIn, conversation: Conversation, arrival: Arrival, _how: Behaviour) -> None:
    """Hangs up in the middle of it."""
    conversation.put(_whole_answer(stand_in, arrival)[:-20])
    conversation.close()


def _huge(stand_in: StandIn, conversation: Conversation, arrival: Arrival, _how: Behaviour) -> None:
    status, answer = stand_in.success(arrival)
    whole = json.dumps(answer).encode() + b" " * (8 * 2**20)
    conversation.write_raw(status, whole, {"Content-Type": "application/json"})


def _bad_gateway_but_taken(stand_in: StandIn, conversation: Conversation, arrival: Arrival, _how: Behaviour) -> None:
    stand_in.success(arrival)
    conversation.write_raw(HTTPStatus.BAD_GATEWAY, b"<html>Bad gateway</html>", {"Content-Type": "text/html"})


def _whole_answer(stand_in: StandIn, arrival: Arrival) -> bytes:
    status, answer = stand_in.success(arrival)
    return response(status, json.dumps(answer).encode(), {})


COMMON_DEEDS: Mapping[str, Deed] = {
    "ok": _ok,
    "slow": _slow,
    "hang": _hang,
    "hang-but-taken": _hang_but_taken,
    "drip": _drip,
    "reset-before-answer": _reset_before_answer,
    "reset-without-taking": _reset_without_taking,
    "close-before-answer": _close_before_answer,
    "html-200": _html_200,
    "no-http": _no_http,
    "cut-json": _cut_json,
    "cut-answer": _cut_answer,
    "huge": _huge,
    "502-but-taken": _bad_gateway_but_taken,
}
