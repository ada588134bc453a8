"""What is paid for a top-up is on the card once, or goes back, whatever is said twice or late."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from city.errors import Conflict, Forbidden, Invalid, NotFound
from city.identifiers import uuid7
from city.money import Money
from city.people.actors import Actor
from city.people.roles import Role
from journeys import keep_cards
from journeys.hear_notices import take_all
from journeys.pay_online import refresh, refresh_refund, refund_payment
from journeys.pursue_channels import pursue
from journeys.reconcile_cards import reconcile_cards
from journeys.settle_notices import settle_waiting
from journeys.top_up_cards import follow_top_up, give_back_unused, start_top_up
from payments import cards, channel_orders, channel_payments, channel_records, money_back
from payments.channel_notices import Told
from payments.rules.cards import Card, CardState
from payments.rules.channel_bills.lines import CHINA
from payments.rules.channel_orders import OrderState, Purpose, RefundState
from payments.rules.channels import (
    ONLINE,
    Answer,
    Channel,
    Fate,
    Notice,
    RefundAnswer,
    RefundFate,
)
from payments.rules.top_ups import POLICY
from payments.store import cards as card_store
from tests.journeys.test_paying_online import Street, age, held, pursue_until
from tests.payments.merchants import WAIT_S, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from city.time import FixedClock
    from city.works.database import Database
    from journeys.pay_online import Started
    from payments.rules.channel_orders import ChannelOrder

CHANNELS = list(ONLINE)
FINANCE = Actor("person", "finance-1", None, frozenset({Role.FINANCE}), "finance-1")


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


@pytest.fixture
def street() -> Iterator[Street]:
    made = Street()
    yield made
    made.close()


def driver() -> Actor:
    name = f"driver-{uuid7().hex}"
    return Actor("person", name, None, frozenset({Role.DRIVER}), name)


def opened(database: Database, who: Actor) -> UUID:
    with database.unit_of_work() as uow:
        return keep_cards.open_own(uow, who).card.id


def now_on(database: Database, card_id: UUID) -> Card:
    with database.unit_of_work() as uow:
        return cards.held(uow, card_id)


def asked(
    street: Street,
    database: Database,
    who: Actor,
    card_id: UUID,
    minor: int = 5000,
    channel: Channel = Channel.WECHAT,
) -> Started:
    return start_top_up(database, street.channels, who, card_id, cny(minor), channel)


def paid(order: ChannelOrder) -> Answer:
    return Answer(Fate.PAID, f"CH-{order.order_no}", order.amount, order.merchant)


def said(database: Database, order: ChannelOrder, answer: Answer) -> channel_payments.Learned:
    with database.unit_of_work() as uow:
        return channel_payments.hear(uow, order.order_no, answer)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_top_up_is_on_the_card_once_however_often_its_channel_says_so(
    street: Street, database: Database, channel: Channel
) -> None:
    who = driver()
    card = opened(database, who)
    started = asked(street, database, who, card, channel=channel)
    assert (started.order.purpose, started.order.state) == (Purpose.TOP_UP, OrderState.OPEN)
    again = asked(street, database, who, card, channel=channel)
    assert (again.order.order_no, again.code) == (started.order.order_no, started.code)
    (of_gateway,) = street.gateway.desk.book.orders()
    assert of_gateway.terms.subject == "停车卡充值"
    assert now_on(database, card).balance == cny(0)
    assert street.pay(started) == 200
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: street.told(database, channel, 0), range(6)))
    assert set(answers) <= {200, 204}
    assert refresh(database, street.channels, started.order.order_no).state is OrderState.PAID
    assert now_on(database, card).balance == cny(5000)
    assert held(database) == {"clearing": 5000, "stored_value": -5000}
    # The next one is another order: a top-up is no debt that is paid once.
    assert asked(street, database, who, card).order.order_no != started.order.order_no


def test_a_top_up_that_nobody_told_us_of_is_found_by_asking(
    street: Street, database: Database
) -> None:
    who = driver()
    card = opened(database, who)
    started = asked(street, database, who, card)
    street.pay(started)
    pursue(database, street.channels)
    assert now_on(database, card).balance == cny(0)
    age(database)
    assert pursue(database, street.channels).paid == 1
    assert now_on(database, card).balance == cny(5000)


def test_a_top_up_paid_twice_through_two_channels_is_on_the_card_twice_or_goes_back(
    street: Street, database: Database
) -> None:
    who = driver()
    card = opened(database, who)
    with database.unit_of_work() as uow:
        cards.top_up_in_cash(uow, card, cny(4_100_00), "attendant-1")
    orders = [
        asked(street, database, who, card, 500_00, channel)
        for channel in (Channel.WECHAT, Channel.ALIPAY)
    ]
    for started in orders:
        assert street.pay(started) == 200
    with ThreadPoolExecutor(2) as pool:
        ends = list(
            pool.map(lambda each: refresh(database, street.channels, each.order.order_no), orders)
        )
    assert [each.state for each in ends] == [OrderState.PAID] * 2
    # The card holds five thousand yuan at most: one of the two came on, the other is owed back.
    assert now_on(database, card).balance == cny(4_600_00)
    assert sorted(each.surplus for each in ends) == [False, True]
    assert sorted(each.refunded_minor for each in ends) == [0, 500_00]
    pursue_until(street, database, 500_00)
    assert held(database) == {
        "cash": 4_100_00, "clearing": 500_00, "stored_value": -4_600_00
    }  # fmt: skip


def test_many_who_say_at_once_that_a_top_up_was_paid_put_it_on_once(
    street: Street, database: Database
) -> None:
    who = driver()
    card = opened(database, who)
    order = asked(street, database, who, card).order
    with ThreadPoolExecutor(8) as pool:
        learned = list(pool.map(lambda _: said(database, order, paid(order)), range(8)))
    assert sum(each.fresh for each in learned) == 1
    assert now_on(database, card).balance == cny(5000)
    with database.read() as connection:
        (made,), _ = card_store.page_of_movements(connection, card)
    with pytest.raises(IntegrityError, match="card_movement_once"), database.unit_of_work() as uow:
        card_store.add_movement(uow.connection, replace(made, id=uuid7()))


def test_what_is_paid_after_its_order_was_closed_is_on_the_card_all_the_same(
    street: Street, database: Database
) -> None:
    who = driver()
    card = opened(database, who)
    order = asked(street, database, who, card).order
    closed = said(database, order, Answer(Fate.CLOSED))
    assert closed.order.state is OrderState.CLOSED
    learned = said(database, order, paid(order))
    assert (learned.order.state, learned.fresh, learned.surplus) == (OrderState.PAID, True, ())
    assert now_on(database, card).balance == cny(5000)
    assert not learned.order.surplus


@pytest.mark.parametrize("then", ["lost", "replaced"])
def test_what_is_paid_for_a_card_that_was_lost_meanwhile_goes_back_by_itself(
    street: Street, database: Database, then: str
) -> None:
    who = driver()
    card = opened(database, who)
    started = asked(street, database, who, card)
    with database.unit_of_work() as uow:
        cards.report_lost(uow, card)
    if then == "replaced":
        with database.unit_of_work() as uow:
            cards.replace_card(uow, card, who.subject)
    assert street.pay(started) == 200
    street.told(database, Channel.WECHAT, 0)
    seen = follow_top_up(database, street.channels, who, started.order.order_no)
    assert (seen.order.surplus, seen.order.refunded_minor) == (True, 5000)
    assert held(database) == {"clearing": 5000, "surplus": -5000}

    def gone() -> bool:
        age(database)
        pursue(database, street.channels)
        return held(database) == {}

    until(gone)
    assert now_on(database, card).balance == cny(0)
    with pytest.raises(Conflict):
        asked(street, database, who, card)


def test_an_order_over_a_top_up_of_a_lost_card_is_closed_at_its_channel(
    street: Street, database: Database
) -> None:
    who = driver()
    card, kept = opened(database, who), opened(database, who)
    lost, stays = asked(street, database, who, card), asked(street, database, who, kept)
    with database.unit_of_work() as uow:
        cards.report_lost(uow, card)
    age(database)
    assert pursue(database, street.channels).closed == 1
    with database.read() as connection:
        found = [
            channel_orders.find_order(connection, each.order.order_no) for each in (lost, stays)
        ]
    assert [each and each.state for each in found] == [OrderState.CLOSED, OrderState.OPEN]


def test_a_loss_that_is_reported_at_the_very_moment_leaves_the_money_in_one_place(
    street: Street, database: Database
) -> None:
    for _ in range(8):
        who = driver()
        card = opened(database, who)
        order = asked(street, database, who, card).order

        def lose(card_id: UUID = card) -> Any:
            with database.unit_of_work() as uow:
                return cards.report_lost(uow, card_id)

        with ThreadPoolExecutor(2) as pool:
            hears = pool.submit(said, database, order, paid(order))
            loses = pool.submit(lose)
            learned = hears.result(WAIT_S)
            loses.result(WAIT_S)
        after = now_on(database, card)
        assert after.state is CardState.FROZEN
        on_it = after.balance == cny(5000)
        assert on_it is not learned.order.surplus
        assert len(learned.surplus) == (not on_it)


def test_notifications_by_the_dozen_put_each_top_up_on_its_card(
    street: Street, database: Database
) -> None:
    who = driver()
    mine = [opened(database, who) for _ in range(3)]
    orders = [
        asked(street, database, who, card, minor).order
        for card in mine
        for minor in (1000, 2000, 3000)
    ]
    with database.unit_of_work() as uow:
        cards.report_lost(uow, mine[2])
    told = [
        Told(Channel.WECHAT, Notice(f"event-{each.order_no}", each.order_no, "", paid(each)), "00")
        for each in orders
    ]
    take_all(database, told)
    assert settle_waiting(database) == len(told)
    assert [now_on(database, card).balance.minor for card in mine] == [6000, 6000, 0]
    assert held(database) == {"clearing": 18000, "stored_value": -12000, "surplus": -6000}
    take_all(database, told)
    settle_waiting(database)
    assert held(database)["clearing"] == 18000


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_was_not_used_goes_back_to_where_it_came_from_once(
    street: Street, database: Database, channel: Channel
) -> None:
    who = driver()
    card = opened(database, who)
    started = asked(street, database, who, card, 10_000, channel)
    street.pay(started)
    number = started.order.order_no
    refresh(database, street.channels, number)
    with database.unit_of_work() as uow:
        cards.debit(uow, card, uuid7().hex, cny(2500), "test")
    with ThreadPoolExecutor(4) as pool:
        backs = list(
            pool.map(
                lambda _: give_back_unused(database, street.channels, who, number, "TOPUPBACK0001"),
                range(4),
            )
        )
    assert {each.amount for each in backs} == {cny(7500)}
    assert now_on(database, card).balance == cny(0)

    def arrived() -> bool:
        age(database)
        pursue(database, street.channels)
        back = refresh_refund(database, street.channels, FINANCE, "TOPUPBACK0001")
        return back.state is RefundState.DONE

    until(arrived)
    (at_channel,) = street.gateway.desk.book.orders()
    assert at_channel.refunded_minor == 7500
    # What the card paid with came out of the same channel money: 25 yuan are still held.
    assert held(database).get("stored_value") is None
    assert held(database).get("surplus") is None
    with pytest.raises(Conflict, match="nothing of it is left"):
        give_back_unused(database, street.channels, who, number, "TOPUPBACK0002")
    with pytest.raises(NotFound):
        give_back_unused(database, street.channels, driver(), number, "TOPUPBACK0003")


def test_what_a_channel_will_not_give_back_is_on_the_card_again(
    street: Street, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = driver()
    card = opened(database, who)
    order = asked(street, database, who, card).order
    said(database, order, paid(order))
    refuses = RefundAnswer(RefundFate.FAILED, reason="NOT_ENOUGH")
    adapter = street.channels[Channel.WECHAT]
    monkeypatch.setattr(adapter, "refund", lambda *_: refuses)
    failed = give_back_unused(database, street.channels, who, order.order_no, "TOPUPBACK0001")
    assert failed.state is RefundState.FAILED
    assert now_on(database, card).balance == cny(5000)
    # Told again that it failed it is on the card once; frozen meanwhile it comes back as well.
    with database.unit_of_work() as uow:
        money_back.hear_of_refund(uow, "TOPUPBACK0001", refuses)
        cards.report_lost(uow, card)
    assert now_on(database, card).balance == cny(5000)
    assert held(database) == {"clearing": 5000, "stored_value": -5000}
    with pytest.raises(Conflict):
        give_back_unused(database, street.channels, who, order.order_no, "TOPUPBACK0002")


def test_a_refund_is_off_the_card_before_its_channel_is_asked_and_unknown_until_it_answers(
    street: Street, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = driver()
    card = opened(database, who)
    order = asked(street, database, who, card).order
    said(database, order, paid(order))
    seen: list[Money] = []

    def silent(*_: object) -> RefundAnswer:
        seen.append(now_on(database, card).balance)
        return RefundAnswer(RefundFate.UNKNOWN)

    monkeypatch.setattr(street.channels[Channel.WECHAT], "refund", silent)
    back = give_back_unused(database, street.channels, who, order.order_no, "TOPUPBACK0001")
    assert (back.state, seen) == (RefundState.ASKED, [cny(0)])
    assert held(database) == {"clearing": 5000, "surplus": -5000}
    with pytest.raises(Conflict), database.unit_of_work() as uow:
        cards.debit(uow, card, uuid7().hex, cny(1), "test")


def test_spending_and_giving_back_at_once_never_take_the_same_money(
    street: Street, database: Database
) -> None:
    for _ in range(6):
        who = driver()
        card = opened(database, who)
        order = asked(street, database, who, card).order
        said(database, order, paid(order))

        def spend(card_id: UUID = card) -> bool:
            try:
                with database.unit_of_work() as uow:
                    cards.debit(uow, card_id, uuid7().hex, cny(4000), "test")
            except Conflict:
                return False
            return True

        def back(number: str = order.order_no) -> int:
            try:
                with database.unit_of_work() as uow:
                    return money_back.ask_refund(
                        uow, number, uuid7().hex, cny(5000), "asked", "test"
                    ).amount.minor
            except Conflict:
                return 0

        with ThreadPoolExecutor(2) as pool:
            spends, backs = pool.submit(spend), pool.submit(back)
            spent, gone = spends.result(WAIT_S), backs.result(WAIT_S)
        assert (spent, gone) in {(True, 0), (False, 5000)}
        assert now_on(database, card).balance == cny(1000 if spent else 0)


def test_the_finance_desk_gives_a_top_up_back_within_its_limits_and_from_the_card_that_took_over(
    street: Street, database: Database
) -> None:
    who = driver()
    card = opened(database, who)
    started = asked(street, database, who, card, 300_00)
    street.pay(started)
    number = started.order.order_no
    refresh(database, street.channels, number)
    with database.unit_of_work() as uow:
        new = cards.replace_card(uow, card, who.subject).card.id
    wish = (database, street.channels, FINANCE, number)
    with pytest.raises(Forbidden):
        refund_payment(*wish, "DESKBACK0001", cny(201_00), "asked")
    of_one_district = replace(FINANCE, districts=frozenset({"0153"}))
    with pytest.raises(Forbidden, match="whole city"):
        refund_payment(
            database, street.channels, of_one_district, number, "DESKBACK0001", cny(100), "asked"
        )
    done = refund_payment(*wish, "DESKBACK0001", cny(200_00), "asked")
    assert done.state is not RefundState.FAILED
    assert now_on(database, new).balance == cny(100_00)
    # Cash that is paid out counts towards the same limit, what went back online not twice.
    with database.unit_of_work() as uow:
        assert cards.paid_out_by(uow, FINANCE.subject, datetime(2020, 1, 1, tzinfo=UTC)) == 0


def test_limits_hold_at_once_in_a_day_and_on_the_card(street: Street, database: Database) -> None:
    who = driver()
    card = opened(database, who)
    for minor in (POLICY.least_minor - 1, POLICY.most_minor + 1):
        with pytest.raises(Invalid, match="outside"):
            asked(street, database, who, card, minor)
    with pytest.raises(Invalid):
        start_top_up(database, street.channels, who, card, Money(5000, "USD"), Channel.WECHAT)
    for _ in range(3):
        order = asked(street, database, who, card, POLICY.most_minor).order
        said(database, order, paid(order))
    with pytest.raises(Invalid, match="in a day"):
        asked(street, database, who, card, POLICY.least_minor)
    with database.unit_of_work() as uow:
        other = keep_cards.open_own(uow, who).card.id
        cards.top_up_in_cash(uow, other, cny(4_995_00), "attendant-1")
        bearer = cards.issue(uow, "attendant-1").card.id
    with pytest.raises(Invalid, match="may still take"):
        asked(street, database, who, other, POLICY.least_minor)
    for card_id in (bearer, uuid7()):
        with pytest.raises(NotFound):
            asked(street, database, who, card_id)
    with pytest.raises(Forbidden):
        asked(street, database, FINANCE, card)


def test_the_database_keeps_what_an_order_is_for(street: Street, database: Database) -> None:
    who = driver()
    card = opened(database, who)
    order = asked(street, database, who, card).order
    for wrong in (
        "update payments.channel_order set card_id = null, merged = true where id = :id",
        "update payments.channel_order set merged = true where id = :id",
        "update payments.channel_order set movement_id = :id where id = :id",
    ):
        with pytest.raises(IntegrityError), database.unit_of_work() as uow:
            uow.connection.execute(text(wrong), {"id": order.id})
    # Paid, and neither on its card nor owed back: refused as it commits.
    nowhere = replace(order, state=OrderState.PAID, channel_no="CH1", done_at=order.opened_at)
    with pytest.raises(IntegrityError, match="no entry"), database.unit_of_work() as uow:
        channel_orders.write_order(uow.connection, nowhere)
    learned = said(database, order, paid(order)).order
    with pytest.raises(IntegrityError), database.unit_of_work() as uow:
        channel_orders.write_order(uow.connection, replace(learned, movement_id=None))


def test_reconciliation_sees_a_top_up_as_any_payment_and_the_night_finds_what_lies_nowhere(
    street: Street, database: Database, clock: FixedClock
) -> None:
    who = driver()
    card = opened(database, who)
    order = asked(street, database, who, card).order
    said(database, order, paid(order))
    today = database.clock.now().astimezone(CHINA).date()
    with database.read() as connection:
        now = database.wall.now()
        records = list(
            channel_records.records(
                connection, Channel.WECHAT, now - timedelta(hours=1), now + timedelta(hours=1)
            )
        )
    assert [(each.order_no, each.amount, each.standing.value) for each in records] == [
        (order.order_no, cny(5000), "done")
    ]
    clock.advance(86_400)
    with database.unit_of_work() as uow:
        assert reconcile_cards(uow, FINANCE, today).summary["differences"] == 0
    # A surplus whose refund failed lies with us, on no card: told of until it went back.
    lost = asked(street, database, who, card, 2000).order
    with database.unit_of_work() as uow:
        cards.report_lost(uow, card)
    learned = said(database, lost, paid(lost))
    with database.unit_of_work() as uow:
        money_back.hear_of_refund(
            uow, learned.surplus[0].refund_no, RefundAnswer(RefundFate.FAILED, reason="no")
        )
        found = reconcile_cards(uow, FINANCE, today).summary
    assert found["by_class"] == {"order-without-top-up": 1}


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.sampled_from("pscfrl"), st.integers(0, 3)), max_size=14))
def test_whatever_happens_in_whatever_order_each_fen_is_in_one_place(
    street: Street, database: Database, deeds: list[tuple[str, int]]
) -> None:
    who = driver()
    card = opened(database, who)
    before = held(database)
    orders: list[ChannelOrder] = []
    paid_nos: set[str] = set()
    spent_minor = 0
    refunds: dict[str, RefundState] = {}
    for deed, at in deeds:
        order = orders[at % len(orders)] if orders else None
        try:
            if deed == "p":
                orders.append(asked(street, database, who, card, 1000 + len(orders)).order)
            elif deed == "s" and order:
                said(database, order, paid(order))
                paid_nos.add(order.order_no)
            elif deed == "c" and order:
                said(database, order, Answer(Fate.CLOSED))
            elif deed == "f":
                with database.unit_of_work() as uow:
                    cards.debit(uow, card, uuid7().hex, cny(700), "test")
                spent_minor += 700
            elif deed == "r" and order:
                number = uuid7().hex
                with database.unit_of_work() as uow:
                    money_back.ask_refund(uow, order.order_no, number, cny(300), "asked", "test")
                with database.unit_of_work() as uow:
                    fate = RefundFate.DONE if at % 2 else RefundFate.FAILED
                    refunds[number] = money_back.hear_of_refund(
                        uow, number, RefundAnswer(fate, amount=cny(300))
                    ).state
            elif deed == "l":
                with database.unit_of_work() as uow:
                    (cards.report_lost if at % 2 else cards.report_found)(uow, card)
        except Conflict:
            continue
    with database.read() as connection:
        known = [channel_orders.find_order(connection, each.order_no) for each in orders]
    came_minor = sum(each.amount.minor for each in known if each and each.order_no in paid_nos)
    gone_minor = sum(300 for each in refunds.values() if each is RefundState.DONE)
    after = held(database)
    moved = {name: after.get(name, 0) - before.get(name, 0) for name in {*after, *before}}
    on_card = now_on(database, card).balance.minor
    assert -moved.get("stored_value", 0) == on_card
    # A debit clears the cards' own channel: what it held is on its way to a bill.
    assert moved.get("clearing", 0) == came_minor - gone_minor - spent_minor
    assert sum(moved.values()) == 0
    for each in known:
        assert each is not None
        assert (each.movement_id is None) or each.order_no in paid_nos
