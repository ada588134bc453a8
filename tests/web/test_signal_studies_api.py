"""Studies of a junction over HTTP: lanes changed, the signal taken away, kept, given as a file."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from city.time import FixedClock
from signals.rules.live.detectors import BIN, DetectorBin, Source, State
from signals.rules.model.files import read_network
from signals.rules.what_if.lane_functions import functions_of
from signals.services import lane_studies
from signals.store import bins, reporters
from signals.store.reporters import DetectorUse
from tests.signals import counted
from tests.web.small_site import UNKNOWN_ID
from tests.web.test_signal_plans_api import imported, with_demand

if TYPE_CHECKING:
    from tests.web.small_site import Site

PATH = "/api/v1/signal-studies"
EIGHT = datetime(2026, 3, 5, 0, tzinfo=UTC)
"""On the street, of a Thursday."""


def ways(*turns: str) -> list[dict[str, str]]:
    """Give turns of who comes from the south."""
    roads = {"left": "west-out", "straight": "north-out", "right": "east-out"}
    return [{"turn": turn, "to_road": roads[turn]} for turn in turns]


def asked(site: Site, network_id: str, *lanes: list[dict[str, str]], **more: Any) -> Any:
    functions = [{"road": "south-in", "lanes": list(lanes)}] if lanes else None
    body = {"network_id": network_id, "signal": "crossroads", "functions": functions, **more}
    return site.post(PATH, "engineer", json=body)


def done(site: Site, study: Any) -> Any:
    lane_studies.run(site.wiring.database, UUID(study["id"]), apart=False)
    return site.get(f"{PATH}/{study['id']}", "operator").get_json()


def test_other_functions_are_studied_beside_what_runs_kept_and_given_as_a_file(
    site: Site,
) -> None:
    network_id = imported(site)
    with_demand(site, network_id)
    lanes = site.get(
        f"/api/v1/signal-networks/{network_id}/signals/crossroads/lanes", "operator"
    ).get_json()
    south = next(each for each in lanes["approaches"] if each["road"] == "south-in")
    assert south["lanes"] == ["south-through", "south-left"]
    assert [[way["turn"] for way in lane] for lane in south["functions"]] == [
        ["straight", "right"],
        ["left"],
    ]
    assert [(way["turn"], way["flow_vph"]) for way in south["ways"]] == [
        ("right", 0),
        ("straight", 420),
        ("left", 0),
    ]
    study = asked(site, network_id, ways("right", "straight"), ways("straight", "left"))
    assert study.status_code == 202
    assert study.get_json()["status"] == "waiting"
    found = done(site, study.get_json())
    assert found["study"]["status"] == "done", found["study"]["problem"]
    result = found["study"]["result"]
    for side in ("in_force", "as_it_is", "changed"):
        assert result[side]["report"]["safe"] is True
        assert result[side]["outlook"]["level"] in "ABCDEF"
    # Nobody turns: a second lane for who goes straight on can only help.
    assert result["changed"]["outlook"]["delay_s"] <= result["as_it_is"]["outlook"]["delay_s"] + 1
    taken = {each["lane"]: each["flow_vph"] for each in result["changed"]["outlook"]["lanes"]}
    assert taken["south-left"] > 100
    keeping = f"{PATH}/{study.get_json()['id']}/keeping"
    assert site.post(keeping, "operator", json={"title": "x"}).status_code == 403
    kept = site.post(keeping, "engineer", json={"title": "南进口 south"}).get_json()
    assert (kept["title"], kept["kept_at"] is not None) == ("南进口 south", True)
    for form in ("sumo", "json"):
        file = site.get(f"{PATH}/{kept['id']}/network?format={form}", "operator")
        network, plans = read_network(file.data)
        road = next(each for each in network.roads if each.name == "south-in")
        now = functions_of(network, network.junctions[0], road)
        assert [{way.turn.value for way in lane} for lane in now] == [
            {"right", "straight"},
            {"straight", "left"},
        ]
        assert [plan.junction for plan in plans] == ["crossroads"]
    code = {"code": "cross", "name": "painted", "content": file.get_data(as_text=True)}
    assert site.post("/api/v1/signal-networks", "engineer", json=code).get_json()["revision"] == 2


def test_a_junctions_flows_are_changed_and_those_elsewhere_stay(site: Site) -> None:
    network_id = imported(site)
    path = f"/api/v1/signal-networks/{network_id}/signals/crossroads"
    flow = {"from_road": "south-in", "to_road": "west-out", "vph": 90.5}
    body = {"based_on": None, "name": "周一 Monday", "source": "by hand", "flows": [flow]}
    first = site.post(f"{path}/flows", "engineer", json=body)
    assert first.status_code == 201, first.get_json()
    assert site.post(f"{path}/flows", "engineer", json=body).status_code == 409
    again = body | {"based_on": first.get_json()["id"], "flows": [flow | {"to_road": "north-out"}]}
    assert site.post(f"{path}/flows", "operator", json=again).status_code == 403
    assert site.post(f"{path}/flows", "engineer", json=again).status_code == 201
    lanes = site.get(f"{path}/lanes", "operator").get_json()
    assert (lanes["demand"]["name"], lanes["demand"]["source"]) == ("周一 Monday", "by hand")
    south = next(each for each in lanes["approaches"] if each["road"] == "south-in")
    assert [way["flow_vph"] for way in south["ways"]] == [0, 90.5, 90.5]
    wrong = again | {"based_on": lanes["demand"]["id"], "flows": [flow | {"to_road": "south-out"}]}
    refused = site.post(f"{path}/flows", "engineer", json=wrong)
    assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (422, "flows.0")


def test_flows_of_an_hour_come_from_tables_then_detectors_and_say_which(site: Site) -> None:
    network_id = imported(site)
    rows = counted.rows([date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 7)], [8])
    table = counted.csv_of(each for each in rows if each[3] == "S").decode()
    path = f"/api/v1/signal-networks/{network_id}"
    assert site.post(f"{path}/counts", "engineer", json={"text": table}).status_code == 200
    database = site.wiring.database
    database.wall = FixedClock(datetime(2026, 3, 9, 1, tzinfo=UTC))
    with database.unit_of_work() as uow:
        places = reporters.make_places(uow.connection, UUID(network_id), ["crossroads"])
        where = places["crossroads"]
        uses = [DetectorUse(3, 5, "advance"), DetectorUse(4, 9, "advance")]
        reporters.set_detectors(uow.connection, {where: uses})
        sound = DetectorBin(where, 3, EIGHT, State.OK, 20, 60.0, None, None, 0.0)
        kept = [
            replace(sound, from_at=EIGHT + timedelta(days=day) + number * BIN)
            for day in (0, 1)
            for number in range(12)
        ]
        kept[5] = replace(kept[5], state=State.SILENT, vehicles=0, imputed=20.0, source=Source.PAST)
        bins.keep_detector_bins(uow.connection, kept)
    answer = site.get(f"{path}/signals/crossroads/counted-flows?hour=8", "operator")
    assert answer.status_code == 200, answer.get_json()
    found = {(each["from_road"], each["to_road"]): each for each in answer.get_json()["turns"]}
    south = found["south-in", "north-out"]
    # Saturday is another kind of day.
    assert (south["source"], south["days"], south["parted"]) == ("table", 2, "counted")
    east = found["east-in", "west-out"]
    assert (east["flow_vph"], east["source"], east["days"]) == (120, "detectors", 2)
    assert (east["parted"], east["imputed"]) == ("even", pytest.approx(1 / 24))
    north = found["north-in", "south-out"]
    assert (north["flow_vph"], north["source"]) == (None, None)


def test_no_signal_is_judged_by_the_peak_hour_and_by_who_gives_way(site: Site) -> None:
    network_id = imported(site)
    with_demand(site, network_id, 120)
    study = asked(site, network_id).get_json()
    assert (study["functions"], study["total"]) == (None, 1)
    result = done(site, study)["study"]["result"]
    assert result["changed"] is None
    without = result["without_signal"]
    assert without["signal_asked_for"] is False
    assert without["crossings_on_foot"] == 4
    assert without["crossing_ways"] > 0
    assert without["longest_approach_delay_s"] > without["delay_s"] > 0
    assert site.get(f"{PATH}/{study['id']}/network", "operator").status_code == 404


@pytest.mark.parametrize(
    ("lanes", "says"),
    [
        ([ways("straight")], "must say what its 2 lanes are for"),
        ([ways("right", "straight"), ways("straight")], "no lane serves left"),
        ([ways("left"), ways("straight", "right")], "cut each other off"),
        ([ways("right", "straight", "left"), []], "lane 2 must serve a turn"),
        ([ways("right", "straight"), ways("left")], "changes nothing"),
        (
            [ways("right", "straight"), [{"turn": "u_turn", "to_road": "south-out"}]],
            "lane 2 serves a turn that there is not",
        ),
    ],
)
def test_functions_that_lanes_cannot_have_are_refused(site: Site, lanes: Any, says: str) -> None:
    network_id = imported(site)
    assert asked(site, network_id, *lanes).status_code == 409  # nobody told who drives
    with_demand(site, network_id)
    refused = asked(site, network_id, *lanes)
    assert refused.status_code == 422
    assert says in json.dumps(refused.get_json())


def test_studies_are_cancelled_listed_and_forgotten_unless_kept(site: Site) -> None:
    network_id = imported(site)
    with_demand(site, network_id)
    first = asked(site, network_id).get_json()
    path = f"{PATH}/{first['id']}"
    assert site.post(f"{path}/keeping", "engineer", json={"title": "x"}).status_code == 409
    assert site.post(f"{path}/cancellation", "engineer").get_json()["status"] == "cancelled"
    assert site.post(f"{path}/cancellation", "engineer").status_code == 409
    assert done(site, first)["study"]["status"] == "cancelled"
    second = asked(site, network_id).get_json()
    done(site, second)
    site.post(f"{PATH}/{second['id']}/keeping", "engineer", json={"title": "kept"})
    third = asked(site, network_id).get_json()
    done(site, third)

    def listed() -> list[str]:
        query = f"?network_id={network_id}&signal=crossroads"
        items = site.get(PATH + query, "auditor").get_json()["items"]
        return [each["id"] for each in items]

    assert listed() == [third["id"], second["id"], first["id"]]
    site.clock.advance(timedelta(days=8).total_seconds())
    assert lane_studies.forget(site.wiring.database) == 2
    assert listed() == [second["id"]]
    discarded = site.post(f"{PATH}/{second['id']}/discarding", "engineer").get_json()
    assert discarded["kept_at"] is None
    assert lane_studies.forget(site.wiring.database) == 1
    assert site.get(f"{PATH}/{UNKNOWN_ID}", "auditor").status_code == 404
