"""Notifications that come at once share a commit, and each ends as it would have alone."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from city.errors import Unavailable
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
from journeys import hear_notices, settle_notices
from journeys.hear_notices import Notices, take_all
from journeys.settle_notices import Settler, settle_waiting
from payments import (
    channel_hearing,
    channel_notices,
    channel_orders,
    channel_payments,
    services,
)
from payments.adapters.forms import MOST_FIELDS, read_form
from payments.channel_notices import Told
from payments.rules.authenticity import NotAuthentic
from payments.rules.bills import Bill, Charge
from payments.rules.channel_orders import heard
from payments.rules.channels import Answer, Channel, Fate, Method, Notice, RefundAnswer, RefundFate
from tests.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Collection

    from city.works.database import Database, UnitOfWork
    from payments.rules.channel_orders import ChannelOrder

MERCHANT = "1900009999"
OPERATOR = OperatorId(uuid7())
PAID_AT = datetime(2026, 3, 2, 1, 2, 3, tzinfo=UTC)
NOBODY = "0" * 31 + "1"


def issue(database: Database, minor: int = 1000) -> Bill:
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


def ask(database: Database, bill: Bill, channel: Channel = Channel.WECHAT) -> ChannelOrder:
    with database.unit_of_work() as uow:
        return channel_payments.ask_order(uow, bill.id, channel, MERCHANT, Method.CODE, "test")


def paid(order: ChannelOrder, event: str = "", minor: int | None = None) -> Told:
    """Give what the order's channel says when it was paid."""
    amount = order.amount if minor is None else Money(minor, "CNY")
    number = f"42{order.order_no}"
    answer = Answer(Fate.PAID, number, amount, MERCHANT, PAID_AT)
    return Told(order.channel, Notice(event or order.order_no, order.order_no, "", answer), "00")


def said(number: str) -> Told:
    """Give a notification about an order by its number alone."""
    answer = Answer(Fate.PAID, "42", Money(1, "CNY"), MERCHANT, PAID_AT)
    return Told(Channel.WECHAT, Notice(f"e{number}", number, "", answer), "00")


def held(database: Database) -> dict[str, int]:
    with database.read() as connection:
        rows = connection.execute(
            text(
                "select split_part(account, ':', 1), sum(minor)::bigint from payments.posting"
                " group by 1 having sum(minor) <> 0"
            )
        )
        return {row[0]: row[1] for row in rows}


def verdicts(database: Database) -> dict[str, int]:
    with database.read() as connection:
        rows = connection.execute(
            text("select verdict, count(*) from payments.channel_notice group by 1")
        )
        return {row[0]: row[1] for row in rows}


def audited(database: Database) -> list[tuple[str, str]]:
    with database.read() as connection:
        rows = connection.execute(
            text(
                "select action, detail ->> 'reason' from audit.record"
                " where action like 'payments.notice_%' order by id"
            )
        )
        return [(row[0], row[1]) for row in rows]


def test_each_of_many_in_one_commit_ends_as_it_would_alone(database: Database) -> None:
    good, twice, altered = (issue(database) for _ in range(3))
    first, second = ask(database, twice), ask(database, twice, Channel.ALIPAY)
    wrong = ask(database, altered)
    other = Told(Channel.ALIPAY, paid(wrong).notice, "00")
    answers = take_all(
        database,
        [
            paid(ask(database, good)),
            paid(first),
            paid(second),
            paid(wrong, minor=1001),
            other,
            said(NOBODY),
            Told(
                Channel.WECHAT,
                Notice("r", "", NOBODY, RefundAnswer(RefundFate.DONE)),
                "00",
            ),
        ],
    )
    assert answers == ["", "", "", "other-amount"] + ["unknown-order"] * 3
    assert verdicts(database) == {"waiting": 3, "refused": 4}
    assert settle_waiting(database) == 3
    # Of two orders of one bill one was owed nothing: it goes back, all of it.
    assert held(database) == {
        "clearing": 3000,
        "receivable": 1000,
        "revenue": -3000,
        "surplus": -1000,
    }
    with database.read() as connection:
        both = channel_orders.orders_of_bill(connection, twice.id)
    assert [name for name, _ in audited(database)] == ["payments.notice_refused"] * 4
    assert sorted((each.payment_id is None, each.refunded_minor) for each in both) == [
        (False, 0),
        (True, 1000),
    ]
    assert verdicts(database) == {"taken": 3, "refused": 4}
    # The right amount under the event that was refused: it counts now, and once.
    for waits in (1, 0):
        assert take_all(database, [paid(wrong)]) == [""]
        assert settle_waiting(database) == waits
    assert held(database)["clearing"] == 4000


def test_what_is_accepted_unread_is_what_the_rule_accepts(database: Database) -> None:
    now = datetime.now(UTC)
    known = ask(database, issue(database))
    with database.unit_of_work() as uow:
        channel_payments.hear(
            uow, known.order_no, Answer(Fate.PAID, "42", known.amount, MERCHANT, PAID_AT)
        )
    with database.read() as connection:
        (paid_order,) = channel_orders.orders_of_bill(connection, known.bill_id or BillId(uuid7()))
    asked = ask(database, issue(database))
    told, expected = list[Told](), list[str]()
    for order, number, amount, merchant, fate in product(
        (paid_order, asked),
        ("", "42", "43"),
        (asked.amount, Money(1001, "CNY"), Money(1000, "USD"), None),
        (MERCHANT, "", "1900009998"),
        (Fate.PAID, Fate.OPEN, Fate.CLOSED),
    ):
        answer = Answer(fate, number, amount, merchant, PAID_AT)
        event = f"e{len(told)}"
        told.append(Told(Channel.WECHAT, Notice(event, order.order_no, "", answer), "00"))
        try:
            heard(order, answer, now)
        except NotAuthentic as refused:
            expected.append(refused.reason.value)
        else:
            expected.append("")
    assert take_all(database, told) == expected
    assert set(expected) == {"", "other-merchant", "other-amount", "other-order"}


def test_one_that_the_database_refuses_spoils_no_other(database: Database) -> None:
    order = ask(database, issue(database))
    answers = take_all(database, [said("a\x00b"), paid(order)])
    assert answers[1] == ""
    assert isinstance(answers[0], Exception)
    assert settle_waiting(database) == 1
    assert held(database) == {"clearing": 1000, "revenue": -1000}


def test_what_comes_while_a_commit_is_under_way_shares_the_next_one(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [ask(database, issue(database)) for _ in range(6)]
    begun, goes_on, sizes = threading.Semaphore(0), threading.Event(), []

    def slow(known: Database, told: list[Told]) -> list[str | Exception]:
        sizes.append(len(told))
        begun.release()
        assert goes_on.wait(60)
        return take_all(known, told)

    monkeypatch.setattr(hear_notices, "take_all", slow)
    notices = Notices(database)
    with ThreadPoolExecutor(12) as pool:
        # One under way; then five, and each of the six again: what is told twice waits its turn.
        early = [pool.submit(notices.take, paid(orders[0]))]
        begun.acquire()
        late = [pool.submit(notices.take, paid(each)) for each in orders[1:] + orders]
        while sum(not each.running() for each in late):
            pass
        while len(notices._waiting) < 11:
            pass
        goes_on.set()
        assert [each.result(60) for each in early + late] == [""] * 12
    assert sizes == [1, 6, 5]
    assert settle_waiting(database) == 6
    assert held(database) == {"clearing": 6000, "revenue": -6000}


def test_a_database_that_is_away_is_told_to_each_who_waits(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = ask(database, issue(database))
    away = Unavailable("the database is restarting", retry_after_s=2)

    def fail() -> None:
        raise away

    notices = Notices(database)
    with monkeypatch.context() as patch:
        patch.setattr(database, "unit_of_work", fail)
        with pytest.raises(Unavailable, match="restarting"):
            notices.take(paid(order))
    assert notices.take(paid(order)) == ""


def test_a_bug_is_told_to_each_who_waits_and_stops_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = ask(database, issue(database))

    def fail(_known: Database, _heard: object) -> None:
        raise ZeroDivisionError

    notices = Notices(database)
    with monkeypatch.context() as patch:
        patch.setattr(hear_notices, "take_all", fail)
        with pytest.raises(Unavailable, match="cannot be taken"):
            notices.take(paid(order))
    assert notices.take(paid(order)) == ""


def test_what_was_acknowledged_is_settled_after_whoever_settles_was_killed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_all(database, [paid(ask(database, issue(database))) for _ in range(3)])

    def killed(*_of: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(channel_notices, "decide", killed)
        with pytest.raises(SystemExit):
            settle_waiting(database)
    assert verdicts(database) == {"waiting": 3}
    assert held(database) == {"receivable": 3000, "revenue": -3000}
    assert settle_waiting(database) == 3
    assert held(database) == {"clearing": 3000, "revenue": -3000}


def test_what_changed_after_it_was_acknowledged_is_kept_apart_with_its_reason(
    database: Database,
) -> None:
    good, changed = (ask(database, issue(database)) for _ in range(2))
    take_all(database, [paid(good), paid(changed)])
    other = Answer(Fate.PAID, "another payment", changed.amount, MERCHANT, PAID_AT)
    with database.unit_of_work() as uow:
        channel_payments.hear(uow, changed.order_no, other)
    assert settle_waiting(database) == 2
    assert verdicts(database) == {"taken": 1, "quarantined": 1}
    assert audited(database) == [("payments.notice_quarantined", "other-order")]
    assert held(database) == {"clearing": 2000, "revenue": -2000}


def test_one_that_cannot_be_settled_spoils_no_other_and_is_kept_apart(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders = [ask(database, issue(database)) for _ in range(4)]
    take_all(database, [paid(each) for each in orders])
    whole = channel_hearing.settle

    def settle(uow: UnitOfWork, told: Collection[Told]) -> dict[Told, str]:
        if any(each.notice.order_no == orders[2].order_no for each in told):
            uow.connection.execute(text("select 1 / 0"))
        return whole(uow, told)

    monkeypatch.setattr(channel_hearing, "settle", settle)
    assert settle_waiting(database) == 4
    assert verdicts(database) == {"taken": 3, "quarantined": 1}
    assert audited(database) == [("payments.notice_quarantined", "cannot-be-settled")]


def test_two_who_settle_at_once_take_each_notification_once(database: Database) -> None:
    take_all(database, [paid(ask(database, issue(database))) for _ in range(12)])
    with ThreadPoolExecutor(3) as pool:
        done = [pool.submit(settle_waiting, database, 2) for _ in range(9)]
        assert sum(each.result(60) for each in done) <= 12
    while settle_waiting(database):
        pass
    assert verdicts(database) == {"taken": 12}
    assert held(database) == {"clearing": 12_000, "revenue": -12_000}


def test_who_settles_is_woken_by_what_is_acknowledged(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settle_notices, "LOOK_S", 300.0)
    stop, settler = threading.Event(), Settler(database)

    def settled(count: int) -> bool:
        return verdicts(database) == {"taken": count}

    thread = threading.Thread(target=settler.run, args=(stop,))
    thread.start()
    try:
        for count in (1, 2):
            take_all(database, [paid(ask(database, issue(database)))])
            assert eventually(partial(settled, count))
    finally:
        stop.set()
        with database.unit_of_work() as uow:
            uow.wake(channel_notices.WAKE)
        thread.join(60)
    assert not thread.is_alive()


def test_who_settles_rests_while_more_come_in_and_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settle_notices, "FLOOD_S", 0.1)
    stop, waits = threading.Event(), list[float]()
    begun_s = time.monotonic()
    settle_notices.rest_in_flood(waits.append, stop)  # something comes in whenever it waits
    assert time.monotonic() - begun_s >= 0.1
    waits.clear()

    def nothing_comes(seconds: float) -> None:
        waits.append(seconds)
        time.sleep(seconds * 1.1)

    settle_notices.rest_in_flood(nothing_comes, stop)
    assert len(waits) == 1
    stop.set()
    settle_notices.rest_in_flood(waits.append, stop)
    assert len(waits) == 1


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(list(Fate)),
    st.text(max_size=5),
    st.none() | st.integers(0, 10**9),
    st.none() | st.datetimes(timezones=st.just(UTC)),
)
def test_what_is_kept_of_a_notification_is_what_it_said(
    fate: Fate, word: str, minor: int | None, at: datetime | None
) -> None:
    amount = None if minor is None else Money(minor, "CNY")
    answer = Answer(fate, word, amount, MERCHANT, at, word)
    assert channel_notices.answer_of(channel_notices.as_said(answer)) == answer


@given(
    st.binary(max_size=40)
    | st.text("abc=&%+4E", max_size=30).map(str.encode)
    | st.text("=3D%0A\r\n +_.", max_size=40).map(str.encode)
    | st.text(max_size=20).map(lambda text: f"a={quote_plus(text)}&b={quote(text)}".encode())
)
@example(b"a=%3D%0A&b=x+&c=%3D\n&d=_&e==%0D%0A")
@example(b"a=%4&b=%%41&c=%E4%BD%A0%")
def test_a_form_is_read_as_the_standard_library_s_strict_reader_does(body: bytes) -> None:
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
        expected = dict(pairs) if body and len(dict(pairs)) == len(pairs) else None
    except ValueError:
        expected = None
    try:
        read = read_form(body)
    except NotAuthentic:
        read = None
    assert read == expected
