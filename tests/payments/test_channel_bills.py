"""A channel's bill is read row by row, and a broken row is named rather than guessed."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.errors import Invalid
from city.money import Money
from payments.rules.channel_bills import alipay, unionpay, wechat
from payments.rules.channel_bills.lines import BillLine, LineKind, LineStatus, Totals

DAY = date(2026, 3, 2)
START = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)

# One real row, from the public tests of binarywang/WxJava: restated as a fact about the format.
WECHAT_SAMPLE = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,"
    "货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,"
    "商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\n"
    "`2019-07-25 08:35:41,`WWWW,`1900000109,`0,`,`4200000001,`ORDER1,`openid,`JSAPI,`SUCCESS,"
    "`PSBC_DEBIT,`CNY,`6.00,`0.00,`0,`0,`0.00,`0.00,`,`,`a, b,`pack,`0.04000,`0.60%,`6.00,`0.00,`\n"
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\n"
    "`1,`6.00,`0.00,`0.00,`0.04000,`6.00,`0.00\n"
)


@st.composite
def lines(draw: st.DrawFn, *, voids: bool = True) -> list[BillLine]:
    """Draw the rows of a day; numbers are unique, as a channel's are."""
    found: list[BillLine] = []
    for index in range(draw(st.integers(0, 6))):
        refund = draw(st.booleans())
        void = refund and voids and draw(st.booleans())
        minor = draw(st.integers(1, 10_000_000))
        kind = LineKind.VOID if void else LineKind.REFUND if refund else LineKind.PAYMENT
        fee = minor * 6 // 1000
        found.append(
            BillLine(
                kind,
                f"ORDER{index}",
                f"42000{index}",
                Money(minor, "CNY"),
                Money(-fee if refund else fee, "CNY"),
                START + timedelta(seconds=draw(st.integers(0, 86_399))),
                "777290058999999",
                LineStatus.DONE,
                f"REFUND{index}" if refund else "",
                f"50300{index}" if refund else "",
            )
        )
    return found


@settings(max_examples=30)
@given(lines())
def test_wechat_s_bill_gives_back_what_was_written(rows: list[BillLine]) -> None:
    bill = wechat.read_trade(wechat.write_trade(rows, "wx1"))
    assert bill.lines == tuple(rows)
    assert bill.complete


@settings(max_examples=30)
@given(lines(voids=False))
def test_alipay_s_bill_gives_back_what_was_written(rows: list[BillLine]) -> None:
    bill = alipay.read_trade(alipay.write_trade(rows, "777290058999999", DAY))
    # Alipay's bill states no number of its own for a refund.
    assert [(r.kind, r.order_no, r.amount, r.fee, r.at, r.refund_no) for r in bill.lines] == [
        (r.kind, r.order_no, r.amount, r.fee, r.at, r.refund_no) for r in rows
    ]
    assert bill.complete


@settings(max_examples=30)
@given(lines())
def test_unionpay_s_bill_gives_back_what_was_written(rows: list[BillLine]) -> None:
    content = unionpay.write_trade(rows, "777290058999999", DAY)
    assert unionpay.unpack(unionpay.pack(content)) == content
    bill = unionpay.read_trade(content, DAY)
    assert bill.lines == tuple(rows)
    assert bill.complete


def test_a_real_row_of_wechat_s_is_read() -> None:
    bill = wechat.read_trade(("\ufeff" + WECHAT_SAMPLE).encode())
    assert bill.lines == (
        BillLine(
            LineKind.PAYMENT,
            "ORDER1",
            "4200000001",
            Money(600, "CNY"),
            Money(4, "CNY"),
            datetime(2019, 7, 25, 0, 35, 41, tzinfo=UTC),
            "1900000109",
        ),
    )
    assert bill.complete


def test_wechat_s_broken_rows_are_named_and_the_rest_is_read() -> None:
    rows = WECHAT_SAMPLE.splitlines()
    good = rows[1]
    broken = [
        good.replace("`6.00", "`6.005", 1),
        good.replace("`CNY", "`XXX"),
        good.replace("2019-07-25", "2019-02-30"),
        good.replace("`SUCCESS", "`MAYBE"),
        good.removeprefix("`"),
        good.rpartition(",")[0],
    ]
    content = "\n".join([rows[0], good, *broken, *rows[2:]]).encode()
    content = content.replace(b"`pack", b"`pa\xffck", 1)
    bill = wechat.read_trade(content)
    assert bill.lines == ()
    assert [rejected.number for rejected in bill.rejected] == [2, 3, 4, 5, 6, 7, 8]
    assert bill.rejected[0].reason == "is not UTF-8"
    assert bill.rejected[1].reason == "应结订单金额: is not an amount of CNY (2 decimals)"
    assert not bill.complete


def test_a_bill_whose_sums_disagree_or_that_was_cut_off_is_not_complete() -> None:
    stated = wechat.read_trade(WECHAT_SAMPLE.replace("`1,`6.00", "`2,`6.00").encode())
    assert stated.stated == Totals(2, 600, 0)
    assert not stated.complete
    with pytest.raises(Invalid, match="cut off"):
        wechat.read_trade("\n".join(WECHAT_SAMPLE.splitlines()[:2]).encode())
    with pytest.raises(Invalid, match="columns"):
        wechat.read_trade(b"<html>")


def test_a_download_is_taken_by_its_sha1_over_the_unpacked_file() -> None:
    content = WECHAT_SAMPLE.encode()
    digest = wechat.sha1_of(content)
    assert wechat.unpack(wechat.pack(content), digest) == content
    assert wechat.unpack(content, digest.upper()) == content
    with pytest.raises(Invalid, match="SHA1"):
        wechat.unpack(content + b" ", digest)
    with pytest.raises(Invalid, match="gzip"):
        wechat.unpack(b"\x1f\x8bnot", digest)


def test_alipay_s_zip_is_gbk_in_names_and_content_and_is_padded_with_tabs() -> None:
    row = BillLine(
        LineKind.REFUND, "O1", "2026", Money(250, "CNY"), Money(-1, "CNY"), START, "2088",
        refund_no="R1",
    )  # fmt: skip
    content = alipay.write_trade([row], "2088", DAY)
    assert "2088_20260302_业务明细.csv".encode("gbk") in content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = archive.read(archive.namelist()[0]).decode("gbk")
    assert "2026\t,O1\t,退款\t,停车费,2026-03-02 00:00:00" in text
    assert ",-2.50,-2.50," in text
    assert "#退款合计：1笔，商家实收退款共：-2.50元" in text


def alipay_zip(rows: list[str]) -> bytes:
    """Put rows between the head and the end of a real detail file."""
    with zipfile.ZipFile(io.BytesIO(alipay.write_trade([], "2088", DAY))) as archive:
        whole = archive.read(archive.namelist()[0]).decode("gbk").split("\r\n")
    end = next(index for index, row in enumerate(whole) if "明细列表结束" in row)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        text = "\r\n".join([*whole[:end], *rows, *whole[end:]])
        archive.writestr("detail.csv", text.encode("gbk"))
    return packed.getvalue()


def test_alipay_s_rows_are_read_with_commas_in_the_subject_and_bad_ones_are_named() -> None:
    tail = "2026-03-02 00:06:14,2026-03-02 00:06:15,\t,\t,\t,\t,*杨(137****2600)\t"
    money = "20.00,20.00,0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,\t,0.12,0.00"
    rows = [
        f"2017083121\t,cd6e\t,交易\t,停车, 夜间,{tail},{money},备注, 两段",
        f"2017083122\t,cd6f\t,其他\t,停车,{tail},{money},",
        f"2017083123\t,cd70\t,退款\t,停车,{tail},{money},",
        "short,row",
    ]
    bill = alipay.read_trade(alipay_zip(rows))
    assert [(line.order_no, line.amount.minor, line.fee.minor) for line in bill.lines] == [
        ("cd6e", 2000, 12)
    ]
    assert [rejected.number for rejected in bill.rejected] == [7, 8, 9]
    assert not bill.complete
    with pytest.raises(Invalid, match="zip"):
        alipay.read_trade(b"PK\x03\x04nothing")


def test_unionpay_s_rows_of_another_width_or_type_are_named() -> None:
    row = BillLine(
        LineKind.PAYMENT, "ORDER001", "2" * 21, Money(1250, "CNY"), Money(8, "CNY"), START, "777"
    )
    with zipfile.ZipFile(io.BytesIO(unionpay.write_trade([row], "777", DAY))) as archive:
        good = archive.read(archive.namelist()[0]).rstrip(b"\r\n")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        content = [
            good,
            good[:-1],
            good.replace(b"000000001250", b"00000000125X"),
            b"x" * len(good),
        ]
        archive.writestr("INN26030288ZM_777", b"\r\n".join(content))
    bill = unionpay.read_trade(packed.getvalue(), DAY)
    assert bill.lines == (row,)
    assert [rejected.number for rejected in bill.rejected] == [2, 3, 4]
    assert bill.rejected[1].reason == "txnAmt: is not a whole number of fen"
    with pytest.raises(Invalid, match="unpack"):
        unionpay.unpack("not base64")


def test_unionpay_s_rows_of_new_year_s_eve_get_the_year_before() -> None:
    row = BillLine(
        LineKind.PAYMENT, "ORDER001", "2" * 21, Money(1, "CNY"), Money(0, "CNY"),
        datetime(2025, 12, 31, 15, 30, tzinfo=UTC), "777",
    )  # fmt: skip
    day = date(2026, 1, 1)
    assert unionpay.read_trade(unionpay.write_trade([row], "777", day), day).lines == (row,)
