"""The demo's attendants against the real application, over HTTP."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.serving import make_server

from city.time import ClockSetting, WallClock
from city.vault import key_source
from city.vehicles import PlateKind, parse_plate
from city.works.jobs import Worker
from city.works.settings import settings
from city.works.shared_setting import DEMO_CLOCK, write_setting
from journeys import settle_stay
from journeys import wiring as composition
from parking.rules.occupancy.history import BayChange, BayState, StateChange
from parking.services import stays
from payments import services as payments
from payments.rules.bills import BillState
from web.app import create_app
from web.demo.api_client import ApiClient, ApiError
from web.demo.attendants import (
    MISSED_SHARE,
    PAID_AT_ONCE_SHARE,
    Attendant,
    Pace,
    Patrol,
    draw,
)
from web.demo.handhelds import Handheld, code_for
from web.demo.people import WALKERS
from web.demo.prepare import plan_city
from web.demo.secrets_file import read_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from city.identifiers import BayId
    from city.vehicles import PlateNumber
    from journeys.wiring import Wiring
    from tests.web.demo.prepared_city import Prepared
    from web.demo.bays import DemoBay

NINE = datetime(2026, 7, 14, 1, tzinfo=UTC)
"""09:00 in Shanghai."""
PLATE = parse_plate("皖R12345", PlateKind.BLUE7)


def plate_of(bay: BayId, like: PlateNumber) -> PlateNumber:
    """Give the plate that somebody takes for that of the car in a bay."""
    return parse_plate(f"{like.text[:2]}{bay.int % 100_000:05d}", PlateKind.BLUE7)


WALKER = WALKERS[0]
KERB = next(
    each
    for each in plan_city().facilities
    if each.district == WALKER.district and each.kind == "kerb" and len(each.bays) >= 20
)


@dataclass
class Street:
    """A kerb of the prepared city, its sensors' words, and the API that tells of it."""

    wiring: Wiring
    origin: str
    token: str
    calls: list[float]

    def set_clock(self, at: datetime) -> None:
        with self.wiring.database.unit_of_work() as uow:
            standing = ClockSetting(at, uow.wall.now(), 0)
            write_setting(uow, DEMO_CLOCK, standing.as_json())
        while self.wiring.clock.now() != at:
            time.sleep(0.05)  # each process sees a change within its cache's age

    def sense(self, bay: DemoBay, state: BayState, at: datetime) -> None:
        change = StateChange(state, at, 950, f"{bay.label}-{at:%H%M%S}", None)
        with self.wiring.database.unit_of_work() as uow:
            stays.apply_bay_changes(
                uow,
                [
                    BayChange(
                        bay.bay_id,
                        KERB.facility_id,
                        KERB.district,
                        at,
                        (change,),
                        state,
                        at,
                        950,
                        at,
                        provisional=False,
                    )
                ],
            )

    def bill_what_closed(self) -> None:
        database = self.wiring.database
        Worker(
            self.wiring.settings.database_address(),
            [settle_stay.task(database)],
            database=database,
        ).drain()

    def api(self, per_s: float = 10_000) -> ApiClient:
        def before() -> None:
            pace.wait()
            self.calls.append(time.monotonic())

        pace = Pace(per_s, threading.Event())
        return ApiClient(self.origin, self.token, before)

    def handheld(self, api: ApiClient, name: str = "PDA 1") -> Handheld:
        def code() -> str:
            with self.wiring.database.unit_of_work() as uow:
                return code_for(uow, name, WALKER.district)

        return Handheld(api, self.wiring.settings.var / f"{name}.json", code, self.wiring.wall)

    def attendant(
        self, plate: Any = PLATE, *, per_s: float = 10_000, on: str = "PDA 1"
    ) -> Attendant:
        api = self.api(per_s)
        # Each bay has a car of its own: one plate in neighbouring bays is one car over two bays.
        return Attendant(
            api, [KERB], self.handheld(api, on), lambda bay: plate and plate_of(bay, plate)
        )


@contextmanager
def served(wiring: Wiring) -> Iterator[str]:
    """Serve the application on a free port; give its origin."""
    server = make_server("127.0.0.1", 0, create_app(wiring), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def street(city: Prepared, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Street]:
    monkeypatch.setenv("DATABASE_URL", city.settings.database_address())
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("MQTT_URL", "mqtt://127.0.0.1:1")
    monkeypatch.setenv("GREENBAY_VAR", str(city.settings.var))
    monkeypatch.setenv("GREENBAY_DEMO", "1")
    for kept in (settings, key_source):
        kept.cache_clear()
    wiring = composition.build("test")
    token = read_secrets(city.settings.var).attendant_tokens[WALKER.login]
    with served(wiring) as origin:
        yield Street(wiring, origin, token, [])
    wiring.database.close()
    clock: Any = wiring.clock
    clock._setting._database.close()
    wiring.live.close()
    wiring.live.connection_pool.disconnect()
    for kept in (settings, key_source):
        kept.cache_clear()


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
    gaps = [b - a for a, b in zip(street.calls, street.calls[1:], strict=False)]
    assert len(gaps) > 5
    assert street.calls[-1] - street.calls[0] >= (len(gaps) - 1) / 20
    assert min(gaps) > 0.03


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
    patrol.join(2)
    assert not patrol.is_alive()


class _Noon:
    @staticmethod
    def now() -> datetime:
        return NINE + timedelta(hours=3)
