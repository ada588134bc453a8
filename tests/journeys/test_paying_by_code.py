"""A payer's code is charged once, and what is not known of it stays unknown until it is known."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import text

from city.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from city.people.actors import Actor
from city.people.roles import Role
from journeys import pay_by_code
from journeys.pay_by_code import Charged, call_off_code, charge_code, follow_code
from journeys.pursue_channels import pursue
from payments import channel_orders, services
from payments.rules.bills import BillState
from payments.rules.channel_orders import OrderState
from payments.rules.channels import ONLINE, Answer, Channel, ChannelAdapter, Fate, Opening
from payments.rules.payer_codes import Refused, read_code
from tests.journeys.test_paying_online import Street, age, held, issue, state, street

if TYPE_CHECKING:
    from city.works.database import Database
    from payments.rules.bills import Bill
    from payments.rules.channels import Order

__all__ = ["street"]

ATTENDANT = Actor("person", "attendant-1", None, frozenset({Role.ATTENDANT}), "attendant-1")
BEGINS = {
    Channel.WECHAT: "1300610988280094",
    Channel.ALIPAY: "2876339300000000",
    Channel.UNIONPAY: "62000000000000000",
}
PAYS, PASSWORD, UNCLEAR, EMPTY, EXPIRED = "11", "03", "20", "05", "09"
NUMBER = "SCAN000001"


def charge(
    street: Street,
    database: Database,
    bill: Bill,
    ending: str,
    number: str = NUMBER,
    channel: Channel = Channel.WECHAT,
) -> Charged:
    code = f"{BEGINS[channel]}{ending}"
    return charge_code(database, street.channels, ATTENDANT, bill.id, code, number)


def follow(street: Street, database: Database, bill: Bill, number: str = NUMBER) -> Charged:
    age(database)
    return follow_code(database, street.channels, ATTENDANT, bill.id, number)


def confirm(street: Street) -> int:
    """Type the password, as the payer does on their own phone."""
    shown = httpx.get(
        f"{street.gateway.address}/payer/codes", headers={"Accept": "application/json"}
    ).json()
    page = f"{street.gateway.address}{shown['waiting'][-1]['page']}/pay"
    return httpx.post(page, headers={"Accept": "application/json"}).status_code


def opened_before(database: Database, seconds: int) -> None:
    with database.unit_of_work() as uow:
        uow.connection.execute(
            text(
                "update payments.channel_order set opened_at ="
                " opened_at - make_interval(secs => :s),"
                " expires_at = expires_at - make_interval(secs => :s)"
            ),
            {"s": seconds},
        )


def orders(database: Database, bill: Bill) -> list[Any]:
    with database.read() as connection:
        return channel_orders.orders_of_bill(connection, bill.id)


@pytest.mark.parametrize(
    ("shown", "channel"),
    [
        ("10" + "0" * 16, Channel.WECHAT),
        ("15" + "9" * 16, Channel.WECHAT),
        ("1343 0610 9882 8009 40", Channel.WECHAT),
        ("25" + "0" * 14, Channel.ALIPAY),
        ("30" + "0" * 22, Channel.ALIPAY),
        ("62" + "1" * 17, Channel.UNIONPAY),
    ],
)
def test_a_code_tells_by_its_first_digits_whose_it_is(shown: str, channel: Channel) -> None:
    assert read_code(shown) == (channel, shown.replace(" ", ""))


@pytest.mark.parametrize(
    "shown",
    ["", "16" + "0" * 16, "13" + "0" * 15, "13" + "0" * 17, "31" + "0" * 16, "24" + "0" * 16,
     "25" + "0" * 13, "25" + "0" * 23, "62" + "1" * 16, "https://example.org/", "1３" + "0" * 16],
)  # fmt: skip
def test_what_is_no_payers_code_is_refused_and_not_repeated(shown: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_code(shown)
    assert not shown or shown not in str(refused.value)


@pytest.mark.parametrize("channel", ONLINE)
def test_a_code_is_charged_once_however_often_it_is_sent(
    street: Street, database: Database, channel: Channel
) -> None:
    bill = issue(database)
    with ThreadPoolExecutor(4) as pool:
        done = list(
            pool.map(lambda _: charge(street, database, bill, PAYS, channel=channel), range(4))
        )
    assert {each.order.order_no for each in done} == {NUMBER}
    again = charge(street, database, bill, PAYS, channel=channel)
    assert (again.order.state, again.earlier, again.bill.state) == (
        OrderState.PAID,
        False,
        BillState.PAID,
    )
    assert len(street.gateway.desk.book.orders()) == 1
    assert held(database) == {"clearing": 1250, "revenue": -1250}
    with database.read() as connection:
        payment = services.payment_of_bill(connection, bill.id)
    assert payment is not None
    assert payment.channel == channel.value
    with pytest.raises(Conflict):
        charge(street, database, bill, PAYS, "SCAN000002", channel)


@pytest.mark.parametrize("channel", ONLINE)
def test_a_payer_who_must_confirm_is_waited_for(
    street: Street, database: Database, channel: Channel
) -> None:
    bill = issue(database)
    assert charge(street, database, bill, PASSWORD, channel=channel).order.state is OrderState.OPEN
    assert follow(street, database, bill).order.state is OrderState.OPEN
    assert state(database, bill) is BillState.OPEN
    # Another code of the bill is not charged while this one may still be paid.
    other = charge(street, database, bill, PAYS, "SCAN000002", channel)
    assert (other.order.order_no, other.earlier) == (NUMBER, True)
    assert len(orders(database, bill)) == 1
    assert confirm(street) == 200
    after = follow(street, database, bill)
    assert (after.order.state, after.bill.state) == (OrderState.PAID, BillState.PAID)
    assert held(database) == {"clearing": 1250, "revenue": -1250}


@pytest.mark.parametrize("channel", ONLINE)
@pytest.mark.parametrize(("ending", "why"), [(EMPTY, Refused.FUNDS), (EXPIRED, Refused.CODE)])
def test_a_code_that_takes_no_money_says_why_and_the_next_one_pays(
    street: Street, database: Database, channel: Channel, ending: str, why: Refused
) -> None:
    bill = issue(database)
    refused = charge(street, database, bill, ending, channel=channel)
    # UnionPay has one answer for whatever its payer's bank refuses.
    one = channel is Channel.UNIONPAY and ending == EXPIRED
    assert (refused.order.state, refused.refused) == (
        OrderState.CLOSED,
        Refused.CHANNEL if one else why,
    )
    # Under the number that ended nothing is charged, whatever code comes with it.
    assert charge(street, database, bill, PAYS, channel=channel).order.state is OrderState.CLOSED
    assert "clearing" not in held(database)
    paid = charge(street, database, bill, PAYS, "SCAN000002", channel)
    assert (paid.order.state, paid.bill.state) == (OrderState.PAID, BillState.PAID)


@pytest.mark.parametrize("channel", ONLINE)
def test_an_outcome_that_the_channel_does_not_know_is_asked_for_and_not_charged_again(
    street: Street, database: Database, channel: Channel
) -> None:
    bill = issue(database)
    first = charge(street, database, bill, UNCLEAR, channel=channel)
    assert first.order.state is OrderState.UNKNOWN
    assert state(database, bill) is BillState.OPEN
    age(database)
    pursue(database, street.channels)
    assert state(database, bill) is BillState.PAID
    assert len(street.gateway.desk.book.orders()) == 1


class Deaf:
    """A channel that hears, and whose answers are lost."""

    def __init__(self, behind: ChannelAdapter, *, hears: bool) -> None:
        self._behind, self._hears = behind, hears
        self.channel, self.merchant = behind.channel, behind.merchant

    def open(self, order: Order, payer: str = "") -> Opening:
        if self._hears:
            self._behind.open(order, payer)
        return Opening(Answer(Fate.UNKNOWN, reason="timeout"))

    def query(self, order: Order) -> Answer:
        del order
        return Answer(Fate.UNKNOWN, reason="timeout")

    close = query


@pytest.mark.parametrize("hears", [True, False])
def test_of_a_silent_channel_nothing_is_believed_until_it_speaks(
    street: Street, database: Database, *, hears: bool
) -> None:
    bill = issue(database)
    silent: Any = {Channel.WECHAT: Deaf(street.channels[Channel.WECHAT], hears=hears)}
    code = f"{BEGINS[Channel.WECHAT]}{PAYS}"
    sent = charge_code(database, silent, ATTENDANT, bill.id, code, NUMBER)
    assert (sent.order.state, sent.refused) == (OrderState.UNKNOWN, None)
    again = charge_code(database, silent, ATTENDANT, bill.id, code, NUMBER)
    assert again.order.state is OrderState.UNKNOWN
    opened_before(database, 20)
    off = call_off_code(database, silent, ATTENDANT, bill.id, NUMBER)
    assert off.order.state is OrderState.UNKNOWN
    # It speaks again: what it heard is paid; what never reached it ends when its time is over.
    opened_before(database, 200)
    age(database)
    pursue(database, street.channels)
    assert state(database, bill) is (BillState.PAID if hears else BillState.OPEN)
    ended = orders(database, bill)[0].state
    assert ended is (OrderState.PAID if hears else OrderState.CLOSED)


def test_a_charge_is_called_off_where_the_channel_can_and_never_at_once(
    street: Street, database: Database
) -> None:
    for channel in (Channel.WECHAT, Channel.ALIPAY):
        bill = issue(database)
        number = f"SCAN{channel.value.upper()}"
        charge(street, database, bill, PASSWORD, number, channel)
        with pytest.raises(Conflict):
            call_off_code(database, street.channels, ATTENDANT, bill.id, number)
        opened_before(database, 20)
        off = call_off_code(database, street.channels, ATTENDANT, bill.id, number)
        assert off.order.state is OrderState.CLOSED
        again = call_off_code(database, street.channels, ATTENDANT, bill.id, number)
        assert again.order.state is OrderState.CLOSED
        paid = charge(street, database, bill, PAYS, f"{number}2", channel)
        assert paid.bill.state is BillState.PAID
    assert held(database) == {"clearing": 2500, "revenue": -2500}


def test_a_charge_that_is_paid_by_now_is_paid_and_not_called_off(
    street: Street, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    # UnionPay knows an order by when it was opened too, so that no order is made older here.
    monkeypatch.setattr(pay_by_code, "CALLED_OFF_AFTER", timedelta(0))
    for channel in ONLINE:
        bill = issue(database)
        number = f"SCAN{channel.value.upper()}"
        charge(street, database, bill, PASSWORD, number, channel)
        confirm(street)
        off = call_off_code(database, street.channels, ATTENDANT, bill.id, number)
        assert (off.order.state, off.bill.state) == (OrderState.PAID, BillState.PAID)


def test_a_charge_that_its_payer_leaves_is_ended_by_the_janitor(
    street: Street, database: Database
) -> None:
    bill = issue(database)
    charge(street, database, bill, PASSWORD)
    opened_before(database, 130)
    age(database)
    pursue(database, street.channels)
    assert orders(database, bill)[0].state is OrderState.CLOSED
    assert "clearing" not in held(database)


def test_only_who_stands_before_the_payer_charges_a_code_of_their_own_district(
    street: Street, database: Database
) -> None:
    bill, code = issue(database), f"{BEGINS[Channel.WECHAT]}{PAYS}"
    driver = Actor("person", "driver-1", None, frozenset({Role.DRIVER}), "driver-1")
    elsewhere = replace(ATTENDANT, districts=frozenset({"0154"}))
    for nobody in (driver, elsewhere):
        with pytest.raises(Forbidden):
            charge_code(database, street.channels, nobody, bill.id, code, NUMBER)
        with pytest.raises(Forbidden):
            follow_code(database, street.channels, nobody, bill.id, NUMBER)
        with pytest.raises(Forbidden):
            call_off_code(database, street.channels, nobody, bill.id, NUMBER)
    with pytest.raises(Unavailable):
        charge_code(database, {}, ATTENDANT, bill.id, code, NUMBER)
    assert orders(database, bill) == []
    with pytest.raises(NotFound):
        follow_code(database, street.channels, ATTENDANT, bill.id, NUMBER)
    charge(street, database, bill, PAYS)
    other = issue(database)
    with pytest.raises(NotFound):
        follow_code(database, street.channels, ATTENDANT, other.id, NUMBER)
    with pytest.raises(Conflict):
        charge(street, database, other, PAYS)


def test_a_code_is_kept_nowhere(street: Street, database: Database) -> None:
    code = f"{BEGINS[Channel.WECHAT]}{PAYS}"
    charge(street, database, issue(database), PAYS)
    with database.read() as connection:
        tables = connection.execute(
            text(
                "select schemaname, tablename from pg_tables"
                " where schemaname in ('payments', 'audit', 'works', 'vault')"
            )
        ).all()
        for schema, table in tables:
            found = connection.scalar(
                text(
                    f'select count(*) from "{schema}"."{table}" t'  # noqa: S608 - names of tables
                    " where t::text like :code"
                ),
                {"code": f"%{code}%"},
            )
            assert found == 0, f"{schema}.{table}"
