"""Paying ahead at a bay and inside WeChat, at the gateway's own pages.

Bills paid through each of the three channels, refunded and reconciled: `test_day_of_payments`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.garages import Garage, garage_of
from tests.browser.test_drivers_journey import looked_at

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

PHONE = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/131.0.0.0 Mobile Safari/537.36"
)
WECHAT = f"{PHONE} MicroMessenger/8.0.54(0x28003636) NetType/4G"
HANDHELD = {"width": 360, "height": 740}


@pytest.fixture
def garage(visitor: Visitor, lively: System) -> Garage:
    """Give a garage of this look at the test."""
    return garage_of("pay", visitor, lively)


def phone(garage: Garage, path: str, **how: Any) -> Page:
    """Open a page on somebody's phone, who has no account."""
    return garage.visitor.open(path, **{**HANDHELD, **how})


def pays_on_the_channels_page(page: Page) -> None:
    """Follow the link on the same phone, press the channel's button, come back."""
    with page.context.expect_page() as opened:
        page.locator("#go").click()
    channel = opened.value
    channel.get_by_role("button", name="Pay").click()
    expect(channel.locator("#state")).to_contain_text("Paid")
    channel.close()


def pays_before_leaving(garage: Garage) -> None:
    """Pay what a car that is still inside costs by now, at a bay: it may leave then."""
    page = phone(garage, f"/bays/{garage.bay_id}/pay")
    page.fill("#plate", garage.plan.inside[0])
    page.locator("#by-plate button[type=submit]").click()
    row = page.locator(".pay-found [data-ahead]")
    expect(row).to_contain_text("Still parked")
    looked_at(page, "pay-ahead-found")
    row.locator("a").click()
    page.locator("[data-state=choose]").wait_for()
    expect(page.locator("h1")).to_have_text("Pay before leaving")
    expect(page.locator("#leave-by")).to_contain_text("pays for the time up to")
    looked_at(page, "pay-ahead")
    page.locator("[data-channel=alipay]").click()
    page.locator("[data-state=open]").wait_for()
    expect(page.locator(".pay-code img")).to_be_visible()
    pays_on_the_channels_page(page)
    expect(page.locator("[data-state=paid]")).to_be_visible()
    expect(page.locator("#leave-by")).to_contain_text("too much goes back")
    looked_at(page, "pay-ahead-paid")


def pays_inside_wechat(garage: Garage) -> None:
    """In WeChat's browser: WeChat says who pays and pays by its sheet, called off once before."""
    visitor, gateway = garage.visitor, f"http://127.0.0.1:{garage.system.port + 3}"
    visitor.faults.expected += ["status of 409", f"foreign request: {gateway}/"]
    bill = garage.bill(garage.plan.plates[0])
    desk = visitor.open(f"/bills/{bill['id']}/pay", "finance")
    address = desk.url.removeprefix(garage.system.origin)
    browser = visitor.context(language="zh", agent=WECHAT, bypass_csp=True, **HANDHELD)  # type: ignore[arg-type]  # by name
    browser.add_init_script(browser.request.get(f"{gateway}/payer/bridge.js").text())
    page = visitor.watched(browser)
    page.goto(garage.system.origin + address)
    page.locator("[data-channel=wechat]").click()
    # To WeChat, back, and the sheet is there without another press.
    sheet = page.locator("#wechat-sheet")
    expect(sheet).to_contain_text("¥6.00")
    sheet.get_by_role("button", name="Cancel").click()
    expect(page.locator("#in-app-said")).to_contain_text("未支付")
    expect(page.locator(".pay-code")).to_have_count(0)
    looked_at(page, "pay-in-wechat-zh")
    page.reload()
    page.locator("#go").click()
    sheet.get_by_role("button", name="Pay").click()
    expect(page.locator("[data-state=paid] .facts").first).to_contain_text("微信支付 · ¥6.00")
    assert garage.bill(garage.plan.plates[0])["payment"]["channel"] == "wechat"


def test_a_stay_is_paid_before_leaving_and_another_inside_wechat(garage: Garage) -> None:
    pays_before_leaving(garage)
    pays_inside_wechat(garage)
    # What leads nowhere says so; a browser logs every refusal by itself.
    garage.visitor.faults.expected.append("status of 404")
    page = garage.visitor.watched(garage.visitor.context(**HANDHELD))  # type: ignore[arg-type]  # by name
    answer = page.goto(f"{garage.system.origin}/pay/nothing")
    assert answer is not None
    assert answer.status == 404
