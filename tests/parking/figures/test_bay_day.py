"""A bay's day, three times told: each way in which the tellings part has its name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from city.identifiers import (
    BayId,
    BillId,
    DistrictCode,
    FacilityId,
    ParkingSessionId,
    TariffVersionId,
    VehicleId,
    uuid7,
)
from city.money import Money
from parking.rules.figures.bay_day import BayDay, Leak, StayBill, reconcile
from parking.rules.figures.direct import SeenChange, Spell, spells_of
from parking.rules.occupancy.history import BayState
from parking.rules.stays import BayStay, ClosingReason, ParkingSession

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY = datetime(2026, 3, 1, 16, tzinfo=UTC)
"""Midnight on the street."""
NOW = DAY + timedelta(days=3)
TARIFF = TariffVersionId(uuid7())
FREE, OCCUPIED, UNKNOWN = BayState.FREE, BayState.OCCUPIED, BayState.UNKNOWN


def at(minute: float) -> datetime:
    return DAY + timedelta(minutes=minute)


def sensor(*seen: tuple[float, BayState]) -> tuple[Spell, ...]:
    return spells_of([SeenChange(at(minute), state) for minute, state in seen], NOW)


def stay(
    opened: float, closed: float | None, *, vehicle: bool = True, **more: Any
) -> ParkingSession:
    kept = BayStay(
        at(opened),
        "key",
        id=ParkingSessionId(uuid7()),
        closed_at=None if closed is None else at(closed),
        vehicle_id=VehicleId(uuid7()) if vehicle else None,
        attached_at=at(opened) if vehicle else None,
        **{"tariff_version_id": TARIFF, **more},
    )
    return ParkingSession(
        ParkingSessionId(kept.id or uuid7()),
        BayId(uuid7()),
        "A1",
        FacilityId(uuid7()),
        DistrictCode("0153"),
        kept,
        None,
        None,
    )


def bill(minute: float, *, paid: float | None = None, received: int | None = None) -> StayBill:
    return StayBill(
        BillId(uuid7()),
        Money(600, "CNY"),
        at(minute),
        at(minute) + timedelta(days=1),
        None if paid is None else at(paid),
        None if received is None else Money(received, "CNY"),
    )


def told(
    spells: Sequence[Spell],
    *stays: tuple[ParkingSession, StayBill | None],
    now: datetime = NOW,
) -> BayDay:
    return reconcile(
        (DAY, DAY + timedelta(days=1)),
        spells,
        [each for each, _ in stays],
        [(each.id, paid) for each, paid in stays if paid is not None],
        now,
    )


def leaks(day: BayDay) -> list[Leak]:
    return [found.leak for found in day.findings]


WHOLE = sensor((-60, FREE), (100, OCCUPIED), (160, FREE))


def test_a_day_on_which_all_agree_leaks_nothing() -> None:
    day = told(WHOLE, (stay(100, 160), bill(161, paid=200, received=600)))
    assert (day.findings, day.lasted(OCCUPIED)) == ((), timedelta(hours=1))
    assert day.lasted(FREE) + day.lasted(OCCUPIED) == timedelta(days=1)


def test_an_occupied_bay_without_a_stay() -> None:
    (found,) = told(WHOLE).findings
    assert (found.leak, found.from_at, found.lasted) == (
        Leak.OCCUPIED_WITHOUT_STAY,
        at(100),
        timedelta(hours=1),
    )


def test_occupied_time_that_a_stay_covers_in_part() -> None:
    day = told(WHOLE, (stay(120, 160), bill(161, paid=200, received=600)))
    assert leaks(day) == [Leak.OCCUPIED_WITHOUT_STAY, Leak.TIMES_DIFFER]
    assert day.findings[0].until_at == at(120)


def test_two_stays_in_one_spell_cover_it_together() -> None:
    paid = bill(161, paid=200, received=600)
    day = told(WHOLE, (stay(100, 130), paid), (stay(130, 160), paid))
    assert Leak.OCCUPIED_WITHOUT_STAY not in leaks(day)


def test_a_stay_that_the_sensor_did_not_see() -> None:
    day = told(sensor((-60, FREE)), (stay(100, 160), bill(161, paid=200, received=600)))
    assert leaks(day) == [Leak.STAY_WITHOUT_SENSOR]


def test_a_stay_of_which_nobody_knows_whose_it_was() -> None:
    assert leaks(told(WHOLE, (stay(100, 160, vehicle=False), None))) == [Leak.STAY_WITHOUT_VEHICLE]


def test_a_silence_and_a_stay_whose_end_nobody_saw() -> None:
    spells = sensor((-60, FREE), (100, OCCUPIED), (160, UNKNOWN), (400, FREE))
    silent = stay(100, 150, closing_reason=ClosingReason.SILENCE)
    day = told(spells, (silent, bill(400, paid=410, received=600)))
    assert set(leaks(day)) == {Leak.END_NOT_SEEN, Leak.SENSOR_SILENT, Leak.OCCUPIED_WITHOUT_STAY}
    assert day.lasted(UNKNOWN) == timedelta(hours=4)


def test_what_ended_without_a_bill_and_why() -> None:
    assert leaks(told(WHOLE, (stay(100, 160), None))) == [Leak.CLOSED_WITHOUT_BILL]
    free = stay(100, 160, tariff_version_id=None)
    assert leaks(told(WHOLE, (free, None))) == [Leak.CLOSED_WITHOUT_TARIFF]


def test_a_bill_is_not_missed_before_it_can_be_there() -> None:
    assert leaks(told(WHOLE, (stay(100, 160), None), now=at(170))) == []


def test_bills_that_are_open_overdue_or_paid_differently() -> None:
    for paper, now, leak, missing in (
        (bill(161), at(200), Leak.BILL_OPEN, 600),
        (bill(161), NOW, Leak.BILL_OVERDUE, 600),
        (bill(161, paid=200, received=500), NOW, Leak.PAID_DIFFERENTLY, 100),
        (bill(161, paid=200), NOW, Leak.PAID_DIFFERENTLY, 600),
    ):
        (found,) = told(WHOLE, (stay(100, 160), paper), now=now).findings
        assert (found.leak, found.amount) == (leak, Money(missing, "CNY"))


def test_a_stay_from_the_day_before_is_seen_whole() -> None:
    spells = sensor((-300, FREE), (-100, OCCUPIED), (60, FREE))
    day = told(spells, (stay(-100, 60), bill(61, paid=70, received=600)))
    assert (leaks(day), day.spells[0].from_at) == ([], DAY)


def test_what_has_not_happened_is_not_missed() -> None:
    spells = sensor((-60, FREE), (100, OCCUPIED))
    day = told(spells, (stay(100, None), None), now=at(130))
    assert (leaks(day), day.end_at) == ([], at(130))
