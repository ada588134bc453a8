"""Rules over several stays of one vehicle, gaps in what was seen, and days of every kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from city.errors import Invalid
from city.time import Interval
from city.vehicles import Energy, PlateKind, VehicleClass
from parking.rules.tariffs.evaluation import evaluate
from parking.rules.tariffs.model import EarlierStay, Quote, Stay, VehicleTraits
from parking.rules.tariffs.plan import Tariff, read_tariff

NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)
"""Monday, 09:00 in Shanghai."""


def steps(unit_s: int, price_minor: int, rounding: str = "started") -> dict[str, Any]:
    return {
        "kind": "steps",
        "rounding": rounding,
        "steps": [{"unit_s": unit_s, "price_minor": price_minor}],
    }


def band(name: str, charge: dict[str, Any], **more: object) -> dict[str, Any]:
    return {"id": name, "name": {"zh": name, "en": name}, "charge": charge, **more}


def tariff(*bands: dict[str, Any], calendar: str | None = None, **schedule: Any) -> Tariff:
    return read_tariff(
        {
            "language": "greenbay-tariff/1",
            "name": {"zh": "试", "en": "trial"},
            "currency": "CNY",
            "timezone": "Asia/Shanghai",
            "calendar": calendar,
            "schedules": [{"id": "all", "bands": list(bands), **schedule}],
        }
    )


HOURLY = band("all", steps(3600, 500))


def at(hours: float) -> datetime:
    return NINE + timedelta(hours=hours)


def fee(rated: Tariff, start: float, end: float, *past: tuple[float, float, int]) -> int:
    return quoted(rated, start, end, *past).total.minor


def quoted(rated: Tariff, start: float, end: float, *past: tuple[float, float, int]) -> Quote:
    history = [EarlierStay(at(enter), at(leave), paid) for enter, leave, paid in past]
    return evaluate(rated, Stay(at(start), at(end)), None, history)


def test_a_free_period_once_a_day_is_gone_after_the_first_stay_of_the_local_date() -> None:
    free = {"up_to_s": 3600, "when_exceeded": "deducted", "once_per": "day"}
    rated = tariff(HOURLY, free=free)
    assert fee(rated, 0, 2) == 500
    assert fee(rated, 0, 2, (-3, -2, 0)) == 1000
    assert fee(rated, 0, 2, (-10, -9.5, 0)) == 500
    assert fee(tariff(HOURLY, free={**free, "once_per": "24h"}), 0, 2, (-10, -9.5, 0)) == 1000


def test_a_quick_re_entry_continues_the_stay_and_credits_what_was_paid() -> None:
    rated = tariff(HOURLY, re_entry={"within_s": 900})
    assert fee(rated, 1.1, 1.9, (0, 1, 500)) == 500
    assert quoted(rated, 1.1, 1.9, (0, 1, 500)).lines[-1].minor == -500
    assert fee(rated, 1.3, 1.9, (0, 1, 500)) == 500
    assert quoted(rated, 1.3, 1.9, (0, 1, 500)).lines[0].from_at == at(1.3)


def test_re_entries_chain_and_a_credit_never_makes_a_fee_negative() -> None:
    rated = tariff(HOURLY, re_entry={"within_s": 900})
    assert fee(rated, 2.2, 2.5, (0, 1, 500), (1.1, 2.1, 500)) == 500
    assert fee(rated, 1.1, 1.2, (0, 1, 9000)) == 0


def test_a_24_hour_cap_is_shared_by_the_stays_in_its_window() -> None:
    rated = tariff(HOURLY, caps=[{"per": "24h", "minor": 2000}])
    assert fee(rated, 0, 10) == 2000
    assert fee(rated, 5, 7, (0, 3, 1500)) == 500
    assert fee(rated, 5, 7, (0, 4, 2000)) == 0
    assert fee(rated, 25, 30, (0, 4, 2000)) == 2000


def test_a_window_that_opened_with_an_earlier_stay_ends_within_this_one() -> None:
    rated = tariff(HOURLY, caps=[{"per": "24h", "minor": 2000}])
    # the window from 0 to 24 has 500 left; the one from 24 on is new
    assert fee(rated, 20, 30, (0, 3, 1500)) == 500 + 2000


def test_a_calendar_day_cap_counts_what_was_paid_on_that_date() -> None:
    rated = tariff(HOURLY, caps=[{"per": "day", "minor": 2000}])
    assert fee(rated, 2, 10, (0, 1, 500)) == 1500
    # 09:00 to midnight is capped, then nine hours of the next day are
    assert fee(rated, 0, 24) == 4000
    assert fee(rated, 15, 17, (0, 4, 2000)) == 1000


def test_a_stay_cap_holds_however_long_it_is() -> None:
    assert fee(tariff(HOURLY, caps=[{"per": "stay", "minor": 2000}]), 0, 1000) == 2000


def test_caps_stack_in_their_order() -> None:
    rated = tariff(HOURLY, caps=[{"per": "day", "minor": 2000}, {"per": "stay", "minor": 3000}])
    quote = quoted(rated, 0, 24)
    assert [line.minor for line in quote.lines] == [12000, -5500, -2500, -1000]
    assert quote.total.minor == 3000


def test_an_earlier_stay_that_ends_after_the_entry_is_refused() -> None:
    with pytest.raises(Invalid, match="after the entry") as raised:
        fee(tariff(HOURLY), 0, 1, (-1, 0.5, 0))
    assert raised.value.field == "stays[0].leave"


@pytest.mark.parametrize(
    ("counts", "minor"),
    [("visit", 3 * 500), ("day", 3 * 500), ("24h", 2 * 500), ("stay", 500)],
)
def test_a_price_per_entry_is_charged_once_for_each_count(counts: str, minor: int) -> None:
    entry = {"kind": "entry", "price_minor": 500}
    rated = tariff(
        band("inner", entry, **{"from": "08:00", "to": "10:00", "counts": counts}),
        band("noon", {"kind": "free"}, **{"from": "12:00", "to": "13:00"}),
        band("inner-again", {"kind": "free"}),
    )
    # Monday 09:00 to Wednesday 08:30: three visits, on three dates, in two 24 hours
    assert fee(rated, 0, 47.5) == minor


def test_completed_units_of_a_stay_add_up_over_its_visits() -> None:
    inner = {"from": "09:45", "to": "10:00", "counts": "stay"}
    rated = tariff(band("inner", steps(1800, 300, "completed"), **inner), HOURLY)
    quote = quoted(rated, 0, 25)
    assert [line.minor for line in quote.lines if line.band == "inner"] == [0, 300]


def test_time_that_nobody_saw_is_not_charged_and_said_so() -> None:
    gap = Interval(at(1), at(3))
    quote = evaluate(tariff(HOURLY), Stay(at(0), at(4), (gap,)))
    assert quote.total.minor == 1000
    assert [line.why.key for line in quote.lines] == [
        "tariff.why.units.started",
        "tariff.why.gap",
        "tariff.why.units.started",
    ]


def test_workdays_make_up_workdays_weekends_and_holidays_have_their_own_prices() -> None:
    rated = tariff(
        band("holiday", {"kind": "entry", "price_minor": 1}, days=["holiday"]),
        band("weekend", {"kind": "entry", "price_minor": 2}, days=["weekend"]),
        band("workday", {"kind": "entry", "price_minor": 4}, days=["workday"]),
        calendar="CN",
    )
    # 2026: 1 to 3 January are off, Sunday the 4th is worked, Saturday the 10th is not
    prices = []
    for day in (1, 2, 4, 5, 10):
        noon_at = datetime(2026, 1, day, 4, tzinfo=UTC)
        stay = Stay(noon_at, noon_at + timedelta(hours=1))
        prices.append(evaluate(rated, stay).total.minor)
    assert prices == [1, 1, 4, 4, 2]


def test_a_year_without_published_holidays_is_rated_by_weekday_and_said_so() -> None:
    rated = tariff(
        band("free", {"kind": "free"}, days=["holiday", "weekend"]), HOURLY, calendar="CN"
    )
    new_year_at = datetime(2042, 1, 1, 4, tzinfo=UTC)
    quote = evaluate(rated, Stay(new_year_at, new_year_at + timedelta(hours=1)))
    assert quote.total.minor == 500
    assert quote.lines[0].why.values == {"year": 2042}


def test_a_night_band_belongs_to_the_day_on_which_it_begins() -> None:
    night = {"from": "22:00", "to": "06:00", "days": ["friday"]}
    rated = tariff(
        band("friday-night", {"kind": "entry", "price_minor": 700}, **night),
        band("rest", {"kind": "free"}),
    )
    saturday_five = datetime(2026, 3, 6, 21, tzinfo=UTC)
    assert (
        evaluate(rated, Stay(saturday_five, saturday_five + timedelta(hours=3))).total.minor == 700
    )
    friday_five = saturday_five - timedelta(days=1)
    assert evaluate(rated, Stay(friday_five, friday_five + timedelta(hours=3))).total.minor == 0


def schedules(**first: object) -> Tariff:
    document = tariff(HOURLY).document.model_dump(by_alias=True, mode="json")
    cheap = {"id": "cheap", **first, "bands": [band("all", {"kind": "free"})]}
    document["schedules"] = [cheap, {**document["schedules"][0], "vehicles": ["small"]}]
    return read_tariff(document)


def test_the_first_schedule_that_fits_the_vehicle_is_in_force() -> None:
    stay = Stay(at(0), at(1))
    green = VehicleTraits(energy=Energy.NEW)
    rated = schedules(energies=["new"])
    assert evaluate(rated, stay, green).total.minor == 0
    assert evaluate(rated, stay, VehicleTraits()).total.minor == 500
    by_plate = schedules(plate_kinds=["police_white"])
    police = VehicleTraits(plate_kind=PlateKind.POLICE_WHITE)
    assert evaluate(by_plate, stay, police).total.minor == 0


def test_a_vehicle_that_no_schedule_is_for_has_no_price() -> None:
    with pytest.raises(Invalid, match="no schedule for a large vehicle") as raised:
        evaluate(
            schedules(energies=["new"]),
            Stay(at(0), at(1)),
            VehicleTraits(vehicle_class=VehicleClass.LARGE),
        )
    assert raised.value.field == "vehicle"


def test_a_fraction_of_a_second_is_never_charged() -> None:
    half = timedelta(milliseconds=500)
    rated = tariff(band("all", steps(900, 250, "completed")))
    stay = Stay(NINE + half, NINE + half + timedelta(seconds=899, milliseconds=900))
    assert evaluate(rated, stay).total.minor == 0


def test_an_absurd_length_is_refused() -> None:
    with pytest.raises(Invalid, match="longer than 3660 days"):
        fee(tariff(HOURLY), 0, 24 * 3661)
