"""Orders by hand over HTTP: who may, in two steps, and two at once."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from signals.adapters.lights import Lights
from signals.rules.controllers.cabinet import Cabinet, step
from signals.rules.controllers.layout import layout_of, plan_of
from signals.rules.controllers.line import Control, ControllerState
from signals.rules.live.lights import Seen
from tests.signals import crossroads
from tests.web.test_signal_plans_api import imported

if TYPE_CHECKING:
    from tests.web.small_site import Site


def seen(site: Site) -> Seen:
    case = crossroads.case_of(crossroads.network())
    plan = crossroads.plan(case)
    layout = layout_of(case, [plan])
    at = Cabinet(layout, {1: plan_of(layout, plan, 1)}, 1)
    for _ in range(20):
        at = step(at)
    state = ControllerState(
        Control.FIXED, 1, at.stage, at.changing, at.elapsed_s, at.remaining_s, at.lamps
    )
    return Seen(site.wiring.wall.now(), state, layout, at.plans[1])


def test_an_order_takes_two_steps_and_one_engineer_at_a_time(site: Site) -> None:
    network_id = imported(site)
    signal = f"/api/v1/signal-networks/{network_id}/signals/crossroads"
    orders = f"{signal}/overrides"
    body = {"effect": "flashing", "seconds": 600, "reason": "power cut"}
    assert site.post(orders, "operator", json=body).status_code == 403
    assert site.post(orders, "engineer", json=body).status_code == 404
    cabinet = {"host": "127.0.0.1", "port": 20_999}
    assert site.call("PUT", f"{signal}/cabinet", "engineer", json=cabinet).status_code == 200
    assert site.post(orders, "engineer", json=body).status_code == 503
    # What was seen stays fresh, and what is proposed can be confirmed.
    site.stop_the_wall_clock()
    Lights(site.wiring.live).put((UUID(network_id), "crossroads"), seen(site))
    wrong = site.post(orders, "engineer", json=body | {"effect": "explode"})
    assert wrong.status_code == 422
    made = site.post(orders, "engineer", json=body)
    assert made.status_code == 201, made.get_json()
    mine = made.get_json()
    theirs = site.post(orders, "administrator", json=body).get_json()
    assert site.get(orders, "auditor").get_json()["items"] == []
    said = {"signal": "crossroads", "effect": "flashing", "until_at": mine["until_at"]}
    way = f"{orders}/{mine['id']}/confirmation"
    assert site.post(way, "engineer", json=said | {"signal": "J09"}).status_code == 409
    assert site.post(way, "engineer", json=said | {"effect": "dark"}).status_code == 409
    assert site.post(way, "administrator", json=said).status_code == 403
    done = site.post(way, "engineer", json=said)
    assert (done.status_code, done.get_json()["status"]) == (202, "waiting")
    late = site.post(
        f"{orders}/{theirs['id']}/confirmation",
        "administrator",
        json=said | {"until_at": theirs["until_at"]},
    )
    assert late.status_code == 409
    assert "has changed it meanwhile" in late.get_json()["detail"]
    listed = site.get(orders, "operator").get_json()["items"]
    assert [(each["id"], each["reason"]) for each in listed] == [(mine["id"], "power cut")]
    end = f"{orders}/{mine['id']}/end"
    assert site.post(end, "operator", json={}).status_code == 403
    assert site.post(end, "administrator", json={}).status_code == 202
    assert site.post(end, "engineer", json={}).status_code == 409
