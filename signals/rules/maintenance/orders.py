"""A work order on its way: raised, taken, done, looked over by another, or given back.

Pure. Times to respond and to mend run from when it was raised, also where it was given back: the
junction was broken all the while.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from city.errors import Conflict, Forbidden, Invalid
from signals.rules.maintenance.policy import Limits

MOST_PHOTOS: Final = 24


class State(StrEnum):
    """Where an order stands."""

    OPEN = "open"
    TAKEN = "taken"
    DONE = "done"
    CHECKED = "checked"
    WITHDRAWN = "withdrawn"


ACTIVE: Final = frozenset({State.OPEN, State.TAKEN, State.DONE})


class Act(StrEnum):
    """What somebody does to an order."""

    TAKE = "take"
    ASSIGN = "assign"
    HAND_BACK = "hand_back"
    NOTE = "note"
    DONE = "done"
    CHECK = "check"
    GIVE_BACK = "give_back"
    WITHDRAW = "withdraw"


FROM: Final[Mapping[Act, frozenset[State]]] = {
    Act.TAKE: frozenset({State.OPEN}),
    Act.ASSIGN: frozenset({State.OPEN, State.TAKEN}),
    Act.HAND_BACK: frozenset({State.TAKEN}),
    Act.NOTE: ACTIVE,
    Act.DONE: frozenset({State.TAKEN}),
    Act.CHECK: frozenset({State.DONE}),
    Act.GIVE_BACK: frozenset({State.DONE}),
    Act.WITHDRAW: frozenset({State.OPEN, State.TAKEN}),
}
SAYS_WHY: Final = frozenset({Act.HAND_BACK, Act.NOTE, Act.DONE, Act.GIVE_BACK, Act.WITHDRAW})
"""Acts that are worth nothing without words: a reason, or what was done."""
_ASSIGNEES: Final = frozenset({Act.HAND_BACK, Act.DONE})
_ANOTHERS: Final = frozenset({Act.CHECK, Act.GIVE_BACK})


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, as an order names them."""

    subject: str
    name: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an order is."""

    state: State
    raised_at: datetime
    limits: Limits
    assignee: Person | None = None
    taken_at: datetime | None = None
    """First."""
    done_at: datetime | None = None
    """Last."""
    done_by: Person | None = None
    ended_at: datetime | None = None
    ended_by: Person | None = None

    @property
    def due_at(self) -> datetime | None:
        """Until when the next step is to be done; None where it is over."""
        limits = self.limits
        if self.state is State.DONE and self.done_at is not None:
            return self.done_at + timedelta(minutes=limits.check_min)
        if self.state is State.OPEN and self.taken_at is None:
            return self.raised_at + timedelta(minutes=limits.respond_min)
        if self.state in ACTIVE:
            return self.raised_at + timedelta(minutes=limits.mend_min)
        return None

    @property
    def responded_s(self) -> float | None:
        """Seconds until somebody took it first."""
        return None if self.taken_at is None else (self.taken_at - self.raised_at).total_seconds()

    @property
    def mended_s(self) -> float | None:
        """Seconds until it was done, where it counts as done."""
        mended = self.state in {State.DONE, State.CHECKED} and self.done_at is not None
        return (self.done_at - self.raised_at).total_seconds() if mended and self.done_at else None

    def overdue_s(self, now: datetime) -> float:
        """Give the seconds since its next step was due; zero where it is in time, or over."""
        due_at = self.due_at
        return 0.0 if due_at is None else max(0.0, (now - due_at).total_seconds())


def after(  # noqa: PLR0917 - who did what to which, in the order of the sentence
    before: Progress,
    who: Person,
    act: Act,
    at: datetime,
    words: str | None = None,
    other: Person | None = None,
) -> Progress:
    """Give how far an order is after an act.

    Parameters
    ----------
    before : Progress
    who : Person
        Who acts.
    act : Act
    at : datetime
    words : str or None
        The reason, or what was done.
    other : Person or None
        To whom it is assigned.

    Raises
    ------
    Conflict
        Where it stands elsewhere.
    Forbidden
        Where it is another's to do, or one's own to be looked over by another.
    Invalid
        Without the words or the person that the act needs.
    """
    if before.state not in FROM[act]:
        raise Conflict(f"the order is {before.state}", field="act")
    if act in SAYS_WHY and not (words or "").strip():
        raise Invalid("must say why, or what was done", field="words")
    mine = before.assignee is not None and before.assignee.subject == who.subject
    if act in _ASSIGNEES and not mine:
        raise Forbidden("this order is in another's hands")
    if act in _ANOTHERS and before.done_by is not None and before.done_by.subject == who.subject:
        raise Forbidden("who did the work does not look it over")
    if act is Act.ASSIGN and other is None:
        raise Invalid("must name who is to do it", field="assignee")
    if act is Act.TAKE and before.assignee is not None and not mine:
        raise Forbidden("this order is in another's hands")
    return _changed(before, who, act, at, other)


def _changed(
    before: Progress, who: Person, act: Act, at: datetime, other: Person | None
) -> Progress:
    changes: Mapping[Act, Mapping[str, object]] = {
        Act.TAKE: {"state": State.TAKEN, "assignee": who, "taken_at": before.taken_at or at},
        Act.ASSIGN: {"state": State.OPEN, "assignee": other},
        Act.HAND_BACK: {"state": State.OPEN, "assignee": None},
        Act.NOTE: {},
        Act.DONE: {"state": State.DONE, "done_at": at, "done_by": who},
        Act.CHECK: {"state": State.CHECKED, "ended_at": at, "ended_by": who},
        Act.GIVE_BACK: {"state": State.TAKEN},
        Act.WITHDRAW: {"state": State.WITHDRAWN, "ended_at": at, "ended_by": who},
    }
    return replace(before, **changes[act])  # type: ignore[arg-type] # each act names fields of its kind
