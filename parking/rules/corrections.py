"""What a person may change about a stay, and when: each a pure decision with its reasons.

A correction never makes a stay longer than its evidence: sensors and gates say how long at most,
people how much less. What is billed is changed by nobody; a dispute that is upheld cancels the
bill first.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from city.errors import Conflict, Invalid
from city.identifiers import VehicleId
from parking.rules.evidence import Hold, PartKind, SetAside
from parking.rules.stays import BayStay, ClosingReason, remainder

SHORTEST_REASON: Final = 3
LONGEST_REASON: Final = 500


def check_reason(reason: str) -> str:
    """Give a reason as it is kept; Invalid where it says nothing."""
    said = " ".join(reason.split())
    if not SHORTEST_REASON <= len(said) <= LONGEST_REASON:
        raise Invalid(
            f"must say why, in {SHORTEST_REASON} to {LONGEST_REASON} characters", field="reason"
        )
    return said


def check_open_to_change(stay: BayStay) -> None:
    """Refuse to change a stay that is billed, or about to be."""
    if stay.final:
        raise Conflict(
            "the stay is billed: dispute the bill", field="session_id", reason="announced"
        )


def ended(stay: BayStay, at: datetime, now: datetime, because: ClosingReason) -> BayStay:
    """End a stay in a bay by a person's word.

    Raises
    ------
    Conflict
        Where it is billed, or was over before.
    Invalid
        Where the instant lies before its beginning or in the future.
    """
    check_open_to_change(stay)
    _check_inside(stay, at, now)
    if stay.closed_at is not None and at >= stay.closed_at:
        raise Conflict("the stay was over before that", field="at", reason="closed")
    return replace(
        stay, closed_at=at, closing_reason=because, ended_at=at, ended_because=because, hold=None
    )


@dataclass(frozen=True, slots=True)
class Split:
    """One stay that turned out to be two vehicles'."""

    earlier: BayStay
    later: BayStay
    """Without an id."""


def split(stay: BayStay, at: datetime, now: datetime, *, vehicle_left: bool) -> Split:
    """Part a stay in two, where one vehicle followed another unseen by the sensor.

    Parameters
    ----------
    stay : BayStay
        In a bay.
    at : datetime
        From here on another vehicle stood there.
    now : datetime
        Business time.
    vehicle_left : bool
        Whether the vehicle that was noted is the one that left; else it is the one that came.

    Raises
    ------
    Conflict, Invalid
        As `ended`.
    """
    earlier = ended(stay, at, now, ClosingReason.NEXT_VEHICLE)
    later = _rest(stay, at)
    if not vehicle_left:
        later = replace(later, vehicle_id=stay.vehicle_id, attached_at=stay.attached_at)
        earlier = replace(earlier, vehicle_id=None, attached_at=None)
    return Split(earlier, later)


def part(stay: BayStay, into: BayStay, *, inside: bool = False) -> BayStay:
    """Say that a stay is the same vehicle's as another one, which counts.

    Parameters
    ----------
    stay, into : BayStay
        The part and the stay that counts.
    inside : bool
        Whether the one that counts goes from gate to gate around the other.

    Raises
    ------
    Conflict
        Where one of them is billed, has another vehicle, or is itself part of another.
    Invalid
        Where the one that counts has no vehicle, or begins after a continuation of it.
    """
    check_open_to_change(stay)
    check_open_to_change(into)
    if stay.id == into.id:
        raise Invalid("is the stay itself", field="into_id")
    if stay.part_of is not None or into.part_of is not None:
        raise Conflict("one of them is part of another stay already", field="into_id")
    if into.vehicle_id is None:
        raise Invalid("has no vehicle yet", field="into_id")
    if stay.vehicle_id not in {None, into.vehicle_id}:
        raise Conflict("they have different vehicles", field="into_id", reason="vehicle")
    if inside:
        kind = PartKind.INSIDE
    elif into.closed_at is not None and into.closed_at <= stay.opened_at:
        kind = PartKind.CONTINUATION
    elif stay.closed_at is not None and stay.closed_at <= into.opened_at:
        raise Invalid("begins after it: join the later one into the earlier one", field="into_id")
    else:
        kind = PartKind.STRADDLE
    return replace(stay, part_of=into.id, part_kind=kind)


def _rest(stay: BayStay, at: datetime) -> BayStay:
    """Give what is left of a stay from an instant on: it ends as the whole did, where it did."""
    return replace(
        remainder(stay, at),
        closed_at=stay.closed_at,
        closed_evidence=stay.closed_evidence,
        closing_reason=stay.closing_reason,
        uncertain_from_at=stay.uncertain_from_at,
        certain_until_at=stay.certain_until_at,
    )


@dataclass(frozen=True, slots=True)
class Moved:
    """Two stays after a vehicle was moved from one to the other."""

    source: BayStay
    target: BayStay


def moved(source: BayStay, target: BayStay, at: datetime) -> Moved:
    """Move a vehicle that was noted for the wrong bay.

    Raises
    ------
    Conflict
        Where one of them is billed, or the other has a vehicle.
    Invalid
        Where there is no vehicle to move.
    """
    check_open_to_change(source)
    check_open_to_change(target)
    if source.vehicle_id is None:
        raise Invalid("has no vehicle to move", field="session_id")
    if target.vehicle_id is not None or target.set_aside is not None or target.id == source.id:
        raise Conflict("takes no vehicle", field="to_id", reason="attached")
    return Moved(
        replace(source, vehicle_id=None, attached_at=None),
        replace(target, vehicle_id=source.vehicle_id, attached_at=at),
    )


def set_aside(stay: BayStay, what: SetAside) -> BayStay:
    """Say that what the sensor saw is nothing to be charged."""
    check_open_to_change(stay)
    return replace(stay, set_aside=what)


def renamed(stay: BayStay, vehicle_id: VehicleId, at: datetime) -> BayStay:
    """Say which vehicle it really is, where another one was noted.

    Raises
    ------
    Conflict
        Where it is billed.
    Invalid
        Where no vehicle was noted: then it is attached, not corrected.
    """
    check_open_to_change(stay)
    if stay.vehicle_id is None:
        raise Invalid("has no vehicle yet: attach it", field="session_id")
    return replace(stay, vehicle_id=vehicle_id, attached_at=at, hold=None)


def reopened(stay: BayStay) -> BayStay:
    """Let a stay be changed again whose bill was cancelled; it waits for that."""
    return replace(stay, announced_at=None, hold=Hold.DISPUTED)


def released(stay: BayStay) -> BayStay:
    """Let a stay be billed as it stands, after a person has looked at it.

    Raises
    ------
    Invalid
        Where it is not held, or held because nobody knows how long it was: that is stated first.
    """
    check_open_to_change(stay)
    if stay.hold is None:
        raise Invalid("is not held", field="session_id")
    if stay.hold in {Hold.MISSED_EXIT, Hold.NO_ENTRY}:
        raise Invalid("state when it began or ended: nobody knows it", field="session_id")
    return replace(stay, hold=None)


def swapped(stay: BayStay, vehicle_id: VehicleId, seen_at: datetime, now: datetime) -> Split:
    """Part a stay where another vehicle than the noted one is seen in the bay, `now`.

    The first one's stay ends when it was last seen: nobody knows when it left, and the time until
    the other one was seen is nobody's. So the next car's time is never billed to the one before.
    """
    check_open_to_change(stay)
    last_at = min(max(seen_at, stay.opened_at), now)
    earlier = ended(stay, last_at, now, ClosingReason.NEXT_VEHICLE)
    later = replace(_rest(stay, now), vehicle_id=vehicle_id, attached_at=now)
    return Split(earlier, later)


def _check_inside(stay: BayStay, at: datetime, now: datetime) -> None:
    if at < stay.opened_at:
        raise Invalid("lies before the stay began", field="at")
    if at > now:
        raise Invalid("lies in the future", field="at")
