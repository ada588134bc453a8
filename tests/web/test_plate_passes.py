"""Passages past gates, heard by signals: the same car within a day, nobody the day after."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from city.identifiers import DistrictCode
from city.vault import mark_day, marks_of_plates
from city.works import plate_passes
from city.works.plate_passes import PlatePass
from signals.hearing import Hearer
from tests.web.lane_site import PLATE, Gates, open_gates
from tests.web.test_signal_detections_api import keep, reporting, send

if TYPE_CHECKING:
    from tests.web.small_site import Site

EAST = DistrictCode("0153")


@pytest.fixture
def gates(site: Site) -> Gates:
    return open_gates(site)


def placed(site: Site, *lanes: str) -> str:
    """Say that lanes tell of the crossroads; give its address."""
    home = reporting(site)
    given = [{"lane_id": each, "lane": 90 + n} for n, each in enumerate(lanes)]
    answer = site.call("PUT", f"{home}/pass-lanes", "engineer", json={"lanes": given})
    assert answer.status_code == 200, answer.get_json()
    return home


def told(site: Site) -> list[PlatePass]:
    stretch = plate_passes.read_on(site.wiring.live, EAST)
    return [each for _, each in stretch.passes if each is not None]


def kept(site: Site) -> list[Any]:
    with site.wiring.database.read() as connection:
        return list(connection.execute(text("select * from signals.plate_pass order by at, lane")))


def hear(site: Site) -> None:
    hearer = Hearer(site.wiring.live, site.wiring.database)
    while hearer.step():
        pass


def drive_through(gates: Gates) -> None:
    gates.entry.arrives()
    gates.entry.drives()
    gates.site.clock.advance(3600)
    gates.exit.arrives()
    gates.exit.drives()


def test_a_passage_is_told_with_its_lane_the_walls_time_and_a_mark(gates: Gates) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    drive_through(gates)
    first, second = told(gates.site)
    assert (str(first.lane_id), str(second.lane_id)) == (gates.entry.lane_id, gates.exit.lane_id)
    assert before <= first.at <= second.at <= datetime.now(UTC)
    assert first.token == second.token or mark_day(first.at) != mark_day(second.at)
    assert PLATE not in str(gates.site.wiring.live.xrange(plate_passes.passes_key(EAST)))
    assert 0 < gates.site.wiring.live.ttl(plate_passes.passes_key(EAST)) <= 2 * 86_400


def test_a_car_has_one_mark_past_a_gate_and_past_a_stop_line(gates: Gates) -> None:
    site = gates.site
    home = placed(site, gates.entry.lane_id)
    drive_through(gates)
    entered = told(site)[0].at
    send(site, [[entered.isoformat(), 1, PLATE]], "passes")
    keep(site)
    hear(site)
    gate, line = sorted(kept(site), key=lambda row: -row.lane)
    # The exit's lane tells of no signal: what passed there is not kept.
    assert (gate.lane, line.lane) == (90, 1)
    assert (gate.mark, gate.at) == (line.mark, entered)
    (shown,) = site.get(f"{home.rpartition('/signals/')[0]}/pass-lanes", "auditor").get_json()[
        "items"
    ]
    assert (shown["signal"], shown["lane_id"]) == ("crossroads", gates.entry.lane_id)


def test_a_mark_lasts_from_four_to_four_and_tells_nothing_of_the_next_day(site: Site) -> None:
    night = datetime(2026, 3, 2, 19, 59, tzinfo=UTC)  # 03:59 of the street
    with site.wiring.database.unit_of_work() as uow:
        evening, before, after = marks_of_plates(
            uow,
            [
                (PLATE, night - timedelta(hours=23)),
                (PLATE, night),
                (PLATE, night + timedelta(0, 60)),
            ],
        )
    assert evening == before
    assert before != after


def test_who_may_place_a_lane_and_where(gates: Gates) -> None:
    site = gates.site
    home = placed(site, gates.entry.lane_id)
    body = {"lanes": [{"lane_id": gates.entry.lane_id, "lane": 3}]}
    assert site.call("PUT", f"{home}/pass-lanes", "operator", json=body).status_code == 403
    unknown = {"lanes": [{"lane_id": str(uuid4()), "lane": 3}]}
    assert site.call("PUT", f"{home}/pass-lanes", "engineer", json=unknown).status_code == 404
    twice = {"lanes": body["lanes"] * 2}
    assert site.call("PUT", f"{home}/pass-lanes", "engineer", json=twice).status_code == 422
    drive_through(gates)
    none = site.call("PUT", f"{home}/pass-lanes", "engineer", json={"lanes": []})
    assert none.get_json()["items"] == []
    hear(site)
    assert kept(site) == []


def test_killed_while_hearing_it_loses_none_and_keeps_none_twice(gates: Gates) -> None:
    site = gates.site
    placed(site, gates.entry.lane_id)
    now = datetime.now(UTC)
    n = 4_000
    plate_passes.publish(
        site.wiring.live,
        [
            PlatePass(
                EAST, UUID(gates.entry.lane_id), f"{i:032x}", now + timedelta(0, 0, 1_000 * i)
            )
            for i in range(n)
        ],
    )
    hearing = (
        "from journeys.wiring import build; from signals.hearing import Hearer;"
        " w = build(application='t'); h = Hearer(w.live, w.database, 50)\nwhile True: h.step()"
    )
    process = subprocess.Popen([sys.executable, "-c", hearing])
    try:
        deadline_s = time.monotonic() + 120
        while not kept(site):
            assert process.poll() is None
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    hear(site)
    assert sorted(row.mark.hex() for row in kept(site)) == [f"{i:032x}" for i in range(n)]
    with site.wiring.database.read() as connection:
        assert connection.execute(text("select number, lost from signals.pass_mark")).one() == (
            n,
            0,
        )
