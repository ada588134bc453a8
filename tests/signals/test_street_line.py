"""The line to a controller: against a real process, and against one that misbehaves."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from city.errors import Conflict, Invalid
from signals.adapters.gbt20999.line import Gbt20999Line
from signals.adapters.gbt20999.link import Patience, TcpLink, UdpLink
from signals.commands.controller import run
from signals.rules.controllers import cabinet as rules
from signals.rules.controllers.cabinet import Cabinet, Running
from signals.rules.controllers.demonstration import cabinet, crossroads, plan
from signals.rules.controllers.judging import of_programme
from signals.rules.controllers.layout import ControllerPlan, Layout, layout_of, plan_of
from signals.rules.controllers.line import (
    Control,
    ControllerLine,
    ControllerState,
    NoAnswer,
    Refused,
)
from signals.rules.model.aspects import Aspect
from signals.services.street import Outcome, Pace, put_in_force
from tests.signals.controller_process import controller, line_to, port_of
from tests.signals.crossroads import case_of, network
from tests.signals.crossroads import plan as street_plan

PATIENT = Patience(timeout_s=5.0, tries=6)
QUICK = Pace(poll_s=0.02, safe_polls=2_000, take_up_polls=2_000, watch_polls=20)


def anything(_layout: Layout, _plan: ControllerPlan) -> None:
    """Find every plan safe."""


def wanted(_layout: Layout, number: int) -> ControllerPlan:
    return plan(number, 40, 15, 35, 15)


# --- a real process ------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["gbt20999", "gat1049"])
def ready(request: pytest.FixtureRequest) -> Iterator[dict[str, object]]:
    with controller("--speed", "100", protocol=request.param) as made:
        assert made["transports"] == {"gbt20999": ["udp", "tcp"], "gat1049": ["tcp"]}[request.param]
        assert made["plans"] == [1, 2]
        yield made


def test_a_controller_says_what_it_is_and_does(ready: dict[str, object]) -> None:
    transports = ready["transports"]
    assert isinstance(transports, list)
    for transport in transports:
        line = line_to(ready, PATIENT, transport)
        if isinstance(line, Gbt20999Line):
            line.heartbeat()
        says_what_it_is(ready, line)
        line.close()


def says_what_it_is(ready: dict[str, object], line: ControllerLine) -> None:
    layout, mine = line.read_layout(), crossroads()
    assert layout.stages == mine.stages
    assert layout.conflicts == mine.conflicts
    if ready["protocol"] == "gbt20999":
        assert layout.intergreen_s == mine.intergreen_s
    # The other tells what its plans' changes last, and nothing of two phases.
    for one, other in ((1, 2), (2, 3), (3, 4), (4, 1)):
        assert layout.change_s(one, other) == mine.change_s(one, other)
    assert [phase.losing for phase in layout.phases] == [phase.losing for phase in mine.phases]
    assert [phase.kind for phase in layout.phases] == [phase.kind for phase in mine.phases]
    assert line.read_plan(2) == plan(2, 25, 12, 20, 12)
    assert line.read_plan(99) is None
    state = line.read_state()
    assert state.control is Control.FIXED
    assert sorted(state.lamps) == [1, 2, 3, 4, 5, 6]
    assert state.faults == ()


def test_a_plan_goes_to_the_street_step_by_step(ready: dict[str, object]) -> None:
    line = line_to(ready, PATIENT)
    done = put_in_force(line, wanted, anything, sleep=time.sleep, pace=QUICK)
    assert done.outcome is Outcome.ACTIVE, done
    assert done.number == 127
    assert done.steps[1:3] == ("plan 127 written", "read back the same")
    assert line.read_state().plan == 127
    # The next one takes the other number: the one that runs is never written over.
    again = put_in_force(line, wanted, anything, sleep=time.sleep, pace=QUICK)
    assert (again.outcome, again.number, again.former) == (Outcome.ACTIVE, 128, 127)
    with pytest.raises(Refused, match=r"control failed at 9|SDE_Failure SetPlanParam"):
        line.write_plan(wanted(crossroads(), 128))
    with pytest.raises(Refused, match=r"bad value at 9|stage 2 is green for 1 s"):
        line.write_plan(plan(60, 35, 6, 30, 15))
    assert line.read_plan(60) is None
    line.close()


def test_lost_broken_and_repeated_frames_do_no_harm() -> None:
    faults = "lose=0.1,corrupt=0.15,duplicate=0.3,seed=5"
    with controller("--speed", "200", "--faults", faults) as ready:
        link = UdpLink("127.0.0.1", port_of(ready), Patience(timeout_s=0.05, tries=100))
        line = Gbt20999Line(link)
        pace = replace(QUICK, watch_polls=5)
        done = put_in_force(line, wanted, anything, sleep=time.sleep, pace=pace)
        line.close()
    assert done.outcome is Outcome.ACTIVE, done
    assert link.traffic.broken > 0
    assert link.traffic.strays > 0


def test_a_killed_controller_is_silent_and_nothing_is_guessed() -> None:
    with controller() as ready:
        line = Gbt20999Line(UdpLink("127.0.0.1", port_of(ready), Patience(0.2, 2)))
        line.heartbeat()
    done = put_in_force(line, wanted, anything, sleep=time.sleep, pace=QUICK)
    assert done.outcome is Outcome.NOT_SENT
    with pytest.raises(NoAnswer):
        TcpLink.dial("127.0.0.1", port_of(ready), Patience(0.2, 1))
    line.close()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--port", "x"], "--port: must be 0 to 65535"),
        (["--port", "0", "--speed", "nan"], "--speed: must lie above 0 and up to 1000"),
        (["--port", "0", "--faults", "lose=2"], "--faults: lose must be 0 to 1"),
        (["--port", "0", "--faults", "weld=9"], "--faults: weld: there is no phase 9"),
    ],
)
def test_bad_arguments_name_themselves(arguments: list[str], why: str) -> None:
    with pytest.raises(Invalid, match=re.escape(why)):
        run(["--protocol", "gbt20999", *arguments])


# --- a line that misbehaves where it is told to --------------------------------------------------


class Desk:
    """A cabinet a call away, whose seconds pass while the caller sleeps."""

    def __init__(self, kept: Cabinet | None = None) -> None:
        self.cabinet: Cabinet = rules.started(kept or cabinet())
        self.silent_writes = 0
        """So many writes and orders are carried out, and their answers lost."""
        self.deaf_writes = 0
        """So many are lost before they arrive."""
        self.silent = False
        self.swapped: ControllerPlan | None = None
        """What is kept in the place of what is sent."""
        self.after_take_up: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        for _ in range(max(round(seconds), 1)):
            self.cabinet = rules.step(self.cabinet)

    def read_state(self) -> ControllerState:
        self._heard()
        at = self.cabinet
        runs = at.running in {Running.PLAN, Running.STARTING}
        return ControllerState(
            Control.FIXED if runs else Control.FLASHING,
            at.plan,
            at.stage,
            at.changing,
            at.elapsed_s,
            at.remaining_s,
            at.lamps,
            () if at.trip is None else (at.trip.kind,),
        )

    def read_layout(self) -> Layout:
        self._heard()
        return self.cabinet.layout

    def read_plan(self, number: int) -> ControllerPlan | None:
        self._heard()
        return self.cabinet.plans.get(number)

    def write_plan(self, plan: ControllerPlan) -> None:
        self._arrives()
        kept = self.swapped or plan
        self.cabinet = replace(self.cabinet, plans={**self.cabinet.plans, plan.number: kept})
        self._answered()

    def take_up(self, number: int, control: Control) -> None:
        assert control is Control.FIXED
        self._arrives()
        try:
            self.cabinet = rules.take_up(self.cabinet, number)
        except Conflict as error:
            raise Refused(error.message) from None
        self.after_take_up()
        self._answered()

    def hold_stage(self, number: int) -> None:
        raise Refused(f"stage {number} is not held by order")

    def show(self, control: Control) -> None:
        raise Refused(f"{control} is not taken by order")

    def close(self) -> None:
        pass

    def _heard(self) -> None:
        if self.silent:
            raise NoAnswer("the controller did not answer")

    def _arrives(self) -> None:
        self._heard()
        if self.deaf_writes:
            self.deaf_writes -= 1
            raise NoAnswer("the controller did not answer")

    def _answered(self) -> None:
        if self.silent_writes:
            self.silent_writes -= 1
            raise NoAnswer("the controller did not answer")


@pytest.fixture
def desk() -> Desk:
    found = Desk()
    found.sleep(10)
    return found


def send(desk: Desk, judge: Callable[[Layout, ControllerPlan], None] = anything) -> Outcome:
    return put_in_force(desk, wanted, judge, sleep=desk.sleep, pace=Pace()).outcome


def test_answers_that_are_lost_are_made_up_for_by_asking(desk: Desk) -> None:
    desk.silent_writes = 2
    assert send(desk) is Outcome.ACTIVE
    assert desk.cabinet.plan == 127


def test_a_plan_that_never_arrived_is_never_taken_up(desk: Desk) -> None:
    desk.deaf_writes = 1
    assert send(desk) is Outcome.UNCONFIRMED
    assert (desk.cabinet.plan, desk.cabinet.wanted) == (1, None)


def test_a_plan_that_reads_back_differently_is_never_taken_up(desk: Desk) -> None:
    desk.swapped = plan(127, 40, 15, 30, 15)
    assert send(desk) is Outcome.UNCONFIRMED
    assert (desk.cabinet.plan, desk.cabinet.wanted) == (1, None)


def test_what_the_checker_finds_unsafe_is_never_sent(desk: Desk) -> None:
    def judge(_layout: Layout, _plan: ControllerPlan) -> None:
        raise Conflict("crossroads is unsafe: min_green, too short")

    assert send(desk, judge) is Outcome.REFUSED
    assert sorted(desk.cabinet.plans) == [1, 2]


def test_a_street_plan_is_judged_as_the_controller_will_show_it() -> None:
    case = case_of(network())
    programme = street_plan(case)
    make, judge = of_programme(case, programme)
    layout = layout_of(case, [programme])
    desk = Desk(Cabinet(layout, {1: plan_of(layout, programme, 1)}, 1))
    done = put_in_force(desk, make, judge, sleep=desk.sleep, pace=Pace(watch_polls=20))
    assert (done.outcome, desk.cabinet.plan) == (Outcome.ACTIVE, 127)
    # A cabinet with its intergreens set too short would show the same plan unsafely.
    short = replace(layout, intergreen_s=dict.fromkeys(layout.intergreen_s, 1.0))
    hasty = Desk(Cabinet(short, {1: plan_of(short, programme, 1)}, 1))
    refused = put_in_force(hasty, make, judge, sleep=hasty.sleep, pace=Pace())
    assert refused.outcome is Outcome.REFUSED
    assert "crossroads is unsafe: " in refused.what
    assert sorted(hasty.cabinet.plans) == [1]


def test_an_order_that_never_arrived_leaves_the_old_plan_running(desk: Desk) -> None:
    original = desk.write_plan

    def write(plan: ControllerPlan) -> None:
        original(plan)
        desk.deaf_writes = 1

    desk.write_plan = write  # type: ignore[method-assign] # the one order that goes astray
    assert send(desk) is Outcome.REVERTED
    assert desk.cabinet.plan == 1


def test_a_plan_that_somebody_else_takes_away_is_given_up(desk: Desk) -> None:
    asked = []

    def other() -> None:
        asked.append(desk.cabinet.wanted)
        if len(asked) == 1:
            desk.cabinet = rules.take_up(desk.cabinet, 2)

    desk.after_take_up = other
    done = put_in_force(desk, wanted, anything, sleep=desk.sleep, pace=Pace(take_up_polls=200))
    assert done.outcome is Outcome.REVERTED
    assert asked == [127, 1]
    assert desk.cabinet.plan == 1


def test_a_controller_whose_monitor_trips_is_left_to_hold_the_junction(desk: Desk) -> None:
    def weld() -> None:
        desk.cabinet = replace(desk.cabinet, welded=frozenset({3}))

    desk.after_take_up = weld
    assert send(desk) is Outcome.FLASHING
    assert desk.cabinet.lamps[1] is Aspect.FLASHING_YELLOW
    # And nothing more is sent to one that flashes.
    assert send(desk) is Outcome.NOT_SENT


def test_a_controller_that_falls_silent_while_it_is_watched_is_unknown(desk: Desk) -> None:
    slept = []

    def sleep(seconds: float) -> None:
        desk.sleep(seconds)
        slept.append(desk.cabinet.plan)
        desk.silent = desk.cabinet.plan == 127

    done = put_in_force(desk, wanted, anything, sleep=sleep, pace=Pace())
    assert done.outcome is Outcome.UNKNOWN
    assert 127 in slept
