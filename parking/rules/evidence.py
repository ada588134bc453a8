"""What is said about stays: by sensors, gates, cameras, attendants, drivers and ourselves.

Evidence is kept as it was said and never changes. A stay is what its evidence joins to:
`parking.rules.stays.revise` joins a bay's history with what people said of it, and
`parking.rules.visits.join` joins what was said of one vehicle where gates, not sensors, count.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from city.errors import Invalid
from city.identifiers import BayId, DistrictCode, FacilityId, ParkingSessionId, VehicleId, uuid7

CERTAIN: Final = 1000
"""Per mille: what somebody states under their name, or a ticket that only one vehicle holds."""
STATED: Final = 950
"""What a person saw and typed: people mistype one plate in some dozens."""
CLAIMED: Final = 900
"""What a driver says of their own stay."""


class EvidenceSource(StrEnum):
    """What kind of witness speaks."""

    SENSOR = "sensor"
    GATE = "gate"
    CAMERA = "camera"
    ATTENDANT = "attendant"
    """Also operators, where they correct."""
    DRIVER = "driver"
    SYSTEM = "system"


class EvidenceKind(StrEnum):
    """What is said."""

    BAY_ARRIVAL = "bay-arrival"
    """The bay became occupied at `at`."""
    BAY_DEPARTURE = "bay-departure"
    BAY_SILENCE = "bay-silence"
    """Nobody knows from here on; `detail.certain_until` is the last certain instant."""
    BAY_STILL_TAKEN = "bay-still-taken"
    """A departure or a silence was taken back."""
    BAY_WITHDRAWN = "bay-withdrawn"
    """An arrival was taken back."""
    GATE_ENTRY = "gate-entry"
    GATE_EXIT = "gate-exit"
    CAMERA_READ = "camera-read"
    """A camera saw the vehicle inside, or in its bay."""
    PLATE_SEEN = "plate-seen"
    """A person saw the vehicle and named it."""
    DRIVER_START = "driver-start"
    DRIVER_EXTENSION = "driver-extension"
    DRIVER_END = "driver-end"
    RESERVATION = "reservation"
    """A vehicle is expected: by itself it opens, closes and names nothing."""
    PAID_AHEAD = "paid-ahead"
    ENTRY_STATED = "entry-stated"
    """A person states when the vehicle came in, where no gate saw it."""
    EXIT_STATED = "exit-stated"
    ENDED = "ended"
    """A person states when the vehicle left its bay."""
    SPLIT = "split"
    """A person states that another vehicle stood there from here on."""
    JOINED = "joined"
    """A person or rule states that two stays are one vehicle's."""
    VEHICLE_MOVED = "vehicle-moved"
    """A person states that the vehicle was noted for the wrong bay."""
    SET_ASIDE = "set-aside"
    """A person states that what the sensor saw is nothing to be charged."""
    IDENTIFIED = "identified"
    """A person states which vehicle it really is."""
    EXEMPTED = "exempted"
    """A person frees the stay of its fee, for one of its region's reasons."""
    EXEMPTION_WITHDRAWN = "exemption-withdrawn"
    ESCAPED = "escaped"
    """A person saw it drive off although its driver was asked to pay."""
    ESCAPE_WITHDRAWN = "escape-withdrawn"
    """A supervisor takes that back."""


SENSOR_KINDS: Final = frozenset(
    {
        EvidenceKind.BAY_ARRIVAL,
        EvidenceKind.BAY_DEPARTURE,
        EvidenceKind.BAY_SILENCE,
        EvidenceKind.BAY_STILL_TAKEN,
        EvidenceKind.BAY_WITHDRAWN,
    }
)
MOST_DETAIL: Final = 20
"""Members of a detail: ids, instants, short words; never a plate."""


class Hold(StrEnum):
    """Why a stay that is over is not billed until a person has looked at it."""

    MISSED_EXIT = "missed-exit"
    """It came in again without having left: nobody knows when it left."""
    NO_ENTRY = "no-entry"
    """It left without having come in: nobody knows since when it was there."""
    PLATE_DOUBTFUL = "plate-doubtful"
    """No read of its plate was good enough to bill anybody."""
    PLATE_DIFFERS = "plate-differs"
    """A camera saw another plate in the bay than was noted."""
    DISPUTED = "disputed"
    """Its bill was cancelled by a dispute: it is billed again only where a person corrects it."""


class SetAside(StrEnum):
    """What stood there instead of a vehicle that pays for a bay."""

    MOTORCYCLE = "motorcycle"
    OBJECT = "object"
    WORKS = "works"
    SENSOR_FAULT = "sensor-fault"
    OTHER = "other"


class PartKind(StrEnum):
    """How a stay belongs to another one of the same vehicle."""

    STRADDLE = "straddle"
    """One vehicle over two bays (跨位): the other bay's stay counts, this one is covered."""
    CONTINUATION = "continuation"
    """The same vehicle went on standing there after a time of which nobody knows: it is rated in
    one with the other, without the time in between."""
    INSIDE = "inside"
    """Where it stood behind a gate: the stay from gate to gate counts."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that was said.

    Raises
    ------
    Invalid
        On a certainty outside 0 to 1000, or a detail that is too large.
    """

    kind: EvidenceKind
    at: datetime
    """When it was so."""
    recorded_at: datetime
    """When we heard of it."""
    source: EvidenceSource
    certainty: int
    """Per mille."""
    by: str
    """Subject of the actor; of sensors the observation that it follows from."""
    facility_id: FacilityId
    district: DistrictCode
    session_id: ParkingSessionId | None = None
    """Of which stay it speaks; None while nobody can tell."""
    bay_id: BayId | None = None
    vehicle_id: VehicleId | None = None
    """Under which identity it is joined."""
    read_as: VehicleId | None = None
    """What was read, where that is not the identity under which it is joined."""
    event_key: str | None = None
    """The sender's own name of it: what comes twice under it is kept once."""
    detail: Mapping[str, JsonValue] = field(default_factory=dict)
    id: UUID = field(default_factory=uuid7)

    def __post_init__(self) -> None:
        if not 0 <= self.certainty <= CERTAIN:
            raise Invalid("must lie between 0 and 1000", field="certainty")
        if len(self.detail) > MOST_DETAIL:
            raise Invalid("holds too much", field="detail")

    @property
    def names(self) -> VehicleId | None:
        """The vehicle that it names."""
        return self.read_as or self.vehicle_id
