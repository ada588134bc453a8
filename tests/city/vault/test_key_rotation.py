"""Rotation: rows move to a new key while others work, and no vehicle splits in two."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text

from city import vault
from city.errors import Conflict, Unavailable
from city.people import SYSTEM
from city.time import FixedClock
from city.vault import FileKeys, GivenKeys, KeyRing, RotationReport
from city.vehicles import PlateKind, PlateNumber, parse_plate
from city.works.database import Database

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from city.identifiers import VehicleId
    from city.vault import KeySource

PLATES = [parse_plate(f"京A{number:05d}", PlateKind.BLUE7) for number in range(10_000, 10_040)]


def keep(database: Database, keys: KeySource, plates: list[PlateNumber]) -> list[VehicleId]:
    with database.unit_of_work() as uow:
        return [vault.keep_plate(uow, plate, keys=keys) for plate in plates]


def begin(database: Database, keys: KeySource) -> int:
    with database.unit_of_work() as uow:
        return vault.begin_rotation(uow, keys=keys)


def rotate(database: Database, keys: KeySource, limit: int = 500) -> RotationReport:
    with database.unit_of_work() as uow:
        return vault.rotate(uow, limit, keys=keys)


def versions(database: Database) -> list[int]:
    with database.read() as connection:
        return list(connection.scalars(text("select key_version from vault.vehicle order by id")))


def test_rows_are_carried_over_in_batches_and_the_old_key_retires_after_the_last(
    database: Database, keys: FileKeys
) -> None:
    kept = keep(database, keys, PLATES[:5])
    assert begin(database, keys) == 2
    assert rotate(database, keys, 3) == RotationReport(2, 3, 2, ())
    assert rotate(database, keys, 3) == RotationReport(2, 2, 0, (1,))
    assert rotate(database, keys, 3) == RotationReport(2, 0, 0, ())
    assert versions(database) == [2] * 5
    assert keep(database, keys, PLATES[:5]) == kept
    with database.unit_of_work() as uow:
        shown = vault.reveal(uow, SYSTEM, kept, "check", keys=keys)
    assert shown == dict(zip(kept, PLATES[:5], strict=True))


def test_rotation_changes_every_stored_byte_of_a_row(database: Database, keys: FileKeys) -> None:
    keep(database, keys, PLATES[:1])

    def row() -> tuple[bytes, ...]:
        with database.read() as connection:
            return tuple(
                connection.execute(
                    text("select lookup, nonce, ciphertext from vault.vehicle")
                ).one()
            )

    before = row()
    begin(database, keys)
    rotate(database, keys)
    assert all(old != new for old, new in zip(before, row(), strict=True))


def test_retired_keys_leave_the_ring_when_told(database: Database, keys: FileKeys) -> None:
    keep(database, keys, PLATES[:1])
    begin(database, keys)
    rotate(database, keys)
    ring = keys.reload()
    assert ring is not None
    assert ring.versions == (1, 2)
    with database.unit_of_work() as uow:
        assert vault.drop_retired(uow, keys=keys) == (1,)
        assert vault.drop_retired(uow, keys=keys) == ()
    ring = keys.reload()
    assert ring is not None
    assert ring.versions == (2,)
    assert begin(database, keys) == 3


def test_a_process_with_an_older_ring_reads_it_anew(
    database: Database, keys: FileKeys, tmp_path: Path
) -> None:
    kept = keep(database, keys, PLATES[:3])
    other_process = FileKeys(tmp_path / "keys" / "vault.json")
    assert keep(database, other_process, PLATES[:3]) == kept
    begin(database, keys)
    rotate(database, keys, 2)
    assert keep(database, other_process, PLATES[:3]) == kept
    with database.unit_of_work() as uow:
        assert vault.find_plate(uow, SYSTEM, PLATES[0], "check", keys=other_process) == kept[0]


def test_a_server_that_lacks_the_new_key_refuses_rather_than_splits(database: Database) -> None:
    old = KeyRing({}).with_fresh(1)
    both = old.with_fresh(2)
    kept = keep(database, GivenKeys(old), PLATES[:1])
    with pytest.raises(Conflict, match="VAULT_KEYS"):
        begin(database, GivenKeys(old))
    assert begin(database, GivenKeys(both)) == 2
    with pytest.raises(Unavailable, match="lacks version 2"):
        keep(database, GivenKeys(old), PLATES[:1])
    assert keep(database, GivenKeys(both), PLATES[:1]) == kept
    assert rotate(database, GivenKeys(both)).retired == (1,)
    assert keep(database, GivenKeys(both.without(frozenset({1}))), PLATES[:1]) == kept


def test_a_new_key_waits_for_those_who_write_under_the_old_one(
    database: Database, keys: FileKeys
) -> None:
    keep(database, keys, PLATES[:1])
    with database.unit_of_work() as writing:
        vault.keep_plate(writing, PLATES[1], keys=keys)
        started = threading.Thread(target=begin, args=(database, keys))
        started.start()
        started.join(0.3)
        assert started.is_alive()
    started.join()
    assert keep(database, keys, PLATES[2:3])
    assert versions(database) == [1, 1, 2]


def test_keeping_plates_during_rotations_never_makes_a_vehicle_twice(
    database_url: str, clock: FixedClock, tmp_path: Path
) -> None:
    database = Database(database_url, clock=clock, pool_size=12)
    path = tmp_path / "vault.json"
    done = threading.Event()
    seen: list[list[VehicleId]] = []
    errors: list[Exception] = []

    def keep_all(offset: int) -> None:
        # A source of its own, as another process has: its ring goes stale with each rotation.
        keys = FileKeys(path)
        order = PLATES[offset:] + PLATES[:offset]
        try:
            for _ in range(4):
                found = {plate.text: keep(database, keys, [plate])[0] for plate in order}
                seen.append([found[plate.text] for plate in PLATES])
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)

    def turn_keys() -> None:
        keys = FileKeys(path)
        while not done.is_set():
            begin(database, keys)
            while rotate(database, keys, 7).left and not done.is_set():
                pass

    keeping = [threading.Thread(target=keep_all, args=(offset,)) for offset in (0, 9, 18, 27)]
    turning = threading.Thread(target=turn_keys)
    for thread in [*keeping, turning]:
        thread.start()
    for thread in keeping:
        thread.join()
    done.set()
    turning.join()
    with database.read() as connection:
        rows = connection.scalar(text("select count(*) from vault.vehicle"))
        keys_made = connection.scalar(text("select max(version) from vault.key"))
    database.close()
    assert errors == []
    assert rows == len(PLATES)
    assert len({tuple(ids) for ids in seen}) == 1
    assert keys_made > 2


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("keep"), st.integers(0, 5)),
        st.tuples(st.just("begin"), st.just(0)),
        st.tuples(st.just("rotate"), st.integers(1, 4)),
        st.tuples(st.just("drop"), st.just(0)),
    ),
    max_size=25,
)


@given(steps=STEPS)
@hypothesis_settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_order_of_steps_keeps_every_plate_findable_and_readable(
    database: Database, tmp_path: Path, steps: list[tuple[str, int]]
) -> None:
    (tmp_path / "vault.json").unlink(missing_ok=True)
    with database.unit_of_work() as uow:
        uow.connection.execute(
            text("truncate vault.vehicle, vault.pseudonym, vault.picture, vault.key")
        )
    keys = FileKeys(tmp_path / "vault.json")
    kept: dict[PlateNumber, VehicleId] = {}
    for step, number in steps:
        with database.unit_of_work() as uow:
            if step == "keep":
                plate = PLATES[number]
                vehicle_id = vault.keep_plate(uow, plate, keys=keys)
                assert kept.setdefault(plate, vehicle_id) == vehicle_id
            elif step == "begin":
                vault.begin_rotation(uow, keys=keys)
            elif step == "rotate":
                vault.rotate(uow, number, keys=keys)
            else:
                vault.drop_retired(uow, keys=keys)
    with database.unit_of_work() as uow:
        shown = vault.reveal(uow, SYSTEM, list(kept.values()), "check", keys=keys)
    assert shown == {vehicle_id: plate for plate, vehicle_id in kept.items()}
    assert len(set(kept.values())) == len(kept)


def pseudonym(database: Database, keys: KeySource, purpose: str, subject: str) -> UUID:
    with database.unit_of_work() as uow:
        return vault.keep_pseudonym(uow, purpose, subject, keys=keys)


def test_a_pseudonym_is_stable_and_of_its_purpose(database: Database, keys: FileKeys) -> None:
    phone = pseudonym(database, keys, "driver/phone", "+8613800000000")
    assert pseudonym(database, keys, "driver/phone", "+8613800000000") == phone
    assert pseudonym(database, keys, "driver/alipay", "+8613800000000") != phone
    assert pseudonym(database, keys, "driver/phone", "+8613800000001") != phone


def test_an_old_key_stays_until_the_last_pseudonym_has_moved(
    database_url: str, clock: FixedClock, keys: FileKeys
) -> None:
    wall = FixedClock(datetime(2026, 3, 2, tzinfo=UTC))
    database = Database(database_url, clock=clock, wall=wall)
    one = pseudonym(database, keys, "driver/phone", "+8613800000000")
    pseudonym(database, keys, "driver/phone", "+8613800000001")
    begin(database, keys)
    assert rotate(database, keys) == RotationReport(2, 0, 2, ())
    wall.advance(60)
    assert pseudonym(database, keys, "driver/phone", "+8613800000000") == one
    assert rotate(database, keys) == RotationReport(2, 0, 1, ())
    with database.unit_of_work() as uow:
        assert vault.forget_pseudonyms(uow, wall.now()) == 1
    assert rotate(database, keys) == RotationReport(2, 0, 0, (1,))
    assert pseudonym(database, keys, "driver/phone", "+8613800000000") == one
    database.close()
