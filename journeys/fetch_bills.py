"""Fetch channels' bills and hold them against our record: each morning, and when the desk asks.

A channel gives a day's bill on the next one (WeChat Pay's and UnionPay's at ten, Alipay's at nine).
Asked hourly, so that one that is late is held against ours within the hour it comes.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final

import structlog
from pydantic import JsonValue

from city.errors import CityError, NotFound, Unavailable
from city.people.actors import Actor, system_actor
from city.people.roles import Role
from city.works.database import Database
from city.works.jobs import Task
from journeys.keep_reconciliation import held_against
from journeys.pay_online import Channels
from journeys.settle_channels import settle_fetched
from payments.rules.channel_bills.lines import CHINA
from payments.rules.channel_registry import billed_days
from payments.rules.channels import Channel
from payments.store import reconciliations as store
from payments.store.reconciliations import Run

log = structlog.get_logger("payments")

TASK: Final = "payments.reconcile_channels"
ACTOR: Final = system_actor("payments.reconciliation")


def fetch_bill(
    database: Database, channels: Channels, actor: Actor, channel: Channel, day: date
) -> Run:
    """Fetch a day's bill from its channel and hold it against our record.

    Where nothing about the day is open any more, it is taken over into the ledger as well.

    Raises
    ------
    NotFound
        Where the channel is not set up.
    Unavailable
        Where the channel does not give it: not there yet, or out of reach.
    Invalid
        Where what it gives is no bill.
    """
    actor.require(Role.FINANCE)
    adapter = channels.get(channel)
    if adapter is None:
        raise NotFound(f"{channel.value} is not set up here", field="channel")
    content = adapter.bill(day)  # outside any transaction
    with database.unit_of_work() as uow:
        done = held_against(uow, actor, channel, content, day)
        settle_fetched(uow, actor, adapter, content, day)
    return done


def reconcile_channels(database: Database, channels: Channels) -> list[Run]:
    """Hold the last seven days that each channel can have billed against ours, each once.

    One channel that fails does not keep the others waiting.
    """
    with database.unit_of_work() as uow:
        today = uow.wall.now().astimezone(CHINA).date()
    done: list[Run] = []
    for channel, adapter in channels.items():
        days = billed_days(channel, today)
        with database.read() as connection:
            known = store.days_run_by(connection, ACTOR.subject, channel.value, days)
        for day in sorted(set(days) - known):
            try:
                content = adapter.bill(day)
                with database.unit_of_work() as uow:
                    done.append(held_against(uow, ACTOR, channel, content, day))
            except Unavailable:
                continue
            except CityError as refused:
                log.warning(
                    "a channel's bill is not reconciled",
                    channel=channel.value,
                    day=day.isoformat(),
                    reason=str(refused),
                )
    return done


def task(database: Database, channels: Channels) -> Task:
    """Give the task that reconciles what the channels have given; hourly."""

    def handle(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        reconcile_channels(database, channels)

    return Task(TASK, handle, every="11 * * * *")
