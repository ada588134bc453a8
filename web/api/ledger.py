"""The ledger as the finance desk and the auditor read it, and what the desk enters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from apiflask import APIBlueprint

from city.errors import NotFound
from city.people import Role
from journeys.keep_ledger import close_period
from payments import ledger as service
from payments import periods as period_service
from payments import services as payments
from payments.rules.ledger import AccountKind
from web import access
from web.acts import act
from web.api import csv_files
from web.api.csv_files import local
from web.api.names import holders, names_of
from web.api.schemas.ledger import (
    AccountsOut,
    AccountsQuery,
    EntryOut,
    PeriodIn,
    PeriodOut,
    PeriodsOut,
    PeriodsQuery,
    PostingsFileQuery,
    PostingsOut,
    PostingsQuery,
)
from web.reasons import reason_as_asked

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Response

    from city.works.database import UnitOfWork
    from payments.store.periods import Period

blueprint = APIBlueprint("ledger", __name__, url_prefix="/api/v1", tag="Payments")
READERS = (Role.FINANCE, Role.AUDITOR)
POSTING_COLUMNS: Final = (
    "at",
    "happened_at",
    "account",
    "kind",
    "amount_minor",
    "currency",
    "reason",
    "by",
    "subject",
    "entry_id",
)


@blueprint.get("/ledger/accounts")
@access.allow(*READERS)
@blueprint.input(AccountsQuery, location="query")
@blueprint.output(AccountsOut)
@blueprint.doc(summary="Accounts with their balances by name, now or as of an instant")
def accounts(query_data: AccountsQuery) -> dict[str, Any]:
    """List accounts."""
    kind = AccountKind(query_data.kind) if query_data.kind else None
    with access.wiring().database.read() as connection:
        found, following = payments.balances_page(
            connection, kind, query_data.before_at, query_data.cursor, query_data.limit
        )
        names = holders(connection, (account.holder for account in found))
    return {
        "items": [
            {
                "account": account.code,
                "kind": account.kind.value,
                "holder": account.holder,
                "balances": [money.as_json() for money in balances],
            }
            for account, balances in found.items()
        ],
        "next": following,
        "names": names,
    }


@blueprint.get("/ledger/postings")
@access.allow(*READERS)
@blueprint.input(PostingsQuery, location="query")
@blueprint.output(PostingsOut)
@blueprint.doc(summary="The postings on an account, the latest first")
def postings(query_data: PostingsQuery) -> dict[str, Any]:
    """List an account's postings."""
    with access.wiring().database.read() as connection:
        found, following = service.lines(
            connection,
            service.account_of(query_data.account),
            query_data.currency,
            query_data.from_at,
            query_data.before_at,
            after=query_data.cursor,
            limit=query_data.limit,
        )
        names = names_of(connection, (each.by for each in found))
    return {
        "items": [
            {
                "entry_id": each.entry_id,
                "at": each.at,
                "happened_at": each.happened_at,
                "kind": each.kind.value,
                "subject": each.subject,
                "amount": each.amount.as_json(),
                "reason": reason_as_asked(each.reason),
                "by": each.by,
            }
            for each in found
        ],
        "next": following,
        "names": names,
    }


@blueprint.get("/ledger/postings/export")
@access.allow(*READERS)
@blueprint.input(PostingsFileQuery, location="query")
@blueprint.doc(
    summary="The postings on an account as CSV, the latest first",
    responses=csv_files.documented("posting"),
)
def export_postings(query_data: PostingsFileQuery) -> Response:
    """Write an account's postings as CSV."""
    account = service.account_of(query_data.account)
    return csv_files.list_file(
        f"{account.kind.value}-postings.csv",
        POSTING_COLUMNS,
        lambda connection, last, limit: service.lines(
            connection,
            account,
            query_data.currency,
            query_data.from_at,
            query_data.before_at,
            after=last,
            limit=limit,
        ),
        lambda each: (each.by,),
        lambda each, called: (
            local(each.at),
            local(each.happened_at),
            account.code,
            each.kind.value,
            each.amount.minor,
            each.amount.currency,
            reason_as_asked(each.reason),
            called(each.by),
            str(each.subject),
            str(each.entry_id),
        ),
    )


@blueprint.get("/ledger/entries/<uuid:entry_id>")
@access.allow(*READERS)
@blueprint.output(EntryOut)
@blueprint.doc(summary="One entry with all of its postings")
def entry(entry_id: UUID) -> dict[str, Any]:
    """Show an entry."""
    with access.wiring().database.read() as connection:
        found = service.find_entry(connection, entry_id)
        bill_id = None if found is None else service.bill_of_entry(connection, found)
        names = names_of(connection, [found.by] if found else [])
        held_by = holders(connection, (p.account.holder for p in found.postings) if found else ())
    if found is None:
        raise NotFound("There is no such entry.")
    return {
        "id": found.id,
        "at": found.at,
        "happened_at": found.happened_at,
        "kind": found.kind.value,
        "subject": found.subject,
        "reason": reason_as_asked(found.reason),
        "by": found.by,
        "reverses": found.reverses,
        "bill_id": bill_id,
        "postings": [
            {"account": each.account.code, "amount": each.amount.as_json()}
            for each in found.postings
        ],
        "names": names,
        "holders": held_by,
    }


@blueprint.get("/ledger/periods")
@access.allow(*READERS)
@blueprint.input(PeriodsQuery, location="query")
@blueprint.output(PeriodsOut)
@blueprint.doc(summary="Up to when the ledger was closed, the latest first")
def periods(query_data: PeriodsQuery) -> dict[str, Any]:
    """List closed periods."""
    with access.wiring().database.read() as connection:
        found, last_at = period_service.periods(connection, query_data.cursor, query_data.limit)
        names = names_of(connection, (each.closed_by for each in found))
    return {
        "items": [_period(each) for each in found],
        "next": None if last_at is None else last_at.isoformat(),
        "names": names,
    }


@blueprint.post("/ledger/periods")
@access.allow(Role.FINANCE)
@act
@blueprint.input(PeriodIn)
@blueprint.output(PeriodOut, status_code=201)
@blueprint.doc(summary="Close the ledger up to an instant: nothing is posted before it any more")
def close(uow: UnitOfWork, json_data: PeriodIn) -> dict[str, Any]:
    """Close a period."""
    return _period(close_period(uow, access.known_actor(), json_data.until_at))


def _period(period: Period) -> dict[str, Any]:
    return {
        "until_at": period.until_at,
        "closed_at": period.closed_at,
        "closed_by": period.closed_by,
    }
