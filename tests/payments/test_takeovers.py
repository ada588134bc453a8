"""Bills that are written by the hundred are those that are written one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from city.errors import Conflict
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
from payments import services, takeovers
from payments.rules.bills import Charge
from payments.rules.contracts import Party, Share
from tests.payments import agreed

if TYPE_CHECKING:
    from city.works.database import Database

OPERATORS = {
    "commercial": OperatorId(uuid7()),
    "public_non_tax": OperatorId(uuid7()),
}


def charge(nature: str, minor: int) -> Charge:
    line: dict[str, Any] = {"minor": minor, "units": 1}
    return Charge(
        session_id=ParkingSessionId(uuid7()),
        vehicle_id=VehicleId(uuid7()),
        facility_id=FacilityId(uuid7()),
        district=DistrictCode("0153"),
        operator_id=OPERATORS[nature],
        revenue_nature=nature,
        tariff_version_id=TariffVersionId(uuid7()),
        amount=Money(minor, "CNY"),
        lines=(line,),
    )


def postings(database: Database) -> list[tuple[str, int]]:
    with database.read() as connection:
        rows = connection.execute(
            text("select account, sum(minor)::bigint from payments.posting group by 1 order by 1")
        )
        return [(row[0], row[1]) for row in rows]


def test_bills_written_together_are_those_written_one_by_one(database: Database) -> None:
    with database.unit_of_work() as uow:
        shares = [Share(Party.PLATFORM, "green", 13), Share(Party.OPERATOR, "", 87)]
        agreed.agree(uow, OPERATORS["commercial"], None, None, shares, "test")
    charges = [charge(nature, minor) for nature in OPERATORS for minor in (0, 625, 1437)]
    with database.unit_of_work() as uow:
        alone = [services.issue_bill(uow, each, "test") for each in charges]
    before = postings(database)
    again = [replace(each, session_id=ParkingSessionId(uuid7())) for each in charges]
    with database.unit_of_work() as uow:
        together = takeovers.issue_bills(uow, again, "test")
        found = [services.find_bill(uow.connection, each.id) for each in together]
    assert found == together
    assert postings(database) == [(account, 2 * minor) for account, minor in before]
    same = BillId(uuid7())
    assert [replace(each, id=same, charge=charges[0]) for each in together] == [
        replace(each, id=same, charge=charges[0]) for each in alone
    ]


def test_of_bills_written_together_none_is_written_where_a_stay_has_one(
    database: Database,
) -> None:
    one, other = charge("commercial", 625), charge("commercial", 1437)
    with database.unit_of_work() as uow:
        services.issue_bill(uow, one, "test")
    before = postings(database)
    with database.unit_of_work() as uow, pytest.raises(Conflict, match="has a bill already"):
        takeovers.issue_bills(uow, [other, one], "test")
    assert postings(database) == before
