"""Plates in the vault: one vehicle a plate, nothing in the clear, every look recorded."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from city import audit, vault
from city.errors import CityError, Forbidden, Invalid, Unavailable
from city.identifiers import AccountId, VehicleId
from city.people import SYSTEM, Actor, Role
from city.time import FixedClock
from city.vault import FileKeys, KeyRing, MaskedPlate
from city.vault.plates import decrypt, encrypt
from city.vehicles import PlateKind, PlateNumber, parse_plate
from city.works.database import Database

if TYPE_CHECKING:
    from pathlib import Path

    from city.works.database import UnitOfWork

BLUE = parse_plate("京A12345", PlateKind.BLUE7)
YELLOW = parse_plate("京A12345", PlateKind.YELLOW7)
GREEN = parse_plate("粤BD12345", PlateKind.NEV_GREEN8)
UNKNOWN_VEHICLE = VehicleId(UUID("01933f00-0000-7000-8000-000000000009"))


def person(*roles: Role) -> Actor:
    account = AccountId(UUID("01933f00-0000-7000-8000-000000000001"))
    return Actor("person", str(account), account, frozenset(roles), "Lin")


INSPECTOR = person(Role.INSPECTOR)


def keep(database: Database, keys: FileKeys, *plates: PlateNumber) -> list[VehicleId]:
    with database.unit_of_work() as uow:
        return [vault.keep_plate(uow, plate, keys=keys) for plate in plates]


def recorded(database: Database, action: str) -> list[audit.Record]:
    with database.read() as connection:
        return list(audit.records(connection, filters=audit.RecordFilter(action=action)).items)


def test_a_plate_comes_back_as_it_was_kept(database: Database, keys: FileKeys) -> None:
    blue, green = keep(database, keys, BLUE, GREEN)
    with database.unit_of_work() as uow:
        shown = vault.reveal(uow, INSPECTOR, [blue, green], "inspection", keys=keys)
    assert shown == {blue: BLUE, green: GREEN}


def test_the_same_plate_is_the_same_vehicle_and_another_kind_another(
    database: Database, keys: FileKeys
) -> None:
    first, second, yellow = keep(database, keys, BLUE, BLUE, YELLOW)
    assert first == second
    assert yellow != first


def test_both_plates_of_a_lorry_are_one_vehicle(database: Database, keys: FileKeys) -> None:
    two_rows = parse_plate("京A12345", PlateKind.YELLOW2)
    front, rear = keep(database, keys, YELLOW, two_rows)
    assert front == rear


def test_the_database_holds_no_plate_in_the_clear(database: Database, keys: FileKeys) -> None:
    blue, green = keep(database, keys, BLUE, GREEN)
    with database.unit_of_work() as uow:
        vault.reveal(uow, INSPECTOR, [blue, green], "inspection", keys=keys)
        vault.find_plate(uow, INSPECTOR, BLUE, "inspection of 京A12345", keys=keys)
    dump = dump_of(database)
    assert "inspection" in dump
    for plate in (BLUE, GREEN):
        for form in (plate.text, plate.display, plate.text[2:], plate.text.encode().hex()):
            assert form not in dump


def dump_of(database: Database) -> str:
    """Give every row of every table as text, bytes as hexadecimals."""
    with database.read() as connection:
        tables = connection.execute(
            text(
                "select format('%I.%I', schemaname, tablename) from pg_tables"
                " where schemaname in ('vault', 'audit', 'people', 'works', 'public')"
            )
        ).scalars()
        return "\n".join(
            row
            for table in list(tables)
            for row in connection.execute(text(f"select t::text from {table} t")).scalars()  # noqa: S608 - names from the catalogue
        )


def test_nothing_shows_a_key_or_a_plate_when_printed(database: Database, keys: FileKeys) -> None:
    (blue,) = keep(database, keys, BLUE)
    with database.unit_of_work() as uow:
        shown = vault.reveal(uow, INSPECTOR, [blue], "inspection", keys=keys)
    assert BLUE.text not in repr(shown)


def test_masked_plates_need_no_key(database: Database, keys: FileKeys) -> None:
    blue, green = keep(database, keys, BLUE, GREEN)
    with database.read() as connection:
        shown = vault.masked(connection, [blue, green, UNKNOWN_VEHICLE])
    assert shown == {
        blue: MaskedPlate("京A·****5", PlateKind.BLUE7),
        green: MaskedPlate(GREEN.masked(), PlateKind.NEV_GREEN8),
    }


def test_every_look_is_recorded_with_its_purpose(database: Database, keys: FileKeys) -> None:
    (blue,) = keep(database, keys, BLUE)
    with database.unit_of_work() as uow:
        assert vault.find_plate(uow, INSPECTOR, BLUE, " complaint 7 ", keys=keys) == blue
        assert vault.find_plate(uow, INSPECTOR, GREEN, "complaint 7", keys=keys) is None
        vault.reveal(uow, INSPECTOR, [blue, UNKNOWN_VEHICLE], "towing", keys=keys)
    looks = recorded(database, "vault.plate_looked_up")
    assert [(look.subject_id, look.detail["found"]) for look in looks] == [
        ("none", False),
        (str(blue), True),
    ]
    assert {look.detail["purpose"] for look in looks} == {"complaint 7"}
    assert looks[0].actor_subject == INSPECTOR.subject
    shown = recorded(database, "vault.plate_revealed")
    assert {(one.subject_id, one.detail["shown"], one.detail["purpose"]) for one in shown} == {
        (str(blue), True, "towing"),
        (str(UNKNOWN_VEHICLE), False, "towing"),
    }


@pytest.mark.parametrize("purpose", ["", "   ", "x" * 121])
def test_a_look_needs_a_purpose(database: Database, keys: FileKeys, purpose: str) -> None:
    with pytest.raises(Invalid, match="purpose"), database.unit_of_work() as uow:
        vault.find_plate(uow, INSPECTOR, BLUE, purpose, keys=keys)


@pytest.mark.parametrize("role", sorted(Role))
def test_only_those_who_need_plates_see_them(
    database: Database, keys: FileKeys, role: Role
) -> None:
    (blue,) = keep(database, keys, BLUE)
    try:
        with database.unit_of_work() as uow:
            shown = bool(vault.reveal(uow, person(role), [blue], "curiosity", keys=keys))
    except Forbidden:
        shown = False
    assert shown == (role in {"attendant", "inspector", "operator", "finance"})


@pytest.mark.parametrize("kind", ["device", "integration"])
def test_devices_and_integrations_see_no_plate(
    database: Database, keys: FileKeys, kind: str
) -> None:
    actor = Actor(kind, "ttn", None, frozenset(), "ttn")  # type: ignore[arg-type] # a parameter's text
    with pytest.raises(Forbidden), database.unit_of_work() as uow:
        vault.find_plate(uow, actor, BLUE, "curiosity", keys=keys)


def change(database: Database, statement: str) -> None:
    with database.unit_of_work() as uow:
        uow.connection.execute(text(statement))


TAMPERING = {
    "a bit of the ciphertext": "ciphertext = set_byte(ciphertext, 0, get_byte(ciphertext, 0) # 1)",
    "a bit of the nonce": "nonce = set_byte(nonce, 0, get_byte(nonce, 0) # 1)",
    "the kind": "kind = 'yellow7'",
    "the vehicle": "id = '01933f00-0000-7000-8000-000000000007'",
    "another row's": "(nonce, ciphertext) = (select b.nonce, b.ciphertext from vault.vehicle b"
    " where b.id <> vehicle.id)",
}


@pytest.mark.parametrize("tampering", TAMPERING)
def test_a_ciphertext_opens_only_where_it_was_made(
    database: Database, keys: FileKeys, tampering: str
) -> None:
    keep(database, keys, BLUE, GREEN)
    where = " where kind = 'blue7'" if tampering == "the vehicle" else ""
    change(database, f"update vault.vehicle set {TAMPERING[tampering]}{where}")  # noqa: S608 - the test's own text
    with database.read() as connection:
        ids = list(connection.scalars(text("select id from vault.vehicle")))
    with pytest.raises(CityError, match="changed in the vault"), database.unit_of_work() as uow:
        vault.reveal(uow, INSPECTOR, ids, "inspection", keys=keys)


@given(
    key=st.binary(min_size=32, max_size=32),
    vehicle_id=st.uuids(),
    serial=st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789", min_size=5, max_size=5),
    version=st.integers(1, 9),
)
def test_any_plate_opens_under_its_own_key_vehicle_and_version_alone(
    key: bytes, vehicle_id: UUID, serial: str, version: int
) -> None:
    ring = KeyRing({version: key, version + 1: key})
    sealed = encrypt(ring, version, vehicle_id, "unknown", f"京A{serial}")
    plate = decrypt(ring, version, vehicle_id, "unknown", sealed)
    assert (plate.text, plate.kind) == (f"京A{serial}", "unknown")
    assert serial.encode() not in sealed[1]
    for elsewhere in (
        (version + 1, vehicle_id, "unknown"),
        (version, UUID(int=vehicle_id.int ^ 1), "unknown"),
        (version, vehicle_id, "blue7"),
    ):
        with pytest.raises(CityError, match="changed in the vault"):
            decrypt(ring, *elsewhere, sealed)


def test_another_databases_keys_are_refused(
    database: Database, keys: FileKeys, tmp_path: Path
) -> None:
    keep(database, keys, BLUE)
    strange = FileKeys(tmp_path / "other.json")
    strange.create()
    with pytest.raises(Unavailable, match="not this database's"):
        keep(database, strange, BLUE)
    with pytest.raises(Unavailable, match="missing"):
        keep(database, FileKeys(tmp_path / "lost.json"), BLUE)
    assert not (tmp_path / "lost.json").exists()


def test_many_who_keep_one_plate_at_once_keep_one_vehicle(
    database_url: str, clock: FixedClock, keys: FileKeys
) -> None:
    database = Database(database_url, clock=clock, pool_size=10)
    plates = [BLUE, YELLOW, GREEN]
    found: list[tuple[VehicleId, ...]] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        found.append(tuple(keep(database, keys, plate)[0] for plate in plates))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert len(set(found[0])) == 3


def test_a_plate_of_a_rolled_back_transaction_is_not_kept(
    database: Database, keys: FileKeys
) -> None:
    def lose(uow: UnitOfWork) -> None:
        vault.keep_plate(uow, BLUE, keys=keys)
        raise LookupError

    with pytest.raises(LookupError), database.unit_of_work() as uow:
        lose(uow)
    with database.unit_of_work() as uow:
        assert vault.find_plate(uow, SYSTEM, BLUE, "test", keys=keys) is None


def test_what_was_not_used_for_long_is_forgotten_and_the_row_stays(
    database_url: str, clock: FixedClock, keys: FileKeys
) -> None:
    wall = FixedClock(datetime(2026, 3, 2, tzinfo=UTC))
    database = Database(database_url, clock=clock, wall=wall)
    blue, yellow, green = keep(database, keys, BLUE, YELLOW, GREEN)
    wall.advance(90 * 86_400)
    keep(database, keys, YELLOW)
    limit = wall.now() - timedelta(days=60)
    with database.unit_of_work() as uow:
        first = vault.forget(uow, limit, needed=lambda _: [green], limit=1)
        last = vault.forget(uow, limit, needed=lambda _: [green], after=first, limit=1)
        assert {each.vehicle_id for each in (first, last) if each} == {blue, green}
        assert vault.forget(uow, limit, needed=lambda _: [green], after=last) is None
    with database.unit_of_work() as uow:
        shown = vault.reveal(uow, INSPECTOR, [blue, yellow, green], "check", keys=keys)
        assert vault.find_plate(uow, INSPECTOR, BLUE, "check", keys=keys) is None
        plates = vault.masked(uow.connection, [blue])
    assert set(shown) == {yellow, green}
    assert plates == {blue: MaskedPlate("***", PlateKind.BLUE7)}
    assert [one.subject_id for one in recorded(database, "vault.plate_forgotten")] == [str(blue)]
    assert keep(database, keys, BLUE) != [blue]
    database.close()
