"""Unpaid bills over HTTP: looked up and paid at any place, lowered, given up, told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from apiflask import APIBlueprint

from city.identifiers import BillId, ParkingSessionId
from city.money import Money
from city.people import Role
from city.vehicles import parse_plate
from journeys import keep_arrears, pay_together
from journeys.draw_court_file import draw_court_file
from payments import arrears as service
from payments import bill_changes
from payments import services as payments
from payments.rules.arrears import (
    WriteOffState,
)
from payments.rules.ledger import AccountKind
from web import access
from web.acts import act, act_on_plate, look
from web.api.cursors import after, cursor
from web.api.names import names_of
from web.api.roles import BACK_OFFICE
from web.api.schemas.arrears import (
    AdjustmentIn,
    AdjustmentOut,
    ArrearsLookupIn,
    ArrearsOut,
    CaseOut,
    CourtFileOut,
    DecisionIn,
    LinkIn,
    NoticeOut,
    OwedOut,
    SeveralIn,
    SeveralOut,
    SlipIn,
    WriteOffIn,
    WriteOffOut,
    WriteOffsOut,
    WriteOffsQuery,
)
from web.api.schemas.base import PageQuery
from web.api.schemas.paying import TogetherLinkOut
from web.api.shown import shown_bills, shown_payment
from web.reasons import reason_as_asked

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy import Connection

    from city.works.database import UnitOfWork
    from payments.arrears import Owed
    from payments.rules.arrears import Adjustment, WriteOff
    from payments.rules.notices import Notice

blueprint = APIBlueprint("arrears", __name__, url_prefix="/api/v1", tag="Payments")
READERS = (Role.FINANCE, Role.OPERATOR, Role.AUDITOR)
MEETERS = (Role.ATTENDANT, Role.INSPECTOR, Role.FINANCE, Role.OPERATOR)


@blueprint.get("/arrears")
@access.allow(*READERS)
@blueprint.input(PageQuery, location="query")
@blueprint.output(ArrearsOut)
@blueprint.doc(summary="Overdue bills, the longest overdue first; plates are masked")
def arrears(query_data: PageQuery) -> dict[str, Any]:
    """List overdue bills."""
    districts = access.known_actor().districts
    wiring = access.wiring()
    now = wiring.clock.now()
    with wiring.database.read() as connection:
        following = after(query_data.cursor)
        found, last = service.overdue(
            connection,
            now,
            districts=districts,
            after=BillId(following) if following else None,
            limit=query_data.limit,
        )
        return {
            "items": shown_bills(connection, found),
            "next": cursor(last),
            "debts": [
                {
                    "bills": each.bills,
                    "outstanding": {"minor": each.outstanding_minor, "currency": each.currency},
                    "overdue_bills": each.overdue_bills,
                    "overdue": {"minor": each.overdue_minor, "currency": each.currency},
                }
                for each in service.debts(connection, now, districts)
            ],
            "in_ledger": [
                each.as_json() for each in payments.total(connection, AccountKind.ARREARS)
            ]
            if districts is None
            else None,
        }


@blueprint.post("/arrears/lookups")
@access.allow(*MEETERS)
@act_on_plate
@blueprint.input(ArrearsLookupIn)
@blueprint.output(OwedOut)
@blueprint.doc(summary="What a plate's vehicle owes, at any place of the city; on record")
def look_up(uow: UnitOfWork, json_data: ArrearsLookupIn) -> dict[str, Any]:
    """Look arrears up."""
    plate = parse_plate(json_data.plate, json_data.kind)
    return _owed(uow.connection, keep_arrears.find_arrears(uow, access.known_actor(), plate))


@blueprint.get("/sessions/<uuid:session_id>/arrears")
@access.allow(*MEETERS)
@look
@blueprint.output(OwedOut)
@blueprint.doc(summary="What the vehicle of a stay owes, at any place of the city")
def of_stay(uow: UnitOfWork, session_id: UUID) -> dict[str, Any]:
    """Show a stay's vehicle's arrears."""
    _, owed = keep_arrears.arrears_of_stay(uow, access.known_actor(), ParkingSessionId(session_id))
    return _owed(uow.connection, owed)


@blueprint.post("/arrears/payments")
@access.allow(Role.ATTENDANT, Role.FINANCE)
@act
@blueprint.input(SeveralIn)
@blueprint.output(SeveralOut, status_code=201)
@blueprint.doc(summary="Take cash for several unpaid bills of one vehicle at once")
def pay_several(uow: UnitOfWork, json_data: SeveralIn) -> dict[str, Any]:
    """Take cash for several bills."""
    tendered = Money(json_data.tendered.minor, json_data.tendered.currency)
    bill_ids = [BillId(each) for each in json_data.bills]
    taken = keep_arrears.take_several(uow, access.known_actor(), bill_ids, tendered)
    return {
        "payments": [shown_payment(each) for each in taken],
        "change": taken[-1].change.as_json(),
    }


@blueprint.post("/arrears/links")
@access.allow(*pay_together.BINDERS)
@blueprint.input(LinkIn)
@blueprint.output(TogetherLinkOut)
@blueprint.doc(
    summary="A link to some unpaid bills of one vehicle, for its driver to scan and pay online",
    description="It shows neither places nor times, holds for a day, and changes nothing.",
)
def link(json_data: LinkIn) -> dict[str, Any]:
    """Bind bills into a link."""
    bill_ids = [BillId(each) for each in json_data.bills]
    with access.wiring().database.unit_of_work() as uow:
        text = pay_together.bind_for_driver(uow, access.known_actor(), bill_ids)
    return {"link": f"/pay/together/{text}"}


@blueprint.post("/arrears/slips/<uuid:notice_id>")
@access.allow(*keep_arrears.SLIP_LEAVERS)
@act
@blueprint.input(SlipIn)
@blueprint.output(NoticeOut)
@blueprint.doc(summary="Keep that a slip was printed and left on the vehicle")
def leave_slip(uow: UnitOfWork, notice_id: UUID, json_data: SlipIn) -> dict[str, Any]:
    """Leave a slip."""
    left = keep_arrears.leave_slip(uow, access.known_actor(), notice_id, json_data.where)
    return _notice(left)


@blueprint.get("/bills/<uuid:bill_id>/case")
@access.allow(*BACK_OFFICE)
@blueprint.output(CaseOut)
@blueprint.doc(summary="All that was done about a bill: steps, notices with proof, adjustments")
def case(bill_id: UUID) -> dict[str, Any]:
    """Show what was done about a bill."""
    wiring = access.wiring()
    with wiring.database.read() as connection:
        found = service.case_of(connection, BillId(bill_id))
    access.require_district(found.bill.charge.district)
    late = wiring.clock.now() - found.bill.due_at
    return {
        "bill_id": found.bill.id,
        "outstanding": found.bill.outstanding.as_json(),
        "overdue_days": max(0, late.days) if found.bill.outstanding else 0,
        "policy_source": found.policy.source,
        "steps": [
            {"kind": each.kind.value, "taken_at": each.taken_at, "left_out": each.left_out}
            for each in found.steps
        ],
        "notices": [_notice(each) for each in found.notices],
        "penalties": [
            {
                "id": each.id,
                "amount": each.amount.as_json(),
                "at": each.at,
                "reason": reason_as_asked(each.reason),
            }
            for each in found.penalties
        ],
        "adjustments": [_adjustment(each) for each in found.adjustments],
        "payments": [shown_payment(each) for each in found.payments],
        "write_off": None if found.write_off is None else _write_off(found.write_off),
    }


@blueprint.post("/bills/<uuid:bill_id>/adjustments")
@access.allow(Role.OPERATOR, Role.FINANCE)
@act
@blueprint.input(AdjustmentIn)
@blueprint.output(AdjustmentOut, status_code=201)
@blueprint.doc(summary="Lower a bill, with a reason, as far as the role may")
def adjust(uow: UnitOfWork, bill_id: UUID, json_data: AdjustmentIn) -> dict[str, Any]:
    """Lower a bill."""
    amount = Money(json_data.amount.minor, json_data.amount.currency)
    done, _ = keep_arrears.adjust_bill(
        uow, access.known_actor(), BillId(bill_id), amount, json_data.reason
    )
    return _adjustment(done)


@blueprint.post("/bills/<uuid:bill_id>/write-offs")
@access.allow(Role.FINANCE)
@act
@blueprint.input(WriteOffIn)
@blueprint.output(WriteOffOut, status_code=201)
@blueprint.doc(summary="Ask for what is left of a bill to be given up")
def ask_write_off(uow: UnitOfWork, bill_id: UUID, json_data: WriteOffIn) -> dict[str, Any]:
    """Ask for a write-off."""
    asked = keep_arrears.ask_write_off(uow, access.known_actor(), BillId(bill_id), json_data.reason)
    return _write_off(asked)


@blueprint.get("/write-offs")
@access.allow(Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)
@blueprint.input(WriteOffsQuery, location="query")
@blueprint.output(WriteOffsOut)
@blueprint.doc(summary="Wishes to give bills up, the newest first")
def write_offs(query_data: WriteOffsQuery) -> dict[str, Any]:
    """List write-offs."""
    with access.wiring().database.read() as connection:
        found, following = bill_changes.write_offs(
            connection,
            state=WriteOffState(query_data.state) if query_data.state else None,
            districts=access.known_actor().districts,
            after=after(query_data.cursor),
            limit=query_data.limit,
        )
        names = names_of(
            connection, (each for one in found for each in (one.asked_by, one.decided_by))
        )
    return {
        "items": [_write_off(each) for each in found],
        "next": cursor(following),
        "names": names,
    }


@blueprint.post("/write-offs/<uuid:write_off_id>/decision")
@access.allow(Role.FINANCE, Role.ADMINISTRATOR)
@act
@blueprint.input(DecisionIn)
@blueprint.output(WriteOffOut)
@blueprint.doc(summary="Decide, as a second person, whether a bill is given up")
def decide_write_off(uow: UnitOfWork, write_off_id: UUID, json_data: DecisionIn) -> dict[str, Any]:
    """Decide a write-off."""
    decided, _ = keep_arrears.decide_write_off(
        uow, access.known_actor(), write_off_id, approve=json_data.approve
    )
    return _write_off(decided)


@blueprint.get("/bills/<uuid:bill_id>/court-file")
@access.allow(Role.FINANCE)
@look
@blueprint.output(CourtFileOut)
@blueprint.doc(summary="The file of an unpaid bill for a court; the plate is whole, on record")
def court_file(uow: UnitOfWork, bill_id: UUID) -> dict[str, Any]:
    """Draw a court file up."""
    return draw_court_file(uow, access.known_actor(), BillId(bill_id))


def _owed(connection: Connection, owed: Owed) -> dict[str, Any]:
    return {
        "bills": shown_bills(connection, owed.bills),
        "total": [money.as_json() for money in owed.total()],
        "slips": [
            {
                "id": each.id,
                "bill_id": each.bill_id,
                "kind": each.kind.value,
                "text": each.text,
                "made_at": each.made_at,
            }
            for each in owed.slips
        ],
    }


def _notice(notice: Notice) -> dict[str, Any]:
    return {
        "id": notice.id,
        "kind": notice.kind.value,
        "medium": notice.medium.value,
        "state": notice.state.value,
        "text": notice.text,
        "made_at": notice.made_at,
        "sent_at": notice.sent_at,
        "delivered_at": notice.delivered_at,
        "provider": notice.provider,
        "provider_no": notice.provider_no,
        "proof": None if notice.proof is None else dict(notice.proof),
    }


def _adjustment(adjustment: Adjustment) -> dict[str, Any]:
    return {
        "id": adjustment.id,
        "bill_id": adjustment.bill_id,
        "amount": adjustment.amount.as_json(),
        "reason": adjustment.reason,
        "role": adjustment.role,
        "made_at": adjustment.made_at,
        "made_by": adjustment.made_by,
    }


def _write_off(asked: WriteOff) -> dict[str, Any]:
    return {
        "id": asked.id,
        "bill_id": asked.bill_id,
        "state": asked.state.value,
        "amount": asked.amount.as_json(),
        "reason": asked.reason,
        "asked_at": asked.asked_at,
        "asked_by": asked.asked_by,
        "decided_at": asked.decided_at,
        "decided_by": asked.decided_by,
    }
