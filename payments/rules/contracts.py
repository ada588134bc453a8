"""Who earns how much of a commercial fee: contracts by date, and splits exact to the minor unit.

Public non-tax revenue is never split: all of it is the treasury's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Self
from uuid import UUID

from pydantic import JsonValue

from city.errors import Invalid
from city.identifiers import FacilityId, OperatorId
from payments.rules.bills import Charge
from payments.rules.ledger import Account, AccountKind, earned_by

MOST_PARTS: Final = 1_000_000
_HOLDER_LENGTH: Final = 60


class Party(StrEnum):
    """Who shares what a commercial facility earns."""

    PLATFORM = "platform"
    OPERATOR = "operator"
    LAND_OWNER = "land_owner"


@dataclass(frozen=True, slots=True)
class Share:
    """One party's part.

    Parameters
    ----------
    party : Party
    holder : str
        Who it is: letters, digits and ``. _ @ -``; empty for the operator, who is known.
    parts : int
        Of the sum of all shares' parts; above zero.
    """

    party: Party
    holder: str
    parts: int

    def as_json(self) -> dict[str, JsonValue]:
        """Give it as it is stored."""
        return {"party": self.party.value, "holder": self.holder, "parts": self.parts}

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> Self:
        """Read what `as_json` wrote."""
        parts = value["parts"]
        if not isinstance(parts, int) or isinstance(parts, bool):
            raise Invalid("is a whole number", field="parts")
        return cls(Party(str(value["party"])), str(value["holder"]), parts)


@dataclass(frozen=True, slots=True)
class Contract:
    """How the fees of an operator's facilities are shared from an instant on.

    Parameters
    ----------
    id : UUID
    operator_id : OperatorId
    facility_id : FacilityId or None
        Of one facility: it goes before the operator's own. None: of all that have none.
    from_at : datetime
        Bills issued from then on follow it, until a later contract begins; never before
        `agreed_at`, so that what was booked under the last one stays as it was.
    shares : tuple of Share
        Without one all is the operator's again.
    agreed_at, agreed_by
        When it was agreed to, and who proposed it.
    approved_by : str or None
        Who approved it; None: from before two people were asked for.

    Raises
    ------
    Invalid
        Where it begins before it was agreed, or its shares are no shares.
    """

    id: UUID
    operator_id: OperatorId
    facility_id: FacilityId | None
    from_at: datetime
    shares: tuple[Share, ...]
    agreed_at: datetime
    agreed_by: str
    approved_by: str | None = None

    def __post_init__(self) -> None:
        if self.from_at < self.agreed_at:
            raise Invalid("must not lie in the past: what was booked stays", field="from_at")
        named = [(share.party, share.holder) for share in self.shares]
        if len(set(named)) != len(named):
            raise Invalid("names a party twice", field="shares")
        for share in self.shares:
            if not 0 < share.parts <= MOST_PARTS:
                raise Invalid(f"must lie between 1 and {MOST_PARTS}", field="shares.parts")
            if share.party is Party.OPERATOR:
                if share.holder:
                    raise Invalid("the operator is known: leave it out", field="shares.holder")
            elif not _is_holder(share.holder):
                raise Invalid(
                    f"must be 1 to {_HOLDER_LENGTH} letters, digits or . _ @ -",
                    field="shares.holder",
                )


def split(minor: int, parts: Sequence[int]) -> tuple[int, ...]:
    """Share a number of minor units out by parts: the results add up to it exactly.

    Parameters
    ----------
    minor : int
        Zero or more.
    parts : sequence of int
        Above zero, one a party.

    Returns
    -------
    tuple of int
        Each party's quota rounded down; what is left goes by single units to the largest
        remainders, of equal ones to the first.

    Raises
    ------
    Invalid
        On a negative amount, or parts that are not above zero.

    Notes
    -----
    Source: method of the largest remainder (Hamilton, 1792), in whole numbers throughout.
    """
    if minor < 0:
        raise Invalid("a split is of zero or more", field="minor")
    if not parts or min(parts) <= 0:
        raise Invalid("must be above zero", field="parts")
    whole = sum(parts)
    shares = [minor * part // whole for part in parts]
    remainders = [minor * part % whole for part in parts]
    left = minor - sum(shares)
    for place in sorted(range(len(parts)), key=lambda each: -remainders[each])[:left]:
        shares[place] += 1
    return tuple(shares)


def earned(charge: Charge, minor: int, contract: Contract | None) -> dict[Account, int]:
    """Say what of an amount each account earns: it follows the nature of the revenue.

    Raises
    ------
    Invalid
        On a nature that is not known.
    """
    own = earned_by(charge.revenue_nature, charge.operator_id, charge.district)
    if own.kind is AccountKind.TREASURY or contract is None or not contract.shares:
        return {own: minor}
    amounts = split(minor, [share.parts for share in contract.shares])
    return {
        _account(share, own): amount for share, amount in zip(contract.shares, amounts, strict=True)
    }


def earned_between(
    charge: Charge, before_minor: int, after_minor: int, contract: Contract | None
) -> dict[Account, int]:
    """Say what each account earns more, or less, when a bill's earning changes.

    The difference of two splits, so that what an account has of a bill is always its share of what
    stands, however often that changed; a single difference may be a unit against the trend.
    """
    before = earned(charge, before_minor, contract)
    after = earned(charge, after_minor, contract)
    changes = {account: after[account] - before[account] for account in after}
    return {account: minor for account, minor in changes.items() if minor}


def _account(share: Share, own: Account) -> Account:
    if share.party is Party.PLATFORM:
        return Account(AccountKind.PLATFORM, share.holder)
    if share.party is Party.LAND_OWNER:
        return Account(AccountKind.LAND_OWNER, share.holder)
    return own


def _is_holder(text: str) -> bool:
    return (
        0 < len(text) <= _HOLDER_LENGTH
        and text.isascii()
        and all(each.isalnum() or each in "._@-" for each in text)
    )
