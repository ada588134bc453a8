"""Take the channels' daily bills over into the ledger: fees booked, what is paid out at the bank.

A day that a channel does not give yet is asked for again within the week; one that cannot be added
up is left to the finance desk, and said so in the log: once its differences are ended it is taken
over by itself, or, later than a week after, when the desk fetches it again. A bill that nobody can
fetch is taken over when it is handed in.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from typing import Final

import structlog
from pydantic import JsonValue

from city.audit import record
from city.errors import CityError, Unavailable
from city.people.actors import Actor, system_actor
from city.works.database import Database, UnitOfWork
from city.works.jobs import Task
from journeys.pay_online import Channels
from payments.rules.booking import book_settlement
from payments.rules.channel_bills.lines import CHINA, CURRENCY, Bill
from payments.rules.channel_bills.reading import read_bill
from payments.rules.channel_registry import billed_days
from payments.rules.channels import Channel, ChannelAdapter
from payments.rules.settlements import Settlement, settlement_of
from payments.store import ledger, pos_terminals, settlements
from payments.store.reconciliations import cleared_up, unresolved

log = structlog.get_logger("payments")

TASK: Final = "payments.settle_channels"
ACTOR: Final = system_actor("payments.settlement")


def settle_channels(database: Database, channels: Channels) -> list[Settlement]:
    """Settle the last seven days that each channel can have billed, where that was not done."""
    with database.unit_of_work() as uow:
        today = uow.wall.now().astimezone(CHINA).date()
    done: list[Settlement] = []
    for adapter in channels.values():
        done += settle_days(database, adapter, billed_days(adapter.channel, today))
    return done


def settle_days(
    database: Database, adapter: ChannelAdapter, days: Collection[date]
) -> list[Settlement]:
    """Settle some of a channel's days, each once; one that it does not give yet is left out.

    So is one that cannot be added up, which the log tells: no other day waits for it.
    """
    channel, merchant = adapter.channel, adapter.merchant
    with database.read() as connection:
        known = settlements.settled_days(connection, channel, merchant, days)
    done: list[Settlement] = []
    for day in sorted(set(days) - known):
        try:
            content = adapter.bill(day)
            bill = None if content is None else read_bill(channel, content, day)
            with database.unit_of_work() as uow:
                done += _settle(uow, ACTOR, adapter, bill, day)
        except Unavailable:
            continue
        except CityError as refused:
            log.warning(
                "a channel's bill is not settled",
                channel=channel.value,
                day=day.isoformat(),
                reason=str(refused),
            )
    return done


def settle_fetched(
    uow: UnitOfWork, actor: Actor, adapter: ChannelAdapter, content: bytes | None, day: date
) -> list[Settlement]:
    """Take a day that the desk fetched over, however long ago it was; where nothing is open.

    The day was held against our record in this transaction.
    """
    channel = adapter.channel
    bill = None if content is None else read_bill(channel, content, day)
    over = day < uow.wall.now().astimezone(CHINA).date()
    complete = bill is None or bill.complete
    if not over or not complete or unresolved(uow.connection, channel.value, day):
        return []
    return _settle(uow, actor, adapter, bill, day)


def _settle(
    uow: UnitOfWork, actor: Actor, adapter: ChannelAdapter, bill: Bill | None, day: date
) -> list[Settlement]:
    """Book a day, once. Rows of others are left out once two people have ended what they are about.

    Raises
    ------
    Conflict
        Where the bill cannot be added up: nothing of that day is posted.
    """
    channel, merchant = adapter.channel, adapter.merchant
    if bill is not None and bill.complete and cleared_up(uow.connection, channel.value, day):
        own = tuple(
            line
            for line in bill.lines
            if line.merchant in {"", merchant} and line.amount.currency == CURRENCY
        )
        # Stated sums are of all rows: they were held against those.
        bill = replace(bill, lines=own, stated=None)
    settled = settlement_of(channel, merchant, bill, day, uow.clock.now(), actor.subject)
    return [settled] if _book(uow, settled, actor) else []


def settle_handed_in(
    uow: UnitOfWork, actor: Actor, channel: Channel, bill: Bill, day: date
) -> list[Settlement]:
    """Take a bill that was handed in over, for each of our merchants; once each.

    A file says what whoever wrote it likes: it is taken over only where it agrees with our record
    to the fen, or two people have ended each difference of its day; and no day that goes on.

    Parameters
    ----------
    uow : UnitOfWork
    actor : Actor
        Who handed it in.
    channel : Channel
        One whose bill nobody fetches.
    bill : Bill
        Held against our record in this transaction.
    day : date
        China's.
    """
    over = day < uow.wall.now().astimezone(CHINA).date()
    if not over or not bill.complete or unresolved(uow.connection, channel.value, day):
        return []
    ours = pos_terminals.merchants(uow.connection)
    known = settlements.settled_merchants(uow.connection, channel, day)
    done: list[Settlement] = []
    for merchant in sorted({line.merchant for line in bill.lines} & ours - known):
        own = replace(bill, lines=tuple(each for each in bill.lines if each.merchant == merchant))
        settled = settlement_of(channel, merchant, own, day, uow.clock.now(), actor.subject)
        if _book(uow, settled, actor):
            done.append(settled)
    return done


def _book(uow: UnitOfWork, settled: Settlement, actor: Actor) -> bool:
    """Keep a settlement with its entry, on record; False where its day was settled before."""
    if not settlements.add(uow.connection, settled):
        return False
    entry = book_settlement(settled)
    if entry is not None:
        ledger.add_entry(uow.connection, entry)
    detail: dict[str, JsonValue] = {
        "day": settled.day.isoformat(),
        "merchant": settled.merchant,
        "paid": settled.paid.as_json(),
        "refunded": settled.refunded.as_json(),
        "fee": settled.fee.as_json(),
    }
    record(uow, actor, "payments.channel_settled", "channel", settled.channel.value, detail)
    return True


def task(database: Database, channels: Channels) -> Task:
    """Give the task that settles what the channels have given; hourly."""

    def handle(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        if channels:
            settle_channels(database, channels)

    return Task(TASK, handle, every="41 * * * *")
