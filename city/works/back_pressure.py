"""Saying no in time: limits on what waits in the live store and on the disk's free space.

Refusing an uplink with 429 or 503 makes its network server send it again later; accepting it
without room would lose it.
"""

import os
import threading
import time
from pathlib import Path

import redis

from city.errors import TooMany, Unavailable
from city.works import metrics

STREAM_RETRY_AFTER_S = 5
DISK_RETRY_AFTER_S = 60


class StreamGate:
    """Admits entries to streams until one is at its limit.

    The length is read at most every `refresh_s`; in between what this process admitted is added
    to it, so a burst cannot slip through. Other processes' entries are seen at the next reading.

    Parameters
    ----------
    store
        The live store.
    limit
        Entries that a stream may hold.
    refresh_s
        Age at which a length is read again.
    """

    def __init__(self, store: redis.Redis, limit: int, *, refresh_s: float = 0.25) -> None:
        self._store = store
        self._limit = limit
        self._refresh_s = refresh_s
        self._lock = threading.Lock()
        self._lengths: dict[str, tuple[float, int]] = {}

    def admit(self, stream: str, entries: int = 1) -> None:
        """Count `entries` into `stream`.

        Raises
        ------
        TooMany
            Where the stream would pass its limit; nothing was counted.
        Unavailable
            Where the live store cannot be reached.
        """
        now = time.monotonic()
        with self._lock:
            read_at, length = self._lengths.get(stream, (float("-inf"), 0))
            stale = now - read_at >= self._refresh_s
        if stale:
            try:
                length = int(self._store.xlen(stream))
            except redis.RedisError as error:
                raise Unavailable("the live store cannot be reached") from error
            metrics.STREAM_LENGTH.labels(stream).set(length)
        with self._lock:
            if stale:
                self._lengths[stream] = (now, length)
            read_at, length = self._lengths[stream]
            if length + entries > self._limit:
                metrics.REFUSED.labels("stream").inc()
                raise TooMany(
                    "too many uplinks wait to be processed", retry_after_s=STREAM_RETRY_AFTER_S
                )
            self._lengths[stream] = (read_at, length + entries)


def free_bytes(folder: Path) -> int:
    """Return the bytes that an ordinary user can still write where `folder` lies (or will)."""
    for candidate in (folder, *folder.parents):
        try:
            status = os.statvfs(candidate)
        except FileNotFoundError:
            continue
        return status.f_bavail * status.f_frsize
    return 0


class DiskGate:
    """Admits writes while the disk has room.

    Parameters
    ----------
    folder
        A folder on the file system that the data lies on.
    limit_bytes
        Free bytes below which writes are refused; what is left is for the databases to end
        cleanly.
    refresh_s
        Age at which the free space is read again.
    """

    def __init__(self, folder: Path, limit_bytes: int, *, refresh_s: float = 1.0) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._refresh_s = refresh_s
        self._read_at = float("-inf")
        self._free_bytes = 0

    def admit(self) -> None:
        """Pass while there is room.

        Raises
        ------
        Unavailable
            Where less than the limit is free.
        """
        now = time.monotonic()
        if now - self._read_at >= self._refresh_s:
            self._free_bytes = free_bytes(self._folder)
            self._read_at = now
            metrics.DISK_FREE_BYTES.set(self._free_bytes)
        if self._free_bytes < self._limit_bytes:
            metrics.REFUSED.labels("disk").inc()
            raise Unavailable("the disk is full", retry_after_s=DISK_RETRY_AFTER_S)
