"""Take the channels' daily bills over into the ledger: fees booked, what is paid out at the bank.

A day that a channel does not give yet is asked for again within the week; one that cannot be added
up is left to the finance desk, and said so in the log.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Final

import structlog
from pydantic import JsonValue

from city.audit import record
from city.errors import CityError, Unavailable
from city.people.actors import system_actor
from city.works.database import Database
from city.works.jobs import Task
from journeys.pay_online import Channels
from payments.rules.booking import book_settlement
from payments.rules.channel_bills.lines import CHINA
from payments.rules.channel_bills.reading import read_bill
from payments.rules.channel_registry import billed_days
from payments.rules.channels import ChannelAdapter
from payments.rules.settlements import Settlement, settlement_of
from payments.store import ledger, settlements

log = structlog.get_logger("payments")

TASK: Final = "payments.settle_channels"
ACTOR: Final = system_actor("payments.settlement")


def settle_channels(database: Database, channels: Channels) -> list[Settlement]:
    """Settle the last seven days that each channel can have billed, where that was not done."""
    with database.unit_of_work() as uow:
        today = uow.wall.now().astimezone(CHINA).date()
    done: list[Settlement] = []
    for adapter in channels.values():
        try:
            done += settle_days(database, adapter, billed_days(adapter.channel, today))
        except CityError as refused:
            log.warning(
                "a channel's bill is not settled",
                channel=adapter.channel.value,
                reason=str(refused),
            )
    return done


def settle_days(
    database: Database, adapter: ChannelAdapter, days: Collection[date]
) -> list[Settlement]:
    """Settle some of a channel's days, each once; one that it does not give yet is left out.

    Raises
    ------
    Conflict
        Where a bill cannot be added up: nothing of that day is posted.
    """
    channel, merchant = adapter.channel, adapter.merchant
    with database.read() as connection:
        known = settlements.settled_days(connection, channel, merchant, days)
    done: list[Settlement] = []
    for day in sorted(set(days) - known):
        try:
            content = adapter.bill(day)
        except Unavailable:
            continue
        bill = None if content is None else read_bill(channel, content, day)
        with database.unit_of_work() as uow:
            settled = settlement_of(channel, merchant, bill, day, uow.clock.now(), ACTOR.subject)
            if not settlements.add(uow.connection, settled):
                continue  # another worker was faster
            entry = book_settlement(settled)
            if entry is not None:
                ledger.add_entry(uow.connection, entry)
            detail: dict[str, JsonValue] = {
                "day": day.isoformat(),
                "paid": settled.paid.as_json(),
                "refunded": settled.refunded.as_json(),
                "fee": settled.fee.as_json(),
            }
            record(uow, ACTOR, "payments.channel_settled", "channel", channel.value, detail)
        done.append(settled)
    return done


def task(database: Database, channels: Channels) -> Task:
    """Give the task that settles what the channels have given; hourly."""

    def handle(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        if channels:
            settle_channels(database, channels)

    return Task(TASK, handle, every="41 * * * *")
