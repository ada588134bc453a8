"""What a junction shows now, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from signals.adapters.lights import Lights
from signals.rules.controllers.cabinet import step
from signals.rules.controllers.demonstration import cabinet
from signals.rules.controllers.line import Control, ControllerState
from signals.rules.live.lights import Seen
from tests.web.test_signal_plans_api import imported

if TYPE_CHECKING:
    from tests.web.small_site import Site


def test_lights_are_asked_for_and_told_by_their_age(site: Site) -> None:
    network_id = imported(site)
    signal = f"/api/v1/signal-networks/{network_id}/signals/crossroads"
    assert site.get(f"{signal}/lights", "attendant").status_code == 403
    assert site.get(f"{signal}/lights", "operator").get_json()["state"] == "no_cabinet"
    nowhere = f"/api/v1/signal-networks/{network_id}/signals/nowhere/lights"
    assert site.get(nowhere, "operator").status_code == 404
    body = {"host": "127.0.0.1", "port": 20_999}
    assert site.call("PUT", f"{signal}/cabinet", "engineer", json=body).status_code == 200
    assert site.get(f"{signal}/lights", "operator").get_json()["state"] == "asked"
    now = site.stop_the_wall_clock()
    wiring = site.wiring
    lights, key = Lights(wiring.live), (UUID(network_id), "crossroads")
    assert lights.wanted(now) == [key]
    at = cabinet()
    for _ in range(20):
        at = step(at)
    state = ControllerState(
        Control.FIXED, 1, at.stage, at.changing, at.elapsed_s, at.remaining_s, at.lamps
    )
    seen = Seen(now - timedelta(seconds=2), state, at.layout, at.plans[1])
    lights.put(key, seen)
    told = site.get(f"{signal}/lights", "auditor").get_json()
    assert (told["state"], told["control"], told["stage"]) == ("known", "fixed", at.stage)
    was = seen.phases[0]
    assert was.likely_s is not None
    assert was.likely_s - told["groups"][0]["likely_s"] == 2
    assert told["chain"] == [each.stage for each in at.plans[1].stages]
    lights.put(key, replace(seen, state=None, problem="the controller did not answer"))
    silent = site.get(f"{signal}/lights", "auditor").get_json()
    assert (silent["state"], silent["groups"]) == ("silent", [])
