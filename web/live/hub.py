"""One reader of the changes streams, and the many pages it feeds.

One Redis read per page neither scales to 500 pages nor keeps up; here one thread reads every
district's changes, keeps the last state of each bay within a tick, and puts one ready-made
message per distinct box into a bounded queue per page. Cost per tick grows with the changes, plus
per distinct box those in its span of longitudes, plus one queue put per page.
"""

from __future__ import annotations

import secrets
import threading
import time
from bisect import bisect_left, bisect_right
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson
import redis
import structlog

from city.errors import Unavailable
from city.works import metrics
from parking.adapters.streams import BEGINNING, changes_stream, read_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from city.identifiers import DistrictCode
    from city.places import BoundingBox

log = structlog.get_logger(__name__)

TICK_S: Final = 0.1
"""Changes are gathered for this long: below what an eye notices, and few enough messages."""

QUEUE_TICKS: Final = 64
"""Messages kept for a slow page before it is told to start again from a snapshot."""

REPLAY_CHANGES: Final = 20_000
"""Changes kept for pages that reconnect; about 400 bytes each."""

READ_COUNT: Final = 2_000
BLOCK_MS: Final = 1_000
DISTRICTS_REFRESH_S: Final = 10.0
RETRY_S: Final = 0.5


class Change(NamedTuple):
    """A bay's state after a change, as sent to pages.

    ``row`` is the JSON array ``[bay, facility, longitude, latitude, state, since_ms, sure,
    heard_ms, provisional]``.
    """

    number: int
    longitude: float
    latitude: float
    row: bytes


class Event(NamedTuple):
    """A ready message, and the number of the last change in it."""

    number: int
    data: bytes


@dataclass(eq=False, slots=True)
class Subscriber:
    """One open page: its box and its bounded queue of ready messages."""

    box: BoundingBox
    queue: Queue[Event] = field(default_factory=lambda: Queue(QUEUE_TICKS))
    lost: bool = False
    """The page was too slow, or the store was away: its queue has a gap."""

    def take(self, timeout_s: float) -> Event | None:
        """Return the next message, or None when nothing came in ``timeout_s`` seconds."""
        try:
            return self.queue.get(timeout=timeout_s)
        except Empty:
            return None

    def put(self, event: Event) -> None:
        """Queue a message; where the queue is full, drop all and note that there is a gap."""
        try:
            self.queue.put_nowait(event)
        except Full:
            metrics.LIVE_DROPPED.inc()
            self.lost = True
            with suppress(Empty):
                while True:
                    self.queue.get_nowait()


def message(event: str, rows: Iterable[bytes], event_id: str | None) -> bytes:
    """Return one server-sent event that carries the rows of some bays.

    A page resumes after the last id that it saw: a message that is not the whole of something
    has none.
    """
    named = b"" if event_id is None else b"id: %b\n" % event_id.encode()
    return b'event: %b\n%bdata: {"bays":[%b]}\n\n' % (event.encode(), named, b",".join(rows))


def row(entry: Sequence[Any]) -> bytes:
    """Return the JSON array sent for one entry of a changes stream (see docs/occupancy.md)."""
    bay, facility, longitude, latitude, _, _, now = entry
    state, since_ms, sure, heard_ms, provisional = now
    return orjson.dumps(
        [
            bay,
            facility,
            longitude,
            latitude,
            state,
            since_ms or None,
            sure,
            heard_ms or None,
            provisional,
        ]
    )


class Hub:
    """Reads the changes of all districts once and feeds every subscriber.

    Parameters
    ----------
    live
        Client of the live store.
    districts
        Returns the districts to read; asked again every ten seconds.
    """

    def __init__(
        self, live: redis.Redis, districts: Callable[[], Sequence[DistrictCode | str]]
    ) -> None:
        self._live = live
        self._districts = districts
        self._lock = threading.Lock()
        self._subscribers: set[Subscriber] = set()
        self._recent: deque[Change] = deque(maxlen=REPLAY_CHANGES)
        self._epoch = secrets.token_hex(4)
        self._number = 0
        self._forgotten = 0
        """Number of the last change that is not kept for pages that reconnect."""
        self._stopped = threading.Event()
        self._following = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start reading, once."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="live-hub", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Stop reading; open pages then end by themselves."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def wait_until_following(self, timeout_s: float) -> bool:
        """Wait until the streams are being read; say whether they are."""
        return self._following.wait(timeout_s)

    def wait(self, seconds: float) -> None:
        """Wait, but not beyond the process's shutting down."""
        self._stopped.wait(seconds)

    @property
    def stopped(self) -> bool:
        """Whether the process is shutting down."""
        return self._stopped.is_set()

    @property
    def subscribers(self) -> int:
        """Number of open pages."""
        return len(self._subscribers)

    def join(self, box: BoundingBox) -> Subscriber:
        """Start queueing changes in a box. Join first, then take the snapshot: none is missed."""
        subscriber = Subscriber(box)
        with self._lock:
            self._subscribers.add(subscriber)
        metrics.LIVE_CLIENTS.inc()
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """Forget a page."""
        with self._lock:
            if subscriber not in self._subscribers:
                return
            self._subscribers.remove(subscriber)
        metrics.LIVE_CLIENTS.dec()

    def position(self) -> str:
        """Return the id of the latest change, for a snapshot that is about to be taken."""
        with self._lock:
            return self._position()

    def _position(self) -> str:
        return f"{self._epoch}-{self._number}"

    def since(self, last_id: str, box: BoundingBox) -> tuple[Event, int] | None:
        """Give what changed in a box since an event id, and how many bays did.

        None where that is not known any more: another process, or too long ago.
        """
        epoch, _, number = last_id.partition("-")
        with self._lock:
            if epoch != self._epoch or not (number.isascii() and number.isdecimal()):
                return None
            known = int(number)
            if known > self._number or known < self._forgotten:
                return None
            rows = [
                change.row for change in self._recent if change.number > known and _in(change, box)
            ]
            return Event(self._number, message("changes", rows, self._position())), len(rows)

    def _run(self) -> None:
        positions: dict[str, str] = {}
        refresh_at = 0.0
        while not self._stopped.is_set():
            try:
                if time.monotonic() >= refresh_at:
                    self._follow(positions)
                    refresh_at = time.monotonic() + DISTRICTS_REFRESH_S
                    self._following.set()
                if not positions:
                    self._stopped.wait(RETRY_S)
                    refresh_at = 0.0
                    continue
                started = time.monotonic()
                entries = self._read(positions)
                if entries:
                    self._spread(entries)
                    self._stopped.wait(max(0.0, TICK_S - (time.monotonic() - started)))
            except (redis.RedisError, OSError, Unavailable) as error:
                log.warning("the changes cannot be read", error=str(error))
                positions.clear()
                refresh_at = 0.0
                self._start_all_again()
                self._stopped.wait(RETRY_S)

    def _follow(self, positions: dict[str, str]) -> None:
        """Begin to read new districts from their latest entry."""
        for district in self._districts():
            stream = changes_stream(district)
            if stream in positions:
                continue
            last = self._live.xrevrange(stream, count=1)
            # By its own id, not `$`: what is appended between two reads must not be missed.
            positions[stream] = last[0][0].decode() if last else BEGINNING  # type: ignore[union-attr]  # bytes: nothing is decoded for us

    def _read(self, positions: dict[str, str]) -> list[bytes]:
        entries: list[bytes] = []
        for stream, found in read_after(self._live, positions, count=READ_COUNT, block_ms=BLOCK_MS):
            positions[stream] = found[-1][0]
            entries += [value for _, value in found if value is not None]
        return entries

    def _spread(self, entries: Sequence[bytes]) -> None:
        """Put the last state of each changed bay into the queues of the pages that show it."""
        latest: dict[str, Change] = {}
        with self._lock:
            for raw in entries:
                entry = orjson.loads(raw)
                self._number += 1
                latest.pop(entry[0], None)
                latest[entry[0]] = Change(self._number, entry[2], entry[3], row(entry))
            kept = latest.values()
            if len(self._recent) + len(kept) > REPLAY_CHANGES:
                for _ in range(min(len(self._recent), len(kept))):
                    self._forgotten = self._recent.popleft().number
            self._recent.extend(kept)
            number, position = self._number, self._position()
            subscribers = list(self._subscribers)
        ordered = sorted(latest.values(), key=lambda change: change.longitude)
        longitudes = [change.longitude for change in ordered]
        ready: dict[BoundingBox, Event | None] = {}
        for subscriber in subscribers:
            box = subscriber.box
            if box not in ready:
                first, last = bisect_left(longitudes, box.west), bisect_right(longitudes, box.east)
                rows = [
                    change.row
                    for change in ordered[first:last]
                    if box.south <= change.latitude <= box.north
                ]
                data = message("changes", rows, position) if rows else None
                ready[box] = None if data is None else Event(number, data)
            event = ready[box]
            if event is not None:
                subscriber.put(event)

    def _start_all_again(self) -> None:
        with self._lock:
            self._epoch = secrets.token_hex(4)
            self._recent.clear()
            self._forgotten = self._number
            for subscriber in self._subscribers:
                subscriber.lost = True


def _in(change: Change, box: BoundingBox) -> bool:
    return box.west <= change.longitude <= box.east and box.south <= change.latitude <= box.north
