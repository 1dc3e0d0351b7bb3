"""A client program behind a load balancer: constant posts, each to the next process that takes connections."""

import threading
from collections.abc import Mapping, Sequence
from itertools import count
from types import TracebackType
from typing import Self

import httpx

from tests.e2e.running import Caller, HubProcess, e164

_BETWEEN_POSTS_S = 0.02


class Balancer:
    """One address for several processes: round robin among those that are in rotation.

    A connection that is refused goes to the next, which is all that it does for its clients.
    """

    def __init__(self, processes: Sequence[HubProcess]) -> None:
        self.rotation = tuple(processes)
        self._turns = count()

    def replace(self, old: HubProcess, new: HubProcess) -> None:
        self.rotation = tuple(new if each is old else each for each in self.rotation)

    def post(self, caller: Caller, body: Mapping[str, object], key: str) -> httpx.Response:
        refused: httpx.ConnectError | None = None
        for _ in self.rotation:
            process = self.rotation[next(self._turns) % len(self.rotation)]
            try:
                return caller.post(f"{process.url}/api/TextMessages", body, headers={"Idempotency-Key": key})
            except httpx.ConnectError as error:
                refused = error
        assert refused is not None
        raise refused


class ConstantPosts:
    """A thread that posts texts, one number each, from the senders in turn, until it is left."""

    def __init__(self, balancer: Balancer, caller: Caller, senders: Sequence[str]) -> None:
        self._balancer = balancer
        self._caller = caller
        self._senders = senders
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.accepted: list[str] = []
        self.failed: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        for index in count():
            if self._ended.wait(_BETWEEN_POSTS_S):
                return
            (number,) = e164(1, first=index)
            text = {"Message": "Hello", "PhoneNumber": number, "Sender": self._senders[index % len(self._senders)]}
            try:
                answer = self._balancer.post(self._caller, text, key=f"post-{index}")
            except httpx.TransportError as error:
                self.failed.append(f"{number}: {error!r}")
                continue
            if answer.status_code == 200:
                self.accepted.append(number)
            else:
                self.failed.append(f"{number}: {answer.status_code} {answer.text}")
