"""What a car owes elsewhere is collected where it is met, and paid at once by its driver."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.browser.garages import Garage, garage_of, poster
from tests.browser.test_drivers_journey import looked_at, read_code
from tests.browser.test_pay_page import pays_on_the_channels_page, phone

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

HANDHELD = {"width": 360, "height": 740}
SLIP = "019ac000-0000-7000-8000-000000000001"


def at_the_kerb(
    garage: Garage, plate: str, bills: int = 2, *, slip: bool = False, **how: Any
) -> Page:
    """Look a plate up on an attendant's handheld, at a post that knows nothing of it."""
    visitor = garage.visitor
    page = visitor.watched(visitor.context("attendant", **(HANDHELD | how)))
    page.add_init_script(f"localStorage.setItem('greenbay.post', '{garage.facility_id}')")
    if slip:
        # A slip waits from some day of a policy on: the answer is the server's, with one in it.
        page.route("**/api/v1/arrears/lookups", with_a_slip)
    page.goto(f"{visitor.system.origin}/attendant")
    page.locator("#arrears-open").click()
    page.fill("#arrears-plate", plate)
    page.locator("#act form button[type=submit]").click()
    expect(page.locator("[data-arrear]")).to_have_count(bills)
    return page


def with_a_slip(route: Route) -> None:
    """Answer as the server does, with a slip that waits for the car."""
    answer = route.fetch()
    body = answer.json()
    body["slips"] = [
        {
            "id": SLIP,
            "bill_id": body["bills"][0]["id"],
            "kind": "reminder",
            "text": "停车费待缴 6.00 元，请扫码缴纳。",
            "made_at": body["bills"][0]["issued_at"],
        }
    ]
    route.fulfill(response=answer, body=json.dumps(body))


def test_several_bills_are_paid_by_one_code_and_each_has_its_receipt(
    visitor: Visitor, lively: System
) -> None:
    garage = garage_of("together", visitor, lively)
    (plate,) = garage.plan.plates
    page = phone(garage, f"/bays/{garage.bay_id}/pay")
    page.fill("#plate", plate)
    page.locator("#by-plate button[type=submit]").click()
    together = page.locator("#pay-together")
    expect(together).to_have_text("Pay 2 bills: ¥12.00")
    page.locator(".pay-found input[type=checkbox]").first.uncheck()
    expect(together).to_have_text("Pay 1 bill: ¥6.00")
    page.locator(".pay-found input[type=checkbox]").first.check()
    looked_at(page, "pay-together-found")
    together.click()
    page.locator("[data-state=choose]").wait_for()
    expect(page.locator("[data-bill=open]")).to_have_count(2)
    looked_at(page, "pay-together")
    page.locator("[data-channel=alipay]").click()
    page.locator("[data-state=open] #go").wait_for()
    page.reload()
    page.locator("[data-state=open] #go").wait_for()
    pays_on_the_channels_page(page)
    expect(page.locator("[data-state=paid]")).to_be_visible()
    expect(page.locator("[data-bill=paid]")).to_have_count(2)
    looked_at(page, "pay-together-paid")
    page.locator("[data-bill=paid] a").first.click()
    expect(page.locator("h1")).to_have_text("Receipt")
    expect(page.locator(".pay .facts").first).to_contain_text("Alipay · ¥6.00")
    assert {each["payment"]["channel"] for each in garage.bills(plate)} == {"alipay"}


def test_an_attendant_shows_a_code_leaves_a_slip_and_takes_cash_for_all(
    visitor: Visitor, lively: System
) -> None:
    garage = garage_of("arrears", visitor, lively)
    (plate,) = garage.plan.plates
    page = at_the_kerb(garage, plate, slip=True)
    expect(page.locator("#act")).to_contain_text("The car may leave, whatever it owes.")
    looked_at(page, "arrears-attendant")
    page.locator("#arrears-code").click()
    image = page.locator(".pay-code img")
    expect(image).to_be_visible()
    looked_at(page, "arrears-code")
    # The code opens the page of both bills, on anybody's phone.
    address = read_code(image)
    driver = phone(garage, address.removeprefix(garage.system.origin), language="zh")
    expect(driver.locator("[data-bill=open]")).to_have_count(2)
    page.get_by_role("button", name="Done").click()
    # The slip's own code is of the one bill that it is about; what is kept is where it was left.
    page.locator("#arrears-open").click()
    page.fill("#arrears-plate", plate)
    page.locator("#act form button[type=submit]").click()
    page.locator(f"[data-slip='{SLIP}'] button").click()
    expect(page.locator(".slip")).to_contain_text("请扫码缴纳")
    page.fill("#slip-where", "under the wiper")
    looked_at(page, "arrears-slip")
    page.route(f"**/api/v1/arrears/slips/{SLIP}", lambda route: route.fulfill(json={}))
    with page.expect_request(f"**/api/v1/arrears/slips/{SLIP}") as sent:
        page.get_by_role("button", name="It is left on the car").click()
    assert sent.value.post_data_json == {"where": "under the wiper"}
    expect(page.locator(".cash-done-title")).to_have_text("Kept: the slip was left.")
    page.get_by_role("button", name="Done").click()
    # One is lowered to what no coins are carried for: its district takes cash in jiao.
    odd = garage.bills(plate)[0]["id"]
    lowered = {"amount": {"minor": 43, "currency": "CNY"}, "reason": "the sign was covered"}
    poster(visitor, "finance")(f"/api/v1/bills/{odd}/adjustments", lowered)
    page.locator("#arrears-open").click()
    page.fill("#arrears-plate", plate)
    page.locator("#act form button[type=submit]").click()
    page.locator("#arrears-cash").click()
    expect(page.locator(".cash-sum")).to_have_text("¥11.50")
    expect(page.locator("[data-rounded]")).to_contain_text("¥11.57")
    page.fill("#tendered", "20")
    looked_at(page, "arrears-cash-rounded")
    page.get_by_role("button", name="Take ¥20.00, give ¥8.50 back").click()
    expect(page.locator(".cash-done-title")).to_have_text("¥11.57 paid")
    expect(page.locator(".cash-back")).to_have_text("¥8.50")
    assert {each["payment"]["channel"] for each in garage.bills(plate)} == {"cash"}
    receipt = visitor.open(f"/bills/{odd}", "finance", language="zh", width=390, height=844)
    expect(receipt.locator(".facts", has_text="现金抹零")).to_contain_text("¥0.07")
    looked_at(receipt, "bill-rounded-zh")


def test_a_bill_is_paid_by_the_card_that_a_reader_reads(visitor: Visitor, lively: System) -> None:
    garage = garage_of("reader", visitor, lively)
    (plate,) = garage.plan.plates
    reader = f"04:7F:22:A1:{plate[-5:]}"  # a card of this look's own
    desk = poster(visitor, "attendant")
    desk("/api/v1/cards", {"reader": reader})
    money = {"minor": 1000, "currency": "CNY"}
    desk("/api/v1/cards/top-ups", {"reader": reader, "amount": money})
    page = at_the_kerb(garage, plate, 1)
    page.locator("#arrears-card").click()
    page.fill("#card-reader", reader)
    looked_at(page, "arrears-card")
    # Readers type, and end with the key for a new line.
    page.locator("#card-reader").press("Enter")
    expect(page.locator(".cash-done-title")).to_have_text("¥6.00 paid; the card holds ¥4.00")
    assert garage.bill(plate)["payment"]["channel"] == "card"


def test_a_bill_is_paid_by_the_code_on_its_payers_phone(visitor: Visitor, lively: System) -> None:
    garage = garage_of("scan", visitor, lively)
    first, second = garage.plan.plates
    gateway = f"http://127.0.0.1:{int(lively.origin.rpartition(':')[2]) + 3}"
    page = at_the_kerb(garage, first, 1)
    page.locator("#arrears-scan").click()
    code = page.locator("#payer-code")
    expect(code).to_be_focused()
    code.fill("13 00 61 09 88 28 00 94 09")
    looked_at(page, "code-scan")
    # Scan heads type, and end with the key for a new line.
    code.press("Enter")
    expect(page.locator("#code-problem")).to_contain_text("nothing was charged")
    expect(code).to_have_value("")
    looked_at(page, "code-refused")
    code.fill("130061098828009403")
    code.press("Enter")
    expect(page.locator("#code-state")).to_contain_text("waits for the payer to confirm")
    expect(page.locator("#code-off")).to_be_disabled()
    looked_at(page, "code-waits")
    # On the payer's phone the channel asks for the password.
    phone_page = visitor.context(width=360, height=740).new_page()
    phone_page.goto(f"{gateway}/payer/codes")
    expect(phone_page.locator("section")).to_have_count(3)
    phone_page.locator("ul a").last.click()
    phone_page.locator("button[type=submit]").click()
    expect(page.locator(".cash-done-title")).to_have_text("¥6.00 paid by WeChat Pay")
    looked_at(page, "code-paid")
    assert garage.bill(first)["payment"]["channel"] == "wechat"
    visitor.faults.expected.append("status of 422")
    other = at_the_kerb(garage, second, 1, language="zh")
    other.locator("#arrears-scan").click()
    other.locator("#payer-code").fill("990061098828009411")
    other.locator("#payer-code").press("Enter")
    expect(other.locator("#code-problem")).to_contain_text("不是微信支付、支付宝或云闪付的付款码")
    other.locator("#payer-code").fill("287633930000000003")
    other.locator("#payer-code").press("Enter")
    expect(other.locator("#code-state")).to_contain_text("正在等待顾客")
    looked_at(other, "code-waits-zh")
    # The payer thinks again: after a while it can be called off, and another code pays.
    expect(other.locator("#code-off")).to_be_enabled(timeout=60_000)
    other.locator("#code-off").click()
    expect(other.locator("#code-problem")).to_contain_text("没有扣款")
    other.locator("#payer-code").fill("6200000000000000011")
    other.locator("#payer-code").press("Enter")
    expect(other.locator(".cash-done-title")).to_have_text("已通过云闪付收款 ¥6.00")
    assert garage.bill(second)["payment"]["channel"] == "unionpay"
