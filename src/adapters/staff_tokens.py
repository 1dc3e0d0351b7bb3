"""What persons' browsers carry about, as JSON Web Tokens signed by the hub's ring of keys."""

from collections.abc import Mapping, Sequence

from adapters.token_keys import KeyRing
from domain.errors import TokenRefused
from domain.model.sign_in import Challenge, PendingSignIn
from domain.model.staff import Person, StaffSession
from domain.ports.staff_tokens import StaffTokens

# Each kind has an audience of its own, which the interface's tokens never have.
_PENDING, _SESSION = "smshub:sign-in", "smshub:console"


class JwtStaffTokens(StaffTokens):
    """`issuer` and the keys may be those of the interface's tokens. Raises `InvalidValue`."""

    def __init__(self, secrets: Mapping[str, bytes], *, issuer: str, private_keys: Sequence[bytes] = ()) -> None:
        self._keys = KeyRing(secrets, private_keys)
        self._issuer = issuer

    def pending(self, sign_in: PendingSignIn) -> str:
        challenge = sign_in.challenge
        claims = {"state": challenge.state, "nonce": challenge.nonce, "verifier": challenge.verifier}
        return self._sign(_PENDING, {**claims, "next": sign_in.following, "exp": sign_in.ends_s})

    def read_pending(self, token: str) -> PendingSignIn:
        claims = self._verify(token, _PENDING, ["state", "nonce", "verifier", "next"])
        challenge = Challenge(state=str(claims["state"]), nonce=str(claims["nonce"]), verifier=str(claims["verifier"]))
        return PendingSignIn(challenge=challenge, following=str(claims["next"]), ends_s=_seconds(claims["exp"]))

    def session(self, session: StaffSession) -> str:
        person = session.person
        claims = {
            "jti": session.id,
            "idp": person.issuer,
            "sub": person.subject,
            "name": person.name,
            "groups": list(person.groups),
            "iat": session.began_s,
            "exp": session.ends_s,
        }
        return self._sign(_SESSION, claims)

    def read_session(self, token: str) -> StaffSession:
        claims = self._verify(token, _SESSION, ["jti", "idp", "sub", "name", "groups", "iat"])
        groups = claims["groups"]
        if not isinstance(groups, list):
            raise TokenRefused("no groups")
        person = Person(
            issuer=str(claims["idp"]),
            subject=str(claims["sub"]),
            name=str(claims["name"]),
            groups=tuple(map(str, groups)),
        )
        return StaffSession(
            id=str(claims["jti"]), person=person, began_s=_seconds(claims["iat"]), ends_s=_seconds(claims["exp"])
        )

    def _sign(self, audience: str, claims: Mapping[str, object]) -> str:
        return self._keys.sign({**claims, "iss": self._issuer, "aud": audience})

    def _verify(self, token: str, audience: str, required: Sequence[str]) -> Mapping[str, object]:
        return self._keys.verify(token, issuer=self._issuer, audience=audience, required=required)


def _seconds(claim: object) -> int:
    if not isinstance(claim, int) or isinstance(claim, bool):
        raise TokenRefused("no time")
    return claim
