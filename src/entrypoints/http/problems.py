"""Errors as problem documents (RFC 9457). The one place that knows which error has which HTTP status."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson
from starlette.exceptions import HTTPException

from domain import errors

MEDIA_TYPE = "application/problem+json"
CHALLENGE = 'Bearer realm="SMS Hub"'

# Status and title of each error that a caller can meet.
_KNOWN: Mapping[type[errors.HubError], tuple[int, str]] = {
    errors.CredentialsRefused: (401, "Wrong credentials"),
    errors.TokenRefused: (401, "Log in again"),
    errors.SignInRefused: (403, "Not signed in"),
    errors.OtherProgram: (403, "Another program"),
    errors.ScopeMissing: (403, "Not allowed"),
    errors.CallbackRefused: (403, "Not the provider's"),
    errors.MessageNotFound: (404, "No such message"),
    errors.ProgramExists: (409, "Program exists"),
    errors.OwnProgram: (409, "Own program"),
    errors.OwnSender: (409, "Own sender"),
    errors.KeyNotFound: (404, "No such key"),
    errors.TooManyKeys: (422, "Too many keys"),
    errors.WebhookNotFound: (404, "No such webhook"),
    errors.EventNotFound: (404, "No such event"),
    errors.UnknownProperties: (400, "Unknown property"),
    errors.NumberRefused: (422, "Number refused"),
    errors.RecipientsRefused: (422, "Numbers refused"),
    errors.CountryNotAllowed: (422, "Country not allowed"),
    errors.NoRecipients: (422, "No number"),
    errors.TooManyRecipients: (422, "Too many numbers"),
    errors.TextRefused: (422, "Text refused"),
    errors.TooManySegments: (422, "Text too long"),
    errors.PeriodRefused: (422, "Period refused"),
    errors.TimeRefused: (422, "Time refused"),
    errors.UnknownSender: (422, "Unknown sender"),
    errors.IdempotencyKeyReused: (422, "Key of another request"),
    errors.IdempotencyKeyInUse: (409, "Request under way"),
    errors.CursorRefused: (422, "Cursor refused"),
    errors.NumbersMissing: (400, "Request does not match"),
    errors.TemplateNotFound: (404, "No such template"),
    errors.TemplateExists: (409, "Name taken"),
    errors.UnknownTemplate: (422, "Unknown template"),
    errors.TemplateRefused: (422, "Template refused"),
    errors.PersonalisationRefused: (422, "Values refused"),
    errors.TextUnclear: (422, "Text unclear"),
    errors.TooManyTemplates: (422, "Too many templates"),
    errors.TooManyTemplateVersions: (422, "Too many versions"),
    errors.UrlRefused: (422, "Address refused"),
    errors.TooManyWebhooks: (422, "Too many webhooks"),
    errors.ReplayUnclear: (422, "Replay unclear"),
    errors.SenderNotFound: (404, "No such sender"),
    errors.AccountNotFound: (404, "No such account"),
    errors.LimitNotFound: (404, "No such limit"),
    errors.PriceNotFound: (404, "No such price"),
    errors.StaffRoleNotFound: (404, "No such role"),
    errors.PaceDiffers: (422, "Another pace"),
    errors.CredentialsMissing: (422, "Credentials missing"),
    errors.EncryptionKeysMissing: (422, "No encryption keys"),
    errors.OtherAccount: (422, "Another account"),
    errors.LimitsInACircle: (422, "Limits in a circle"),
    errors.LimitInUseStill: (422, "Limit in use"),
    errors.NotUnderLimit: (422, "Not under the limit"),
    errors.CurrencyDiffers: (422, "Another currency"),
    errors.InvalidValue: (422, "Value refused"),
    errors.BudgetExceeded: (429, "Budget used"),
    errors.TooManyLogins: (429, "Too many logins"),
    errors.CallbackUnsigned: (503, "Not signed"),
    errors.IdentityProviderAway: (503, "Identity provider not available"),
    errors.HubBusy: (503, "Too busy"),
    errors.StoreUnavailable: (503, "Database not available"),
}

# Where the error itself tells of commands, which are of no use to callers.
_DETAILS: Mapping[type[errors.HubError], str] = {
    errors.SenderNotFound: "There is no sender with this id.",
    errors.AccountNotFound: "There is no provider account with this id.",
    errors.LimitNotFound: "There is no limit of this name.",
    errors.PriceNotFound: "There is no price for this country.",
    errors.StaffRoleNotFound: "There is no role with this id.",
}

# What is wrong is the value of this one.
_PROPERTIES: Mapping[type[errors.HubError], str] = {
    errors.UnknownSender: "#/Sender",
    errors.OtherProgram: "#/ProgramId",
    errors.UrlRefused: "#/Url",
    errors.UnknownTemplate: "#/Template",
    errors.TemplateExists: "#/Name",
    errors.TemplateRefused: "#/Message",
    errors.PaceDiffers: "#/Rate",
    errors.CredentialsMissing: "#/Credentials",
}

# What is over after a while, and says after how long.
_PASSING = (
    errors.BudgetExceeded
    | errors.TooManyLogins
    | errors.IdempotencyKeyInUse
    | errors.CallbackUnsigned
    | errors.HubBusy
    | errors.IdentityProviderAway
    | errors.StoreUnavailable
)

_BY_STATUS: Mapping[int, tuple[str, str, str]] = {
    404: ("no-such-path", "No such path", "There is nothing at this address."),
    405: ("method-not-allowed", "Method not allowed", "The header Allow says which methods this address takes."),
    500: ("internal-error", "Internal error", "The hub could not do this; its operators can find out why."),
}


# Shorter than any key or token.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,29}")
_MOST_NAMES = 20


class RequestFault(Exception):
    """A request that is wrong as HTTP or does not match the contract, before any use case sees it."""

    def __init__(
        self, status: int, slug: str, title: str, detail: str, faults: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.slug = slug
        self.title = title
        self.detail = detail
        self.faults = faults


def refused_parameter(name: str, error: errors.HubError) -> RequestFault:
    """What is refused in a body names its property; in a query it names the parameter."""
    status, title = _KNOWN[type(error)]
    return RequestFault(status, error.slug, title, str(error), [{"parameter": name, "detail": str(error)}])


class Problem:
    """What a caller gets for an error: status, headers and body."""

    def __init__(self, status: int, slug: str, title: str, detail: str, faults: Sequence[Mapping[str, Any]]) -> None:
        self.status = status
        self.slug = slug
        self.title = title
        self.detail = detail
        self.headers: dict[str, str] = {}
        document: dict[str, Any] = {"type": slug, "title": title, "status": status, "detail": detail}
        if faults:
            document["errors"] = list(faults)
        self.body = orjson.dumps(document)
        if status == 401:
            self.headers["WWW-Authenticate"] = CHALLENGE

    @classmethod
    def of(cls, error: Exception) -> "Problem":
        match error:
            case RequestFault():
                return cls(error.status, error.slug, error.title, error.detail, error.faults)
            case errors.ProgramNotFound():
                # Programs name none but that of their token.
                return cls.of(errors.TokenRefused("its program is gone"))
            case errors.HubError() if known := _known(error):
                status, title = known
                detail = _DETAILS.get(type(error), str(error))
                problem = cls(status, error.slug, title, detail, _faults(error))
                if isinstance(error, _PASSING):
                    problem.headers["Retry-After"] = str(error.retry_after_s)
                return problem
            case HTTPException(status_code=401):
                return cls.of(errors.TokenRefused("none given"))
            case HTTPException(status_code=status) if status in _BY_STATUS:
                return cls(status, *_BY_STATUS[status], ())
            case HTTPException(status_code=status):
                return cls(status, "request-refused", "Request refused", "The request cannot be served.", ())
            case _:
                return cls(500, *_BY_STATUS[500], ())


def _known(error: errors.HubError) -> tuple[int, str] | None:
    return next((_KNOWN[kind] for kind in type(error).__mro__ if kind in _KNOWN), None)


def _faults(error: errors.HubError) -> Sequence[Mapping[str, Any]]:
    match error:
        case errors.RecipientsRefused(refusals=refusals):
            return [
                {"pointer": "#/PhoneNumber", "position": position, "detail": f"Number {position} {reason}."}
                for position, reason in refusals
            ]
        case errors.NumberRefused() | errors.NoRecipients() | errors.TooManyRecipients():
            return [{"pointer": "#/PhoneNumber", "detail": str(error)}]
        case errors.TextRefused(at=name) | errors.TooManySegments(at=name):
            return [{"pointer": pointer(name), "detail": str(error)}]
        case errors.PersonalisationRefused(faults=faults):
            return [
                {"pointer": pointer("Personalisation", *filter(None, [name])), "detail": detail}
                for name, detail in faults
            ]
        case errors.TimeRefused(name=name) | errors.PropertyRefused(name=name):
            return [{"pointer": pointer(name), "detail": str(error)}]
        case _ if type(error) in _PROPERTIES:
            return [{"pointer": _PROPERTIES[type(error)], "detail": str(error)}]
        case errors.IdempotencyKeyReused() | errors.IdempotencyKeyInUse():
            return [{"parameter": "Idempotency-Key", "detail": str(error)}]
        case errors.CursorRefused():
            return [{"parameter": "Cursor", "detail": str(error)}]
        case errors.UnknownProperties(names=names):
            return unknown_properties(names)
        case _:
            return []


def unknown_properties(names: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    """A fault for each that looks like a property's name; what stands in place of a name may be anything."""
    shown = _presentable(names)
    faults = [{"pointer": pointer(name), "detail": "There is no such property."} for name in shown]
    if len(shown) < len(names):
        faults.append({"pointer": "#", "detail": f"{len(names) - len(shown)} more properties are not known."})
    return faults


def unknown_parameters(names: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    shown = _presentable(names)
    faults = [{"parameter": name, "detail": "There is no such parameter."} for name in shown]
    if len(shown) < len(names):
        faults.append({"detail": f"{len(names) - len(shown)} more parameters are not known."})
    return faults


def _presentable(names: Sequence[str]) -> Sequence[str]:
    return [name for name in names if is_presentable(name)][:_MOST_NAMES]


def is_presentable(name: str | int) -> bool:
    """Whether it looks like a property's name, or is a place in a list: the validator takes all numbers for such."""
    return name < 1_000 if isinstance(name, int) else bool(_NAME.fullmatch(name))


def pointer(*names: str | int) -> str:
    """A JSON pointer as a URI fragment (RFC 6901)."""
    return "#" + "".join("/" + quote(str(name).replace("~", "~0").replace("/", "~1")) for name in names)
