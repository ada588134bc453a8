"""Setting the demo city up, against a real database."""

from __future__ import annotations

import json
import re
import socket
import stat
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import create_engine, text

from city.errors import Conflict, Forbidden
from city.identifiers import DistrictCode, OperatorId, uuid7
from city.people.roles import Role
from city.people.services import accounts, log_in, token_actor
from city.places import Position
from city.time import ClockSetting
from city.works.database import Database, psycopg_url
from city.works.shared_setting import DEMO_CLOCK, read_setting
from parking.rules.tariffs.model import Stay
from parking.services.places import Facility, bays, count_facilities, record_places
from parking.services.tariffs import quote
from signals.adapters.lines import dial
from signals.rules.controllers.address import CabinetAddress
from signals.services.junctions import junctions
from signals.store import cabinets
from tests.web.demo.prepared_city import WALL_AT, demo_settings
from web.demo.cabinets import FILE, open_cabinets
from web.demo.people import POSTS, WALKERS
from web.demo.prepare import plan_city, prepare
from web.demo.secrets_file import NAME, DemoSecrets, find_secrets, read_secrets, write_secrets

if TYPE_CHECKING:
    from pathlib import Path

    from city.time import FixedClock
    from city.works.settings import Settings
    from tests.web.demo.prepared_city import Prepared

TEN = datetime(2026, 7, 14, 2, tzinfo=UTC)
"""Ten in the morning in Shanghai."""


@pytest.fixture
def empty(database_url: str, tmp_path: Path) -> Settings:
    """Give settings of a migrated database without anything in it."""
    return demo_settings(database_url, tmp_path / "var")


def without_folders(text: str) -> str:
    """Give what the terminal shows without the test's own folder in it."""
    return re.sub(r"is in \S+/log", "is in log", text)


def everything(url: str) -> dict[str, str]:
    """Give every table of the database, as the text of its rows."""
    engine = create_engine(psycopg_url(url))
    try:
        with engine.connect() as connection:
            names = connection.scalars(
                text(
                    "select format('%I.%I', table_schema, table_name)"
                    " from information_schema.tables"
                    " where table_type = 'BASE TABLE' and table_schema not in"
                    " ('pg_catalog', 'information_schema')"
                )
            ).all()
            return {
                name: str(connection.scalars(text(f"select t::text from {name} t")).all())  # noqa: S608 - names from the catalogue
                for name in names
            }
    finally:
        engine.dispose()


def test_a_prepared_city_has_its_bays_devices_tariffs_junctions_and_people(city: Prepared) -> None:
    with city.database.read() as connection:
        assert count_facilities(connection) == len(plan_city().facilities)
        counted = connection.execute(
            text(
                "select facility.kind, count(*) from parking.bay"
                " join parking.facility on facility.id = facility_id group by 1 order by 1"
            )
        ).all()
        assert counted == [("garage", 570), ("kerb", 1_200)]
        placed = connection.execute(
            text("select count(*) from parking.placement where until_at is null")
        ).scalar_one()
        assert placed == 1_770
        planned = junctions(connection, limit=200).items
        assert len(planned) == 30
        assert all(each.plan is not None for each in planned)
        roles = frozenset[Role]().union(*(each.roles for each in accounts(connection)))
        assert roles == frozenset(Role) - {Role.DRIVER}


def test_every_junction_has_a_cabinet_that_runs_its_plan_and_keeps_what_it_is_sent(
    city: Prepared, tmp_path: Path
) -> None:
    with city.database.read() as connection:
        bound = cabinets.bindings(connection)
    assert [each.address.controller for each in bound] == list(range(1, 31))
    assert {each.address.port for each in bound} == {city.settings.cabinets_port}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    here = city.settings.model_copy(update={"port": free - 4, "var": tmp_path})
    for again in (False, True):
        row = open_cabinets(here, city.database, city.wall)
        assert row is not None
        line = dial(CabinetAddress("127.0.0.1", free, controller=30))
        try:
            state, plan = line.read_state(), line.read_plan(1)
            assert (state.plan, state.faults) == (1, ())
            assert plan is not None
            sent = replace(plan, number=127)
            assert line.read_plan(127) == (sent if again else None)
            if not again:
                line.write_plan(sent)
                patience_s = time.monotonic() + 60
                while not (tmp_path / FILE).exists():
                    assert time.monotonic() < patience_s
                    time.sleep(0.1)
        finally:
            line.close()
            row.stop(5)


def test_every_facility_quotes_an_hour_of_this_morning(city: Prepared) -> None:
    with city.database.read() as connection:
        prices = {
            each.code: quote(
                connection, each.facility_id, Stay(TEN, TEN + timedelta(hours=1))
            ).total.minor
            for each in plan_city().facilities
        }
    assert set(prices.values()) == {880, 520, 600}


def test_the_clock_stands_at_this_morning_until_the_city_lives(city: Prepared) -> None:
    with city.database.read() as connection:
        kept = ClockSetting.from_json(read_setting(connection, DEMO_CLOCK))
    local = kept.instant(WALL_AT).astimezone(ZoneInfo("Asia/Shanghai"))
    assert (local.isoformat(), kept.speed) == ("2026-07-14T08:40:00+08:00", 0)


def test_a_second_run_shows_the_same_and_leaves_everything_alone(city: Prepared) -> None:
    first = everything(city.settings.database_address())
    city.wall.advance(30)
    again = prepare(city.settings, city.wall)
    assert without_folders(again) == without_folders(city.said)
    second = everything(city.settings.database_address())
    assert first == second


def test_the_secrets_are_the_owners_alone_and_never_in_the_database(city: Prepared) -> None:
    path = city.settings.var / NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    known = read_secrets(city.settings.var)
    stored = "\n".join(everything(city.settings.database_address()).values())
    plain = [
        *known.log_ins.values(),
        *known.attendant_tokens.values(),
        known.integration_token,
        *known.device_tokens.values(),
    ]
    assert len(set(plain)) == len(POSTS) + len(WALKERS) + 1 + 1_770
    assert [each for each in plain if each in stored] == []


def test_what_the_terminal_shows_lets_everyone_in(city: Prepared) -> None:
    known = read_secrets(city.settings.var)
    for post in POSTS:
        assert f"{post.role}  " in city.said
        assert known.log_ins[post.login] in city.said
    with city.database.unit_of_work() as uow:
        grant = log_in(uow, "administrator", known.log_ins["administrator"], "127.0.0.1")
        assert grant.token
        sensor = plan_city().sensors[0]
        device = token_actor(uow.connection, known.device_tokens[sensor.network_key])
        assert device is not None
        assert (device.kind, device.subject) == ("device", sensor.network_key)
        assert device.districts == frozenset({str(sensor.facility.district)})
        walker = token_actor(uow.connection, known.attendant_tokens[WALKERS[0].login])
        assert walker is not None
        assert (walker.roles, walker.districts) == (
            frozenset({Role.ATTENDANT}),
            frozenset({str(WALKERS[0].district)}),
        )


def test_beside_other_facilities_it_is_refused_and_changes_nothing(
    empty: Settings, wall: FixedClock
) -> None:
    database = Database(empty.database_address(), clock=wall, pool_size=1)
    with database.unit_of_work() as uow:
        record_places(
            uow,
            [
                Facility(
                    code="REAL-1",
                    district=DistrictCode("0101"),
                    ownership="public",
                    kind="kerb",
                    name_zh="真实路段",
                    name_en="A real kerb",
                    position=Position(116.4, 39.9),
                    timezone="Asia/Shanghai",
                    operator_id=OperatorId(uuid7()),
                    revenue_nature="public_non_tax",
                )
            ],
            [],
        )
    before = everything(empty.database_address())
    with pytest.raises(Conflict, match="1 other facilities exist here"):
        prepare(empty, wall)
    database.close()
    assert everything(empty.database_address()) == before
    assert not (empty.var / NAME).exists()


def test_without_leave_it_is_refused(empty: Settings, wall: FixedClock) -> None:
    with pytest.raises(Forbidden, match="GREENBAY_DEMO"):
        prepare(empty.model_copy(update={"demo": False}), wall)


def test_a_file_left_by_a_run_that_did_not_end_is_replaced(
    empty: Settings, wall: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_and_be_killed(var: Path, known: DemoSecrets) -> None:
        write_secrets(var, known)
        raise KeyboardInterrupt

    # The file is the last thing before the commit.
    monkeypatch.setattr("web.demo.prepare.write_secrets", write_and_be_killed)
    with pytest.raises(KeyboardInterrupt):
        prepare(empty, wall)
    orphan = read_secrets(empty.var)
    monkeypatch.undo()
    prepare(empty, wall)
    assert read_secrets(empty.var).mark != orphan.mark


def test_a_lost_file_is_replaced_and_what_it_held_no_longer_works(city: Prepared) -> None:
    lost = read_secrets(city.settings.var)
    (city.settings.var / NAME).write_text("{}")
    assert find_secrets(city.settings.var) is None
    prepare(city.settings, city.wall)
    fresh = read_secrets(city.settings.var)
    key = next(iter(lost.device_tokens))
    with city.database.read() as connection:
        assert token_actor(connection, lost.device_tokens[key]) is None
        assert token_actor(connection, fresh.device_tokens[key]) is not None
        assert token_actor(connection, lost.integration_token) is None
        assert len(bays(connection, limit=200).items) == 200


def test_the_base_map_has_each_street_once_and_names_in_both_languages(city: Prepared) -> None:
    drawn = json.loads(
        (city.settings.var / "static" / "map" / "streets.geojson").read_text("utf-8")
    )
    by_shape: dict[str, list[dict[str, str]]] = {}
    for feature in drawn["features"]:
        shape = feature["geometry"]["type"]
        by_shape.setdefault(shape, []).append(feature["properties"])
        assert feature["properties"]["name_zh"]
        assert feature["properties"]["name_en"]
    links = plan_city().town.network.links
    assert len(by_shape["LineString"]) == len(links) / 2
    assert {each["class"] for each in by_shape["LineString"]} == {
        "arterial",
        "sub_arterial",
        "local",
    }
    assert len({each["code"] for each in by_shape["Point"]}) == 30
    assert {each["class"] for each in by_shape["Polygon"]} == {"water", "park"}
