"""Folding's line to the live store: a lease, positions, and one guarded write a batch.

The write is a script, because a condition belongs to it: nothing may be written unless this
process still holds the district's lease and the streams stand where it read on from. WATCH with
MULTI says the same but cannot be sent ahead: the script can, so that the store writes one batch
while this process works on the next. Like MULTI it is one unit in the append-only file: after a
kill at any instant all of a batch is there or nothing of it.
"""

import secrets
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import redis

from city.identifiers import DistrictCode
from parking.adapters import streams
from parking.adapters.live_keys import HEARD, district_keys
from parking.adapters.live_scripts import BEGIN, FINISH, RELEASE, TAKE, WRITE
from parking.rules.occupancy.history import BayState
from parking.rules.occupancy.stored import STATE_NAMES

LEASE_MS: Final = 5_000
"""A dead holder's district waits for so long. The holder renews it with every write, and every
second when idle; what a stalled one still writes after it is refused by the guard."""

REBUILDING_LEASE_MS: Final = 30_000
"""The same while rebuilding: between two renewals lie queries of PostgreSQL."""

Value: TypeAlias = str | bytes | int | float


class LeaseLost(Exception):
    """Another process folds this district now, or could."""


class PositionMoved(Exception):
    """The streams were folded further, or less far, than this process knows."""


class Span(NamedTuple):
    """A piece of a stream: after the first entry up to and with the last one."""

    after: str
    last: str


class Found(NamedTuple):
    """What a read brought."""

    batches: list[list[tuple[bytes, list[bytes]]]]
    """A list for each stream that had something: entry ids, with fields and values in turn."""
    spans: dict[str, Span]


class Survey(NamedTuple):
    """The live state as a whole."""

    counts: dict[str, int]
    """Bays by state."""
    damaged: bool
    """Whether keys are missing, or a rebuilding was interrupted."""


class LiveWrite:
    """What folding a batch changes in the live store: filled by it, sent as one write."""

    __slots__ = ("bays", "changes", "counts", "due", "freed", "heard", "settled", "taken")

    def __init__(self) -> None:
        self.bays: list[Value] = []
        """Bay, entry, bay, entry, …"""
        self.freed: list[Value] = []
        """Longitude, latitude, bay, …"""
        self.taken: list[Value] = []
        self.due: list[Value] = []
        """Instant, bay, …"""
        self.settled: list[Value] = []
        self.counts: dict[tuple[str, int], int] = {}
        self.heard: dict[str, int] = {}
        """Facility, instant."""
        self.changes: list[bytes] = []

    def count(self, facility: str, state: int, difference: int) -> None:
        """Count bays into or out of a state."""
        counts, key = self.counts, (facility, state)
        counts[key] = counts.get(key, 0) + difference

    def arguments(self) -> list[Value]:
        """Give the script's lists, each led by its length."""
        counted: list[Value] = []
        for (facility, state), difference in self.counts.items():
            if difference:
                counted += (f"{facility}:{STATE_NAMES[state]}", difference)
        heard: list[Value] = []
        for facility, heard_ms in self.heard.items():
            heard += (f"{facility}:{HEARD}", heard_ms)
        arguments: list[Value] = []
        for items in (
            self.bays,
            self.freed,
            self.taken,
            self.due,
            self.settled,
            counted,
            heard,
            self.changes,
        ):
            arguments.append(len(items))
            arguments += items
        return arguments


class FoldLink:
    """One connection, on which requests go ahead of their answers. For one thread.

    Parameters
    ----------
    live
        The live store; one connection of its pool is held while the link is open.
    district
        The district that is folded.
    uplinks
        Keys of all its uplink streams: two devices of one bay may send into different ones.
    """

    def __init__(
        self,
        live: redis.Redis,
        district: DistrictCode | str,
        uplinks: Sequence[str],
        *,
        lease_ms: int = LEASE_MS,
    ) -> None:
        self._live = live
        self._keys = district_keys(district)
        self._uplinks = tuple(uplinks)
        self._lease_ms = self._own_lease_ms = lease_ms
        self._token = secrets.token_hex(16)
        self._connection: Any = None
        self._script = b""
        self._outstanding = 0
        self._answers: deque[Any] = deque()
        self._read: dict[str, str] = {}

    # --- holding the district --------------------------------------------------------------------

    def open(self, *, force: bool = False) -> bool:
        """Take the lease and read where the streams stand; False where another holds it.

        Parameters
        ----------
        force
            Take it from whoever holds it: the guard keeps that one from writing.

        Raises
        ------
        redis.RedisError
            As every method here: close the link, and begin again with `open`.
        """
        self.close()
        self._lease_ms = self._own_lease_ms
        streams.follow(self._live, self._uplinks, streams.FOLD_GROUP)
        self._connection = self._live.connection_pool.get_connection()
        # A new token each time: what this process sent before and lost sight of must not count.
        mine, token = self._token, secrets.token_hex(16)
        taken = self.call(
            "EVAL", TAKE, 1, self._keys.lease, token, self._lease_ms, mine, int(force)
        )
        if not taken:
            self.close()
            return False
        self._token = token
        self._script = self.call("SCRIPT", "LOAD", WRITE)
        known = self.call("HMGET", self._keys.applied, *self._uplinks)
        self._read = {
            stream: streams.BEGINNING if entry_id is None else entry_id.decode()
            for stream, entry_id in zip(self._uplinks, known, strict=True)
        }
        return True

    def find_positions(self) -> bool:
        """Where the applied positions were lost, take those that the groups show.

        Returns
        -------
        bool
            Whether any position is known: else the live store was lost whole, or never used.
        """
        for stream, position in self._read.items():
            if position == streams.BEGINNING:
                self._read[stream] = streams.shown_position(self._live, stream, streams.FOLD_GROUP)
        return any(position != streams.BEGINNING for position in self._read.values())

    def release(self) -> None:
        """Give the lease back at once and close; call it with every write answered."""
        self.call("EVAL", RELEASE, 1, self._keys.lease, self._token)
        self.close()

    def close(self) -> None:
        """Drop the connection; a lease that is held runs out by itself."""
        connection, self._connection = self._connection, None
        self._answers.clear()
        if connection is not None:
            if self._outstanding:
                connection.disconnect()
            self._live.connection_pool.release(connection)
        self._outstanding = 0

    def position(self, stream: str) -> str:
        """Give the last entry of a stream that was read."""
        return self._read[stream]

    # --- requests ahead of answers ---------------------------------------------------------------

    def _send(self, *command: Value) -> None:
        connection = self._connection
        # No health check: its own PING would take the answer of a request that is under way.
        connection.send_packed_command(connection.pack_command(*command), check_health=False)
        self._outstanding += 1

    def _receive(self) -> Any:
        if self._answers:
            return self._answers.popleft()
        answer = self._connection.read_response()
        self._outstanding -= 1
        return answer

    def call(self, *command: Value) -> Any:
        """Send a command and wait for its answer; earlier ones keep for who asked for them."""
        earlier = self._outstanding
        self._send(*command)
        for _ in range(earlier):
            self._answers.append(self._connection.read_response())
        answer = self._connection.read_response()
        self._outstanding = 0
        return answer

    def ask(self, *, count: int, block_ms: int | None) -> None:
        """Ask for what follows what was read last; `answer` gives it."""
        wait: tuple[Value, ...] = () if block_ms is None else ("BLOCK", block_ms)
        read = self._read
        self._send("XREAD", "COUNT", count, *wait, "STREAMS", *read, *read.values())

    def answer(self) -> Found:
        """Give what the oldest unanswered `ask` found."""
        found = streams.batches(self._receive())
        spans: dict[str, Span] = {}
        for stream, entries in found:
            name = stream.decode()
            last = entries[-1][0].decode()
            spans[name] = Span(self._read[name], last)
            self._read[name] = last
        return Found([entries for _, entries in found], spans)

    def load(self, bays: Sequence[str]) -> list[bytes | None]:
        """Give bays' live entries; None where there is none."""
        found: list[bytes | None] = self.call("HMGET", self._keys.bays, *bays)
        return found

    def due(self, now_ms: int, limit: int) -> list[str]:
        """Give bays whose state changes by `now_ms` if nothing more is heard of them."""
        found = self.call("ZRANGEBYSCORE", self._keys.due, "-inf", now_ms, "LIMIT", 0, limit)
        return [bay.decode() for bay in found]

    def survey(self) -> Survey:
        """Look whether the keys of the live state agree with each other.

        Call it with no write under way. A few commands, one that grows with the facilities.
        """
        keys = self._keys
        answer = self.call("HGETALL", keys.counts)
        pairs = (
            answer.items() if isinstance(answer, dict) else zip(*[iter(answer)] * 2, strict=True)
        )
        counts = dict.fromkeys(STATE_NAMES, 0)
        for field, value in pairs:
            state = field.decode().rpartition(":")[2]
            if state != HEARD:
                counts[state] += int(value)
        known = counts[BayState.FREE] + counts[BayState.OCCUPIED]
        return Survey(
            counts,
            damaged=bool(
                self.call("EXISTS", keys.rebuilding)
                or not self.call("EXISTS", keys.applied)
                or self.call("HLEN", keys.bays) != known + counts[BayState.UNKNOWN]
                or self.call("ZCARD", keys.free) != counts[BayState.FREE]
                or self.call("ZCARD", keys.due) != known
            ),
        )

    # --- rebuilding ------------------------------------------------------------------------------

    def begin_rebuilding(self) -> None:
        """Drop what follows from the bays' entries; mark that the state is not whole.

        Until it is finished each renewal of the lease lasts `REBUILDING_LEASE_MS`.

        Raises
        ------
        LeaseLost
            Nothing was dropped.
        """
        keys = self._keys
        self._lease_ms = max(self._lease_ms, REBUILDING_LEASE_MS)
        self._guarded(BEGIN, (keys.lease, keys.rebuilding, keys.counts, keys.free, keys.due), ())

    def finish_rebuilding(self) -> None:
        """Say up to where the streams are part of the state, and that it is whole."""
        positions = [each for pair in self._read.items() for each in pair]
        keys = self._keys
        self._lease_ms = self._own_lease_ms
        self._guarded(FINISH, (keys.lease, keys.rebuilding, keys.applied), positions)

    def _guarded(self, script: str, keys: Sequence[str], arguments: Sequence[Value]) -> None:
        token = self._token
        if self.call("EVAL", script, len(keys), *keys, token, self._lease_ms, *arguments) is None:
            raise LeaseLost(self._keys.lease)

    def renew(self) -> None:
        """Keep the lease while nothing is written."""
        self.write(LiveWrite(), {})
        self.written()

    def write(self, batch: LiveWrite, spans: Mapping[str, Span]) -> None:
        """Send a guarded write; `written` tells what became of it.

        Parameters
        ----------
        batch
            What changes.
        spans
            What was read and is folded into it.
        """
        keys = self._keys
        positions = [each for span in spans.values() for each in span]
        self._send(
            "EVALSHA",
            self._script,
            7 + len(spans),
            keys.lease,
            keys.applied,
            keys.bays,
            keys.free,
            keys.counts,
            keys.due,
            keys.changes,
            *spans,
            self._token,
            self._lease_ms,
            len(spans),
            *positions,
            *batch.arguments(),
        )

    def written(self) -> None:
        """Wait for the oldest unanswered write.

        Raises
        ------
        LeaseLost, PositionMoved
            Nothing of it was written. What this process remembers of bays is worth nothing any
            more.
        """
        outcome = self._receive().decode()
        if outcome == "lease":
            raise LeaseLost(self._keys.lease)
        if outcome != "ok":
            raise PositionMoved(outcome)
