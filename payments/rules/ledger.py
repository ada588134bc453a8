"""The ledger's language: accounts, entries and postings, balanced by construction.

A posting's amount is signed: debits are positive, credits negative, so that the postings of an
entry sum to zero in each currency. Nothing is edited: what was wrong is reversed by an entry of
its own.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from city.errors import Invalid
from city.identifiers import DistrictCode, OperatorId, uuid7
from city.money import Money


class AccountKind(StrEnum):
    """What an account holds."""

    CASH = "cash"
    """Banknotes and coins in an attendant's hands."""
    RECEIVABLE = "receivable"
    """What drivers owe for an operator's facilities and is not overdue."""
    ARREARS = "arrears"
    """What drivers owe for an operator's facilities past the day on which it was due."""
    ADVANCE = "advance"
    """What drivers paid ahead at an operator's facilities: owed back until the stay is billed."""
    REVENUE = "revenue"
    """What an operator has earned, at commercial facilities."""
    TREASURY = "treasury"
    """Non-tax revenue that belongs to a district's treasury, all of it."""
    CLEARING = "clearing"
    """What an online channel took for us and has not paid out."""
    SURPLUS = "surplus"
    """What came through an online channel and nothing was owed for: it goes back."""
    PLATFORM = "platform"
    """What a platform earns of commercial fees, by contract."""
    LAND_OWNER = "land_owner"
    """What the owner of the ground earns of commercial fees, by contract."""
    WRITTEN_OFF = "written_off"
    """What an operator's facilities will not get any more."""
    SUSPENSE = "suspense"
    """What a channel's bill and our record do not agree about, until that is cleared up."""
    FEES = "fees"
    """What an online channel kept of what it took for us."""
    BANK = "bank"
    """What an online channel paid out to us."""
    STORED_VALUE = "stored_value"
    """What a parking card holds: owed to who holds the card."""
    ROUNDING = "rounding"
    """What an operator's facilities did not ask for in cash, below what can be handed over."""
    TILL = "till"
    """Banknotes and coins in a district's cash office."""
    OVER_SHORT = "over_short"
    """What an attendant's counts were short of the ledger (debit), or over it (credit)."""


EARNED: Final = frozenset(
    {AccountKind.REVENUE, AccountKind.TREASURY, AccountKind.PLATFORM, AccountKind.LAND_OWNER}
)
"""What fees are earned on."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account: a kind and whose it is."""

    kind: AccountKind
    holder: str

    @property
    def code(self) -> str:
        """Name of the account: ``cash:…``."""
        return f"{self.kind.value}:{self.holder}"


def cash_of(subject: str) -> Account:
    """Give the account of the cash that an attendant carries."""
    return Account(AccountKind.CASH, subject)


def till_of(district: DistrictCode) -> Account:
    """Give the account of the cash in a district's cash office."""
    return Account(AccountKind.TILL, district)


def over_short_of(subject: str) -> Account:
    """Give the account of what an attendant's counts differed from the ledger by."""
    return Account(AccountKind.OVER_SHORT, subject)


def receivable_of(operator_id: OperatorId) -> Account:
    """Give the account of what drivers owe an operator's facilities and is not overdue."""
    return Account(AccountKind.RECEIVABLE, str(operator_id))


def arrears_of(operator_id: OperatorId) -> Account:
    """Give the account of what drivers owe an operator's facilities and should have paid."""
    return Account(AccountKind.ARREARS, str(operator_id))


def advance_of(operator_id: OperatorId) -> Account:
    """Give the account of what was paid ahead at an operator's facilities and is not billed yet."""
    return Account(AccountKind.ADVANCE, str(operator_id))


def clearing_of(channel: str) -> Account:
    """Give the account of what an online channel holds of ours."""
    return Account(AccountKind.CLEARING, channel)


def surplus_of(channel: str) -> Account:
    """Give the account of what goes back to payers through an online channel."""
    return Account(AccountKind.SURPLUS, channel)


def written_off_of(operator_id: OperatorId) -> Account:
    """Give the account of what an operator's facilities were owed and will not get."""
    return Account(AccountKind.WRITTEN_OFF, str(operator_id))


def rounding_of(operator_id: OperatorId) -> Account:
    """Give the account of what an operator's facilities rounded off when they took cash."""
    return Account(AccountKind.ROUNDING, str(operator_id))


def suspense_of(channel: str) -> Account:
    """Give the account of what is not cleared up with a channel."""
    return Account(AccountKind.SUSPENSE, channel)


def fees_of(channel: str) -> Account:
    """Give the account of what an online channel charges us."""
    return Account(AccountKind.FEES, channel)


def bank_of(channel: str) -> Account:
    """Give the account of what an online channel pays out."""
    return Account(AccountKind.BANK, channel)


def stored_value_of(card_id: UUID) -> Account:
    """Give the account of what a parking card holds."""
    return Account(AccountKind.STORED_VALUE, str(card_id))


def earned_by(revenue_nature: str, operator_id: OperatorId, district: DistrictCode) -> Account:
    """Give the account that a fee is earned on: it follows the nature of the facility's revenue.

    Raises
    ------
    Invalid
        On a nature that is not known: money never goes to a guessed account.
    """
    if revenue_nature == "commercial":
        return Account(AccountKind.REVENUE, str(operator_id))
    if revenue_nature == "public_non_tax":
        return Account(AccountKind.TREASURY, district)
    raise Invalid("is not a nature of revenue", field="revenue_nature")


class EntryKind(StrEnum):
    """What an entry records."""

    BILL = "bill"
    PAYMENT = "payment"
    REFUND = "refund"
    REVERSAL = "reversal"
    ADJUSTMENT = "adjustment"
    """A bill was lowered: less is owed, less was earned."""
    PENALTY = "penalty"
    """A bill was not paid in time: more is owed."""
    WRITE_OFF = "write_off"
    ARREARS = "arrears"
    """A bill fell overdue, or is overdue no more: its debt stands on the other account."""
    CORRECTION = "correction"
    """A difference from a channel's bill was resolved."""
    SETTLEMENT = "settlement"
    """A channel's day was taken over: what it paid out, and what it kept."""
    TOP_UP = "top_up"
    """Money came onto a parking card."""
    CARD = "card"
    """A parking card paid, was given back to, or handed over what it held to another."""
    HAND_OVER = "hand_over"
    """Cash went from hand to hand: from the office, to it, or between attendants."""
    COUNT = "count"
    """What an attendant counted at the end of a shift differs from the ledger."""
    DEPOSIT = "deposit"
    """A cash office brought cash to the bank."""


@dataclass(frozen=True, slots=True)
class Posting:
    """An amount on an account: positive debits it, negative credits it."""

    account: Account
    amount: Money


@dataclass(frozen=True, slots=True)
class Entry:
    """One indivisible change of the ledger.

    Raises
    ------
    Invalid
        Where the postings do not balance in each currency, or one of them is zero.
    """

    id: UUID
    at: datetime
    kind: EntryKind
    subject: UUID
    """The bill, the payment or the entry that it is about."""
    postings: tuple[Posting, ...]
    reason: str
    by: str
    reverses: UUID | None = None
    happened_at: datetime | None = None
    """When it happened, where that lies in a period that is closed: it stands in the open one."""

    def __post_init__(self) -> None:
        if len(self.postings) < 2:  # noqa: PLR2004 - double entry
            raise Invalid("an entry has two postings at least", field="postings")
        if not all(posting.amount for posting in self.postings):
            raise Invalid("a posting moves money", field="postings")
        left: dict[str, int] = {}
        for posting in self.postings:
            amount = posting.amount
            left[amount.currency] = left.get(amount.currency, 0) + amount.minor
        for currency, minor in left.items():
            if minor:
                raise Invalid(f"the postings in {currency} do not balance", field="postings")


def reversal_of(entry: Entry, at: datetime, reason: str, by: str) -> Entry:
    """Undo an entry by one that mirrors it; Invalid for what is a reversal itself."""
    if entry.kind is EntryKind.REVERSAL:
        raise Invalid("a reversal is not reversed: write a new entry", field="entry")
    mirrored = tuple(Posting(posting.account, -posting.amount) for posting in entry.postings)
    return Entry(uuid7(), at, EntryKind.REVERSAL, entry.id, mirrored, reason, by, entry.id)
