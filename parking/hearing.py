"""From stream entries to observations of bays: decode, look up the place, name, sort by bay."""

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol, TypeAlias
from uuid import UUID

import orjson
import structlog

from city.errors import Unavailable
from parking.placements import Placed
from parking.rules.occupancy.observations import (
    NO_COUNTER,
    Observation,
    Word,
    event_ms,
    make_observation,
    words,
)
from parking.rules.occupancy.policy import FoldingPolicy
from parking.rules.occupancy.stored import Place
from parking.rules.sensors.codecs import decode_uncached
from parking.rules.sensors.model import Decoded

REMEMBERED_FRAMES: Final = 16_384
ASK_AGAIN_S: Final = 1.0
"""A device that the registry's copy does not know has it brought up to date, this often at most."""

log = structlog.get_logger(__name__)


class Registry(Protocol):
    """Which device lay where and when; `parking.placements.Placements` is the real one."""

    @property
    def version(self) -> int:
        """Grows with every change."""

    def refresh(self, *, force: bool = False) -> bool:
        """Bring it up to date; Unavailable where that cannot be done now."""

    def history(self, device_id: UUID) -> tuple[Placed, ...]:
        """Give the places that a device has had, the latest first."""


class _Route(NamedTuple):
    since_ms: int
    until_ms: int | None
    bay: str
    place: Place


Heard: TypeAlias = dict[str, tuple[Place, list[Observation]]]


class Hearing:
    """Understands a district's uplinks. For one thread.

    Parameters
    ----------
    district
        Devices that lie in another one are not heard: their bays are folded elsewhere.
    registry
        Which device lies where.
    policy
        Caps strengths, mends dates, says how long a model may be silent.
    """

    def __init__(self, district: str, registry: Registry, policy: FoldingPolicy) -> None:
        self._district = district
        self._registry = registry
        self._policy = policy
        self._version = -1
        self._routes: dict[str, tuple[tuple[_Route, ...], int]] = {}
        self._forced_at = float("-inf")
        self._told: Callable[[str, int, str], tuple[Word, ...]] = lru_cache(REMEMBERED_FRAMES)(
            self._decode
        )
        self.entries = 0
        self.malformed = 0
        self.unplaced = 0

    def refresh(self, *, force: bool) -> None:
        """Bring the registry's copy up to date; go on with the old one where that fails.

        Raises
        ------
        Unavailable
            Where there is no old one.
        """
        try:
            self._registry.refresh(force=force)
        except Unavailable as error:
            if self._registry.version == 0:
                raise
            log.warning("the registry's copy stays as it is", error=str(error))

    def hear(self, batches: Sequence[Sequence[tuple[bytes, Sequence[bytes]]]]) -> tuple[Heard, int]:
        """Decode entries and bring their observations to the bays that they speak of.

        Parameters
        ----------
        batches
            Entry ids, with fields and values in turn. One that cannot be read is counted and
            passed over: it would never become readable, and the archive keeps it.

        Returns
        -------
        heard : mapping of bay to place and observations
        newest_ms : int
            When the newest entry was received.
        """
        if self._registry.version != self._version:
            self._version = self._registry.version
            self._routes.clear()
        heard: Heard = {}
        newest_ms = 0
        for entries in batches:
            self.entries += len(entries)
            for entry_id, fields in entries:
                try:
                    received_ms = self.note(orjson.loads(fields[1]), heard)
                except (ValueError, TypeError, IndexError, AttributeError) as error:
                    self.malformed += 1
                    log.warning(
                        "a stream entry cannot be read",
                        district=self._district,
                        entry=entry_id.decode(),
                        error=str(error),
                    )
                else:
                    newest_ms = max(newest_ms, received_ms)
        return heard, newest_ms

    def note(self, items: Sequence[Any], heard: Heard) -> int:
        """Bring one frame's observations to their bay.

        Parameters
        ----------
        items
            As in a stream entry: device, model, port, frame, device_ms, received_ms, session,
            counter, message id, and what else follows.
        heard
            Takes them.

        Returns
        -------
        received_ms : int

        Raises
        ------
        ValueError, TypeError, IndexError, AttributeError
            On anything else.
        """
        device, model, port, frame, device_ms, received_ms, session, counter, message, *_ = items
        told = self._told(model, port, frame)
        received_ms = int(received_ms)
        at_ms = event_ms(device_ms, received_ms, self._policy)
        if not told:
            return received_ms
        lain, stale_ms = self._routes.get(device) or self._find(device, model)
        for route in lain:
            if route.since_ms <= at_ms and (route.until_ms is None or at_ms < route.until_ms):
                break
        else:
            self.unplaced += 1
            return received_ms
        if counter is None:
            counter, message = NO_COUNTER, message or ""
        else:
            message = ""
        listed = heard.get(route.bay)
        if listed is None:
            listed = heard[route.bay] = (route.place, [])
        for part, said, strength, age_ms, claim, claim_age_ms, claim_strength in told:
            listed[1].append(
                make_observation(
                    (
                        at_ms - age_ms,
                        session or "",
                        counter,
                        message,
                        device,
                        part,
                        said,
                        strength,
                        claim,
                        at_ms - claim_age_ms if claim else 0,
                        claim_strength,
                        stale_ms,
                    )
                )
            )
        return received_ms

    def _decode(self, model: str, port: int, frame: str) -> tuple[Word, ...]:
        # What it means is remembered here already, with what folding makes of it.
        decoded = decode_uncached(model, port, bytes.fromhex(frame))
        return words(decoded.observations, self._policy) if isinstance(decoded, Decoded) else ()

    def _find(self, device: str, model: str) -> tuple[tuple[_Route, ...], int]:
        """Look up where a device lies and lay; of one never heard of, ask the registry anew."""
        device_id = UUID(hex=device)
        history = self._registry.history(device_id)
        if not history and time.monotonic() - self._forced_at > ASK_AGAIN_S:
            self._forced_at = time.monotonic()
            self.refresh(force=True)
            history = self._registry.history(device_id)
        lain = tuple(
            _Route(
                placed.since_ms,
                placed.until_ms,
                placed.bay_id.hex,
                Place(placed.facility_id.hex, placed.longitude, placed.latitude),
            )
            for placed in history
            if placed.district == self._district
        )
        route = (lain, self._policy.stale_after(model))
        if lain:
            self._routes[device] = route
        return route
