"""Several bills of one car are paid over HTTP by whoever holds links to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import text

from city.identifiers import BillId, ParkingSessionId, VehicleId, uuid7
from journeys import pay_by_link, pay_together
from payments import services
from payments.rules.pay_links import Scope
from tests.web.test_paying_routes import Counter, counter

if TYPE_CHECKING:
    import pytest

    from payments.rules.bills import Bill

__all__ = ["counter"]


def owes_too(counter: Counter, vehicle_id: VehicleId | None = None) -> Bill:
    """Give the car of the counter's bill, or another, one more bill over as much."""
    with counter.site.wiring.database.unit_of_work() as uow:
        present = services.find_bill(uow.connection, BillId(UUID(counter.bill_id)))
        assert present is not None
        charge = replace(
            present.charge,
            session_id=ParkingSessionId(uuid7()),
            vehicle_id=vehicle_id or present.charge.vehicle_id,
        )
        return services.issue_bill(uow, charge, "test")


def link_to(counter: Counter, bill: Bill, scope: Scope = Scope.AMOUNT) -> str:
    with counter.site.wiring.database.unit_of_work() as uow:
        return f"/pay/{pay_by_link.give_link(uow, bill.id, scope)}"


def test_a_stranger_pays_two_bills_with_one_code_and_sees_the_receipt_of_each(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pay_together, "ASKED_AGAIN_AFTER", timedelta(0))
    site, second = counter.site, owes_too(counter)
    links = [f"/pay/{counter.link()}", link_to(counter, second)]
    bound = site.post("/api/v1/pay/together", json={"links": links})
    assert bound.status_code == 200, bound.text
    page = bound.get_json()["link"]
    scanned = site.get(f"{page}/code.svg")
    assert (scanned.status_code, scanned.content_type) == (200, "image/svg+xml")
    assert site.get("/pay/together/nothing").status_code == 404

    def shown() -> Any:
        return site.get(f"/api/v1{page}").get_json()

    found = shown()
    assert found["outstanding"]["minor"] == 1800
    # One of the links was found by a plate: neither place nor times of any of them show.
    assert [each["facility"] for each in found["items"]] == [None, None]
    assert "12345" not in found["plate"]["text"]
    order = site.post(f"/api/v1{page}/orders", json={"channel": "alipay"}).get_json()
    assert (order["state"], order["amount"]["minor"], order["scannable"]) == ("open", 1800, True)
    drawn = site.get(f"{page}/orders/{order['order_no']}/code.svg")
    assert (drawn.status_code, drawn.content_type) == (200, "image/svg+xml")
    # As long as nobody knows, neither bill is said to be paid.
    assert [each["receipt"] for each in shown()["items"]] == [None, None]
    counter.pays(order["order_no"])
    assert site.get(f"/api/v1{page}/orders/{order['order_no']}").get_json()["state"] == "paid"
    after = shown()
    assert (after["outstanding"]["minor"], after["channels"]) == (0, [])
    receipts = [each["receipt"] for each in after["items"]]
    assert [(each["channel"], each["amount"]["minor"]) for each in receipts] == [
        ("alipay", 900)
    ] * 2
    assert {each["order_no"] for each in receipts} == {order["order_no"]}
    own = site.get(f"/api/v1{after['items'][0]['link']}").get_json()
    assert own["receipt"]["number"] == receipts[0]["number"]
    # Given back from the bill's own side: its part, and no more.
    (listed,) = site.get(f"/api/v1/bills/{second.id}/channel-orders", "finance").get_json()["items"]
    assert (listed["amount"]["minor"], listed["whole"]["minor"]) == (900, 1800)
    path = f"/api/v1/channel-orders/{order['order_no']}/refunds"
    wish = {"refund_no": uuid7().hex, "amount": {"minor": 901, "currency": "CNY"}, "reason": "why"}
    assert site.post(path, "finance", json=wish).status_code == 422  # of which bill?
    assert site.post(path, "finance", json={**wish, "bill_id": str(second.id)}).status_code == 409
    wish["amount"] = {"minor": 900, "currency": "CNY"}
    done = site.post(path, "finance", json={**wish, "bill_id": str(second.id)})
    assert (done.status_code, done.get_json()["state"]) == (201, "done")
    refunds = site.get("/api/v1/channel-refunds", "auditor").get_json()["items"]
    assert [(each["bill_id"], each["surplus"]) for each in refunds] == [(str(second.id), False)]
    assert counter.payable(counter.link())["receipt"]["refunded"]["minor"] == 0


def test_a_phones_own_browser_pays_two_bills_on_wechats_page(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pay_together, "ASKED_AGAIN_AFTER", timedelta(0))
    site, second = counter.site, owes_too(counter)
    links = [f"/pay/{counter.link()}", link_to(counter, second)]
    page = site.post("/api/v1/pay/together", json={"links": links}).get_json()["link"]

    def led() -> Any:
        wish = {"channel": "wechat", "way": "page"}
        return site.post(f"/api/v1{page}/orders", json=wish).get_json()

    first = led()
    assert first["link"].startswith(f"{counter.gateway.address}/payer/")
    assert (first["amount"]["minor"], first["scannable"]) == (1800, False)
    assert 240 < first["seconds_left"] <= 300
    assert led()["order_no"] == first["order_no"]
    # Its address leads there for five minutes: whoever asks later gets another one.
    with site.wiring.database.unit_of_work() as uow:
        uow.connection.execute(
            text(
                "update payments.channel_order set expires_at ="
                " expires_at - make_interval(mins => 5)"
            )
        )
    order = led()
    assert order["order_no"] != first["order_no"]
    counter.pays(order["order_no"])
    assert site.get(f"/api/v1{page}/orders/{order['order_no']}").get_json()["state"] == "paid"
    assert site.get(f"/api/v1{page}").get_json()["outstanding"]["minor"] == 0


def test_bills_of_two_cars_are_not_bound_and_a_bound_link_opens_no_single_bill(
    counter: Counter,
) -> None:
    site, other = counter.site, owes_too(counter, VehicleId(uuid7()))
    links = [f"/pay/{counter.link()}", link_to(counter, other)]
    refused = site.post("/api/v1/pay/together", json={"links": links})
    assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (422, "links")
    page = site.post("/api/v1/pay/together", json={"links": links[:1]}).get_json()["link"]
    sealed = page.removeprefix("/pay/together/")
    assert site.get(f"/api/v1/pay/{sealed}").status_code == 404
    assert site.get(f"/api/v1/pay/together/{counter.link()}").status_code == 404
