"""Topping a stored-value card up online: how much at once, in a day, and what goes back of it.

Pure. What a card may hold at all is `rules.cards`'s; these limits are about the money on its way.
"""

from dataclasses import dataclass
from typing import Final

from city.errors import Conflict, Invalid
from city.money import Money
from payments.rules.cards import CURRENCY, Card, CardState
from payments.rules.channel_orders import ChannelOrder, OrderState, Purpose
from payments.rules.channel_registry import TRAITS
from payments.rules.channels import Channel

UNUSED_REASON: Final = "the holder wants what is left of a top-up back"
NOT_TAKEN_REASON: Final = "the card could not take the top-up any more"


@dataclass(frozen=True, slots=True)
class TopUpPolicy:
    """What may be put onto a card online, in fen.

    Parameters
    ----------
    offered : tuple of int
        What pages offer.
    least_minor, most_minor : int
        At once. Below the least a channel's smallest fee is more than its rate.
    day_minor : int
        Of one card in one of China's days, whatever went back since: a stolen phone is emptied
        once, and money is not sent round and round.
    """

    offered: tuple[int, ...] = (50_00, 100_00, 200_00, 500_00)
    least_minor: int = 10_00
    most_minor: int = 1_000_00
    day_minor: int = 3_000_00


POLICY: Final = TopUpPolicy()


def check_online(card: Card, amount: Money, today_minor: int, policy: TopUpPolicy = POLICY) -> None:
    """Refuse a top-up by what is put onto cards online; what a card may hold is checked beside it.

    Parameters
    ----------
    card : Card
    amount : Money
    today_minor : int
        What came onto the card online in China's day so far.
    policy : TopUpPolicy

    Raises
    ------
    Conflict
        Where the card is nobody's yet: it is registered first.
    Invalid
        Outside the limits.
    """
    if card.holder is None:
        raise Conflict("register the card first", field="card", reason="bearer")
    if amount.currency != CURRENCY or not policy.least_minor <= amount.minor <= policy.most_minor:
        raise Invalid(
            "is outside what is topped up at once",
            field="amount",
            least=Money(policy.least_minor, CURRENCY).as_json(),
            most=Money(policy.most_minor, CURRENCY).as_json(),
        )
    if today_minor + amount.minor > policy.day_minor:
        raise Invalid(
            "is more than is topped up in a day",
            field="amount",
            most=Money(max(0, policy.day_minor - today_minor), CURRENCY).as_json(),
        )


def check_channel(channel: Channel) -> None:
    """Refuse to top a card up by what is no payer's own choice, such as a card; Invalid."""
    if not TRAITS[channel].chosen_by_payers:
        raise Invalid("tops no card up", field="channel")


def unused_of(order: ChannelOrder, card: Card | None) -> Money:
    """Give what of a top-up can go back: what has not yet, as far as its card holds it.

    Parameters
    ----------
    order : ChannelOrder
    card : Card or None
        Which holds its money now; None where it is not known.
    """
    nothing = Money(0, order.amount.currency)
    came = (
        order.purpose is Purpose.TOP_UP
        and order.state is OrderState.PAID
        and order.movement_id is not None
    )
    if not came or card is None or card.state is not CardState.ACTIVE:
        return nothing
    left = Money(order.amount.minor - order.refunded_minor, order.amount.currency)
    return min(left, card.balance)
