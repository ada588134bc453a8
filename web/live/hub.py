"""One reader of the changes streams, and the many pages it feeds.

One Redis read per page neither scales to 500 pages nor keeps up; here one thread reads every
district's changes, keeps the last state of each bay within a tick, and puts one ready-made
message per distinct box into a bounded queue per page. Cost per tick grows with
changes x distinct boxes (a float comparison each) plus one queue put per page.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING

import orjson
import redis
import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from city.places import BoundingBox

log = structlog.get_logger(__name__)

TICK_S = 0.1
"""Changes are gathered for this long: below what an eye notices, and few enough messages."""

QUEUE_TICKS = 64
"""Messages kept for a slow page before it is told to start again from a snapshot."""

REPLAY_CHANGES = 20_000
"""Changes kept for pages that reconnect."""

READ_COUNT = 2_000
BLOCK_MS = 1_000
DISTRICTS_REFRESH_S = 10.0
RETRY_S = 0.5


@dataclass(frozen=True, slots=True)
class Change:
    """A bay's state after a change, as sent to pages.

    ``row`` is the JSON array ``[bay, facility, longitude, latitude, state, since_ms, sure,
    heard_ms, provisional]``.
    """

    number: int
    bay: str
    longitude: float
    latitude: float
    row: bytes


@dataclass(eq=False, slots=True)
class Subscriber:
    """One open page: its box and its bounded queue of ready messages."""

    box: BoundingBox
    queue: Queue[bytes] = field(default_factory=lambda: Queue(QUEUE_TICKS))
    lost: bool = False

    def take(self, timeout_s: float) -> bytes | None:
        """Return the next message, or None when nothing came in ``timeout_s`` seconds."""
        try:
            return self.queue.get(timeout=timeout_s)
        except Empty:
            return None


def message(event: str, rows: Iterable[bytes], number: str) -> bytes:
    """Return one server-sent event that carries the rows of some bays."""
    body = b",".join(rows)
    return b'event: %b\nid: %b\ndata: {"bays":[%b]}\n\n' % (event.encode(), number.encode(), body)


def row(entry: Sequence[object]) -> bytes:
    """Return the JSON array sent for one entry of a changes stream (see docs/occupancy.md)."""
    bay, facility, longitude, latitude, _, _, now = entry
    return orjson.dumps([bay, facility, longitude, latitude, *now])  # type: ignore[misc]  # the entry's last item is a list by its format


class Hub:
    """Reads the changes of all districts once and feeds every subscriber.

    Parameters
    ----------
    live
        Client of the live store.
    districts
        Returns the districts to read; asked again every ten seconds.
    """

    def __init__(self, live: redis.Redis, districts: Callable[[], Sequence[str]]) -> None:
        self._live = live
        self._districts = districts
        self._lock = threading.Lock()
        self._subscribers: set[Subscriber] = set()
        self._recent: deque[Change] = deque(maxlen=REPLAY_CHANGES)
        self._epoch = secrets.token_hex(4)
        self._number = 0
        self._stopped = threading.Event()
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
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """Forget a page."""
        with self._lock:
            self._subscribers.discard(subscriber)

    def position(self) -> str:
        """Return the id of the latest change, for a snapshot taken now."""
        return f"{self._epoch}-{self._number}"

    def since(self, last_id: str, box: BoundingBox) -> bytes | None:
        """Return what changed in a box since an event id, or None where that is not known."""
        epoch, _, number = last_id.partition("-")
        with self._lock:
            if epoch != self._epoch or not number.isdecimal():
                return None
            known = int(number)
            oldest = self._recent[0].number if self._recent else self._number + 1
            if known > self._number or known < oldest - 1:
                return None
            rows = [
                change.row for change in self._recent if change.number > known and _in(change, box)
            ]
            return message("changes", rows, self.position())

    def _run(self) -> None:
        positions: dict[bytes, bytes] = {}
        refresh_at = 0.0
        while not self._stopped.is_set():
            try:
                if time.monotonic() >= refresh_at:
                    self._follow(positions)
                    refresh_at = time.monotonic() + DISTRICTS_REFRESH_S
                if not positions:
                    self._stopped.wait(RETRY_S)
                    continue
                started = time.monotonic()
                entries = self._read(positions)
                if entries:
                    self._spread(entries)
                    self._stopped.wait(max(0.0, TICK_S - (time.monotonic() - started)))
            except (redis.RedisError, OSError) as error:
                log.warning("live store out of reach", error=str(error))
                positions.clear()
                refresh_at = 0.0
                self._start_all_again()
                self._stopped.wait(RETRY_S)

    def _follow(self, positions: dict[bytes, bytes]) -> None:
        """Begin to read new districts from their latest entry."""
        for district in self._districts():
            stream = f"{{d:{district}}}:changes".encode()
            if stream not in positions:
                last = self._live.xrevrange(stream, count=1)
                positions[stream] = last[0][0] if last else b"0-0"

    def _read(self, positions: dict[bytes, bytes]) -> list[bytes]:
        answer = self._live.xread(dict(positions), count=READ_COUNT, block=BLOCK_MS)
        if isinstance(answer, dict):
            streams = [(name, batch) for name, batches in answer.items() for batch in batches]
        else:
            streams = list(answer or [])
        entries: list[bytes] = []
        for stream, batch in streams:
            for entry_id, fields in batch:
                positions[stream] = entry_id
                entries.append(fields[b"c"])
        return entries

    def _spread(self, entries: list[bytes]) -> None:
        """Put the last state of each changed bay into the queues of the pages that show it."""
        latest: dict[str, Change] = {}
        with self._lock:
            for raw in entries:
                entry = orjson.loads(raw)
                self._number += 1
                latest.pop(entry[0], None)
                latest[entry[0]] = Change(self._number, entry[0], entry[2], entry[3], row(entry))
            self._recent.extend(latest.values())
            number = self.position()
            subscribers = list(self._subscribers)
        ready: dict[BoundingBox, bytes | None] = {}
        for subscriber in subscribers:
            if subscriber.box not in ready:
                rows = [change.row for change in latest.values() if _in(change, subscriber.box)]
                ready[subscriber.box] = message("changes", rows, number) if rows else None
            event = ready[subscriber.box]
            if event is not None:
                _put(subscriber, event)

    def _start_all_again(self) -> None:
        with self._lock:
            self._epoch = secrets.token_hex(4)
            self._recent.clear()
            for subscriber in self._subscribers:
                subscriber.lost = True


def _put(subscriber: Subscriber, event: bytes) -> None:
    try:
        subscriber.queue.put_nowait(event)
    except Full:
        # Too slow for the changes: drop them all and let the page start from a snapshot.
        subscriber.lost = True
        with suppress(Empty):
            while True:
                subscriber.queue.get_nowait()


def _in(change: Change, box: BoundingBox) -> bool:
    return box.west <= change.longitude <= box.east and box.south <= change.latitude <= box.north
