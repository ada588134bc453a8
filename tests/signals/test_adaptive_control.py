"""Adaptive control from point detectors: what it believes, what it chooses, how it degrades."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.command_line import CommandLine
from signals.adaptive_making import make_adaptive, with_failures
from signals.commands import evaluate as command
from signals.problem import Problem, read_problem
from signals.rules.adaptive.choice import model_of
from signals.rules.adaptive.control import (
    AIM_S,
    Adaptive,
    SignalSite,
    SignalState,
    begin,
    level_of,
    step,
)
from signals.rules.adaptive.decisions import Level
from signals.rules.adaptive.detectors import NOTHING, SOUND, Reading, judged
from signals.rules.adaptive.lanes import LaneSite, LaneState, folded, settled, unknown
from signals.rules.control.stages import state_at
from signals.rules.model.aspects import OF_CODE, YELLOWS
from signals.rules.model.plans import Interval
from signals.rules.simulation.shown import violations_shown
from tests.signals import drivable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

STANDS = Reading(occupied=True)
LANE = LaneSite("lane", "road", (("a", 1.0),), 0.5, 2.0, 0.1, "stop", "far", 1.0, 10.0)


@pytest.fixture(scope="module")
def problem(tmp_path_factory: pytest.TempPathFactory) -> Problem:
    folder = tmp_path_factory.mktemp("adaptive")
    network, demand = drivable.files(1)
    (folder / "net.xml").write_bytes(network)
    (folder / "rou.xml").write_bytes(demand)
    line = CommandLine("signals", "test", "", "")
    return read_problem(line, str(folder / "net.xml"), str(folder / "rou.xml"), "as-is")


@pytest.fixture(scope="module")
def control(problem: Problem) -> Adaptive:
    return make_adaptive(problem)


@pytest.fixture(scope="module")
def site(control: Adaptive) -> SignalSite:
    return control.signals[0]


def lane_after(
    readings: list[tuple[Reading, Reading]], *, green: bool = False, state: LaneState | None = None
) -> LaneState:
    state = state or unknown(LANE)
    for now_s, both in enumerate(readings, start=1):
        found = folded(LANE, state, both, float(now_s), green=green)
        (state,) = settled([LANE], [found])
    return state


def stepped(
    site: SignalSite, state: SignalState, readings: Mapping[str, Reading], now_s: float
) -> SignalState:
    (state,) = step(Adaptive((site,)), [state], readings, now_s)
    return state


def driven(
    site: SignalSite, seconds: int, reads: Callable[[int, SignalState], Mapping[str, Reading]]
) -> list[SignalState]:
    states = [begin(site, 0.0)]
    for now_s in range(1, seconds + 1):
        states.append(stepped(site, states[-1], reads(now_s, states[-1]), float(now_s)))
    return states


def serving(site: SignalSite, lane: int) -> set[int]:
    return {place for place in range(len(site.stages.stages)) if site.model.goes[place, lane] > 0}


def crossing_lanes(site: SignalSite) -> tuple[int, int]:
    """Give two lanes that no stage serves together."""
    pairs = [
        (one, other)
        for one in range(len(site.lanes))
        for other in range(len(site.lanes))
        if not serving(site, one) & serving(site, other)
    ]
    return pairs[0]


def test_who_passes_upstream_waits_at_the_stop_line_ten_seconds_later() -> None:
    came = [(NOTHING, Reading(entered=2, left=2))] + [(NOTHING, NOTHING)] * 9
    assert lane_after(came).queue == 0
    assert lane_after([*came, (STANDS, NOTHING)]).queue == 2


def test_an_occupied_stop_line_has_somebody_and_an_empty_one_nobody() -> None:
    assert lane_after([(STANDS, NOTHING)]).queue == 1
    waiting = LaneState(7.0, (), 0.1)
    assert lane_after([(NOTHING, NOTHING)] * 2, state=waiting).queue == 7
    assert lane_after([(NOTHING, NOTHING)] * 3, state=waiting).queue == 0


def test_who_changed_lanes_is_found_in_the_lane_beside() -> None:
    sites = [LANE, replace(LANE, lane="beside")]
    empty = LaneState(4.0, (), 0.1, empty_s=2.0)
    found = [
        folded(sites[0], empty, (NOTHING, NOTHING), 9.0, green=False),
        folded(sites[1], LaneState(1.0, (), 0.1), (STANDS, NOTHING), 9.0, green=False),
    ]
    assert [lane.queue for lane in settled(sites, found)] == [0, 5]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.builds(Reading, st.integers(0, 2), st.integers(0, 2), st.booleans()),
            st.builds(Reading, st.integers(0, 2), st.integers(0, 2), st.booleans()),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_whatever_detectors_say_nobody_is_negative_and_all_instants_lie_ahead(
    seconds: list[tuple[Reading, Reading, bool]],
) -> None:
    state = unknown(LANE)
    for now_s, (stop, far, green) in enumerate(seconds, start=1):
        (state,) = settled([LANE], [folded(LANE, state, (stop, far), float(now_s), green=green)])
        assert state.queue >= 0
        assert all(at_s > now_s and vehicles > 0 for at_s, vehicles in state.coming)
        assert 0 <= state.flow_per_s <= 2
        assert state.waiting_s == 0 or not green


def test_a_detector_that_sticks_or_falls_silent_is_found_and_believed_again() -> None:
    health = SOUND
    for _ in range(30):
        health = judged(health, STANDS, should_fall=True, passed=0.0, most_s=30.0)
    assert health.failed
    moves = Reading(entered=1, left=1)
    assert not judged(health, moves, should_fall=True, passed=0.0, most_s=30.0).failed
    for _ in range(15):
        health = judged(health, NOTHING, should_fall=True, passed=1.0, most_s=30.0)
    assert health.failed
    # Somebody who cannot go keeps it occupied, and that is no fault.
    assert not judged(SOUND, STANDS, should_fall=False, passed=9.0, most_s=1.0).failed


def test_one_who_waits_gets_green_when_nobody_comes_here(site: SignalSite) -> None:
    first = begin(site, 0.0).showing.stage
    lane = next(place for place in range(len(site.lanes)) if first not in serving(site, place))
    states = driven(site, 12, lambda _, __: {site.lanes[lane].stop: STANDS})
    assert states[-1].showing.stage in serving(site, lane)
    assert states[-1].showing.since_s < 12
    change = next(each for each in states if each.showing.stage != first)
    assert "keeping it would cost" in change.decision.says(first)


def test_a_platoon_about_to_arrive_keeps_its_green_before_one_who_waits(site: SignalSite) -> None:
    here, there = crossing_lanes(site)
    shown = min(serving(site, here))
    quiet = tuple(replace(unknown(lane), flow_per_s=0.0) for lane in site.lanes)

    def chosen(coming: tuple[tuple[float, float], ...]) -> int:
        lanes = list(quiet)
        lanes[here] = replace(lanes[here], coming=coming, green_s=10.0)
        lanes[there] = replace(lanes[there], queue=1.0)
        state = begin(site, 0.0)
        state = replace(state, showing=replace(state.showing, stage=shown), lanes=tuple(lanes))
        reads = {site.lanes[there].stop: STANDS}
        return stepped(site, state, reads, 10.0).showing.stage

    assert chosen(((12.0, 2.0), (14.0, 2.0), (16.0, 2.0))) == shown
    assert chosen(()) in serving(site, there)


def test_nobody_gets_green_into_a_full_road(site: SignalSite) -> None:
    here, _ = crossing_lanes(site)
    lanes = len(site.lanes)
    ends = replace(
        site, behind=tuple(("entry",) if place == here else () for place in range(lanes))
    )
    first = begin(site, 0.0).showing.stage
    if first in serving(site, here):
        ends = replace(ends, plan=((min(set(range(9)) - serving(site, here)), 9.0),))

    def reads(now_s: int, _: SignalState) -> Mapping[str, Reading]:
        return {"entry": STANDS} | ({site.lanes[here].stop: STANDS} if now_s > 6 else {})

    assert not {each.showing.stage for each in driven(ends, 60, reads)} & serving(site, here)


def test_nobody_waits_much_longer_than_two_minutes_beside_an_endless_queue(
    site: SignalSite,
) -> None:
    here, there = crossing_lanes(site)

    def reads(now_s: int, _: SignalState) -> Mapping[str, Reading]:
        busy = Reading(entered=now_s % 2, left=now_s % 2, occupied=True)
        one, other = site.lanes[here], site.lanes[there]
        return {one.stop: busy, one.advance or "": busy, other.stop: STANDS}

    states = driven(site, 400, reads)
    assert max(state.lanes[there].waiting_s for state in states) <= AIM_S
    assert any(state.showing.stage in serving(site, there) for state in states)


def test_whoever_no_detector_sees_gets_green_beside_an_endless_queue(site: SignalSite) -> None:
    here, there = crossing_lanes(site)

    def reads(now_s: int, _: SignalState) -> Mapping[str, Reading]:
        busy = Reading(entered=now_s % 2, left=now_s % 2, occupied=True)
        return {site.lanes[here].stop: busy, site.lanes[here].advance or "": busy}

    def longest_red_s(lanes: tuple[LaneSite, ...]) -> int:
        states = driven(replace(site, lanes=lanes), 600, reads)
        red_s = [0]
        for state in states:
            served = state.showing.stage in serving(site, there)
            red_s.append(0 if served else red_s[-1] + 1)
        return max(red_s)

    # With one detector, and with two of which neither says anything.
    alone = replace(site.lanes[there], advance=None)
    assert longest_red_s((*site.lanes[:there], alone, *site.lanes[there + 1 :])) < 200
    assert longest_red_s(site.lanes) < 260
    # Where nobody is expected at all nobody is waited for.
    nobody = tuple(
        replace(lane, flow_per_s=0.0) if place != here else lane
        for place, lane in enumerate(site.lanes)
    )
    assert longest_red_s(nobody) > 500


def test_readings_replayed_give_the_same_and_nothing_unsafe_is_shown(
    problem: Problem, site: SignalSite
) -> None:
    case = problem.case_of(site.stages.junction)
    names = sorted({lane.stop for lane in site.lanes} | {lane.advance or "" for lane in site.lanes})

    @settings(max_examples=8, deadline=None)
    @given(st.integers(0, 10_000))
    def holds(seed: int) -> None:
        random = Random(seed)  # noqa: S311 - readings, no secret
        said = [
            {
                name: Reading(random.randrange(2), random.randrange(2), random.random() < 0.4)
                for name in names
            }
            for _ in range(120)
        ]
        states = driven(site, 120, lambda now_s, _: said[now_s - 1])
        assert states == driven(site, 120, lambda now_s, _: said[now_s - 1])
        lamps = [
            tuple(OF_CODE[letter] for letter in state_at(site.stages, each.showing, float(now_s)))
            for now_s, each in enumerate(states)
        ]
        intervals: list[Interval] = []
        for shows in lamps:
            if intervals and intervals[-1].shows == shows:
                intervals[-1] = Interval(intervals[-1].duration_s + 1, shows)
            else:
                intervals.append(Interval(1.0, shows))
        # What the end cuts short says nothing, nor does a change that it belongs to.
        cut = intervals.pop()
        while intervals and any(aspect in YELLOWS for aspect in intervals[-1].shows):
            cut = intervals.pop()
        intervals = intervals or [cut]
        name = site.stages.junction
        assert violations_shown({name: case}, {name: intervals}) == ()

    holds()


def shown(state: SignalState) -> tuple[object, ...]:
    return state.showing, state.lanes, state.late, state.decision.stage, state.decision.level


def test_many_signals_decide_together_as_each_does_alone(site: SignalSite) -> None:
    lanes = site.lanes[:-1]
    smaller = replace(
        site, lanes=lanes, model=model_of(site.stages, lanes, frozenset()), behind=site.behind[:-1]
    )
    control = Adaptive((site, smaller) * 10)
    random = Random(7)  # noqa: S311 - readings, no secret
    together = [begin(each, 0.0) for each in control.signals]
    alone = list(together)
    for second in range(1, 61):
        said = {
            each.name: Reading(random.randrange(2), random.randrange(2), random.random() < 0.4)
            for each in site.detectors
        }
        together = step(control, together, said, float(second))
        alone = [
            stepped(each, state, said, float(second))
            for each, state in zip(control.signals, alone, strict=True)
        ]
        assert [shown(each) for each in together] == [shown(each) for each in alone]


def test_without_upstream_detectors_it_is_actuated_and_without_any_the_plan(
    site: SignalSite,
) -> None:
    dead = replace(SOUND, unseen=99.0, failed=True)
    far = tuple(replace(unknown(lane), advance=dead) for lane in site.lanes)
    assert level_of(site, far) is Level.ACTUATED
    assert level_of(site, tuple(replace(lane, stop=dead) for lane in far)) is Level.PLAN

    blind = tuple(replace(lane, stop=dead) for lane in far)
    state = replace(begin(site, 0.0), lanes=blind)
    shown = []
    for now_s in range(1, 200):
        state = replace(stepped(site, state, {}, float(now_s)), lanes=blind)
        shown.append(state.showing.stage)
    assert set(shown) == {stage for stage, _ in site.plan}
    assert "detectors fail" in state.decision.says(0)


def test_a_tenth_of_the_detectors_fail_by_turns_stuck_and_silent(control: Adaptive) -> None:
    failed = with_failures(control, 0.5, 7).failed
    assert len(failed) == round(0.5 * len(control.detectors))
    assert abs(sum(stuck for _, stuck in failed) * 2 - len(failed)) <= 1
    assert with_failures(control, 0.5, 7).failed == failed


def test_it_is_driven_from_published_detectors_and_not_worse_than_the_plan(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, demand = drivable.files(1)
    (tmp_path / "net.xml").write_bytes(network)
    (tmp_path / "rou.xml").write_bytes(demand)

    def evaluated(*more: str) -> dict[str, object]:
        command.run(
            [
                *("--network", str(tmp_path / "net.xml"), "--demand", str(tmp_path / "rou.xml")),
                *("--profile", "as-is", "--seeds", "1", "--end", "300", *more),
            ]
        )
        found: dict[str, object] = json.loads(capsys.readouterr().out)
        return found

    ours = evaluated("--controller", "adaptive", "--detector-failure", "0.1")
    mean = ours["mean"]
    assert isinstance(mean, dict)
    assert mean["safety_violations"] == mean["teleports"] == mean["unfinished"] == 0
    assert mean["longest_wait_s"] <= 180
    assert 0 < mean["drain_delay_s"] < 30
    detectors = ours["detectors"]
    assert isinstance(detectors, list)
    by_lane: dict[str, int] = {}
    for each in detectors:
        by_lane[each["lane"]] = by_lane.get(each["lane"], 0) + 1
    assert max(by_lane.values()) <= 2
