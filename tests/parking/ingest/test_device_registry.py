"""The registry: places with history, replacement, adoption, and the copy that processes hold."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from city.errors import Conflict, Invalid, NotFound
from city.identifiers import DistrictCode, uuid7
from city.people.actors import SYSTEM
from city.time import to_ms
from parking.rules.device_health import Health
from parking.services.devices import (
    NewDevice,
    adopt_device,
    device_detail,
    device_rows,
    place_device,
    record_devices,
    register_device,
    retire_device,
    unknown_devices,
)
from parking.services.places import bays, facilities, record_places
from parking.store.device_lists import count_by_health
from parking.store.sightings import Sighting, UnknownSighting, record_sightings, record_unknown
from tests.parking.ingest.small_town import BOSCH, EAST, NWAVE, WEST, Town, bays_of, facility

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from city.identifiers import DeviceId
    from city.time import FixedClock
    from city.works.database import Database
    from parking.placements import Placements


def test_a_moved_device_keeps_its_history(
    database: Database, town: Town, clock: FixedClock
) -> None:
    device = town.devices[BOSCH].id
    moved_at = clock.advance(3_600)
    with database.unit_of_work() as uow:
        detail = place_device(uow, SYSTEM, device, bay_id=town.bays[2].id)
    assert [(p.bay_label, p.since_at, p.until_at) for p in detail.placements] == [
        ("A002", moved_at, None),
        ("A000", moved_at - timedelta(hours=1), moved_at),
    ]
    assert detail.row.bay_label == "A002"


def test_frames_are_attributed_by_their_own_time(
    database: Database, town: Town, clock: FixedClock, placements: Placements
) -> None:
    device = town.devices[BOSCH].id
    start_ms = to_ms(clock.now())
    clock.advance(3_600)
    with database.unit_of_work() as uow:
        place_device(uow, SYSTEM, device, bay_id=town.bays[2].id)
    placements.refresh(force=True)
    places = [
        placements.placed(device, start_ms + after_ms) for after_ms in (-1, 0, 3_599_999, 3_600_000)
    ]
    assert [each.bay_id if each else None for each in places] == [
        None,
        town.bays[0].id,
        town.bays[0].id,
        town.bays[2].id,
    ]


def test_a_bay_has_one_primary_device(database: Database, town: Town, clock: FixedClock) -> None:
    clock.advance(60)
    with pytest.raises(Conflict) as caught, database.unit_of_work() as uow:
        place_device(uow, SYSTEM, town.devices[BOSCH].id, bay_id=town.bays[1].id)
    assert caught.value.message == "another device lies in this bay then"


def test_a_second_device_may_lie_in_a_bay(
    database: Database, town: Town, clock: FixedClock
) -> None:
    clock.advance(60)
    with database.unit_of_work() as uow:
        place_device(uow, SYSTEM, town.devices[BOSCH].id, bay_id=town.bays[1].id, role="secondary")
    with database.read() as connection:
        detail = device_detail(connection, town.devices[BOSCH].id, now=clock.now())
    assert [(p.bay_label, p.role) for p in detail.placements[:1]] == [("A001", "secondary")]


def test_replacing_a_device_ends_the_old_one_s_place(
    database: Database, town: Town, clock: FixedClock
) -> None:
    at = clock.advance(60)
    with database.unit_of_work() as uow:
        place_device(uow, SYSTEM, town.devices[BOSCH].id, bay_id=town.bays[1].id, replace=True)
    with database.read() as connection:
        old = device_detail(connection, town.devices[NWAVE].id, now=at)
    assert [(p.until_at, p.ended_by) for p in old.placements] == [(at, "system:greenbay")]
    assert old.row.bay_id is None


def test_a_place_does_not_begin_in_the_future_or_before_the_last(
    database: Database, town: Town, clock: FixedClock
) -> None:
    device, now = town.devices[BOSCH].id, clock.now()
    for at in (now + timedelta(minutes=3), now, now - timedelta(days=1)):
        with pytest.raises(Invalid) as caught, database.unit_of_work() as uow:
            place_device(uow, SYSTEM, device, bay_id=town.bays[2].id, since_at=at)
        assert caught.value.field == "since_at"


def test_a_device_goes_into_a_bay_of_its_own_district(
    database: Database, town: Town, clock: FixedClock
) -> None:
    home = facility("west-lot", WEST)
    (bay,) = bays_of(home, 1)
    clock.advance(60)
    with database.unit_of_work() as uow:
        record_places(uow, [home], [bay])
    with pytest.raises(Invalid) as caught, database.unit_of_work() as uow:
        place_device(uow, SYSTEM, town.devices[BOSCH].id, bay_id=bay.id)
    assert caught.value.field == "bay_id"


def test_a_key_is_registered_once(database: Database, town: Town) -> None:
    assert town.devices
    with pytest.raises(Conflict), database.unit_of_work() as uow:
        register_device(uow, SYSTEM, key=BOSCH.upper(), model="nwave-nps405", district=EAST)
    with pytest.raises(Conflict), database.unit_of_work() as uow:
        record_devices(uow, SYSTEM, [NewDevice(BOSCH, "nwave-nps405", EAST)])


@pytest.mark.parametrize(
    ("key", "model", "district", "field"),
    [
        ("two words", "bosch-tps110", "0153", "network_key"),
        ("x" * 65, "bosch-tps110", "0153", "network_key"),
        ("aa", "no-such", "0153", "model"),
        ("aa", "bosch-tps110", "EAST!", "district"),
    ],
)
def test_a_bad_device_names_the_field(
    database: Database, key: str, model: str, district: str, field: str
) -> None:
    with pytest.raises(Invalid) as caught, database.unit_of_work() as uow:
        register_device(uow, SYSTEM, key=key, model=model, district=district)
    assert caught.value.field == field


def test_a_device_that_does_not_exist_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound), database.unit_of_work() as uow:
        place_device(uow, SYSTEM, uuid7(), bay_id=None)


def test_the_copy_reads_only_what_changed(
    database: Database, town: Town, clock: FixedClock, placements: Placements
) -> None:
    assert placements.refresh(force=True)
    assert not placements.refresh(force=True)
    version = placements.version
    clock.advance(60)
    with database.unit_of_work() as uow:
        place_device(uow, SYSTEM, town.devices[BOSCH].id, bay_id=None)
        register_device(uow, SYSTEM, key="aa", model="dingtek-do202", district="0154")
    assert placements.refresh(force=True)
    assert placements.version > version
    assert len(placements) == 3
    assert placements.placed(town.devices[BOSCH].id, to_ms(clock.now())) is None
    assert placements.placed(town.devices[NWAVE].id, to_ms(clock.now())) is not None


def test_the_copy_forgets_a_retired_device(
    database: Database, town: Town, placements: Placements
) -> None:
    placements.refresh(force=True)
    with database.unit_of_work() as uow:
        retire_device(uow, SYSTEM, town.devices[BOSCH].id)
    placements.refresh(force=True)
    assert placements.by_key(BOSCH) is None
    assert placements.by_id(town.devices[BOSCH].id) is None


def test_a_change_that_was_rolled_back_is_never_seen(
    database: Database, town: Town, clock: FixedClock, placements: Placements
) -> None:
    placements.refresh(force=True)
    clock.advance(60)

    def move_then_fail(device_ids: list[UUID]) -> None:
        with database.unit_of_work() as uow:
            for device_id in device_ids:
                place_device(uow, SYSTEM, device_id, bay_id=None)

    with pytest.raises(NotFound):
        move_then_fail([town.devices[BOSCH].id, uuid7()])
    assert not placements.refresh(force=True)


def test_facilities_and_bays_come_page_by_page(database: Database, town: Town) -> None:
    with database.read() as connection:
        first = bays(connection, facility_id=town.facility.id, limit=3)
        rest = bays(connection, facility_id=town.facility.id, after=first.next, limit=3)
        assert [each.label for each in (*first.items, *rest.items)] == [
            "A000",
            "A001",
            "A002",
            "A003",
        ]
        assert rest.next is None
        assert [each.code for each in facilities(connection, district="0153").items] == [
            "riverside"
        ]
        assert facilities(connection, district="0199").items == ()


def test_a_taken_code_is_a_conflict_and_an_unknown_facility_invalid(
    database: Database, town: Town
) -> None:
    with pytest.raises(Conflict) as taken, database.unit_of_work() as uow:
        record_places(uow, [facility()], [])
    assert taken.value.field == "code"
    with pytest.raises(Conflict) as doubled, database.unit_of_work() as uow:
        record_places(uow, [], bays_of(town.facility, 1))
    assert doubled.value.field == "label"
    with pytest.raises(Invalid) as orphan, database.unit_of_work() as uow:
        record_places(uow, [], bays_of(facility("elsewhere"), 1))
    assert orphan.value.field == "facility_id"


def sighting(device: DeviceId, at: datetime, **said: object) -> Sighting:
    filled: dict[str, object] = {
        "rssi": -90.0,
        "snr": 8.0,
        "session": "s",
        "counter": 1,
        **said,
    }
    return Sighting(device, at, at, **filled)  # type: ignore[arg-type] # test data by name


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ({}, Health.OK),
        ({"battery_low": True}, Health.BATTERY),
        ({"battery_percent": 14.0}, Health.BATTERY),
        ({"battery_percent": 14.0, "battery_low": False}, Health.OK),
        ({"rssi": -118.5}, Health.SIGNAL),
        ({"snr": -15.5}, Health.SIGNAL),
        ({"faults": ("tilted", 'odd "one"'), "battery_low": True}, Health.FAULT),
    ],
)
def test_a_device_s_verdict_follows_from_what_it_said(
    database: Database,
    town: Town,
    clock: FixedClock,
    said: dict[str, object],
    verdict: Health,
) -> None:
    with database.unit_of_work() as uow:
        record_sightings(uow.connection, [sighting(town.devices[BOSCH].id, clock.now(), **said)])
    with database.read() as connection:
        rows = device_rows(connection, now=clock.now(), health=verdict.value).items
        assert [each.health for each in rows] == [verdict]
        assert rows[0].device.faults == said.get("faults", ())
        assert count_by_health(connection, now=clock.now())[Health.NEVER] == 1


def test_a_silent_device_is_silent_whatever_it_said_before(
    database: Database, town: Town, clock: FixedClock
) -> None:
    with database.unit_of_work() as uow:
        record_sightings(uow.connection, [sighting(town.devices[BOSCH].id, clock.now())])
    now = clock.advance(26 * 3_600 + 1)
    with database.read() as connection:
        rows = device_rows(connection, now=now, health="silent").items
    assert [each.device.network_key for each in rows] == [BOSCH]


def test_what_a_frame_does_not_say_stays_known(
    database: Database, town: Town, clock: FixedClock
) -> None:
    device = town.devices[BOSCH].id
    with database.unit_of_work() as uow:
        record_sightings(
            uow.connection,
            [
                sighting(device, clock.now(), battery_v=3.6, faults=("tilted",)),
                sighting(device, clock.now(), counter=2, firmware="1.2"),
            ],
        )
        record_sightings(uow.connection, [sighting(device, clock.advance(5), counter=3)])
    with database.read() as connection:
        found = device_detail(connection, device, now=clock.now()).row.device
    assert (found.battery_v, found.faults, found.firmware, found.counter) == (
        3.6,
        ("tilted",),
        "1.2",
        3,
    )
    assert found.last_seen_at == clock.now()


def test_unregistered_devices_are_counted_and_adopted_once(
    database: Database, town: Town, clock: FixedClock
) -> None:
    first_at = clock.now()
    with database.unit_of_work() as uow:
        for frame in (b"\x01", b"\x00"):
            record_unknown(
                uow.connection,
                [UnknownSighting("feed", "ttn", None, clock.now(), 1, frame, -90.0, None)],
            )
            clock.advance(60)
    with database.read() as connection:
        (unknown,) = unknown_devices(connection).items
    assert (unknown.network_key, unknown.frames, unknown.last_frame) == ("feed", 2, b"\x00")
    with database.unit_of_work() as uow:
        adopted = adopt_device(
            uow,
            SYSTEM,
            unknown.id,
            model="nwave-nps405",
            district=DistrictCode("0153"),
            bay_id=town.bays[3].id,
        )
    assert adopted.frames == 2
    # From its first frame on: what was parked tells the bay's history.
    assert adopted.detail.placements[0].since_at == first_at
    with database.read() as connection:
        assert unknown_devices(connection).items == ()
        waiting = connection.execute(text("select task_name from procrastinate_jobs")).scalars()
        assert list(waiting) == ["parking.replay_parked"]
    with pytest.raises(Conflict), database.unit_of_work() as uow:
        adopt_device(uow, SYSTEM, unknown.id, model="nwave-nps405", district="0153")


def test_every_change_of_the_registry_is_on_record(
    database: Database, town: Town, clock: FixedClock
) -> None:
    clock.advance(60)
    with database.unit_of_work() as uow:
        place_device(uow, SYSTEM, town.devices[BOSCH].id, bay_id=town.bays[2].id)
        retire_device(uow, SYSTEM, town.devices[NWAVE].id)
    with database.read() as connection:
        actions = connection.execute(text("select action from audit.record order by id")).scalars()
        assert list(actions) == [
            "parking.devices_registered",
            "parking.device_placed",
            "parking.device_retired",
        ]


def seen_unregistered(database: Database, key: str, at: datetime) -> None:
    with database.unit_of_work() as uow:
        record_unknown(
            uow.connection, [UnknownSighting(key, "ttn", None, at, 1, b"\x01", None, None)]
        )


def test_registering_a_device_that_was_parked_has_its_frames_replayed(
    database: Database, clock: FixedClock
) -> None:
    seen_unregistered(database, "feed", clock.now())
    with database.unit_of_work() as uow:
        record_devices(
            uow,
            SYSTEM,
            [NewDevice("feed", "nwave-nps405", EAST), NewDevice("new", "nwave-nps405", EAST)],
        )
    with database.read() as connection:
        jobs = connection.execute(text("select args->>'network_key' from procrastinate_jobs"))
        assert list(jobs.scalars()) == ["feed"]


def test_a_retired_device_that_sends_again_waits_and_can_be_taken_back(
    database: Database, town: Town, clock: FixedClock, placements: Placements
) -> None:
    device = town.devices[BOSCH].id
    seen_unregistered(database, BOSCH, clock.now())
    retired_at = clock.advance(60)
    with database.unit_of_work() as uow:
        retire_device(uow, SYSTEM, device)
    seen_unregistered(database, BOSCH, clock.advance(60))
    with database.read() as connection:
        (unknown,) = unknown_devices(connection).items
    with database.unit_of_work() as uow:
        adopted = adopt_device(
            uow,
            SYSTEM,
            unknown.id,
            model="nwave-nps310sm",
            district="0153",
            bay_id=town.bays[0].id,
        )
    detail = adopted.detail
    assert (detail.row.device.id, detail.row.device.model) == (device, "nwave-nps310sm")
    assert [(p.since_at, p.until_at) for p in detail.placements] == [
        (retired_at, None),
        (retired_at - timedelta(seconds=60), retired_at),
    ]
    placements.refresh(force=True)
    known = placements.by_key(BOSCH)
    assert known is not None
    assert known.model == "nwave-nps310sm"


def test_a_device_registered_a_moment_ago_can_be_adopted_as_the_same(
    database: Database, town: Town, clock: FixedClock
) -> None:
    seen_unregistered(database, BOSCH, clock.now())
    with database.read() as connection:
        (unknown,) = unknown_devices(connection).items
    with pytest.raises(Conflict), database.unit_of_work() as uow:
        adopt_device(uow, SYSTEM, unknown.id, model="dingtek-do200", district="0153")
    with database.unit_of_work() as uow:
        adopted = adopt_device(
            uow,
            SYSTEM,
            unknown.id,
            model="bosch-tps110",
            district="0153",
            bay_id=town.bays[0].id,
        )
    assert adopted.detail.row.bay_id == town.bays[0].id
