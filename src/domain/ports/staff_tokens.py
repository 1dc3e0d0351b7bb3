from typing import Protocol

from domain.model.sign_in import PendingSignIn
from domain.model.staff import StaffSession


class StaffTokens(Protocol):
    """What browsers carry about for persons, and cannot change. None of it is a token of the interface's, nor is one
    of those good here. Both ways back raise `TokenRefused` for what is not ours, of the other kind, or too late.
    """

    def pending(self, sign_in: PendingSignIn) -> str: ...

    def read_pending(self, token: str) -> PendingSignIn: ...

    def session(self, session: StaffSession) -> str: ...

    def read_session(self, token: str) -> StaffSession: ...
