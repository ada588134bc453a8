"""What a decoded frame says: documented fields, observations, the device's health, or why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import JsonValue


class RejectReason(StrEnum):
    """Why a frame says nothing."""

    TRUNCATED = "truncated"
    OVERSIZED = "oversized"
    WRONG_PORT = "wrong_port"
    UNKNOWN_FRAME = "unknown_frame"
    BAD_VALUE = "bad_value"
    UNKNOWN_MODEL = "unknown_model"


@dataclass(frozen=True, slots=True)
class BayObservation:
    """One statement of one device about one bay.

    Parameters
    ----------
    occupied : bool or None
        None: the device itself says that it cannot tell.
    strength : int
        Per mille, 0..1000: how far the statement alone should be believed; `strengths` has
        the scale and the reasons.
    age_s : int
        Seconds before the frame's own time at which the state began; 0 for "now".
    inferred : bool
        True where the state is not measured now but follows from a field of the frame.
    """

    occupied: bool | None
    strength: int
    age_s: int = 0
    inferred: bool = False


@dataclass(frozen=True, slots=True)
class PassageCount:
    """A running count of vehicles that passed; it restarts at 0 when it reaches `wraps_at`."""

    value: int
    wraps_at: int


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """What a frame says about the device itself; None where the frame does not say.

    Parameters
    ----------
    battery_v : float or None
        Volts.
    battery_percent : int or None
        Percent of a full battery.
    battery_low : bool or None
        By the device's own alarm or its maker's threshold, never by a guess of ours.
    temperature_c : float or None
        Degrees Celsius inside the device.
    firmware : str or None
        Version as the maker writes it.
    reset_cause : str or None
        Why the device last restarted, in the maker's words; ``code N`` where they have none.
    faults : tuple of str
        Kebab-case names; empty where the frame reports none.
    """

    battery_v: float | None = None
    battery_percent: int | None = None
    battery_low: bool | None = None
    temperature_c: float | None = None
    firmware: str | None = None
    reset_cause: str | None = None
    faults: tuple[str, ...] = ()


Observation = BayObservation | PassageCount


@dataclass(frozen=True, slots=True)
class Decoded:
    """A frame understood.

    Parameters
    ----------
    fields : mapping
        The fields under the names and in the units of the maker's public codec. Shared between
        callers by the cache: read it, never write to it.
    observations : tuple
        Oldest first.
    health : DeviceHealth or None
        None where the frame carries nothing about the device.
    """

    fields: Mapping[str, JsonValue]
    observations: tuple[Observation, ...] = ()
    health: DeviceHealth | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A frame refused; `detail` is the maker's own error text where the maker has one."""

    reason: RejectReason
    detail: str


@dataclass(frozen=True, slots=True)
class Downlink:
    """Bytes to send to a device, and the LoRaWAN port to send them on."""

    port: int
    frame: bytes
