"""Our adapters speak to a gateway through real HTTP and signatures, and never guess."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from city.errors import Invalid, Unavailable
from city.identifiers import uuid7
from city.money import Money
from city.time import WallClock
from payments.adapters.accounts import read_channels
from payments.gateway.app import Gateway
from payments.gateway.faults import parse_faults
from payments.gateway.keys import make_keys
from payments.rules.authenticity import NotAuthentic, Refusal
from payments.rules.channel_bills import alipay, unionpay, wechat
from payments.rules.channel_bills.lines import CHINA, Bill, LineKind
from payments.rules.channels import (
    ONLINE,
    Answer,
    Channel,
    ChannelAdapter,
    Fate,
    Method,
    Order,
    Refund,
    RefundAnswer,
    RefundFate,
)
from tests.payments.merchants import Inbox, keys, pay, until

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTIFY = "http://127.0.0.1:9"
CHANNELS = list(ONLINE)
BARS = {
    Channel.WECHAT: "1300610988280094",
    Channel.ALIPAY: "2876339300000000",
    Channel.UNIONPAY: "62000000000000000",
}


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    serving = Gateway(keys(), speed=200, open_day=True)
    serving.start()
    yield serving
    serving.stop()


def adapters(gateway: Gateway, notify: str = NOTIFY) -> dict[Channel, ChannelAdapter]:
    document = httpx.get(f"{gateway.address}/gateway/keys").json()
    return read_channels(document, notify, WallClock())


def order(minor: int = 1250, method: Method = Method.CODE) -> Order:
    now = WallClock().now().replace(microsecond=0)
    return Order(
        order_no=uuid7().hex,
        amount=Money(minor, "CNY"),
        subject="停车费",
        method=method,
        opened_at=now,
        expires_at=now + timedelta(minutes=15),
    )


def refund(minor: int) -> Refund:
    return Refund(uuid7().hex, Money(minor, "CNY"), "多收退还", WallClock().now())


def read_bill(channel: Channel, content: bytes) -> Bill:
    if channel is Channel.WECHAT:
        return wechat.read_trade(content)
    if channel is Channel.ALIPAY:
        return alipay.read_trade(content)
    return unionpay.read_trade(content, unionpay.settlement_day(content))


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_order_is_opened_paid_refunded_in_part_and_billed(
    gateway: Gateway, channel: Channel
) -> None:
    adapter, asked = adapters(gateway)[channel], order()
    opening = adapter.open(asked)
    assert opening.answer.fate is Fate.OPEN
    again = adapter.open(asked)
    assert again.answer.fate in {Fate.OPEN, Fate.MISSING}
    unseen = {Channel.WECHAT: Fate.OPEN}.get(channel, Fate.MISSING)
    assert adapter.query(asked).fate is unseen
    assert pay(gateway.address, opening.code) == 200

    paid = adapter.query(asked)
    assert paid.fate is Fate.PAID
    assert (paid.amount, paid.merchant) == (asked.amount, adapter.merchant)
    assert paid.paid_at is not None
    assert timedelta() <= paid.paid_at - asked.opened_at < timedelta(minutes=1)
    assert adapter.close(asked).fate is Fate.PAID
    assert adapter.open(asked).answer.fate is Fate.PAID

    settled, part = replace(asked, channel_no=paid.channel_no), refund(250)
    assert adapter.query_refund(settled, part).fate is RefundFate.MISSING
    for _ in range(2):
        assert adapter.refund(settled, part).fate in {RefundFate.ASKED, RefundFate.DONE}
    until(lambda: adapter.query_refund(settled, part).fate is RefundFate.DONE)
    assert adapter.query_refund(settled, part).amount == part.amount
    assert adapter.refund(settled, refund(1001)).fate is RefundFate.FAILED

    content = adapter.bill(WallClock().now().astimezone(CHINA).date())
    assert content is not None
    rows = [row for row in read_bill(channel, content).lines if row.order_no == asked.order_no]
    assert [(row.kind, row.amount.minor, row.channel_no) for row in rows] == [
        (LineKind.PAYMENT, 1250, paid.channel_no),
        (LineKind.REFUND, 250, paid.channel_no),
    ]


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    ("ending", "fate"),
    [("11", Fate.PAID), ("03", Fate.OPEN), ("20", Fate.UNKNOWN), ("05", Fate.CLOSED)],
)
def test_a_bar_code_ends_as_the_channel_says_and_unknown_is_asked_again(
    gateway: Gateway, channel: Channel, ending: str, fate: Fate
) -> None:
    adapter, asked = adapters(gateway)[channel], order(300, Method.BAR)
    answer = adapter.open(asked, f"{BARS[channel]}{ending}").answer
    assert answer.fate is fate
    later = {Fate.UNKNOWN: Fate.PAID}.get(fate, fate)
    # UnionPay keeps no trace of a payment that failed.
    missing = channel is Channel.UNIONPAY and fate is Fate.CLOSED
    assert adapter.query(asked).fate is (Fate.MISSING if missing else later)


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_open_order_closes_where_the_channel_can_close_it(
    gateway: Gateway, channel: Channel
) -> None:
    adapter, asked = adapters(gateway)[channel], order()
    opening = adapter.open(asked)
    closable = {Channel.WECHAT: Fate.CLOSED}.get(channel, Fate.MISSING)
    assert adapter.close(asked).fate is closable
    assert pay(gateway.address, opening.code) == (409 if closable is Fate.CLOSED else 200)


def test_a_page_is_an_address_that_the_payer_follows(gateway: Gateway) -> None:
    for channel in (Channel.WECHAT, Channel.ALIPAY):
        opening = adapters(gateway)[channel].open(order(method=Method.PAGE), "203.0.113.7")
        page = httpx.get(opening.code, follow_redirects=True)
        assert (page.status_code, "12.50" in page.text) == (200, True)
    with pytest.raises(Invalid, match="method"):
        adapters(gateway)[Channel.UNIONPAY].open(order(method=Method.PAGE))
    opening = adapters(gateway)[Channel.WECHAT].open(order(method=Method.JSAPI), "openid")
    assert opening.code.startswith("wx")


def test_a_phone_is_led_to_alipays_page_and_its_order_is_there_from_then_on(
    gateway: Gateway,
) -> None:
    adapter, asked = adapters(gateway)[Channel.ALIPAY], order(method=Method.WAP)
    opening = adapter.open(asked)
    assert (opening.answer.fate, adapter.query(asked).fate) == (Fate.OPEN, Fate.MISSING)
    # Nobody has followed it yet, so there is nothing to close: it ends at its time.
    assert adapter.close(asked).fate is Fate.MISSING
    assert adapter.open(asked).answer.fate is Fate.OPEN
    page = httpx.get(opening.code, follow_redirects=True)
    assert (page.status_code, "12.50" in page.text) == (200, True)
    assert adapter.query(asked).fate is Fate.OPEN
    assert pay(gateway.address, str(page.url)) == 200
    paid = adapter.query(asked)
    assert (paid.fate, paid.amount) == (Fate.PAID, asked.amount)
    # Paid once: who follows the address again is asked for nothing.
    assert "ACQ.TRADE_HAS_SUCCESS" in httpx.get(opening.code, follow_redirects=True).text


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_notification_is_read_by_its_signature_and_says_what_the_query_says(
    channel: Channel,
) -> None:
    serving, inbox = Gateway(keys(), speed=200), Inbox()
    serving.start()
    try:
        adapter = adapters(serving, inbox.url.removesuffix("/notify"))[channel]
        asked = order()
        pay(serving.address, adapter.open(asked).code)
        headers, body = inbox.wait(1)[0]
        told = adapter.read_notice(headers, body)
        assert (told.order_no, told.refund_no) == (asked.order_no, "")
        assert told.answer == adapter.query(asked)
        assert told == adapter.read_notice(headers, body)

        assert isinstance(told.answer, Answer)
        settled, part = replace(asked, channel_no=told.answer.channel_no), refund(250)
        adapter.refund(settled, part)
        back = adapter.read_notice(*inbox.wait(2)[1])
        assert back.refund_no == part.refund_no
        assert isinstance(back.answer, RefundAnswer)
        assert back.event_id != told.event_id

        for changed in (body.replace(b"1", b"2", 1), b"", b"\xff", b"a=1&a=2", body * 40):
            with pytest.raises(NotAuthentic):
                adapter.read_notice(headers, changed)
    finally:
        serving.stop()
        inbox.close()


@pytest.mark.parametrize("channel", CHANNELS)
def test_what_was_done_and_not_answered_is_unknown_until_it_is_asked(channel: Channel) -> None:
    serving = Gateway(keys(), faults=parse_faults("5xx=1:after"), open_day=True)
    serving.start()
    adapter, asked = adapters(serving)[channel], order()
    try:
        assert adapter.open(asked).answer.fate is Fate.UNKNOWN
        assert [each.order_no for each in serving.desk.book.orders()] == [asked.order_no]
        assert adapter.query(asked).fate is Fate.UNKNOWN
        assert adapter.refund(asked, refund(1)).fate is RefundFate.UNKNOWN
        assert adapter.query_refund(asked, refund(1)).fate is RefundFate.UNKNOWN
        with pytest.raises(Unavailable):
            adapter.bill(WallClock().now().date())
    finally:
        serving.stop()
    assert adapter.query(asked) == Answer(Fate.UNKNOWN, reason="no-connection")
    assert adapter.close(asked).fate is Fate.UNKNOWN


@pytest.mark.parametrize("channel", CHANNELS)
def test_an_answer_that_another_signed_is_not_believed(gateway: Gateway, channel: Channel) -> None:
    strange: Any = make_keys(WallClock().now()).client_document(gateway.address)
    ours: Any = keys().client_document(gateway.address)
    believed = {
        "wechat": ("public_key", "public_key_id", "platform_certificate"),
        "alipay": ("alipay_public_key",),
        "unionpay": ("root_certificate",),
    }[channel.value]
    mixed = {**ours[channel.value], **{name: strange[channel.value][name] for name in believed}}
    if channel is Channel.WECHAT:
        mixed["public_key_id"] = ours["wechat"]["public_key_id"]
    adapter = read_channels({channel.value: mixed}, NOTIFY, WallClock())[channel]
    answer = adapter.query(order())
    assert answer.fate is Fate.UNKNOWN
    assert answer.reason in {f"answer-{each.value}" for each in Refusal}


@pytest.mark.parametrize(
    ("section", "member", "value"),
    [
        ("wechat", "gateway", "http://api.example.com"),
        ("wechat", "private_key", "no key"),
        ("wechat", "apiv3_key", "short"),
        ("wechat", "public_key_id", "7F"),
        ("alipay", "alipay_public_key", []),
        ("alipay", "appid", None),
        ("unionpay", "root_certificate", "no certificate"),
        ("unionpay", "cert_id", 7),
    ],
)
def test_keys_that_do_not_serve_are_refused_by_their_name_and_never_shown(
    section: str, member: str, value: object
) -> None:
    document: Any = keys().client_document("http://127.0.0.1:1")
    changed = {**document, section: {**document[section], member: value}}
    with pytest.raises(Invalid, match=rf"{section}\.{member}") as refused:
        read_channels(changed, NOTIFY, WallClock())
    assert "BEGIN" not in str(refused.value)
    assert read_channels({}, NOTIFY, WallClock()) == {}
