"""Terms of permits, their hours, reservations, blacklists, and signs of abuse."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from city.errors import Conflict, Invalid
from city.identifiers import (
    BayId,
    DistrictCode,
    FacilityId,
    ListingId,
    ParkingSessionId,
    ReservationId,
)
from city.money import Money
from city.places import Position
from parking.rules.rights.abuse import AbuseThresholds, Sighting, suspect
from parking.rules.rights.hours import Hours
from parking.rules.rights.permits import (
    Allowance,
    OverstayTerms,
    Per,
    Terms,
    compensation_days,
    lengthened,
    term_end,
    validity_of,
)
from parking.rules.rights.reservations import (
    DEFAULT_RESERVATIONS,
    Occupant,
    Reservation,
    ReservationState,
    check_standing,
    check_wish,
)
from parking.rules.rights.standing import (
    Effect,
    Listing,
    ListingReason,
    RegionPolicy,
    standing,
)
from parking.rules.rights.texts import REASONS, TEXTS
from tests.parking.rights.permits_street import MIDNIGHT, at, car, permit

EAST, WEST = DistrictCode("0153"), DistrictCode("0154")


@pytest.mark.parametrize(
    ("first", "months", "end"),
    [
        (date(2026, 3, 1), 1, date(2026, 4, 1)),
        (date(2026, 1, 31), 1, date(2026, 3, 1)),
        (date(2028, 1, 31), 1, date(2028, 3, 1)),
        (date(2026, 1, 28), 1, date(2026, 2, 28)),
        (date(2026, 10, 31), 13, date(2027, 12, 1)),
        (date(2028, 2, 29), 12, date(2029, 3, 1)),
        (date(2026, 12, 31), 120, date(2036, 12, 31)),
    ],
)
def test_a_month_is_never_shorter_than_a_month(first: date, months: int, end: date) -> None:
    assert term_end(first, months) == end


@pytest.mark.parametrize(
    ("given", "field", "rule"),
    [
        ({"months": None, "last_day": None}, "months", "either"),
        ({"months": 1, "last_day": date(2026, 4, 1)}, "months", "either"),
        ({"months": 0}, "months", "between 1 and 120"),
        ({"first_day": date(2026, 1, 1)}, "months", "over already"),
        ({"months": None, "last_day": date(2026, 2, 1)}, "last_day", "before the first day"),
    ],
)
def test_a_term_that_cannot_be_names_its_field(
    given: dict[str, Any], field: str, rule: str
) -> None:
    wish: dict[str, Any] = {"first_day": date(2026, 3, 2), "months": 1, "last_day": None} | given
    with pytest.raises(Invalid, match=rule) as refused:
        validity_of(
            wish["first_day"],
            "Asia/Shanghai",
            months=wish["months"],
            last_day=wish["last_day"],
            now=at("09:00"),
        )
    assert refused.value.field == field


def test_a_permit_runs_from_local_midnight_to_local_midnight() -> None:
    valid = validity_of(date(2026, 3, 2), "Asia/Shanghai", months=1, last_day=None, now=at("09:00"))
    assert valid == (MIDNIGHT, MIDNIGHT + timedelta(days=31))
    until = date(2026, 3, 8)
    week = validity_of(
        date(2026, 3, 2), "Asia/Shanghai", months=None, last_day=until, now=at("09:00")
    )
    assert week == (MIDNIGHT, MIDNIGHT + timedelta(days=7))


PRICE = Money(500, "CNY")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (lambda: Terms(concurrent_limit=0), "concurrent_limit"),
        (lambda: Terms(overstay=OverstayTerms(0, 1800, PRICE)), "overstay"),
        (lambda: Terms(allowance=Allowance(60, Per.DAY)), "concurrent_limit"),
        (lambda: Allowance(86_401, Per.DAY), "allowance.free_s"),
        (lambda: OverstayTerms(0, 30, PRICE), "overstay.unit_s"),
        (lambda: OverstayTerms(0, 1800, Money(0, "CNY")), "overstay.price"),
        (lambda: OverstayTerms(0, 1800, PRICE, Money(100, "CNY")), "overstay.cap"),
        (lambda: OverstayTerms(0, 1800, PRICE, Money(900, "EUR")), "overstay.cap"),
        (lambda: Hours.from_json([{"from": "24:00", "until": "08:00"}]), "hours.from"),
        (lambda: Hours.from_json([{"from": "8:00", "until": "18:00"}]), "hours[0].from"),
        (lambda: Hours.from_json([{"from": "08:00", "until": "18:61"}]), "hours[0].until"),
        (lambda: Hours.from_json([{"from": "08:00", "until": "18:00", "on": 1}]), "hours[0].on"),
        (
            lambda: Hours.from_json([{"from": "08:00", "until": "18:00", "days": "monday"}]),
            "hours[0].days",
        ),
        (lambda: permit(valid_until=at("00:00", -1)), "valid_until"),
        (lambda: permit(facility_ids=frozenset()), "facility_ids"),
        (lambda: permit(label=" "), "label"),
        (lambda: permit(timezone="Mars/Base"), "timezone"),
    ],
)
def test_terms_that_cannot_be_name_their_field(wrong: Any, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        wrong()
    assert refused.value.field == field


def test_a_window_belongs_to_the_day_on_which_it_begins() -> None:
    worked = Hours.from_json([{"from": "18:00", "until": "08:00", "days": "workday"}])
    week = worked.within((at("00:00"), at("00:00", 7)), "Asia/Shanghai")
    # Monday's early hours belong to Sunday, Saturday's to Friday.
    assert week[0] == (at("18:00"), at("08:00", 1))
    assert week[-1] == (at("18:00", 4), at("08:00", 5))
    assert len(week) == 5


def test_a_make_up_workday_is_a_workday_and_a_holiday_is_none() -> None:
    worked = Hours.from_json([{"from": "09:00", "until": "17:00", "days": "workday"}])

    def holds(day: datetime) -> bool:
        return worked.within((day, day + timedelta(days=1)), "Asia/Shanghai") != ()

    # 2026: Spring Festival is 15-23 February, and Saturday 14 and 28 February are worked.
    assert holds(at("00:00", -2))
    assert not holds(at("00:00", -10))


def test_hours_follow_a_clock_change_to_the_longer_reading() -> None:
    night = Hours.from_json([{"from": "22:00", "until": "02:30"}])
    start = datetime.fromisoformat("2026-10-24T12:00:00+02:00")
    (span,) = night.within((start, start + timedelta(days=1)), "Europe/Berlin")
    # 02:30 comes twice in that night: the window ends with the second.
    assert span[1] - span[0] == timedelta(hours=5, minutes=30)


def test_lost_days_count_by_the_local_day_and_only_where_hours_were_lost() -> None:
    whole = permit()
    assert compensation_days(whole, (at("10:00"), at("09:00", 2))) == 3
    assert compensation_days(whole, (at("00:00"), at("00:00", 1))) == 1
    night = permit(Terms(hours=Hours.from_json([{"from": "18:00", "until": "08:00"}])))
    assert compensation_days(night, (at("09:00"), at("17:00"))) == 0
    assert compensation_days(night, (at("09:00"), at("19:00"))) == 1
    assert lengthened(whole, 3) == whole.valid_until + timedelta(days=3)


def test_a_permit_of_a_zone_with_summer_time_is_lengthened_by_local_days() -> None:
    start = datetime.fromisoformat("2026-03-01T00:00:00+01:00")
    end = datetime.fromisoformat("2026-03-28T00:00:00+01:00")
    berlin = permit(timezone="Europe/Berlin", valid_from=start, valid_until=end)
    assert lengthened(berlin, 2) == datetime.fromisoformat("2026-03-30T00:00:00+02:00")


# --- reservations --------------------------------------------------------------------------------


def reservation(**changes: Any) -> Reservation:
    values: dict[str, Any] = {
        "id": ReservationId(UUID(int=3)),
        "bay_id": BayId(UUID(int=4)),
        "facility_id": FacilityId(UUID(int=1)),
        "district": EAST,
        "vehicle_id": car(0),
        "from_at": at("10:00"),
        "until_at": at("12:00"),
        "hold_until_at": at("10:15"),
    }
    return Reservation(**(values | changes))


@pytest.mark.parametrize(
    ("from_at", "until_at", "field", "rule"),
    [
        (at("08:59"), at("10:00"), "from_at", "in the past"),
        (at("10:00"), at("10:00"), "until_at", "after the beginning"),
        (at("10:00"), at("10:01", 1), "until_at", "more than 24 h"),
        (at("09:01", 14), at("10:00", 14), "from_at", "more than 14 days ahead"),
    ],
)
def test_a_reservation_that_cannot_be_names_field_and_rule(
    from_at: datetime, until_at: datetime, field: str, rule: str
) -> None:
    with pytest.raises(Invalid, match=rule) as refused:
        check_wish(from_at, until_at, at("09:00"), DEFAULT_RESERVATIONS)
    assert refused.value.field == field


def test_nobody_reserves_without_end_and_nobody_who_never_comes() -> None:
    check_standing(1, 2, DEFAULT_RESERVATIONS)
    for held, missed, why in ((2, 0, "open"), (0, 3, "no_shows")):
        with pytest.raises(Conflict) as refused:
            check_standing(held, missed, DEFAULT_RESERVATIONS)
        assert refused.value.details["reason"] == why


def test_a_bay_is_given_back_when_nobody_came_within_the_hold() -> None:
    held = reservation()
    assert held.due(at("10:14"), Occupant.NOBODY) == held
    over = held.due(at("10:15"), Occupant.NOBODY)
    assert (over.state, over.ended_at) == (ReservationState.NO_SHOW, at("10:15"))


def test_a_bay_is_not_given_away_under_a_car_that_nobody_has_identified() -> None:
    held = reservation()
    assert held.due(at("11:59"), Occupant.UNKNOWN) == held
    assert held.due(at("12:00"), Occupant.UNKNOWN).state is ReservationState.UNCLEAR


def test_who_found_the_bay_taken_by_another_is_not_said_not_to_have_come() -> None:
    assert reservation().due(at("10:20"), Occupant.ANOTHER).state is ReservationState.UNCLEAR


def test_given_back_before_it_begins_it_is_cancelled_and_after_it_released() -> None:
    before = reservation().given_back(at("09:00"))
    assert (before.state, before.ended_at) == (ReservationState.CANCELLED, at("10:00"))
    there = reservation().arrived(ParkingSessionId(UUID(int=5)))
    early = there.given_back(at("11:00"))
    assert (early.state, early.ended_at) == (ReservationState.RELEASED, at("11:00"))
    with pytest.raises(Conflict):
        early.given_back(at("11:30"))
    assert there.left(at("11:20")).ended_at == at("11:20")
    assert there.left(at("13:00")).ended_at == at("12:00")
    assert there.due(at("12:00"), Occupant.ANOTHER).state is ReservationState.FINISHED


# --- blacklists ----------------------------------------------------------------------------------


def listing(district: DistrictCode, reason: ListingReason, **changes: Any) -> Listing:
    values: dict[str, Any] = {
        "id": ListingId(UUID(int=6)),
        "vehicle_id": car(0),
        "district": district,
        "reason": reason,
        "from_at": at("08:00"),
    }
    return Listing(**(values | changes))


def test_what_a_listing_means_is_the_regions_policy() -> None:
    abuse = listing(EAST, ListingReason.ABUSE)
    mild, strict = (
        RegionPolicy(EAST),
        RegionPolicy(EAST, {ListingReason.ABUSE: frozenset({Effect.NO_RIGHTS, Effect.ALERT})}),
    )
    assert not standing([abuse], mild, at("09:00")).has(Effect.NO_RIGHTS)
    assert standing([abuse], mild, at("09:00")).has(Effect.ALERT)
    assert standing([abuse], strict, at("09:00")).has(Effect.NO_RIGHTS)
    assert not standing([abuse], strict, at("07:59")).has(Effect.NO_RIGHTS)


def test_a_listing_of_another_region_counts_only_where_it_is_honoured() -> None:
    abroad = listing(WEST, ListingReason.EVASION)
    effects = {ListingReason.EVASION: frozenset({Effect.NO_RESERVATION})}
    alone, together = RegionPolicy(EAST, effects), RegionPolicy(EAST, effects, frozenset({WEST}))
    assert standing([abroad], alone, at("09:00")).listings == {}
    assert standing([abroad], together, at("09:00")).has(Effect.NO_RESERVATION)
    lifted = listing(WEST, ListingReason.EVASION, lifted_at=at("08:30"))
    ended = listing(WEST, ListingReason.EVASION, until_at=at("09:00"))
    assert standing([lifted, ended], together, at("09:00")).listings == {}


# --- abuse ---------------------------------------------------------------------------------------

TOWN = Position(120.1, 30.2)


def sighting(number: int, bay: int, place: Position, enter: str, leave: str) -> Sighting:
    return Sighting(
        ParkingSessionId(UUID(int=number)), BayId(UUID(int=bay)), place, at(enter), at(leave)
    )


def test_a_plate_in_two_bays_at_once_is_named_with_both_stays() -> None:
    stays = [
        sighting(1, 1, TOWN, "09:00", "11:00"),
        sighting(2, 2, TOWN.moved(3000, 0), "10:00", "12:00"),
    ]
    found = suspect(car(0), stays, AbuseThresholds())
    assert found is not None
    (clash,) = found.clashes
    assert (clash.overlap_s, clash.speed_kph) == (3600, None)
    assert abs(clash.distance_m - 3000) <= 10


def test_a_plate_that_would_have_flown_is_named_and_one_that_drove_is_not() -> None:
    far = TOWN.moved(20_000, 0)
    flown = [sighting(1, 1, TOWN, "09:00", "10:00"), sighting(2, 2, far, "10:05", "11:00")]
    found = suspect(car(0), flown, AbuseThresholds())
    assert found is not None
    assert [round(each.speed_kph or 0, -1) for each in found.clashes] == [240]
    driven = [sighting(1, 1, TOWN, "09:00", "10:00"), sighting(2, 2, far, "10:30", "11:00")]
    assert suspect(car(0), driven, AbuseThresholds()) is None
    # Sensors' clocks differ: a car that changes bays on one street is no flight.
    beside = [
        sighting(1, 1, TOWN, "09:00", "10:00"),
        sighting(2, 2, TOWN.moved(30, 0), "09:59", "11:00"),
    ]
    assert suspect(car(0), beside, AbuseThresholds()) is None


def test_a_short_stay_inside_a_long_one_does_not_hide_the_next_clash() -> None:
    stays = [
        sighting(1, 1, TOWN, "09:00", "18:00"),
        sighting(2, 2, TOWN.moved(900, 0), "10:00", "11:00"),
        sighting(3, 3, TOWN.moved(0, 900), "12:00", "13:00"),
    ]
    found = suspect(car(0), stays, AbuseThresholds())
    assert found is not None
    assert [clash.second.session_id.int for clash in found.clashes] == [2, 3]


def test_the_thresholds_are_what_names_a_plate() -> None:
    stays = [sighting(n, n, TOWN, f"{n:02}:00", f"{n:02}:30") for n in range(10)]
    assert suspect(car(0), stays, AbuseThresholds()) is None
    often = suspect(car(0), stays, AbuseThresholds(stays=10))
    assert often is not None
    assert (often.often, often.long, often.stays, often.parked_s) == (True, False, 10, 18_000)
    long = suspect(car(0), stays, AbuseThresholds(parked_h=5))
    assert long is not None
    assert (long.often, long.long) == (False, True)
    with pytest.raises(Invalid):
        AbuseThresholds(stays=0)


def test_every_reason_is_written_in_both_languages() -> None:
    assert all(set(texts) == {"zh", "en"} for texts in TEXTS.values())
    assert set(REASONS) == {reason.value for reason in ListingReason}
