"""Closing periods of the ledger, and reading it: what was closed stays as it was."""

from datetime import datetime

from sqlalchemy import Connection

from city.errors import Conflict, Invalid
from city.works.database import UnitOfWork
from payments.store import periods as store
from payments.store.periods import Period


def close(uow: UnitOfWork, until_at: datetime, by: str) -> Period:
    """Close all up to an instant: nothing is posted before it any more, by nobody.

    What happened before it and is written later stands at the beginning of the open period, with
    the instant at which it happened.

    Parameters
    ----------
    uow : UnitOfWork
        Those that are posting end first; nobody posts until it commits.
    until_at : datetime
        In the past, after what is closed already.
    by : str

    Raises
    ------
    Invalid
        Where it lies in the future.
    Conflict
        Where it is closed already.

    Notes
    -----
    Keeps each account's balance: cost grows with the postings since the last closing.
    """
    store.hold_ledger(uow.connection)
    now, last_at = uow.clock.now(), store.last_closed_at(uow.connection)
    if until_at > now:
        raise Invalid("lies in the future: it can still be posted into", field="until_at")
    if last_at is not None and until_at <= last_at:
        raise Conflict(
            "is closed already", field="until_at", reason="closed", closed_until=last_at.isoformat()
        )
    period = Period(until_at, now, by)
    store.close(uow.connection, period, last_at)
    return period


def periods(
    connection: Connection, after: datetime | None = None, limit: int = 100
) -> tuple[list[Period], datetime | None]:
    """Give what was closed, the latest first, and the last one's instant where more follow."""
    return store.periods(connection, after, limit)
