"""Several bills of one vehicle are paid by one order, each by its own part of it, once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.exc import IntegrityError

from city.errors import Conflict, Invalid, NotFound
from city.identifiers import (
    BillId,
    DistrictCode,
    FacilityId,
    OperatorId,
    ParkingSessionId,
    TariffVersionId,
    VehicleId,
    uuid7,
)
from city.money import Money
from city.people.actors import Actor
from city.people.roles import Role
from journeys import pay_by_link, pay_together
from journeys.hear_notices import take_all
from journeys.pay_online import refresh, refund_payment, start_merged, start_payment
from journeys.pursue_channels import pursue
from journeys.settle_notices import settle_waiting
from payments import merged_payments, services
from payments.channel_notices import Told
from payments.rules.bills import Bill, BillState, Charge
from payments.rules.channel_orders import OrderState, RefundState
from payments.rules.channels import Answer, Channel, Fate, Method, Notice
from payments.rules.pay_links import Scope
from payments.store import order_shares
from tests.journeys.test_paying_online import ANYBODY, Street, age, sums

if TYPE_CHECKING:
    from collections.abc import Iterator

    from city.works.database import Database
    from payments.rules.channel_orders import ChannelOrder
    from payments.rules.order_shares import Share

FINANCE = Actor("person", "finance-1", None, frozenset({Role.FINANCE}), "finance-1")


@pytest.fixture
def street() -> Iterator[Street]:
    made = Street()
    yield made
    made.close()


def owing(database: Database, *minors: int, nature: str = "commercial") -> list[Bill]:
    """Give a vehicle a bill over each sum."""
    vehicle_id, bills = VehicleId(uuid7()), []
    for minor in minors:
        line: dict[str, Any] = {"minor": minor, "units": 1}
        charge = Charge(
            session_id=ParkingSessionId(uuid7()),
            vehicle_id=vehicle_id,
            facility_id=FacilityId(uuid7()),
            district=DistrictCode("0153"),
            operator_id=OperatorId(uuid7()),
            revenue_nature=nature,
            tariff_version_id=TariffVersionId(uuid7()),
            amount=Money(minor, "CNY"),
            lines=(line,),
        )
        with database.unit_of_work() as uow:
            bills.append(services.issue_bill(uow, charge, "test"))
    return bills


def states(database: Database, bills: list[Bill]) -> list[BillState]:
    with database.read() as connection:
        found = services.bills_by_id(connection, [each.id for each in bills])
    return [found[each.id].state for each in bills]


def shares(database: Database, order: ChannelOrder, bills: list[Bill]) -> list[Share]:
    with database.read() as connection:
        found = {
            each.bill_id: each for each in order_shares.of_orders(connection, [order.id])[order.id]
        }
    return [found[each.id] for each in bills]


def paid(order: ChannelOrder) -> Answer:
    return Answer(Fate.PAID, f"CH-{order.order_no}", order.amount, order.merchant)


def test_one_payment_settles_each_bill_and_what_cash_paid_meanwhile_goes_back_alone(
    database: Database, street: Street
) -> None:
    bills = owing(database, 600, 900, 1250)
    with database.unit_of_work() as uow:
        before = sums(uow.connection)
    started = start_merged(
        database, street.channels, ANYBODY, [each.id for each in bills], Channel.ALIPAY, Method.CODE
    )
    assert started.order.amount == Money(2750, "CNY")
    with database.unit_of_work() as uow:
        services.pay_in_cash(uow, bills[1].id, Money(900, "CNY"), "attendant-1")
    assert street.pay(started) == 200
    order = refresh(database, street.channels, started.order.order_no)
    assert (order.state, order.refunded_minor) == (OrderState.PAID, 900)
    assert states(database, bills) == [BillState.PAID] * 3
    of_bills = shares(database, order, bills)
    assert [each.payment_id is None for each in of_bills] == [False, True, False]
    assert [each.refunded_minor for each in of_bills] == [0, 900, 0]
    age(database)
    pursue(database, street.channels)
    (held,) = street.gateway.desk.book.orders()
    assert (held.terms.amount_minor, held.refunded_minor) == (2750, 900)
    with database.unit_of_work() as uow:
        after = sums(uow.connection)
    grown = {name: after.get(name, 0) - before.get(name, 0) for name in ("clearing", "surplus")}
    assert grown == {"clearing": 1850, "surplus": 0}
    # Of each bill a part goes back by itself, and never more than its own part was.
    done = refund_payment(
        database,
        street.channels,
        FINANCE,
        order.order_no,
        uuid7().hex,
        Money(200, "CNY"),
        "the barrier stood still",
        bills[0].id,
    )
    assert done.state is RefundState.DONE
    with pytest.raises(Conflict, match="more than was paid"):
        refund_payment(
            database,
            street.channels,
            FINANCE,
            order.order_no,
            uuid7().hex,
            Money(401, "CNY"),
            "the barrier stood still",
            bills[0].id,
        )
    with pytest.raises(Invalid, match="name one of them"):
        refund_payment(
            database, street.channels, FINANCE, order.order_no, uuid7().hex, Money(1, "CNY"), "why"
        )
    with database.read() as connection:
        found = services.bills_by_id(connection, [each.id for each in bills])
    assert [found[each.id].refunded_minor for each in bills] == [200, 0, 0]


def test_two_orders_over_the_same_bills_notified_at_once_settle_them_once(
    database: Database,
) -> None:
    bills = owing(database, 600, 900)
    ids = [each.id for each in bills]
    with database.unit_of_work() as uow:
        both = merged_payments.ask_merged(uow, ids, Channel.WECHAT, "M1", Method.CODE, "test")
        again = merged_payments.ask_merged(uow, ids, Channel.WECHAT, "M1", Method.CODE, "test")
        other = merged_payments.ask_merged(uow, ids, Channel.ALIPAY, "M1", Method.CODE, "test")
    assert again.order_no == both.order_no

    def told(order: ChannelOrder, event: int) -> Told:
        number = f"{order.order_no}:{event}"
        return Told(order.channel, Notice(number, order.order_no, "", paid(order)), "00")

    with ThreadPoolExecutor(4) as pool:
        batches = [[told(both, 1), told(other, 1)], [told(other, 2)], [told(both, 2)]]
        answers = list(pool.map(lambda each: take_all(database, each), batches))
    assert {said for batch in answers for said in batch} == {""}
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(settle_waiting, [database] * 3))
    assert states(database, bills) == [BillState.PAID, BillState.PAID]
    settled = [
        [share.payment_id is not None for share in shares(database, order, bills)]
        for order in (both, other)
    ]
    # All of one order, nothing of the other: its money goes back, bill by bill.
    assert sorted(settled) == [[False, False], [True, True]]
    lost = (both, other)[settled.index([False, False])]
    assert [each.refunded_minor for each in shares(database, lost, bills)] == [600, 900]


def test_bills_of_two_vehicles_or_none_of_ours_are_not_paid_together(
    database: Database, street: Street
) -> None:
    (mine,), (theirs,) = owing(database, 600), owing(database, 600)
    with pytest.raises(Invalid, match="several vehicles"):
        start_merged(
            database, street.channels, ANYBODY, [mine.id, theirs.id], Channel.WECHAT, Method.CODE
        )
    gone = BillId(uuid7())
    with pytest.raises(NotFound):
        start_merged(
            database, street.channels, ANYBODY, [mine.id, gone], Channel.WECHAT, Method.CODE
        )
    with database.unit_of_work() as uow:
        links = [pay_by_link.give_link(uow, each.id, Scope.AMOUNT) for each in (mine, theirs)]
        with pytest.raises(Invalid, match="several vehicles"):
            pay_together.bind(uow, links)


def test_the_database_refuses_shares_that_do_not_add_up(database: Database) -> None:
    ids = [each.id for each in owing(database, 600, 900)]
    with database.unit_of_work() as uow:
        order = merged_payments.ask_merged(uow, ids, Channel.WECHAT, "M1", Method.CODE, "test")

    def lose_a_fen() -> None:
        with database.unit_of_work() as uow:
            uow.connection.exec_driver_sql(
                "update payments.order_share set refunded_minor = 1 where order_id = %(order)s"
                " and amount_minor = 600",
                {"order": order.id},
            )

    with pytest.raises(IntegrityError, match="do not add up"):
        lose_a_fen()


def test_a_bundle_pays_what_is_still_owed_and_shows_each_receipt(
    database: Database, street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    bills = owing(database, 600, 900)
    with database.unit_of_work() as uow:
        links = [pay_by_link.give_link(uow, each.id) for each in bills]
        text = pay_together.bind(uow, links)
        alone = pay_by_link.give_link(uow, bills[0].id)
    single = start_payment(
        database, street.channels, ANYBODY, bills[0].id, Channel.UNIONPAY, Method.CODE
    )
    street.pay(single)
    refresh(database, street.channels, single.order.order_no)
    started = pay_together.start(database, street.channels, text, Channel.WECHAT)
    assert started.order.amount == Money(900, "CNY")
    street.pay(started)
    monkeypatch.setattr(pay_together, "ASKED_AGAIN_AFTER", timedelta(0))
    followed = pay_together.follow(database, street.channels, text, started.order.order_no)
    assert followed.state is OrderState.PAID
    with database.unit_of_work() as uow:
        found = pay_together.look(uow, text)
        own = pay_by_link.look(uow, alone)
        with pytest.raises(NotFound):
            pay_together.order_of(uow, text, single.order.order_no)
    assert found.outstanding == Money(0, "CNY")
    by = {each.bill.id: each.settled_by[0].channel for each, _ in found.bills if each.settled_by}
    assert [by[each.id] for each in bills] == [Channel.UNIONPAY, Channel.WECHAT]
    assert own.settled_by is not None
    with pytest.raises(Conflict, match="takes money"):
        pay_together.start(database, street.channels, text, Channel.ALIPAY)
