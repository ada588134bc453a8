"""Lanes over HTTP: a controller drives a garage's gates, and people work them from the desk."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from city.identifiers import DistrictCode, FacilityId
from city.people.actors import SYSTEM
from city.vault import keep_plate
from city.vehicles import PlateKind, parse_plate
from journeys import work_lanes
from parking.rules.rights.standing import Effect, ListingReason, RegionPolicy
from parking.services import blacklists
from parking.services.blacklists import ListingWish
from parking.store import lanes as store
from payments.rules.exits import ExitMode
from tests.payments import agreed
from tests.web.lane_site import PLATE, Gates, open_gates

if TYPE_CHECKING:
    from tests.web.small_site import Site


@pytest.fixture
def gates(site: Site) -> Gates:
    return open_gates(site)


def test_a_car_comes_in_stays_and_leaves_and_its_bill_is_that_of_the_stay(gates: Gates) -> None:
    entry, leaving = gates.entry, gates.exit
    entry.arrives()
    assert (entry.barrier, entry.shown) == ("up", ["wait", "welcome"])
    shown = gates.lane(entry)
    assert shown["waiting"]["plate"] == {"text": "京A·****5", "kind": "blue7", "masked": True}
    assert (shown["waiting"]["verdict"], shown["waiting"]["granted_by"]) == ("open", "rules")
    entry.drives()
    assert entry.barrier == "down"
    (stay,) = gates.stays()
    assert (stay["state"], stay["plate"]["text"]) == ("open", "京A·****5")
    gates.site.clock.advance(61 * 60)
    leaving.arrives()
    assert leaving.barrier == "up"
    assert leaving.standing is not None
    assert leaving.standing["because"] == "leave-first"
    leaving.drives()
    assert gates.alarms() == []
    (bill,) = gates.settle()
    assert bill["amount"]["minor"] == 900
    (gone,) = gates.lane(leaving)["vehicles"]
    assert (gone["outcome"], gone["became"], gone["session_id"]) == ("passed", "left", stay["id"])


def test_where_one_pays_first_the_lane_asks_shows_a_code_and_opens_once_it_is_paid(
    gates: Gates,
) -> None:
    site = gates.site
    with site.wiring.database.unit_of_work() as uow:
        agreed.rule_exits(uow, FacilityId(UUID(gates.facility_id)), ExitMode("pay-first"))
    gates.entry.arrives()
    gates.entry.drives()
    site.clock.advance(61 * 60)
    leaving = gates.exit
    leaving.arrives()
    assert (leaving.barrier, leaving.shown[-1]) == ("down", "pay")
    assert leaving.standing is not None
    assert (leaving.standing["due"]["minor"], "/pay/" in leaving.standing["link"]) == (900, True)
    assert gates.lane(leaving)["waiting"]["due"]["minor"] == 900
    leaving.waits(3)
    assert leaving.barrier == "down"
    (stay,) = gates.stays()
    paid = site.post(
        f"/api/v1/sessions/{stay['id']}/advances",
        "attendant",
        json={"tendered": {"minor": 900, "currency": "CNY"}, "channel": "cash"},
    )
    assert paid.status_code == 201, paid.get_json()
    leaving.waits(3)
    assert (leaving.barrier, leaving.shown[-1]) == ("up", "goodbye")


def test_a_car_that_nobody_reads_waits_for_the_desk_which_lifts_with_reason_and_photo(
    gates: Gates,
) -> None:
    site, entry = gates.site, gates.entry
    entry.arrives(None)
    entry.waits(5)
    assert entry.shown == ["wait", "no-plate"]
    entry.waits(45)
    assert (gates.alarms(), entry.barrier, entry.shown[-1]) == (["called"], "down", "called")
    path = f"/api/v1/lanes/{entry.lane_id}/acts"
    wish = {"kind": "lift", "reason": "no-plate", "note": "covered by snow"}
    assert site.post(path, "auditor", json=wish).status_code == 403
    assert site.post(path, "attendant-west", json=wish).status_code == 404
    vague = site.post(path, "attendant", json={**wish, "reason": "other", "note": " "})
    assert (vague.status_code, vague.get_json()["errors"][0]["field"]) == (422, "note")
    done = site.post(path, "attendant", json=wish, key="once")
    assert site.post(path, "attendant", json=wish, key="once").get_json() == done.get_json()
    entry.waits(1)
    assert (entry.barrier, entry.photos) == ("up", [done.get_json()["photo_order_id"]])
    entry.drives()
    assert (entry.barrier, gates.alarms()) == ("down", ["unread", "called"])
    assert gates.stays() == []
    # One press, with the plate as it stands on the picture, and its passage is told.
    alarm = site.get("/api/v1/lane-alarms", "operator").get_json()["items"][0]
    answer = {"answer": "passed", "plate": PLATE, "plate_kind": "blue7"}
    path = f"/api/v1/lane-alarms/{alarm['id']}/answer"
    told = site.post(path, "attendant", json=answer)
    assert told.status_code == 200, told.get_json()
    assert told.get_json()["vehicle"]["became"] == "entered"
    assert PLATE not in told.get_data(as_text=True)
    assert site.post(path, "attendant", json=answer).status_code == 409
    (stay,) = gates.stays()
    assert stay["state"] == "open"
    (record,) = site.get("/api/v1/audit?action=parking.lane_worked", "auditor").get_json()["items"]
    assert record["detail"]["reason"] == "no-plate"


def test_what_happened_while_the_line_was_down_is_joined_with_its_own_times(gates: Gates) -> None:
    site, entry = gates.site, gates.entry
    entry.online = False
    entry.arrives()
    entry.tell(entry.word("barrier", barrier="up"))
    entry.drives()
    entry.tell(entry.word("barrier", barrier="down"))
    site.clock.advance(3600)
    with site.wiring.database.unit_of_work() as uow:
        store.tell_silent(uow.connection, site.clock.now(), timedelta(seconds=15))
    assert gates.alarms() == ["offline", "offline"]
    assert gates.lane(entry)["online"] is False
    entry.online = True
    entry.tell()
    (stay,) = gates.stays()
    assert stay["opened_at"] < (site.clock.now() - timedelta(minutes=59)).isoformat()
    assert (entry.barrier, gates.lane(entry)["online"]) == ("down", True)
    gone = gates.lane(entry)["vehicles"][0]
    assert (gone["granted_by"], gone["became"]) == ("local", "entered")


def test_a_past_that_is_told_in_parts_raises_no_alarm_between_them(gates: Gates) -> None:
    entry = gates.entry
    entry.online = False
    entry.arrives()
    entry.tell(entry.word("barrier", barrier="up"))
    told, entry.kept = entry.kept, []
    gates.site.clock.advance(3600)
    entry.online = True
    entry.tell(*told)
    assert (gates.alarms(), entry.barrier) == ([], "down")
    assert gates.lane(entry)["barrier"] == "up"


def test_words_told_again_are_taken_once_and_a_gap_means_that_some_were_lost(gates: Gates) -> None:
    entry = gates.entry
    entry.arrives()
    entry.drives()
    first = {"life": entry.life, "sent_at": gates.site.clock.now().isoformat()}
    path = f"/api/v1/lanes/{entry.lane_id}/reports"
    again = [{**entry.word("loop", loop="approach", on=True), "number": 4}]
    before = gates.lane(entry)
    gates.site.post(path, entry.who, json={**first, "words": again})
    assert gates.lane(entry)["approach"] is before["approach"]
    entry.number += 5
    entry.tell(entry.word("loop", loop="approach", on=True))
    shown = gates.lane(entry)
    # Nobody knows where the barrier is, or what is beneath it.
    assert (shown["barrier"], shown["beneath"], shown["approach"]) == ("unknown", None, True)


def test_fire_opens_every_lane_and_lets_them_down_when_it_is_over(gates: Gates) -> None:
    site = gates.site
    path = f"/api/v1/facilities/{gates.facility_id}/fire"
    assert site.post(path, "operator-west", json={"on": True}).status_code == 404
    done = site.post(path, "operator", json={"on": True, "note": "smoke on level 2"})
    assert [each["kind"] for each in done.get_json()["items"]] == ["fire", "fire"]
    for box in (gates.entry, gates.exit):
        box.waits(1)
        assert (box.barrier, box.shown[-1]) == ("up", "fire")
    site.post(path, "operator", json={"on": False})
    for box in (gates.entry, gates.exit):
        box.waits(1)
        assert box.barrier == "down"


def test_a_camera_of_the_lane_reads_and_each_lane_hears_its_own_devices_alone(
    gates: Gates,
) -> None:
    site, entry = gates.site, gates.entry
    path = f"/api/v1/lanes/{entry.lane_id}/reads"
    now = site.clock.now().isoformat()
    read = {"event_id": "c1", "at": now, "sent_at": now, "plate": PLATE, "plate_kind": "blue7"}
    assert site.post(path, "exit-1", json=read).status_code == 403
    assert site.post(path, "integration-west", json=read).status_code == 403
    first = site.post(path, "entry-1", json={**read, "confidences": [0.99] * 7})
    assert first.status_code == 200, first.get_json()
    again = site.post(path, "entry-1", json={**read, "confidences": [0.99] * 7}).get_json()
    assert (again["repeated"], again["read_id"]) == (True, first.get_json()["read_id"])
    # Read a moment before it is felt: the loop finds it known.
    entry.tell(entry.word("loop", loop="approach", on=True))
    assert entry.barrier == "up"
    for change, field in (
        ({"event_id": "c2", "at": "2020-01-01T00:00:00Z"}, "at"),
        ({"event_id": "c3", "confidences": [0.5]}, "confidences"),
    ):
        refused = site.post(path, "entry-1", json={**read, **change})
        assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (422, field)


def test_a_listed_vehicle_waits_for_a_person_at_the_entry(gates: Gates) -> None:
    site = gates.site
    with site.wiring.database.unit_of_work() as uow:
        vehicle_id = keep_plate(uow, parse_plate("京B11111", PlateKind.BLUE7))
        policy = RegionPolicy(
            DistrictCode("0153"), {ListingReason.DAMAGE: frozenset({Effect.NO_ENTRY})}
        )
        blacklists.set_policy(uow, SYSTEM, policy)
        wish = ListingWish(vehicle_id, DistrictCode("0153"), ListingReason.DAMAGE, "test", None)
        blacklists.add(uow, SYSTEM, wish)
    gates.entry.arrives("京B11111")
    assert (gates.entry.barrier, gates.alarms()) == ("down", ["called"])
    assert gates.lane(gates.entry)["waiting"]["because"] == "no-entry"


def test_lanes_are_registered_once_by_name_and_never_at_a_kerb(gates: Gates) -> None:
    site = gates.site
    lane = {"facility_id": gates.facility_id, "gate": "entry-1", "way": "entry"}
    assert site.post("/api/v1/lanes", "operator", json=lane).status_code == 409
    kerb = {**lane, "facility_id": str(site.facility.id)}
    assert site.post("/api/v1/lanes", "operator", json=kerb).status_code == 422
    path = f"/api/v1/lanes/{gates.entry.lane_id}/retirement"
    assert site.post(path, "operator", json={}).get_json()["retired_at"] is not None
    assert site.post(path, "operator", json={}).status_code == 409
    assert site.post("/api/v1/lanes", "operator", json=lane).status_code == 201
    body = {"life": "x", "sent_at": site.clock.now().isoformat()}
    gone = f"/api/v1/lanes/{gates.entry.lane_id}/reports"
    assert site.post(gone, "entry-1", json=body).status_code == 404


def test_workers_tell_of_silent_lanes_and_forget_old_ones(gates: Gates) -> None:
    names = {each.name for each in work_lanes.tasks(gates.site.wiring.database)}
    assert names == {"parking.watch_lanes", "parking.forget_lanes"}
    gates.site.clock.advance(200 * 86400)
    for task in work_lanes.tasks(gates.site.wiring.database):
        task.handler({})
    assert gates.alarms() == ["offline", "offline"]
