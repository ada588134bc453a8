"""Passes that gates' cameras tell, kept beside those of stop lines: a part of the worker.

How far a district's stream was heard is kept in the transaction that keeps its passes: a reader
killed anywhere goes on where it stopped, loses none and keeps none twice. Several do no harm.
"""

import threading
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import redis
import structlog

from city.errors import Unavailable
from city.identifiers import DistrictCode
from city.works import metrics
from city.works.database import Database, UnitOfWork
from city.works.plate_passes import MOST_AT_ONCE, PlatePass, Stretch, read_on
from signals.rules.detections.entries import Batch, Kind, microseconds
from signals.rules.detections.rows import AHEAD, KEPT
from signals.store import detections
from signals.store import passes as store
from signals.store.passes import HeardUpTo, PassLane

PAUSE_S: Final = 2.0

log = structlog.get_logger("passes")


class Hearer:
    """Keeps passes of lanes that tell of a signal; forgets all others.

    Parameters
    ----------
    live : redis.Redis
    database : Database
    at_once : int
        Passes a transaction.
    """

    def __init__(self, live: redis.Redis, database: Database, at_once: int = MOST_AT_ONCE) -> None:
        self._live = live
        self._database = database
        self._at_once = at_once

    def run(self, stop: threading.Event) -> None:
        """Hear until told to stop, whatever fails meanwhile."""
        while not stop.is_set():
            try:
                while self.step() >= self._at_once and not stop.is_set():
                    pass
            except (redis.RedisError, Unavailable) as error:
                log.warning("passes have to wait", reason=str(error))
            stop.wait(PAUSE_S)

    def step(self) -> int:
        """Hear some passes of each district; give how many entries at most one had."""
        with self._database.read() as connection:
            lanes = store.lanes(connection)
        districts = sorted({each.district for each in lanes.values()})
        return max((self._hear(each, lanes) for each in districts), default=0)

    def _hear(self, district: DistrictCode, lanes: Mapping[UUID, PassLane]) -> int:
        with self._database.unit_of_work() as uow:
            before = store.hold_mark(uow.connection, district)
            stretch = read_on(self._live, district, before.entry, self._at_once)
            after = _moved(before, stretch)
            if after == before:
                return 0
            kept, unplaced = self._keep(uow, stretch, lanes)
            store.move_mark(uow.connection, district, after)
        lost = after.lost - before.lost
        if lost:
            log.warning("passes were gone before they were heard", district=district, lost=lost)
        unusable = sum(1 for _, each in stretch.passes if each is None)
        said = {"kept": kept, "unplaced": unplaced, "unusable": unusable, "lost": lost}
        for outcome, n in said.items():
            metrics.PLATE_PASSES.labels(outcome).inc(n)
        return len(stretch.passes)

    def _keep(
        self, uow: UnitOfWork, stretch: Stretch, lanes: Mapping[UUID, PassLane]
    ) -> tuple[int, int]:
        """Keep what lanes in force tell; give how many passes are new, and how many not placed."""
        now = uow.wall.now()
        placed: dict[UUID, list[PlatePass]] = {}
        unplaced = 0
        for _, each in stretch.passes:
            if each is None:
                continue
            lane = lanes.get(each.lane_id)
            if lane is None or each.at < lane.since_at or not now - KEPT <= each.at <= now + AHEAD:
                unplaced += 1
            else:
                placed.setdefault(each.lane_id, []).append(each)
        batches = [_batch(lanes[lane_id], passes) for lane_id, passes in placed.items()]
        return detections.keep(uow.connection, Kind.PASSES, batches), unplaced


def _batch(lane: PassLane, passes: list[PlatePass]) -> Batch:
    """Give a lane's passes as its own reporter's batch would be."""
    return Batch(
        Kind.PASSES,
        lane.place,
        lane.lane_id,
        max(each.at for each in passes),
        (
            [microseconds(each.at) for each in passes],
            [lane.lane] * len(passes),
            [each.token for each in passes],
        ),
    )


def _moved(before: HeardUpTo, stretch: Stretch) -> HeardUpTo:
    """Give how far a district is heard after a stretch, and what was gone before it was heard."""
    # A stream that has had fewer entries than were heard of it is another one: it begins anew.
    number = before.number if stretch.added >= before.number else 0
    # What had come before anybody wanted to hear is no loss.
    lost = 0 if before.entry == "0" else max(stretch.gone - number, 0)
    if not stretch.passes and not lost:
        return before
    entry = stretch.passes[-1][0] if stretch.passes else before.entry
    number = max(number, stretch.gone) + len(stretch.passes)
    return HeardUpTo(entry, number, before.lost + lost)
