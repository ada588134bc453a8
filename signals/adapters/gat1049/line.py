"""Our line to one junction of a signal system that speaks GA/T 1049.2-2024."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

from city.errors import Invalid
from signals.adapters.gat1049.session import Wanted, says
from signals.adapters.gbt20999.link import Patience
from signals.rules.controllers.gat1049 import codes, objects
from signals.rules.controllers.gat1049.messages import Kind, Message, Verb, question
from signals.rules.controllers.gat1049.nodes import Node, branch, leaf
from signals.rules.controllers.layout import MOST_PHASES, MOST_STAGES, ControllerPlan, Layout
from signals.rules.controllers.line import Control, ControllerState, NoAnswer, Refused
from signals.rules.model.aspects import GREENS

HOLD_S: Final = 60
"""For so long a stage is locked; a repetition locks it anew."""
_MOST_ASKED: Final = 32
"""Questions on their way at a time."""
_MOST_PLANS: Final = 32
"""Plans that are read for how stages change."""


class Asking(Protocol):
    """What asks a signal system: a `Session`."""

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        ...

    def ask(self, verb: Verb, *objects: Node, patience: Patience | None = None) -> Message:
        """Send a request and give its answer. Raises NoAnswer, Refused."""
        ...

    def ask_all(self, wanted: Sequence[Wanted], patience: Patience | None = None) -> list[Message]:
        """Send requests and give their answers, errors among them. Raises NoAnswer."""
        ...


class Gat1049Line:
    """One junction; an adapter of ``ControllerLine``.

    Parameters
    ----------
    session : Asking
        Logged in; may be shared with other junctions' lines.
    cross : str
        The junction's number (``CrossID``).
    patience : Patience
    closed : callable
        Told once when this line needs the session no more.
    """

    def __init__(
        self,
        session: Asking,
        cross: str,
        *,
        patience: Patience | None = None,
        closed: Callable[[], None] = lambda: None,
    ) -> None:
        self._session: Asking | None = session
        self._cross = cross
        self._patience = patience or Patience()
        self._closed = closed
        self._layout: Layout | None = None
        self._code: str | None = None
        self._locked = False
        self._stage: int | None = None
        self._changes: frozenset[tuple[int, int]] = frozenset()
        self._written: dict[int, objects.TimedPlan] = {}

    def close(self) -> None:
        """Give the session back."""
        session, self._session = self._session, None
        if session is not None:
            self._closed()

    def read_state(self) -> ControllerState:
        """Ask what it does: its state, control mode and plan, stage and lamps, at once."""
        names = ("CrossState", "CrossCtrlInfo", "CrossStage", "CrossSignalGroupStatus")
        line, info, stage, lamps = self._questions([(name, None) for name in names])
        value = self._object(line, "CrossState").said("Value")
        if value == "Offline":
            raise NoAnswer("the system has lost the controller")
        running = self._object(info, "CrossCtrlInfo")
        with _readable():
            self._code = running.said("ControlMode")
            control = codes.CONTROLS.get(self._code, Control.OTHER)
            plan = running.number("PlanNo") or None
            # Without a plan there is no stage, and a system may well say so by an error.
            at = None if stage.kind is Kind.ERROR else self._object(stage, "CrossStage")
            lit = (
                None if lamps.kind is Kind.ERROR else self._object(lamps, "CrossSignalGroupStatus")
            )
            shown = {} if lit is None else objects.lamps_from(lit)
            number = None if at is None else at.number("CurStageNo") or None
            elapsed_s = None if at is None or number is None else at.number("CurStageLen")
        self._stage = number
        changing = remaining_s = None
        phases, layout = self._phases_of(number)
        if phases is not None and phases <= set(shown) and lit is not None:
            changing = not all(shown[phase] in GREENS for phase in phases)
            with _readable():
                remaining_s = None if changing else objects.green_left_s(lit, layout, phases)
        faults = () if value == "Online" else (f"the system says {value or 'nothing'}",)
        return ControllerState(
            control, plan, number, changing, elapsed_s, remaining_s, shown, faults
        )

    def read_layout(self) -> Layout:
        """Ask for signal groups, lamp groups, stages, conflicts, and what the plans tell."""
        cross = self._cross_param()
        with _readable():
            groups = objects.numbers_of(cross, "SignalGroupNoList", "SignalGroupNo")[:MOST_PHASES]
            lamps = objects.numbers_of(cross, "LampGroupNoList", "LampGroupNo")[: 4 * MOST_PHASES]
            stages = objects.numbers_of(cross, "StageNoList", "StageNo")[: MOST_STAGES + 1]
            plans = objects.numbers_of(cross, "PlanNoList", "PlanNo")[:_MOST_PLANS]
        wanted = {
            "SignalGroupParam": groups,
            "LampGroupParam": lamps,
            "StageParam": stages,
            "PlanParam": plans,
        }
        asked = [(name, number) for name, numbers in wanted.items() for number in numbers]
        replies = self._questions(asked)
        told: dict[str, list[Node]] = {name: [] for name in wanted}
        for (name, _), reply in zip(asked, replies, strict=True):
            told[name].append(self._object(reply, name))
        with _readable():
            kept = [objects.plan_from(each) for each in told["PlanParam"]]
            self._layout = objects.layout_from(
                cross, told["SignalGroupParam"], told["LampGroupParam"], told["StageParam"], kept
            )
        self._changes = objects.told_changes(kept)
        return self._layout

    def read_plan(self, number: int) -> ControllerPlan | None:
        """Ask for a plan; None where it is not in the junction's list.

        Raises
        ------
        NoAnswer
        Refused
            Also where it has late begins or early ends, which our plans cannot say, and where
            other yellows or all-reds are kept of it than this line has sent.
        """
        with _readable():
            kept = objects.numbers_of(self._cross_param(), "PlanNoList", "PlanNo")
        if number not in kept:
            return None
        reply = self._questions([("PlanParam", number)])[0]
        with _readable():
            found = objects.plan_from(self._object(reply, "PlanParam"))
        if found.adjusted:
            raise Refused(f"plan {number} has late begins or early ends")
        sent = self._written.get(number)
        if sent is not None and found.plan == sent.plan and found.timings != sent.timings:
            raise Refused(f"the system keeps other changes of plan {number} than were sent")
        return found.plan

    def write_plan(self, plan: ControllerPlan) -> None:
        """Give it a plan with the yellow and all-red after each stage: all of it or nothing."""
        layout = self._layout or self.read_layout()
        with _readable():
            kept = objects.numbers_of(self._cross_param(), "PlanNoList", "PlanNo")
        try:
            sent = objects.timed(layout, plan)
        except Invalid as error:
            raise Refused(f"the system cannot run this plan: {error}") from None
        self._written[plan.number] = sent
        oper = codes.MODIFY if plan.number in kept else codes.ADD
        said = branch("SetPlanParam", leaf("Oper", oper), objects.plan_node(self._cross, sent))
        self._set(said)

    def take_up(self, number: int, control: Control) -> None:
        """Let it run a plan: in the mode that it ran in, or as the plan that we designate."""
        self._unlock()
        code = codes.MODES.get(control, codes.DESIGNATED)
        if self._code is not None and codes.CONTROLS.get(self._code) is control:
            code = self._code
        self._control(code, number)

    def hold_stage(self, number: int) -> None:
        """Lock a stage for a minute: without a repetition it ends by itself.

        Raises
        ------
        NoAnswer
        Refused
            Also where no plan of the system tells how long the change from the stage that was seen
            last to this one is: what would be shown could not be judged.
        """
        if not self._changes:
            self.read_layout()
        if self._stage not in {None, number} and (self._stage, number) not in self._changes:
            raise Refused(f"no plan tells how stage {self._stage} changes to {number}")
        said = branch(
            "LockFlowDirection",
            leaf("CrossID", self._cross),
            leaf("Type", codes.MOTOR),
            leaf("Entrance", codes.ANY_DIRECTION),
            leaf("Exit", codes.ANY_DIRECTION),
            leaf("LockType", codes.LOCK_STAGE),
            leaf("LockStageNo", number),
            leaf("Duration", HOLD_S),
        )
        # Before it is known to be done: it may be done all the same.
        self._locked = True
        try:
            self._set(said)
        except Refused:
            self._locked = False
            raise

    def show(self, control: Control) -> None:
        """Ask for flashing, all red or dark."""
        if control not in codes.WITHOUT_PLAN:
            raise Invalid("is no mode without a plan", field="control")
        self._unlock()
        self._control(codes.WITHOUT_PLAN[control], 0)

    # --- inside ------------------------------------------------------------------------------

    def _unlock(self) -> None:
        # Another line of ours, since gone, may have locked it.
        if not self._locked and self._code != codes.STAGE_LOCK:
            return
        said = branch(
            "UnlockFlowDirection",
            leaf("CrossID", self._cross),
            leaf("Type", codes.MOTOR),
            leaf("Entrance", codes.ANY_DIRECTION),
            leaf("Exit", codes.ANY_DIRECTION),
        )
        # The lock may be over by itself: the order that follows tells whether it is.
        with contextlib.suppress(Refused):
            self._set(said)
        self._locked = False

    def _control(self, code: str, plan: int) -> None:
        self._set(
            branch(
                "CrossCtrlInfo",
                leaf("CrossID", self._cross),
                leaf("ControlMode", code),
                leaf("PlanNo", plan),
                leaf("Time"),
            )
        )

    def _set(self, said: Node) -> None:
        # Once: adding a plan twice is not what adding it once is. What came of it is asked.
        once = Patience(self._patience.timeout_s, 1)
        self._open().ask(Verb.SET, said, patience=once)

    def _cross_param(self) -> Node:
        return self._object(self._questions([("CrossParam", None)])[0], "CrossParam")

    def _questions(self, wanted: Sequence[tuple[str, int | None]]) -> list[Message]:
        asked = [(Verb.GET, (question(name, self._cross, number),)) for name, number in wanted]
        replies: list[Message] = []
        for first in range(0, len(asked), _MOST_ASKED):
            replies += self._open().ask_all(asked[first : first + _MOST_ASKED], self._patience)
        return replies

    def _object(self, reply: Message, name: str) -> Node:
        if reply.kind is Kind.ERROR:
            raise Refused(says(reply))
        mine = [each for each in reply.all(name) if each.said("CrossID") == self._cross]
        if len(mine) != 1:
            raise NoAnswer(f"the system tells {len(mine)} of {name} for junction {self._cross}")
        return mine[0]

    def _phases_of(self, stage: int | None) -> tuple[frozenset[int] | None, Layout]:
        layout = self._layout or self.read_layout()
        found = layout.stage_of.get(stage or 0)
        return (None if found is None else found.phases), layout

    def _open(self) -> Asking:
        if self._session is None or not self._session.alive:
            raise NoAnswer("the line to the system is down")
        return self._session


@contextmanager
def _readable() -> Iterator[None]:
    """Make of an answer that cannot be read what it is to the caller: none."""
    try:
        yield
    except Invalid as error:
        raise NoAnswer(f"the system's answer cannot be read: {error}") from None
