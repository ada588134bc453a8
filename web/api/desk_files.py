"""What the finance desk decided and agreed to, as CSV: whole, or refused where it is too much."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from apiflask import APIBlueprint

from city.people import Role
from parking.services import places
from parking.services.place_keeping import operators_by_id
from payments import bill_changes, contracts, exits, periods, reconciling, terms
from payments.rules.arrears import WriteOffState
from payments.rules.versions import standings
from web import access
from web.api import csv_files
from web.api.csv_files import local
from web.api.finance import READERS
from web.api.ledger import READERS as LEDGER_READERS
from web.api.names import names_of
from web.api.schemas.arrears import WriteOffsFileQuery
from web.api.schemas.terms import VersionsQuery
from web.api.term_drafts import people_of
from web.api.terms import CONTRACT_READERS, POLICY_READERS

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Response
    from sqlalchemy import Connection

    from city.identifiers import FacilityId
    from payments.rules.arrears import Step
    from payments.rules.contracts import Share
    from payments.rules.terms import Version

blueprint = APIBlueprint("desk_files", __name__, url_prefix="/api/v1", tag="Payments")

WRITE_OFFS: Final = (
    "asked_at",
    "state",
    "amount_minor",
    "currency",
    "reason",
    "asked_by",
    "decided_at",
    "decided_by",
    "bill_id",
    "id",
)
RUNS: Final = (
    "run_at",
    "day",
    "channel",
    "by",
    "rows",
    "paid_minor",
    "refunded_minor",
    "agreed",
    "differences",
    "quarantined",
    "complete",
    "sha256",
    "id",
)
PERIODS: Final = ("until_at", "closed_at", "closed_by")
AGREED: Final = ("agreed_at", "proposed_by", "approved_by", "id")
CONTRACTS: Final = ("operator", "facility", "standing", "from_at", "party", "holder", "parts")
POLICIES: Final = (
    "district",
    "standing",
    "from_at",
    "days_to_pay",
    "steps",
    "privileges",
    "cash_step_minor",
    "source",
)
EXIT_RULES: Final = ("facility", "district", "mode", "standing", "from_at", "source")
PROPOSALS: Final = (
    "proposed_at",
    "kind",
    "state",
    "from_at",
    "terms",
    "proposed_by",
    "decided_at",
    "decided_by",
    "id",
)


@blueprint.get("/write-offs/export")
@access.allow(Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)
@blueprint.input(WriteOffsFileQuery, location="query")
@blueprint.doc(
    summary="Wishes to give bills up as CSV, the newest first",
    responses=csv_files.documented("wish"),
)
def export_write_offs(query_data: WriteOffsFileQuery) -> Response:
    """Write wishes to give bills up as CSV."""
    state = WriteOffState(query_data.state) if query_data.state else None
    districts = access.known_actor().districts
    return csv_files.list_file(
        "write-offs.csv",
        WRITE_OFFS,
        lambda connection, last, limit: bill_changes.write_offs(
            connection, state=state, districts=districts, after=last, limit=limit
        ),
        lambda each: (each.asked_by, each.decided_by),
        lambda each, called: (
            local(each.asked_at),
            each.state.value,
            each.amount.minor,
            each.amount.currency,
            each.reason,
            called(each.asked_by),
            local(each.decided_at),
            called(each.decided_by),
            str(each.bill_id),
            str(each.id),
        ),
    )


@blueprint.get("/reconciliations/export")
@access.allow(*READERS)
@blueprint.doc(
    summary="Days held against channels' bills as CSV, the latest first",
    responses=csv_files.documented("run"),
)
def export_runs() -> Response:
    """Write runs of reconciliation as CSV."""

    def told(summary: object) -> int | bool | None:
        return summary if isinstance(summary, int) else None

    return csv_files.list_file(
        "reconciliations.csv",
        RUNS,
        reconciling.runs,
        lambda each: (each.run_by,),
        lambda each, called: (
            local(each.run_at),
            each.day.isoformat(),
            each.channel,
            called(each.run_by),
            *(told(each.summary.get(column)) for column in RUNS[4:11]),
            each.sha256,
            str(each.id),
        ),
    )


@blueprint.get("/ledger/periods/export")
@access.allow(*LEDGER_READERS)
@blueprint.doc(
    summary="Up to when the ledger was closed, as CSV, the latest first",
    responses=csv_files.documented("closing"),
)
def export_periods() -> Response:
    """Write closed periods as CSV."""
    return csv_files.list_file(
        "closed-periods.csv",
        PERIODS,
        periods.periods,
        lambda each: (each.closed_by,),
        lambda each, called: (local(each.until_at), local(each.closed_at), called(each.closed_by)),
    )


@blueprint.get("/contracts/export")
@access.allow(*CONTRACT_READERS)
@blueprint.input(VersionsQuery, location="query")
@blueprint.doc(
    summary="Contracts as CSV, and how they stand at an instant",
    description="One without a party leaves all to the operator.",
    responses=csv_files.documented("party of a contract"),
)
def export_contracts(query_data: VersionsQuery) -> Response:
    """Write contracts as CSV."""
    wiring = access.wiring()
    with wiring.database.read() as connection:
        found = contracts.contracts(connection)
        names = names_of(connection, people_of(found))
        operators = operators_by_id(connection, {each.operator_id for each in found})
        homes = _facilities(connection, {each.facility_id for each in found})
    of_whom = [((each.operator_id, each.facility_id), each.from_at) for each in found]
    rows: list[tuple[csv_files.Cell, ...]] = []
    for each, standing in zip(found, standings(of_whom, _at(query_data)), strict=True):
        operator = operators.get(each.operator_id)
        begins = (
            operator.name_zh if operator else str(each.operator_id),
            homes.get(each.facility_id),
            standing.value,
            local(each.from_at),
        )
        agreed = _agreed(each, names)
        rows += [(*begins, *_party(share), *agreed) for share in each.shares or (None,)]
    csv_files.check_lines(len(rows))
    return csv_files.csv_file("contracts.csv", CONTRACTS + AGREED, rows)


@blueprint.get("/arrears/policies/export")
@access.allow(*POLICY_READERS)
@blueprint.input(VersionsQuery, location="query")
@blueprint.doc(
    summary="Regions' policies on unpaid bills as CSV, and how they stand at an instant",
    responses=csv_files.documented("policy"),
)
def export_policies(query_data: VersionsQuery) -> Response:
    """Write policies as CSV."""
    with access.wiring().database.read() as connection:
        found = contracts.rules(connection)
        names = names_of(connection, people_of(found))
    stand = standings([(each.district, each.from_at) for each in found], _at(query_data))
    csv_files.check_lines(len(found))
    return csv_files.csv_file(
        "policies.csv",
        POLICIES + AGREED,
        (
            (
                each.district,
                standing.value,
                local(each.from_at),
                each.policy.days_to_pay,
                "; ".join(_step(step) for step in each.policy.steps),
                " ".join(sorted(each.policy.privileges)),
                each.policy.cash_step_minor,
                each.policy.source,
                *_agreed(each, names),
            )
            for each, standing in zip(found, stand, strict=True)
        ),
    )


@blueprint.get("/gates/exit-rules/export")
@access.allow(*POLICY_READERS)
@blueprint.input(VersionsQuery, location="query")
@blueprint.doc(
    summary="Rules about paying before leaving as CSV, and how they stand at an instant",
    responses=csv_files.documented("rule"),
)
def export_exit_rules(query_data: VersionsQuery) -> Response:
    """Write rules about leaving as CSV."""
    with access.wiring().database.read() as connection:
        found = exits.rules(connection)
        names = names_of(connection, people_of(found))
        homes = _facilities(connection, {each.facility_id for each in found})
    of_where = [((each.facility_id, each.district), each.from_at) for each in found]
    stand = standings(of_where, _at(query_data))
    csv_files.check_lines(len(found))
    return csv_files.csv_file(
        "exit-rules.csv",
        EXIT_RULES + AGREED,
        (
            (
                homes.get(each.facility_id),
                each.district,
                each.mode.value,
                standing.value,
                local(each.from_at),
                each.source,
                *_agreed(each, names),
            )
            for each, standing in zip(found, stand, strict=True)
        ),
    )


@blueprint.get("/term-drafts/export")
@access.allow(*CONTRACT_READERS)
@blueprint.doc(
    summary="All that was ever proposed to be agreed to, and what became of it, as CSV",
    responses=csv_files.documented("proposal"),
)
def export_proposals() -> Response:
    """Write proposals as CSV, the oldest first: those that were refused, too."""
    return csv_files.list_file(
        "proposals.csv",
        PROPOSALS,
        terms.proposals,
        lambda each: (each.proposed_by, each.decided_by),
        lambda each, called: (
            local(each.proposed_at),
            each.kind.value,
            each.state.value,
            local(each.from_at),
            json.dumps(dict(each.terms), ensure_ascii=False, sort_keys=True),
            called(each.proposed_by),
            local(each.decided_at),
            called(each.decided_by),
            str(each.id),
        ),
    )


def _at(asked: VersionsQuery) -> datetime:
    return asked.at or access.wiring().clock.now()


def _facilities(
    connection: Connection, ids: set[FacilityId | None]
) -> dict[FacilityId | None, str | None]:
    """Give names of facilities, and none for None, which is all of them."""
    known = places.facilities_by_id(connection, {each for each in ids if each is not None})
    return {
        each: known[each].name_zh if each in known else str(each)
        for each in ids
        if each is not None
    }


def _party(share: Share | None) -> tuple[csv_files.Cell, ...]:
    return ("operator", "", 1) if share is None else (share.party.value, share.holder, share.parts)


def _agreed(version: Version, names: dict[str, str]) -> tuple[csv_files.Cell, ...]:
    return (
        local(version.agreed_at),
        names.get(version.agreed_by, version.agreed_by),
        names.get(version.approved_by or "", version.approved_by),
        str(version.id),
    )


def _step(step: Step) -> str:
    """Write a step as people read it: what, how many days after the due date, how or how much."""
    said = [step.kind.value, f"{step.days:+d}d", *(each.value for each in step.media)]
    if step.share_bp:
        said.append(f"{step.share_bp} bp")
    if step.most_minor is not None:
        said.append(f"<= {step.most_minor}")
    return " ".join(said)
