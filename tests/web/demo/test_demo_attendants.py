"""The demo's attendants against the real application, over HTTP."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from city.time import WallClock
from city.vehicles import PlateKind, parse_plate
from parking.rules.occupancy.history import BayState
from parking.services import stays
from payments import services as payments
from payments.rules.bills import BillState
from tests.web.demo.street import KERB, NINE
from web.demo.api_client import ApiClient, ApiError
from web.demo.attendants import MISSED_SHARE, PAID_AT_ONCE_SHARE, Attendant, Pace, Patrol, draw
from web.demo.handhelds import Handheld

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.demo.street import Street


def test_attendants_take_plates_after_a_while_and_cash_for_most_bills(street: Street) -> None:
    bays = KERB.bays[:16]
    street.set_clock(NINE)
    for bay in bays:
        street.sense(bay, BayState.OCCUPIED, NINE)
    attendant = street.attendant()
    attendant.step(NINE + timedelta(seconds=30))
    assert attendant.plates_taken == 0

    attendant.step(NINE + timedelta(minutes=7))
    with street.wiring.database.read() as connection:
        seen = [
            each
            for each in stays.page(connection, limit=50).items
            if each.stay.vehicle_id is not None
        ]
        missed = [
            each
            for each in stays.page(connection, limit=50).items
            if draw(str(each.id)) < MISSED_SHARE
        ]
    assert len(seen) == len(bays) - len(missed) == attendant.plates_taken

    leaving = NINE + timedelta(minutes=95)
    street.set_clock(leaving + timedelta(minutes=1))
    for bay in bays:
        street.sense(bay, BayState.FREE, leaving)
    street.bill_what_closed()
    attendant.step(leaving + timedelta(minutes=2))
    with street.wiring.database.read() as connection:
        bills = payments.bills(connection, limit=50).items
    assert len(bills) == len(seen)
    assert {each.amount.minor for each in bills} == {880 + 2 * 320}
    for bill in bills:
        at_once = draw(str(bill.id)) < PAID_AT_ONCE_SHARE
        assert bill.state is (BillState.PAID if at_once else BillState.OPEN)
    assert attendant.bills_paid == sum(each.state is BillState.PAID for each in bills)


def test_an_empty_looking_bay_is_left_alone(street: Street) -> None:
    street.set_clock(NINE)
    street.sense(KERB.bays[0], BayState.OCCUPIED, NINE)
    attendant = street.attendant(plate=None)
    attendant.step(NINE + timedelta(minutes=20))
    assert attendant.plates_taken == 0


def test_a_colleague_who_was_quicker_is_no_trouble(street: Street) -> None:
    street.set_clock(NINE)
    for bay in KERB.bays[:12]:
        street.sense(bay, BayState.OCCUPIED, NINE)
    first = street.attendant()
    second = street.attendant(parse_plate("皖S54321", PlateKind.BLUE7), on="PDA 2")
    second._handheld.ready()
    listed = second._all("/api/v1/sessions", facility_id=KERB.facility_id, state="open")
    first.step(NINE + timedelta(minutes=7))
    for session in listed:  # read before the colleague acted
        second._take_plate(session, NINE + timedelta(minutes=7))
    second._send(NINE + timedelta(minutes=7))
    assert first.plates_taken > 0
    assert second.plates_taken == 0


def test_the_attendants_together_never_ask_more_often_than_their_pace(street: Street) -> None:
    street.set_clock(NINE)
    for bay in KERB.bays[:8]:
        street.sense(bay, BayState.OCCUPIED, NINE)
    street.attendant(per_s=20).step(NINE + timedelta(minutes=7))
    assert len(street.calls) > 6
    # However late a thread wakes: from any request's turn on, not more than twenty a second.
    for first, (asked_s, _) in enumerate(street.calls):
        for after, (_, went_s) in enumerate(street.calls[first:]):
            assert went_s - asked_s >= 0.999 * after / 20


def test_a_patrol_waits_while_the_api_is_away_and_ends_when_told(tmp_path: Path) -> None:
    stopped = threading.Event()
    # Nothing listens on port 1.
    api = ApiClient("http://127.0.0.1:1", "nobody", Pace(100, stopped).wait)
    with pytest.raises(ApiError, match="no answer"):
        api.get("/api/v1/sessions")
    handheld = Handheld(api, tmp_path / "PDA 1.json", lambda: "AAAA-BBBB-CCCC", WallClock())
    patrol = Patrol([Attendant(api, [KERB], handheld, lambda _: None)], _Noon(), stopped)
    patrol.start()
    time.sleep(0.2)
    assert patrol.is_alive()
    stopped.set()
    patrol.join(60)
    assert not patrol.is_alive()


class _Noon:
    @staticmethod
    def now() -> datetime:
        return NINE + timedelta(hours=3)
