"""Throttling log-ins: sliding windows per login and per remote, kept in PostgreSQL.

An attempt is counted before the password is checked, in a transaction of its own, so that neither
a roll-back nor a hundred attempts at once escape the count; a refused attempt is not counted, so
that somebody who keeps knocking does not keep the door shut. Limits:

- 5 attempts in 15 minutes by one remote on one login;
- 30 attempts in 15 minutes by one remote on all logins;
- 20 attempts in 15 minutes on one login by all remotes.

The last one holds neither for a remote from which the login's owner has logged in during the last
30 days, nor for a remote's first attempt on this login in the window. So nobody can lock a person
out: not at all at their usual place, and anywhere else one attempt a quarter of an hour is left,
at the price of giving somebody with N addresses N guesses a quarter of an hour at a password of
12 characters or more. A remote is an IPv4 address or an IPv6 /64, which is what one household has.
"""

import hashlib
import ipaddress
import math
import unicodedata
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, exists, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from city.errors import TooMany
from city.people.store import ATTEMPT, FAMILIAR_REMOTE
from city.works.database import UnitOfWork

WINDOW_S: Final = 15 * 60
LIMIT_PAIR: Final = 5
LIMIT_REMOTE: Final = 30
LIMIT_LOGIN: Final = 20
FAMILIAR_DAYS: Final = 30
_LONGEST_REMOTE: Final = 64
_IPV6_PREFIX: Final = 64


def login_key(login: str) -> str:
    """Give the form in which logins are compared: NFKC, without case."""
    return unicodedata.normalize("NFKC", login.strip()).casefold()


def login_digest(login: str) -> bytes:
    """Give what stands for a login in the counters: never the text, which may be a password."""
    return hashlib.sha256(
        b"greenbay/login/v1\0" + login_key(login).encode("utf-8", "replace")
    ).digest()


def remote_network(remote: str) -> str:
    """Give what counts as one remote: an IPv4 address, an IPv6 /64, else the text itself."""
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return remote[:_LONGEST_REMOTE]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(address), _IPV6_PREFIX), strict=False))
    return str(address)


def _wait_s(connection: Connection, where: ColumnElement[bool], limit: int, now: datetime) -> float:
    """Give the seconds until the window has room again; 0 where it has."""
    oldest_counted: datetime | None = connection.scalar(
        select(ATTEMPT.c.at)
        .where(where, ATTEMPT.c.at > now - timedelta(seconds=WINDOW_S))
        .order_by(ATTEMPT.c.at.desc())
        .offset(limit - 1)
        .limit(1)
    )
    if oldest_counted is None:
        return 0.0
    return (oldest_counted - now).total_seconds() + WINDOW_S


def _is_familiar(connection: Connection, login: bytes, remote: str, now: datetime) -> bool:
    return bool(
        connection.scalar(
            select(
                exists().where(
                    FAMILIAR_REMOTE.c.login_digest == login,
                    FAMILIAR_REMOTE.c.remote == remote,
                    FAMILIAR_REMOTE.c.at > now - timedelta(days=FAMILIAR_DAYS),
                )
            )
        )
    )


def _take_turns(connection: Connection, *names: bytes) -> None:
    """Let attempts on one login, and by one remote, be counted one after the other."""
    for name in names:
        connection.execute(
            text("select pg_advisory_xact_lock(:turn)"),
            {"turn": int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True)},
        )


def count_attempt(uow: UnitOfWork, login: str, remote: str) -> None:
    """Count an attempt to log in, in a transaction of its own.

    Parameters
    ----------
    uow : UnitOfWork
        That of the log-in; the count stays although it is rolled back.
    login : str
        As typed.
    remote : str
        The caller's address.

    Raises
    ------
    TooMany
        Where a limit is reached, with the seconds until an attempt is possible again.
    """
    digest, network = login_digest(login), remote_network(remote)
    now = uow.wall.now()
    with uow.apart() as counting:
        connection = counting.connection
        # Always the login first, then the remote: two attempts never wait for each other.
        _take_turns(connection, b"login" + digest, b"remote" + network.encode("utf-8", "replace"))
        on_login = ATTEMPT.c.login_digest == digest
        by_remote = ATTEMPT.c.remote == network
        wait_s = max(
            _wait_s(connection, on_login & by_remote, LIMIT_PAIR, now),
            _wait_s(connection, by_remote, LIMIT_REMOTE, now),
        )
        if wait_s <= 0:
            crowded_s = _wait_s(connection, on_login, LIMIT_LOGIN, now)
            if crowded_s > 0 and not _is_familiar(connection, digest, network, now):
                wait_s = min(crowded_s, _wait_s(connection, on_login & by_remote, 1, now))
        if wait_s <= 0:
            connection.execute(insert(ATTEMPT).values(login_digest=digest, remote=network, at=now))
    if wait_s > 0:
        raise TooMany("too many attempts to log in", retry_after_s=math.ceil(wait_s))


def welcome(uow: UnitOfWork, login: str, remote: str) -> None:
    """Forget the attempts on a login after a successful one, and remember the remote."""
    digest, network = login_digest(login), remote_network(remote)
    at = uow.wall.now()
    uow.connection.execute(delete(ATTEMPT).where(ATTEMPT.c.login_digest == digest))
    row = upsert(FAMILIAR_REMOTE).values(login_digest=digest, remote=network, at=at)
    uow.connection.execute(
        row.on_conflict_do_update(
            index_elements=["login_digest", "remote"], set_={"at": row.excluded.at}
        )
    )


def forget_attempts(uow: UnitOfWork) -> int:
    """Drop attempts and remotes that no limit looks at any more; give how many."""
    now = uow.wall.now()
    return sum(
        uow.connection.execute(statement).rowcount
        for statement in (
            delete(ATTEMPT).where(ATTEMPT.c.at < now - timedelta(seconds=WINDOW_S)),
            delete(FAMILIAR_REMOTE).where(
                FAMILIAR_REMOTE.c.at < now - timedelta(days=FAMILIAR_DAYS)
            ),
        )
    )
