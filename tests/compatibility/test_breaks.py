"""Changes that break clients are found, and those that do not are let pass."""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import pytest

from tests.compatibility.breaks import breaks
from tests.compatibility.documents import authored

DOCUMENT = authored()
WRITTEN = json.dumps(DOCUMENT)

Change = Callable[[Any], None]

LOGIN = "paths > /api/Login > post"
TEXTS = "paths > /api/TextMessages"
SCHEMAS = "components > schemas"


def place(document: Any, path: str) -> tuple[Any, Any]:  # noqa: ANN401 - JSON
    """What holds the thing at a path, and its key there."""
    *parents, key = path.split(" > ")
    for each in parents:
        document = document[int(each) if isinstance(document, list) else each]
    return document, int(key) if isinstance(document, list) else key


def put(path: str, value: object) -> Change:
    """As something new or instead of what is there."""

    def change(document: Any) -> None:  # noqa: ANN401 - JSON
        holder, key = place(document, path)
        holder[key] = deepcopy(value)

    return change


def drop(path: str) -> Change:
    def change(document: Any) -> None:  # noqa: ANN401 - JSON
        holder, key = place(document, path)
        del holder[key]

    return change


def rename(path: str, name: str) -> Change:
    def change(document: Any) -> None:  # noqa: ANN401 - JSON
        holder, key = place(document, path)
        holder[name] = holder.pop(key)

    return change


def append(path: str, value: object) -> Change:
    def change(document: Any) -> None:  # noqa: ANN401 - JSON
        holder, key = place(document, path)
        holder[key].append(value)

    return change


def insert(path: str, value: object) -> Change:
    """Before what is there."""

    def change(document: Any) -> None:  # noqa: ANN401 - JSON
        holder, key = place(document, path)
        holder.insert(key, value)

    return change


def remove(path: str, value: object) -> Change:
    def change(document: Any) -> None:  # noqa: ANN401 - JSON
        holder, key = place(document, path)
        holder[key].remove(value)

    return change


def both(*changes: Change) -> Change:
    def change(document: Any) -> None:  # noqa: ANN401 - JSON
        for each in changes:
            each(document)

    return change


NEW_PARAMETER = {"name": "Tag", "in": "query", "schema": {"type": "string"}}

BREAKING: Mapping[str, tuple[Change, str]] = {
    "a path goes": (
        drop("paths > /api/Subscribers"),
        "POST /api/Subscribers is gone.",
    ),
    "a path is renamed": (
        rename("paths > /api/Subscribers", "/api/OptOuts"),
        "POST /api/Subscribers is gone.",
    ),
    "a method goes": (
        drop(f"{TEXTS} > get"),
        "GET /api/TextMessages is gone.",
    ),
    "an operation gets another name": (
        put(f"{LOGIN} > operationId", "login"),
        "logIn is called login: generated methods are named after it.",
    ),
    "an operation gets another tag": (
        put(f"{LOGIN} > tags", ["Sessions"]),
        "logIn has another tag: generated classes are named after it.",
    ),
    "an operation is left out of clients": (
        put(f"{LOGIN} > x-internal", True),
        "logIn is left out of generated clients.",
    ),
    "an operation asks for another scope": (
        append(f"{TEXTS} > get > x-required-scopes", "messages:list"),
        "listTextMessages asks for the scope messages:list.",
    ),
    "a body may be less long": (
        put(f"{LOGIN} > x-max-body", 1024),
        "logIn takes less in a body.",
    ),
    "a parameter goes": (
        drop(f"{TEXTS} > get > parameters > 0"),
        "listTextMessages no longer has the parameter Status in query.",
    ),
    "a parameter moves to another place": (
        put("components > parameters > StatusOfMessages > in", "header"),
        "listTextMessages no longer has the parameter Status in query.",
    ),
    "a parameter is asked for": (
        put("components > parameters > StatusOfMessages > required", True),
        "listTextMessages asks for the parameter Status in query.",
    ),
    "a new parameter is asked for": (
        append(f"{TEXTS} > get > parameters", NEW_PARAMETER | {"required": True}),
        "listTextMessages asks for the parameter Tag in query.",
    ),
    "a new parameter comes before others": (
        insert(f"{TEXTS} > get > parameters > 5", NEW_PARAMETER),
        "listTextMessages has a new parameter before others, whose places in generated methods change.",
    ),
    "a parameter is read in another way": (
        put("components > parameters > VonageReceiptQuery > explode", False),
        "receiveVonageReceiptByQuery reads the parameter Fields in query in another way.",
    ),
    "a parameter gets a limit": (
        put("components > parameters > Limit > schema > maximum", 100),
        "listTextMessages: Limit in query has maximum 100 instead of 1000.",
    ),
    "a parameter gets another default": (
        put("components > parameters > Limit > schema > default", 10),
        "listTextMessages: Limit in query has default 10 instead of 100.",
    ),
    "a body is asked for": (
        put(f"{TEXTS} > get > requestBody", {"required": True, "content": {}}),
        "listTextMessages asks for a body.",
    ),
    "a media type of a body goes": (
        drop(f"{LOGIN} > requestBody > content > application/x-www-form-urlencoded"),
        "logIn: the body is no longer to be had as application/x-www-form-urlencoded.",
    ),
    "a media type of an answer changes": (
        rename(f"{LOGIN} > responses > 200 > content > application/json", "text/plain"),
        "logIn: the answer 200 is no longer to be had as application/json.",
    ),
    "success is another status": (
        rename(f"{TEXTS} > post > responses > 200", "202"),
        "sendTextMessage succeeds with 202 instead of 200.",
    ),
    "success may be another status as well": (
        put(f"{TEXTS} > post > responses > 202", {"description": "Soon."}),
        "sendTextMessage succeeds with 200, 202 instead of 200.",
    ),
    "problems are no problem documents": (
        rename("components > responses > Refused > content > application/problem+json", "application/json"),
        "The answer Refused is no longer to be had as application/problem+json.",
    ),
    "a header of an answer goes": (
        drop(f"{TEXTS} > post > responses > 200 > headers > Location"),
        "sendTextMessage: the answer 200 no longer has Location for certain.",
    ),
    "a header of an answer may be missing": (
        put(f"{TEXTS} > post > responses > 200 > headers > Location > required", False),
        "sendTextMessage: the answer 200 no longer has Location for certain.",
    ),
    "a way to send the token goes": (
        drop("security > 1"),
        "listTextMessages no longer takes rawToken.",
    ),
    "a token is asked for": (
        drop(f"{LOGIN} > security"),
        "logIn no longer takes calls without a token.",
    ),
    "the token goes into another header": (
        put("components > securitySchemes > rawToken > name", "X-Token"),
        "rawToken is sent in another way.",
    ),
    "a schema is renamed": (
        both(
            rename(f"{SCHEMAS} > Obstacle", "Hindrance"),
            put(f"{SCHEMAS} > Preview > properties > Obstacles > items", {"$ref": "#/components/schemas/Hindrance"}),
        ),
        "The schema Obstacle, after which generated code is named, is gone.",
    ),
    "a property is of another schema": (
        put(f"{SCHEMAS} > TextMessage > properties > Encoding", {"$ref": "#/components/schemas/Priority"}),
        "TextMessage.Encoding is Priority instead of Encoding in generated code.",
    ),
    "a property has a schema without a name": (
        put(f"{SCHEMAS} > TextMessage > properties > Encoding", {"type": "string", "enum": ["GSM-7", "UCS-2"]}),
        "TextMessage.Encoding is without a name instead of Encoding in generated code.",
    ),
    "an answer lacks a property": (
        both(
            drop(f"{SCHEMAS} > TextMessage > properties > Sender"),
            remove(f"{SCHEMAS} > TextMessage > required", "Sender"),
        ),
        "TextMessage no longer gives Sender.",
    ),
    "a property of an answer is renamed": (
        rename(f"{SCHEMAS} > Delivery > properties > Resends", "SentAgain"),
        "Delivery no longer gives Resends.",
    ),
    "a property of an answer may be missing": (
        remove(f"{SCHEMAS} > TextMessage > required", "Sender"),
        "TextMessage may be without Sender.",
    ),
    "a property of an answer may be null": (
        put(f"{SCHEMAS} > TextMessage > properties > Sender > nullable", True),
        "TextMessage.Sender may be null.",
    ),
    "a named property of an answer may be null": (
        put(
            f"{SCHEMAS} > TextMessage > properties > Encoding",
            {"nullable": True, "allOf": [{"$ref": "#/components/schemas/Encoding"}]},
        ),
        "TextMessage.Encoding may be null.",
    ),
    "a property of an answer has another type": (
        put(f"{SCHEMAS} > TextMessage > properties > Segments > type", "string"),
        "TextMessage.Segments has type string instead of integer.",
    ),
    "a property of an answer has another format": (
        put(f"{SCHEMAS} > TextMessage > properties > Id", {"type": "string"}),
        "TextMessage.Id has format None instead of uuid.",
    ),
    "a property of an answer may be less": (
        put(f"{SCHEMAS} > TextMessage > properties > Segments > minimum", 0),
        "TextMessage.Segments has minimum 0 instead of 1.",
    ),
    "a property of an answer may be anything": (
        drop(f"{SCHEMAS} > TextMessage > properties > Segments > minimum"),
        "TextMessage.Segments has minimum None instead of 1.",
    ),
    "the values of a map have another type": (
        put(f"{SCHEMAS} > TextMessage > properties > Counts > additionalProperties", {"type": "string"}),
        "TextMessage.Counts: each has minimum None instead of 1.",
    ),
    "an answer has a new value": (
        append(f"{SCHEMAS} > Encoding > enum", "UTF-8"),
        "Encoding gives UTF-8, which clients do not know.",
    ),
    "an answer has free text for a value": (
        both(drop(f"{SCHEMAS} > Encoding > enum"), drop(f"{SCHEMAS} > Encoding > x-enum-varnames")),
        "Encoding gives values of no list.",
    ),
    "a value gets another name in code": (
        put(f"{SCHEMAS} > Encoding > x-enum-varnames", ["GSM_7", "UCS_2"]),
        "Encoding has other names for its values in generated code.",
    ),
    "a value of an answer goes": (
        both(put(f"{SCHEMAS} > Encoding > enum", ["UCS-2"]), put(f"{SCHEMAS} > Encoding > x-enum-varnames", ["UCS2"])),
        "Encoding no longer gives GSM-7.",
    ),
    "a value of a request goes": (
        remove(f"{SCHEMAS} > Priority > enum", "bulk"),
        "Priority no longer gives bulk.",
    ),
    "a value of a request is renamed": (
        put(f"{SCHEMAS} > Priority > enum", ["high", "normal", "bulk"]),
        "Priority no longer gives urgent.",
    ),
    "a property of a request goes": (
        drop(f"{SCHEMAS} > NewTextMessage > properties > SentResult"),
        "NewTextMessage no longer takes SentResult.",
    ),
    "a property of a request is asked for": (
        append(f"{SCHEMAS} > NewTextMessage > required", "Sender"),
        "NewTextMessage asks for Sender.",
    ),
    "a new property of a request is asked for": (
        both(
            put(f"{SCHEMAS} > NewSubscriber > properties > Reason", {"type": "string"}),
            append(f"{SCHEMAS} > NewSubscriber > required", "Reason"),
        ),
        "NewSubscriber asks for Reason.",
    ),
    "a property of a request may not be null": (
        drop(f"{SCHEMAS} > NewTextMessage > properties > SendAt > nullable"),
        "NewTextMessage.SendAt no longer takes null.",
    ),
    "a named property of a request may not be null": (
        put(f"{SCHEMAS} > NewTextMessage > properties > Priority", {"$ref": "#/components/schemas/Priority"}),
        "NewTextMessage.Priority no longer takes null.",
    ),
    "a property of a request may be less long": (
        put(f"{SCHEMAS} > NewTextMessage > properties > Message > maxLength", 160),
        "NewTextMessage.Message has maxLength 160 instead of 1600.",
    ),
    "a property of a request gets a limit": (
        put(f"{SCHEMAS} > NewTextMessage > properties > DateSent > maxLength", 30),
        "NewTextMessage.DateSent has maxLength 30 instead of None.",
    ),
    "a property of a request gets a pattern": (
        put(f"{SCHEMAS} > NewTextMessage > properties > ProgramId > pattern", "^0"),
        "NewTextMessage.ProgramId has pattern ^0 instead of None.",
    ),
    "a request may have no unknown properties": (
        put(f"{SCHEMAS} > VonageStatus > additionalProperties", False),
        "VonageStatus refuses properties that it does not know.",
    ),
    "a problem says less": (
        remove(f"{SCHEMAS} > Problem > required", "detail"),
        "Problem may be without detail.",
    ),
    "a schema is put together from several": (
        put(
            f"{SCHEMAS} > TextMessage > properties > Status > allOf > 0",
            {"oneOf": [{"$ref": "#/components/schemas/Status"}, {"type": "string"}]},
        ),
        "TextMessage.Status is without a name instead of Status in generated code.",
    ),
}

COMPATIBLE: Mapping[str, Change] = {
    "nothing": lambda _document: None,
    "a new operation": put(
        "paths > /api/Reports",
        {"get": {"operationId": "getReport", "tags": ["Reports"], "responses": {"200": {"description": "A report."}}}},
    ),
    "a new schema": put(f"{SCHEMAS} > Report", {"type": "object"}),
    "another text": put(f"{LOGIN} > description", "Get a token."),
    "another example": put(f"{SCHEMAS} > NewTextMessage > example > Message", "Hello"),
    "another description of a property": put(f"{SCHEMAS} > TextMessage > properties > Sender > description", "Whose."),
    "other servers": put("servers", [{"url": "https://hub.example"}]),
    "a new parameter at the end": append(f"{TEXTS} > get > parameters", NEW_PARAMETER),
    "a parameter that is no longer asked for": put("components > parameters > StatusOfMessages > required", False),
    "a limit of a parameter is lifted": drop("components > parameters > Limit > schema > maximum"),
    "a parameter gets a schema that says the same": put(
        "components > parameters > StatusOfMessages > schema", {"allOf": [{"$ref": "#/components/schemas/Status"}]}
    ),
    "another media type of a body": put(
        f"{TEXTS} > post > requestBody > content > application/x-www-form-urlencoded",
        {"schema": {"$ref": "#/components/schemas/NewTextMessage"}},
    ),
    "another problem": put(f"{TEXTS} > get > responses > 429", {"$ref": "#/components/responses/TooManyRequests"}),
    "a problem that can no longer be": drop(f"{LOGIN} > responses > 422"),
    "another header of an answer": put(f"{LOGIN} > responses > 200 > headers", {"X": {"schema": {"type": "string"}}}),
    "a header of an answer that is certain": put(
        f"{TEXTS} > post > responses > 200 > headers > Preference-Applied > required", True
    ),
    "another way to send the token": append("security", {"cookie": []}),
    "no token is asked for": put(f"{TEXTS} > get > security", []),
    "a longer body": put(f"{LOGIN} > x-max-body", 65536),
    "a scope that is no longer asked for": put(f"{TEXTS} > get > x-required-scopes", []),
    "a new property of an answer": put(f"{SCHEMAS} > TextMessage > properties > Cost", {"type": "string"}),
    "a property of an answer that is certain": append(f"{SCHEMAS} > TextMessage > required", "RefusedNumbers"),
    "a property of an answer that is never null": drop(f"{SCHEMAS} > TextMessage > properties > SendAt > nullable"),
    "a property of an answer within a limit": put(f"{SCHEMAS} > TextMessage > properties > Segments > maximum", 10),
    "a new property of a request": put(f"{SCHEMAS} > NewTextMessage > properties > Tag", {"type": "string"}),
    "a property of a request that is no longer asked for": remove(f"{SCHEMAS} > NewSubscriber > required", "DoNotText"),
    "a property of a request that may be null": put(
        f"{SCHEMAS} > NewSubscriber > properties > DoNotText > nullable", True
    ),
    "a longer property of a request": put(f"{SCHEMAS} > NewTextMessage > properties > Message > maxLength", 3200),
    "a property of a request without a limit": drop(f"{SCHEMAS} > NewTextMessage > properties > Sender > maxLength"),
    "a property of a request without a pattern": drop(f"{SCHEMAS} > NewTextMessage > properties > Sender > pattern"),
    "a request may have unknown properties": drop(f"{SCHEMAS} > NewTextMessage > additionalProperties"),
}


def changed(change: Change) -> Any:  # noqa: ANN401 - JSON
    document = json.loads(WRITTEN)
    change(document)
    return document


@pytest.mark.parametrize("name", BREAKING)
def test_a_change_that_breaks_clients_is_found(name: str) -> None:
    change, sentence = BREAKING[name]

    assert sentence in breaks(DOCUMENT, changed(change))


@pytest.mark.parametrize("name", COMPATIBLE)
def test_a_change_that_breaks_no_client_is_let_pass(name: str) -> None:
    assert breaks(DOCUMENT, changed(COMPATIBLE[name])) == []
