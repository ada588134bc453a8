"""WeChat Pay's bills: comma-separated, every value behind a back-tick, with a summary row.

Source: WeChat Pay APIv3, trade bill (ALL) and fund-flow bill; amounts in yuan, times in China's.
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Sequence
from typing import Final

from city.errors import Invalid
from city.money import Money, minor_digits
from payments.rules.channel_bills.lines import (
    CHINA,
    CURRENCY,
    Bill,
    BillLine,
    LineKind,
    LineStatus,
    RejectedLine,
    Totals,
    free_text,
    local_instant,
    local_text,
    read_rows,
    totals,
    yuan,
)

_TRADE: Final = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,"
    "付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,"
    "退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
)
_TRADE_SUMMARY: Final = (
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
)
_FUND: Final = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额（元）,"
    "账户结余（元）,资金变更提交申请人,备注,业务凭证号"
)
_FUND_SUMMARY: Final = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"
_TRADE_COLUMNS: Final = _TRADE.count(",") + 1
_STATUS: Final = {
    "SUCCESS": LineStatus.DONE,
    "PROCESSING": LineStatus.PROCESSING,
    "CHANGE": LineStatus.FAILED,
    "FAIL": LineStatus.FAILED,
}
_WORD: Final = {
    LineStatus.DONE: "SUCCESS",
    LineStatus.PROCESSING: "PROCESSING",
    LineStatus.FAILED: "FAIL",
}
_MOST_BYTES: Final = 1024 * 1024 * 1024
_DECIMALS: Final = 2


def sha1_of(content: bytes) -> str:
    """Give the hash that comes with a download address; over the unpacked file."""
    return hashlib.sha1(content).hexdigest()  # noqa: S324 - the channel's own choice


def pack(content: bytes) -> bytes:
    """Compress a bill as ``tar_type=GZIP`` asks."""
    return gzip.compress(content, mtime=0)


def unpack(content: bytes, hash_value: str) -> bytes:
    """Give a downloaded bill, unpacked where it is gzip, whose SHA1 is as announced.

    Raises
    ------
    Invalid
        Where it does not unpack, is larger than 1 GiB, or its hash is another.
    """
    content = unpacked(content)
    if sha1_of(content) != hash_value.lower():
        raise Invalid("its SHA1 is not the announced one", field="bill")
    return content


def unpacked(content: bytes) -> bytes:
    """Give a bill's text, unpacked where it is gzip; Invalid where it is broken or above 1 GiB."""
    if content.startswith(b"\x1f\x8b"):
        unpacking = zlib.decompressobj(wbits=31)
        try:
            content = unpacking.decompress(content, _MOST_BYTES + 1)
        except zlib.error:
            raise Invalid("is not gzip", field="bill") from None
        if not unpacking.eof and len(content) <= _MOST_BYTES:
            raise Invalid("is gzip that was cut off", field="bill")
    if len(content) > _MOST_BYTES:
        raise Invalid("is larger than 1 GiB", field="bill")
    return content


def write_trade(lines: Sequence[BillLine], app_id: str) -> bytes:
    """Write a trade bill; payments and refunds are rows of the same columns."""
    rows = [_TRADE, *(_row(_trade_cells(line, app_id)) for line in lines)]
    sums = totals(lines)
    paid, refunded = _yuan(sums.paid_minor), _yuan(sums.refunded_minor)
    fee_minor = sum(line.fee.minor for line in lines)
    rows += [
        _TRADE_SUMMARY,
        _row([str(sums.rows), paid, refunded, "0.00", _fee(fee_minor), paid, refunded]),
    ]
    return ("\n".join(rows) + "\n").encode()


def read_trade(content: bytes) -> Bill:
    """Read a trade bill; one pass, a bad row is named and the rest go on.

    Raises
    ------
    Invalid
        Where it is not a trade bill at all: the head or the summary is missing.
    """
    numbered = _numbered(content)
    if not numbered or _text(numbered[0][1]) != _TRADE:
        raise Invalid("does not begin with the columns of a trade bill", field="bill")
    end = next(
        (index for index, (_, row) in enumerate(numbered) if _text(row) == _TRADE_SUMMARY), None
    )
    if end is None or end + 1 >= len(numbered):
        raise Invalid("has no summary: it was cut off", field="bill")
    lines, rejected = read_rows(numbered[1:end], "utf-8", _trade_line)
    stated: Totals | None = None
    number, row = numbered[end + 1]
    try:
        cells = _cells(_text(row))
        stated = Totals(
            int(cells[0]),
            yuan(cells[1], "应结订单总金额").minor,
            yuan(cells[2], "退款总金额").minor,
        )
    except (ValueError, IndexError, Invalid):
        rejected.append(RejectedLine(number, "the summary is not of its form"))
    return Bill(tuple(lines), tuple(rejected), stated)


def write_fund_flow(lines: Sequence[BillLine], opening_minor: int = 0) -> bytes:
    """Write a fund-flow bill: what each row does to the account, fees as rows of their own."""
    rows = [_FUND]
    balance_minor = opening_minor
    income: list[int] = []
    spending: list[int] = []
    for index, line in enumerate(lines):
        into = line.kind is LineKind.PAYMENT
        name = "交易" if into else "退款"
        flows = [(name, line.amount.minor if into else -line.amount.minor)]
        if line.fee:
            flows.append(("扣除交易手续费", -line.fee.minor))
        for part, (kind, change_minor) in enumerate(flows):
            balance_minor += change_minor
            (income if change_minor >= 0 else spending).append(abs(change_minor))
            rows.append(
                _row(
                    [
                        local_text(line.at),
                        line.channel_refund_no or line.channel_no,
                        f"{line.at.astimezone(CHINA).strftime('%Y%m%d')}{index:012d}{part}",
                        name,
                        kind,
                        "收入" if change_minor >= 0 else "支出",
                        _yuan(abs(change_minor)),
                        _yuan(balance_minor),
                        "system",
                        "",
                        line.refund_no or line.order_no,
                    ]
                )
            )
    rows += [
        _FUND_SUMMARY,
        _row(
            [
                str(len(income) + len(spending)),
                str(len(income)),
                _yuan(sum(income)),
                str(len(spending)),
                _yuan(sum(spending)),
            ]
        ),
    ]
    return ("\n".join(rows) + "\n").encode()


def _trade_cells(line: BillLine, app_id: str) -> list[str]:
    refund = line.kind is not LineKind.PAYMENT
    state = {LineKind.PAYMENT: "SUCCESS", LineKind.REFUND: "REFUND", LineKind.VOID: "REVOKED"}
    amount, nothing = line.amount.decimal(), "0.00"
    return [
        local_text(line.at), app_id, line.merchant, "0", "", line.channel_no, line.order_no,
        "", "NATIVE", state[line.kind],
        "OTHERS", line.amount.currency, nothing if refund else amount, nothing,
        line.channel_refund_no or "0", line.refund_no or "0", amount if refund else nothing,
        nothing, "ORIGINAL" if refund else "", _WORD[line.status] if refund else "", "停车费", "",
        _fee(line.fee.minor), "0.60%", nothing if refund else amount,
        amount if refund else nothing, "",
    ]  # fmt: skip


def _trade_line(row: str) -> BillLine:
    cells = _cells(row)
    if len(cells) != _TRADE_COLUMNS:
        raise Invalid(f"has {len(cells)} columns, not {_TRADE_COLUMNS}")
    kinds = {"SUCCESS": LineKind.PAYMENT, "REFUND": LineKind.REFUND, "REVOKED": LineKind.VOID}
    kind = kinds.get(cells[9])
    if kind is None:
        raise Invalid("is not a state that a bill has", field="交易状态")
    currency = cells[11]
    if _digits(currency) != _DECIMALS:
        raise Invalid("is not a currency of two decimals", field="货币种类")
    payment = kind is LineKind.PAYMENT
    status = LineStatus.DONE if payment else _STATUS.get(cells[19])
    if status is None:
        raise Invalid("is not a state of a refund", field="退款状态")
    place, column = (12, "应结订单金额") if payment else (16, "退款金额")
    amount = yuan(cells[place], column, currency)
    if amount.minor < 0 or not cells[6]:
        raise Invalid("has no order number or an amount below zero")
    return BillLine(
        kind=kind,
        order_no=cells[6],
        channel_no=cells[5],
        amount=amount,
        fee=yuan(cells[22], "手续费", currency),
        at=local_instant(cells[0], "交易时间"),
        merchant=cells[2],
        status=status,
        refund_no="" if payment or cells[15] == "0" else cells[15],
        channel_refund_no="" if payment or cells[14] == "0" else cells[14],
    )


def _digits(currency: str) -> int | None:
    try:
        return minor_digits(currency)
    except Invalid:
        return None


def _row(cells: Iterable[str]) -> str:
    return ",".join("`" + free_text(cell, "`") for cell in cells)


def _cells(row: str) -> list[str]:
    if not row.startswith("`"):
        raise Invalid("does not begin with a back-tick")
    return row[1:].split(",`")


def _numbered(content: bytes) -> list[tuple[int, bytes]]:
    rows = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return [(number, row.rstrip(b"\r")) for number, row in enumerate(rows, 1) if row.strip()]


def _text(row: bytes) -> str:
    return row.decode("utf-8", errors="replace")


def _yuan(minor: int) -> str:
    return Money(minor, CURRENCY).decimal()


def _fee(minor: int) -> str:
    return f"{_yuan(minor)}000"
