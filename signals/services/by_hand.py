"""An order by hand carried out at one controller: brought about, kept, and given back.

What counts is what the controller says when it is asked anew. The order is repeated all the while:
controllers drop orders of a centre that has fallen silent, and ours last no longer than we live.
No database is held while the line is waited for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from city.errors import CityError, Conflict
from signals.rules.controllers import orders
from signals.rules.controllers.layout import ControllerPlan, Layout, named
from signals.rules.controllers.line import (
    Control,
    ControllerLine,
    ControllerState,
    NoAnswer,
    Refused,
)
from signals.rules.controllers.orders import Effect, Step
from signals.rules.model.aspects import REDS
from signals.rules.safety.case import Case

_SHOWING: Final = {
    Control.FLASHING: "flashing yellow",
    Control.ALL_RED: "all red",
    Control.DARK: "off",
}


class Ending(StrEnum):
    """How an order ended."""

    ENDED = "ended"
    """Its time was over, or it was taken back: the plan runs again, as the controller says."""
    REPLACED = "replaced"
    """Another order follows at once; nothing was given back."""
    REFUSED = "refused"
    """The checker or the controller said no; the plan runs."""
    NOT_SENT = "not_sent"
    """Nothing was asked of the controller."""
    FLASHING = "flashing"
    """The controller's own monitor or fault handling holds the junction."""
    UNKNOWN = "unknown"
    """What the street shows is not known: somebody must look."""


@dataclass(frozen=True, slots=True)
class HandPace:
    """How often and how long a controller is asked."""

    poll_s: float = 1.0
    renew_s: float = 10.0
    """Controllers drop an order after a minute of silence."""
    reach_s: float = 300.0
    """Until the controller shows what it was asked for: a long cycle and its change."""
    silent_s: float = 120.0
    """After the end, until a silent controller's state counts as unknown."""
    tries: int = 3


class Stop(StrEnum):
    """Why to leave an order before its time."""

    NO = "no"
    RELEASED = "released"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for by hand, until when by the street's clock in seconds."""

    effect: Effect
    stage: int | None
    until_s: float
    plan: int | None = None
    """To go back to, where it is known from an attempt before."""
    control: Control | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of it."""

    ending: Ending
    what: str


class _Over(Exception):
    def __init__(self, ending: Ending, what: str) -> None:
        super().__init__(what)
        self.ending, self.what = ending, what


def carry_out(
    line: ControllerLine,
    case: Case,
    order: Order,
    *,
    now_s: Callable[[], float],
    sleep: Callable[[float], None],
    told: Callable[[str], None],
    began: Callable[[int, Control], None],
    stop: Callable[[], Stop],
    pace: HandPace | None = None,
) -> Ended:
    """Bring an order about, keep it until its time is over, and let the plan run again.

    Parameters
    ----------
    line : ControllerLine
    case : Case
    order : Order
    now_s, sleep : callable
        The street's clock, and waiting by it.
    told : callable
        Gets every step when it is done.
    began : callable
        Gets the plan and mode to go back to, before anything is asked for.
    stop : callable
        Why to leave before the time is over.
    pace : HandPace or None

    Returns
    -------
    Ended
        Every ending is a value.
    """
    hand = _Hand(line, case, order, now_s, sleep, told, began, stop, pace or HandPace())
    try:
        hand.go()
    except _Over as over:
        told(over.what)
        return Ended(over.ending, over.what)
    raise AssertionError("unreachable")


class _Short(Exception):
    """The time is over, or somebody took the order back, while it was being brought about."""


class _Hand:
    def __init__(  # noqa: PLR0917 - private; the parts of `carry_out`
        self,
        line: ControllerLine,
        case: Case,
        order: Order,
        now_s: Callable[[], float],
        sleep: Callable[[float], None],
        told: Callable[[str], None],
        began: Callable[[int, Control], None],
        stop: Callable[[], Stop],
        pace: HandPace,
    ) -> None:
        self._line, self._case, self._order = line, case, order
        self._now_s, self._sleep, self._told, self._began = now_s, sleep, told, began
        self._stop, self._pace = stop, pace
        self._until_s = order.until_s
        self._renewed_s = 0.0
        self._giving_back = False

    def go(self) -> None:
        layout, plan, state = self._known()
        asked = False
        try:
            if self._left():
                way = self._way(layout, plan, state)
                for step in way.steps:
                    asked = True
                    self._take(layout, step)
                self._keep(layout, way.steps[-1])
            what = self._why()
        except _Short:
            what = self._why()
        except Refused as error:
            if not asked:
                raise _Over(Ending.REFUSED, str(error)) from None
            what = str(error)
        self._told(what)
        self._give_back(layout, plan)

    def _why(self) -> str:
        if self._stop() is Stop.REPLACED:
            raise _Over(Ending.REPLACED, "another order follows")
        return "taken back" if self._stop() is Stop.RELEASED else "its time is over"

    def _go_on(self) -> None:
        """See that there is still a reason to bring the order about."""
        if not self._giving_back and not (self._left() and self._stop() is Stop.NO):
            raise _Short

    # --- what the controller is -------------------------------------------------------------

    def _known(self) -> tuple[Layout, ControllerPlan, ControllerState]:
        """Ask what runs and how the cabinet is laid out, and what to go back to."""
        # Gone on with for a keeper that died: the controller was asked for something.
        begun = self._order.plan is not None
        until_s = self._now_s() + (self._pace.silent_s if begun else 0.0)
        while True:
            try:
                return self._asked()
            except NoAnswer as error:
                if self._now_s() >= until_s:
                    ending = Ending.UNKNOWN if begun else Ending.NOT_SENT
                    raise _Over(ending, str(error)) from None
                self._sleep(self._pace.poll_s)
            except CityError as error:
                raise _Over(Ending.NOT_SENT, str(error)) from None

    def _asked(self) -> tuple[Layout, ControllerPlan, ControllerState]:
        state = self._line.read_state()
        names = [group.name for group in self._case.junction.groups]
        layout = named(self._line.read_layout(), names)
        orders.known_state(state)
        number = self._order.plan or state.plan
        plan = self._line.read_plan(number) if number else None
        if plan is None or state.control is None:
            raise Conflict("the controller does not say what it runs", field="plan")
        runs = state.control if state.control.runs_a_plan else Control.FIXED
        self._back = self._order.control or runs
        self._began(plan.number, self._back)
        self._told(f"plan {plan.number} runs, mode {state.control.value}")
        return layout, plan, state

    def _way(self, layout: Layout, plan: ControllerPlan, state: ControllerState) -> orders.Way:
        order = self._order
        try:
            way = orders.way_to(
                self._case, layout, plan, state, effect=order.effect, stage=order.stage
            )
        except CityError as error:
            if self._order.plan is not None:
                # Begun by another keeper: what is shown now is ours to give back.
                self._told(str(error))
                self._give_back(layout, plan)
            raise _Over(Ending.REFUSED, str(error)) from None
        if way.most_s is not None and self._order.plan is None:
            self._until_s = min(self._until_s, self._now_s() + way.most_s)
        return way

    # --- doing ------------------------------------------------------------------------------

    def _take(self, layout: Layout, step: Step) -> None:
        """Ask for a step at a safe moment, and see it shown for as long as it must be."""
        self._until_ready(layout)
        self._ask(step)
        self._told(f"asked for {_words(step)}")
        self._await(step)
        self._told(f"shows {_words(step)}")
        seen_s = self._now_s()
        while self._now_s() - seen_s < step.least_s:
            self._sleep(self._pace.poll_s)
            self._renew(step)

    def _until_ready(self, layout: Layout) -> None:
        until_s = self._now_s() + self._pace.reach_s
        while self._now_s() < until_s:
            state = self._state()
            if state is not None and orders.ready(self._case, layout, state):
                return
            self._go_on()
            self._sleep(self._pace.poll_s)
        raise _Over(Ending.UNKNOWN, "no safe moment came to ask in")

    def _ask(self, step: Step) -> None:
        for left in range(self._pace.tries - 1, -1, -1):
            try:
                if step.control is Control.MANUAL:
                    self._line.hold_stage(step.stage or 0)
                else:
                    self._line.show(step.control)
            except NoAnswer as error:
                # It may have been heard all the same: asking twice does no harm.
                if not left:
                    self._told(str(error))
            else:
                self._renewed_s = self._now_s()
                return

    def _renew(self, step: Step) -> None:
        if self._now_s() - self._renewed_s >= self._pace.renew_s:
            self._ask(step)

    def _await(self, step: Step) -> None:
        until_s = self._now_s() + self._pace.reach_s
        while self._now_s() < until_s:
            state = self._state()
            if state is not None and _shows(state, step):
                return
            self._go_on()
            self._sleep(self._pace.poll_s)
            self._renew(step)
        raise _Over(Ending.UNKNOWN, f"{_words(step)} was not shown in time")

    def _keep(self, layout: Layout, step: Step) -> None:
        while self._left() and self._stop() is Stop.NO:
            self._sleep(self._pace.poll_s)
            self._renew(step)
            state = self._state()
            if state is not None and not _shows(state, step):
                self._told(f"shows something else: mode {state.control}, stage {state.stage}")
                self._take(layout, step)

    def _left(self) -> bool:
        return self._now_s() < self._until_s

    # --- and back ---------------------------------------------------------------------------

    def _give_back(self, layout: Layout, plan: ControllerPlan) -> None:
        """Let the plan run again; never returns."""
        self._giving_back = True
        until_s = self._now_s() + self._pace.silent_s
        while (state := self._state()) is None:
            if self._now_s() >= until_s:
                what = "the controller is silent; it drops the order by itself if it can"
                raise _Over(Ending.UNKNOWN, what)
            self._sleep(self._pace.poll_s)
        for step in orders.way_back(self._case, state)[:-1]:
            try:
                self._take(layout, step)
            except Refused as error:
                self._told(str(error))
        self._until_ready(layout)
        asked_s = -self._pace.renew_s
        until_s = self._now_s() + self._pace.reach_s
        while self._now_s() < until_s:
            if self._now_s() - asked_s >= self._pace.renew_s:
                asked_s = self._now_s()
                self._take_up(plan.number)
            state = self._state()
            if state is not None and state.plan == plan.number and _runs(state):
                raise _Over(Ending.ENDED, f"plan {plan.number} runs again")
            self._sleep(self._pace.poll_s)
        raise _Over(Ending.UNKNOWN, "what runs now is not known")

    def _take_up(self, number: int) -> None:
        try:
            self._line.take_up(number, self._back)
        except (NoAnswer, Refused) as error:
            self._told(str(error))

    def _state(self) -> ControllerState | None:
        """Ask; a fault of the controller's own ends everything here."""
        try:
            state = self._line.read_state()
        except (NoAnswer, Refused):
            return None
        if state.faults:
            try:
                orders.known_state(state)
            except Conflict as error:
                raise _Over(Ending.FLASHING, str(error)) from None
        return state


def _words(step: Step) -> str:
    return f"stage {step.stage}" if step.stage else _SHOWING[step.control]


def _runs(state: ControllerState) -> bool:
    return state.control is not None and state.control.runs_a_plan and state.stage is not None


def _shows(state: ControllerState, step: Step) -> bool:
    """Say whether a step is what a controller shows: by its mode, and by its lamps for red."""
    if state.control is not step.control:
        return False
    if step.stage is not None:
        return state.stage == step.stage and state.changing is False
    return step.control is not Control.ALL_RED or all(
        aspect in REDS for aspect in state.lamps.values()
    )
