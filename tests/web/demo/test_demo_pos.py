"""The demo's POS terminals sell what drivers owe, over TCP, and settle."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from city.identifiers import OperatorId, ParkingSessionId, TariffVersionId, VehicleId, uuid7
from city.money import Money
from payments import pos_overview
from payments import services as payments
from payments.adapters.pos_terminal import Faults
from payments.rules.bills import BillState, Charge
from payments.rules.ledger import clearing_of
from payments.rules.pos.terminals import BatchState
from tests.web.demo.street import KERB
from web.demo import pos
from web.demo.api_client import ApiClient

if TYPE_CHECKING:
    import pytest

    from payments.rules.bills import Bill
    from tests.web.demo.street import Street


def owing(street: Street, minor: int) -> Bill:
    line: dict[str, Any] = {
        "from": "2026-07-14T09:00:00+08:00",
        "to": "2026-07-14T10:00:00+08:00",
        "band": "day",
        "units": 1,
        "minor": minor,
        "why": {"key": "tariff.why.exempt", "values": {"name": {"zh": "应急", "en": "police"}}},
    }
    charge = Charge(
        session_id=ParkingSessionId(uuid7()),
        vehicle_id=VehicleId(uuid7()),
        facility_id=KERB.facility_id,
        district=KERB.district,
        operator_id=OperatorId(uuid7()),
        revenue_nature="commercial",
        tariff_version_id=TariffVersionId(uuid7()),
        amount=Money(minor, "CNY"),
        lines=(line,),
    )
    with street.wiring.database.unit_of_work() as uow:
        return payments.issue_bill(uow, charge, "test")


def test_booths_sell_what_is_owed_settle_and_end_when_told(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("PAID_AT_ONCE_SHARE", 0.0),
        ("SHARE", 1.0),
        ("SETTLES_AFTER", 2),
        ("STEP_S", 0.01),
        ("FAULTS", Faults(lost=0.2, twice=0.2, overtaken=0.1)),
        ("homes", lambda _facilities: [KERB]),
    ):
        monkeypatch.setattr(pos, name, value)
    bills = [owing(street, minor) for minor in (500, 700, 900)]
    database, stopped = street.wiring.database, threading.Event()
    api = ApiClient(street.origin, street.token, lambda: None)
    booths = pos.open_booths(street.wiring.settings, database, [KERB], api, stopped)
    assert booths is not None

    def unpaid() -> int:
        with database.read() as connection:
            found = [payments.find_bill(connection, each.id) for each in bills]
            return sum(each is None or each.state is not BillState.PAID for each in found)

    until_s = time.monotonic() + 60
    while unpaid() and time.monotonic() < until_s:
        time.sleep(0.05)
    stopped.set()
    booths.stop(10)
    assert (unpaid(), booths.is_alive()) == (0, False)
    with database.read() as connection:
        (seen,), _ = pos_overview.seen(connection, database.wall.now())
        held = payments.balance(connection, clearing_of("pos"))["CNY"]
    assert held == Money(2_100, "CNY")
    assert seen.terminal.terminal_no == pos.number_of(KERB)
    assert seen.settled is None or seen.settled.state is BatchState.BALANCED
    # Opened again it is the same terminal, and goes on from what it remembers.
    stopped.clear()
    again = pos.open_booths(street.wiring.settings, database, [KERB], api, stopped)
    assert again is not None
    stopped.set()
    again.stop(10)
