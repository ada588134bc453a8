"""The fold consumer: a district's uplink streams become the live state of its bays.

One holder of the district's lease reads, decodes and folds; every batch is one guarded write, see
`parking.adapters.fold_link`. Bays' memories are kept in this process while the lease is held, so
that a batch costs one write and, for bays not met before, one read.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import orjson
import redis
import structlog

from city.errors import Unavailable
from city.identifiers import DistrictCode
from city.time import Clock, to_ms
from city.works import metrics
from parking.adapters.fold_link import FoldLink, Found, LeaseLost, LiveWrite, PositionMoved
from parking.adapters.streams import uplink_streams
from parking.hearing import Hearing, Registry
from parking.publishing import KnownBay, publish
from parking.rules.occupancy.memory import EMPTY, fold
from parking.rules.occupancy.policy import DEFAULT_POLICY, FoldingPolicy
from parking.rules.occupancy.stored import unpack

BATCH: Final = 1_000
"""Entries read and written at a time: past it the gain is small and the store's pause grows."""
BLOCK_MS: Final = 500
"""How long a read waits; bounds how fast the loop notices that it should stop."""
SWEEP_S: Final = 1.0
"""Wall time between looks at what falls due; the most by which a bay turns unknown too late."""
SWEEP_BUSY_S: Final = 5.0
"""The same while there is a backlog."""
RENEW_S: Final = 1.0
RETRY_S: Final = 0.5
REMEMBERED_BAYS: Final = 50_000
"""Bays whose memory is kept in this process, about 3 kB each; past it all are read anew."""

log = structlog.get_logger(__name__)


class Progress(NamedTuple):
    """What a piece of folding did."""

    entries: int
    observations: int
    late: int
    twice: int
    malformed: int
    unplaced: int
    """Frames of devices that lay in no bay when they spoke."""


class Folder:
    """Folds one district, whenever it can get the lease.

    Parameters
    ----------
    live
        The live store.
    district
        The district.
    registry
        Which device lies where; brought up to date as folding goes on.
    clock
        Business clock: silence is judged by it.
    policy
        Every threshold of folding.
    partitions
        Uplink streams a district, as ingest has it.
    restore
        Mends the live state where some of it is missing, while the lease is held; see
        `parking.rebuilding`. Without it folding goes on with what is there.
    """

    def __init__(
        self,
        live: redis.Redis,
        district: DistrictCode | str,
        registry: Registry,
        clock: Clock,
        *,
        policy: FoldingPolicy = DEFAULT_POLICY,
        partitions: int = 1,
        batch: int = BATCH,
        restore: Callable[[FoldLink], object] | None = None,
    ) -> None:
        self._district = str(district)
        self._restore = restore
        self._link = FoldLink(live, district, uplink_streams(district, partitions))
        self._registry = registry
        self._clock = clock
        self._policy = policy
        self._batch = batch
        self._bays: dict[str, KnownBay] = {}
        self._swept_at = float("-inf")
        self._renewed_at = float("-inf")
        self._hearing = Hearing(self._district, registry, policy)
        self._late = self._twice = self._observations = 0

    # --- running ---------------------------------------------------------------------------------

    def run(self, stop: threading.Event) -> None:
        """Fold until told to stop, whatever fails meanwhile; then finish the batch in hand."""
        while not stop.is_set():
            try:
                if self._begin():
                    self._work(stop, drain=False)
                    self._link.release()
                else:
                    stop.wait(RETRY_S)
            except (LeaseLost, PositionMoved) as error:
                log.warning("folding begins anew", district=self._district, reason=repr(error))
                stop.wait(RETRY_S)
            except (redis.RedisError, Unavailable) as error:
                log.warning("folding has to wait", district=self._district, reason=str(error))
                stop.wait(RETRY_S)
            finally:
                self._link.close()

    def fold_all(self) -> int:
        """Fold what is there, sweep what is due, and return: for tests, tools and benches.

        Returns
        -------
        int
            Entries folded.

        Raises
        ------
        Unavailable
            Where another process holds the district's lease.
        """
        begun = self.progress.entries
        try:
            if not self._begin():
                raise Unavailable("the district is being folded elsewhere", retry_after_s=5)
            self._work(threading.Event(), drain=True)
            self._link.release()
        finally:
            self._link.close()
        return self.progress.entries - begun

    def _begin(self) -> bool:
        self._bays.clear()
        self._hearing.refresh(force=False)
        self._swept_at = float("-inf")
        if not self._link.open():
            return False
        if self._restore is not None and self._link.survey().damaged:
            self._restore(self._link)
        return True

    def _work(self, stop: threading.Event, *, drain: bool) -> None:
        """Read, fold, write; while there is a backlog the store writes behind our back.

        The order of requests on the link is the order of their answers: with a backlog the next
        read goes out before this batch is folded, and the write's answer is awaited only after
        the next batch was folded too. What was read is taken before the write goes out: a store
        that has a long command to do does not go on sending a long answer.
        """
        link = self._link
        under_way = False
        link.ask(count=self._batch, block_ms=None)
        found = link.answer()
        while True:
            behind = any(len(entries) >= self._batch for entries in found.batches)
            ahead = behind and not stop.is_set() and not self._sweep_due(SWEEP_BUSY_S)
            if ahead:
                link.ask(count=self._batch, block_ms=None)
            following: Found | None = None
            if found.spans:
                write, newest_ms = self._fold(found, behind=behind)
                if under_way:
                    link.written()
                if ahead:
                    following = link.answer()
                link.write(write, found.spans)
                under_way = True
                self._measure(found, newest_ms)
            if following is None:
                if under_way:
                    link.written()
                    under_way = False
                self._look_after(newest_ms if behind else to_ms(self._clock.now()))
                if stop.is_set() or (drain and not found.spans):
                    return
                link.ask(count=self._batch, block_ms=None if drain or behind else BLOCK_MS)
                following = link.answer()
            found = following

    @property
    def progress(self) -> Progress:
        """What was folded since this folder was made."""
        return Progress(
            self._hearing.entries,
            self._observations,
            self._late,
            self._twice,
            self._hearing.malformed,
            self._hearing.unplaced,
        )

    # --- one batch -------------------------------------------------------------------------------

    def _fold(self, found: Found, *, behind: bool) -> tuple[LiveWrite, int]:
        """Fold what was read; give what to write, and when the newest entry was received."""
        if len(self._bays) > REMEMBERED_BAYS:
            self._bays.clear()  # reads follow writes on the link: nothing is lost
        heard, newest_ms = self._hearing.hear(found.batches)
        self._load([bay for bay in heard if bay not in self._bays])
        # With a backlog 'now' is when its newest entry was received: what is still unread may
        # break a silence.
        now_ms = newest_ms if behind else to_ms(self._clock.now())
        write = LiveWrite()
        late = twice = count = 0
        for bay, (place, observations) in heard.items():
            known = self._bays[bay]
            observations.sort()
            folded = fold(known.memory, observations, self._policy, now_ms)
            late += folded.late
            twice += folded.twice
            count += len(observations)
            if folded.late + folded.twice < len(observations) or folded.edit is not None:
                publish(bay, known, place, folded, now_ms=now_ms, write=write)
        if late:
            metrics.LATE.labels(self._district).inc(late)
        self._observations += count
        self._late += late
        self._twice += twice
        return write, newest_ms

    def _load(self, bays: Sequence[str]) -> None:
        if not bays:
            return
        for bay, stored in zip(bays, self._link.load(bays), strict=True):
            if stored is None:
                self._bays[bay] = KnownBay(EMPTY, None, None)
                continue
            packed = orjson.loads(stored)
            self._bays[bay] = KnownBay(*unpack(packed, self._policy))

    # --- silence, lease, registry ----------------------------------------------------------------

    def _sweep_due(self, every_s: float) -> bool:
        return time.monotonic() - self._swept_at >= every_s

    def _look_after(self, now_ms: int) -> None:
        """Sweep what is due by `now_ms`, and keep the lease where nothing was written."""
        if self._sweep_due(SWEEP_S):
            self._sweep(now_ms)
            self._swept_at = time.monotonic()
            found = self._link.survey()
            if self._restore is not None and found.damaged:
                raise PositionMoved("keys of the live state were lost")
            for state, count in found.counts.items():
                metrics.BAYS.labels(self._district, state).set(count)
        elif time.monotonic() - self._renewed_at >= RENEW_S:
            self._link.write(LiveWrite(), {})
            self._link.written()
            self._renewed_at = time.monotonic()

    def _sweep(self, now_ms: int) -> None:
        """Turn bays unknown that were silent too long; settle states that no flicker can undo."""
        while True:
            due = self._link.due(now_ms, self._batch)
            self._load([bay for bay in due if bay not in self._bays])
            write = LiveWrite()
            for bay in due:
                known = self._bays[bay]
                if known.place is None:
                    write.settled.append(bay)  # the bay's entry was lost: nothing to sweep
                    continue
                folded = fold(known.memory, (), self._policy, now_ms)
                publish(bay, known, known.place, folded, now_ms=now_ms, write=write)
            self._link.write(write, {})
            self._link.written()
            self._renewed_at = time.monotonic()
            if len(due) < self._batch:
                return

    def _measure(self, found: Found, newest_ms: int) -> None:
        self._renewed_at = time.monotonic()
        metrics.FOLDED.labels(self._district).inc(sum(len(each) for each in found.batches))
        age_ms = max(0, to_ms(self._clock.now()) - newest_ms)
        metrics.FOLD_LAG_S.labels(self._district).set(age_ms / 1000)
