"""The demo's gated garage: its controllers drive the platform's lanes over the API."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from city.identifiers import BayId, uuid7
from city.vehicles import PlateKind, parse_plate
from parking.rules.lanes.model import Way
from tests.web.conftest import site, wiring
from tests.web.lane_site import open_gates
from web.demo import lane_controller, lanes
from web.demo.api_client import ApiError
from web.demo.lane_controller import Camera, Controller
from web.demo.lanes import Gates, Inside, Lane

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.small_site import Site

__all__ = ["site", "wiring"]

PLATES = [parse_plate(f"皖R1234{n}", PlateKind.BLUE7) for n in range(5)]


@dataclass
class Door:
    """The way to the application, as a controller takes it."""

    site: Site
    who: str
    down: bool = False

    def post(self, path: str, body: dict[str, Any], key: str) -> dict[str, Any]:
        if self.down:
            raise ApiError(None, "the line is down")
        answer = self.site.post(path, self.who, json=body, key=key)
        assert answer.status_code < 300, answer.get_json()
        found: dict[str, Any] = answer.get_json()
        return found


@dataclass
class Built:
    """Lanes of the demo before the test's application."""

    site: Site
    gates: Gates
    lanes: dict[Way, Lane]
    doors: dict[Way, Door]
    now_s: float = 0.0

    def pass_s(self, seconds: float) -> None:
        for _ in range(round(seconds / lanes.STEP_S)):
            self.now_s += lanes.STEP_S
            self.site.clock.advance(lanes.STEP_S)
            for lane in self.lanes.values():
                try:
                    lane.step(self.now_s, self.site.clock.now())
                except ApiError:
                    continue


@pytest.fixture
def built(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Built:
    for module, name in (
        (lane_controller, "UNREAD_SHARE"),
        (lane_controller, "MISREAD_SHARE"),
        (lanes, "BACKS_SHARE"),
    ):
        monkeypatch.setattr(module, name, 0.0)
    opened = open_gates(site)
    driven: dict[Way, Lane] = {}
    doors: dict[Way, Door] = {}
    found = Built(site, None, driven, doors)  # type: ignore[arg-type]  # just below
    monkeypatch.setattr("web.demo.lanes.time.monotonic", lambda: found.now_s)
    for way, box in ((Way.ENTRY, opened.entry), (Way.EXIT, opened.exit)):
        doors[way] = Door(site, box.who)
        camera = Camera(Random(4))  # noqa: S311 - a town, not a secret
        cabinet = Controller(doors[way], UUID(box.lane_id), site.clock, camera)  # type: ignore[arg-type]  # the same calls
        driven[way] = Lane(cabinet, partial(lanes._lift, Door(site, "attendant")))  # type: ignore[arg-type]  # as above
    home: Any = None
    found.gates = Gates(home, driven, Inside(tmp_path / "in.json"), site.clock, threading.Event())
    return found


def states(site: Site) -> list[str]:
    return [each["state"] for each in site.get("/api/v1/sessions", "operator").get_json()["items"]]


def test_cars_come_in_reach_their_bays_and_leave_one_behind_the_other(built: Built) -> None:
    built.gates.begin({})
    bays = [BayId(uuid7()) for _ in range(3)]
    for bay, plate in zip(bays, PLATES, strict=False):
        built.gates.arrive(plate, bay)
    built.pass_s(25)
    assert [bay for bay, _ in built.gates.reached()] == bays
    assert states(built.site) == ["open"] * 3
    for bay, plate in zip(bays, PLATES, strict=False):
        built.gates.leave(plate, bay)
    built.pass_s(25)
    assert (states(built.site), built.gates.passed) == (["closed"] * 3, 6)


def test_cars_that_were_inside_before_are_told_of_with_their_own_times(built: Built) -> None:
    bays = {BayId(uuid7()): plate for plate in PLATES}
    built.gates.begin(bays)
    built.pass_s(10)
    stays = built.site.get("/api/v1/sessions", "operator").get_json()["items"]
    assert len({each["opened_at"] for each in stays}) == len(PLATES)
    # The same cars after a new start: nobody came in twice.
    again = Inside(built.gates._inside._path)
    assert again.plates == bays


def test_words_of_a_time_without_a_line_are_told_when_it_is_back(built: Built) -> None:
    built.gates.begin({})
    built.pass_s(2)
    built.gates.arrive(PLATES[0], BayId(uuid7()))
    built.doors[Way.ENTRY].down = True
    built.pass_s(10)
    assert states(built.site) == []
    built.doors[Way.ENTRY].down = False
    built.pass_s(60)
    assert states(built.site) == ["open"]


def test_a_car_that_nobody_reads_is_let_in_by_an_attendant(
    built: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_controller, "UNREAD_SHARE", 1.0)
    built.gates.begin({})
    built.gates.arrive(PLATES[0], BayId(uuid7()))
    built.pass_s(80)
    alarms = built.site.get("/api/v1/lane-alarms", "operator").get_json()["items"]
    assert {each["kind"] for each in alarms} == {"unread", "called"}
    (lane,) = [each for each in built.lanes.values() if each.passed]
    acts = built.site.get(f"/api/v1/lanes/{lane.controller.lane_id}/acts", "operator").get_json()
    assert [each["frame_id"] is not None for each in acts["items"]] == [True]
