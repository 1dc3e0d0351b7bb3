"""Programs keep templates by the interface, and send texts that are made from them."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
import pytest_asyncio

from tests.http import Hub, Office, a_hub

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEMPLATES = "/api/Templates"
TEXTS = "/api/TextMessages"
NUMBER = "+19706904544"
TEXT = "Hello {{FirstName}}, your appointment is on {{Day}}."
ADA = {"FirstName": "Ada", "Day": "Monday"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(shared_database_url: str) -> Any:  # noqa: ANN401
    async with a_hub(shared_database_url) as hub:
        yield hub


async def an_office(hub: Hub, text: str = TEXT, *, segment_cap: int | None = None) -> Office:
    """With the template `Appointment`."""
    office = await hub.an_office(segment_cap=segment_cap)
    made = await hub.post(office, TEMPLATES, {"Name": "Appointment", "Message": text})
    assert made.status_code == 200, made.text
    return office


async def change(hub: Hub, office: Office, text: str, name: str = "appointment") -> Any:  # noqa: ANN401
    return await hub.client.patch(f"{TEMPLATES}/{name}", json={"Message": text}, headers=office.headers)


async def post(hub: Hub, office: Office, body: Mapping[str, object] | None = None, **headers: str) -> Any:  # noqa: ANN401
    made = {"Template": "appointment", "Personalisation": ADA, "PhoneNumber": NUMBER}
    return await hub.post(office, TEXTS, {**made, **(body or {})}, **headers)


async def test_one_is_made_read_changed_and_deleted(hub: Hub) -> None:
    office = await an_office(hub)
    its = f"{TEMPLATES}/APPOINTMENT"

    first = (await hub.get(office, its)).json()
    second = (await change(hub, office, "See you on {{Day}}.")).json()
    old = (await hub.get(office, its, Version=1)).json()
    versions = (await hub.get(office, f"{its}/Versions")).json()
    listed = (await hub.get(office, TEMPLATES)).json()
    deleted = await hub.client.delete(its, headers=office.headers)

    assert (first["Name"], first["Version"], first["Placeholders"]) == ("Appointment", 1, ["FirstName", "Day"])
    assert (second["Version"], second["Message"], second["Placeholders"]) == (2, "See you on {{Day}}.", ["Day"])
    assert old == first
    assert versions == {"Items": [second, first], "NextCursor": None}
    assert listed == {"Items": [second], "NextCursor": None}
    assert deleted.json() == second
    for path in (its, f"{its}/Versions"):
        assert (await hub.get(office, path)).json()["type"] == "template-not-found"
    assert (await hub.get(office, TEMPLATES)).json()["Items"] == []


async def test_a_text_is_made_from_it_and_says_so(hub: Hub) -> None:
    office = await an_office(hub)
    await change(hub, office, "{{FirstName}}: {{Day}}")

    newest = (await post(hub, office)).json()
    first = (await post(hub, office, {"TemplateVersion": 1, "Message": None})).json()
    log = (await hub.get(office, TEXTS)).json()["Items"]
    await hub.client.delete(f"{TEMPLATES}/appointment", headers=office.headers)
    kept = (await hub.get(office, f"{TEXTS}/{first['Id']}")).json()

    assert (newest["Message"], newest["Template"], newest["TemplateVersion"]) == ("Ada: Monday", "Appointment", 2)
    assert (first["Message"], first["TemplateVersion"]) == ("Hello Ada, your appointment is on Monday.", 1)
    assert [(each["Template"], each["TemplateVersion"]) for each in log] == [("Appointment", 1), ("Appointment", 2)]
    assert (kept["Message"], kept["Template"], kept["TemplateVersion"]) == (first["Message"], "Appointment", 1)
    assert (await post(hub, office)).json()["type"] == "unknown-template"


async def test_names_of_all_kinds_are_read_in_any_letter_case(hub: Hub) -> None:
    office = await an_office(hub)
    body = {"template": "APPOINTMENT", "PERSONALISATION": {"FIRSTNAME": "Ada", "day": "Monday"}, "phonenumber": NUMBER}

    sent = await hub.post(office, TEXTS, body)

    assert sent.json()["Message"] == "Hello Ada, your appointment is on Monday."


async def test_values_are_put_in_as_they_are(hub: Hub) -> None:
    office = await an_office(hub, "{{A}}{{B}}")

    sent = await post(hub, office, {"Personalisation": {"A": "{{B}}", "B": r"\{{A}} <b>%s"}})

    assert sent.json()["Message"] == r"{{B}}\{{A}} <b>%s"


async def test_a_key_covers_template_and_values(hub: Hub) -> None:
    office = await an_office(hub)

    first = await post(hub, office, Idempotency_Key="k")
    await change(hub, office, "Another")
    again = await post(hub, office, {"Template": "APPOINTMENT"}, Idempotency_Key="k")
    other = await post(hub, office, {"Personalisation": {**ADA, "Day": "Tuesday"}}, Idempotency_Key="k")

    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert other.json()["type"] == "idempotency-key-reused"


async def test_a_preview_says_what_the_values_add(hub: Hub) -> None:
    office = await an_office(hub)
    long = {"FirstName": "Zoë\N{RIGHT SINGLE QUOTATION MARK}s " + "a" * 40, "Day": "Monday"}

    by_name = await hub.post(
        office, f"{TEMPLATES}/appointment/Preview", {"Personalisation": long, "PhoneNumber": NUMBER}
    )
    as_a_text = await hub.post(
        office, f"{TEXTS}/Preview", {"Template": "Appointment", "Personalisation": long, "PhoneNumber": NUMBER}
    )

    shown = by_name.json()
    assert shown["Message"] == f"Hello {long['FirstName']}, your appointment is on Monday."
    assert (shown["Template"], shown["TemplateVersion"]) == ("Appointment", 1)
    assert (shown["Encoding"], shown["TemplateSegments"], shown["Segments"]) == ("UCS-2", 1, 2)
    assert [each["Character"] for each in shown["Obstacles"]] == ["ë", "\N{RIGHT SINGLE QUOTATION MARK}"]
    assert shown["Audience"]["TotalSegments"] == 2
    timeless = {"EstimatedCompletionAt": None, "EstimatedSeconds": None}
    assert {**as_a_text.json(), "Audience": {**as_a_text.json()["Audience"], **timeless}} == {
        **shown,
        "Audience": {**shown["Audience"], **timeless},
    }


async def test_a_preview_of_a_version_or_of_none(hub: Hub) -> None:
    office = await an_office(hub, "Hello")
    await change(hub, office, "Goodbye")
    path = f"{TEMPLATES}/appointment/Preview"

    old = await hub.post(office, f"{path}?Version=1", {})
    none = await hub.post(office, f"{path}?Version=3", {})

    assert old.json()["Message"] == "Hello"
    assert (none.status_code, none.json()["type"]) == (404, "template-not-found")


@pytest.mark.parametrize(
    ("body", "slug", "at"),
    [
        ({"Template": "other"}, "unknown-template", ["#/Template"]),
        ({"TemplateVersion": 2}, "unknown-template", ["#/Template"]),
        ({"Personalisation": None}, "personalisation-refused", ["FirstName", "Day"]),
        ({"Personalisation": {"Day": "Monday"}}, "personalisation-refused", ["FirstName"]),
        ({"Personalisation": {**ADA, "Date": "1"}}, "personalisation-refused", ["Date"]),
        ({"Personalisation": {**ADA, "DAY": "1"}}, "personalisation-refused", ["Day"]),
        ({"Personalisation": {**ADA, "9706904544": "1"}}, "personalisation-refused", [""]),
        ({"Personalisation": {**ADA, "Day": "\N{GRINNING FACE}" * 1_600}}, "text-refused", [""]),
        ({"Personalisation": {**ADA, "Day": "\N{GRINNING FACE}" * 100}}, "too-many-segments", [""]),
        ({"Message": "Hello"}, "text-unclear", []),
    ],
)
async def test_what_no_text_can_be_made_of_is_refused_and_says_what_is_wrong(
    hub: Hub, body: Mapping[str, object], slug: str, at: list[str]
) -> None:
    office = await an_office(hub, segment_cap=2)

    refused = await post(hub, office, body)

    assert (refused.status_code, refused.json()["type"]) == (422, slug)
    pointers = [each["pointer"] for each in refused.json().get("errors", [])]
    assert pointers == [each if each.startswith("#") else f"#/Personalisation/{each}".rstrip("/") for each in at]
    assert "Monday" not in refused.text
    assert "970690" not in refused.text
    assert (await hub.get(office, TEXTS)).json()["Items"] == []


@pytest.mark.parametrize("body", [{"TemplateVersion": 1}, {"Personalisation": ADA}, {"Personalisation": {}}])
@pytest.mark.parametrize("path", [TEXTS, f"{TEXTS}/Preview"])
async def test_what_goes_with_a_template_needs_one(hub: Hub, path: str, body: Mapping[str, object]) -> None:
    office = await an_office(hub)

    refused = await hub.post(office, path, {"Message": "Hello", "PhoneNumber": NUMBER, **body})

    assert (refused.status_code, refused.json()["type"]) == (422, "text-unclear")


async def test_clients_that_post_what_they_read_are_understood(hub: Hub) -> None:
    office = await an_office(hub)
    nothing = {"Template": None, "TemplateVersion": None, "Personalisation": None}

    sent = await hub.post(office, TEXTS, {"Message": "Hello {{Day}}", "PhoneNumber": NUMBER, **nothing})

    assert sent.json()["Message"] == "Hello {{Day}}"


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"Template": ""}, "#/Template"),
        ({"Template": "a b"}, "#/Template"),
        ({"Template": 1}, "#/Template"),
        ({"Template": None}, "#/Message"),
        ({"TemplateVersion": 0}, "#/TemplateVersion"),
        ({"TemplateVersion": "1"}, "#/TemplateVersion"),
        ({"Personalisation": "Ada"}, "#/Personalisation"),
        ({"Personalisation": ["Ada"]}, "#/Personalisation"),
        ({"Personalisation": {"Name": 1}}, "#/Personalisation/Name"),
        ({"Personalisation": {"Name": None}}, "#/Personalisation/Name"),
        ({"Personalisation": {"Name": {"First": "Ada"}}}, "#/Personalisation/Name"),
        ({"Personalisation": {"Name": ["Ada"]}}, "#/Personalisation/Name"),
        ({"Personalisation": {"Name": "a\0"}}, "#/Personalisation/Name"),
        ({"Personalisation": {"Name": "a" * 1_601}}, "#/Personalisation/Name"),
        ({"Personalisation": {"+19706904544": 1}}, "#/Personalisation"),
        ({"Personalisation": {f"n{index}": "a" for index in range(101)}}, "#/Personalisation"),
    ],
)
@pytest.mark.parametrize("path", [TEXTS, f"{TEXTS}/Preview"])
async def test_what_does_not_match_the_document_is_refused(
    hub: Hub, path: str, body: Mapping[str, object], at: str
) -> None:
    office = await an_office(hub)

    refused = await hub.post(office, path, {"Template": "appointment", "PhoneNumber": NUMBER, **body})

    assert (refused.status_code, {each["pointer"] for each in refused.json()["errors"]}) == (400, {at})


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        ({}, 400, "invalid-request"),
        ({"Name": "a/b", "Message": "Hello"}, 400, "invalid-request"),
        ({"Name": "a", "Message": ""}, 400, "invalid-request"),
        ({"Name": "a", "Message": "a" * 1_601}, 400, "invalid-request"),
        ({"Name": "a", "Message": None}, 400, "invalid-request"),
        ({"Name": "a", "Message": "Hello", "Version": 1}, 400, "unknown-property"),
        ({"Name": "a", "Message": " "}, 422, "text-refused"),
        ({"Name": "a", "Message": "Hello {{Name"}, 422, "template-refused"),
        ({"Name": "APPOINTMENT", "Message": "Hello"}, 409, "template-exists"),
    ],
)
async def test_no_template_is_made_of_what_is_none(
    hub: Hub, body: Mapping[str, object], status: int, slug: str
) -> None:
    office = await an_office(hub)

    refused = await hub.post(office, TEMPLATES, body)

    assert (refused.status_code, refused.json()["type"]) == (status, slug)
    assert len((await hub.get(office, TEMPLATES)).json()["Items"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("GET", "/Versions", None),
        ("PATCH", "", {"Message": "Goodbye"}),
        ("DELETE", "", None),
        ("POST", "/Preview", {"Personalisation": ADA}),
    ],
)
async def test_another_programs_is_not_found(hub: Hub, method: str, path: str, body: object) -> None:
    mine, others = await hub.an_office(), await an_office(hub)

    answer = await hub.client.request(method, f"{TEMPLATES}/appointment{path}", json=body, headers=mine.headers)

    assert (answer.status_code, answer.json()["type"]) == (404, "template-not-found")
    assert (await post(hub, mine)).json()["type"] == "unknown-template"
    assert (await hub.get(others, f"{TEMPLATES}/appointment")).json()["Message"] == TEXT
    assert (await hub.get(mine, TEMPLATES)).json()["Items"] == []


async def test_values_stand_in_no_log(hub: Hub, capfd: pytest.CaptureFixture[str]) -> None:
    office = await an_office(hub)
    values = {"FirstName": "Persephone", "Day": "Thursday"}

    await post(hub, office, {"Personalisation": values})
    refused = await post(hub, office, {"Personalisation": {**values, "Date": "Wednesday"}})
    mismatched = await post(hub, office, {"Personalisation": {**values, "Date": ["Wednesday"]}})

    out = "".join(capfd.readouterr())
    for value in (*values.values(), "Wednesday"):
        assert value not in out + json.dumps(refused.json()) + json.dumps(mismatched.json())
