"""A kerb of the prepared city before the real application, over HTTP."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from werkzeug.serving import make_server

from city.time import ClockSetting
from city.vehicles import PlateKind, parse_plate
from city.works.jobs import Worker
from city.works.shared_setting import DEMO_CLOCK, write_setting
from journeys import deduct_by_agreement, settle_stay
from parking.rules.occupancy.history import BayChange, BayState, StateChange
from parking.services import stays
from web.app import create_app
from web.demo.api_client import ApiClient
from web.demo.attendants import Attendant, Pace
from web.demo.handhelds import Handheld, code_for
from web.demo.people import WALKERS
from web.demo.prepare import plan_city

if TYPE_CHECKING:
    from collections.abc import Iterator

    from city.identifiers import BayId
    from city.vehicles import PlateNumber
    from journeys.wiring import Wiring
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
    calls: list[tuple[float, float]]
    """When each request was about to wait for its turn, and when it went."""

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
            [
                settle_stay.task(database),
                deduct_by_agreement.task(database, self.wiring.channels),
            ],
            database=database,
        ).drain()

    def api(self, per_s: float = 10_000) -> ApiClient:
        def before() -> None:
            asked_s = time.monotonic()
            pace.wait()
            self.calls.append((asked_s, time.monotonic()))

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
