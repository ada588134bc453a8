"""Reminders and notices of unpaid bills: what they say, and what sends them.

What goes out names no plate: whoever gets it knows their vehicle, a wrong reader
learns nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from city.identifiers import BillId, VehicleId
from payments.rules.arrears import Medium, StepKind
from payments.rules.bills import Bill

CHINA = ZoneInfo("Asia/Shanghai")


class NoticeState(StrEnum):
    """How a notice stands."""

    WAITING = "waiting"
    """For a sender, or, a slip, for an attendant who meets the vehicle."""
    SENT = "sent"
    """A sender took it; that it arrived is not proven."""
    DELIVERED = "delivered"
    """It arrived, and the proof is kept."""
    FAILED = "failed"
    """It cannot arrive: nobody is known to send it to, say."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One reminder or notice by one medium.

    Parameters
    ----------
    id : UUID
        The number that a sender is to send it once under.
    bill_id : BillId
    vehicle_id : VehicleId
        Whom a letter finds its addressee by: a sender asks the register of vehicles.
    place : int
        Which step of the policy it belongs to.
    kind : StepKind
    medium : Medium
    accounts : tuple of str
        Accounts of drivers who use the vehicle: whom a message goes to.
    text : str
        In both languages.
    state : NoticeState
    made_at : datetime
    sent_at, delivered_at : datetime or None
    provider, provider_no : str
        Who sent it and under which number of theirs; empty before.
    proof : mapping
        What shows that it arrived.
    """

    id: UUID
    bill_id: BillId
    vehicle_id: VehicleId
    place: int
    kind: StepKind
    medium: Medium
    accounts: tuple[str, ...]
    text: str
    state: NoticeState
    made_at: datetime
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    provider: str = ""
    provider_no: str = ""
    proof: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a sender says of a notice.

    Parameters
    ----------
    state : NoticeState
        `SENT`, `DELIVERED` or `FAILED`.
    at : datetime
        When.
    number : str
        The sender's own.
    proof : mapping
        Of delivery, as far as there is one.
    """

    state: NoticeState
    at: datetime
    number: str
    proof: Mapping[str, JsonValue]


class NoticeSender(Protocol):
    """What sends messages and letters. It decides nothing."""

    @property
    def name(self) -> str:
        """Who sends, as the record names it."""
        ...

    def send(self, notice: Notice) -> Receipt:
        """Send a notice, once under its id however often this is called.

        Called outside of any transaction; the receipt is kept afterwards. May raise
        ``Unavailable``: it is tried again later.
        """
        ...


def text_of(bill: Bill, kind: StepKind, names: Mapping[str, str], now: datetime) -> str:
    """Write a reminder or a notice, in Chinese and in English.

    Parameters
    ----------
    bill : Bill
    kind : StepKind
        `REMINDER` or `NOTICE`.
    names : mapping
        The facility's, by ``zh`` and ``en``.
    now : datetime
        What is overdue by then is said to be.
    """
    left, number = bill.outstanding, str(bill.id)[-12:]
    due = bill.due_at.astimezone(CHINA)
    stayed = bill.issued_at.astimezone(CHINA)
    overdue_days = max(0, (now - bill.due_at).days)
    notice = kind is StepKind.NOTICE
    zh = (
        f"{'催缴通知书' if notice else '缴费提醒'}（账单 {number}）："
        f"您的车辆 {stayed:%Y-%m-%d} 在{names.get('zh', '')}的停车费 {left.text('zh')} "
        + (f"已逾期 {overdue_days} 天，" if overdue_days else f"应于 {due:%Y-%m-%d} 前支付，")
        + ("逾期不缴将依法追缴。" if notice else "请及时支付。")
        + "对账单有异议可以申诉，申诉期间不计逾期。"
    )
    en = (
        f"{'Notice of arrears' if notice else 'Reminder'} (bill {number}): "
        f"{left.text('en')} for parking at {names.get('en', '')} on {stayed:%Y-%m-%d} "
        + (
            f"has been overdue for {overdue_days} day{'s' if overdue_days != 1 else ''}. "
            if overdue_days
            else f"is due by {due:%Y-%m-%d}. "
        )
        + ("If it stays unpaid it will be recovered by law. " if notice else "Please pay it. ")
        + "You can dispute the bill; no time runs while you do."
    )
    return f"{zh}\n{en}"
