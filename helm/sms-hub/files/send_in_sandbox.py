"""Logs in, sends a text through the sandbox, and waits until it is delivered. Needs nothing but Python."""

import json
import os
import sys
import time
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

# The sandbox throttles it once and delivers it then. No carrier has it: a program that really sends reaches nobody.
NUMBER = "+15005550010"
WITHIN_S = 90
RETRY_S = 1
CREDENTIALS = {"ProgramSID": "PROGRAM_SID", "ProgramKey": "PROGRAM_KEY"}
ENDED = {"delivered", "undelivered", "failed", "expired", "blocked", "canceled"}

base = os.environ["HUB_URL"]
deadline = time.monotonic() + WITHIN_S


def call(path, body=None, token=None):
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    while True:
        try:
            with urlopen(Request(base + path, data, headers), timeout=10) as answer:
                return json.load(answer)
        except HTTPError as error:
            trouble = f"{path} answers {error.code}: {error.read().decode(errors='replace')}"
            if error.code < 500:
                sys.exit(trouble)
        except (URLError, OSError) as error:
            trouble = f"{base}{path} cannot be reached: {error}"
        if time.monotonic() > deadline:
            sys.exit(trouble)
        time.sleep(RETRY_S)


token = call("/api/Login", {key: os.environ[name] for key, name in CREDENTIALS.items()})
text = call("/api/TextMessages", {"Message": "helm test", "PhoneNumber": NUMBER}, token)
print(f"Message {text['Id']} is accepted.")
while text["Status"] not in ENDED and time.monotonic() < deadline:
    time.sleep(RETRY_S)
    text = call(f"/api/TextMessages/{text['Id']}", token=token)
print(f"It is {text['Status']}: {text['SentResult']}")
sys.exit(text["Status"] != "delivered")
