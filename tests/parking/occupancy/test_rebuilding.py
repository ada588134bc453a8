"""Live state lost in part or whole comes back from PostgreSQL and the streams that remain."""

from typing import Any

import orjson
import pytest
import redis
from sqlalchemy import text

from city.people.actors import SYSTEM
from city.time import FixedClock, from_ms
from city.works.database import Database
from parking.adapters.live_keys import district_keys
from parking.archiving import Archive
from parking.folding import Folder
from parking.placements import Placements
from parking.rebuilding import Rebuilder
from parking.recording import Recorder
from parking.rules.occupancy.history import STATES
from parking.services.devices import NewDevice, record_devices
from parking.services.places import Bay, record_places
from parking.services.stays import apply_bay_changes
from tests.parking.ingest.small_town import facility
from tests.parking.occupancy.street import EAST, START_MS, Street, append, device_id, plain_fold

KEYS = district_keys(EAST)
BAYS = 7
HOUR_S = 3_600


class Town:
    """The street, registered; with everything that keeps its state."""

    def __init__(self, database: Database, live: Any, clock: FixedClock) -> None:
        self.street, self.live, self.clock, self.database = Street(BAYS), live, clock, database
        self.home = facility(district=EAST)
        self.bays = [
            Bay(self.home.id, EAST, f"A{n}", "standard", self.home.position.moved(6 * n, 0), 0.0)
            for n in range(BAYS)
        ]
        devices = [
            NewDevice(
                f"{n:016x}",
                self.street.models[n],
                EAST,
                self.bays[n % BAYS].id,
                "primary" if n < BAYS else "secondary",
                device_id(n),
            )
            for n in range(BAYS + 1)
        ]
        with database.unit_of_work() as uow:
            record_places(uow, [self.home], self.bays)
            record_devices(uow, SYSTEM, devices)
        self.placements = Placements(database, refresh_s=0.0)
        self.rebuilder = Rebuilder(
            live, database, EAST, self.placements, clock, apply=apply_bay_changes
        )

    def fold(self) -> None:
        Folder(
            self.live, EAST, self.placements, self.clock, batch=64, restore=self.rebuilder
        ).fold_all()

    def keep(self) -> None:
        Archive(self.live, self.database, lambda: [EAST]).follow_all()
        Recorder(self.live, self.database, lambda: [EAST], apply_bay_changes).follow_all()

    def states(self) -> dict[str, tuple[Any, ...]]:
        return {
            bay.decode(): tuple(orjson.loads(value)[:5])
            for bay, value in self.live.hgetall(KEYS.bays).items()
        }

    def derived(self) -> tuple[Any, ...]:
        counts = {
            name: value for name, value in self.live.hgetall(KEYS.counts).items() if value != b"0"
        }
        return (
            counts,
            set(self.live.zrange(KEYS.free, 0, -1)),
            dict(self.live.zrange(KEYS.due, 0, -1, withscores=True)),
        )

    def recorded(self) -> dict[str, list[tuple[Any, ...]]]:
        found: dict[str, list[tuple[Any, ...]]] = {}
        with self.database.read() as connection:
            for row in connection.execute(
                text(
                    "select bay_id, state, changed_at from parking.bay_change"
                    " order by bay_id, changed_at"
                )
            ):
                found.setdefault(row.bay_id.hex, []).append((row.state, row.changed_at))
        return found


@pytest.fixture
def town(database: Database, valkey: redis.Redis, clock: FixedClock) -> Town:
    return Town(database, valkey, clock)


def lived(town: Town, frames: int = 300) -> list[dict[bytes, bytes]]:
    """Let traffic come; half of it is archived and recorded, all of it folded."""
    entries = town.street.traffic(frames, seed=4, lateness_ms=1_200_000)
    town.clock.advance(frames * 3)
    append(town.live, entries[: frames // 2])
    town.fold()
    town.keep()
    append(town.live, entries[frames // 2 :])
    town.fold()
    return entries


@pytest.mark.parametrize("key", [KEYS.counts, KEYS.free, KEYS.due, KEYS.applied])
def test_a_lost_key_comes_back_as_it_was(town: Town, key: str) -> None:
    lived(town)
    before = town.states(), town.derived()
    town.live.delete(key)
    town.fold()
    assert (town.states(), town.derived()) == before


def test_lost_bays_come_back_and_late_frames_still_find_their_place(town: Town) -> None:
    entries = lived(town)
    before = town.states(), town.derived()
    town.live.delete(KEYS.bays)
    town.fold()
    assert (town.states(), town.derived()) == before
    late = [
        town.street.entry(n, START_MS + 500_000 + n, occupied=n % 2 == 0, counter=9_000 + n)
        for n in range(BAYS)
    ]
    append(town.live, late)
    town.fold()
    plain = plain_fold(town.placements, entries + late)
    assert {bay: state[:4] for bay, state in town.states().items()} == {
        bay: (STATES[core[0]].value, *core[1:]) for bay, (core, _) in plain.items()
    }
    town.keep()
    assert town.recorded() == {
        bay: [(STATES[each.state].value, from_ms(each.at_ms)) for each in history]
        for bay, (_, history) in plain.items()
        if history
    }


def test_a_single_lost_bay_is_made_again(town: Town) -> None:
    lived(town)
    before = town.states(), town.derived()
    town.live.hdel(KEYS.bays, town.bays[3].id.hex)
    town.fold()
    assert (town.states(), town.derived()) == before


def test_a_damaged_entry_is_made_again(town: Town) -> None:
    lived(town)
    before = town.states(), town.derived()
    town.live.hset(KEYS.bays, town.bays[3].id.hex, b"[]")
    town.live.delete(KEYS.counts)
    town.fold()
    assert (town.states(), town.derived()) == before


def test_a_store_lost_whole_comes_back_from_postgresql(town: Town) -> None:
    lived(town)
    town.keep()
    before = town.states(), town.derived()
    town.live.flushall()
    town.fold()
    assert (town.states(), town.derived()) == before


def test_after_losing_the_store_bays_not_heard_since_are_unknown(
    town: Town, clock: FixedClock
) -> None:
    lived(town)
    town.keep()
    clock.advance(2 * HOUR_S)
    town.live.flushall()
    talks = town.street.entry(1, START_MS + 8_000_000, occupied=True, counter=70_000)
    append(town.live, [talks])
    town.fold()
    states = town.states()
    assert states[town.bays[1].id.hex][:2] == ("occupied", START_MS + 8_000_000)
    others = [state[0] for bay, state in states.items() if bay != town.bays[1].id.hex]
    assert others == ["unknown"] * (BAYS - 1)
    town.keep()
    recorded = town.recorded()
    assert {history[-1][0] for bay, history in recorded.items() if bay != town.bays[1].id.hex} == {
        "unknown"
    }


def test_bays_that_never_spoke_are_there_as_unknown(town: Town) -> None:
    town.fold()
    assert {state[0] for state in town.states().values()} == {"unknown"}
    assert town.live.hget(KEYS.counts, f"{town.home.id.hex}:unknown") == str(BAYS).encode()


def test_rebuilding_by_hand_takes_the_lease_and_makes_everything_anew(town: Town) -> None:
    lived(town)
    before = town.states(), town.derived()
    town.live.set(KEYS.lease, "a worker's", px=60_000)
    done = town.rebuilder.rebuild(discard=True)
    assert (done.kept, done.made, done.corrected) == (0, BAYS, 0)
    assert (town.states(), town.derived()) == before
    assert not town.live.exists(KEYS.lease)


def test_an_interrupted_rebuilding_begins_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived(town)
    before = town.states(), town.derived()
    town.live.delete(KEYS.bays)
    with monkeypatch.context() as patched:
        patched.setattr(
            "parking.adapters.fold_link.FoldLink.finish_rebuilding", lambda _self: 1 / 0
        )
        with pytest.raises(ZeroDivisionError):
            town.fold()
    town.live.delete(KEYS.lease)
    assert town.live.exists(KEYS.rebuilding)
    town.fold()
    assert (town.states(), town.derived()) == before
    assert not town.live.exists(KEYS.rebuilding)
