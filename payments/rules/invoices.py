"""Invoices and receipts for what was paid: VAT e-invoices, fiscal e-receipts, blue and red.

Which paper a payer gets follows the nature of the facility's revenue: a fully digital VAT e-invoice
for commercial revenue, a fiscal e-receipt, which bears no tax, for public non-tax revenue. A blue
one is for money that was kept, a red one takes a blue one back, in part or whole, where money went
back. Blue less red is never above what was paid.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from city.errors import Conflict, Invalid
from city.identifiers import BillId, OperatorId, uuid7
from city.money import Money

PARKING_VAT_BP: Final = 900
"""9 %, inclusive: parking counts as letting real property, general method. Source: Caishui 2016/36,
annex 1, with the rates of 2019/39. A seller by the simplified method has 5 %."""
LONGEST_TITLE: Final = 100
MOST_STARS: Final = 3
"""In a masked name: how long it is says something, too."""
_TAX_NO: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}|[0-9A-Z]{15}|[0-9A-Z]{20}")
"""Unified social credit code (GB 32100-2015: no I, O, S, V, Z), or one of the older forms."""


class InvoiceKind(StrEnum):
    """Which paper it is."""

    VAT = "vat"
    FISCAL = "fiscal"


class Colour(StrEnum):
    """What it does."""

    BLUE = "blue"
    RED = "red"
    """Takes a blue one back, in part or whole."""


class InvoiceState(StrEnum):
    """How far it is."""

    ASKED = "asked"
    """The provider was not heard of yet: asked again until it is."""
    ISSUED = "issued"


@dataclass(frozen=True, slots=True)
class Buyer:
    """To whom it is written.

    Parameters
    ----------
    title : str
        A person's or a company's name.
    tax_no : str
        A company's; empty for a person.

    Raises
    ------
    Invalid
        On a title that is empty or too long, or a number that is none.
    """

    title: str
    tax_no: str = ""

    def __post_init__(self) -> None:
        """Refuse what no invoice may bear."""
        if not self.title.strip() or len(self.title) > LONGEST_TITLE:
            raise Invalid(f"has 1 to {LONGEST_TITLE} characters", field="title")
        if self.tax_no and not _TAX_NO.fullmatch(self.tax_no):
            raise Invalid("is no taxpayer's number", field="tax_no")

    @property
    def masked(self) -> str:
        """Its title for lists: of a person's name the first character alone."""
        name = self.title.strip()
        return name if self.tax_no else f"{name[:1]}{'*' * min(len(name) - 1, MOST_STARS)}"


@dataclass(frozen=True, slots=True)
class Invoice:
    """One paper.

    Parameters
    ----------
    amount : Money
        With tax; above zero in both colours.
    tax : Money
        Of the amount; zero on a fiscal receipt.
    of : UUID or None
        The blue one that a red one takes back.
    serial : str
        The provider's, unique; empty until it is issued.
    code : str
        By which the provider lets it be checked.
    """

    id: UUID
    bill_id: BillId
    kind: InvoiceKind
    colour: Colour
    state: InvoiceState
    amount: Money
    tax: Money
    rate_bp: int
    buyer: Buyer
    seller_id: OperatorId
    asked_at: datetime
    of: UUID | None = None
    serial: str = ""
    code: str = ""
    provider: str = ""
    issued_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """What a provider says of a paper that it issued."""

    serial: str
    code: str
    issued_at: datetime


class InvoiceProvider(Protocol):
    """Who issues papers: a tax bureau's platform, a treasury's, or the local one.

    Called outside transactions. It issues one paper for an id however often it is asked, and gives
    the same answer.
    """

    @property
    def name(self) -> str:
        """Name, kept with what it issued."""
        ...

    def issue(self, invoice: Invoice) -> Issued:
        """Issue a paper; Unavailable where it cannot now."""
        ...


@dataclass(frozen=True, slots=True)
class Paid:
    """What a bill has of money, and whose it is.

    Parameters
    ----------
    kept : Money
        What was paid less what went back.
    """

    bill_id: BillId
    revenue_nature: str
    operator_id: OperatorId
    kept: Money


def invoiced_minor(papers: Sequence[Invoice]) -> int:
    """Add up what stands invoiced: blue less red, asked or issued."""
    return sum(
        paper.amount.minor if paper.colour is Colour.BLUE else -paper.amount.minor
        for paper in papers
    )


def tax_minor(amount_minor: int, rate_bp: int) -> int:
    """Give the tax inside an amount, to the nearest minor unit, halves up.

    ``amount x rate / (1 + rate)``, in integers throughout.
    """
    whole = 10_000 + rate_bp
    return (2 * amount_minor * rate_bp + whole) // (2 * whole)


def kind_of(revenue_nature: str) -> InvoiceKind:
    """Give the paper for a nature of revenue; Invalid on one that is not known."""
    if revenue_nature == "commercial":
        return InvoiceKind.VAT
    if revenue_nature == "public_non_tax":
        return InvoiceKind.FISCAL
    raise Invalid("is not a nature of revenue", field="revenue_nature")


def ask_blue(paid: Paid, papers: Sequence[Invoice], buyer: Buyer, at: datetime) -> Invoice:
    """Ask for a paper over what was kept and is not invoiced yet.

    Raises
    ------
    Conflict
        Where nothing is left to be invoiced.
    """
    left = paid.kept - Money(invoiced_minor(papers), paid.kept.currency)
    if left.minor <= 0:
        raise Conflict("nothing is left to be invoiced", field="link", reason="invoiced")
    kind = kind_of(paid.revenue_nature)
    rate_bp = PARKING_VAT_BP if kind is InvoiceKind.VAT else 0
    return Invoice(
        uuid7(),
        paid.bill_id,
        kind,
        Colour.BLUE,
        InvoiceState.ASKED,
        left,
        Money(tax_minor(left.minor, rate_bp), left.currency),
        rate_bp,
        buyer,
        paid.operator_id,
        at,
    )


def ask_reds(paid: Paid, papers: Sequence[Invoice], at: datetime) -> list[Invoice]:
    """Take back what stands invoiced above what was kept: of the newest blue papers first.

    A blue paper that is not issued yet is left until it is.
    """
    over_minor = invoiced_minor(papers) - paid.kept.minor
    found: list[Invoice] = []
    for blue in sorted(papers, key=lambda each: each.id, reverse=True):
        if over_minor <= 0:
            break
        if blue.colour is not Colour.BLUE or blue.state is not InvoiceState.ISSUED:
            continue
        reds = [each for each in papers if each.of == blue.id]
        gone = sum(each.amount.minor for each in reds)
        minor = min(over_minor, blue.amount.minor - gone)
        if minor <= 0:
            continue
        over_minor -= minor
        # Of a paper that is taken back whole all of its tax goes back, however it was cut before.
        whole = gone + minor == blue.amount.minor
        tax = (
            blue.tax.minor - sum(each.tax.minor for each in reds)
            if whole
            else tax_minor(minor, blue.rate_bp)
        )
        found.append(
            Invoice(
                uuid7(),
                blue.bill_id,
                blue.kind,
                Colour.RED,
                InvoiceState.ASKED,
                Money(minor, blue.amount.currency),
                Money(tax, blue.amount.currency),
                blue.rate_bp,
                blue.buyer,
                blue.seller_id,
                at,
                of=blue.id,
            )
        )
    return found
