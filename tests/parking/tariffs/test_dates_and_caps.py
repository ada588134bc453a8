"""Named dates, events and holidays; caps over some bands and other periods; coins and discounts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Invalid
from city.time import Interval
from city.vehicles import VehicleClass
from parking.rules.tariffs.dates import DateSet, check_date_text, day_number
from parking.rules.tariffs.document import Name
from parking.rules.tariffs.evaluation import evaluate
from parking.rules.tariffs.model import Claims, Cover, Stay, VehicleTraits
from tests.parking.tariffs.pricing import (
    FREE,
    HOURLY,
    at,
    band,
    entry,
    fee,
    hours,
    name,
    quoted,
    steps,
    tariff,
)

if TYPE_CHECKING:
    from parking.rules.tariffs.plan import Tariff


def noon(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, 4, tzinfo=UTC)


def on(rated: Tariff, *day: int, stayed_h: float = 1) -> int:
    enter_at = noon(*day)
    return evaluate(rated, Stay(enter_at, enter_at + timedelta(hours=stayed_h))).total.minor


# --- dates ----------------------------------------------------------------------------------------


def test_an_event_has_its_price_on_its_dates_alone() -> None:
    concert = band(
        "concert", entry(5000), dates=["2026-05-01/2026-05-03"], **hours("10:00", "02:00")
    )
    rated = tariff(concert, HOURLY)
    assert [on(rated, 2026, 4, 30), on(rated, 2026, 5, 1), on(rated, 2026, 5, 3)] == [
        500,
        5000,
        5000,
    ]
    assert on(rated, 2026, 5, 4) == 500
    # the event of the third goes on after midnight: one entry, then six hours from two to eight
    assert on(rated, 2026, 5, 3, stayed_h=20) == 5000 + 6 * 500


def test_a_season_comes_every_year_and_may_run_over_the_new_year() -> None:
    winter = tariff(band("winter", FREE, dates=["11-15/03-15"]), HOURLY)
    assert [on(winter, 2031, *day) for day in ((11, 14), (11, 15), (1, 1), (3, 15), (3, 16))] == [
        500,
        0,
        0,
        0,
        500,
    ]


def test_dates_and_days_must_both_fit() -> None:
    rated = tariff(band("market", entry(900), dates=["06-01/08-31"], days=["saturday"]), HOURLY)
    # 2026-06-06 is a Saturday, 2026-09-05 too
    assert [on(rated, 2026, 6, 6), on(rated, 2026, 6, 7), on(rated, 2026, 9, 5)] == [900, 500, 500]


def test_a_tariff_may_name_its_own_holidays_in_any_country() -> None:
    rated = tariff(
        band("free", FREE, days=["holiday", "sunday"]),
        HOURLY,
        whole={
            "timezone": "Europe/Berlin",
            "currency": "EUR",
            "holidays": ["12-25/12-26", "2026-04-03"],
        },
    )
    assert [on(rated, 2026, 12, 25), on(rated, 2026, 4, 3), on(rated, 2026, 4, 2)] == [0, 0, 500]


def test_named_dates_outrank_the_countrys_calendar() -> None:
    rated = tariff(
        band("off", entry(1), days=["holiday", "weekend"]),
        band("work", entry(2), days=["workday"]),
        whole={"calendar": "CN", "holidays": ["2026-03-03"], "make_up_workdays": ["2026-03-07"]},
    )
    assert [on(rated, 2026, 3, day) for day in (2, 3, 7, 8)] == [2, 1, 2, 1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-02-30", "2026-02-30 is not a date that exists"),
        ("02-30", "is not a date that exists"),
        ("2026-05-03/2026-05-01", "ends before it begins"),
        ("2026-01-01/2027-06-01", "holds more than 370 days"),
        ("2026-05-01/05-03", "is not a date such as"),
        ("1/2", "is not a date such as"),
    ],
)
def test_a_date_that_is_none_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_date_text(text)


def test_the_leap_day_is_a_date() -> None:
    leap = DateSet([check_date_text("02-29")])
    assert leap.holds(day_number(datetime(2028, 2, 29, tzinfo=UTC).date()))
    assert not leap.holds(day_number(datetime(2027, 3, 1, tzinfo=UTC).date()))


def test_bands_must_cover_named_dates_as_well() -> None:
    weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday"]
    winter = band("winter", FREE, dates=["11-15/03-15"])
    fair = band("fair", FREE, dates=["2026-05-02"])
    for bands, said in (
        ([winter], "leave 00:00-24:00 of a monday"),
        ([fair, band("weekdays", entry(1), days=weekdays)], "leave 00:00-24:00 of a saturday"),
        ([{**fair, **hours("20:00", "02:00")}, winter], "leave 00:00-24:00 of a monday"),
    ):
        with pytest.raises(Invalid, match=said) as raised:
            tariff(*bands)
        assert raised.value.field == "schedules[0].bands"


def test_a_band_whose_dates_another_holds_can_never_apply() -> None:
    with pytest.raises(Invalid, match="can never apply") as raised:
        tariff(
            band("may", FREE, dates=["2026-05-01/2026-05-31"]),
            band("first", entry(1), dates=["2026-05-01"]),
            HOURLY,
        )
    assert raised.value.field == "schedules[0].bands[1]"


MONTH_DAYS = st.dates().map(lambda day: f"{day.month:02d}-{day.day:02d}")


@given(MONTH_DAYS, MONTH_DAYS, st.dates())
def test_a_yearly_stretch_and_its_rest_hold_every_date_between_them(
    first: str, last: str, day: Any
) -> None:
    held = DateSet([f"{first}/{last}"]).holds(day_number(day))
    ends = DateSet([first, last]).holds(day_number(day))
    assert held or ends is False
    # the stretch and the one back from its end to its beginning make a whole year
    assert held or first == last or DateSet([f"{last}/{first}"]).holds(day_number(day))


# --- caps -----------------------------------------------------------------------------------------


def test_a_cap_over_some_bands_leaves_the_others_alone() -> None:
    rated = tariff(
        band("peak", steps((3600, 1000)), **hours("07:00", "10:00")),
        band("day", steps((3600, 500)), **hours("10:00", "20:00")),
        band("night", entry(600)),
        caps=[
            {"per": "day", "minor": 2500, "bands": ["peak", "day"]},
            {"per": "24h", "minor": 2800},
        ],
    )
    quote = quoted(rated, 0, 12)
    # 09:00 to 21:00: 10.00 + 50.00 capped at 25.00, 6.00 for the night, all of it capped at 28.00
    assert [line.minor for line in quote.lines] == [1000, 5000, 600, -3500, -300]
    assert quote.total.minor == 2800


def test_a_cap_over_some_bands_counts_what_earlier_stays_paid_for_them() -> None:
    rated = tariff(
        band("day", steps((3600, 500)), **hours("08:00", "20:00")),
        band("night", entry(600)),
        caps=[{"per": "day", "minor": 2000, "bands": ["day"]}],
    )
    # the earlier stay paid 6.00 of its 16.00 for the small hours: 10.00 of the cap are left
    assert fee(rated, 3, 8, (-2, 1, 1600)) == 1000


def test_a_cap_may_hold_for_any_period_from_the_entry() -> None:
    rated = tariff(HOURLY, caps=[{"per": "period", "period_s": 12 * 3600, "minor": 1500}])
    assert [fee(rated, 0, stayed_h) for stayed_h in (12, 13, 30)] == [1500, 2000, 4500]
    assert fee(rated, 5, 20, (0, 4, 1500)) == 0 + 1500
    assert "in 12 h" in quoted(rated, 0, 12).lines[-1].why.text("en")


def test_a_long_chain_of_windows_is_skipped_without_counting_them() -> None:
    rated = tariff(HOURLY, caps=[{"per": "period", "period_s": 3600, "minor": 500}])
    assert fee(rated, 24 * 3000 - 0.4, 24 * 3000 + 1, (0, 24 * 3000 - 0.5, 100)) == 400 + 500


def test_later_days_may_have_another_cap() -> None:
    rated = tariff(HOURLY, caps=[{"per": "24h", "minor": 3000, "later_minor": 2000}])
    assert [fee(rated, 0, stayed_h) for stayed_h in (10, 24, 27, 72)] == [3000, 3000, 4500, 7000]
    dearer = tariff(HOURLY, caps=[{"per": "24h", "minor": 1000, "later_minor": 2000}])
    assert [fee(dearer, 0, stayed_h) for stayed_h in (10, 26, 72)] == [1000, 2000, 5000]


# --- units at the edge of a band ------------------------------------------------------------------

DAY_RATE = band("day", steps((3600, 1000)), **hours("07:00", "19:00"))
EVENING = band("evening", steps((3600, 200)), **hours("19:00", "23:00"))
NIGHT = band("night", entry(300))


def test_a_unit_under_way_at_the_edge_may_run_on() -> None:
    ends = tariff(DAY_RATE, EVENING, NIGHT)
    runs_on = tariff(DAY_RATE, EVENING, NIGHT, unit_at_edge="runs_on")
    # 18:30 to 20:10: a day unit and two evening units, or a day unit until 19:30 and one
    assert fee(ends, 9.5, 11 + 1 / 6) == 1000 + 2 * 200
    quote = quoted(runs_on, 9.5, 11 + 1 / 6)
    assert [(line.band, line.minor) for line in quote.lines] == [("day", 1000), ("evening", 200)]
    assert quote.lines[1].from_at == at(10.5)
    # 18:30 to 19:20: the day unit alone
    assert fee(runs_on, 9.5, 10 + 1 / 3) == 1000


def test_a_unit_may_run_over_a_whole_band() -> None:
    short = band("short", entry(700), **hours("19:00", "19:15"))
    rated = tariff(short, DAY_RATE, EVENING, NIGHT, unit_at_edge="runs_on")
    assert fee(rated, 9.5, 11) == 1000 + 200


def test_units_run_on_only_where_the_stay_is_unbroken() -> None:
    rated = tariff(DAY_RATE, EVENING, NIGHT, unit_at_edge="runs_on")
    permit = Claims((Cover(Interval(at(10), at(10.25)), Name(zh="证", en="permit")),))
    # the covered quarter of an hour ends the day unit; the evening begins its own at 19:15
    assert fee(rated, 9.5, 11, claims=permit) == 1000 + 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"counts": "day"}, "counts"),
        ({"free": {"up_to_s": 60, "when_exceeded": "deducted"}}, "free"),
    ],
)
def test_units_that_run_on_need_bands_that_can(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as raised:
        tariff({**DAY_RATE, **change}, EVENING, NIGHT, unit_at_edge="runs_on")
    assert raised.value.field == f"schedules[0].bands[0].{field}"


# --- free time over several stays -----------------------------------------------------------------


def test_a_free_budget_is_used_up_by_as_much_as_earlier_stays_lasted() -> None:
    free = {"up_to_s": 7200, "when_exceeded": "deducted", "once_per": "day", "accumulates": True}
    rated = tariff(HOURLY, free=free)
    assert fee(rated, 5, 6, (0, 1, 0)) == 0
    assert fee(rated, 5, 7, (0, 1, 0)) == 500
    assert quoted(rated, 5, 7, (0, 1, 0)).lines[0].why.values == {"up_to_s": 7200, "left_s": 3600}
    assert fee(rated, 5, 6, (0, 3, 500)) == 500
    assert fee(rated, 5, 6, (-24, -20, 0)) == 0


def test_a_free_period_may_be_had_a_number_of_times_a_day() -> None:
    free = {"up_to_s": 1800, "when_exceeded": "charged_from_start", "once_per": "day", "times": 2}
    rated = tariff(HOURLY, free=free)
    assert fee(rated, 5, 5.5, (0, 0.5, 0)) == 0
    assert fee(rated, 5, 5.5, (0, 0.5, 0), (1, 1.5, 0)) == 500


def test_a_quick_return_may_have_no_free_period() -> None:
    free = {"up_to_s": 1800, "when_exceeded": "charged_from_start"}
    rated = tariff(HOURLY, free=free, re_entry={"within_s": 900, "effect": "no_free_period"})
    assert fee(rated, 0.75, 1, (0, 0.5, 0)) == 500
    assert fee(rated, 0.76, 1, (0, 0.5, 0)) == 0


def test_the_time_away_of_a_continued_stay_may_stay_uncounted() -> None:
    rated = tariff(HOURLY, re_entry={"within_s": 1800, "time_between": "not_counted"})
    # 30 minutes, 30 away, 30 more: one hour of one stay, paid before
    assert fee(rated, 1, 1.5, (0, 0.5, 500)) == 0
    assert fee(tariff(HOURLY, re_entry={"within_s": 1800}), 1, 1.5, (0, 0.5, 500)) == 500
    assert "tariff.why.away" in [
        line.why.key for line in quoted(rated, 1, 1.5, (0, 0.5, 500)).lines
    ]


# --- discounts, coins, classes --------------------------------------------------------------------


def test_a_discount_is_taken_off_the_capped_fee_in_the_drivers_favour() -> None:
    rated = tariff(
        band("all", steps((900, 375))),
        caps=[{"per": "24h", "minor": 2000}],
        discount={"percent": 50, "name": name("new energy")},
    )
    assert fee(rated, 0, 0.25) == 187
    assert fee(rated, 0, 10) == 1000


@pytest.mark.parametrize(
    ("how", "minors"),
    [("down", [0, 400, 400]), ("nearest", [400, 400, 800]), ("up", [400, 800, 800])],
)
def test_a_fee_is_rounded_to_a_coin(how: str, minors: list[int]) -> None:
    rounding = {"round_total": {"to_minor": 400, "how": how}}
    rated = tariff(band("all", steps((900, 250))), whole=rounding)
    assert [fee(rated, 0, quarters / 4) for quarters in (1, 2, 3)] == minors


def test_half_a_coin_is_rounded_up() -> None:
    rounding = {"round_total": {"to_minor": 500, "how": "nearest"}}
    rated = tariff(band("all", steps((900, 125))), whole=rounding)
    assert [fee(rated, 0, quarters / 4) for quarters in (1, 2, 3)] == [0, 500, 500]


def test_a_proven_class_has_its_own_schedule() -> None:
    schedules = [
        {"id": "residents", "classes": ["resident"], "bands": [band("all", entry(100))]},
        {"id": "all", "bands": [HOURLY]},
    ]
    rated = tariff(HOURLY, whole={"schedules": schedules})
    assert fee(rated, 0, 5, vehicle=VehicleTraits(exemption="resident")) == 100
    assert fee(rated, 0, 5) == 2500
    with pytest.raises(Invalid, match="is not exempt in this tariff, which names: resident"):
        fee(rated, 0, 5, vehicle=VehicleTraits(VehicleClass.LARGE, exemption="queen"))
