"""Take uplinks in: check, decode to answer, append to the district's stream, then say so.

An uplink counts as accepted when its stream entry is in the live store, not before. What is
accepted is the raw frame: the frame of a known device goes into its district's stream even where
its codec rejects it, so that a corrected codec can be run over it again, and the answer says
rejected. An unregistered device's frame goes into the parked stream. `docs/ingest.md` has the
whole story.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import redis
import structlog

from city.errors import Invalid, TooMany, Unavailable
from city.time import Clock, to_ms
from city.works import metrics
from city.works.live_lines import LiveLines
from parking.placements import KnownDevice, Placements
from parking.rules.sensors.codecs import decode
from parking.rules.sensors.model import Rejected
from parking.uplinks import (
    FUTURE_TOLERANCE_MS,
    LARGEST_BATCH,
    LATE_AFTER_MS,
    PARKED_STREAM,
    UPLINK_FIELD,
    AcceptedUplink,
    IngestAnswer,
    Refusal,
    RejectedUplink,
    Uplink,
    known_entry,
    parked_entry,
    partition_of,
    uplink_stream,
)

STORE_RETRY_AFTER_S: Final = 5

log = structlog.get_logger(__name__)


class Gate(Protocol):
    """Says when a stream is full."""

    def admit(self, stream: str, entries: int = 1) -> None:
        """Count entries into a stream; TooMany where it would pass its limit."""


class Room(Protocol):
    """Says when the disk is full."""

    def admit(self) -> None:
        """Pass while there is room; Unavailable otherwise."""


class _Entry(NamedTuple):
    stream: str
    fields: Mapping[bytes, bytes]


class Ingest:
    """The way in for every uplink, whoever brings it. Threads share one.

    Parameters
    ----------
    live
        The live store.
    placements
        The registry's copy.
    clock
        Business clock; its now is an uplink's time of receipt.
    gate
        Refuses entries to a full stream.
    room
        Refuses everything on a full disk; None where the live store is elsewhere.
    partitions
        Streams a district. A device's stream follows from it.
    """

    def __init__(
        self,
        live: redis.Redis,
        placements: Placements,
        clock: Clock,
        *,
        gate: Gate | None = None,
        room: Room | None = None,
        partitions: int = 1,
    ) -> None:
        self._lines = LiveLines(live)
        self._placements = placements
        self._clock = clock
        self._gate = gate
        self._room = room
        self._partitions = partitions

    def accept(self, source: str, uplinks: Sequence[Uplink]) -> IngestAnswer:
        """Append uplinks to their streams, all of those that can be accepted, or none.

        After an exception any number of them may be in the streams: send them all again, readers
        tell duplicates. One pipeline, whatever the number of uplinks.

        Parameters
        ----------
        source
            Who brings them: a network server's name or `mqtt`.
        uplinks
            At most `LARGEST_BATCH`.

        Returns
        -------
        IngestAnswer
            Accepted ones are in a stream. Rejected ones are those that the device's codec cannot
            read (kept, raw) and those of unregistered devices when the parked stream is full (not
            kept).

        Raises
        ------
        Invalid
            On more than `LARGEST_BATCH` uplinks.
        TooMany
            Where a stream is at its limit; nothing was appended.
        Unavailable
            Where the disk is full or the live store cannot take them.
        """
        if not uplinks:
            return IngestAnswer((), ())
        if len(uplinks) > LARGEST_BATCH:
            raise Invalid(f"must not hold more than {LARGEST_BATCH} uplinks", field="uplinks")
        if self._room is not None:
            self._room.admit()
        devices = self._devices(uplinks)
        received_ms = to_ms(self._clock.now())
        accepted: list[AcceptedUplink] = []
        rejected: list[RejectedUplink] = []
        entries: list[_Entry] = []
        parked = self._parked_admitted(sum(device is None for device in devices))
        for uplink, device in zip(uplinks, devices, strict=True):
            at_ms, clamped = _event_ms(uplink.at_ms, received_ms)
            late = at_ms < received_ms - LATE_AFTER_MS
            if device is None:
                if not parked:
                    rejected.append(
                        RejectedUplink(
                            uplink.index,
                            Refusal.PARKING_FULL,
                            "too many frames of unregistered devices wait",
                        )
                    )
                    continue
                entries.append(
                    _Entry(PARKED_STREAM, parked_entry(uplink, source, at_ms, received_ms))
                )
                accepted.append(
                    AcceptedUplink(
                        uplink.index, uplink.network_key, None, "parked", clamped=clamped, late=late
                    )
                )
                continue
            entries.append(
                _Entry(
                    uplink_stream(device.district, partition_of(device.id, self._partitions)),
                    known_entry(uplink, device.id, device.model, at_ms, received_ms),
                )
            )
            decoded = decode(device.model, uplink.port, uplink.frame)
            if isinstance(decoded, Rejected):
                rejected.append(RejectedUplink(uplink.index, decoded.reason, decoded.detail))
            else:
                accepted.append(
                    AcceptedUplink(
                        uplink.index,
                        uplink.network_key,
                        device.id,
                        "appended",
                        clamped=clamped,
                        late=late,
                    )
                )
        self._append(entries)
        answer = IngestAnswer(tuple(accepted), tuple(rejected))
        _count(source, answer)
        return answer

    def _devices(self, uplinks: Sequence[Uplink]) -> list[KnownDevice | None]:
        """Look every device up; before any counts as unregistered, the copy is brought up to date.

        A known device's frame does not need the database: it goes on without.
        """
        try:
            self._placements.refresh()
        except Unavailable as error:
            log.warning("the registry's copy stays as it is", error=str(error))
        devices = [self._placements.by_key(each.network_key) for each in uplinks]
        if None in devices:
            # Just registered, perhaps. Where the registry cannot be asked, parking would hide
            # frames of a registered device, so the sender has to wait.
            self._placements.refresh(force=True)
            devices = [self._placements.by_key(each.network_key) for each in uplinks]
        return devices

    def _parked_admitted(self, entries: int) -> bool:
        """Tell whether frames of unregistered devices still find room; they never block others."""
        if entries == 0 or self._gate is None:
            return True
        try:
            self._gate.admit(PARKED_STREAM, entries)
        except TooMany:
            return False
        return True

    def _append(self, entries: Sequence[_Entry]) -> None:
        if self._gate is not None:
            counts: dict[str, int] = {}
            for entry in entries:
                counts[entry.stream] = counts.get(entry.stream, 0) + 1
            counts.pop(PARKED_STREAM, None)
            for stream, count in counts.items():
                self._gate.admit(stream, count)
        if not entries:
            return
        try:
            self._lines.ask(
                [
                    ("XADD", entry.stream, b"*", UPLINK_FIELD, entry.fields[UPLINK_FIELD])
                    for entry in entries
                ]
            )
        except redis.RedisError as error:
            # Out of memory, a full disk, loading, gone: whatever it is, nothing is promised.
            metrics.REFUSED.labels("store").inc()
            raise Unavailable(
                "the live store cannot take uplinks now", retry_after_s=STORE_RETRY_AFTER_S
            ) from error


def _event_ms(at_ms: int | None, received_ms: int) -> tuple[int, bool]:
    """Give an uplink's event time and whether it had to be replaced.

    One from the future carries a wrong clock and would make every later frame look late.
    """
    if at_ms is None:
        return received_ms, False
    if at_ms > received_ms + FUTURE_TOLERANCE_MS:
        return received_ms, True
    return at_ms, False


def _count(source: str, answer: IngestAnswer) -> None:
    for outcome, count in (
        ("appended", sum(each.state == "appended" for each in answer.accepted)),
        ("parked", sum(each.state == "parked" for each in answer.accepted)),
        ("rejected", len(answer.rejected)),
        ("clamped", sum(each.clamped for each in answer.accepted)),
    ):
        if count:
            metrics.UPLINKS.labels(source, outcome).inc(count)
