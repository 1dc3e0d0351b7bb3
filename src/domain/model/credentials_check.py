"""What a provider says of the credentials that the hub has for an account."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """Whether credentials are good, as far as anybody can tell."""

    GOOD = "good"
    REFUSED = "refused"
    NOT_ASKED = "not-asked"  # Nobody can tell: the provider could not be asked, or did not say.


_SENTENCES: Mapping[str, str] = {
    "accepted": "The provider accepts the credentials.",
    "sandbox": "The sandbox needs no credentials.",
    "credentials-refused": "The provider does not accept the credentials.",
    "not-permitted": "The provider does not allow these credentials what the hub needs.",
    "account-not-found": "The provider does not know the account.",
    "account-stopped": "The provider accepts the credentials, and has suspended or closed the account.",
    "credentials-missing": "The hub has no credentials of this account.",
    "credentials-unreadable": "The hub cannot read the credentials with the keys of SMSHUB_ENCRYPTION_KEYS.",
    "credentials-unusable": "The credentials that the hub has are of another kind.",
    "no-connection": "The provider could not be reached, or hung up.",
    "no-secure-connection": "The provider could not be reached safely.",
    "no-answer": "The provider did not answer in time.",
    "throttled": "The provider takes no more requests at the moment.",
    "server-error": "The provider has a fault at the moment.",
    "unreadable-answer": "The provider's answer made no sense.",
}


@dataclass(frozen=True, slots=True)
class CredentialsCheck:
    """`reason` is a word that callers may rely on."""

    verdict: Verdict
    reason: str

    @property
    def sentence(self) -> str:
        return _SENTENCES[self.reason]


ACCEPTED = CredentialsCheck(Verdict.GOOD, "accepted")


def refused(reason: str) -> CredentialsCheck:
    return CredentialsCheck(Verdict.REFUSED, reason)


def not_asked(reason: str) -> CredentialsCheck:
    return CredentialsCheck(Verdict.NOT_ASKED, reason)
