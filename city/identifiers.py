"""Typed identifiers: UUIDv7, ordered by the instant of their making.

Identifiers take the wall clock directly. They need nothing from business time, and an identifier
made under a simulated clock would break the order of those made before it.
"""

import os
import re
import threading
import time
from typing import NewType
from uuid import UUID

from city.errors import Invalid

FacilityId = NewType("FacilityId", UUID)
BayId = NewType("BayId", UUID)
DeviceId = NewType("DeviceId", UUID)
ParkingSessionId = NewType("ParkingSessionId", UUID)
VehicleId = NewType("VehicleId", UUID)
TariffId = NewType("TariffId", UUID)
TariffVersionId = NewType("TariffVersionId", UUID)
BillId = NewType("BillId", UUID)
PaymentId = NewType("PaymentId", UUID)
AccountId = NewType("AccountId", UUID)
CredentialId = NewType("CredentialId", UUID)
JunctionId = NewType("JunctionId", UUID)
EventId = NewType("EventId", UUID)
OperatorId = NewType("OperatorId", UUID)
PermitId = NewType("PermitId", UUID)
BenefitId = NewType("BenefitId", UUID)
ReservationId = NewType("ReservationId", UUID)
ListingId = NewType("ListingId", UUID)
ZoneId = NewType("ZoneId", UUID)
SuspensionId = NewType("SuspensionId", UUID)

DistrictCode = NewType("DistrictCode", str)

_UUID_TEXT = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DISTRICT_CODE = re.compile(r"[0-9a-z]{2,12}")

_RANDOM_BITS = 74
_RANDOM_MASK = (1 << _RANDOM_BITS) - 1
_LOW_BITS = 62
_LOW_MASK = (1 << _LOW_BITS) - 1
_STEP_BYTES = 4


class _Sequence:
    """The last identifier given out by this process: its millisecond and its 74 random bits."""

    __slots__ = ("last", "lock")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.last = 0

    def reset(self) -> None:
        # A forked child must neither continue its parent's sequence (both would count on from
        # the same value) nor wait for a lock that another thread held at the fork.
        self.lock = threading.Lock()
        self.last = 0

    def following(self) -> int:
        """Give the next 122-bit value: always larger than all before it in this process."""
        with self.lock:
            ms = time.time_ns() // 1_000_000
            if ms > self.last >> _RANDOM_BITS:
                random = int.from_bytes(os.urandom(10), "big") & _RANDOM_MASK
                self.last = (ms << _RANDOM_BITS) | random
            else:
                # Same millisecond, or the wall clock stepped back: count on by a random step;
                # an overflow of the random part carries into the millisecond, which is harmless.
                self.last += 1 + int.from_bytes(os.urandom(_STEP_BYTES), "big")
            return self.last


_sequence = _Sequence()
os.register_at_fork(after_in_child=_sequence.reset)


def uuid7() -> UUID:
    """Make a new identifier.

    Within one process each is larger than all before it, whatever the wall clock does.

    Returns
    -------
    UUID
        Version 7: 48 bits of Unix milliseconds, then 74 random bits.

    Notes
    -----
    Source: RFC 9562, section 5.7 and section 6.2 method 2 (monotonic random).
    """
    value = _sequence.following()
    high = value >> _LOW_BITS
    return UUID(
        int=((high >> 12) << 80)
        | (0x7 << 76)
        | ((high & 0xFFF) << 64)
        | (0b10 << 62)
        | (value & _LOW_MASK)
    )


def parse_id(text: str, field: str) -> UUID:
    """Read an identifier from its canonical text, 36 characters with hyphens.

    Parameters
    ----------
    text : str
        What the caller sent.
    field : str
        Name of the field, for the error.

    Raises
    ------
    Invalid
        Where the text is not an identifier. Braces, URN prefixes and bare hexadecimals, which
        ``uuid.UUID`` would take, are refused: one thing has one name.
    """
    if _UUID_TEXT.fullmatch(text) is None:
        raise Invalid("is not an identifier (expected a UUID such as 018f…)", field=field)
    return UUID(text)


def parse_district_code(text: str, field: str = "district") -> DistrictCode:
    """Read a district's code: 2 to 12 digits and lower-case letters, safe in any key or topic.

    Raises
    ------
    Invalid
        Where the text is anything else.
    """
    if _DISTRICT_CODE.fullmatch(text) is None:
        raise Invalid("is not a district code (2 to 12 of a-z and 0-9)", field=field)
    return DistrictCode(text)
