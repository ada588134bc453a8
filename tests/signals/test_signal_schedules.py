"""Schedules from counts: day types, the cheapest cut of a day, plans, special days."""

from __future__ import annotations

import datetime as dt
import json
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.errors import Invalid
from signals.commands import check as check_command
from signals.commands import schedule as command
from signals.rules.counts.places import legs_of
from signals.rules.model.document_writing import document_of
from signals.rules.schedules.day_types import day_types
from signals.rules.schedules.days import DayClass, class_of, name_of
from signals.rules.schedules.demand import DayDemand
from signals.rules.schedules.exceptions import exceptions_as_json, exceptions_from_json
from signals.rules.schedules.library import Day, Library, Site
from signals.rules.schedules.making import modes_of
from signals.rules.schedules.model import NightFlashing
from signals.rules.schedules.segments import Segment, cheapest, cost_of
from tests.signals import counted, crossroads

if TYPE_CHECKING:
    from pathlib import Path

MONDAY = dt.date(2026, 3, 2)
FREE, WORKED = [10.0, 30.0, 30.0, 10.0], [40.0, 20.0, 20.0, 40.0]


def days(*offsets: int) -> list[dt.date]:
    return [MONDAY + dt.timedelta(days=each) for each in offsets]


def test_days_that_go_alike_are_one_type_and_a_day_unlike_its_type_is_named() -> None:
    noise = np.array([1.0, -1.0, 1.0, -1.0])
    profiles = {
        day: np.array(FREE if day.isoweekday() > 5 else WORKED) + noise * (place % 3)
        for place, day in enumerate(days(*range(21)))
    }
    match_day = MONDAY + dt.timedelta(days=9)
    profiles[match_day] = np.array([40.0, 20.0, 90.0, 120.0])
    found = day_types(profiles, {day: class_of(day)[0] for day in profiles})
    assert [(each.name, len(each.days), each.unlike) for each in found] == [
        ("mon-fri", 14, (match_day,)),
        ("sat+sun", 6, ()),
    ]


def test_a_holiday_and_the_sunday_worked_for_it_are_days_of_their_own_kind() -> None:
    assert class_of(dt.date(2026, 2, 17)) == (DayClass.HOLIDAY, True)
    assert class_of(dt.date(2026, 2, 14)) == (DayClass.MAKE_UP, True)
    assert class_of(dt.date(2099, 3, 2)) == (DayClass.MONDAY, False)
    assert name_of([DayClass.MONDAY, DayClass.TUESDAY, DayClass.SUNDAY, DayClass.MAKE_UP]) == (
        "mon+tue+sun+make-up"
    )


def brute_force(costs: np.ndarray, change: np.ndarray, least: int, *, closed: bool) -> float:
    plans, quarters = costs.shape
    best = float("inf")
    for runs in product(range(plans), repeat=quarters):
        cuts = [0, *(t for t in range(1, quarters) if runs[t] != runs[t - 1]), quarters]
        if any(until - first < least for first, until in pairwise(cuts)):
            continue
        segments = [Segment(a, b, runs[a]) for a, b in pairwise(cuts)]
        best = min(best, cost_of(segments, costs, change, closed=closed))
    return best


@given(st.data(), st.integers(1, 6), st.integers(1, 3), st.integers(1, 3), st.booleans())
@settings(max_examples=40, deadline=None)
def test_no_cut_of_a_day_is_cheaper_than_the_one_found(
    data: st.DataObject, quarters: int, plans: int, least: int, closed: bool
) -> None:
    numbers = st.lists(st.integers(0, 20), min_size=plans * quarters, max_size=plans * quarters)
    costs = np.array(data.draw(numbers), dtype=float).reshape(plans, quarters)
    change = np.array(data.draw(numbers), dtype=float).reshape(plans, quarters)
    cost, segments = cheapest(costs, change, least, closed=closed)
    assert cost == pytest.approx(cost_of(segments, costs, change, closed=closed))
    assert cost == pytest.approx(brute_force(costs, change, min(least, quarters), closed=closed))
    assert [each.first for each in segments] == [0, *(each.until for each in segments[:-1])]


def test_dear_changes_leave_one_plan_and_free_ones_the_best_of_each_quarter() -> None:
    costs = np.array([[1.0, 9.0, 1.0], [9.0, 1.0, 9.0]])
    free, dear = np.zeros((2, 3)), np.full((2, 3), 50.0)
    assert cheapest(costs, free) == (
        3.0,
        (Segment(0, 1, 0), Segment(1, 2, 1), Segment(2, 3, 0)),
    )
    assert cheapest(costs, dear) == (11.0, (Segment(0, 3, 0),))


def demand_of(vph: float, quiet_vph: float, walked_vph: float | None) -> DayDemand:
    """Give a day with a quiet night from 22:00 to 06:00, straight on alone."""
    shape = np.where((np.arange(96) >= 88) | (np.arange(96) < 24), quiet_vph, vph)
    pairs = [("south-in", "north-out"), ("north-in", "south-out")]
    pairs += [("east-in", "west-out"), ("west-in", "east-out")]
    walked = {} if walked_vph is None else {"south-in": np.full(96, walked_vph)}
    return DayDemand({pair: shape.copy() for pair in pairs}, {}, walked)


def test_signals_flash_on_quiet_nights_alone_and_only_where_walkers_were_counted() -> None:
    night = NightFlashing()
    found = modes_of(Day("mon", (demand_of(300, 20, 5),)), night)
    assert [found[q] for q in (0, 23, 24, 91, 92, 95)] == [
        "flashing_yellow", "flashing_yellow", "plan", "plan", "flashing_yellow", "flashing_yellow",
    ]  # fmt: skip
    assert set(modes_of(Day("mon", (demand_of(300, 20, 90),)), night)) == {"plan"}
    assert set(modes_of(Day("mon", (demand_of(300, 200, 5),)), night)) == {"plan"}
    unknown = demand_of(300, 20, None)
    # Nobody counted who walks: nothing is known of them.
    assert set(modes_of(Day("mon", (unknown,)), night)) == {"plan"}


def test_junctions_of_a_section_share_a_cycle() -> None:
    own = crossroads.network()
    case = crossroads.case_of(own)
    plans = (crossroads.plan(case),)
    legs = legs_of(own)[crossroads.NAME]
    sites = [Site(case, legs, plans, keep_stages=True) for _ in range(2)]
    day = Day("mon", (demand_of(500, 20, None), demand_of(150, 20, None)))
    library = Library(sites, [day], lambda: False)
    library.choose_stages()
    longer_s, shorter_s = (site.first.cycle_s for site in sites if site.first is not None)
    assert longer_s > shorter_s
    assert library.offer(day, [40])
    assert [len({plan.cycle_s for plan in each}) for each in library.plans] == [1, 1]
    # What was asked for before is not made again.
    assert not library.offer(day, [44])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([{"name": "fair", "first": "2026-05-01"}], "either runs, or factors"),
        ([{"name": "fair", "first": "2026-05-02", "last": "2026-05-01", "runs": "sun"}], "before"),
        ([{"name": "fair", "first": "2026-05-01", "factors": {"a": 11}}], "factors.a"),
        ([{"name": "a", "first": "2026-05-01", "runs": "sun"},
          {"name": "b", "first": "2026-05-01", "runs": "mon"}], "b meets a"),
        ([{"name": "a", "first": "2026-05-01", "factors": {"x": 2}, "start": "7:10"}], "quarter"),
    ],
)  # fmt: skip
def test_events_and_works_that_cannot_be_are_refused(value: Any, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        exceptions_from_json(value)
    assert said in str(refused.value)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Give a network's file and counts of a week's mornings, straight on alone."""
    folder = tmp_path_factory.mktemp("schedule")
    own = crossroads.network()
    network = folder / "net.json"
    plan = crossroads.plan(crossroads.case_of(own))
    network.write_text(json.dumps(document_of(own, [plan])), encoding="utf-8")
    rows = [row for row in counted.rows(days(0, 1, 2, 5, 6), range(5, 8)) if row[4] == "straight"]
    rows.append([*rows[0][:5], -3, 0, 0])
    counts = folder / "counts.csv"
    counts.write_bytes(counted.csv_of(rows))
    return network, counts


def test_the_command_makes_a_schedule_of_safe_plans_and_tells_what_dates_run(
    made: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, counts = made
    special: list[Any] = [
        {"name": "fair", "first": "2026-05-01", "runs": "sun"},
        {"name": "rails", "first": "2026-03-09", "last": "2026-03-10",
         "factors": {"south-in": 1.3}, "start": "07:00", "end": "08:00"},
    ]  # fmt: skip
    exceptions, out = tmp_path / "special.json", tmp_path / "schedule.json"
    exceptions.write_text(json.dumps(special), encoding="utf-8")
    status = command.run(
        [str(counts), "--network", str(network), "--exceptions", str(exceptions), "--keep-stages",
         "--from", "2026-03-08", "--to", "2026-03-09", "--out", str(out)]
    )  # fmt: skip
    answer = json.loads(capsys.readouterr().out)
    assert status == 1
    assert [one["field"] for one in answer["counts"]["refusals"]] == ["car"]
    (schedule,) = answer["schedules"]
    assert [each["name"] for each in schedule["day_types"]] == ["mon-wed", "sat+sun"]
    assert [(each["date"], each["like"], each["day"]) for each in schedule["dates"]] == [
        ("2026-03-08", "sun", "sat+sun"),
        ("2026-03-09", "mon", "mon-wed: rails"),
    ]
    assert exceptions_as_json(exceptions_from_json(special)) == schedule["exceptions"]
    by_name = {day["name"]: day for day in schedule["days"]}
    assert set(by_name) == {"mon-wed", "sat+sun", "mon-wed: rails"}
    worked = by_name["mon-wed"]["stretches"]
    # Nobody counted the rest of the day.
    assert (worked[0]["mode"], worked[0]["until"]) == ("unknown", "05:00")
    assert (worked[-1]["mode"], worked[-1]["from"]) == ("unknown", "08:00")
    for day in by_name.values():
        known = [each for each in day["stretches"] if each["mode"] != "unknown"]
        after = sum(each["vehicles"] * each["delay_s"] for each in known)
        before = sum(each["vehicles"] * each["delay_in_force_s"] for each in known)
        assert after <= before
    quiet = next(each for each in worked if each["from"] == "05:00")
    busy = next(each for each in worked if each["until"] == "08:00")
    assert quiet["plan"] != busy["plan"]
    document = json.loads(out.read_text(encoding="utf-8"))
    plans = tmp_path / "plans.json"
    plans.write_text(json.dumps({name: document[name] for name in ("format", "plans")}))
    assert check_command.run([str(plans), "--network", str(network)]) == 0


def test_works_that_leave_somebody_no_lane_are_named(
    made: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, counts = made
    exceptions = tmp_path / "works.json"
    exceptions.write_text(
        json.dumps([{"name": "rails", "first": "2026-03-09", "closed_lanes": ["south-through"]}])
    )
    status = command.run([str(counts), "--network", str(network), "--exceptions", str(exceptions)])
    shown = capsys.readouterr()
    assert status == 1
    assert "no lane at crossroads from south-in to north-out" in shown.err
    assert json.loads(shown.out)["schedules"] == []


def test_a_template_is_written_and_bad_arguments_are_one_line(
    made: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, counts = made
    written = tmp_path / "counts.xlsx"
    assert command.run(["--network", str(network), "--template", str(written)]) == 0
    assert written.read_bytes()[:2] == b"PK"
    for arguments, said in (
        (["--network", str(network)], "COUNTS is missing"),
        ([str(counts), "--network", str(network), "--least-min", "20"], "--least-min"),
        ([str(counts), "--network", str(network), "--section", "a=elm"], "no signal elm"),
        ([str(network), "--network", str(network)], "is missing from the heading"),
    ):
        with pytest.raises(SystemExit) as left:
            command.run(arguments)
        assert left.value.code == 2
        assert said in capsys.readouterr().err
