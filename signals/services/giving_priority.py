"""Priority at one controller: asked each second what it shows, and for what those who come need.

What counts is what the controller says. Of a controller that does not say enough nothing is asked;
one that is held and falls silent is asked for its plan again, and drops our order by itself when we
are gone. No database is held while the line is waited for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NoReturn

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
from signals.rules.plans.passing import LaneFlow
from signals.rules.priority.at_controller import Led, LineSite, heard, line_site, look
from signals.rules.priority.decision import Act, Decision
from signals.rules.priority.requests import Message, Policy, Request, Told, VehicleClass
from signals.rules.safety.case import Case

NO_TRAFFIC: Final = "nobody has told how many drive here: what others would lose is not known"
_AGAIN_S: Final = 4.0
"""An order that has not come about by then is given again."""
_REPAID_IN: Final = 4
"""Cycles: what could not be given back by then never is."""


class Ending(StrEnum):
    """How looking after a signal ended."""

    ENDED = "ended"
    """Nobody comes any more and the plan runs, as the controller says."""
    GAVE_WAY = "gave_way"
    """To an order by hand or a plan that is to be sent; the plan was asked for."""
    LIMIT = "limit"
    """It had lasted as long as it may; the plan runs."""
    NOT_SENT = "not_sent"
    """Nothing was asked of the controller: it did not say what it does."""
    REFUSED = "refused"
    """The checker or the controller said no; the plan runs."""
    FLASHING = "flashing"
    """The controller's own monitor or fault handling holds the junction."""
    UNKNOWN = "unknown"
    """What the street shows is not known: somebody must look."""


@dataclass(frozen=True, slots=True)
class PriorityPace:
    """How often and how long a controller is asked."""

    poll_s: float = 1.0
    renew_s: float = 10.0
    """Controllers drop an order after a minute of silence."""
    silent_s: float = 5.0
    """A controller that was heard longer ago is unknown."""
    gone_s: float = 60.0
    """One that was not heard for so long is left alone."""
    back_s: float = 120.0
    """Until the plan runs again."""
    idle_s: float = 5.0
    """Without anybody who comes, before the line is closed."""


@dataclass(frozen=True, slots=True)
class Coming:
    """Who comes, and who wants the signal instead."""

    board: Mapping[str, Request]
    yields: str | None = None
    """Why to leave, in words."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of it."""

    ending: Ending
    what: str


@dataclass(frozen=True)
class Ears:
    """What is asked of, and told to, whoever keeps the record."""

    coming: Callable[[], Coming]
    told: Callable[[str], None]
    """Gets every step when it is done."""
    decided: Callable[[Sequence[Decision]], None]
    """Gets decisions that name the controller's stages."""
    cannot: Callable[[Sequence[str], str], None]
    """Gets the vehicles for which nothing can be decided, and why."""
    asks: Callable[[int, Control], bool]
    """Gets the plan and mode to go back to before the first order; False: somebody else may."""
    freed: Callable[[], None]
    """Is told when the plan was asked for again."""
    now_s: Callable[[], float]
    sleep: Callable[[float], None]


class _Over(Exception):
    def __init__(self, ending: Ending, what: str) -> None:
        super().__init__(what)
        self.ending, self.what = ending, what


def look_after(
    line: ControllerLine,
    case: Case,
    lanes: Sequence[LaneFlow],
    ears: Ears,
    *,
    until_s: float,
    policy: Policy,
    traffic: bool,
    back: tuple[int, Control] | None = None,
    pace: PriorityPace | None = None,
) -> Ended:
    """Give priority at a signal until nobody comes any more.

    Parameters
    ----------
    line : ControllerLine
    case : Case
    lanes : Sequence of LaneFlow
    ears : Ears
    until_s : float
        It ends then at the latest.
    policy : Policy
    traffic : bool
        Whether it is known who drives there; else emergency vehicles alone are served.
    back : tuple or None
        Plan and mode that a keeper who died had left; they are asked for first.
    pace : PriorityPace or None

    Returns
    -------
    Ended
        Every ending is a value.
    """
    keeper = _Keeper(line, case, lanes, ears, until_s, policy, traffic, pace or PriorityPace())
    try:
        keeper.go(back)
    except _Over as over:
        return Ended(over.ending, over.what)


class _Keeper:
    def __init__(  # noqa: PLR0917 - private; the parts of `look_after`
        self,
        line: ControllerLine,
        case: Case,
        lanes: Sequence[LaneFlow],
        ears: Ears,
        until_s: float,
        policy: Policy,
        traffic: bool,
        pace: PriorityPace,
    ) -> None:
        self._line, self._case, self._lanes, self._ears = line, case, lanes, ears
        self._until_s, self._policy, self._traffic, self._pace = until_s, policy, traffic, pace
        self._held: int | None = None
        """The controller's stage that was asked for last."""
        self._back: tuple[int, Control] | None = None
        self._asked_s = self._heard_s = self._came_s = ears.now_s()
        self._taken: dict[str, Request] = {}
        """Of those who come: what the rules know."""

    def go(self, back: tuple[int, Control] | None) -> NoReturn:
        layout, plan = self._known(back)
        try:
            site = line_site(self._case, layout, plan, self._lanes)
        except CityError as error:
            self._cannot(str(error))
            raise _Over(Ending.REFUSED, str(error)) from None
        known: Led | None = None
        while True:
            self._ears.sleep(self._pace.poll_s)
            board = self._board()
            state = self._state()
            if state is None:
                known = self._silent(known)
                continue
            try:
                said = heard(site, state, held=self._held is not None)
            except Conflict as error:
                self._unfit(str(error), state, another=state.plan != plan.number)
                known = None
                continue
            if known is None:
                self._taken = {}
            if self._held is None and state.control is not None:
                self._back = plan.number, state.control
            looked = look(
                site,
                known,
                said,
                self._messages(board),
                policy=self._policy,
                now_s=float(int(self._ears.now_s())),
            )
            known = looked.led
            if looked.took:
                self._taken = dict(board)
            self._ears.decided([_numbered(site, each) for each in looked.decisions])
            self._order(site, known, said.changing)
            if known.lost:
                self._leave(Ending.UNKNOWN, "the controller does not do as it is asked")
            if not board and known.at_rest and self._idle(site, owes=known.owes):
                raise _Over(Ending.ENDED, f"nobody comes any more: plan {plan.number} runs")

    def _idle(self, site: LineSite | None = None, *, owes: bool = False) -> bool:
        """Whether nobody has come for so long that what could be given back has been."""
        cycles = _REPAID_IN if owes and site is not None else 0
        wait_s = self._pace.idle_s + cycles * (site.plan.cycle_s if site is not None else 0)
        return self._ears.now_s() - self._came_s >= wait_s

    # --- who comes --------------------------------------------------------------------------

    def _board(self) -> Mapping[str, Request]:
        """Give who may be served; leave where somebody else wants the signal, or it is time."""
        coming = self._ears.coming()
        if coming.yields is not None:
            self._leave(Ending.GAVE_WAY, coming.yields)
        if self._ears.now_s() >= self._until_s:
            self._leave(Ending.LIMIT, "it has lasted as long as it may")
        if coming.board:
            self._came_s = self._ears.now_s()
        if self._traffic:
            return coming.board
        emergencies = {
            name: each for name, each in coming.board.items() if each.kind is VehicleClass.EMERGENCY
        }
        others = [name for name in coming.board if name not in emergencies]
        if others:
            self._ears.cannot(others, NO_TRAFFIC)
        return emergencies

    def _messages(self, board: Mapping[str, Request]) -> list[Message]:
        found = [
            Message(Told.CHECK_IN, each)
            for name, each in board.items()
            if self._taken.get(name) != each
        ]
        gone = (each for name, each in self._taken.items() if name not in board)
        return [*found, *(Message(Told.CHECK_OUT, each) for each in gone)]

    def _cannot(self, why: str) -> None:
        names = list(self._ears.coming().board)
        if names:
            self._ears.cannot(names, why)

    # --- what the controller is -------------------------------------------------------------

    def _known(self, back: tuple[int, Control] | None) -> tuple[Layout, ControllerPlan]:
        """Ask what runs and how the cabinet is laid out; what a dead keeper held is given back."""
        until_s = self._ears.now_s() + self._pace.gone_s
        while True:
            try:
                if back is not None:
                    self._back, self._held, back = back, 0, None
                    self._give_back()
                return self._asked()
            except NoAnswer as error:
                self._cannot(str(error))
                if self._ears.now_s() >= until_s:
                    raise _Over(Ending.NOT_SENT, str(error)) from None
                self._ears.sleep(self._pace.poll_s)
            except CityError as error:
                self._cannot(str(error))
                raise _Over(Ending.NOT_SENT, str(error)) from None

    def _asked(self) -> tuple[Layout, ControllerPlan]:
        state = self._line.read_state()
        orders.known_state(state)
        names = [group.name for group in self._case.junction.groups]
        layout = named(self._line.read_layout(), names)
        plan = self._line.read_plan(state.plan) if state.plan else None
        if plan is None:
            raise Conflict("the controller does not say what it runs", field="plan")
        return layout, plan

    def _state(self) -> ControllerState | None:
        try:
            state = self._line.read_state()
        except (NoAnswer, Refused):
            return None
        self._heard_s = self._ears.now_s()
        return state

    def _silent(self, known: Led | None) -> Led | None:
        """Bear with a controller that was heard a moment ago; then nothing is known of it."""
        silent_s = self._ears.now_s() - self._heard_s
        if silent_s < self._pace.silent_s:
            return known
        self._cannot("the controller is silent")
        if self._held is not None:
            self._leave(Ending.UNKNOWN, "the controller is silent")
        if silent_s >= self._pace.gone_s:
            raise _Over(Ending.NOT_SENT, "the controller is silent")
        return None

    def _unfit(self, why: str, state: ControllerState, *, another: bool) -> None:
        """Ask nothing of a controller that does not say enough."""
        self._cannot(why)
        if another and self._held is None and state.plan:
            # Its stages are read anew by the next turn.
            raise _Over(Ending.ENDED, why)
        if self._held is not None:
            faulty = bool(state.faults)
            self._leave(Ending.FLASHING if faulty else Ending.UNKNOWN, why)
        if self._idle():
            raise _Over(Ending.NOT_SENT, why)

    # --- asking -----------------------------------------------------------------------------

    def _order(self, site: LineSite, known: Led, changing: bool) -> None:
        """Bring the controller to what the rules show."""
        wanted = None if known.hold is None else site.numbers[known.hold]
        if wanted is None:
            if self._held is not None:
                self._free()
            return
        since_s = self._ears.now_s() - self._asked_s
        behind = known.apart_s > _AGAIN_S and not changing and since_s >= _AGAIN_S
        if wanted == self._held and since_s < self._pace.renew_s and not behind:
            return
        if self._held is None and not self._ears.asks(*self._to_go_back()):
            self._leave(Ending.GAVE_WAY, "somebody else orders the signal")
        new = wanted != self._held
        try:
            self._line.hold_stage(wanted)
        except NoAnswer as error:
            # It may have been heard: given back it is all the same, and asked for again until then.
            self._held = wanted if self._held is None else self._held
            self._ears.told(str(error))
            return
        except Refused as error:
            self._leave(Ending.REFUSED, str(error))
        self._held, self._asked_s = wanted, self._ears.now_s()
        if new:
            self._ears.told(f"stage {wanted} asked for, and held")

    def _to_go_back(self) -> tuple[int, Control]:
        if self._back is None:
            raise AssertionError("the plan is read first")
        return self._back

    def _free(self) -> None:
        """Let the plan go on; asked for again in a second where no answer comes."""
        number, control = self._to_go_back()
        try:
            self._line.take_up(number, control)
        except NoAnswer as error:
            self._ears.told(str(error))
            return
        except Refused as error:
            self._leave(Ending.REFUSED, str(error))
        self._held = None
        self._ears.told(f"plan {number} goes on")
        self._ears.freed()

    def _leave(self, ending: Ending, what: str) -> NoReturn:
        """Give the plan back where something is held, and end."""
        if self._held is not None:
            self._ears.told(what)
            if not self._give_back() and ending is not Ending.FLASHING:
                raise _Over(Ending.UNKNOWN, f"{what}; what runs now is not known")
        raise _Over(ending, what)

    def _give_back(self) -> bool:
        """Ask for the plan until it runs; whether it does."""
        number, control = self._to_go_back()
        until_s = self._ears.now_s() + self._pace.back_s
        asked_s: float | None = None
        while self._ears.now_s() < until_s:
            if asked_s is None or self._ears.now_s() - asked_s >= self._pace.renew_s:
                asked_s = self._ears.now_s()
                try:
                    self._line.take_up(number, control)
                except (NoAnswer, Refused) as error:
                    self._ears.told(str(error))
            state = self._state()
            if state is not None and state.faults:
                return False
            runs = state is not None and state.control is not None and state.control.runs_a_plan
            if runs and state is not None and state.plan == number:
                self._held = None
                self._ears.told(f"plan {number} runs again")
                self._ears.freed()
                return True
            self._ears.sleep(self._pace.poll_s)
        return False


def _numbered(site: LineSite, decision: Decision) -> Decision:
    """Name the controller's own stage."""
    if decision.act is Act.NONE:
        return decision
    return replace(decision, stage=site.numbers[decision.stage])
