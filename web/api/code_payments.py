"""Codes on payers' phones: scanned and charged by whoever stands before them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.errors import Unavailable
from city.identifiers import BillId
from journeys import pay_by_code
from journeys.pay_by_link import UNSETTLED
from web import access
from web.api.paying import BUSY_RETRY_S, at_a_channel
from web.api.schemas.code_payments import CodePaymentIn, CodePaymentOut

if TYPE_CHECKING:
    from uuid import UUID

    from journeys.pay_by_code import Charged

blueprint = APIBlueprint("code_payments", __name__, url_prefix="/api/v1", tag="Payments")


# No `act`: its key would keep the answer to a request whose body is a payer's code. The sender's
# order number has the same effect, and says how the charge stands by now.
@blueprint.post("/bills/<uuid:bill_id>/code-payments")
@access.allow(*pay_by_code.COLLECTORS)
@blueprint.input(CodePaymentIn)
@blueprint.output(CodePaymentOut, status_code=201)
@blueprint.doc(
    summary="Pay a bill by the code on its payer's phone, just scanned",
    description=(
        "Idempotent by `order_no`: sent again, nothing is charged again. A payer may have to"
        " confirm on their phone, or the channel not answer: ask how it stands until it is known,"
        " before anything is paid another way. While one code of a bill may still be paid, no"
        " other is charged."
    ),
)
def charge(bill_id: UUID, json_data: CodePaymentIn) -> dict[str, Any]:
    """Charge a code."""
    wiring = access.wiring()
    with at_a_channel() as free:
        if not free:
            raise Unavailable("the channels are busy", retry_after_s=BUSY_RETRY_S)
        return _shown(
            pay_by_code.charge_code(
                wiring.database,
                wiring.channels,
                access.known_actor(),
                BillId(bill_id),
                json_data.code,
                json_data.order_no,
            )
        )


@blueprint.get("/bills/<uuid:bill_id>/code-payments/<order_no>")
@access.allow(*pay_by_code.COLLECTORS)
@blueprint.output(CodePaymentOut)
@blueprint.doc(
    summary="How the charge of a code stands; the channel is asked where that is not known"
)
def stands(bill_id: UUID, order_no: str) -> dict[str, Any]:
    """Tell how a charge stands."""
    wiring = access.wiring()
    with at_a_channel() as free:
        channels = wiring.channels if free else {}
        caller = access.known_actor()
        return _shown(
            pay_by_code.follow_code(wiring.database, channels, caller, BillId(bill_id), order_no)
        )


@blueprint.post("/bills/<uuid:bill_id>/code-payments/<order_no>/cancellation")
@access.allow(*pay_by_code.COLLECTORS)
@blueprint.output(CodePaymentOut)
@blueprint.doc(
    summary="Call a charged code off, as its payer pays another way",
    description=(
        "What its channel says counts: one that is paid by now is paid. UnionPay ends a charge at"
        " its time alone. Not within fifteen seconds of the charge."
    ),
)
def call_off(bill_id: UUID, order_no: str) -> dict[str, Any]:
    """Call a charge off."""
    wiring = access.wiring()
    with at_a_channel() as free:
        if not free:
            raise Unavailable("the channels are busy", retry_after_s=BUSY_RETRY_S)
        caller = access.known_actor()
        return _shown(
            pay_by_code.call_off_code(
                wiring.database, wiring.channels, caller, BillId(bill_id), order_no
            )
        )


def _shown(charged: Charged) -> dict[str, Any]:
    order, now = charged.order, access.wiring().wall.now()
    waits = order.state in UNSETTLED
    left_s = (order.expires_at - now).total_seconds()
    callable_at = order.opened_at + pay_by_code.CALLED_OFF_AFTER
    return {
        "order_no": order.order_no,
        "channel": order.channel.value,
        "state": order.state.value,
        "amount": order.amount.as_json(),
        "outstanding": charged.bill.outstanding.as_json(),
        "seconds_left": max(0, int(left_s)) if waits else 0,
        "callable_off_in_s": max(0, int((callable_at - now).total_seconds()) + 1) if waits else 0,
        "surplus": order.surplus,
        "refused": None if charged.refused is None else charged.refused.value,
        "earlier": charged.earlier,
    }
