"""SPaT and MAP over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from signals.adapters.lights import Lights
from signals.rules.live.lights import Seen
from tests.web.test_signal_overrides_api import seen
from tests.web.test_signal_plans_api import imported

if TYPE_CHECKING:
    from tests.web.small_site import Site


def test_a_junction_is_called_and_tells_what_it_shows(site: Site) -> None:
    network_id = imported(site)
    signal = f"/api/v1/signal-networks/{network_id}/signals/crossroads"
    assert site.get(f"{signal}/map", "engineer").status_code == 404
    body = {"region": 86, "id": 4711, "longitude": 120.1, "latitude": 30.2}
    assert site.call("PUT", f"{signal}/intersection", "operator", json=body).status_code == 403
    wrong = site.call("PUT", f"{signal}/intersection", "engineer", json=body | {"id": 65_536})
    assert wrong.status_code == 422
    assert site.call("PUT", f"{signal}/intersection", "engineer", json=body).status_code == 200
    told = site.get(f"{signal}/map", "operator").get_json()
    assert told["message"]["id"] == {"region": 86, "id": 4711}
    raw = site.get(f"{signal}/map?form=uper", "auditor")
    assert raw.content_type == "application/octet-stream"
    assert raw.get_data().hex() == told["uper"]
    assert len(raw.get_data()) == told["size_bytes"]
    # What is called so already is nobody else's reference.
    other = f"/api/v1/signal-networks/{imported(site)}/signals/crossroads"
    taken = site.call("PUT", f"{other}/intersection", "engineer", json=body)
    assert taken.status_code == 409, taken.get_json()
    assert site.get(f"{signal}/spat", "operator").status_code == 503
    cabinet = {"host": "127.0.0.1", "port": 20_999}
    assert site.call("PUT", f"{signal}/cabinet", "engineer", json=cabinet).status_code == 200
    lights, key, last = Lights(site.wiring.live), (UUID(network_id), "crossroads"), seen(site)
    lights.put(key, last)
    spat = site.get(f"{signal}/spat", "operator").get_json()
    assert len(spat["message"]["states"]) == len(last.phases)
    assert spat["uper"].startswith("0013")
    old = Seen(last.at - timedelta(seconds=30), last.state, last.layout, last.plan)
    lights.put(key, old)
    assert site.get(f"{signal}/spat", "operator").status_code == 503
    assert site.post(f"{signal}/intersection/removal", "engineer", json={}).status_code == 200
    assert site.post(f"{signal}/intersection/removal", "engineer", json={}).status_code == 404
    assert site.call("PUT", f"{other}/intersection", "engineer", json=body).status_code == 200
