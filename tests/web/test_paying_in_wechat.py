"""Inside WeChat's browser a bill is paid by whoever WeChat says holds it, and by nobody else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
from sqlalchemy import text
from structlog.testing import capture_logs

from city.time import WallClock
from journeys.pay_by_link import keys as sealing_keys
from payments.adapters.accounts import read_channels
from payments.rules import payer_notes
from payments.rules.payer_notes import HandOff
from tests.web.test_paying_routes import Counter, counter

__all__ = ["counter"]

IN_WECHAT = {"User-Agent": "Mozilla/5.0 (Linux; Android 15) Mobile MicroMessenger/8.0.54"}


def go(counter: Counter, path: str) -> tuple[str, Any]:
    """Follow a page's way to WeChat and back, as WeChat's browser does; give where that ends."""
    sent = counter.site.get(path)
    assert sent.status_code == 303, sent.text
    there = httpx.get(sent.headers["Location"], headers=IN_WECHAT)
    assert there.status_code == 302, there.text
    back = urlsplit(there.headers["Location"])
    return f"{back.path}?{back.query}", sent


def start(counter: Counter, link: str) -> Any:
    return counter.site.post(
        f"/api/v1/pay/{link}/orders", json={"channel": "wechat", "way": "in-app"}
    )


def call(order: Any, **changed: Any) -> dict[str, Any]:
    """Give what the page hands to WeChat."""
    given = order["in_app"]
    return {
        "appId": given["app_id"],
        "timeStamp": given["timestamp"],
        "nonceStr": given["nonce"],
        "package": given["package"],
        "signType": "RSA",
        "paySign": given["signature"],
        **changed,
    }


def bridge(counter: Counter, called: dict[str, Any]) -> Any:
    return httpx.post(f"{counter.gateway.address}/payer/bridge", content=json.dumps(called)).json()


def becomes(counter: Counter, payer: str) -> None:
    """Let the site's browser keep another payer than the one that WeChat tells of."""
    with counter.site.wiring.database.unit_of_work() as uow:
        until_at = uow.wall.now() + timedelta(hours=1)
        kept = payer_notes.seal_payer(payer, until_at, sealing_keys(uow))
    counter.site.client.set_cookie("greenbay_payer", kept)


def test_a_bill_is_paid_inside_wechat_by_the_payer_that_wechat_names(counter: Counter) -> None:
    link = counter.link()
    refused = start(counter, link)
    assert (refused.status_code, refused.get_json()["errors"][0]["field"]) == (409, "payer")
    back, sent = go(counter, f"/pay/{link}/payer")
    asked = urlsplit(sent.headers["Location"])
    # WeChat refuses its parameters in another order.
    names = [name for name, _ in parse_qsl(asked.query)]
    assert names == ["appid", "redirect_uri", "response_type", "scope", "state"]
    assert asked.fragment == "wechat_redirect"
    assert link not in sent.headers["Location"]
    done = counter.site.get(back)
    assert done.headers["Location"] == f"/pay/{link}#in-app"
    kept = next(each for each in done.headers.getlist("Set-Cookie") if "greenbay_payer=" in each)
    assert "HttpOnly" in kept
    assert "SameSite=Lax" in kept

    order = start(counter, link).get_json()
    assert (order["state"], order["scannable"], order["link"]) == ("open", False, None)
    assert start(counter, link).get_json()["order_no"] == order["order_no"]
    assert counter.site.get(f"/pay/{link}/orders/{order['order_no']}/code.svg").status_code == 404
    assert bridge(counter, call(order))["amount"] == "¥9.00"
    for changed in ({"package": "prepay_id=wxanother"}, {"timeStamp": "1"}, {"appId": "wx1"}):
        wrong = bridge(counter, call(order, **changed, agreed=True))
        assert wrong["err_msg"] == "get_brand_wcpay_request:fail"
    assert counter.order(link, order["order_no"])["state"] == "open"
    assert bridge(counter, call(order, agreed=True))["err_msg"] == "get_brand_wcpay_request:ok"
    assert counter.order(link, order["order_no"])["state"] == "paid"
    assert counter.payable(link)["receipt"]["channel"] == "wechat"


def test_what_another_payer_opened_is_neither_shown_nor_paid_by(counter: Counter) -> None:
    link = counter.link()
    becomes(counter, "oSomebodyElse")
    first = start(counter, link).get_json()
    assert first["in_app"] is not None
    # The gateway's one payer is another one.
    assert bridge(counter, call(first))["err_msg"] == "get_brand_wcpay_request:fail"
    becomes(counter, "oGatewayPayer0000000000000000")
    (seen,) = counter.payable(link)["orders"]
    assert (seen["order_no"], seen["in_app"]) == (first["order_no"], None)
    second = start(counter, link).get_json()
    assert second["order_no"] != first["order_no"]
    assert bridge(counter, call(second, agreed=True))["err_msg"] == "get_brand_wcpay_request:ok"
    with counter.site.wiring.database.read() as connection:
        rows = connection.execute(text("select * from payments.channel_order")).fetchall()
    assert len(rows) == 2
    assert "oSomebodyElse" not in str(rows)
    assert "oGatewayPayer" not in str(rows)


def test_who_pays_is_learnt_by_the_browser_alone_that_was_sent_and_only_once(
    counter: Counter,
) -> None:
    link = counter.link()
    back, _ = go(counter, f"/pay/{link}/payer")
    state = parse_qs(urlsplit(back).query)["state"][0]
    client = counter.site.client
    kept = client.get_cookie("greenbay_payer_away")
    assert kept is not None
    assert counter.site.get(back.replace(state, "f" * 32)).status_code == 403
    client.delete_cookie("greenbay_payer_away")
    assert counter.site.get(back).status_code == 403
    client.set_cookie("greenbay_payer_away", kept.value)
    assert counter.site.get(back).headers["Location"] == f"/pay/{link}#in-app"
    client.delete_cookie("greenbay_payer")
    # Its code is used up; whoever saw the address learns nothing by it, and no log tells of it.
    client.set_cookie("greenbay_payer_away", kept.value)
    with capture_logs() as logs:
        again = counter.site.get(back)
    assert again.headers["Location"] == f"/pay/{link}#no-payer"
    assert client.get_cookie("greenbay_payer") is None
    assert [each["reason"] for each in logs] == ["40163"]
    secret = counter.gateway.desk.keys.app_secret
    code = parse_qs(urlsplit(back).query)["code"][0]
    assert not any(each in str(logs) for each in (secret, code, state))
    plain = counter.site.post(f"/api/v1/pay/{link}/orders", json={"channel": "wechat"})
    assert plain.get_json()["scannable"] is True


def test_a_note_that_is_not_ours_or_too_old_names_nobody(counter: Counter) -> None:
    with counter.site.wiring.database.unit_of_work() as uow:
        sealing, now = sealing_keys(uow), uow.wall.now()
    fresh = payer_notes.seal_payer("oPayer", now + timedelta(hours=1), sealing)
    assert payer_notes.open_payer(fresh, sealing, now) == "oPayer"
    assert not payer_notes.open_payer(fresh, sealing, now + timedelta(hours=1))
    assert not payer_notes.open_payer(fresh, [bytes(64)], now)
    away = payer_notes.seal_hand_off(HandOff("s", "/pay/x"), now + timedelta(hours=1), sealing)
    for other in (away, "", "AAAA", "é", fresh[:-4], "A" * 5000):
        assert not payer_notes.open_payer(other, sealing, now)


def test_without_the_official_accounts_secret_a_code_is_shown(counter: Counter) -> None:
    document = httpx.get(f"{counter.gateway.address}/gateway/keys").json()
    del document["wechat"]["app_secret"]
    channels = read_channels(document, "http://127.0.0.1:9", WallClock())
    wiring = replace(counter.site.wiring, channels=channels)
    counter.site.app.extensions["greenbay"] = wiring
    link = counter.link()
    order = start(counter, link)
    assert (order.status_code, order.get_json()["scannable"]) == (201, True)
    assert order.get_json()["in_app"] is None
    assert counter.site.get(f"/pay/{link}/payer").status_code == 404


def test_the_way_to_wechat_is_each_pages_own(counter: Counter) -> None:
    link = counter.link()
    bound = counter.site.post("/api/v1/pay/together", json={"links": [link]}).get_json()["link"]
    back, _ = go(counter, f"{bound}/payer")
    assert counter.site.get(back).headers["Location"] == f"{bound}#in-app"
    opened = counter.site.post(
        f"/api/v1{bound}/orders", json={"channel": "wechat", "way": "in-app"}
    ).get_json()
    assert opened["in_app"] is not None
    assert counter.site.get("/pay/nothing/payer").status_code == 404


def test_wechat_sends_back_its_own_browser_alone_and_tells_the_account_alone(
    counter: Counter,
) -> None:
    address = counter.gateway.address
    asked = {
        "appid": "wx9999999999999999",
        "redirect_uri": "https://example.org/back",
        "response_type": "code",
        "scope": "snsapi_base",
        "state": "a1",
    }
    page = f"{address}/connect/oauth2/authorize"
    assert httpx.get(page, params=asked).status_code == 403
    for changed in ({"appid": "wx1"}, {"scope": "snsapi_userinfo"}, {"state": "a-b"}):
        assert httpx.get(page, params={**asked, **changed}, headers=IN_WECHAT).status_code == 400
    sent = httpx.get(page, params=asked, headers=IN_WECHAT).headers["Location"]
    code = parse_qs(urlsplit(sent).query)["code"][0]
    exchange = {
        "appid": asked["appid"],
        "secret": counter.gateway.desk.keys.app_secret,
        "code": code,
        "grant_type": "authorization_code",
    }
    tokens = f"{address}/sns/oauth2/access_token"
    for changed, errcode in (({"secret": "0"}, 40125), ({"code": "x"}, 40029)):
        said = httpx.get(tokens, params={**exchange, **changed}).json()
        assert said["errcode"] == errcode
    assert httpx.get(tokens, params=exchange).json()["scope"] == "snsapi_base"
    assert httpx.get(tokens, params=exchange).json()["errcode"] == 40163
