"""What can go wrong, stated as facts.

Every error carries a stable `slug`, which callers see as the problem's `type`, and typed attributes. Texts name
positions, counts and reasons, never a phone number, a message text or a credential.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar


class HubError(Exception):
    """The base of every error that the hub raises on purpose."""

    slug: ClassVar[str]


class InvalidValue(HubError, ValueError):
    """A value that breaks its own rule, such as a pace of zero."""

    slug = "invalid-value"


class PropertyRefused(InvalidValue):
    """A value of an operator's that breaks its rule; `name` is the property's."""

    def __init__(self, name: str, detail: str) -> None:
        super().__init__(detail)
        self.name = name


@contextmanager
def naming(name: str) -> Iterator[None]:
    """What is refused within is the value of this property."""
    try:
        yield
    except PropertyRefused:
        raise
    except (InvalidValue, TextRefused) as error:
        raise PropertyRefused(name, str(error)) from None


class NumbersMissing(InvalidValue):
    """A list that has no column with numbers."""

    slug = "invalid-request"

    def __init__(self) -> None:
        super().__init__("The list has no column PhoneNumber.")


class NumberRefused(HubError):
    """One phone number that the hub does not text. `reason` completes the sentence "The number …"."""

    slug = "number-refused"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The number {reason}.")
        self.reason = reason


class RecipientsRefused(HubError):
    """Some of a request's numbers are not to be texted, so none is.

    `refusals` are (position, reason) pairs; positions count from 1 and skip nothing, so the caller finds each number.
    """

    slug = "recipients-refused"

    def __init__(self, refusals: Sequence[tuple[int, str]]) -> None:
        super().__init__(f"{len(refusals)} of the numbers cannot be texted.")
        self.refusals = tuple(refusals)


class CountryNotAllowed(RecipientsRefused):
    """All that is wrong with the numbers is the countries that they belong to."""

    slug = "country-not-allowed"


class NoRecipients(HubError):
    slug = "no-recipients"

    def __init__(self) -> None:
        super().__init__("There is no number to send to.")


class TooManyRecipients(HubError):
    slug = "too-many-recipients"

    def __init__(self, *, count: int, limit: int) -> None:
        super().__init__(f"There are {count} numbers; one request takes {limit} at most.")
        self.count = count
        self.limit = limit


class TextRefused(HubError):
    """A message text that cannot be sent at all. `reason` completes the sentence "The message …"; `at` is the property
    of a request that brought it about.
    """

    slug = "text-refused"

    def __init__(self, reason: str, *, at: str = "Message") -> None:
        super().__init__(f"The message {reason}.")
        self.reason = reason
        self.at = at


class TooManySegments(HubError):
    slug = "too-many-segments"

    def __init__(self, *, segments: int, limit: int, at: str = "Message") -> None:
        super().__init__(f"The message takes {segments} segments; this program may send {limit} at most.")
        self.segments = segments
        self.limit = limit
        self.at = at


class BudgetExceeded(HubError):
    """A text of so many segments in all, of which the program has fewer `left` in the period."""

    slug = "budget-exceeded"

    def __init__(self, *, segments: int, left: int, period: str, retry_after_s: int) -> None:
        super().__init__(
            f"The text takes {segments} segments for all its numbers; "
            f"{left} of this program's budget are left for {period}."
        )
        self.segments = segments
        self.left = left
        self.retry_after_s = retry_after_s


class PeriodRefused(HubError):
    """`name` is the property's, `reason` completes the sentence."""

    slug = "period-refused"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} {reason}.")
        self.name = name


class PriceNotFound(HubError):
    slug = "price-not-found"

    def __init__(self) -> None:
        super().__init__("There is no price for this country: see `smshub prices list`.")


class CurrencyDiffers(HubError):
    slug = "currency-differs"

    def __init__(self, *, current: str) -> None:
        super().__init__(f"Prices are all in one currency, which is {current}.")
        self.current = current


class TimeRefused(HubError):
    """A time that a text cannot be sent or expire at. `name` is the property's, `reason` completes the sentence."""

    slug = "time-refused"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} {reason}.")
        self.name = name


class UnknownSender(HubError):
    slug = "unknown-sender"

    def __init__(self) -> None:
        super().__init__("Sender is none of this program's senders.")


class IdempotencyKeyReused(HubError):
    slug = "idempotency-key-reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key stands for another request of the last 24 hours.")


class IdempotencyKeyInUse(HubError):
    """Another request with the key is under way, and takes unusually long."""

    slug = "idempotency-key-in-use"

    def __init__(self, *, retry_after_s: int = 1) -> None:
        super().__init__("A request with this Idempotency-Key is under way; ask again for its answer.")
        self.retry_after_s = retry_after_s


class CredentialsRefused(HubError):
    """The same for an unknown program and a wrong key, so that a caller learns nothing."""

    slug = "credentials-refused"

    def __init__(self) -> None:
        super().__init__("ProgramSID and ProgramKey do not belong together.")


class TooManyLogins(HubError):
    slug = "too-many-logins"

    def __init__(self, *, retry_after_s: int) -> None:
        super().__init__(f"Too many logins of this program from this address; try again in {retry_after_s} s.")
        self.retry_after_s = retry_after_s


class TokenRefused(HubError):
    """`reason` is for our own log; a caller learns only that a new login is due."""

    slug = "token-refused"

    def __init__(self, reason: str) -> None:
        super().__init__("The token is missing, expired or not ours: log in again.")
        self.reason = reason


class OtherProgram(HubError):
    slug = "other-program"

    def __init__(self) -> None:
        super().__init__("ProgramId names another program than the token does.")


class SignInRefused(HubError):
    """What came back from the identity provider is no good. `reason` is for our own log."""

    slug = "sign-in-refused"

    def __init__(self, reason: str) -> None:
        super().__init__("The sign-in could not be finished: begin it again.")
        self.reason = reason


class IdentityProviderAway(HubError):
    """It does not answer, or not as one. `reason` is for our own log."""

    slug = "identity-provider-away"

    def __init__(self, reason: str, *, retry_after_s: int = 30) -> None:
        super().__init__("Nobody can be signed in by the organisation's identity provider at the moment.")
        self.reason = reason
        self.retry_after_s = retry_after_s


class StaffRoleNotFound(HubError):
    slug = "staff-role-not-found"

    def __init__(self) -> None:
        super().__init__("There is no such role: see `smshub staff list`.")


class ScopeMissing(HubError):
    slug = "scope-missing"

    def __init__(self, *, scope: str) -> None:
        super().__init__(f"The token does not allow {scope}.")
        self.scope = scope


class MessageNotFound(HubError):
    """Also for a message of another program, so that ids cannot be probed."""

    slug = "message-not-found"

    def __init__(self) -> None:
        super().__init__("There is no such message.")


class CursorRefused(HubError):
    slug = "cursor-refused"

    def __init__(self) -> None:
        super().__init__("Cursor is not one that this list gave out.")


class UnknownProperties(HubError):
    """`names` are those of the request, as the caller wrote them."""

    slug = "unknown-property"

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__("The request has properties that the document does not know.")
        self.names = tuple(names)


class WebhookNotFound(HubError):
    """Also for one of another program, so that ids cannot be probed."""

    slug = "webhook-not-found"

    def __init__(self) -> None:
        super().__init__("There is no such webhook.")


class EventNotFound(HubError):
    """The endpoint was never to be told of it, or it is forgotten."""

    slug = "event-not-found"

    def __init__(self) -> None:
        super().__init__("There is no such event of this webhook.")


class TooManyWebhooks(HubError):
    slug = "too-many-webhooks"

    def __init__(self, *, limit: int) -> None:
        super().__init__(f"A program has {limit} webhooks at the most.")


class UrlRefused(HubError):
    """An address that the hub does not call. `reason` completes the sentence "The address …"."""

    slug = "url-refused"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The address {reason}.")


class TemplateNotFound(HubError):
    """Also for one of another program, and for one that is retired."""

    slug = "template-not-found"

    def __init__(self) -> None:
        super().__init__("There is no such template, or no such version of it.")


class UnknownTemplate(HubError):
    slug = "unknown-template"

    def __init__(self) -> None:
        super().__init__("This program has no such template, or no such version of it.")


class TemplateExists(HubError):
    slug = "template-exists"

    def __init__(self) -> None:
        super().__init__("This program has a template of this name already.")


class TooManyTemplates(HubError):
    slug = "too-many-templates"

    def __init__(self, *, limit: int) -> None:
        super().__init__(f"A program has {limit} templates at the most.")


class TooManyTemplateVersions(HubError):
    slug = "too-many-versions"

    def __init__(self, *, limit: int) -> None:
        super().__init__(f"A template has {limit} versions at the most: give it a new name to go on.")


class TemplateRefused(HubError):
    """`at` is the place of two braces that begin no placeholder, counted in characters from 1."""

    slug = "template-refused"

    def __init__(self, *, at: int) -> None:
        super().__init__(
            f"The braces at character {at} begin no placeholder, such as {{{{Name}}}}; write \\{{{{ if none is meant."
        )
        self.at = at


class PersonalisationRefused(HubError):
    """Values that are not those which a template asks for, by the names of their placeholders; `nameless` is how many
    others there are, whose names are not to be shown.
    """

    slug = "personalisation-refused"

    def __init__(
        self, *, missing: Sequence[str], unknown: Sequence[str] = (), nameless: int = 0, doubled: Sequence[str] = ()
    ) -> None:
        self.missing = tuple(missing)
        self.unknown = tuple(unknown)
        self.nameless = nameless
        self.doubled = tuple(doubled)
        sentences = [sentence for _, sentence in self.faults]
        super().__init__(" ".join(sentences[:5]))

    @property
    def faults(self) -> Sequence[tuple[str | None, str]]:
        """The name of each value that is wrong, None where it has none, with what is."""
        faults: list[tuple[str | None, str]] = [(name, f"A value for {name} is missing.") for name in self.missing]
        faults += [(name, f"The template has no {name}.") for name in self.unknown]
        faults += [(name, f"{name} stands twice.") for name in self.doubled]
        if self.nameless:
            faults.append((None, f"{self.nameless} more values have names that the template does not have."))
        return faults


class TextUnclear(HubError):
    slug = "text-unclear"

    def __init__(self) -> None:
        super().__init__("Say either Message, or Template with its TemplateVersion and Personalisation.")


class ReplayUnclear(HubError):
    slug = "replay-unclear"

    def __init__(self) -> None:
        super().__init__("Say either EventId or Since.")


class ProgramNotFound(HubError):
    slug = "program-not-found"

    def __init__(self) -> None:
        super().__init__("There is no program with this id: see `smshub programs list`.")


class ProgramExists(HubError):
    slug = "program-exists"

    def __init__(self) -> None:
        super().__init__("There is a program with this ProgramId or ProgramSID already.")


class OwnProgram(HubError):
    slug = "own-program"

    def __init__(self) -> None:
        super().__init__("Nobody deletes the program that they have logged in with.")


class OwnSender(HubError):
    slug = "own-sender"

    def __init__(self) -> None:
        super().__init__("This is the program's own sender: its texts come from it unless they name another.")


class KeyNotFound(HubError):
    slug = "key-not-found"

    def __init__(self) -> None:
        super().__init__("The program has no key with this id.")


class TooManyKeys(HubError):
    slug = "too-many-keys"

    def __init__(self, *, limit: int) -> None:
        super().__init__(f"The program has {limit} live keys of this kind already: revoke one first.")
        self.limit = limit


class PaceDiffers(HubError):
    """A sender is one for the whole hub, and has one pace, whoever uses it."""

    slug = "pace-differs"

    def __init__(self, *, current: str) -> None:
        super().__init__(f"This sender is in use at a pace of {current}; a second program shares that pace.")
        self.current = current


class SenderNotFound(HubError):
    slug = "sender-not-found"

    def __init__(self) -> None:
        super().__init__("There is no such sender: see `smshub senders list`.")


class SenderAmbiguous(HubError):
    slug = "sender-ambiguous"

    def __init__(self) -> None:
        super().__init__("Several accounts have a sender of this address: say which by --provider and --account.")


class AccountNotFound(HubError):
    slug = "account-not-found"

    def __init__(self) -> None:
        super().__init__("There is no such provider account: see `smshub senders list`.")


class OtherAccount(HubError):
    slug = "other-account"

    def __init__(self) -> None:
        super().__init__("The credentials are another account's.")


class LimitNotFound(HubError):
    slug = "limit-not-found"

    def __init__(self) -> None:
        super().__init__("There is no limit of this name: see `smshub limits list`.")


class LimitsInACircle(HubError):
    slug = "limits-in-a-circle"

    def __init__(self) -> None:
        super().__init__("The limit would stand under itself.")


class NotUnderLimit(HubError):
    slug = "not-under-limit"

    def __init__(self) -> None:
        super().__init__("It does not stand under this limit itself.")


class LimitInUseStill(HubError):
    slug = "limit-in-use"

    def __init__(self) -> None:
        super().__init__("Senders, accounts or other limits stand under this limit: detach them first.")


class CredentialsMissing(HubError):
    slug = "credentials-missing"

    def __init__(self) -> None:
        super().__init__("This provider needs the credentials of the account that the sender belongs to.")


class CredentialsUnreadable(HubError):
    slug = "credentials-unreadable"

    def __init__(self) -> None:
        super().__init__("The provider account's credentials cannot be read with the keys of SMSHUB_ENCRYPTION_KEYS.")


class EncryptionKeysMissing(HubError):
    """Something secret is to be kept, such as credentials, or what a webhook's calls are signed with."""

    slug = "encryption-keys-missing"

    def __init__(self) -> None:
        super().__init__(
            "This hub has no key to keep secrets encrypted: its operators have to set SMSHUB_ENCRYPTION_KEYS."
        )


class CallbackRefused(HubError):
    """Who calls the hub in a provider's name does not prove it. `reason` is for our own log and metrics."""

    slug = "callback-refused"

    def __init__(self, reason: str) -> None:
        super().__init__("The call does not prove that it is the provider's.")
        self.reason = reason


class CallbackUnsigned(HubError):
    """A call that its provider makes once more, and signed then, when it is told to."""

    slug = "callback-unsigned"

    def __init__(self, *, retry_after_s: int = 5) -> None:
        super().__init__("The call bears no signature at all; call again with one.")
        self.retry_after_s = retry_after_s


class UnknownProvider(HubError):
    slug = "unknown-provider"

    def __init__(self, *, name: str, known: Sequence[str]) -> None:
        super().__init__(f"There is no provider {name!r}; known are {', '.join(known)}.")
        self.name = name


class IllegalTransition(HubError):
    slug = "illegal-transition"

    def __init__(self, *, state: str, event: str) -> None:
        super().__init__(f"A delivery that is {state} cannot take {event}.")
        self.state = state
        self.event = event


class StoreUnavailable(HubError):
    """The database did not answer. Whether the last change was stored is known only where it is read again."""

    slug = "store-unavailable"

    def __init__(self, *, retry_after_s: int = 5) -> None:
        super().__init__("The hub's database is not available; try again later.")
        self.retry_after_s = retry_after_s


class HubBusy(HubError):
    """More is waiting to be stored than the hub lets wait."""

    slug = "hub-busy"

    def __init__(self, *, retry_after_s: int = 1) -> None:
        super().__init__("The hub has more texts to store than it can at the moment; nothing was accepted.")
        self.retry_after_s = retry_after_s


class SchemaDiffers(HubError):
    """This code does not run on the database as it is. `found` is None for an empty database; `too_new`: a newer hub
    has taken something away from it that this one needs.
    """

    slug = "schema-differs"

    def __init__(self, *, found: str | None, expected: str, too_new: bool = False) -> None:
        remedy = "start a newer one" if too_new else "run `smshub migrate`"
        super().__init__(f"The database is at schema {found or 'none'}, this hub needs {expected}: {remedy}.")
        self.found = found
        self.expected = expected


class HubAtWork(HubError):
    """A dispatcher works on this database."""

    slug = "hub-at-work"

    def __init__(self) -> None:
        super().__init__("A dispatcher works on this database: stop every process of the hub first.")
