"""Streams of the live store: their names, what their entries say, how far each reader has come.

A reader's position is its own, not the store's: folding keeps it beside the state that it writes,
the archive and the record keep it in PostgreSQL, each in the transaction of the work itself. So a
reader asks for 'everything after my position' (XREAD) and work is done once whatever is killed.
XREADGROUP's shared cursor would let a reader that lost its lease take entries away from the one
that holds it. The groups stay as what everybody else sees: after each piece of work the group's
cursor is set to the position, so that XINFO GROUPS tells lag and trimming knows its limit.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias

import orjson
import redis

from city.identifiers import DistrictCode
from city.time import from_ms, to_ms
from parking.uplinks import uplink_stream

FOLD_GROUP: Final = "fold"
ARCHIVE_GROUP: Final = "archive"
RECORD_GROUP: Final = "record"
CHANGE_FIELD: Final = b"c"
BEGINNING: Final = "0-0"

Batches: TypeAlias = list[tuple[bytes, list[tuple[bytes, list[bytes]]]]]
"""Streams, their entries' ids, and each entry's fields and values in turn."""


class MalformedEntry(ValueError):
    """An entry that is not what the stream holds: it is counted and passed over, never retried."""


class UplinkEntry(NamedTuple):
    """An uplink as ingest appended it."""

    device: str | None
    """Identifier in hexadecimal; None for a device that nobody registered."""
    model: str | None
    port: int
    frame: str
    """Hexadecimal."""
    device_ms: int
    """Event time as the device or its network server gives it."""
    received_ms: int
    session: str | None
    counter: int | None
    message: str | None
    rssi: float | None
    snr: float | None
    network_key: str | None = None
    source: str | None = None
    district: str | None = None
    """Only of unregistered devices, as the last two."""


def changes_stream(district: DistrictCode | str) -> str:
    """Give the key of the district's stream of bays' changes."""
    return f"{{d:{district}}}:changes"


def uplink_streams(district: DistrictCode | str, partitions: int) -> tuple[str, ...]:
    """Give the keys of all of a district's uplink streams."""
    return tuple(uplink_stream(district, number) for number in range(partitions))


def read_uplink(value: bytes | None) -> UplinkEntry:
    """Read the value of an uplink's entry.

    Raises
    ------
    MalformedEntry
        Where it is anything else.
    """
    try:
        entry = UplinkEntry(*orjson.loads(value or b""))
        bytes.fromhex(entry.frame)
    except (ValueError, TypeError) as error:
        raise MalformedEntry(str(error)) from error
    numbers = (entry.port, entry.device_ms, entry.received_ms)
    if not all(isinstance(number, int) for number in numbers):
        raise MalformedEntry("port and times have to be integers")
    return entry


def entry_order(entry_id: str | bytes) -> tuple[int, int]:
    """Give what entry ids sort by."""
    text = entry_id.decode() if isinstance(entry_id, bytes) else entry_id
    ms, _, sequence = text.partition("-")
    return int(ms), int(sequence or 0)


def at_or_after(at: datetime) -> str:
    """Give the smallest id that an entry appended at `at`, on the wall clock, can have."""
    return f"{to_ms(at)}-0"


def appended_at(entry_id: str | bytes) -> datetime:
    """Give the wall instant at which the store took an entry."""
    return from_ms(entry_order(entry_id)[0])


def batches(answer: Any) -> Batches:
    """Bring a raw XREAD answer, of either protocol version, into one form."""
    if not answer:
        return []
    return list(answer.items()) if isinstance(answer, dict) else answer


def read_after(
    live: redis.Redis, positions: Mapping[str, str], *, count: int, block_ms: int | None
) -> list[tuple[str, list[tuple[str, bytes | None]]]]:
    """Read what follows `positions`, at most `count` entries of each stream.

    Parameters
    ----------
    block_ms
        How long to wait where there is nothing; None not at all.

    Returns
    -------
    list of (stream, [(entry id, value)])
        The value of the entry's one field; None where it has another form.
    """
    after: dict[Any, Any] = dict(positions)
    found: Any = live.xread(after, count=count, block=block_ms)
    pairs = found.items() if isinstance(found, dict) else found or ()
    read = []
    for stream, entries in pairs:
        # One protocol version gives entries, the other a list of such lists.
        flat = entries[0] if entries and isinstance(entries[0], list) else entries
        read.append(
            (
                stream.decode(),
                [
                    (entry_id.decode(), next(iter(fields.values())) if fields else None)
                    for entry_id, fields in flat
                ],
            )
        )
    return read


def follow(live: redis.Redis, streams: Iterable[str], group: str) -> None:
    """Make sure that a group exists on each stream, from the stream's beginning."""
    for stream in streams:
        try:
            live.xgroup_create(stream, group, id=BEGINNING, mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise


def acknowledge(live: redis.Redis, stream: str, group: str, entry_id: str) -> None:
    """Show that a group is done with everything up to an entry."""
    try:
        live.xgroup_setid(stream, group, entry_id)
    except redis.ResponseError:
        follow(live, [stream], group)
        live.xgroup_setid(stream, group, entry_id)


def shown_position(live: redis.Redis, stream: str, group: str) -> str:
    """Give the entry up to which a group is shown to be done; the beginning where it is not."""
    groups: Any = live.xinfo_groups(stream)
    for each in groups:
        if each["name"] == group.encode():
            return str(each["last-delivered-id"].decode())
    return BEGINNING


def last_entry(live: redis.Redis, stream: str) -> str:
    """Give the id of a stream's newest entry ever; the beginning where there is no stream."""
    if not live.exists(stream):
        return BEGINNING
    known: Any = live.xinfo_stream(stream)
    return str(known["last-generated-id"].decode())


def trim_below(live: redis.Redis, stream: str, done: Sequence[str | bytes | None]) -> int:
    """Drop a stream's entries that every reader is done with; give how many.

    Parameters
    ----------
    done
        Each reader's position: the last entry that it will never ask for again. None where one
        has none yet: then nothing is dropped.
    """
    if not done or None in done:
        return 0
    ms, sequence = min(entry_order(each) for each in done if each is not None)
    return live.xtrim(stream, minid=f"{ms}-{sequence + 1}", approximate=False)
