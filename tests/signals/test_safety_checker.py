"""The safety checker: plans audited by hand pass, and each rule fails for its own reason."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from city.errors import Invalid
from signals.rules.model.aspects import Aspect
from signals.rules.model.files import read_network, read_plans
from signals.rules.model.plans import Interval, Programme
from signals.rules.safety.checker import check_plans
from signals.rules.safety.profiles import AS_IS, GB, NEMA, Profile
from tests.signals import crossroads

if TYPE_CHECKING:
    from collections.abc import Callable

    from signals.rules.model.junction import SignalNetwork
    from signals.rules.safety.report import SafetyReport

DATA = os.environ.get("GREENBAY_DATA")
needs_data = pytest.mark.skipif(not DATA, reason="GREENBAY_DATA is not set")

OWN = crossroads.network()
GROUPS = tuple(group.name for group in OWN.junctions[0].groups)

# Audited by hand against the drawing: 98 s; straight on with the crossings beside it, then left.
# Columns: south, east, north, west, each through, left, bikes, walk. F and f: flashing.
AUDITED = """
18 grGrrrrGgrGrrrrG
7  grGrrrrFgrGrrrrF
3  frFrrrrFfrFrrrrF
3  yryrrrrryryrrrrr
4  rrrrrrrrrrrrrrrr
5  rGrrrrrrrGrrrrrr
3  rFrrrrrrrFrrrrrr
3  ryrrrrrrryrrrrrr
3  rrrrrrrrrrrrrrrr
18 rrrGgrGrrrrGgrGr
7  rrrFgrGrrrrFgrGr
3  rrrFfrFrrrrFfrFr
3  rrrryryrrrrryryr
4  rrrrrrrrrrrrrrrr
5  rrrrrGrrrrrrrGrr
3  rrrrrFrrrrrrrFrr
3  rrrrryrrrrrrryrr
3  rrrrrrrrrrrrrrrr
"""
LAMPS = {
    "r": Aspect.RED,
    "y": Aspect.YELLOW,
    "u": Aspect.RED_YELLOW,
    "G": Aspect.GREEN,
    "g": Aspect.PERMISSIVE,
    "F": Aspect.FLASHING_GREEN,
    "f": Aspect.FLASHING_PERMISSIVE,
    "s": Aspect.TURN_ON_RED,
    "o": Aspect.FLASHING_YELLOW,
    "O": Aspect.DARK,
}


def plan(text: str, offset_s: float = 0.0) -> Programme:
    intervals = []
    for line in text.split("\n"):
        if line:
            seconds, state = line.split()
            intervals.append(Interval(float(seconds), tuple(LAMPS[each] for each in state)))
    return Programme(crossroads.NAME, "day", GROUPS, tuple(intervals), offset_s)


def judged(programme: Programme, profile: Profile = GB) -> SafetyReport:
    return check_plans(OWN, [programme], profile)


def found(report: SafetyReport) -> set[str]:
    return {violation.rule.value for violation in report.violations}


def column(text: str, group: str) -> list[str]:
    return [line.split()[1][GROUPS.index(group)] for line in text.split("\n") if line]


def repainted(group: str, lamps: str) -> str:
    """Give the audited plan with another column."""
    place = GROUPS.index(group)
    lines = [line.split() for line in AUDITED.split("\n") if line]
    return "\n".join(
        f"{seconds} {state[:place]}{lamp}{state[place + 1 :]}"
        for (seconds, state), lamp in zip(lines, lamps, strict=True)
    )


def timed(place: int, seconds: float) -> str:
    """Give the audited plan with one interval of another length."""
    lines = [line for line in AUDITED.split("\n") if line]
    lines[place] = f"{seconds} {lines[place].split()[1]}"
    return "\n".join(lines)


def test_the_audited_plan_passes() -> None:
    report = judged(plan(AUDITED))

    assert report.violations == ()
    assert report.safe


def test_stages_with_the_intergreens_of_the_junction_give_the_audited_plan() -> None:
    made = crossroads.plan(crossroads.case_of(OWN))

    assert made.intervals == plan(AUDITED).intervals


# Every plan here is the audited one with one thing wrong.
WRONG: dict[str, tuple[Callable[[], Programme], set[str]]] = {
    "straight on protected against the other street": (
        lambda: plan(repainted("east-through", "GGFyrrrrrggfyrrrrr")),
        {"conflicting-greens", "intergreen"},
    ),
    "straight on permissive against the other street": (
        lambda: plan(repainted("east-through", "ggfyrrrrrggfyrrrrr")),
        {"conflicting-greens", "intergreen"},
    ),
    "left turn permissive against the other street": (
        lambda: plan(repainted("east-left", "ggfyrrrrrrrrrrGFyr")),
        {"conflicting-greens"},
    ),
    "left turn green with the opposite straight on": (
        lambda: plan(repainted("south-left", "GGFyrGFyrrrrrrrrrr")),
        {"conflicting-greens", "intergreen"},
    ),
    "people walk while straight on crosses them": (
        lambda: plan(repainted("south-walk", "GFFrrrrrrGFFrrrrrr")),
        {"conflicting-greens"},
    ),
    "green begins while the other street is on yellow": (
        lambda: plan(repainted("south-left", "rrrGGGFyrrrrrrrrrr")),
        {"conflicting-greens", "intergreen", "all-red"},
    ),
    "all-red left out": (
        lambda: plan(timed(4, 0)),
        {"intergreen", "all-red"},
    ),
    "all-red of one second, less than clearing takes": (lambda: plan(timed(4, 1)), {"intergreen"}),
    "no yellow": (
        lambda: plan(repainted("south-through", "ggfrrrrrrrrrrrrrrr")),
        {"yellow", "lamp-sequence"},
    ),
    "yellow of two seconds": (
        lambda: plan(timed(7, 2)),
        {"yellow"},
    ),
    "yellow of six seconds": (lambda: plan(timed(7, 6)), {"yellow"}),
    "left green of four seconds": (lambda: plan(timed(5, 1)), {"minimum-green"}),
    "green of over two minutes": (
        lambda: plan(timed(0, 121)),
        {"maximum-green", "longest-red", "cycle", "pedestrian-wait"},
    ),
    "red-and-yellow before green": (
        lambda: plan(repainted("south-left", "rrrruGFyrrrrrrrrrr")),
        {"lamp-sequence"},
    ),
    "yellow goes back to green": (
        lambda: plan(repainted("south-through", "gyfyrrrrrrrrrrrrrr")),
        {"lamp-sequence", "minimum-green", "yellow"},
    ),
    "people get no flashing green": (
        lambda: plan(repainted("east-walk", "GGGrrrrrrrrrrrrrrr")),
        {"lamp-sequence", "pedestrian-clearance"},
    ),
    "flashing green too short for the crossing": (
        lambda: plan(repainted("east-walk", "GGFrrrrrrrrrrrrrrr")),
        {"pedestrian-clearance"},
    ),
    "steady green of three seconds for people": (lambda: plan(timed(0, 3)), {"pedestrian-walk"}),
    "people wait for more than ninety seconds": (
        lambda: plan(timed(9, 30)),
        {"pedestrian-wait"},
    ),
    "a left turn never green": (
        lambda: plan(repainted("south-left", "rrrrrrrrrrrrrrrrrr")),
        {"never-green"},
    ),
    "left turn on red": (
        lambda: plan(repainted("south-left", "ssssrGFyrrrrrrrrrr")),
        {"turn-on-red"},
    ),
    "one signal flashes yellow beside lit ones": (
        lambda: plan(repainted("south-left", "oooooooooooooooooo")),
        {"steady-lamps"},
    ),
    "offset beyond the cycle": (lambda: plan(AUDITED, 98), {"offset"}),
    "offset below zero": (lambda: plan(AUDITED, -1), {"offset"}),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_thing_wrong_fails_for_that_reason(name: str) -> None:
    wrong, expected = WRONG[name]
    report = judged(wrong())

    assert found(report) == expected
    for violation in report.violations:
        assert violation.source
        assert violation.what


def test_a_violation_says_where_and_by_how_much() -> None:
    (violation, *_) = judged(plan(timed(7, 2))).violations

    assert violation.groups == ("south-left",)
    assert (violation.at_s, violation.shown, violation.required) == (43, 2, 3)
    assert violation.short == 1
    assert violation.what == "south-in left to west-out: yellow is too short"


def test_a_signal_dark_for_a_whole_plan_is_told_of_and_not_judged() -> None:
    report = judged(plan("60 " + "O" * 16))

    assert "conflicting-greens" not in found(report)
    assert any("every signal is dark" in note.what for note in report.notes)


def test_a_crossing_without_a_refuge_needs_its_whole_width_and_a_shorter_wait() -> None:
    network = crossroads.network(refuge=False)
    rules = found(check_plans(network, [plan(AUDITED)], GB))

    assert rules == {"pedestrian-clearance", "pedestrian-wait"}


def test_a_waiting_area_asks_for_left_straight_after_its_own_straight_on() -> None:
    network = crossroads.network(waiting_area=True)
    assert check_plans(network, [plan(AUDITED)], GB).safe

    left_first = crossroads.plan(crossroads.case_of(OWN), left_first=True)
    assert judged(left_first).safe
    assert found(check_plans(network, [left_first], GB)) == {"waiting-area-order"}


def test_a_permissive_left_must_not_end_under_an_opposite_green() -> None:
    # South ends, its permissive left with it; north goes on.
    trap = """
20 ggrrrrrrgrrrrrrr
4  yyrrrrrrgrrrrrrr
10 rrrrrrrrgrrrrrrr
4  rrrrrrrryrrrrrrr
10 rrrrrrrrrrrrrrrr
"""
    rules = found(judged(plan(trap), NEMA))
    assert "yellow-trap" in rules
    assert "conflicting-greens" not in rules


def test_actuated_greens_are_judged_by_their_shortest_and_longest() -> None:
    intervals = tuple(
        replace(each, least_s=2.0, most_s=200.0) if place == 5 else each
        for place, each in enumerate(plan(AUDITED).intervals)
    )
    actuated = replace(plan(AUDITED), intervals=intervals, control="actuated")

    assert {"maximum-green", "pedestrian-wait", "longest-red"} <= found(judged(actuated))
    assert judged(replace(actuated, control="static")).safe


def test_a_plan_of_another_junction_is_refused() -> None:
    with pytest.raises(Invalid, match="no signal elsewhere"):
        check_plans(OWN, [replace(plan(AUDITED), junction="elsewhere")], GB)
    with pytest.raises(Invalid, match="no plan"):
        check_plans(OWN, [], GB)


@cache
def network_of(name: str) -> tuple[SignalNetwork, tuple[Programme, ...]]:
    assert DATA is not None
    return read_network((Path(DATA) / "signals" / name / "net.xml").read_bytes())


def real(name: str, states: str | None = None, profile: Profile = AS_IS) -> SafetyReport:
    network, own = network_of(name)
    plans = own
    if states is not None:
        first = network.junctions[0].name
        logic = f'<additional><tlLogic id="{first}">{states}</tlLogic></additional>'
        plans = read_plans(logic.encode(), network)
    return check_plans(network, plans, profile, own)


@needs_data
@pytest.mark.parametrize("name", ["cologne1", "cologne3", "grid4x4", "hangzhou1", "ingolstadt1"])
def test_the_plans_in_force_pass_as_they_are_and_lack_all_red_for_the_street(name: str) -> None:
    assert real(name).violations == ()

    street = real(name, profile=GB)
    assert {"all-red", "intergreen"} <= found(street)
    assert "conflicting-greens" not in found(street)


@needs_data
def test_the_published_hangzhou_plans_fail_for_their_merging_greens_and_missing_yellow() -> None:
    # The phases of LibSignal's hangzhou_4x4: right turns green against the streams that they
    # merge with, and every green followed by the letters of red. Same layout as grid4x4.
    greens = (
        "GGGrrrrrrGGGGGGrrrGGGrrrrrrGGGGGGrrr",
        "GGGGGGrrrGGGrrrrrrGGGGGGrrrGGGrrrrrr",
        "GGGrrrrrrGGGrrrGGGGGGrrrrrrGGGrrrGGG",
        "GGGrrrGGGGGGrrrrrrGGGrrrGGGGGGrrrrrr",
        "GGGrrrrrrGGGrrrrrrGGGrrrrrrGGGGGGGGG",
        "GGGrrrrrrGGGGGGGGGGGGrrrrrrGGGrrrrrr",
        "GGGrrrrrrGGGrrrrrrGGGGGGGGGGGGrrrrrr",
        "GGGGGGGGGGGGrrrrrrGGGrrrrrrGGGrrrrrr",
    )
    between = "sssrrrrrrsssrrrrrrsssrrrrrrsssrrrrrr"
    for green in greens:
        states = (
            f'<phase duration="30" state="{green}"/><phase duration="5" state="{between}"/>'
            '<phase duration="30" state="rrrGGGrrrrrrGGGrrrrrrGGGrrrrrrGGGrrr"/>'
            '<phase duration="3" state="rrryyyrrrrrryyyrrrrrryyyrrrrrryyyrrr"/>'
        )
        report = real("grid4x4", states)
        merges = {
            violation.what.partition(" merge")[2]
            for violation in report.violations
            if violation.rule.value == "conflicting-greens" and violation.at_s == 0
        }
        assert merges == {", and both are green and neither gives way"}
        assert "yellow" in found(report)


@needs_data
def test_a_green_shorter_than_five_seconds_fails_as_is() -> None:
    states = (
        '<phase duration="4" state="GGggrrrrGGggrrrr"/>'
        '<phase duration="3" state="yyyyrrrryyyyrrrr"/>'
        '<phase duration="33" state="rrrrGGggrrrrGGgg"/>'
        '<phase duration="3" state="rrrryyyyrrrryyyy"/>'
    )
    assert found(real("hangzhou1", states)) == {"minimum-green"}
