"""Modes of a controller: to all red, flashing yellow and off and back, by hand, held."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from signals.commands import check as command
from signals.rules.model.aspects import Aspect
from signals.rules.model.document_writing import document_of
from signals.rules.model.plans import Interval
from signals.rules.safety.modes import (
    Mode,
    check_mode_change,
    enter_plan,
    hold_room_s,
    lamps_of,
    leave_plan,
    may_step,
)
from signals.rules.safety.transitions import may_stretch
from tests.signals import crossroads

if TYPE_CHECKING:
    from pathlib import Path

NETWORK = crossroads.network()
CASE = crossroads.case_of(NETWORK)
PLAN = crossroads.plan(CASE)
GREENS = [place for place, each in enumerate(PLAN.intervals) if may_stretch(each)]
ALL_RED = lamps_of(CASE, Mode.ALL_RED)


@pytest.mark.parametrize("mode", [Mode.ALL_RED, Mode.FLASHING_YELLOW, Mode.OFF])
def test_every_green_is_left_and_the_plan_entered_by_way_of_red(mode: Mode) -> None:
    for place in GREENS:
        way = leave_plan(CASE, PLAN, place, mode)
        assert way is not None
        assert check_mode_change(CASE, PLAN, way) == ()
        assert ALL_RED in [each.shows for each in way]
    back = enter_plan(CASE, PLAN, mode)
    assert back is not None
    assert check_mode_change(CASE, PLAN, back) == ()
    shows = [each.shows for each in back]
    flashed = lamps_of(CASE, Mode.FLASHING_YELLOW)
    assert (flashed in shows) == (mode is not Mode.ALL_RED)
    assert back[shows.index(ALL_RED)].duration_s >= 1


def test_people_on_foot_see_nothing_while_vehicles_see_flashing_yellow() -> None:
    shown = dict(zip(PLAN.groups, lamps_of(CASE, Mode.FLASHING_YELLOW), strict=True))
    assert shown["south-walk"] is Aspect.DARK
    assert shown["south-through"] is Aspect.FLASHING_YELLOW


def test_what_is_wrong_with_a_change_is_named() -> None:
    off = Interval(20, lamps_of(CASE, Mode.OFF))
    flash = Interval(10, lamps_of(CASE, Mode.FLASHING_YELLOW))
    red = Interval(5, ALL_RED)
    cycle = PLAN.intervals

    def said(*intervals: Interval) -> list[str]:
        return [each.what for each in check_mode_change(CASE, PLAN, intervals)]

    assert said(off, flash, red, *cycle) == []
    assert said(off, replace(flash, duration_s=4), red, *cycle) == [
        "too short a flashing yellow at the start"
    ]
    assert said(off, red, *cycle) == ["no flashing yellow at the start"]
    assert said(flash, replace(red, duration_s=2), *cycle) == [
        "too short a red before the first green"
    ]
    assert "no red to everybody between lit and unlit lamps" in said(flash, *cycle)
    way = leave_plan(CASE, PLAN, GREENS[0], Mode.FLASHING_YELLOW)
    assert way is not None
    # Without the yellow who drives is stopped by a bare red.
    bare = said(way[0], way[-2], way[-1])
    assert any(each.startswith(("lamp-sequence", "yellow")) for each in bare)
    mixed = (Aspect.DARK, *cycle[0].shows[1:])
    assert said(replace(cycle[0], shows=mixed)) == ["some lamps are unlit or flash beside lit ones"]


def test_a_stage_is_held_only_as_long_as_nobody_waits_too_long() -> None:
    changing = next(p for p in range(len(PLAN.intervals)) if p not in GREENS)
    assert hold_room_s(CASE, PLAN, changing) == 0
    room_s = hold_room_s(CASE, PLAN, GREENS[0])
    assert room_s is not None
    assert 0 < room_s < 90
    free = replace(CASE.profile, most_green_s=None, longest_red_s=None, pedestrian_wait_s=None,
                   pedestrian_wait_refuge_s=None)  # fmt: skip
    assert hold_room_s(replace(CASE, profile=free), PLAN, GREENS[0]) is None


def test_by_hand_nobody_steps_on_before_the_least_green_or_through_a_change() -> None:
    first = GREENS[0]
    assert "s of green to go" in str(may_step(CASE, PLAN, first, 2))
    assert may_step(CASE, PLAN, first, 30) is None
    changing = next(p for p in range(len(PLAN.intervals)) if p not in GREENS)
    assert "lamps are changing" in str(may_step(CASE, PLAN, changing, 0))
    assert may_step(CASE, PLAN, changing, PLAN.intervals[changing].duration_s) is None


def test_the_command_judges_modes_where_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = tmp_path / "net.json"
    network.write_text(json.dumps(document_of(NETWORK, [PLAN])), encoding="utf-8")
    assert command.run([str(network), "--network", str(network), "--modes"]) == 0
    found = json.loads(capsys.readouterr().out)["modes"]
    assert [(each["mode"], each["safe"]) for each in found] == [
        ("all_red", True),
        ("flashing_yellow", True),
        ("off", True),
    ]
