"""A car leaves and its bill is taken, once, from the driver who agreed to it, or is left open."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx
import pytest
from sqlalchemy import text

from city.errors import Conflict, Invalid, NotFound, Unavailable
from city.money import Money
from city.people.roles import Role
from city.time import WallClock
from city.vault import keep_plate
from city.works.jobs import Worker
from journeys import deduct_by_agreement, keep_agreements, settle_stay
from journeys.deduct_by_agreement import deduct
from journeys.drive_stay import unbind_vehicle
from journeys.hear_notices import Notices, take_notice
from journeys.keep_agreements import Wish
from journeys.pay_online import refund_payment
from journeys.pursue_channels import pursue
from journeys.settle_notices import settle_waiting
from parking.services import stays
from payments import channel_refunds
from payments import services as payments
from payments.adapters.accounts import read_channels
from payments.gateway.app import Gateway
from payments.rules.agreements import AgreementState
from payments.rules.bills import BillState
from payments.rules.channel_bills.lines import CHINA, LineKind
from payments.rules.channel_bills.reading import read_bill
from payments.rules.channel_orders import OrderState, RefundState
from payments.rules.channels import Answer, Channel, ChannelAdapter, Fate, Method, Order
from payments.rules.deductions import Deducted, DeductingChannel, Parked
from payments.store import agreements as store
from tests.journeys.conftest import person
from tests.journeys.garage import bills
from tests.journeys.test_drivers_side import BLUE, apply, bound, move_to, parked
from tests.payments.merchants import Inbox, keys, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from city.identifiers import VehicleId
    from city.people.actors import Actor
    from city.works.jobs import Task
    from payments.rules.agreements import Agreement
    from payments.rules.bills import Bill
    from payments.rules.channel_orders import ChannelOrder
    from tests.journeys.conftest import Street

FINANCE = person("finance-1", Role.FINANCE)
CHANNELS = [Channel.WECHAT, Channel.ALIPAY]
HOLDERS = {
    Channel.WECHAT: "oGatewayPayer0000000000000000",
    Channel.ALIPAY: "2088000000000000",
}
LIMITS = (Money(50_00, "CNY"), Money(100_00, "CNY"))


@dataclass
class Channels:
    """The local gateway, what it tells, and our adapters."""

    gateway: Gateway
    inbox: Inbox = field(default_factory=Inbox)
    adapters: dict[Channel, ChannelAdapter] = field(init=False)

    def __post_init__(self) -> None:
        document = httpx.get(f"{self.gateway.address}/gateway/keys").json()
        base = self.inbox.url.removesuffix("/notify")
        self.adapters = read_channels(document, base, WallClock())

    def signs(self, channel: Channel, state: str = "normal", purse: str = "full") -> None:
        """Do as the payer does on the channel's page."""
        form = {
            "plate_number": BLUE.text,
            "plate_color": "BLUE",
            "state": state,
            "purse": purse,
            "return_url": "http://127.0.0.1:9/back?agreement=1",
        }
        address = f"{self.gateway.address}/payer/signatures/{channel.value}"
        answer = httpx.post(address, data=form)
        assert answer.status_code == 303
        back = f"http://127.0.0.1:9/back?agreement=1&holder={HOLDERS[channel]}"
        assert answer.headers["Location"] == back

    def told(self, street: Street, channel: Channel, index: int = 0) -> int:
        """Hand over what the gateway told us as our route would."""
        headers, body = self.inbox.wait(index + 1)[index]
        notices = Notices(street.database)
        status = take_notice(notices, self.adapters, channel, headers, body)[0]
        settle_waiting(street.database)
        return status


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    serving = Gateway(keys(), speed=200, open_day=True)
    serving.start()
    yield serving
    serving.stop()


@pytest.fixture
def channels(gateway: Gateway) -> Iterator[Channels]:
    made = Channels(gateway)
    yield made
    made.inbox.close()


def agreed(street: Street, channels: Channels, channel: Channel, vehicle: VehicleId) -> Agreement:
    """Let the street's driver consent, sign with the channel, and come back."""
    with street.database.unit_of_work() as uow:
        wish = Wish(vehicle, channel, *LIMITS)
        made = keep_agreements.consent(uow, channels.adapters, street.driver, wish)
    channels.signs(channel)
    return keep_agreements.confirm(
        street.database, channels.adapters, street.driver, made.id, HOLDERS[channel]
    )


def left(street: Street, channels: Channels, *chosen: Channel, minute: float = 0) -> Bill:
    """Let the driver's car come, agree to what is chosen, and leave; give its bill."""
    stay = parked(street, minute)
    vehicle = bound(street, stay)
    for channel in chosen:
        assert agreed(street, channels, channel, vehicle).state is AgreementState.SIGNED
    leaves(street, minute + 61)
    return bills(street)[0]


def leaves(street: Street, minute: float, *more: Task) -> None:
    """Let the car leave, and have its bill written, and done with what `more` does."""
    move_to(street, minute)
    apply(street, street.change(minute, ("free", minute)))
    move_to(street, minute + 1)
    with street.database.unit_of_work() as uow:
        stays.announce_settled(uow)
    tasks = [settle_stay.task(street.database), *more]
    for _ in range(1 + len(more)):  # the first job may leave another one
        Worker(street.url, tasks, database=street.database).drain()


def deducted(street: Street, channels: Channels, bill: Bill) -> ChannelOrder | None:
    return deduct(street.database, channels.adapters, bill.id)


def state(street: Street, bill: Bill) -> BillState:
    with street.database.read() as connection:
        found = payments.find_bill(connection, bill.id)
    assert found is not None
    return found.state


def standing(street: Street) -> list[tuple[AgreementState, str]]:
    with street.database.read() as connection:
        found = keep_agreements.own(connection, street.driver)
    return [(each.agreement.state, each.agreement.reason) for each in found]


def orders(street: Street, bill: Bill) -> list[ChannelOrder]:
    with street.database.read() as connection:
        return store.deductions_of(connection, bill.id)


def left_because(street: Street) -> list[str]:
    """Give why bills were not deducted, as the audit has it."""
    with street.database.read() as connection:
        found = connection.execute(
            text(
                "select value from audit.record r, jsonb_each_text(r.detail)"
                " where r.action = 'payments.deduction_left' order by r.id"
            )
        )
        return [row[0] for row in found]


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_bill_is_taken_when_the_car_has_left_and_goes_back_as_any_other(
    street: Street, channels: Channels, channel: Channel
) -> None:
    bill = left(street, channels, channel)
    order = deducted(street, channels, bill)
    assert order is not None
    assert (order.method, order.amount, order.channel) == (Method.AGREEMENT, bill.amount, channel)
    assert channels.told(street, channel) in {200, 204}
    assert state(street, bill) is BillState.PAID
    # Told again, asked again, run again: it is one deduction.
    channels.told(street, channel)
    assert deducted(street, channels, bill) is None
    assert [each.state for each in orders(street, bill)] == [OrderState.PAID]
    with street.database.read() as connection:
        (payment,) = payments.all_payments_of_bill(connection, bill.id)
    assert (payment.channel, payment.amount) == (channel.value, bill.amount)

    back = Money(2_00, "CNY")
    refund = refund_payment(
        street.database, channels.adapters, FINANCE, order.order_no, "BACK00000001", back, "gate"
    )
    adapter = channels.adapters[channel]
    until(lambda: bool(pursued(street, channels)) and refunded(street, refund.refund_no))
    content = adapter.bill(WallClock().now().astimezone(CHINA).date())
    assert content is not None
    rows = read_bill(channel, content, WallClock().now().astimezone(CHINA).date()).lines
    assert [(row.kind, row.amount.minor) for row in rows if row.order_no == order.order_no] == [
        (LineKind.PAYMENT, bill.amount.minor),
        (LineKind.REFUND, 2_00),
    ]
    with street.database.read() as connection:
        seen = connection.scalar(
            text("select string_agg(r::text, ' ') from audit.record r where action ~ '^payments'")
        )
    assert BLUE.text not in (seen or "")


def pursued(street: Street, channels: Channels) -> bool:
    """Run the janitor as a minute later."""
    street.wall.advance(60)
    pursue(street.database, channels.adapters)
    return True


def refunded(street: Street, refund_no: str) -> bool:
    with street.database.read() as connection:
        found = channel_refunds.find(connection, refund_no)
    return found is not None and found.refund.state is RefundState.DONE


def test_the_job_that_bills_a_stay_has_it_deducted(street: Street, channels: Channels) -> None:
    agreed(street, channels, Channel.WECHAT, bound(street, parked(street)))
    leaves(street, 61, deduct_by_agreement.task(street.database, channels.adapters))
    (bill,) = bills(street)
    (order,) = orders(street, bill)
    assert order.state is OrderState.OPEN
    # No word came: the janitor asks.
    until(lambda: pursued(street, channels) and state(street, bill) is BillState.PAID)


def test_an_account_without_money_leaves_the_bill_to_be_paid_another_way(
    street: Street, channels: Channels
) -> None:
    bill = left(street, channels, Channel.WECHAT)
    channels.signs(Channel.WECHAT, purse="empty")
    order = deducted(street, channels, bill)
    assert order is not None
    assert order.state is OrderState.OPEN
    assert channels.told(street, Channel.WECHAT) == 204
    assert [each.state for each in orders(street, bill)] == [OrderState.CLOSED]
    assert state(street, bill) is BillState.OPEN
    assert deducted(street, channels, bill) is None
    assert standing(street) == [(AgreementState.SIGNED, "")]
    with street.database.unit_of_work() as uow:
        assert payments.pay_in_cash(uow, bill.id, bill.amount, street.attendant.subject).fresh
    assert state(street, bill) is BillState.PAID


@pytest.mark.parametrize(
    ("said", "after"),
    [
        ("paused", (AgreementState.PAUSED, "PAUSE")),
        ("stopped", (AgreementState.ENDED, "OUT_SERVICE")),
    ],
)
def test_what_the_payer_stopped_at_the_channel_is_not_deducted(
    street: Street, channels: Channels, said: str, after: tuple[AgreementState, str]
) -> None:
    bill = left(street, channels, Channel.WECHAT)
    channels.signs(Channel.WECHAT, state=said)
    order = deducted(street, channels, bill)
    assert order is not None
    assert order.state is OrderState.CLOSED
    assert standing(street) == [after]
    assert state(street, bill) is BillState.OPEN


class Deaf:
    """A channel whose answers to deductions are lost on their way, as its hooks are."""

    def __init__(self, adapter: DeductingChannel) -> None:
        self._adapter = adapter
        self.asked = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._adapter, name)

    def deduct(self, order: Order, told: Parked) -> Deducted:
        self.asked += 1
        self._adapter.deduct(order, told)
        return Deducted(Answer(Fate.UNKNOWN, reason="timeout"))


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_deduction_whose_answer_was_lost_is_asked_after_and_made_once(
    street: Street, channels: Channels, channel: Channel
) -> None:
    bill = left(street, channels, channel)
    adapter = channels.adapters[channel]
    assert isinstance(adapter, DeductingChannel)
    deaf = Deaf(adapter)
    assert isinstance(deaf, DeductingChannel)
    for again in range(2):
        try:
            deduct(street.database, {channel: deaf}, bill.id)
        except Unavailable:
            assert again == 0
    assert deaf.asked == 1
    until(lambda: pursued(street, channels) and state(street, bill) is BillState.PAID)
    assert len(orders(street, bill)) == 1


def test_where_one_channel_refuses_the_next_one_that_was_agreed_to_is_asked(
    street: Street, channels: Channels
) -> None:
    bill = left(street, channels, Channel.ALIPAY, Channel.WECHAT)
    channels.signs(Channel.ALIPAY, purse="empty")
    order = deducted(street, channels, bill)
    assert order is not None
    assert (order.channel, order.state) == (Channel.WECHAT, OrderState.OPEN)
    assert [(each.channel, each.state) for each in orders(street, bill)] == [
        (Channel.ALIPAY, OrderState.CLOSED),
        (Channel.WECHAT, OrderState.OPEN),
    ]
    until(lambda: pursued(street, channels) and state(street, bill) is BillState.PAID)


def test_workers_that_take_one_job_at_once_make_one_deduction(
    street: Street, channels: Channels
) -> None:
    bill = left(street, channels, Channel.WECHAT)
    before = len(channels.gateway.desk.book.orders())
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: deducted(street, channels, bill), range(4)))
    assert len({each.order_no for each in done if each is not None}) == 1
    assert len(orders(street, bill)) == 1
    assert len(channels.gateway.desk.book.orders()) == before + 1
    assert channels.told(street, Channel.WECHAT) == 204
    assert state(street, bill) is BillState.PAID


def test_stays_from_before_the_signature_and_cars_given_up_are_not_deducted(
    street: Street, channels: Channels
) -> None:
    before = left(street, channels)
    with street.database.unit_of_work() as uow:
        vehicle = keep_plate(uow, BLUE)
    agreed(street, channels, Channel.WECHAT, vehicle)
    assert deducted(street, channels, before) is None
    assert left_because(street) == ["before-signing"]
    with street.database.unit_of_work() as uow:
        unbind_vehicle(uow, street.driver, vehicle)
    assert standing(street) == [(AgreementState.ENDED, "not-theirs")]


def test_a_driver_agrees_for_cars_of_their_own_within_limits_and_ends_it_again(
    street: Street, channels: Channels
) -> None:
    vehicle = bound(street, parked(street))
    stranger = person("driver-2", Role.DRIVER)

    def consent(by: Actor, single: int = 50_00) -> Agreement:
        wish = Wish(vehicle, Channel.WECHAT, Money(single, "CNY"), Money(100_00, "CNY"))
        with street.database.unit_of_work() as uow:
            return keep_agreements.consent(uow, channels.adapters, by, wish)

    def confirm(holder: str) -> AgreementState:
        return keep_agreements.confirm(
            street.database, channels.adapters, street.driver, made.id, holder
        ).state

    with pytest.raises(NotFound):
        consent(stranger)
    with pytest.raises(Invalid):
        consent(street.driver, 500_01)
    made = consent(street.driver)
    with pytest.raises(Conflict):
        consent(street.driver)
    channels.signs(Channel.WECHAT, state="stopped")
    assert confirm(HOLDERS[Channel.WECHAT]) is AgreementState.ASKED
    channels.signs(Channel.WECHAT)
    assert confirm("oSomebodyElse000000000000000") is AgreementState.ASKED
    assert confirm(HOLDERS[Channel.WECHAT]) is AgreementState.SIGNED
    with pytest.raises(NotFound), street.database.unit_of_work() as uow:
        keep_agreements.end(uow, stranger, made.id)
    with street.database.unit_of_work() as uow:
        assert keep_agreements.end(uow, street.driver, made.id).state is AgreementState.ENDED
    with pytest.raises(Conflict), street.database.unit_of_work() as uow:
        keep_agreements.end(uow, street.driver, made.id)
    assert consent(street.driver).id != made.id
