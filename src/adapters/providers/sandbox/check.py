from domain.model.credentials import Credentials
from domain.model.credentials_check import CredentialsCheck, Verdict
from domain.ports.credentials_checker import CredentialsChecker


class SandboxChecker(CredentialsChecker):
    async def __call__(self, credentials: Credentials) -> CredentialsCheck:  # noqa: ARG002 - it needs none
        return CredentialsCheck(Verdict.GOOD, "sandbox")
