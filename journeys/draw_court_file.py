"""The file of an unpaid bill, ready for a court: the stay, the fee, what was told, the ledger."""

import hashlib
import json
from typing import Any, Final

from city.audit import record
from city.errors import Conflict, Forbidden
from city.identifiers import BillId
from city.people.actors import Actor
from city.people.roles import Role
from city.vault import reveal
from city.works.database import UnitOfWork
from parking.services import places, stay_views, stays
from payments import arrears, ledger
from payments.arrears import Case
from payments.rules.arrears import StepKind
from payments.rules.bills import BillState

FORM: Final = "greenbay-court-file/1"
PURPOSE: Final = "court file drawn up"


def draw_court_file(uow: UnitOfWork, actor: Actor, bill_id: BillId) -> dict[str, Any]:
    """Draw up a bill's file: JSON that holds the digest of itself.

    The plate stands in it whole, which is put on record.

    Raises
    ------
    NotFound
        Where there is no such bill.
    Forbidden
        Where the actor's role or district does not allow it.
    Conflict
        Where the policy's court step has not been reached, or nothing is owed.
    """
    actor.require(Role.FINANCE)
    case = arrears.case_of(uow.connection, bill_id)
    bill = case.bill
    if not actor.in_district(bill.charge.district):
        raise Forbidden("the bill is of another district than yours")
    if bill.state is not BillState.OPEN:
        raise Conflict(f"the bill is {bill.state.value}", field="bill_id", reason=bill.state.value)
    if not any(step.kind is StepKind.COURT and not step.left_out for step in case.steps):
        raise Conflict(
            "is not ready: the policy's steps before a court are not taken",
            field="bill_id",
            reason="not-ready",
        )
    content = {
        "form": FORM,
        "drawn_at": uow.clock.now().isoformat(),
        "drawn_by": actor.subject,
        **_of_bill(uow, actor, case),
        **_of_arrears(case),
        "ledger": _of_ledger(uow, case),
    }
    written = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(written.encode()).hexdigest()
    record(
        uow,
        actor,
        "payments.court_file_drawn",
        "bill",
        str(bill_id),
        {"sha256": digest, "left": bill.outstanding.as_json()},
    )
    return {**content, "sha256": digest}


def _of_bill(uow: UnitOfWork, actor: Actor, case: Case) -> dict[str, Any]:
    bill, charge = case.bill, case.bill.charge
    session = stays.find(uow.connection, charge.session_id)
    home = places.facilities_by_id(uow.connection, [charge.facility_id]).get(charge.facility_id)
    plate = reveal(uow, actor, [charge.vehicle_id], PURPOSE).get(charge.vehicle_id)
    said = [] if session is None else stay_views.timeline(uow.connection, session).evidence
    return {
        "plate": None if plate is None else {"text": plate.text, "kind": plate.kind.value},
        "place": None
        if home is None
        else {"zh": home.name_zh, "en": home.name_en, "district": home.district},
        "stay": None
        if session is None
        else {
            "id": str(session.id),
            "bay": session.bay_label,
            "opened_at": session.stay.opened_at.isoformat(),
            "closed_at": session.stay.closed_at.isoformat() if session.stay.closed_at else None,
            "evidence": [
                {
                    "kind": each.kind.value,
                    "at": each.at.isoformat(),
                    "recorded_at": each.recorded_at.isoformat(),
                    "source": each.source.value,
                    "certainty": each.certainty,
                    "by": each.by,
                }
                for each in said
            ],
        },
        "bill": {
            "id": str(bill.id),
            "tariff_version_id": str(charge.tariff_version_id),
            "amount": bill.amount.as_json(),
            "paid_ahead": bill.applied.as_json(),
            "lines": [dict(line) for line in charge.lines],
            "issued_at": bill.issued_at.isoformat(),
            "due_at": bill.due_at.isoformat(),
            "left": bill.outstanding.as_json(),
        },
    }


def _of_arrears(case: Case) -> dict[str, Any]:
    return {
        "policy": {
            "source": case.policy.source,
            "days_to_pay": case.policy.days_to_pay,
            "steps": [step.as_json() for step in case.policy.steps],
        },
        "steps": [
            {"kind": step.kind.value, "taken_at": step.taken_at.isoformat()}
            for step in case.steps
            if not step.left_out
        ],
        "notices": [
            {
                "id": str(each.id),
                "kind": each.kind.value,
                "medium": each.medium.value,
                "text": each.text,
                "state": each.state.value,
                "sent_at": each.sent_at.isoformat() if each.sent_at else None,
                "delivered_at": each.delivered_at.isoformat() if each.delivered_at else None,
                "provider": each.provider,
                "provider_no": each.provider_no,
                "proof": dict(each.proof) if each.proof else None,
            }
            for each in case.notices
        ],
        "penalties": [
            {
                "amount": each.amount.as_json(),
                "at": each.at.isoformat(),
                "reason": each.reason,
            }
            for each in case.penalties
        ],
        "adjustments": [
            {
                "amount": each.amount.as_json(),
                "at": each.made_at.isoformat(),
                "reason": each.reason,
                "role": each.role,
            }
            for each in case.adjustments
        ],
        "payments": [
            {
                "channel": each.channel,
                "amount": each.amount.as_json(),
                "at": each.taken_at.isoformat(),
            }
            for each in case.payments
        ],
    }


def _of_ledger(uow: UnitOfWork, case: Case) -> list[dict[str, Any]]:
    subjects = [
        case.bill.id,
        *(each.id for each in case.penalties),
        *(each.id for each in case.adjustments),
        *(each.id for each in case.moves),
        *(each.id for each in case.payments),
    ]
    return [
        {
            "id": str(entry.id),
            "at": entry.at.isoformat(),
            "kind": entry.kind.value,
            "postings": [
                {"account": posting.account.code, **posting.amount.as_json()}
                for posting in entry.postings
            ],
        }
        for entry in ledger.entries_about(uow.connection, subjects)
    ]
