"""Whether a gate asks for money before a vehicle leaves: by its facility's or region's rule.

Pure. Leave first, pay later is what holds where nobody ruled otherwise. A gate asks for this stay's
fee alone: arrears take the favour of leaving first away, and never detain a car.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from city.errors import Invalid
from city.identifiers import DistrictCode, FacilityId

LONGEST_SOURCE: Final = 500


class ExitMode(StrEnum):
    """When a stay is paid for."""

    LEAVE_FIRST = "leave-first"
    """The bill comes after; a gate opens for whoever is known."""
    PAY_FIRST = "pay-first"
    """What is due is paid before the gate opens; then the tariff's exit grace runs."""


class Verdict(StrEnum):
    """What a gate does."""

    OPEN = "open"
    ASK = "ask"
    """Stay closed, tell what is due and how to pay it, and ask again."""
    CALL = "call"
    """A person decides: nobody knows whose stay it is."""


class Because(StrEnum):
    """Why."""

    NOTHING_DUE = "nothing-due"
    """It cost nothing, was paid for ahead, or a right covers it."""
    LEAVE_FIRST = "leave-first"
    PAY_FIRST = "pay-first"
    ARREARS = "arrears"
    """It may leave first elsewhere: its vehicle lost that by overdue bills."""
    PAYING = "paying"
    """A channel does not say yet whether it was paid: that is not the driver's to wait for."""
    NOT_KNOWN = "not-known"
    """No stay that is counted belongs to what was read."""


@dataclass(frozen=True, slots=True)
class ExitRule:
    """What a facility, a district or the whole city rules, from when.

    Parameters
    ----------
    id : UUID
    facility_id : FacilityId or None
        Only this one.
    district : DistrictCode or None
        Every facility of it without a rule of its own; both None: every other one.
    mode : ExitMode
    from_at, agreed_at : datetime
        From when it holds, never before it was agreed.
    source, agreed_by : str
        What it rests on, and who proposed it.
    approved_by : str or None
        Who approved it; None: from before two people were asked for.

    Raises
    ------
    Invalid
        Where both a facility and a district are named, it would begin in the past, or no source is
        given.
    """

    id: UUID
    facility_id: FacilityId | None
    district: DistrictCode | None
    mode: ExitMode
    from_at: datetime
    source: str
    agreed_at: datetime
    agreed_by: str
    approved_by: str | None = None

    def __post_init__(self) -> None:
        if self.facility_id is not None and self.district is not None:
            raise Invalid("is of a facility or of a district, not of both", field="district")
        if self.from_at < self.agreed_at:
            raise Invalid("must not lie in the past", field="from_at")
        if not 1 <= len(self.source.strip()) <= LONGEST_SOURCE:
            raise Invalid("states what the rule rests on", field="source")

    @property
    def nearness(self) -> int:
        """How near it is: a facility's own comes before its district's, that before the city's."""
        return 2 if self.facility_id is not None else 1 if self.district is not None else 0


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of who stands at the gate.

    Parameters
    ----------
    known : bool
        Whether a stay that counts belongs to what was read.
    due_minor : int
        What is due of it now.
    paying : bool
        Whether a channel does not say yet if an order over it was paid.
    lost : bool
        Whether the vehicle has lost the favour of leaving first.
    """

    known: bool
    due_minor: int = 0
    paying: bool = False
    lost: bool = False


def mode_of(
    rules: Sequence[ExitRule], facility_id: FacilityId, district: DistrictCode, at: datetime
) -> ExitMode:
    """Give the mode that a facility follows at an instant, by the nearest and latest rule."""
    fitting = [
        each
        for each in rules
        if each.from_at <= at
        and each.facility_id in {facility_id, None}
        and each.district in {district, None}
    ]
    if not fitting:
        return ExitMode.LEAVE_FIRST
    return max(fitting, key=lambda each: (each.nearness, each.from_at)).mode


def decide(mode: ExitMode, standing: Standing) -> tuple[Verdict, Because]:
    """Say what a gate does, and why.

    A read that belongs to no stay opens a gate that lets leave first, where a person matches it
    afterwards; where one pays first, a person is called. Nobody is asked for money on a read that
    is not clear.
    """
    if not standing.known:
        opens = mode is ExitMode.LEAVE_FIRST
        return (Verdict.OPEN if opens else Verdict.CALL), Because.NOT_KNOWN
    if standing.due_minor == 0:
        return Verdict.OPEN, Because.NOTHING_DUE
    if standing.paying:
        return Verdict.OPEN, Because.PAYING
    if mode is ExitMode.PAY_FIRST:
        return Verdict.ASK, Because.PAY_FIRST
    if standing.lost:
        return Verdict.ASK, Because.ARREARS
    return Verdict.OPEN, Because.LEAVE_FIRST
