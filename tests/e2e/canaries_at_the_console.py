"""The marks go through the console as well: somebody signs in, looks at every page, and types them into every form."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import httpx

from tests.e2e.running import Credentials

PAGES = ("", "overview", "messages", "send", "inbound", "opt-outs", "templates", "new-template", "webhooks", "keys")
OPERATORS_PAGES = ("programs", "new-program", "senders", "audit")
OF_A_PROGRAM = ("program", "terms", "overview", "messages", "inbound", "opt-outs", "templates", "webhooks")


@dataclass(frozen=True)
class Staff:
    """Somebody who is signed in."""

    client: httpx.Client
    origin: str
    form_key: str

    @property
    def secrets(self) -> Sequence[str]:
        """What nobody else is to see."""
        return [self.form_key, *(value.rpartition(".")[2] for value in self.client.cookies.values())]

    def get(self, path: str, **query: str) -> httpx.Response:
        return self.client.get(f"/console/{path}", params=query)

    def post(self, path: str, fields: Mapping[str, str], **files: str) -> httpx.Response:
        uploads = {name: (f"{name}.csv", text, "text/csv") for name, text in files.items()} or None
        return self.client.post(
            f"/console/{path}",
            data={"FormKey": self.form_key, **fields},
            files=uploads,
            headers={"Origin": self.origin},
        )


def a_client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=30, trust_env=False, follow_redirects=True)


def signed_in(client: httpx.Client, url: str, credentials: Credentials) -> Staff:
    fields = {"ProgramSID": credentials.program_sid, "ProgramKey": credentials.program_key}
    first = client.post("/console/sign-in", data=fields, headers={"Origin": url})
    key = re.search(r'name="FormKey" value="(\w+)"', first.text)
    assert key is not None, first.text
    return Staff(client, url, key[1])


def refused_sign_ins(url: str, sid: str, *, wrong_key: str, forged: str, number: str) -> Iterator[httpx.Response]:
    with a_client(url) as client:
        fields = {"ProgramSID": sid, "ProgramKey": wrong_key, "next": f"messages?number={number}"}
        yield client.post("/console/sign-in", data=fields, headers={"Origin": url})
        yield client.post("/console/sign-in", data=fields, headers={"Origin": f"https://{forged}"})
        client.cookies.set("smshub-console", forged)
        yield client.get("/console/messages", params={"number": number})


def by_office(staff: Staff, *, text: str, number: str, wording: str, message_id: str) -> Iterator[httpx.Response]:
    for path in (*PAGES, f"messages/{message_id}", f"messages/{message_id}/progress"):
        yield staff.get(path)
    for path in ("messages", "messages.csv", "inbound", "opt-outs"):
        yield staff.get(path, number=number, cursor=text)
        yield staff.get(path, number=f"{number}x{text}")
    yield staff.get(f"messages/{number}")
    yield staff.get(f"{number}/nowhere")
    yield staff.get(f"templates/{number}")
    yield staff.post("send/measure", {"Message": text})
    yield staff.post("send", {"Message": text, "Recipients": f"{number},x{number}", "do": "review"}, List=f"{number}\n")
    yield staff.post("send", {"Message": text, "Recipients": number, "Sender": number, "do": "review"})
    yield staff.post("send", {"Message": text, "Recipients": number, "Key": "f" * 32, "do": "send"})
    yield staff.post("opt-outs", {"Number": number, "Wording": wording})
    yield staff.post("opt-outs", {"Number": number, "do": "lift"})
    yield staff.post("opt-outs", {"Number": f"x{text}"})
    yield staff.post("opt-outs/import", {}, List=f"PhoneNumber\n{text}\n")
    yield staff.post("templates", {"Name": text, "Message": text})
    yield staff.post("new-template/measure", {"Message": f"{text} {{{{"})
    yield staff.post("sign-out", {})


def by_operator(staff: Staff, program_id: str, *, secret: str, text: str, number: str) -> Iterator[httpx.Response]:
    for path in (*OPERATORS_PAGES, *(f"programs/{program_id}/{each}" for each in OF_A_PROGRAM)):
        yield staff.get(path)
    yield staff.get("audit", program=number)
    yield staff.get(f"programs/{number}/program")
    credentials = f'{{"auth_token": "{secret}"}}'
    asked = {"Name": "Newest", "Sender": "+15005550003", "Provider": "twilio"}
    yield staff.post("programs", {**asked, "Credentials": credentials})
    yield staff.post("programs", {**asked, "Credentials": f"{{{secret}"})
    yield staff.post(f"programs/{program_id}/senders", {**asked, "Credentials": credentials})
    yield staff.post(f"programs/{program_id}/terms", {"Notice": text * 40, "MailTo": number})
    yield staff.post("sign-out", {})
