"""The books against the facts: what channels hold, what was taken, what every account must be.

Nothing here asks our code what it thinks: the gateway's own orders, the attendants' answers and
the drawn errands are added up anew, and compared with the rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from payments import services
from tests.faults.debts import SHARES, TOP_UP_MINOR

if TYPE_CHECKING:
    from city.works.database import Database
    from tests.faults.debts import Debts, Errand
    from tests.faults.payers import Payers


@dataclass(slots=True)
class Reckoning:
    """What was found; every list is empty where all is right."""

    unended: list[str] = field(default_factory=list)
    """Orders and refunds that are in no final state."""
    differing: list[str] = field(default_factory=list)
    """Orders and refunds that the channel has otherwise than we."""
    wrong_bills: list[str] = field(default_factory=list)
    """Bills whose money is not once what they are over, or nothing."""
    wrong_cards: list[str] = field(default_factory=list)
    """Cards that hold another sum than was put onto them less what they paid."""
    accounts: list[str] = field(default_factory=list)
    """Accounts that hold another sum than the facts add up to."""
    unbalanced: int = 0
    """Entries whose postings do not cancel out."""
    sums_minor: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def problems(self) -> dict[str, object]:
        """Give what is not right."""
        found: dict[str, object] = {
            "unended": self.unended[:5],
            "differing": self.differing[:5],
            "wrong_bills": self.wrong_bills[:5],
            "wrong_cards": self.wrong_cards[:5],
            "accounts": self.accounts[:9],
            "unbalanced": self.unbalanced,
        }
        return {name: what for name, what in found.items() if what}


def reckon(
    database: Database, debts: Debts, payers: Payers, held: list[dict[str, Any]]
) -> Reckoning:
    """Hold the books against the facts.

    Parameters
    ----------
    database
        Of the system, at rest.
    debts, payers
        What was to happen, and what people were answered.
    held
        Every order of the gateway.
    """
    result = Reckoning()
    with database.read() as connection:
        rows = connection.execute(
            text(
                "select order_no, bill_id, channel, state, amount_minor, refunded_minor,"
                " coalesce(payment_id, movement_id) as payment_id, card_id"
                " from payments.channel_order"
            )
        ).all()
        back = connection.execute(
            text(
                "select r.refund_no, o.order_no, r.amount_minor, r.state, o.bill_id"
                " from payments.channel_refund r"
                " join payments.channel_order o on o.id = r.order_id"
            )
        ).all()
        bills = {
            row.id: row
            for row in connection.execute(
                text(
                    "select id, state, amount_minor, paid_minor, refunded_minor from payments.bill"
                )
            )
        }
        payments = Counter(
            connection.execute(text("select bill_id from payments.payment")).scalars().all()
        )
        posted = {
            row.account: int(row.minor)
            for row in connection.execute(
                text("select account, sum(minor) as minor from payments.posting group by account")
            )
        }
        on_cards = {
            row.id: row.balance_minor
            for row in connection.execute(text("select id, balance_minor from payments.card"))
        }
        result.unbalanced = connection.execute(
            text(
                "select count(*) from (select entry_id from payments.posting"
                " group by entry_id, currency having sum(minor) <> 0) as crooked"
            )
        ).scalar_one()
        told = {
            account.code: sum(money.minor for money in monies)
            for account, monies in services.balances(connection).items()
        }
    result.unended = [f"order {row.order_no} {row.state}" for row in rows if _open(row.state)]
    result.unended += [
        f"refund {row.refund_no} {row.state}" for row in back if row.state == "asked"
    ]
    # Nobody here asks for more than was paid: a refund that failed is a fault of somebody's.
    result.differing = [
        f"refund {row.refund_no} {row.state}" for row in back if row.state == "failed"
    ]
    online = [row for row in rows if row.channel != "card"]
    result.differing += _differing(online, back, held)
    result.wrong_bills = _wrong_bills(debts, payers, rows, held, bills, payments)
    result.wrong_cards = _wrong_cards(debts, on_cards)
    expected = _expected(debts, payers, rows, held)
    for account in sorted({*expected, *posted, *told}):
        sums = (expected.get(account, 0), posted.get(account, 0), told.get(account, 0))
        if len(set(sums)) > 1:
            result.accounts.append(f"{account}: {sums[0]} by the facts, {sums[1]}, {sums[2]} told")
    result.sums_minor = {
        "billed": sum(errand.amount_minor for errand in debts.errands),
        "captured": sum(each["amount_minor"] for each in held if _took(each)),
        "given_back": sum(_back_minor(each) for each in held),
        "cash": sum(payers.cash_minor.values()),
    }
    result.counts = {
        "orders": len(rows),
        "paid_orders": sum(row.state == "paid" for row in online),
        "top_ups": sum(row.card_id is not None and row.state == "paid" for row in rows),
        "surplus_orders": sum(row.state == "paid" and row.payment_id is None for row in rows),
        "closed_orders": sum(row.state == "closed" for row in rows),
        "refunds": len(back),
        "accounts": len(posted),
    }
    return result


def _open(state: str) -> bool:
    return state not in {"paid", "closed"}


def _took(held: dict[str, Any]) -> bool:
    return str(held["state"]) == "paid"


def _back_minor(held: dict[str, Any]) -> int:
    return sum(each["amount_minor"] for each in held["refunds"] if each["state"] == "done")


def _differing(rows: Any, back: Any, held: list[dict[str, Any]]) -> list[str]:
    ours = {row.order_no: (row.channel, row.state, row.amount_minor) for row in rows}
    theirs = {
        each["order_no"]: (
            each["channel"],
            "paid" if _took(each) else "closed",
            each["amount_minor"],
        )
        for each in held
    }
    # An order whose asking never reached the channel is closed here and unknown there.
    wrong = [
        f"{no}: {ours[no]} here, {theirs.get(no)} there"
        for no in ours
        if ours[no] != theirs.get(no) and (no in theirs or ours[no][1] == "paid")
    ]
    wrong += [f"{no}: not here, {theirs[no]} there" for no in theirs.keys() - ours.keys()]
    mine = {row.refund_no: (row.order_no, row.amount_minor) for row in back if row.state == "done"}
    gone = {
        # UnionPay knows a number together with its time.
        refund["refund_no"].partition(":")[0]: (each["order_no"], refund["amount_minor"])
        for each in held
        for refund in each["refunds"]
        if refund["state"] == "done"
    }
    wrong += [
        f"refund {no}: {mine.get(no)} here, {gone.get(no)} there"
        for no in sorted({*mine, *gone})
        if mine.get(no) != gone.get(no)
    ]
    return wrong


def _wrong_bills(
    debts: Debts,
    payers: Payers,
    rows: Any,
    held: list[dict[str, Any]],
    bills: dict[Any, Any],
    payments: Counter[Any],
) -> list[str]:
    of_bill = {row.order_no: row.bill_id for row in rows}
    kept_minor: Counter[Any] = Counter()
    for each in held:
        if _took(each):
            kept_minor[of_bill.get(each["order_no"])] += each["amount_minor"] - _back_minor(each)
    wrong = []
    for errand in debts.errands:
        bill = bills[errand.bill_id]
        paid = bool(errand.channels) or errand.number in payers.cash_minor
        by_card_minor = errand.amount_minor if errand.card else 0
        given_minor = errand.refund_minor if errand.number in payers.refunded else 0
        should_minor = errand.amount_minor - given_minor if paid else 0
        cash_minor = payers.cash_minor.get(errand.number, 0)
        kept = kept_minor[errand.bill_id] + cash_minor + by_card_minor
        said = (bill.state, bill.paid_minor, payments[errand.bill_id], bill.refunded_minor)
        must = ("paid", errand.amount_minor, 1, given_minor) if paid else ("open", 0, 0, 0)
        if kept != should_minor or said != must:
            wrong.append(f"{errand}: {kept} kept of {should_minor}, {said} and not {must}")
        if errand.refund_minor and not given_minor:
            wrong.append(f"{errand}: its refund was never answered")
    return wrong


def _wrong_cards(debts: Debts, on_cards: dict[Any, int]) -> list[str]:
    must = {each.card.id: _left_minor(each) for each in debts.errands if each.card}
    return [
        f"card {card}: {on_cards.get(card)} and not {minor}"
        for card, minor in must.items()
        if on_cards.get(card) != minor
    ]


def _left_minor(errand: Errand) -> int:
    """Give what its card holds once it has paid."""
    return TOP_UP_MINOR - errand.amount_minor


def _expected(
    debts: Debts, payers: Payers, rows: Any, held: list[dict[str, Any]]
) -> dict[str, int]:
    """Add every account up from the facts; what is zero is left out of nothing."""
    sums: defaultdict[str, int] = defaultdict(int)
    for each in held:
        if _took(each):
            sums[f"clearing:{each['channel']}"] += each["amount_minor"] - _back_minor(each)
    takers = {row.bill_id for row in rows if row.state == "paid"}
    for errand in debts.errands:
        paid = errand.bill_id in takers or errand.number in payers.cash_minor
        if not paid:
            kind = "arrears" if errand.overdue else "receivable"
            sums[f"{kind}:{errand.payee.operator_id}"] += errand.amount_minor
        if errand.card is not None:
            sums[f"stored_value:{errand.card.id}"] -= _left_minor(errand)
        given_minor = errand.refund_minor if errand.number in payers.refunded else 0
        for account, minor in _earned(errand, errand.amount_minor - given_minor).items():
            sums[account] -= minor
    sums[f"cash:{payers.attendant}"] += sum(payers.cash_minor.values())
    return dict(sums)


def _earned(errand: Errand, minor: int) -> dict[str, int]:
    payee = errand.payee
    if payee.nature == "public_non_tax":
        return {f"treasury:{payee.district}": minor}
    own = f"revenue:{payee.operator_id}"
    if not payee.shared:
        return {own: minor}
    # Hamilton's method, once more: whole parts, then single units to the largest remainders.
    names = [own if name == "revenue" else name for name, _ in SHARES]
    whole = [minor * part // 100 for _, part in SHARES]
    rest = sorted(range(len(SHARES)), key=lambda each: -(minor * SHARES[each][1] % 100))
    for place in rest[: minor - sum(whole)]:
        whole[place] += 1
    return dict(zip(names, whole, strict=True))
