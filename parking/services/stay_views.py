"""What people look at: a stay's evidence, stays that never end, a driver's own."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from city.errors import NotFound
from city.identifiers import AccountId, FacilityId, VehicleId
from parking.rules.evidence import Evidence, EvidenceKind
from parking.rules.open_stays import LongStay, why_open
from parking.rules.stays import ParkingSession, StayState
from parking.services.drives import STARTED_BY_DRIVER
from parking.store import stay_evidence, stay_lists
from parking.store.pages import DEFAULT_PAGE, Page


@dataclass(frozen=True, slots=True)
class Timeline:
    """A stay, its parts, and all that was said of them in the order of its time."""

    session: ParkingSession
    parts: tuple[ParkingSession, ...]
    evidence: tuple[Evidence, ...]


def timeline(connection: Connection, session: ParkingSession) -> Timeline:
    """Give what a stay is made of: two statements."""
    parts = tuple(stay_lists.parts(connection, session.id))
    said = stay_evidence.of_sessions(connection, [session.id, *(each.id for each in parts)])
    return Timeline(session, parts, tuple(said))


def long_open(
    connection: Connection,
    before_at: datetime,
    *,
    facility_id: FacilityId | None = None,
    districts: frozenset[str] | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int = DEFAULT_PAGE,
) -> tuple[list[LongStay], bool]:
    """Give stays that are open since before an instant, the longest first; and whether more follow.

    Two statements, whatever their number.
    """
    found = stay_lists.open_since(
        connection,
        before_at,
        facility_id=facility_id,
        districts=districts,
        after=after,
        limit=limit,
    )
    some = found[:limit]
    last = stay_evidence.last_words(connection, [each.id for each in some])
    return [
        LongStay(
            each,
            why_open(
                each,
                started_by_driver=each.stay.opened_evidence.startswith(f"{STARTED_BY_DRIVER}:"),
            ),
            last.get(each.id, each.stay.opened_at),
        )
        for each in some
    ], len(found) > limit


def of_driver(
    connection: Connection,
    account_id: AccountId,
    *,
    state: StayState | None = None,
    billed: bool = False,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[ParkingSession]:
    """Give a driver's stays, the newest first; with `billed` those that have or had a bill."""
    return stay_lists.of_driver(
        connection, account_id, state=state, billed=billed, after=after, limit=limit
    )


def standing_of(connection: Connection, vehicle_id: VehicleId) -> list[ParkingSession]:
    """Give a vehicle's stays that go on and are charged, in the whole city, the newest first."""
    return stay_lists.standing_of(connection, vehicle_id)


def parts(connection: Connection, session: ParkingSession) -> list[ParkingSession]:
    """Give the stays that are part of one."""
    return stay_lists.parts(connection, session.id)


def unmatched(
    connection: Connection,
    *,
    facility_id: FacilityId | None = None,
    districts: frozenset[str] | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[Evidence]:
    """Give passages through gates that belong to no stay, the latest first."""
    return stay_evidence.unmatched(
        connection, facility_id=facility_id, districts=districts, after=after, limit=limit
    )


def passage(connection: Connection, evidence_id: UUID) -> Evidence:
    """Give a passage through a gate; NotFound where there is none."""
    found = stay_evidence.find(connection, evidence_id)
    if found is None or found.kind not in {EvidenceKind.GATE_ENTRY, EvidenceKind.GATE_EXIT}:
        raise NotFound("there is no such passage", field="evidence_id")
    return found
