"""Cars that never leave: why a stay is still open after far too long, as far as anybody knows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from parking.rules.stays import ParkingSession

TOO_LONG: Final = timedelta(hours=72)
"""Open for longer than this, a stay is looked at: hardly a kerb is meant for three days."""


class StillOpen(StrEnum):
    """Why a stay is open."""

    NO_EXIT = "no-exit"
    """No gate saw it leave: it stands inside, or its exit was missed."""
    SILENT = "sensor-silent"
    """The sensor says nothing any more; nobody knows whether it is there."""
    STILL_TAKEN = "still-taken"
    """The sensor goes on saying that the bay is taken: an abandoned car, or an object."""
    NEVER_SEEN = "never-seen"
    """It was started by its driver and no sensor ever spoke of it."""


@dataclass(frozen=True, slots=True)
class LongStay:
    """A stay that is open for too long."""

    session: ParkingSession
    why: StillOpen
    last_word_at: datetime
    """When anybody last said anything of it."""


def why_open(session: ParkingSession, *, started_by_driver: bool) -> StillOpen:
    """Say why a stay is open."""
    if session.admitted_as is not None:
        return StillOpen.NO_EXIT
    if session.stay.uncertain_from_at is not None:
        return StillOpen.SILENT
    return StillOpen.NEVER_SEEN if started_by_driver else StillOpen.STILL_TAKEN
