"""Who in the demo town may park where without the tariff, what is reserved, what is dug up."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from city.people.actors import system_actor
from city.time import Interval
from city.vault import keep_plate, keep_plates
from city.vehicles import PlateKind, parse_plate
from parking.rules.rights.benefits import kinds_of
from parking.rules.rights.hours import Hours
from parking.rules.rights.permits import OverstayTerms, PermitKind, Terms
from parking.rules.rights.standing import Effect, ListingReason, RegionPolicy
from parking.services import blacklists, permits, reservations, rights, suspensions
from parking.services.blacklists import ListingWish
from parking.services.permits import PermitWish
from parking.services.reservations import ReservationWish
from parking.services.rights import BenefitWish
from web.demo import names, tariffs
from web.demo.holders import holders

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from city.identifiers import DistrictCode
    from city.money import Money
    from city.vehicles import PlateNumber
    from city.works.database import UnitOfWork
    from web.demo.bays import DemoBay, DemoFacility

KEEPER: Final = system_actor("demo")
NIGHT: Final = Hours.from_json([{"from": "18:00", "until": "08:00", "days": "every"}])
CARD_PLATES: Final = ("皖RZ0071", "皖RZ0072")
"""Two cars of one household under one card: the first is covered, the next pays."""
GUESTS: Final = ("皖RZ0101", "皖RZ0102", "皖RZ0103")
EVADER: Final = "皖RZ0666"
WORKS_BAYS: Final = 4
TEN_MINUTES: Final = timedelta(minutes=10)


def grant_rights(uow: UnitOfWork, facilities: Sequence[DemoFacility], price: Money) -> None:
    """Issue permits, hold bays, list a vehicle and suspend some bays, through the use cases.

    Parameters
    ----------
    uow
        Of the city's preparation; its clock says which morning it is.
    facilities
        All of the town, recorded already.
    price
        What an hour begun past a shared contract's window costs.
    """
    at = uow.clock.now()
    plates = holders(facilities)
    for each in facilities:
        mine = [plates[bay.bay_id] for bay in each.bays if bay.purpose == "permit"]
        if mine and each.kind == "garage":
            _issue(uow, each, f"{each.code}-staff", PermitKind.STAFF, Terms(), mine)
        elif mine:
            _issue(uow, each, f"{each.code}-residents", PermitKind.RESIDENT, Terms(NIGHT), mine)
    garage = next(each for each in facilities if each.kind == "garage")
    _issue(
        uow, garage, "MC-0071", PermitKind.MONTH, Terms(concurrent_limit=1), _plates(CARD_PLATES)
    )
    overstay = OverstayTerms(900, 3_600, price, None)
    night = Terms(NIGHT, None, None, overstay)
    shared = [each for each in facilities if each.code in {"G03", "G04"}]
    for each in shared:
        _issue(uow, each, f"{each.code}-night", PermitKind.OFF_PEAK, night, _plates(GUESTS))
    _reserve(uow, facilities, at)
    _regions(uow, sorted({each.district for each in facilities}), at)
    _suspend(uow, next(each for each in facilities if len(each.bays) >= 2 * WORKS_BAYS), at)


def _plates(texts: Iterable[str]) -> list[PlateNumber]:
    return [parse_plate(each, PlateKind.BLUE7) for each in texts]


def _issue(  # noqa: PLR0917 - one permit, six different things
    uow: UnitOfWork,
    home: DemoFacility,
    label: str,
    kind: PermitKind,
    terms: Terms,
    plates: Sequence[PlateNumber],
) -> None:
    today = uow.clock.now().astimezone(ZoneInfo(tariffs.TIMEZONE)).date()
    wish = PermitWish(kind, label, [home.facility_id], today.replace(day=1), months=12, terms=terms)
    made = permits.issue(uow, KEEPER, wish)
    vehicles = keep_plates(uow, plates)
    permits.list_vehicles(uow, KEEPER, made.permit.id, list(vehicles.values()))


def _reserve(uow: UnitOfWork, facilities: Sequence[DemoFacility], at: datetime) -> None:
    """Hold reserved bays of the day: one soon, one after noon, one tomorrow."""
    free = [bay for each in facilities for bay in each.bays if bay.purpose == "reserved"]
    starts = (timedelta(minutes=50), timedelta(hours=5), timedelta(days=1, hours=1))
    for bay, plate, start in zip(free, _plates(GUESTS), starts, strict=False):
        from_at = at + start
        wish = ReservationWish(from_at, from_at + timedelta(hours=2), bay_id=bay.bay_id)
        reservations.reserve(uow, KEEPER, keep_plate(uow, plate), wish)


def _regions(uow: UnitOfWork, districts: Sequence[DistrictCode], at: datetime) -> None:
    """Say what the districts grant and what they make of blacklists; list one vehicle."""
    for district in districts:
        rights.state_benefit(
            uow,
            KEEPER,
            BenefitWish(
                district,
                names.EXEMPTION.zh,
                names.EXEMPTION.en,
                kinds_of(["emergency", "police", "military"]),
                at,
                names.EXEMPTION_SOURCE.zh,
                tariffs.TIMEZONE,
            ),
        )
        effects = {
            ListingReason.ARREARS: frozenset({Effect.NO_RESERVATION, Effect.ALERT}),
            ListingReason.EVASION: frozenset(
                {Effect.NO_RIGHTS, Effect.NO_RESERVATION, Effect.ALERT}
            ),
        }
        others = frozenset(districts) - {district}
        blacklists.set_policy(uow, KEEPER, RegionPolicy(district, effects, others))
    vehicle = keep_plate(uow, parse_plate(EVADER, PlateKind.BLUE7))
    note = "left twice without paying (simulated)"
    blacklists.add(
        uow, KEEPER, ListingWish(vehicle, districts[0], ListingReason.EVASION, note, None)
    )


def _suspend(uow: UnitOfWork, home: DemoFacility, at: datetime) -> None:
    dug: list[DemoBay] = [bay for bay in home.bays if bay.purpose == "public"][:WORKS_BAYS]
    suspensions.suspend_bays(
        uow,
        KEEPER,
        home.facility_id,
        [each.bay_id for each in dug],
        permit_no="ZD-2026-0714",
        reason="works",
        during=Interval(at - TEN_MINUTES, at + timedelta(days=3)),
    )
