"""Ask channels after every order and refund that has not ended: nothing stays unknown.

A channel that does not answer keeps no other one waiting: each is asked by a thread of its own.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from pydantic import JsonValue

from city.errors import CityError
from city.works.database import Database
from city.works.jobs import Task
from journeys.pay_online import Channels, ask_after_refund, hear
from payments import channel_orders, channel_refunds
from payments.channel_payments import Learned
from payments.channel_refunds import HeldRefund
from payments.rules.channel_orders import ChannelOrder, RefundState, as_asked
from payments.rules.channels import Answer, ChannelAdapter, Fate

log = structlog.get_logger("payments")

TASK: Final = "payments.pursue_channels"
_UNKNOWN_AGAIN: Final = timedelta(seconds=10)
_OPEN_AGAIN: Final = timedelta(seconds=60)
_AT_ONCE: Final = 200
_WORKS_FOR: Final = timedelta(seconds=50)
"""After an outage there may be more to ask after than one round takes; the next minute's run is
due by then."""


@dataclass(slots=True)
class Pursued:
    """What came of asking channels after what had not ended."""

    asked: int = 0
    paid: int = 0
    closed: int = 0
    refunded: int = 0
    failed: int = 0
    refused: int = 0


def pursue(
    database: Database,
    channels: Channels,
    limit: int = _AT_ONCE,
    until_at: datetime | None = None,
) -> Pursued:
    """Ask channels after every order and refund that has not ended; run every minute.

    Orders that were asked or are unknown are asked after ten seconds, open ones after a minute;
    what is past its time is closed, and what nobody needs any more, as its bill was paid another
    way: who still holds the code shall not pay again. Refunds are asked for again under their
    number where the channel does not have them. An answer that cannot be believed stops nothing
    else.

    Parameters
    ----------
    database : Database
    channels : Channels
        Those that are asked; what is at others waits.
    limit : int
        How many of each at most; those longest unheard of come first.
    until_at : datetime or None
        Wall time after which nothing more is asked.
    """
    done = Pursued()
    with database.unit_of_work() as uow:
        now = uow.wall.now()
        orders = channel_orders.unsettled_orders(
            uow.connection,
            channels,
            unknown_before_at=now - _UNKNOWN_AGAIN,
            open_before_at=now - _OPEN_AGAIN,
            limit=limit,
        )
        unwanted = channel_orders.unwanted_among(uow.connection, orders)
        refunds = channel_refunds.unsettled(
            uow.connection, channels, before_at=now - _UNKNOWN_AGAIN, limit=limit
        )
    for order in orders:
        if until_at is not None and database.wall.now() >= until_at:
            return done
        done.asked += 1
        ends = now > order.expires_at or order.id in unwanted
        learned = _learn(database, channels[order.channel], order, done, ends=ends)
        if learned is not None:
            done.paid += learned.fresh
            done.closed += learned.order.done_at is not None and not learned.fresh
            refunds += [HeldRefund(each, order.order_no, order.channel) for each in learned.surplus]
    for held in refunds:
        if until_at is not None and database.wall.now() >= until_at:
            return done
        done.asked += 1
        _follow(database, channels[held.channel], held, done)
    return done


def pursue_all(database: Database, channels: Channels) -> Pursued:
    """Ask all channels, each in its own thread, round after round until nothing is due.

    At most 50 s, of which a request to a channel that is silent takes ten.
    """
    until_at = database.wall.now() + _WORKS_FOR
    total = Pursued()
    with ThreadPoolExecutor(max(1, len(channels)), thread_name_prefix="pursue") as threads:
        each = [
            threads.submit(_pursue_one, database, {channel: adapter}, until_at)
            for channel, adapter in channels.items()
        ]
        for rounds in each:
            for name, count in asdict(rounds.result()).items():
                setattr(total, name, getattr(total, name) + count)
    return total


def task(database: Database, channels: Channels) -> Task:
    """Give the task that asks after what has not ended, every minute."""

    def handle(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        done = pursue_all(database, channels)
        if done.asked:
            log.info("asked channels after what had not ended", **asdict(done))

    return Task(TASK, handle, every="* * * * *")


def _pursue_one(database: Database, channels: Channels, until_at: datetime) -> Pursued:
    total = Pursued()
    while True:
        done = pursue(database, channels, until_at=until_at)
        for name, count in asdict(done).items():
            setattr(total, name, getattr(total, name) + count)
        if done.asked < _AT_ONCE or database.wall.now() >= until_at:
            return total


def _learn(
    database: Database,
    adapter: ChannelAdapter,
    order: ChannelOrder,
    done: Pursued,
    *,
    ends: bool,
) -> Learned | None:
    asked = as_asked(order)
    answer: Answer = adapter.query(asked)
    if ends and answer.fate is Fate.OPEN:
        answer = adapter.close(asked)
    try:
        return hear(database, order.order_no, answer)
    except CityError as refused:
        done.refused += 1
        log.warning("a channel's answer is refused", reason=str(refused), order=order.order_no)
    with database.unit_of_work() as uow:
        # It takes its turn again: what is refused each time must not stand before all others.
        channel_orders.heard_of(uow.connection, order.id, uow.wall.now())
    return None


def _follow(database: Database, adapter: ChannelAdapter, held: HeldRefund, done: Pursued) -> None:
    try:
        after = ask_after_refund(database, adapter, held)
    except CityError as refused:
        done.refused += 1
        log.warning("a channel's answer is refused", reason=str(refused), order=held.order_no)
        with database.unit_of_work() as uow:
            channel_refunds.heard_of(uow.connection, held.refund.id, uow.wall.now())
        return
    done.refunded += after.state is RefundState.DONE
    done.failed += after.state is RefundState.FAILED
