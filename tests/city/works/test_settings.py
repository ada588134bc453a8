"""Settings from the environment, and the settings that processes share."""

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import JsonValue, ValidationError

from city.errors import Invalid, Unavailable
from city.time import ClockSetting, FixedClock, ScaledClock, WallClock
from city.works import metrics
from city.works.database import Database
from city.works.run_record import Addresses, RunRecord, read_run_record, write_run_record
from city.works.settings import ROOT, Settings
from city.works.shared_setting import (
    DEMO_CLOCK,
    SharedSetting,
    business_clock,
    clock_setting,
    read_setting,
    write_setting,
)

RECORD = RunRecord(
    Addresses("postgresql://a", "unix:///b", "mqtt://127.0.0.1:8002"),
    Path("/tmp/greenbay-x"),  # noqa: S108 - never opened
    8000,
    1234,
    "2026-03-02T01:00:00Z",
)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields.values():
        monkeypatch.delenv(str(name.validation_alias.choices[0]), raising=False)  # type: ignore[union-attr] # all are AliasChoices
    monkeypatch.setenv("GREENBAY_VAR", str(tmp_path))


def test_unset_means_embedded_with_the_demo_on_port_8000() -> None:
    chosen = Settings()
    assert (chosen.port, chosen.live_port, chosen.mqtt_port) == (8000, 8001, 8002)
    assert chosen.embedded
    assert chosen.demo_enabled
    assert chosen.page_origin == "http://127.0.0.1:8000"
    assert chosen.live_origin == "http://127.0.0.1:8001"
    assert not chosen.secure_cookies


def test_given_servers_have_no_demo_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/greenbay")
    assert not Settings().demo_enabled
    monkeypatch.setenv("GREENBAY_DEMO", "1")
    assert Settings().demo_enabled


def test_embedded_servers_have_no_demo_where_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENBAY_DEMO", "0")
    assert not Settings().demo_enabled


def test_behind_tls_cookies_are_secure_and_origins_are_the_public_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GREENBAY_URL", "https://parking.example.cn/")
    monkeypatch.setenv("LIVE_URL", "https://parking.example.cn/live")
    assert Settings().secure_cookies
    assert Settings().live_origin == Settings().page_origin == "https://parking.example.cn"


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "abc"), ("PORT", "0"), ("LIVE_URL", "javascript:x")]
)
def test_a_setting_out_of_its_bounds_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=name):
        Settings()


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    assert Settings().embedded


def test_addresses_come_from_the_running_system_unless_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(Unavailable, match="make run"):
        Settings().addresses()
    write_run_record(tmp_path, RECORD)
    assert Settings().addresses() == RECORD.addresses
    monkeypatch.setenv("REDIS_URL", "redis://r")
    assert Settings().addresses() == Addresses(
        "postgresql://a", "redis://r", "mqtt://127.0.0.1:8002"
    )


def test_the_record_is_its_owners_alone_and_comes_back_as_written(tmp_path: Path) -> None:
    write_run_record(tmp_path, RECORD)
    assert (tmp_path / "run.json").stat().st_mode & 0o777 == 0o600
    assert read_run_record(tmp_path) == RECORD


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"format": 2}', '{"format": 1}'])
def test_a_broken_record_says_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(Invalid):
        read_run_record(tmp_path)


def test_a_shared_setting_is_what_was_written_last(database: Database) -> None:
    with database.read() as connection:
        assert read_setting(connection, "speed") is None
    values: list[JsonValue] = [1, {"k": [2.5, None]}]
    for value in values:
        with database.unit_of_work() as uow:
            write_setting(uow, "speed", value)
    with database.read() as connection:
        assert read_setting(connection, "speed") == {"k": [2.5, None]}


def test_a_process_sees_a_change_by_itself(database: Database) -> None:
    shared = SharedSetting(database, "speed", lambda value: value)
    assert shared() is None
    with database.unit_of_work() as uow:
        write_setting(uow, "speed", 60)
    deadline = time.monotonic() + 30
    while shared() != 60:
        assert time.monotonic() < deadline


def test_the_last_known_value_stands_while_the_database_is_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.unit_of_work() as uow:
        write_setting(uow, "speed", 60)
    shared = SharedSetting(database, "speed", lambda value: value, max_age_s=0)
    assert shared() == 60

    def away() -> None:
        raise Unavailable("the database cannot be reached")

    monkeypatch.setattr(database, "read", away)
    assert shared() == 60
    with pytest.raises(Unavailable):
        SharedSetting(database, "speed", lambda value: value)()


def test_outside_the_demo_business_time_is_wall_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENBAY_DEMO", "0")
    assert isinstance(business_clock(Settings()), WallClock)


def test_in_the_demo_business_time_follows_the_shared_setting(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GREENBAY_DEMO", "1")
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("REDIS_URL", "redis://unused")
    monkeypatch.setenv("MQTT_URL", "mqtt://unused")
    wall = FixedClock(datetime(2026, 3, 2, 1, tzinfo=UTC))
    with database.unit_of_work() as uow:
        write_setting(
            uow,
            DEMO_CLOCK,
            ClockSetting(datetime(2026, 5, 1, tzinfo=UTC), wall.now(), 60).as_json(),
        )
    clock = business_clock(Settings(), wall=wall)
    assert isinstance(clock, ScaledClock)
    wall.advance(60)
    shown_at = clock.now()
    shared = clock._setting
    assert isinstance(shared, SharedSetting)
    shared._database.close()
    assert shown_at == datetime(2026, 5, 1, 1, tzinfo=UTC)


def test_a_clock_that_was_never_set_shows_wall_time() -> None:
    wall = FixedClock(datetime(2026, 3, 2, 1, tzinfo=UTC))
    setting = clock_setting(None, wall)
    assert setting.instant(wall.now() + timedelta(hours=1)) == datetime(2026, 3, 2, 2, tzinfo=UTC)


def test_the_operators_page_names_every_setting_and_metric() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    variables = {
        str(field.validation_alias.choices[0])  # type: ignore[union-attr] # all are AliasChoices
        for field in Settings.model_fields.values()
    }
    assert {name for name in variables if f"`{name}`" not in page} == set()
    names = set(re.findall(r"# HELP (greenbay_\w+)", metrics.exposition().decode()))
    assert {name for name in names if f"`{name}`" not in page} == set()
