"""A channel's day is taken over once: fees are booked, what is left of clearing is at the bank."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import text

from city.identifiers import (
    DistrictCode,
    FacilityId,
    OperatorId,
    ParkingSessionId,
    TariffVersionId,
    VehicleId,
    uuid7,
)
from city.money import Money
from city.people.actors import Actor, system_actor
from city.people.roles import Role
from city.time import WallClock
from journeys.fetch_bills import fetch_bill
from journeys.pay_online import refresh, refund_payment, start_payment
from journeys.pursue_channels import pursue
from journeys.settle_channels import settle_channels, settle_days
from payments import reconciling, services
from payments.adapters.accounts import read_channels
from payments.gateway.app import Gateway
from payments.rules.bills import Charge
from payments.rules.channel_bills import wechat
from payments.rules.channel_bills.lines import CHINA, BillLine, LineKind
from payments.rules.channels import Channel, Method
from payments.rules.reconciling import Resolution
from tests.payments.merchants import keys, pay, until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from city.works.database import Database
    from payments.rules.bills import Bill
    from payments.rules.channels import ChannelAdapter

DRIVER = system_actor("test.driver")
FINANCE = Actor("person", "finance-1", None, frozenset({Role.FINANCE}), "finance-1")


class Torn:
    """A channel whose bill lost its end on the way."""

    def __init__(self, channel: ChannelAdapter) -> None:
        self._channel = channel
        self.channel, self.merchant = channel.channel, channel.merchant

    def bill(self, day: date) -> bytes | None:
        content = self._channel.bill(day)
        assert content is not None
        return content.replace(b"`12.50", b"`12,50", 1)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    made = Gateway(keys(), speed=200, open_day=True)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def channels(gateway: Gateway) -> Mapping[Channel, ChannelAdapter]:
    document = httpx.get(f"{gateway.address}/gateway/keys").json()
    return read_channels(document, "http://127.0.0.1:9", WallClock())


def issue(database: Database, minor: int) -> Bill:
    line: dict[str, Any] = {"minor": minor, "units": 1}
    charge = Charge(
        session_id=ParkingSessionId(uuid7()),
        vehicle_id=VehicleId(uuid7()),
        facility_id=FacilityId(uuid7()),
        district=DistrictCode("0153"),
        operator_id=OperatorId(uuid7()),
        revenue_nature="public_non_tax",
        tariff_version_id=TariffVersionId(uuid7()),
        amount=Money(minor, "CNY"),
        lines=(line,),
    )
    with database.unit_of_work() as uow:
        return services.issue_bill(uow, charge, "test")


def held(database: Database, kind: str) -> dict[str, int]:
    """Give what the accounts of a kind hold, without those that hold nothing."""
    with database.read() as connection:
        rows = connection.execute(
            text(
                "select split_part(account, ':', 2), sum(minor)::bigint from payments.posting"
                " where account like :kind || ':%' group by 1 having sum(minor) <> 0"
            ),
            {"kind": kind},
        )
        return {row[0]: row[1] for row in rows}


def paid(database: Database, channels: Any, gateway: Gateway, channel: Channel) -> str:
    started = start_payment(
        database, channels, DRIVER, issue(database, 1250).id, channel, Method.CODE
    )
    assert pay(gateway.address, started.code) == 200
    assert refresh(database, channels, started.order.order_no).payment_id is not None
    return started.order.order_no


def test_fees_are_booked_and_the_rest_is_at_the_bank(
    database: Database, channels: Any, gateway: Gateway
) -> None:
    today = WallClock().now().astimezone(CHINA).date()
    numbers = {each: paid(database, channels, gateway, each) for each in channels}
    back = Money(250, "CNY")
    refund_payment(
        database, channels, FINANCE, numbers[Channel.WECHAT], "SETTLE0001", back, "barrier"
    )

    def arrived() -> bool:
        with database.unit_of_work() as uow:
            uow.connection.execute(
                text("update payments.channel_refund set heard_at = now() - interval '1 minute'")
            )
        pursue(database, channels)
        return held(database, "clearing")["wechat"] == 1000

    until(arrived)
    # 0.6 % of 12.50, half a fen rounded up: 8 fen; of the 2.50 given back, 2 fen come back.
    for adapter in channels.values():
        (settled,) = settle_days(database, adapter, [today])
        assert settled.paid == Money(1250, "CNY")
    assert held(database, "fees") == {"wechat": 6, "alipay": 8, "unionpay": 8}
    assert held(database, "bank") == {"wechat": 994, "alipay": 1242, "unionpay": 1242}
    assert held(database, "clearing") == {}
    # Asked again, nothing is posted twice; days before had no row, and are settled as such.
    assert [settle_days(database, each, [today]) for each in channels.values()] == [[], [], []]
    assert {each.paid.minor for each in settle_channels(database, channels)} == {0}
    assert settle_channels(database, channels) == []
    assert held(database, "bank")["alipay"] == 1242


def test_a_bill_that_cannot_be_added_up_posts_nothing(
    database: Database, channels: Any, gateway: Gateway
) -> None:
    today = WallClock().now().astimezone(CHINA).date()
    paid(database, channels, gateway, Channel.WECHAT)
    torn: Any = Torn(channels[Channel.WECHAT])
    assert settle_days(database, torn, [today]) == []
    assert held(database, "clearing") == {"wechat": 1250}
    assert held(database, "bank") == {}


class Billed:
    """A channel that gives the bills that it is given, by day."""

    channel, merchant = Channel.WECHAT, "1900000109"

    def __init__(self, bills: Mapping[date, bytes]) -> None:
        self._bills = bills

    def bill(self, day: date) -> bytes | None:
        return self._bills[day]


def wechat_bill(at: datetime, *rows: tuple[str, int]) -> bytes:
    """Write a bill of rows by merchant and amount."""
    lines = [
        BillLine(
            kind=LineKind.PAYMENT,
            at=at + timedelta(minutes=number),
            order_no=f"settled{number:06d}",
            channel_no=f"4200{number:024d}",
            amount=Money(minor, "CNY"),
            fee=Money(6, "CNY"),
            merchant=merchant,
        )
        for number, (merchant, minor) in enumerate(rows)
    ]
    return wechat.write_trade(lines, "wx1")


def test_a_day_with_another_s_rows_keeps_no_day_waiting_and_is_settled_once_cleared_up(
    database: Database,
) -> None:
    at = datetime(2026, 3, 2, 2, tzinfo=UTC)
    foul, fair = at.date(), at.date() + timedelta(days=1)
    bills = {
        foul: wechat_bill(at, (Billed.merchant, 1000), ("1900000999", 500)),
        fair: wechat_bill(at + timedelta(days=1), (Billed.merchant, 700)),
    }
    channel: Any = Billed(bills)
    given: Any = {Channel.WECHAT: channel}
    (settled,) = settle_days(database, channel, [foul, fair])
    assert (settled.day, settled.paid.minor) == (fair, 700)
    fetch_bill(database, given, FINANCE, Channel.WECHAT, foul)
    assert settle_days(database, channel, [foul]) == []
    with database.unit_of_work() as uow:
        found, _ = reconciling.differences(uow.connection)
        for each in found:
            reconciling.propose(uow, each.id, Resolution.NOTE, "asked the channel", "one")
            reconciling.decide(uow, each.id, approve=True, by="two")
            reconciling.resolve(uow, each.id, "one")
    # However long ago: the desk fetches it again.
    fetch_bill(database, given, FINANCE, Channel.WECHAT, foul)
    assert held(database, "bank") == {"wechat": 994 + 694}
    fetch_bill(database, given, FINANCE, Channel.WECHAT, foul)
    assert settle_days(database, channel, [foul, fair]) == []
    assert held(database, "bank") == {"wechat": 994 + 694}
