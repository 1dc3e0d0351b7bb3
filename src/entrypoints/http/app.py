"""The public application: Connexion's layers around the contract's operations."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import timedelta

import structlog
from connexion import ConnexionMiddleware
from connexion.exceptions import ProblemException
from connexion.lifecycle import ConnexionRequest, ConnexionResponse
from connexion.middleware.exceptions import ExceptionMiddleware
from connexion.middleware.main import API
from connexion.middleware.security import SecurityMiddleware
from connexion.resolver import Resolver
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from domain.errors import HubError
from domain.ports.tokens import Tokens
from domain.use_cases.check_access import CheckAccess
from domain.use_cases.opt_out_by_page import OptOutByPage
from entrypoints.http.connexion_extensions import (
    Handler,
    Operations,
    PackagedDocument,
    SlashAtTheEnd,
    contract_routing,
    contract_validation,
    security_map,
)
from entrypoints.http.console.use_cases import UseCases
from entrypoints.http.contract import Contract
from entrypoints.http.pages.opt_out import OptOutPage
from entrypoints.http.pages.site import pages
from entrypoints.http.pages.welcome import Welcome
from entrypoints.http.problems import MEDIA_TYPE, Problem, RequestFault
from entrypoints.http.telemetry import PROBLEM, RequestTelemetry
from entrypoints.telemetry.metrics import Metrics

_log = structlog.get_logger("smshub.http")


def create_app(
    *,
    contract: Contract,
    handlers: Sequence[object],
    tokens: Tokens,
    key_set: Mapping[str, object],
    check_access: CheckAccess,
    metrics: Metrics,
    cors_origins: Sequence[str],
    token_lifetime: timedelta,
    contact: str,
    opt_out_by_page: OptOutByPage,
    console: UseCases,
) -> ASGIApp:
    bound = {operation_id: _handler(operation_id, handlers) for operation_id in contract.operations}
    welcome = Welcome(contract=contract, contact=contact, token_lifetime=token_lifetime, cors_origins=cors_origins)
    app = ConnexionMiddleware(
        Operations(bound, pages(contract, welcome, OptOutPage(opt_out_by_page), console, key_set)),
        middlewares=[
            ExceptionMiddleware,
            SlashAtTheEnd,
            contract_routing(contract),
            SecurityMiddleware,
            contract_validation(contract, check_access),
        ],
        resolver=Resolver(bound.__getitem__),
        security_map=security_map(tokens),
    )
    document = PackagedDocument(dict(contract.document))
    app.apis.append(API(document, base_path=contract.base_path, **app.options.__dict__))
    answer = _problem_answer(contract)
    for kind in (HubError, RequestFault, ProblemException, HTTPException, Exception):
        app.add_error_handler(kind, answer)
    return RequestTelemetry(_with_cors(app, cors_origins, contract), metrics)


def _handler(operation_id: str, handlers: Sequence[object]) -> Handler:
    """The method of the operation's name, whichever of them has it."""
    handler: Handler = next(getattr(each, operation_id) for each in handlers if hasattr(each, operation_id))
    return handler


def _with_cors(app: ASGIApp, origins: Sequence[str], contract: Contract) -> ASGIApp:
    if not origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_methods=sorted({each.method.upper() for each in contract.operations.values()}),
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Prefer", "X-Requested-With", "traceparent"],
        expose_headers=["Idempotency-Replayed", "Location", "Preference-Applied", "Retry-After", "WWW-Authenticate"],
        max_age=3_600,
    )


def _problem_answer(
    contract: Contract,
) -> Callable[[ConnexionRequest, Exception], Coroutine[None, None, ConnexionResponse]]:
    async def answer(request: ConnexionRequest, error: Exception) -> ConnexionResponse:
        problem = Problem.of(error)
        request.scope.setdefault("extensions", {})[PROBLEM] = problem.slug
        if problem.status == 500:
            _log.error("request_failed", exc_info=error)
        if problem.status == 405:
            known = contract.methods_of(request.scope["path"]) or {"GET", "HEAD"}
            problem.headers["Allow"] = ", ".join(sorted(known))
        return ConnexionResponse(
            status_code=problem.status, mimetype=MEDIA_TYPE, headers=problem.headers, body=problem.body
        )

    return answer
