"""A driver's own top-ups of cards: asked for, followed, what was not used given back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.errors import Unavailable
from city.money import Money
from city.people import Role
from journeys.top_up_cards import (
    follow_top_up,
    give_back_unused,
    start_top_up,
    top_ups_of,
)
from payments.rules.cards import CURRENCY
from payments.rules.channel_registry import TRAITS
from payments.rules.channels import Channel
from payments.rules.top_ups import POLICY
from web import access, payers
from web.api.cursors import after, cursor
from web.api.paying import BUSY_RETRY_S, at_a_channel, shown_order
from web.api.schemas.base import PageQuery
from web.api.schemas.cards import (
    TopUpBackIn,
    TopUpBackOut,
    TopUpOrderIn,
    TopUpOut,
    TopUpsOut,
    TopUpTermsOut,
)

if TYPE_CHECKING:
    from uuid import UUID

    from journeys.top_up_cards import TopUp
    from payments.rules.channel_orders import ChannelOrder

blueprint = APIBlueprint("my_top_ups", __name__, url_prefix="/api/v1/me", tag="Cards")


@blueprint.get("/top-ups/terms")
@access.allow(Role.DRIVER)
@blueprint.output(TopUpTermsOut)
@blueprint.doc(summary="How much is put onto a card online, and through whom")
def terms() -> dict[str, Any]:
    """Tell the limits and the channels."""
    wiring = access.wiring()
    return {
        "channels": [
            each for each in Channel if each in wiring.channels and TRAITS[each].chosen_by_payers
        ],
        "offered": [Money(minor, CURRENCY).as_json() for minor in POLICY.offered],
        "least": Money(POLICY.least_minor, CURRENCY).as_json(),
        "most": Money(POLICY.most_minor, CURRENCY).as_json(),
        "day": Money(POLICY.day_minor, CURRENCY).as_json(),
    }


@blueprint.post("/cards/<uuid:card_id>/top-ups")
@access.allow(Role.DRIVER)
@blueprint.input(TopUpOrderIn)
@blueprint.output(TopUpOut, status_code=201)
@blueprint.doc(
    summary="Open an order over a top-up of a card of one's own at a channel",
    description=(
        "Asked again for the same amount and channel, it is the same order while that takes money. "
        "The money is on the card once the channel says that it was paid. Where the card cannot "
        "take it any more by then, it goes back by itself."
    ),
)
def start(card_id: UUID, json_data: TopUpOrderIn) -> dict[str, Any]:
    """Open an order."""
    wiring, caller = access.wiring(), access.known_actor()
    amount = Money(json_data.amount.minor, json_data.amount.currency)
    with at_a_channel() as free:
        if not free:
            raise Unavailable("the channels are busy", retry_after_s=BUSY_RETRY_S)
        started = start_top_up(
            wiring.database,
            wiring.channels,
            caller,
            card_id,
            amount,
            Channel(json_data.channel),
            payers.device(json_data.way),
        )
    # Without a channel nobody is asked twice: what it just said is kept.
    found = follow_top_up(wiring.database, {}, caller, started.order.order_no)
    return _shown(found, started.code)


@blueprint.get("/cards/<uuid:card_id>/top-ups")
@access.allow(Role.DRIVER)
@blueprint.input(PageQuery, location="query")
@blueprint.output(TopUpsOut)
@blueprint.doc(summary="The top-ups of a card of one's own, the newest first")
def top_ups(card_id: UUID, query_data: PageQuery) -> dict[str, Any]:
    """List top-ups."""
    with access.wiring().database.unit_of_work() as uow:
        found, last = top_ups_of(
            uow, access.known_actor(), card_id, after(query_data.cursor), query_data.limit
        )
    return {"items": [_shown(each) for each in found], "next": cursor(last)}


@blueprint.get("/top-ups/<order_no>")
@access.allow(Role.DRIVER)
@blueprint.output(TopUpOut)
@blueprint.doc(summary="How a top-up stands; the channel is asked where that is not known")
def one(order_no: str) -> dict[str, Any]:
    """Tell how a top-up stands."""
    wiring = access.wiring()
    with at_a_channel() as free:
        channels = wiring.channels if free else {}
        return _shown(follow_top_up(wiring.database, channels, access.known_actor(), order_no))


@blueprint.post("/top-ups/<order_no>/refunds")
@access.allow(Role.DRIVER)
@blueprint.input(TopUpBackIn)
@blueprint.output(TopUpBackOut, status_code=201)
@blueprint.doc(
    summary="Give what was not used of a top-up back through its channel",
    description=(
        "Idempotent by `refund_no`. It is off the card at once, and back on it should the channel "
        "refuse."
    ),
)
def give_back(order_no: str, json_data: TopUpBackIn) -> dict[str, Any]:
    """Give money back."""
    wiring = access.wiring()
    refund = give_back_unused(
        wiring.database, wiring.channels, access.known_actor(), order_no, json_data.refund_no
    )
    return {
        "refund_no": refund.refund_no,
        "state": refund.state.value,
        "amount": refund.amount.as_json(),
    }


def _shown(found: TopUp, code: str = "") -> dict[str, Any]:
    wiring, order = access.wiring(), found.order
    return shown_order(order, wiring.settings, wiring.wall.now(), code) | _more(found, order)


def _more(found: TopUp, order: ChannelOrder) -> dict[str, Any]:
    return {
        "card_id": found.card.id,
        "card_number": found.card.number,
        "opened_at": order.opened_at,
        "arrived": order.movement_id is not None,
        "unused": found.unused.as_json(),
    }
