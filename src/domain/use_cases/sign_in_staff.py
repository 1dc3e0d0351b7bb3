import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from hmac import compare_digest
from uuid import uuid4

from domain.errors import SignInRefused, TokenRefused
from domain.model.pace import SECOND_US
from domain.model.sign_in import Challenge, PendingSignIn
from domain.model.staff import StaffRole, StaffSession
from domain.ports.clock import Clock
from domain.ports.identity_provider import IdentityProvider
from domain.ports.staff_roles import StaffRoles
from domain.ports.staff_tokens import StaffTokens

PENDING_FOR_S = 600
_RANDOM_BYTES = 32
# Browsers drop cookies of more than 4,096 bytes, signature and all else in them included.
_MOST_BYTES_OF_GROUPS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """`token` is the session as the browser keeps it; `following` is the page to go on to."""

    token: str
    session: StaffSession
    following: str


@dataclass(frozen=True, kw_only=True)
class SignInStaff:
    """Signs a person in with the organisation's identity provider. The hub keeps nothing of it: what is under way, and
    the session that comes of it, are tokens that the browser has.
    """

    provider: IdentityProvider
    tokens: StaffTokens
    roles: StaffRoles
    clock: Clock
    lifetime: timedelta

    async def begin(self, following: str) -> tuple[str, str]:
        """Where the browser goes, and what it keeps meanwhile. Raises `IdentityProviderAway`."""
        state, nonce, verifier = (secrets.token_urlsafe(_RANDOM_BYTES) for _ in range(3))
        challenge = Challenge(state=state, nonce=nonce, verifier=verifier)
        address = await self.provider.address(challenge)
        pending = PendingSignIn(challenge=challenge, following=following, ends_s=self._now_s() + PENDING_FOR_S)
        return address, self.tokens.pending(pending)

    async def finish(self, kept: str | None, answer: Mapping[str, str]) -> SignedIn:
        """`answer` is what the browser comes back with. Raises `SignInRefused`, `IdentityProviderAway` and
        `StoreUnavailable`.
        """
        if kept is None:
            raise SignInRefused("none-begun")
        try:
            pending = self.tokens.read_pending(kept)
        except TokenRefused as refused:
            raise SignInRefused(f"none-begun: {refused.reason}") from None
        if not compare_digest(answer.get("state", "").encode(), pending.challenge.state.encode()):
            raise SignInRefused("another-state")
        person = await self.provider.person(pending.challenge, answer)
        now_s = self._now_s()
        session = StaffSession(
            id=uuid4().hex,
            person=replace(person, groups=_kept(person.groups, await self.roles.all())),
            began_s=now_s,
            ends_s=now_s + int(self.lifetime.total_seconds()),
        )
        return SignedIn(token=self.tokens.session(session), session=session, following=pending.following)

    def _now_s(self) -> int:
        return self.clock.now_us() // SECOND_US


def _kept(groups: Sequence[str], roles: Sequence[StaffRole]) -> tuple[str, ...]:
    """Those that have a role come first; of the others as many as a cookie has room for."""
    known = {each.group for each in roles}
    kept, left = [], _MOST_BYTES_OF_GROUPS
    for group in sorted(dict.fromkeys(groups), key=lambda each: each not in known):
        left -= len(group.encode()) + 3
        if left < 0:
            break
        kept.append(group)
    return tuple(kept)
