"""The online channels by name, and what they charge for taking money."""

from enum import StrEnum
from typing import Final


class Channel(StrEnum):
    """Through whom a driver pays online."""

    WECHAT = "wechat"
    ALIPAY = "alipay"
    UNIONPAY = "unionpay"


FEE_PER_MILLE: Final = 6
"""What the channels keep of a payment by the usual contract: 0.6 %, half a fen rounded up."""
MOST_REFUNDS: Final = 50
"""Refunds of one order that every channel takes; WeChat Pay's own limit."""


def fee_of(amount_minor: int, per_mille: int = FEE_PER_MILLE) -> int:
    """Give a channel's fee on an amount, in minor units; halves are rounded up."""
    return (amount_minor * per_mille + 500) // 1000


def fee_back_of(left_minor: int, refund_minor: int, per_mille: int = FEE_PER_MILLE) -> int:
    """Give the part of the fee that goes back with a refund, so that all parts add up to it.

    Parameters
    ----------
    left_minor : int
        What of the payment had not gone back before.
    refund_minor : int
        What goes back now.
    per_mille : int
        The contract's rate.
    """
    return fee_of(left_minor, per_mille) - fee_of(left_minor - refund_minor, per_mille)
