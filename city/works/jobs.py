"""Jobs that run after the transaction that deferred them: procrastinate's queue in PostgreSQL.

A job runs at least once: its process may be killed after the work and before the queue hears of
it. So a handler that changes something asks `handle_once` in the same unit of work.
"""

import asyncio
import contextlib
import random
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

import procrastinate
import structlog
from procrastinate import jobs as queue_jobs
from procrastinate.exceptions import ProcrastinateException
from procrastinate.job_context import JobContext
from pydantic import JsonValue
from sqlalchemy import Connection, text

from city.errors import Invalid, Unavailable
from city.works import idempotency, metrics
from city.works.database import Database, UnitOfWork

Handler = Callable[[Mapping[str, JsonValue]], None]

ATTEMPTS: Final = 12
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 600.0
HEARTBEAT_S: Final = 5.0
POLL_S: Final = 1.0
"""Notices wake the worker at once; one that came while it was fetching is caught by the poll."""
DEAD_AFTER_S: Final = 20.0
"""A worker that sent no heartbeat for so long is dead; its jobs are given to others."""
DRAIN_S: Final = 20.0
RETENTION: Final = timedelta(days=30)
"""How long it is remembered which events were handled, and failed jobs are kept."""
ANSWER_RETENTION: Final = timedelta(hours=48)
"""How long an Idempotency-Key gives its first answer again."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Task:
    """Something that workers can do, by its name.

    Attributes
    ----------
    name
        What jobs call it by; renaming one strands the jobs that wait for it.
    handler
        Gets the job's arguments. An `Invalid` fails the job at once; any other exception is
        retried with a growing wait, `attempts` times in all.
    every
        Cron expression in UTC (a sixth field holds seconds) for a task that runs by the clock;
        its handler gets `{"timestamp": seconds}`. Runs never overlap: a run that is due while one
        waits is skipped.
    attempts
        Runs in all before the job counts as failed.
    """

    name: str
    handler: Handler
    every: str | None = None
    attempts: int = ATTEMPTS


def handle_once(uow: UnitOfWork, handler: str, event_id: UUID) -> bool:
    """Note that `handler` takes the event; return False where it already has.

    Part of the handler's own transaction: what it did and that it did it are kept or lost together.
    """
    return (
        uow.connection.execute(
            text(
                "insert into works.handled_event (handler, event_id) values (:handler, :event)"
                " on conflict do nothing returning 1"
            ),
            {"handler": handler, "event": event_id},
        ).scalar_one_or_none()
        is not None
    )


def still_to_run(
    connection: Connection, task: str, argument: str, values: Collection[UUID]
) -> set[UUID]:
    """Give those values of a task's argument for which a job waits or runs.

    What is missing will not be run: its job is done, failed for the last time, or is gone.
    """
    rows = connection.execute(
        text(
            "select args ->> :argument from procrastinate_jobs where task_name = :task"
            " and status in ('todo', 'doing') and args ->> :argument = any(:values)"
        ),
        {"argument": argument, "task": task, "values": [str(each) for each in values]},
    )
    return {UUID(value) for value in rows.scalars()}


def wait_before_attempt_s(attempts: int, *, share: float) -> float:
    """Return the wait after `attempts` failed runs: doubling, capped, spread by `share` in 0..1."""
    whole = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(attempts, 30))
    return whole * (0.5 + 0.5 * share)


class _GrowingWait(procrastinate.BaseRetryStrategy):
    def __init__(self, attempts: int) -> None:
        self._attempts = attempts

    def get_retry_decision(
        self, *, exception: BaseException, job: queue_jobs.Job
    ) -> procrastinate.RetryDecision | None:
        if isinstance(exception, Invalid) or job.attempts + 1 >= self._attempts:
            return None
        # Spreading retries is no secret.
        share = random.random()  # noqa: S311
        wait_s = wait_before_attempt_s(job.attempts, share=share)
        return procrastinate.RetryDecision(retry_in={"seconds": max(1, round(wait_s))})


class Worker:
    """Runs jobs until told to stop; opens its connection again when it breaks.

    Parameters
    ----------
    url
        Address of the database.
    tasks
        Everything that it can run.
    database
        For its own housekeeping.
    concurrency
        Jobs at a time, each in a thread.
    """

    def __init__(
        self,
        url: str,
        tasks: Iterable[Task],
        *,
        database: Database,
        concurrency: int = 4,
        queues: Iterable[str] | None = None,
    ) -> None:
        self._url = url
        self._tasks = [*tasks, Task("works.tidy", self._tidy, every="17 * * * *")]
        self._database = database
        self._concurrency = concurrency
        self._queues = None if queues is None else list(queues)

    def run(self, stop: threading.Event) -> None:
        """Run jobs until `stop` is set, then finish those begun (for at most `DRAIN_S`)."""
        asyncio.run(self._run(stop))

    def drain(self) -> None:
        """Run what waits now, nothing by the clock, and return: for tests and one-off commands."""
        asyncio.run(self._once())

    def _app(self, *, by_the_clock: bool) -> procrastinate.App:
        connector = procrastinate.PsycopgConnector(
            conninfo=self._url,
            min_size=1,
            max_size=4,
            kwargs={"application_name": "greenbay-jobs", "connect_timeout": 5},
        )
        app = procrastinate.App(connector=connector)
        for task in self._tasks:
            registered = app.task(
                name=task.name,
                retry=_GrowingWait(task.attempts),
                pass_context=True,
                queueing_lock=task.name if task.every else None,
                lock=task.name if task.every else None,
            )(partial(self._perform, task))
            if task.every and by_the_clock:
                app.periodic(cron=task.every)(registered)
        return app

    def _perform(self, task: Task, context: JobContext, /, **arguments: JsonValue) -> None:
        outcome = "done"
        with metrics.JOB_SECONDS.labels(task.name).time():
            try:
                _handle(task.handler, arguments)
            except Exception:
                outcome = "failed"
                if task.every is None:
                    self._free_queueing_lock(context.job)
                    raise
                # It runs again by the clock: a retry would only stand in the next run's way.
                log.exception("a periodic job failed", task=task.name)
            finally:
                metrics.JOBS.labels(task.name, outcome).inc()

    def _free_queueing_lock(self, job: queue_jobs.Job) -> None:
        """Let a failed job wait again although another with its queueing lock may wait by now."""
        if job.queueing_lock is not None:
            with self._database.unit_of_work() as uow:
                uow.connection.execute(
                    text("update procrastinate_jobs set queueing_lock = null where id = :id"),
                    {"id": job.id},
                )

    def _options(self) -> dict[str, Any]:
        return {
            "queues": self._queues,
            "concurrency": self._concurrency,
            "delete_jobs": "successful",
            "fetch_job_polling_interval": POLL_S,
            "install_signal_handlers": False,
            "update_heartbeat_interval": HEARTBEAT_S,
            "stalled_worker_timeout": DEAD_AFTER_S,
            "shutdown_graceful_timeout": DRAIN_S,
        }

    async def _once(self) -> None:
        app = self._app(by_the_clock=False)
        async with app.open_async():
            await app.run_worker_async(wait=False, **self._options())

    async def _run(self, stop: threading.Event) -> None:
        failures = 0
        while not stop.is_set():
            begun = time.monotonic()
            try:
                await self._until_stopped(stop)
            except (ProcrastinateException, OSError) as error:
                log.warning("the job queue cannot be reached", error=str(error))
            if stop.is_set():
                return
            failures = 0 if time.monotonic() - begun > LONGEST_WAIT_S else failures + 1
            await _pause(stop, min(10.0, 0.2 * 2.0**failures))

    async def _until_stopped(self, stop: threading.Event) -> None:
        app = self._app(by_the_clock=True)
        async with app.open_async():
            running = asyncio.create_task(app.run_worker_async(**self._options()))
            rescue = asyncio.create_task(_forever(lambda: self._rescue(app), HEARTBEAT_S))
            halt = asyncio.create_task(_until_set(stop))
            await asyncio.wait({running, halt}, return_when=asyncio.FIRST_COMPLETED)
            for task in (rescue, halt):
                task.cancel()
            if not running.done():
                running.cancel()  # procrastinate takes it as "finish what you have begun"
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await asyncio.gather(rescue, halt, return_exceptions=True)

    async def _rescue(self, app: procrastinate.App) -> None:
        """Give the jobs of dead workers to living ones; measure the queue."""
        stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_S)
        known = {task.name: task for task in self._tasks}
        for job in stalled:
            task = known.get(job.task_name)
            if task is not None and task.every is not None:
                await app.job_manager.finish_job(job, queue_jobs.Status.FAILED, delete_job=True)
            elif job.attempts + 1 >= (task.attempts if task is not None else ATTEMPTS):
                # It may be what kills the workers: leave it to a person.
                await app.job_manager.finish_job(job, queue_jobs.Status.FAILED, delete_job=False)
                log.error("a job failed with its worker", task=job.task_name, job=job.id)
            else:
                await asyncio.to_thread(self._free_queueing_lock, job)
                await app.job_manager.retry_job(job)
                log.warning("a job goes to another worker", task=job.task_name, job=job.id)
        await asyncio.to_thread(self._measure)

    def _measure(self) -> None:
        with contextlib.suppress(Unavailable), self._database.read() as connection:
            waiting, failed = connection.execute(
                text(
                    "select count(*) filter (where status = 'todo'),"
                    " count(*) filter (where status = 'failed') from procrastinate_jobs"
                )
            ).one()
            metrics.JOBS_WAITING.set(waiting)
            metrics.JOBS_FAILED.set(failed)

    def _tidy(self, arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        with self._database.unit_of_work() as uow:
            now = uow.wall.now()
            idempotency.forget(uow, now - ANSWER_RETENTION)
            _forget(uow, now - RETENTION)


def _handle(handler: Handler, arguments: Mapping[str, JsonValue]) -> None:
    """Hand a job to its handler; of several events each, whatever becomes of the others.

    Where some failed the job is tried again with all: what was handled is handled once.
    """
    events = arguments.get("events")
    if not isinstance(events, list):
        handler(arguments)
        return
    failed: list[Exception] = []
    for event in events:
        try:
            handler(event if isinstance(event, dict) else {})
        except Exception as error:  # noqa: BLE001 - raised below
            failed.append(error)
    if failed:
        # What can pass at a later attempt decides that there is one.
        raise min(failed, key=lambda error: isinstance(error, Invalid))


def _forget(uow: UnitOfWork, before_at: datetime) -> None:
    uow.connection.execute(
        text("delete from works.handled_event where handled_at < :before"), {"before": before_at}
    )
    uow.connection.execute(
        text(
            "delete from procrastinate_jobs job where status in ('failed', 'cancelled', 'aborted')"
            " and not exists (select from procrastinate_events event"
            "                 where event.job_id = job.id and event.at >= :before)"
        ),
        {"before": before_at},
    )


async def _pause(stop: threading.Event, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not stop.is_set() and time.monotonic() < deadline:  # noqa: ASYNC110 - as below
        await asyncio.sleep(0.05)


async def _until_set(stop: threading.Event) -> None:
    while not stop.is_set():  # noqa: ASYNC110 - the event belongs to another thread
        await asyncio.sleep(0.05)


async def _forever(action: Callable[[], Awaitable[None]], every_s: float) -> None:
    while True:
        try:
            await action()
        except (ProcrastinateException, Unavailable) as error:
            log.warning("the job queue cannot be looked after", error=str(error))
        await asyncio.sleep(every_s)
