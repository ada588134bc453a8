"""What the payments room announces."""

from typing import ClassVar

from city.events.base import BusinessEvent, UtcInstant
from city.identifiers import BillId, FacilityId, ParkingSessionId, PaymentId, VehicleId
from city.money import Money


class BillIssued(BusinessEvent):
    """A closed stay became a debt with a due date."""

    type: ClassVar[str] = "payments.bill-issued"
    version: ClassVar[int] = 1

    bill_id: BillId
    session_id: ParkingSessionId
    facility_id: FacilityId
    vehicle_id: VehicleId
    amount: Money
    due_at: UtcInstant


class StayPaidAhead(BusinessEvent):
    """A stay that goes on was paid for online, up to an instant."""

    type: ClassVar[str] = "payments.stay-paid-ahead"
    version: ClassVar[int] = 1

    bill_id: BillId
    session_id: ParkingSessionId
    amount: Money
    covers_until_at: UtcInstant


class BillSettled(BusinessEvent):
    """A bill was paid in full."""

    type: ClassVar[str] = "payments.bill-settled"
    version: ClassVar[int] = 1

    bill_id: BillId
    session_id: ParkingSessionId
    facility_id: FacilityId
    payment_id: PaymentId | None
    """The payment that settled it; None where there was nothing to pay."""
    amount: Money
    channel: str
    """How it was paid: ``cash``, ``wechat``…; ``none`` where there was nothing to pay."""
