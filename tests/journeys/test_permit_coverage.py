"""Permits on a street with real servers: lists, coverage, what stays used, ends and lost time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Table, text
from sqlalchemy.exc import IntegrityError

from city.errors import Conflict, Forbidden, Invalid, NotFound
from city.identifiers import FacilityId, PermitId, VehicleId, uuid7
from city.money import Money
from city.people.roles import Role
from city.vault import keep_plate, keep_plates, masked
from city.vehicles import PlateKind, parse_plate
from city.works.jobs import Worker
from journeys import settle_stay
from journeys.cover_stay import cover_stay, stay_in_sight, tariff_minor
from journeys.forget_plates import forget_plates
from journeys.list_vehicles import list_vehicles
from parking import rights_jobs
from parking.rules.rights.hours import Hours
from parking.rules.rights.model import RightRef
from parking.rules.rights.permits import Allowance, OverstayTerms, Per, PermitKind, Terms
from parking.rules.rights.plate_lists import WrittenPlate
from parking.rules.rights.standing import Effect, ListingReason, RegionPolicy
from parking.rules.tariffs.reasons import Why
from parking.services import blacklists, permit_terms, permits, rights, stays
from parking.store import rights as store
from parking.store import rights_tables
from parking.store.reservations import hold_for_permit
from tests.journeys.conftest import DISTRICT, at, person
from tests.journeys.test_stay_to_cash import apply, attach, bills, sessions

if TYPE_CHECKING:
    from city.people.actors import Actor
    from parking.store.permits import KeptPermit
    from tests.journeys.conftest import Street

OPERATOR = person("operator-1", Role.OPERATOR)
PLATES = [parse_plate(f"京A0000{n}", PlateKind.BLUE7) for n in range(6)]


def issue(street: Street, terms: Terms | None = None, **changes: Any) -> KeptPermit:
    """Issue a month card for the street, by default for one car at a time."""
    wish: dict[str, Any] = {
        "kind": PermitKind.MONTH,
        "label": "M-1",
        "facility_ids": [street.facility.id],
        "first_day": date(2026, 3, 1),
        "months": 1,
        "terms": terms or Terms(),
    }
    with street.database.unit_of_work() as uow:
        return permits.issue(uow, OPERATOR, permits.PermitWish(**(wish | changes)))


def listed(street: Street, permit_id: PermitId, count: int = 2) -> list[VehicleId]:
    """Put the first plates on a permit; give their vehicles in that order."""
    written = [WrittenPlate(each.text, each.kind.value) for each in PLATES[:count]]
    with street.database.unit_of_work() as uow:
        done = list_vehicles(uow, OPERATOR, permit_id, written)
    return [each.vehicle_id for each in done.accepted]


def park(street: Street, minute: float, bay: int, plate: int) -> None:
    """Let a car come to a bay, noted at once."""
    apply(street, street.change(minute, ("occupied", minute), bay=bay))
    (here,) = [
        each
        for each in sessions(street)
        if each.bay_id == street.bays[bay].id and each.stay.closed_at is None
    ]
    attach(street, here.id, PLATES[plate])


def leave(street: Street, minute: float, bay: int) -> None:
    apply(street, street.change(minute, ("free", minute), bay=bay))


def covered_minutes(street: Street, bay: int) -> list[tuple[float, float, str]]:
    """Give the parts of the newest stay in a bay, in minutes after nine."""
    session = [each for each in sessions(street) if each.bay_id == street.bays[bay].id][-1]
    with street.database.read() as connection:
        found = cover_stay(connection, session, street.clock.now())
    assert found is not None
    return [
        (
            (part.from_at - at(0)) / timedelta(minutes=1),
            (part.until_at - at(0)) / timedelta(minutes=1),
            part.outcome.value,
        )
        for part in found.coverage.parts
    ]


def bill(street: Street, bay: int) -> None:
    """Keep what the newest stay in a bay used, as billing does."""
    session = [each for each in sessions(street) if each.bay_id == street.bays[bay].id][-1]
    with street.database.unit_of_work() as uow:
        seen = stay_in_sight(uow.connection, session, street.clock.now())
        assert seen is not None
        rights.keep_used(uow, seen, rights.coverage(uow.connection, seen, lock=True))
        uow.connection.execute(
            text("update parking.parking_session set bill_id = :bill where id = :id"),
            {"bill": uuid7(), "id": session.id},
        )


def uses(street: Street) -> list[tuple[float, float, int | None]]:
    with street.database.read() as connection:
        rows = connection.execute(
            text("select from_at, until_at, slot from parking.right_use order by from_at")
        ).all()
    minute = timedelta(minutes=1)
    return [((r.from_at - at(0)) / minute, (r.until_at - at(0)) / minute, r.slot) for r in rows]


def test_the_second_car_pays_and_switches_to_cover_when_the_first_leaves(street: Street) -> None:
    card = issue(street)
    listed(street, card.permit.id)
    park(street, 0, 0, 0)
    park(street, 30, 1, 1)
    street.clock.advance(60 * 60)
    assert covered_minutes(street, 0) == [(0, 60, "covered")]
    assert covered_minutes(street, 1) == [(30, 60, "charged")]
    leave(street, 60, 0)
    street.clock.advance(30 * 60)
    assert covered_minutes(street, 1) == [(30, 60, "charged"), (60, 90, "covered")]
    leave(street, 90, 1)
    bill(street, 1)
    bill(street, 0)
    assert uses(street) == [(0, 60, 0), (60, 90, 0)]


def test_what_was_kept_for_a_bill_is_not_given_to_a_car_that_was_noted_late(
    street: Street,
) -> None:
    card = issue(street)
    listed(street, card.permit.id)
    apply(street, street.change(0, ("occupied", 0), bay=0))
    park(street, 10, 1, 1)
    street.clock.advance(40 * 60)
    leave(street, 40, 1)
    bill(street, 1)
    assert uses(street) == [(10, 40, 0)]
    (first,) = [each for each in sessions(street) if each.bay_id == street.bays[0].id]
    attach(street, first.id, PLATES[0])
    assert covered_minutes(street, 0) == [(0, 10, "covered"), (10, 40, "charged")]
    leave(street, 40, 0)
    bill(street, 0)
    assert uses(street) == [(0, 10, 0), (10, 40, 0)]


def test_two_cars_billed_at_once_never_share_one_slot(street: Street) -> None:
    """Real threads, both cars noted for the same time: the lock and the constraint part them."""
    card = issue(street)
    listed(street, card.permit.id, 3)
    for bay in range(3):
        park(street, 0, bay, bay)
    street.clock.advance(60 * 60)
    for bay in range(3):
        leave(street, 60, bay)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda bay: bill(street, bay), range(3)))
    assert uses(street) == [(0, 60, 0)]


def test_the_database_itself_refuses_a_slot_that_is_taken(street: Street) -> None:
    card = issue(street)
    vehicle, other = listed(street, card.permit.id)
    park(street, 0, 0, 0)
    park(street, 0, 1, 1)
    first, second = sessions(street)
    use = store.NewUse(RightRef("permit", card.permit.id), card.number, 0, (at(0), at(30)))
    later = store.NewUse(RightRef("permit", card.permit.id), card.number, 0, (at(29), at(40)))
    with street.database.unit_of_work() as uow:
        store.keep_uses(uow.connection, first.id, vehicle, [use])
    with (
        pytest.raises(IntegrityError, match="right_use_within_limit"),
        street.database.unit_of_work() as uow,
    ):
        store.keep_uses(uow.connection, second.id, other, [later])


def test_a_list_takes_the_good_plates_and_gives_the_bad_ones_back(street: Street) -> None:
    card = issue(street)
    written = [
        WrittenPlate("京A·12345", "blue7"),
        WrittenPlate("京A1234", "blue7"),
        WrittenPlate("京A12345", "blue7"),
        WrittenPlate("京A12345", "yellow7"),
        WrittenPlate("京AD12345", None),
        WrittenPlate("京A12345", "purple"),
        WrittenPlate("京A12345", None),
        WrittenPlate("京A12345", "unknown"),
    ]
    with street.database.unit_of_work() as uow:
        done = list_vehicles(uow, OPERATOR, card.permit.id, written)
    assert [(each.read.index, each.added) for each in done.accepted] == [
        (0, True),
        (3, True),
        (4, True),
    ]
    assert [(each.index, each.field) for each in done.rejected] == [
        (1, "plate"),
        (2, "plate"),
        (5, "kind"),
        (6, "plate"),
        (7, "kind"),
    ]
    assert done.rejected[1].reason == "stands in the list already, at 0"
    assert all("12345" not in each.reason for each in done.rejected)
    with street.database.unit_of_work() as uow:
        again = list_vehicles(uow, OPERATOR, card.permit.id, written[:1])
    assert [each.added for each in again.accepted] == [False]
    with street.database.read() as connection:
        assert permits.count_vehicles(connection, [card.permit.id]) == {card.permit.id: 3}


def test_many_plates_at_once_are_the_vehicles_that_one_at_a_time_are(street: Street) -> None:
    with street.database.unit_of_work() as uow:
        one = keep_plate(uow, PLATES[3])
        many = keep_plates(uow, [*PLATES, PLATES[0]])
    assert len(set(many.values())) == 6
    assert many[PLATES[3]] == one
    with street.database.unit_of_work() as uow:
        assert [keep_plate(uow, plate) for plate in PLATES] == [many[plate] for plate in PLATES]
    with street.database.read() as connection:
        assert {each.text for each in masked(connection, many.values()).values()} == {
            f"京A·****{n}" for n in range(6)
        }


def test_lists_kept_by_threads_at_once_make_no_vehicle_twice(street: Street) -> None:
    def keep(turn: int) -> list[VehicleId]:
        plates = PLATES if turn % 2 else PLATES[::-1]
        with street.database.unit_of_work() as uow:
            return sorted(keep_plates(uow, plates).values())

    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(keep, range(8)))
    assert len({tuple(each) for each in kept}) == 1


def test_a_car_taken_off_the_list_keeps_what_it_had(street: Street) -> None:
    card = issue(street)
    vehicle, _ = listed(street, card.permit.id)
    park(street, 0, 0, 0)
    street.clock.advance(30 * 60)
    with street.database.unit_of_work() as uow:
        permits.remove_vehicle(uow, OPERATOR, card.permit.id, vehicle)
    street.clock.advance(30 * 60)
    assert covered_minutes(street, 0) == [(0, 30, "covered"), (30, 60, "charged")]
    with pytest.raises(NotFound), street.database.unit_of_work() as uow:
        permits.remove_vehicle(uow, OPERATOR, card.permit.id, vehicle)


def test_a_revoked_permit_covers_nothing_more_and_says_why_it_ended(street: Street) -> None:
    card = issue(street)
    listed(street, card.permit.id)
    park(street, 0, 0, 0)
    street.clock.advance(10 * 60)
    with street.database.unit_of_work() as uow:
        revoked = permits.revoke(uow, OPERATOR, card.permit.id, "lent to others")
    assert (revoked.revoked_reason, revoked.permit.revoked_at) == ("lent to others", at(10))
    street.clock.advance(10 * 60)
    assert covered_minutes(street, 0) == [(0, 10, "covered"), (10, 20, "charged")]
    with pytest.raises(Conflict), street.database.unit_of_work() as uow:
        permits.revoke(uow, OPERATOR, card.permit.id, "again")


def test_an_allowance_a_day_counts_what_billed_stays_of_the_day_used(street: Street) -> None:
    card = issue(
        street,
        Terms(concurrent_limit=None, allowance=Allowance(3600, Per.DAY)),
        kind=PermitKind.DISABLED,
    )
    listed(street, card.permit.id, 1)
    park(street, 0, 0, 0)
    street.clock.advance(40 * 60)
    leave(street, 40, 0)
    bill(street, 0)
    park(street, 50, 1, 0)
    street.clock.advance(50 * 60)
    assert covered_minutes(street, 1) == [(50, 70, "covered"), (70, 90, "charged")]


def test_a_kind_of_plate_has_its_benefit_without_any_list(street: Street) -> None:
    wish = rights.BenefitWish(
        district=DISTRICT,
        name_zh="应急救援车辆",
        name_en="emergency vehicles",
        plate_kinds=frozenset({PlateKind.EMERGENCY_WHITE}),
        valid_from=at(0),
        source="State Council notice",
        timezone="Asia/Shanghai",
    )
    with street.database.unit_of_work() as uow:
        stated = rights.state_benefit(uow, OPERATOR, wish)
    apply(street, street.change(0, ("occupied", 0)))
    attach(street, sessions(street)[0].id, parse_plate("京X2345应急", None))
    street.clock.advance(20 * 60)
    assert covered_minutes(street, 0) == [(0, 20, "covered")]
    with street.database.unit_of_work() as uow:
        rights.end_benefit(uow, OPERATOR, stated.id)
    street.clock.advance(10 * 60)
    assert covered_minutes(street, 0) == [(0, 20, "covered"), (20, 30, "charged")]
    with pytest.raises(Conflict), street.database.unit_of_work() as uow:
        rights.end_benefit(uow, OPERATOR, stated.id)


# --- billing -------------------------------------------------------------------------------------


def billed_minor(street: Street) -> dict[str, int]:
    """Let the jobs bill what is over; give the amounts by bay."""
    tasks = [settle_stay.task(street.database), *rights_jobs.tasks(street.database)]
    Worker(street.url, tasks, database=street.database).drain()
    labels = {bay.id: bay.label for bay in street.bays}
    homes = {each.id: labels[each.bay_id] for each in sessions(street) if each.bay_id}
    return {homes[each.charge.session_id]: each.amount.minor for each in bills(street)}


def settled(street: Street) -> None:
    with street.database.unit_of_work() as uow:
        stays.announce_settled(uow)


def test_the_second_car_is_billed_until_the_first_leaves_and_no_longer(street: Street) -> None:
    card = issue(street)
    listed(street, card.permit.id)
    park(street, 0, 0, 0)
    park(street, 30, 1, 1)
    street.clock.advance(60 * 60)
    leave(street, 60, 0)
    street.clock.advance(60 * 60)
    leave(street, 120, 1)
    street.clock.advance(20 * 60)
    settled(street)
    assert billed_minor(street) == {"A1": 0, "A2": 300}
    assert uses(street) == [(0, 60, 0), (60, 120, 0)]
    (second,) = [each for each in bills(street) if each.amount.minor]
    texts = [Why.from_json(line["why"]).text("en") for line in second.charge.lines]
    assert texts == ["1 started × 30 min at ¥3.00", "covered by M-1"]


def test_staying_past_the_hours_of_a_contract_is_billed_at_its_price(street: Street) -> None:
    terms = Terms(
        hours=Hours.from_json([{"from": "07:00", "until": "10:00"}]),
        overstay=OverstayTerms(0, 1800, Money(500, "CNY")),
    )
    card = issue(street, terms, kind=PermitKind.OFF_PEAK)
    listed(street, card.permit.id, 1)
    park(street, 0, 0, 0)
    street.clock.advance(95 * 60)
    leave(street, 95, 0)
    street.clock.advance(20 * 60)
    settled(street)
    assert billed_minor(street) == {"A1": 1000}
    (only,) = bills(street)
    assert [(line["units"], line["minor"]) for line in only.charge.lines] == [(0, 0), (2, 1000)]
    assert Why.from_json(only.charge.lines[1]["why"]).text("zh") == (
        "超出“M-1”约定时段：2个计费单位×30分钟，每单位¥5.00"
    )
    # what a contract charged is no payment under the tariff's caps
    assert tariff_minor(only.charge.lines) == 0


def test_a_listed_vehicle_is_billed_as_if_it_had_no_permit(street: Street) -> None:
    card = issue(street)
    (vehicle,) = listed(street, card.permit.id, 1)
    effects = {ListingReason.ABUSE: frozenset({Effect.NO_RIGHTS})}
    with street.database.unit_of_work() as uow:
        blacklists.set_policy(uow, OPERATOR, RegionPolicy(DISTRICT, effects))
        wish = blacklists.ListingWish(vehicle, DISTRICT, ListingReason.ABUSE, "lent")
        blacklists.add(uow, OPERATOR, wish)
    park(street, 0, 0, 0)
    street.clock.advance(60 * 60)
    leave(street, 60, 0)
    street.clock.advance(20 * 60)
    settled(street)
    assert billed_minor(street) == {"A1": 600}
    assert uses(street) == []


# --- issuing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"first_day": date(2026, 1, 1)}, Invalid, "months"),
        ({"months": None}, Invalid, "months"),
        ({"facility_ids": [FacilityId(uuid7())]}, NotFound, "facility_ids[0]"),
        ({"bay_ids": [uuid7()]}, NotFound, "bay_ids[0]"),
        ({"label": "  "}, Invalid, "label"),
    ],
)
def test_a_permit_that_cannot_be_names_its_field(
    street: Street, changes: dict[str, Any], error: type[Exception], field: str
) -> None:
    with pytest.raises(error) as refused:
        issue(street, **changes)
    assert getattr(refused.value, "field", None) == field


def test_a_price_of_overstaying_is_in_the_tariffs_currency(street: Street) -> None:
    terms = Terms(
        hours=Hours.from_json([{"from": "18:00", "until": "08:00"}]),
        overstay=OverstayTerms(0, 1800, Money(500, "EUR")),
    )
    with pytest.raises(Invalid, match="must be in CNY") as refused:
        issue(street, terms)
    assert refused.value.field == "overstay.price"


def test_a_stay_that_is_billed_anew_keeps_what_it_used_once(street: Street) -> None:
    card = issue(street)
    listed(street, card.permit.id, 1)
    park(street, 0, 0, 0)
    street.clock.advance(30 * 60)
    leave(street, 30, 0)
    bill(street, 0)
    bill(street, 0)
    assert uses(street) == [(0, 30, 0)]


def test_a_label_names_one_permit_of_a_district(street: Street) -> None:
    issue(street)
    with pytest.raises(Conflict) as refused:
        issue(street)
    assert refused.value.field == "label"


def test_only_operators_of_the_district_keep_permits(street: Street) -> None:
    card = issue(street)
    elsewhere: Actor = person("operator-2", Role.OPERATOR, "0999")
    for who, error in ((street.attendant, Forbidden), (elsewhere, NotFound)):
        with pytest.raises(error), street.database.unit_of_work() as uow:
            list_vehicles(uow, who, card.permit.id, [WrittenPlate("京A12345", "blue7")])
    with pytest.raises(NotFound), street.database.unit_of_work() as uow:
        permits.revoke(uow, elsewhere, card.permit.id, "no")


def test_a_bay_is_shared_by_day_and_by_night_but_never_at_one_time(street: Street) -> None:
    def hours(first: str, last: str) -> Terms:
        return Terms(hours=Hours.from_json([{"from": first, "until": last}]))

    bay = street.bays[0].id
    issue(street, hours("18:00", "08:00"), label="night", bay_ids=[bay])
    issue(street, hours("08:00", "18:00"), label="day", bay_ids=[bay])
    with pytest.raises(Conflict) as refused:
        issue(street, hours("17:59", "18:01"), label="both", bay_ids=[bay])
    assert (refused.value.field, refused.value.details["bay_id"]) == ("bay_ids", str(bay))
    with street.database.read() as connection:
        shared = connection.execute(
            text(
                "select count(*) from parking.bay_hold a join parking.bay_hold b"
                " on a.bay_id = b.bay_id and a.id < b.id and a.during && b.during"
            )
        ).scalar_one()
    assert shared == 0


def test_the_database_itself_refuses_two_holders_of_one_bay_time(street: Street) -> None:
    one, other = issue(street, label="one"), issue(street, label="other")
    bay, home = street.bays[0].id, street.facility.id
    with street.database.unit_of_work() as uow:
        hold_for_permit(uow.connection, one.permit.id, bay, home, ((at(0), at(60)),))
    with (
        pytest.raises(IntegrityError, match="bay_hold_one_holder"),
        street.database.unit_of_work() as uow,
    ):
        hold_for_permit(uow.connection, other.permit.id, bay, home, ((at(59), at(90)),))


# --- ends ----------------------------------------------------------------------------------------


def test_lost_days_are_made_good_once_and_with_the_bay_that_is_held(street: Street) -> None:
    card = issue(street, bay_ids=[street.bays[0].id])
    night = issue(
        street,
        Terms(hours=Hours.from_json([{"from": "22:00", "until": "06:00"}])),
        label="night",
    )
    suspended = (at(0), at(60 * 8))
    with street.database.unit_of_work() as uow:
        done = permit_terms.compensate(uow, OPERATOR, street.facility.id, suspended, "water main")
    assert done.extended == ((card.permit.id, 1),)
    assert done.untouched == (night.permit.id,)
    with street.database.read() as connection:
        longer = permits.find(connection, card.permit.id).permit
        (why,) = permit_terms.extensions(connection, card.permit.id)
        held_until = connection.execute(
            text("select max(until_at) from parking.bay_hold")
        ).scalar_one()
    assert longer.valid_until == card.permit.valid_until + timedelta(days=1)
    assert (why.kind, why.days, why.reason) == ("compensation", 1, "water main")
    assert held_until == longer.valid_until
    with street.database.unit_of_work() as uow:
        again = permit_terms.compensate(
            uow, OPERATOR, street.facility.id, (at(60), at(90)), "the same"
        )
    assert (again.extended, again.done_before) == ((), (card.permit.id,))


def test_threads_that_compensate_at_once_lengthen_a_permit_once(street: Street) -> None:
    card = issue(street)

    def compensate(_: int) -> int:
        with street.database.unit_of_work() as uow:
            done = permit_terms.compensate(
                uow, OPERATOR, street.facility.id, (at(0), at(60)), "works"
            )
        return len(done.extended)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(compensate, range(4))) == 1
    with street.database.read() as connection:
        longer = permits.find(connection, card.permit.id).permit
    assert longer.valid_until == card.permit.valid_until + timedelta(days=1)


def test_a_permit_goes_on_without_a_gap(street: Street) -> None:
    card = issue(street)
    with street.database.unit_of_work() as uow:
        renewed = permit_terms.renew(uow, OPERATOR, card.permit.id, 2, "paid at the desk")
    assert renewed.permit.valid_until.isoformat() == "2026-05-31T16:00:00+00:00"


def test_the_end_of_a_permit_is_announced_once(street: Street) -> None:
    short = issue(street, months=None, last_day=date(2026, 3, 2))
    issue(street, label="longer")
    with street.database.unit_of_work() as uow:
        assert permits.announce_ended(uow) == 0
    street.clock.advance(16 * 3600)
    task = next(
        each for each in rights_jobs.tasks(street.database) if each.name == rights_jobs.ENDED
    )
    task.handler({})
    with street.database.unit_of_work() as uow:
        assert permits.announce_ended(uow) == 0
    with street.database.read() as connection:
        assert permits.find(connection, short.permit.id).permit.state(street.clock.now()) == "ended"
        ended = permits.page(connection, at=street.clock.now(), state="ended").items
        valid = permits.page(connection, at=street.clock.now(), state="valid").items
    assert [each.permit.label for each in ended] == ["M-1"]
    assert [each.permit.label for each in valid] == ["longer"]


def test_a_plate_is_not_forgotten_while_a_permit_or_a_blacklist_names_it(street: Street) -> None:
    card = issue(street)
    vehicles = listed(street, card.permit.id, 1)
    with street.database.unit_of_work() as uow:
        black = keep_plate(uow, PLATES[1])
        wish = blacklists.ListingWish(black, DISTRICT, ListingReason.EVASION, "seen")
        blacklists.add(uow, OPERATOR, wish)
        vehicles += [black, keep_plate(uow, PLATES[2])]
    street.wall.advance(400 * 86_400)
    forget_plates(street.database, timedelta(days=180))
    with street.database.read() as connection:
        shown = masked(connection, vehicles)
    assert [shown[each].text for each in vehicles] == ["京A·****0", "京A·****1", "***"]


def test_the_tables_are_the_migrations(street: Street) -> None:
    ours = [table for table in vars(rights_tables).values() if isinstance(table, Table)]
    assert len(ours) == 10
    with street.database.read() as connection:
        for table in ours:
            rows = connection.execute(
                text(
                    "select column_name, is_nullable = 'YES' as nullable"
                    " from information_schema.columns"
                    " where table_schema = 'parking' and table_name = :name"
                ),
                {"name": table.name},
            )
            kept = {row.column_name: row.nullable for row in rows}
            assert kept == {column.name: column.nullable for column in table.columns}, table.name
