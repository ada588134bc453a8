"""What a channel's bill says, whatever its format."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Final

from city.errors import Invalid
from city.money import Money

CHINA: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""The zone of every channel's day; it has no summer time."""
CURRENCY: Final = "CNY"
_TIME: Final = "%Y-%m-%d %H:%M:%S"
_TIME_LETTERS: Final = len("2026-03-02 09:00:00")
_AHEAD: Final = timedelta(hours=8)


class LineKind(StrEnum):
    """What a row records."""

    PAYMENT = "payment"
    REFUND = "refund"
    VOID = "void"
    """A payment taken back whole on the day it was made."""


class LineStatus(StrEnum):
    """How far the channel was with it when the bill was written."""

    DONE = "done"
    PROCESSING = "processing"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class BillLine:
    """One row of a bill.

    Parameters
    ----------
    kind : LineKind
        Payment, refund or void.
    order_no : str
        Our number of the order.
    channel_no : str
        The channel's number of the payment.
    amount : Money
        What the payer paid or got back; never negative.
    fee : Money
        What the channel charges us for it; negative where it gives a fee back.
    at : datetime
        When, in UTC.
    merchant : str
        Merchant number, or the channel's account number.
    status : LineStatus
        As the bill states it.
    refund_no, channel_refund_no : str
        Our number of the refund and the channel's; empty on a payment.
    """

    kind: LineKind
    order_no: str
    channel_no: str
    amount: Money
    fee: Money
    at: datetime
    merchant: str
    status: LineStatus = LineStatus.DONE
    refund_no: str = ""
    channel_refund_no: str = ""


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A row that could not be read: quarantined, never guessed."""

    number: int
    """Line of the file, counted from 1."""
    reason: str
    """One sentence; holds nothing of the row."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums that a bill states about itself or that its rows give."""

    rows: int
    paid_minor: int
    refunded_minor: int


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill as read.

    ``stated`` is None where the format states no totals. A bill with rejected rows, or whose
    totals disagree with its rows, is not complete: no difference may be concluded from what is
    missing in it.
    """

    lines: tuple[BillLine, ...]
    rejected: tuple[RejectedLine, ...]
    stated: Totals | None

    @property
    def complete(self) -> bool:
        """Whether every row was read and the totals agree."""
        return not self.rejected and self.stated in (None, totals(self.lines))


def totals(lines: Iterable[BillLine]) -> Totals:
    """Add rows up."""
    rows = paid_minor = refunded_minor = 0
    for line in lines:
        rows += 1
        if line.kind is LineKind.PAYMENT:
            paid_minor += line.amount.minor
        else:
            refunded_minor += line.amount.minor
    return Totals(rows, paid_minor, refunded_minor)


def local_text(at: datetime) -> str:
    """Write an instant as bills do: ``2026-03-02 09:00:00`` in China's time."""
    return at.astimezone(CHINA).strftime(_TIME)


def local_instant(text: str, field: str) -> datetime:
    """Read ``2026-03-02 09:00:00`` in China's time; Invalid names the column."""
    # The marks in their places leave one form of the many that the library reads, forty times
    # faster than by a pattern.
    if len(text) != _TIME_LETTERS or text[4:17:3] != "-- ::":
        raise Invalid("is not a time", field=field)
    try:
        return (datetime.fromisoformat(text) - _AHEAD).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Invalid("is not a time", field=field) from None


def yuan(text: str, field: str, currency: str = CURRENCY) -> Money:
    """Read an amount in yuan, or another currency of two decimals, exactly.

    Up to five decimals where those past the second are zero.
    """
    whole, dot, decimals = text.partition(".")
    if dot and len(decimals) > 2 and not decimals[2:].strip("0"):  # noqa: PLR2004 - fen
        text = f"{whole}.{decimals[:2]}"
    return Money.from_decimal(text, currency, field)


def free_text(text: str, forbidden: str) -> str:
    """Make a text fit for a cell: what would break the row becomes a space."""
    return "".join(" " if letter in forbidden or not letter.isprintable() else letter
                   for letter in text)  # fmt: skip


def read_rows(
    rows: Iterable[tuple[int, bytes]], encoding: str, parse: Callable[[str], BillLine]
) -> tuple[list[BillLine], list[RejectedLine]]:
    """Read numbered rows one by one; a bad one is named and the rest go on."""
    lines: list[BillLine] = []
    rejected: list[RejectedLine] = []
    for number, row in rows:
        try:
            lines.append(parse(row.decode(encoding)))
        except UnicodeDecodeError:
            rejected.append(RejectedLine(number, f"is not {encoding.upper()}"))
        except Invalid as error:
            rejected.append(RejectedLine(number, str(error)))
    return lines, rejected


def of_day(lines: Sequence[BillLine], day: date) -> list[BillLine]:
    """Choose the rows of one of China's days."""
    return [line for line in lines if line.at.astimezone(CHINA).date() == day]
