"""A bill is paid online once, whatever is said twice, late, at once, wrongly or never."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from sqlalchemy import Connection, text

from city.errors import Conflict, Forbidden, Invalid, Unavailable
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
from city.people.actors import Actor, system_actor
from city.people.roles import Role
from city.time import FixedClock, WallClock
from journeys.hear_notices import Notices, take_notice
from journeys.pay_online import (
    Started,
    refresh,
    refund_payment,
    start_payment,
)
from journeys.pursue_channels import Pursued, pursue, pursue_all
from journeys.settle_notices import settle_waiting
from payments import channel_orders, channel_payments, services
from payments.adapters.accounts import read_channels
from payments.gateway.app import Gateway
from payments.gateway.faults import parse_faults
from payments.rules.bills import Bill, BillState, Charge
from payments.rules.channel_orders import OrderState, RefundState, as_asked
from payments.rules.channels import (
    ONLINE,
    Answer,
    Channel,
    ChannelAdapter,
    Fate,
    Method,
    Opening,
    Order,
)
from tests.payments.merchants import Inbox, keys, pay, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from city.works.database import Database

CHANNELS = list(ONLINE)
ANYBODY = system_actor("test.driver")
FINANCE = Actor("person", "finance-1", None, frozenset({Role.FINANCE}), "finance-1")
OPERATOR = OperatorId(uuid7())


class Street:
    """A gateway, an inbox for what it tells, and adapters between."""

    def __init__(self, faults: str = "") -> None:
        self.gateway = Gateway(keys(), faults=parse_faults(faults), speed=200)
        self.gateway.start()
        self.inbox = Inbox()
        self._notices: Notices | None = None
        document = httpx.get(f"{self.gateway.address}/gateway/keys").json()
        base = self.inbox.url.removesuffix("/notify")
        self.channels: dict[Channel, ChannelAdapter] = read_channels(document, base, WallClock())

    def notices(self, database: Database) -> Notices:
        """Give what takes the notifications of all threads."""
        self._notices = self._notices or Notices(database)
        return self._notices

    def close(self) -> None:
        self.gateway.stop()
        self.inbox.close()

    def pay(self, started: Started) -> int:
        """Do as the payer who scans the code."""
        return pay(self.gateway.address, started.code)

    def told(self, database: Database, channel: Channel, index: int) -> int:
        """Hand over what the gateway told us as our route would; gives the answer's status."""
        headers, body = self.inbox.wait(index + 1)[index]
        answer = take_notice(self.notices(database), self.channels, channel, headers, body)
        settle_waiting(database)
        return 500 if answer[2] == b"failure" else answer[0]


@pytest.fixture
def street() -> Iterator[Street]:
    made = Street()
    yield made
    made.close()


def issue(database: Database, minor: int = 1250) -> Bill:
    line: dict[str, Any] = {"minor": minor, "units": 1}
    charge = Charge(
        session_id=ParkingSessionId(uuid7()),
        vehicle_id=VehicleId(uuid7()),
        facility_id=FacilityId(uuid7()),
        district=DistrictCode("0153"),
        operator_id=OPERATOR,
        revenue_nature="commercial",
        tariff_version_id=TariffVersionId(uuid7()),
        amount=Money(minor, "CNY"),
        lines=(line,),
    )
    with database.unit_of_work() as uow:
        return services.issue_bill(uow, charge, "test")


def sums(connection: Connection) -> dict[str, int]:
    """Give what each kind of account holds."""
    rows = connection.execute(
        text(
            "select split_part(account, ':', 1), sum(minor)::bigint from payments.posting"
            " group by 1 having sum(minor) <> 0"
        )
    )
    return {row[0]: row[1] for row in rows}


def state(database: Database, bill: Bill) -> BillState:
    with database.read() as connection:
        found = services.find_bill(connection, bill.id)
    assert found is not None
    return found.state


def held(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return sums(connection)


def age(database: Database, seconds: int = 120) -> None:
    """Let what was last heard lie back in time."""
    with database.unit_of_work() as uow:
        for table, asked in (("channel_order", "opened_at"), ("channel_refund", "asked_at")):
            uow.connection.execute(
                text(
                    f"update payments.{table} set heard_at ="  # noqa: S608 - two literals
                    f" coalesce(heard_at, {asked}) - make_interval(secs => :s)"
                ),
                {"s": seconds},
            )


def pursue_until(street: Street, database: Database, clearing_minor: int) -> None:
    """Run the janitor until the channels hold as much; each run as a minute later."""

    def settled() -> bool:
        age(database)
        pursue(database, street.channels)
        return held(database)["clearing"] == clearing_minor

    until(settled)


def start(
    street: Street, database: Database, bill_id: BillId, channel: Channel = Channel.WECHAT
) -> Started:
    return start_payment(database, street.channels, ANYBODY, bill_id, channel, Method.CODE)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_bill_is_paid_by_the_channel_s_word_once_however_often_it_is_said(
    street: Street, database: Database, channel: Channel
) -> None:
    bill = issue(database)
    started = start(street, database, bill.id, channel)
    assert started.order.state is OrderState.OPEN
    again = start(street, database, bill.id, channel)
    assert (again.order.order_no, again.code) == (started.order.order_no, started.code)
    assert street.pay(started) == 200
    assert state(database, bill) is BillState.OPEN
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: street.told(database, channel, 0), range(6)))
    assert set(answers) <= {200, 204}
    assert refresh(database, street.channels, started.order.order_no).state is OrderState.PAID
    assert state(database, bill) is BillState.PAID
    assert held(database) == {"clearing": 1250, "revenue": -1250}
    with database.read() as connection:
        payment = services.payment_of_bill(connection, bill.id)
    assert payment is not None
    assert (payment.channel, payment.amount) == (channel.value, bill.amount)
    with pytest.raises(Conflict):
        start(street, database, bill.id, channel)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_payment_that_nobody_told_us_of_is_found_by_asking(
    street: Street, database: Database, channel: Channel
) -> None:
    bill = issue(database)
    street.pay(start(street, database, bill.id, channel))
    assert pursue(database, street.channels) == Pursued()
    age(database)
    assert pursue(database, street.channels) == Pursued(asked=1, paid=1)
    assert state(database, bill) is BillState.PAID
    age(database)
    assert pursue(database, street.channels) == Pursued()


def test_an_order_whose_answer_was_lost_is_unknown_and_found_again(database: Database) -> None:
    street = Street("seed=1,5xx=1:after")
    try:
        bill = issue(database)
        started = start(street, database, bill.id)
        assert (started.order.state, started.code) == (OrderState.UNKNOWN, "")
        number = started.order.order_no
        order = street.gateway.desk.book.orders()[0]
        assert order.order_no == number
        street.gateway.desk.pay(order, "payer")
        assert street.told(database, Channel.WECHAT, 0) == 204
        assert state(database, bill) is BillState.PAID
    finally:
        street.close()


@pytest.mark.parametrize("first_run_s", [0, 9, 11, 29, 31, 59])
def test_whatever_is_unknown_is_known_within_two_minutes(
    street: Street, database: Database, monkeypatch: pytest.MonkeyPatch, first_run_s: int
) -> None:
    """The janitor runs once a minute; the worst is to have been asked just before its run."""
    opened_at = WallClock().now()
    for channel in CHANNELS:
        adapter = street.channels[channel]

        def lose(order: Order, payer: str = "", adapter: ChannelAdapter = adapter) -> Opening:
            type(adapter).open(adapter, order, payer)
            return Opening(Answer(Fate.UNKNOWN))

        with monkeypatch.context() as patch:
            patch.setattr(adapter, "open", lose)
            for _ in range(3):
                bill = issue(database)
                assert start(street, database, bill.id, channel).order.state is OrderState.UNKNOWN

    def unknown() -> int:
        query = "select count(*) from payments.channel_order where state in ('asked', 'unknown')"
        with database.read() as connection:
            return int(connection.execute(text(query)).scalar_one())

    assert unknown() == 3 * len(CHANNELS)
    runs = [first_run_s, first_run_s + 60]
    assert max(runs) < 120
    for run_s in runs:
        clock = FixedClock(opened_at + timedelta(seconds=run_s))
        monkeypatch.setattr(database, "wall", clock)
        pursue(database, street.channels)
    assert unknown() == 0


def test_where_a_code_was_lost_on_its_way_another_order_has_one(
    street: Street, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill, adapter = issue(database), street.channels[Channel.UNIONPAY]
    opened = adapter.open

    def lose(order: Order, payer: str = "") -> Opening:
        opened(order, payer)
        return Opening(Answer(Fate.UNKNOWN))

    with monkeypatch.context() as patch:
        patch.setattr(adapter, "open", lose)
        lost = start(street, database, bill.id, Channel.UNIONPAY)
    assert (lost.order.state, lost.code) == (OrderState.UNKNOWN, "")
    # UnionPay takes a number once: asked again for the same order it has no code for it.
    assert start(street, database, bill.id, Channel.UNIONPAY).code == ""
    monkeypatch.setattr(database, "wall", FixedClock(WallClock().now() + timedelta(seconds=15)))
    with ThreadPoolExecutor(3) as pool:
        again = list(
            pool.map(lambda _: start(street, database, bill.id, Channel.UNIONPAY), range(3))
        )
    with database.read() as connection:
        numbers = [each.order_no for each in channel_orders.orders_of_bill(connection, bill.id)]
    assert len(numbers) == 2
    assert {each.order.order_no for each in again} == {numbers[1]}
    coded = next(each for each in again if each.code)
    assert street.pay(coded) == 200
    assert street.told(database, Channel.UNIONPAY, 0) == 200
    assert held(database) == {"clearing": 1250, "revenue": -1250}


def test_a_refund_that_is_asked_for_while_the_payment_is_told_knows_the_payment(
    street: Street, database: Database
) -> None:
    bill = issue(database)
    started = start(street, database, bill.id, Channel.UNIONPAY)
    street.pay(started)
    number = started.order.order_no
    answer = street.channels[Channel.UNIONPAY].query(as_asked(started.order))

    def refund() -> RefundState:
        back = refund_payment(
            database, street.channels, FINANCE, number, "back00000001", Money(10, "CNY"), "why"
        )
        return back.state

    def waits() -> bool:
        with database.read() as connection:
            asks = text("select count(*) from pg_locks where not granted")
            return bool(connection.execute(asks).scalar_one())

    with ThreadPoolExecutor(1) as pool:
        with database.unit_of_work() as uow:
            channel_payments.hear(uow, number, answer)
            given = pool.submit(refund)
            until(waits)
        # UnionPay refunds by its own number, which was not known before.
        assert given.result() is RefundState.ASKED


def test_an_open_order_is_closed_once_its_bill_is_paid_another_way(
    street: Street, database: Database
) -> None:
    bill, wanted = issue(database), issue(database)
    started = start(street, database, bill.id)
    start(street, database, wanted.id)
    with database.unit_of_work() as uow:
        services.pay_in_cash(uow, bill.id, bill.amount, "attendant-1")
    age(database)
    assert pursue(database, street.channels) == Pursued(asked=2, closed=1)
    with database.read() as connection:
        order = channel_orders.find_order(connection, started.order.order_no)
    assert order is not None
    assert order.state is OrderState.CLOSED
    assert street.pay(started) == 409


def test_a_channel_that_is_silent_keeps_no_other_one_waiting(
    street: Street, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent, other = issue(database), issue(database)
    start(street, database, silent.id, Channel.WECHAT)
    street.pay(start(street, database, other.id, Channel.ALIPAY))
    age(database)

    def wait(order: Order) -> Answer:
        del order
        until(lambda: state(database, other) is BillState.PAID)
        return Answer(Fate.UNKNOWN)

    monkeypatch.setattr(street.channels[Channel.WECHAT], "query", wait)
    assert pursue_all(database, street.channels) == Pursued(asked=2, paid=1)
    assert state(database, silent) is BillState.OPEN


def test_of_two_channels_paid_for_one_bill_the_second_goes_back_by_itself(
    street: Street, database: Database
) -> None:
    bill = issue(database)
    first = start(street, database, bill.id, Channel.WECHAT)
    second = start(street, database, bill.id, Channel.ALIPAY)
    street.pay(first)
    street.pay(second)
    for index in range(2):
        headers, body = street.inbox.wait(2)[index]
        channel = Channel.WECHAT if "Wechatpay-Nonce" in headers else Channel.ALIPAY
        take_notice(street.notices(database), street.channels, channel, headers, body)
    assert settle_waiting(database) == 2
    assert held(database) == {"clearing": 2500, "revenue": -1250, "surplus": -1250}
    pursue_until(street, database, 1250)
    assert held(database) == {"clearing": 1250, "revenue": -1250}
    figures = street.gateway.desk.figures()
    back = [figures[each].get("refunded_minor", 0) for each in ("wechat", "alipay")]
    going = [figures[each].get("refunding_minor", 0) for each in ("wechat", "alipay")]
    assert sum(back) + sum(going) == 1250


def test_cash_taken_while_the_driver_pays_online_makes_the_online_money_a_surplus(
    street: Street, database: Database
) -> None:
    bill = issue(database)
    started = start(street, database, bill.id)
    with database.unit_of_work() as uow:
        services.pay_in_cash(uow, bill.id, bill.amount, "attendant-1")
    street.pay(started)
    assert street.told(database, Channel.WECHAT, 0) == 204
    with database.read() as connection:
        order = channel_orders.find_order(connection, started.order.order_no)
    assert order is not None
    assert (order.payment_id, order.refunded_minor) == (None, 1250)
    assert held(database)["surplus"] == -1250


@pytest.mark.parametrize("channel", CHANNELS)
def test_another_amount_is_refused_kept_and_changes_nothing(
    database: Database, channel: Channel
) -> None:
    street = Street("wrong-amount=1")
    try:
        bill = issue(database)
        started = start(street, database, bill.id, channel)
        street.pay(started)
        assert street.told(database, channel, 0) == 500
        assert state(database, bill) is BillState.OPEN
        with database.read() as connection:
            kept = connection.execute(
                text("select verdict, reason from payments.channel_notice")
            ).all()
            audited = connection.execute(
                text("select count(*) from audit.record where action = 'payments.notice_refused'")
            ).scalar_one()
        assert [tuple(row) for row in kept] == [("refused", "other-amount")]
        assert audited == 1
        assert refresh(database, street.channels, started.order.order_no).state is OrderState.PAID
        assert state(database, bill) is BillState.PAID
    finally:
        street.close()


def test_a_forged_or_foreign_notification_changes_nothing(
    street: Street, database: Database
) -> None:
    bill = issue(database)
    street.pay(start(street, database, bill.id))
    headers, body = street.inbox.wait(1)[0]
    for forged in (body + b" ", b"", b"{}", b"\xff" * 70_000):
        answer = take_notice(
            street.notices(database), street.channels, Channel.WECHAT, headers, forged
        )
        assert answer[0] == 500
    for other in (Channel.ALIPAY, Channel.UNIONPAY):
        take_notice(street.notices(database), street.channels, other, headers, body)
    assert state(database, bill) is BillState.OPEN
    with pytest.raises(Unavailable):
        take_notice(street.notices(database), {}, Channel.WECHAT, headers, body)


def test_an_order_that_nobody_paid_closes_after_its_time(
    street: Street, database: Database
) -> None:
    bill = issue(database)
    for channel in CHANNELS:
        start(street, database, bill.id, channel)
    with database.unit_of_work() as uow:
        uow.connection.execute(
            text(
                "update payments.channel_order set opened_at = opened_at - interval '1 hour',"
                " expires_at = expires_at - interval '1 hour', heard_at = null"
            )
        )
    assert pursue(database, street.channels).closed == 3
    assert state(database, bill) is BillState.OPEN
    assert start(street, database, bill.id).order.state is OrderState.OPEN


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_part_goes_back_once_under_its_number_and_never_more_than_was_paid(
    street: Street, database: Database, channel: Channel
) -> None:
    bill = issue(database)
    started = start(street, database, bill.id, channel)
    number = started.order.order_no

    def give_back(refund_no: str, minor: int, who: Actor = FINANCE) -> RefundState:
        return refund_payment(
            database, street.channels, who, number, refund_no, Money(minor, "CNY"), "too much"
        ).state

    with pytest.raises(Conflict, match="not paid"):
        give_back("REFUND0001", 1)
    street.pay(started)
    refresh(database, street.channels, number)
    with pytest.raises(Forbidden):
        give_back("REFUND0001", 250, ANYBODY)
    with pytest.raises(Invalid):
        give_back("REFUND0001", 0)
    for _ in range(2):
        assert give_back("REFUND0001", 250) in {RefundState.ASKED, RefundState.DONE}
    with pytest.raises(Conflict, match="another refund"):
        give_back("REFUND0001", 251)
    with pytest.raises(Conflict, match="more than was paid"):
        give_back("REFUND0002", 1001)
    pursue_until(street, database, 1000)
    assert held(database) == {"clearing": 1000, "revenue": -1000}
    figures = street.gateway.desk.figures()[channel.value]
    assert figures["refunded_minor"] == 250


def test_of_many_refunds_at_once_no_more_goes_back_than_was_paid(
    street: Street, database: Database
) -> None:
    bill = issue(database)
    started = start(street, database, bill.id)
    street.pay(started)
    refresh(database, street.channels, started.order.order_no)

    def give_back(index: int) -> bool:
        try:
            refund_payment(
                database,
                street.channels,
                FINANCE,
                started.order.order_no,
                f"MANY{index:06}",
                Money(400, "CNY"),
                "at once",
            )
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        given = list(pool.map(give_back, range(8)))
    assert sum(given) == 3
    with database.read() as connection:
        order = channel_orders.find_order(connection, started.order.order_no)
    assert order is not None
    assert order.refunded_minor == 1200
