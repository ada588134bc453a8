"""What tests of rights share: a permit, a stay and instants by the clock of one winter day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from city.identifiers import DistrictCode, FacilityId, ParkingSessionId, PermitId, VehicleId
from parking.rules.rights.model import Coverage, PermitInSight, Presence, Use
from parking.rules.rights.permits import Membership, Permit, PermitKind, Terms

MIDNIGHT = datetime(2026, 3, 1, 16, tzinfo=UTC)
"""Monday 2 March 2026, 00:00 in Shanghai."""
LOT = FacilityId(UUID(int=1))


def at(clock: str, day: int = 0) -> datetime:
    """Give an instant by the wall clock of Shanghai, so many days after that Monday."""
    hour, minute = clock.split(":")
    return MIDNIGHT + timedelta(days=day, hours=int(hour), minutes=int(minute))


def car(number: int) -> VehicleId:
    return VehicleId(UUID(int=100 + number))


def stay(number: int, enter: datetime, leave: datetime) -> Presence:
    """Give the stay of a car; its id is the car's."""
    return Presence(ParkingSessionId(UUID(int=1000 + number)), car(number), (enter, leave))


def permit(terms: Terms | None = None, **changes: Any) -> Permit:
    """Give a permit of March for one car at a time."""
    values: dict[str, Any] = {
        "id": PermitId(UUID(int=7)),
        "kind": PermitKind.MONTH,
        "district": DistrictCode("0153"),
        "label": "M-1",
        "facility_ids": frozenset({LOT}),
        "timezone": "Asia/Shanghai",
        "valid_from": at("00:00", -1),
        "valid_until": at("00:00", 30),
        "terms": terms or Terms(),
    }
    return Permit(**(values | changes))


def seen(of: Permit, cars: int, *rivals: Presence, uses: tuple[Use, ...] = ()) -> PermitInSight:
    """Give a permit that lists so many cars since it began, and other stays of theirs."""
    members = tuple(Membership(car(number), of.valid_from) for number in range(cars))
    return PermitInSight(of, members, rivals, uses)


def shown(coverage: Coverage) -> list[tuple[str, str, str]]:
    """Give the parts as hours of that Monday (or +1 …), with their outcomes."""
    return [
        (_clock(part.from_at), _clock(part.until_at), part.outcome.value) for part in coverage.parts
    ]


def _clock(instant: datetime) -> str:
    days, rest = divmod(instant - MIDNIGHT, timedelta(days=1))
    minutes = rest // timedelta(minutes=1)
    text = f"{minutes // 60:02}:{minutes % 60:02}"
    return text if days == 0 else f"{text}{days:+}"
