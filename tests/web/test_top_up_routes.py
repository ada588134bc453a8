"""A driver tops an own card up over HTTP; nobody else sees or moves anything of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from journeys.pay_online import refresh
from journeys.wiring import channels_of
from payments import channel_orders
from tests.journeys.test_paying_online import Street
from tests.payments.merchants import pay
from tests.web.conftest import site_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from city.time import FixedClock
    from journeys.wiring import Wiring
    from tests.web.small_site import Site

YUAN_50 = {"minor": 5000, "currency": "CNY"}


@pytest.fixture
def street() -> Iterator[Street]:
    made = Street()
    yield made
    made.close()


@pytest.fixture
def site(wiring: Wiring, clock: FixedClock, street: Street) -> Site:
    online = {**channels_of({}, wiring.database), **street.channels}
    return site_of(replace(wiring, channels=online), clock)


def done(site: Site, path: str, who: str, json: Any = None, status: int = 201) -> Any:
    answer = site.post(f"/api/v1{path}", who, json=json)
    assert answer.status_code == status, answer.text
    return answer.get_json()


def pays(site: Site, street: Street, order_no: str) -> None:
    """Do as the payer who scans the code; the channel is asked then."""
    with site.wiring.database.read() as connection:
        order = channel_orders.find_order(connection, order_no)
    assert order is not None
    assert pay(street.gateway.address, order.code) == 200
    refresh(site.wiring.database, street.channels, order_no)


def test_a_driver_tops_an_own_card_up_and_has_what_was_not_used_back(
    site: Site, street: Street
) -> None:
    card = done(site, "/me/cards", "driver", {})["card"]
    terms = site.get("/api/v1/me/top-ups/terms", "driver").get_json()
    assert terms["channels"] == ["wechat", "alipay", "unionpay"]
    assert [each["minor"] for each in terms["offered"]] == [5000, 10000, 20000, 50000]
    wish = {"channel": "wechat", "amount": YUAN_50}
    path = f"/me/cards/{card['id']}/top-ups"
    order = done(site, path, "driver", wish)
    assert (order["state"], order["scannable"], order["arrived"]) == ("open", True, False)
    assert done(site, path, "driver", wish)["order_no"] == order["order_no"]
    page = f"/mine/cards/top-ups/{order['order_no']}"
    assert b"<svg" in site.get(f"{page}/code.svg", "driver").data
    pays(site, street, order["order_no"])
    seen = site.get(f"/api/v1/me/top-ups/{order['order_no']}", "driver").get_json()
    assert (seen["state"], seen["arrived"], seen["unused"]) == ("paid", True, YUAN_50)
    (mine,) = site.get("/api/v1/me/cards", "driver").get_json()["items"]
    assert mine["balance"] == YUAN_50
    (moved,) = site.get(f"/api/v1/me/cards/{card['id']}/movements", "driver").get_json()["items"]
    assert (moved["kind"], moved["by_way_of"]) == ("top-up", "wechat")
    back = f"/me/top-ups/{order['order_no']}/refunds"
    for _ in range(2):
        asked = done(site, back, "driver", {"refund_no": "MINEBACK0001"})
        assert (asked["amount"], asked["state"]) == (YUAN_50, "asked")
    listed = site.get("/api/v1/channel-refunds", "finance").get_json()["items"]
    assert [(each["bill_id"], each["card_id"], each["surplus"]) for each in listed] == [
        (None, card["id"], False)
    ]
    (row,) = site.get(f"/api/v1{path}", "driver").get_json()["items"]
    assert (row["refunded"], row["unused"]["minor"]) == (YUAN_50, 0)
    done(site, back, "driver", {"refund_no": "MINEBACK0002"}, 409)


def test_a_phones_own_browser_tops_up_on_wechats_page(site: Site, street: Street) -> None:
    card = done(site, "/me/cards", "driver", {})["card"]
    wish = {"channel": "wechat", "amount": YUAN_50, "way": "page"}
    path = f"/me/cards/{card['id']}/top-ups"
    order = done(site, path, "driver", wish)
    assert order["link"].startswith(f"{street.gateway.address}/payer/")
    assert (order["state"], order["scannable"]) == ("open", False)
    assert done(site, path, "driver", wish)["order_no"] == order["order_no"]
    # The same wish on a desk: a code of its own.
    assert done(site, path, "driver", {**wish, "way": "code"})["scannable"] is True
    pays(site, street, order["order_no"])
    (mine,) = site.get("/api/v1/me/cards", "driver").get_json()["items"]
    assert mine["balance"] == YUAN_50


def test_a_top_up_is_refused_by_its_limits_in_words(site: Site) -> None:
    card = done(site, "/me/cards", "driver", {})["card"]
    path = f"/me/cards/{card['id']}/top-ups"
    for amount in ({"minor": 999, "currency": "CNY"}, {"minor": 5000, "currency": "EUR"}):
        refused = done(site, path, "driver", {"channel": "wechat", "amount": amount}, 422)
        assert refused["most"] == {"minor": 100_000, "currency": "CNY"}
    # A card tops no card up, and there is no channel of that name.
    for channel in ("card", "cash"):
        done(site, path, "driver", {"channel": channel, "amount": YUAN_50}, 422)


def test_a_top_up_is_nobody_elses(site: Site) -> None:
    card = done(site, "/me/cards", "driver", {})["card"]
    order = done(
        site, f"/me/cards/{card['id']}/top-ups", "driver", {"channel": "alipay", "amount": YUAN_50}
    )
    number = order["order_no"]
    for who in ("finance", "attendant", "operator"):
        assert site.get(f"/api/v1/me/top-ups/{number}", who).status_code == 403
        assert site.get(f"/mine/cards/top-ups/{number}", who).status_code == 403
    bearer = done(site, "/cards", "attendant", {})["card"]
    wish = {"channel": "alipay", "amount": YUAN_50}
    done(site, f"/me/cards/{bearer['id']}/top-ups", "driver", wish, 404)
    assert (
        site.get("/api/v1/me/top-ups/0199d3f000007000800000000000c1", "driver").status_code == 404
    )
