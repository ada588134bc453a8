"""Settings in PostgreSQL that every process shares, and the business clock among them."""

import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import orjson
from pydantic import JsonValue
from sqlalchemy import Connection, text

from city.errors import Unavailable
from city.time import Clock, ClockSetting, ScaledClock, WallClock
from city.works.database import Database, UnitOfWork
from city.works.settings import Settings

DEMO_CLOCK: Final = "demo-clock"
"""Name of the setting behind the demo's clock: `ClockSetting.as_json()`."""

T = TypeVar("T")


def read_setting(connection: Connection, name: str) -> JsonValue:
    """Return the setting's value, None where it was never set."""
    value: JsonValue = connection.execute(
        text("select value from works.setting where name = :name"), {"name": name}
    ).scalar_one_or_none()
    return value


def write_setting(uow: UnitOfWork, name: str, value: JsonValue) -> None:
    """Set it for every process; each sees it within its cache's age, at most a second."""
    uow.connection.execute(
        text(
            "insert into works.setting (name, value, changed_at)"
            " values (:name, cast(:value as jsonb), :at)"
            " on conflict (name) do update"
            " set value = excluded.value, changed_at = excluded.changed_at"
        ),
        {"name": name, "value": orjson.dumps(value).decode(), "at": uow.wall.now()},
    )


class SharedSetting(Generic[T]):
    """A shared setting as this process sees it, read again when older than `max_age_s`.

    While the database cannot be reached the last known value stands.

    Parameters
    ----------
    database
        Where it is kept.
    name
        Its name.
    parse
        Reads the stored value; None stands for "never set".
    max_age_s
        Longest time a change takes to be seen.
    """

    def __init__(
        self,
        database: Database,
        name: str,
        parse: Callable[[JsonValue], T],
        *,
        max_age_s: float = 0.5,
    ) -> None:
        self._database = database
        self._name = name
        self._parse = parse
        self._max_age_s = max_age_s
        self._lock = threading.Lock()
        self._known: tuple[float, T] | None = None

    def __call__(self) -> T:
        """Return the value in force.

        Raises
        ------
        Unavailable
            Where the database cannot be reached and the value was never read.
        """
        known = self._known
        if known is not None and time.monotonic() - known[0] < self._max_age_s:
            return known[1]
        # One thread refreshes; the others go on with what is known rather than wait for it.
        if not self._lock.acquire(blocking=known is None):
            return known[1] if known is not None else self()
        try:
            if self._known is not known and self._known is not None:
                return self._known[1]
            try:
                with self._database.read() as connection:
                    value = self._parse(read_setting(connection, self._name))
            except Unavailable:
                if known is None:
                    raise
                value = known[1]
            self._known = (time.monotonic(), value)
            return value
        finally:
            self._lock.release()


def clock_setting(value: JsonValue, wall: Clock) -> ClockSetting:
    """Read the stored clock setting; never set means wall time."""
    if value is None:
        now = wall.now()
        return ClockSetting(now, now, 1.0)
    return ClockSetting.from_json(value)


def business_clock(settings: Settings, *, wall: Clock | None = None) -> Clock:
    """Return the clock that business time is read from.

    Wall time, or in the demo the simulated time that every process shares through one setting.
    The clock keeps a small connection pool of its own, because the database that units of work
    come from is built with it.
    """
    driver: Clock = wall if wall is not None else WallClock()
    if not settings.demo_enabled:
        return driver
    database = Database(
        settings.database_address(),
        clock=driver,
        application="greenbay-clock",
        pool_size=1,
        pool_overflow=0,
        statement_timeout_s=2.0,
    )
    shared = SharedSetting(database, DEMO_CLOCK, lambda value: clock_setting(value, driver))
    return ScaledClock(shared, driver)
