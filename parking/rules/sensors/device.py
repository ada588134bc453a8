"""How one device model speaks: its ports, its frame lengths and its functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from parking.rules.sensors.model import Decoded, Downlink, Rejected

LORAWAN_LONGEST = 242
"""Bytes: the largest application payload of any data rate. Source: LoRaWAN RP002-1.0.4."""


@dataclass(frozen=True, slots=True)
class Uplink:
    """One kind of uplink: the lengths it may have, in bytes, and the function that reads it.

    `read` is called only with a frame of a length within the limits, and never raises.
    """

    shortest: int
    longest: int
    read: Callable[[bytes], Decoded | Rejected]


@dataclass(frozen=True, slots=True)
class Codec:
    """One device model.

    Parameters
    ----------
    model : str
        The name everywhere in Greenbay, in the database too.
    uplinks : mapping of int to Uplink
        By LoRaWAN port.
    source : str
        The public document that the format was read from.
    wrong_port, wrong_length : str
        The maker's own error texts; an empty `wrong_length` means that we write our own.
    encode : callable or None
        From a message to a downlink; raises `city.errors.Invalid`. None: no documented downlink.
    decode_downlink : callable or None
        The reverse, for showing what was sent; never raises.
    """

    model: str
    uplinks: Mapping[int, Uplink]
    source: str
    wrong_port: str = "unknown FPort"
    wrong_length: str = ""
    encode: Callable[[Mapping[str, JsonValue]], Downlink] | None = None
    decode_downlink: Callable[[int, bytes], Mapping[str, JsonValue] | Rejected] | None = field(
        default=None
    )
