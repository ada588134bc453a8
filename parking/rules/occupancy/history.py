"""What a bay's history is made of, and how a change of it travels to those who keep it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar, cast

from city.identifiers import BayId, DeviceId, DistrictCode, FacilityId

T = TypeVar("T")


def maker(kind: type[T]) -> Callable[[tuple[Any, ...]], T]:
    """Give what makes a named tuple of a plain one.

    For the few that folding makes for every frame: calling the class goes through its names in
    Python and costs three times as much.
    """
    return cast("Callable[[tuple[Any, ...]], T]", partial(tuple.__new__, kind))


SURE_MAX: Final = 1000
"""Per mille; no evidence ever reaches it, see `FoldingPolicy.strength_max`."""
STALE_KEY: Final = "stale"
"""Stands for the observation behind a change to `unknown`: there was none, for too long."""


class BayState(StrEnum):
    """What is known of a bay. `UNKNOWN` is an answer: it is shown, and never counted as free."""

    UNKNOWN = "unknown"
    FREE = "free"
    OCCUPIED = "occupied"


UNKNOWN: Final = 0
FREE: Final = 1
OCCUPIED: Final = 2
STATES: Final = (BayState.UNKNOWN, BayState.FREE, BayState.OCCUPIED)
"""The states by the small integers that folding works with."""


class Change(NamedTuple):
    """One row of a bay's history, in the folding's own integers."""

    state: int
    at_ms: int
    sure: int
    """How sure at that instant, 0 to 1000 per mille."""
    key: str
    """Names the observation that it follows from, unique within the bay."""
    device: str
    """The device's identifier in hexadecimal; empty where none spoke."""


make_change = maker(Change)
NEVER: Final = Change(UNKNOWN, 0, 0, "", "")
"""The state of a bay of which nothing was ever heard; never a row of its history."""


class Edit(NamedTuple):
    """From `from_ms` on, a bay's history is now `changes`; before it nothing changed.

    An edit without changes withdraws: the history then ends before `from_ms`.
    """

    from_ms: int
    changes: tuple[Change, ...]


make_edit = maker(Edit)


@dataclass(frozen=True, slots=True)
class StateChange:
    """One row of a bay's history, as other parts of the room read it."""

    state: BayState
    at: datetime
    sure: int
    """How sure at that instant, 0 to 1000 per mille."""
    observation: str
    """Names the observation behind it, unique within the bay."""
    device_id: DeviceId | None
    """None where no device spoke: the bay fell silent."""


@dataclass(frozen=True, slots=True)
class BayChange:
    """What became known of one bay: an edit of its history, and its state now.

    Read it so: delete the bay's history from `from_at` on, then append `changes`. The same change
    applied twice leaves the same history. Late or doubtful evidence can so withdraw a stay's start
    or end; `provisional` says that the last one may still be withdrawn as a flicker, and another
    `BayChange` without `from_at` follows when it no longer can.
    """

    bay_id: BayId
    facility_id: FacilityId
    district: DistrictCode
    from_at: datetime | None
    """None: the history stays as it is, only what is known of the state now has changed."""
    changes: tuple[StateChange, ...]
    """The history from `from_at` on, oldest first; empty withdraws it."""
    state: BayState
    since_at: datetime | None
    """None while nothing was ever heard."""
    sure: int
    heard_at: datetime | None
    """Last word of any of the bay's devices about its occupancy."""
    provisional: bool
