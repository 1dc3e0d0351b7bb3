# Sends a text: python send_text.py "970-690-4544" "See you at 10:30."
# Your credentials are in the environment.
import os
import sys
import uuid

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

HUB = "https://sms-hub.example"
CREDENTIALS = {
    "ProgramSID": os.environ["SMSHUB_PROGRAM_SID"],
    "ProgramKey": os.environ["SMSHUB_PROGRAM_KEY"],
}

# A call is repeated when no answer came, or "try again" (503).
retry = Retry(
    2,
    allowed_methods=None,
    status_forcelist=[503],
    raise_on_status=False,
)
session = requests.Session()
session.mount(HUB, HTTPAdapter(max_retries=retry))


def checked(answer):
    """What the hub says; what it refuses ends the program."""
    if answer.headers.get("Content-Type") == "application/problem+json":
        problem = answer.json()
        sys.exit(f"{problem['type']}: {problem['detail']}")
    answer.raise_for_status()
    return answer.json()


def log_in():
    answer = session.post(f"{HUB}/api/Login", json=CREDENTIALS, timeout=30)
    session.headers["Authorization"] = f"Bearer {checked(answer)}"


def call(method, path, **request):
    url = f"{HUB}{path}"
    answer = session.request(method, url, timeout=30, **request)
    if answer.status_code == 401:  # The token has expired.
        log_in()
        answer = session.request(method, url, timeout=30, **request)
    return checked(answer)


number, message = sys.argv[1:]
text = {"PhoneNumber": number, "Message": message}
# With the same key it is sent once, however often the call is repeated.
once = {"Idempotency-Key": str(uuid.uuid4())}

try:
    log_in()
    sent = call("POST", "/api/TextMessages", json=text, headers=once)
    print(f"{sent['Id']} is {sent['Status']}.")

    # What has become of it? Ask again later, as often as you like.
    now = call("GET", f"/api/TextMessages/{sent['Id']}")
    print(now["SentResult"])
except requests.RequestException as error:
    sys.exit(f"No answer: {error}")
