"""Priority at a controller: what its words mean, what it is asked for, what the street shows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from city.errors import Conflict
from signals.rules.controllers import cabinet as rules
from signals.rules.controllers.cabinet import Cabinet, Running
from signals.rules.controllers.layout import layout_of, plan_of
from signals.rules.controllers.line import Control, ControllerState
from signals.rules.plans.delay_of_plan import lanes_of
from signals.rules.priority.at_controller import Led, LineSite, heard, line_site, look
from signals.rules.priority.decision import Act, Decision
from signals.rules.priority.requests import Message, Policy, Request, Told, VehicleClass
from tests.signals import crossroads
from tests.signals.judged_lamps import faults_shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from signals.rules.model.aspects import Aspect

NETWORK = crossroads.network()
CASE = crossroads.case_of(NETWORK)
PLAN = crossroads.plan(CASE, through_s=36, left_s=14)
LAYOUT = layout_of(CASE, [PLAN])
KEPT = plan_of(LAYOUT, PLAN, 1)
NAMED = replace(LAYOUT)
FLOWS = {("south-in", "north-out"): 250.0, ("east-in", "west-out"): 250.0}
POLICY = Policy()


@pytest.fixture(scope="module")
def site() -> LineSite:
    found = line_site(CASE, NAMED, KEPT, lanes_of(NETWORK.junctions[0], NETWORK, FLOWS))
    # Who walks there may wait as long as with these greens anyway, and a little longer.
    limits = tuple(replace(each, most_s=140.0) for each in found.site.limits)
    return replace(found, site=replace(found.site, limits=limits))


def state_of(cabinet: Cabinet) -> ControllerState:
    """Give what a controller says of itself."""
    return ControllerState(
        Control.MANUAL if cabinet.held is not None else Control.FIXED,
        cabinet.plan,
        cabinet.stage,
        cabinet.changing,
        cabinet.elapsed_s,
        cabinet.remaining_s,
        dict(cabinet.lamps),
    )


@dataclass
class Street:
    """A cabinet, and the rules that look at it each second."""

    site: LineSite
    cabinet: Cabinet = field(
        default_factory=lambda: rules.started(
            Cabinet(LAYOUT, {1: KEPT}, 1, running=Running.PLAN, clock_s=0)
        )
    )
    known: Led | None = None
    held: int | None = None
    now_s: float = 1_000.0
    said: list[Decision] = field(default_factory=list)
    lamps: list[Mapping[int, Aspect]] = field(default_factory=list)
    orders: list[int | None] = field(default_factory=list)

    def second(self, messages: Sequence[Message] = ()) -> bool:
        """Let a second pass; whether the messages were taken."""
        self.cabinet = rules.step(self.cabinet)
        self.now_s += 1.0
        self.lamps.append(dict(self.cabinet.lamps))
        said = heard(self.site, state_of(self.cabinet), held=self.held is not None)
        looked = look(self.site, self.known, said, messages, policy=POLICY, now_s=self.now_s)
        self.known = looked.led
        self.said += looked.decisions
        wanted = None if self.known.hold is None else self.site.numbers[self.known.hold]
        if wanted != self.held:
            self.orders.append(wanted)
            if wanted is None:
                self.cabinet = rules.take_up(self.cabinet, 1)
            else:
                self.cabinet = rules.hold(self.cabinet, wanted, 60)
            self.held = wanted
        elif wanted is not None:
            self.cabinet = rules.hold(self.cabinet, wanted, 60)
        return looked.took

    def until_stage(self, stage: int, elapsed_s: int) -> None:
        """Let time pass until a stage has been green for so long."""
        for _ in range(400):
            if self.cabinet.stage == stage and self.cabinet.elapsed_s == elapsed_s:
                return
            self.second()
        raise AssertionError("that stage never came")

    def judged(self) -> None:
        """Hold every lamp that was shown against the safety checker."""
        assert self.cabinet.trip is None
        assert faults_shown(CASE, PLAN, self.lamps) == []


def asks(
    at_s: float, group: str = "south-through", kind: VehicleClass = VehicleClass.BUS
) -> Message:
    request = Request("bus 12", kind, group, at_s, 2.0, 180.0, 40)
    return Message(Told.CHECK_IN, request)


def test_without_anybody_nothing_is_asked(site: LineSite) -> None:
    street = Street(site)
    for _ in range(400):
        street.second()
    assert street.orders == []
    assert street.known is not None
    assert street.known.at_rest


def test_a_green_is_held_for_a_bus_and_the_plan_is_in_step_again(site: LineSite) -> None:
    street, alone = Street(site), Street(site)
    first = site.numbers[0]
    street.until_stage(first, 20)
    own_s = street.cabinet.remaining_s
    assert own_s is not None
    # It would come four seconds after the green has ended.
    bus = asks(street.now_s + own_s + 4)
    assert street.second([bus])
    assert [each.act for each in street.said] == [Act.EXTENSION]
    assert street.orders == [first]
    while street.cabinet.stage == first and not street.cabinet.changing:
        street.second()
    assert street.cabinet.elapsed_s >= 20 + own_s + 4
    street.second([Message(Told.CHECK_OUT, bus.request)])
    for _ in range(600):
        street.second()
    assert street.known is not None
    assert street.known.at_rest
    assert street.orders[-1] is None
    street.judged()
    # In step again: the same lamps as where nobody came.
    while alone.now_s < street.now_s:
        alone.second()
    assert street.cabinet.stage == alone.cabinet.stage
    assert abs(street.cabinet.elapsed_s - alone.cabinet.elapsed_s) <= 2


def test_a_green_that_is_about_to_end_is_left_to_end(site: LineSite) -> None:
    street = Street(site)
    first = site.numbers[0]
    street.until_stage(first, 20)
    while (street.cabinet.remaining_s or 0) > site.flash_s[0] + 2:
        street.second()
    bus = asks(street.now_s + 8)
    taken = [street.second([bus])]
    while not taken[-1]:
        taken.append(street.second([bus]))
    assert not taken[0]
    assert first not in street.orders
    street.judged()


def test_a_controller_that_does_not_say_enough_is_unknown(site: LineSite) -> None:
    street = Street(site)
    street.second()
    state = state_of(street.cabinet)
    for lacking, why in (
        (replace(state, remaining_s=None), "when its stage ends"),
        (replace(state, stage=None), "which stage runs"),
        (replace(state, elapsed_s=None), "since when"),
        (replace(state, control=Control.ADAPTIVE), "mode is adaptive"),
        (replace(state, control=Control.MANUAL), "mode is manual"),
        (replace(state, plan=9), "another plan"),
        (replace(state, faults=("green_conflict",)), "green_conflict"),
    ):
        with pytest.raises(Conflict, match=why):
            heard(site, lacking, held=False)


COMING = st.lists(
    st.tuples(
        st.integers(5, 240),
        st.integers(-2, 30),
        st.sampled_from(["south-through", "south-left", "east-through", "west-left"]),
        st.sampled_from([VehicleClass.BUS, VehicleClass.EMERGENCY]),
        st.integers(5, 60),
    ),
    max_size=5,
)


@settings(max_examples=8, deadline=None, phases=[Phase.generate])
@given(COMING)
def test_whoever_asks_whenever_the_street_stays_safe_and_comes_to_rest(
    coming: list[tuple[int, int, str, VehicleClass, int]],
) -> None:
    lanes = lanes_of(NETWORK.junctions[0], NETWORK, FLOWS)
    street = Street(line_site(CASE, NAMED, KEPT, lanes))
    waiting: list[Message] = []
    for second in range(1, 700):
        for number, (at_s, off_s, group, kind, stays_s) in enumerate(coming):
            request = Request(
                f"v{number}", kind, group, 1_000.0 + at_s + 20 + off_s, 2.0, 200.0, 30
            )
            if second == at_s:
                waiting.append(Message(Told.CHECK_IN, request))
            if second == at_s + 20 + stays_s:
                waiting.append(Message(Told.CHECK_OUT, request))
        if street.second(waiting):
            waiting = []
    street.judged()
    assert street.known is not None
    assert street.known.at_rest, street.known
    assert street.held is None
