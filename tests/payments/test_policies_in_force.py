"""What holds at an instant is found however many rules there were before and are to come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

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
from payments import exits
from payments.rules.arrears import DEFAULT_POLICY
from payments.rules.bills import Bill, BillState, Charge
from payments.rules.exits import ExitMode
from payments.store import policies

if TYPE_CHECKING:
    from city.works.database import Database

NOW_AT = datetime(2026, 3, 2, 4, tzinfo=UTC)
MANY = 700
HERE, THERE = DistrictCode("0153"), DistrictCode("0154")


def issued(district: DistrictCode, at: datetime) -> Bill:
    line: dict[str, Any] = {"minor": 100, "units": 1}
    charge = Charge(
        session_id=ParkingSessionId(uuid7()),
        vehicle_id=VehicleId(uuid7()),
        facility_id=FacilityId(uuid7()),
        district=district,
        operator_id=OperatorId(uuid7()),
        revenue_nature="commercial",
        tariff_version_id=TariffVersionId(uuid7()),
        amount=Money(100, "CNY"),
        lines=(line,),
    )
    due_at = at + timedelta(days=30)
    return Bill(BillId(uuid7()), charge, at, due_at, BillState.OPEN, None)


@pytest.fixture
def ruled(database: Database) -> Database:
    """Rule a district and the city a few hundred times; a policy's days tell which it is."""
    with database.unit_of_work() as uow:
        # As they stand from before two people were asked for.
        for table in ("arrears_policy", "exit_rule"):
            off = f"alter table payments.{table} disable trigger agreed_by_two"
            uow.connection.execute(text(off))
        for district, days in (("0153", 10), (None, 20)):
            for place in range(MANY):
                uow.connection.execute(
                    text(
                        "insert into payments.arrears_policy (id, district, from_at, days_to_pay,"
                        " steps, privileges, source, agreed_at, agreed_by)"
                        " values (:id, :district, :at, :days, '[]', '{}', 'x', :at, 'x')"
                    ),
                    {
                        "id": uuid7(),
                        "district": district,
                        "at": NOW_AT + timedelta(days=place - 650),
                        "days": days + (place == 650),
                    },
                )
                uow.connection.execute(
                    text(
                        "insert into payments.exit_rule (id, facility_id, district, mode, from_at,"
                        " source, agreed_at, agreed_by)"
                        " values (:id, null, :district, :mode, :at, 'x', :at, 'x')"
                    ),
                    {
                        "id": uuid7(),
                        "district": district,
                        "mode": "pay-first" if district and place == 650 else "leave-first",
                        "at": NOW_AT + timedelta(days=place - 650),
                    },
                )
        for table in ("arrears_policy", "exit_rule"):
            on = f"alter table payments.{table} enable always trigger agreed_by_two"
            uow.connection.execute(text(on))
    return database


def test_the_policy_in_force_is_a_district_s_own_and_else_the_city_s(ruled: Database) -> None:
    with ruled.read() as connection:
        own = policies.in_force(connection, HERE, NOW_AT)
        other = policies.in_force(connection, THERE, NOW_AT)
        before = policies.in_force(connection, THERE, NOW_AT - timedelta(days=900))
    assert (own.days_to_pay, other.days_to_pay, before) == (11, 21, DEFAULT_POLICY)


def test_each_bill_follows_what_held_when_it_was_issued(ruled: Database) -> None:
    bills = [
        issued(HERE, NOW_AT),
        issued(HERE, NOW_AT - timedelta(seconds=1)),
        issued(THERE, NOW_AT),
        issued(THERE, NOW_AT - timedelta(days=900)),
    ]
    with ruled.read() as connection:
        found = policies.of_bills(connection, bills)
        assert policies.of_bills(connection, []) == {}
    days = [found[each.id].days_to_pay for each in bills]
    assert days == [11, 10, 21, DEFAULT_POLICY.days_to_pay]


def test_the_exit_rule_in_force_is_found_among_hundreds(ruled: Database) -> None:
    with ruled.read() as connection:
        modes = [
            exits.mode_in_force(connection, FacilityId(uuid7()), district, NOW_AT)
            for district in (HERE, THERE)
        ]
    assert modes == [ExitMode.PAY_FIRST, ExitMode.LEAVE_FIRST]
