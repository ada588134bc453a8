"""Bills to be paid, and what will happen to each: drawn from a seed before anything does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any, Final

from city.identifiers import (
    AccountId,
    BillId,
    DistrictCode,
    FacilityId,
    OperatorId,
    ParkingSessionId,
    TariffVersionId,
    VehicleId,
    uuid7,
)
from city.money import Money
from city.people.accounts import create_account
from city.people.services import issue_token
from city.people.store import ACCOUNT
from payments import arrears, cards, debts, takeovers
from payments.rules.bills import Charge
from payments.rules.channels import ONLINE, Channel
from payments.rules.contracts import Party, Share
from tests.payments import agreed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from city.works.database import Database, UnitOfWork

DISTRICTS: Final = (DistrictCode("0153"), DistrictCode("0154"))
SHARES: Final = (("platform:green", 13), ("revenue", 70), ("land_owner:ground", 17))
"""Of the one operator that has a contract: who earns how many parts."""
BATCH: Final = 500
BY_CARD: Final = 0.12
"""Of bills that are paid once: whose payer tops a new parking card up online, and pays with it."""
OVERDUE_EACH: Final = 4
"""Of so many bills one is overdue before anybody pays."""
TOP_UP_MINOR: Final = 50_00
"""More than any bill is over."""


@dataclass(frozen=True, slots=True)
class Payee:
    """Whose facility a bill is of."""

    operator_id: OperatorId
    facility_id: FacilityId
    district: DistrictCode
    nature: str
    shared: bool


@dataclass(frozen=True, slots=True)
class Held:
    """A new parking card, and the code that proves whose it is."""

    id: UUID
    number: str
    code: str


@dataclass(frozen=True, slots=True)
class Errand:
    """What happens to one bill.

    Parameters
    ----------
    number, bill_id, payee, amount_minor
        The bill.
    channels
        Through which it is paid, each in full: of two the second is owed back.
    left
        Through which an order is opened and never paid; `channels` are tried after it.
    cash
        Whether an attendant takes cash for it as well: `before` or `after` the payer's press.
    refund_minor
        What the finance desk gives back of the payment afterwards; 0: nothing.
    card
        The parking card that is topped up through the one of `channels`, and pays the bill.
    overdue
        Whether it is overdue before anybody pays: its debt stands among the arrears.
    """

    number: int
    bill_id: BillId
    payee: Payee
    amount_minor: int
    channels: tuple[Channel, ...]
    left: Channel | None = None
    cash: str = ""
    refund_minor: int = 0
    card: Held | None = None
    overdue: bool = False

    @property
    def order_no(self) -> str:
        """Number that its card pays under, however often."""
        return f"card{self.number:08}"

    @property
    def reader(self) -> str:
        """What a reader reads off its card."""
        return f"faults-card-{self.number:08}"

    @property
    def refund_no(self) -> str:
        """Number that its refund is asked for under, however often."""
        return f"back{self.number:08}"


@dataclass(frozen=True, slots=True)
class Debts:
    """All bills, and who acts."""

    errands: tuple[Errand, ...]
    finance_token: str
    attendant_token: str
    attendant: str
    """Subject of the attendant, who carries the cash."""
    driver_token: str
    """Of the driver whose the cards are."""

    def without(self, untouched: frozenset[int]) -> Debts:
        """Give them as they are where nobody did anything about some of the bills."""
        return replace(
            self,
            errands=tuple(
                Errand(
                    each.number,
                    each.bill_id,
                    each.payee,
                    each.amount_minor,
                    (),
                    overdue=each.overdue,
                )
                if each.number in untouched
                else each
                for each in self.errands
            ),
        )


def issue_debts(database: Database, bills: int, seed: int) -> Debts:
    """Issue bills of four operators, public and commercial, one of them under a contract.

    Parameters
    ----------
    database
        Of the running system.
    bills
        How many.
    seed
        Decides amounts and what happens.
    """
    chance = Random(seed)  # noqa: S311 - repeatable draws, no secret
    payees = [
        Payee(OperatorId(uuid7()), FacilityId(uuid7()), DISTRICTS[place % 2], nature, shared)
        for place, (nature, shared) in enumerate(
            [
                ("public_non_tax", False),
                ("public_non_tax", False),
                ("commercial", False),
                ("commercial", True),
            ]
        )
    ]
    with database.unit_of_work() as uow:
        people = [
            str(create_account(uow, f"faults.{role}", role, [role], "river willow 27"))
            for role in ("administrator", "attendant")
        ]
        people.append(_driver(uow))
        tokens = [
            issue_token(uow, "api", person, [role])
            for person, role in zip(people, ("administrator", "attendant", "driver"), strict=True)
        ]
        shares = [Share(Party.PLATFORM, "green", 13), Share(Party.OPERATOR, "", 70)]
        shares.append(Share(Party.LAND_OWNER, "ground", 17))
        agreed.agree(uow, payees[3].operator_id, None, None, shares, "test")
    errands: list[Errand] = []
    for first in range(0, bills, BATCH):
        drawn = [
            # The sixteenth of a yuan is what no three parties can share evenly.
            (payees[number % len(payees)], chance.choice([250, 625, 1000, 1437, 3999]))
            for number in range(first, min(bills, first + BATCH))
        ]
        with database.unit_of_work() as uow:
            issued = takeovers.issue_bills(
                uow, [_charge(payee, Money(minor, "CNY")) for payee, minor in drawn], "test"
            )
        batch = [
            _errand(chance, number, bill.id, payee, minor)
            for number, (bill, (payee, minor)) in enumerate(zip(issued, drawn, strict=True), first)
        ]
        with database.unit_of_work() as uow:
            errands += [
                replace(each, card=_card(uow, people[2]))
                if _is_plain(each) and chance.random() < BY_CARD
                else each
                for each in batch
            ]
    errands = [replace(each, overdue=each.number % OVERDUE_EACH == 0) for each in errands]
    _fall_overdue(database, [each.bill_id for each in errands if each.overdue])
    return Debts(tuple(errands), tokens[0], tokens[1], people[1], tokens[2])


def _fall_overdue(database: Database, bill_ids: Sequence[BillId]) -> None:
    """Let bills be due at once, and have their debts moved to the arrears as the job does."""
    for first in range(0, len(bill_ids), BATCH):
        with database.unit_of_work() as uow:
            for bill_id in bill_ids[first : first + BATCH]:
                arrears.fall_due(uow, bill_id)
    moved = debts.BATCH
    while moved == debts.BATCH:
        with database.unit_of_work() as uow:
            moved = debts.fall_overdue(uow)


def _is_plain(errand: Errand) -> bool:
    """Whether one payer pays it once through one channel, and nobody does anything else."""
    return len(errand.channels) == 1 and not (errand.left or errand.cash or errand.refund_minor)


def _driver(uow: UnitOfWork) -> str:
    """Make a driver's account, as its first log-in by telephone would."""
    account_id = AccountId(uuid7())
    uow.connection.execute(
        ACCOUNT.insert().values(
            id=account_id,
            kind="driver",
            name="driver",
            roles=["driver"],
            created_at=uow.wall.now(),
        )
    )
    return str(account_id)


def _card(uow: UnitOfWork, holder: str) -> Held:
    issued = cards.issue(uow, "test", holder)
    return Held(issued.card.id, issued.card.number, issued.code)


def _charge(payee: Payee, amount: Money) -> Charge:
    line: dict[str, Any] = {"minor": amount.minor, "units": 1}
    return Charge(
        session_id=ParkingSessionId(uuid7()),
        vehicle_id=VehicleId(uuid7()),
        facility_id=payee.facility_id,
        district=payee.district,
        operator_id=payee.operator_id,
        revenue_nature=payee.nature,
        tariff_version_id=TariffVersionId(uuid7()),
        amount=amount,
        lines=(line,),
    )


def _errand(
    chance: Random, number: int, bill_id: BillId, payee: Payee, amount_minor: int
) -> Errand:
    first, second = chance.sample(list(ONLINE), 2)
    whole = (number, bill_id, payee, amount_minor)
    # UnionPay closes what nobody scanned at its time alone, a quarter of an hour later.
    left = chance.choice([Channel.WECHAT, Channel.ALIPAY])
    draw = chance.random()
    if draw < 0.55:
        return Errand(*whole, (first,))
    if draw < 0.67:
        return Errand(*whole, (first, second))
    if draw < 0.74:
        return Errand(*whole, (first,), cash=chance.choice(["before", "after"]))
    if draw < 0.81:
        return Errand(*whole, tuple({first} - {left}) or (Channel.UNIONPAY,), left=left)
    if draw < 0.84:
        return Errand(*whole, (), left=left)
    return Errand(*whole, (first,), refund_minor=chance.randint(1, 100))
