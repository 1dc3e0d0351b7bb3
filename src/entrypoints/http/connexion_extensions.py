"""All that we add to Connexion.

Connexion routes a request to its operation and guards it; what it would do anew for each request is done here once,
at the start: compiling the schemas, reading the parameters' definitions, binding operations to handlers.
"""

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import takewhile
from typing import Any

from connexion.middleware.abstract import ROUTING_CONTEXT
from connexion.middleware.request_validation import (
    RequestValidationAPI,
    RequestValidationMiddleware,
    RequestValidationOperation,
)
from connexion.middleware.routing import RoutingMiddleware
from connexion.operations import AbstractOperation
from connexion.security import NO_VALUE, AbstractSecurityHandler
from connexion.spec import OpenAPISpecification
from jsonschema_rs import Draft202012Validator, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.errors import ScopeMissing, TokenRefused
from domain.model.access import Grant
from domain.ports.tokens import Tokens
from domain.use_cases.check_access import CheckAccess
from entrypoints.http.bodies import CSV, JSON, form, json_object, mismatch, plain_text, read_body, whole_json_object
from entrypoints.http.call import Call, Received
from entrypoints.http.contract import Contract, Operation
from entrypoints.http.problems import is_presentable, pointer, unknown_parameters, unknown_properties

_CONTEXT = "connexion_context"
_CALL = "smshub_call"
# Connexion hangs the document's components onto every schema; examples are no schemas either.
_NO_SCHEMA = frozenset({"components", "example"})
# A body may have a fault in every byte; a caller is helped by the first ones.
_MOST_FAULTS = 20
_NO_CONTENT: Mapping[str, Any] = {}
# As many digits as the greatest of 64 bits has; what is greater still the schema refuses.
_INTEGER = re.compile(r"-?\d{1,19}", re.ASCII)
_BOOLEANS = {"true": True, "false": False}

Handler = Callable[[Call], Awaitable[Response]]


class PackagedDocument(OpenAPISpecification):
    """The hub's own document. That it is an OpenAPI document was tested, and need not be found out at each start."""

    @classmethod
    def _validate_spec(cls, _spec: object) -> None:
        return None


def security_map(tokens: Tokens) -> Mapping[str, type[AbstractSecurityHandler]]:
    """Reads the header Authorization once, `Bearer <token>` and the token alone."""

    class BearerOrRaw(AbstractSecurityHandler):
        def get_fn(self, _scheme: object, _scopes: object) -> Callable[[Any], Mapping[str, Any]]:
            def check(request: Any) -> Mapping[str, Any]:  # noqa: ANN401 - Connexion's own type says no more
                grant = tokens.verify(_token(request.headers.get("authorization", "")))
                return {"sub": grant.program_sid, "grant": grant}

            return check

    class DocumentedOnly(AbstractSecurityHandler):
        """The raw token is a scheme of its own in the document, so that generators know it."""

        def get_fn(self, _scheme: object, _scopes: object) -> Callable[[object], object]:
            return lambda _request: NO_VALUE

    return {"bearer": BearerOrRaw, "apiKey": DocumentedOnly}


def _token(header: str) -> str:
    kind, separator, rest = header.strip().partition(" ")
    if not kind:
        raise TokenRefused("none given")
    if not separator:
        return kind
    if kind.lower() != "bearer":
        raise TokenRefused("not a bearer token")
    return rest.strip()


class SlashAtTheEnd:
    """Serves `/api/Login/` as `/api/Login`, as the first hub did.

    Connexion's router would redirect, and clients drop their token or their body on the way.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "/api/" in scope["path"]:
            scope["path"] = scope["path"].rstrip("/")
        await self._app(scope, receive, send)


def contract_routing(contract: Contract) -> type[RoutingMiddleware]:
    """Connexion's routing layer, but for paths that stand in the document as they are: those are looked up.

    They are never taken for another path's parameter (OpenAPI, path templating), as Connexion's router would take
    `GET …/Preview` for a message of that id; and the busiest of them need no search through all routes.
    """
    exact: dict[str, dict[str, str]] = {}
    for each in contract.operations.values():
        if contract.base_path + each.path in contract.exact_paths:
            exact.setdefault(contract.base_path + each.path, {})[each.method.upper()] = each.id

    class ContractRouting(RoutingMiddleware):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            operations = exact.get(scope["path"]) if scope["type"] == "http" else None
            if operations is None:
                await super().__call__(scope, receive, send)
                return
            operation_id = operations.get("GET" if scope["method"] == "HEAD" else scope["method"])
            if operation_id is None:
                raise HTTPException(405)
            scope["extensions"][ROUTING_CONTEXT] = {
                "api_base_path": contract.base_path,
                "operation_id": operation_id,
            }
            await self.app(scope, receive, send)

    return ContractRouting


class Operations:
    """The innermost application: hands a call to the operation's handler, and what is no operation to `pages`."""

    def __init__(self, handlers: Mapping[str, Handler], pages: ASGIApp) -> None:
        self._handlers = handlers
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call: Call | None = scope.get("extensions", {}).get(_CALL) if scope["type"] == "http" else None
        if call is None:
            await self._pages(scope, receive, send)
        else:
            response = await self._handlers[call.operation_id](call)
            await response(scope, receive, send)


def contract_validation(contract: Contract, access: CheckAccess) -> type[RequestValidationMiddleware]:
    """Connexion's validation layer with an operation of ours, which checks the whole request and makes the `Call`."""

    class ValidatedOperation(RequestValidationOperation):
        def __init__(self, next_app: ASGIApp, *, operation: AbstractOperation) -> None:
            super().__init__(next_app, operation=operation)
            ours = contract.operations[operation.operation_id]
            self._checks = (
                _SignedCalls(ours, operation, contract) if ours.is_callback else _Checks(ours, operation, access)
            )

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            scope["extensions"][_CALL] = await self._checks.call(scope, receive, contract.base_path)
            await self.next_app(scope, receive, send)

    class ValidatedAPI(RequestValidationAPI):
        def make_operation(self, operation: AbstractOperation) -> ValidatedOperation:
            return ValidatedOperation(self.next_app, operation=operation)

    class ContractValidation(RequestValidationMiddleware):
        api_cls = ValidatedAPI

    return ContractValidation


class _Checks:
    """What one operation's requests have to keep to. `resolved` is Connexion's view, with references followed."""

    def __init__(self, operation: Operation, resolved: AbstractOperation, access: CheckAccess) -> None:
        self._operation = operation
        self._access = access
        self._parameters = _Parameters(resolved.parameters)
        self._media_types = tuple(resolved.consumes) if "requestBody" in operation.definition else ()
        self._bodies = {
            media_type: _Body(resolved.body_schema(media_type), folds=operation.is_first_hubs)
            for media_type in self._media_types
            if media_type != CSV
        }

    async def call(self, scope: Scope, receive: Receive, base_path: str) -> Call:
        connection = HTTPConnection(scope)
        grant: Grant | None = scope["extensions"].get(_CONTEXT, {}).get("token_info", {}).get("grant")
        address = connection.client.host if connection.client else ""
        if grant is not None:
            grant = await self._access(grant, address=address)
            granted = {scope.value for scope in grant.scopes}
            for missing in sorted(self._operation.required_scopes - granted):
                raise ScopeMissing(scope=missing)
        parameters = self._parameters.read(connection)
        content = await self._content(scope, receive) if self._media_types else _NO_CONTENT
        return Call(
            operation_id=self._operation.id,
            bearer=grant,
            parameters=parameters,
            address=address,
            base_path=base_path,
            **content,
        )

    async def _content(self, scope: Scope, receive: Receive) -> Mapping[str, Any]:
        """What the call has of the request's body."""
        max_body = self._operation.max_body
        media_type, raw = await read_body(scope, receive, media_types=self._media_types, max_body=max_body)
        if media_type == CSV:
            return {"text": plain_text(raw)}
        of_json = json_object if self._operation.is_first_hubs else whole_json_object
        pairs = of_json(raw) if media_type == JSON else form(raw)
        body, unknown = self._bodies[media_type].check(pairs)
        return {"body": body, "unknown": unknown}


class _SignedCalls:
    """What a provider calls. It is read as it came: the signature is over all of it."""

    def __init__(self, operation: Operation, resolved: AbstractOperation, contract: Contract) -> None:
        self._operation = operation
        self._media_types = tuple(resolved.consumes) if "requestBody" in operation.definition else ()
        self._url = contract.url + operation.path

    async def call(self, scope: Scope, receive: Receive, base_path: str) -> Call:
        query: bytes = scope["query_string"]
        headers = HTTPConnection(scope).headers
        fields: Sequence[tuple[str, Any]]
        if self._media_types:
            max_body = self._operation.max_body
            media_type, raw = await read_body(scope, receive, media_types=self._media_types, max_body=max_body)
            fields = whole_json_object(raw) if media_type == JSON else form(raw)
        else:
            raw, fields = b"", form(query)
        url = f"{self._url}?{query.decode('latin-1')}" if query else self._url
        received = Received(url, {name: ", ".join(headers.getlist(name)) for name in headers}, fields, raw)
        return Call(operation_id=self._operation.id, base_path=base_path, received=received)


class _Body:
    """`x-stands-in` names properties in whose place another, which is required and may be null, can stand: null is good
    enough beside that one alone, and may be left out then.
    """

    def __init__(self, schema: Mapping[str, Any], *, folds: bool) -> None:
        self._names = {name.casefold() if folds else name: name for name in schema["properties"]}
        self._folds = folds
        self._stand_ins: Mapping[str, str] = schema.get("x-stands-in", {})
        self._validator = Draft202012Validator(_as_json_schema(schema), validate_formats=True, mask="the value")

    def check(self, pairs: Sequence[tuple[str, Any]]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        """The properties by the names of the contract, and the names that it does not know."""
        body: dict[str, Any] = {}
        unknown: list[str] = []
        doubled: dict[str, Mapping[str, Any]] = {}
        for written, value in pairs:
            name = self._names.get(written.casefold() if self._folds else written)
            if name is None:
                unknown.append(written)
            elif name in body:
                doubled[name] = {"pointer": pointer(written), "detail": "The property stands twice."}
            else:
                body[name] = value
        for other, required in self._stand_ins.items():
            if body.get(other) is not None:
                body.setdefault(required, None)
            elif body.get(required, other) is None:
                del body[required]
        faults = list(doubled.values())
        if not self._validator.is_valid(body):
            faults += [_fault(error) for error in self._validator.iter_errors(body)]
        if faults:
            raise mismatch(
                "The body does not match the contract.", [*faults[:_MOST_FAULTS], *unknown_properties(unknown)]
            )
        return body, tuple(unknown)


class _Parameters:
    """Those of path, query and header."""

    def __init__(self, definitions: Sequence[Mapping[str, Any]]) -> None:
        self._definitions = {each["name"]: each for each in definitions}
        self._validators = {
            name: Draft202012Validator(_as_json_schema(each["schema"]), validate_formats=True, mask="the value")
            for name, each in self._definitions.items()
        }
        self._defaults = {
            name: each["schema"]["default"] for name, each in self._definitions.items() if "default" in each["schema"]
        }
        self._required = [name for name, each in self._definitions.items() if each.get("required")]
        self._header_names = {name for name, each in self._definitions.items() if each["in"] == "header"}
        self._headers = {name.lower().encode(): name for name in self._header_names}

    def read(self, connection: HTTPConnection) -> Mapping[str, Any]:
        query = connection.query_params.multi_items() if connection.scope["query_string"] else []
        # Connexion has read those of the path that are numbers.
        written = dict(query) | {name: str(value) for name, value in connection.path_params.items()}
        unknown = [name for name in written if name not in self._definitions or name in self._header_names]
        for name in unknown:
            del written[name]
        faults: list[Mapping[str, Any]] = list(unknown_parameters(sorted(unknown)))
        if self._header_names:
            self._read_headers(connection, written)
        if query:
            faults += [
                _parameter_fault(name, "The parameter stands twice.")
                for name, count in Counter(name for name, _ in query).items()
                if count > 1 and name in self._definitions
            ]
        faults += [
            _parameter_fault(name, "The parameter is missing.") for name in self._required if name not in written
        ]
        values: dict[str, Any] = dict(self._defaults)
        for name, text in written.items():
            value = values[name] = self._value(name, text)
            if not self._validators[name].is_valid(value):
                faults += [
                    _parameter_fault(name, _detail(error)) for error in self._validators[name].iter_errors(value)
                ]
        if faults:
            raise mismatch("The parameters do not match the contract.", faults)
        return values

    def _read_headers(self, connection: HTTPConnection, written: dict[str, str]) -> None:
        """One that stands several times is read as a list with commas between (RFC 9110, section 5.3)."""
        for raw_name, raw_value in connection.scope["headers"]:
            name = self._headers.get(raw_name)
            if name is not None:
                value = raw_value.decode("latin-1").strip(" \t")
                written[name] = f"{written[name]}, {value}" if name in written else value

    def _value(self, name: str, text: str) -> object:
        kind = self._definitions[name]["schema"]["type"]
        if kind == "boolean":
            return _BOOLEANS.get(text, text)
        return int(text) if kind == "integer" and _INTEGER.fullmatch(text) else text


def _as_json_schema(schema: Any) -> Any:  # noqa: ANN401 - JSON
    """OpenAPI 3.0's `nullable` as JSON Schema has it."""
    match schema:
        case {"nullable": True, "type": str() as kind, **rest}:
            return _as_json_schema({**rest, "type": [kind, "null"]})
        # Not `anyOf`: its one fault would hide what is wrong with the value.
        case {"nullable": True, **rest}:
            return {"if": {"not": {"type": "null"}}, "then": _as_json_schema(rest)}
        case Mapping():
            return {name: _as_json_schema(value) for name, value in schema.items() if name not in _NO_SCHEMA}
        case list():
            return [_as_json_schema(value) for value in schema]
        case _:
            return schema


def _fault(error: ValidationError) -> Mapping[str, Any]:
    names = list(takewhile(is_presentable, error.instance_path))
    match error.kind.as_dict():
        case {"property": str() as missing}:
            return {"pointer": pointer(*names, missing), "detail": "The property is missing."}
        case _:
            return {"pointer": pointer(*names), "detail": _detail(error)}


def _detail(error: ValidationError) -> str:
    match error.kind.as_dict():
        case {"options": list() as options}:
            return f"The value is none of {', '.join(str(each) for each in options if each is not None)}."
        case {"unexpected": list()}:
            # What they are called is the caller's own, and may be anything.
            return "There are properties here that the document does not know."
        case _:
            return f"{error.message[:1].upper()}{error.message[1:]}."


def _parameter_fault(name: str, detail: str) -> Mapping[str, Any]:
    return {"parameter": name, "detail": detail}
