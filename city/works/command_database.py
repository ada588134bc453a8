"""The database, as commands that people type open it."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager

from city.time import WallClock
from city.works.database import Database
from city.works.settings import settings


@contextmanager
def command_database() -> Iterator[Database]:
    """Lend the database of this installation, with wall time as its business time.

    For what people, keys and the audit record need, which know no business time.

    Raises
    ------
    Unavailable
        Where no system runs here and `DATABASE_URL` is not set, or it cannot be reached.
    """
    database = Database(
        settings().database_url or settings().addresses().database,
        clock=WallClock(),
        application="greenbay-command",
        pool_size=1,
        pool_overflow=2,
        statement_timeout_s=None,
    )
    try:
        yield database
    finally:
        database.close()


def who_types() -> str:
    """Name the account of this machine that a command runs under, for the audit record."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
