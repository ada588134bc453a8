"""Bills paid on a phone through each of the three channels, at the gateway's own pages.

A garage of its own stands beside the demo town, whose cars and attendants do not know it: what is
paid there is paid by this test alone. Its gates tell of stays that are over, so no clock is waited
for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.garages import Garage, garage_of, until
from tests.browser.test_drivers_journey import looked_at, read_code

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


def is_paid(page: Page, through: str) -> None:
    """See the receipt come by itself."""
    expect(page.locator("[data-state=paid]")).to_be_visible()
    expect(page.locator("h1")).to_have_text("Receipt")
    expect(page.locator(".pay .facts").first).to_contain_text(f"{through} · ¥6.00")


def pays_by_plate_at_the_bay(garage: Garage) -> None:
    """From the sign at the bay: plate, sum, Alipay's page; neither place nor times are shown."""
    page = phone(garage, f"/bays/{garage.bay_id}", agent=PHONE)
    page.locator("#pay").click()
    page.wait_for_selector("html[data-ready]")
    page.fill("#plate", garage.plan.plates[0])
    looked_at(page, "pay-plate")
    page.locator("#by-plate button[type=submit]").click()
    row = page.locator(".pay-found a")
    expect(row).to_have_text("Pay ¥6.00")
    row.click()
    page.locator("[data-state=choose]").wait_for()
    expect(page.locator(".pay")).not_to_contain_text("Ferry Garage")
    looked_at(page, "pay-choose")
    page.locator("[data-channel=alipay]").click()
    page.locator("[data-state=open] #go").wait_for()
    expect(page.locator(".pay-code")).to_have_count(0)
    assert "alipay.trade.wap.pay" in (page.locator("#go").get_attribute("href") or "")
    looked_at(page, "pay-open-alipay")
    pays_on_the_channels_page(page)
    is_paid(page, "Alipay")
    looked_at(page, "pay-receipt")
    assert garage.bill(garage.plan.plates[0])["payment"]["channel"] == "alipay"


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


def pays_by_the_bills_link(garage: Garage) -> None:
    """From the bill that staff opened: WeChat Pay's own page, in Chinese, reloaded on the way."""
    bill = garage.bill(garage.plan.plates[1])
    desk = garage.visitor.open(f"/bills/{bill['id']}", "finance")
    desk.locator("#pay").click()
    desk.wait_for_selector(".pay [data-channel]")
    address = desk.url.removeprefix(garage.system.origin)
    page = phone(garage, address, language="zh", agent=PHONE)
    expect(page.locator(".pay")).to_contain_text("渡口车库")
    page.locator("[data-channel=wechat]").click()
    page.locator("[data-state=open]").wait_for()
    page.reload()
    page.locator("[data-state=open] #go").wait_for()
    # What leads to the channel's page is no code to be scanned.
    expect(page.locator(".pay-code")).to_have_count(0)
    looked_at(page, "pay-open-zh")
    pays_on_the_channels_page(page)
    expect(page.locator("[data-state=paid] .facts").first).to_contain_text("微信支付 · ¥6.00")
    assert garage.bill(garage.plan.plates[1])["payment"]["channel"] == "wechat"
    asks_for_an_invoice(garage, page)


def asks_for_an_invoice(garage: Garage, page: Page) -> None:
    """Have what was paid invoiced to a company, and open the paper."""
    # What is refused on purpose; a browser logs every refusal by itself.
    garage.visitor.faults.expected.append("status of 422")
    page.get_by_role("button", name="申请开票").click()
    page.fill("#invoice-title", "临江市测试有限公司")
    page.fill("#invoice-tax", "12345")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog .form-problem")).to_be_visible()
    page.fill("#invoice-tax", "91310000MA1FL7AB2C")
    page.locator("#dialog button[type=submit]").click()
    page.locator("[aria-labelledby=invoices] a").click()
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("h1")).to_have_text("电子发票（普通发票）")
    expect(page.locator(".invoice")).to_contain_text("陆元整")
    expect(page.locator(".invoice")).to_contain_text("91310000MA1FL7AB2C")
    looked_at(page, "invoice-zh")


def goes_back_in_part(garage: Garage) -> None:
    """Give two yuan of it back at the finance desk; it arrives, and the receipt says so."""
    bill = garage.bill(garage.plan.plates[1])
    desk = garage.visitor.open(f"/bills/{bill['id']}", "finance")
    desk.get_by_role("button", name="Give back").click()
    desk.fill("#refund-amount", "2.00")
    desk.fill("#refund-reason", "the barrier stood still")
    desk.locator("#dialog button[type=submit]").click()
    expect(desk.locator("[data-refund] .tag")).to_have_text("arrived")
    expect(desk.locator("[data-refund]")).to_contain_text("−¥2.00")
    looked_at(desk, "bill-refunded")
    receipt = phone(garage, f"/bills/{bill['id']}/pay", role="finance")
    expect(receipt.locator("[data-state=paid] .facts").first).to_contain_text("¥2.00")


def pays_by_the_code_on_the_screen(garage: Garage) -> None:
    """Scan UnionPay's code off one screen with another phone; try another way before."""
    bill = garage.bill(garage.plan.plates[2])
    desk = garage.visitor.open(f"/bills/{bill['id']}/pay", "finance")
    desk.locator("[data-channel=alipay]").click()
    desk.locator("[data-state=open]").wait_for()
    desk.locator("#another").click()
    desk.locator("[data-state=choose] [data-channel=unionpay]").click()
    image = desk.locator("[data-state=open] .pay-code img")
    until(lambda: bool(image.evaluate("each => each.complete && each.naturalWidth > 0")))
    expect(image).to_have_attribute("alt", "Code to be scanned with UnionPay")
    scanned = garage.visitor.context(**HANDHELD).new_page()  # type: ignore[arg-type]  # by name
    scanned.goto(read_code(image))
    scanned.get_by_role("button", name="Pay").click()
    expect(scanned.locator("#state")).to_contain_text("Paid")
    is_paid(desk, "UnionPay")
    assert garage.bill(garage.plan.plates[2])["payment"]["channel"] == "unionpay"


def pays_inside_wechat(garage: Garage) -> None:
    """In WeChat's browser: WeChat says who pays and pays by its sheet, called off once before."""
    visitor, gateway = garage.visitor, f"http://127.0.0.1:{garage.system.port + 3}"
    visitor.faults.expected += ["status of 409", f"foreign request: {gateway}/"]
    bill = garage.bill(garage.plan.plates[3])
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
    assert garage.bill(garage.plan.plates[3])["payment"]["channel"] == "wechat"


def test_stays_are_paid_through_three_channels_and_one_goes_back_in_part(
    garage: Garage,
) -> None:
    pays_by_plate_at_the_bay(garage)
    pays_before_leaving(garage)
    pays_by_the_bills_link(garage)
    goes_back_in_part(garage)
    pays_by_the_code_on_the_screen(garage)
    pays_inside_wechat(garage)
    # What leads nowhere says so; a browser logs every refusal by itself.
    garage.visitor.faults.expected.append("status of 404")
    page = garage.visitor.watched(garage.visitor.context(**HANDHELD))  # type: ignore[arg-type]  # by name
    answer = page.goto(f"{garage.system.origin}/pay/nothing")
    assert answer is not None
    assert answer.status == 404
