"""Settle what channels told us and we acknowledged: set-wise, within a moment, by the worker.

What waits lies in the inbox (`payments.channel_notices`), durable since before its channel was
answered. Who settles is woken by the commit that kept it, takes what waits by then in one
transaction, and goes on until nothing waits. Between two of them it lets a moment pass, so that
many share one; in a flood it rests for longer while more come in, so that those who are still at
the door are served first, and catches up once they are. Several may settle at once: none takes what
another one holds. A process that is killed leaves what it had claimed waiting; the next one begins
with it.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from city.errors import CityError, Unavailable
from city.works import metrics
from city.works.database import Database
from journeys.hear_notices import record_refusal
from payments import channel_hearing, channel_notices
from payments.channel_notices import Told, Verdict

log = structlog.get_logger("payments")

QUARANTINED: Final = "payments.notice_quarantined"
UNSETTLED: Final = "cannot-be-settled"
MOST_AT_ONCE: Final = 512
"""Settled in one commit: each bill of theirs is held until its end."""
LOOK_S: Final = 1.0
"""How often it is looked although nobody woke us."""
BETWEEN_S: Final = 0.05
"""How long after one commit the next one begins: what comes meanwhile shares it."""
FLOOD_S: Final = 2.0
"""How long it rests at most after a full commit, while more come in. What waits is durable and
acknowledged; who is still at the door needs the processors more, and is answered within the
channel's limit only if it gets them."""
QUIET_S: Final = 0.03
"""Nothing came in for so long: the flood is over."""
FLOODED_S: Final = 10.0
"""How long of a flood it rests in: a bill is not left open for ever because others are paid."""
AGAIN_S: Final = 0.5
"""How long a database that is away is left alone."""


def settle_waiting(database: Database, most: int = MOST_AT_ONCE) -> int:
    """Settle what waits, in one commit; give how many notifications that were.

    One that cannot be settled spoils it for no other: they are settled one by one then, and that
    one is kept apart with its reason, for people; its order is asked after like every open one.

    Raises
    ------
    Unavailable
        Where the database cannot do it now: all of it waits on.
    """
    try:
        return len(_settle(database, most, []))
    except Unavailable:
        raise
    except (CityError, SQLAlchemyError) as error:
        log.warning("notifications are settled one by one", reason=type(error).__name__)
    done = 0
    while done < most and _settle_one(database):
        done += 1
    return done


def _settle(database: Database, most: int, claimed: list[Told]) -> list[Told]:
    """Settle what waits; `claimed` tells what was tried where it fails."""
    with database.unit_of_work() as uow:
        waiting = channel_notices.claim(uow.connection, most)
        claimed += waiting
        if not waiting:
            return claimed
        refused = channel_hearing.settle(uow, claimed)
        for each, reason in refused.items():
            record_refusal(uow, QUARANTINED, each, reason)
        now_s = uow.wall.now().timestamp()
    for each, came_s in waiting.items():
        _count(each, "quarantined" if each in refused else "settled")
        metrics.NOTICE_SETTLED_S.observe(max(0.0, now_s - came_s))
    return claimed


def _settle_one(database: Database) -> bool:
    """Settle one of those that wait, or keep it apart; False where none waits."""
    claimed: list[Told] = []
    try:
        return bool(_settle(database, 1, claimed))
    except Unavailable:
        raise
    except (CityError, SQLAlchemyError) as error:
        for told in claimed:
            number, reason = told.notice.order_no, str(error)[:500]
            log.error("a notification cannot be settled", order=number, reason=reason)  # noqa: TRY400 - its reason says it all
    with database.unit_of_work() as uow:
        held = [told for told in claimed if channel_notices.hold(uow.connection, told)]
        for told in held:
            channel_notices.decide(uow.connection, [(told, Verdict.QUARANTINED, UNSETTLED)])
            record_refusal(uow, QUARANTINED, told, UNSETTLED)
    for told in held:
        _count(told, "quarantined")
    return bool(claimed)


def _count(told: Told, outcome: str) -> None:
    metrics.NOTICES.labels(told.channel.value, outcome).inc()


def rest_in_flood(wait: Callable[[float], None], stop: threading.Event) -> None:
    """Rest while notifications come in, `FLOOD_S` at most.

    Parameters
    ----------
    wait
        Waits for so many seconds, or until something comes in (`Database.woken`).
    stop
        Set where there is nothing to be rested for.
    """
    end_s = time.monotonic() + FLOOD_S
    while not stop.is_set() and time.monotonic() < end_s:
        begun_s = time.monotonic()
        wait(QUIET_S)
        if time.monotonic() - begun_s >= QUIET_S:
            return
        stop.wait(QUIET_S)


class Settler:
    """Settles whatever waits for as long as it runs: a part of the worker.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def run(self, stop: threading.Event) -> None:
        """Settle until told to stop; a database that is away is waited for."""
        while not stop.is_set():
            try:
                with self._database.woken(channel_notices.WAKE) as wait:
                    self._settle(wait, stop)
            except Unavailable as away:
                log.warning("notifications wait to be settled", reason=str(away))
                stop.wait(AGAIN_S)

    def _settle(self, wait: Callable[[float], None], stop: threading.Event) -> None:
        full_since_s = time.monotonic()
        while not stop.is_set():
            done = settle_waiting(self._database)
            if done < MOST_AT_ONCE:
                if done:
                    stop.wait(BETWEEN_S)
                else:
                    wait(LOOK_S)
                full_since_s = time.monotonic()
            elif time.monotonic() - full_since_s < FLOODED_S:
                rest_in_flood(wait, stop)
