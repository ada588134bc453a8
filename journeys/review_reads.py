"""What people make of reads: review, correction of the stay, search by part of a plate.

A read that a person corrects becomes part of the labelled set, and the stay that followed from it
is put right, as far as it is not billed yet.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import Connection

from city.audit import record
from city.errors import CityError, Conflict, Invalid, NotFound
from city.identifiers import FacilityId, ParkingSessionId, VehicleId
from city.people.actors import Actor, system_actor
from city.vault import keep_plate, open_for_comparison
from city.vehicles import PlateNumber, normalise_plate
from city.works.database import UnitOfWork
from journeys.correct_stay import Correction, CorrectionKind, correct_stay, match_passage
from lpr.rules.camera_accuracy import Estimate, Stratum, accuracy
from lpr.rules.kept_reads import KeptRead
from lpr.rules.reviews import Review, ReviewAnswer
from lpr.store import read_lists
from lpr.store import reads as store
from parking.services import places, visits
from parking.store import lanes as lane_store
from parking.store.places import Facility

if TYPE_CHECKING:
    from pydantic import JsonValue

LONGEST_WINDOW: Final = timedelta(hours=24)
MOST_SEARCHED: Final = 2_000
OPENED_AT_ONCE: Final = 500
FEWEST_LETTERS: Final = 2
LONGEST_REASON: Final = 200
MOST_HOURS: Final = 5_000
SEARCH: Final = system_actor("reads.search")


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What became of a review."""

    read: KeptRead
    stay: str
    """`none`: nothing follows; `corrected`, `matched`; `billed`: too late; `unclear`: by hand."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, where, when and why.

    Raises
    ------
    Invalid
        Where the window is longer than a day, the part too short, or no reason is given.
    """

    facility_id: FacilityId
    from_at: datetime
    to_at: datetime
    part: str
    """Of a plate; ``?`` stands for any character."""
    reason: str

    def __post_init__(self) -> None:
        if not timedelta() < self.to_at - self.from_at <= LONGEST_WINDOW:
            raise Invalid("must lie within 24 hours after its beginning", field="to_at")
        if len(self.letters.replace("?", "")) < FEWEST_LETTERS:
            raise Invalid(f"must have at least {FEWEST_LETTERS} known characters", field="part")
        if not 3 <= len(self.reason.strip()) <= LONGEST_REASON:  # noqa: PLR2004 - a word
            raise Invalid("says why it is looked for", field="reason")

    @property
    def letters(self) -> str:
        """The part as plates are written."""
        return "?".join(normalise_plate(each) if each else "" for each in self.part.split("?"))


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave."""

    reads: tuple[KeptRead, ...]
    looked_at: int
    all_looked_at: bool
    """Whether the window held no more reads than are looked at."""


@dataclass(frozen=True, slots=True)
class CameraHour:
    """One camera in one hour."""

    camera: str
    hour_at: datetime
    reads: int
    accepted: int
    reviewed: int
    right: int
    last_at: datetime
    certainty: float
    estimate: Estimate | None


def home_of(connection: Connection, actor: Actor, facility_id: FacilityId) -> Facility:
    """Give a facility of the actor's districts.

    Raises
    ------
    NotFound
        Where there is none.
    """
    home = places.facilities_by_id(connection, [facility_id]).get(facility_id)
    if home is None or not actor.in_district(home.district):
        raise NotFound("there is no such facility in your districts", field="facility_id")
    return home


def review_read(
    uow: UnitOfWork,
    actor: Actor,
    read_id: UUID,
    said: ReviewAnswer,
    plate: PlateNumber | None = None,
) -> Reviewed:
    """Say what stands on a read's picture; put right what followed from it.

    Raises
    ------
    NotFound
        Where there is no such read in the actor's districts.
    Conflict
        Where somebody reviewed it.
    Invalid
        Where another plate is stated for a read that is not wrong, or none for one that is.
    """
    found = store.find(uow.connection, read_id)
    if found is None or not actor.in_district(found.district):
        raise NotFound("there is no such read", field="read_id")
    if found.review is Review.DONE:
        raise Conflict("somebody reviewed it", field="read_id", reason="reviewed")
    if (said is ReviewAnswer.WRONG) != (plate is not None):
        raise Invalid("is stated where the read is wrong, and only there", field="plate")
    stated = None if plate is None else keep_plate(uow, plate)
    if said is ReviewAnswer.WRONG and stated == found.vehicle_id:
        raise Invalid("is what was read", field="plate")
    read_lists.answer(
        uow.connection,
        read_id,
        said,
        stated_as=stated,
        at=uow.clock.now(),
        by=actor.subject,
    )
    stay = "none"
    if plate is not None and stated is not None:
        stay = _put_right(uow, actor, found, plate, stated)
    facts: dict[str, JsonValue] = {"answer": said.value, "stay": stay, "camera": found.camera}
    record(uow, actor, "lpr.read_reviewed", "plate-read", str(read_id), facts)
    return Reviewed(store.find(uow.connection, read_id) or found, stay)


def _put_right(
    uow: UnitOfWork, actor: Actor, read: KeptRead, plate: PlateNumber, stated: VehicleId
) -> str:
    """Correct the stay that followed from a wrong read, or match the passage that nobody could."""
    gone = lane_store.vehicle_of_read(uow.connection, read.id)
    if gone is None or gone.evidence_id is None:
        return "none"
    reason = "read on the picture"
    try:
        with uow.connection.begin_nested():
            if gone.session_id is not None:
                wish = Correction(CorrectionKind.IDENTIFY, reason, plate=plate)
                correct_stay(uow, actor, ParkingSessionId(gone.session_id), wish)
                return "corrected"
            inside = visits.open_at(uow, read.facility_id, stated)
            if len(inside) != 1:
                return "unclear"
            match_passage(uow, actor, gone.evidence_id, inside[0].id, reason)
            return "matched"
    except (Conflict, Invalid) as error:
        return "billed" if "billed" in str(error) else "unclear"
    except CityError:
        return "unclear"


def search_reads(uow: UnitOfWork, actor: Actor, wanted: Search) -> Found:
    """Find reads by part of a plate, at one facility in one window; on record with its reason.

    Raises
    ------
    NotFound
        Where there is no such facility in the actor's districts.
    """
    home = home_of(uow.connection, actor, wanted.facility_id)
    window = read_lists.window(
        uow.connection, wanted.facility_id, wanted.from_at, wanted.to_at, MOST_SEARCHED + 1
    )
    looked_at = window[:MOST_SEARCHED]
    ids = list({each.vehicle_id for each in looked_at if each.vehicle_id is not None})
    fitting: set[VehicleId] = set()
    for first in range(0, len(ids), OPENED_AT_ONCE):
        some = ids[first : first + OPENED_AT_ONCE]
        opened = open_for_comparison(uow, SEARCH, some, "search by part of a plate")
        fitting |= {each for each, plate in opened.items() if fits(wanted.letters, plate.text)}
    found = tuple(each for each in looked_at if each.vehicle_id in fitting)
    facts: dict[str, JsonValue] = {
        "from_at": wanted.from_at.isoformat(),
        "to_at": wanted.to_at.isoformat(),
        "letters": len(wanted.letters),
        "reason": wanted.reason.strip(),
        "looked_at": len(looked_at),
        "found": len(found),
    }
    record(uow, actor, "lpr.reads_searched", "facility", str(home.id), facts)
    return Found(found, len(looked_at), all_looked_at=len(window) <= MOST_SEARCHED)


def fits(part: str, plate: str) -> bool:
    """Say whether a plate has a part in it; ``?`` is any one character."""
    return any(
        all(wanted in {"?", there} for wanted, there in zip(part, plate[at:], strict=False))
        for at in range(len(plate) - len(part) + 1)
    )


def cameras_by_hour(
    connection: Connection, facility_id: FacilityId, from_at: datetime, to_at: datetime
) -> list[CameraHour]:
    """Give how each camera of a facility did in each hour of a window.

    Raises
    ------
    Invalid
        Where the window is longer than a day.
    """
    if not timedelta() < to_at - from_at <= LONGEST_WINDOW:
        raise Invalid("must lie within 24 hours after its beginning", field="to_at")
    told = read_lists.hours(connection, facility_id, from_at, to_at, MOST_HOURS)
    by_hour: dict[tuple[str, datetime], list[read_lists.CameraHour]] = {}
    for each in told:
        by_hour.setdefault((each.camera, each.hour_at), []).append(each)
    return [_hour(some) for some in by_hour.values()]


def _hour(bands: list[read_lists.CameraHour]) -> CameraHour:
    reads = sum(each.reads for each in bands)
    return CameraHour(
        camera=bands[0].camera,
        hour_at=bands[0].hour_at,
        reads=reads,
        accepted=sum(each.reads for each in bands if each.band.value == "accept"),
        reviewed=sum(each.reviewed for each in bands),
        right=sum(each.right for each in bands),
        last_at=max(each.last_at for each in bands),
        certainty=sum(each.certainty * each.reads for each in bands) / reads / 1000,
        estimate=accuracy([Stratum(each.reads, each.reviewed, each.right) for each in bands]),
    )
