"""Page sessions: log-in, the session behind a cookie, log-out. All on wall time.

A session ends when it was not used for its idle time or has reached its absolute age, whichever
comes first: staff 2 h and 12 h (a shift), drivers 7 and 30 days. Every log-in makes a new token;
nothing that a browser held before it is ever promoted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from city import audit
from city.errors import Unauthenticated
from city.identifiers import AccountId, uuid7
from city.people import passwords, store
from city.people.actors import Actor
from city.people.throttle import count_attempt, login_key, remote_network, welcome
from city.people.tokens import csrf_token, digest, new_token
from city.time import Clock
from city.works.database import UnitOfWork

IDLE_S: Final = {"staff": 2 * 3600, "driver": 7 * 86_400}
ABSOLUTE_S: Final = {"staff": 12 * 3600, "driver": 30 * 86_400}
REFRESH_AFTER_S: Final = 60
KEPT_AFTER_END_DAYS: Final = 30

_NOBODY = Actor("person", "unknown", None, frozenset(), "unknown")


@dataclass(frozen=True, slots=True)
class SessionGrant:
    """A session just opened; the token is shown here once and kept nowhere.

    Parameters
    ----------
    token : str
        For the cookie.
    csrf : str
        What forms and scripts of this session send back.
    expires_at : datetime
        When it ends however much it is used.
    actor : Actor
        Who has logged in.
    """

    token: str
    csrf: str
    expires_at: datetime
    actor: Actor

    def __repr__(self) -> str:
        return f"SessionGrant(account={self.actor.subject}, expires_at={self.expires_at})"


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session in force.

    Parameters
    ----------
    actor : Actor
        Whose.
    csrf : str
        Its CSRF token.
    expires_at : datetime
        When it ends unless it is used again.
    refresh_due : bool
        Whether its use should be noted (`refresh_session`): more than a minute since the last.
    """

    actor: Actor
    csrf: str
    expires_at: datetime
    refresh_due: bool


def open_session(
    uow: UnitOfWork, account: store.Account, remote: str, *, previous: str | None = None
) -> SessionGrant:
    """Open a session for somebody who has shown who they are; ends the one they held before."""
    at = uow.wall.now()
    token = new_token("gbs")
    expires_at = at + timedelta(seconds=ABSOLUTE_S[account.kind])
    if previous is not None:
        _end(uow, previous)
    uow.connection.execute(
        insert(store.SESSION).values(
            id=uuid7(),
            token_digest=digest(token),
            account_id=account.account_id,
            remote=remote_network(remote),
            created_at=at,
            seen_at=at,
            idle_s=IDLE_S[account.kind],
            expires_at=expires_at,
        )
    )
    return SessionGrant(token, csrf_token(token), expires_at, account.actor())


def log_in(
    uow: UnitOfWork, login: str, password: str, remote: str, *, previous: str | None = None
) -> SessionGrant:
    """Log a person of staff in; costs a password check, about 90 ms, whoever asks.

    Parameters
    ----------
    uow : UnitOfWork
        Its transaction. What has to stay of a refused log-in, its count and its record, is
        written beside it.
    login, password : str
        As typed.
    remote : str
        Address of the caller, as the web layer trusts it.
    previous : str or None
        Token of a session that the browser already holds: it ends.

    Raises
    ------
    TooMany
        Where this login or this remote has tried too often; see `city.people.throttle`.
    Unauthenticated
        Where login or password is wrong, or the account disabled: which of them is not told.
    """
    count_attempt(uow, login, remote)
    found = store.account_by_login(uow.connection, login_key(login))
    account, kept = found if found is not None else (None, None)
    if account is not None and account.disabled_at is not None:
        kept = None
    right = passwords.check_password(kept, password)
    if not right or account is None or not _still_valid(uow, account.account_id, kept):
        with uow.apart() as noting:
            audit.record(
                noting,
                _NOBODY,
                "people.log_in_refused",
                "account",
                "unknown" if account is None else str(account.account_id),
                {"remote": remote_network(remote)},
            )
        raise Unauthenticated("login or password is wrong")
    if kept is not None and passwords.is_outdated(kept):
        uow.connection.execute(
            update(store.ACCOUNT)
            .where(store.ACCOUNT.c.id == account.account_id)
            .values(password_hash=passwords.hash_password(password))
        )
    welcome(uow, login, remote)
    grant = open_session(uow, account, remote, previous=previous)
    audit.record(
        uow,
        grant.actor,
        "people.logged_in",
        "account",
        str(account.account_id),
        {"remote": remote_network(remote)},
    )
    return grant


def _still_valid(uow: UnitOfWork, account_id: AccountId, kept: str | None) -> bool:
    """Look again under a lock: account or password may have changed while it was checked."""
    found = store.account_by_id(uow.connection, account_id, lock=True)
    return found is not None and found[0].disabled_at is None and found[1] == kept


def read_session(connection: Connection, token: str, wall: Clock) -> LiveSession | None:
    """Find the session behind a token.

    Parameters
    ----------
    connection : Connection
        Any; one index look-up.
    token : str
        From the cookie.
    wall : Clock
        Wall time.

    Returns
    -------
    LiveSession or None
        None where there is none, it has ended or expired, or its account is disabled.
    """
    row = connection.execute(
        select(
            store.ACCOUNT,
            store.SESSION.c.seen_at,
            store.SESSION.c.idle_s,
            store.SESSION.c.expires_at,
        )
        .join(store.SESSION, store.SESSION.c.account_id == store.ACCOUNT.c.id)
        .where(
            store.SESSION.c.token_digest == digest(token),
            store.SESSION.c.ended_at.is_(None),
            store.ACCOUNT.c.disabled_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    now = wall.now()
    expires_at = min(row.expires_at, row.seen_at + timedelta(seconds=row.idle_s))
    if now >= expires_at:
        return None
    return LiveSession(
        store.account_of(row).actor(),
        csrf_token(token),
        expires_at,
        refresh_due=now - row.seen_at > timedelta(seconds=REFRESH_AFTER_S),
    )


def session_actor(connection: Connection, token: str, wall: Clock) -> tuple[Actor, str] | None:
    """Give who is behind a session's token, and its CSRF token; None where nobody is."""
    found = read_session(connection, token, wall)
    return None if found is None else (found.actor, found.csrf)


def refresh_session(uow: UnitOfWork, token: str) -> None:
    """Note that a session was used, so that its idle time begins anew; at most once a minute.

    It never revives one that has ended or expired.
    """
    now = uow.wall.now()
    session = store.SESSION.c
    uow.connection.execute(
        update(store.SESSION)
        .where(
            session.token_digest == digest(token),
            session.ended_at.is_(None),
            session.expires_at > now,
            session.seen_at <= now - timedelta(seconds=REFRESH_AFTER_S),
            session.seen_at + func.make_interval(0, 0, 0, 0, 0, 0, session.idle_s) > now,
        )
        .values(seen_at=now)
    )


def _end(uow: UnitOfWork, token: str) -> AccountId | None:
    found = uow.connection.execute(
        update(store.SESSION)
        .where(store.SESSION.c.token_digest == digest(token), store.SESSION.c.ended_at.is_(None))
        .values(ended_at=uow.wall.now())
        .returning(store.SESSION.c.account_id)
    ).scalar_one_or_none()
    return None if found is None else AccountId(found)


def log_out(uow: UnitOfWork, token: str) -> None:
    """End the session behind a token; nothing happens where there is none."""
    account_id = _end(uow, token)
    found = None if account_id is None else store.account_by_id(uow.connection, account_id)
    if found is not None:
        actor = found[0].actor()
        audit.record(uow, actor, "people.logged_out", "account", actor.subject, {})


def log_out_everywhere(uow: UnitOfWork, account_id: AccountId, *, by: Actor) -> int:
    """End every session of an account; give how many there were."""
    ended = store.end_sessions(uow.connection, account_id, uow.wall.now())
    audit.record(
        uow, by, "people.logged_out_everywhere", "account", str(account_id), {"sessions": ended}
    )
    return ended


def forget_sessions(uow: UnitOfWork) -> int:
    """Drop sessions that ended or expired more than 30 days ago; give how many."""
    before_at = uow.wall.now() - timedelta(days=KEPT_AFTER_END_DAYS)
    session = store.SESSION.c
    over = (session.expires_at < before_at) | and_(
        session.ended_at.is_not(None), session.ended_at < before_at
    )
    return uow.connection.execute(delete(store.SESSION).where(over)).rowcount
