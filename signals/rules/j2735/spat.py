"""SPaT: what each signal group of a junction shows now, and when that ends.

Source: SAE J2735 2016, as its ASN.1 is published in ISO/TS 19091 (module DSRC). A time is told as
tenths of a second in the hour (UTC); minEndTime is there always, so 36001 stands for unknown;
maxEndTime and likelyTime are left out where nobody knows them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, Final

from signals.rules.controllers.line import Control
from signals.rules.j2735.bits import Bits, framed
from signals.rules.live.countdown import PhaseNow
from signals.rules.live.lights import Seen
from signals.rules.model.aspects import Aspect

SPAT: Final = 19
UNKNOWN_MARK: Final = 36_001
MOST_BYTES: Final = 1_400
"""What one radio packet carries."""
_NAME: Final = 63


class Phase(IntEnum):
    """MovementPhaseState."""

    UNAVAILABLE = 0
    DARK = 1
    STOP_THEN_PROCEED = 2
    STOP_AND_REMAIN = 3
    PRE_MOVEMENT = 4
    PERMISSIVE_MOVEMENT_ALLOWED = 5
    PROTECTED_MOVEMENT_ALLOWED = 6
    PERMISSIVE_CLEARANCE = 7
    PROTECTED_CLEARANCE = 8
    CAUTION_CONFLICTING_TRAFFIC = 9


_PHASES: Final = {
    Aspect.RED: Phase.STOP_AND_REMAIN,
    Aspect.TURN_ON_RED: Phase.STOP_THEN_PROCEED,
    Aspect.RED_YELLOW: Phase.PRE_MOVEMENT,
    Aspect.GREEN: Phase.PROTECTED_MOVEMENT_ALLOWED,
    Aspect.FLASHING_GREEN: Phase.PROTECTED_MOVEMENT_ALLOWED,
    Aspect.PERMISSIVE: Phase.PERMISSIVE_MOVEMENT_ALLOWED,
    Aspect.FLASHING_PERMISSIVE: Phase.PERMISSIVE_MOVEMENT_ALLOWED,
    Aspect.YELLOW: Phase.PROTECTED_CLEARANCE,
    Aspect.YELLOW_MAJOR: Phase.PROTECTED_CLEARANCE,
    Aspect.FLASHING_YELLOW: Phase.CAUTION_CONFLICTING_TRAFFIC,
    Aspect.DARK: Phase.DARK,
}
_STATUS: Final = {
    Control.MANUAL: 0,
    Control.FIXED: 5,
    Control.COORDINATED: 5,
    Control.TIMETABLE: 5,
    Control.ACTUATED: 6,
    Control.ADAPTIVE: 6,
    Control.FLASHING: 7,
    Control.DARK: 9,
}
"""IntersectionStatusObject's bits; what a controller does otherwise sets none."""
_FAILURE_FLASH: Final = 2


@dataclass(frozen=True, slots=True)
class Intersection:
    """How a junction is called by radio, and where it is."""

    region: int
    id: int
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Movement:
    """One signal group's state; None is not known."""

    group: int
    name: str
    state: Phase
    min_end: int | None
    max_end: int | None
    likely: int | None


@dataclass(frozen=True, slots=True)
class Spat:
    """A SPaT of one junction."""

    where: Intersection
    revision: int
    status: tuple[int, ...]
    at: datetime
    movements: tuple[Movement, ...]

    def as_json(self) -> dict[str, Any]:
        """Give the message's members by their names."""
        return {
            "id": {"region": self.where.region, "id": self.where.id},
            "revision": self.revision,
            "status": list(self.status),
            "moy": _minute(self.at),
            "timeStamp": _dsecond(self.at),
            "states": [
                {
                    "movementName": each.name,
                    "signalGroup": each.group,
                    "eventState": each.state.name.lower().replace("_", "-"),
                    "minEndTime": UNKNOWN_MARK if each.min_end is None else each.min_end,
                    "maxEndTime": each.max_end,
                    "likelyTime": each.likely,
                }
                for each in self.movements
            ],
        }


def spat_of(
    where: Intersection, revision: int, seen: Seen, gives_way: Collection[str] = ()
) -> Spat:
    """Give the SPaT of what was seen of a controller.

    Parameters
    ----------
    where : Intersection
    revision : int
        Of the MAP that it goes with.
    seen : Seen
        Without a state nothing is known, and every group of the layout is unavailable.
    gives_way : collection of str
        Groups whose green is not protected: somebody whom they must let pass is green beside them.
    """
    state = seen.state
    status: tuple[int, ...] = ()
    if state is not None and state.control in _STATUS:
        flashes = state.control is Control.FLASHING and bool(state.faults)
        status = (_FAILURE_FLASH if flashes else _STATUS[state.control],)
    movements = tuple(
        Movement(
            each.phase,
            each.name,
            _state(each, gives_way),
            _mark(seen.at, each.least_s),
            _mark(seen.at, each.most_s),
            _mark(seen.at, each.likely_s),
        )
        for each in seen.phases
    )
    return Spat(where, revision, status, seen.at, movements)


def _state(each: PhaseNow, gives_way: Collection[str]) -> Phase:
    found = Phase.UNAVAILABLE if each.aspect is None else _PHASES.get(each.aspect)
    if each.name in gives_way:
        if found is Phase.PROTECTED_MOVEMENT_ALLOWED:
            return Phase.PERMISSIVE_MOVEMENT_ALLOWED
        if found is Phase.PROTECTED_CLEARANCE:
            return Phase.PERMISSIVE_CLEARANCE
    return Phase.UNAVAILABLE if found is None else found


def encode_spat(spat: Spat) -> bytes:
    """Give a MessageFrame with a SPaT; Invalid where it does not fit."""
    out = Bits()
    # SPAT: no extension, neither time nor name nor regional; one intersection.
    out.put(0, 1)
    out.flags(3)
    out.number(1, 1, 32)
    # IntersectionState: moy and timeStamp are there.
    out.put(0, 1)
    out.flags(6, 1, 2)
    reference(out, spat.where)
    out.number(spat.revision, 0, 127)
    out.flags(16, *spat.status)
    out.number(_minute(spat.at), 0, 527_040)
    out.number(_dsecond(spat.at), 0, 65_535)
    out.number(len(spat.movements), 1, 255)
    for each in spat.movements:
        out.put(0, 1)
        out.flags(3, 0)
        out.text(each.name, _NAME)
        out.number(each.group, 0, 255)
        out.number(1, 1, 16)
        out.put(0, 1)
        out.flags(3, 0)
        out.number(each.state, 0, 9)
        given = [place for place, mark in ((1, each.max_end), (2, each.likely)) if mark is not None]
        out.flags(5, *given)
        for mark in (UNKNOWN_MARK if each.min_end is None else each.min_end, each.max_end,
                     each.likely):  # fmt: skip
            if mark is not None:
                out.number(mark, 0, UNKNOWN_MARK)
    return framed(SPAT, out.bytes())


def reference(out: Bits, where: Intersection) -> None:
    """Write an IntersectionReferenceID with its region."""
    out.flags(1, 0)
    out.number(where.region, 0, 65_535)
    out.number(where.id, 0, 65_535)


def _mark(at: datetime, seconds: int | None) -> int | None:
    if seconds is None:
        return None
    moment = at.astimezone(UTC)
    tenths = (moment.minute * 60 + moment.second + seconds) * 10 + moment.microsecond // 100_000
    return tenths % 36_000


def _minute(at: datetime) -> int:
    moment = at.astimezone(UTC)
    return int((moment - datetime(moment.year, 1, 1, tzinfo=UTC)).total_seconds()) // 60


def _dsecond(at: datetime) -> int:
    moment = at.astimezone(UTC)
    return moment.second * 1_000 + moment.microsecond // 1_000
