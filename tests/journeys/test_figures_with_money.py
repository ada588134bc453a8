"""Figures with their money: billed, collected, recovered, by place and hour; a bay's day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from city.errors import Invalid
from city.money import Money
from city.vehicles import PlateKind, parse_plate
from city.works.jobs import Worker
from journeys import settle_stay
from journeys.attach_vehicle import attach_vehicle
from journeys.count_collections import count_collections
from journeys.draw_figures import Drawn, draw, draw_bays, every_line
from journeys.reconcile_day import reconcile_day
from journeys.take_payment import take_payment
from parking.rules.figures.bay_day import Leak
from parking.services import figures, stays
from parking.services.figures import Grouping, Wanted
from parking.store import telemetry
from payments import services as payments
from payments.rules.collection import Collection, per_bay_day_minor, together

if TYPE_CHECKING:
    from city.identifiers import BillId
    from payments.rules.bills import Bill
    from tests.journeys.conftest import Street

MONDAY = date(2026, 3, 2)
PLATE = parse_plate("京A12345", PlateKind.BLUE7)


def park(street: Street, bay: int, arrive: float, leave: float) -> None:
    """Let a car come, be noted, and leave; run what follows."""
    for minute, state in ((arrive, "occupied"), (leave, "free")):
        street.clock.advance(max((street.at(minute) - street.clock.now()).total_seconds(), 0))
        change = street.change(minute, (state, minute), bay=bay)
        with street.database.unit_of_work() as uow:
            telemetry.rewrite_histories(
                uow.connection,
                [
                    telemetry.RewrittenHistory(
                        change.bay_id,
                        street.at(minute),
                        tuple(
                            telemetry.BayChange(
                                change.bay_id,
                                change.facility_id,
                                change.district,
                                each.at,
                                each.state.value,
                                each.sure,
                                each.observation,
                                each.device_id,
                            )
                            for each in change.changes
                        ),
                    )
                ],
                recorded_at=uow.clock.now(),
            )
            stays.apply_bay_changes(uow, [change])
        if state == "occupied":
            with street.database.unit_of_work() as uow:
                (found,) = stays.page(uow.connection, bay_id=street.bays[bay].id, limit=1).items
                attach_vehicle(uow, street.attendant, found.id, PLATE)
    Worker(street.url, [settle_stay.task(street.database)], database=street.database).drain()


def bills(street: Street) -> list[Bill]:
    with street.database.read() as connection:
        return sorted(payments.bills(connection).items, key=lambda bill: bill.issued_at)


def pay(street: Street, bill_id: BillId, minor: int = 10_000) -> None:
    with street.database.unit_of_work() as uow:
        take_payment(uow, street.attendant, bill_id, Money(minor, "CNY"))


def count(street: Street) -> None:
    figures.keep_counts(street.database)
    count_collections(street.database)


def drawn(
    street: Street,
    grouping: Grouping = Grouping.TOTAL,
    *,
    days: int = 1,
    now: datetime | None = None,
) -> Drawn:
    with street.database.read() as connection:
        return draw(
            connection,
            Wanted(MONDAY, MONDAY + timedelta(days=days)),
            grouping,
            now=now or street.clock.now(),
        )


@pytest.fixture
def paid_and_unpaid(street: Street) -> Street:
    """Give a street on which two cars parked an hour each, and one of them paid."""
    park(street, 0, 60, 121)
    park(street, 1, 130, 191)
    street.clock.advance(3600)
    pay(street, bills(street)[0].id)
    count(street)
    return street


def test_money_stands_beside_the_figures(paid_and_unpaid: Street) -> None:
    total = drawn(paid_and_unpaid).total
    (money,) = total.money
    first, second = bills(paid_and_unpaid)
    assert money.sums == Collection(
        "CNY", 2, first.amount.minor + second.amount.minor, first.amount.minor
    )
    assert (total.tally.arrivals, total.tally.matched) == (2, 2)
    assert money.revenue_per_bay_day_minor == per_bay_day_minor(
        money.sums.due_minor, total.tally.service_us
    )


def test_every_grouping_has_the_same_money(paid_and_unpaid: Street) -> None:
    total = drawn(paid_and_unpaid).total
    for grouping in Grouping:
        lines = drawn(paid_and_unpaid, grouping).lines or (total,)
        found = together(money.sums for line in lines for money in line.money)
        assert found == tuple(money.sums for money in total.money)


def test_a_later_payment_counts_for_the_hour_of_the_bill(paid_and_unpaid: Street) -> None:
    before = drawn(paid_and_unpaid, Grouping.HOUR)
    paid_and_unpaid.clock.advance(86_400)
    pay(paid_and_unpaid, bills(paid_and_unpaid)[1].id)
    count(paid_and_unpaid)
    after = drawn(paid_and_unpaid, Grouping.HOUR)
    assert [money.sums.collected_share for line in before.lines for money in line.money] == [1, 0]
    assert [money.sums.collected_share for line in after.lines for money in line.money] == [1, 1]


def test_arrears_are_recovered_or_not_once_their_time_is_over(paid_and_unpaid: Street) -> None:
    street = paid_and_unpaid
    second = bills(street)[1]
    street.clock.advance(40 * 86_400)
    assert drawn(street).total.money[0].sums.recovered_share is None
    pay(street, second.id)
    count(street)
    assert drawn(street).total.money[0].sums.recovered_share is None  # too early to tell
    later = second.due_at + timedelta(days=31)
    sums = drawn(street, now=later).total.money[0].sums
    assert (sums.arrears_minor, sums.recovered_minor) == (second.amount.minor, second.amount.minor)


def test_bays_have_their_own_money_and_median(paid_and_unpaid: Street) -> None:
    with paid_and_unpaid.database.read() as connection:
        page = draw_bays(
            connection, paid_and_unpaid.facility, MONDAY, MONDAY + timedelta(days=1), limit=10
        )
    assert [line.figures.dwell_median_s for line in page.items] == [3660, 3660, None]
    assert [[m.sums.collected_share for m in line.money] for line in page.items] == [[1], [0], []]
    total = drawn(paid_and_unpaid).total
    found = together(money.sums for line in page.items for money in line.money)
    assert found == tuple(money.sums for money in total.money)


def test_a_file_has_every_line_of_every_page(paid_and_unpaid: Street) -> None:
    with paid_and_unpaid.database.read() as connection:
        wanted = Wanted(MONDAY, MONDAY + timedelta(days=1))
        lines = list(
            every_line(connection, wanted, Grouping.FACILITY, now=paid_and_unpaid.clock.now())
        )
    assert [home.code for _, home in lines if home is not None] == ["RV-1"]


def test_counting_again_changes_nothing(paid_and_unpaid: Street) -> None:
    def kept() -> list[tuple[object, ...]]:
        with paid_and_unpaid.database.read() as connection:
            rows = connection.execute(
                text("select * from payments.collection_hour order by facility_id, hour_at")
            )
            return [tuple(row) for row in rows]

    before = kept()
    with paid_and_unpaid.database.unit_of_work() as uow:
        uow.connection.execute(
            text(
                "insert into payments.collection_mark (facility_id, issued_at)"
                " select facility_id, issued_at from payments.bill"
            )
        )
    assert count_collections(paid_and_unpaid.database) == 2
    assert kept() == before
    assert count_collections(paid_and_unpaid.database) == 0


def test_a_bays_day_names_what_was_not_paid(paid_and_unpaid: Street) -> None:
    street = paid_and_unpaid
    with street.database.read() as connection:
        paid, unpaid = (
            reconcile_day(connection, bay.id, MONDAY, street.clock.now()) for bay in street.bays[:2]
        )
    assert [found.leak for found in paid.findings] == []
    assert [found.leak for found in unpaid.findings] == [Leak.BILL_OPEN]
    assert paid.start_at == datetime(2026, 3, 1, 16, tzinfo=UTC)


def test_days_out_of_order_are_refused(paid_and_unpaid: Street) -> None:
    with pytest.raises(Invalid, match="before the first day"):
        drawn(paid_and_unpaid, days=0)


def test_an_amount_is_shared_exactly_and_rounded_once() -> None:
    day_us = 86_400_000_000
    assert per_bay_day_minor(1001, 2 * day_us) == 500  # half to even
    assert per_bay_day_minor(1003, 2 * day_us) == 502
    assert per_bay_day_minor(1000, 3 * day_us) == 333
    assert per_bay_day_minor(1000, 0) is None
    with pytest.raises(Invalid):
        per_bay_day_minor(1, -1)


def test_sums_of_two_currencies_are_never_mixed() -> None:
    parts = [Collection("CNY", 1, 500, 500), Collection("EUR", 1, 200), Collection("CNY", 1, 100)]
    assert together(parts) == (Collection("CNY", 2, 600, 500), Collection("EUR", 1, 200))
