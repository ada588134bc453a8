"""A plan on its way into one controller: upload, read back, compare, take up, watch, take back.

Nothing here trusts an answer alone: what counts is what the controller says when it is asked anew.
The plan that runs is never written over, so that it can be taken up again; until the new one is
taken up the street shows nothing of it. No database is held while the line is waited for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from city.errors import Conflict, Invalid
from signals.rules.controllers.judging import Judge, Make, alarm, at_safe_point, differences
from signals.rules.controllers.layout import ControllerPlan, Layout
from signals.rules.controllers.line import (
    Control,
    ControllerLine,
    ControllerState,
    NoAnswer,
    Refused,
)

SLOTS: Final = (127, 128)
"""Plan numbers that are ours: one runs, the other takes the next plan."""


class Outcome(StrEnum):
    """How it ended."""

    ACTIVE = "active"
    """The controller runs it and was watched doing so."""
    NOT_SENT = "not_sent"
    """The controller was not asked for anything."""
    REFUSED = "refused"
    """The controller, or the checker on what it would show, said no; the old plan runs."""
    UNCONFIRMED = "unconfirmed"
    """What it keeps is not certain, or not what was sent; the old plan runs."""
    REVERTED = "reverted"
    """Taken up, then taken back: the old plan runs again, as the controller says."""
    FLASHING = "flashing"
    """The controller's own monitor or fault handling holds the junction."""
    UNKNOWN = "unknown"
    """What the street shows is not known: somebody must look."""
    SUPERSEDED = "superseded"
    """Given up at a safe point, because another plan is to follow at once."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often and how long a controller is asked."""

    poll_s: float = 1.0
    safe_polls: int = 240
    """Until a safe point."""
    take_up_polls: int = 400
    """Until the new plan runs: two long cycles."""
    watch_polls: int = 200
    tries: int = 3
    """For what must be known."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """What came of it."""

    outcome: Outcome
    number: int | None
    """Where the controller keeps the plan."""
    former: int | None
    """Number of the plan that ran before."""
    what: str
    steps: tuple[str, ...]


class _Stop(Exception):
    """The way ends here."""

    def __init__(self, outcome: Outcome, what: str) -> None:
        super().__init__(what)
        self.outcome = outcome
        self.what = what


def put_in_force(
    line: ControllerLine,
    make: Make,
    judge: Judge,
    *,
    sleep: Callable[[float], None],
    pace: Pace | None = None,
    slots: Sequence[int] = SLOTS,
    told: Callable[[str], None] = lambda _step: None,
    gives_way: Callable[[], bool] = lambda: False,
) -> Transfer:
    """Bring a plan into a controller and see it run.

    Parameters
    ----------
    line : ControllerLine
    make, judge : callable
        Of ``judging.of_programme``: the plan of the controller's own stages, and the safety checker
        on what the controller will show, before it is sent and again on what was read back.
    sleep : callable
        Waits some seconds.
    pace : Pace or None
    slots : Sequence of int
        Numbers that may be written; the running one never is.
    told : callable
        Gets every step when it is done.
    gives_way : callable
        Whether to stop where nothing is half done: before the plan is asked for, and while it is
        watched.

    Returns
    -------
    Transfer
        Every outcome is a value; only a broken argument raises. Lasts up to ``pace``.
    """
    return _Way(line, make, judge, sleep, pace or Pace(), slots, told, gives_way).go()


class _Way:
    def __init__(  # noqa: PLR0917 - private; the parts of `put_in_force`
        self,
        line: ControllerLine,
        make: Make,
        judge: Judge,
        sleep: Callable[[float], None],
        pace: Pace,
        slots: Sequence[int],
        told: Callable[[str], None],
        gives_way: Callable[[], bool],
    ) -> None:
        self._line = line
        self._make = make
        self._judge = judge
        self._sleep = sleep
        self._pace = pace
        self._slots = slots
        self._told = told
        self._gives_way = gives_way
        self._steps: list[str] = []
        self._former: int | None = None
        self._control = Control.FIXED
        self._number: int | None = None

    def go(self) -> Transfer:
        try:
            layout, plan = self._prepare()
            self._upload(layout, plan)
            self._await_safe_point(layout)
            self._take_up(layout, plan.number)
            self._watch(layout, plan.number)
        except _Stop as stop:
            self._done(stop.what)
            return Transfer(stop.outcome, self._number, self._former, stop.what, tuple(self._steps))
        what = f"plan {plan.number} runs"
        self._done(what)
        return Transfer(Outcome.ACTIVE, self._number, self._former, what, tuple(self._steps))

    def _done(self, what: str) -> None:
        self._steps.append(what)
        self._told(what)

    def _prepare(self) -> tuple[Layout, ControllerPlan]:
        try:
            state = self._line.read_state()
            layout = self._line.read_layout()
        except (NoAnswer, Refused) as error:
            raise _Stop(Outcome.NOT_SENT, str(error)) from None
        reason = alarm(layout, state)
        if reason is not None or not state.plan or state.control is None:
            raise _Stop(Outcome.NOT_SENT, reason or "the controller does not say what it runs")
        self._former, self._control = state.plan, state.control
        number = next((slot for slot in self._slots if slot != state.plan), None)
        if number is None:
            raise _Stop(Outcome.NOT_SENT, "no plan number is free")
        try:
            plan = replace(self._make(layout, number), number=number)
            self._judge(layout, plan)
        except (Invalid, Conflict) as error:
            raise _Stop(Outcome.REFUSED, str(error)) from None
        self._number = number
        self._done(f"plan {state.plan} runs; plan {number} is safe as it will be shown")
        return layout, plan

    def _upload(self, layout: Layout, plan: ControllerPlan) -> None:
        try:
            self._line.write_plan(plan)
            self._done(f"plan {plan.number} written")
        except Refused as error:
            raise _Stop(Outcome.REFUSED, str(error)) from None
        except NoAnswer as error:
            # It may have been kept all the same: reading back tells.
            self._done(f"no answer to writing plan {plan.number}: {error}")
        found = self._asked(lambda: self._line.read_plan(plan.number))
        wrong = differences(plan, found)
        if found is None or wrong:
            raise _Stop(Outcome.UNCONFIRMED, f"read back: {'; '.join(wrong)}")
        try:
            self._judge(layout, found)
        except (Invalid, Conflict) as error:
            raise _Stop(Outcome.REFUSED, str(error)) from None
        self._done("read back the same")

    def _asked(self, ask: Callable[[], ControllerPlan | None]) -> ControllerPlan | None:
        for left in range(self._pace.tries - 1, -1, -1):
            try:
                return ask()
            except Refused as error:
                raise _Stop(Outcome.UNCONFIRMED, str(error)) from None
            except NoAnswer as error:
                if not left:
                    raise _Stop(Outcome.UNCONFIRMED, str(error)) from None
                self._sleep(self._pace.poll_s)
        raise AssertionError("unreachable")

    def _await_safe_point(self, layout: Layout) -> None:
        for _ in range(self._pace.safe_polls):
            if self._gives_way():
                raise _Stop(Outcome.SUPERSEDED, "not taken up: another plan is to follow")
            state = self._state()
            if state is not None:
                reason = alarm(layout, state)
                if reason is not None:
                    raise _Stop(Outcome.UNCONFIRMED, f"not taken up: {reason}")
                if state.plan != self._former:
                    raise _Stop(Outcome.UNCONFIRMED, "not taken up: another plan runs meanwhile")
                if at_safe_point(layout, state):
                    self._done(f"safe point in stage {state.stage}")
                    return
            self._sleep(self._pace.poll_s)
        raise _Stop(Outcome.UNCONFIRMED, "not taken up: no safe point came")

    def _take_up(self, layout: Layout, number: int) -> None:
        try:
            self._line.take_up(number, self._control)
            self._done(f"plan {number} asked for")
        except Refused as error:
            raise _Stop(Outcome.REFUSED, str(error)) from None
        except NoAnswer as error:
            # It may run soon all the same: the state tells.
            self._done(f"no answer to asking for plan {number}: {error}")
        if not self._until_running(layout, number, self._pace.take_up_polls):
            self._take_back(layout, "it was not taken up in time")
        self._done(f"plan {number} began")

    def _until_running(self, layout: Layout, number: int, polls: int) -> bool:
        for _ in range(polls):
            state = self._state()
            if state is not None:
                reason = alarm(layout, state)
                if reason is not None:
                    self._take_back(layout, reason)
                if state.plan == number:
                    return True
            self._sleep(self._pace.poll_s)
        return False

    def _watch(self, layout: Layout, number: int) -> None:
        silent = 0
        for _ in range(self._pace.watch_polls):
            if self._gives_way():
                raise _Stop(Outcome.SUPERSEDED, f"plan {number} runs; another is to follow")
            state = self._state()
            silent = silent + 1 if state is None else 0
            if state is not None:
                reason = alarm(layout, state)
                if reason is None and state.plan != number:
                    reason = f"plan {state.plan} runs instead"
                if reason is not None:
                    self._take_back(layout, reason)
            self._sleep(self._pace.poll_s)
        if silent >= max(self._pace.tries, 1):
            raise _Stop(Outcome.UNKNOWN, "the controller fell silent while it was watched")

    def _take_back(self, layout: Layout, reason: str) -> None:
        """Let the former plan run again; never returns."""
        self._done(f"taken back: {reason}")
        if self._former is not None:
            for _ in range(self._pace.tries):
                try:
                    self._line.take_up(self._former, self._control)
                    break
                except (NoAnswer, Refused) as error:
                    self._done(str(error))
        for _ in range(self._pace.take_up_polls):
            state = self._state()
            if state is not None and state.control is not None:
                if not state.control.runs_a_plan:
                    what = f"{reason}; it holds the junction by itself"
                    raise _Stop(Outcome.FLASHING, what)
                if state.plan == self._former and alarm(layout, state) is None:
                    raise _Stop(Outcome.REVERTED, f"{reason}; plan {self._former} runs again")
            self._sleep(self._pace.poll_s)
        raise _Stop(Outcome.UNKNOWN, f"{reason}; what runs now is not known")

    def _state(self) -> ControllerState | None:
        try:
            return self._line.read_state()
        except (NoAnswer, Refused):
            return None
