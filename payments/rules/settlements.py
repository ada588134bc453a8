"""What a channel pays out for one of its days: what it took, less what went back and its fees.

The fee is the channel's word, row by row, and no rate of ours: what it should have been is
reconciliation's question.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from city.errors import Conflict
from city.identifiers import uuid7
from city.money import Money
from payments.rules.channel_bills.lines import CURRENCY, Bill, LineKind, LineStatus
from payments.rules.channels import Channel


@dataclass(frozen=True, slots=True)
class Settlement:
    """One channel's day for one merchant; it is settled once.

    Parameters
    ----------
    id : UUID
    channel, merchant, day
        Whose bill it is; the day is China's.
    paid, refunded : Money
        What payers paid, and what went back to them.
    fee : Money
        What the channel kept, less what it gave back with refunds.
    settled_at, settled_by
        When we took it over, and who.
    """

    id: UUID
    channel: Channel
    merchant: str
    day: date
    paid: Money
    refunded: Money
    fee: Money
    settled_at: datetime
    settled_by: str

    @property
    def net(self) -> Money:
        """What reaches the bank; below zero where the channel asks for it."""
        return self.paid - self.refunded - self.fee


def settlement_of(  # noqa: PLR0917 - whose bill of which day, taken over when and by whom
    channel: Channel, merchant: str, bill: Bill | None, day: date, at: datetime, by: str
) -> Settlement:
    """Add a day's bill up; ``None`` is the bill of a day without a row.

    Raises
    ------
    Conflict
        Where the bill is not complete, or holds rows of another merchant or currency: it is
        cleared up first, and nothing is posted by half.
    """
    lines = () if bill is None else bill.lines
    if bill is not None and not bill.complete:
        raise Conflict("the bill has rows that cannot be read, or sums that disagree", field="bill")
    if any(line.amount.currency != CURRENCY for line in lines):
        raise Conflict("the bill has rows in another currency", field="bill")
    if any(line.merchant not in {"", merchant} for line in lines):
        raise Conflict("the bill has rows of another merchant", field="bill")
    counted = [line for line in lines if line.status is not LineStatus.FAILED]
    paid = [line.amount for line in counted if line.kind is LineKind.PAYMENT]
    back = [line.amount for line in counted if line.kind is not LineKind.PAYMENT]
    return Settlement(
        uuid7(),
        channel,
        merchant,
        day,
        Money.total(paid, CURRENCY),
        Money.total(back, CURRENCY),
        Money.total([line.fee for line in counted], CURRENCY),
        at,
        by,
    )
