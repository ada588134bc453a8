"""Bearer links to one bill: whoever holds one may pay it, and sees of it what the link says.

Pure: how a link is sealed and opened. The keys are the vault's (`journeys/pay_by_link.py`). A link
is encrypted, because who knows a paid bill's number and its plate proves to be its driver, and a
link that was found by a plate must not prove that. It is sealed with AES-SIV (RFC 5297): a link
that is altered opens nothing, nothing random has to be kept, and the same link sealed twice is the
same text, which tells nobody anything.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from city.errors import NotFound
from city.identifiers import BillId

KEY_BYTES: Final = 64
"""AES-256 for the seal and AES-256 for what it hides (RFC 5297, section 2.2)."""
LONGEST: Final = 64
_TAG_BYTES: Final = 16
_MINUTES_BYTES: Final = 4
_SAID_BYTES: Final = 1 + _MINUTES_BYTES + 16
_MINUTE_S: Final = 60
_CONTEXT: Final = [b"greenbay pay link 1"]
"""What no other text sealed with the same key has beside it."""


class Scope(StrEnum):
    """What the holder of a link sees beside what is to be paid."""

    WHOLE = "whole"
    """Place, times and lines: it was given out with the bill."""
    AMOUNT = "amount"
    """Neither place nor times: it was found by a plate, which anybody can read off a car."""


_CODES: Final = {Scope.WHOLE: 1, Scope.AMOUNT: 2}
_SCOPES: Final = {code: scope for scope, code in _CODES.items()}


@dataclass(frozen=True, slots=True)
class PayLink:
    """What a link says: which bill, how much of it shows, until when (to the minute)."""

    bill_id: BillId
    scope: Scope
    until_at: datetime


def seal(link: PayLink, keys: Sequence[bytes]) -> str:
    """Write a link under the first of some keys, each of `KEY_BYTES`."""
    minutes = int(link.until_at.timestamp()) // _MINUTE_S
    said = bytes([_CODES[link.scope]]) + minutes.to_bytes(_MINUTES_BYTES, "big")
    sealed = AESSIV(keys[0]).encrypt(said + link.bill_id.bytes, _CONTEXT)
    return base64.urlsafe_b64encode(sealed).decode("ascii").rstrip("=")


def open_sealed(text: str, keys: Sequence[bytes], now: datetime) -> PayLink:
    """Read a link that was sealed under one of some keys.

    Raises
    ------
    NotFound
        Where it is none of ours, was altered, or its time is over: which of them is not told.
    """
    nothing = NotFound("there is no such link, or its time is over", field="link")
    try:
        raw = base64.urlsafe_b64decode(_padded(text))
    except (binascii.Error, ValueError):
        raise nothing from None
    if len(raw) != _TAG_BYTES + _SAID_BYTES:
        raise nothing
    for key in keys:
        try:
            said = AESSIV(key).decrypt(raw, _CONTEXT)
        except InvalidTag:
            continue
        minutes = int.from_bytes(said[1 : 1 + _MINUTES_BYTES], "big")
        until_at = datetime.fromtimestamp(minutes * _MINUTE_S, UTC)
        if now < until_at:
            identifier = UUID(bytes=said[1 + _MINUTES_BYTES :])
            return PayLink(BillId(identifier), _SCOPES[said[0]], until_at)
    raise nothing


def _padded(text: str) -> str:
    """Give a link as the library reads it; empty for what is none."""
    plain = text.replace("-", "").replace("_", "")
    if len(text) > LONGEST or not (plain.isascii() and plain.isalnum()):
        return ""
    return text + "=" * (-len(text) % 4)
