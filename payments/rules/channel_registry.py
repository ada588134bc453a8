"""What is particular to each channel, as data: fee, when its bill is there, whether it pays out.

A channel that comes later (ETC, digital yuan) is a member of `Channel`, a line here and an adapter:
nothing that settles or reconciles names a channel.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from payments.rules.channels import FEE_PER_MILLE, Channel, Method

DAYS_BACK: Final = 7
"""For so many days a bill that a channel did not give yet is asked for again."""


@dataclass(frozen=True, slots=True)
class ChannelTraits:
    """How a channel does business with us.

    Parameters
    ----------
    fee_per_mille : int
        What it keeps of a payment, by the usual contract.
    bill_after_days : int or None
        After how many of China's days a day's bill can be there, and is settled and reconciled;
        None: it gives none, as it pays nothing out.
    chosen_by_payers : bool
        Whether whoever holds a bill's link may choose it; else it needs what only its holder has.
    refunds_at_terminal : bool
        Whether what is to go back waits until the payer's card is at a terminal: nobody else can
        send it back, and nobody else tells that it went.
    phone_page : Method or None
        How who pays on the phone that shows our page is led to one of the channel's; None: by its
        code, which is an address that the phone follows.
    knows_our_numbers : bool
        Whether its bill names orders and refunds as we do; else they are found by its references.
    bill_handed_in : bool
        Whether people bring its bill; else it is fetched.
    """

    fee_per_mille: int
    bill_after_days: int | None
    chosen_by_payers: bool
    refunds_at_terminal: bool = False
    knows_our_numbers: bool = True
    bill_handed_in: bool = False
    phone_page: Method | None = None


TRAITS: Final[Mapping[Channel, ChannelTraits]] = {
    Channel.WECHAT: ChannelTraits(FEE_PER_MILLE, 1, chosen_by_payers=True, phone_page=Method.PAGE),
    Channel.ALIPAY: ChannelTraits(FEE_PER_MILLE, 1, chosen_by_payers=True, phone_page=Method.WAP),
    Channel.UNIONPAY: ChannelTraits(FEE_PER_MILLE, 1, chosen_by_payers=True),
    # Our own: what it takes is a liability of ours that becomes a payment, at once and for nothing.
    Channel.CARD: ChannelTraits(0, None, chosen_by_payers=False),
    # The acquirer knows no number of ours; its bill is handed in, and fetched by nobody.
    Channel.POS: ChannelTraits(
        FEE_PER_MILLE,
        1,
        chosen_by_payers=False,
        refunds_at_terminal=True,
        knows_our_numbers=False,
        bill_handed_in=True,
    ),
}


def fee_rate_of(channel: Channel) -> int:
    """Give what a channel keeps of a payment, in thousandths."""
    return TRAITS[channel].fee_per_mille


def billed_days(channel: Channel, today: date) -> list[date]:
    """Give the days whose bills a channel can have given by now, the oldest first.

    Parameters
    ----------
    channel : Channel
    today : date
        In China.

    Returns
    -------
    list of date
        A week of them; none where it gives no bills.
    """
    after_days = TRAITS[channel].bill_after_days
    if after_days is None:
        return []
    last = today - timedelta(days=after_days)
    return [last - timedelta(days=back) for back in range(DAYS_BACK - 1, -1, -1)]
