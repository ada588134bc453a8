"""Places registered, changed with their history, and suspended, on a real database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from city.errors import Conflict, Invalid, NotFound
from city.identifiers import BayId, DistrictCode, uuid7
from city.people.actors import SYSTEM
from city.places import Position
from city.time import Interval
from parking.rules.places.model import Bay, Facility, Machine, Operator, Zone
from parking.rules.places.suspending import all_away, compensation, merged
from parking.rules.places.usage import read_rules
from parking.services import place_keeping, places, suspensions
from parking.store.apart import apart

if TYPE_CHECKING:
    from city.time import FixedClock
    from city.works.database import Database, UnitOfWork
    from parking.rules.places.counting import Pool

EAST = DistrictCode("0153")
HERE = Position(120.1, 30.2)
NINE = datetime(2026, 3, 2, 1, tzinfo=UTC)
MARKET: Any = [{"activity": "no_parking", "when": [{"days": ["sa"]}], "reason": "market"}]


def registered(uow: UnitOfWork, code: str = "K1", **members: object) -> Facility:
    operator = place_keeping.operator_of_code(uow, SYSTEM, "city")
    new = Facility(
        code=code,
        district=EAST,
        ownership="roadside",
        kind="kerb",
        name_zh="滨江路",
        name_en="Riverside Road",
        position=HERE,
        timezone="Asia/Shanghai",
        operator_id=operator.id,
        revenue_nature="public_non_tax",
    )
    return place_keeping.register_facility(uow, SYSTEM, replace(new, **members))  # type: ignore[arg-type] # members by name


def test_a_bay_at_a_pole_is_refused() -> None:
    home = BayId(uuid7())
    with pytest.raises(Invalid, match="near a pole"):
        Bay(home, EAST, "1", "standard", Position(120.1, 85.06))  # type: ignore[arg-type] # any id


def bay(home: Facility, label: str, east_m: float, **members: object) -> Bay:
    new = Bay(
        home.id,
        home.district,
        label,
        "standard",
        HERE.moved(east_m, 0),
        90.0,
        length_m=6.0,
        width_m=2.4,
    )
    return replace(new, **members)  # type: ignore[arg-type] # members by name


def test_a_facility_keeps_all_that_was_said_of_it(database: Database) -> None:
    with database.unit_of_work() as uow:
        kept = registered(
            uow,
            kind="mechanical",
            machine=Machine(2, 40, 150),
            title="disputed",
            onboarding="contracted",
            rules=read_rules(MARKET),
        )
    with database.read() as connection:
        found = places.facility(connection, kept.id)
    assert (found.machine, found.title, found.onboarding, found.rules) == (
        Machine(2, 40, 150),
        "disputed",
        "contracted",
        read_rules(MARKET),
    )
    assert (found.standing.version, found.standing.changed_at) == (1, NINE)


def test_an_edit_keeps_what_was_and_who_changed_it_when(
    database: Database, clock: FixedClock
) -> None:
    with database.unit_of_work() as uow:
        home = registered(uow)
        (first,) = place_keeping.register_bays(uow, SYSTEM, home.id, [bay(home, "A1", 0)])
    clock.advance(3600)
    with database.unit_of_work() as uow:
        place_keeping.change_bay(uow, SYSTEM, replace(first, purpose="permit"), version=1)
    clock.advance(3600)
    with database.unit_of_work() as uow:
        now = places.bay(uow.connection, first.id)
        place_keeping.change_bay(uow, SYSTEM, replace(now, kind="disabled"), version=2)
    with database.read() as connection:
        history = place_keeping.history(connection, "bay", first.id)
        assert [(each.version, each.from_at, each.until_at) for each in history] == [
            (3, NINE + timedelta(hours=2), None),
            (2, NINE + timedelta(hours=1), NINE + timedelta(hours=2)),
            (1, NINE, NINE + timedelta(hours=1)),
        ]
        assert {each.changed_by for each in history} == {"system:greenbay"}
        then = place_keeping.as_of(connection, "bay", first.id, NINE + timedelta(minutes=90))
        assert isinstance(then.state, Bay)
        assert (then.state.purpose, then.state.kind) == ("permit", "standard")
        with pytest.raises(NotFound):
            place_keeping.as_of(connection, "bay", first.id, NINE - timedelta(seconds=1))


def test_of_two_who_saw_the_same_version_the_second_is_refused(database: Database) -> None:
    with database.unit_of_work() as uow:
        home = registered(uow)
        place_keeping.change_facility(uow, SYSTEM, replace(home, title="claimed"), version=1)
    with pytest.raises(Conflict) as refused, database.unit_of_work() as uow:
        place_keeping.change_facility(uow, SYSTEM, replace(home, title="verified"), version=1)
    assert refused.value.field == "version"


def test_an_overlapping_bay_is_refused_naming_the_field_and_the_rule(database: Database) -> None:
    with database.unit_of_work() as uow:
        home = registered(uow)
        place_keeping.register_bays(uow, SYSTEM, home.id, [bay(home, "A1", 0)])
        other = registered(uow, "K2")
    for new in ([bay(other, "B1", 30), bay(other, "B2", 4)], [bay(other, "B1", 4)]):
        with pytest.raises(Conflict) as refused, database.unit_of_work() as uow:
            place_keeping.register_bays(uow, SYSTEM, other.id, new)
        assert refused.value.field == f"bays[{len(new) - 1}].geometry"
        assert "overlaps bay A1: shares 4.8 m2 of 14.4" in refused.value.message
    with database.unit_of_work() as uow:
        place_keeping.register_bays(uow, SYSTEM, other.id, [bay(other, "B1", 6)])


def test_a_bay_cannot_be_moved_onto_another(database: Database) -> None:
    with database.unit_of_work() as uow:
        home = registered(uow)
        first, second = place_keeping.register_bays(
            uow, SYSTEM, home.id, [bay(home, "A1", 0), bay(home, "A2", 6)]
        )
    with pytest.raises(Conflict), database.unit_of_work() as uow:
        place_keeping.change_bay(uow, SYSTEM, replace(second, position=first.position))
    with database.unit_of_work() as uow:
        moved = replace(second, position=HERE.moved(6.5, 0))
        assert place_keeping.change_bay(uow, SYSTEM, moved).position == moved.position


def test_levels_of_a_garage_may_lie_above_each_other(database: Database) -> None:
    with database.unit_of_work() as uow:
        home = registered(uow, kind="garage")
        levels = [
            place_keeping.add_zone(uow, SYSTEM, Zone(home.id, EAST, code, "level", level=level))
            for code, level in (("L1", 1), ("L2", 2))
        ]
        new = [
            bay(home, f"{zone.code}-1", 0, zone_id=zone.id, ground="off_street") for zone in levels
        ]
        assert len(place_keeping.register_bays(uow, SYSTEM, home.id, new)) == 2
        other = registered(uow, "G2", kind="garage")
    again = bay(home, "L1-2", 1, zone_id=levels[0].id)
    with pytest.raises(Conflict), database.unit_of_work() as uow:
        place_keeping.register_bays(uow, SYSTEM, home.id, [again])
    stray = bay(other, "1", 500, zone_id=levels[0].id)
    with pytest.raises(Invalid) as refused, database.unit_of_work() as uow:
        place_keeping.register_bays(uow, SYSTEM, other.id, [stray])
    assert refused.value.field == "bays[0].zone_id"


def test_codes_labels_and_components_are_taken_once(database: Database) -> None:
    code = "3301060299000001"
    with database.unit_of_work() as uow:
        home = registered(uow)
        first = bay(home, "A1", 0, component_code=code, grid_cell="330106001001001")
        place_keeping.register_bays(uow, SYSTEM, home.id, [first])
    for field, act in (
        ("code", registered),
        (
            "label",
            lambda uow: place_keeping.register_bays(uow, SYSTEM, home.id, [bay(home, "A1", 50)]),
        ),
        (
            "component_code",
            lambda uow: place_keeping.register_bays(
                uow, SYSTEM, home.id, [bay(home, "A2", 50, component_code=code)]
            ),
        ),
    ):
        with pytest.raises(Conflict) as refused, database.unit_of_work() as uow:
            act(uow)
        assert refused.value.field == field
    with pytest.raises(Conflict), database.unit_of_work() as uow:
        place_keeping.register_operator(uow, SYSTEM, Operator("city", "市", "City"))


def test_a_facility_needs_an_operator_that_exists(database: Database) -> None:
    with pytest.raises(Invalid) as refused, database.unit_of_work() as uow:
        registered(uow, operator_id=uuid7())
    assert refused.value.field == "operator_id"


def test_a_retired_bay_is_listed_no_more_and_stays_on_record(database: Database) -> None:
    with database.unit_of_work() as uow:
        home = registered(uow)
        first, second = place_keeping.register_bays(
            uow, SYSTEM, home.id, [bay(home, "A1", 0), bay(home, "A2", 6)]
        )
        place_keeping.retire_bay(uow, SYSTEM, first.id)
    with database.read() as connection:
        assert [each.id for each in places.bays(connection, facility_id=home.id).items] == [
            second.id
        ]
        assert places.bay(connection, first.id).retired_at == NINE
    with pytest.raises(Conflict), database.unit_of_work() as uow:
        place_keeping.retire_bay(uow, SYSTEM, first.id)


# --- suspensions ---------------------------------------------------------------------------------


def pools(database: Database, home: Facility, at: datetime) -> dict[BayId, Pool]:
    with database.read() as connection:
        found = apart(connection, [home.id], now=at).get(home.id, ())
    return {each.bay_id: each.pool(at, home.local(at)) for each in found}


def test_a_suspension_takes_bays_out_for_its_time_and_announces_it(
    database: Database, clock: FixedClock
) -> None:
    with database.unit_of_work() as uow:
        home = registered(uow)
        first, second = place_keeping.register_bays(
            uow, SYSTEM, home.id, [bay(home, "A1", 0), bay(home, "A2", 6)]
        )
        made = suspensions.suspend_bays(
            uow,
            SYSTEM,
            home.id,
            [first.id, first.id],
            permit_no="2026-17",
            reason="works",
            during=Interval(NINE + timedelta(hours=1), NINE + timedelta(hours=9)),
        )
    assert made.bays == (first.id,)
    assert pools(database, home, NINE)[first.id] == "public"
    assert pools(database, home, NINE + timedelta(hours=2)) == {first.id: "closed"}
    clock.advance(3 * 3600)
    with database.unit_of_work() as uow:
        suspensions.lift_suspension(uow, SYSTEM, made.id)
    assert pools(database, home, NINE + timedelta(hours=4)) == {}
    with database.read() as connection:
        away = suspensions.suspended_during(
            connection, [first.id, second.id], NINE, NINE + timedelta(days=1)
        )
    assert away == {first.id: [Interval(NINE + timedelta(hours=1), NINE + timedelta(hours=3))]}
    with pytest.raises(Conflict), database.unit_of_work() as uow:
        suspensions.lift_suspension(uow, SYSTEM, made.id)


def test_a_bad_suspension_is_refused_naming_the_field(database: Database) -> None:
    with database.unit_of_work() as uow:
        home = registered(uow)
        (first,) = place_keeping.register_bays(uow, SYSTEM, home.id, [bay(home, "A1", 0)])
    day = Interval(NINE, NINE + timedelta(days=1))
    past = Interval(NINE - timedelta(days=2), NINE - timedelta(days=1))
    for bays, permit, during, field in (
        ([first.id], " ", day, "permit_no"),
        ([uuid7()], "1", day, "bay_ids[0]"),
        ([], "1", day, "bay_ids"),
        ([first.id], "1", past, "until_at"),
        ([first.id], "1", Interval(NINE, NINE), "until_at"),
    ):
        with pytest.raises(Invalid) as refused, database.unit_of_work() as uow:
            suspensions.suspend_bays(
                uow, SYSTEM, home.id, bays, permit_no=permit, reason="works", during=during
            )
        assert refused.value.field == field


def test_a_month_card_is_owed_the_days_on_which_its_bays_were_away(database: Database) -> None:
    with database.unit_of_work() as uow:
        home = registered(uow)
        first, second = place_keeping.register_bays(
            uow, SYSTEM, home.id, [bay(home, "A1", 0), bay(home, "A2", 6)]
        )
        for number, (bays, days) in enumerate(
            (([first.id], (0, 3)), ([first.id], (2, 5)), ([second.id], (4, 6)))
        ):
            suspensions.suspend_bays(
                uow,
                SYSTEM,
                home.id,
                bays,
                permit_no=f"P{number}",
                reason="works",
                during=Interval(*(NINE + timedelta(days=day) for day in days)),
            )
    card = Interval(NINE - timedelta(days=1), NINE + timedelta(days=30))
    with database.read() as connection:
        one = suspensions.owed_to_card(connection, home.id, [first.id], card)
        either = suspensions.owed_to_card(connection, home.id, [first.id, second.id], card)
    # From 09:00 on the 2nd to 09:00 on the 7th: overlapping permits take a day once.
    assert [day.day for day in one.days] == [2, 3, 4, 5, 6, 7]
    assert one.extension == timedelta(days=6)
    # A card that is good at either lost only what both were away for.
    assert [day.day for day in either.days] == [6, 7]


def test_a_few_hours_are_no_lost_day() -> None:
    card = Interval(NINE, NINE + timedelta(days=30))
    short = Interval(NINE, NINE + timedelta(hours=3, minutes=59))
    assert compensation(card, [short], "Asia/Shanghai").days == ()
    twice = [short, Interval(NINE + timedelta(hours=5), NINE + timedelta(hours=6))]
    assert len(compensation(card, twice, "Asia/Shanghai").days) == 1


def test_intervals_are_joined_and_shared() -> None:
    hours = [NINE + timedelta(hours=hour) for hour in range(9)]
    joined = merged([Interval(hours[2], hours[4]), Interval(hours[0], hours[2])])
    assert joined == (Interval(hours[0], hours[4]),)
    both = all_away([[Interval(hours[0], hours[4])], [Interval(hours[3], hours[8])]])
    assert both == (Interval(hours[3], hours[4]),)
    assert all_away([[Interval(hours[0], hours[1])], []]) == ()
