from sqlalchemy import select, update

from adapters.sql.audit import audit
from adapters.sql.database import Database, carried_through
from adapters.sql.tables import provider_accounts
from domain.errors import CredentialsUnreadable
from domain.model.credentials import NO_CREDENTIALS, Credentials
from domain.ports.provider_accounts import ProviderAccounts
from domain.ports.vault import Vault


class SqlProviderAccounts(ProviderAccounts):
    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def find(self, provider: str, account: str) -> int | None:
        its = provider_accounts.c.provider == provider, provider_accounts.c.account == account
        async with self._database.reading() as connection:
            account_id: int | None = (
                await connection.execute(select(provider_accounts.c.id).where(*its))
            ).scalar_one_or_none()
        return account_id

    async def credentials(self, account_id: int) -> Credentials:
        sealed = select(provider_accounts.c.credentials).where(provider_accounts.c.id == account_id)
        async with self._database.reading() as connection:
            row = (await connection.execute(sealed)).first()
        if row is None:
            raise CredentialsUnreadable
        return NO_CREDENTIALS if row.credentials is None else self._vault.open(bytes(row.credentials))

    @carried_through
    async def seal_anew(self) -> int:
        sealed = select(provider_accounts.c.id, provider_accounts.c.credentials).where(
            provider_accounts.c.credentials.is_not(None)
        )
        async with self._database.writing() as connection:
            rows = (await connection.execute(sealed.order_by(provider_accounts.c.id).with_for_update())).all()
            for row in rows:
                anew = self._vault.seal(self._vault.open(bytes(row.credentials)))
                its = provider_accounts.c.id == row.id
                await connection.execute(update(provider_accounts).where(its).values(credentials=anew))
            await audit(connection, "accounts.sealed-anew", "all accounts")
        return len(rows)
