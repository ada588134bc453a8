"""A link to a bill is sealed: nobody makes one, alters one, or reads the bill's number in it."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from city.errors import NotFound
from city.identifiers import BillId, uuid7
from payments.rules.pay_links import PayLink, Scope, open_sealed, seal

if TYPE_CHECKING:
    from collections.abc import Sequence

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
LINK = PayLink(BillId(uuid7()), Scope.AMOUNT, NOON + timedelta(days=1))


class Keys:
    """Keyed hashes under some keys, the first for new links."""

    def __init__(self, *keys: bytes) -> None:
        self.keys = keys

    def tags(self, said: bytes) -> Sequence[bytes]:
        return [hmac.digest(key, b"tag" + said, "sha256") for key in self.keys]

    def masks(self, said: bytes) -> Sequence[bytes]:
        return [hmac.digest(key, b"mask" + said, "sha256") for key in self.keys]

    def sealed(self, link: PayLink = LINK) -> str:
        return seal(link, self.tags, self.masks)

    def opened(self, text: str, now: datetime = NOON) -> PayLink:
        return open_sealed(text, self.tags, self.masks, now)


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
    assert text[8:] != other[8:]
    # Whoever pays by plate must not get at the whole of it by a changed letter.
    raised = base64.urlsafe_b64decode(text + "==")
    forged = base64.urlsafe_b64encode(b"\x01" + raised[1:]).decode().rstrip("=")
    with pytest.raises(NotFound):
        OURS.opened(forged)


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
