"""Lists of opt-outs and logs, taken and given as CSV."""

import asyncio
import csv
import io
import json
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.types import Message

from domain.model.access import Grant, Scope
from entrypoints.http.contract import MAX_BODY
from entrypoints.http.downloads import CsvDownload
from tests.http import Hub, Office, RunningHub, a_running_hub
from tests.patience import PATIENCE_S

IMPORT = "/api/OptOuts/Import"
EXPORT = "/api/OptOuts/Export"
TEXTS = "/api/TextMessages"
LOG = f"{TEXTS}/Export"
COLUMNS = ["PhoneNumber", "Since", "Wording", "Scope", "Method", "Actor", "Reference"]
# What makes an export several pages and several pieces.
MANY = 1_500


@pytest.fixture(scope="module")
def hub(a_hub_of_each_kind: Hub) -> Hub:
    return a_hub_of_each_kind


async def sent(hub: Hub, office: Office, content: bytes, media_type: str | None = "text/csv") -> httpx.Response:
    typed = {} if media_type is None else {"Content-Type": media_type}
    return await hub.client.post(IMPORT, content=content, headers={**office.headers, **typed})


async def imported(hub: Hub, office: Office, written: str) -> Any:  # noqa: ANN401 - JSON
    response = await sent(hub, office, written.encode())
    assert response.status_code == 200, response.text
    return response.json()


async def exported(hub: Hub, office: Office, path: str = EXPORT, **filters: str) -> list[dict[str, str]]:
    response = await hub.get(office, path, **filters)
    assert response.status_code == 200, response.text
    return list(csv.DictReader(io.StringIO(response.text, newline="")))


def numbers(count: int) -> Sequence[str]:
    return [f"+1{9_706_900_000 + each}" for each in range(count)]


# Taken


async def test_a_list_is_taken_with_its_proof_and_blocks_texts(hub: Hub) -> None:
    office = await hub.an_office()

    told = await imported(hub, office, 'PhoneNumber,Since,Wording\r\n(970) 690-4544,2024-05-01,"No more, please"\r\n')

    (event,) = (await hub.get(office, "/api/ConsentEvents", PhoneNumber="+19706904544")).json()["Items"]
    texted = await hub.post(office, TEXTS, {"Message": "Hello", "PhoneNumber": "+19706904544"})
    assert told == {"Added": 1, "Known": 0, "BadLines": [], "BadLinesInAll": 0}
    assert (event["Method"], event["Actor"], event["Reference"]) == ("import", f"program {office.id}", "line 2")
    assert (event["At"], event["Wording"]) == ("2024-05-01T00:00:00.000Z", "No more, please")
    assert texted.json()["Status"] == "blocked"


async def test_the_same_list_may_be_given_twice(hub: Hub) -> None:
    office = await hub.an_office()
    written = "\n".join(numbers(300))

    first = await imported(hub, office, written)
    again = await imported(hub, office, written)

    assert (first["Added"], first["Known"]) == (300, 0)
    assert (again["Added"], again["Known"]) == (0, 300)


async def test_bad_lines_are_told_and_the_good_ones_taken(hub: Hub) -> None:
    office = await hub.an_office()

    told = await imported(hub, office, 'PhoneNumber,Since\n970-690,\n+19706904544,some day\n+19706904545,\n"x\n')

    assert (told["Added"], told["BadLinesInAll"]) == (1, 3)
    assert told["BadLines"] == [
        {"Line": 2, "Detail": "Line 2 is too short."},
        {"Line": 3, "Detail": "Line 3 has a time that cannot be read."},
        {"Line": 5, "Detail": "Line 5 is no valid CSV."},
    ]
    assert [row["PhoneNumber"] for row in await exported(hub, office)] == ["+19706904545"]


async def test_no_more_than_a_thousand_bad_lines_are_told(hub: Hub) -> None:
    office = await hub.an_office()

    told = await imported(hub, office, "1\n" * 1_200 + "+19706904544\n")

    assert (told["Added"], told["BadLinesInAll"]) == (1, 1_200)
    assert [each["Line"] for each in told["BadLines"]] == list(range(1, 1_001))


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"\xef\xbb\xbfPhoneNumber\r\n+19706904544\r\n", "text/csv"),
        (b"Name,PHONENUMBER\nB\xc3\xa4r,+19706904544", 'Text/CSV; charset="UTF-8"; header=present'),
        (b"\n\n+19706904544\n", "text/csv; charset=us-ascii"),
        (b"PhoneNumber\r+19706904544", "text/csv"),
        (b"PhoneNumber" + b"," * 100_000 + b"\n+19706904544", "text/csv"),
    ],
    ids=["a byte order mark", "UTF-8", "empty lines", "old line ends", "many columns"],
)
async def test_lists_are_written_in_many_ways(hub: Hub, content: bytes, media_type: str) -> None:
    response = await sent(hub, await hub.an_office(), content, media_type)

    assert (response.status_code, response.json()["Added"]) == (200, 1), response.text


@pytest.mark.parametrize("content", [b"", b"\n", b"PhoneNumber\n"], ids=["nothing", "a line", "a header"])
async def test_a_list_of_nobody_adds_nobody(hub: Hub, content: bytes) -> None:
    response = await sent(hub, await hub.an_office(), content)

    assert response.json() == {"Added": 0, "Known": 0, "BadLines": [], "BadLinesInAll": 0}


@pytest.mark.parametrize(
    ("content", "media_type", "status", "slug"),
    [
        (b"Name,Telephone\nDean,+19706904544\n", "text/csv", 400, "invalid-request"),
        (b"PhoneNumber,Wording\n+19706904544,\xe4h\n", "text/csv", 400, "invalid-request"),
        (b"\xff\xfe+\x001\x00", "text/csv", 400, "invalid-request"),
        (b"+19706904544", "text/csv; charset=iso-8859-1", 415, "unsupported-media-type"),
        (b"+19706904544", "text/plain", 415, "unsupported-media-type"),
        (b'{"PhoneNumber": "+19706904544"}', "application/json", 415, "unsupported-media-type"),
        (b"+19706904544", None, 415, "unsupported-media-type"),
        (b"1" * (MAX_BODY + 1), "text/csv", 413, "content-too-large"),
    ],
    ids=["no column", "Latin-1", "UTF-16", "a charset", "plain text", "JSON", "no type", "too long"],
)
async def test_what_is_no_list_is_refused(
    hub: Hub, content: bytes, media_type: str | None, status: int, slug: str
) -> None:
    office = await hub.an_office()

    response = await sent(hub, office, content, media_type)

    assert (response.status_code, response.json()["type"]) == (status, slug)
    assert await exported(hub, office) == []


# Given


async def test_what_one_program_exports_another_can_import(hub: Hub) -> None:
    office, other = await hub.an_office(), await hub.an_office()
    lines = (f'{each},"A ""b"",\nc",2024-05-01\n' for each in numbers(MANY))
    await imported(hub, office, "PhoneNumber,Wording,Since\n" + "".join(lines))

    file = await hub.get(office, EXPORT)
    told = await imported(hub, other, file.text)

    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    assert file.headers["content-disposition"] == 'attachment; filename="opt-outs.csv"'
    assert told == {"Added": MANY, "Known": 0, "BadLines": [], "BadLinesInAll": 0}
    rows, others = await exported(hub, office), await exported(hub, other)
    assert list(rows[0]) == COLUMNS
    assert [row["PhoneNumber"] for row in rows] == list(numbers(MANY))
    assert rows[0]["Wording"] == 'A "b",\nc'
    for name in ("PhoneNumber", "Since", "Wording"):
        assert [row[name] for row in rows] == [row[name] for row in others]


@pytest.mark.parametrize("wording", ["=1+1", "+cmd", "-2", "@SUM(A1)"])
async def test_an_export_runs_in_no_spreadsheet(hub: Hub, wording: str) -> None:
    office = await hub.an_office()
    await hub.post(office, TEXTS, {"Message": wording, "PhoneNumber": "+19706904544"})
    opt_out = {"PhoneNumber": "+19706904544", "Consent": "opt-out", "Wording": wording, "Actor": wording}
    await hub.post(office, "/api/ConsentEvents", opt_out)

    (row,) = await exported(hub, office)
    (sent,) = await exported(hub, office, LOG)

    assert (row["PhoneNumber"], row["Wording"], row["Actor"]) == ("+19706904544", f"'{wording}", f"'{wording}")
    assert (sent["PhoneNumber"], sent["Message"]) == ("+19706904544", f"'{wording}")


async def test_exports_have_nothing_of_other_programs(hub: Hub) -> None:
    mine, others = await hub.an_office(), await hub.an_office()
    await hub.post(others, TEXTS, {"Message": "Hello", "PhoneNumber": "+19706904544"})
    await imported(hub, others, "+19706904544")

    assert await exported(hub, mine) == []
    assert await exported(hub, mine, LOG) == []
    assert len(await exported(hub, others)) == len(await exported(hub, others, LOG)) == 1


async def test_a_log_has_a_line_for_every_number_and_is_filtered_as_the_list_is(hub: Hub) -> None:
    office = await hub.an_office()
    await imported(hub, office, "+19706904545")
    to = "+19706904544"
    old = (await hub.post(office, TEXTS, {"Message": "Old", "PhoneNumber": f"{to},+19706904545"})).json()
    new = (await hub.post(office, TEXTS, {"Message": "New", "PhoneNumber": "+19706904545"})).json()

    rows = await exported(hub, office, LOG)

    assert [(row["Id"], row["PhoneNumber"], row["Status"], row["Reason"]) for row in rows] == [
        (new["Id"], "+19706904545", "blocked", "opted-out"),
        (old["Id"], to, "queued", ""),
        (old["Id"], "+19706904545", "blocked", "opted-out"),
    ]
    for filters, kept in (
        ({"Status": "queued"}, rows[1:]),
        ({"PhoneNumber": "(970) 690-4544"}, rows[1:]),
        ({"DateSentFrom": "2999-01-01T00:00:00Z"}, []),
        ({"DateSentBefore": "2999-01-01T00:00:00Z"}, rows),
    ):
        assert await exported(hub, office, LOG, **filters) == kept, filters


async def test_a_long_log_is_exported_whole(hub: Hub) -> None:
    office = await hub.an_office()
    for index in range(105):
        await hub.post(office, TEXTS, {"Message": f"Text {index}", "PhoneNumber": "+19706904544"})
    await hub.post(office, TEXTS, {"Message": "To all", "PhoneNumber": ",".join(numbers(MANY))})

    rows = await exported(hub, office, LOG)

    assert [row["PhoneNumber"] for row in rows[:MANY]] == list(numbers(MANY))
    assert [row["Message"] for row in rows[MANY:]] == [f"Text {index}" for index in reversed(range(105))]


async def test_a_filter_that_is_no_number_is_refused(hub: Hub) -> None:
    response = await hub.get(await hub.an_office(), LOG, PhoneNumber="970-690")

    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == "PhoneNumber"


@pytest.mark.parametrize("path", [EXPORT, LOG])
async def test_the_head_of_a_file_is_to_be_had_alone(hub: Hub, path: str) -> None:
    office = await hub.an_office()

    head = await hub.client.head(path, headers=office.headers)
    whole = await hub.get(office, path)

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == whole.headers


@pytest.mark.parametrize(("method", "path"), [("POST", IMPORT), ("GET", EXPORT), ("GET", LOG)])
async def test_a_token_whose_program_is_gone_is_refused(hub: Hub, method: str, path: str) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    grant = Grant(
        program_id="gone",
        program_sid="gone",
        scopes=frozenset(Scope),
        issued_at=now,
        expires_at=now + timedelta(minutes=5),
        token_id=str(uuid4()),
    )
    headers = {"Authorization": f"Bearer {hub.container.tokens().issue(grant)}", "Content-Type": "text/csv"}

    response = await hub.client.request(method, path, content=b"+19706904544", headers=headers)

    assert (response.status_code, response.json()["type"]) == (401, "token-refused")


# On the way


def an_office_with_many_opt_outs(hub: RunningHub, database: Path) -> Office:
    office = hub.an_office()
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "WITH RECURSIVE g(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM g WHERE n < 39999)"
            " INSERT INTO opt_outs (program_id, number, since_us) SELECT ?, '+1' || (9700000000 + n), 0 FROM g",
            [office.id],
        )
    return office


def test_a_file_that_cannot_be_made_to_its_end_does_not_look_whole(sqlite_url: str) -> None:
    database = Path(sqlite_url.removeprefix("sqlite:///"))
    with a_running_hub(sqlite_url) as hub, httpx.Client(base_url=hub.url, timeout=PATIENCE_S) as client:
        office = an_office_with_many_opt_outs(hub, database)
        whole = client.get(EXPORT, headers=office.headers)
        with client.stream("GET", EXPORT, headers=office.headers) as response:
            assert response.headers["transfer-encoding"] == "chunked"
            received = response.iter_bytes()
            next(received)
            with closing(sqlite3.connect(database)) as connection, connection:
                connection.execute("ALTER TABLE opt_outs RENAME TO gone")
            with pytest.raises(httpx.RemoteProtocolError):
                for _ in received:
                    pass

        assert whole.text.count("\r\n") == 40_001
        (served,) = (json.loads(line) for line in hub.log().splitlines() if '"problem":"internal-error"' in line)
        assert (served["event"], served["operation"]) == ("request_served", "exportOptOuts")


async def test_a_file_is_made_no_further_when_its_client_is_gone() -> None:
    gone = asyncio.Event()
    sent: list[Message] = []

    async def endless() -> AsyncIterator[str]:
        while True:
            yield "a line\r\n"

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == 5:
            gone.set()
        await asyncio.sleep(0)

    async with asyncio.timeout(PATIENCE_S):
        await (await CsvDownload.of(endless(), name="endless.csv"))({"method": "GET"}, receive, send)

    assert 5 <= len(sent) < 20
