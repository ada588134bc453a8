"""Readers: cameras and gates with a credential of their own, and what each may speak of."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from city.errors import Invalid
from city.identifiers import BayId, DistrictCode, FacilityId

MOST_BAYS: Final = 200
"""Bays that one camera sees: high on a pole it sees a dozen, on a hall's ceiling some scores."""


class ReaderKind(StrEnum):
    """What a reader is."""

    GATE = "gate"
    CAMERA = "camera"
    """It sees bays."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A device that reads plates.

    Raises
    ------
    Invalid
        Where a gate's has no gate or bays, or a camera a gate, no bays or too many.
    """

    id: UUID
    subject: str
    """The subject of its credential."""
    kind: ReaderKind
    facility_id: FacilityId
    district: DistrictCode
    registered_at: datetime
    gate: str | None = None
    bay_ids: frozenset[BayId] = frozenset()
    retired_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.kind is ReaderKind.GATE:
            if self.gate is None:
                raise Invalid("must name its gate", field="gate")
            if self.bay_ids:
                raise Invalid("a gate's reader sees no bays", field="bay_ids")
            return
        if self.gate is not None:
            raise Invalid("is of a gate's reader", field="gate")
        if not 1 <= len(self.bay_ids) <= MOST_BAYS:
            raise Invalid(f"a camera sees 1 to {MOST_BAYS} bays", field="bay_ids")

    def speaks_of_gate(self, facility_id: FacilityId, gate: str) -> bool:
        """Say whether passages through a gate are its to tell."""
        return self.kind is ReaderKind.GATE and (self.facility_id, self.gate) == (facility_id, gate)

    def speaks_of_bay(self, bay_id: BayId) -> bool:
        """Say whether reads of a bay are its to tell."""
        return self.kind is ReaderKind.CAMERA and bay_id in self.bay_ids
