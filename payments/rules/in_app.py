"""Paying inside a channel's own app, which shows our page in a browser of its own.

The channel wants to know of such an order who pays it: an id that it gives to the payer for us
alone, told by the app and never by the page. What the app then calls the channel with is signed by
us.

Source: WeChat Pay APIv3, JSAPI orders and "JSAPI payment by prepay_id"; WeChat Official Accounts,
web page authorisation (``snsapi_base``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol, runtime_checkable

from payments.rules.channels import Channel, ChannelAdapter


@dataclass(frozen=True, slots=True)
class AppCall:
    """What a page hands to the app for one order: signed, and of use for that order alone."""

    app_id: str
    timestamp: str
    nonce: str
    package: str
    signature: str


@dataclass(frozen=True, slots=True)
class PayerTold:
    """Who pays, by the channel's word; empty with a reason for people where it tells none."""

    payer: str
    reason: str = ""


class InApp(Protocol):
    """How a channel is paid inside its own app."""

    def ask_address(self, back: str, state: str) -> str:
        """Give where a browser asks the app who pays; it comes back with ``code`` and ``state``.

        ``state`` is letters and digits, 128 at most.
        """
        ...

    def payer_of(self, code: str) -> PayerTold:
        """Exchange a code, once, for the payer's id; speaks to the network."""
        ...

    def call(self, order_code: str) -> AppCall:
        """Sign what the app is called with for an order, by what the channel opened it with."""
        ...


@runtime_checkable
class InAppChannel(ChannelAdapter, Protocol):
    """A channel with an app that shows pages."""

    in_app: InApp | None
    """None where it is not set up."""


def in_app_of(channels: Mapping[Channel, ChannelAdapter], channel: Channel) -> InApp | None:
    """Give how a channel is paid inside its app; None where it is not."""
    adapter = channels.get(channel)
    return adapter.in_app if isinstance(adapter, InAppChannel) else None


def hash_of(payer: str) -> str:
    """Give what an order keeps of its payer: whether it is the same one, and not who.

    A payer's id is random and longer than what can be tried, so no key is needed.
    """
    return sha256(b"greenbay payer 1\0" + payer.encode()).hexdigest()
