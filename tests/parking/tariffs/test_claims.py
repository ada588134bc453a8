"""What a driver brings to a stay: rights that cover it, coupons, payments before leaving."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from city.errors import Invalid
from city.time import Interval
from city.vehicles import VehicleClass
from parking.rules.tariffs.cards import card_of, coupons_of, covers_of
from parking.rules.tariffs.document import Name
from parking.rules.tariffs.model import Claims, Cover, Payment, Stay, VehicleTraits
from tests.parking.tariffs.pricing import (
    FREE,
    HOURLY,
    at,
    band,
    entry,
    fee,
    hours,
    name,
    paid,
    quoted,
    steps,
    tariff,
)

PERMIT = Name(zh="居民停车证", en="resident's permit")


def covered(*spans: tuple[float, float]) -> Claims:
    return Claims(tuple(Cover(Interval(at(first), at(last)), PERMIT) for first, last in spans))


# --- rights that cover a stay ---------------------------------------------------------------------


def test_time_that_a_right_covers_is_not_charged_and_the_line_names_the_right() -> None:
    quote = quoted(tariff(HOURLY), 0, 4, claims=covered((1, 3)))
    assert quote.total.minor == 1000
    assert [line.why.text("en") for line in quote.lines] == [
        "1 started × 1 h at ¥5.00",
        "covered by resident's permit",
        "1 started × 1 h at ¥5.00",
    ]


def test_a_stay_that_is_covered_whole_costs_nothing() -> None:
    assert fee(tariff(HOURLY), 0, 4, claims=covered((-1, 2), (1, 9))) == 0


def test_a_right_that_still_runs_covers_to_the_end() -> None:
    claims = Claims((Cover(Interval(at(1)), PERMIT),))
    assert fee(tariff(HOURLY), 0, 400, claims=claims) == 500


def test_an_overstay_is_charged_from_where_the_right_ends_with_its_own_free_period() -> None:
    free = {"up_to_s": 900, "when_exceeded": "charged_from_start"}
    assert fee(tariff(HOURLY, free=free), 0, 9.25, claims=covered((0, 9))) == 0
    assert fee(tariff(HOURLY, free=free), 0, 9.5, claims=covered((0, 9))) == 500


def test_covered_time_never_makes_units_begin_anew() -> None:
    assert fee(tariff(HOURLY), 0, 1) == 500
    assert fee(tariff(HOURLY), 0, 1, claims=covered((0.25, 0.5))) == 500


# --- cards that the tariff sells ------------------------------------------------------------------

NIGHT_CARD: dict[str, Any] = {
    "id": "night",
    "name": {"zh": "夜间月卡", "en": "night card"},
    "price_minor": 12_000,
    "months": 1,
    "covers": [hours("18:00", "08:00"), {"days": ["weekend"]}],
}
MONTH_CARD: dict[str, Any] = {
    "id": "month",
    "name": {"zh": "月卡", "en": "month card"},
    "price_minor": 30_000,
    "months": 1,
    "schedules": ["all"],
}
CARDS = tariff(HOURLY, whole={"cards": [MONTH_CARD, NIGHT_CARD]}, vehicles=["small"])


def with_card(card: str, start: float, end: float) -> Claims:
    found = card_of(CARDS, card, VehicleTraits())
    return Claims(covers_of(CARDS, found, Stay(at(start), at(end))))


def test_a_month_card_without_hours_covers_every_stay() -> None:
    assert fee(CARDS, 0, 48, claims=with_card("month", 0, 48)) == 0


def test_a_night_card_covers_its_hours_and_whole_weekends() -> None:
    # Monday 16:00 to Tuesday 10:00: two hours before 18:00, two after 08:00
    assert fee(CARDS, 7, 25, claims=with_card("night", 7, 25)) == 4 * 500
    spans = [
        (cover.during.start_at, cover.during.end_at) for cover in with_card("night", 7, 25).covers
    ]
    assert spans == [(at(9), at(23))]
    # Friday 17:00 to Monday 09:00: one hour, then night, weekend and night in one piece
    friday = 4 * 24 + 8
    assert (
        fee(CARDS, friday, friday + 64, claims=with_card("night", friday, friday + 64)) == 2 * 500
    )


def test_a_card_is_sold_to_the_vehicles_of_its_schedules_only() -> None:
    with pytest.raises(Invalid, match="no card of this tariff, which names: month, night"):
        card_of(CARDS, "year", VehicleTraits())
    lorries = tariff(
        HOURLY,
        whole={
            "schedules": [
                {"id": "large", "vehicles": ["large"], "bands": [HOURLY]},
                {"id": "all", "bands": [HOURLY]},
            ],
            "cards": [MONTH_CARD],
        },
    )
    assert card_of(lorries, "month", VehicleTraits()).price_minor == 30_000
    with pytest.raises(Invalid, match="not for schedule large") as raised:
        card_of(lorries, "month", VehicleTraits(VehicleClass.LARGE))
    assert raised.value.field == "card"


# --- coupons --------------------------------------------------------------------------------------

COUPONS = [
    {"id": "cinema", "name": name("cinema"), "effect": {"kind": "free_time", "seconds": 7200}},
    {"id": "half", "name": name("half"), "effect": {"kind": "percent_off", "percent": 50}},
    {
        "id": "third",
        "name": name("third"),
        "effect": {"kind": "percent_off", "percent": 33, "at_most_minor": 400},
    },
    {"id": "five", "name": name("five"), "effect": {"kind": "amount_off", "minor": 500}},
    {
        "id": "clinic",
        "name": name("clinic"),
        "effect": {"kind": "flat_price", "price_minor": 800},
        "alone": True,
    },
    {
        "id": "lorry",
        "name": name("lorry"),
        "effect": {"kind": "free_time", "seconds": 60},
        "schedules": ["other"],
    },
]
SCHEDULES = [
    {"id": "other", "vehicles": ["large"], "bands": [HOURLY]},
    {"id": "all", "bands": [HOURLY], "caps": [{"per": "24h", "minor": 4000}]},
]
SHOPS = tariff(HOURLY, whole={"coupons": COUPONS, "schedules": SCHEDULES})


def with_coupons(*names: str) -> Claims:
    return Claims(coupons=coupons_of(SHOPS, names))


@pytest.mark.parametrize(
    ("coupons", "stayed_h", "minor"),
    [
        (("cinema",), 2, 0),
        (("cinema",), 2.1, 500),
        (("cinema", "cinema"), 5, 500),
        (("half",), 3, 750),
        (("third",), 1, 335),  # a third of 5.00 is 1.65, rounded up for the driver
        (("third",), 8, 3600),  # 40.00 capped, at most 4.00 off
        (("five",), 3, 1000),
        (("five",), 0.5, 0),
        (("clinic",), 8, 800),
        (("clinic",), 1, 500),
        (("five", "half"), 4, 500),  # the share first, then the amount, in whatever order they come
        (("half", "five"), 4, 500),
    ],
)
def test_a_coupon_takes_off_what_it_says(
    coupons: tuple[str, ...], stayed_h: float, minor: int
) -> None:
    assert fee(SHOPS, 0, stayed_h, claims=with_coupons(*coupons)) == minor


def test_free_time_of_a_coupon_follows_the_free_period() -> None:
    free = {"up_to_s": 1800, "when_exceeded": "deducted"}
    rated = tariff(HOURLY, whole={"coupons": COUPONS[:-1]}, free=free)
    claims = Claims(coupons=coupons_of(rated, ["cinema"]))
    assert fee(rated, 0, 2.5, claims=claims) == 0
    assert fee(rated, 0, 2.6, claims=claims) == 500


def test_a_coupon_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(Invalid, match="no coupon of this tariff, which names: cinema, half"):
        with_coupons("queen")
    with pytest.raises(Invalid, match="clinic cannot be used with another one"):
        fee(SHOPS, 0, 1, claims=with_coupons("clinic", "half"))
    with pytest.raises(Invalid, match="lorry is not for schedule all") as raised:
        fee(SHOPS, 0, 1, claims=with_coupons("lorry"))
    assert raised.value.field == "coupon"


# --- paying before leaving ------------------------------------------------------------------------

WHOLE = tariff(HOURLY, exit_grace={"within_s": 900})
SINCE = tariff(
    HOURLY,
    exit_grace={"within_s": 900, "overstay": "since_payment"},
    free={"up_to_s": 1800, "when_exceeded": "charged_from_start"},
)


@pytest.mark.parametrize(
    ("rated", "payments", "leave", "due_minor"),
    [
        (WHOLE, [(2, 1000)], 2, 0),
        (WHOLE, [(2, 1000)], 2.25, 0),  # the last second of grace
        (WHOLE, [(2, 1000)], 2.26, 500),  # re-rated: three hours less what was paid
        (WHOLE, [(2, 1000)], 5, 1500),
        (WHOLE, [(2, 400)], 2.1, 1100),  # too little paid settles nothing
        (WHOLE, [(2, 400), (2.1, 1100)], 2.3, 0),
        (WHOLE, [(0, 2500)], 5, 0),  # paid ahead
        (WHOLE, [(0, 2500)], 5.5, 500),
        (WHOLE, [(0.5, 0)], 0.6, 500),  # paying nothing buys no time to leave
        (SINCE, [(2, 1000)], 2.25, 0),
        (SINCE, [(2, 1000)], 2.26, 500),  # charged since the payment, without a free period
        (SINCE, [(2, 1000)], 4, 1000),
        (SINCE, [(2, 1000), (2.3, 500)], 2.5, 0),  # paid again at the barrier
        (SINCE, [(2, 1200)], 3, 300),  # what was paid too much is not lost
        (SINCE, [(0.4, 0)], 0.6, 500),  # nothing was due yet, so nothing was settled
    ],
)
def test_paying_before_leaving_gives_time_to_leave_and_an_overstay_is_rated_again(
    rated: Any, payments: list[tuple[float, int]], leave: float, due_minor: int
) -> None:
    assert fee(rated, 0, leave, claims=paid(*payments)) == due_minor


def test_the_lines_of_a_paid_stay_say_what_was_paid_and_that_the_rest_is_grace() -> None:
    lines = quoted(WHOLE, 0, 2.2, claims=paid((2, 1000))).lines
    assert [(line.minor, line.why.text("en")) for line in lines] == [
        (1000, "2 started × 1 h at ¥5.00"),
        (0, "left within 15 min of paying"),
        (-1000, "paid already: ¥10.00"),
    ]


def test_caps_are_shared_by_the_time_before_and_after_a_payment() -> None:
    rated = tariff(
        HOURLY,
        exit_grace={"within_s": 900, "overstay": "since_payment"},
        caps=[{"per": "24h", "minor": 2000}],
    )
    assert fee(rated, 0, 9, claims=paid((3, 1500))) == 500


def test_a_coupon_counts_once_even_where_the_stay_is_rated_in_stretches() -> None:
    rated = tariff(
        HOURLY,
        whole={"coupons": COUPONS[:-1]},
        exit_grace={"within_s": 900, "overstay": "since_payment"},
    )
    claims = Claims(coupons=coupons_of(rated, ["five"]), payments=paid((2, 500)).payments)
    assert fee(rated, 0, 3, claims=claims) == 500


def test_a_payment_after_the_leaving_or_below_zero_is_refused() -> None:
    with pytest.raises(Invalid, match="must not lie after the leaving"):
        fee(WHOLE, 0, 1, claims=paid((2, 100)))
    with pytest.raises(Invalid, match="must not be negative"):
        Payment(at(0), -1)


def test_without_a_grace_a_payment_is_only_taken_off() -> None:
    assert fee(tariff(HOURLY), 0, 2.01, claims=paid((2, 1000))) == 500
    assert fee(tariff(HOURLY), 0, 2, claims=paid((2, 3000))) == 0


def test_an_entry_price_is_owed_once_before_and_once_after_a_payment_that_ends_a_visit() -> None:
    rated = tariff(
        band("night", entry(600), **hours("20:00", "08:00")),
        band("day", FREE),
        exit_grace={"within_s": 900},
    )
    claims = paid((13, 600))
    assert fee(rated, 12, 20, claims=claims) == 0
    assert fee(rated, 12, 20, claims=replace(claims, payments=())) == 600


def test_units_that_tolerate_some_minutes() -> None:
    rated = tariff(band("all", steps((1800, 200), tolerance_s=300)))
    assert [fee(rated, 0, minutes / 60) for minutes in (5, 6, 35, 36)] == [0, 200, 200, 400]


@pytest.mark.parametrize(
    ("grace", "payments", "leave", "minors"),
    [
        (None, [(2, 3000)], 2, [1000, 2000, -3000]),
        ({"within_s": 900, "overstay": "since_payment"}, [(2, 3000)], 2.2, [1000, -1000, 0, 2000]),
        (None, [(2, 1000)], 2, [1000, -1000]),  # nothing was too much
    ],
)
def test_a_tariff_may_keep_what_was_paid_for_more_time_than_was_used(
    grace: dict[str, Any] | None, payments: list[tuple[float, int]], leave: float, minors: list[int]
) -> None:
    rated = tariff(HOURLY, exit_grace=grace, unused_payment="kept")
    lines = quoted(rated, 0, leave, claims=paid(*payments)).lines
    assert [line.minor for line in lines][: len(minors)] == minors
    assert sum(line.minor for line in lines) == 0
