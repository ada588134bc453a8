"""Detector data from the streams into PostgreSQL: a part of the worker.

What is kept is kept once however often it comes (its key is what it says), so a reader needs no
position of its own: entries go from the stream once PostgreSQL holds them, and what a killed
reader had kept but not dropped is kept again without effect. Several readers do no harm.
"""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import redis
import structlog

from city.errors import Unavailable
from city.time import from_ms
from city.works import metrics
from city.works.database import Database
from signals.rules.detections.entries import Batch, Kind, read_entry, stream_of
from signals.store import detections as store
from signals.store import reporters

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

AT_ONCE: Final = 200
"""Entries a step: up to as many requests."""
PAUSE_S: Final = 1.0
NETWORKS_S: Final = 10.0

log = structlog.get_logger("detections")


class Keeper:
    """Keeps what reporters say.

    Parameters
    ----------
    live : redis.Redis
    database : Database
    """

    def __init__(self, live: redis.Redis, database: Database) -> None:
        self._live = live
        self._database = database
        self._networks: Sequence[UUID] = ()

    def run(self, stop: threading.Event) -> None:
        """Keep until told to stop, whatever fails meanwhile."""
        until_look_s = 0.0
        while not stop.is_set():
            try:
                if until_look_s <= 0:
                    self.look()
                    until_look_s = NETWORKS_S
                while self.step() >= AT_ONCE and not stop.is_set():
                    pass
            except (redis.RedisError, Unavailable) as error:
                log.warning("detector data has to wait", reason=str(error))
            stop.wait(PAUSE_S)
            until_look_s -= PAUSE_S

    def look(self) -> None:
        """See of which networks somebody tells."""
        with self._database.read() as connection:
            self._networks = reporters.networks(connection)

    def keep_all(self) -> int:
        """Keep what there is; give how many entries: for tests and tools."""
        self.look()
        total = 0
        while done := self.step():
            total += done
        return total

    def step(self) -> int:
        """Keep some entries of each network; give how many."""
        return sum(self._keep(stream_of(each)) for each in self._networks)

    def _keep(self, stream: str) -> int:
        entries: Any = self._live.xrange(stream, count=AT_ONCE)
        if not entries:
            return 0
        batches: list[Batch] = []
        for entry_id, fields in entries:
            try:
                batches.append(read_entry(next(iter(fields.values()))))
            except (ValueError, StopIteration) as error:
                # Counted and passed over: it would stand in the way of all others.
                log.warning("an entry is not kept", entry=entry_id.decode(), reason=str(error))
        with self._database.unit_of_work() as uow:
            for kind in Kind:
                mine = [each for each in batches if each.kind is kind]
                new = store.keep(uow.connection, kind, mine) if mine else 0
                metrics.DETECTIONS.labels(kind.value, "kept").inc(new)
            reporters.heard(uow.connection, _heard(batches))
        last = entries[-1][0].decode()
        ms, _, number = last.partition("-")
        self._live.xtrim(stream, minid=f"{ms}-{int(number) + 1}", approximate=False)
        metrics.STREAM_LENGTH.labels(stream).set(int(self._live.xlen(stream)))
        return len(entries)


def _heard(batches: Sequence[Batch]) -> list[dict[str, object]]:
    """Give what each reporter's row is to say, one row a reporter."""
    rows: dict[UUID, dict[str, Any]] = {}
    for batch in batches:
        row = rows.setdefault(
            batch.reporter,
            {"ids": batch.reporter, "heard": batch.received_at, "newest": None, "refused": 0,
             "why": None},
        )  # fmt: skip
        row["heard"] = max(row["heard"], batch.received_at)
        row["refused"] += batch.refused
        row["why"] = batch.why or row["why"]
        if batch.rows:
            newest: datetime = from_ms(max(batch.columns[0]) // 1000)
            row["newest"] = newest if row["newest"] is None else max(row["newest"], newest)
    return list(rows.values())
