"""Hear what channels tell us: those that come at once are taken in one commit.

A notification is answered only after the commit that keeps it and settles its bill is durable. A
commit costs much the same for one as for fifty, so while one is under way those that come wait
for the next one and share it; nobody waits when nothing is under way.
"""

import hashlib
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from city.audit import record
from city.errors import CityError, Unavailable
from city.people.actors import system_actor
from city.works.database import Database
from payments import channel_hearing
from payments.channel_notices import Told
from payments.rules.authenticity import NotAuthentic
from payments.rules.channels import Channel, ChannelAdapter

if TYPE_CHECKING:
    from pydantic import JsonValue

log = structlog.get_logger("payments")

MOST_AT_ONCE: Final = 128
"""Notifications in one commit: each row of theirs is held until its end."""
_AT_ONCE: Final = 2
"""Commits under way at once: one is written while the next one is thought about."""

Answer = tuple[int, str, bytes]


class Notices:
    """Takes notifications that many threads bring, many in one commit.

    Whoever comes while enough commits are under way waits; the first of those who wait makes the
    next commit, for all of them. There is no thread of its own, and nothing to be stopped.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting] = deque()
        self._under_way = 0

    def take(self, told: Told) -> str:
        """Take a notification; give why nothing came of it, empty where it was taken.

        Raises
        ------
        Unavailable
            Where the database cannot keep it now: nothing was done.
        """
        mine = _Waiting(told)
        with self._lock:
            self._waiting.append(mine)
            if self._under_way < _AT_ONCE:
                self._under_way += 1
                self._hand_over()
        mine.woken.wait()
        if mine.batch:
            self._commit(mine.batch)
        if mine.error is not None:
            raise mine.error
        return mine.reason

    def _commit(self, batch: list["_Waiting"]) -> None:
        try:
            said = take_all(self._database, [each.told for each in batch])
            for each, answer in zip(batch, said, strict=True):
                each.answer(answer)
        finally:
            for each in batch:
                if not each.answered:  # something else than an answer ends this thread
                    each.answer(Unavailable("the database cannot be reached", retry_after_s=2))
            with self._lock:
                self._hand_over()

    def _hand_over(self) -> None:
        """Have the first of those who wait make the next commit; called with the lock."""
        if not self._waiting:
            self._under_way -= 1
            return
        batch = self._next()
        batch[0].batch = batch
        batch[0].woken.set()

    def _next(self) -> list["_Waiting"]:
        """Give those who come next, each with an event of its own: twice the same wait in turn."""
        batch: dict[tuple[Channel, str], _Waiting] = {}
        again: list[_Waiting] = []
        while self._waiting and len(batch) < MOST_AT_ONCE:
            each = self._waiting.popleft()
            if each.told.event in batch:
                again.append(each)
            else:
                batch[each.told.event] = each
        self._waiting.extendleft(reversed(again))
        return list(batch.values())


class _Waiting:
    """One who waits for a commit, or to make the next one."""

    __slots__ = ("answered", "batch", "error", "reason", "told", "woken")

    def __init__(self, told: Told) -> None:
        self.told = told
        self.batch: list[_Waiting] = []
        self.woken = threading.Event()
        self.answered = False
        self.reason = ""
        self.error: Exception | None = None

    def answer(self, said: str | Exception) -> None:
        if isinstance(said, str):
            self.reason = said
        else:
            self.error = said
        self.answered = True
        self.woken.set()


def take_notice(  # noqa: PLR0917 - where, by which adapter, from whom and what
    database: Database,
    notices: Notices,
    channels: Mapping[Channel, ChannelAdapter],
    channel: Channel,
    headers: Mapping[str, str],
    body: bytes,
) -> Answer:
    """Take a channel's notification; give status, content type and body of the answer.

    What is not authentic, or speaks of another amount, merchant or order, changes nothing and is
    kept with its reason. What came before is acknowledged again and changes nothing either.

    Raises
    ------
    Unavailable
        Where the channel is not configured, or the database cannot keep it now.
    """
    adapter = channels.get(channel)
    if adapter is None:
        raise Unavailable(f"{channel.value} is not set up here", field="channel")
    told = read_notice(adapter, headers, body)
    if isinstance(told, NotAuthentic):
        keep_forgery(database, channel, told, body)
        return adapter.acknowledgement(taken=False)
    return adapter.acknowledgement(taken=not notices.take(told))


def read_notice(
    adapter: ChannelAdapter, headers: Mapping[str, str], body: bytes
) -> Told | NotAuthentic:
    """Read a notification by its signature, its time and its keys; no database is asked."""
    try:
        notice = adapter.read_notice(headers, body)
    except NotAuthentic as refused:
        return refused
    return Told(adapter.channel, notice, hashlib.sha256(body).hexdigest())


def keep_forgery(database: Database, channel: Channel, refused: NotAuthentic, body: bytes) -> None:
    """Record a notification that is not believed; not in the inbox: it names any event it likes."""
    detail: dict[str, JsonValue] = {
        "reason": refused.reason.value,
        "digest": hashlib.sha256(body).hexdigest(),
    }
    actor = system_actor(f"channel.{channel.value}")
    with database.unit_of_work() as uow:
        record(uow, actor, "payments.notice_refused", "channel", channel.value, detail)


def take_all(database: Database, told: Sequence[Told]) -> list[str | Exception]:
    """Take notifications of different events in one commit; answer each.

    One that the database refuses spoils it for no other: they are taken one by one then.

    Returns
    -------
    list
        For each why nothing came of it, empty where it was taken, or why it cannot be told.
    """
    try:
        with database.unit_of_work() as uow:
            refused = channel_hearing.take(uow, told)
            for each, reason in refused.items():
                detail: dict[str, JsonValue] = {
                    "reason": reason,
                    "order_no": each.notice.order_no,
                    "event_id": each.notice.event_id,
                }
                channel = each.channel.value
                actor = system_actor(f"channel.{channel}")
                record(uow, actor, "payments.notice_refused", "channel", channel, detail)
    except Unavailable as none:
        return [none] * len(told)
    except (CityError, SQLAlchemyError) as error:
        if len(told) == 1:
            return [error]
        log.warning("notifications are taken one by one", reason=type(error).__name__)
        return [said for each in told for said in take_all(database, [each])]
    return [refused.get(each, "") for each in told]
