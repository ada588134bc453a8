"""A link to a bill is sealed: nobody makes one, alters one, or reads the bill's number in it."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from hashlib import sha512

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from hypothesis import given
from hypothesis import strategies as st

from city.errors import NotFound
from city.identifiers import BillId, uuid7
from payments.rules.pay_links import PayLink, Scope, open_sealed, seal

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
LINK = PayLink(BillId(uuid7()), Scope.AMOUNT, NOON + timedelta(days=1))


class Keys:
    """Keys made of texts, the first for new links."""

    def __init__(self, *texts: bytes) -> None:
        self.keys = [sha512(text).digest() for text in texts]

    def sealed(self, link: PayLink = LINK) -> str:
        return seal(link, self.keys)

    def opened(self, text: str, now: datetime = NOON) -> PayLink:
        return open_sealed(text, self.keys, now)


OURS = Keys(b"ours")


def test_a_link_opens_as_it_was_sealed_until_its_time_is_over() -> None:
    text = OURS.sealed()
    assert OURS.opened(text) == LINK
    assert OURS.opened(text, LINK.until_at - timedelta(seconds=1)) == LINK
    with pytest.raises(NotFound):
        OURS.opened(text, LINK.until_at)


def test_a_link_says_neither_the_bill_nor_anything_two_links_share() -> None:
    text, other = OURS.sealed(), OURS.sealed(PayLink(LINK.bill_id, Scope.WHOLE, LINK.until_at))
    for each in (text, other):
        assert LINK.bill_id.bytes not in base64.urlsafe_b64decode(each + "==")
    # Of two that differ in a single bit, no eight letters in a row are the same.
    pieces = {text[at : at + 8] for at in range(len(text) - 7)}
    assert not any(other[at : at + 8] in pieces for at in range(len(other) - 7))


def test_a_link_is_aes_siv_as_the_standard_has_it() -> None:
    # RFC 5297, appendix A.1: the library that seals our links gives its published vector.
    key = bytes.fromhex("fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    beside = bytes.fromhex("101112131415161718191a1b1c1d1e1f2021222324252627")
    plain = bytes.fromhex("112233445566778899aabbccddee")
    assert AESSIV(key).encrypt(plain, [beside]).hex() == (
        "85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c"
    )


def test_a_link_of_an_earlier_key_opens_while_that_key_counts() -> None:
    old = Keys(b"old").sealed()
    assert Keys(b"new", b"old").opened(old) == LINK
    with pytest.raises(NotFound):
        Keys(b"new").opened(old)


@given(st.text(max_size=70) | st.binary(max_size=40).map(lambda b: base64.b64encode(b).decode()))
def test_whatever_else_is_sent_is_no_link(text: str) -> None:
    with pytest.raises(NotFound):
        OURS.opened(text)


@given(st.integers(min_value=0, max_value=36), st.integers(min_value=1, max_value=255))
def test_no_byte_of_a_link_may_change(place: int, change: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(OURS.sealed() + "=="))
    raw[place] ^= change
    with pytest.raises(NotFound):
        OURS.opened(base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("="))
