"""One-time codes without a telecom: the demo's provider of driver log-in.

Codes are made, kept (hashed) and checked here as a real provider would; only the sending is
missing: the code is shown on the terminal. For the demo alone, and it refuses to be made
elsewhere: whoever reads the terminal could be any driver.
"""

import hmac
import math
import secrets
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, insert, select, text, update

from city.errors import Forbidden, TooMany, Unauthenticated
from city.identifiers import uuid7
from city.people.identity import PHONE, parse_phone
from city.people.store import DRIVER_CODE
from city.people.throttle import remote_network
from city.vault import keyed_digests
from city.works.database import Database, UnitOfWork
from city.works.settings import Settings

CODE_DIGITS: Final = 6
CODE_VALID_S: Final = 300
MOST_TRIES: Final = 5
RESEND_AFTER_S: Final = 60
WINDOW_S: Final = 3600
LIMIT_PHONE: Final = 5
LIMIT_REMOTE: Final = 30
_SENDING = text("select pg_advisory_xact_lock(7308604759846219634)")


def show_on_terminal(message: str) -> None:
    """Write to the terminal past the logs, which mask and keep."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


class LocalPhoneCodes:
    """A `DriverIdentity` for the demo.

    Parameters
    ----------
    database : Database
        Where hashed codes are kept.
    settings : Settings
        Decide whether the demo may be here at all.
    show : callable
        Gets a sentence with the code in it.

    Raises
    ------
    Forbidden
        Outside the demo.
    """

    provider: Final = PHONE

    def __init__(
        self,
        database: Database,
        settings: Settings,
        show: Callable[[str], None] = show_on_terminal,
    ) -> None:
        if not settings.demo_enabled:
            raise Forbidden("codes on the terminal are for the demo alone")
        self._database = database
        self._show = show

    def send_code(self, phone: str, *, remote: str | None = None) -> None:
        """Make a code and show it; the one sent before no longer holds.

        At most one a minute and five an hour for a phone, thirty an hour by a remote.
        """
        number = parse_phone(phone)
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
        network = None if remote is None else remote_network(remote)
        with self._database.unit_of_work() as uow:
            uow.connection.execute(_SENDING)
            digests = keyed_digests(uow, "driver-code-phone", number)
            now = uow.wall.now()
            _check_limits(uow, digests, network, now)
            uow.connection.execute(
                update(DRIVER_CODE)
                .where(DRIVER_CODE.c.phone_digest.in_(digests), DRIVER_CODE.c.used_at.is_(None))
                .values(used_at=now)
            )
            uow.connection.execute(
                insert(DRIVER_CODE).values(
                    id=uuid7(),
                    phone_digest=digests[0],
                    remote=network,
                    code_digest=keyed_digests(uow, "driver-code", f"{number}:{code}")[0],
                    sent_at=now,
                    expires_at=now + timedelta(seconds=CODE_VALID_S),
                )
            )
        self._show(f"Greenbay demo: the code for the phone ending in {number[-2:]} is {code}")

    def verify(self, phone: str, code: str) -> str:
        """Check a code: right once, within 5 minutes, at the fifth try at the latest."""
        number = parse_phone(phone)
        with self._database.unit_of_work() as uow:
            right = self._try(uow, number, code)
        # Raised only now: the try that failed has been counted and stays counted.
        if not right:
            raise Unauthenticated("the code is wrong or too old", field="code")
        return number

    @staticmethod
    def _try(uow: UnitOfWork, number: str, code: str) -> bool:
        now = uow.wall.now()
        row = uow.connection.execute(
            select(DRIVER_CODE)
            .where(
                DRIVER_CODE.c.phone_digest.in_(keyed_digests(uow, "driver-code-phone", number)),
                DRIVER_CODE.c.used_at.is_(None),
                DRIVER_CODE.c.expires_at > now,
                DRIVER_CODE.c.tries < MOST_TRIES,
            )
            .order_by(DRIVER_CODE.c.sent_at.desc())
            .limit(1)
            .with_for_update()
        ).one_or_none()
        if row is None:
            return False
        right = any(
            hmac.compare_digest(bytes(row.code_digest), digest)
            for digest in keyed_digests(uow, "driver-code", f"{number}:{code.strip()}")
        )
        uow.connection.execute(
            update(DRIVER_CODE)
            .where(DRIVER_CODE.c.id == row.id)
            .values(tries=row.tries + 1, used_at=now if right else None)
        )
        return right


def _check_limits(
    uow: UnitOfWork, digests: tuple[bytes, ...], network: str | None, now: datetime
) -> None:
    of_phone = DRIVER_CODE.c.phone_digest.in_(digests)
    waits = [
        _wait_s(uow, of_phone, 1, RESEND_AFTER_S, now),
        _wait_s(uow, of_phone, LIMIT_PHONE, WINDOW_S, now),
    ]
    if network is not None:
        waits.append(_wait_s(uow, DRIVER_CODE.c.remote == network, LIMIT_REMOTE, WINDOW_S, now))
    if max(waits) > 0:
        raise TooMany("a code was sent a moment ago", retry_after_s=math.ceil(max(waits)))


def _wait_s(
    uow: UnitOfWork, where: ColumnElement[bool], limit: int, window_s: int, now: datetime
) -> float:
    counted: datetime | None = uow.connection.scalar(
        select(DRIVER_CODE.c.sent_at)
        .where(where, DRIVER_CODE.c.sent_at > now - timedelta(seconds=window_s))
        .order_by(DRIVER_CODE.c.sent_at.desc())
        .offset(limit - 1)
        .limit(1)
    )
    return 0.0 if counted is None else (counted - now).total_seconds() + window_s


def forget_codes(uow: UnitOfWork) -> int:
    """Drop codes that no limit looks at any more; give how many."""
    before_at = uow.wall.now() - timedelta(seconds=WINDOW_S)
    return uow.connection.execute(
        delete(DRIVER_CODE).where(DRIVER_CODE.c.sent_at < before_at)
    ).rowcount
