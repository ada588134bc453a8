"""What a lane is, what its controller tells, and what is made of it.

A lane has two loops in the ground (one before the barrier, one beneath it), a barrier, a camera
that looks at whoever stands before it, words on a display with a voice, and a button that calls
the desk. Nothing here names a plate: a vehicle is a number of the lane's own and, once it was
read, an opaque key.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from city.errors import Invalid


class Way(StrEnum):
    """Which way vehicles drive through a lane."""

    ENTRY = "entry"
    EXIT = "exit"


class Loop(StrEnum):
    """Where in the ground a vehicle is felt."""

    APPROACH = "approach"
    """Before the barrier, where the camera looks."""
    BARRIER = "barrier"
    """Beneath it: nothing comes down while it feels something, or while nobody knows."""


class Barrier(StrEnum):
    """Where the boom is."""

    DOWN = "down"
    MOVING = "moving"
    UP = "up"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """What the rules say about who stands there."""

    OPEN = "open"
    ASK = "ask"
    """Pay first: the lane shows what is due, and asks again."""
    CALL = "call"
    """A person decides."""


class Grant(StrEnum):
    """Who let a vehicle through."""

    RULES = "rules"
    DESK = "desk"
    HELD = "held"
    """The desk keeps the barrier up."""
    FIRE = "fire"
    LOCAL = "local"
    """By hand at the lane, or by the controller itself while the line was down."""


class Lift(StrEnum):
    """Why a barrier is told to go up: nothing else ever lifts one."""

    RULES = "rules"
    DESK = "desk"
    FIRE = "fire"
    SAFETY = "safety"
    """Somebody drove beneath it while it was on its way down."""


class Words(StrEnum):
    """What a lane shows and says; controllers have the sentences, or the voice recorded."""

    WAIT = "wait"
    WELCOME = "welcome"
    GOODBYE = "goodbye"
    PAY = "pay"
    NO_PLATE = "no-plate"
    """Scan the gate's code and take a ticket, or show it."""
    CALLED = "called"
    """Somebody was called; please wait."""
    FIRE = "fire"


class AlarmKind(StrEnum):
    """What a person should look at."""

    TAILGATING = "tailgating"
    """A vehicle drove through behind another, under a barrier that was open for that one."""
    FORCED = "forced"
    """Something is beneath a barrier that was down."""
    WRONG_WAY = "wrong-way"
    LEFT_UP = "left-up"
    """The barrier is up for too long, with nobody beneath."""
    LIFTED_LOCALLY = "lifted-locally"
    """It went up and nobody here had said so."""
    UNREAD = "unread"
    """A vehicle passed whose plate nobody read: no stay follows until a person says whose."""
    UNCLEAR = "unclear"
    """Nobody saw whether a vehicle passed or backed out."""
    CALLED = "called"
    """Somebody at the lane waits for the desk."""
    OFFLINE = "offline"
    FIRE = "fire"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a camera, or a ticket reader, made of who stands before the barrier."""

    read_id: str
    key: str | None
    """Equal for equal vehicles; None where no plate was read well enough to act on."""
    certainty: int
    """Per mille."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle in the lane: one of them, one passage at most."""

    number: int
    since_at: datetime
    seen: Seen | None = None
    verdict: Verdict | None = None
    grant: Grant | None = None
    asked_at: datetime | None = None
    entered: bool = False
    """It is beneath the barrier, too."""
    doubtful: bool = False
    """It may be the one before it, rolling back."""
    wrong_way: bool = False
    alarmed: bool = False
    """Its driving under the barrier was told already."""
    hinted: bool = False
    """It was told what to do without a plate."""

    @property
    def key(self) -> str | None:
        """Whose it is, as far as anybody read it."""
        return None if self.seen is None else self.seen.key


@dataclass(frozen=True, slots=True)
class LaneState:
    """A lane as its controller last told it."""

    at: datetime | None = None
    barrier: Barrier = Barrier.UNKNOWN
    approach: bool | None = None
    beneath: bool | None = None
    """None: nobody knows, and nothing comes down."""
    waiting: Vehicle | None = None
    """Before the barrier."""
    passing: Vehicle | None = None
    """Beneath it, and off the loop before it."""
    unclear: Vehicle | None = None
    """Passed or backed out: the next read tells, or nobody."""
    expected: Seen | None = None
    """Read before it was felt."""
    last_number: int = 0
    fire: bool = False
    held: bool = False
    lifted_for: Grant | None = None
    """The barrier was lifted for whoever comes next."""
    up_since_at: datetime | None = None
    lowered_at: datetime | None = None
    """When it was told to come down last; None once it was told to go up."""
    lift_ordered: bool = False
    """It was told to go up, and has not come down since."""
    alarms: frozenset[AlarmKind] = frozenset()
    """Those that last: left up, called, offline, fire."""


@dataclass(frozen=True, slots=True)
class LanePolicy:
    """Times of a lane."""

    expects_for: timedelta = timedelta(seconds=8)
    """How long before it is felt a vehicle may have been read."""
    no_plate_after: timedelta = timedelta(seconds=4)
    calls_after: timedelta = timedelta(seconds=45)
    """A vehicle that nobody let through by then waits for a person."""
    asks_again: timedelta = timedelta(seconds=2)
    left_up_after: timedelta = timedelta(seconds=40)
    lowers_again: timedelta = timedelta(seconds=10)
    late_after: timedelta = timedelta(seconds=20)
    """What is told later is history: it is joined, and nothing moves on it."""
    order_lasts: timedelta = timedelta(seconds=6)
    """An order that was not carried out by then is void: another vehicle may stand there."""
    silent_after: timedelta = timedelta(seconds=15)

    def __post_init__(self) -> None:
        if self.order_lasts > self.late_after:
            raise Invalid("must not outlast what is history", field="order_lasts")

    def at_speed(self, speed: float) -> "LanePolicy":
        """Give the same times where the city's clock runs faster than the street: in the demo."""
        if speed <= 1:
            return self
        return LanePolicy(
            **{name: getattr(self, name) * speed for name in self.__dataclass_fields__}
        )


DEFAULT_POLICY: Final = LanePolicy()


# What is told. ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Event:
    """Something that was so at an instant."""

    at: datetime


@dataclass(frozen=True, slots=True)
class LoopChanged(Event):
    """A loop feels something, or nothing any more."""

    loop: Loop
    on: bool


@dataclass(frozen=True, slots=True)
class PlateSeen(Event):
    """The camera read who stands before the barrier, or a ticket was shown."""

    seen: Seen


@dataclass(frozen=True, slots=True)
class BarrierMoved(Event):
    """The boom is somewhere else."""

    barrier: Barrier


@dataclass(frozen=True, slots=True)
class Decided(Event):
    """What the rules say about the vehicle of a number."""

    number: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class DeskLifted(Event):
    """A person lets one vehicle through."""


@dataclass(frozen=True, slots=True)
class DeskLowered(Event):
    """A person lets the barrier come down, and ends its being held."""


@dataclass(frozen=True, slots=True)
class DeskHeld(Event):
    """A person keeps the barrier up."""


@dataclass(frozen=True, slots=True)
class FireChanged(Event):
    """Fire: every barrier goes up and stays there until it is over."""

    on: bool


@dataclass(frozen=True, slots=True)
class Called(Event):
    """Somebody at the lane pressed the button."""


@dataclass(frozen=True, slots=True)
class Restarted(Event):
    """The controller began anew, or words of it were lost: nobody knows where anything is."""


@dataclass(frozen=True, slots=True)
class Ticked(Event):
    """Time passed."""


# What follows. ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ask:
    """The rules are to be asked about a vehicle."""

    vehicle: Vehicle


@dataclass(frozen=True, slots=True)
class LiftBarrier:
    """The barrier is to go up."""

    because: Lift


@dataclass(frozen=True, slots=True)
class LowerBarrier:
    """The barrier is to come down."""


@dataclass(frozen=True, slots=True)
class Show:
    """The lane shows and says something."""

    words: Words


@dataclass(frozen=True, slots=True)
class Passed:
    """A vehicle is through: its one passage."""

    vehicle: Vehicle
    at: datetime


@dataclass(frozen=True, slots=True)
class Backed:
    """A vehicle went away again."""

    vehicle: Vehicle
    at: datetime


@dataclass(frozen=True, slots=True)
class Alarm:
    """A person should look, or a standing alarm is over."""

    kind: AlarmKind
    on: bool = True
    vehicle: Vehicle | None = None


Effect = Ask | LiftBarrier | LowerBarrier | Show | Passed | Backed | Alarm


@dataclass(frozen=True, slots=True)
class Stepped:
    """A state and what follows from having come to it."""

    state: LaneState
    effects: tuple[Effect, ...] = field(default=())
