"""Stays, bills, disputes and evidence as responses carry them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from parking.services import places
from payments import disputes
from payments import services as payments
from web.api.lines import bill_lines
from web.api.plates import masked_plates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from city.identifiers import VehicleId
    from parking.rules.evidence import Evidence
    from parking.rules.stays import ParkingSession
    from parking.store.places import Facility
    from payments.rules.advances import Refund
    from payments.rules.bills import Bill, Payment
    from payments.rules.disputes import Dispute

    Plates = Mapping[VehicleId, dict[str, Any]]


STAFF_FACTS: Final = frozenset({"device_id", "was", "bill_id"})
"""Members of evidence that name devices, vehicles and papers by ids: nothing to a driver."""


def shown_session(session: ParkingSession, plate: dict[str, Any] | None) -> dict[str, Any]:
    """Return a stay."""
    stay = session.stay
    return {
        "id": session.id,
        "bay_id": session.bay_id,
        "bay_label": session.bay_label,
        "facility_id": session.facility_id,
        "state": stay.state.value,
        "opened_at": stay.opened_at,
        "closed_at": stay.closed_at,
        "closing_reason": stay.closing_reason.value if stay.closing_reason else None,
        "uncertain_from_at": stay.uncertain_from_at,
        "plate": plate,
        "attached_at": stay.attached_at,
        "bill_id": session.bill_id,
        "hold": stay.hold.value if stay.hold else None,
        "set_aside": stay.set_aside.value if stay.set_aside else None,
        "exempt": session.exempt,
        "part_of": stay.part_of,
        "part_kind": stay.part_kind.value if stay.part_kind else None,
        "planned_until_at": stay.planned_until_at,
        "paid_until_at": stay.paid_until_at,
    }


def shown_of(session: ParkingSession, plates: Plates) -> dict[str, Any]:
    """Return a stay of a list, with its plate among others'."""
    vehicle_id = session.stay.vehicle_id
    return shown_session(session, plates.get(vehicle_id) if vehicle_id else None)


def shown_dispute(dispute: Dispute) -> dict[str, Any]:
    """Return a dispute."""
    return {
        "id": dispute.id,
        "bill_id": dispute.bill_id,
        "state": dispute.state.value,
        "ground": dispute.ground.value,
        "words": dispute.words,
        "opened_at": dispute.opened_at,
        "resolved_at": dispute.resolved_at,
        "answer": dispute.answer,
    }


def names_of(facility: Facility | None) -> dict[str, str] | None:
    """Return a facility's names."""
    return {"zh": facility.name_zh, "en": facility.name_en} if facility else None


def shown_bill(
    bill: Bill,
    facility: Facility | None,
    plate: dict[str, Any] | None,
    dispute: Dispute | None,
    payment: Payment | None,
) -> dict[str, Any]:
    """Return a bill with its lines in words."""
    return {
        "id": bill.id,
        "session_id": bill.charge.session_id,
        "facility_id": bill.charge.facility_id,
        "facility": names_of(facility),
        "state": bill.state.value,
        "amount": bill.amount.as_json(),
        "outstanding": bill.outstanding.as_json(),
        "in_cash": bill.in_cash.as_json(),
        "paid": _of(bill, bill.paid_minor),
        "lowered": _of(bill, bill.lowered_minor),
        "penalty": _of(bill, bill.penalty_minor),
        "refunded": _of(bill, bill.refunded_minor),
        "lines": bill_lines(bill.charge.lines, bill.amount.currency),
        "paid_ahead": bill.applied.as_json(),
        "plate": plate,
        "issued_at": bill.issued_at,
        "due_at": bill.due_at,
        "paid_at": bill.paid_at,
        "covers_until_at": bill.charge.covers_until_at,
        "dispute": None if dispute is None else shown_dispute(dispute),
        "payment": None
        if payment is None
        else {
            "channel": payment.channel,
            "amount": payment.amount.as_json(),
            "rounded": _of(bill, payment.rounded_minor),
            "received_at": payment.taken_at,
        },
    }


def _of(bill: Bill, minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": bill.amount.currency}


def shown_payment(payment: Payment) -> dict[str, Any]:
    """Return a payment with its change."""
    return {
        "id": payment.id,
        "bill_id": payment.bill_id,
        "channel": payment.channel,
        "amount": payment.amount.as_json(),
        "rounded": (payment.amount - payment.taken).as_json(),
        "tendered": payment.tendered.as_json(),
        "change": payment.change.as_json(),
        "received_at": payment.taken_at,
    }


def shown_refund(done: Refund) -> dict[str, Any]:
    """Return what went back."""
    return {
        "id": done.id,
        "session_id": done.session_id,
        "channel": done.channel,
        "amount": done.amount.as_json(),
        "refunded_at": done.refunded_at,
    }


def shown_bills(connection: Connection, found: Sequence[Bill]) -> list[dict[str, Any]]:
    """Return the bills of a list with masked plates: four statements, whatever their number."""
    ids = [each.id for each in found]
    facilities = places.facilities_by_id(connection, {each.charge.facility_id for each in found})
    plates = masked_plates(connection, (each.charge.vehicle_id for each in found))
    disputed = disputes.of_bills(connection, ids)
    paid = payments.payments_of_bills(connection, ids)
    return [
        shown_bill(
            each,
            facilities.get(each.charge.facility_id),
            plates.get(each.charge.vehicle_id),
            disputed.get(each.id),
            paid.get(each.id),
        )
        for each in found
    ]


def shown_evidence(said: Evidence, plates: Plates, *, names: bool) -> dict[str, Any]:
    """Return what was said; without `names` neither by whom nor which device, for drivers."""
    return {
        "id": said.id,
        "session_id": said.session_id,
        "facility_id": said.facility_id,
        "kind": said.kind.value,
        "at": said.at,
        "recorded_at": said.recorded_at,
        "source": said.source.value,
        "certainty": said.certainty,
        "by": said.by if names else None,
        "plate": plates.get(said.vehicle_id) if said.vehicle_id else None,
        "read_as": plates.get(said.read_as) if said.read_as else None,
        "detail": {
            name: value for name, value in said.detail.items() if names or name not in STAFF_FACTS
        },
    }
