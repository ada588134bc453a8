"""Alipay's trade bill: a zip of a detail and a summary file, comma-separated, GBK, tab-padded.

Source: Alipay open platform, ``alipay.data.dataservice.bill.downloadurl.query`` (trade).
"""

import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from city.errors import Invalid
from city.money import Money
from payments.rules.channel_bills.lines import (
    CURRENCY,
    Bill,
    BillLine,
    LineKind,
    RejectedLine,
    Totals,
    free_text,
    local_instant,
    local_text,
    read_rows,
    totals,
    yuan,
)

_COLUMNS: Final = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,"
    "对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,"
    "商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,"
    "退款批次号/请求号,服务费（元）,分润（元）,备注"
)
_COUNT: Final = _COLUMNS.count(",") + 1
_AFTER_SUBJECT: Final = _COUNT - 4
_END: Final = "#-----------------------------------------业务明细列表结束"
_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}", re.ASCII)
_SUMS: Final = re.compile(r"#(交易|退款)合计[：:](\d+)笔.*?共[：:]?(-?[\d.]+)元")
_ACCOUNT: Final = re.compile(r"#账号[：:]\[([^\]]*)\]")
_MOST_BYTES: Final = 1024 * 1024 * 1024
_MOST_MEMBERS: Final = 16
_UTF8_NAME: Final = 0x800


def write_trade(lines: Sequence[BillLine], account: str, day: date) -> bytes:
    """Write a day's trade bill as Alipay's zip: details first, then the summary."""
    sums = totals(lines)
    payments = sum(line.kind is LineKind.PAYMENT for line in lines)
    paid, refunded = _yuan(sums.paid_minor), _yuan(-sums.refunded_minor)
    refunds = sums.rows - payments
    closing = [
        f"#交易合计：{payments}笔，商家实收共：{paid}元，商家优惠共：0.00元",
        f"#退款合计：{refunds}笔，商家实收退款共：{refunded}元，商家优惠退款共：0.00元",
    ]
    head = [
        "#支付宝业务明细查询",
        f"#账号：[{account}]",
        f"#起始日期：[{_day(day)}]   终止日期：[{_day(day + timedelta(days=1))}]",
        "#-----------------------------------------业务明细列表----------------------------------------",
        _COLUMNS,
    ]
    details = [*head, *(_row(line) for line in lines), f"{_END}-----------------------", *closing]
    summary = ["#支付宝业务汇总查询", f"#账号：[{account}]", *closing]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (("业务明细", details), ("业务明细(汇总)", summary)):
            member = _GbkMember(f"{account}_{day:%Y%m%d}_{name}.csv")
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, "\r\n".join([*text, ""]).encode("gbk", errors="replace"))
    return packed.getvalue()


def read_trade(content: bytes) -> Bill:
    """Read a trade bill's zip; one pass, a bad row is named and the rest go on.

    Raises
    ------
    Invalid
        Where it is not such a zip, holds no details, or was cut off before their end.
    """
    rows = [row.rstrip(b"\r") for row in _details(content).split(b"\n")]
    texts = [row.decode("gb18030", errors="replace") for row in rows[:16]]
    start = next((index for index, text in enumerate(texts) if text.strip() == _COLUMNS), None)
    if start is None:
        raise Invalid("has not the columns of a trade bill", field="bill")
    mark = _END.encode("gbk")
    end = next((index for index, row in enumerate(rows) if row.startswith(mark)), None)
    if end is None:
        raise Invalid("has no end of the details: it was cut off", field="bill")
    account = next((found[1] for text in texts if (found := _ACCOUNT.match(text))), "")
    numbered = [
        (number, row) for number, row in enumerate(rows[start + 1 : end], start + 2) if row.strip()
    ]
    lines, rejected = read_rows(numbered, "gb18030", lambda row: _line(row, account))
    stated = _stated(rows[end:])
    if stated is None:
        rejected.append(RejectedLine(end + 2, "the totals are not of their form"))
    return Bill(tuple(lines), tuple(rejected), stated)


def _details(content: bytes) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > _MOST_MEMBERS or sum(m.file_size for m in members) > _MOST_BYTES:
                raise Invalid("unpacks to more than 16 files or 1 GiB", field="bill")
            for member in members:
                if "汇总" not in _name(member):
                    return archive.read(member)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError):
        raise Invalid("is not a zip that opens", field="bill") from None
    raise Invalid("holds no details", field="bill")


def _name(member: zipfile.ZipInfo) -> str:
    if member.flag_bits & _UTF8_NAME:
        return member.filename
    return member.filename.encode("cp437").decode("gbk", errors="replace")


class _GbkMember(zipfile.ZipInfo):
    """A member whose name is written in GBK without the flag for UTF-8, as Alipay's own are."""

    # The standard library's one place that turns the name into bytes; a test holds it.
    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - the library's name
        return self.filename.encode("gbk"), self.flag_bits & ~_UTF8_NAME


def _row(line: BillLine) -> str:
    refund = line.kind is not LineKind.PAYMENT
    amount = (-line.amount if refund else line.amount).decimal()
    cells = [
        f"{line.channel_no}\t", f"{line.order_no}\t", ("退款" if refund else "交易") + "\t",
        "停车费", local_text(line.at), local_text(line.at), "\t", "\t", "\t", "\t", "\t",
        amount, amount, "0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00\t", "0.00",
        f"{line.refund_no}\t", line.fee.decimal(), "0.00", "",
    ]  # fmt: skip
    return ",".join(
        free_text(cell.rstrip("\t"), ",") + "\t" * cell.endswith("\t") for cell in cells
    )


def _line(row: str, account: str) -> BillLine:
    cells = _aligned([cell.strip() for cell in row.split(",")])
    kind = {"交易": LineKind.PAYMENT, "退款": LineKind.REFUND}.get(cells[2])
    if kind is None:
        raise Invalid("is neither 交易 nor 退款", field="业务类型")
    payment = kind is LineKind.PAYMENT
    amount, fee = yuan(cells[11], "订单金额"), yuan(cells[22], "服务费")
    if not cells[1] or (payment and amount.minor < 0):
        raise Invalid("has no order number or an amount below zero")
    if not payment and not cells[21]:
        raise Invalid("is missing on a refund", field="退款批次号/请求号")
    # Bills of different ages write a refund's amounts with and without a minus sign.
    return BillLine(
        kind=kind,
        order_no=cells[1],
        channel_no=cells[0],
        amount=amount if payment else Money(abs(amount.minor), CURRENCY),
        fee=Money(abs(fee.minor) if payment else -abs(fee.minor), CURRENCY),
        at=local_instant(cells[5], "完成时间"),
        merchant=account,
        refund_no="" if payment else cells[21],
    )


def _aligned(cells: list[str]) -> list[str]:
    """Put a subject or a remark that holds commas together again: nothing is quoted here."""
    if len(cells) == _COUNT:
        return cells
    for index in range(4, len(cells) - 1):
        if _TIME.fullmatch(cells[index]) and _TIME.fullmatch(cells[index + 1]):
            tail = cells[index:]
            if len(tail) >= _AFTER_SUBJECT:
                remark = ",".join(tail[_AFTER_SUBJECT - 1 :])
                return [
                    *cells[:3], ",".join(cells[3:index]), *tail[: _AFTER_SUBJECT - 1], remark
                ]  # fmt: skip
    raise Invalid(f"has {len(cells)} columns, not {_COUNT}")


def _stated(rows: Sequence[bytes]) -> Totals | None:
    found = {
        match[1]: match
        for row in rows
        if (match := _SUMS.match(row.decode("gb18030", errors="replace")))
    }
    if set(found) != {"交易", "退款"}:
        return None
    try:
        paid, refunded = (yuan(found[name][3], name).minor for name in ("交易", "退款"))
    except Invalid:
        return None
    return Totals(int(found["交易"][2]) + int(found["退款"][2]), paid, abs(refunded))


def _day(day: date) -> str:
    return f"{day:%Y年%m月%d日} 00:00:00"


def _yuan(minor: int) -> str:
    return Money(minor, CURRENCY).decimal()
