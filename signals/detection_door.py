"""The way in for what controllers and detectors say: read, appended to the network's stream, said.

A batch counts as accepted when its stream entry is in the live store, not before. After any error
it may be there: send it again, what is kept tells duplicates by itself.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

import redis

from city.errors import Forbidden, Unavailable
from city.people.actors import Actor
from city.time import Clock
from city.vault import marks_of_plates
from city.works import metrics
from city.works.database import Database, UnitOfWork
from city.works.live_lines import LiveLines
from signals.rules.detections.entries import (
    FIELD,
    Batch,
    Kind,
    microseconds,
    stream_of,
    write_entry,
)
from signals.rules.detections.rows import (
    SAYS,
    PassRow,
    Read,
    RefusedRow,
    Row,
    count_row,
    event_row,
    pass_row,
    read_rows,
)
from signals.store import reporters as store
from signals.store.reporters import Reporter

REFRESH_S: Final = 5.0
"""For so long a process's copy of who reports may be old; a subject it lacks is asked for."""
STORE_RETRY_AFTER_S: Final = 5
ROWS_AN_ENTRY: Final = 1_000
"""So that a stream's limit on entries is one on memory too."""

_READERS: Final[Mapping[Kind, Callable[[object, datetime], Row]]] = {
    Kind.EVENTS: event_row,
    Kind.COUNTS: count_row,
    Kind.PASSES: pass_row,
}


class Gate(Protocol):
    """Says when a stream is full."""

    def admit(self, stream: str, entries: int = 1) -> None:
        """Count entries into a stream; TooMany where it would pass its limit."""


class Room(Protocol):
    """Says when the disk is full."""

    def admit(self) -> None:
        """Pass while there is room; Unavailable otherwise."""


class Taken(NamedTuple):
    """What became of a request's rows."""

    accepted: int
    refused: tuple[RefusedRow, ...]

    def document(self) -> dict[str, Any]:
        """Give the answer."""
        return {
            "accepted": self.accepted,
            "rejected": [
                {"index": each.place, "reason": each.reason.value, "detail": SAYS[each.reason]}
                for each in self.refused
            ],
        }


class DetectionDoor:
    """Takes batches in. Threads share one.

    Parameters
    ----------
    live : redis.Redis
    database : Database
    wall : Clock
        Controllers live by the wall's time.
    gate : Gate
    room : Room
    """

    def __init__(
        self, live: redis.Redis, database: Database, wall: Clock, *, gate: Gate, room: Room
    ) -> None:
        self._lines = LiveLines(live)
        self._database = database
        self._wall = wall
        self._gate = gate
        self._room = room
        self._known: dict[str, Reporter] = {}
        self._read_s = float("-inf")
        self._lock = threading.Lock()

    def accept(self, actor: Actor, kind: Kind, rows: Sequence[object]) -> Taken:
        """Append what can be used to the stream of the reporter's network.

        Parameters
        ----------
        actor : Actor
            The device; it tells of its own signal and of no other.
        kind : Kind
        rows : sequence
            At most ``MOST_ROWS``.

        Raises
        ------
        Forbidden
            Where nobody registered the device as a signal's reporter.
        Invalid
            On too many rows.
        TooMany
            Where the stream is at its limit.
        Unavailable
            Where the disk is full or the live store cannot take them.
        """
        self._room.admit()
        reporter = self._reporter(actor.subject)
        now = self._wall.now()
        read = read_rows(rows, _READERS[kind], now)
        columns = self._columns(kind, read)
        why = read.refused[0].reason.value if read.refused else None
        # A request without a good row is an entry too: that it was heard, and refused, is kept.
        batches = [
            Batch(
                kind,
                reporter.place,
                reporter.id,
                now,
                tuple(column[first : first + ROWS_AN_ENTRY] for column in columns),
                0 if first else len(read.refused),
                None if first else why,
            )
            for first in range(0, max(len(read.rows), 1), ROWS_AN_ENTRY)
        ]
        stream = stream_of(reporter.network_id)
        self._gate.admit(stream, len(batches))
        try:
            self._lines.ask([("XADD", stream, b"*", FIELD, write_entry(each)) for each in batches])
        except redis.RedisError as error:
            metrics.REFUSED.labels("store").inc()
            raise Unavailable(
                "the live store cannot take detector data now", retry_after_s=STORE_RETRY_AFTER_S
            ) from error
        metrics.DETECTIONS.labels(kind.value, "accepted").inc(len(read.rows))
        metrics.DETECTIONS.labels(kind.value, "rejected").inc(len(read.refused))
        return Taken(len(read.rows), read.refused)

    def _reporter(self, subject: str) -> Reporter:
        found = self._known.get(subject)
        now_s = time.monotonic()
        if found is None or now_s - self._read_s >= REFRESH_S:
            with self._database.read() as connection:
                known = store.in_service(connection)
            with self._lock:
                self._known, self._read_s = known, now_s
            found = known.get(subject)
        if found is None:
            raise Forbidden("This device is not registered as a signal's reporter.")
        return found

    def _columns(self, kind: Kind, read: Read) -> tuple[list[Any], ...]:
        if not read.rows:
            return ()
        if kind is Kind.PASSES:
            with self._database.unit_of_work() as uow:
                marks = _marks(uow, read.rows)
            return _microseconds(read.rows), [row[1] for row in read.rows], marks
        first, *others = zip(*read.rows, strict=True)
        del first
        return _microseconds(read.rows), *(list(column) for column in others)


def _microseconds(rows: Sequence[Row]) -> list[int]:
    return [microseconds(row[0]) for row in rows]


def _marks(uow: UnitOfWork, rows: Sequence[Row]) -> list[str]:
    """Give each plate's mark of its day: the same that a gate's camera gives the car."""
    plates = [(row.plate, row.at) for row in rows if isinstance(row, PassRow)]
    return [mark.hex() for mark in marks_of_plates(uow, plates)]
