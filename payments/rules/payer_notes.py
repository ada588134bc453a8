"""What a payer's browser keeps for us, sealed: where it was sent to say who pays, and who does.

Pure; sealed with AES-SIV as links are (`rules.pay_links`): nobody reads or alters it, and each is
of use until its time alone. The id at a channel is kept nowhere else.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

_LONGEST: Final = 2048
_HAND_OFF: Final = b"greenbay payer hand-off 1"
_PAYER: Final = b"greenbay payer note 1"


@dataclass(frozen=True, slots=True)
class HandOff:
    """A browser sent to its app to learn who pays.

    Parameters
    ----------
    state : str
        What it must bring back: random, told to the app and kept by this browser alone.
    back : str
        Path of our page that it left.
    """

    state: str
    back: str


def seal_hand_off(hand_off: HandOff, until_at: datetime, keys: Sequence[bytes]) -> str:
    """Write a hand-off for its browser to keep."""
    return _seal([hand_off.state, hand_off.back], until_at, keys, _HAND_OFF)


def open_hand_off(text: str, keys: Sequence[bytes], now: datetime) -> HandOff | None:
    """Read a hand-off; None where it is none of ours or its time is over."""
    found = _open(text, keys, now, _HAND_OFF)
    return None if found is None else HandOff(found[0], found[1])


def seal_payer(payer: str, until_at: datetime, keys: Sequence[bytes]) -> str:
    """Write who pays for their browser to keep."""
    return _seal([payer], until_at, keys, _PAYER)


def open_payer(text: str, keys: Sequence[bytes], now: datetime) -> str:
    """Read who pays; empty where it is none of ours or its time is over."""
    found = _open(text, keys, now, _PAYER)
    return "" if found is None else found[0]


def _seal(words: list[str], until_at: datetime, keys: Sequence[bytes], context: bytes) -> str:
    said = json.dumps([int(until_at.timestamp()), *words]).encode("ascii")
    return base64.urlsafe_b64encode(AESSIV(keys[0]).encrypt(said, [context])).decode("ascii")


def _open(text: str, keys: Sequence[bytes], now: datetime, context: bytes) -> list[str] | None:
    if len(text) > _LONGEST or not text.isascii():
        return None
    try:
        raw = base64.urlsafe_b64decode(text)
    except binascii.Error:
        return None
    for key in keys:
        try:
            until_s, *words = json.loads(AESSIV(key).decrypt(raw, [context]))
        except (InvalidTag, ValueError):
            continue  # under another key, or too short to be sealed at all
        return words if now < datetime.fromtimestamp(until_s, UTC) else None
    return None
