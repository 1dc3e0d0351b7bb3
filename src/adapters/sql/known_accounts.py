from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select, update

from adapters.sql.audit import audit
from adapters.sql.database import Database, carried_through
from adapters.sql.tables import limits, provider_accounts, senders
from domain.errors import AccountNotFound
from domain.model.credentials import Credentials
from domain.ports.known_accounts import KnownAccount, KnownAccounts
from domain.ports.vault import Vault

_ACCOUNTS = (
    select(
        provider_accounts.c.id,
        provider_accounts.c.provider,
        provider_accounts.c.account,
        provider_accounts.c.credentials.is_not(None).label("has_credentials"),
        limits.c.name.label("limit_name"),
    )
    .select_from(provider_accounts.outerjoin(limits, provider_accounts.c.limit_id == limits.c.id))
    .order_by(provider_accounts.c.provider, provider_accounts.c.account)
)
_SENDERS = select(senders.c.id, senders.c.account_id, senders.c.address).order_by(senders.c.id)


class SqlKnownAccounts(KnownAccounts):
    """`vault` seals credentials."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def all(self) -> Sequence[KnownAccount]:
        its_senders: dict[int, dict[int, str]] = defaultdict(dict)
        async with self._database.reading() as connection:
            for row in await connection.execute(_SENDERS):
                its_senders[row.account_id][row.id] = row.address
            return [
                KnownAccount(
                    id=row.id,
                    provider=row.provider,
                    name=row.account,
                    has_credentials=bool(row.has_credentials),
                    limit=row.limit_name,
                    senders=its_senders[row.id],
                )
                for row in await connection.execute(_ACCOUNTS)
            ]

    @carried_through
    async def set_credentials(self, account_id: int, credentials: Credentials) -> None:
        sealed = self._vault.seal(credentials)
        its = provider_accounts.c.id == account_id
        changed = update(provider_accounts).where(its).values(credentials=sealed)
        named = changed.returning(provider_accounts.c.provider, provider_accounts.c.account)
        async with self._database.writing() as connection:
            row = (await connection.execute(named)).first()
            if row is None:
                raise AccountNotFound
            await audit(connection, "account.credentials-set", f"account {row.provider} {row.account}")
