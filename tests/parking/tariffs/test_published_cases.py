"""Fees that cities published, restated as facts: each document's ``source`` names where.

The fees were derived by hand from the published rule. ``test_published_tariffs`` proves the same
from the file that they were collected in, where that is at hand.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from city.errors import Invalid
from city.vehicles import Energy
from parking.rules.tariffs.cards import card_of, covers_of
from parking.rules.tariffs.demand import (
    SF_PILOT,
    SF_RULE,
    Occupancy,
    adjusted_minor,
    observed,
    propose,
    read_demand_rule,
)
from parking.rules.tariffs.evaluation import evaluate
from parking.rules.tariffs.local_time import parse_local
from parking.rules.tariffs.model import Claims, Stay, VehicleTraits
from parking.rules.tariffs.plan import Tariff, read_tariff
from parking.rules.tariffs.reading import read_document
from tests.parking.tariffs.pricing import FREE, band, document, entry, hours, steps

DOCUMENTS = Path(__file__).parent / "documents"
NEW = VehicleTraits(energy=Energy.NEW)


def published(name: str) -> Tariff:
    return read_tariff(json.loads((DOCUMENTS / f"{name}.json").read_text()))


@pytest.mark.parametrize(
    ("name", "enter", "leave", "minor"),
    [
        # Beijing's kerb: day 2.50 a quarter in the first hour, then 3.75; night 1 a full two hours
        ("beijing-roadside-I", "02T10:00", "02T10:14", 0),
        ("beijing-roadside-I", "02T10:00", "02T10:15", 250),
        ("beijing-roadside-I", "02T10:00", "02T11:00", 1000),
        ("beijing-roadside-I", "02T10:00", "02T11:14", 1000),
        ("beijing-roadside-I", "02T10:00", "02T11:15", 1375),
        ("beijing-roadside-I", "02T10:00", "02T12:00", 2500),
        ("beijing-roadside-I", "02T07:00", "02T19:00", 17500),
        ("beijing-roadside-I", "02T20:00", "02T21:59", 0),
        ("beijing-roadside-I", "02T20:00", "02T22:00", 100),
        ("beijing-roadside-I", "02T19:00", "03T07:00", 600),
        ("beijing-roadside-I", "02T18:30", "02T21:00", 600),
        ("beijing-roadside-II", "02T10:00", "02T12:00", 1500),
        ("beijing-roadside-III", "02T10:00", "02T12:00", 500),
        # Harbin: a quarter free, else 7 for the first hour, 3 a started half hour; night 6; cap 60
        ("harbin-class-I", "02T09:00", "02T09:15", 0),
        ("harbin-class-I", "02T09:00", "02T09:16", 700),
        ("harbin-class-I", "02T09:00", "02T10:00", 700),
        ("harbin-class-I", "02T09:00", "02T10:01", 1000),
        ("harbin-class-I", "02T09:00", "02T12:00", 1900),
        ("harbin-class-I", "02T21:00", "03T07:00", 600),
        ("harbin-class-I", "02T09:00", "02T20:00", 6000),
        # Munich: 0.50 a started 12 minutes by day, 0.10 a started 3 otherwise
        ("munich-z1", "02T10:00", "02T10:12", 50),
        ("munich-z1", "02T10:00", "02T10:13", 100),
        ("munich-z1", "02T10:00", "02T11:00", 250),
        ("munich-z1", "02T22:54", "02T23:06", 70),
        ("munich-z1", "02T23:00", "02T24:00", 200),
        # flat tiers asked for in CDS issue 131
        ("cds-131", "02T10:00", "02T10:07", 0),
        ("cds-131", "02T10:00", "02T10:16", 150),
        ("cds-131", "02T10:00", "02T10:28", 150),
        ("cds-131", "02T10:00", "02T10:40", 300),
    ],
)
def test_a_published_fee(name: str, enter: str, leave: str, minor: int) -> None:
    rated = published(name)
    stay = Stay(
        parse_local(f"2026-03-{enter}", rated.timezone, "enter"),
        parse_local(f"2026-03-{leave}", rated.timezone, "leave"),
    )
    assert evaluate(rated, stay).total.minor == minor


@pytest.mark.parametrize(
    ("vehicle", "minutes", "minor"),
    [
        (VehicleTraits(), 90, 0),
        (VehicleTraits(), 91, 500),
        (VehicleTraits(), 120, 500),
        (VehicleTraits(), 121, 600),
        (VehicleTraits(), 1440, 2000),
        (NEW, 180, 0),
        (NEW, 181, 250),
        (NEW, 241, 350),
        (NEW, 1440, 1000),
        (VehicleTraits(exemption="ambulance"), 600, 0),
    ],
)
def test_a_lot_with_a_new_energy_benefit(vehicle: VehicleTraits, minutes: int, minor: int) -> None:
    enter_at = datetime(2026, 3, 2, 1, tzinfo=UTC)
    stay = Stay(enter_at, enter_at + timedelta(minutes=minutes))
    assert evaluate(published("free90-nev"), stay, vehicle).total.minor == minor


def test_that_lots_month_card_costs_120_and_covers_every_stay() -> None:
    rated = published("free90-nev")
    card = card_of(rated, "month", VehicleTraits())
    enter_at = datetime(2026, 3, 2, 1, tzinfo=UTC)
    stay = Stay(enter_at, enter_at + timedelta(days=3))
    assert card.price_minor == 12_000
    claims = Claims(covers_of(rated, card, stay))
    assert evaluate(rated, stay, claims=claims).total.minor == 0


# --- San Francisco's demand rule ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hourly_minor", "per_mille_of_10", "days_since", "minor"),
    [
        (300, 8000, None, 325),
        (300, 7999, None, 300),
        (300, 6000, None, 300),
        (300, 5999, None, 275),
        (50, 1000, None, 50),
        (1000, 9500, None, 1000),
        (300, 9500, 27, 300),
        (300, 9500, 28, 325),
        (990, 9500, None, 1000),
    ],
)
def test_the_demand_rule_moves_an_hourly_price(
    hourly_minor: int, per_mille_of_10: int, days_since: int | None, minor: int
) -> None:
    rule = read_demand_rule(SF_RULE)
    share = Fraction(per_mille_of_10, 10_000)
    assert adjusted_minor(rule, hourly_minor, share, days_since) == minor


@pytest.mark.parametrize(("per_mille", "minor"), [(800, 325), (600, 300), (300, 275), (299, 250)])
def test_the_pilot_lowered_nearly_empty_streets_by_more(per_mille: int, minor: int) -> None:
    assert adjusted_minor(read_demand_rule(SF_PILOT), 300, Fraction(per_mille, 1000), None) == minor


PEAK = band("peak", steps((1800, 150)), **hours("08:00", "12:00"))
REST = band("rest", steps((3600, 300)))


def test_a_rule_proposes_a_tariff_with_the_prices_of_the_bands_it_saw_moved() -> None:
    seen = {("all", "peak"): Occupancy(29, 100), ("all", "rest"): Occupancy(80, 100)}
    proposed, changes = propose(document(PEAK, REST), read_demand_rule(SF_PILOT), seen, 30)
    assert [(each.band, each.before_minor, each.after_minor) for each in changes] == [
        ("peak", 300, 250),
        ("rest", 300, 325),
    ]
    moved = document({**PEAK, "charge": steps((1800, 125))}, band("rest", steps((3600, 325))))
    assert read_document(proposed) == read_document(moved)


def test_a_price_that_no_unit_can_show_is_refused() -> None:
    quarter = band("all", steps((900, 75)))
    with pytest.raises(Invalid, match="325 an hour is no whole price per 900 s") as raised:
        propose(
            document(quarter), read_demand_rule(SF_RULE), {("all", "all"): Occupancy(9, 10)}, None
        )
    assert raised.value.field == "schedules[0].bands[0].charge"


def test_a_rule_changes_nothing_where_nothing_was_observed_or_the_change_is_young() -> None:
    given = document(REST)
    rule = read_demand_rule(SF_RULE)
    assert propose(given, rule, {("all", "rest"): Occupancy(0, 0)}, None) == (given, ())
    assert propose(given, rule, {("all", "rest"): Occupancy(9, 10)}, 27) == (given, ())
    moved, changes = propose(given, rule, {("all", "rest"): Occupancy(9, 10)}, 28)
    assert [each.after_minor for each in changes] == [325]
    assert read_document(moved) == read_document(document(band("rest", steps((3600, 325)))))


def test_occupancy_is_summed_over_the_whole_hours_of_each_band() -> None:
    rated = read_tariff(document({**PEAK, **hours("08:30", "12:00")}, REST))
    nine = datetime(2026, 3, 2, 1, tzinfo=UTC)
    # 08:00 is shared by both bands, 09:00 the peak's, 12:00 the rest's; of 13:00 nothing is known
    seen = [(nine + timedelta(hours=n), 900 * (n + 2), 900) for n in (-1, 0, 3)]
    found = observed(rated, "all", ["peak", "rest"], [*seen, (nine + timedelta(hours=4), 0, 0)])
    assert found == {
        ("all", "peak"): Occupancy(1800, 2700),
        ("all", "rest"): Occupancy(4500, 5400),
    }
    for schedule, name in (("none", "peak"), ("all", "night")):
        with pytest.raises(Invalid, match="has no"):
            observed(rated, schedule, [name], [])


def test_a_band_without_an_hourly_price_cannot_follow_demand() -> None:
    rule = read_demand_rule(SF_RULE)
    for charge in (entry(5), FREE, steps((60, 1, 600), (60, 2))):
        with pytest.raises(Invalid, match="no single price per unit of time"):
            propose(document(band("all", charge)), rule, {("all", "all"): Occupancy(1, 1)}, None)
    with pytest.raises(Invalid, match="no band night in a schedule all"):
        propose(document(REST), rule, {("all", "night"): Occupancy(1, 1)}, None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"steps": [{"from_per_mille": 1, "change_minor": 0}]}, "steps[0].from_per_mille"),
        (
            {
                "steps": [
                    {"from_per_mille": 0, "change_minor": 5},
                    {"from_per_mille": 500, "change_minor": 4},
                ]
            },
            "steps[1].change_minor",
        ),
        ({"highest_minor": 10}, "highest_minor"),
        ({"every_days": 0}, "every_days"),
        ({"lowest_minor": -1}, "lowest_minor"),
    ],
)
def test_an_impossible_rule_is_refused(change: dict[str, object], field: str) -> None:
    assert isinstance(SF_RULE, dict)
    with pytest.raises(Invalid) as raised:
        read_demand_rule({**SF_RULE, **change})  # type: ignore[dict-item] # bad on purpose
    assert raised.value.field == field
