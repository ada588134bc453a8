"""The codes that payers show on their phones (付款码): whose they are, and why one was refused.

A code is money for as long as it lives: it is read, handed to its channel and forgotten, and stands
in no table, log or answer.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from city.errors import Invalid
from payments.rules.channels import Channel

LARGEST_CHARACTERS: Final = 40
"""The longest of them, and the spaces that a phone shows between its groups."""
# Sources: WeChat Pay, "付款码支付": 18 digits that begin with 10 to 15. Alipay, `alipay.trade.pay`:
# 16 to 24 digits that begin with 25 to 30. UnionPay, QR codes shown by payers: 19 digits that begin
# with 62.
_PATTERNS: Final[Mapping[Channel, re.Pattern[str]]] = {
    Channel.WECHAT: re.compile(r"1[0-5][0-9]{16}", re.ASCII),
    Channel.ALIPAY: re.compile(r"(?:2[5-9]|30)[0-9]{14,22}", re.ASCII),
    Channel.UNIONPAY: re.compile(r"62[0-9]{17}", re.ASCII),
}


class Refused(StrEnum):
    """Why a channel took no money by a code, as far as whoever scans it can do something."""

    CODE = "code"
    """Its time is over, it was used before, or it is none: the payer shows a fresh one."""
    FUNDS = "funds"
    """The payer has not enough there: another account of theirs, or another way to pay."""
    CHANNEL = "channel"
    """Whatever else: the payer's phone tells them, or the channel's own code us."""


_CODE_REASONS: Final = frozenset(
    {
        "AUTH_CODE_EXPIRE",
        "AUTH_CODE_ERROR",
        "AUTH_CODE_INVALID",
        "AUTHCODEEXPIRE",
        "ACQ.PAYMENT_AUTH_CODE_INVALID",
    }
)
_FUNDS_REASONS: Final = frozenset(
    {
        "NOTENOUGH",
        "NOT_ENOUGH",
        "ACQ.BUYER_BALANCE_NOT_ENOUGH",
        "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH",
        "64",
    }
)


def read_code(text: str) -> tuple[Channel, str]:
    """Tell whose code somebody shows, by how it begins and how long it is.

    Parameters
    ----------
    text : str
        As it was typed or as a scan head read it; spaces do not count.

    Returns
    -------
    tuple of Channel and str
        Whose it is, and the code without spaces.

    Raises
    ------
    Invalid
        Where it is no code of any channel; what was read is not repeated.
    """
    code = "".join(text.split())
    for channel, pattern in _PATTERNS.items():
        if pattern.fullmatch(code):
            return channel, code
    raise Invalid("is no payment code of WeChat Pay, Alipay or UnionPay", field="code")


def refused_for(reason: str) -> Refused:
    """Tell why no money was taken, by the channel's own code for it."""
    if reason in _CODE_REASONS:
        return Refused.CODE
    return Refused.FUNDS if reason in _FUNDS_REASONS else Refused.CHANNEL
