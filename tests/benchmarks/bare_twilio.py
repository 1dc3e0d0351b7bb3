"""What the sending of texts is measured against: Twilio's own asynchronous client in a loop, and nothing else.

    python -m tests.benchmarks.bare_twilio URL COUNT CONCURRENCY FIRST

sends so many texts to numbers counted up from the first, and prints as JSON what CPU time that took.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator

import uvloop
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from entrypoints.stand_ins.twilio import ACCOUNT_SID, AUTH_TOKEN
from tests.benchmarks.posts import SHORT_TEXT

_SENDER = "+17205550000"


async def send(url: str, count: int, concurrency: int, first: int) -> None:
    http = AsyncTwilioHttpClient()
    client = Client(ACCOUNT_SID, AUTH_TOKEN, http_client=http)
    client.api.base_url = url
    numbers = iter(range(first, first + count))

    async def work(mine: Iterator[int]) -> None:
        for number in mine:
            await client.messages.create_async(from_=_SENDER, to=f"+1970{number}", body=SHORT_TEXT)

    started_s = time.process_time()
    try:
        await asyncio.gather(*(work(numbers) for _ in range(concurrency)))
    finally:
        await http.close()
    print(json.dumps({"cpu_s": time.process_time() - started_s}))


if __name__ == "__main__":
    uvloop.run(send(sys.argv[1], *map(int, sys.argv[2:])))
