"""The demo's clock through stops, kills and new starts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import Unavailable
from city.time import ClockSetting, FixedClock
from city.works.database import Database
from city.works.shared_setting import DEMO_CLOCK, read_setting
from web.demo import city_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from city.works.database import UnitOfWork

WALL_AT = datetime(2026, 7, 14, 6, tzinfo=UTC)
MORNING = datetime(2026, 7, 14, 0, 40, tzinfo=UTC)


class City:
    """A clock in a real database, and the machine's clock."""

    def __init__(self, url: str) -> None:
        self.wall = FixedClock(WALL_AT)
        self.database = Database(url, clock=self.wall, wall=self.wall, pool_size=1)

    def do(self, change: Callable[[UnitOfWork], object]) -> None:
        with self.database.unit_of_work() as uow:
            change(uow)

    def live_for(self, seconds: int) -> None:
        for _ in range(seconds // 5):
            self.wall.advance(5)
            self.do(city_clock.show_life)

    @property
    def setting(self) -> ClockSetting:
        with self.database.read() as connection:
            return ClockSetting.from_json(read_setting(connection, DEMO_CLOCK))

    @property
    def now(self) -> datetime:
        return self.setting.instant(self.wall.now())


@pytest.fixture
def city(database_url: str) -> Iterator[City]:
    opened = City(database_url)
    opened.do(city_clock.make_stand)
    yield opened
    opened.database.close()


def test_a_new_city_stands_at_twenty_to_nine_until_it_lives_at_ten_times_the_speed(
    city: City,
) -> None:
    city.wall.advance(600)
    assert city.now == MORNING
    city.do(city_clock.go_on)
    city.wall.advance(60)
    assert city.now == MORNING + timedelta(minutes=10)


def test_a_stopped_city_goes_on_where_it_stopped(city: City) -> None:
    city.do(city_clock.go_on)
    city.live_for(60)
    city.do(city_clock.stop)
    city.wall.advance(86_400)
    city.do(city_clock.make_stand)
    assert city.now == MORNING + timedelta(minutes=10)
    city.do(city_clock.go_on)
    city.wall.advance(6)
    assert city.now == MORNING + timedelta(minutes=11)


def test_stopping_twice_keeps_the_speed(city: City) -> None:
    city.do(city_clock.go_on)
    city.do(city_clock.stop)
    city.do(city_clock.stop)
    city.do(city_clock.go_on)
    assert city.setting.speed == 10


def test_a_killed_city_goes_on_a_minute_after_its_last_sign_of_life(city: City) -> None:
    city.do(city_clock.go_on)
    city.live_for(60)
    city.wall.advance(5 * 86_400)
    city.do(city_clock.make_stand)
    assert city.now == MORNING + timedelta(minutes=20)
    assert city.setting.speed == 0
    city.do(city_clock.go_on)
    assert city.setting.speed == 10


def test_preparing_again_leaves_the_clock_of_a_living_city_alone(city: City) -> None:
    city.do(city_clock.go_on)
    city.live_for(30)
    before = city.setting
    city.wall.advance(20)
    city.do(city_clock.make_stand)
    city.do(city_clock.go_on)
    assert city.setting == before


def test_nothing_lives_without_a_clock(database_url: str) -> None:
    city = City(database_url)
    with pytest.raises(Unavailable, match="not prepared"):
        city.do(city_clock.go_on)
    city.database.close()


@given(
    speed=st.floats(0, 600),
    signed_s=st.integers(-30, 1_000_000),
    after_s=st.integers(0, 10_000_000),
    outlived_s=st.integers(0, 60),
)
def test_time_never_goes_back_over_a_kill(
    speed: float, signed_s: int, after_s: int, outlived_s: int
) -> None:
    setting = ClockSetting(MORNING, WALL_AT, speed)
    sign_at = WALL_AT + timedelta(seconds=signed_s)
    wall_at = max(WALL_AT, sign_at) + timedelta(seconds=after_s)
    stood = city_clock.stopped_setting(setting, sign_at, wall_at)
    seen_at = min(sign_at + timedelta(seconds=outlived_s), wall_at)
    assert stood.instant(wall_at) >= setting.instant(seen_at)
    assert stood.instant(wall_at) <= setting.instant(wall_at)
