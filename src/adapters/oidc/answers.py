"""How an identity provider is called, and what is read of its answers."""

from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from domain.errors import IdentityProviderAway

# People wait for it, and a sign-in takes three calls at the most.
TIMEOUT_S = 5.0
# So that whoever plays with the way back cannot have it called without end.
_MOST_AT_ONCE = 10
_MOST_BYTES = 1_048_576


class Calls:
    """Answers are JSON objects of 1 MiB at the most; redirects are not followed. Raises `IdentityProviderAway`."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._session: ClientSession | None = None

    async def get(self, url: str, *, token: str | None = None) -> Mapping[str, Any]:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        status, answer = await self._call("GET", url, headers=headers)
        if status != 200:
            raise IdentityProviderAway(f"status {status}")
        return answer

    async def post(
        self, url: str, form: Mapping[str, str], *, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, Any]]:
        """The status as well, which is 200 or tells whose fault it is."""
        status, answer = await self._call("POST", url, data=form, headers=headers)
        if status != 200 and not 400 <= status < 500:
            raise IdentityProviderAway(f"status {status}")
        return status, answer

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _call(self, method: str, url: str, **options: Any) -> tuple[int, Mapping[str, Any]]:  # noqa: ANN401
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(limit=_MOST_AT_ONCE),
                cookie_jar=DummyCookieJar(),
                timeout=ClientTimeout(total=self._timeout_s),
                headers={"Accept": "application/json"},
            )
        try:
            async with self._session.request(method, url, allow_redirects=False, **options) as response:
                body = await _read(response.content)
                return response.status, _as_object(body)
        except TimeoutError:
            raise IdentityProviderAway("timeout") from None
        except (ClientError, OSError, ValueError) as fault:
            raise IdentityProviderAway(type(fault).__name__) from None


async def _read(content: Any) -> bytes:  # noqa: ANN401 - a stream reader of aiohttp's
    """Raises ValueError for what is too long."""
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise ValueError
    return bytes(body)


def _as_object(body: bytes) -> Mapping[str, Any]:
    """Raises ValueError."""
    answer = orjson.loads(body)
    if not isinstance(answer, dict):
        raise ValueError  # noqa: TRY004 - as for what is no JSON at all
    return answer
