"""A sign-in under way: the browser is at the identity provider."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """Made anew for each sign-in, so that what comes back is known to belong to it: `state` in the answer, `nonce` in
    the id token, and `verifier` (RFC 7636) with which alone the code can be redeemed. All are random.
    """

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingSignIn:
    """`following` is the console's page to go on to, `ends_s` when it is too late, in seconds since the Unix epoch."""

    challenge: Challenge
    following: str
    ends_s: int
