"""Which right covers which part of a stay."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from city.errors import Invalid
from city.identifiers import BenefitId, DistrictCode
from city.money import Money
from city.vehicles import PlateKind
from parking.rules.rights.benefits import Benefit, kinds_of
from parking.rules.rights.coverage import cover
from parking.rules.rights.hours import Hours
from parking.rules.rights.model import BenefitInSight, Outcome, Use, slots_for
from parking.rules.rights.permits import Allowance, Membership, OverstayTerms, Per, Terms
from parking.rules.tariffs.reasons import Why
from tests.parking.rights.permits_street import at, car, permit, seen, shown, stay

NIGHT = Hours.from_json([{"from": "18:00", "until": "08:00"}])
OVERSTAY = OverstayTerms(grace_s=900, unit_s=1800, price=Money(500, "CNY"), cap=Money(3000, "CNY"))


def benefit(kinds: frozenset[PlateKind], allowance: Allowance | None = None) -> Benefit:
    return Benefit(
        id=BenefitId(UUID(int=9)),
        district=DistrictCode("0153"),
        name_zh="新能源汽车",
        name_en="new-energy vehicles",
        plate_kinds=kinds,
        timezone="Asia/Shanghai",
        valid_from=at("00:00", -30),
        source="notice 1",
        allowance=allowance,
    )


def test_the_first_car_is_covered_and_the_next_pays_until_the_first_leaves() -> None:
    first = stay(0, at("09:00"), at("11:00"))
    second = stay(1, at("10:00"), at("12:00"))
    one = permit()
    assert shown(cover(first, [seen(one, 2, second)])) == [("09:00", "11:00", "covered")]
    coverage = cover(second, [seen(one, 2, first)])
    assert shown(coverage) == [
        ("10:00", "11:00", "charged"),
        ("11:00", "12:00", "covered"),
    ]
    assert coverage.parts[0].why.text("en") == (
        "permit M-1 covers 1 at a time, and others came first"
    )
    assert coverage.parts[1].why.text("zh") == "已由停车许可“M-1”覆盖"


def test_of_three_cars_the_one_that_has_waited_longest_is_next() -> None:
    first = stay(0, at("09:00"), at("11:00"))
    second = stay(1, at("09:30"), at("13:00"))
    third = stay(2, at("10:00"), at("14:00"))
    coverage = cover(third, [seen(permit(), 3, first, second)])
    assert shown(coverage) == [("10:00", "13:00", "charged"), ("13:00", "14:00", "covered")]
    both = permit(Terms(concurrent_limit=2))
    assert shown(cover(third, [seen(both, 3, first, second)])) == [
        ("10:00", "11:00", "charged"),
        ("11:00", "14:00", "covered"),
    ]


def test_a_car_listed_late_displaces_nobody_who_is_covered() -> None:
    early = stay(0, at("09:00"), at("13:00"))
    present = stay(1, at("10:00"), at("12:00"))
    members = (
        Membership(car(0), at("11:00")),
        Membership(car(1), at("00:00")),
    )
    of_present = replace(seen(permit(), 0, early), members=members)
    assert shown(cover(present, [of_present])) == [("10:00", "12:00", "covered")]
    of_early = replace(seen(permit(), 0, present), members=members)
    assert shown(cover(early, [of_early])) == [
        ("09:00", "11:00", "charged"),
        ("11:00", "12:00", "charged"),
        ("12:00", "13:00", "covered"),
    ]


def test_what_a_billed_stay_used_is_never_given_twice() -> None:
    late_noted = stay(0, at("09:00"), at("11:00"))
    billed = Use(
        stay(1, at("10:00"), at("12:00")).session_id, car(1), (at("10:00"), at("12:00")), 0
    )
    coverage = cover(late_noted, [seen(permit(), 2, uses=(billed,))])
    assert shown(coverage) == [("09:00", "10:00", "covered"), ("10:00", "11:00", "charged")]


def test_a_list_without_a_limit_covers_every_car_on_it() -> None:
    staff = permit(Terms(concurrent_limit=None))
    third = stay(2, at("10:00"), at("14:00"))
    rivals = [stay(n, at("09:00"), at("15:00")) for n in range(2)]
    assert shown(cover(third, [seen(staff, 3, *rivals)])) == [("10:00", "14:00", "covered")]


def test_a_car_taken_off_the_list_pays_from_then_on() -> None:
    there = stay(0, at("09:00"), at("11:00"))
    off = replace(seen(permit(), 0), members=(Membership(car(0), at("00:00"), at("10:00")),))
    coverage = cover(there, [off])
    assert shown(coverage) == [("09:00", "10:00", "covered"), ("10:00", "11:00", "charged")]
    assert coverage.parts[1].why.key == "rights.why.not_in_force"


def test_a_permit_covers_no_instant_before_it_begins_or_after_it_ends() -> None:
    of_today = permit(valid_from=at("00:00"), valid_until=at("00:00", 1))
    assert shown(cover(stay(0, at("22:00", -1), at("02:00", 1)), [seen(of_today, 1)])) == [
        ("22:00-1", "00:00", "charged"),
        ("00:00", "00:00+1", "covered"),
        ("00:00+1", "02:00+1", "charged"),
    ]
    revoked = permit(revoked_at=at("12:00"))
    assert shown(cover(stay(0, at("11:00"), at("13:00")), [seen(revoked, 1)])) == [
        ("11:00", "12:00", "covered"),
        ("12:00", "13:00", "charged"),
    ]


def test_a_night_contract_covers_the_night_and_its_overstay_has_a_price() -> None:
    shared = permit(Terms(hours=NIGHT, overstay=OVERSTAY))
    coverage = cover(stay(0, at("17:30"), at("09:10", 1)), [seen(shared, 1)])
    assert shown(coverage) == [
        ("17:30", "18:00", "charged"),
        ("18:00", "08:00+1", "covered"),
        ("08:00+1", "09:10+1", "overstay"),
    ]
    assert coverage.parts[0].why.key == "rights.why.outside_hours"
    assert coverage.parts[2].fee == Money(1500, "CNY")
    assert coverage.parts[2].why.text("en") == (
        "past the hours of M-1: 3 started × 30 min at ¥5.00"
    )


def test_leaving_within_the_grace_costs_nothing_and_a_minute_later_counts_from_the_end() -> None:
    shared = permit(Terms(hours=NIGHT, overstay=OVERSTAY))
    kind = cover(stay(0, at("20:00"), at("08:15", 1)), [seen(shared, 1)])
    assert shown(kind) == [("20:00", "08:00+1", "covered"), ("08:00+1", "08:15+1", "covered")]
    assert kind.parts[1].why.key == "rights.why.grace"
    late = cover(stay(0, at("20:00"), at("08:16", 1)), [seen(shared, 1)])
    assert [part.fee for part in late.overstays] == [Money(500, "CNY")]


def test_an_overstay_ends_with_the_next_window_and_at_its_cap() -> None:
    shared = permit(Terms(hours=NIGHT, overstay=OVERSTAY))
    coverage = cover(stay(0, at("20:00"), at("07:00", 2)), [seen(shared, 1)])
    assert shown(coverage) == [
        ("20:00", "08:00+1", "covered"),
        ("08:00+1", "18:00+1", "overstay"),
        ("18:00+1", "07:00+2", "covered"),
    ]
    assert [part.fee for part in coverage.overstays] == [Money(3000, "CNY")]
    assert coverage.overstays[0].why.key == "rights.why.overstay.capped"


def test_without_terms_of_its_own_an_overstay_is_charged_by_the_tariff() -> None:
    shared = permit(Terms(hours=NIGHT))
    coverage = cover(stay(0, at("20:00"), at("09:00", 1)), [seen(shared, 1)])
    assert shown(coverage) == [("20:00", "08:00+1", "covered"), ("08:00+1", "09:00+1", "charged")]


def test_time_that_another_right_covers_is_no_overstay() -> None:
    shared = permit(Terms(hours=NIGHT, overstay=OVERSTAY))
    day = permit(
        Terms(hours=Hours.from_json([{"from": "08:00", "until": "12:00"}])),
        id=UUID(int=8),
        label="D-1",
    )
    coverage = cover(stay(0, at("20:00"), at("11:00", 1)), [seen(shared, 1), seen(day, 1)])
    assert shown(coverage) == [("20:00", "08:00+1", "covered"), ("08:00+1", "11:00+1", "covered")]


def test_an_exempt_kind_of_plate_is_covered_before_any_permit_is_spent() -> None:
    emergency = benefit(kinds_of(["emergency"]))
    assert emergency.plate_kinds == {PlateKind.EMERGENCY_WHITE}
    coverage = cover(
        stay(0, at("09:00"), at("11:00")), [seen(permit(), 1)], [BenefitInSight(emergency)]
    )
    assert [(part.outcome, part.right and part.right.kind) for part in coverage.parts] == [
        (Outcome.COVERED, "benefit")
    ]


def test_new_energy_cars_get_their_two_hours_a_day_once() -> None:
    green = benefit(kinds_of(["new_energy"]), Allowance(7200, Per.DAY))
    assert green.plate_kinds == {PlateKind.NEV_GREEN8, PlateKind.NEV_LARGE8}
    first = cover(stay(0, at("09:00"), at("10:30")), [], [BenefitInSight(green)])
    assert shown(first) == [("09:00", "10:30", "covered")]
    used = Use(stay(0, at("09:00"), at("10:30")).session_id, car(0), (at("09:00"), at("10:30")))
    second = cover(stay(0, at("22:00"), at("03:00", 1)), [], [BenefitInSight(green, (used,))])
    assert shown(second) == [
        ("22:00", "22:30", "covered"),
        ("22:30", "00:00+1", "charged"),
        ("00:00+1", "02:00+1", "covered"),
        ("02:00+1", "03:00+1", "charged"),
    ]
    assert second.parts[1].why.text("en") == (
        "new-energy vehicles: the 2 h of this day are used up"
    )


def test_an_allowance_is_not_spent_on_time_that_a_permit_covers() -> None:
    disabled = permit(
        Terms(concurrent_limit=None, allowance=Allowance(3600, Per.STAY)),
        id=UUID(int=8),
        label="C-9",
    )
    morning = permit(Terms(hours=Hours.from_json([{"from": "08:00", "until": "10:00"}])))
    coverage = cover(stay(0, at("09:00"), at("12:00")), [seen(disabled, 1), seen(morning, 1)])
    assert shown(coverage) == [
        ("09:00", "10:00", "covered"),
        ("10:00", "11:00", "covered"),
        ("11:00", "12:00", "charged"),
    ]


def test_a_vehicle_on_the_blacklist_has_no_rights() -> None:
    why = Why(
        "rights.why.blacklisted",
        {"district": "0153", "reason": {"zh": "冒用权益", "en": "abuse of rights"}},
    )
    coverage = cover(stay(0, at("09:00"), at("11:00")), [seen(permit(), 1)], refused=why)
    assert shown(coverage) == [("09:00", "11:00", "charged")]
    assert coverage.parts[0].why.text("en") == (
        "no rights: on the blacklist of 0153 (abuse of rights)"
    )


def test_a_stay_of_no_time_has_no_part_and_one_without_rights_says_so() -> None:
    assert cover(stay(0, at("09:00"), at("09:00")), [seen(permit(), 1)]).parts == ()
    (part,) = cover(stay(0, at("09:00"), at("10:00")), []).parts
    assert (part.outcome, part.why.key) == (Outcome.CHARGED, "rights.why.none")


def test_covered_time_moves_to_another_slot_where_its_own_is_taken() -> None:
    taken = [
        Use(stay(5, at("00:00"), at("01:00")).session_id, car(5), (at("10:00"), at("11:00")), 0),
        Use(stay(6, at("00:00"), at("01:00")).session_id, car(6), (at("11:00"), at("12:00")), 1),
    ]
    spans = ((at("09:00"), at("12:00")),)
    given = slots_for(2, spans, taken)
    assert given == [(1, (at("09:00"), at("11:00"))), (0, (at("11:00"), at("12:00")))]
    with pytest.raises(ValueError, match="no slot is free"):
        slots_for(1, spans, taken)


def test_an_unknown_class_of_benefit_names_those_that_there_are() -> None:
    with pytest.raises(Invalid, match=r"emergency, police.*new_energy") as refused:
        kinds_of(["emergency", "taxi"])
    assert refused.value.field == "classes[1]"
