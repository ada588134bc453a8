"""Max-pressure and longest queue as they are guarded, and what lies between any two stages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.commands import evaluate as command
from signals.rules.control.approaches import Approach, Upstream, approaches_of
from signals.rules.control.peers import Peer, PeerSignal, begin, step
from signals.rules.control.stages import (
    Showing,
    StageSet,
    changed,
    may_change,
    stage_set,
    state_at,
)
from signals.rules.model.aspects import OF_CODE
from signals.rules.model.documents import network_from_json
from signals.rules.model.plans import Interval
from signals.rules.model.sumo_export import network_file
from signals.rules.model.sumo_net import read_sumo
from signals.rules.plans.junction_maker import JunctionMaker
from signals.rules.safety.case import prepare
from signals.rules.safety.profiles import AS_IS, GB
from signals.rules.simulation.shown import violations_shown
from tests.signals import crossroads, drivable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from signals.rules.safety.case import Case


def four_stages(profile: Any = AS_IS) -> tuple[Case, StageSet]:
    found = drivable.network(1)
    case = prepare(found.junctions[0], found, profile)
    maker = JunctionMaker(case, (), (), 1.0)
    return case, stage_set(case, (maker,), maker.pool[:4], judged=True)


CASE, STAGES = four_stages()


def approach(lane: str, group: str, behind: str = "out") -> Approach:
    return Approach(lane, (lane,), ((group, (behind,)),))


def signal_of(*approaches: Approach) -> PeerSignal:
    return PeerSignal(STAGES, approaches)


def only_in(place: int) -> str:
    """Give a group that is green in one stage and not in the first."""
    others = STAGES.stages[0].groups
    return min(STAGES.stages[place].groups - others)


def driven(peer: Peer, seconds: Sequence[dict[str, int]]) -> list[int]:
    state = begin(peer.signals[0], peer.every_s, 0.0)
    shown = []
    for now_s, halting in enumerate(seconds):
        state = step(peer, peer.signals[0], state, float(now_s), halting)
        shown.append(state.showing.stage)
    return shown


def test_longest_queue_goes_where_most_stand_and_looks_only_every_so_often() -> None:
    group = only_in(1)
    peer = Peer("longest-queue", 10.0, (signal_of(approach("a", group)),))
    shown = driven(peer, [{"a": 3}] * 12)
    assert shown[:10] == [0] * 10
    assert group in STAGES.stages[shown[10]].groups


def test_max_pressure_takes_off_what_stands_behind_the_junction() -> None:
    here, there = only_in(1), min(STAGES.stages[0].groups)
    signal = signal_of(approach("a", here, "full"), approach("b", there, "free"))
    full = {"a": 9, "b": 2, "full": 8}
    assert driven(Peer("max-pressure", 5.0, (signal,)), [full] * 8)[-1] == 0
    moved = driven(Peer("longest-queue", 5.0, (signal,)), [full] * 8)[-1]
    assert here in STAGES.stages[moved].groups


def test_who_has_waited_two_minutes_is_next_however_few_they_are() -> None:
    here, there = only_in(1), min(STAGES.stages[0].groups)
    signal = signal_of(approach("a", here), approach("b", there))
    shown = driven(Peer("longest-queue", 5.0, (signal,)), [{"a": 1, "b": 30}] * 130)
    assert set(shown[:120]) == {0}
    assert any(here in STAGES.stages[place].groups for place in shown[120:])


def test_an_approach_is_prolonged_upstream_but_never_across_a_signal() -> None:
    found = drivable.network(2)
    roads = read_sumo(network_file(found, drivable.in_force(found)).encode())
    upstream = Upstream(roads)
    between = approaches_of(found.junctions[1], upstream, 10_000.0)
    assert {each.stretch for each in between} == {(each.lane,) for each in between}

    upstream.length_m |= {"last": 9.0, "before": 30.0, "far": 60.0, "never": 60.0}
    upstream.into |= {"last": ["before"], "before": ["far"], "far": ["never"]}
    assert upstream.stretch("last", 80.0) == ("last", "before", "far")


@pytest.mark.parametrize("profile", [AS_IS, GB])
def test_whatever_is_chosen_second_by_second_nothing_unsafe_is_shown(profile: Any) -> None:
    if profile is GB:
        network = network_from_json(crossroads.document())
        case = prepare(network.junctions[0], network, GB)
        maker = JunctionMaker(case, (), (), 1.0)
        stages = stage_set(case, (maker,), maker.pool[:4], judged=True)
    else:
        case, stages = CASE, STAGES
    assert stages.changes

    @settings(max_examples=10, deadline=None)
    @given(st.lists(st.integers(0, len(stages.stages) - 1), min_size=20, max_size=40))
    def holds(wishes: list[int]) -> None:
        showing = Showing(0, 0.0)
        intervals: list[Interval] = []
        # At the end everything comes to rest.
        for now_s in range(4 * len(wishes) + 40):
            wish = wishes[now_s % len(wishes)] if now_s < 4 * len(wishes) else showing.stage
            if wish != showing.stage and may_change(stages, showing, now_s, wish):
                showing = changed(stages, showing, now_s, wish)
            lamps = tuple(OF_CODE[letter] for letter in state_at(stages, showing, now_s))
            if intervals and intervals[-1].shows == lamps:
                intervals[-1] = Interval(intervals[-1].duration_s + 1, lamps)
            else:
                intervals.append(Interval(1.0, lamps))
        name = case.junction.name
        found = violations_shown({name: case}, {name: intervals})
        assert found == ()

    holds()


def test_a_stage_is_not_left_before_its_least_green_nor_while_it_changes() -> None:
    target = next(end for start, end in STAGES.changes if start == 0)
    with pytest.raises(ValueError, match="0 to"):
        changed(STAGES, Showing(0, 0.0), 4.0, target)
    after = changed(STAGES, Showing(0, 0.0), 5.0, target)
    assert after.since_s == 5.0 + STAGES.change_s(0, target)
    assert not may_change(STAGES, after, 6.0, 0)


def test_peers_are_driven_at_both_intervals_and_the_better_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network, demand = drivable.files(1)
    (tmp_path / "net.xml").write_bytes(network)
    (tmp_path / "rou.xml").write_bytes(demand)
    command.run(
        [
            *("--network", str(tmp_path / "net.xml"), "--demand", str(tmp_path / "rou.xml")),
            *("--controller", "max-pressure", "--profile", "as-is", "--seeds", "1", "--end", "300"),
        ]
    )
    found = json.loads(capsys.readouterr().out)
    delays = {each["every_s"]: each["drain_delay_s"] for each in found["variants"]}
    assert set(delays) == {5.0, 10.0}
    assert found["mean"]["drain_delay_s"] == delays[found["every_s"]] == min(delays.values())
    assert found["mean"]["safety_violations"] == 0
    assert found["decision_ms_p99"] > 0
    assert 0 < found["mean"]["longest_wait_s"] < 120
