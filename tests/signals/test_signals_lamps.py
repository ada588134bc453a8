import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Invalid
from signals.rules.documents import plan_as_json, plan_from_json
from signals.rules.junctions import FixedPlan, GroupKind, SignalGroup, Stage
from signals.rules.lamps import Lamp, LampStep, StagePart, lamp_steps, lamps_at, stage_at

NS = SignalGroup("ns", GroupKind.VEHICLE)
EW = SignalGroup("ew", GroupKind.VEHICLE)
RIGHT = SignalGroup("right", GroupKind.BICYCLE, flashing_green_s=0)
WALK = SignalGroup("walk", GroupKind.PEDESTRIAN, flashing_green_s=8)

PLAN = FixedPlan(
    groups=(NS, EW, RIGHT, WALK),
    stages=(
        Stage("a", ("ns", "walk"), green_s=20),
        Stage("b", ("ns", "right"), green_s=10, yellow_s=4, all_red_s=1),
        Stage("c", ("ew", "right"), green_s=15),
    ),
    offset_s=5,
)


def shown(group: str) -> list[tuple[str, int, int]]:
    return [(step.lamp.value, step.start_s, step.end_s) for step in lamp_steps(PLAN, group)]


@st.composite
def plans(draw: st.DrawFn) -> FixedPlan:
    count = draw(st.integers(2, 6))
    groups = []
    for number in range(draw(st.integers(1, 6))):
        # Which stages a group is green in: neither none nor all.
        green = draw(
            st.lists(st.booleans(), min_size=count, max_size=count).filter(
                lambda green: any(green) and not all(green)
            )
        )
        kind = draw(st.sampled_from(GroupKind))
        groups.append((SignalGroup(f"g{number}", kind, None, draw(st.integers(0, 5))), green))
    # Every stage serves somebody: one group is green wherever no other is, red wherever one is.
    rest = [not any(green[stage] for _, green in groups) for stage in range(count)]
    if any(rest):
        groups.append((SignalGroup("rest", GroupKind.VEHICLE), rest))
    stages = tuple(
        Stage(
            f"s{stage}",
            tuple(group.name for group, green in groups if green[stage]),
            draw(st.integers(6, 40)),
            draw(st.integers(1, 5)),
            draw(st.integers(0, 4)),
        )
        for stage in range(count)
    )
    cycle_s = sum(stage.length_s for stage in stages)
    return FixedPlan(tuple(group for group, _ in groups), stages, draw(st.integers(0, cycle_s - 1)))


# --- the sequence


def test_a_vehicle_sees_green_flashing_green_yellow_red() -> None:
    assert shown("ew") == [
        ("red", 0, 40),
        ("green", 40, 52),
        ("flashing_green", 52, 55),
        ("yellow", 55, 58),
        ("red", 58, 60),
    ]


def test_a_group_that_goes_on_keeps_its_green_through_the_change_of_stage() -> None:
    assert shown("ns") == [
        ("green", 0, 32),
        ("flashing_green", 32, 35),
        ("yellow", 35, 39),
        ("red", 39, 60),
    ]
    assert shown("right") == [
        ("red", 0, 25),
        ("green", 25, 55),
        ("yellow", 55, 58),
        ("red", 58, 60),
    ]


def test_a_pedestrian_sees_no_yellow() -> None:
    assert shown("walk") == [("green", 0, 12), ("flashing_green", 12, 20), ("red", 20, 60)]


def test_a_green_may_run_over_the_end_of_the_cycle() -> None:
    plan = FixedPlan(
        groups=(NS, EW),
        stages=(Stage("a", ("ns",), 10), Stage("b", ("ew",), 10), Stage("c", ("ns",), 10)),
    )

    assert lamp_steps(plan, "ns") == (
        LampStep(Lamp.GREEN, 0, 7),
        LampStep(Lamp.FLASHING_GREEN, 7, 10),
        LampStep(Lamp.YELLOW, 10, 13),
        LampStep(Lamp.RED, 13, 30),
        LampStep(Lamp.GREEN, 30, 45),
    )


def test_the_offset_moves_the_whole_cycle() -> None:
    assert lamps_at(PLAN, 5) == {
        "ns": Lamp.GREEN,
        "ew": Lamp.RED,
        "right": Lamp.RED,
        "walk": Lamp.GREEN,
    }
    assert lamps_at(PLAN, 4.9)["ns"] is Lamp.RED
    assert lamps_at(PLAN, 5 + 54.5)["ew"] is Lamp.FLASHING_GREEN


def test_the_stage_that_runs_says_how_long_it_still_does() -> None:
    moments = [stage_at(PLAN, 5 + at_s) for at_s in (0, 20, 24, 25, 59.5)]

    assert [(moment.stage, moment.part, moment.left_s) for moment in moments] == [
        (0, StagePart.GREEN, 20),
        (0, StagePart.YELLOW, 3),
        (0, StagePart.ALL_RED, 1),
        (1, StagePart.GREEN, 10),
        (2, StagePart.ALL_RED, 0.5),
    ]


def test_an_unknown_group_is_refused() -> None:
    with pytest.raises(Invalid):
        lamp_steps(PLAN, "tram")


# --- laws

ORDER = {
    GroupKind.VEHICLE: "green flashing_green yellow red",
    GroupKind.BICYCLE: "green flashing_green yellow red",
    GroupKind.PEDESTRIAN: "green flashing_green red",
}


@given(plans())
def test_steps_fill_the_cycle_without_gap_or_overlap(plan: FixedPlan) -> None:
    for group in plan.groups:
        steps = lamp_steps(plan, group.name)
        assert [step.start_s for step in steps] == [0, *(step.end_s for step in steps[:-1])]
        assert steps[-1].end_s == plan.cycle_s


@given(plans())
def test_lamps_only_ever_follow_each_other_in_the_lawful_order(plan: FixedPlan) -> None:
    for group in plan.groups:
        order = [lamp for lamp in ORDER[group.kind].split() if lamp != "flashing_green"]
        if group.flashing_green_s:
            order.insert(1, "flashing_green")
        lamps = [step.lamp.value for step in lamp_steps(plan, group.name)] * 2
        for before, after in itertools.pairwise(lamps):
            assert before == after or after == order[(order.index(before) + 1) % len(order)]


@given(plans(), st.integers(-100_000, 100_000))
def test_what_is_shown_repeats_every_cycle(plan: FixedPlan, at_s: int) -> None:
    assert lamps_at(plan, at_s) == lamps_at(plan, at_s + plan.cycle_s)


@given(plans(), st.integers(-10_000, 10_000))
def test_a_group_is_green_in_its_stages_and_in_no_other(plan: FixedPlan, at_s: int) -> None:
    moment = stage_at(plan, at_s)
    lamps = lamps_at(plan, at_s)
    for group in plan.groups:
        lit = lamps[group.name] in {Lamp.GREEN, Lamp.FLASHING_GREEN}
        here = group.name in plan.stages[moment.stage].groups
        following = plan.stages[(moment.stage + 1) % len(plan.stages)]
        goes_on = here and group.name in following.groups
        assert lit == ((here and moment.part is StagePart.GREEN) or goes_on)


@given(plans(), st.integers(-10_000, 10_000))
def test_in_the_all_red_nobody_moves_who_does_not_go_on(plan: FixedPlan, at_s: int) -> None:
    moment = stage_at(plan, at_s)
    if moment.part is not StagePart.ALL_RED:
        return
    following = plan.stages[(moment.stage + 1) % len(plan.stages)]
    going_on = set(plan.stages[moment.stage].groups) & set(following.groups)
    for name, lamp in lamps_at(plan, at_s).items():
        assert name in going_on or lamp is Lamp.RED


@given(plans())
def test_a_plan_comes_back_from_its_document(plan: FixedPlan) -> None:
    assert plan_from_json(plan_as_json(plan)) == plan


# --- plans that cannot be


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stages": PLAN.stages[:1]}, "two stages"),
        ({"stages": (PLAN.stages[0], PLAN.stages[0])}, "holds a twice"),
        ({"groups": (NS, NS, EW, RIGHT, WALK)}, "holds ns twice"),
        ({"groups": (NS, EW, RIGHT)}, "no signal group walk"),
        ({"groups": (*PLAN.groups, SignalGroup("tram", GroupKind.VEHICLE))}, "never green"),
        ({"offset_s": 60}, "up to the cycle"),
        ({"offset_s": -1}, "up to the cycle"),
        (
            {"groups": (NS, EW, RIGHT, SignalGroup("walk", GroupKind.PEDESTRIAN, None, 20))},
            "flashes for as long",
        ),
        (
            {"stages": (*PLAN.stages[:2], Stage("c", ("ns", "ew", "right"), 15))},
            "ns is never red",
        ),
        ({"stages": (*PLAN.stages[:2], Stage("c", ("ew", "ew"), 15))}, "holds ew twice"),
        ({"stages": (*PLAN.stages[:2], Stage("c", ("ew",), 556))}, "cycle above 600"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(change: dict[str, Any], message: str) -> None:
    members: dict[str, Any] = {"groups": PLAN.groups, "stages": PLAN.stages, "offset_s": 0} | change

    with pytest.raises(Invalid, match=message):
        FixedPlan(**members)


@pytest.mark.parametrize(
    "change", [{"groups": ()}, {"green_s": 0}, {"yellow_s": 0}, {"all_red_s": -1}]
)
def test_a_stage_that_cannot_be_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        Stage(**{"name": "a", "groups": ("ns",), "green_s": 10, **change})


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (None, None),
        ({}, "groups"),
        ({"groups": [], "stages": "x"}, "stages"),
        ({"groups": [{"name": "a", "kind": "tram"}], "stages": []}, "groups.0.kind"),
        ({"groups": [], "stages": [], "colour": 1}, "colour"),
    ],
)
def test_a_malformed_plan_document_is_refused_by_its_member(value: Any, field: str | None) -> None:
    with pytest.raises(Invalid) as caught:
        plan_from_json(value)

    assert caught.value.field == field
