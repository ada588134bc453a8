"""Moving the ends of permits: renewals, and days given back for places that could not be used."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import Connection

from city.audit import record, record_all
from city.errors import Conflict, Invalid
from city.events.parking import PermitExtended
from city.identifiers import BayId, FacilityId, PermitId
from city.people.actors import Actor
from city.works.database import UnitOfWork
from parking.rules.rights.hours import local_date, midnight
from parking.rules.rights.permits import Permit, compensation_days, lengthened, term_end
from parking.rules.rights.spans import Span
from parking.services import places
from parking.services.permits import (
    checked_reason,
    find,
    hold_bays,
    require_district,
    require_standing,
)
from parking.store import permits as store
from parking.store import reservations as holds

MOST_COMPENSATED: Final = 20_000


@dataclass(frozen=True, slots=True)
class Compensated:
    """What a suspension gave back."""

    extended: tuple[tuple[PermitId, int], ...]
    """Permits, each with the days by which it was lengthened."""
    untouched: tuple[PermitId, ...]
    """Permits of which it took no hours."""
    done_before: tuple[PermitId, ...]
    """Permits to which a part of this time was made good already."""
    bay_taken: tuple[PermitId, ...]
    """Permits whose own bay somebody else holds afterwards: a person has to look at them."""


def extensions(connection: Connection, permit_id: PermitId) -> list[store.Extension]:
    """Give how a permit's end was moved, the latest hundred first."""
    return store.extensions(connection, permit_id)


def renew(
    uow: UnitOfWork, actor: Actor, permit_id: PermitId, months: int, reason: str
) -> store.KeptPermit:
    """Let a permit go on for natural months after its end, without a gap.

    Raises
    ------
    NotFound, Conflict, Invalid
        As `revoke`; Conflict too where somebody else holds a bay of its own by then.
    """
    why = checked_reason(reason)
    kept = require_standing(uow, actor, permit_id)
    permit = kept.permit
    last = local_date(permit.valid_until, permit.timezone)
    until = midnight(term_end(last, months), permit.timezone)
    days = (local_date(until, permit.timezone) - last).days
    if until <= permit.valid_until:
        raise Invalid("must lie between 1 and 120", field="months")
    extended = _extension(uow, kept, actor, "renewal", days, until, why)
    store.extend(uow.connection, [extended])
    bays = holds.bays_of_permits(uow.connection, [permit_id]).get(permit_id, [])
    hold_bays(uow, replace(permit, valid_until=until), bays, (permit.valid_until, until))
    _announce_extended(uow, kept, extended)
    record(
        uow,
        actor,
        "parking.permit_renewed",
        "permit",
        str(permit_id),
        {"months": months, "valid_until": until.isoformat(), "reason": why},
    )
    return find(uow.connection, permit_id)


def compensate(
    uow: UnitOfWork, actor: Actor, facility_id: FacilityId, suspended: Span, reason: str
) -> Compensated:
    """Make good to the permits of a facility that it could not be used for a time.

    Each is lengthened by the local days of which the suspension took any of its hours. The same
    time is made good once, whoever asks and however often.

    Parameters
    ----------
    uow : UnitOfWork
        Its transaction.
    actor : Actor
        An operator of the facility's district.
    facility_id : FacilityId
        The facility that could not be used, or whose bays could not.
    suspended : Span
        From when until when; it may lie in the past or the future.
    reason : str
        For the record and the holders.

    Raises
    ------
    NotFound
        Where there is no such facility.
    Invalid
        On a time without length, or beyond a year.
    """
    why = checked_reason(reason)
    home = places.facility(uow.connection, facility_id)
    require_district(actor, {home.district})
    if suspended[1] <= suspended[0]:
        raise Invalid("must lie after the beginning", field="until_at")
    if (suspended[1] - suspended[0]).days > 366:  # noqa: PLR2004 - a year
        raise Invalid("must lie within a year of the beginning", field="until_at")
    found = store.permits_of_facility(uow.connection, facility_id, suspended)
    if len(found) > MOST_COMPENSATED:
        raise Invalid("touches too many permits at once: choose a shorter time", field="until_at")
    before = store.compensated(uow.connection, [each.permit.id for each in found], suspended)
    bays = holds.bays_of_permits(uow.connection, [each.permit.id for each in found])
    extended: list[store.Extension] = []
    untouched: list[PermitId] = []
    taken: list[PermitId] = []
    for kept in found:
        permit = kept.permit
        if permit.id in before:
            continue
        days = compensation_days(permit, suspended)
        if days == 0:
            untouched.append(permit.id)
            continue
        until = lengthened(permit, min(days, 366))
        one = _extension(uow, kept, actor, "compensation", days, until, why, facility_id, suspended)
        extended.append(one)
        if not _hold_further(uow, permit, until, bays.get(permit.id, [])):
            taken.append(permit.id)
    store.extend(uow.connection, extended)
    by_id = {each.permit.id: each for each in found}
    for each in extended:
        _announce_extended(uow, by_id[each.permit_id], each)
    record_all(
        uow,
        actor,
        "parking.permit_compensated",
        "permit",
        {
            str(each.permit_id): {
                "facility_id": str(facility_id),
                "days": each.days,
                "valid_until": each.valid_until.isoformat(),
                "reason": why,
            }
            for each in extended
        },
    )
    return Compensated(
        tuple((each.permit_id, each.days) for each in extended),
        tuple(untouched),
        tuple(sorted(before)),
        tuple(taken),
    )


def _hold_further(
    uow: UnitOfWork, permit: Permit, until: datetime, bays: Sequence[tuple[BayId, FacilityId]]
) -> bool:
    """Hold a lengthened permit's own bays for the time it gained; False where one is taken."""
    try:
        hold_bays(uow, replace(permit, valid_until=until), bays, (permit.valid_until, until))
    except Conflict:
        return False
    return True


def _extension(  # noqa: PLR0917 - what happened to which, in the order of the sentence
    uow: UnitOfWork,
    kept: store.KeptPermit,
    actor: Actor,
    kind: Literal["renewal", "compensation"],
    days: int,
    until: datetime,
    reason: str,
    facility_id: FacilityId | None = None,
    suspended: Span | None = None,
) -> store.Extension:
    return store.Extension(
        kept.permit.id,
        kept.number,
        kind,
        days,
        until,
        reason,
        uow.clock.now(),
        actor.subject,
        facility_id,
        suspended,
    )


def _announce_extended(uow: UnitOfWork, kept: store.KeptPermit, extended: store.Extension) -> None:
    uow.announce(
        PermitExtended(
            occurred_at=extended.extended_at,
            permit_id=extended.permit_id,
            district=kept.permit.district,
            why="renewal" if extended.kind == "renewal" else "compensation",
            days=extended.days,
            valid_until=extended.valid_until,
        )
    )
