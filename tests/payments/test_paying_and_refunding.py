"""In whatever order bills are paid, heard of and refunded, the ledger is what channels did."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from city.errors import Conflict
from city.identifiers import (
    AccountId,
    DistrictCode,
    FacilityId,
    OperatorId,
    ParkingSessionId,
    TariffVersionId,
    VehicleId,
    uuid7,
)
from city.money import Money
from journeys.hear_notices import take_all
from journeys.settle_notices import settle_waiting
from payments import (
    agreements,
    arrears,
    cancelling,
    channel_orders,
    channel_payments,
    channel_refunds,
    debts,
    merged_payments,
    money_back,
    services,
)
from payments.channel_notices import Told
from payments.gateway.book import Book
from payments.gateway.orders import Order as GatewayOrder
from payments.gateway.orders import Refused, State, Terms
from payments.rules import agreements as agreement_rules
from payments.rules.agreements import Leaving
from payments.rules.bills import BillState, Charge
from payments.rules.channel_orders import ChannelOrder, OrderState, RefundState
from payments.rules.channels import (
    ONLINE,
    Answer,
    Channel,
    Fate,
    Method,
    Notice,
    RefundAnswer,
    RefundFate,
)
from payments.rules.debts import account_of_debt
from payments.rules.deductions import Signed
from payments.rules.deductions import Standing as AgreementStanding
from payments.rules.ledger import arrears_of, receivable_of
from payments.store import agreements as agreement_store
from payments.store import bills as bill_store
from payments.store import order_shares

if TYPE_CHECKING:
    import pytest

    from city.time import FixedClock
    from city.works.database import Database
    from payments.rules.agreements import Agreement

MERCHANT = "1900009999"
AMOUNT = Money(1000, "CNY")
OTHER = Money(700, "CNY")
NOTHING = Money(0, "CNY")
DAILY = Money(5000, "CNY")
CERTAIN = 1000
AGREED = (Channel.WECHAT, Channel.ALIPAY)
ACTS = ("start", "both", "deduct", "hear", "notice", "cash", "refund", "void", "overdue")
DEDUCTING = {OrderState.ASKED, OrderState.OPEN, OrderState.UNKNOWN}
CHANNELS = st.sampled_from([Channel.WECHAT, Channel.ALIPAY])


def charge_of(vehicle_id: VehicleId, amount: Money) -> Charge:
    line: dict[str, Any] = {"minor": amount.minor, "units": 1}
    return Charge(
        session_id=ParkingSessionId(uuid7()),
        vehicle_id=vehicle_id,
        facility_id=FacilityId(uuid7()),
        district=DistrictCode("0153"),
        operator_id=OperatorId(uuid7()),
        revenue_nature="commercial",
        tariff_version_id=TariffVersionId(uuid7()),
        amount=amount,
        lines=(line,),
    )


class Paying(RuleBasedStateMachine):
    """A bill, and another that is paid with it or not at all, through two channels or in cash.

    With refunds and a void; the channels are the gateway's own book.
    """

    database: Database
    clock: FixedClock

    def __init__(self) -> None:
        super().__init__()
        self.book = Book()
        self.now = self.database.wall.now()
        vehicle_id = VehicleId(uuid7())
        with self.database.unit_of_work() as uow:
            self.before = self._clearing(uow)
            self.bill = services.issue_bill(uow, charge_of(vehicle_id, AMOUNT), "test")
            self.other = services.issue_bill(uow, charge_of(vehicle_id, OTHER), "test")
            self.agreements = {each: self._agrees(uow, vehicle_id, each) for each in AGREED}
        self.cash = False

    def _agrees(self, uow: Any, vehicle_id: VehicleId, channel: Channel) -> Agreement:
        """Let the driver agree that this car's bills are taken, and the channel sign it."""
        now = uow.clock.now()
        driver = AccountId(uuid7())
        given = agreement_rules.consent(driver, vehicle_id, channel, MERCHANT, AMOUNT, DAILY, now)
        agreements.consent(uow, given)
        return agreements.hear(uow, given.id, Signed(AgreementStanding.SIGNED))[0]

    def _clearing(self, uow: Any) -> int:
        found = uow.connection.execute(
            text("select coalesce(sum(minor), 0) from payments.posting where account like 'clear%'")
        )
        return int(found.scalar_one())

    def _orders(self) -> list[ChannelOrder]:
        """All orders over the first bill, alone or with the other one."""
        with self.database.read() as connection:
            return channel_orders.orders_of_bill(connection, self.bill.id) + [
                order for order, _ in order_shares.of_bills(connection, [self.bill.id])
            ]

    @rule(channel=CHANNELS)
    def start(self, channel: Channel) -> None:
        with self.database.unit_of_work() as uow:
            try:
                order = channel_payments.ask_order(
                    uow, self.bill.id, channel, MERCHANT, Method.CODE, "test"
                )
            except Conflict:
                return
        self._opens(channel, order)

    @rule(channel=CHANNELS)
    def start_both(self, channel: Channel) -> None:
        with self.database.unit_of_work() as uow:
            try:
                order = merged_payments.ask_merged(
                    uow, [self.bill.id, self.other.id], channel, MERCHANT, Method.CODE, "test"
                )
            except Conflict:
                return
        self._opens(channel, order)

    @rule(channel=CHANNELS)
    def the_bill_is_deducted(self, channel: Channel) -> None:
        """As when its car has left: by agreement, beside whatever else is under way."""
        agreement = self.agreements[channel]
        with self.database.unit_of_work() as uow:
            bill = bill_store.find_bill(uow.connection, self.bill.id, lock=True)
            assert bill is not None
            leaving = Leaving(
                outstanding=bill.outstanding,
                payable=bill.state is BillState.OPEN,
                disputed=False,
                left_at=uow.clock.now(),
                certainty=CERTAIN,
                theirs=True,
                taken_today=agreement_store.taken_since(uow.connection, agreement, self.now),
            )
            earlier = agreement_store.deductions_of(uow.connection, bill.id)
            once = all(
                each.state is OrderState.CLOSED and each.channel is not channel for each in earlier
            )
            if agreement_rules.obstacle(agreement, leaving) is not None or not once:
                return
            order = agreements.ask_deduction(uow, agreement, bill, "test")
        self._opens(channel, order)

    def _opens(self, channel: Channel, order: ChannelOrder) -> None:
        terms = Terms(order.amount.minor, "停车费", "NATIVE")
        try:
            self.book.open(channel, order.order_no, terms, at=self.now, merchant=MERCHANT)
        except Refused:
            return

    @rule(pick=st.integers(0, 5))
    def payer_pays(self, pick: int) -> None:
        known = self.book.orders()
        if pick < len(known):
            try:
                self.book.pay(known[pick].channel, known[pick].key, "payer", self.now)
            except Refused:
                return

    @rule(pick=st.integers(0, 5))
    def channel_closes(self, pick: int) -> None:
        known = self.book.orders()
        if pick < len(known):
            try:
                self.book.close(known[pick].channel, known[pick].key, self.now)
            except Refused:
                return

    @rule(pick=st.integers(0, 5), times=st.integers(1, 2))
    def we_hear(self, pick: int, times: int) -> None:
        known = self.book.orders()
        if pick >= len(known):
            return
        order = known[pick]
        fates = {State.PAID: Fate.PAID, State.CLOSED: Fate.CLOSED}
        fate = fates.get(order.state, Fate.OPEN)
        answer = (
            Answer(fate, order.channel_no, paid_of(order), MERCHANT, order.paid_at)
            if fate is Fate.PAID
            else Answer(fate)
        )
        for _ in range(times):
            with self.database.unit_of_work() as uow:
                channel_payments.hear(uow, order.order_no, answer)

    @rule(picks=st.lists(st.integers(0, 5), min_size=1, max_size=4), settled=st.booleans())
    def we_are_notified(self, picks: list[int], settled: bool = True) -> None:
        """Several notifications share a commit, each under an event of its own or told before."""
        known = self.book.orders()
        told: dict[str, Told] = {}
        for pick in picks:
            if pick < len(known) and known[pick].state is State.PAID:
                order = known[pick]
                paid = paid_of(order)
                answer = Answer(Fate.PAID, order.channel_no, paid, MERCHANT, order.paid_at)
                event = f"{order.order_no}:{len(told) % 2}"
                told[event] = Told(order.channel, Notice(event, order.order_no, "", answer), "00")
        if told:
            assert set(take_all(self.database, list(told.values()))) == {""}
        if settled:
            self.we_settle()

    @rule()
    def we_settle(self) -> None:
        """Act upon what was acknowledged, right after or when much else has happened."""
        settle_waiting(self.database)

    @rule()
    def the_bill_is_voided(self) -> None:
        with self.database.unit_of_work() as uow:
            bill = bill_store.find_bill(uow.connection, self.bill.id, lock=True)
            assert bill is not None
            try:
                cancelling.cancel_bill(uow, bill, "was wrong", "test")
            except Conflict:
                return

    @rule()
    def cash_is_taken(self) -> None:
        try:
            with self.database.unit_of_work() as uow:
                services.pay_in_cash(uow, self.bill.id, AMOUNT, "attendant-1")
        except Conflict:
            return
        self.cash = True

    @rule()
    def the_bill_falls_overdue(self) -> None:
        """As when its driver drove off: its debt goes to the arrears, whoever pays meanwhile."""
        with self.database.unit_of_work() as uow:
            arrears.fall_due(uow, self.bill.id)
        self.clock.advance(1)
        with self.database.unit_of_work() as uow:
            debts.fall_overdue(uow)

    @rule(pick=st.integers(0, 5), minor=st.integers(1, 700))
    def a_refund_is_asked_for(self, pick: int, minor: int) -> None:
        orders = self._orders()
        if pick >= len(orders):
            return
        try:
            with self.database.unit_of_work() as uow:
                money_back.ask_refund(
                    uow,
                    orders[pick].order_no,
                    uuid7().hex,
                    Money(minor, "CNY"),
                    "why",
                    "test",
                    self.bill.id,
                )
        except Conflict:
            return

    @rule(fails=st.booleans())
    def refunds_are_followed(self, fails: bool) -> None:
        with self.database.read() as connection:
            waiting = channel_refunds.unsettled(
                connection, list(ONLINE), before_at=self.database.wall.now(), limit=20
            )
        of_ours = {each.order_no: each for each in self._orders()}
        for held in waiting:
            order = of_ours.get(held.order_no)
            if order is None:
                continue
            answer = RefundAnswer(RefundFate.FAILED)
            if not fails:
                # Refused is a failure of the test: we never ask for more than was paid.
                self.book.refund(
                    order.channel,
                    order.order_no,
                    held.refund.refund_no,
                    held.refund.amount.minor,
                    at=self.now,
                )
                self.book.settle_refund(order.channel, held.refund.refund_no, self.now)
                answer = RefundAnswer(RefundFate.DONE, amount=held.refund.amount)
            with self.database.unit_of_work() as uow:
                after = money_back.hear_of_refund(uow, held.refund.refund_no, answer)
            assert after.state is (RefundState.FAILED if fails else RefundState.DONE)

    @rule(
        acts=st.lists(
            st.tuples(
                st.sampled_from(ACTS),
                CHANNELS,
                st.integers(0, 5),
            ),
            min_size=2,
            max_size=4,
        )
    )
    def at_once(self, acts: list[tuple[str, Channel, int]]) -> None:
        """Two to four of them begin in one moment, each in a transaction of its own."""
        gate = threading.Barrier(len(acts))

        def do(act: tuple[str, Channel, int]) -> None:
            name, channel, pick = act
            gate.wait()
            if name == "start":
                self.start(channel)
            elif name == "both":
                self.start_both(channel)
            elif name == "deduct":
                self.the_bill_is_deducted(channel)
            elif name == "hear":
                self.we_hear(pick, 1)
            elif name == "notice":
                self.we_are_notified([pick, (pick + 1) % 6])
            elif name == "cash":
                self.cash_is_taken()
            elif name == "void":
                self.the_bill_is_voided()
            elif name == "overdue":
                self.the_bill_falls_overdue()
            else:
                self.a_refund_is_asked_for(pick, 400)

        with ThreadPoolExecutor(len(acts)) as pool:
            list(pool.map(do, acts))

    def teardown(self) -> None:
        """Nothing that was acknowledged is forgotten, nor kept apart: each was true."""
        self.we_settle()
        with self.database.read() as connection:
            left = text("select count(*) from payments.channel_notice where verdict <> 'taken'")
            assert connection.execute(left).scalar_one() == 0
        self.the_clearing_account_is_what_the_channels_hold_by_what_we_heard()
        self.each_bill_is_settled_by_one_payment_at_most()

    @invariant()
    def the_clearing_account_is_what_the_channels_hold_by_what_we_heard(self) -> None:
        heard = {each.order_no for each in self._orders() if each.channel_no}
        holds = sum(
            order.terms.amount_minor - order.refunded_minor
            for order in self.book.orders()
            if order.order_no in heard
        )
        with self.database.unit_of_work() as uow:
            assert self._clearing(uow) - self.before == holds

    @invariant()
    def each_bill_is_settled_by_one_payment_at_most(self) -> None:
        with self.database.read() as connection:
            bills = services.bills_by_id(connection, [self.bill.id, self.other.id])
            shares = order_shares.of_bills(connection, list(bills))
        settled = {
            bill_id: sum(s.payment_id is not None for _, s in shares if s.bill_id == bill_id)
            for bill_id in bills
        }
        settled[self.bill.id] += sum(each.payment_id is not None for each in self._orders())
        settled[self.bill.id] += self.cash
        for bill_id, bill in bills.items():
            assert settled[bill_id] <= 1
            assert (bill.state is BillState.PAID) == (settled[bill_id] == 1)

    @invariant()
    def each_debt_stands_on_one_account(self) -> None:
        with self.database.read() as connection:
            for bill in services.bills_by_id(connection, [self.bill.id, self.other.id]).values():
                payee = bill.charge.operator_id
                held = {
                    account: services.balance(connection, account).get("CNY", NOTHING).minor
                    for account in (receivable_of(payee), arrears_of(payee))
                }
                kept = bill.paid_minor - bill.refunded_minor
                owed = -kept if bill.state is BillState.CANCELLED else bill.outstanding.minor
                assert held.pop(account_of_debt(bill)) == owed
                assert list(held.values()) == [0]

    @invariant()
    def a_bill_is_deducted_by_one_channel_at_a_time_and_within_limits(self) -> None:
        with self.database.read() as connection:
            taken = agreement_store.deductions_of(connection, self.bill.id)
        assert len({each.channel for each in taken}) == len(taken)
        # One that ended unpaid lets the next one try; a surplus is on its way back.
        assert sum(each.state in DEDUCTING for each in taken) <= 1
        assert sum(each.payment_id is not None for each in taken) <= 1
        assert all(each.amount <= AMOUNT for each in taken)

    @invariant()
    def what_a_merged_order_was_paid_is_a_payment_or_on_its_way_back(self) -> None:
        with self.database.read() as connection:
            shares = order_shares.of_bills(connection, [self.bill.id, self.other.id])
            refunds = channel_refunds.of_orders(connection, [order for order, _ in shares])
        for order, share in shares:
            if order.state is OrderState.PAID and share.payment_id is None:
                back = [each for each in refunds[order.id] if each.share_id == share.id]
                # One that failed is for the finance desk; it is still owed back by the ledger.
                assert [each.amount for each in back[:1]] == [share.amount]


def paid_of(order: GatewayOrder) -> Money:
    return Money(order.terms.amount_minor, "CNY")


def test_pay_hear_refund_and_close_in_any_order(
    database: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Paying, "database", database, raising=False)
    monkeypatch.setattr(Paying, "clock", clock, raising=False)
    run_state_machine_as_test(
        Paying,
        settings=settings(
            max_examples=12,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
