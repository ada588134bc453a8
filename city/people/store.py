"""The people tables and the queries on them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    Table,
    Text,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import UUID as PG_UUID

from city.identifiers import AccountId, CredentialId
from city.people.actors import Actor
from city.people.roles import Role

METADATA = MetaData(schema="people")
_INSTANT = DateTime(timezone=True)
_UUID = PG_UUID(as_uuid=True)

ACCOUNT = Table(
    "account",
    METADATA,
    Column("id", _UUID, primary_key=True),
    Column("kind", Text),
    Column("login", Text),
    Column("login_key", Text),
    Column("name", Text),
    Column("roles", ARRAY(Text)),
    Column("districts", ARRAY(Text)),
    Column("password_hash", Text),
    Column("created_at", _INSTANT),
    Column("password_changed_at", _INSTANT),
    Column("disabled_at", _INSTANT),
)
SESSION = Table(
    "session",
    METADATA,
    Column("id", _UUID, primary_key=True),
    Column("token_digest", LargeBinary),
    Column("account_id", _UUID),
    Column("remote", Text),
    Column("created_at", _INSTANT),
    Column("seen_at", _INSTANT),
    Column("idle_s", Integer),
    Column("expires_at", _INSTANT),
    Column("ended_at", _INSTANT),
)
CREDENTIAL = Table(
    "credential",
    METADATA,
    Column("id", _UUID, primary_key=True),
    Column("kind", Text),
    Column("subject", Text),
    Column("account_id", _UUID),
    Column("roles", ARRAY(Text)),
    Column("districts", ARRAY(Text)),
    Column("token_digest", LargeBinary),
    Column("created_at", _INSTANT),
    Column("expires_at", _INSTANT),
    Column("revoked_at", _INSTANT),
)
ATTEMPT = Table(
    "attempt",
    METADATA,
    Column("login_digest", LargeBinary),
    Column("remote", Text),
    Column("at", _INSTANT),
)
FAMILIAR_REMOTE = Table(
    "familiar_remote",
    METADATA,
    Column("login_digest", LargeBinary, primary_key=True),
    Column("remote", Text, primary_key=True),
    Column("at", _INSTANT),
)
DRIVER_IDENTITY = Table(
    "driver_identity",
    METADATA,
    Column("provider", Text, primary_key=True),
    Column("pseudonym_id", _UUID, primary_key=True),
    Column("account_id", _UUID),
)
DRIVER_CODE = Table(
    "driver_code",
    METADATA,
    Column("id", _UUID, primary_key=True),
    Column("phone_digest", LargeBinary),
    Column("remote", Text),
    Column("code_digest", LargeBinary),
    Column("sent_at", _INSTANT),
    Column("expires_at", _INSTANT),
    Column("tries", Integer),
    Column("used_at", _INSTANT),
)


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account; `login` is None for drivers, who have no password."""

    account_id: AccountId
    kind: str
    login: str | None
    name: str
    roles: frozenset[Role]
    districts: frozenset[str] | None
    created_at: datetime
    disabled_at: datetime | None

    def actor(self) -> Actor:
        """Give the person as actor."""
        return Actor(
            "person", str(self.account_id), self.account_id, self.roles, self.name, self.districts
        )


@dataclass(frozen=True, slots=True)
class Credential:
    """What was issued to a device, an integration or an account's script; never the token."""

    credential_id: CredentialId
    kind: str
    subject: str
    account_id: AccountId | None
    roles: frozenset[Role]
    districts: frozenset[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def districts_of(codes: Sequence[str] | None) -> frozenset[str] | None:
    """Read a column of district codes; NULL is all of them."""
    return None if codes is None else frozenset(codes)


def account_of(row: Row[Any]) -> Account:
    """Read an account from a row of `ACCOUNT`."""
    return Account(
        AccountId(row.id),
        row.kind,
        row.login,
        row.name,
        frozenset(Role(role) for role in row.roles),
        districts_of(row.districts),
        row.created_at,
        row.disabled_at,
    )


def credential_of(row: Row[Any]) -> Credential:
    """Read a credential from a row of `CREDENTIAL`."""
    return Credential(
        CredentialId(row.id),
        row.kind,
        row.subject,
        None if row.account_id is None else AccountId(row.account_id),
        frozenset(Role(role) for role in row.roles),
        districts_of(row.districts),
        row.created_at,
        row.expires_at,
        row.revoked_at,
    )


def account_by_login(connection: Connection, login_key: str) -> tuple[Account, str | None] | None:
    """Find an account and its password hash; None where there is none."""
    row = connection.execute(select(ACCOUNT).where(ACCOUNT.c.login_key == login_key)).one_or_none()
    return None if row is None else (account_of(row), row.password_hash)


def account_by_id(
    connection: Connection, account_id: AccountId, *, lock: bool = False
) -> tuple[Account, str | None] | None:
    """Find an account and its password hash; `lock` keeps it as it is until the end."""
    query = select(ACCOUNT).where(ACCOUNT.c.id == account_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else (account_of(row), row.password_hash)


def accounts(connection: Connection) -> list[Account]:
    """List the accounts of staff, oldest first."""
    query = select(ACCOUNT).where(ACCOUNT.c.kind == "staff").order_by(ACCOUNT.c.id)
    return [account_of(row) for row in connection.execute(query)]


def account_names(connection: Connection, account_ids: Iterable[AccountId]) -> dict[AccountId, str]:
    """Give what pages call the accounts of staff; other ones are left out."""
    query = select(ACCOUNT.c.id, ACCOUNT.c.name).where(
        ACCOUNT.c.kind == "staff", ACCOUNT.c.id.in_(list(account_ids))
    )
    return {AccountId(row.id): row.name for row in connection.execute(query)}


def credentials(
    connection: Connection, *, live_only: bool = False, kinds: Iterable[str] | None = None
) -> list[Credential]:
    """List what was issued, oldest first."""
    query = select(CREDENTIAL).order_by(CREDENTIAL.c.id)
    if live_only:
        query = query.where(CREDENTIAL.c.revoked_at.is_(None))
    if kinds is not None:
        query = query.where(CREDENTIAL.c.kind.in_(list(kinds)))
    return [credential_of(row) for row in connection.execute(query)]


def other_administrators(connection: Connection, account_id: AccountId) -> int:
    """Count the administrators who could still log in without this one."""
    return (
        connection.scalar(
            select(func.count())
            .select_from(ACCOUNT)
            .where(
                ACCOUNT.c.id != account_id,
                ACCOUNT.c.disabled_at.is_(None),
                ACCOUNT.c.roles.contains([Role.ADMINISTRATOR.value]),
            )
        )
        or 0
    )


def end_sessions(
    connection: Connection,
    account_id: AccountId,
    at: datetime,
    *,
    except_digest: bytes | None = None,
) -> int:
    """End an account's sessions, but for one where given; give how many."""
    query = (
        update(SESSION)
        .where(SESSION.c.account_id == account_id, SESSION.c.ended_at.is_(None))
        .values(ended_at=at)
    )
    if except_digest is not None:
        query = query.where(SESSION.c.token_digest != except_digest)
    return connection.execute(query).rowcount


def revoke_of_account(connection: Connection, account_id: AccountId, at: datetime) -> int:
    """Revoke the API tokens of an account; give how many."""
    return connection.execute(
        update(CREDENTIAL)
        .where(CREDENTIAL.c.account_id == account_id, CREDENTIAL.c.revoked_at.is_(None))
        .values(revoked_at=at)
    ).rowcount


def identity_account(connection: Connection, provider: str, pseudonym: UUID) -> Account | None:
    """Find the driver whom a provider knows by this pseudonym."""
    row = connection.execute(
        select(ACCOUNT)
        .join(DRIVER_IDENTITY, DRIVER_IDENTITY.c.account_id == ACCOUNT.c.id)
        .where(DRIVER_IDENTITY.c.provider == provider, DRIVER_IDENTITY.c.pseudonym_id == pseudonym)
    ).one_or_none()
    return None if row is None else account_of(row)
