"""PostgreSQL through SQLAlchemy Core: one engine a process, one unit of work a change.

Nothing else commits. Business events and jobs are rows of the same transaction, so that what is
announced has happened and what has happened is announced.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson
import psycopg
from pydantic import JsonValue
from sqlalchemy import Connection, Engine, create_engine, exc, text
from sqlalchemy.engine import URL, make_url

from city.errors import Invalid, Unavailable
from city.events.base import BusinessEvent
from city.time import Clock, WallClock

EventHandlers = Mapping[type[BusinessEvent], Sequence[str]]
"""Names of the tasks that handle each business event, from the composition root."""

RETRY_AFTER_S = 2
IDLE_LIMIT_S: Final = 60
"""For how long an open transaction may do nothing before the server ends it."""

EVENTS_A_JOB: Final = 100
"""So many that are announced together go as one job."""

_WAKE = text("select pg_notify(:name, '')")
_WAKE_NAME: Final = re.compile(r"[a-z_]{1,60}")
_IDLE_LIMIT = text("select set_config('idle_in_transaction_session_timeout', :limit, true)")

TRANSIENT_STATES: Final = {
    "40001": "a concurrent change came first",
    "40P01": "a concurrent change stood in the way",
    "55P03": "a concurrent change holds what this one needs",
    "57014": "the database took too long",
    "53100": "the database's disk is full",
    "53200": "the database is out of memory",
    "53300": "the database has no connection free",
    "57P01": "the database is restarting",
    "57P02": "the database is restarting",
    "57P03": "the database is starting",
}
"""SQLSTATEs that a later attempt can pass, with what to tell the caller."""

DEFER = text(
    "select procrastinate_defer_jobs_v1(array("
    " select row(j.queue, j.task, 0, j.lock, j.queueing_lock, j.args, j.scheduled_at)"
    "        ::procrastinate_job_to_defer_v1"
    " from jsonb_to_recordset(cast(:jobs as jsonb)) as j(queue text, task text, lock text,"
    "      queueing_lock text, args jsonb, scheduled_at timestamptz)))"
)


def psycopg_url(url: str) -> URL:
    """Return `url` for SQLAlchemy with the psycopg driver, whatever dialect name it came with.

    Raises
    ------
    Invalid
        Where it is not the address of a PostgreSQL database.
    """
    try:
        parsed = make_url(url)
    except exc.ArgumentError as error:
        raise Invalid("not a database address", field="DATABASE_URL") from error
    if parsed.get_backend_name() not in {"postgresql", "postgres"}:
        raise Invalid("the database has to be PostgreSQL", field="DATABASE_URL")
    return parsed.set(drivername="postgresql+psycopg")


@dataclass(frozen=True, slots=True)
class _Job:
    task: str
    arguments: Mapping[str, JsonValue]
    queue: str
    lock: str | None
    queueing_lock: str | None
    scheduled_at: datetime | None

    def as_row(self) -> dict[str, Any]:
        return {
            "queue": self.queue,
            "task": self.task,
            "lock": self.lock,
            "queueing_lock": self.queueing_lock,
            "args": dict(self.arguments),
            "scheduled_at": self.scheduled_at,
        }


class UnitOfWork:
    """One business transaction: its connection, its clocks, and what it announces.

    Attributes
    ----------
    connection
        The open transaction. Never commit it: `Database.unit_of_work` does, once.
    clock
        Business time (the demo's, in the demo).
    wall
        Wall time, for security, tokens and audit.
    """

    __slots__ = ("_handlers", "_jobs", "clock", "connection", "wall")

    def __init__(
        self, connection: Connection, *, clock: Clock, wall: Clock, handlers: EventHandlers
    ) -> None:
        self.connection = connection
        self.clock = clock
        self.wall = wall
        self._handlers = handlers
        self._jobs: list[_Job] = []

    def wants(self, kind: type[BusinessEvent]) -> bool:
        """Tell whether anything handles such events: what nothing does need not be made."""
        return bool(self._handlers.get(kind))

    def announce(self, event: BusinessEvent) -> None:
        """Write one job for each handler of `event`, in this transaction.

        A job's arguments are the event's envelope, `{"type", "version", "event"}`.
        """
        for task in self._handlers.get(type(event), ()):
            self.defer(task, event.envelope())

    def announce_each(self, events: Iterable[BusinessEvent]) -> None:
        """Write a job for each handler of many events: one for up to `EVENTS_A_JOB` of a kind.

        A job's arguments are `{"events": [envelope, ...]}`; the worker hands each to the handler by
        itself. For what comes by the hundred, in no order.
        """
        by_kind: dict[type[BusinessEvent], list[BusinessEvent]] = {}
        for event in events:
            by_kind.setdefault(type(event), []).append(event)
        for kind, those in by_kind.items():
            for first in range(0, len(those), EVENTS_A_JOB):
                part: list[JsonValue] = [
                    each.envelope() for each in those[first : first + EVENTS_A_JOB]
                ]
                for task in self._handlers.get(kind, ()):
                    self.defer(task, {"events": part})

    def defer(
        self,
        task: str,
        arguments: Mapping[str, JsonValue],
        *,
        queue: str = "default",
        lock: str | None = None,
        queueing_lock: str | None = None,
        scheduled_at: datetime | None = None,
    ) -> None:
        """Write a job that runs after this transaction commits, and never if it does not.

        Parameters
        ----------
        task
            Name that the task is registered by.
        arguments
            What the handler gets: JSON values, never a plate.
        lock
            Jobs with one lock run one after the other, in order.
        queueing_lock
            Skip silently where a job with it already waits. The waiting job may start before this
            transaction commits, so use it for jobs that look again later anyway.
        scheduled_at
            Not before this wall instant.
        """
        self._jobs.append(_Job(task, arguments, queue, lock, queueing_lock, scheduled_at))

    def wake(self, name: str) -> None:
        """Wake who waits for `name` (`Database.woken`) when this transaction commits."""
        self.connection.execute(_WAKE, {"name": name})

    @contextmanager
    def apart(self) -> "Iterator[UnitOfWork]":
        """Run another transaction beside this one, kept whatever becomes of this one.

        For what must be remembered of an act that is refused: a failed log-in counts although its
        own transaction is rolled back. It takes a second connection of the same pool.
        """
        with self.connection.engine.connect() as connection, connection.begin():
            work = UnitOfWork(connection, clock=self.clock, wall=self.wall, handlers=self._handlers)
            yield work
            work.flush()

    @contextmanager
    def attempt(self) -> "Iterator[None]":
        """Run a part that may fail by itself: what it wrote and announced is undone, no more.

        For batches of which each item stands or falls alone. It costs two statements.
        """
        announced = len(self._jobs)
        try:
            with self.connection.begin_nested():
                yield
        except BaseException:
            del self._jobs[announced:]
            raise

    def flush(self) -> None:
        """Write the jobs deferred so far: one statement, and one more for each queueing lock."""
        jobs, self._jobs = self._jobs, []
        plain = [job.as_row() for job in jobs if job.queueing_lock is None]
        if plain:
            self.connection.execute(DEFER, {"jobs": orjson.dumps(plain).decode()})
        for job in jobs:
            if job.queueing_lock is None:
                continue
            try:
                with self.connection.begin_nested():
                    self.connection.execute(DEFER, {"jobs": orjson.dumps([job.as_row()]).decode()})
            except exc.IntegrityError as error:
                constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", "")
                if "queueing_lock" not in (constraint or ""):
                    raise


class Database:
    """The one way to PostgreSQL: a pool of connections and the two ways to use one.

    Parameters
    ----------
    url
        `postgresql://…`; a Unix socket by `?host=/folder`.
    clock
        Business clock that units of work carry.
    handlers
        Tasks to run for each announced event.
    wall
        Wall clock that units of work carry.
    application
        Name shown in `pg_stat_activity`.
    pool_size, pool_overflow
        Connections kept, and opened beyond them at need. Past both a caller waits for
        `pool_wait_s` and then gets `Unavailable`.
    statement_timeout_s
        Longest time a statement may run; None for maintenance.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        handlers: EventHandlers | None = None,
        wall: Clock | None = None,
        application: str = "greenbay",
        pool_size: int = 8,
        pool_overflow: int = 8,
        pool_wait_s: float = 5.0,
        statement_timeout_s: float | None = 15.0,
    ) -> None:
        self.clock = clock
        self.wall = wall if wall is not None else WallClock()
        self._handlers: EventHandlers = handlers if handlers is not None else {}
        limit_ms = 0 if statement_timeout_s is None else round(statement_timeout_s * 1000)
        self.engine: Engine = create_engine(
            psycopg_url(url),
            pool_size=pool_size,
            max_overflow=pool_overflow,
            pool_timeout=pool_wait_s,
            pool_pre_ping=True,  # a round trip each; spares callers a 503 after a restart
            pool_use_lifo=True,  # so that idle connections can age out
            pool_recycle=1800,
            hide_parameters=True,  # an error's text must not carry a row's values into a log
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
            connect_args={
                "application_name": application,
                "connect_timeout": 5,
                "options": (
                    f"-c timezone=UTC -c statement_timeout={limit_ms}"
                    f" -c idle_in_transaction_session_timeout={IDLE_LIMIT_S}s"
                ),
            },
        )

    @contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        """Run one transaction: committed once on a clean exit, else rolled back.

        Raises
        ------
        Unavailable
            On a lost connection, a serialization failure, a deadlock, a time-out, a full disk.
        """
        with _translated(), self.engine.connect() as connection, connection.begin():
            work = UnitOfWork(connection, clock=self.clock, wall=self.wall, handlers=self._handlers)
            yield work
            work.flush()

    @contextmanager
    def read(self, *, idle_limit_s: float | None = None) -> Iterator[Connection]:
        """Lend a connection in a read-only transaction; nothing that it does is kept.

        Parameters
        ----------
        idle_limit_s
            How long the server waits for the next statement or fetch; None: `IDLE_LIMIT_S`. For a
            job whose work between two fetches can wait for others'.

        Raises
        ------
        Unavailable
            As `unit_of_work`.
        """
        with _translated(), self.engine.connect() as connection:
            connection.execution_options(postgresql_readonly=True)
            if idle_limit_s is not None:
                connection.execute(_IDLE_LIMIT, {"limit": f"{round(idle_limit_s * 1000)}ms"})
            yield connection

    @contextmanager
    def woken(self, name: str) -> Iterator[Callable[[float], None]]:
        """Lend what waits until a unit of work wakes `name`, or for so many seconds.

        What is woken between two waits ends the next one at once; several are one.

        Parameters
        ----------
        name
            Lower-case letters and underscores.

        Raises
        ------
        Unavailable
            As `unit_of_work`, also while it waits.
        """
        if _WAKE_NAME.fullmatch(name) is None:
            raise Invalid("is not a name to be woken by", field="name")
        with _translated(), self.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text(f"listen {name}"))
            driver = connection.connection.driver_connection
            if not isinstance(driver, psycopg.Connection):
                raise TypeError("the driver is psycopg")

            def wait(seconds: float) -> None:
                try:
                    for _ in driver.notifies(timeout=seconds, stop_after=1):
                        pass
                except psycopg.OperationalError as error:
                    connection.invalidate()
                    raise Unavailable(
                        "the database cannot be reached", retry_after_s=RETRY_AFTER_S
                    ) from error

            yield wait
            connection.execute(text(f"unlisten {name}"))

    def close(self) -> None:
        """Close every idle connection."""
        self.engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what a later attempt can pass into `Unavailable`; leave programming errors alone."""
    try:
        yield
    except exc.TimeoutError as error:
        raise Unavailable(
            "the database has no connection free", retry_after_s=RETRY_AFTER_S
        ) from error
    except exc.DBAPIError as error:
        state = getattr(error.orig, "sqlstate", None)
        reason = TRANSIENT_STATES.get(state or "")
        if reason is None and (
            error.connection_invalidated
            or (state is None and isinstance(error, exc.OperationalError))
            or (state or "").startswith("08")
        ):
            reason = "the database cannot be reached"
        if reason is None:
            raise
        raise Unavailable(reason, retry_after_s=RETRY_AFTER_S) from error
