"""What the finance desk's pages list, as CSV: whole, or refused where it is too much for a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from apiflask import APIBlueprint

from city.identifiers import BillId
from city.people import Role
from parking.services import places
from parking.services.place_keeping import operators_by_id
from payments import arrears
from payments import services as payments
from payments.rules.channel_orders import RefundState
from payments.rules.ledger import AccountKind
from payments.store import desk_given_back, desk_top_ups
from payments.store.desk_refunds import refunds as refunds_of_desk
from payments.store.desk_takings import Which
from web import access
from web.api import csv_files
from web.api.channel_refunds import READERS as REFUND_READERS
from web.api.csv_files import local
from web.api.finance import READERS
from web.api.names import holders, names_of
from web.api.plates import masked_plates
from web.api.schemas.finance import TakenPaymentsQuery, TakingsQuery
from web.api.schemas.ledger import AccountsFileQuery
from web.api.schemas.paying import RefundsFileQuery
from web.api.takings import day_of, payments_of
from web.reasons import reason_as_asked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from flask import Response
    from sqlalchemy import Connection

    from city.identifiers import OperatorId
    from city.money import Money
    from parking.rules.places.model import Operator
    from payments.rules.ledger import Account
    from web.api.csv_files import Cell

    Row = tuple[Cell, ...]

blueprint = APIBlueprint("finance_files", __name__, url_prefix="/api/v1", tag="Payments")

TAKINGS: Final = (
    "at",
    "kind",
    "channel",
    "operator",
    "by",
    "amount_minor",
    "currency",
    "bill_id",
    "card",
    "id",
    "entry_id",
)
REFUNDS: Final = (
    "asked_at",
    "done_at",
    "state",
    "channel",
    "amount_minor",
    "currency",
    "reason",
    "surplus",
    "asked_by",
    "refund_no",
    "order_no",
    "bill_id",
    "card_id",
    "entry_id",
)
ARREARS: Final = (
    "due_at",
    "issued_at",
    "outstanding_minor",
    "penalty_minor",
    "currency",
    "plate",
    "facility",
    "district",
    "operator",
    "bill_id",
)
ACCOUNTS: Final = ("account", "kind", "holder", "balance_minor", "currency")


@blueprint.get("/takings/export")
@access.allow(*READERS)
@blueprint.input(TakingsQuery, location="query")
@blueprint.doc(
    summary="A day's payments, what went back, and what moved on cards, as CSV",
    description=(
        "`kind` tells them apart: `payment` and `refund` (below zero) are the takings; `top-up`, "
        "`paid-out` and `returned` are money on parking cards, which is owed to their holders "
        "and no taking. The lines of a kind add up to the figures of the day."
    ),
    responses=csv_files.documented("movement of money"),
)
def export_takings(query_data: TakingsQuery) -> Response:
    """Write a day's payments as CSV."""
    day, from_at, before_at = day_of(query_data.day)
    with access.wiring().database.read() as connection:
        rows = [*_taken(connection, query_data), *_gone_back(connection, from_at, before_at)]
        if access.known_actor().districts is None:
            rows += _on_cards(connection, from_at, before_at)
    csv_files.check_lines(len(rows))
    return csv_files.csv_file(f"takings-{day}.csv", TAKINGS, rows)


@blueprint.get("/channel-refunds/export")
@access.allow(*REFUND_READERS)
@blueprint.input(RefundsFileQuery, location="query")
@blueprint.doc(
    summary="What was given back through online channels, as CSV, the newest first",
    responses=csv_files.documented("refund"),
)
def export_refunds(query_data: RefundsFileQuery) -> Response:
    """Write refunds as CSV."""
    state = RefundState(query_data.state) if query_data.state else None
    districts = access.known_actor().districts
    return csv_files.list_file(
        "refunds.csv",
        REFUNDS,
        lambda connection, last, limit: refunds_of_desk(connection, state, districts, last, limit),
        lambda each: (each.asked_by,),
        lambda each, called: (
            local(each.asked_at),
            local(each.done_at),
            each.state.value,
            each.channel,
            each.amount.minor,
            each.amount.currency,
            reason_as_asked(each.reason),
            each.surplus,
            called(each.asked_by),
            each.refund_no,
            each.order_no,
            str(each.bill_id or ""),
            str(each.card_id or ""),
            str(each.entry_id or ""),
        ),
    )


@blueprint.get("/arrears/export")
@access.allow(Role.FINANCE, Role.OPERATOR, Role.AUDITOR)
@blueprint.doc(
    summary="Overdue bills as CSV, the longest overdue first; plates are masked",
    responses=csv_files.documented("bill"),
)
def export_arrears() -> Response:
    """Write overdue bills as CSV."""
    wiring, districts = access.wiring(), access.known_actor().districts
    now = wiring.clock.now()
    with wiring.database.read() as connection:
        found = csv_files.every_line(
            lambda last, limit: arrears.overdue(
                connection,
                now,
                districts=districts,
                after=BillId(last) if last else None,
                limit=limit,
            )
        )
        homes = places.facilities_by_id(connection, {each.charge.facility_id for each in found})
        plates = masked_plates(connection, {each.charge.vehicle_id for each in found})
        operators = operators_by_id(connection, {each.charge.operator_id for each in found})
    rows: list[Row] = []
    for each in found:
        charge = each.charge
        home, plate = homes.get(charge.facility_id), plates.get(charge.vehicle_id)
        rows.append(
            (
                local(each.due_at),
                local(each.issued_at),
                each.outstanding.minor,
                each.penalty_minor,
                each.amount.currency,
                plate["text"] if plate else None,
                home.name_zh if home else None,
                charge.district,
                _name(operators, charge.operator_id),
                str(each.id),
            )
        )
    return csv_files.csv_file("arrears.csv", ARREARS, rows)


@blueprint.get("/ledger/accounts/export")
@access.allow(Role.FINANCE, Role.AUDITOR)
@blueprint.input(AccountsFileQuery, location="query")
@blueprint.doc(
    summary="Accounts with their balances as CSV, now or as of an instant",
    description="Debits are above zero. The balances of all accounts in one currency add up to 0.",
    responses=csv_files.documented("balance"),
)
def export_accounts(query_data: AccountsFileQuery) -> Response:
    """Write balances as CSV."""
    kind = AccountKind(query_data.kind) if query_data.kind else None
    with access.wiring().database.read() as connection:
        found = csv_files.every_line(
            lambda last, limit: _balances(connection, kind, query_data.before_at, last, limit)
        )
        names = holders(connection, {account.holder for account, _ in found})
    rows: list[Row] = [
        (
            account.code,
            account.kind.value,
            names[account.holder]["zh"] if account.holder in names else account.holder,
            money.minor,
            money.currency,
        )
        for account, money in found
    ]
    return csv_files.csv_file("accounts.csv", ACCOUNTS, rows)


def _taken(connection: Connection, asked: TakingsQuery) -> Iterator[Row]:
    wanted = TakenPaymentsQuery(day=asked.day)
    found = csv_files.every_line(lambda last, limit: payments_of(connection, wanted, last, limit))
    names = names_of(connection, {each.taken_by for each in found})
    operators = operators_by_id(connection, {each.operator_id for each in found})
    for each in found:
        yield (
            local(each.taken_at),
            "payment",
            each.channel,
            _name(operators, each.operator_id),
            names.get(each.taken_by, each.taken_by),
            each.amount.minor,
            each.amount.currency,
            str(each.bill_id),
            None,
            str(each.payment_id),
            str(each.entry_id or ""),
        )


def _gone_back(connection: Connection, from_at: datetime, before_at: datetime) -> Iterator[Row]:
    districts = access.known_actor().districts
    found = csv_files.every_line(
        lambda last, limit: desk_given_back.went_back(
            connection, from_at, before_at, None, districts, last, limit
        )
    )
    names = names_of(connection, {each.by for each in found})
    operators = operators_by_id(connection, {each.operator_id for each in found})
    for each in found:
        yield (
            local(each.at),
            "refund",
            each.channel,
            _name(operators, each.operator_id),
            names.get(each.by, each.by),
            -each.amount.minor,
            each.amount.currency,
            str(each.bill_id or ""),
            None,
            str(each.id),
            str(each.entry_id),
        )


def _on_cards(connection: Connection, from_at: datetime, before_at: datetime) -> Iterator[Row]:
    found = csv_files.every_line(
        lambda last, limit: desk_top_ups.card_moves(
            connection, from_at, before_at, Which(), last, limit
        )
    )
    names = names_of(connection, {each.made_by for each in found})
    for each in found:
        yield (
            local(each.at),
            each.kind.value,
            each.channel,
            None,
            names.get(each.made_by, each.made_by),
            each.amount.minor,
            each.amount.currency,
            None,
            each.card_number,
            str(each.id),
            str(each.entry_id),
        )


def _balances(
    connection: Connection,
    kind: AccountKind | None,
    before_at: datetime | None,
    after: str | None,
    limit: int,
) -> tuple[list[tuple[Account, Money]], str | None]:
    found, last = payments.balances_page(connection, kind, before_at, after, limit)
    return [(account, money) for account, held in found.items() for money in held], last


def _name(operators: Mapping[OperatorId, Operator], operator_id: OperatorId) -> str | None:
    found = operators.get(operator_id)
    return found.name_zh if found else None
