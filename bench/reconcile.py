"""A million rows of ours held against a million of the channel's, and reading those from its bill.

The floor is what any reconciliation must do at least: put one side into a dictionary by its number
and look each of the other side up. One row in a thousand differs, in every class by turns.

Example
-------
``python -m bench.reconcile --rows 1000000``
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import sys
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from city.money import Money
from payments.rules.channel_bills import wechat
from payments.rules.channel_bills.lines import Bill, BillLine, LineKind, totals
from payments.rules.channels import fee_of
from payments.rules.differences import Record, Standing
from payments.rules.reconciliation import reconcile

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY = date(2026, 3, 2)
START_AT = datetime(2026, 3, 1, 16, tzinfo=UTC)
DAY_S = 86_400
ONE_IN = 1000
TARGET_S = 15
MERCHANT = "1900009999"


def row(number: int, kind: LineKind, minor: int) -> tuple[Record, BillLine]:
    """Give a row as both sides have it."""
    refund = kind is not LineKind.PAYMENT
    amount = Money(minor, "CNY")
    fee = Money(-fee_of(minor) if refund else fee_of(minor), "CNY")
    order_no, channel_no = f"P{number:019}", f"42000{number:016}"
    back = f"R{number:019}" if refund else ""
    at = START_AT + timedelta(seconds=number % DAY_S)
    return (
        Record(kind, order_no, amount, at, MERCHANT, Standing.DONE, channel_no, back, fee),
        BillLine(
            kind,
            order_no,
            channel_no,
            amount,
            fee,
            at,
            MERCHANT,
            refund_no=back,
            channel_refund_no=back and f"503{number:018}",
        ),
    )


def sides(count: int) -> tuple[list[Record], list[BillLine], int]:
    """Give both sides, one refund in twenty, and how many differences they hold."""
    ours: list[Record] = []
    theirs: list[BillLine] = []
    injected = 0
    for number in range(count):
        kind = LineKind.REFUND if number % 20 == 0 else LineKind.PAYMENT
        record, line = row(number, kind, 100 + number % 5000)
        if number % ONE_IN == 1:
            injected += 1
            match number // ONE_IN % 5:
                case 0:
                    line = replace(line, amount=line.amount + Money(1, "CNY"))
                case 1:
                    line = replace(line, merchant="2")
                case 2:
                    ours.append(record)
                    continue
                case 3:
                    theirs.append(line)
                    continue
                case _:
                    theirs.append(replace(line))
        ours.append(record)
        theirs.append(line)
    return ours, theirs, injected


def floor(ours: list[Record], theirs: list[BillLine]) -> float:
    """Measure one dictionary and as many look-ups."""
    begun_s = time.perf_counter()
    known = {(each.order_no, each.refund_no): each for each in ours}
    hits = sum((each.order_no, each.refund_no) in known for each in theirs)
    assert hits
    return time.perf_counter() - begun_s


def main(arguments: Sequence[str]) -> None:
    """Measure and print one JSON object."""
    line = argparse.ArgumentParser(description=__doc__)
    line.add_argument("--rows", type=int, default=1_000_000)
    given = line.parse_args(arguments)
    ours, theirs, injected = sides(given.rows)
    content = wechat.write_trade(theirs, "wx1")
    gc.freeze()
    bare_s = floor(ours, theirs)
    begun_s = time.perf_counter()
    found = reconcile(ours, Bill(tuple(theirs), (), totals(theirs)), DAY)
    took_s = time.perf_counter() - begun_s
    assert len(found.differences) == injected
    del theirs
    begun_s = time.perf_counter()
    bill = wechat.read_trade(content)
    read_s = time.perf_counter() - begun_s
    assert bill.complete
    print(
        json.dumps(
            {
                "rows": given.rows,
                "differences": len(found.differences),
                "seconds": round(took_s, 2),
                "floor_s": round(bare_s, 2),
                "reading_the_bill_s": round(read_s, 2),
                "target_s": TARGET_S * given.rows / 1_000_000,
                "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1:])
