"""Stays freed of their fee: by a person for a region's reason, or by their plate's kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import JsonValue
from sqlalchemy import Connection, exc

from city.errors import Conflict
from city.identifiers import DistrictCode, FacilityId, ParkingSessionId, uuid7
from city.vehicles import PlateKind
from city.works.database import UnitOfWork
from parking.rules.corrections import check_open_to_change
from parking.rules.evidence import Evidence, EvidenceKind
from parking.rules.exemptions import Exemption, ExemptionPolicy, RegionExemptions
from parking.rules.rights.hours import ALWAYS
from parking.rules.stays import ParkingSession
from parking.rules.tariffs.document import Name
from parking.rules.tariffs.model import VehicleTraits
from parking.rules.tariffs.plan import exemption_of
from parking.services import tariffs
from parking.services.corrections import Word
from parking.store import exemptions as store
from parking.store import rights as rights_store
from parking.store import stay_evidence

_INSTANT: Final = timedelta(microseconds=1)


class FreeBy(StrEnum):
    """What frees a kind of plate."""

    TARIFF = "tariff"
    BENEFIT = "benefit"


@dataclass(frozen=True, slots=True)
class FreeKind:
    """A kind of plate that pays nothing at a place, without anybody saying so."""

    kind: PlateKind
    name: Name
    by: FreeBy


def policy_at(connection: Connection, district: DistrictCode, at: datetime) -> ExemptionPolicy:
    """Give the reasons that a district accepts then."""
    return store.in_force(connection, district, at)


def policies(connection: Connection) -> list[RegionExemptions]:
    """Give what regions ruled, by district, the latest first."""
    return store.all_of(connection)


def state_policy(
    uow: UnitOfWork,
    district: DistrictCode | None,
    from_at: datetime | None,
    policy: ExemptionPolicy,
    by: str,
) -> RegionExemptions:
    """Keep what a region rules from an instant on; what was said before stays.

    Raises
    ------
    Conflict
        Where it would begin in the past, or another begins then.
    """
    now = uow.clock.now()
    stated = RegionExemptions(uuid7(), district, from_at or now, policy, now, by)
    if stated.from_at < now:
        raise Conflict("cannot begin in the past", field="from_at")
    try:
        with uow.attempt():
            store.add(uow.connection, stated)
    except exc.IntegrityError:
        raise Conflict("another version begins then", field="from_at") from None
    return stated


def free_kinds(
    connection: Connection, facility_id: FacilityId, district: DistrictCode, at: datetime
) -> list[FreeKind]:
    """Give the kinds of plates that pay nothing at a place for a stay that begins now.

    Kinds that are free at some hours alone, or for some time, are not among them.
    """
    known = tariffs.tariff_at(connection, facility_id, at)
    tariff = None if known is None else known[1]
    benefits = rights_store.benefits_of(connection, district, facility_id, (at, at + _INSTANT))
    found: list[FreeKind] = []
    for kind in PlateKind:
        if tariff is not None:
            exemption = exemption_of(tariff.document, VehicleTraits(plate_kind=kind))
            if exemption is not None:
                found.append(FreeKind(kind, exemption.name, FreeBy.TARIFF))
                continue
        for each in benefits:
            always = each.hours == ALWAYS and each.valid_until is None
            if each.exempts and always and kind in each.plate_kinds:
                name = Name(zh=each.name_zh, en=each.name_en)
                found.append(FreeKind(kind, name, FreeBy.BENEFIT))
                break
    return found


def of_stay(connection: Connection, session_id: ParkingSessionId) -> Exemption | None:
    """Give what was said last when a stay was freed of its fee."""
    return store.latest(connection, session_id)


def free(uow: UnitOfWork, session: ParkingSession, exemption: Exemption) -> None:
    """Free a stay, held by the caller, of its fee; its evidence says who said so and why.

    Raises
    ------
    Conflict
        Where it was set aside, is part of another stay, or is free already.
    """
    stay = session.stay
    if stay.set_aside is not None:
        raise Conflict("the stay was set aside", field="session_id", reason="set-aside")
    if stay.part_of is not None:
        raise Conflict("another stay counts", field="session_id", reason="part")
    if session.exempt is not None:
        raise Conflict("the stay is free already", field="session_id", reason="exempt")
    store.mark(uow.connection, session.id, exemption.code)
    word = Word(exemption.by, exemption.words)
    _say(uow, session, EvidenceKind.EXEMPTED, exemption.at, word, exemption.detail())


def withdraw(uow: UnitOfWork, session: ParkingSession, word: Word) -> None:
    """Take back that a stay is free, before it is billed.

    Raises
    ------
    Conflict
        Where it is not free, or is billed.
    """
    check_open_to_change(session.stay)
    if session.exempt is None:
        raise Conflict("the stay was not freed of its fee", field="session_id")
    store.mark(uow.connection, session.id, None)
    detail: dict[str, JsonValue] = {"exempt": session.exempt, "reason": word.reason}
    _say(uow, session, EvidenceKind.EXEMPTION_WITHDRAWN, uow.clock.now(), word, detail)


def _say(  # noqa: PLR0917 - of which stay, what, when, by whom
    uow: UnitOfWork,
    session: ParkingSession,
    kind: EvidenceKind,
    at: datetime,
    word: Word,
    detail: Mapping[str, JsonValue],
) -> None:
    said = Evidence(
        kind=kind,
        at=at,
        recorded_at=uow.clock.now(),
        source=word.source,
        certainty=word.certainty,
        by=word.by,
        facility_id=session.facility_id,
        district=session.district,
        session_id=session.id,
        bay_id=session.bay_id,
        vehicle_id=session.admitted_as or session.stay.vehicle_id,
        detail=detail,
    )
    stay_evidence.add(uow.connection, [said])
