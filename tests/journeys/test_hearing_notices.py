"""Notifications that come at once share a commit, and each ends as it would have alone."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from city.errors import Unavailable
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
from journeys import hear_notices
from journeys.hear_notices import Notices, take_all
from payments import channel_orders, channel_payments, services
from payments.adapters.forms import MOST_FIELDS, read_form
from payments.channel_notices import Told
from payments.rules.authenticity import NotAuthentic
from payments.rules.bills import Bill, Charge
from payments.rules.channels import Answer, Channel, Fate, Method, Notice, RefundAnswer, RefundFate

if TYPE_CHECKING:
    from city.works.database import Database
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
    # Of two orders of one bill the second was owed nothing: it goes back, all of it.
    assert held(database) == {
        "clearing": 3000,
        "receivable": 1000,
        "revenue": -3000,
        "surplus": -1000,
    }
    with database.read() as connection:
        surplus = channel_orders.find_order(connection, second.order_no)
        verdicts = connection.execute(
            text("select verdict, count(*) from payments.channel_notice group by 1")
        )
        assert {row[0]: row[1] for row in verdicts} == {"taken": 3, "refused": 4}
        audited = text("select count(*) from audit.record where action = 'payments.notice_refused'")
        assert connection.execute(audited).scalar_one() == 4
    assert surplus is not None
    assert (surplus.payment_id, surplus.refunded_minor) == (None, 1000)
    # The right amount under the event that was refused: it counts now.
    assert take_all(database, [paid(wrong)]) == [""]
    assert held(database)["clearing"] == 4000


def test_one_that_the_database_refuses_spoils_no_other(database: Database) -> None:
    order = ask(database, issue(database))
    answers = take_all(database, [said("a\x00b"), paid(order)])
    assert answers[1] == ""
    assert isinstance(answers[0], Exception)
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
        # Two under way; then four, and each of the six twice: what is told twice waits its turn.
        early = [pool.submit(notices.take, paid(each)) for each in orders[:2]]
        begun.acquire()
        begun.acquire()
        late = [pool.submit(notices.take, paid(each)) for each in orders[2:] + orders]
        while sum(not each.running() for each in late):
            pass
        while len(notices._waiting) < 10:
            pass
        goes_on.set()
        assert [each.result(60) for each in early + late] == [""] * 12
    assert sizes[:2] == [1, 1]
    assert len(sizes) <= 5
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


@given(st.binary(max_size=40) | st.text("abc=&%+4E", max_size=30).map(str.encode))
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
