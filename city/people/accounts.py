"""Accounts of staff: making, changing, disabling them."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from typing import Final

from sqlalchemy import insert, text, update
from sqlalchemy.exc import IntegrityError

from city import audit
from city.errors import Conflict, Invalid, NotFound, Unauthenticated
from city.identifiers import AccountId, parse_district_code, uuid7
from city.people import passwords, store
from city.people.actors import SYSTEM, Actor
from city.people.roles import Role, parse_roles
from city.people.throttle import login_key
from city.people.tokens import digest
from city.works.database import UnitOfWork

LONGEST_NAME: Final = 120
_LOGIN = re.compile(r"[\w.@+-]{3,64}")
_ADMINISTRATORS_LOCK = text("select pg_advisory_xact_lock(7308604759846216052)")


def clean_name(name: str, field: str = "name") -> str:
    """Give a name without blanks around it; Invalid where it is empty, long or has controls."""
    cleaned = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(cleaned) <= LONGEST_NAME or not cleaned.isprintable():
        raise Invalid(f"must have 1 to {LONGEST_NAME} printable characters", field=field)
    return cleaned


def clean_districts(codes: Collection[str] | None, field: str = "districts") -> list[str] | None:
    """Give district codes in order; None, for all districts, stays None; Invalid on no code."""
    if codes is None:
        return None
    if not codes:
        raise Invalid("must name a district, or be left out for all", field=field)
    return sorted({parse_district_code(code, field) for code in codes})


def _staff_roles(names: Iterable[str]) -> list[str]:
    roles = parse_roles(names)
    if not roles:
        raise Invalid("must name a role", field="roles")
    if Role.DRIVER in roles:
        raise Invalid("must be roles of staff: a driver's account makes itself", field="roles")
    return sorted(roles)


def create_account(
    uow: UnitOfWork,
    login: str,
    name: str,
    roles: Iterable[str],
    password: str,
    *,
    districts: Collection[str] | None = None,
    by: Actor = SYSTEM,
) -> AccountId:
    """Make an account of staff; costs a password hash, about 90 ms.

    Parameters
    ----------
    uow : UnitOfWork
        Its transaction.
    login : str
        3 to 64 letters, digits and ``. @ + - _``; unique without regard to case.
    name : str
        What pages call the person.
    roles : iterable of Role or str
        At least one; not driver.
    password : str
        12 to 256 characters.
    districts : collection of str or None
        Where they may act; None for everywhere.
    by : Actor
        Who makes it.

    Raises
    ------
    Invalid
        On any of these being otherwise.
    Conflict
        Where the login is taken.
    """
    shown = unicodedata.normalize("NFKC", login.strip())
    if _LOGIN.fullmatch(shown) is None:
        raise Invalid("must have 3 to 64 letters, digits or . @ + - _", field="login")
    passwords.require_strong(password, login=shown)
    account_id = AccountId(uuid7())
    granted, clean = _staff_roles(roles), clean_districts(districts)
    row = {
        "id": account_id,
        "kind": "staff",
        "login": shown,
        "login_key": login_key(shown),
        "name": clean_name(name),
        "roles": granted,
        "districts": clean,
        "password_hash": passwords.hash_password(password),
        "created_at": uow.wall.now(),
        "password_changed_at": uow.wall.now(),
    }
    try:
        with uow.connection.begin_nested():
            uow.connection.execute(insert(store.ACCOUNT).values(**row))
    except IntegrityError as error:
        raise Conflict("is taken", field="login") from error
    audit.record(
        uow,
        by,
        "people.account_created",
        "account",
        str(account_id),
        {
            "login": shown,
            "roles": list(granted),
            "districts": None if clean is None else list(clean),
        },
    )
    return account_id


def _locked(uow: UnitOfWork, account_id: AccountId) -> tuple[store.Account, str | None]:
    found = store.account_by_id(uow.connection, account_id, lock=True)
    if found is None:
        raise NotFound("there is no such account", field="account_id")
    return found


def _keep_an_administrator(uow: UnitOfWork, account: store.Account) -> None:
    """Refuse to lose the last administrator, also where two go at the same moment."""
    if Role.ADMINISTRATOR not in account.roles or account.disabled_at is not None:
        return
    uow.connection.execute(_ADMINISTRATORS_LOCK)
    if store.other_administrators(uow.connection, account.account_id) == 0:
        raise Conflict("is the last administrator", field="account_id")


def disable_account(uow: UnitOfWork, account_id: AccountId, *, by: Actor = SYSTEM) -> None:
    """Shut an account out: no log-in, its sessions ended, its API tokens revoked.

    Raises
    ------
    NotFound
        Where there is no such account.
    Conflict
        Where it is the last administrator's.
    """
    account, _ = _locked(uow, account_id)
    if account.disabled_at is not None:
        return
    _keep_an_administrator(uow, account)
    at = uow.wall.now()
    uow.connection.execute(
        update(store.ACCOUNT).where(store.ACCOUNT.c.id == account_id).values(disabled_at=at)
    )
    sessions = store.end_sessions(uow.connection, account_id, at)
    tokens = store.revoke_of_account(uow.connection, account_id, at)
    audit.record(
        uow,
        by,
        "people.account_disabled",
        "account",
        str(account_id),
        {"sessions": sessions, "tokens": tokens},
    )


def enable_account(uow: UnitOfWork, account_id: AccountId, *, by: Actor = SYSTEM) -> None:
    """Let a disabled account log in again; NotFound where there is none."""
    account, _ = _locked(uow, account_id)
    if account.disabled_at is None:
        return
    uow.connection.execute(
        update(store.ACCOUNT).where(store.ACCOUNT.c.id == account_id).values(disabled_at=None)
    )
    audit.record(uow, by, "people.account_enabled", "account", str(account_id), {})


def set_roles(
    uow: UnitOfWork, account_id: AccountId, roles: Iterable[str], *, by: Actor = SYSTEM
) -> None:
    """Give an account of staff other roles; they hold from its next request.

    Raises
    ------
    NotFound
        Where there is no such account.
    Invalid
        On no role, an unknown one, driver, or a driver's account.
    Conflict
        Where it takes the last administrator's role away.
    """
    account, _ = _locked(uow, account_id)
    if account.kind != "staff":
        raise Invalid("is a driver's account", field="account_id")
    fresh = _staff_roles(roles)
    if Role.ADMINISTRATOR not in fresh:
        _keep_an_administrator(uow, account)
    uow.connection.execute(
        update(store.ACCOUNT).where(store.ACCOUNT.c.id == account_id).values(roles=fresh)
    )
    audit.record(
        uow,
        by,
        "people.roles_set",
        "account",
        str(account_id),
        {"before": [str(role) for role in sorted(account.roles)], "after": list(fresh)},
    )


def _set_password(
    uow: UnitOfWork, account: store.Account, password: str, *, keep_session: str | None
) -> int:
    passwords.require_strong(password, login=account.login or "")
    at = uow.wall.now()
    uow.connection.execute(
        update(store.ACCOUNT)
        .where(store.ACCOUNT.c.id == account.account_id)
        .values(password_hash=passwords.hash_password(password), password_changed_at=at)
    )
    kept = None if keep_session is None else digest(keep_session)
    return store.end_sessions(uow.connection, account.account_id, at, except_digest=kept)


def change_password(
    uow: UnitOfWork,
    account_id: AccountId,
    old: str,
    new: str,
    *,
    session_token: str | None = None,
) -> None:
    """Change one's own password; every other session of the account ends.

    Parameters
    ----------
    uow : UnitOfWork
        Its transaction.
    account_id : AccountId
        Whose.
    old, new : str
        The password in force and the one to be.
    session_token : str or None
        The session to keep: the one that the change comes through.

    Raises
    ------
    Unauthenticated
        Where the old one is wrong.
    Invalid
        Where the new one is weak or the old one again.
    """
    account, kept = _locked(uow, account_id)
    if account.disabled_at is not None or not passwords.check_password(kept, old):
        raise Unauthenticated("the password is wrong", field="old")
    if old == new:
        raise Invalid("is the old one", field="password")
    ended = _set_password(uow, account, new, keep_session=session_token)
    audit.record(
        uow,
        account.actor(),
        "people.password_changed",
        "account",
        str(account_id),
        {"sessions": ended},
    )


def reset_password(
    uow: UnitOfWork, account_id: AccountId, password: str, *, by: Actor = SYSTEM
) -> None:
    """Set somebody's password for them; all their sessions end.

    Raises
    ------
    NotFound
        Where there is no such account.
    Invalid
        Where the password is weak or the account a driver's.
    """
    account, _ = _locked(uow, account_id)
    if account.kind != "staff":
        raise Invalid("is a driver's account", field="account_id")
    ended = _set_password(uow, account, password, keep_session=None)
    audit.record(uow, by, "people.password_reset", "account", str(account_id), {"sessions": ended})
