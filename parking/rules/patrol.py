"""What calls for somebody on the street: a task arises, is seen, and ends one of three ways.

Tasks follow from what is known of bays, stays, bills and devices; nobody writes them down. So a
task that was done cannot be told twice, and one that nobody came for stays on record as such.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from city.errors import Conflict, Invalid
from city.identifiers import BayId, DistrictCode, FacilityId, ParkingSessionId
from city.money import Money

SETTLED_AFTER: Final = timedelta(minutes=1)
"""A stay younger than this may still be somebody turning round."""
ZOMBIE_AFTER: Final = timedelta(hours=72)
"""A car at a kerb for three days is one that nobody drives, or whose end nobody saw."""
ESCAPE_FOR: Final = timedelta(hours=24)
"""After a day whoever left without paying is not near any more: arrears take over."""
BLOCKED_FOR: Final = timedelta(hours=24)
LONGEST_NOTE: Final = 500
MOST_PHOTOS: Final = 6
"""Of one task."""


class TaskKind(StrEnum):
    """What calls for somebody."""

    PLATE = "plate"
    """A bay was taken and nobody knows by whom."""
    UNPAID = "unpaid"
    """What was paid ahead is used up, and it still stands there."""
    OVERSTAY = "overstay"
    """It stands there longer than its driver said."""
    SIGNED = "signed"
    """It stands there longer than the sign permits."""
    FORBIDDEN = "forbidden"
    """It stands where nobody may now: works, a market day, street cleaning."""
    ZOMBIE = "zombie"
    """It stands there for days."""
    ESCAPE = "escape"
    """It left, and its bill is not paid."""
    ARREARS = "arrears"
    """A vehicle that owes older bills stands here now."""
    SENSOR = "sensor"
    """A device needs a look."""
    BLOCKED = "blocked"
    """Somebody reported that a bay cannot be used."""


class Ending(StrEnum):
    """How a task ended."""

    DONE = "done"
    """Somebody did what it called for; by whom is kept where it is known."""
    BY_ITSELF = "by-itself"
    """The driver paid, the device spoke again."""
    LEFT = "left"
    """The occasion is gone: nobody came in time."""


LOOKED_AT: Final = frozenset(
    {
        TaskKind.OVERSTAY,
        TaskKind.SIGNED,
        TaskKind.FORBIDDEN,
        TaskKind.ZOMBIE,
        TaskKind.SENSOR,
        TaskKind.BLOCKED,
    }
)
"""What a person's word ends: nothing else that they do would show it."""


@dataclass(frozen=True, slots=True)
class PatrolTask:
    """One thing that calls for somebody.

    Attributes
    ----------
    subject : UUID
        What it is about, of its kind: a stay, a bill, a device, a report.
    arose_at : datetime
        Since when somebody could have gone there.
    amount : Money or None
        What is owed, where money is.
    what : str
        Of a sensor what is wrong with it; of a report what was reported; of a sign its minutes, or
        why nobody may stand there.
    seen_at, seen_by
        When it first stood on somebody's terminal, and whose.
    """

    id: UUID
    kind: TaskKind
    subject: UUID
    district: DistrictCode
    facility_id: FacilityId
    bay_id: BayId
    arose_at: datetime
    session_id: ParkingSessionId | None = None
    amount: Money | None = None
    what: str = ""
    seen_at: datetime | None = None
    seen_by: str | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    ending: Ending | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody says of a task: that they saw it, or that they looked and it is done."""

    task_id: UUID
    at: datetime
    done: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class PatrolPhoto:
    """A photo that somebody on a round took of the stay that called them."""

    id: UUID
    task_id: UUID
    session_id: ParkingSessionId
    sha256: str
    taken_at: datetime
    taken_by: str
    frame_id: UUID


def check_mark(task: PatrolTask, mark: Mark) -> None:
    """Refuse a word that cannot end a task.

    Raises
    ------
    Conflict
        Where it says done of what an act alone ends: a plate taken, a bill paid.
    Invalid
        On a note that is too long.
    """
    if len(mark.note) > LONGEST_NOTE:
        raise Invalid(f"must be at most {LONGEST_NOTE} characters", field="note")
    if mark.done and task.kind not in LOOKED_AT:
        raise Conflict("ends with what is done about it", field="task_id", reason="by-act")


def when(mark: Mark, task: PatrolTask, now: datetime) -> datetime:
    """Give when a mark counts: never before the task arose, nor later than now.

    A device's clock may be off and its word late.
    """
    return max(task.arose_at, min(mark.at, now))


@dataclass(frozen=True, slots=True)
class Response:
    """How fast tasks of one kind were come to, by those of a time.

    Attributes
    ----------
    arose : int
        Tasks that arose.
    done, left, by_itself, standing : int
        How they ended, and those that have not.
    done_s, seen_s : tuple of float
        Median and ninth decile, in seconds, of what was done and of what was seen; empty where
        there is none.
    """

    kind: TaskKind
    arose: int
    done: int
    left: int
    by_itself: int
    standing: int
    seen_s: tuple[float, ...] = ()
    done_s: tuple[float, ...] = ()


def responses(tasks: Iterable[PatrolTask]) -> list[Response]:
    """Sum tasks up by kind, in the order of the kinds; kinds without a task are left out."""
    of_kind: dict[TaskKind, list[PatrolTask]] = {}
    for each in tasks:
        of_kind.setdefault(each.kind, []).append(each)
    return [_response(kind, of_kind[kind]) for kind in TaskKind if kind in of_kind]


@dataclass(frozen=True, slots=True)
class Answered:
    """What one person did about tasks: how many, and the middle time in seconds."""

    tasks: int
    middle_s: float


def answered_by(tasks: Iterable[PatrolTask]) -> dict[str, Answered]:
    """Sum up by person what was done."""
    took: dict[str, list[float]] = {}
    for each in tasks:
        if each.ended_by is not None and each.ended_at is not None:
            took.setdefault(each.ended_by, []).append(
                (each.ended_at - each.arose_at).total_seconds()
            )
    return {who: Answered(len(times), _spread(times)[0]) for who, times in took.items()}


def _response(kind: TaskKind, tasks: Sequence[PatrolTask]) -> Response:
    def ended(how: Ending | None) -> int:
        return sum(each.ending is how for each in tasks)

    seen = [
        (each.seen_at - each.arose_at).total_seconds() for each in tasks if each.seen_at is not None
    ]
    done = [
        (each.ended_at - each.arose_at).total_seconds()
        for each in tasks
        if each.ended_at is not None and each.ending is Ending.DONE
    ]
    return Response(
        kind,
        len(tasks),
        ended(Ending.DONE),
        ended(Ending.LEFT),
        ended(Ending.BY_ITSELF),
        ended(None),
        _spread(seen),
        _spread(done),
    )


def _spread(seconds: Sequence[float]) -> tuple[float, ...]:
    """Give median and ninth decile (nearest rank), so that both are times that there were."""
    ranked = sorted(seconds)
    if not ranked:
        return ()
    return tuple(ranked[max(0, -(-len(ranked) * tenth // 10) - 1)] for tenth in (5, 9))
