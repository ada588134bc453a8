"""Orders by hand at one simulated controller, second by second: every lamp shown is judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from city.errors import Conflict, Invalid
from signals.adapters.cabinet_host import CabinetHost
from signals.adapters.gat1049.line import Gat1049Line
from signals.adapters.gat1049.simulated import Journal
from signals.adapters.gbt20999.line import Gbt20999Line
from signals.adapters.gbt20999.link import Traffic
from signals.adapters.gbt20999.simulated import SimulatedGbt20999
from signals.rules.controllers.cabinet import Cabinet
from signals.rules.controllers.gbt20999.frames import Frame, decode, encode
from signals.rules.controllers.layout import ControllerPlan, PlanStage, layout_of, named, plan_of
from signals.rules.controllers.line import Control, ControllerState, NoAnswer
from signals.rules.controllers.orders import Effect, ready, stage_of, way_back, way_to
from signals.rules.model.aspects import GREENS, Aspect
from signals.services.by_hand import Ended, Ending, HandPace, Order, Stop, carry_out
from tests.signals import crossroads
from tests.signals.direct_system import DirectSystem
from tests.signals.judged_lamps import faults_shown

if TYPE_CHECKING:
    from signals.rules.controllers.line import ControllerLine

CASE = crossroads.case_of(crossroads.network())
PLAN = crossroads.plan(CASE)
LAYOUT = layout_of(CASE, [PLAN])
NAMES = [group.name for group in CASE.junction.groups]
KEPT = plan_of(LAYOUT, PLAN, 1)
_ROUND = (1, 2, 1, 3, 1, 4, 2, 3, 2, 4, 3, 4)
EVERY_CHANGE = ControllerPlan(2, 12 * 40, 0, tuple(PlanStage(each, 40) for each in _ROUND))
"""Goes from each stage to every other: GA/T 1049 tells changes by plans alone."""


@dataclass
class Bench:
    """A controller on a clock that goes on when somebody waits; frames without a socket."""

    protocol: str = "gbt20999"
    now: float = 1_000.0
    shown: list[dict[int, Aspect]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    back: tuple[int, Control] | None = None
    traffic: Traffic = field(default_factory=Traffic)

    def __post_init__(self) -> None:
        journal = Journal()

        def told(cabinet: Cabinet, late_s: int) -> None:
            journal.told(cabinet, late_s)
            self.shown.append(dict(cabinet.lamps))

        self.host = CabinetHost(
            Cabinet(LAYOUT, {1: KEPT, 2: EVERY_CHANGE}, 1, clock_s=7),
            tick=lambda: self.now,
            told=told,
        )
        self._controller = SimulatedGbt20999(self.host)
        self.line: ControllerLine = Gbt20999Line(self)
        self._system = DirectSystem(self.host, journal)
        if self.protocol == "gat1049":
            self.line = Gat1049Line(self._system, self._system.cross)

    def ask(self, request: Frame) -> Frame:
        if self._system.deaf:
            raise NoAnswer("the controller did not answer")
        found = decode(encode(request, escaped=False), escaped=False)
        reply = self._controller.answer(found)
        assert reply is not None
        return reply

    def close(self) -> None:
        pass

    @property
    def deaf(self) -> bool:
        """Whether nothing reaches it."""
        return self._system.deaf

    @deaf.setter
    def deaf(self, value: bool) -> None:
        self._system.deaf = value

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        assert self.host.cabinet.trip is None

    def run(
        self,
        order: Order,
        stop: Callable[[], Stop] = lambda: Stop.NO,
        sleep: Callable[[float], None] | None = None,
    ) -> Ended:
        def began(plan: int, control: Control) -> None:
            self.back = plan, control

        return carry_out(
            self.line,
            CASE,
            order,
            now_s=lambda: self.now,
            sleep=sleep or self.sleep,
            told=self.said.append,
            began=began,
            stop=stop,
            pace=HandPace(),
        )

    def judged(self) -> list[str]:
        """Give what the checker finds in every second that was shown, as one stretch."""
        return faults_shown(CASE, PLAN, self.shown)


Settled = Callable[[float], Bench]


@pytest.fixture(params=["gbt20999", "gat1049"])
def settled(request: pytest.FixtureRequest) -> Settled:
    """Give a controller of each protocol, after so many seconds."""

    def made(seconds: float) -> Bench:
        bench = Bench(request.param)
        bench.sleep(seconds)
        return bench

    return made


@pytest.mark.parametrize(
    ("settled", "at_s"),
    [*(("gbt20999", at_s) for at_s in (12, 30, 47, 61, 83)), ("gat1049", 12), ("gat1049", 61)],
    indirect=["settled"],
)
@pytest.mark.parametrize("effect", list(Effect))
def test_every_order_is_brought_about_kept_and_given_back_safely(
    effect: Effect, at_s: float, settled: Settled
) -> None:
    bench = settled(at_s)
    state = bench.line.read_state()
    stage = stage_of(effect, KEPT, state, 1)
    done = bench.run(Order(effect, stage, bench.now + 60))
    assert done.ending is Ending.ENDED, (done, bench.said)
    assert bench.back == (1, Control.FIXED)
    bench.sleep(150)
    assert bench.judged() == []
    assert bench.line.read_state().control is Control.FIXED
    assert {each.stage for each in [bench.host.cabinet]} != {None}
    word = (
        f"stage {stage}"
        if stage
        else {"flashing": "flashing yellow", "dark": "off"}.get(effect.value, "all red")
    )
    assert f"shows {word}" in bench.said or "its time is over" in bench.said


def test_a_chosen_stage_is_green_until_the_end_and_no_longer(settled: Settled) -> None:
    bench = settled(20)
    until_s = bench.now + 50
    seen: list[tuple[float, ControllerState]] = []

    def sleep(seconds: float) -> None:
        bench.sleep(seconds)
        seen.append((bench.now, bench.line.read_state()))

    assert bench.run(Order(Effect.STAGE, 3, until_s), sleep=sleep).ending is Ending.ENDED
    manual = [at for at, state in seen if state.control is Control.MANUAL]
    assert manual
    assert max(manual) <= until_s + 1
    assert bench.judged() == []


def test_an_order_is_taken_back_at_once_or_left_to_the_one_that_follows(settled: Settled) -> None:
    bench = settled(20)
    order = Order(Effect.FLASHING, None, bench.now + 3_600)

    def after(seconds: float, then: Stop) -> Callable[[], Stop]:
        at_s = bench.now + seconds
        return lambda: then if bench.now >= at_s else Stop.NO

    left = bench.run(order, stop=after(200, Stop.REPLACED))
    assert left.ending is Ending.REPLACED
    assert bench.line.read_state().control is Control.FLASHING
    # The next one begins from what it finds: by way of red to the stage.
    back = bench.back
    assert back is not None
    follows = Order(Effect.STAGE, 1, bench.now + 900, *back)
    done = bench.run(follows, stop=after(60, Stop.RELEASED))
    assert done.ending is Ending.ENDED
    assert "taken back" in bench.said
    bench.sleep(100)
    assert bench.judged() == []


@pytest.mark.parametrize("after_s", [40, 44, 47])
@pytest.mark.parametrize("effect", [Effect.ALL_RED, Effect.FLASHING, Effect.DARK])
def test_an_order_taken_back_while_its_red_begins_keeps_the_longest_intergreen(
    effect: Effect, after_s: float, settled: Settled
) -> None:
    """A bicycle's green has just ended, and the walk across its way needs 13.4 s."""
    bench = settled(40)
    taken_back_s = bench.now + after_s
    done = bench.run(
        Order(effect, None, bench.now + 120),
        stop=lambda: Stop.RELEASED if bench.now >= taken_back_s else Stop.NO,
    )
    assert done.ending is Ending.ENDED, (done, bench.said)
    bench.sleep(30)
    assert bench.judged() == []


def test_the_way_out_of_red_waits_for_who_clears_the_junction_longest(
    settled: Settled,
) -> None:
    state = settled(40).line.read_state()
    red, _ = way_back(CASE, replace(state, control=Control.ALL_RED))
    assert red.least_s == max(pair.clear_s for pair in CASE.pairs) > 5
    # After flashing nobody's green has ended.
    red, _ = way_back(CASE, replace(state, control=Control.FLASHING))
    assert red.least_s == 5


def test_when_all_of_ours_are_gone_the_controller_goes_back_to_its_plan(settled: Settled) -> None:
    bench = settled(20)

    class Killed(Exception):
        pass

    def sleep(seconds: float) -> None:
        bench.sleep(seconds)
        if bench.now > 1_120:
            raise Killed

    order = Order(Effect.FLASHING, None, bench.now + 3_600)
    with pytest.raises(Killed):
        bench.run(order, sleep=sleep)
    assert bench.line.read_state().control is Control.FLASHING
    # Another keeper goes on with it, up to the same limit.
    assert bench.back is not None
    more = Order(Effect.FLASHING, None, bench.now + 100, *bench.back)
    assert bench.run(more).ending is Ending.ENDED
    # And without any, the controller does.
    with pytest.raises(Killed):
        bench.run(order, sleep=sleep)
    bench.sleep(200)
    assert bench.line.read_state().control is Control.FIXED
    assert bench.judged() == []


def test_a_controller_that_falls_silent_is_told_of_and_nothing_is_guessed(settled: Settled) -> None:
    bench = settled(20)
    bench.deaf = True
    silent = bench.run(Order(Effect.ALL_RED, None, bench.now + 60))
    assert (silent.ending, silent.what) == (Ending.NOT_SENT, "the controller did not answer")
    bench.deaf = False

    def sleep(seconds: float) -> None:
        bench.deaf = bench.now > 1_060
        bench.sleep(seconds)

    lost = bench.run(Order(Effect.ALL_RED, None, bench.now + 120), sleep=sleep)
    assert lost.ending is Ending.UNKNOWN
    bench.deaf = False
    bench.sleep(150)
    assert bench.line.read_state().control is Control.FIXED
    assert bench.judged() == []


def test_nobody_is_kept_waiting_longer_than_the_profile_allows(settled: Settled) -> None:
    bench = settled(12)
    state = bench.line.read_state()
    layout = named(bench.line.read_layout(), NAMES)
    most_s = way_to(CASE, layout, KEPT, state, effect=Effect.HOLD, stage=1).most_s
    assert most_s is not None
    assert 0 < most_s < 90
    bench.run(Order(Effect.HOLD, 1, bench.now + 1_000))
    bench.sleep(200)
    waits = dict.fromkeys(NAMES, 0)
    for lamps in bench.shown[10:]:
        for phase, aspect in lamps.items():
            name = NAMES[phase - 1]
            waits[name] = 0 if aspect in GREENS else waits[name] + 1
            if name.endswith("walk"):
                assert waits[name] <= 90, name
            assert waits[name] <= 180, name


def test_what_cannot_be_ordered_is_refused_with_the_reason(settled: Settled) -> None:
    bench = settled(30)
    state = bench.line.read_state()
    layout = named(bench.line.read_layout(), NAMES)
    with pytest.raises(Invalid, match="no stage of the plan"):
        stage_of(Effect.STAGE, KEPT, state, 9)
    unknown = ControllerState(None, 1, 1)
    with pytest.raises(Conflict, match="does not say"):
        way_to(CASE, layout, KEPT, unknown, effect=Effect.ALL_RED, stage=None)
    faulty = ControllerState(Control.FIXED, 1, 1, faults=("red_lamp",))
    with pytest.raises(Conflict, match="reports red_lamp"):
        way_to(CASE, layout, KEPT, faulty, effect=Effect.ALL_RED, stage=None)
    assert not ready(CASE, layout, replace(state, stage=1, changing=False, elapsed_s=2))
    assert not ready(CASE, layout, replace(state, stage=1, changing=True, elapsed_s=40))
    assert ready(CASE, layout, ControllerState(Control.FLASHING, 1))
    strange = replace(KEPT, stages=(*KEPT.stages, PlanStage(9, 20)))
    with pytest.raises(Conflict, match="no stage 9 of its plan"):
        way_to(CASE, layout, strange, state, effect=Effect.STAGE, stage=1)
    # A cabinet whose clearances are too short for the checker is not stepped by hand.
    short = named(LAYOUT, NAMES)
    hasty = type(short)(short.phases, short.stages, short.conflicts, {})
    with pytest.raises(Conflict, match="unsafe"):
        way_to(
            CASE,
            hasty,
            KEPT,
            state,
            effect=Effect.STEP,
            stage=stage_of(Effect.STEP, KEPT, state, None),
        )
