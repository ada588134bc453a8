"""What was paid for a stay before it was billed: what of it is left, and paying that back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from city.errors import Conflict
from city.identifiers import OperatorId, ParkingSessionId, uuid7
from city.money import Money


@dataclass(frozen=True, slots=True)
class PaidAhead:
    """What was paid for a stay, and its parts, ahead of its bill; in one currency."""

    paid: tuple[tuple[datetime, int], ...] = ()
    """Until when each payment covers the stay, and its minor units; the earliest first."""
    applied_minor: int = 0
    """What the stay's bill took over; nothing while there is none."""
    refunded_minor: int = 0

    @property
    def kept(self) -> tuple[tuple[datetime, int], ...]:
        """What was paid and not paid back: refunds are taken off what was paid last."""
        rest_minor = self.refunded_minor
        kept: list[tuple[datetime, int]] = []
        for until_at, minor in reversed(self.paid):
            taken_minor = min(minor, rest_minor)
            rest_minor -= taken_minor
            if minor > taken_minor:
                kept.append((until_at, minor - taken_minor))
        return tuple(reversed(kept))

    @property
    def left_minor(self) -> int:
        """What neither a bill took over nor went back."""
        return sum(minor for _, minor in self.paid) - self.applied_minor - self.refunded_minor


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that went back to a driver."""

    id: UUID
    session_id: ParkingSessionId
    operator_id: OperatorId
    channel: str
    amount: Money
    refunded_at: datetime
    refunded_by: str


def refund_in_cash(  # noqa: PLR0917 - of which stay, at whose facility, what, when and by whom
    session_id: ParkingSessionId,
    operator_id: OperatorId,
    ahead: PaidAhead,
    currency: str,
    at: datetime,
    by: str,
) -> Refund:
    """Pay all back that is left; Conflict where nothing is."""
    if ahead.left_minor <= 0:
        raise Conflict("nothing is left to be paid back", field="session_id", reason="nothing-left")
    amount = Money(ahead.left_minor, currency)
    return Refund(uuid7(), session_id, operator_id, "cash", amount, at, by)


def in_order(paid: Sequence[tuple[datetime, int]]) -> tuple[tuple[datetime, int], ...]:
    """Give payments in the order of the time that they cover."""
    return tuple(sorted(paid))
