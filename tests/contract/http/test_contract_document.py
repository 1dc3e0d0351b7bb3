"""The OpenAPI document is true, whole and served as it was written."""

import json
import re
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from uuid import uuid4

import httpx
import pytest
import yaml
from jsonschema_rs import Draft4Validator
from starlette.applications import Starlette
from starlette.routing import Route

from entrypoints.http.callback_handlers import CallbackHandlers
from entrypoints.http.contract import Contract, Operation
from entrypoints.http.handlers import Handlers
from entrypoints.http.limit_handlers import LimitHandlers
from entrypoints.http.operator_handlers import OperatorHandlers
from entrypoints.http.pages.samples import SAMPLES
from entrypoints.http.program_handlers import ProgramHandlers
from entrypoints.http.sender_handlers import SenderHandlers
from entrypoints.http.staff_handlers import StaffHandlers
from entrypoints.http.subject_handlers import SubjectHandlers
from entrypoints.http.template_handlers import TemplateHandlers
from tests.documented import PROBLEM, Documented
from tests.http import OFFICE_PAGES, PUBLIC_URL, Hub, RunningHub, a_hub

AUTHORED = Path(__file__).parents[3] / "openapi"
NAMES = ["sms-hub", "internal"]

CONTRACT = Contract.load()
DOCUMENTED = Documented(CONTRACT)
OPERATIONS = list(CONTRACT.operations.values())
OF_PROGRAMS = [each for each in OPERATIONS if not each.is_callback]
OF_PROVIDERS = [each for each in OPERATIONS if each.is_callback]


def authored(name: str) -> Mapping[str, Any]:
    document: Mapping[str, Any] = yaml.safe_load((AUTHORED / f"{name}.yaml").read_text(encoding="utf-8"))
    return document


def values_in(value: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - JSON
    """Everything in a document, with where it is."""
    yield path, value
    within = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in within:
        yield from values_in(each, *path, str(name))


def takes_token(operation: Operation) -> bool:
    security: list[Mapping[str, Any]] = operation.definition.get("security", CONTRACT.document["security"])
    return bool(security)


# The document itself


@pytest.mark.parametrize("name", NAMES)
def test_the_document_is_openapi_3_0_3(name: str) -> None:
    resource = files("connexion") / "resources" / "schemas" / "v3.0" / "schema.json"
    document = json.loads(json.dumps(authored(name)))

    Draft4Validator(json.loads(resource.read_text(encoding="utf-8"))).validate(document)

    assert document["openapi"] == "3.0.3"


@pytest.mark.parametrize("name", NAMES)
def test_every_reference_leads_somewhere_and_every_component_is_referred_to(name: str) -> None:
    document = authored(name)
    references = {value["$ref"] for _, value in values_in(document) if isinstance(value, dict) and "$ref" in value}
    components = {
        f"#/components/{kind}/{each}"
        for kind, of_kind in document.get("components", {}).items()
        if kind != "securitySchemes"
        for each in of_kind
    }

    assert references == components


def test_every_operation_has_a_name_a_tag_and_a_sentence() -> None:
    tags = {each["name"] for each in CONTRACT.document["tags"]}

    assert len(OPERATIONS) == sum(len(item) for item in CONTRACT.document["paths"].values())
    for operation in OPERATIONS:
        assert operation.definition["summary"]
        assert set(operation.definition["tags"]) <= tags


def test_properties_and_parameters_are_written_in_pascal_case() -> None:
    names = [
        name
        for path, value in values_in(CONTRACT.document["components"])
        if path[-1:] == ("properties",)
        and not {"Problem", "ProblemError"} & set(path)
        # They are the providers', and not ours to name.
        and not any(each.startswith(("Vonage", "ProviderCredentials")) for each in path)
        for name in value
    ]
    parameters = CONTRACT.document["components"]["parameters"].values()
    names += [each["name"] for each in parameters if each["in"] != "header"]

    assert names
    assert [name for name in names if not re.fullmatch(r"([A-Z][a-z]*)+(SID)?", name)] == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.id)
def test_every_parameter_of_a_path_is_documented(operation: Operation) -> None:
    parameters = [DOCUMENTED.resolved(each) for each in operation.definition.get("parameters", ())]

    in_path = {each["name"] for each in parameters if each["in"] == "path"}
    assert in_path == set(re.findall(r"{(\w+)}", operation.path))
    assert all(each["required"] for each in parameters if each["in"] == "path")


def test_what_providers_call_is_left_out_of_clients() -> None:
    for operation in OPERATIONS:
        is_callback = operation.path.startswith("/callbacks/")
        assert operation.is_callback is is_callback
        assert operation.definition.get("x-internal", False) is is_callback
        assert (operation.definition["tags"] == ["Callbacks"]) is is_callback


def test_what_providers_send_is_left_out_of_clients() -> None:
    sent = {
        media_type["schema"]["$ref"].rpartition("/")[2]
        for operation in OF_PROVIDERS
        for media_type in operation.definition.get("requestBody", {}).get("content", {}).values()
    }
    schemas = CONTRACT.document["components"]["schemas"]

    assert {name for name, schema in schemas.items() if schema.get("x-internal")} == sent


@pytest.mark.parametrize("operation", OF_PROVIDERS, ids=lambda each: each.id)
def test_every_callback_documents_its_problems_and_bounds_its_body(operation: Operation) -> None:
    expected = {"204", "400", "403", "503"}
    if operation.id == "receiveTwilioMessage":
        expected = {"200", *expected} - {"204"}
    if "requestBody" in operation.definition:
        expected |= {"413", "415"}
        assert operation.max_body == 64 * 1024
    responses = {
        status: DOCUMENTED.resolved(response) for status, response in operation.definition["responses"].items()
    }

    assert set(responses) == expected
    assert all(list(each["content"]) == [PROBLEM] for status, each in responses.items() if status >= "300")
    assert responses["503"]["headers"]["Retry-After"]["required"]
    assert not takes_token(operation)


@pytest.mark.parametrize("operation", OF_PROGRAMS, ids=lambda each: each.id)
def test_every_operation_documents_its_problems(operation: Operation) -> None:
    expected = {"200", "400", "401", "503"}
    if takes_token(operation):
        expected.add("403")
    if "requestBody" in operation.definition:
        expected |= {"413", "415"}
    # Of a list, what is bad is told in the answer.
    if "requestBody" in operation.definition and operation.id != "importOptOuts":
        expected.add("422")
    if "{" in operation.path:
        expected.add("404")
    parameters = {DOCUMENTED.resolved(each)["name"] for each in operation.definition.get("parameters", ())}
    if {"Cursor", "PhoneNumber"} & parameters or operation.id in {"getUsage", "deleteLimit"}:
        expected.add("422")
    if "Idempotency-Key" in parameters or operation.id == "createTemplate":
        expected.add("409")
    if operation.id in {"createProgram", "deleteProgram", "removeSender"}:
        expected.add("409")
    if operation.id in {"logIn", "sendTextMessage"}:
        expected.add("429")

    responses = {
        status: DOCUMENTED.resolved(response) for status, response in operation.definition["responses"].items()
    }

    assert set(responses) == expected
    for status, response in responses.items():
        succeeds = "text/csv" if operation.id.startswith("export") else "application/json"
        media_type = succeeds if status == "200" else PROBLEM
        assert list(response["content"]) == [media_type]
        assert response["description"]
    required = {
        name
        for response in responses.values()
        for name, header in response.get("headers", {}).items()
        if header.get("required")
    }
    assert required >= {"WWW-Authenticate", "Retry-After"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.id)
def test_links_lead_to_operations_that_take_what_they_give(operation: Operation) -> None:
    for response in operation.definition["responses"].values():
        for link in DOCUMENTED.resolved(response).get("links", {}).values():
            target = CONTRACT.operations[link["operationId"]]
            taken = {DOCUMENTED.resolved(each)["name"] for each in target.definition.get("parameters", ())}
            assert set(link.get("parameters", {})) <= taken


# The document and the code


def test_no_name_stands_twice_in_one_place() -> None:
    """Of two that do, some readers take the last, and some generators refuse the document."""
    twice: list[str] = []

    class Strict(yaml.SafeLoader):
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002
            names = Counter(self.construct_object(name, deep=True) for name, _ in node.value)
            twice.extend(f"{name}: {node.start_mark.line + 1}" for name, count in names.items() if count > 1)
            return super().construct_mapping(node, deep)

    for document in AUTHORED.glob("*.yaml"):
        yaml.load(document.read_text(encoding="utf-8"), Strict)
    assert twice == []


def test_every_operation_has_one_handler_and_every_handler_an_operation() -> None:
    handlers = Counter(
        name
        for kind in (
            Handlers,
            TemplateHandlers,
            OperatorHandlers,
            SenderHandlers,
            LimitHandlers,
            SubjectHandlers,
            StaffHandlers,
            ProgramHandlers,
            CallbackHandlers,
        )
        for name, value in vars(kind).items()
        if callable(value) and not name.startswith("_")
    )
    assert handlers == Counter(operation.id for operation in OPERATIONS)


async def test_every_operation_is_served_and_takes_a_token_but_login(hub: Hub) -> None:
    office = await hub.an_office()
    for operation in OF_PROGRAMS:
        path = operation.path.replace("{Id}", str(uuid4()))
        path = re.sub(r"{\w+Id}", "1", path)
        without = await hub.client.request(operation.method, path, json={})
        with_token = await hub.client.request(operation.method, path, json={}, headers=office.headers)

        assert takes_token(operation) is (operation.id != "logIn")
        assert without.status_code == (401 if takes_token(operation) else 400)
        assert with_token.status_code in ({403} if operation.is_operators else {200, 400, 404, 415})


def test_answers_that_are_not_documented_are_noticed() -> None:
    message: dict[str, Any] = {"Items": [], "NextCursor": None}
    good = answer("GET", "/api/TextMessages", 200, message)

    DOCUMENTED.check(good)
    for bad in (
        answer("GET", "/api/TextMessages", 201, message),
        answer("GET", "/api/TextMessages", 500, {"type": "a", "title": "b", "status": 500, "detail": "c"}, PROBLEM),
        answer("GET", "/api/TextMessages", 200, message, "text/plain"),
        answer("GET", "/api/TextMessages", 200, {"Items": []}),
        answer("GET", "/api/TextMessages", 200, message | {"Total": 0}),
        answer("GET", "/api/TextMessages", 200, message | {"NextCursor": 1}),
        answer("GET", "/api/TextMessages", 404, {"type": "a", "title": "b", "status": 404, "detail": "c"}, PROBLEM),
        answer("GET", f"/api/TextMessages/{uuid4()}", 404, {"type": "a", "status": 404}, PROBLEM),
        answer("GET", "/api/TextMessages", 401, {"type": "a", "title": "b", "status": 401, "detail": "c"}, PROBLEM),
        answer("GET", "/nowhere", 404, {"type": "a", "title": "b", "status": 400, "detail": "c"}, PROBLEM),
        answer("GET", "/nowhere", 404, {"detail": "c"}),
    ):
        with pytest.raises((AssertionError, ValueError)):
            DOCUMENTED.check(bad)


def answer(
    method: str, path: str, status: int, body: Mapping[str, Any], media_type: str = "application/json"
) -> httpx.Response:
    return httpx.Response(
        status,
        content=json.dumps(body),
        headers={"Content-Type": media_type},
        request=httpx.Request(method, f"https://hub{path}"),
    )


# What is served


async def test_the_document_is_served_as_it_was_authored(hub: Hub) -> None:
    response = await hub.client.get("/openapi.json")

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    served = response.json()
    assert served["servers"] == [{"url": f"{PUBLIC_URL}{hub.base_path}"}]
    assert served | {"servers": None} == {**authored("sms-hub"), "servers": None}
    assert list(served["paths"]) == list(authored("sms-hub")["paths"]), "in the order of the document"


async def test_the_welcome_page_is_at_the_hubs_address_and_leads_to_the_reference(hub: Hub) -> None:
    for path in (hub.base_path, f"{hub.base_path}/"):
        response = await hub.client.get(httpx.URL(f"{PUBLIC_URL}{path}"), follow_redirects=True)

        assert response.status_code == 200
        assert response.url.path == f"{hub.base_path}/"
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert "Welcome to the SMS Hub" in response.text
        assert 'href="docs"' in response.text


async def test_the_welcome_page_has_this_hubs_own_address(hub: Hub) -> None:
    page = await hub.client.get("/")

    assert f"{PUBLIC_URL}{hub.base_path}/callbacks/twilio/inbound" in page.text
    assert "sms-hub.example" not in page.text
    for sample in SAMPLES:
        file = await hub.client.get(f"/samples/{sample.file}")
        assert file.status_code == 200
        assert file.headers["content-type"] == "text/plain; charset=utf-8"
        assert f"{PUBLIC_URL}{hub.base_path}" in file.text


async def test_the_welcome_page_tells_what_differs_from_hub_to_hub(sqlite_url: str) -> None:
    told = {}
    for contact in ("", "texts@example.edu", "https://example.edu/texts"):
        async with a_hub(sqlite_url, contact=contact, token_lifetime="P182D", cors_origins=OFFICE_PAGES) as hub:
            told[contact] = (await hub.client.get("/")).text

    assert "Ask those who run this hub for a\n" in told[""]
    assert 'Ask <a href="mailto:texts@example.edu">texts@example.edu</a>' in told["texts@example.edu"]
    assert 'Ask <a href="https://example.edu/texts">example.edu/texts</a>' in told["https://example.edu/texts"]
    for page in told.values():
        assert "here for 182 days" in page
        assert f"Pages of {OFFICE_PAGES} may call" in page


async def test_pages_let_nothing_in_and_nothing_out(hub: Hub) -> None:
    page = await hub.client.get("/")
    policy = dict(each.strip().split(" ", 1) for each in page.headers["content-security-policy"].split(";"))

    assert policy["default-src"] == "'none'"
    assert set(policy.values()) == {"'none'", "'self'"}
    for path in ("/", "/assets/pages.css", "/assets/pages.js", "/assets/icon.svg"):
        headers = (await hub.client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-cache", "what a new version has is seen at once"


async def test_the_reference_and_its_parts_come_from_the_hub_alone(hub: Hub) -> None:
    page = await hub.client.get("/docs")
    script = await hub.client.get("/docs/reference.js")
    styles = [await hub.client.get(f"/docs/{name}") for name in ("assets/swagger-ui.css", "reference.css")]
    addresses = re.findall(r"""(?:src|href|action)\s*=\s*["']?([^"'\s>]+)""", page.text)
    addresses += re.findall(r'url: "([^"]*)"', script.text)

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert len(addresses) >= 8
    for style in styles:
        assert all(each.startswith("data:") for each in re.findall(r"""url\(["']?([^"')]*)""", style.text))
    for address in addresses:
        assert not re.match(r"[a-z]+:|/", address), "relative, so that it holds under any prefix"
        whole = httpx.URL(urljoin(f"{PUBLIC_URL}{hub.base_path}/docs", address))
        served = await hub.client.get(whole, follow_redirects=True)
        assert served.status_code == 200
        assert served.content
    # Scripts know addresses that no pattern finds; the browser is told to go to none.
    policy = dict(each.strip().split(" ", 1) for each in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert {source for sources in policy.values() for source in sources.split()} == {"'none'", "'self'", "data:"}
    assert policy["img-src"] == "'self' data:", "Swagger UI's icons, and nothing else, are data"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    inline = r"<script(?![^>]*\bsrc=)|<style|\s(on\w+|style)="
    assert not re.search(inline, page.text), "nothing inline, which the policy forbids"


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/assets/pages.css", "text/css; charset=utf-8"),
        ("/assets/pages.js", "text/javascript; charset=utf-8"),
        ("/assets/icon.svg", "image/svg+xml"),
        ("/docs/reference.js", "text/javascript; charset=utf-8"),
        ("/docs/reference.css", "text/css; charset=utf-8"),
        ("/docs/assets/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("/docs/assets/swagger-ui.css", "text/css; charset=utf-8"),
    ],
)
async def test_assets_are_served_as_what_they_are(hub: Hub, path: str, media_type: str) -> None:
    response = await hub.client.get(path)

    assert response.status_code == 200
    assert response.headers["content-type"] == media_type


async def test_what_is_large_is_sent_packed(hub: Hub) -> None:
    packed = await hub.client.get("/docs/assets/swagger-ui-bundle.js", headers={"Accept-Encoding": "gzip"})
    plain = await hub.client.get("/docs/assets/swagger-ui-bundle.js", headers={"Accept-Encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content


# The internal port


def test_the_internal_port_serves_its_own_document_and_nothing_else(running_hub: RunningHub) -> None:
    documented = Documented.load("internal", public_url=running_hub.internal_url)
    with httpx.Client(base_url=running_hub.internal_url, event_hooks={"response": [documented.check]}) as client:
        answers = {path: client.get(path) for path in documented.contract.document["paths"]}
    others = [
        httpx.get(f"{running_hub.internal_url}{path}").status_code
        for path in ("/", "/docs", "/openapi.json", "/api/TextMessages")
    ]

    assert {path: each.status_code for path, each in answers.items()} == {
        "/livez": 200,
        "/readyz": 200,
        "/metrics": 200,
    }
    assert "\nsmshub_build_info{" in answers["/metrics"].text
    assert answers["/readyz"].json()["ready"] is True
    assert others == [404] * 4


async def test_the_internal_document_knows_every_route(sqlite_url: str) -> None:
    async with a_hub(sqlite_url) as hub:
        app = hub.container.internal_app()
        assert isinstance(app, Starlette)
        routes = {route.path for route in app.routes if isinstance(route, Route)}
        transport = httpx.ASGITransport(app)
        hook = Documented.load("internal").check_async
        async with httpx.AsyncClient(
            transport=transport, base_url=PUBLIC_URL, event_hooks={"response": [hook]}
        ) as client:
            starting = await client.get("/readyz")

    assert routes == set(authored("internal")["paths"])
    assert starting.status_code == 503, "it has not been told that it runs"
    assert starting.json() == {
        "ready": False,
        "checks": {
            "process": "starting",
            "database": "ok",
            "sending": "ok",
            "paused_programs": 0,
            "paused_senders": 0,
            "barred_senders": {},
        },
    }


async def test_the_public_port_does_not_serve_the_internal_document(hub: Hub) -> None:
    answers = [await hub.client.get(path) for path in authored("internal")["paths"]]

    assert [each.status_code for each in answers] == [404] * len(answers)
