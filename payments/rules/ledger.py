"""The ledger's language: accounts, entries and postings, balanced by construction.

A posting's amount is signed: debits are positive, credits negative, so that the postings of an
entry sum to zero in each currency. Nothing is edited: what was wrong is reversed by an entry of
its own.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from city.errors import Invalid
from city.identifiers import DistrictCode, OperatorId, uuid7
from city.money import Money


class AccountKind(StrEnum):
    """What an account holds."""

    CASH = "cash"
    """Banknotes and coins in an attendant's hands."""
    RECEIVABLE = "receivable"
    """What drivers owe for an operator's facilities."""
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


def receivable_of(operator_id: OperatorId) -> Account:
    """Give the account of what drivers owe an operator's facilities."""
    return Account(AccountKind.RECEIVABLE, str(operator_id))


def advance_of(operator_id: OperatorId) -> Account:
    """Give the account of what was paid ahead at an operator's facilities and is not billed yet."""
    return Account(AccountKind.ADVANCE, str(operator_id))


def clearing_of(channel: str) -> Account:
    """Give the account of what an online channel holds of ours."""
    return Account(AccountKind.CLEARING, channel)


def surplus_of(channel: str) -> Account:
    """Give the account of what goes back to payers through an online channel."""
    return Account(AccountKind.SURPLUS, channel)


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

    def __post_init__(self) -> None:
        if len(self.postings) < 2:  # noqa: PLR2004 - double entry
            raise Invalid("an entry has two postings at least", field="postings")
        if not all(posting.amount for posting in self.postings):
            raise Invalid("a posting moves money", field="postings")
        for currency in {posting.amount.currency for posting in self.postings}:
            amounts = (p.amount for p in self.postings if p.amount.currency == currency)
            if Money.total(amounts, currency):
                raise Invalid(f"the postings in {currency} do not balance", field="postings")


def reversal_of(entry: Entry, at: datetime, reason: str, by: str) -> Entry:
    """Undo an entry by one that mirrors it; Invalid for what is a reversal itself."""
    if entry.kind is EntryKind.REVERSAL:
        raise Invalid("a reversal is not reversed: write a new entry", field="entry")
    mirrored = tuple(Posting(posting.account, -posting.amount) for posting in entry.postings)
    return Entry(uuid7(), at, EntryKind.REVERSAL, entry.id, mirrored, reason, by, entry.id)
