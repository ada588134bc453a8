"""A bill is paid over HTTP by whoever holds its link; what is not known is said to be unknown."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from city.identifiers import BillId
from city.people.roles import Role
from city.time import WallClock
from journeys import pay_by_link, pay_online
from journeys.ways_to_pay import Device
from payments.adapters.accounts import read_channels
from payments.gateway.app import Gateway
from payments.rules.channel_orders import OrderState
from payments.rules.channels import Answer, Channel, Fate, Method, Opening
from payments.rules.pay_links import Scope
from payments.rules.refund_limits import RefundLimit
from tests.payments.merchants import keys, pay, until
from tests.web.conftest import site_of
from tests.web.small_site import UNKNOWN_ID
from web.app import MAX_BODY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from city.time import FixedClock
    from journeys.wiring import Wiring
    from payments.rules.channels import Order
    from tests.web.small_site import Site

PLATE = {"plate": "京A12345", "kind": "blue7"}
CHANNELS = ("wechat", "alipay", "unionpay")


@dataclass
class Counter:
    """A site with channels, the gateway behind them, and one bill of a stay of an hour."""

    site: Site
    gateway: Gateway
    bill_id: str

    def link(self, scope: Scope = Scope.WHOLE) -> str:
        with self.site.wiring.database.unit_of_work() as uow:
            return pay_by_link.give_link(uow, BillId(UUID(self.bill_id)), scope)

    def start(self, link: str, channel: str, status: int = 201) -> Any:
        answer = self.site.post(f"/api/v1/pay/{link}/orders", json={"channel": channel})
        assert answer.status_code == status, answer.text
        return answer.get_json()

    def payable(self, link: str) -> Any:
        answer = self.site.get(f"/api/v1/pay/{link}")
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def order(self, link: str, order_no: str) -> Any:
        answer = self.site.get(f"/api/v1/pay/{link}/orders/{order_no}")
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def pays(self, order_no: str) -> None:
        """Do as the payer who scans the code of an order."""
        (held,) = [each for each in self.gateway.desk.book.orders() if each.order_no == order_no]
        assert pay(self.gateway.address, held.token) == 200


@pytest.fixture
def counter(
    wiring: Wiring, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Counter]:
    monkeypatch.setattr(pay_by_link, "ASKED_AGAIN_AFTER", timedelta(0))
    gateway = Gateway(keys(), speed=200)
    gateway.start()
    document = httpx.get(f"{gateway.address}/gateway/keys").json()
    channels = read_channels(document, "http://127.0.0.1:9", WallClock())
    site = site_of(replace(wiring, channels=channels), clock)
    site.stay(61)
    (bill,) = site.get("/api/v1/bills", "finance").get_json()["items"]
    yield Counter(site, gateway, bill["id"])
    gateway.stop()


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_stranger_pays_by_the_link_and_gets_the_receipt(counter: Counter, channel: str) -> None:
    link = counter.link()
    shown = counter.payable(link)
    assert (shown["state"], shown["amount"]["minor"], shown["receipt"]) == ("open", 900, None)
    assert (shown["channels"], shown["plate"]["masked"]) == (list(CHANNELS), True)
    assert "12345" not in shown["plate"]["text"]
    order = counter.start(link, channel)
    assert (order["state"], order["scannable"]) == ("open", True)
    assert counter.start(link, channel)["order_no"] == order["order_no"]
    drawn = counter.site.get(f"/pay/{link}/orders/{order['order_no']}/code.svg")
    assert (drawn.status_code, drawn.content_type) == (200, "image/svg+xml")
    assert counter.order(link, order["order_no"])["state"] == "open"
    counter.pays(order["order_no"])
    assert counter.order(link, order["order_no"])["state"] == "paid"
    paid = counter.payable(link)
    assert (paid["state"], paid["channels"]) == ("paid", [])
    receipt = paid["receipt"]
    assert (receipt["channel"], receipt["amount"]["minor"]) == (channel, 900)
    assert (receipt["order_no"], receipt["refunded"]["minor"]) == (order["order_no"], 0)
    # It is paid: nobody opens another order over it.
    assert counter.start(link, "wechat", 409)["errors"][0]["field"] == "bill_id"


def test_a_phones_own_browser_is_led_to_wechats_page_and_gets_a_fresh_link_in_time(
    counter: Counter,
) -> None:
    link = counter.link()
    wish = {"channel": "wechat", "way": "page"}

    def led() -> Any:
        answer = counter.site.post(f"/api/v1/pay/{link}/orders", json=wish)
        assert answer.status_code == 201, answer.text
        return answer.get_json()

    first = led()
    assert first["link"].startswith(f"{counter.gateway.address}/payer/")
    assert (first["state"], first["scannable"]) == ("open", False)
    assert 240 < first["seconds_left"] <= 300
    assert led()["order_no"] == first["order_no"]
    # Its address leads there for five minutes: whoever asks later gets another one.
    with counter.site.wiring.database.unit_of_work() as uow:
        uow.connection.execute(
            text(
                "update payments.channel_order set expires_at ="
                " expires_at - make_interval(mins => 5)"
            )
        )
    assert counter.order(link, first["order_no"])["link"] is None
    second = led()
    assert second["order_no"] != first["order_no"]
    # Whoever shows the page on a desk gets a code of its own.
    assert counter.start(link, "wechat")["scannable"] is True
    counter.pays(second["order_no"])
    assert counter.order(link, second["order_no"])["state"] == "paid"
    assert counter.payable(link)["receipt"]["channel"] == "wechat"


def test_a_phones_own_browser_is_led_to_alipays_page_for_phones(counter: Counter) -> None:
    link, wish = counter.link(), {"channel": "alipay", "way": "page"}
    first, again = (
        counter.site.post(f"/api/v1/pay/{link}/orders", json=wish).get_json() for _ in range(2)
    )
    assert (first["state"], first["scannable"]) == ("open", False)
    assert (again["order_no"], again["link"]) == (first["order_no"], first["link"])
    # Alipay has the order from when its address is followed; until then it is not known there.
    assert counter.order(link, first["order_no"])["state"] == "open"
    page = httpx.get(first["link"], follow_redirects=True)
    assert pay(counter.gateway.address, str(page.url)) == 200
    assert counter.order(link, first["order_no"])["state"] == "paid"
    assert counter.payable(link)["receipt"]["channel"] == "alipay"


def test_a_channel_whose_code_is_an_address_leads_there_itself(counter: Counter) -> None:
    wish = {"channel": "unionpay", "way": "page"}
    answer = counter.site.post(f"/api/v1/pay/{counter.link()}/orders", json=wish).get_json()
    assert (answer["scannable"], answer["link"].startswith("http")) == (True, True)


def test_where_wechat_refuses_us_its_page_a_code_is_shown_all_the_same(counter: Counter) -> None:
    behind = counter.site.wiring.channels[Channel.WECHAT]

    class Pageless:
        channel, merchant = behind.channel, behind.merchant
        close, query = behind.close, behind.query

        def open(self, order: Order, payer: str = "") -> Opening:
            if order.method is Method.PAGE:
                return Opening(Answer(Fate.CLOSED, reason="NO_AUTH"))
            return behind.open(order, payer)

    channels: Any = {Channel.WECHAT: Pageless()}
    database = counter.site.wiring.database
    phone = Device(page_from="203.0.113.7")
    started = pay_by_link.start(database, channels, counter.link(), Channel.WECHAT, phone)
    assert (started.order.method, started.order.state) == (Method.CODE, OrderState.OPEN)
    assert started.code.startswith("weixin://")


def test_what_is_paid_through_two_channels_is_kept_once_and_said_to_go_back(
    counter: Counter,
) -> None:
    link = counter.link()
    first, second = counter.start(link, "alipay"), counter.start(link, "unionpay")
    counter.pays(first["order_no"])
    counter.pays(second["order_no"])
    assert counter.order(link, second["order_no"])["surplus"] is False
    late = counter.order(link, first["order_no"])
    assert (late["state"], late["surplus"], late["refunded"]["minor"]) == ("paid", True, 900)
    shown = counter.payable(link)
    assert shown["receipt"]["channel"] == "unionpay"
    assert [each["channel"] for each in shown["orders"] if each["surplus"]] == ["alipay"]


def test_a_channel_that_does_not_answer_leaves_the_truth_unknown(counter: Counter) -> None:
    link = counter.link()
    counter.gateway.stop()
    order = counter.start(link, "wechat")
    assert (order["state"], order["scannable"], order["link"]) == ("unknown", False, None)
    assert order["may_be_paid"] is False  # nobody has its code
    assert counter.order(link, order["order_no"])["state"] == "unknown"
    shown = counter.payable(link)
    assert (shown["state"], shown["receipt"]) == ("open", None)


def test_a_code_whose_time_is_over_may_have_been_paid_all_the_same(counter: Counter) -> None:
    link = counter.link()
    order = counter.start(link, "alipay")
    assert order["may_be_paid"] is True
    counter.pays(order["order_no"])
    counter.gateway.stop()
    with counter.site.wiring.database.unit_of_work() as uow:
        uow.connection.execute(
            text("update payments.channel_order set expires_at = opened_at + interval '1 second'")
        )
    time.sleep(1)
    late = counter.order(link, order["order_no"])
    assert (late["state"], late["seconds_left"], late["scannable"]) == ("unknown", 0, False)
    assert late["may_be_paid"] is True


def test_a_plate_finds_what_is_owed_and_shows_neither_place_nor_times(counter: Counter) -> None:
    site = counter.site
    path = f"/api/v1/bays/{site.bays[0].id}/unpaid"
    (found,) = site.post(path, json=PLATE).get_json()["items"]
    assert (found["amount"]["minor"], sorted(found)) == (
        900,
        ["ahead", "amount", "due_at", "issued_at", "link"],
    )
    link = found["link"].removeprefix("/pay/")
    shown = counter.payable(link)
    hidden = {name: shown[name] for name in ("bill_id", "facility", "stay", "lines")}
    assert hidden == {"bill_id": None, "facility": None, "stay": None, "lines": None}
    order = counter.start(link, "alipay")
    counter.pays(order["order_no"])
    assert counter.order(link, order["order_no"])["state"] == "paid"
    assert counter.payable(link)["receipt"]["channel_no"] is None
    assert site.post(path, json=PLATE).get_json() == {"items": []}
    # Another place's bay and another plate find nothing; no plate is refused by name.
    away = f"/api/v1/bays/{site.west_bay.id}/unpaid"
    assert site.post(away, json=PLATE).get_json() == {"items": []}
    wrong = site.post(path, json={"plate": "京A1234", "kind": "blue7"})
    assert (wrong.status_code, wrong.get_json()["errors"][0]["field"]) == (422, "plate")
    assert site.post(f"/api/v1/bays/{UNKNOWN_ID}/unpaid", json=PLATE).status_code == 404


def test_a_driver_finds_any_cars_bills_and_few_plates_are_tried(counter: Counter) -> None:
    site = counter.site
    (found,) = site.post("/api/v1/me/unpaid", "driver", json=PLATE).get_json()["items"]
    assert found["amount"]["minor"] == 900
    tried = [
        site.post("/api/v1/me/unpaid", "driver", json={"plate": f"京B{n:05}", "kind": "blue7"})
        for n in range(30)
    ]
    assert [each.status_code for each in tried] == [200] * 29 + [429]
    assert int(tried[-1].headers["Retry-After"]) <= 900


def test_a_stay_that_goes_on_is_paid_at_its_bay_and_by_its_driver(counter: Counter) -> None:
    site = counter.site
    site.hear(site.message(occupied=True))
    site.clock.advance(60)
    site.consume()
    (stay,) = site.get("/api/v1/sessions?state=open", "attendant").get_json()["items"]
    path = f"/api/v1/sessions/{stay['id']}"
    assert site.post(f"{path}/vehicle", "attendant", json=PLATE).status_code == 200
    code = site.post(f"{path}/code", "attendant", json={}).get_json()["code"]
    assert site.post("/api/v1/me/vehicles", "driver", json={"code": code}).status_code == 201
    site.clock.advance(40 * 60)
    at_bay = f"/api/v1/bays/{site.bays[0].id}/unpaid"
    found = site.post(at_bay, json=PLATE).get_json()["items"]
    assert [(each["ahead"], each["amount"]["minor"]) for each in found] == [
        (True, 600),
        (False, 900),
    ]
    own = site.post(f"/api/v1/me/stays/{stay['id']}/offer", "driver", json={}).get_json()
    assert (own["amount"]["minor"], own["until_at"]) == (600, found[0]["due_at"])
    link = own["link"].removeprefix("/pay/")
    shown = counter.payable(link)
    assert (shown["state"], shown["channels"]) == ("offered", list(CHANNELS))
    assert shown["leave_by_at"] == own["leave_by_at"]
    order = counter.start(link, "wechat")
    counter.pays(order["order_no"])
    assert counter.order(link, order["order_no"])["state"] == "paid"
    narrow = counter.payable(found[0]["link"].removeprefix("/pay/"))
    assert (narrow["state"], narrow["stay"], narrow["receipt"]["channel"]) == (
        "paid",
        None,
        "wechat",
    )
    fee = site.get(f"{path}/fee", "driver").get_json()
    assert (fee["due"]["minor"], fee["paid_ahead"]["minor"]) == (0, 600)
    again = site.post(f"/api/v1/me/stays/{stay['id']}/offer", "driver", json={})
    assert (again.status_code, again.get_json()["errors"][0]["field"]) == (409, "session_id")
    # Its time over, an offer leads to no channel any more.
    site.clock.advance(31 * 60)
    (later, _) = site.post(at_bay, json=PLATE).get_json()["items"]
    site.clock.advance(6 * 60)
    over = later["link"].removeprefix("/pay/")
    assert counter.payable(over)["channels"] == []
    counter.start(over, "wechat", 409)


def test_a_page_says_that_a_link_leads_nowhere(counter: Counter) -> None:
    asked = {"Accept": "text/html", "Accept-Language": "en"}
    for path in ("/pay/nothing", "/pay/together/nothing"):
        shown = counter.site.get(path, headers=asked)
        assert shown.status_code == 404
        assert "search by plate" in shown.get_data(as_text=True)


def test_a_link_that_was_not_given_out_opens_nothing(counter: Counter) -> None:
    link = counter.link()
    forged = link[:-4] + ("AAAA" if not link.endswith("AAAA") else "BBBB")
    order = counter.start(link, "wechat")
    for path in ("", f"/orders/{order['order_no']}", f"/orders/{order['order_no']}/code.svg"):
        base = "/pay" if path.endswith("svg") else "/api/v1/pay"
        assert counter.site.get(f"{base}/{forged}{path}").status_code == 404
    assert counter.site.get(f"/pay/{forged}").status_code == 404
    counter.start(forged, "wechat", 404)
    for nothing in ("12345678", "%00", "no-number"):
        assert counter.site.get(f"/api/v1/pay/{link}/orders/{nothing}").status_code == 404
        assert counter.site.get(f"/api/v1/channel-refunds/{nothing}", "finance").status_code == 404
        assert refund(counter, nothing, "NOTHING001", 1).status_code == 404
    page = counter.site.get(f"/pay/{link}")
    assert (page.status_code, page.headers["Referrer-Policy"]) == (200, "no-referrer")


def paid(counter: Counter, channel: str) -> str:
    """Pay the bill; gives the order's number."""
    link = counter.link()
    order_no: str = counter.start(link, channel)["order_no"]
    counter.pays(order_no)
    assert counter.order(link, order_no)["state"] == "paid"
    return order_no


def refund(counter: Counter, order_no: str, number: str, minor: int, who: str = "finance") -> Any:
    sent = {
        "refund_no": number,
        "amount": {"minor": minor, "currency": "CNY"},
        "reason": "the barrier stood still",
    }
    return counter.site.post(f"/api/v1/channel-orders/{order_no}/refunds", who, json=sent)


def test_a_payment_goes_back_in_parts_once_each_and_never_more_than_was_paid(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pay_online, "_REFUND_AGAIN", timedelta(0))
    site, order_no = counter.site, paid(counter, "wechat")
    first = refund(counter, order_no, "REFUND0001", 250)
    assert (first.status_code, first.get_json()["state"]) == (201, "asked")
    assert refund(counter, order_no, "REFUND0001", 250).get_json()["refund_no"] == "REFUND0001"
    assert refund(counter, order_no, "REFUND0001", 300).status_code == 409
    assert refund(counter, order_no, "REFUND0002", 651).status_code == 409
    assert refund(counter, order_no, "REFUND0002", 650).status_code == 201

    def arrived() -> bool:
        paths = [f"/api/v1/channel-refunds/REFUND000{n}" for n in (1, 2)]
        return all(site.get(each, "finance").get_json()["state"] == "done" for each in paths)

    until(arrived)
    listed = site.get(f"/api/v1/bills/{counter.bill_id}/channel-orders", "auditor").get_json()
    (order,) = listed["items"]
    assert (order["refundable"]["minor"], listed["most_at_once"]) == (0, None)
    assert [each["amount"]["minor"] for each in order["refunds"]] == [250, 650]
    assert counter.gateway.desk.figures()["wechat"]["refunded_minor"] == 900
    assert counter.payable(counter.link())["receipt"]["refunded"]["minor"] == 900
    # The day's file adds up to its figures, and each line names the entry that records it.
    day = counter.site.get("/api/v1/takings", "finance").get_json()
    lines = counter.site.rows("/api/v1/takings/export", "finance")
    assert sum(int(each["amount_minor"]) for each in lines) == 0
    assert sorted((each["kind"], int(each["amount_minor"])) for each in lines) == [
        ("payment", 900),
        ("refund", -650),
        ("refund", -250),
    ]
    assert [each["amount"]["minor"] for each in day["given_back"]] == [900]
    assert len({each["entry_id"] for each in lines}) == len(lines)
    assert {each["bill_id"] for each in lines} == {counter.bill_id}
    path = "/api/v1/takings/refunds?channel=wechat&limit=1"
    first_page = counter.site.get(path, "auditor").get_json()
    rest = counter.site.get(f"{path}&cursor={first_page['next']}", "auditor").get_json()
    assert [each["amount"]["minor"] for each in first_page["items"] + rest["items"]] == [650, 250]
    assert (rest["next"], counter.site.get(f"{path}x", "auditor").status_code) == (None, 422)
    assert (
        counter.site.get("/api/v1/takings/refunds?channel=alipay", "auditor").get_json()["items"]
        == []
    )
    files = counter.site.rows("/api/v1/channel-refunds/export?state=done", "finance")
    assert [each["refund_no"] for each in files] == ["REFUND0002", "REFUND0001"]
    assert counter.site.rows("/api/v1/channel-refunds/export?state=failed", "finance") == []
    balances = counter.site.rows("/api/v1/ledger/accounts/export", "finance")
    assert sum(int(each["balance_minor"]) for each in balances) == 0
    assert {each["kind"] for each in balances} >= {"clearing", "receivable", "treasury"}


@pytest.mark.parametrize(("channel", "status"), [("wechat", 500), ("alipay", 200)])
def test_a_notification_that_is_longer_than_any_is_refused_and_on_record(
    counter: Counter, channel: str, status: int
) -> None:
    body = b"a" * (MAX_BODY_BYTES + 1)
    answer = counter.site.post(f"/api/v1/channel-notices/{channel}", data=body)
    assert (answer.status_code, answer.get_data() == b"success") == (status, False)
    records = counter.site.get("/api/v1/audit?action=payments.notice_refused", "auditor")
    assert [each["detail"]["reason"] for each in records.get_json()["items"]] == ["malformed"]


def test_a_payment_is_found_by_either_number_in_ones_own_districts(counter: Counter) -> None:
    link = counter.link()
    order_no = counter.start(link, "wechat")["order_no"]
    counter.pays(order_no)
    counter.order(link, order_no)
    channel_no = counter.payable(link)["receipt"]["channel_no"]

    def found(number: str, who: str = "finance") -> list[str]:
        answer = counter.site.get(f"/api/v1/channel-orders?number={number}", who)
        assert answer.status_code == 200, answer.text
        return [each["bill_id"] for each in answer.get_json()["items"]]

    assert found(order_no) == found(channel_no) == [counter.bill_id]
    assert found("0" * 32) == []
    assert found(order_no, "operator-west") == []
    assert counter.site.get("/api/v1/channel-orders?number=a'b", "finance").status_code == 422
    path = f"/api/v1/channel-orders?number={order_no}"
    assert counter.site.get(path, "attendant").status_code == 403


def test_how_much_goes_back_follows_from_the_role(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {
        Role.FINANCE: RefundLimit(single_minor=300, daily_minor=400),
        Role.ADMINISTRATOR: RefundLimit(single_minor=900, daily_minor=900),
    }
    monkeypatch.setattr(pay_online, "REFUND_LIMITS", limits)
    order_no = paid(counter, "alipay")
    assert refund(counter, order_no, "LIMIT00001", 301).status_code == 403
    assert refund(counter, order_no, "LIMIT00001", 300).status_code == 201
    today = refund(counter, order_no, "LIMIT00002", 101)
    assert (today.status_code, today.get_json()["limit_minor"]) == (403, 100)
    # The same refund again is no further one.
    assert refund(counter, order_no, "LIMIT00001", 300).status_code == 201
    assert refund(counter, order_no, "LIMIT00002", 600, "administrator").status_code == 201
    assert refund(counter, order_no, "LIMIT00003", 1, "operator").status_code == 403


def test_a_bill_leads_to_its_pay_page_whoever_may_read_it(counter: Counter) -> None:
    path = f"/bills/{counter.bill_id}/pay"
    led = counter.site.get(path, "finance")
    assert led.status_code == 302
    assert counter.payable(led.location.removeprefix("/pay/"))["bill_id"] == counter.bill_id
    # The driver has no vehicle bound, the western attendant another district.
    assert counter.site.get(path, "driver").status_code == 404
    assert counter.site.get(path, "attendant-west").status_code == 404
