"""Hear what channels tell us: those that come at once are accepted in one commit.

A notification is acknowledged only after the commit that keeps it is durable: from then on it is
settled, or kept apart for people, whatever dies (`journeys.settle_notices`). A commit costs much
the same for one as for fifty, so while some are under way those that come wait for the next one and
share it, and where several did, it is let come a moment later with more of them. One that comes
alone waits for nothing.
"""

import hashlib
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from city.audit import record
from city.errors import CityError, Unavailable
from city.people.actors import system_actor
from city.works import metrics
from city.works.database import Database, UnitOfWork
from payments import channel_hearing
from payments.channel_notices import Told
from payments.rules.authenticity import NotAuthentic
from payments.rules.channels import Channel, ChannelAdapter

if TYPE_CHECKING:
    from pydantic import JsonValue

log = structlog.get_logger("payments")

REFUSED: Final = "payments.notice_refused"
MOST_AT_ONCE: Final = 128
"""Notifications in one commit: each row of theirs is held until its end."""
_AT_ONCE: Final = 1
"""Commits under way at once: with more each has fewer to share its cost."""
GATHER_S: Final = 0.002
"""How long a commit that several shared is followed by none: those that come share the next."""
LINGER_S: Final = 1.0
"""How long a thread that commits waits for more: under load none is started for each commit."""

Answer = tuple[int, str, bytes]
Outcome = str | Exception
"""Why nothing came of a notification, empty where it was accepted; or why it cannot be told."""


@dataclass(frozen=True, slots=True)
class Forged:
    """What came as a notification and is not believed.

    Parameters
    ----------
    channel : Channel
        Whose it would be.
    reason : str
        Why it is not believed.
    digest : str
        SHA-256 of its body, hexadecimal.
    """

    channel: Channel
    reason: str
    digest: str


Heard = Told | Forged
_Waiting = tuple[Heard, Callable[[Outcome], None], Callable[[], None] | None]


class Notices:
    """Accepts notifications that many bring, many in one commit.

    Those that wait are committed by threads that live for as long as something waits, and a moment
    longer: there is nothing to be stopped.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._more = threading.Condition(self._lock)
        self._waiting: deque[_Waiting] = deque()
        self._under_way = 0
        self._idle = 0
        """Threads that wait for more; they count as under way."""

    def submit(
        self, heard: Heard, done: Callable[[Outcome], None], then: Callable[[], None] | None = None
    ) -> None:
        """Have a notification kept, and `done` called once it is; returns at once.

        Parameters
        ----------
        heard : Told or Forged
        done : Callable
            Gets why nothing came of it, empty where it was accepted, or an error: nothing was
            done then. From a thread that others wait for: it must be quick, and not raise.
        then : Callable or None
            Called after `done` of all that shared the commit, once however many of them name it.
        """
        with self._lock:
            self._waiting.append((heard, done, then))
            if self._idle:
                self._more.notify()
                return
            if self._under_way >= _AT_ONCE:
                return
            self._under_way += 1
        threading.Thread(target=self._work, name="notices", daemon=True).start()

    def take(self, heard: Heard) -> str:
        """Keep a notification; give why nothing came of it, empty where it was accepted.

        Raises
        ------
        Unavailable
            Where the database cannot keep it now: nothing was done.
        """
        kept, outcomes = threading.Event(), list[Outcome]()

        def done(outcome: Outcome) -> None:
            outcomes.append(outcome)
            kept.set()

        self.submit(heard, done)
        kept.wait()
        if isinstance(outcomes[0], Exception):
            raise outcomes[0]
        return outcomes[0]

    def _work(self) -> None:
        while batch := self._next():
            outcomes: Sequence[Outcome] = ()
            try:
                outcomes = take_all(self._database, [heard for heard, _, _ in batch])
            except Exception:
                # A bug: each who waits is told so, and the next ones are not kept waiting for it.
                log.exception("notifications could not be taken")
                outcomes = [Unavailable("the notification cannot be taken")] * len(batch)
            for (_, done, _), outcome in zip(batch, outcomes, strict=True):
                done(outcome)
            for then in {each for _, _, each in batch if each is not None}:
                then()
            if 1 < len(batch) < MOST_AT_ONCE:
                time.sleep(GATHER_S)

    def _next(self) -> list[_Waiting]:
        """Give those who come next, each with an event of its own: twice the same wait in turn."""
        with self._lock:
            if not self._waiting:
                self._idle += 1
                self._more.wait_for(lambda: self._waiting, LINGER_S)
                self._idle -= 1
            batch: list[_Waiting] = []
            again: list[_Waiting] = []
            events: set[tuple[Channel, str]] = set()
            while self._waiting and len(batch) < MOST_AT_ONCE:
                each = self._waiting.popleft()
                if isinstance(each[0], Told):
                    if each[0].event in events:
                        again.append(each)
                        continue
                    events.add(each[0].event)
                batch.append(each)
            self._waiting.extendleft(reversed(again))
            if not batch:
                self._under_way -= 1
            return batch


def take_notice(
    notices: Notices,
    channels: Mapping[Channel, ChannelAdapter],
    channel: Channel,
    headers: Mapping[str, str],
    body: bytes,
) -> Answer:
    """Take a channel's notification; give status, content type and body of the answer.

    What is not authentic, or speaks of another amount, merchant or order, changes nothing and is
    kept with its reason. What came before is acknowledged again and changes nothing either. What is
    accepted is durable, and settled right after.

    Raises
    ------
    Unavailable
        Where the channel is not configured, or the database cannot keep it now.
    """
    adapter = channels.get(channel)
    if adapter is None:
        raise Unavailable(f"{channel.value} is not set up here", field="channel")
    reason = notices.take(read_notice(adapter, headers, body))
    return adapter.acknowledgement(taken=not reason)


def read_notice(adapter: ChannelAdapter, headers: Mapping[str, str], body: bytes) -> Heard:
    """Read a notification by its signature, its time and its keys; no database is asked."""
    digest = hashlib.sha256(body).hexdigest()
    try:
        notice = adapter.read_notice(headers, body)
    except NotAuthentic as refused:
        return Forged(adapter.channel, refused.reason.value, digest)
    return Told(adapter.channel, notice, digest)


def take_all(database: Database, heard: Sequence[Heard]) -> list[Outcome]:
    """Keep notifications of different events in one commit; answer each.

    What is not believed is recorded, and not put into the inbox: it names any event it likes. One
    that the database refuses spoils it for no other: they are taken one by one then.
    """
    try:
        with database.unit_of_work() as uow:
            refused = _keep(uow, heard)
    except Unavailable as none:
        return [none] * len(heard)
    except (CityError, SQLAlchemyError) as error:
        if len(heard) == 1:
            return [error]
        log.warning("notifications are taken one by one", reason=type(error).__name__)
        return [said for each in heard for said in take_all(database, [each])]
    # Hashing what was told costs as much as keeping it: it is done where something is refused.
    reasons = [refused.get(each, "") for each in heard] if refused else [""] * len(heard)
    became = Counter(
        (each.channel, bool(reason)) for each, reason in zip(heard, reasons, strict=True)
    )
    for (channel, is_refused), times in became.items():
        metrics.NOTICES.labels(channel.value, "refused" if is_refused else "accepted").inc(times)
    return list(reasons)


def _keep(uow: UnitOfWork, heard: Sequence[Heard]) -> dict[Heard, str]:
    told = [each for each in heard if isinstance(each, Told)]
    signed = channel_hearing.accept(uow, told) if told else {}
    for one, reason in signed.items():
        record_refusal(uow, REFUSED, one, reason)
    refused: dict[Heard, str] = {one: reason for one, reason in signed.items()}  # noqa: C416 - a dict's keys are of one type
    for each in heard:
        if isinstance(each, Forged):
            refused[each] = each.reason
            detail: dict[str, JsonValue] = {"reason": each.reason, "digest": each.digest}
            name = each.channel.value
            record(uow, system_actor(f"channel.{name}"), REFUSED, "channel", name, detail)
    return refused


def record_refusal(uow: UnitOfWork, action: str, told: Told, reason: str) -> None:
    """Record why nothing came of a notification that its channel signed."""
    detail: dict[str, JsonValue] = {
        "reason": reason,
        "order_no": told.notice.order_no,
        "event_id": told.notice.event_id,
    }
    name = told.channel.value
    record(uow, system_actor(f"channel.{name}"), action, "channel", name, detail)
