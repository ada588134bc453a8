"""The local gateway does what each channel documents, over real HTTP and signatures."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from city.money import Money
from city.time import WallClock
from payments.gateway.app import Gateway
from payments.gateway.book import Book
from payments.gateway.desk import WechatKeys
from payments.gateway.orders import Order, RefundState, Refused, State, Terms
from payments.rules import alipay, unionpay, wechat_v3
from payments.rules.channel_bills import alipay as alipay_bill
from payments.rules.channel_bills import unionpay as unionpay_bill
from payments.rules.channel_bills import wechat as wechat_bill
from payments.rules.channel_bills.lines import CHINA, LineKind
from payments.rules.channels import Channel
from tests.payments.merchants import Alipay, Inbox, UnionPay, Wechat, form, keys, pay, scan, until

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """Serve without faults; a refund takes a tenth of a second."""
    serving = Gateway(keys(), speed=200, open_day=True)
    serving.start()
    yield serving
    serving.stop()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    taking = Inbox()
    yield taking
    taking.close()


def today() -> str:
    return WallClock().now().astimezone(CHINA).date().isoformat()


# --- WeChat Pay ----------------------------------------------------------------------------------


def test_a_wechat_order_is_paid_once_told_of_and_refunded_in_parts_up_to_what_was_paid(
    gateway: Gateway, inbox: Inbox
) -> None:
    merchant = Wechat(gateway.address)
    status, opened = merchant.open("WXLIFE1", 1250, inbox.url)
    assert status == 200
    assert merchant.query("WXLIFE1")[1]["trade_state"] == "NOTPAY"
    assert merchant.open("WXLIFE1", 1250, inbox.url)[1] == opened
    assert merchant.open("WXLIFE1", 1300, inbox.url)[1]["code"] == "OUT_TRADE_NO_USED"
    assert pay(gateway.address, opened["code_url"]) == 200
    assert pay(gateway.address, opened["code_url"]) == 200

    told = merchant.told(*inbox.wait(1)[0])
    paid = merchant.query("WXLIFE1")[1]
    assert told.event == "TRANSACTION.SUCCESS"
    assert dict(told.resource) == paid
    assert paid["trade_state"] == "SUCCESS"
    assert merchant.open("WXLIFE1", 1250, inbox.url)[1]["code"] == "ORDERPAID"
    close = "/v3/pay/transactions/out-trade-no/WXLIFE1/close"
    assert merchant.call("POST", close, {"mchid": "1900009999"})[1]["code"] == "ORDERPAID"

    status, first = merchant.refund("WXLIFE1", "R1", 250, 1250, inbox.url)
    assert (status, first["status"]) == (200, "PROCESSING")
    assert (
        merchant.refund("WXLIFE1", "R1", 250, 1250, inbox.url)[1]["refund_id"] == first["refund_id"]
    )
    assert merchant.refund("WXLIFE1", "R1", 251, 1250, inbox.url)[0] == 400
    assert merchant.refund("WXLIFE1", "R2", 1001, 1250, inbox.url)[0] == 400
    assert merchant.refund("WXLIFE1", "R2", 1000, 1250, inbox.url)[0] == 200
    until(lambda: len(inbox.received) == 3)
    events = [merchant.told(*each) for each in inbox.received[1:]]
    assert {told.event for told in events} == {"REFUND.SUCCESS"}
    assert {told.resource["out_refund_no"] for told in events} == {"R1", "R2"}
    assert merchant.call("GET", "/v3/refund/domestic/refunds/R1")[1]["status"] == "SUCCESS"
    assert merchant.query("WXLIFE1")[1]["trade_state"] == "REFUND"


def test_a_closed_or_expired_wechat_order_takes_no_money(gateway: Gateway, inbox: Inbox) -> None:
    merchant = Wechat(gateway.address)
    _, opened = merchant.open("WXCLOSED", 100, inbox.url)
    close = "/v3/pay/transactions/out-trade-no/WXCLOSED/close"
    for _ in range(2):
        assert merchant.call("POST", close, {"mchid": "1900009999"}) == (204, {})
    assert pay(gateway.address, opened["code_url"]) == 409
    assert merchant.query("WXCLOSED")[1]["trade_state"] == "CLOSED"
    soon = (WallClock().now() + timedelta(seconds=3)).isoformat()
    _, opened = merchant.open("WXEXPIRES", 100, inbox.url, time_expire=soon)
    until(lambda: merchant.query("WXEXPIRES")[1]["trade_state"] == "CLOSED")
    assert pay(gateway.address, opened["code_url"]) == 409
    assert inbox.received == []


@pytest.mark.parametrize(
    ("ending", "answer", "then"),
    [
        ("11", (200, "SUCCESS"), "SUCCESS"),
        ("03", (200, "USERPAYING"), "USERPAYING"),
        ("20", (500, "SYSTEM_ERROR"), "SUCCESS"),
        ("05", (403, "NOTENOUGH"), "CLOSED"),
    ],
)
def test_a_wechat_bar_code_tells_by_its_ending_what_happens(
    gateway: Gateway, inbox: Inbox, ending: str, answer: tuple[int, str], then: str
) -> None:
    merchant = Wechat(gateway.address)
    number, payer = f"WXCODE{ending}", {"auth_code": f"1300610988280094{ending}"}
    status, body = merchant.open(number, 300, inbox.url, "codepay", payer=payer)
    assert (status, body.get("trade_state", body.get("code"))) == answer
    assert merchant.query(number)[1]["trade_state"] == then
    reverse = f"/v3/pay/transactions/out-trade-no/{number}/reverse"
    assert merchant.call("POST", reverse, {})[0] == 200
    assert merchant.query(number)[1]["trade_state"] in {"REVOKED", "CLOSED"}
    assert gateway.desk.book.find(Channel.WECHAT, number, NOW).state in {
        State.VOIDED,
        State.CLOSED,
    }


def test_a_merchant_without_a_platform_certificate_is_answered_and_told_by_the_public_key() -> None:
    serving = Gateway(keys(), speed=200, wechat_keys=WechatKeys.PUBLIC_KEY)
    serving.start()
    inbox = Inbox()
    try:
        merchant = Wechat(serving.address)
        assert merchant.call("GET", "/v3/certificates")[0] == 404
        _, opened = merchant.open("WXPUBLIC", 100, inbox.url)
        pay(serving.address, opened["code_url"])
        headers, body = inbox.wait(1)[0]
        assert headers["Wechatpay-Serial"] == keys().public_key_id
        assert merchant.told(headers, body).event == "TRANSACTION.SUCCESS"
        asked = {"Wechatpay-Serial": "PUB_KEY_ID_" + "0" * 32}
        assert merchant.call("GET", "/v3/certificates", **asked)[1]["code"] == "INVALID_REQUEST"
    finally:
        serving.stop()
        inbox.close()


# --- Alipay --------------------------------------------------------------------------------------


def test_an_alipay_trade_exists_once_scanned_is_told_of_and_refunded_up_to_what_was_paid(
    gateway: Gateway, inbox: Inbox
) -> None:
    merchant = Alipay(gateway.address)
    order = {"out_trade_no": "ALI1", "total_amount": "12.50", "subject": "停车费"}
    made = merchant.call("alipay.trade.precreate", order, notify_url=inbox.url)
    number = {"out_trade_no": "ALI1"}
    assert merchant.call("alipay.trade.query", number)["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    assert scan(gateway.address, made["qr_code"])["state"] == "open"
    assert merchant.call("alipay.trade.query", number)["trade_status"] == "WAIT_BUYER_PAY"
    pay(gateway.address, made["qr_code"])

    told = form(inbox.wait(1)[0][1])
    alipay.verify_notification(merchant.public, told)
    alipay.check_notified(
        told,
        app_id=merchant.given["appid"],
        seller_id=merchant.given["seller_id"],
        order_no="ALI1",
        amount=Money(1250, "CNY"),
    )
    assert merchant.call("alipay.trade.query", number)["trade_status"] == "TRADE_SUCCESS"

    def back(refund_no: str, amount: str) -> dict[str, str]:
        return merchant.call(
            "alipay.trade.refund",
            {**number, "out_request_no": refund_no, "refund_amount": amount},
        )

    assert (back("A1", "2.50")["fund_change"], back("A1", "2.50")["fund_change"]) == ("Y", "N")
    assert back("A1", "2.51")["sub_code"] == "ACQ.DISCORDANT_REPEAT_REQUEST"
    assert back("A2", "10.01")["sub_code"] == "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL"
    # The answer states the sum of all refunds of the trade.
    assert back("A2", "10")["refund_fee"] == "12.50"
    assert merchant.call("alipay.trade.query", number)["trade_status"] == "TRADE_CLOSED"


@pytest.mark.parametrize(
    ("ending", "code", "cancelled_by"),
    [("11", "10000", "refund"), ("03", "10003", "close"), ("20", "20000", "refund")],
)
def test_an_alipay_bar_code_that_is_not_clear_is_cancelled_for_certain(
    gateway: Gateway, ending: str, code: str, cancelled_by: str
) -> None:
    merchant = Alipay(gateway.address)
    order = {
        "out_trade_no": f"ALICODE{ending}",
        "total_amount": "3.00",
        "subject": "停车费",
        "scene": "bar_code",
        "auth_code": f"2876339300000000{ending}",
    }
    assert merchant.call("alipay.trade.pay", order)["code"] == code
    for action in (cancelled_by, cancelled_by):
        done = merchant.call("alipay.trade.cancel", {"out_trade_no": order["out_trade_no"]})
        assert done["action"] == action
    known = gateway.desk.book.find(Channel.ALIPAY, order["out_trade_no"], NOW)
    assert known.state is State.VOIDED
    assert known.refunded_minor == (300 if cancelled_by == "refund" else 0)


def test_an_alipay_page_sends_the_payer_back_with_signed_parameters(gateway: Gateway) -> None:
    merchant = Alipay(gateway.address)
    order = {
        "out_trade_no": "ALIPAGE",
        "total_amount": "5.00",
        "subject": "<b>停车费",
        "product_code": "FAST_INSTANT_TRADE_PAY",
    }
    asked = merchant.parameters("alipay.trade.page.pay", order, return_url="http://127.0.0.1/r?a=1")
    page = httpx.get(merchant.given["gateway"], params=asked, follow_redirects=True)
    assert "&lt;b&gt;停车费" in page.text
    token = str(page.url).rpartition("/")[2]
    httpx.post(f"{gateway.address}/payer/{token}/pay")
    order_back = gateway.desk.book.find(Channel.ALIPAY, "ALIPAGE", NOW)
    page = httpx.get(f"{gateway.address}/payer/{token}")
    url = page.text.partition('class="go" href="')[2].partition('"')[0].replace("&amp;", "&")
    back = dict(httpx.URL(url).params)
    assert back.pop("a") == "1"
    alipay.verify_notification(merchant.public, back)
    assert (back["out_trade_no"], back["total_amount"]) == (order_back.order_no, "5.00")


# --- UnionPay ------------------------------------------------------------------------------------


def test_a_unionpay_code_is_paid_told_of_queried_voided_and_refunded(
    gateway: Gateway, inbox: Inbox
) -> None:
    merchant = UnionPay(gateway.address)
    at = f"{WallClock().now().astimezone(CHINA):%Y%m%d%H%M%S}"

    def ask(kind: tuple[str, str], number: str, path: str = "backTransReq", **more: str) -> str:
        answer = merchant.call(kind, path, orderId=number, txnTime=at, backUrl=inbox.url, **more)
        answers.append(answer)
        return answer["respCode"]

    answers: list[dict[str, str]] = []
    for number in ("UPORDER1", "UPORDER2"):
        assert ask(("01", "07"), number, txnAmt="1250") == "00"
        assert ask(("00", "00"), number, "queryTrans") == "34"
        pay(gateway.address, answers[-2]["qrCode"])
        assert ask(("00", "00"), number, "queryTrans") == "00"
        assert answers[-1]["origRespCode"] == "00"
        assert ask(("01", "07"), number, txnAmt="1250") == "12"
    paid = {answers[2]["orderId"]: answers[2], answers[6]["orderId"]: answers[6]}

    first = {"origQryId": paid["UPORDER1"]["queryId"]}
    assert ask(("31", "00"), "UPVOID01", txnAmt="1249", **first) == "36"
    assert ask(("31", "00"), "UPVOID01", txnAmt="1250", **first) == "00"
    assert ask(("31", "00"), "UPVOID01", txnAmt="1250", **first) == "12"
    assert ask(("04", "00"), "UPREFUND", txnAmt="1", **first) == "35"
    second = {"origQryId": paid["UPORDER2"]["queryId"]}
    assert ask(("04", "00"), "UPORDER2", txnAmt="1", **second) == "12"
    assert ask(("04", "00"), "UPREFUND1", txnAmt="250", **second) == "00"
    assert ask(("04", "00"), "UPREFUND2", txnAmt="1001", **second) == "36"
    until(lambda: ask(("00", "00"), "UPREFUND1", "queryTrans") == "00"
          and answers[-1]["origRespCode"] == "00")  # fmt: skip
    told = [merchant.checked(form(body)) for _, body in inbox.wait(4)]
    assert {(each["txnType"], each["orderId"], each["txnAmt"]) for each in told} == {
        ("01", "UPORDER1", "1250"),
        ("01", "UPORDER2", "1250"),
        ("31", "UPVOID01", "1250"),
        ("04", "UPREFUND1", "250"),
    }


# --- bills ---------------------------------------------------------------------------------------


def test_each_channel_s_bill_of_the_day_states_its_payments_and_refunds(inbox: Inbox) -> None:
    serving = Gateway(keys(), speed=1000, open_day=True)
    serving.start()
    try:
        wechat, ali, union = (
            Wechat(serving.address),
            Alipay(serving.address),
            UnionPay(serving.address),
        )
        _, opened = wechat.open("BILLWX1", 1000, inbox.url)
        pay(serving.address, opened["code_url"])
        wechat.refund("BILLWX1", "BILLWXR", 400, 1000)
        order = {"out_trade_no": "BILLALI", "total_amount": "10", "subject": "停车费"}
        pay(serving.address, ali.call("alipay.trade.precreate", order)["qr_code"])
        refund = {"out_trade_no": "BILLALI", "out_request_no": "BR", "refund_amount": "4"}
        ali.call("alipay.trade.refund", refund)
        at = today().replace("-", "") + "000000"
        code = union.call(("01", "07"), orderId="BILLUP01", txnTime=at, txnAmt="1000")["qrCode"]
        pay(serving.address, code)
        number = serving.desk.book.find(Channel.UNIONPAY, f"BILLUP01:{at}", NOW).channel_no
        union.call(("04", "00"), orderId="BILLUPR1", txnTime=at, txnAmt="400", origQryId=number)

        offer = wechat.call("GET", f"/v3/bill/tradebill?bill_date={today()}&tar_type=GZIP")[1]
        target = offer["download_url"].removeprefix(serving.address)
        packed = httpx.get(
            offer["download_url"],
            headers={"Authorization": signed_get(wechat, target)},
        ).content
        until(lambda: serving.notifier.counts().waiting == 0)
        bill = wechat_bill.read_trade(wechat_bill.unpack(packed, offer["hash_value"]))
        asked = {"bill_type": "trade", "bill_date": today()}
        offer = ali.call("alipay.data.dataservice.bill.downloadurl.query", asked)
        ali_bill = alipay_bill.read_trade(httpx.get(offer["bill_download_url"]).content)
        file = union.call(
            ("76", "01"), "fileTransfer", fileType="00", settleDate=at[4:8], txnTime=at
        )
        day = datetime.strptime(at, "%Y%m%d%H%M%S").replace(tzinfo=UTC).date()
        union_bill = unionpay_bill.read_trade(unionpay_bill.unpack(file["fileContent"]), day)
        for each in (bill, ali_bill, union_bill):
            assert each.complete
            assert [(line.kind, line.amount.minor, line.fee.minor) for line in each.lines] == [
                (LineKind.PAYMENT, 1000, 6),
                (LineKind.REFUND, 400, -2),
            ]
    finally:
        serving.stop()


def signed_get(merchant: Wechat, target: str) -> str:
    return wechat_v3.authorization(
        merchant.key,
        merchant_id=merchant.given["mchid"],
        serial=merchant.given["cert_serial_no"],
        method="GET",
        target=target,
        body=b"",
        at=WallClock().now(),
        nonce="bill",
    )


def test_a_bill_of_a_day_that_is_not_over_is_not_there_yet() -> None:
    serving = Gateway(keys())
    serving.start()
    try:
        merchant = Wechat(serving.address)
        for day, code in (
            (today(), "STATEMENT_CREATING"),
            ("9999-12-31", "STATEMENT_CREATING"),
            ("0001-01-01", "NO_STATEMENT_EXIST"),
            ("soon", "PARAM_ERROR"),
        ):
            answer = merchant.call("GET", f"/v3/bill/tradebill?bill_date={day}")
            assert (answer[0], answer[1]["code"]) == (400, code)
    finally:
        serving.stop()


# --- refusals ------------------------------------------------------------------------------------


def test_rubbish_is_refused_and_changes_nothing(gateway: Gateway) -> None:
    before = len(gateway.desk.book.orders())
    address, wechat = gateway.address, Wechat(gateway.address)
    native = "/v3/pay/transactions/native"
    unsigned = httpx.post(address + native, json={})
    assert unsigned.status_code == 401
    good = {
        "appid": wechat.given["appid"],
        "mchid": wechat.given["mchid"],
        "description": "停车费",
        "out_trade_no": "RUBBISH1",
        "amount": {"total": 100},
        "notify_url": "http://127.0.0.1:9/",
    }
    for changed in (
        {"amount": {"total": 0}},
        {"amount": {"total": 1.5}},
        {"amount": {"total": "100"}},
        {"amount": {"total": 100, "currency": "USD"}},
        {"out_trade_no": "../../"},
        {"notify_url": ""},
        {"notify_url": "http://user:word@host"},
        {"notify_url": "http://["},
        {"appid": "wx0"},
        {"time_expire": "0001-01-01T00:00:00+08:00"},
        {"time_expire": "soon"},
    ):
        status, _ = wechat.call("POST", native, {**good, **changed})
        assert status == 400, changed
    assert wechat.call("POST", native, ["not", "an", "object"])[0] == 400
    assert httpx.post(address + native, content=b"x" * 1_100_000).status_code == 413

    ali = Alipay(address)
    signed = ali.parameters("alipay.trade.precreate", {"out_trade_no": "R", "total_amount": "1"})
    altered = httpx.post(ali.given["gateway"], data={**signed, "biz_content": "{}"})
    assert altered.json()["alipay_trade_precreate_response"]["sub_code"] == "isv.invalid-signature"
    for biz in (
        {"out_trade_no": "R", "total_amount": "1.001", "subject": "s"},
        {"out_trade_no": "R", "total_amount": "-1", "subject": "s"},
        {"out_trade_no": "R", "total_amount": "NaN", "subject": "s"},
        {"out_trade_no": {"a": 1}, "total_amount": "1", "subject": "s"},
        {"out_trade_no": "R", "total_amount": "1", "subject": "s", "timeout_express": "soon"},
        {
            "out_trade_no": "R",
            "total_amount": "1",
            "subject": "s",
            "time_expire": "0001-01-01 00:00:00",
        },
    ):
        assert ali.call("alipay.trade.precreate", biz)["code"] == "40004", biz
    assert httpx.get(f"{address}/gateway.do?method=x").json()["error_response"]["code"] == "40002"

    union = UnionPay(address)
    for more, code in (
        ({"orderId": "short", "txnAmt": "1"}, "10"),
        ({"orderId": "RUBBISH01", "txnAmt": "0"}, "10"),
        ({"orderId": "RUBBISH01", "txnAmt": "1", "txnTime": "20260230000000"}, "10"),
        ({"orderId": "RUBBISH01", "txnAmt": "1", "currencyCode": "840"}, "10"),
        ({"orderId": "RUBBISH01", "txnAmt": "1", "merId": "777290058000000"}, "31"),
    ):
        assert union.call(("01", "07"), **more)["respCode"] == code, more
    assert union.call(("99", "99"), orderId="RUBBISH01")["respCode"] == "10"
    raw = httpx.post(f"{union.given['gateway']}/backTransReq.do", content=b"\xff\xfe")
    assert unionpay.read_response(raw.content)["respCode"] == "10"
    assert len(gateway.desk.book.orders()) == before


# --- the book ------------------------------------------------------------------------------------


def opened(book: Book, minor: int = 1000) -> Order:
    terms = Terms(minor, "停车费", "NATIVE")
    return book.open(Channel.WECHAT, "ORDER1", terms, at=NOW, merchant="1900009999")


@settings(max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.just(("pay", 0)),
            st.just(("close", 0)),
            st.just(("take_back", 0)),
            st.tuples(st.just("refund"), st.integers(1, 700)),
            st.just(("arrive", 0)),
        ),
        max_size=14,
    )
)
def test_whatever_is_asked_of_an_order_no_more_goes_back_than_was_paid(
    steps: list[tuple[str, int]],
) -> None:
    book = Book()
    opened(book)
    taken_minor = 0
    for index, (step, minor) in enumerate(steps):
        with suppress(Refused):
            match step:
                case "pay":
                    taken_minor += 1000 * book.pay(Channel.WECHAT, "ORDER1", "p", NOW)[1]
                case "close":
                    book.close(Channel.WECHAT, "ORDER1", NOW)
                case "take_back":
                    book.take_back(Channel.WECHAT, "ORDER1", NOW)
                case "refund":
                    book.refund(Channel.WECHAT, "ORDER1", f"R{index}", minor, at=NOW)
                case _:
                    for refund in book.find(Channel.WECHAT, "ORDER1", NOW).refunds:
                        book.settle_refund(Channel.WECHAT, refund.refund_no, NOW)
        order = book.find(Channel.WECHAT, "ORDER1", NOW)
        assert taken_minor in {0, 1000}
        assert order.refunded_minor <= taken_minor
        assert (order.paid_at is not None) == (taken_minor == 1000)
        assert sum(refund.fee_minor for refund in order.refunds) <= order.fee_minor
        if order.refunded_minor == taken_minor == 1000:
            assert sum(refund.fee_minor for refund in order.refunds) == order.fee_minor


def test_many_at_once_pay_once_and_refund_no_more_than_was_paid() -> None:
    book = Book()
    opened(book)

    def refund(index: int) -> bool:
        try:
            book.refund(Channel.WECHAT, "ORDER1", f"R{index}", 300, at=NOW)
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        firsts = list(
            pool.map(lambda _: book.pay(Channel.WECHAT, "ORDER1", "p", NOW)[1], range(16))
        )
        refunded = list(pool.map(refund, range(16)))
    assert (sum(firsts), sum(refunded)) == (1, 3)


def test_a_refund_arrives_once() -> None:
    book = Book()
    opened(book)
    book.pay(Channel.WECHAT, "ORDER1", "p", NOW)
    book.refund(Channel.WECHAT, "ORDER1", "R1", 300, at=NOW)
    later = NOW + timedelta(minutes=1)
    for at in (later, later + timedelta(minutes=1)):
        refund = book.settle_refund(Channel.WECHAT, "R1", at)[1]
        assert (refund.state, refund.done_at) == (RefundState.DONE, later)
