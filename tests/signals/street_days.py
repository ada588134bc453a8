"""Two crossroads with a plan that came two weeks ago, and what was kept before and since."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert

from city.people.actors import system_actor
from city.time import FixedClock
from signals.rules.life.parts import plan_json
from signals.rules.live.detectors import BIN, DetectorBin, State
from signals.services import networks, plan_versions
from signals.store import bins, reporters
from signals.store.bins import KeptPhaseBin
from signals.store.reporters import DetectorUse
from signals.store.tables import plate_pass
from tests.signals import drivable

if TYPE_CHECKING:
    from uuid import UUID

    from pydantic import JsonValue

    from city.works.database import Database, UnitOfWork

SIGNALS: Final = ("0-crossroads", "1-crossroads")
DAYS: Final = 14
"""A side: whatever the calendar says, two working days and two free ones at least."""
HOURS: Final = (2, 3)
"""Of the day in UTC: ten and eleven on the street."""
VEHICLES: Final = 100
CARS: Final = 8
BROKEN: Final = 2
"""A phase whose detector is stuck all along, and tells nonsense."""


def deployed(database: Database, changed_at: datetime, code: str) -> UUID:
    """Deploy a plan, everything at the instant at which it comes to the street."""
    found = drivable.network(2)
    plans = [plan_json(each) for each in drivable.in_force(found, 14, 40)]
    content = json.dumps(drivable.document(2) | {"plans": plans}).encode()
    better: JsonValue = {"plans": [plan_json(each) for each in drivable.in_force(found, 34, 20)]}
    one, other = system_actor("drafter"), system_actor("approver")
    database.clock = database.wall = FixedClock(changed_at)
    with database.unit_of_work() as uow:
        home = networks.import_network(uow, one, code, ("两个路口", "Two crossroads"), content)
        flows = [("0-west-in", "1-west-in", 520.0), ("1-west-in", "1-east-out", 500.0)]
        networks.record_demand(
            uow, one, home.id, name="morning", source="counted", flows=flows, hours=1.0
        )
        made = plan_versions.draft(
            uow, one, home.id, title="Street first", document=better, profile="as-is"
        )
        checked = plan_versions.check(uow, one, made.id, revision=1)
        assert checked.safe, checked
        plan_versions.approve(uow, other, made.id, revision=1)
        plan_versions.deploy(uow, one, made.id, revision=1)
        _keep_days(uow, home.id, changed_at)
    return made.id


def _keep_days(uow: UnitOfWork, network_id: UUID, changed_at: datetime) -> None:
    where = reporters.make_places(uow.connection, network_id, SIGNALS)
    uses = [DetectorUse(1, 1, "advance"), DetectorUse(BROKEN, BROKEN, "advance")]
    reporters.set_detectors(uow.connection, dict.fromkeys(where.values(), uses))
    random = Random(3)  # noqa: S311 - days of a street
    phases: list[KeptPhaseBin] = []
    detectors: list[DetectorBin] = []
    passes: list[dict[str, object]] = []
    for back in range(-DAYS, DAYS + 1):
        common_s = random.uniform(-2, 2)
        for hour in HOURS:
            day = changed_at + timedelta(days=back)
            at = day.replace(hour=hour, minute=0, second=0, microsecond=0)
            since = at >= changed_at
            for name, place in where.items():
                # The second junction's arrivals on green do not change at all.
                better = since and name == SIGNALS[0]
                waited_s = VEHICLES * ((20 if since else 32) + common_s + random.uniform(-1, 1))
                phases.append(
                    KeptPhaseBin(
                        place, 1, at, 30, 3 if since else 9, VEHICLES,
                        0.62 if better else 0.41, VEHICLES, waited_s,
                    )
                )  # fmt: skip
                phases.append(KeptPhaseBin(place, BROKEN, at, None, None, 900, 1.0, 900, 0.0))
                count = DetectorBin(place, 1, at, State.OK, 9, 30.0, None, None, 0.0)
                stuck = replace(count, channel=BROKEN, state=State.STUCK, vehicles=900)
                detectors += [
                    replace(each, from_at=at + number * BIN)
                    for each in (count, stuck)
                    for number in range(12)
                ]
            for car in range(CARS):
                mark = sha256(f"{at} {car}".encode()).digest()[:16]
                left_at = at + timedelta(minutes=6 * car)
                took_s = (60 if since else 75) + common_s + random.uniform(-8, 8)
                for name, seen_at in zip(
                    SIGNALS, (left_at, left_at + timedelta(seconds=took_s)), strict=True
                ):
                    passes.append({"place": where[name], "at": seen_at, "lane": 1, "mark": mark})
    bins.keep_phase_bins(uow.connection, phases)
    bins.keep_detector_bins(uow.connection, detectors)
    uow.connection.execute(insert(plate_pass), passes)
