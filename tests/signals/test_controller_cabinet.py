"""A simulated cabinet: what it shows, what it refuses, what its monitor catches."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.errors import Conflict, Invalid, NotFound
from signals.rules.controllers import cabinet as rules
from signals.rules.controllers import cabinet_plans
from signals.rules.controllers.cabinet import Cabinet, Running, step, take_up
from signals.rules.controllers.cabinet_plans import write_plan
from signals.rules.controllers.demonstration import cabinet, crossroads, plan
from signals.rules.controllers.layout import (
    ControllerPlan,
    Layout,
    PhaseStage,
    PlanStage,
    layout_of,
    named,
    plan_of,
    refusals,
    shown_by,
)
from signals.rules.controllers.monitor import Memory, Trip, watch
from signals.rules.model.aspects import GREENS, Aspect
from signals.rules.safety.case import prepare
from signals.rules.safety.checker import check_programme
from signals.rules.safety.profiles import GB
from tests.signals.crossroads import case_of, network
from tests.signals.crossroads import plan as street_plan

R, G, F, Y = Aspect.RED, Aspect.GREEN, Aspect.FLASHING_GREEN, Aspect.YELLOW


def run(at: Cabinet, seconds: int) -> Iterator[Cabinet]:
    for _ in range(seconds):
        at = step(at)
        yield at


def after(at: Cabinet, seconds: int) -> Cabinet:
    return list(run(at, seconds))[-1]


def in_step() -> Cabinet:
    """Plan 1 begins at second 5, when the start-up ends, and plan 2 where plan 1's cycle ends."""
    plans = {1: plan(1, 35, 15, 30, 15, offset_s=5), 2: plan(2, 25, 12, 20, 12, offset_s=31)}
    return replace(cabinet(), plans=plans)


def test_a_stage_ends_with_flashing_green_yellow_and_red_before_the_next_begins() -> None:
    # Five seconds of red at the start, then 35 s of which the last five are yellow and red.
    shown = [at.lamps for at in run(in_step(), 50)]
    said = "".join({R: "r", G: "G", F: "f", Y: "y"}[lamps[1]] for lamps in shown)
    assert said[3:42] == "r" + "G" * 27 + "fff" + "yyy" + "rrrrr"
    walk = "".join({R: "r", G: "G", F: "f"}[lamps[5]] for lamps in shown)
    assert walk[3:42] == "r" + "G" * 22 + "f" * 8 + "rrrrrrrr"
    assert [lamps[2] for lamps in shown[38:42]] == [R, G, G, G]


def test_a_plan_asked_for_begins_at_the_end_of_the_cycle_and_not_before() -> None:
    at = take_up(after(in_step(), 10), 2)
    assert at.wanted == 2
    plans = [each.plan for each in run(at, 120)]
    assert plans[88:91] == [1, 2, 2]
    assert plans[-1] == 2


def test_the_first_green_is_held_until_the_plan_is_in_step() -> None:
    kept = replace(cabinet(), plans={1: plan(1, 35, 15, 30, 15, offset_s=50)}, clock_s=0)
    at = after(kept, 600)
    begins = [each.clock_s for each in run(at, 200) if each.place == 0 and each.elapsed_s == 0]
    assert [clock_s % 95 for clock_s in begins] == [50, 50]


@settings(max_examples=12)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(16, 40)), min_size=2, max_size=6),
    st.integers(0, 30),
    st.integers(0, 90),
)
def test_no_plan_that_is_taken_ever_trips_the_monitor(
    chain: list[tuple[int, int]], offset_s: int, asked_s: int
) -> None:
    stages = tuple(PlanStage(stage, length_s) for stage, length_s in chain)
    wanted = ControllerPlan(9, sum(s for _, s in chain), offset_s, stages)
    at = cabinet()
    try:
        at = write_plan(at, wanted)
    except Invalid:
        return
    at = take_up(after(at, asked_s + 1), 9)
    assert all(each.trip is None for each in run(at, 300))


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (plan(3, 35, 9, 30, 15), "stage 2 is green for 4 s, below 5 s"),
        (plan(3, 13, 15, 30, 15), "stage 1 is green for 8 s, below 9 s"),
        (replace(plan(3, 35, 15, 30, 15), cycle_s=90), "the stages last 95 s and the cycle 90 s"),
        (replace(plan(3, 35, 15, 30, 15), offset_s=95), "the offset of 95 s lies outside"),
        (ControllerPlan(3, 60, 0, (PlanStage(1, 30), PlanStage(9, 30))), "there is no stage 9"),
        (ControllerPlan(3, 30, 0, (PlanStage(1, 30),)), "the chain has 1 stages"),
        (replace(plan(3, 35, 15, 30, 15), number=200), "plan number 200 lies outside"),
    ],
)
def test_unsafe_plans_are_refused_with_the_reason(wrong: ControllerPlan, why: str) -> None:
    assert any(why in reason for reason in refusals(crossroads(), wrong))
    with pytest.raises(Invalid, match=why.replace(".", r"\.")):
        write_plan(cabinet(), wrong)


def test_the_plan_that_runs_is_never_written_over() -> None:
    with pytest.raises(Conflict, match="plan 1 is running"):
        write_plan(cabinet(), plan(1, 30, 15, 30, 15))
    with pytest.raises(Conflict, match="plan 2 is running"):
        write_plan(take_up(after(cabinet(), 10), 2), plan(2, 30, 15, 30, 15))
    with pytest.raises(NotFound):
        take_up(cabinet(), 77)


def test_a_stage_of_conflicting_phases_is_refused() -> None:
    with pytest.raises(Invalid, match="has conflicting phases 1 and 3"):
        cabinet_plans.write_stage(cabinet(), PhaseStage(5, frozenset({1, 3})))
    with pytest.raises(Conflict, match="stage 1 is in a plan"):
        cabinet_plans.write_stage(cabinet(), PhaseStage(1, frozenset({1})))
    kept = cabinet_plans.write_stage(cabinet(), PhaseStage(5, frozenset({1})))
    assert kept.layout.stage_of[5].phases == {1}


def test_a_stuck_relay_puts_the_junction_on_flashing_yellow_for_good() -> None:
    at = after(cabinet(), 20)
    stuck = replace(at, welded=frozenset({1}))
    seen = list(run(stuck, 60))
    tripped = next(place for place, each in enumerate(seen) if each.trip is not None)
    # Stage 1 ends after 35 s: its green never does, and stage 2's would come.
    assert seen[tripped].trip == Trip("green_conflict", (1, 2))
    for each in seen[:tripped]:
        assert not (each.lamps[1] in GREENS and each.lamps[3] in GREENS)
    assert seen[-1].running is Running.FLASHING
    assert seen[-1].lamps == {
        **dict.fromkeys((1, 2, 3, 4), Aspect.FLASHING_YELLOW),
        **dict.fromkeys((5, 6), Aspect.DARK),
    }
    with pytest.raises(Conflict, match="the conflict monitor has tripped"):
        take_up(seen[-1], 2)
    again = list(run(rules.reset(seen[-1]), 60))
    assert again[2].running is Running.STARTING
    assert again[-1].running is Running.FLASHING


def test_the_monitor_asks_for_the_intergreen_whoever_drives_the_lamps() -> None:
    layout = crossroads()
    dark = dict.fromkeys(range(1, 7), R)
    memory, trip = watch(layout, Memory(), {**dark, 1: G})
    assert trip is None
    for _ in range(4):
        memory, trip = watch(layout, memory, dark)
        assert trip is None
    _, early = watch(layout, memory, {**dark, 3: G})
    assert early == Trip("intergreen", (1, 3))
    memory, _ = watch(layout, memory, dark)
    _, late = watch(layout, memory, {**dark, 3: G})
    assert late is None


def test_an_order_ends_the_green_as_a_plan_would() -> None:
    at = rules.show(after(cabinet(), 15), Running.ALL_RED)
    shown = list(run(at, 60))
    assert shown[0].running is Running.PLAN
    assert [each.lamps[1] for each in shown].count(Y) == 3
    assert shown[-1].running is Running.ALL_RED
    assert set(shown[-1].lamps.values()) == {R}
    assert all(each.trip is None for each in shown)


def test_a_held_stage_is_reached_safely_held_and_given_back() -> None:
    at = rules.hold(after(in_step(), 8), 3)
    shown = list(run(at, 200))
    # The first green has its least length and its flashing end, then the held one stays green.
    assert shown[0].stage == 1
    held = [each for each in shown if each.holding]
    assert len(held) > 150
    assert {each.stage for each in held} == {3}
    assert held[-1].remaining_s is None
    greens = sum(each.lamps[1] in {G, F} for each in shown)
    assert greens + 3 >= in_step().layout.phase_of[1].least_green_s
    back = list(run(rules.take_up(shown[-1], 1), 120))
    assert all(each.trip is None for each in (*shown, *back))
    assert Y in {each.lamps[3] for each in back[:10]}
    assert {each.stage for each in back} == {1, 2, 3, 4}
    # From one held stage to another, and from there by way of all red to dark and back.
    other = list(run(rules.hold(shown[-1], 1), 60))
    assert other[-1].holding
    red = list(run(rules.show(other[-1], Running.ALL_RED), 60))
    dark = list(run(rules.show(red[-1], Running.DARK), 5))
    assert dark[-1].running is Running.DARK
    woken = list(run(rules.hold(dark[-1], 3), 40))
    states = list(dict.fromkeys(each.running for each in woken))
    assert states == [Running.WAKING, Running.STARTING, Running.PLAN]
    assert woken[-1].holding
    with pytest.raises(NotFound, match="has no stage 9"):
        rules.hold(woken[-1], 9)


@pytest.mark.parametrize("order", [Running.FLASHING, Running.ALL_RED, Running.DARK, 3])
def test_an_order_that_nobody_repeats_counts_no_more_after_a_while(order: Running | int) -> None:
    """Whatever becomes of the centre, the plan runs again."""
    at = after(in_step(), 8)

    def ask(at: Cabinet) -> Cabinet:
        if isinstance(order, int):
            return rules.hold(at, order, lapses_s=60)
        return rules.show(at, order, lapses_s=60)

    at = after(ask(at), 50)
    at = after(ask(at), 50)
    stays = at.holding if isinstance(order, int) else at.running is order
    assert stays
    shown = list(run(at, 150))
    assert all(each.trip is None for each in shown)
    assert {each.stage for each in shown[60:]} >= {1, 2, 3, 4}
    assert shown[-1].held is None
    assert shown[-1].lapses_s is None


@settings(max_examples=60, deadline=None)
@given(
    orders=st.lists(
        st.tuples(
            st.integers(0, 40),
            st.sampled_from(
                [1, 2, 3, 4, Running.FLASHING, Running.ALL_RED, Running.DARK, "plan 1", "plan 2"]
            ),
        ),
        max_size=8,
    )
)
def test_no_order_by_hand_ever_trips_the_monitor(
    orders: list[tuple[int, int | Running | str]],
) -> None:
    at = in_step()
    for wait_s, order in orders:
        for _ in range(wait_s):
            at = step(at)
            assert at.trip is None
        if isinstance(order, Running):
            at = rules.show(at, order, lapses_s=30)
        elif isinstance(order, int):
            at = rules.hold(at, order, lapses_s=30)
        else:
            at = rules.take_up(at, int(order[-1]))
    shown = list(run(at, 250))
    assert all(each.trip is None for each in shown)
    assert shown[-1].running is Running.PLAN


def test_a_street_plan_becomes_a_controllers_and_stays_safe_as_it_is_shown() -> None:
    case = case_of(network())
    programme = street_plan(case)
    layout = layout_of(case, [programme])
    kept = plan_of(layout, programme, 127)
    assert kept.cycle_s == programme.cycle_s
    assert [each.stage for each in kept.stages] == [1, 2, 3, 4]
    shown = shown_by(case, layout, kept)
    assert check_programme(case, shown).violations == ()
    assert shown.cycle_s == programme.cycle_s
    assert cabinet_plans.dry_run(layout, kept) is None


def test_a_cabinet_keeps_the_yellow_of_the_junctions_own_plan() -> None:
    found = network()
    junction = found.junctions[0]
    programme = street_plan(case_of(found))
    longer = replace(
        programme,
        intervals=tuple(
            replace(each, duration_s=each.duration_s + 2) if Y in each.shows else each
            for each in programme.intervals
        ),
    )
    layout = layout_of(prepare(junction, found, GB, [longer]), [longer])
    kept = plan_of(layout, longer, 1)
    yellow_s = {change.duration_s for each in layout.phases for change in each.losing}
    assert yellow_s == {3.0, 5.0, 10.0}
    at = rules.started(Cabinet(layout, {1: kept}, 1))
    shown = [each.lamps[1] for each in run(at, 2 * kept.cycle_s)]
    assert (shown.index(Y), shown[shown.index(Y) :].index(R)) == (shown.index(F) + 3, 5)


def test_a_cabinet_with_other_stages_or_phases_is_told_of() -> None:
    case = case_of(network())
    programme = street_plan(case)
    layout = layout_of(case, [programme])
    poor = replace(layout, stages=layout.stages[:3])
    with pytest.raises(Invalid, match="the controller has no stage of"):
        plan_of(poor, programme, 1)
    with pytest.raises(Invalid, match="the controller has 6 phases and the junction 16 groups"):
        named(crossroads(), [group.name for group in case.junction.groups])
    with pytest.raises(Invalid, match="uses a number twice"):
        Layout(layout.phases + layout.phases[:1], (), frozenset(), {})
