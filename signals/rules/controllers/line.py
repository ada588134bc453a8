"""The line to a controller: one port for every protocol, and what a controller says of itself.

An adapter does one exchange a call, repeats what can be repeated without harm, and never guesses:
where no answer came it raises ``NoAnswer``, which says nothing about whether the controller acted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from city.errors import Conflict, Unavailable
from signals.rules.controllers.layout import ControllerPlan, Layout
from signals.rules.model.aspects import Aspect


class NoAnswer(Unavailable):
    """The controller did not answer in time, or not so that it could be read."""

    code = "controller-silent"


class Refused(Conflict):
    """The controller said no."""

    code = "controller-refused"


class Control(StrEnum):
    """Who or what decides what a controller shows."""

    CENTRE = "centre"
    TIMETABLE = "timetable"
    FIXED = "fixed"
    COORDINATED = "coordinated"
    ACTUATED = "actuated"
    ADAPTIVE = "adaptive"
    MANUAL = "manual"
    FLASHING = "flashing"
    ALL_RED = "all_red"
    DARK = "dark"
    OTHER = "other"

    @property
    def runs_a_plan(self) -> bool:
        """Whether stages follow each other."""
        return self not in {Control.FLASHING, Control.ALL_RED, Control.DARK, Control.MANUAL}


@dataclass(frozen=True, slots=True)
class ControllerState:
    """What a controller says; None where it does not say or we cannot read it."""

    control: Control | None = None
    plan: int | None = None
    stage: int | None = None
    changing: bool | None = None
    """Between the green of a stage and that of the next."""
    elapsed_s: int | None = None
    """In the stage."""
    remaining_s: int | None = None
    lamps: Mapping[int, Aspect] = field(default_factory=dict)
    """By phase."""
    faults: tuple[str, ...] = ()


class ControllerLine(Protocol):
    """One controller at the other end of a line; not for several threads at once."""

    def read_state(self) -> ControllerState:
        """Ask what it does. Raises NoAnswer, Refused."""
        ...

    def read_layout(self) -> Layout:
        """Ask for phases, stages, conflicts and intergreens. Raises NoAnswer, Refused."""
        ...

    def read_plan(self, number: int) -> ControllerPlan | None:
        """Ask for a plan; None where it keeps none there. Raises NoAnswer, Refused."""
        ...

    def write_plan(self, plan: ControllerPlan) -> None:
        """Give it a plan to keep, which does not run by that. Raises NoAnswer, Refused."""
        ...

    def take_up(self, number: int, control: Control) -> None:
        """Let it run a plan that it keeps, from its next safe point on.

        Raises NoAnswer, Refused.
        """
        ...

    def hold_stage(self, number: int) -> None:
        """Let a stage be green until another order; repeated, it does no harm.

        Raises NoAnswer, Refused.
        """
        ...

    def show(self, control: Control) -> None:
        """Let it flash, show all red or go dark until another order; may be repeated.

        Raises NoAnswer, Refused.
        """
        ...

    def close(self) -> None:
        """End the line."""
        ...
