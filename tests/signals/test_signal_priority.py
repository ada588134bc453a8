"""Priority beside fixed plans: who goes first, what is done, what it costs, what is given back."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signals.rules.adaptive.lanes import LaneSite
from signals.rules.control.stages import state_at
from signals.rules.model.aspects import OF_CODE
from signals.rules.model.plans import Interval
from signals.rules.plans.delay_of_plan import lanes_of
from signals.rules.priority.beside_adaptive import wish_of
from signals.rules.priority.decision import Act, Decision
from signals.rules.priority.making import site_of
from signals.rules.priority.requests import (
    PRESENCE_S,
    Message,
    Policy,
    Request,
    Told,
    VehicleClass,
    living,
    ranked,
    told,
)
from signals.rules.priority.running import PlanSite, begin, step
from signals.rules.priority.schedule import spans_of
from signals.rules.simulation.shown import violations_shown
from tests.signals import crossroads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from signals.rules.model.plans import Programme
    from signals.rules.safety.case import Case

POLICY = Policy()
LATE = Request("bus 12", VehicleClass.BUS, "south-through", 0.0, 2.0, 180.0, 40)
ENGINE = Request("engine 3", VehicleClass.EMERGENCY, "south-through", 0.0, 2.0)
SOUTH, SOUTH_LEFT, EAST, EAST_LEFT = range(4)


@pytest.fixture(scope="module")
def case() -> Case:
    return crossroads.case_of(crossroads.network())


@pytest.fixture(scope="module")
def plan(case: Case) -> Programme:
    return replace(crossroads.plan(case), offset_s=7.0)


@pytest.fixture(scope="module")
def lawful(case: Case, plan: Programme) -> PlanSite:
    """People on foot wait as long as the profile says, and not much shorter without priority."""
    network = crossroads.network()
    flows = {
        (f"{start}-in", f"{end}-out"): 250.0
        for start, end in (("south", "north"), ("north", "south"), ("east", "west"))
    }
    found = site_of(case, plan, lanes_of(network.junctions[0], network, flows))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def site(case: Case) -> PlanSite:
    """Give the same with longer greens and nobody on foot who must not wait for them."""
    network = crossroads.network()
    plan = replace(crossroads.plan(case, through_s=36, left_s=14), offset_s=7.0)
    flows = {("south-in", "north-out"): 250.0, ("east-in", "west-out"): 250.0}
    found = site_of(case, plan, lanes_of(network.junctions[0], network, flows))
    assert found is not None
    return replace(found, limits=tuple(replace(each, most_s=140.0) for each in found.limits))


def coming(request: Request, at_s: float) -> Message:
    return Message(Told.CHECK_IN, replace(request, arrives_s=at_s))


def gone(request: Request) -> Message:
    return Message(Told.CHECK_OUT, request)


class Driven:
    """A signal driven for a while."""

    def __init__(
        self,
        site: PlanSite,
        seconds: int,
        messages: Mapping[int, list[Message]],
        policy: Policy = POLICY,
    ) -> None:
        self.site = site
        self.states = [begin(site, 0.0)]
        self.lamps = [state_at(site.stages, self.states[0].showing, 0.0)]
        self.said: list[Decision] = []
        for now_s in range(1, seconds + 1):
            state = step(site, self.states[-1], messages.get(now_s, []), policy, float(now_s))
            self.states.append(state)
            self.said += state.decisions
            self.lamps.append(state_at(site.stages, state.showing, float(now_s)))

    @property
    def greens(self) -> list[tuple[int, float, float]]:
        """Stages with the start and the end of their green."""
        found: list[tuple[int, float, float]] = []
        for state in self.states:
            showing = state.showing
            if found and found[-1][:2] == (showing.stage, showing.since_s):
                found.pop()
            elif found:  # it ended when the change to what is shown now began
                stage, since_s, _ = found.pop()
                change_s = sum(lasts_s for lasts_s, _ in showing.steps)
                found.append((stage, since_s, showing.since_s - change_s))
            end_s = showing.since_s + state.schedule[0].green_s
            found.append((showing.stage, showing.since_s, end_s))
        return found

    @property
    def intervals(self) -> list[Interval]:
        return [
            Interval(float(len(list(same))), tuple(OF_CODE[letter] for letter in state))
            for state, same in groupby(self.lamps)
        ]


def red_s(site: PlanSite) -> int:
    """Give a second early in the red of south's through traffic: its left turns just began."""
    end_s = site.offset_s + site.starts_s[SOUTH] + site.greens_s[SOUTH]
    return int(end_s + site.cycle_s)


def test_without_requests_the_plan_is_shown_lamp_for_lamp(
    lawful: PlanSite, plan: Programme
) -> None:
    starts, cycle_s = plan.starts_s, plan.cycle_s
    for now_s, lamps in enumerate(Driven(lawful, int(3 * cycle_s), {}).lamps):
        at_s = (now_s - plan.offset_s) % cycle_s
        place = max(index for index, start_s in enumerate(starts) if start_s <= at_s)
        assert [OF_CODE[letter] for letter in lamps] == list(plan.intervals[place].shows)


def test_a_late_bus_that_comes_just_after_the_end_of_green_gets_an_extension(
    site: PlanSite,
) -> None:
    at_s = red_s(site)
    found = Driven(site, at_s + 40, {at_s - 20: [coming(LATE, at_s + 4.0)]})
    decision = found.said[0]
    assert (decision.act, decision.stage) == (Act.EXTENSION, SOUTH)
    assert decision.by_s == pytest.approx(9, abs=1)
    assert "stage 0 lasts" in decision.says()
    assert "bus bus 12 (180 s late, 40 aboard)" in decision.says()
    extended = next(end_s for stage, _, end_s in found.greens if stage == SOUTH and end_s > at_s)
    assert extended == at_s + decision.by_s


def test_a_late_bus_that_comes_in_red_gets_its_green_sooner(site: PlanSite) -> None:
    at_s = red_s(site) + 30
    found = Driven(site, at_s + 60, {at_s: [coming(LATE, at_s + 15.0)]})
    decision = found.said[0]
    assert decision.act in {Act.EARLY_GREEN, Act.INSERTION}
    assert decision.sooner_s > 10


def test_nobody_on_foot_waits_beyond_the_law_for_a_bus(lawful: PlanSite) -> None:
    at_s = red_s(lawful)
    found = Driven(lawful, at_s + 5, {at_s - 15: [coming(LATE, at_s + 8.0)]})
    decision = found.said[0]
    assert decision.act is Act.NONE
    assert decision.reason == "least greens and longest waits leave no room"


def test_a_bus_on_time_gets_nothing_and_is_told_why(site: PlanSite) -> None:
    at_s = red_s(site)
    on_time = replace(LATE, lateness_s=20.0)
    found = Driven(site, at_s + 5, {at_s - 20: [coming(on_time, at_s + 4.0)]})
    assert [each.says() for each in found.said] == [
        "nothing for bus bus 12 (20 s late, 40 aboard): it is not late"
    ]
    unknown = replace(LATE, lateness_s=None, passengers=None)
    found = Driven(site, at_s + 5, {at_s - 20: [coming(unknown, at_s + 4.0)]})
    (decision,) = found.said
    assert decision.reason == "nobody knows whether it is late"
    assert decision.request.says() == "bus bus 12 (lateness unknown, 25 aboard as usual)"


def test_a_bus_that_passes_in_the_green_as_it_stands_changes_nothing(site: PlanSite) -> None:
    at_s = red_s(site) - 15
    found = Driven(site, at_s + 5, {at_s - 5: [coming(LATE, float(at_s))]})
    assert [each.act for each in found.said] == [Act.NONE]
    assert found.said[0].reason == "it passes in the green as it stands"


def test_an_emergency_vehicle_is_served_long_before_its_turn(site: PlanSite) -> None:
    at_s = red_s(site) + 25
    found = Driven(site, at_s + 60, {at_s: [coming(ENGINE, at_s + 25.0)]})
    decision = found.said[0]
    assert decision.act in {Act.EARLY_GREEN, Act.INSERTION}
    assert decision.sooner_s > 30
    served = next(
        start_s for stage, start_s, _ in found.greens if stage == SOUTH and start_s > at_s
    )
    planned_s = site.offset_s + 2 * site.cycle_s
    assert served <= planned_s - decision.sooner_s + 3


def test_the_emergency_vehicle_goes_before_the_bus(site: PlanSite) -> None:
    board = told({}, [coming(LATE, 10.0), coming(ENGINE, 30.0)], 0.0)
    assert [each.vehicle for each in ranked(board, POLICY)] == ["engine 3", "bus 12"]
    at_s = red_s(site) + 25
    across = replace(LATE, group="east-through", lateness_s=600.0, passengers=90)
    alone = Driven(site, at_s + 90, {at_s: [coming(ENGINE, at_s + 25.0)]})
    both = Driven(
        site, at_s + 90, {at_s: [coming(across, at_s + 30.0), coming(ENGINE, at_s + 25.0)]}
    )
    served = [
        min(start_s for stage, start_s, _ in found.greens if stage == SOUTH and start_s > at_s)
        for found in (alone, both)
    ]
    assert served[1] <= served[0]
    assert both.said[0].request.vehicle == "engine 3"


def test_the_later_and_fuller_bus_ranks_higher() -> None:
    fuller = replace(LATE, vehicle="full", passengers=80)
    later = replace(LATE, vehicle="late", lateness_s=600.0)
    unknown = replace(LATE, vehicle="unknown", lateness_s=None)
    board = {each.vehicle: each for each in (LATE, unknown, fuller, later)}
    names = [each.vehicle for each in ranked(board, POLICY)]
    assert names == ["late", "full", "bus 12", "unknown"]


def test_what_was_taken_is_given_back_in_the_next_cycles(site: PlanSite) -> None:
    at_s = red_s(site)
    cycle_s = int(site.cycle_s)
    messages = {at_s - 20: [coming(LATE, at_s + 8.0)], at_s + 12: [gone(LATE)]}
    found = Driven(site, at_s + 6 * cycle_s, messages)
    assert found.said[0].act is Act.EXTENSION
    assert sum(state.repaid_s for state in found.states) > 0
    had = dict.fromkeys(range(4), 0.0)
    for stage, start_s, end_s in found.greens[4:-4]:
        had[stage] += end_s - start_s - site.greens_s[stage]
    assert all(abs(each) <= 1 for each in had.values()), had


def test_a_bus_that_has_passed_early_leaves_the_rest_of_its_green_to_the_others(
    site: PlanSite,
) -> None:
    at_s = red_s(site)
    messages = {at_s - 20: [coming(LATE, at_s + 10.0)]}
    long = Driven(site, at_s + 30, messages)
    short = Driven(site, at_s + 30, {**messages, at_s + 3: [gone(LATE)]})
    ends = [
        next(end_s for stage, _, end_s in found.greens if stage == SOUTH and end_s > at_s)
        for found in (long, short)
    ]
    assert ends[0] > at_s + 10
    assert ends[1] == at_s + 3


def test_who_never_checks_out_lapses() -> None:
    board = told({}, [coming(LATE, 10.0)], 0.0)
    gone_s = 10.0 + 2.0 + PRESENCE_S
    assert living(board, gone_s - 1)
    assert not living(board, gone_s)
    # It goes on saying that it is about to come.
    assert not living(told(board, [coming(LATE, gone_s + 5)], gone_s), gone_s)
    assert not told({}, [gone(LATE)], 0.0)


def test_beside_adaptive_control_the_first_who_asks_for_something_counts() -> None:
    lane = LaneSite(
        "lane", "road", (("south-through", 1.0),), 0.5, 2.0, 0.1, "stop", None, 1.0, 0.0
    )
    on_time = replace(LATE, lateness_s=0.0)
    elsewhere = replace(ENGINE, group="east-through")
    assert wish_of([lane], (elsewhere, on_time), POLICY, 0.0) is None
    wish = wish_of([lane], (elsewhere, LATE), POLICY, 5.0)
    assert wish is not None
    # 40 aboard who count three times, over 1.5 in a car.
    assert wish.vehicles == 80
    assert wish.request.arrives_s - wish.request.spread_s == 5.0
    assert not wish.emergency


def drawn(case: Case) -> st.SearchStrategy[dict[int, list[Message]]]:
    groups = [group.name for group in case.junction.groups if "walk" not in group.name]
    request = st.builds(
        Request,
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(VehicleClass),
        st.sampled_from(groups),
        st.floats(0, 700),
        st.floats(0, 20),
        st.none() | st.floats(-100, 900),
        st.none() | st.integers(0, 120),
    )
    message = st.builds(Message, st.sampled_from(Told), request)
    return st.dictionaries(
        st.integers(1, 600), st.lists(message, min_size=1, max_size=3), max_size=8
    )


@settings(deadline=None, max_examples=12)
@given(data=st.data(), lax=st.booleans())
def test_whatever_is_asked_lamps_are_safe_walkers_wait_no_longer_and_the_step_is_kept(
    lawful: PlanSite, site: PlanSite, case: Case, data: st.DataObject, *, lax: bool
) -> None:
    site = site if lax else lawful
    found = Driven(site, 900, data.draw(drawn(case)))
    assert violations_shown({crossroads.NAME: case}, {crossroads.NAME: found.intervals}) == ()
    _reds_are_bounded(found)
    state = found.states[-1]
    spans = spans_of(site.stages, state.schedule, state.showing.since_s)
    last = spans[-1]
    planned_s = site.offset_s + site.starts_s[last.stage] + site.greens_s[last.stage]
    assert (last.end_s - planned_s) % site.cycle_s == pytest.approx(0.0, abs=1e-6)


def _reds_are_bounded(found: Driven) -> None:
    for limit in found.site.limits:
        longest_s, since_s = 0.0, 0.0
        for stage, start_s, end_s in found.greens:
            if limit.group in found.site.stages.stages[stage].groups:
                longest_s = max(longest_s, start_s - since_s)
                since_s = end_s
        assert longest_s <= limit.most_s


def test_the_same_messages_give_the_same_lamps_and_reasons(site: PlanSite) -> None:
    at_s = red_s(site)
    messages = {at_s - 20: [coming(LATE, at_s + 8.0)], at_s: [coming(ENGINE, at_s + 30.0)]}
    one, other = (Driven(site, at_s + 200, messages) for _ in range(2))
    assert one.lamps == other.lamps
    assert [each.says() for each in one.said] == [each.says() for each in other.said]


def test_a_bus_gets_nothing_that_costs_others_more_than_it_gains(site: PlanSite) -> None:
    crowded = replace(
        site,
        lanes=tuple(
            replace(lane, persons=5000.0) if "east" in lane.lane else lane for lane in site.lanes
        ),
    )
    at_s = red_s(site)
    found = Driven(crowded, at_s + 5, {at_s - 20: [coming(LATE, at_s + 4.0)]})
    assert [each.act for each in found.said] == [Act.NONE]
    assert "others lose" in found.said[0].reason
