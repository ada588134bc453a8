"""Past stays rated under another tariff: who pays more, and that parts add up to the whole."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.errors import Invalid
from city.vehicles import VehicleClass
from parking.rules.tariffs.comparison import Chain, Comparison, PastStay, compare
from parking.rules.tariffs.evaluation import evaluate, fee_minor
from parking.rules.tariffs.model import Stay, VehicleTraits
from tests.parking.tariffs.pricing import HOURLY, at, band, steps, tariff

WEEK = timedelta(days=7)
SMALL = VehicleTraits()
FREE_ONCE = {"up_to_s": 3600, "when_exceeded": "deducted", "once_per": "day"}
OLD = tariff(HOURLY, free=FREE_ONCE)
NEW = tariff(band("all", steps((1800, 300))), free=FREE_ONCE)


def chain(*hours: tuple[float, float], vehicle: VehicleTraits = SMALL) -> Chain:
    stays = [PastStay("kerb", "v1", Stay(at(enter), at(leave))) for enter, leave in hours]
    return Chain(vehicle, stays)


def compared(*chains: Chain) -> Comparison:
    return compare(chains, {"v1": OLD}, NEW, WEEK)


def test_a_vehicles_stays_are_rated_one_after_the_other_under_each_tariff() -> None:
    # the free hour is gone after the first stay, under both
    found = compared(chain((0, 1), (3, 4), (5, 5.4)))
    assert (found.all.before_minor, found.all.after_minor) == (0 + 500 + 500, 0 + 600 + 300)
    assert (found.all.more, found.all.less, found.all.stays) == (1, 1, 3)
    assert found.vehicles == {"less": 1}


def test_groups_tell_vehicle_length_hour_and_facility() -> None:
    large = VehicleTraits(VehicleClass.LARGE)
    result = compared(chain((0, 3)), chain((8, 8.5), vehicle=large)).as_json("CNY")
    groups = result["groups"]
    assert isinstance(groups, dict)
    keys = {
        name: [row["key"] for row in rows if isinstance(row, dict)]
        for name, rows in groups.items()
        if isinstance(rows, list)
    }
    assert keys == {
        "vehicle": ["large", "small"],
        "length": ["up to 30 min", "up to 4 h"],
        "entered": ["09", "17"],
        "facility": ["kerb"],
    }


def test_a_stay_that_the_draft_has_no_price_for_is_counted_apart() -> None:
    only_small = tariff(HOURLY, vehicles=["small"])
    large = VehicleTraits(VehicleClass.LARGE)
    found = compare([chain((0, 1), vehicle=large)], {"v1": OLD}, only_small, WEEK)
    assert (found.unpriced, found.all.stays, found.vehicles) == (1, 0, {})


def test_two_currencies_are_never_compared() -> None:
    euro = tariff(HOURLY, whole={"currency": "EUR"})
    with pytest.raises(Invalid, match="another currency"):
        compare([], {"v1": OLD}, euro, WEEK)


def test_what_lies_too_far_back_is_forgotten() -> None:
    daily = tariff(HOURLY, caps=[{"per": "24h", "minor": 500}])
    short = compare([chain((0, 1), (2, 3))], {"v1": daily}, daily, timedelta(hours=1))
    long = compare([chain((0, 1), (2, 3))], {"v1": daily}, daily, WEEK)
    assert (short.all.before_minor, long.all.before_minor) == (1000, 500)


def test_the_increase_is_told_by_its_median_and_its_largest() -> None:
    dear = tariff(band("all", steps((3600, 700))))
    chains = [chain((0, hours)) for hours in (1, 1, 3)]
    result = compare(chains, {"v1": tariff(HOURLY)}, dear, WEEK).as_json("CNY")
    assert result["increase_minor"] == {"median": 200, "p90": 600, "largest": 600}


STARTS = st.lists(
    st.tuples(st.integers(0, 200), st.integers(1, 30)).map(lambda n: (n[0] / 2, n[1] / 4)),
    min_size=1,
    max_size=5,
)


def in_order(stays: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Lay stays one behind the other: so many hours after the last, so many long."""
    found, now = [], 0.0
    for after, lasting in stays:
        found.append((now + after, now + after + lasting))
        now += after + lasting
    return found


@settings(deadline=None)
@given(st.lists(STARTS, min_size=1, max_size=6), st.integers(0, 6))
def test_parts_that_were_compared_apart_add_up_to_the_whole(
    vehicles: list[list[tuple[float, float]]], cut: int
) -> None:
    chains = [chain(*in_order(stays)) for stays in vehicles]
    parts = Comparison()
    for part in (chains[:cut], chains[cut:]):
        parts.add(compared(*part))
    assert parts.as_json("CNY") == compared(*chains).as_json("CNY")


@settings(deadline=None)
@given(STARTS)
def test_the_fee_alone_is_the_quotes_total(stays: list[tuple[float, float]]) -> None:
    for enter, leave in in_order(stays):
        stay = Stay(at(enter), at(leave))
        assert fee_minor(NEW, stay, SMALL) == evaluate(NEW, stay).total.minor
