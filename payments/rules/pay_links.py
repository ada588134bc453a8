"""Bearer links to one bill, or to several of one vehicle: whoever holds one may pay what it names.

Its holder sees of them what the link says.

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

from city.errors import Invalid, NotFound
from city.identifiers import BillId
from payments.rules.order_shares import MOST_MERGED

KEY_BYTES: Final = 64
"""AES-256 for the seal and AES-256 for what it hides (RFC 5297, section 2.2)."""
LONGEST: Final = 64
_TAG_BYTES: Final = 16
_MINUTES_BYTES: Final = 4
_SAID_BYTES: Final = 1 + _MINUTES_BYTES + 16
_MINUTE_S: Final = 60
_CONTEXT: Final = [b"greenbay pay link 1"]
"""What no other text sealed with the same key has beside it."""
_BUNDLE_CONTEXT: Final = [b"greenbay pay bundle 1"]
_ID_BYTES: Final = 16
_LONGEST_BUNDLE: Final = (4 * (_TAG_BYTES + _SAID_BYTES + (MOST_MERGED - 1) * _ID_BYTES) + 2) // 3
"""In letters, of base64 without its padding."""


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


@dataclass(frozen=True, slots=True)
class PayBundle:
    """What a link to several bills says: which, how much of them shows, until when."""

    bill_ids: tuple[BillId, ...]
    scope: Scope
    until_at: datetime


def bundle_of(links: Sequence[PayLink]) -> PayBundle:
    """Give what the holder of some links sees of all of them: as much as the least of them shows.

    Each bill once, in the order of their ids, so that the same links make the same text.

    Raises
    ------
    Invalid
        For none, or for more than `MOST_MERGED` bills.
    """
    bill_ids = tuple(sorted({link.bill_id for link in links}))
    if not 1 <= len(bill_ids) <= MOST_MERGED:
        raise Invalid(f"name one to {MOST_MERGED} bills", field="links")
    whole = all(link.scope is Scope.WHOLE for link in links)
    scope = Scope.WHOLE if whole else Scope.AMOUNT
    return PayBundle(bill_ids, scope, min(link.until_at for link in links))


def seal_bundle(bundle: PayBundle, keys: Sequence[bytes]) -> str:
    """Write a link to several bills under the first of some keys."""
    named = b"".join(each.bytes for each in bundle.bill_ids)
    return _sealed(bundle.scope, bundle.until_at, named, keys, _BUNDLE_CONTEXT)


def open_bundle(text: str, keys: Sequence[bytes], now: datetime) -> PayBundle:
    """Read a link to several bills that was sealed under one of some keys.

    Raises
    ------
    NotFound
        As `open_sealed`.
    """
    scope, until_at, named = _opened(text, keys, now, _LONGEST_BUNDLE, _BUNDLE_CONTEXT)
    ids = [named[at : at + _ID_BYTES] for at in range(0, len(named), _ID_BYTES)]
    return PayBundle(tuple(BillId(UUID(bytes=each)) for each in ids), scope, until_at)


def seal(link: PayLink, keys: Sequence[bytes]) -> str:
    """Write a link under the first of some keys, each of `KEY_BYTES`."""
    return _sealed(link.scope, link.until_at, link.bill_id.bytes, keys, _CONTEXT)


def open_sealed(text: str, keys: Sequence[bytes], now: datetime) -> PayLink:
    """Read a link that was sealed under one of some keys.

    Raises
    ------
    NotFound
        Where it is none of ours, was altered, or its time is over: which of them is not told.
    """
    scope, until_at, named = _opened(text, keys, now, LONGEST, _CONTEXT)
    return PayLink(BillId(UUID(bytes=named)), scope, until_at)


def _sealed(
    scope: Scope, until_at: datetime, named: bytes, keys: Sequence[bytes], context: list[bytes]
) -> str:
    minutes = int(until_at.timestamp()) // _MINUTE_S
    said = bytes([_CODES[scope]]) + minutes.to_bytes(_MINUTES_BYTES, "big")
    sealed = AESSIV(keys[0]).encrypt(said + named, context)
    return base64.urlsafe_b64encode(sealed).decode("ascii").rstrip("=")


def _opened(
    text: str, keys: Sequence[bytes], now: datetime, longest: int, context: list[bytes]
) -> tuple[Scope, datetime, bytes]:
    """Give what a text says and names; what another context sealed is none of ours here."""
    nothing = NotFound("there is no such link, or its time is over", field="link")
    try:
        raw = base64.urlsafe_b64decode(_padded(text, longest))
    except (binascii.Error, ValueError):
        raise nothing from None
    if len(raw) < _TAG_BYTES + _SAID_BYTES:
        raise nothing
    for key in keys:
        try:
            said = AESSIV(key).decrypt(raw, context)
        except InvalidTag:
            continue
        minutes = int.from_bytes(said[1 : 1 + _MINUTES_BYTES], "big")
        until_at = datetime.fromtimestamp(minutes * _MINUTE_S, UTC)
        if now < until_at:
            return _SCOPES[said[0]], until_at, said[1 + _MINUTES_BYTES :]
    raise nothing


def _padded(text: str, longest: int) -> str:
    """Give a link as the library reads it; empty for what is none."""
    plain = text.replace("-", "").replace("_", "")
    if len(text) > longest or not (plain.isascii() and plain.isalnum()):
        return ""
    return text + "=" * (-len(text) % 4)
