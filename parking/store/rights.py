"""What the coverage of a stay is decided from, benefits among it, and what billed stays used."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, text, update

from city.identifiers import (
    BenefitId,
    DistrictCode,
    FacilityId,
    ParkingSessionId,
    PermitId,
    VehicleId,
    uuid7,
)
from city.vehicles import PlateKind
from parking.rules.rights.benefits import Benefit
from parking.rules.rights.hours import Hours
from parking.rules.rights.model import Presence, RightRef, Use
from parking.rules.rights.spans import Span
from parking.store.pages import DEFAULT_PAGE, Page, checked_limit, paged
from parking.store.permits import KeptPermit, allowance_of, permits_query, read_permit
from parking.store.rights_tables import benefit, permit, right_use

IN_SIGHT = text(
    "select distinct p.id from parking.permit_vehicle v"
    " join parking.permit p on p.id = v.permit_id"
    " join parking.permit_facility f on f.permit_id = p.id"
    " where v.vehicle_id = :vehicle and f.facility_id = :facility"
    " and p.valid_from < :until_at and p.valid_until > :from_at"
    " and (p.revoked_at is null or p.revoked_at > :from_at)"
    " and v.from_at < :until_at and (v.until_at is null or v.until_at > :from_at)"
)

LOCK = text(
    "select id from parking.permit where id = any(cast(:ids as uuid[])) order by id for update"
)

# Other stays of the permits' vehicles in the permits' facilities that share time with a stay and
# have no bill yet: an index range of `parking_session_vehicle` for each vehicle on the lists.
RIVALS = text(
    "select v.permit_id, s.id, s.vehicle_id, s.opened_at, coalesce(s.closed_at, :until_at)"
    "  as until_at, v.from_at as listed_at, v.until_at as unlisted_at"
    " from parking.permit_vehicle v"
    " join parking.parking_session s on s.vehicle_id = v.vehicle_id"
    " join parking.permit_facility f"
    "  on f.permit_id = v.permit_id and f.facility_id = s.facility_id"
    " where v.permit_id = any(cast(:permits as uuid[])) and s.id <> :session"
    " and s.bill_id is null and s.part_of is null and s.set_aside is null"
    " and s.opened_at < :until_at"
    " and (s.closed_at is null or s.closed_at > :from_at)"
    " and v.from_at < :until_at and (v.until_at is null or v.until_at > :from_at)"
)


@dataclass(frozen=True, slots=True)
class Rival:
    """Another stay that may take up a permit, with its vehicle's time on the list."""

    permit_id: PermitId
    presence: Presence
    listed_at: datetime
    unlisted_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewUse:
    """Time of a right that a stay has had, to be kept."""

    right: RightRef
    permit_number: int | None
    slot: int | None
    span: Span


def in_sight(
    connection: Connection,
    vehicle_id: VehicleId,
    facility_id: FacilityId,
    span: Span,
    *,
    lock: bool = False,
) -> list[KeptPermit]:
    """Give the permits that list a vehicle in a facility at some time of a span.

    With `lock` one stay of each is looked at, at a time: for the one who bills.
    """
    values = {
        "vehicle": vehicle_id,
        "facility": facility_id,
        "from_at": span[0],
        "until_at": span[1],
    }
    ids = [PermitId(each) for each in connection.scalars(IN_SIGHT, values)]
    if not ids:
        return []
    if lock:
        connection.execute(LOCK, {"ids": ids})
    rows = connection.execute(permits_query().where(permit.c.id.in_(ids)).order_by(permit.c.id))
    return [read_permit(row) for row in rows]


def rivals(
    connection: Connection,
    permit_ids: Collection[PermitId],
    session_id: ParkingSessionId,
    span: Span,
) -> list[Rival]:
    """Give the other stays that may take up permits in a span; one still open reaches its end."""
    rows = connection.execute(
        RIVALS,
        {
            "permits": list(permit_ids),
            "session": session_id,
            "from_at": span[0],
            "until_at": span[1],
        },
    )
    return [
        Rival(
            PermitId(row.permit_id),
            Presence(
                ParkingSessionId(row.id), VehicleId(row.vehicle_id), (row.opened_at, row.until_at)
            ),
            row.listed_at,
            row.unlisted_at,
        )
        for row in rows
    ]


def uses(
    connection: Connection,
    permit_ids: Collection[PermitId],
    session_id: ParkingSessionId,
    span: Span,
) -> dict[PermitId, list[Use]]:
    """Give what other billed stays than one used of permits in a span of time."""
    rows = connection.execute(
        select(right_use).where(
            right_use.c.permit_id.in_(list(permit_ids)),
            right_use.c.session_id != session_id,
            right_use.c.during.bool_op("&&")(func.tstzrange(*span)),
        )
    )
    found: dict[PermitId, list[Use]] = {}
    for row in rows:
        found.setdefault(PermitId(row.permit_id), []).append(_use(row))
    return found


def benefit_uses(
    connection: Connection,
    benefit_ids: Collection[BenefitId],
    session_id: ParkingSessionId,
    vehicle_id: VehicleId,
    span: Span,
) -> dict[BenefitId, list[Use]]:
    """Give what other billed stays of a vehicle than one used of benefits in a span of time."""
    rows = connection.execute(
        select(right_use).where(
            right_use.c.benefit_id.in_(list(benefit_ids)),
            right_use.c.vehicle_id == vehicle_id,
            right_use.c.session_id != session_id,
            right_use.c.during.bool_op("&&")(func.tstzrange(*span)),
        )
    )
    found: dict[BenefitId, list[Use]] = {}
    for row in rows:
        found.setdefault(BenefitId(row.benefit_id), []).append(_use(row))
    return found


def keep_uses(
    connection: Connection,
    session_id: ParkingSessionId,
    vehicle_id: VehicleId,
    used: Sequence[NewUse],
) -> None:
    """Keep what a stay used in place of what was kept for it, as a bill is written anew.

    The constraint refuses a slot that is taken.
    """
    connection.execute(delete(right_use).where(right_use.c.session_id == session_id))
    if not used:
        return
    connection.execute(
        insert(right_use),
        [
            {
                "id": uuid7(),
                "permit_id": each.right.id if each.right.kind == "permit" else None,
                "permit_number": each.permit_number,
                "benefit_id": each.right.id if each.right.kind == "benefit" else None,
                "session_id": session_id,
                "vehicle_id": vehicle_id,
                "slot": each.slot,
                "from_at": each.span[0],
                "until_at": each.span[1],
            }
            for each in used
        ],
    )


def _use(row: Row[Any]) -> Use:
    return Use(
        ParkingSessionId(row.session_id),
        VehicleId(row.vehicle_id),
        (row.from_at, row.until_at),
        row.slot,
    )


# --- benefits ------------------------------------------------------------------------------------


def add_benefit(connection: Connection, new: Benefit, *, at: datetime, by: str) -> None:
    """Write a new benefit."""
    connection.execute(
        insert(benefit).values(
            id=new.id,
            district=new.district,
            facility_id=new.facility_id,
            name_zh=new.name_zh,
            name_en=new.name_en,
            plate_kinds=sorted(new.plate_kinds),
            timezone=new.timezone,
            valid_from=new.valid_from,
            valid_until=new.valid_until,
            hours=new.hours.as_json(),
            allowance_s=None if new.allowance is None else new.allowance.free_s,
            allowance_per=None if new.allowance is None else new.allowance.per.value,
            source=new.source,
            stated_at=at,
            stated_by=by,
        )
    )


def find_benefit(
    connection: Connection, benefit_id: BenefitId, *, lock: bool = False
) -> Benefit | None:
    """Give a benefit by its id."""
    query = select(benefit).where(benefit.c.id == benefit_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _benefit(row)


def benefits(
    connection: Connection,
    *,
    districts: frozenset[str] | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[Benefit]:
    """Give benefits, the newest first."""
    query = select(benefit).order_by(benefit.c.id.desc()).limit(checked_limit(limit) + 1)
    if districts is not None:
        query = query.where(benefit.c.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(benefit.c.id < after)
    found = [_benefit(row) for row in connection.execute(query)]
    return paged(found, [each.id for each in found], limit)


def end_benefit(connection: Connection, benefit_id: BenefitId, at: datetime) -> None:
    """Let a benefit end at an instant."""
    connection.execute(
        update(benefit)
        .where(benefit.c.id == benefit_id)
        .values(valid_until=func.greatest(benefit.c.valid_from, at))
    )


def benefits_in_sight(
    connection: Connection,
    plate_kind: PlateKind,
    district: DistrictCode,
    facility_id: FacilityId,
    span: Span,
) -> list[Benefit]:
    """Give the benefits of a kind of plate in a facility in force at some time of a span.

    Cost grows with the benefits of the district: some dozens.
    """
    columns = benefit.c
    rows = connection.execute(
        select(benefit)
        .where(
            columns.district == district,
            columns.plate_kinds.contains([plate_kind.value]),
            or_(columns.facility_id.is_(None), columns.facility_id == facility_id),
            columns.valid_from < span[1],
            or_(columns.valid_until.is_(None), columns.valid_until > span[0]),
        )
        .order_by(columns.id)
    )
    return [_benefit(row) for row in rows]


def benefits_of(
    connection: Connection, district: DistrictCode, facility_id: FacilityId, span: Span
) -> list[Benefit]:
    """Give the benefits of all kinds of plates in a facility in force at some time of a span."""
    columns = benefit.c
    rows = connection.execute(
        select(benefit)
        .where(
            columns.district == district,
            or_(columns.facility_id.is_(None), columns.facility_id == facility_id),
            columns.valid_from < span[1],
            or_(columns.valid_until.is_(None), columns.valid_until > span[0]),
        )
        .order_by(columns.id)
    )
    return [_benefit(row) for row in rows]


def _benefit(row: Row[Any]) -> Benefit:
    return Benefit(
        id=BenefitId(row.id),
        district=DistrictCode(row.district),
        name_zh=row.name_zh,
        name_en=row.name_en,
        plate_kinds=frozenset(PlateKind(each) for each in row.plate_kinds),
        timezone=row.timezone,
        valid_from=row.valid_from,
        source=row.source,
        facility_id=None if row.facility_id is None else FacilityId(row.facility_id),
        valid_until=row.valid_until,
        hours=Hours.from_json(row.hours),
        allowance=allowance_of(row),
    )
