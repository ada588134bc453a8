"""Priority in the simulation: who asks is served sooner, and nothing unsafe is shown for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from bench.priority import with_priority_vehicles
from signals.commands import evaluate as command
from signals.rules.simulation.outcome import Trip, shares_of
from tests.signals import drivable

if TYPE_CHECKING:
    from pathlib import Path

TYPES = '<vType id="late" vClass="bus"/><vType id="engine" vClass="emergency"/>'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("priority")
    network, demand = drivable.files(1)
    (found / "net.xml").write_bytes(network)
    (found / "alone.xml").write_bytes(demand)
    ways = 'from="0-south-in" to="0-north-out"'
    body = "".join(
        f'<trip id="bus{at_s}" type="late" depart="{at_s}" {ways}>'
        '<param key="lateness_s" value="240"/><param key="passengers" value="45"/></trip>'
        f'<trip id="engine{at_s}" type="engine" depart="{at_s + 70}" {ways}/>'
        for at_s in range(20, 860, 140)
    )
    with_them = demand.decode().replace("<routes>", f"<routes>{TYPES}")
    (found / "rou.xml").write_text(with_them.replace("</routes>", f"{body}</routes>"))
    return found


def evaluated(
    folder: Path, capsys: pytest.CaptureFixture[str], *more: str, demand: str = "rou.xml"
) -> dict[str, Any]:
    arguments = ["--network", str(folder / "net.xml"), "--demand", str(folder / demand)]
    arguments += ["--controller", "current", "--profile", "as-is", "--seeds", "1", *more]
    assert command.run(arguments) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_buses_and_engines_lose_less_and_the_others_little(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (off,) = evaluated(folder, capsys)["seeds"]
    told = folder / "decisions.jsonl"
    (on,) = evaluated(folder, capsys, "--priority", "late", "--decisions", str(told))["seeds"]
    assert "priority" not in off
    assert (on["public_trips"], on["emergency_trips"]) == (6, 6)
    assert on["trips"] == off["trips"]
    assert on["priority"]["requests"] == 12
    assert on["priority"]["acts"]["extension"] + on["priority"]["acts"]["early_green"] > 0
    assert on["emergency_delay_s"] < off["emergency_delay_s"] - 3
    assert on["public_delay_s"] < off["public_delay_s"] - 3
    assert on["others_person_delay_s"] < 1.3 * off["others_person_delay_s"]
    assert on["safety_violations"] == 0
    assert on["longest_wait_s"] <= 120
    said = [json.loads(line) for line in told.read_text().splitlines()]
    assert len(said) == sum(on["priority"]["acts"].values())
    assert {each["seed"] for each in said} == {1}
    assert any("aboard): it passes" in each["says"] for each in said)


def test_where_nobody_asks_the_run_is_that_of_the_plan(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    off = evaluated(folder, capsys, demand="alone.xml")
    on = evaluated(folder, capsys, "--priority", "all", demand="alone.xml")
    assert on["seeds"] == off["seeds"]


def test_adaptive_control_serves_buses_and_engines_sooner(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (off,) = evaluated(folder, capsys, "--controller", "adaptive")["seeds"]
    (on,) = evaluated(folder, capsys, "--controller", "adaptive", "--priority", "late")["seeds"]
    assert on["emergency_delay_s"] < off["emergency_delay_s"]
    assert on["public_delay_s"] < off["public_delay_s"]
    assert on["others_person_delay_s"] < 1.5 * off["others_person_delay_s"]
    assert on["safety_violations"] == 0


def test_peers_give_no_priority(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        evaluated(folder, capsys, "--priority", "late", "--controller", "max-pressure")
    assert left.value.code == 2
    assert "--priority goes with adaptive, coordinated, current, plan" in capsys.readouterr().err


def test_delay_is_told_apart_by_who_may_have_priority() -> None:
    trips = [
        Trip("bus", 10.0, 0.0, 0.0, 0, arrived=True),
        Trip("emergency", 4.0, 0.0, 0.0, 0, arrived=True),
        Trip("passenger", 20.0, 0.0, 0.0, 0, arrived=True),
    ]
    found = shares_of(trips, [])
    assert (found.public_delay_s, found.emergency_delay_s) == (10.0, 4.0)
    assert found.others_person_delay_s == 20.0
    assert shares_of(trips[2:], []).public_delay_s is None


def test_the_bench_draws_the_same_buses_each_time(folder: Path) -> None:
    demand = folder / "trips.xml"
    ways = (("a", "b"), ("a", "b"), ("c", "d"))
    demand.write_text(
        "<routes>"
        + "".join(
            f'<trip id="{place}" depart="{place}" from="{one}" to="{other}"/>'
            for place, (one, other) in enumerate(ways)
        )
        + "</routes>"
    )
    drawn = with_priority_vehicles(demand, 0.0, 900.0, "town")
    assert drawn == with_priority_vehicles(demand, 0.0, 900.0, "town")
    assert drawn.count(b'type="line-bus"') == 6
    assert drawn.count(b'type="engine"') >= 3
