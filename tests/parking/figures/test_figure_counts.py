"""Kept counts are those of a direct scan, whatever was rewritten, in whatever order, anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from city.errors import Invalid
from city.identifiers import BayId, DeviceId, DistrictCode, FacilityId, OperatorId, uuid7
from city.places import GridCell, Position
from city.time import FixedClock, Interval
from city.works.database import Database
from parking.rules.figures import sketch
from parking.rules.figures.calendar import Hour, hours_of, local_day
from parking.rules.figures.direct import SeenChange, SeenStay, count_hour
from parking.rules.figures.measures import Tally, added
from parking.rules.occupancy.history import BayChange, BayState, StateChange
from parking.rules.places.closures import Closure, closures
from parking.rules.places.times import read_spans
from parking.rules.stays import ClosingReason
from parking.services import figures, stays
from parking.services.figures import Grouping, Wanted
from parking.store import figures as store
from parking.store import telemetry
from parking.store.places import Bay, Facility, add_bays, add_facilities

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

EAST = DistrictCode("0153")
STATES = (BayState.FREE, BayState.OCCUPIED, BayState.UNKNOWN)
DEVICE = DeviceId(UUID(int=7))
GARAGE_HOURS = read_spans([{"times": [["06:30", "01:30"]]}], "opening")

# Each begins some hours before a clock change, or before the end of a month.
PLACES = (
    ("Asia/Shanghai", datetime(2026, 2, 27, 13, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 28, 15, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 24, 15, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 5, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 9, 5, 18, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 3, 30, 20, tzinfo=UTC)),
)


@dataclass(slots=True)
class Place:
    """Two facilities of some bays in one zone, written to as the record does it."""

    database: Database
    clock: FixedClock
    zone: ZoneInfo
    facilities: list[Facility]
    bays: list[Bay]
    edits: int = field(default=0)
    works: dict[BayId, list[Interval]] = field(default_factory=dict)

    def suspend(self, bay: int, from_at: datetime, lasting: timedelta) -> None:
        """Let works take a bay."""
        home = self.bays[bay]
        self.edits += 1
        with self.database.unit_of_work() as uow:
            given = {
                "id": uuid7(),
                "home": home.facility_id,
                "bay": home.id,
                "permit": f"W{self.edits}",
                "from_at": from_at,
                "until_at": from_at + lasting,
            }
            uow.connection.execute(
                text(
                    "insert into parking.suspension (id, facility_id, district, permit_no, reason,"
                    " from_at, until_at, recorded_at, recorded_by)"
                    " values (:id, :home, '0153', :permit, 'works', :from_at, :until_at,"
                    " :from_at, 'test')"
                ),
                given,
            )
            uow.connection.execute(
                text("insert into parking.suspended_bay values (:id, :bay)"), given
            )
        self.works.setdefault(home.id, []).append(Interval(from_at, from_at + lasting))

    def closed(self, bay: Bay) -> tuple[Closure, ...]:
        """Give when a bay is closed, over all that is told here."""
        home = next(each for each in self.facilities if each.id == bay.facility_id)
        works = self.works.get(bay.id, [])
        begun_at = self.clock.now() - timedelta(days=90)
        return closures(self.zone, home.opening, (), works, (begun_at, self.clock.now()))

    def rewrite(self, bay: int, from_at: datetime, *seen: tuple[datetime, BayState, bool]) -> None:
        """Let a bay's history be these changes from an instant on."""
        self.edits += 1
        home = self.bays[bay]
        change = BayChange(
            bay_id=home.id,
            facility_id=home.facility_id,
            district=EAST,
            from_at=from_at,
            changes=tuple(
                StateChange(state, at, 900, f"{self.edits}-{n}", DEVICE if heard else None)
                for n, (at, state, heard) in enumerate(seen)
            ),
            state=seen[-1][1] if seen else BayState.FREE,
            since_at=None,
            sure=900,
            heard_at=None,
            provisional=False,
        )
        with self.database.unit_of_work() as uow:
            telemetry.rewrite_histories(
                uow.connection,
                [
                    telemetry.RewrittenHistory(
                        home.id,
                        from_at,
                        tuple(
                            telemetry.BayChange(
                                home.id,
                                home.facility_id,
                                EAST,
                                each.at,
                                each.state.value,
                                each.sure,
                                each.observation,
                                each.device_id,
                            )
                            for each in change.changes
                        ),
                    )
                ],
                recorded_at=uow.clock.now(),
            )
            stays.apply_bay_changes(uow, [change])

    def attach(self, bay: int) -> None:
        """Give every stay of a bay a vehicle."""
        with self.database.unit_of_work() as uow:
            uow.connection.execute(
                text(
                    "update parking.parking_session set vehicle_id = gen_random_uuid(),"
                    " attached_at = opened_at, attached_by = 'test', state ="
                    " case when closed_at is null then 'open' else 'closed' end"
                    " where bay_id = :bay and vehicle_id is null"
                ),
                {"bay": self.bays[bay].id},
            )

    def histories(self) -> dict[BayId, tuple[list[SeenChange], list[SeenStay]]]:
        """Read every change and every stay there is."""
        found: dict[BayId, tuple[list[SeenChange], list[SeenStay]]] = {
            bay.id: ([], []) for bay in self.bays
        }
        with self.database.read() as connection:
            for row in connection.execute(
                text("select * from parking.bay_change order by changed_at, observation_key")
            ):
                found[row.bay_id][0].append(
                    SeenChange(
                        row.changed_at,
                        BayState(row.state),
                        row.recorded_at,
                        row.device_id is not None,
                    )
                )
            for row in connection.execute(
                text("select * from parking.parking_session order by opened_at")
            ):
                reason = row.closing_reason
                found[row.bay_id][1].append(
                    SeenStay(
                        row.opened_at,
                        row.closed_at,
                        None if reason is None else ClosingReason(reason),
                        row.vehicle_id is not None,
                    )
                )
        return found

    def hours(self, first_at: datetime) -> list[Hour]:
        """Give the hours of every local day from an instant's up to now."""
        day = local_day(first_at, self.zone)
        hours: list[Hour] = []
        while day <= local_day(self.clock.now(), self.zone):
            hours += hours_of(day, self.zone)
            day += timedelta(days=1)
        return [each for each in hours if each.start_at < self.clock.now()]

    def directly(self, first_at: datetime) -> dict[tuple[FacilityId, datetime], Tally]:
        """Count every facility and hour by scanning everything."""
        told = self.histories()
        closed = {bay.id: self.closed(bay) for bay in self.bays}
        return {
            (home.id, hour.start_at): added(
                count_hour(*told[bay.id], hour, self.clock.now(), closed[bay.id])
                for bay in self.bays
                if bay.facility_id == home.id
            )
            for home in self.facilities
            for hour in self.hours(first_at)
        }

    def kept(self) -> dict[tuple[FacilityId, datetime], Tally]:
        """Read every kept count by facility and hour."""
        with self.database.read() as connection:
            return {
                (row.facility_id, row.hour_at): Tally(
                    row.service_us,
                    row.open_us,
                    row.occupied_us,
                    row.free_us,
                    row.arrivals,
                    row.ended,
                    row.matched,
                    row.dwell_stays,
                    row.dwell_us,
                    row.changes,
                    dict(zip(row.dwell_bins, row.dwell_counts, strict=True)),
                    dict(zip(row.delay_bins, row.delay_counts, strict=True)),
                )
                for row in connection.execute(text("select * from parking.figure_hour"))
            }

    def check(self, first_at: datetime) -> None:
        """Hold every kept count against a direct scan: by hour, and by bay and day."""
        kept, directly = self.kept(), self.directly(first_at)
        nothing = Tally()
        for key in {*kept, *directly}:
            assert (key, kept.get(key, nothing)) == (key, directly.get(key, nothing))
        told = self.histories()
        with self.database.read() as connection:
            days = {
                (row.bay_id, row.day): row
                for row in connection.execute(text("select * from parking.figure_day"))
            }
        by_day: dict[Any, list[Hour]] = {}
        for hour in self.hours(first_at):
            by_day.setdefault(hour.day, []).append(hour)
        for bay in self.bays:
            closed = self.closed(bay)
            for day, hours in by_day.items():
                whole = added(
                    count_hour(*told[bay.id], hour, self.clock.now(), closed) for hour in hours
                )
                row = days.get((bay.id, day))
                found = (
                    (0,) * 10
                    if row is None
                    else (
                        row.service_us,
                        row.open_us,
                        row.occupied_us,
                        row.free_us,
                        row.arrivals,
                        row.ended,
                        row.matched,
                        row.dwell_stays,
                        row.dwell_us,
                        row.changes,
                    )
                )
                assert found == (
                    whole.service_us,
                    whole.open_us,
                    whole.occupied_us,
                    whole.free_us,
                    whole.arrivals,
                    whole.ended,
                    whole.matched,
                    whole.dwell_stays,
                    whole.dwell_us,
                    whole.changes,
                )


def place(database_url: str, zone: str, begun_at: datetime, bays: int = 3) -> Iterator[Place]:
    clock = FixedClock(begun_at)
    database = Database(database_url, clock=clock, wall=clock, pool_size=2)
    facilities = [
        Facility(
            code=f"F{n}-{uuid7().hex[-8:]}",
            district=EAST,
            ownership="public",
            kind="kerb" if n == 0 else "garage",
            name_zh="滨江路",
            name_en="Riverside Road",
            position=Position(120.1, 30.2),
            timezone=zone,
            operator_id=OperatorId(uuid7()),
            revenue_nature="commercial",
            opening=() if n == 0 else GARAGE_HOURS,
            id=FacilityId(uuid7()),
        )
        for n in range(2)
    ]
    kept = [
        Bay(
            facilities[n % 2].id,
            EAST,
            f"A{n}",
            "standard",
            Position(120.1 + 0.01 * n, 30.2),
            id=BayId(uuid7()),
        )
        for n in range(bays)
    ]
    with database.unit_of_work() as uow:
        uow.connection.execute(
            text(
                "truncate parking.bay_change, parking.parking_session, parking.figure_hour,"
                " parking.figure_day, parking.figure_mark, parking.figure_facility,"
                " parking.suspension cascade"
            )
        )
        add_facilities(uow.connection, facilities)
        add_bays(uow.connection, kept)
    try:
        yield Place(database, clock, ZoneInfo(zone), facilities, kept)
    finally:
        database.close()


MINUTES = st.integers(0, 59 * 60_000).map(lambda ms: timedelta(milliseconds=ms))
SEEN = st.tuples(st.integers(0, 60), MINUTES, st.sampled_from(STATES), st.booleans())
"""Hours and minutes after the beginning, the state, whether a device spoke."""

STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("rewrite"), st.integers(0, 2), st.integers(0, 60), st.lists(SEEN, max_size=6)
        ),
        st.tuples(st.just("pass"), st.integers(1, 20 * 3600), st.just(0), st.just([])),
        st.tuples(st.just("count"), st.just(0), st.just(0), st.just([])),
        st.tuples(st.just("attach"), st.integers(0, 2), st.just(0), st.just([])),
        st.tuples(st.just("works"), st.integers(0, 2), st.integers(0, 60), st.just([])),
    ),
    min_size=1,
    max_size=12,
)


@given(st.sampled_from(PLACES), STEPS)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_kept_counts_are_those_of_a_direct_scan(
    database_url: str, where: tuple[str, datetime], steps: Sequence[tuple[Any, ...]]
) -> None:
    zone, begun_at = where
    for town in place(database_url, zone, begun_at):
        for act, number, from_hour, seen in steps:
            if act == "pass":
                town.clock.advance(number)
            elif act == "count":
                figures.keep_counts(town.database)
            elif act == "attach":
                town.attach(number)
            elif act == "works":
                from_at = begun_at + timedelta(hours=from_hour)
                town.suspend(number, from_at, timedelta(hours=1 + from_hour % 7))
            else:
                # Some lie ahead of the clock: they count when their time has come.
                from_at = begun_at + timedelta(hours=from_hour)
                told = {
                    begun_at + timedelta(hours=hour) + more: (state, heard)
                    for hour, more, state, heard in seen
                    if hour >= from_hour
                }
                town.rewrite(number, from_at, *[(at, *told[at]) for at in sorted(told)])
        town.clock.advance(3600 * 7)
        counted = figures.keep_counts(town.database)
        assert counted.complete
        town.check(begun_at)
        # Again it changes nothing.
        before = town.kept()
        figures.keep_counts(town.database)
        assert town.kept() == before


@pytest.fixture
def town(database_url: str) -> Iterator[Place]:
    """Give two facilities in Shanghai on a Monday at nine."""
    yield from place(database_url, "Asia/Shanghai", datetime(2026, 3, 2, 1, tzinfo=UTC))


def at(minute: float) -> datetime:
    return datetime(2026, 3, 2, 1, tzinfo=UTC) + timedelta(minutes=minute)


def test_a_late_frame_changes_the_hours_that_it_speaks_of(town: Place) -> None:
    town.rewrite(0, at(0), (at(0), BayState.FREE, True), (at(90), BayState.OCCUPIED, True))
    town.clock.advance(4 * 3600)
    figures.keep_counts(town.database)
    occupied = [tally.occupied_us for _, tally in sorted(town.kept().items(), key=str)]
    town.rewrite(0, at(30), (at(30), BayState.OCCUPIED, True))
    figures.keep_counts(town.database)
    assert [tally.occupied_us for _, tally in sorted(town.kept().items(), key=str)] != occupied
    town.check(at(0))


def test_a_change_that_stands_keeps_when_it_was_first_recorded(town: Place) -> None:
    town.clock.advance(5)
    town.rewrite(0, at(0), (at(0), BayState.FREE, True))
    town.clock.advance(600)
    seen: list[tuple[int, Literal["free", "occupied"], str]] = [
        (0, "free", "1-0"),
        (3, "occupied", "x"),
    ]
    with town.database.unit_of_work() as uow:
        telemetry.rewrite_histories(
            uow.connection,
            [
                telemetry.RewrittenHistory(
                    town.bays[0].id,
                    at(-5),
                    tuple(
                        telemetry.BayChange(
                            town.bays[0].id,
                            town.facilities[0].id,
                            EAST,
                            at(minute),
                            state,
                            900,
                            key,
                            DEVICE,
                        )
                        for minute, state, key in seen
                    ),
                )
            ],
            recorded_at=uow.clock.now(),
        )
    ((first, _), *_) = town.histories().values()
    assert [change.recorded_at for change in first] == [
        at(0) + timedelta(seconds=5),
        at(0) + timedelta(seconds=605),
    ]


def test_marks_are_written_in_the_transaction_that_needs_them(town: Place) -> None:
    with town.database.engine.connect() as connection:
        connection.execute(
            text(
                "insert into parking.bay_change values"
                " (:bay, :at, 'k', :facility, '0153', 'free', 900, null, :at)"
            ),
            {"bay": town.bays[0].id, "facility": town.facilities[0].id, "at": at(0)},
        )
        assert marks(connection) == 1
        connection.rollback()
    with town.database.read() as connection:
        assert marks(connection) == 0


def marks(connection: Any) -> int:
    found: int = connection.execute(text("select count(*) from parking.figure_mark")).scalar_one()
    return found


def test_only_what_is_behind_is_counted(town: Place) -> None:
    town.rewrite(0, at(0), (at(0), BayState.FREE, True))
    town.clock.advance(3 * 86_400)
    assert figures.keep_counts(town.database).facility_days == 4
    assert figures.keep_counts(town.database).facility_days == 0
    town.clock.advance(60)
    assert figures.keep_counts(town.database).facility_days == 1


def test_counts_go_to_the_partitions_of_their_months(town: Place) -> None:
    town.rewrite(0, at(-4 * 1440), (at(-4 * 1440), BayState.FREE, True))
    figures.keep_counts(town.database)
    with town.database.read() as connection:
        rows = connection.execute(
            text("select tableoid::regclass::text, count(*) from parking.figure_hour group by 1")
        ).all()
    assert {name for name, _ in rows} == {
        "parking.figure_hour_202602",
        "parking.figure_hour_202603",
    }


def whole(town: Place, grouping: Grouping, **more: Any) -> dict[Any, Tally]:
    day = local_day(at(0), town.zone)
    wanted = Wanted(day, day + timedelta(days=2), **more)
    with town.database.read() as connection:
        return figures.counts(connection, wanted, grouping)


def busy(town: Place) -> None:
    for bay in range(3):
        town.rewrite(
            bay,
            at(0),
            (at(bay), BayState.FREE, True),
            (at(20 + bay), BayState.OCCUPIED, True),
            (at(100 + bay), BayState.FREE, True),
            (at(1000 + bay), BayState.OCCUPIED, True),
            (at(1500), BayState.UNKNOWN, False),
        )
    town.attach(1)
    town.clock.advance(36 * 3600)
    figures.keep_counts(town.database)


def test_every_grouping_adds_up_to_the_whole(town: Place) -> None:
    busy(town)
    (total,) = whole(town, Grouping.TOTAL).values()
    assert total.arrivals == 6
    for grouping in Grouping:
        assert added(whole(town, grouping).values()) == total


def test_groups_are_those_asked_for_and_in_order(town: Place) -> None:
    busy(town)
    assert [group.hour for group in whole(town, Grouping.HOUR_OF_DAY)] == list(range(24))
    assert [group.weekday for group in whole(town, Grouping.HOUR_OF_WEEK)] == [1] * 24 + [2] * 21
    assert len(whole(town, Grouping.HOUR)) == 45
    assert len(whole(town, Grouping.DAY)) == 2
    homes = sorted(home.id for home in town.facilities)
    assert [group.facility_id for group in whole(town, Grouping.FACILITY)] == homes
    assert [g.facility_id for g in whole(town, Grouping.FACILITY, kind="garage")] == [
        town.facilities[1].id
    ]
    assert whole(town, Grouping.TOTAL, districts=frozenset({"0999"})) == {}


def test_bays_have_their_exact_median(town: Place) -> None:
    busy(town)
    day = local_day(at(0), town.zone)
    with town.database.read() as connection:
        page = figures.bay_page(
            connection, town.facilities[0], day, day + timedelta(days=2), limit=10
        )
    assert [(each.bay.label, each.dwell_median) for each in page.items] == [
        ("A0", timedelta(minutes=80)),
        ("A2", timedelta(minutes=80)),
    ]
    assert [each.tally.arrivals for each in page.items] == [2, 2]


def test_areas_are_cells_with_their_bays(town: Place) -> None:
    busy(town)
    day = local_day(at(0), town.zone)
    with town.database.read() as connection:
        found = figures.areas(connection, Wanted(day, day + timedelta(days=2)), step_e6=20_000)
    assert [(each.cell.step_e6, each.bays) for each in found] == [(20_000, 2), (20_000, 1)]
    (total,) = whole(town, Grouping.TOTAL).values()
    assert sum(each.tally.service_us for each in found) == total.service_us
    # The database numbers cells as the kernel does.
    assert {each.cell for each in found} == {GridCell.of(bay.position, 20_000) for bay in town.bays}


def test_a_range_out_of_order_or_too_long_is_refused_by_its_field(town: Place) -> None:
    day = local_day(at(0), town.zone)
    with town.database.read() as connection:
        for until, grouping in (
            (day, Grouping.TOTAL),
            (day + timedelta(days=367), Grouping.DAY),
            (day + timedelta(days=15), Grouping.HOUR),
        ):
            with pytest.raises(Invalid) as refused:
                figures.counts(connection, Wanted(day, until), grouping)
            assert refused.value.field == "last_day"


def test_how_far_figures_are_counted_is_that_of_the_one_furthest_behind(town: Place) -> None:
    town.rewrite(0, at(0), (at(0), BayState.FREE, True))
    town.clock.advance(3600)
    figures.keep_counts(town.database)
    day = local_day(at(0), town.zone)
    with town.database.read() as connection:
        assert store.counted_until(connection, Wanted(day, day)) == at(60)


def test_the_median_of_all_is_within_a_hundredth(town: Place) -> None:
    busy(town)
    (total,) = whole(town, Grouping.TOTAL).values()
    median_ms = sketch.quantile_ms(total.dwell_bins, 0.5)
    assert median_ms is not None
    assert abs(median_ms - 80 * 60_000) <= 0.01 * 80 * 60_000
