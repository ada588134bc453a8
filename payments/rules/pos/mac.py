"""Keys of POS terminals and what they prove: DES with two keys, MACs, working keys under a master.

Pure. DES is what terminals in the field speak; what it guards here is that nobody on the line makes
a bill look paid. Keys come in and go out as bytes and are never part of a message that is kept.

Sources: the MAC by exclusive or as UnionPay's direct POS specification has it, restated with a
worked example by public pages; the retail MAC of ANSI X9.19 (ISO/IEC 9797-1, algorithm 3, padding
1) with the standard's own example.
"""

import hmac
from enum import StrEnum
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

KEY_BYTES: Final = 16
"""Two DES keys: left and right."""
CHECK_BYTES: Final = 4
_BLOCK: Final = 8


class Mac(StrEnum):
    """Which of the two a terminal is set up with."""

    UNIONPAY = "unionpay"
    """All blocks by exclusive or; the result as hexadecimal, encrypted in two steps."""
    X9_19 = "x9.19"
    """CBC with the left key, the last block once more with both; 'retail MAC'."""


def mac_of(which: Mac, key: bytes, signed: bytes) -> bytes:
    """Give the eight bytes of field 64.

    Parameters
    ----------
    which : Mac
    key : bytes
        `KEY_BYTES` long.
    signed : bytes
        From the message type up to the field before the MAC; padded with zeros here.

    Returns
    -------
    bytes
        UnionPay's: the first eight hexadecimal digits, in capitals, as ASCII. X9.19: the block.
    """
    padded = signed + bytes(-len(signed) % _BLOCK)
    blocks = [padded[at : at + _BLOCK] for at in range(0, len(padded), _BLOCK)]
    if which is Mac.X9_19:
        left, right = key[:_BLOCK], key[_BLOCK:]
        chained = bytes(_BLOCK)
        for block in blocks:
            chained = _des(left, _xor(chained, block))
        return _des(left, _des(right, chained, back=True))
    mixed = bytes(_BLOCK)
    for block in blocks:
        mixed = _xor(mixed, block)
    written = mixed.hex().upper().encode("ascii")
    first = _des(key, written[:_BLOCK])
    return _des(key, _xor(first, written[_BLOCK:])).hex().upper().encode("ascii")[:_BLOCK]


def is_mac(which: Mac, key: bytes, signed: bytes, told: bytes) -> bool:
    """Tell whether a MAC is that of a message, in a time that tells nothing."""
    return hmac.compare_digest(mac_of(which, key, signed), told)


def wrapped(master: bytes, key: bytes) -> bytes:
    """Give a working key as a terminal gets it: under its master key, then how it is checked."""
    halves = (key[at : at + _BLOCK] for at in range(0, len(key), _BLOCK))
    return b"".join(_des(master, half) for half in halves) + check_value(key)


def unwrapped(master: bytes, told: bytes) -> bytes | None:
    """Give the working key that a terminal was told; None where it does not fit its check value."""
    if len(told) != KEY_BYTES + CHECK_BYTES:
        return None
    halves = (told[at : at + _BLOCK] for at in range(0, KEY_BYTES, _BLOCK))
    key = b"".join(_des(master, half, back=True) for half in halves)
    return key if hmac.compare_digest(check_value(key), told[KEY_BYTES:]) else None


def check_value(key: bytes) -> bytes:
    """Give what tells two keys apart and tells nothing of either: zeros under it, four bytes."""
    return _des(key, bytes(_BLOCK))[:CHECK_BYTES]


def with_parity(key: bytes) -> bytes:
    """Give a key with the lowest bit of each byte so that it has an odd number of ones."""
    return bytes(each & 0xFE | (each >> 1).bit_count() % 2 ^ 1 for each in key)


def _des(key: bytes, block: bytes, *, back: bool = False) -> bytes:
    """Encrypt or decrypt one block: with one key DES, with two of them 3DES (left, right, left)."""
    whole = key * 3 if len(key) == _BLOCK else key + key[:_BLOCK]
    cipher = Cipher(TripleDES(whole), modes.ECB())  # noqa: S305 - one block: as terminals have it
    step = cipher.decryptor() if back else cipher.encryptor()
    return step.update(block) + step.finalize()


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
