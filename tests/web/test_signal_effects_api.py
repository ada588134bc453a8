"""What a deployed plan did on the street, over HTTP: told by detectors, and kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from city.time import FixedClock
from tests.signals import street_days
from tests.web.test_signal_plans_api import actions, drafted, imported

if TYPE_CHECKING:
    from tests.web.small_site import Site

CHANGED = datetime(2026, 6, 8, 1, 20, tzinfo=UTC)
"""A Monday, twenty past nine on the street."""
NOW = CHANGED + timedelta(days=street_days.DAYS)


@pytest.fixture
def plan(site: Site) -> dict[str, str]:
    made = street_days.deployed(site.wiring.database, CHANGED, "effect")
    site.wiring.database.clock = site.wiring.database.wall = FixedClock(NOW)
    return {"id": str(made)}


def told(site: Site, plan: dict[str, str], days: int = 14) -> Any:
    answer = site.get(f"/api/v1/signal-plans/{plan['id']}/effect?days={days}", "auditor")
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def test_like_hours_of_like_days_are_set_beside_each_other_with_intervals(
    site: Site, plan: dict[str, str]
) -> None:
    found = told(site, plan)
    # The hour in which it came is on no side.
    came = CHANGED.replace(minute=0)
    assert datetime.fromisoformat(found["before"]["until_at"]) == came
    assert datetime.fromisoformat(found["after"]["from_at"]) == came + timedelta(hours=1)
    assert found["not_shown"] == []
    delay = found["figures"]["delay_s"]
    assert delay["shown"] == "less"
    assert delay["difference"]["low"] < -12 < delay["difference"]["high"]
    assert delay["difference"]["high"] - delay["difference"]["low"] < 6
    assert (delay["days_before"], delay["days_after"], delay["hours"]) == (14, 14, 4)
    failures = found["figures"]["split_failures"]
    assert failures["before"]["mean"] == pytest.approx(0.3)
    assert failures["difference"]["mean"] == pytest.approx(-0.2)
    # Nine vehicles in each of twelve bins; nothing of the detectors that are stuck.
    flow = found["figures"]["flow_vph"]
    assert (flow["before"]["mean"], flow["shown"]) == (pytest.approx(108), "none")
    assert found["left_out"] == 0.5
    one, other = (found["by_signal"][name]["on_green"] for name in street_days.SIGNALS)
    assert one["difference"]["mean"] == pytest.approx(0.21)
    assert other["shown"] == "none"
    (way,) = found["ways"]
    assert (way["from_signal"], way["to_signal"]) == street_days.SIGNALS
    assert way["took_s"]["shown"] == "less"
    assert way["took_s"]["before"]["mean"] == pytest.approx(75, abs=4)


def test_what_is_told_is_kept_as_the_measurement_until_it_is_decided(
    site: Site, plan: dict[str, str]
) -> None:
    path = f"/api/v1/signal-plans/{plan['id']}"
    assert site.post(f"{path}/effect", "operator", json={}).status_code == 403
    kept = site.post(f"{path}/effect", "engineer", json={"days": 14}).get_json()
    assert (kept["status"], kept["measured"]["source"]) == ("measured", "detectors")
    delay = told(site, plan)["figures"]["delay_s"]
    assert kept["measured"]["after"]["mean_s"] == pytest.approx(delay["after"]["mean"])
    assert kept["measured"]["effect"]["figures"]["delay_s"]["shown"] == "less"
    decision = {"decision": "keep", "reason": "shorter waits"}
    assert site.post(f"{path}/decision", "engineer", json=decision).status_code == 200
    assert site.post(f"{path}/effect", "engineer", json={}).status_code == 409
    assert actions(site, plan)[-2:] == ["measured", "kept"]


def test_a_side_with_one_day_has_no_interval_and_one_with_none_tells_nothing(
    site: Site, plan: dict[str, str]
) -> None:
    one = told(site, plan, days=1)["figures"]["delay_s"]
    assert one is None or one["shown"] == "unknown"
    site.wiring.database.wall = FixedClock(CHANGED + timedelta(minutes=30))
    found = told(site, plan)
    assert found["after"]["from_at"] == found["after"]["until_at"]
    assert all(each is None for each in found["figures"].values())
    answer = site.post(f"/api/v1/signal-plans/{plan['id']}/effect", "engineer", json={})
    assert (answer.status_code, answer.get_json()["detail"]) == (
        409,
        "days: nothing is kept of like hours before and after",
    )


def test_a_plan_that_never_ran_has_no_effect(site: Site) -> None:
    plan = drafted(site, imported(site))
    answer = site.get(f"/api/v1/signal-plans/{plan['id']}/effect", "engineer")
    assert answer.status_code == 409
    assert site.get(
        f"/api/v1/signal-plans/{plan['id']}/effect?days=29", "engineer"
    ).status_code in {
        400,
        422,
    }
