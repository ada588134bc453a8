from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from city.errors import Invalid
from city.time import (
    HEARD_BY_ALL,
    ClockSetting,
    DayType,
    FixedClock,
    Interval,
    ScaledClock,
    WallClock,
    day_type,
    from_ms,
    parse_rfc3339,
    rfc3339,
    to_ms,
)

MORNING = datetime(2026, 3, 2, 1, tzinfo=UTC)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=OFFSETS)  # noqa: DTZ001 - bounds are naive by the strategy's rule


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    start = MORNING + timedelta(minutes=draw(st.integers(0, 50)))
    minutes = draw(st.none() | st.integers(0, 50))
    return Interval(start, None if minutes is None else start + timedelta(minutes=minutes))


@given(INSTANTS)
def test_an_instant_comes_back_from_its_text_and_its_milliseconds(at: datetime) -> None:
    assert parse_rfc3339(rfc3339(at), "at") == at
    assert from_ms(to_ms(at)) <= at < from_ms(to_ms(at) + 1)


@given(st.integers(-(10**13), 10**14))
def test_milliseconds_come_back_from_their_instant(ms: int) -> None:
    assert to_ms(from_ms(ms)) == ms


def test_instants_are_written_in_utc() -> None:
    at = datetime(2026, 3, 2, 9, tzinfo=timezone(timedelta(hours=8)))

    assert rfc3339(at) == "2026-03-02T01:00:00Z"
    assert rfc3339(at + timedelta(milliseconds=5)) == "2026-03-02T01:00:00.005000Z"
    assert to_ms(at) == 1_772_413_200_000


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T09:00:00+08:00",
        "2026-03-02t01:00:00z",
        "2026-03-02 01:00:00Z",
        "2026-03-02T01:00:00.000000000Z",
        "2026-03-01T20:00:00-05:00",
    ],
)
def test_one_instant_may_be_written_in_many_ways(text: str) -> None:
    assert parse_rfc3339(text, "at") == MORNING


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-03-02",
        "2026-03-02T01:00:00",
        "2026-03-02T01:00Z",
        "2026-02-30T01:00:00Z",
        "2026-03-02T25:00:00Z",
        "2026-03-02T01:00:00+0800",
        "2026-03-02T01:00:00+24:00",
        "0001-01-01T00:00:00+14:00",
        "２026-03-02T01:00:00Z",
        "2026-03-02T01:00:00Z\n",
    ],
)
def test_a_time_without_offset_or_existence_is_refused_by_its_field(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_rfc3339(text, "enter")

    assert caught.value.field == "enter"


@given(st.text(max_size=40))
def test_reading_a_time_gives_one_or_refuses(text: str) -> None:
    try:
        read = parse_rfc3339(text, "at")
    except Invalid:
        return
    assert read.tzinfo is UTC


def test_an_instant_outside_the_calendar_is_refused() -> None:
    with pytest.raises(Invalid):
        from_ms(10**18)


def test_an_instant_without_offset_is_refused() -> None:
    with pytest.raises(Invalid):
        to_ms(datetime(2026, 3, 2))  # noqa: DTZ001 - naive on purpose


# --- clocks


def test_the_wall_clock_tells_utc() -> None:
    assert WallClock().now().tzinfo is UTC


def test_a_fixed_clock_stands_until_it_is_moved_and_never_goes_back() -> None:
    clock = FixedClock(MORNING)

    assert clock.now() == clock.now() == MORNING
    assert clock.advance(90) == datetime(2026, 3, 2, 1, 1, 30, tzinfo=UTC)
    with pytest.raises(Invalid):
        clock.advance(-1)


def test_simulated_time_runs_so_many_times_as_fast_as_the_wall() -> None:
    wall = FixedClock(MORNING)
    d0 = datetime(2030, 1, 1, tzinfo=UTC)
    clock = ScaledClock(lambda: ClockSetting(d0, MORNING, 60), wall)
    wall.advance(2)

    assert clock.now() == datetime(2030, 1, 1, 0, 2, tzinfo=UTC)


def test_a_change_of_speed_goes_on_from_the_present_simulated_instant() -> None:
    setting = ClockSetting(MORNING, MORNING, 60).changed(MORNING + timedelta(seconds=10), 1)

    assert setting.d0_at == MORNING + timedelta(minutes=10)
    assert setting.instant(MORNING + timedelta(seconds=11)) == MORNING + timedelta(seconds=601)


@given(
    st.lists(
        st.tuples(
            st.integers(-3_000, 60_000),
            st.none() | st.floats(0, 10_000),
        ),
        max_size=40,
    )
)
def test_simulated_time_never_goes_back_whatever_the_speed_and_the_wall_do(
    steps: list[tuple[int, float | None]],
) -> None:
    class Jumpy:
        at = MORNING

        def now(self) -> datetime:
            return self.at

    wall = Jumpy()
    setting = ClockSetting(MORNING, MORNING, 1)
    clock = ScaledClock(lambda: setting, wall)
    last = clock.now()
    for wall_ms, speed in steps:
        wall.at += timedelta(milliseconds=wall_ms)
        if speed is not None:
            setting = setting.changed(wall.now(), speed)
        now = clock.now()
        assert last <= now
        last = now


@given(st.floats(0, 10_000), st.floats(0, 10_000), st.integers(0, 10**9))
def test_a_change_of_speed_does_not_jump(before: float, after: float, elapsed_ms: int) -> None:
    changed_at = MORNING + timedelta(milliseconds=elapsed_ms)
    setting = ClockSetting(MORNING, MORNING, before)

    assert setting.changed(changed_at, after).instant(changed_at) == setting.instant(changed_at)


SPEEDS = st.floats(0, 10_000)


@given(SPEEDS, st.lists(st.tuples(st.integers(0, 1_500), SPEEDS), min_size=1, max_size=6))
def test_whoever_has_not_heard_of_a_change_of_speed_tells_the_same_time(
    first: float, changes: list[tuple[int, float]]
) -> None:
    wall_at, setting = MORNING, ClockSetting(MORNING, MORNING, first)
    for after_ms, speed in changes:
        wall_at += timedelta(milliseconds=after_ms)
        changed = setting.changed_soon(wall_at, speed)
        heard_at = changed.w0_at
        assert wall_at <= heard_at <= wall_at + HEARD_BY_ALL
        for share in (0.0, 0.5, 1.0):
            at = wall_at + (heard_at - wall_at) * share
            gap = abs(changed.instant(at) - setting.instant(at))
            assert gap <= timedelta(milliseconds=1), "a float's rounding at most"
        assert changed.speed_at(heard_at) == speed
        setting = changed


def test_a_slower_speed_comes_into_force_once_every_process_can_have_heard_of_it() -> None:
    wall_at = MORNING + timedelta(seconds=10)
    slower = ClockSetting(MORNING, MORNING, 60).changed_soon(wall_at, 1)

    assert slower.speed_at(wall_at) == 60
    assert slower.instant(wall_at + HEARD_BY_ALL) == MORNING + timedelta(minutes=11)
    assert slower.speed_at(wall_at + HEARD_BY_ALL) == 1
    again = slower.changed_soon(wall_at, 30)
    assert (again.w0_at, again.speed_before, again.speed) == (slower.w0_at, 60, 30)


def test_a_clock_setting_is_shared_as_json() -> None:
    setting = ClockSetting(MORNING, MORNING + timedelta(seconds=1.5), 12.5, speed_before=3)

    assert ClockSetting.from_json(setting.as_json()) == setting


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"d0_at": "2026-03-02T01:00:00Z", "w0_at": "2026-03-02T01:00:00Z", "speed": "1"},
        {"d0_at": "2026-03-02T01:00:00Z", "w0_at": "2026-03-02T01:00:00Z", "speed": True},
        {"d0_at": "2026-03-02T01:00:00Z", "w0_at": "2026-03-02T01:00:00Z", "speed": -1},
        {"d0_at": "2026-03-02T01:00:00Z", "w0_at": "soon", "speed": 1},
    ],
)
def test_a_malformed_clock_setting_is_refused(value: JsonValue) -> None:
    with pytest.raises(Invalid):
        ClockSetting.from_json(value)


def test_a_speed_that_is_no_number_is_refused() -> None:
    with pytest.raises(Invalid):
        ClockSetting(MORNING, MORNING, float("nan"))


# --- intervals


@given(intervals(), intervals())
def test_what_two_intervals_share_does_not_depend_on_their_order(a: Interval, b: Interval) -> None:
    assert a.intersection(b) == b.intersection(a)
    assert a.overlaps(b) == b.overlaps(a)


@given(intervals(), intervals(), st.integers(-5, 110))
def test_an_instant_is_shared_exactly_where_both_hold_it(
    a: Interval, b: Interval, minute: int
) -> None:
    at = MORNING + timedelta(minutes=minute)
    shared = a.intersection(b)

    assert (shared is not None and shared.contains(at)) == (a.contains(at) and b.contains(at))


@given(intervals(), intervals(), st.integers(-5, 110))
def test_what_is_left_and_what_is_shared_make_up_the_whole_without_overlap(
    a: Interval, b: Interval, minute: int
) -> None:
    at = MORNING + timedelta(minutes=minute)
    left = a.without(b)
    shared = a.intersection(b)

    assert sum(part.contains(at) for part in left) == (a.contains(at) and not b.contains(at))
    assert all(not part.empty for part in left)
    assert shared is None or not any(part.overlaps(shared) for part in left)


@given(intervals())
def test_an_interval_shares_all_of_itself_with_itself_unless_it_is_empty(a: Interval) -> None:
    assert a.intersection(a) == (None if a.empty else a)
    assert a.without(a) == ()


def test_the_end_does_not_belong_to_an_interval_so_neighbours_do_not_overlap() -> None:
    first = Interval(MORNING, MORNING + timedelta(hours=1))
    second = Interval(MORNING + timedelta(hours=1))

    assert first.contains(MORNING)
    assert not first.contains(MORNING + timedelta(hours=1))
    assert not first.overlaps(second)
    assert second.running
    assert second.duration is None
    assert first.duration == timedelta(hours=1)
    assert second.closed(MORNING + timedelta(hours=3)).duration == timedelta(hours=2)


def test_an_interval_is_kept_in_utc() -> None:
    start = datetime(2026, 3, 2, 9, tzinfo=timezone(timedelta(hours=8)))

    assert Interval(start).start_at.tzinfo is UTC
    assert Interval(start) == Interval(MORNING)


def test_an_interval_does_not_end_before_it_starts() -> None:
    with pytest.raises(Invalid) as caught:
        Interval(MORNING, MORNING - timedelta(microseconds=1))

    assert caught.value.field == "end_at"


# --- day types


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        # Notice of the State Council's General Office for 2026: National Day 1 to 7 October.
        (date(2026, 10, 1), DayType.HOLIDAY),
        (date(2026, 10, 7), DayType.HOLIDAY),
        (date(2026, 2, 14), DayType.MAKE_UP_WORKDAY),
        (date(2026, 3, 2), DayType.WORKDAY),
        (date(2026, 3, 7), DayType.WEEKEND),
        (date(2026, 3, 8), DayType.WEEKEND),
    ],
)
def test_a_published_day_has_its_type(day: date, kind: DayType) -> None:
    assert day_type(day) is kind


def test_every_day_of_an_unpublished_year_is_unknown_weekends_included() -> None:
    days = {day_type(date(2199, 1, 1) + timedelta(days=day)) for day in range(365)}

    assert days == {DayType.UNKNOWN}
    assert day_type(date(1999, 10, 1)) is DayType.UNKNOWN


def test_the_year_after_the_last_published_one_is_unknown() -> None:
    last = max(
        year for year in range(2004, 2100) if day_type(date(year, 10, 1)).working is not None
    )

    assert last >= 2026
    assert day_type(date(last, 12, 31)) is not DayType.UNKNOWN
    assert day_type(date(last + 1, 1, 1)) is DayType.UNKNOWN


def test_a_country_without_a_kept_calendar_is_unknown() -> None:
    assert day_type(date(2026, 10, 1), country="DE") is DayType.UNKNOWN


def test_whether_a_day_is_worked_is_unknown_where_its_type_is() -> None:
    worked = {kind.value: kind.working for kind in DayType}

    assert worked == {
        "workday": True,
        "make_up_workday": True,
        "weekend": False,
        "holiday": False,
        "unknown": None,
    }


def test_a_date_with_a_time_is_refused() -> None:
    with pytest.raises(Invalid):
        day_type(MORNING)
