"""Permits, their vehicles, facilities and extensions; writes are set-wise."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, Select, func, insert, or_, select, text, update

from city.identifiers import (
    AccountId,
    DistrictCode,
    FacilityId,
    PermitId,
    VehicleId,
    uuid7,
)
from parking.rules.rights.hours import Hours
from parking.rules.rights.permits import (
    Allowance,
    OverstayTerms,
    Per,
    Permit,
    PermitKind,
    Terms,
)
from parking.rules.rights.spans import Span
from parking.store.pages import DEFAULT_PAGE, Page, checked_limit, paged
from parking.store.rights_tables import (
    permit,
    permit_extension,
    permit_facility,
    permit_vehicle,
)
from parking.store.tables import vehicle_user

MOST_OF_A_DRIVER: Final = 200


@dataclass(frozen=True, slots=True)
class KeptPermit:
    """A permit as it is kept: with its number, who issued it, and who took it back and why."""

    permit: Permit
    number: int
    issued_at: datetime
    issued_by: str
    revoked_by: str | None = None
    revoked_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """A permit's end moved: by a renewal, or for time in which it could not be used."""

    permit_id: PermitId
    permit_number: int
    kind: str
    days: int
    valid_until: datetime
    """The end that it gave."""
    reason: str
    extended_at: datetime
    extended_by: str
    facility_id: FacilityId | None = None
    suspended: Span | None = None


def add(connection: Connection, new: Permit, *, at: datetime, by: str) -> int:
    """Write a new permit with its facilities; give its number."""
    terms = new.terms
    number = connection.execute(
        insert(permit)
        .values(
            id=new.id,
            district=new.district,
            kind=new.kind.value,
            label=new.label,
            timezone=new.timezone,
            valid_from=new.valid_from,
            valid_until=new.valid_until,
            concurrent_limit=terms.concurrent_limit,
            hours=terms.hours.as_json(),
            allowance_s=None if terms.allowance is None else terms.allowance.free_s,
            allowance_per=None if terms.allowance is None else terms.allowance.per.value,
            overstay=None if terms.overstay is None else terms.overstay.as_json(),
            issued_at=at,
            issued_by=by,
        )
        .returning(permit.c.number)
    ).scalar_one()
    connection.execute(
        insert(permit_facility),
        [{"permit_id": new.id, "facility_id": each} for each in sorted(new.facility_ids)],
    )
    return int(number)


def find(connection: Connection, permit_id: PermitId, *, lock: bool = False) -> KeptPermit | None:
    """Give a permit by its id; with `lock` nobody else changes it before the transaction ends."""
    query = permits_query().where(permit.c.id == permit_id)
    if lock:
        query = query.with_for_update(of=permit)
    row = connection.execute(query).one_or_none()
    return None if row is None else read_permit(row)


def page(
    connection: Connection,
    *,
    at: datetime,
    kind: PermitKind | None = None,
    facility_id: FacilityId | None = None,
    vehicle_id: VehicleId | None = None,
    state: str | None = None,
    districts: frozenset[str] | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[KeptPermit]:
    """Give permits, the newest first; cost grows with the page for every filter but the state."""
    query = permits_query().order_by(permit.c.id.desc()).limit(checked_limit(limit) + 1)
    if kind is not None:
        query = query.where(permit.c.kind == kind.value)
    if facility_id is not None:
        listed = select(permit_facility.c.permit_id).where(
            permit_facility.c.facility_id == facility_id
        )
        query = query.where(permit.c.id.in_(listed))
    if vehicle_id is not None:
        held = select(permit_vehicle.c.permit_id).where(
            permit_vehicle.c.vehicle_id == vehicle_id, permit_vehicle.c.until_at.is_(None)
        )
        query = query.where(permit.c.id.in_(held))
    if state is not None:
        query = query.where(_in_state(state, at))
    if districts is not None:
        query = query.where(permit.c.district.in_(sorted(districts)))
    if after is not None:
        query = query.where(permit.c.id < after)
    found = [read_permit(row) for row in connection.execute(query)]
    return paged(found, [each.permit.id for each in found], limit)


def of_driver(connection: Connection, account_id: AccountId) -> list[tuple[KeptPermit, VehicleId]]:
    """Give the permits on whose lists an account's vehicles are, the newest first, with each.

    At most `MOST_OF_A_DRIVER`.
    """
    users, listed = vehicle_user.c, permit_vehicle.c
    rows = connection.execute(
        permits_query()
        .add_columns(listed.vehicle_id.label("listed_vehicle"))
        .join(permit_vehicle, listed.permit_id == permit.c.id)
        .join(vehicle_user, users.vehicle_id == listed.vehicle_id)
        .where(users.account_id == account_id, users.until_at.is_(None), listed.until_at.is_(None))
        .order_by(permit.c.id.desc(), listed.id)
        .limit(MOST_OF_A_DRIVER)
    )
    return [(read_permit(row), VehicleId(row.listed_vehicle)) for row in rows]


def permits_of_facility(
    connection: Connection, facility_id: FacilityId, span: Span
) -> list[KeptPermit]:
    """Give every permit of a facility in force in a span of time, locked, in the order of ids."""
    query = (
        permits_query()
        .join(permit_facility, permit_facility.c.permit_id == permit.c.id)
        .where(
            permit_facility.c.facility_id == facility_id,
            permit.c.valid_from < span[1],
            permit.c.valid_until > span[0],
            permit.c.revoked_at.is_(None),
        )
        .order_by(permit.c.id)
        .with_for_update(of=permit)
    )
    return [read_permit(row) for row in connection.execute(query)]


def revoke(
    connection: Connection, permit_id: PermitId, *, at: datetime, by: str, reason: str
) -> None:
    """Write that a permit was taken back."""
    connection.execute(
        update(permit)
        .where(permit.c.id == permit_id)
        .values(revoked_at=at, revoked_by=by, revoked_reason=reason)
    )


def extend(connection: Connection, extensions: Sequence[Extension]) -> None:
    """Move the ends of permits and keep why, in two statements."""
    if not extensions:
        return
    connection.execute(
        insert(permit_extension),
        [
            {
                "id": uuid7(),
                "permit_id": each.permit_id,
                "permit_number": each.permit_number,
                "kind": each.kind,
                "days": each.days,
                "valid_until": each.valid_until,
                "reason": each.reason,
                "facility_id": each.facility_id,
                "suspended_from": each.suspended[0] if each.suspended else None,
                "suspended_until": each.suspended[1] if each.suspended else None,
                "extended_at": each.extended_at,
                "extended_by": each.extended_by,
            }
            for each in extensions
        ],
    )
    connection.execute(
        text(
            "update parking.permit p set valid_until = n.until_at, ended_announced_at = null"
            " from unnest(cast(:ids as uuid[]), cast(:until_ats as timestamptz[]))"
            " as n (id, until_at) where p.id = n.id"
        ),
        {
            "ids": [each.permit_id for each in extensions],
            "until_ats": [each.valid_until for each in extensions],
        },
    )


def compensated(
    connection: Connection, permit_ids: Collection[PermitId], span: Span
) -> frozenset[PermitId]:
    """Give those of some permits to which a part of a span was made good already."""
    found = connection.scalars(
        select(permit_extension.c.permit_id)
        .where(
            permit_extension.c.permit_id.in_(list(permit_ids)),
            permit_extension.c.kind == "compensation",
            permit_extension.c.suspended_from < span[1],
            permit_extension.c.suspended_until > span[0],
        )
        .distinct()
    )
    return frozenset(PermitId(each) for each in found)


def extensions(connection: Connection, permit_id: PermitId, limit: int = 100) -> list[Extension]:
    """Give how a permit's end was moved, the latest first."""
    rows = connection.execute(
        select(permit_extension)
        .where(permit_extension.c.permit_id == permit_id)
        .order_by(permit_extension.c.id.desc())
        .limit(limit)
    )
    return [
        Extension(
            PermitId(row.permit_id),
            row.permit_number,
            row.kind,
            row.days,
            row.valid_until,
            row.reason,
            row.extended_at,
            row.extended_by,
            None if row.facility_id is None else FacilityId(row.facility_id),
            None if row.suspended_from is None else (row.suspended_from, row.suspended_until),
        )
        for row in rows
    ]


def take_ended(connection: Connection, at: datetime, limit: int) -> list[KeptPermit]:
    """Mark permits that ended by an instant as announced; give them, at most `limit`."""
    due = (
        select(permit.c.id)
        .where(
            permit.c.ended_announced_at.is_(None),
            func.least(permit.c.valid_until, permit.c.revoked_at) <= at,
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    ids = list(
        connection.scalars(
            update(permit)
            .where(permit.c.id.in_(due))
            .values(ended_announced_at=at)
            .returning(permit.c.id)
        )
    )
    rows = connection.execute(permits_query().where(permit.c.id.in_(ids)).order_by(permit.c.id))
    return [read_permit(row) for row in rows]


def permits_query() -> Select[Any]:
    """Select permits with the ids of their facilities."""
    place = permit_facility.alias("place")
    places = (
        select(func.array_agg(place.c.facility_id))
        .where(place.c.permit_id == permit.c.id)
        .correlate(permit)
        .scalar_subquery()
    )
    return select(permit, places.label("facility_ids"))


def _in_state(state: str, at: datetime) -> Any:
    columns = permit.c
    standing = or_(columns.revoked_at.is_(None), columns.revoked_at > at)
    if state == "revoked":
        return columns.revoked_at <= at
    if state == "coming":
        return standing & (columns.valid_from > at)
    if state == "valid":
        return standing & (columns.valid_from <= at) & (columns.valid_until > at)
    return standing & (columns.valid_until <= at)


def read_permit(row: Row[Any]) -> KeptPermit:
    """Read a permit from a row of `permits_query`."""
    return KeptPermit(
        Permit(
            id=PermitId(row.id),
            kind=PermitKind(row.kind),
            district=DistrictCode(row.district),
            label=row.label,
            facility_ids=frozenset(FacilityId(each) for each in row.facility_ids),
            timezone=row.timezone,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            terms=Terms(
                hours=Hours.from_json(row.hours),
                concurrent_limit=row.concurrent_limit,
                allowance=allowance_of(row),
                overstay=None if row.overstay is None else OverstayTerms.from_json(row.overstay),
            ),
            revoked_at=row.revoked_at,
        ),
        row.number,
        row.issued_at,
        row.issued_by,
        row.revoked_by,
        row.revoked_reason,
    )


def allowance_of(row: Row[Any]) -> Allowance | None:
    """Read the allowance of a permit's or a benefit's row."""
    return None if row.allowance_s is None else Allowance(row.allowance_s, Per(row.allowance_per))
