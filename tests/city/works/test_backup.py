"""Backup and restore, there and back."""

import json
import tarfile
from pathlib import Path

import psycopg
import pytest

from city import audit
from city.audit import chain
from city.errors import Conflict, Invalid, Unavailable
from city.people.actors import SYSTEM
from city.time import FixedClock
from city.works import backup
from city.works.database import Database
from city.works.shared_setting import read_setting, write_setting


@pytest.fixture
def file(database: Database, database_url: str, clock: FixedClock, tmp_path: Path) -> Path:
    with database.unit_of_work() as uow:
        write_setting(uow, "name", "百分之% 河岸")
        uow.defer("note", {"n": 1})
    target = tmp_path / "city.backup"
    backup.create(database_url, target, at=clock.now())
    return target


def test_what_was_kept_comes_back(
    file: Path, empty_database_url: str, clock: FixedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert backup.main(["restore", str(file), "--database", empty_database_url]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["created_at"] == "2026-03-02T01:00:00Z"
    restored = Database(empty_database_url, clock=clock)
    with restored.read() as connection:
        assert read_setting(connection, "name") == "百分之% 河岸"
    with restored.unit_of_work() as uow:
        uow.defer("note", {"n": 2})
    restored.close()
    with psycopg.connect(empty_database_url) as connection:
        rows = connection.execute("select args from procrastinate_jobs order by id").fetchall()
    assert rows == [({"n": 1},), ({"n": 2},)]


def test_a_restored_chain_of_records_is_whole_and_goes_on(
    database: Database,
    database_url: str,
    empty_database_url: str,
    clock: FixedClock,
    tmp_path: Path,
) -> None:
    def act(where: Database, name: str) -> None:
        with where.unit_of_work() as uow:
            audit.record(uow, SYSTEM, "parking.device_placed", "device", name, {"reason": "河岸"})
        with where.unit_of_work() as uow:
            chain.seal(uow)

    act(database, "first")
    backup.create(database_url, tmp_path / "city.backup", at=clock.now())
    with database.read() as connection:
        anchor = chain.verify(connection).head
    backup.restore(empty_database_url, tmp_path / "city.backup")
    restored = Database(empty_database_url, clock=clock)
    act(restored, "second")
    with restored.read() as connection:
        report = chain.verify(connection, anchor)
    restored.close()
    assert (report.checked, report.problems) == (2, ())


def test_a_database_that_is_not_empty_is_left_alone(file: Path, database_url: str) -> None:
    with pytest.raises(Conflict, match="not empty"):
        backup.restore(database_url, file)


def test_a_file_that_exists_is_left_alone(file: Path, database_url: str, clock: FixedClock) -> None:
    with pytest.raises(Conflict, match="exists"):
        backup.create(database_url, file, at=clock.now())


def test_a_backup_is_readable_by_its_owner_alone(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_damaged_backup_is_refused_and_the_database_stays_empty(
    file: Path, empty_database_url: str
) -> None:
    damaged = bytearray(file.read_bytes())
    with tarfile.open(file) as archive:
        damaged[archive.getmember("database.dump").offset_data + 500] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(Invalid, match="damaged"):
        backup.restore(empty_database_url, file)
    with psycopg.connect(empty_database_url) as connection:
        assert backup._tables(connection) == 0


def test_a_backup_of_a_later_release_is_refused(
    file: Path, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("city.works.schema.all_revisions", list)
    with pytest.raises(Invalid, match="later release"):
        backup.restore(empty_database_url, file)


@pytest.mark.parametrize("content", [b"", b"not a tar", b"\0" * 10240])
def test_what_is_no_backup_is_refused(
    tmp_path: Path, empty_database_url: str, content: bytes
) -> None:
    other = tmp_path / "other"
    other.write_bytes(content)
    with pytest.raises(Invalid, match="not a Greenbay backup"):
        backup.restore(empty_database_url, other)


def test_an_empty_database_is_no_city(
    empty_database_url: str, tmp_path: Path, clock: FixedClock
) -> None:
    with pytest.raises(Invalid, match="no Greenbay schema"):
        backup.create(empty_database_url, tmp_path / "x", at=clock.now())
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_refuses_is_told_without_its_password() -> None:
    with pytest.raises(Unavailable) as caught:
        backup._run("pg_dump", "postgresql://x:hunter2@127.0.0.1:1/x")
    assert "hunter2" not in str(caught.value)


def test_the_command_line_says_one_clear_line_on_bad_input(
    tmp_path: Path, empty_database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing"
    assert backup.main(["restore", str(missing), "--database", empty_database_url]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"there is no file {missing}\n"
