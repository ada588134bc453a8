"""What covers a stay, what billed stays used, and the benefits of kinds of plates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from city.audit import record
from city.errors import Conflict, Invalid, NotFound
from city.identifiers import (
    BenefitId,
    DistrictCode,
    FacilityId,
    ParkingSessionId,
    PermitId,
    VehicleId,
    uuid7,
)
from city.people.actors import Actor
from city.vehicles import PlateKind
from city.works.database import UnitOfWork
from parking.rules.rights.benefits import Benefit
from parking.rules.rights.coverage import cover
from parking.rules.rights.hours import ALWAYS, Hours
from parking.rules.rights.model import (
    BenefitInSight,
    Coverage,
    PermitInSight,
    Presence,
    slots_for,
)
from parking.rules.rights.permits import Allowance, Membership
from parking.rules.rights.spans import Span
from parking.rules.rights.standing import Effect, Standing
from parking.rules.rights.texts import REASONS
from parking.rules.tariffs.reasons import Why
from parking.services import blacklists, places
from parking.store import permit_lists
from parking.store import permits as permit_store
from parking.store import reservations as hold_store
from parking.store import rights as store
from parking.store import standing as standing_store
from parking.store.pages import DEFAULT_PAGE, Page

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class StayInSight:
    """A stay whose coverage is asked for."""

    session_id: ParkingSessionId
    vehicle_id: VehicleId
    facility_id: FacilityId
    district: DistrictCode
    span: Span
    """Of an open stay: until the present instant."""
    plate_kind: PlateKind | None = None
    """None where the vehicle was forgotten."""


@dataclass(frozen=True, slots=True)
class Covered:
    """The coverage of a stay, and what it was decided from."""

    coverage: Coverage
    standing: Standing
    """What is held against the vehicle, as of its arrival."""
    permits: tuple[PermitInSight, ...]
    numbers: dict[PermitId, int]


@dataclass(frozen=True, slots=True)
class BenefitWish:
    """What a region grants to kinds of plates."""

    district: DistrictCode
    name_zh: str
    name_en: str
    plate_kinds: frozenset[PlateKind]
    valid_from: datetime
    source: str
    timezone: str
    facility_id: FacilityId | None = None
    valid_until: datetime | None = None
    hours: Hours = ALWAYS
    allowance: Allowance | None = None


def coverage(connection: Connection, stay: StayInSight, *, lock: bool = False) -> Covered:
    """Say what covers a stay.

    Parameters
    ----------
    connection : Connection
        At most seven statements.
    stay : StayInSight
        The stay and what is known of its vehicle.
    lock : bool
        For the one who bills: its permits are looked at by one stay at a time.

    Notes
    -----
    Cost grows with the vehicles on the lists of the vehicle's permits, an index look-up each.
    """
    held = blacklists.standing_of(connection, stay.vehicle_id, stay.district, stay.span[0])
    presence = Presence(stay.session_id, stay.vehicle_id, stay.span)
    kept = store.in_sight(connection, stay.vehicle_id, stay.facility_id, stay.span, lock=lock)
    permits = _permits_in_sight(connection, stay, kept)
    benefits = _benefits_in_sight(connection, stay)
    found = cover(presence, permits, benefits, refused=_refused(held, stay.district))
    numbers = {each.permit.id: each.number for each in kept}
    return Covered(found, held, tuple(permits), numbers)


def keep_used(uow: UnitOfWork, stay: StayInSight, covered: Covered) -> None:
    """Keep what a billed stay used of its rights, in the transaction that bills it.

    Of a permit with a limit each stretch takes one of its slots: the database refuses a slot that
    is taken, whatever was decided.
    """
    seen = {each.permit.id: each for each in covered.permits}
    used: list[store.NewUse] = []
    for right, spans in covered.coverage.used().items():
        permit = seen.get(PermitId(right.id)) if right.kind == "permit" else None
        if permit is None:
            used += [store.NewUse(right, None, None, span) for span in spans]
            continue
        number = covered.numbers[permit.permit.id]
        limit = permit.permit.terms.concurrent_limit
        if limit is None:
            used += [store.NewUse(right, number, None, span) for span in spans]
            continue
        used += [
            store.NewUse(right, number, slot, span)
            for slot, span in slots_for(limit, spans, permit.uses)
        ]
    store.keep_uses(uow.connection, stay.session_id, stay.vehicle_id, used)


def needed(
    connection: Connection, vehicle_ids: Sequence[VehicleId], at: datetime
) -> frozenset[VehicleId]:
    """Give those of some vehicles that a right, a reservation or a blacklist still names."""
    return (
        permit_lists.listed(connection, vehicle_ids, at)
        | hold_store.reserving(connection, vehicle_ids)
        | standing_store.listed(connection, vehicle_ids, at)
    )


def _permits_in_sight(
    connection: Connection, stay: StayInSight, kept: Sequence[permit_store.KeptPermit]
) -> list[PermitInSight]:
    if not kept:
        return []
    ids = [each.permit.id for each in kept]
    limited = [each.permit.id for each in kept if each.permit.terms.concurrent_limit is not None]
    members = permit_lists.members(connection, ids, [stay.vehicle_id])
    uses = store.uses(connection, ids, stay.session_id, _with_days(stay.span))
    rivals: dict[PermitId, dict[ParkingSessionId, Presence]] = {}
    if limited:
        for rival in store.rivals(connection, limited, stay.session_id, stay.span):
            # one row for each time on the list: the stay once, the times all
            there = rivals.setdefault(rival.permit_id, {})
            there[rival.presence.session_id] = rival.presence
            if rival.presence.vehicle_id != stay.vehicle_id:
                members.setdefault(rival.permit_id, []).append(
                    Membership(rival.presence.vehicle_id, rival.listed_at, rival.unlisted_at)
                )
    return [
        PermitInSight(
            each.permit,
            tuple(dict.fromkeys(members.get(each.permit.id, ()))),
            tuple(rivals.get(each.permit.id, {}).values()),
            tuple(uses.get(each.permit.id, ())),
        )
        for each in kept
    ]


def _benefits_in_sight(connection: Connection, stay: StayInSight) -> list[BenefitInSight]:
    if stay.plate_kind is None:
        return []
    found = store.benefits_in_sight(
        connection, stay.plate_kind, stay.district, stay.facility_id, stay.span
    )
    rationed = [each.id for each in found if each.allowance is not None]
    used = (
        store.benefit_uses(
            connection, rationed, stay.session_id, stay.vehicle_id, _with_days(stay.span)
        )
        if rationed
        else {}
    )
    return [BenefitInSight(each, tuple(used.get(each.id, ()))) for each in found]


def _with_days(span: Span) -> Span:
    """Widen a span so that it holds all of the local days that it touches."""
    return span[0] - _DAY, span[1] + _DAY


def _refused(held: Standing, district: DistrictCode) -> Why | None:
    if not held.has(Effect.NO_RIGHTS):
        return None
    first = held.listings[Effect.NO_RIGHTS][0]
    zh, en = REASONS[first.reason.value]
    return Why("rights.why.blacklisted", {"district": district, "reason": {"zh": zh, "en": en}})


# --- benefits ------------------------------------------------------------------------------------


def state_benefit(uow: UnitOfWork, actor: Actor, wish: BenefitWish) -> Benefit:
    """State what a region grants to kinds of plates.

    Raises
    ------
    Invalid
        Naming field and rule; also where it would begin in the past, under bills that are written.
    NotFound
        Where there is no such facility in the district.
    """
    if not actor.in_district(wish.district):
        raise NotFound("there is no such district in yours", field="district")
    if wish.facility_id is not None:
        home = places.facilities_by_id(uow.connection, [wish.facility_id]).get(wish.facility_id)
        if home is None or home.district != wish.district:
            raise NotFound("there is no such facility in the district", field="facility_id")
    now = uow.clock.now()
    if wish.valid_from < now - _DAY:
        raise Invalid("lies in the past: bills are written by then", field="valid_from")
    if wish.valid_until is not None and wish.valid_until <= wish.valid_from:
        raise Invalid("must lie after the beginning", field="valid_until")
    benefit = Benefit(
        id=BenefitId(uuid7()),
        district=wish.district,
        name_zh=wish.name_zh,
        name_en=wish.name_en,
        plate_kinds=wish.plate_kinds,
        timezone=wish.timezone,
        valid_from=wish.valid_from,
        source=wish.source,
        facility_id=wish.facility_id,
        valid_until=wish.valid_until,
        hours=wish.hours,
        allowance=wish.allowance,
    )
    store.add_benefit(uow.connection, benefit, at=now, by=actor.subject)
    record(
        uow,
        actor,
        "parking.benefit_stated",
        "benefit",
        str(benefit.id),
        {
            "district": benefit.district,
            "name": benefit.name_en,
            "plate_kinds": [kind.value for kind in sorted(benefit.plate_kinds)],
            "source": benefit.source,
        },
    )
    return benefit


def end_benefit(uow: UnitOfWork, actor: Actor, benefit_id: BenefitId) -> Benefit:
    """Let a benefit end now.

    Raises
    ------
    NotFound
        Where there is no such benefit.
    Conflict
        Where it has ended already.
    """
    found = store.find_benefit(uow.connection, benefit_id, lock=True)
    if found is None or not actor.in_district(found.district):
        raise NotFound("there is no such benefit", field="benefit_id")
    now = uow.clock.now()
    if found.valid_until is not None and found.valid_until <= now:
        raise Conflict("the benefit has ended", field="benefit_id")
    store.end_benefit(uow.connection, benefit_id, now)
    record(uow, actor, "parking.benefit_ended", "benefit", str(benefit_id), {"name": found.name_en})
    ended = store.find_benefit(uow.connection, benefit_id)
    if ended is None:
        raise NotFound("there is no such benefit", field="benefit_id")
    return ended


def benefits(
    connection: Connection,
    *,
    districts: frozenset[str] | None = None,
    after: UUID | None = None,
    limit: int = DEFAULT_PAGE,
) -> Page[Benefit]:
    """Give benefits, the newest first."""
    return store.benefits(connection, districts=districts, after=after, limit=limit)
