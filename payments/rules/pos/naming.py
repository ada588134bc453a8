"""Rows of an acquirer's bill under our numbers: it knows its own references alone.

Pure. A sale is known by its reference. What went back is paired with ours of the same sale: the
same amount first, then what is left over where there is one on each side. What stays without a pair
keeps the acquirer's reference, and is found as a difference.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from payments.rules.channel_bills.lines import Bill, BillLine, LineKind
from payments.rules.differences import Record


def named_by_us(bill: Bill, ours: Iterable[Record]) -> Bill:
    """Give a bill whose rows carry our numbers of orders and refunds, where they have one.

    Parameters
    ----------
    bill : Bill
        Rows by the acquirer's references.
    ours : iterable of Record
        What it will be held against.

    Returns
    -------
    Bill
        Its rows in the same order, and as many. Cost grows with the sum of both sides.
    """
    orders: dict[str, str] = {}
    back: dict[str, list[Record]] = defaultdict(list)
    for record in ours:
        if record.kind is LineKind.PAYMENT:
            orders.setdefault(record.channel_no, record.order_no)
        else:
            back[record.order_no].append(record)
    lines = [
        replace(each, order_no=orders.get(each.order_no, each.order_no)) for each in bill.lines
    ]
    told: dict[str, list[int]] = defaultdict(list)
    for index, line in enumerate(lines):
        if line.kind is not LineKind.PAYMENT:
            told[line.order_no].append(index)
    for order_no, rows in told.items():
        for index, record in _paired(lines, rows, back.get(order_no, [])).items():
            if lines[index].kind is LineKind.REFUND:
                lines[index] = replace(lines[index], refund_no=record.refund_no)
    return replace(bill, lines=tuple(lines))


def _paired(
    lines: list[BillLine], rows: Iterable[int], records: Iterable[Record]
) -> Mapping[int, Record]:
    """Pair what went back of one sale: by the same amount, then what is left, one to one."""
    free, pairs = list(records), {}
    left = []
    for index in rows:
        same = next((each for each in free if each.amount == lines[index].amount), None)
        if same is None:
            left.append(index)
            continue
        free.remove(same)
        pairs[index] = same
    if len(left) == len(free) == 1:
        pairs[left[0]] = free[0]
    return pairs
