"""Drivers: accounts that make themselves, for whoever a provider has vouched for."""

from sqlalchemy import insert

from city import audit
from city.errors import Unauthenticated
from city.identifiers import AccountId, uuid7
from city.people import store
from city.people.roles import Role
from city.people.sessions import SessionGrant, open_session
from city.people.throttle import remote_network
from city.vault import KeySource, keep_pseudonym
from city.works.database import UnitOfWork

DRIVER_NAME = "Driver"


def log_in_driver(
    uow: UnitOfWork,
    provider: str,
    subject: str,
    remote: str,
    *,
    previous: str | None = None,
    keys: KeySource | None = None,
) -> SessionGrant:
    """Log a driver in, whom a provider has just vouched for; the first time makes the account.

    Parameters
    ----------
    uow : UnitOfWork
        Its transaction.
    provider : str
        The `DriverIdentity` or `WalletIdentity` that vouches.
    subject : str
        What its ``verify`` gave. Only a keyed hash of it is kept.
    remote : str
        Address of the caller.
    previous : str or None
        Token of a session that the browser already holds: it ends.
    keys : KeySource or None
        Another key source than the process's own.

    Raises
    ------
    Unauthenticated
        Where the driver's account is disabled.
    """
    pseudonym = keep_pseudonym(uow, f"driver/{provider}", subject, keys=keys)
    account = store.identity_account(uow.connection, provider, pseudonym)
    if account is None:
        account = _new_driver(uow)
        uow.connection.execute(
            insert(store.DRIVER_IDENTITY).values(
                provider=provider, pseudonym_id=pseudonym, account_id=account.account_id
            )
        )
        audit.record(
            uow,
            account.actor(),
            "people.driver_joined",
            "account",
            str(account.account_id),
            {"provider": provider},
        )
    if account.disabled_at is not None:
        raise Unauthenticated("this account is disabled")
    grant = open_session(uow, account, remote, previous=previous)
    audit.record(
        uow,
        grant.actor,
        "people.logged_in",
        "account",
        str(account.account_id),
        {"remote": remote_network(remote), "provider": provider},
    )
    return grant


def _new_driver(uow: UnitOfWork) -> store.Account:
    account_id, at = AccountId(uuid7()), uow.wall.now()
    uow.connection.execute(
        insert(store.ACCOUNT).values(
            id=account_id,
            kind="driver",
            name=DRIVER_NAME,
            roles=[Role.DRIVER.value],
            created_at=at,
        )
    )
    return store.Account(
        account_id, "driver", None, DRIVER_NAME, frozenset({Role.DRIVER}), None, at, None
    )
