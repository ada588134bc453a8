"""Bearer links to one bill: whoever holds one may pay it, and sees of it what the link says.

Pure: how a link is sealed and opened. The secrets are the vault's (`journeys/pay_by_link.py`).
A link is encrypted, because who knows a paid bill's number and its plate proves to be its driver,
and a link that was found by a plate must not prove that. The seal is a synthetic initialisation
vector as in RFC 5297: the keyed hash of what it says is its tag, and from the tag follows the mask
that hides the bill's number; so no two links share a mask, and nothing random has to be kept.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from city.errors import NotFound
from city.identifiers import BillId

TAG_BYTES: Final = 16
"""128 bits of an HMAC-SHA256: beyond guessing (RFC 2104, section 5, asks for half or more)."""
LONGEST: Final = 64
_ID_BYTES: Final = 16
_OPEN_BYTES: Final = 1 + 4
_MINUTE_S: Final = 60

Digests = Callable[[bytes], Sequence[bytes]]
"""Keyed hashes of some bytes under every key that still counts, the one for new links first."""


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


def seal(link: PayLink, tags: Digests, masks: Digests) -> str:
    """Write a link.

    Parameters
    ----------
    link : PayLink
    tags, masks : callable
        Keyed hashes for two purposes, unrelated to each other.
    """
    minutes = int(link.until_at.timestamp()) // _MINUTE_S
    shown = bytes([_CODES[link.scope]]) + minutes.to_bytes(4, "big")
    tag = tags(shown + link.bill_id.bytes)[0][:TAG_BYTES]
    hidden = _masked(link.bill_id.bytes, masks(shown + tag)[0])
    return base64.urlsafe_b64encode(shown + hidden + tag).decode("ascii").rstrip("=")


def open_sealed(text: str, tags: Digests, masks: Digests, now: datetime) -> PayLink:
    """Read a link.

    Raises
    ------
    NotFound
        Where it is none of ours, was altered, or its time is over: which of them is not told.
    """
    nothing = NotFound("there is no such link, or its time is over", field="link")
    try:
        raw = base64.urlsafe_b64decode(_padded(text))
        if len(raw) != _OPEN_BYTES + _ID_BYTES + TAG_BYTES or raw[0] not in _SCOPES:
            raise nothing
        minutes = int.from_bytes(raw[1:_OPEN_BYTES], "big")
        until_at = datetime.fromtimestamp(minutes * _MINUTE_S, UTC)
    except (binascii.Error, ValueError, OverflowError):
        raise nothing from None
    shown, tag = raw[:_OPEN_BYTES], raw[-TAG_BYTES:]
    for mask in masks(shown + tag):
        identifier = _masked(raw[_OPEN_BYTES:-TAG_BYTES], mask)
        true = [hmac.compare_digest(tag, each[:TAG_BYTES]) for each in tags(shown + identifier)]
        if any(true) and now < until_at:
            return PayLink(BillId(UUID(bytes=identifier)), _SCOPES[raw[0]], until_at)
    raise nothing


def _padded(text: str) -> str:
    """Give a link as the library reads it; empty for what is none."""
    plain = text.replace("-", "").replace("_", "")
    if len(text) > LONGEST or not (plain.isascii() and plain.isalnum()):
        return ""
    return text + "=" * (-len(text) % 4)


def _masked(identifier: bytes, mask: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(identifier, mask[:_ID_BYTES], strict=True))
