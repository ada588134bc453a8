"""Rebuilding a district's live state, in part or whole, from PostgreSQL and what streams remain.

Three losses, one way back. What only follows from the bays' entries (counts, free set, due
instants) is derived from them again. Entries that are missing are made from the bay's last
recorded change and the frames archived since. Where the store was lost whole, frames that it had
accepted may be lost with it: then a bay that no frame within the look-back speaks of is
`unknown`, until its device speaks again.

Whoever rebuilds holds the district's lease. Interrupted, it begins again from the start.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Final, TypeVar

import orjson
import redis
import structlog

from city.errors import Unavailable
from city.identifiers import DistrictCode
from city.time import Clock, from_ms, to_ms
from city.works.database import Database
from parking.adapters import streams
from parking.adapters.fold_link import FoldLink, LiveWrite
from parking.adapters.live_keys import district_keys
from parking.adapters.streams import changes_stream, entry_order, uplink_streams
from parking.archiving import Archive
from parking.hearing import Heard, Hearing
from parking.placements import Placed, Placements
from parking.publishing import KnownBay, publish
from parking.recording import Recorder, StaysHook
from parking.rules.occupancy.history import FREE, NEVER, UNKNOWN, Change
from parking.rules.occupancy.memory import EMPTY, Folded
from parking.rules.occupancy.policy import DEFAULT_POLICY, FoldingPolicy
from parking.rules.occupancy.recovery import last_word_ms, lost, recover
from parking.rules.occupancy.stored import STATE_CODES, Place
from parking.store import last_known, telemetry
from parking.store.last_known import ArchivedFrame, RecordedChange

CHUNK: Final = 1_000
"""Bays rebuilt at a time, the lease renewed between."""
LOOK_BACK_WINDOWS: Final = 2
"""Lateness windows from which archived frames are folded again."""
FEW_FRAMES: Final = 4
"""Last frames of a device that was silent for longer: one of them speaks of the bay."""
PATIENCE_S: Final = 60.0
PAUSE_S: Final = 0.05

T = TypeVar("T")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuilding did."""

    district: str
    kept: int
    """Bays whose entries were there."""
    made: int
    """Bays whose entries were made from PostgreSQL."""
    unknown: int
    """Of these, bays now unknown."""
    corrected: int
    """Bays whose recorded history was changed by it."""
    whole: bool
    """Whether the live store had been lost whole, or was never used."""
    seconds: float


class Rebuilder:
    """Rebuilds one district: as folding's `restore`, or by hand with `rebuild`.

    Parameters
    ----------
    live, database
        What is rebuilt, and from what.
    district
        The district.
    placements
        Bays with a device in them, now or within the longest silence, are the ones that are
        rebuilt.
    clock
        Business clock.
    apply
        Brings stays in line with changes that are still to be recorded.
    partitions, policy
        As folding has them.
    """

    def __init__(
        self,
        live: redis.Redis,
        database: Database,
        district: DistrictCode | str,
        placements: Placements,
        clock: Clock,
        *,
        apply: StaysHook,
        partitions: int = 1,
        policy: FoldingPolicy = DEFAULT_POLICY,
    ) -> None:
        self._live = live
        self._database = database
        self._district = DistrictCode(str(district))
        self._placements = placements
        self._clock = clock
        self._policy = policy
        self._uplinks = uplink_streams(district, partitions)
        self._archive = Archive(
            live, database, lambda: [self._district], partitions=partitions, parked=False
        )
        self._recorder = Recorder(live, database, lambda: [self._district], apply)

    def rebuild(self, *, discard: bool = False) -> Rebuilt:
        """Take the district's lease from whoever has it, rebuild, and give it back.

        Parameters
        ----------
        discard
            Make every entry anew from PostgreSQL, also those that are there.

        Raises
        ------
        Unavailable
            Where PostgreSQL cannot be reached.
        redis.RedisError, LeaseLost
            Where the live store cannot, or another process took the lease meanwhile.
        """
        self._placements.refresh(force=True)  # the whole registry: not while holding the lease
        link = FoldLink(self._live, self._district, self._uplinks)
        try:
            link.open(force=True)
            done = self(link, discard=discard)
            link.release()
        finally:
            link.close()
        return done

    def __call__(self, link: FoldLink, *, discard: bool = False) -> Rebuilt:
        """Rebuild on an open link that holds the lease; afterwards folding can go on with it.

        Cost: the entries that are there once, and five index look-ups for each that is missing.
        """
        begun_s = time.monotonic()
        known = link.find_positions()
        link.begin_rebuilding()
        self._catch_up(link)
        self._placements.refresh(force=True)
        now_ms = to_ms(self._clock.now())
        if discard:
            link.call("DEL", district_keys(self._district).bays)
        present = self._keep(link)
        missing: dict[str, list[Placed]] = {}
        for placed in self._placements.lying(now_ms - _longest_silence_ms(self._policy)):
            if placed.district == self._district and placed.bay_id.hex not in present:
                missing.setdefault(placed.bay_id.hex, []).append(placed)
        hearing = Hearing(self._district, self._placements, self._policy)
        unknown = corrected = 0
        for chunk in _chunks(missing.items()):
            write = LiveWrite()
            for bay, place, folded in self._made(dict(chunk), hearing, now_ms, whole=not known):
                entry = KnownBay(EMPTY, None, None)
                publish(bay, entry, place, folded, now_ms=now_ms, write=write, tell=False)
                unknown += entry.shown is not None and entry.shown.state == UNKNOWN
                corrected += folded.edit is not None
            link.write(write, {})
            link.written()
        link.finish_rebuilding()
        done = Rebuilt(
            self._district,
            kept=len(present),
            made=len(missing),
            unknown=unknown,
            corrected=corrected,
            whole=not known,
            seconds=round(time.monotonic() - begun_s, 3),
        )
        log.info("the live state was rebuilt", **asdict(done))
        return done

    # --- what PostgreSQL does not hold yet -------------------------------------------------------

    def _catch_up(self, link: FoldLink) -> None:
        """Archive and record what the streams still hold of what was folded."""
        deadline_s = time.monotonic() + PATIENCE_S
        while self._behind(link):
            done = self._archive.step(block_ms=None) + self._recorder.step(block_ms=None)
            if done == 0:
                time.sleep(PAUSE_S)  # another process is at it
            link.renew()
            if time.monotonic() > deadline_s:
                raise Unavailable("archive and record do not catch up", retry_after_s=5)

    def _behind(self, link: FoldLink) -> bool:
        wanted = [(each, streams.ARCHIVE_GROUP, link.position(each)) for each in self._uplinks]
        changes = changes_stream(self._district)
        wanted.append((changes, streams.RECORD_GROUP, streams.last_entry(self._live, changes)))
        with self._database.read() as connection:
            return any(
                entry_order(telemetry.position(connection, stream, group) or streams.BEGINNING)
                < entry_order(wanted_id)
                for stream, group, wanted_id in wanted
            )

    # --- entries that are there ------------------------------------------------------------------

    def _keep(self, link: FoldLink) -> set[str]:
        """Derive from the entries that are there what follows from them; give their bays."""
        present: set[str] = set()
        entries = self._live.hscan_iter(district_keys(self._district).bays, count=CHUNK)
        for chunk in _chunks(entries):
            write = LiveWrite()
            for bay, stored in chunk:
                name = bay.decode()
                if name in present:
                    continue  # a scan may give one twice
                try:
                    _derive(name, orjson.loads(stored), write)
                except (ValueError, TypeError, IndexError, KeyError):
                    log.warning("a bay's live entry cannot be read", bay=name)
                    link.call("HDEL", district_keys(self._district).bays, name)
                else:
                    present.add(name)
            link.write(write, {})
            link.written()
        return present

    # --- entries that are not --------------------------------------------------------------------

    def _made(
        self, missing: Mapping[str, Sequence[Placed]], hearing: Hearing, now_ms: int, *, whole: bool
    ) -> Iterator[tuple[str, Place, Folded]]:
        """Make bays' memories, and what in their recorded histories has to change."""
        since_ms = now_ms - LOOK_BACK_WINDOWS * self._policy.lateness_ms
        since_at = from_ms(since_ms)
        bays = [placed[0].bay_id for placed in missing.values()]
        devices = [placed.device_id for places in missing.values() for placed in places]
        with self._database.read() as connection:
            last = last_known.last_changes(connection, bays, before_at=since_at)
            newer = last_known.changes_since(connection, bays, since_at=since_at)
            frames = last_known.frames_since(connection, devices, since_at=since_at)
            if not whole:
                # Nothing was lost that was accepted: an old word still counts as the last one.
                frames += last_known.last_frames(
                    connection, devices, before_at=since_at, few=FEW_FRAMES
                )
        heard: Heard = {}
        for frame in frames:
            hearing.note(_items(frame), heard)
        for bay, placed in missing.items():
            bay_id, home = placed[0].bay_id, placed[0]
            place = Place(home.facility_id.hex, home.longitude, home.latitude)
            first = _change(last[bay_id]) if bay_id in last else NEVER
            rows = [_change(row) for row in newer.get(bay_id, ())]
            seen = heard[bay][1] if bay in heard else []
            if whole and last_word_ms(rows, seen) < since_ms:
                yield bay, place, lost(first, rows, now_ms - self._policy.lateness_ms)
                continue
            stale_ms = max(self._policy.stale_after(self._model(each)) for each in placed)
            yield (
                bay,
                place,
                recover(first, rows, seen, self._policy, stale_after_ms=stale_ms, now_ms=now_ms),
            )

    def _model(self, placed: Placed) -> str:
        device = self._placements.by_id(placed.device_id)
        return "" if device is None else device.model


def _longest_silence_ms(policy: FoldingPolicy) -> int:
    return max([policy.stale_after_ms, *(ms for _, ms in policy.stale_after_by_model_ms)])


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    each = iter(items)
    while chunk := list(islice(each, CHUNK)):
        yield chunk


def _derive(bay: str, packed: Sequence[Any], write: LiveWrite) -> None:
    """Add to the write what follows from a bay's entry as it stands."""
    state, _, _, heard_ms, provisional, _, facility, longitude, latitude, settle_ms, fresh_ms = (
        packed[:11]
    )
    code = STATE_CODES[state]
    write.count(facility, code, 1)
    write.heard[facility] = max(write.heard.get(facility, 0), heard_ms)
    if code == FREE:
        write.freed += (longitude, latitude, bay)
    if code != UNKNOWN:
        write.due += (min(settle_ms, fresh_ms) if provisional and settle_ms else fresh_ms, bay)


def _items(frame: ArchivedFrame) -> list[Any]:
    return [
        frame.device_id.hex,
        frame.model,
        frame.port,
        frame.frame.hex(),
        to_ms(frame.device_at),
        to_ms(frame.received_at),
        frame.session,
        frame.counter,
        frame.message_id,
    ]


def _change(row: RecordedChange) -> Change:
    device = "" if row.device_id is None else row.device_id.hex
    return Change(
        STATE_CODES[row.state], to_ms(row.changed_at), row.sure, row.observation_key, device
    )
