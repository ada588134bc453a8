"""What a card holds is what came onto it and did not go off it, whoever asks for it at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from city.errors import Conflict, Forbidden, Invalid
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
from city.people.actors import Actor
from city.people.roles import Role
from journeys import keep_cards
from journeys.pay_online import refund_payment
from journeys.pursue_channels import pursue
from journeys.reconcile_cards import reconcile_cards, reconcile_yesterday
from journeys.refund_cash import refund_cash
from journeys.wiring import channels_of
from payments import cards, channel_payments, giving_back, services
from payments.adapters.stored_value import MERCHANT
from payments.rules.bills import Bill, BillState, Charge
from payments.rules.cards import Card, CardState, MovementKind, check_number, number_of
from payments.rules.channel_orders import OrderState, as_asked
from payments.rules.channel_registry import TRAITS, billed_days
from payments.rules.channels import Channel, Fate, Method
from payments.rules.ledger import AccountKind, Entry, EntryKind, Posting, cash_of, stored_value_of
from payments.store import card_sums, ledger
from payments.store import cards as store
from tests.payments.merchants import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from city.time import FixedClock
    from city.works.database import Database, UnitOfWork

BY = "attendant-1"
FINANCE = Actor("person", "finance-1", None, frozenset({Role.FINANCE}), "finance-1")


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


def card_with(database: Database, minor: int, holder: str | None = None) -> Card:
    with database.unit_of_work() as uow:
        card = cards.issue(uow, BY, holder).card
        if minor:
            cards.top_up_in_cash(uow, card.id, cny(minor), BY)
        return cards.held(uow, card.id)


def now_on(database: Database, card_id: UUID) -> Card:
    with database.unit_of_work() as uow:
        return cards.held(uow, card_id)


def owing(database: Database, minor: int) -> Bill:
    line: dict[str, Any] = {"minor": minor, "units": 1}
    charge = Charge(
        session_id=ParkingSessionId(uuid7()),
        vehicle_id=VehicleId(uuid7()),
        facility_id=FacilityId(uuid7()),
        district=DistrictCode("0153"),
        operator_id=OperatorId(uuid7()),
        revenue_nature="commercial",
        tariff_version_id=TariffVersionId(uuid7()),
        amount=cny(minor),
        lines=(line,),
    )
    with database.unit_of_work() as uow:
        return services.issue_bill(uow, charge, "test")


def debited(database: Database, card: Card, bill: Bill, order_no: str, part: int) -> Any:
    """Ask for an order and take it off a card; what came of it is not heard yet."""
    with database.unit_of_work() as uow:
        order = channel_payments.ask_order(
            uow, bill.id, Channel.CARD, MERCHANT, Method.CODE, BY,
            order_no=order_no, part=cny(part),
        )  # fmt: skip
    adapter = channels_of({}, database)[Channel.CARD]
    return adapter.open(as_asked(order), str(card.id)).answer


def heard(database: Database, order_no: str, answer: Any) -> channel_payments.Learned:
    with database.unit_of_work() as uow:
        return channel_payments.hear(uow, order_no, answer)


def test_a_cards_number_checks_itself() -> None:
    # The published example of ISO/IEC 7812-1's formula, and a card of a known test range.
    assert number_of("453914880343646") == "4539148803436467"
    assert check_number("4539 1488 0343 6467") == "4539148803436467"
    for wrong in ("4539148803436468", "4539148803463467", "453914880343646", "４539148803436467"):
        with pytest.raises(Invalid):
            check_number(wrong)


def test_a_channel_that_pays_nothing_out_has_no_days_to_settle(clock: FixedClock) -> None:
    today = clock.now().date()
    assert set(TRAITS) == set(Channel)
    assert billed_days(Channel.CARD, today) == []
    weeks = billed_days(Channel.ALIPAY, today)
    assert (weeks[0], weeks[-1]) == (today - timedelta(days=7), today - timedelta(days=1))


def back(uow: UnitOfWork, _card: UUID, amount: Money, orders: list[str]) -> Any:
    return cards.give_back(uow, orders[-1], uuid7().hex, amount, BY) if orders else None


def again(uow: UnitOfWork, _card: UUID, _amount: Money, orders: list[str]) -> Any:
    paid = cards.debit_of(uow, orders[-1]) if orders else None
    if paid is not None:
        assert cards.debit(uow, paid.card_id, orders[-1], -paid.amount, BY) == paid
    return paid


def replaced(uow: UnitOfWork, card: UUID, _amount: Money, _orders: list[str]) -> Any:
    before = cards.held(uow, card).balance
    issued = cards.replace_card(uow, card, BY)
    assert (cards.held(uow, issued.card.id).balance, cards.held(uow, card).balance) == (
        before,
        cny(0),
    )
    return issued


DEEDS: dict[str, Callable[[UnitOfWork, UUID, Money, list[str]], Any]] = {
    "top-up": lambda uow, card, amount, _: cards.top_up_in_cash(uow, card, amount, BY),
    "debit": lambda uow, card, amount, _: cards.debit(uow, card, uuid7().hex, amount, BY),
    "pay-out": lambda uow, card, amount, _: cards.pay_out_in_cash(uow, card, amount, BY, "asked"),
    "lose": lambda uow, card, *_: cards.report_lost(uow, card),
    "find": lambda uow, card, *_: cards.report_found(uow, card),
    "give-back": back,
    "again": again,
    "replace": replaced,
}
ACTS = st.lists(
    st.tuples(st.sampled_from(sorted(DEEDS)), st.integers(0, 1), st.integers(1, 700)),
    min_size=4,
    max_size=14,
)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=ACTS)
def test_whatever_is_done_to_cards_the_ledger_owes_what_they_hold(
    database: Database, acts: list[tuple[str, int, int]]
) -> None:
    mine = [card_with(database, 900).id, card_with(database, 0, "driver-1").id]
    orders: list[str] = []
    for act, which, minor in acts:
        with suppress(Conflict), database.unit_of_work() as uow:
            done = DEEDS[act](uow, mine[which], cny(minor), orders)
            if act == "debit":
                orders.append(done.reference)
            elif act == "replace":
                mine[which] = done.card.id
    with database.read() as connection:
        told = [each for page in card_sums.told(connection) for each in page]
    assert all(each.held == each.moved == each.owed and each.held >= cny(0) for each in told)


def test_of_eight_who_debit_at_once_as_many_succeed_as_the_card_bears(database: Database) -> None:
    card = card_with(database, 1000)

    def debit(n: int) -> bool:
        try:
            with database.unit_of_work() as uow:
                cards.debit(uow, card.id, f"ATONCE000{n}", cny(300), BY)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(debit, range(8), timeout=WAIT_S)) == 3
    assert now_on(database, card.id).balance == cny(100)


@pytest.mark.parametrize(
    "wrong",
    [
        "update payments.card set balance_minor = balance_minor + 1",
        "update payments.card set holder = null",
        "delete from payments.card",
        "update payments.card_movement set minor = minor - 1",
    ],
)
def test_no_statement_changes_what_a_card_holds_but_a_movement(
    database: Database, wrong: str
) -> None:
    card_with(database, 500, "driver-1")
    with pytest.raises(IntegrityError), database.unit_of_work() as uow:
        uow.connection.execute(text(wrong))


def test_a_posting_to_a_card_without_a_movement_is_refused_as_it_commits(
    database: Database,
) -> None:
    card = card_with(database, 500)
    with database.unit_of_work() as uow:
        at = uow.clock.now()
    theft = Entry(
        uuid7(),
        at,
        EntryKind.CORRECTION,
        uuid7(),
        (Posting(stored_value_of(card.id), cny(500)), Posting(cash_of(BY), cny(-500))),
        "quietly",
        BY,
    )
    with pytest.raises(IntegrityError, match="differ"), database.unit_of_work() as uow:
        ledger.add_entry(uow.connection, theft)


def test_a_card_pays_a_part_cash_the_rest_and_a_refund_comes_back_onto_it(
    database: Database,
) -> None:
    channels = channels_of({}, database)
    card, bill = card_with(database, 400), owing(database, 1000)
    answer = debited(database, card, bill, "PARTPAY001", 400)
    learned = heard(database, "PARTPAY001", answer)
    assert (learned.order.state, learned.fresh) == (OrderState.PAID, True)
    with database.unit_of_work() as uow:
        services.pay_in_cash(uow, bill.id, cny(600), BY)
        paid = services.find_bill(uow.connection, bill.id)
        lost = cards.replace_card(uow, card.id, BY).card
    assert paid is not None
    assert (paid.state, paid.paid_minor) == (BillState.PAID, 1000)
    # The card was replaced meanwhile: what comes back is on the one that took over.
    for _ in range(2):
        refund_payment(
            database, channels, FINANCE, "PARTPAY001", "CARDBACK01", cny(150), "left early"
        )
    assert now_on(database, lost.id).balance == cny(150)
    with database.read() as connection:
        balances = services.balances(connection)
    kinds = {AccountKind.CLEARING, AccountKind.RECEIVABLE, AccountKind.STORED_VALUE}
    held = {
        each.kind: money.minor
        for each, (money,) in balances.items()
        if each.kind in kinds and money.minor
    }
    assert held == {AccountKind.STORED_VALUE: -150}


def test_what_a_dead_process_took_off_a_card_is_found_again_and_pays(database: Database) -> None:
    channels = channels_of({}, database)
    card, bill = card_with(database, 700), owing(database, 700)
    assert debited(database, card, bill, "KILLED0001", 700).fate is Fate.PAID
    with database.unit_of_work() as uow:
        uow.connection.execute(
            text("update payments.channel_order set opened_at = opened_at - interval '1 minute'")
        )
    assert pursue(database, channels).paid == 1
    with database.read() as connection:
        found = services.find_bill(connection, bill.id)
    assert found is not None
    assert (found.state, now_on(database, card.id).balance) == (BillState.PAID, cny(0))


def test_a_card_that_pays_what_cash_has_paid_gets_it_back_by_itself(database: Database) -> None:
    channels = channels_of({}, database)
    card, bill = card_with(database, 700), owing(database, 700)
    answer = debited(database, card, bill, "SURPLUS001", 700)
    with database.unit_of_work() as uow:
        services.pay_in_cash(uow, bill.id, cny(700), BY)
    learned = heard(database, "SURPLUS001", answer)
    assert len(learned.surplus) == 1
    with database.unit_of_work() as uow:
        uow.connection.execute(
            text("update payments.channel_refund set asked_at = asked_at - interval '1 minute'")
        )
    assert pursue(database, channels).refunded == 1
    assert now_on(database, card.id).balance == cny(700)


def test_time_takes_nothing_off_a_card(database: Database, clock: FixedClock) -> None:
    card = card_with(database, 700)
    clock.advance(4 * 366 * 86_400)
    with pytest.raises(Conflict, match="renewed"), database.unit_of_work() as uow:
        cards.debit(uow, card.id, "LATE000001", cny(100), BY)
    with database.unit_of_work() as uow:
        cards.pay_out_in_cash(uow, card.id, cny(200), BY, "its holder asked")
        assert cards.renew(uow, card.id).balance == cny(500)
        assert cards.debit(uow, card.id, "LATE000002", cny(100), BY).balance == cny(400)


def test_a_card_holds_no_more_than_the_rules_of_prepaid_cards_allow(database: Database) -> None:
    bearer, known = card_with(database, 900_00), card_with(database, 4_900_00, "driver-1")
    for card in (bearer, known):
        with pytest.raises(Invalid) as refused, database.unit_of_work() as uow:
            cards.top_up_in_cash(uow, card.id, cny(100_01), BY)
        assert refused.value.details["most"] == {"minor": 100_00, "currency": "CNY"}


def test_a_lost_card_pays_nothing_until_its_code_says_that_it_was_found(
    database: Database,
) -> None:
    attendant = Actor("person", BY, None, frozenset({Role.ATTENDANT}), BY)
    with database.unit_of_work() as uow:
        issued = keep_cards.issue_card(uow, attendant)
        number = issued.card.number
        cards.top_up_in_cash(uow, issued.card.id, cny(500), BY)
        keep_cards.report_lost(uow, attendant, number)
    with pytest.raises(Conflict, match="lost"), database.unit_of_work() as uow:
        cards.debit(uow, issued.card.id, "THIEF00001", cny(100), BY)
    with pytest.raises(Forbidden), database.unit_of_work() as uow:
        keep_cards.report_found(uow, attendant, number, "2222-3333-4444")
    with database.unit_of_work() as uow:
        written = issued.code[:4] + "-" + issued.code[4:].lower()
        found = keep_cards.report_found(uow, attendant, number, written)
    assert (found.state, found.balance) == (CardState.ACTIVE, cny(500))


def test_what_somebody_pays_out_counts_towards_one_limit_with_what_goes_back_online(
    database: Database,
) -> None:
    card = card_with(database, 4_000_00, "driver-1")
    with database.unit_of_work() as uow:
        for n in range(10):
            keep_cards.pay_out(uow, FINANCE, card.id, cny(200_00), f"part {n}")
    with pytest.raises(Forbidden, match="today"), database.unit_of_work() as uow:
        keep_cards.pay_out(uow, FINANCE, card.id, cny(1), "one more")
    bill = owing(database, 900)
    with database.unit_of_work() as uow:
        services.pay_in_cash(uow, bill.id, cny(900), "lin")
    with pytest.raises(Forbidden, match="today"), database.unit_of_work() as uow:
        refund_cash(uow, FINANCE, bill.id, cny(1), "closed", uuid7())
    other = Actor("person", "finance-2", None, frozenset({Role.FINANCE}), "finance-2")
    with database.unit_of_work() as uow:
        refund_cash(uow, other, bill.id, cny(900), "closed", uuid7())
        assert giving_back.given_today(uow, other.subject) == 900
    with pytest.raises(Forbidden, match="at once"), database.unit_of_work() as uow:
        keep_cards.pay_out(uow, other, card.id, cny(200_01), "too much")
    number = uuid7()
    boss = Actor("person", "admin-1", None, frozenset({Role.ADMINISTRATOR}), "admin-1")
    for _ in range(2):
        with database.unit_of_work() as uow:
            moved = keep_cards.pay_out(uow, boss, card.id, cny(500_00), "the rest", number)
    assert (moved.kind, moved.balance) == (MovementKind.PAID_OUT, cny(1_500_00))


def test_the_night_names_the_card_that_a_hand_in_the_database_changed(
    database: Database, clock: FixedClock
) -> None:
    honest, robbed = card_with(database, 500), card_with(database, 500)
    bill = owing(database, 100)
    debited(database, honest, bill, "UNHEARD001", 100)
    day = clock.now().date()
    clock.advance(86_400)
    with database.unit_of_work() as uow:
        uow.connection.execute(text("alter table payments.card disable trigger keep"))
        uow.connection.execute(
            text("update payments.card set balance_minor = 50 where id = :card"),
            {"card": robbed.id},
        )
        uow.connection.execute(text("alter table payments.card enable always trigger keep"))
    with database.unit_of_work() as uow:
        done = reconcile_cards(uow, FINANCE, day)
    assert done.summary["by_class"] == {"card-sum": 1, "debit-without-order": 1}
    assert (done.summary["rows"], done.summary["agreed"]) == (2, 1)
    assert reconcile_yesterday(database) is not None
    assert reconcile_yesterday(database) is None
    with pytest.raises(Invalid), database.unit_of_work() as uow:
        reconcile_cards(uow, FINANCE, clock.now().date())


def test_a_driver_takes_a_bearers_card_over_by_its_code_and_nobody_else_can(
    database: Database,
) -> None:
    desk = Actor("person", BY, None, frozenset({Role.ATTENDANT}), BY)
    first, second = (
        Actor("person", f"driver-{n}", None, frozenset({Role.DRIVER}), f"driver-{n}")
        for n in (1, 2)
    )
    with database.unit_of_work() as uow:
        issued = keep_cards.issue_card(uow, desk)
        mine = keep_cards.register_own(uow, first, issued.card.number, issued.code)
    assert (mine.holder, mine.expires_at) == ("driver-1", None)
    with pytest.raises(Forbidden), database.unit_of_work() as uow:
        keep_cards.register_own(uow, second, issued.card.number, issued.code)
    with database.unit_of_work() as uow:
        code = keep_cards.new_own_code(uow, first, mine.id)
    # Nobody at a desk moves a registered card's money, not even who was shown its code.
    with pytest.raises(Forbidden), database.unit_of_work() as uow:
        keep_cards.replace_card(uow, desk, mine.number, code)
    with database.unit_of_work() as uow:
        new = keep_cards.replace_own(uow, first, mine.id).card
        assert [each.id for each in store.cards_of(uow.connection, "driver-1")] == [new.id, mine.id]
