"""Following streams into PostgreSQL: what the archive and the record have in common.

A follower's position in each stream moves in the transaction that keeps the entries, so that an
entry is kept once whatever is killed. Several followers of a kind may run: one wins each batch.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Final, Generic, TypeVar

import redis
import structlog

from city.errors import Unavailable
from city.works.database import Database, UnitOfWork
from parking.adapters import streams
from parking.store import telemetry

BATCH: Final = 1_000
RETRY_S: Final = 1.0

Owner = TypeVar("Owner")

log = structlog.get_logger(__name__)


class Follower(ABC, Generic[Owner]):
    """Keeps what streams bring.

    Parameters
    ----------
    live, database
        Where entries wait, and where they go.
    """

    GROUP: str
    """Name of the position in each stream."""
    BLOCK_MS: int
    """Longest wait for an entry."""
    GATHER_S: float
    """Pause without a backlog, so that what comes at one moment shares a transaction."""

    def __init__(self, live: redis.Redis, database: Database) -> None:
        self._live = live
        self._database = database
        self._followed: set[str] = set()

    @abstractmethod
    def sources(self) -> Mapping[str, Owner]:
        """Give the streams to follow, and what each belongs to; asked before each batch."""

    @abstractmethod
    def keep(
        self,
        uow: UnitOfWork,
        stream: str,
        owner: Owner,
        entries: Sequence[tuple[str, bytes | None]],
    ) -> None:
        """Keep a batch of one stream, in the transaction that moves the position."""

    @abstractmethod
    def let_go(self, stream: str, owner: Owner, last: str) -> None:
        """Trim what nobody will ask for again, once a batch is kept."""

    def run(self, stop: threading.Event) -> None:
        """Follow until told to stop, whatever fails meanwhile."""
        while not stop.is_set():
            try:
                if self.step(block_ms=self.BLOCK_MS) < BATCH:
                    stop.wait(self.GATHER_S)
            except (redis.RedisError, Unavailable) as error:
                log.warning("what streams bring has to wait", group=self.GROUP, reason=str(error))
                stop.wait(RETRY_S)

    def follow_all(self) -> int:
        """Keep what is there and return how many entries: for tests, tools and benches."""
        total = 0
        while done := self.step(block_ms=None):
            total += done
        return total

    def step(self, *, block_ms: int | None) -> int:
        """Keep one batch of each stream; give how many entries.

        Parameters
        ----------
        block_ms
            Longest wait for an entry; None to take only what is there.
        """
        owners = self.sources()
        if not owners:
            return 0
        new = owners.keys() - self._followed
        streams.follow(self._live, new, self.GROUP)
        self._followed |= new
        with self._database.read() as connection:
            held = telemetry.positions(connection, owners, self.GROUP)
        after = {stream: held.get(stream, streams.BEGINNING) for stream in owners}
        count = 0
        for stream, entries in streams.read_after(
            self._live, after, count=BATCH, block_ms=block_ms
        ):
            last = entries[-1][0]
            with self._database.unit_of_work() as uow:
                if not telemetry.claim(uow.connection, stream, self.GROUP, held.get(stream)):
                    continue
                self.keep(uow, stream, owners[stream], entries)
                telemetry.move_position(uow.connection, stream, self.GROUP, last, at=uow.wall.now())
            count += len(entries)
            streams.acknowledge(self._live, stream, self.GROUP, last)
            self.let_go(stream, owners[stream], last)
        return count
