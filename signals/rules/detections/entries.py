"""What stands in a network's stream between the door and PostgreSQL: a batch an entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import orjson

FIELD: Final = b"b"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Kind(StrEnum):
    """What a batch holds."""

    EVENTS = "events"
    COUNTS = "counts"
    PASSES = "passes"


@dataclass(frozen=True, slots=True)
class Batch:
    """What one reporter sent at once, by columns."""

    kind: Kind
    place: int
    reporter: UUID
    received_at: datetime
    columns: tuple[Sequence[Any], ...]
    """Of events: microseconds since 1970, codes, parameters. Of counts: microseconds, seconds,
    channels, vehicles, occupancies, speeds. Of passes: microseconds, lanes, hexadecimal marks."""
    refused: int = 0
    why: str | None = None
    """Reason of the first refused row."""

    @property
    def rows(self) -> int:
        """How many rows it holds."""
        return len(self.columns[0]) if self.columns else 0


def microseconds(at: datetime) -> int:
    """Give an instant as batches carry it: microseconds since 1970."""
    span = at - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def stream_of(network_id: UUID) -> str:
    """Give the key of a network's stream; its hash tag keeps it on one node."""
    return f"{{n:{network_id.hex}}}:detections"


def write_entry(batch: Batch) -> bytes:
    """Write a batch as the value of its entry."""
    return orjson.dumps(
        [
            batch.kind.value,
            batch.place,
            batch.reporter.hex,
            batch.received_at.isoformat(),
            batch.columns,
            batch.refused,
            batch.why,
        ]
    )


def read_entry(value: bytes) -> Batch:
    """Read the value of an entry.

    Raises
    ------
    ValueError
        Where it is anything else.
    """
    try:
        kind, place, reporter, received, columns, refused, why = orjson.loads(value)
        return Batch(
            Kind(kind),
            int(place),
            UUID(hex=reporter),
            datetime.fromisoformat(received),
            tuple(columns),
            int(refused),
            why,
        )
    except (TypeError, KeyError) as error:
        raise ValueError(str(error)) from error
