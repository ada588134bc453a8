"""Bills that are not paid in time: what is done when, by each region's policy.

Pure. A dispute stops the clock: a disputed bill takes no step, and when it stands after all its due
date has moved by as long as the dispute took. What follows for a driver ends with the platform's
own privileges, unless a policy names more.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Self
from uuid import UUID

from pydantic import JsonValue

from city.errors import Conflict, Forbidden, Invalid
from city.identifiers import BillId, uuid7
from city.money import Money
from payments.rules.bills import DAYS_TO_PAY, Bill, BillState, check_payable

WHOLE_BP: Final = 10_000
MOST_DAYS: Final = 3650
CASH_STEPS_MINOR: Final = (1, 10, 50, 100)
"""What cash is taken in: a fen (nothing is rounded), a jiao, five jiao, a yuan."""
MOST_STEPS: Final = 20
SHORTEST_REASON: Final = 3
LONGEST_REASON: Final = 500
LOWERS_MINOR: Final[Mapping[str, int | None]] = MappingProxyType(
    {"operator": 5_000, "finance": None}
)
"""What each role takes off a bill at most, in all; None: what is left."""


class StepKind(StrEnum):
    """What is done about a bill."""

    REMINDER = "reminder"
    NOTICE = "notice"
    """In the form that a court asks for: its delivery is proven."""
    PENALTY = "penalty"
    COURT = "court"
    """The bill is ready for a court: its file can be drawn up."""


class Medium(StrEnum):
    """How a driver is told."""

    MESSAGE = "message"
    LETTER = "letter"
    SLIP = "slip"
    """Printed by an attendant and left on the vehicle."""


class Privilege(StrEnum):
    """What a driver with arrears loses: the platform's own favours."""

    LEAVE_FIRST = "leave-first"
    """To leave first and pay later, where a gate can ask for it. A car is never detained."""
    RESERVE = "reserve"
    PERMIT = "permit"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a policy.

    Parameters
    ----------
    kind : StepKind
    days : int
        After the due date; negative: before it.
    media : tuple of Medium
        How a reminder or notice goes out; empty of the others.
    share_bp : int
        Of a penalty: hundredths of a percent of what is left of the fee; rounded down.
    most_minor : int or None
        Of a penalty: at most so much.
    """

    kind: StepKind
    days: int
    media: tuple[Medium, ...] = ()
    share_bp: int = 0
    most_minor: int | None = None

    def __post_init__(self) -> None:
        if not -MOST_DAYS <= self.days <= MOST_DAYS:
            raise Invalid(f"must lie between -{MOST_DAYS} and {MOST_DAYS}", field="steps.days")
        told = self.kind in {StepKind.REMINDER, StepKind.NOTICE}
        if told != bool(self.media) or len(set(self.media)) != len(self.media):
            raise Invalid(
                "reminders and notices name how they go out, once each; others do not",
                field="steps.media",
            )
        if (self.kind is StepKind.PENALTY) != (0 < self.share_bp <= WHOLE_BP):
            raise Invalid("is a penalty's share, 1 to 10000", field="steps.share_bp")
        if self.most_minor is not None and self.most_minor <= 0:
            raise Invalid("must be above zero", field="steps.most_minor")
        if self.days <= 0 and self.kind is not StepKind.REMINDER:
            raise Invalid("only reminders go out before a bill is overdue", field="steps.days")

    def as_json(self) -> dict[str, JsonValue]:
        """Give it as it is stored."""
        return {
            "kind": self.kind.value,
            "days": self.days,
            "media": [each.value for each in self.media],
            "share_bp": self.share_bp,
            "most_minor": self.most_minor,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, JsonValue]) -> Self:
        """Read what `as_json` wrote."""
        days, share_bp, most = value["days"], value["share_bp"], value["most_minor"]
        media = value["media"]
        if (
            not isinstance(days, int)
            or not isinstance(share_bp, int)
            or not isinstance(media, list)
            or not (most is None or isinstance(most, int))
        ):
            raise Invalid("is no step", field="steps")
        named = tuple(Medium(str(each)) for each in media)
        return cls(StepKind(str(value["kind"])), days, named, share_bp, most)


@dataclass(frozen=True, slots=True)
class ArrearsPolicy:
    """What a region rules about bills that are not paid.

    Parameters
    ----------
    days_to_pay : int
        From departure.
    steps : tuple of Step
        In the order of their days.
    privileges : frozenset of Privilege
        What a driver with overdue bills loses.
    source : str
        The rule or decision that says so.
    cash_step_minor : int
        In steps of what cash is taken: all that is left is rounded down to it. One of
        `CASH_STEPS_MINOR`; 1 rounds nothing.
    """

    days_to_pay: int
    steps: tuple[Step, ...]
    privileges: frozenset[Privilege]
    source: str
    cash_step_minor: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.days_to_pay <= MOST_DAYS:
            raise Invalid(f"must lie between 0 and {MOST_DAYS}", field="days_to_pay")
        if self.cash_step_minor not in CASH_STEPS_MINOR:
            raise Invalid("must be a fen, a jiao, five jiao or a yuan", field="cash_step_minor")
        if not self.source.strip() or len(self.source) > LONGEST_REASON:
            raise Invalid("names the rule that it follows", field="source")
        if len(self.steps) > MOST_STEPS:
            raise Invalid(f"has at most {MOST_STEPS} steps", field="steps")
        days = [step.days for step in self.steps]
        if days != sorted(days):
            raise Invalid("must be in the order of their days", field="steps")


DEFAULT_POLICY: Final = ArrearsPolicy(
    days_to_pay=DAYS_TO_PAY,
    steps=(
        Step(StepKind.REMINDER, -3, (Medium.MESSAGE,)),
        Step(StepKind.REMINDER, 7, (Medium.MESSAGE, Medium.SLIP)),
        Step(StepKind.NOTICE, 30, (Medium.MESSAGE, Medium.LETTER, Medium.SLIP)),
        Step(StepKind.COURT, 90),
    ),
    privileges=frozenset({Privilege.LEAVE_FIRST, Privilege.RESERVE}),
    source="Practice of Chinese kerb parking: remind, give notice, then a court; no penalty without"
    " a rule of the region",
)
"""Where no region rules otherwise."""


@dataclass(frozen=True, slots=True)
class Penalty:
    """What a step adds to a bill."""

    id: UUID
    bill_id: BillId
    amount: Money
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What somebody takes off a bill, and why."""

    id: UUID
    bill_id: BillId
    amount: Money
    reason: str
    role: str
    made_at: datetime
    made_by: str


class WriteOffState(StrEnum):
    """How a wish to give a bill up stands."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class WriteOff:
    """A wish to give up what is left of a bill; done when a second person agrees."""

    id: UUID
    bill_id: BillId
    state: WriteOffState
    amount: Money
    reason: str
    asked_at: datetime
    asked_by: str
    decided_at: datetime | None = None
    decided_by: str | None = None


def is_overdue(bill: Bill, now: datetime) -> bool:
    """Say whether a bill is open past its due date; a disputed one is not, its clock stands."""
    return bill.state is BillState.OPEN and now > bill.due_at


def due_at_once(bill: Bill, now: datetime) -> Bill:
    """Give a bill as due now; one that is due, frozen or over stays as it is."""
    if bill.state is not BillState.OPEN or bill.due_at <= now:
        return bill
    return replace(bill, due_at=max(now, bill.issued_at))


def steps_due(
    bill: Bill, policy: ArrearsPolicy, taken: Collection[int], now: datetime
) -> tuple[int, ...]:
    """Give the places of the steps that are to be taken of a bill now.

    Of several reminders that are due at once the last alone goes out: nobody is told three times in
    a minute because a server stood still.

    Parameters
    ----------
    bill : Bill
    policy : ArrearsPolicy
    taken : collection of int
        Places of the steps that were taken, or left out.
    now : datetime
    """
    if bill.state is not BillState.OPEN or not bill.outstanding:
        return ()
    due = [
        place
        for place, step in enumerate(policy.steps)
        if place not in taken and now >= bill.due_at + timedelta(days=step.days)
    ]
    reminders = [place for place in due if policy.steps[place].kind is StepKind.REMINDER]
    # A notice says more than a reminder: it makes those before it needless.
    later = [place for place in due if policy.steps[place].kind is StepKind.NOTICE]
    last = max([*reminders, *later], default=-1)
    return tuple(place for place in due if place not in reminders or place == last)


def steps_left_out(due: Sequence[int], taken: Collection[int]) -> tuple[int, ...]:
    """Give the places before the last of those due that are neither due nor taken: needless now."""
    return tuple(
        place for place in range(max(due, default=0)) if place not in due and place not in taken
    )


def next_step_at(bill: Bill, policy: ArrearsPolicy, taken: Collection[int]) -> datetime | None:
    """Say when the next step of a bill is due; None where none is left."""
    days = [step.days for place, step in enumerate(policy.steps) if place not in taken]
    return bill.due_at + timedelta(days=min(days)) if days else None


def penalty_of(bill: Bill, step: Step, at: datetime) -> Penalty | None:
    """Give what a penalty step adds: a share of what is left of the fee; None where it is nothing.

    Penalties bear no penalties.
    """
    minor = _penalty_minor(max(0, bill.outstanding.minor - bill.penalty_minor), step)
    if minor <= 0:
        return None
    reason = f"{step.share_bp / 100:g} % of what was left {step.days} days after the due date"
    return Penalty(uuid7(), bill.id, Money(minor, bill.amount.currency), at, reason)


def _penalty_minor(left_minor: int, step: Step) -> int:
    minor = left_minor * step.share_bp // WHOLE_BP
    return minor if step.most_minor is None else min(minor, step.most_minor)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """When a step of a bill that nobody pays will be taken, and what it will add."""

    step: Step
    at: datetime
    penalty: Money | None


def foreseen(
    policy: ArrearsPolicy, issued_at: datetime, fee: Money
) -> tuple[datetime, tuple[Foreseen, ...]]:
    """Say when a bill of an instant is due, and what follows where nothing of it is paid.

    Raises
    ------
    Invalid
        Where that lies past what a calendar has.
    """
    try:
        due_at = issued_at + timedelta(days=policy.days_to_pay)
        steps = tuple(
            Foreseen(
                step,
                due_at + timedelta(days=step.days),
                Money(_penalty_minor(fee.minor, step), fee.currency)
                if step.kind is StepKind.PENALTY
                else None,
            )
            for step in policy.steps
        )
    except OverflowError:
        raise Invalid("lies too far ahead", field="from_at") from None
    return due_at, steps


def adjustment_of(  # noqa: PLR0917 - of which bill, what, why, when, by whom in which role
    bill: Bill, amount: Money, reason: str, at: datetime, by: str, role: str
) -> Adjustment:
    """Take an amount off a bill.

    Raises
    ------
    Forbidden
        Where the role may not take off so much, by `LOWERS_MINOR`.
    Invalid
        Without a reason.
    """
    if role not in LOWERS_MINOR:
        raise Forbidden("your roles do not allow this", roles_needed=[*sorted(LOWERS_MINOR)])
    most_minor = LOWERS_MINOR[role]
    if most_minor is not None and bill.lowered_minor + amount.minor > most_minor:
        raise Forbidden(
            "is more than your role takes off: ask the finance desk",
            reason="above-limit",
            most_minor=most_minor,
        )
    return Adjustment(uuid7(), bill.id, amount, reason_given(reason), role, at, by)


def write_off_of(bill: Bill, reason: str, at: datetime, by: str) -> WriteOff:
    """Ask for what is left of a bill to be given up; Conflict where it is not open."""
    check_payable(bill)
    return WriteOff(
        uuid7(), bill.id, WriteOffState.ASKED, bill.outstanding, reason_given(reason), at, by
    )


def check_decision(write_off: WriteOff, bill: Bill, by: str, *, approve: bool) -> None:
    """Refuse to decide twice, about one's own wish, or about another amount than was asked for.

    Raises
    ------
    Conflict
        Where it is decided, or the bill has changed since.
    Forbidden
        Where who asked decides.
    """
    if write_off.state is not WriteOffState.ASKED:
        raise Conflict("is decided already", field="write_off_id", reason=write_off.state.value)
    if write_off.asked_by == by:
        raise Forbidden("a second person decides", reason="own-act")
    if approve and bill.outstanding != write_off.amount:
        raise Conflict("the bill has changed since: ask anew", field="bill_id", reason="changed")


def reason_given(text: str) -> str:
    """Give a reason without the space around it; Invalid where it says nothing or too much."""
    said = text.strip()
    if not SHORTEST_REASON <= len(said) <= LONGEST_REASON:
        raise Invalid(
            f"must say why, in {SHORTEST_REASON} to {LONGEST_REASON} characters", field="reason"
        )
    return said
