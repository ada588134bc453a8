"""The gateway deducts as the channels document it, and our adapters read every answer of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from city.errors import Invalid
from city.identifiers import uuid7
from city.money import Money
from city.time import WallClock
from city.vehicles import PlateKind, PlateNumber
from payments.adapters.accounts import read_channels
from payments.gateway.app import Gateway
from payments.gateway.journal import Journal
from payments.rules import wechat_parking, wechat_v3
from payments.rules.authenticity import NotAuthentic
from payments.rules.channels import (
    Answer,
    Channel,
    Fate,
    Method,
    Order,
    Refund,
    RefundFate,
)
from payments.rules.deductions import (
    DeductingChannel,
    Parked,
    PlateColour,
    Standing,
    deducting,
)
from tests.payments.merchants import Inbox, Wechat, keys, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLUE = PlateNumber("皖B12345", PlateKind.BLUE7)
HOLDER = "oGatewayPayer0000000000000000"


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    serving = Gateway(keys(), speed=200, open_day=True)
    serving.start()
    yield serving
    serving.stop()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    made = Inbox()
    yield made
    made.close()


def adapter_of(
    gateway: Gateway, notify: str = "http://127.0.0.1:9", channel: Channel = Channel.WECHAT
) -> DeductingChannel:
    document = httpx.get(f"{gateway.address}/gateway/keys").json()
    return deducting(read_channels(document, notify, WallClock()))[channel]


def signs(
    gateway: Gateway,
    plate: PlateNumber,
    state: str = "normal",
    purse: str = "full",
    channel: Channel = Channel.WECHAT,
) -> None:
    form = {"plate_number": plate.text, "plate_color": "BLUE", "state": state, "purse": purse}
    address = f"{gateway.address}/payer/signatures/{channel.value}"
    assert httpx.post(address, data=form).status_code == 200


def order(minor: int = 900) -> Order:
    now = WallClock().now().replace(microsecond=0)
    ends = now + timedelta(minutes=15)
    return Order(uuid7().hex, Money(minor, "CNY"), "停车费", Method.AGREEMENT, now, ends)


def parked(plate: PlateNumber = BLUE) -> Parked:
    left_at = WallClock().now().replace(microsecond=0)
    return Parked(plate, "滨江路", "RV-1", left_at - timedelta(hours=1), left_at)


def test_an_accepted_deduction_is_taken_told_of_asked_after_and_given_back_once(
    gateway: Gateway, inbox: Inbox
) -> None:
    adapter = adapter_of(gateway, inbox.url.removesuffix("/notify"))
    signs(gateway, BLUE)
    assert adapter.agreement(BLUE, HOLDER).standing is Standing.SIGNED
    assert adapter.agreement(BLUE, "oSomebodyElse").standing is Standing.NONE
    asked, stay = order(), parked()
    first = adapter.deduct(asked, stay)
    assert (first.answer.fate, first.standing) == (Fate.OPEN, None)
    told = adapter.read_notice(*inbox.wait(1)[0])
    assert isinstance(told.answer, Answer)
    assert (told.order_no, told.answer.fate) == (asked.order_no, Fate.PAID)
    assert (told.answer.amount, told.answer.merchant) == (asked.amount, adapter.merchant)
    again = adapter.deduct(asked, stay)
    assert again.answer.fate is Fate.PAID
    assert adapter.query(asked) == again.answer
    assert adapter.close(asked) == again.answer
    assert adapter.query(replace(asked, method=Method.CODE)).fate is Fate.MISSING
    taken = [each for each in gateway.desk.book.orders() if each.order_no == asked.order_no]
    assert [each.terms.amount_minor for each in taken] == [900]
    with pytest.raises(Invalid):
        adapter.open(asked)


def test_alipay_takes_a_deduction_at_once_and_once_and_gives_parts_of_it_back(
    gateway: Gateway, inbox: Inbox
) -> None:
    notify = inbox.url.removesuffix("/notify")
    adapter = adapter_of(gateway, notify, Channel.ALIPAY)
    signs(gateway, BLUE, channel=Channel.ALIPAY)
    assert adapter.agreement(BLUE, "").standing is Standing.SIGNED
    assert adapter.agreement(BLUE, "2088000000000000").standing is Standing.SIGNED
    assert adapter.agreement(BLUE, "2088111111111111").standing is Standing.NONE
    asked, stay = order(), parked()
    first = adapter.deduct(asked, stay).answer
    assert (first.fate, first.amount, first.merchant) == (
        Fate.PAID,
        asked.amount,
        adapter.merchant,
    )
    assert adapter.deduct(asked, stay).answer == first
    assert adapter.query(asked) == first == adapter.close(asked)
    told = adapter.read_notice(*inbox.wait(1)[0])
    assert (told.order_no, told.answer) == (asked.order_no, first)
    settled = replace(asked, channel_no=first.channel_no)
    part = Refund("BACK" + uuid7().hex[:20], Money(250, "CNY"), "多收退还", WallClock().now())
    assert adapter.query_refund(settled, part).fate is RefundFate.MISSING
    for _ in range(2):
        back = adapter.refund(settled, part)
        assert (back.fate, back.amount) == (RefundFate.DONE, part.amount)
    assert adapter.query_refund(settled, part).fate is RefundFate.DONE
    more = replace(part, refund_no="MORE" + uuid7().hex[:20], amount=Money(651, "CNY"))
    assert adapter.refund(settled, more).fate is RefundFate.FAILED
    assert adapter.query(asked).fate is Fate.PAID


def test_alipay_refuses_without_money_and_without_a_signature(gateway: Gateway) -> None:
    adapter, asked = adapter_of(gateway, channel=Channel.ALIPAY), order()
    signs(gateway, BLUE, purse="empty", channel=Channel.ALIPAY)
    poor = adapter.deduct(asked, parked())
    assert (poor.answer.fate, poor.standing) == (Fate.CLOSED, None)
    assert adapter.query(asked).fate is Fate.CLOSED
    signs(gateway, BLUE, "stopped", channel=Channel.ALIPAY)
    stopped = adapter.deduct(order(), parked())
    assert (stopped.answer.fate, stopped.standing) == (Fate.CLOSED, Standing.NONE)


def test_a_payer_without_money_fails_and_both_words_for_it_are_read(
    gateway: Gateway, inbox: Inbox
) -> None:
    adapter = adapter_of(gateway, inbox.url.removesuffix("/notify"))
    signs(gateway, BLUE, purse="empty")
    asked = order()
    assert adapter.deduct(asked, parked()).answer.fate is Fate.OPEN
    told = adapter.read_notice(*inbox.wait(1)[0])
    assert isinstance(told.answer, Answer)
    assert (told.answer.fate, told.answer.reason) == (Fate.CLOSED, "FAIL")
    asked_after = adapter.query(asked)
    assert (asked_after.fate, asked_after.reason) == (Fate.CLOSED, "PAY_FAIL")


@pytest.mark.parametrize(
    ("state", "standing", "reason"),
    [("paused", Standing.PAUSED, "PAUSE"), ("stopped", Standing.NONE, "OUT_SERVICE")],
)
def test_what_is_paused_or_stopped_refuses_before_anything_is_taken(
    gateway: Gateway, state: str, standing: Standing, reason: str
) -> None:
    adapter, asked = adapter_of(gateway), order()
    signs(gateway, BLUE, state)
    assert adapter.agreement(BLUE, HOLDER).standing is standing
    told = adapter.deduct(asked, parked())
    assert told.answer == Answer(Fate.CLOSED, reason=reason)
    assert told.standing is standing
    assert adapter.query(asked).fate is Fate.MISSING


def test_plates_that_channels_do_not_know_are_not_told_to_them(gateway: Gateway) -> None:
    police = PlateNumber("皖B1234警", PlateKind.POLICE_WHITE)
    adapter = adapter_of(gateway)
    assert adapter.agreement(police, HOLDER).standing is Standing.NONE
    assert adapter.deduct(order(), parked(police)).answer.fate is Fate.CLOSED


def test_a_silent_channel_leaves_both_unknown(gateway: Gateway) -> None:
    document = httpx.get(f"{gateway.address}/gateway/keys").json()
    document["wechat"]["gateway"] = "http://127.0.0.1:9"
    silent = deducting(read_channels(document, "http://127.0.0.1:9", WallClock()))[Channel.WECHAT]
    assert silent.agreement(BLUE, HOLDER).standing is Standing.UNKNOWN
    assert silent.deduct(order(), parked()).answer.fate is Fate.UNKNOWN


def test_a_merchant_that_is_not_set_up_for_it_deducts_nothing(gateway: Gateway) -> None:
    document = httpx.get(f"{gateway.address}/gateway/keys").json()
    del document["wechat"]["parking_signing"]
    made = read_channels(document, "http://127.0.0.1:9", WallClock())
    assert Channel.WECHAT in made
    assert Channel.WECHAT not in deducting(made)
    assert Channel.UNIONPAY not in deducting(made)


def test_an_entrance_serves_one_deduction_of_its_own_stay(gateway: Gateway) -> None:
    merchant, stay, notify = Wechat(gateway.address), parked(), "http://127.0.0.1:9/n"
    signs(gateway, BLUE)
    colour = PlateColour.BLUE

    def enters(number: str) -> str:
        body = wechat_parking.entrance_body(number, stay, colour, notify)
        status, node = merchant.call("POST", wechat_parking.ENTRANCES, body)
        assert (status, node["state"]) == (200, "NORMAL")
        found: str = node["id"]
        return found

    def deducts(number: str, parking_id: str, **more: Any) -> tuple[int, str]:
        info = {**wechat_parking.parking_info(parking_id, stay, colour), **more}
        body = {
            "appid": merchant.given["appid"],
            "description": "停车费",
            "out_trade_no": number,
            "trade_scene": "PARKING",
            "notify_url": notify,
            "amount": {"total": 900, "currency": "CNY"},
            "parking_info": info,
        }
        status, node = merchant.call("POST", wechat_parking.DEDUCTIONS, body)
        return status, node.get("trade_state") or node["code"]

    first = enters("ENTER00001")
    assert enters("ENTER00001") == first
    # One car is in one place: the entrance before counts no more.
    second = enters("ENTER00002")
    assert deducts("DEDUCT0001", first) == (400, "INVALID_REQUEST")
    assert deducts("DEDUCT0001", second, parking_name="别处") == (400, "INVALID_REQUEST")
    assert deducts("DEDUCT0001", second, end_time=wechat_parking.rfc3339(stay.entered_at)) == (
        400,
        "PARAM_ERROR",
    )
    assert deducts("DEDUCT0001", second) == (200, "ACCEPTED")
    assert deducts("DEDUCT0002", second) == (400, "INVALID_REQUEST")


def test_a_changed_entrance_has_its_deduction_asked_after(gateway: Gateway) -> None:
    given = adapter_of(gateway)
    number = order().order_no
    content = {"sp_mchid": given.merchant, "out_parking_no": number, "parking_state": "BLOCKED"}
    headers, body = sealed(gateway, wechat_parking.ENTRANCE_CHANGED, content)
    told = given.read_notice(headers, body)
    assert (told.order_no, told.refund_no) == (number, "")
    assert told.answer == Answer(Fate.UNKNOWN, reason="BLOCKED")
    other = {**content, "sp_mchid": "1900000000"}
    with pytest.raises(NotAuthentic):
        given.read_notice(*sealed(gateway, wechat_parking.ENTRANCE_CHANGED, other))


def sealed(gateway: Gateway, event: str, content: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    """Write and sign a notification as the channel does."""
    desk_keys, now = gateway.desk.keys, WallClock().now()
    resource = wechat_v3.seal_resource(
        desk_keys.api_v3_key,
        json.dumps(content).encode(),
        kind="parking",
        nonce="0123456789ab",
        associated_data="parking",
    )
    body = wechat_v3.notification_body(
        notification_id=uuid7().hex, event=event, summary="", at=now.isoformat(), resource=resource
    )
    headers = wechat_v3.signature_headers(
        desk_keys.private["wechat-platform"],
        serial=desk_keys.serial("wechat-platform"),
        body=body,
        at=now,
        nonce="0123456789abcdef",
    )
    return headers, body


def test_a_killed_gateway_knows_its_signatures_and_takes_what_it_accepted(
    tmp_path: Path, inbox: Inbox
) -> None:
    path, asked = tmp_path / "journal.db", order()

    def opened(speed: float) -> Gateway:
        made = Gateway(keys(), speed=speed, journal=Journal(path, WallClock()))
        made.start()
        return made

    slow = opened(speed=0.01)  # what it accepts it takes in five hundred seconds
    signs(slow, BLUE)
    adapter = adapter_of(slow, inbox.url.removesuffix("/notify"))
    assert adapter.deduct(asked, parked()).answer.fate is Fate.OPEN
    slow.stop()
    again = opened(speed=200)
    try:
        adapter = adapter_of(again)
        assert adapter.agreement(BLUE, HOLDER).standing is Standing.SIGNED
        until(lambda: adapter.query(asked).fate is Fate.PAID)
        inbox.wait(1)
    finally:
        again.stop()
