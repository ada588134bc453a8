"""Changing from one plan to another: nobody sees an unsafe moment, and the new clock is met."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.errors import Invalid
from signals.rules.model.aspects import Aspect
from signals.rules.safety.transitions import Change, Method, change_plans, judge_stretch
from tests.signals import crossroads

if TYPE_CHECKING:
    from signals.rules.model.plans import Programme

CASE = crossroads.case_of(crossroads.network())
DAY = crossroads.plan(CASE)
NIGHT = replace(crossroads.plan(CASE, through_s=24, left_s=8), name="night")
LEFT_FIRST = replace(crossroads.plan(CASE, left_first=True), name="left first")


def lengths(change: Change) -> float:
    return sum(each.duration_s for each in change.intervals)


def test_dwell_holds_the_first_green_until_the_new_clock_is_met() -> None:
    change = change_plans(CASE, DAY, replace(NIGHT, offset_s=20), Method.DWELL)

    assert change is not None
    assert change.bridge_s == 0
    # The old cycle ends at 98 s; the new plan, 90 s long, begins at 20 s and every 90 s: late by
    # 78 s, so that its first cycle lasts 12 s longer.
    assert change.in_step_s == 102
    assert lengths(change) == 98 + 102 + 90


def test_subtracting_gets_in_step_by_shorter_greens_and_adding_by_longer_ones() -> None:
    early = change_plans(CASE, DAY, replace(NIGHT, offset_s=0), Method.SUBTRACT)
    later = change_plans(CASE, DAY, replace(NIGHT, offset_s=0), Method.ADD)

    assert early is not None
    assert later is not None
    # Late by 8 s.
    assert early.in_step_s % 90 == pytest.approx(82)
    assert later.in_step_s % 90 == pytest.approx(82)
    assert early.in_step_s < later.in_step_s


def test_stages_in_another_order_wait_for_the_intergreen_in_red() -> None:
    # Cut the day plan after its first stage's green: its end and the new start must be bridged.
    short = replace(DAY, intervals=(*DAY.intervals[1:], DAY.intervals[0]))
    change = change_plans(CASE, short, LEFT_FIRST, Method.DWELL)

    assert change is not None
    assert change.bridge_s > 3
    assert judge_stretch(CASE, LEFT_FIRST, change.intervals, "change").violations == ()


@settings(max_examples=8, deadline=None)
@given(
    st.sampled_from([DAY, NIGHT, LEFT_FIRST]),
    st.sampled_from([DAY, NIGHT, LEFT_FIRST]),
    st.integers(0, 17),
    st.integers(0, 89),
    st.sampled_from(list(Method)),
)
def test_no_change_shows_an_unsafe_moment_and_each_ends_in_step(
    old: Programme, new: Programme, turned: int, offset_s: int, method: Method
) -> None:
    place = turned % len(old.intervals)
    first = replace(old, intervals=(*old.intervals[place:], *old.intervals[:place]))
    second = replace(new, offset_s=float(offset_s))
    change = change_plans(CASE, first, second, method)

    assert change is not None
    assert judge_stretch(CASE, second, change.intervals, "change").violations == ()
    in_step_at_s = first.cycle_s + change.in_step_s
    late_s = (in_step_at_s - second.offset_s) % second.cycle_s
    assert min(late_s, second.cycle_s - late_s) == pytest.approx(0, abs=1e-6)


def test_an_unsafe_plan_has_no_safe_change() -> None:
    broken = [replace(each, shows=(Aspect.GREEN,) * 16) for each in NIGHT.intervals]

    assert change_plans(CASE, DAY, replace(NIGHT, intervals=tuple(broken)), Method.DWELL) is None


def test_what_an_actuated_plan_will_show_cannot_be_foretold() -> None:
    with pytest.raises(Invalid, match="actuated"):
        change_plans(CASE, DAY, replace(NIGHT, control="actuated"), Method.DWELL)
