"""What came in on a day over HTTP: figures, and the payments behind each."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.errors import Forbidden
from city.identifiers import OperatorId, PaymentId
from parking.services.place_keeping import operators_by_id
from payments.rules.channel_bills.lines import CHINA
from payments.store import desk_given_back, desk_takings, desk_top_ups
from web import access
from web.api.cursors import after, cursor
from web.api.finance import READERS
from web.api.names import names_of
from web.api.schemas.finance import (
    CardMovesOut,
    TakenPaymentsOut,
    TakenPaymentsQuery,
    TakenRefundsOut,
    TakenRefundsQuery,
    TakingsOut,
    TakingsQuery,
)

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Connection

blueprint = APIBlueprint("takings", __name__, url_prefix="/api/v1", tag="Payments")


@blueprint.get("/takings")
@access.allow(*READERS)
@blueprint.input(TakingsQuery, location="query")
@blueprint.output(TakingsOut)
@blueprint.doc(summary="What came in on a day, by channel, operator and who took it")
def takings(query_data: TakingsQuery) -> dict[str, Any]:
    """Show a day's takings."""
    day, from_at, before_at = day_of(query_data.day)
    districts = access.known_actor().districts
    with access.wiring().database.read() as connection:
        found = desk_takings.takings(connection, from_at, before_at, districts)
        back = desk_given_back.given_back(connection, from_at, before_at, districts)
        names = names_of(connection, (each.taken_by for each in found))
        operators = operators_by_id(connection, {each.operator_id for each in found})
        # Cards are of the whole city, and so is what is owed for them.
        on_cards = (
            desk_top_ups.topped_up(connection, from_at, before_at) if districts is None else []
        )
        names |= names_of(connection, (each.taken_by for each in on_cards))
    return {
        "day": day,
        "from_at": from_at,
        "before_at": before_at,
        "items": [
            {
                "channel": each.channel,
                "operator_id": each.operator_id,
                "operator": {"zh": operator.name_zh, "en": operator.name_en}
                if (operator := operators.get(each.operator_id))
                else None,
                "taken_by": each.taken_by,
                "taker": names.get(each.taken_by),
                "payments": each.payments,
                "amount": each.amount.as_json(),
            }
            for each in found
        ],
        "given_back": [
            {"channel": each.channel, "refunds": each.refunds, "amount": each.amount.as_json()}
            for each in back
        ],
        "cards": [
            {
                "channel": each.channel,
                "taken_by": each.taken_by,
                "taker": names.get(each.taken_by),
                "top_ups": each.top_ups,
                "amount": each.amount.as_json(),
                "backs": each.backs,
                "back": each.back.as_json(),
            }
            for each in on_cards
        ],
    }


@blueprint.get("/takings/payments")
@access.allow(*READERS)
@blueprint.input(TakenPaymentsQuery, location="query")
@blueprint.output(TakenPaymentsOut)
@blueprint.doc(summary="The payments behind a figure of a day's takings, the latest first")
def taken_payments(query_data: TakenPaymentsQuery) -> dict[str, Any]:
    """List the payments behind a figure."""
    following = after(query_data.cursor)
    with access.wiring().database.read() as connection:
        found, last = payments_of(
            connection,
            query_data,
            PaymentId(following) if following else None,
            query_data.limit,
        )
        names = names_of(connection, (each.taken_by for each in found))
    return {
        "items": [
            {
                "payment_id": each.payment_id,
                "bill_id": each.bill_id,
                "channel": each.channel,
                "operator_id": each.operator_id,
                "amount": each.amount.as_json(),
                "taken_at": each.taken_at,
                "taken_by": each.taken_by,
                "taker": names.get(each.taken_by),
                "entry_id": each.entry_id,
            }
            for each in found
        ],
        "next": cursor(last),
    }


@blueprint.get("/takings/refunds")
@access.allow(*READERS)
@blueprint.input(TakenRefundsQuery, location="query")
@blueprint.output(TakenRefundsOut)
@blueprint.doc(summary="What went back on a day behind a figure of its takings, the latest first")
def taken_refunds(query_data: TakenRefundsQuery) -> dict[str, Any]:
    """List what went back behind a figure."""
    _, from_at, before_at = day_of(query_data.day)
    with access.wiring().database.read() as connection:
        found, last = desk_given_back.went_back(
            connection,
            from_at,
            before_at,
            query_data.channel,
            access.known_actor().districts,
            after(query_data.cursor),
            query_data.limit,
        )
        names = names_of(connection, (each.by for each in found))
    return {
        "items": [
            {
                "id": each.id,
                "bill_id": each.bill_id,
                "channel": each.channel,
                "operator_id": each.operator_id,
                "amount": each.amount.as_json(),
                "at": each.at,
                "given_by": each.by,
                "giver": names.get(each.by),
                "entry_id": each.entry_id,
            }
            for each in found
        ],
        "next": cursor(last),
    }


@blueprint.get("/takings/card-moves")
@access.allow(*READERS)
@blueprint.input(TakenPaymentsQuery, location="query")
@blueprint.output(CardMovesOut)
@blueprint.doc(summary="What came onto parking cards on a day and went back, the latest first")
def card_moves(query_data: TakenPaymentsQuery) -> dict[str, Any]:
    """List the movements behind a figure."""
    if access.known_actor().districts is not None:
        raise Forbidden("cards are of the whole city")
    _, from_at, before_at = day_of(query_data.day)
    which = desk_takings.Which(query_data.channel, None, query_data.taken_by)
    following = after(query_data.cursor)
    with access.wiring().database.read() as connection:
        found, last = desk_top_ups.card_moves(
            connection, from_at, before_at, which, following, query_data.limit
        )
        names = names_of(connection, (each.made_by for each in found))
    return {
        "items": [
            {
                "id": each.id,
                "card_number": each.card_number,
                "kind": each.kind.value,
                "channel": each.channel,
                "amount": each.amount.as_json(),
                "at": each.at,
                "made_by": each.made_by,
                "maker": names.get(each.made_by),
                "entry_id": each.entry_id,
            }
            for each in found
        ],
        "next": cursor(last),
    }


def day_of(asked: date | None) -> tuple[date, datetime, datetime]:
    """Give a day of China's, the present one where none is asked for, and its two ends."""
    day = asked or access.wiring().clock.now().astimezone(CHINA).date()
    from_at = datetime.combine(day, time(), CHINA).astimezone(UTC)
    return day, from_at, from_at + timedelta(days=1)


def payments_of(
    connection: Connection, wanted: TakenPaymentsQuery, last: PaymentId | None, limit: int
) -> tuple[list[desk_takings.TakenPayment], PaymentId | None]:
    """Give a page of the payments behind a figure, of the caller's districts."""
    _, from_at, before_at = day_of(wanted.day)
    operator_id = None if wanted.operator_id is None else OperatorId(wanted.operator_id)
    return desk_takings.payments(
        connection,
        from_at,
        before_at,
        desk_takings.Which(wanted.channel, operator_id, wanted.taken_by),
        access.known_actor().districts,
        last,
        limit,
    )
