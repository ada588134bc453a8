"""Plan versions driven in simulation over HTTP: asked for, measured, looked at, cancelled."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from signals.rules.life.parts import plan_json
from signals.services import drives
from tests.signals import drivable
from tests.web.small_site import UNKNOWN_ID

if TYPE_CHECKING:
    from tests.web.small_site import Site

HERE = "0-crossroads"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drive here and for minutes: what is driven and kept is the same."""
    monkeypatch.setattr(drives, "WARM_UP_S", 60.0)
    monkeypatch.setattr(drives, "COUNTED_S", 180.0)
    monkeypatch.setattr(drives, "REPLAY_S", (120.0, 150.0))
    real = drives.run
    monkeypatch.setattr(drives, "run", lambda database, key, **_: real(database, key, apart=False))


def drafted(site: Site, *, wave_s: float = 30) -> Any:
    """Import a crossroads that runs a plan, draft another, and record who drives there."""
    found = drivable.network(1)
    plans = [plan_json(each) for each in drivable.in_force(found, 12, 40)]
    content = json.dumps(drivable.document(1) | {"plans": plans})
    body = {"code": "driven", "name": "Crossroads", "content": content}
    answer = site.post("/api/v1/signal-networks", "engineer", json=body)
    assert answer.status_code == 201, answer.get_json()
    network_id = answer.get_json()["id"]
    (other,) = drivable.in_force(found, wave_s, 14)
    plan = {
        "network_id": network_id,
        "title": "for the street that is driven",
        "profile": "as-is",
        "document": {"format": "greenbay-signals/1", "plans": [plan_json(other)]},
    }
    answer = site.post("/api/v1/signal-plans", "engineer", json=plan)
    assert answer.status_code == 201, answer.get_json()
    return answer.get_json()


def told(site: Site, plan: Any) -> None:
    flows = [("0-west-in", "0-east-out", 500), ("0-east-in", "0-west-out", 400),
             ("0-south-in", "0-north-out", 60)]  # fmt: skip
    rows = [dict(zip(("from_road", "to_road", "vph"), each, strict=True)) for each in flows]
    body = {"name": "evening", "source": "counted by hand", "flows": rows}
    path = f"/api/v1/signal-networks/{plan['network_id']}/demands"
    assert site.post(path, "engineer", json=body).status_code == 201


def asked(site: Site, plan: Any, who: str = "engineer", **more: Any) -> Any:
    body = {"revision": 1, "seeds": 2, **more}
    return site.post(f"/api/v1/signal-plans/{plan['id']}/drives", who, json=body)


def test_a_version_is_driven_beside_what_runs_and_keeps_what_was_measured(site: Site) -> None:
    plan = drafted(site)
    assert "has no demand" in asked(site, plan).get_json()["detail"]
    told(site, plan)
    assert asked(site, plan, "operator").status_code == 403
    assert asked(site, plan, seeds=6).status_code == 422
    assert asked(site, plan, revision=2).status_code == 409
    first = asked(site, plan)
    assert first.status_code == 202, first.get_json()
    assert asked(site, plan).status_code == 409
    path = f"/api/v1/signal-drives/{first.get_json()['id']}"
    assert site.get(f"{path}/replay", "auditor").status_code == 404
    site.run_jobs()
    done = site.get(path, "auditor").get_json()
    assert (done["status"], done["done"], done["total"]) == ("done", 4, 4), done["problem"]
    figures = done["result"]["figures"]
    assert done["result"]["share_driven"] == 1
    # Twelve seconds of green for 900 vehicles an hour, then thirty.
    assert figures["signal_delay_s"]["difference"]["mean"] < -5
    assert figures["trips"]["before"] == figures["trips"]["after"]
    assert figures["trips"]["shown"] == "none"
    assert figures["safety_violations"]["after"]["mean"] == 0
    assert figures["drain_delay_s"]["difference"]["mean"] == pytest.approx(
        figures["drain_delay_s"]["after"]["mean"] - figures["drain_delay_s"]["before"]["mean"],
        abs=0.002,
    )
    detail = site.get(f"/api/v1/signal-plans/{plan['id']}", "auditor").get_json()
    assert detail["drive"] == done
    packed = site.get(f"{path}/replay", "auditor", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    replay = json.loads(gzip.decompress(packed.data))
    assert (replay["from_s"], replay["until_s"]) == (120, 150)
    assert replay["before"]["vehicles"]
    assert replay["before"]["lamps"][HERE] != replay["after"]["lamps"][HERE]
    assert site.get(f"{path}/replay", "auditor").get_json() == replay
    # Another revision has not been driven.
    document = detail["document"]
    body = {"document": document, "revision": 1}
    assert site.call("PUT", f"/api/v1/signal-plans/{plan['id']}", "engineer", json=body).get_json()
    detail = site.get(f"/api/v1/signal-plans/{plan['id']}", "auditor").get_json()
    assert detail["drive"] is None


def test_a_drive_is_cancelled_or_goes_on_where_its_worker_was_killed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = drafted(site)
    told(site, plan)
    first = asked(site, plan).get_json()
    path = f"/api/v1/signal-drives/{first['id']}"
    assert site.post(f"{path}/cancellation", "engineer").get_json()["status"] == "cancelled"
    assert site.post(f"{path}/cancellation", "engineer").status_code == 409
    assert site.get(f"/api/v1/signal-drives/{UNKNOWN_ID}", "engineer").status_code == 404

    second = asked(site, plan).get_json()
    path = f"/api/v1/signal-drives/{second['id']}"
    real, driven = drives._course, []

    def killed(*args: Any, **more: Any) -> Any:
        driven.append(args[1:])
        if len(driven) == 2:
            raise MemoryError("killed")
        return real(*args, **more)

    monkeypatch.setattr(drives, "_course", killed)
    with pytest.raises(MemoryError):
        drives.run(site.wiring.database, UUID(second["id"]), apart=False)
    half = site.get(path, "engineer").get_json()
    assert (half["status"], half["done"]) == ("running", 1)
    assert asked(site, plan).status_code == 409
    drives.run(site.wiring.database, UUID(second["id"]), apart=False)
    assert driven == [("before", 1), ("after", 1), ("after", 1), ("before", 2), ("after", 2)]
    assert site.get(path, "engineer").get_json()["status"] == "done"

    # One that died for good does not stand in the way of the next.
    third = asked(site, plan).get_json()
    driven.clear()
    driven.append(())
    with pytest.raises(MemoryError):
        drives.run(site.wiring.database, UUID(third["id"]), apart=False)
    path = f"/api/v1/signal-drives/{third['id']}"
    assert site.post(f"{path}/cancellation", "engineer").get_json()["status"] == "cancelled"
    drives.run(site.wiring.database, UUID(third["id"]), apart=False)
    assert site.get(path, "engineer").get_json()["done"] == 0
    assert asked(site, plan).status_code == 202
