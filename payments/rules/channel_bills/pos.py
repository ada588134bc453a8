"""The acquirer's bill of a day at POS terminals: comma-separated text that we state ourselves.

Acquirers each have a format of their own and publish none; what theirs says is brought into this
one (`docs/pos.md`). A row is what the acquirer did under a reference of its own; it knows no number
of ours, so that a row's order is its sale's reference until it is named
(`payments.rules.pos.naming`).
"""

import csv
import re
from collections.abc import Sequence
from typing import Final

from city.errors import Invalid
from payments.rules.channel_bills.lines import (
    Bill,
    BillLine,
    LineKind,
    Totals,
    local_instant,
    local_text,
    read_rows,
    totals,
    yuan,
)
from payments.rules.channel_bills.wechat import unpacked

COLUMNS: Final = (
    "merchant_no", "terminal_no", "batch_no", "trace", "type", "reference", "original", "amount",
    "fee", "at",
)  # fmt: skip
_MERCHANT, _TERMINAL, _BATCH, _TRACE, _TYPE, _REFERENCE, _ORIGINAL, _AMOUNT, _FEE, _AT = range(10)
_HEAD: Final = ",".join(COLUMNS)
_TOTAL: Final = "total"
_TOTAL_CELLS: Final = 4
_TYPES: Final = {
    "sale": LineKind.PAYMENT,
    "refund": LineKind.REFUND,
    "void": LineKind.VOID,
}
_WORDS: Final = {kind: word for word, kind in _TYPES.items()}
_FORMS: Final = {
    _MERCHANT: re.compile(r"[0-9A-Z]{15}"),
    _TERMINAL: re.compile(r"[0-9A-Z]{8}"),
    _BATCH: re.compile(r"\d{6}", re.ASCII),
    _TRACE: re.compile(r"\d{6}", re.ASCII),
    _REFERENCE: re.compile(r"[0-9A-Za-z]{12}"),
}


def write_trade(lines: Sequence[BillLine], terminal_no: str = "00000000") -> bytes:
    """Write a bill as `read_trade` takes it; of batch and trace it says nothing."""
    rows = [_HEAD]
    for line in lines:
        payment = line.kind is LineKind.PAYMENT
        cells = [""] * len(COLUMNS)
        cells[_MERCHANT], cells[_TERMINAL] = line.merchant, terminal_no
        cells[_BATCH] = cells[_TRACE] = "000000"
        cells[_TYPE] = _WORDS[line.kind]
        cells[_REFERENCE] = line.channel_no if payment else line.channel_refund_no
        cells[_ORIGINAL] = "" if payment else line.channel_no
        cells[_AMOUNT], cells[_FEE] = _yuan(line.amount.minor), _yuan(line.fee.minor)
        cells[_AT] = local_text(line.at)
        rows.append(",".join(cells))
    sums = totals(lines)
    rows.append(f"{_TOTAL},{sums.rows},{_yuan(sums.paid_minor)},{_yuan(sums.refunded_minor)}")
    return ("\n".join(rows) + "\n").encode()


def read_trade(content: bytes) -> Bill:
    """Read a bill, plain or gzip; one pass, a bad row is named and the rest go on.

    Raises
    ------
    Invalid
        Where it is no such bill: head or total is missing.
    """
    text = unpacked(content).removeprefix(b"\xef\xbb\xbf")
    numbered = [
        (number, row.rstrip(b"\r"))
        for number, row in enumerate(text.split(b"\n"), 1)
        if row.strip()
    ]
    if not numbered or numbered[0][1] != _HEAD.encode():
        raise Invalid("does not begin with the columns of a POS bill", field="bill")
    last = numbered[-1][1].decode("utf-8", "replace").split(",")
    if last[0] != _TOTAL or len(last) != _TOTAL_CELLS:
        raise Invalid("has no total: it was cut off", field="bill")
    if not (last[1].isascii() and last[1].isdigit()):
        raise Invalid("is not a number of rows", field=_TOTAL)
    stated = Totals(int(last[1]), yuan(last[2], _TOTAL).minor, yuan(last[3], _TOTAL).minor)
    lines, rejected = read_rows(numbered[1:-1], "utf-8", _line)
    return Bill(tuple(lines), tuple(rejected), stated)


def _line(row: str) -> BillLine:
    try:
        cells = next(csv.reader([row], strict=True))
    except csv.Error:
        raise Invalid("has quotes that do not end") from None
    if len(cells) != len(COLUMNS):
        raise Invalid(f"has {len(cells)} columns, not {len(COLUMNS)}")
    for place, form in _FORMS.items():
        if not form.fullmatch(cells[place]):
            raise Invalid("is not of its form", field=COLUMNS[place])
    kind = _TYPES.get(cells[_TYPE])
    if kind is None:
        raise Invalid("is not a type that a bill has", field="type")
    payment = kind is LineKind.PAYMENT
    if payment != (not cells[_ORIGINAL]):
        raise Invalid("names the sale that goes back, and nothing else does", field="original")
    amount = yuan(cells[_AMOUNT], "amount")
    if amount.minor <= 0:
        raise Invalid("is not above zero", field="amount")
    sale = cells[_REFERENCE if payment else _ORIGINAL]
    return BillLine(
        kind=kind,
        order_no=sale,
        channel_no=sale,
        amount=amount,
        fee=yuan(cells[_FEE], "fee"),
        at=local_instant(cells[_AT], "at"),
        merchant=cells[_MERCHANT],
        refund_no="" if payment else cells[_REFERENCE],
        channel_refund_no="" if payment else cells[_REFERENCE],
    )


def _yuan(minor: int) -> str:
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100}.{abs(minor) % 100:02d}"
