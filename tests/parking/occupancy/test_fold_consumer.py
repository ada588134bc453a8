"""From stream to live state on a real Valkey: exact through repeats, lateness, kills, zombies."""

import itertools
import random
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
import redis

from city.places import Position
from city.time import FixedClock, from_ms, to_ms
from parking.adapters.fold_link import FoldLink, LeaseLost, LiveWrite
from parking.adapters.live_keys import district_keys
from parking.adapters.live_store import LiveStore
from parking.folding import Folder
from parking.rules.occupancy.history import STATES, Change
from parking.uplinks import uplink_stream
from tests.parking.occupancy.street import (
    EAST,
    FACILITY,
    START_MS,
    Street,
    append,
    bay_id,
    device_id,
    plain_fold,
)

KEYS = district_keys(EAST)
STREAM = uplink_stream(EAST, 0)
DAY_MS = 86_400_000


def folder(live: redis.Redis, street: Street, clock: FixedClock, **options: Any) -> Folder:
    return Folder(live, EAST, street, clock, **options)


def states(live: Any) -> dict[str, tuple[Any, ...]]:
    """Give state, since, sure and heard of each bay as the live store has them."""
    return {
        bay.decode(): tuple(orjson.loads(value)[:4])
        for bay, value in live.hgetall(KEYS.bays).items()
    }


def histories(live: Any) -> dict[str, list[list[Any]]]:
    """Add the changes stream up to each bay's history, as the record does."""
    added_up: dict[str, list[list[Any]]] = {}
    for bay, _, _, _, from_ms_, changes, _ in told(live):
        history = added_up.setdefault(bay, [])
        if from_ms_ is not None:
            history[:] = [row for row in history if row[1] < from_ms_] + changes
    return added_up


def told(live: Any) -> list[list[Any]]:
    """Give the entries of the changes stream."""
    return [orjson.loads(fields[b"c"]) for _, fields in live.xrange(KEYS.changes)]


def as_rows(history: Sequence[Change]) -> list[list[Any]]:
    return [[STATES[c.state].value, c.at_ms, c.sure, c.key, c.device or None] for c in history]


def counted(live: Any) -> dict[str, int]:
    counts = {name.decode(): int(value) for name, value in live.hgetall(KEYS.counts).items()}
    return {
        state.value: counts[f"{FACILITY.hex}:{state.value}"]
        for state in STATES
        if counts.get(f"{FACILITY.hex}:{state.value}")
    }


def assert_as_folded_plainly(live: Any, street: Street, entries: list[dict[bytes, bytes]]) -> None:
    plain = plain_fold(street, entries)
    assert states(live) == {
        bay: (STATES[core[0]].value, *core[1:]) for bay, (core, _) in plain.items()
    }
    assert {bay: rows for bay, rows in histories(live).items() if rows} == {
        bay: as_rows(history) for bay, (_, history) in plain.items() if history
    }
    now = [state for state, *_ in states(live).values()]
    assert counted(live) == {state: now.count(state) for state in set(now)}
    free = {bay for bay, (state, *_) in states(live).items() if state == "free"}
    assert {member.decode() for member in live.zrange(KEYS.free, 0, -1)} == free


def test_one_bosch_frame_takes_a_bay(valkey: redis.Redis, clock: FixedClock) -> None:
    street = Street(3)
    append(valkey, [street.entry(0, START_MS - 60_000, occupied=True, counter=7)])
    assert folder(valkey, street, clock).fold_all() == 1
    now = LiveStore(valkey, clock).bay_states(EAST, [bay_id(0), bay_id(1)])
    assert (now[bay_id(0)].state, now[bay_id(0)].sure) == ("occupied", 950)
    assert now[bay_id(0)].since_at == from_ms(START_MS - 60_000)
    assert now[bay_id(0)].provisional is False
    assert now[bay_id(1)].state == "unknown"
    (change,) = told(valkey)
    assert change[4:] == [
        START_MS - 60_000,
        [["occupied", START_MS - 60_000, 950, "s1/7", device_id(0).hex]],
        ["occupied", START_MS - 60_000, 950, START_MS - 60_000, False],
    ]


@pytest.mark.parametrize("batch", [1_000, 37])
def test_late_and_repeated_frames_fold_to_the_sorted_result(
    valkey: redis.Redis, clock: FixedClock, batch: int
) -> None:
    street = Street(12)
    entries = street.traffic(1_500, seed=batch, lateness_ms=1_700_000)
    clock.advance(2 * 3_600)
    append(valkey, entries)
    assert folder(valkey, street, clock, batch=batch).fold_all() == len(entries)
    assert_as_folded_plainly(valkey, street, entries)


def test_folders_killed_at_any_step_leave_the_sorted_result(
    valkey: redis.Redis, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    street = Street(8)
    entries = street.traffic(1_200, seed=5, lateness_ms=1_500_000)
    clock.advance(2 * 3_600)
    append(valkey, entries)
    draw = random.Random(9)  # noqa: S311 - repeatable kills
    for name in ("answer", "write", "written", "load", "due"):
        _deadly(monkeypatch, name, draw)
    kills = 0
    for attempt in itertools.count():
        try:
            folder(valkey, street, clock, batch=50).fold_all()
        except _Killed:
            kills += 1
            valkey.delete(KEYS.lease)  # it would run out by itself
        else:
            break
        assert attempt < 500
    assert kills > 10
    assert_as_folded_plainly(valkey, street, entries)


class _Killed(BaseException):
    pass


def _deadly(monkeypatch: pytest.MonkeyPatch, name: str, draw: random.Random) -> None:
    real = getattr(FoldLink, name)

    def may_kill(self: FoldLink, *arguments: Any, **named: Any) -> Any:
        if draw.random() < 0.03:
            raise _Killed
        result = real(self, *arguments, **named)
        if draw.random() < 0.03:
            raise _Killed
        return result

    monkeypatch.setattr(FoldLink, name, may_kill)


def test_a_folder_that_lost_its_lease_writes_nothing(
    valkey: redis.Redis, clock: FixedClock
) -> None:
    street = Street(2)
    append(valkey, [street.entry(0, START_MS, occupied=True, counter=1)])
    zombie = FoldLink(valkey, EAST, [STREAM])
    assert zombie.open()
    zombie.ask(count=10, block_ms=None)
    found = zombie.answer()
    valkey.delete(KEYS.lease)
    folder(valkey, street, clock).fold_all()
    before = states(valkey)
    write = LiveWrite()
    write.bays += (bay_id(0).hex, b"[]")
    zombie.write(write, found.spans)
    with pytest.raises(LeaseLost):
        zombie.written()
    zombie.close()
    assert states(valkey) == before


def test_two_folders_never_hold_a_district_at_once(valkey: redis.Redis) -> None:
    first, second = FoldLink(valkey, EAST, [STREAM]), FoldLink(valkey, EAST, [STREAM])
    assert first.open()
    assert not second.open()
    first.release()
    assert second.open()
    second.release()


def test_silence_turns_a_bay_unknown_and_a_late_word_takes_it_back(
    valkey: redis.Redis, clock: FixedClock
) -> None:
    street = Street(2)
    append(valkey, [street.entry(0, START_MS, occupied=False, counter=1)])
    folder(valkey, street, clock).fold_all()
    assert counted(valkey) == {"free": 1}
    clock.advance(26 * 3_600)
    folder(valkey, street, clock).fold_all()
    deadline_ms = START_MS + 26 * 3_600_000
    assert states(valkey)[bay_id(0).hex] == ("unknown", deadline_ms, 0, START_MS)
    assert counted(valkey) == {"unknown": 1}
    assert valkey.zcard(KEYS.free) == 0
    assert valkey.zcard(KEYS.due) == 0
    assert [row[0] for row in histories(valkey)[bay_id(0).hex]] == ["free", "unknown"]
    late = street.entry(0, deadline_ms - 5_000, occupied=False, counter=2, kind="heartbeat")
    append(valkey, [late])
    folder(valkey, street, clock).fold_all()
    assert states(valkey)[bay_id(0).hex][:2] == ("free", START_MS)
    assert [row[0] for row in histories(valkey)[bay_id(0).hex]] == ["free"]
    assert counted(valkey) == {"free": 1}


def test_a_flicker_is_shown_provisional_and_then_leaves_no_trace(
    valkey: redis.Redis, clock: FixedClock
) -> None:
    street = Street(2)
    append(
        valkey,
        [
            street.entry(0, START_MS - 600_000, occupied=False, counter=1),
            street.entry(0, START_MS, occupied=True, counter=2),
        ],
    )
    folder(valkey, street, clock).fold_all()
    live = LiveStore(valkey, clock)
    now = live.bay_states(EAST, [bay_id(0)])[bay_id(0)]
    assert (now.state, now.provisional) == ("occupied", True)
    append(valkey, [street.entry(0, START_MS + 5_000, occupied=False, counter=3)])
    clock.advance(5)
    folder(valkey, street, clock).fold_all()
    assert states(valkey)[bay_id(0).hex][:2] == ("free", START_MS - 600_000)
    assert [row[0] for row in histories(valkey)[bay_id(0).hex]] == ["free"]


def test_a_state_that_lasts_is_told_settled(valkey: redis.Redis, clock: FixedClock) -> None:
    street = Street(2)
    append(valkey, [street.entry(0, START_MS, occupied=True, counter=2)])
    folder(valkey, street, clock).fold_all()
    clock.advance(30)
    folder(valkey, street, clock).fold_all()
    assert [(change[4], change[6][4]) for change in told(valkey)] == [
        (START_MS, True),
        (None, False),
    ]


def test_devices_of_one_bay_in_two_streams_are_folded_together(
    valkey: redis.Redis, clock: FixedClock
) -> None:
    street = Street(1)
    entries = street.traffic(200, seed=3, lateness_ms=600_000)
    clock.advance(3_600)
    append(valkey, entries[::2], partition=0)
    append(valkey, entries[1::2], partition=1)
    Folder(valkey, EAST, street, clock, partitions=2).fold_all()
    assert_as_folded_plainly(valkey, street, entries)


def test_what_cannot_be_read_or_placed_is_counted_and_passed_over(
    valkey: redis.Redis, clock: FixedClock
) -> None:
    street = Street(1)
    stranger = street.entry(0, START_MS, occupied=True, counter=1)
    stranger[b"u"] = stranger[b"u"].replace(device_id(0).hex.encode(), b"0" * 32)
    append(
        valkey,
        [
            {b"u": b"not json"},
            {b"u": b"[1,2]"},
            {b"v": b"{}"},
            stranger,
            street.entry(0, START_MS, occupied=True, counter=1),
        ],
    )
    consumer = folder(valkey, street, clock)
    assert consumer.fold_all() == 5
    assert (consumer.progress.malformed, consumer.progress.unplaced) == (3, 1)
    assert counted(valkey) == {"occupied": 1}


def test_frames_past_the_window_are_counted_and_not_folded(
    valkey: redis.Redis, clock: FixedClock
) -> None:
    street = Street(1)
    append(valkey, [street.entry(0, START_MS, occupied=True, counter=3)])
    consumer = folder(valkey, street, clock)
    consumer.fold_all()
    append(valkey, [street.entry(0, START_MS - 1_800_001, occupied=False, counter=1)])
    append(valkey, [street.entry(0, START_MS - 1_800_000, occupied=False, counter=2)])
    consumer.fold_all()
    assert consumer.progress.late == 1
    assert [row[:2] for row in histories(valkey)[bay_id(0).hex]] == [
        ["free", START_MS - 1_800_000],
        ["occupied", START_MS],
    ]


def test_the_group_shows_how_far_folding_is(valkey: redis.Redis, clock: FixedClock) -> None:
    street = Street(1)
    append(valkey, [street.entry(0, START_MS, occupied=True, counter=1)])
    folder(valkey, street, clock).fold_all()
    last = valkey.xinfo_stream(STREAM)["last-generated-id"]
    assert valkey.hget(KEYS.applied, STREAM) == last
    (group,) = valkey.xinfo_groups(STREAM)
    assert (group["name"], group["last-delivered-id"], group["pending"]) == (b"fold", last, 0)


def test_free_bays_are_found_by_distance_and_never_when_silent(
    valkey: redis.Redis, clock: FixedClock
) -> None:
    street = Street(5)
    append(
        valkey,
        [street.entry(number, START_MS, occupied=number == 1, counter=1) for number in range(5)],
    )
    folder(valkey, street, clock).fold_all()
    live = LiveStore(valkey, clock)
    here = Position(120.1, 30.2)
    assert [near.bay_id for near in live.free_near([EAST], here, 100, 2)] == [bay_id(0), bay_id(2)]
    assert live.counts([(EAST, FACILITY)])[FACILITY].free == 4
    clock.advance(27 * 3_600)
    assert live.free_near([EAST], here, 500, 5) == []


def test_the_lease_is_kept_while_nothing_comes(valkey: redis.Redis, clock: FixedClock) -> None:
    consumer = folder(valkey, Street(1), clock)
    assert consumer._begin()
    valkey.pexpire(KEYS.lease, 900)
    consumer._look_after(to_ms(clock.now()))
    assert valkey.pttl(KEYS.lease) > 1_000
    consumer._link.release()
    assert not valkey.exists(KEYS.lease)


def test_a_folder_that_lost_its_connection_goes_on_with_its_lease_at_once(
    valkey: redis.Redis,
) -> None:
    link, other = FoldLink(valkey, EAST, [STREAM]), FoldLink(valkey, EAST, [STREAM])
    assert link.open()
    before = valkey.get(KEYS.lease)
    link.close()
    assert not other.open()
    assert link.open()
    assert valkey.get(KEYS.lease) != before
    link.release()
