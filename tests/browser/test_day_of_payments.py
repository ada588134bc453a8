"""A stay paid by each online channel, one refunded in part, the day reconciled with a difference.

The money's whole way, in one piece: drivers pay at the gateway's own pages, the finance desk gives
two yuan back and finds both in its takings, and holds each channel's bill against our record. The
gateway's bill of WeChat Pay is handed in with a row that nobody paid, which two people clear up.

A garage of its own stands beside the demo town, whose cars and attendants do not know it: what is
paid there is paid by this test alone. Its gates tell of stays that are over, so no clock is waited
for.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

from playwright.sync_api import expect

from city.money import Money
from city.time import WallClock
from payments.adapters.accounts import read_channel_file
from payments.rules.channel_bills import wechat
from payments.rules.channel_bills.lines import CHINA, BillLine, LineKind
from payments.rules.channels import Channel
from tests.browser.garages import Garage, garage_of, until
from tests.browser.pictures import shot
from tests.browser.test_drivers_journey import looked_at, read_code
from tests.browser.test_every_page import violations
from tests.browser.test_pay_page import HANDHELD, PHONE, pays_on_the_channels_page, phone

if TYPE_CHECKING:
    from datetime import date

    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

INJECTED: Final = Money(888, "CNY")
NAMES: Final = {"wechat": "WeChat Pay", "alipay": "Alipay", "unionpay": "UnionPay"}


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


def goes_back_in_part(garage: Garage, reason: str) -> None:
    """Give two yuan of it back at the finance desk; it arrives, and the receipt says so."""
    bill = garage.bill(garage.plan.plates[1])
    desk = garage.visitor.open(f"/bills/{bill['id']}", "finance")
    desk.get_by_role("button", name="Give back").click()
    desk.fill("#refund-amount", "2.00")
    desk.fill("#refund-reason", reason)
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


def day_of_payment(visitor: Visitor, bill_id: str) -> date:
    """Give the day of China on which a channel took the payment for a bill."""
    orders = visitor.ask("finance", f"/api/v1/bills/{bill_id}/channel-orders")["items"]
    (done_at,) = (each["done_at"] for each in orders if each["state"] == "paid")
    return datetime.fromisoformat(done_at).astimezone(CHINA).date()


def day_s_bill_with_a_row_too_many(system: System, day: date, stray_no: str) -> bytes:
    """Give the gateway's own bill of a day with a payment that nobody made."""
    path = system.folder / "var" / "payment-channels.json"
    adapter = read_channel_file(path, system.origin, WallClock())[Channel.WECHAT]
    content = adapter.bill(day)
    assert content is not None
    lines = wechat.read_trade(content).lines
    stray = BillLine(
        kind=LineKind.PAYMENT,
        at=max(line.at for line in lines),
        order_no=stray_no,
        channel_no=f"42{stray_no}",
        amount=INJECTED,
        fee=Money(5, "CNY"),
        merchant=lines[0].merchant,
    )
    return wechat.write_trade([*lines, stray], "wx1")


def reads_the_takings(visitor: Visitor, bill_id: str) -> None:
    """From a figure to the payments behind it, to an entry, to an account."""
    paid_at = visitor.ask("finance", f"/api/v1/bills/{bill_id}")["paid_at"]
    day = datetime.fromisoformat(paid_at).astimezone(CHINA).date().isoformat()
    page = visitor.open("/finance", "finance")
    # The city's midnight may have come since: the day that is meant is asked for.
    page.fill("#day", day)
    expect(page.locator("#section a[download]")).to_have_attribute("href", re.compile(day))
    page.locator("[data-row=channel-wechat]").click()
    row = page.locator(".case tr").filter(has=page.locator(f"a[href='/bills/{bill_id}']"))
    expect(row).to_contain_text("WeChat Pay")
    looked_at(page, "finance-takings")
    row.locator("[data-row]").click()
    expect(page.locator("[data-entry]")).to_contain_text("Clearing · WeChat Pay")
    page.locator("[data-row='clearing:wechat']").click()
    expect(page.locator("[data-account='clearing:wechat'] tbody tr")).not_to_have_count(0)
    file = page.locator("[data-account] a[download]").get_attribute("href")
    answer = page.request.get(visitor.system.origin + str(file))
    assert "clearing:wechat" in answer.text()
    page.keyboard.press("Escape")
    expect(page.locator("#case")).to_be_hidden()
    page.locator("[data-row=back-channel-wechat]").click()
    gone = page.locator(".case tr").filter(has=page.locator(f"a[href='/bills/{bill_id}']"))
    expect(gone).to_contain_text("−¥2.00")
    gone.locator("[data-row]").click()
    expect(page.locator("[data-entry]")).to_contain_text("Clearing · WeChat Pay")
    page.keyboard.press("Escape")
    expect(page.locator("#case")).to_be_hidden()
    day_file = page.locator("#section a[download]").get_attribute("href")
    written = page.request.get(visitor.system.origin + str(day_file)).text()
    assert [",refund,wechat," in line for line in written.splitlines()].count(True) >= 1


def lists_the_refund(visitor: Visitor, look: str) -> None:
    """Find the refund that arrived, its order and its entry."""
    page = visitor.open("/finance/refunds", "finance", language="zh")
    file = page.locator("#section a[download]").get_attribute("href")
    assert look in page.request.get(visitor.system.origin + str(file)).text()
    row = page.locator(".desk-row").filter(has_text=f"the barrier of {look} stood still")
    expect(row).to_contain_text("2.00")
    row.click()
    expect(page.locator("[data-refund]").first).to_be_visible()
    # Who paid reads a number off the receipt: it leads to the payment.
    number = page.locator(".case .mono").nth(1).inner_text()
    page.fill("#payment-number", "0" * 12)
    page.locator("#find-payment").click()
    expect(page.locator("#section [role=alert]")).to_have_text("没有该单号的付款。")
    page.fill("#payment-number", number)
    page.locator("#find-payment").click()
    expect(page.locator("#case-title")).to_have_text(number)
    expect(page.locator(f"[data-order='{number}'] [data-refund]")).to_contain_text("2.00")
    assert violations(page) == []
    shot(page, "finance-refunds-zh")


def lists_the_invoice(visitor: Visitor, bill_id: str) -> None:
    """Find what the driver had made out to a company, and lead from it to the bill."""
    papers = visitor.ask("finance", "/api/v1/invoices?colour=blue")["items"]
    (paper,) = (each for each in papers if each["bill_id"] == bill_id)
    page = visitor.open("/finance/invoices", "finance", language="zh")
    page.fill("#number", paper["serial"])
    page.keyboard.press("Enter")
    row = page.locator(".desk-row")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("临江市测试有限公司")
    row.click()
    case = page.locator(f"[data-paper='{paper['id']}']")
    expect(case.locator(f"a[href='/bills/{bill_id}']")).to_be_visible()
    looked_at(page, "finance-invoices-zh")
    file = page.locator("#section a[download]").get_attribute("href")
    assert bill_id in page.request.get(visitor.system.origin + str(file)).text()


def state_is(page: Page, state: str) -> None:
    """Wait until the case that is open stands so."""
    expect(page.locator(f"[data-difference][data-state={state}]")).to_be_visible()


def opens_the_stray(page: Page, state: str, stray_no: str) -> None:
    """Choose a state of the list, and the row that was injected."""
    page.locator("#section .chips .chip").filter(has_text=state).click()
    page.locator(".desk-row").filter(has_text=stray_no).click()
    state_is(page, state)


def reconciles_the_day(garage: Garage, days: dict[str, date], stray_no: str) -> None:
    """Fetch each channel's bill, hand in one with a row too many, clear that row up by two."""
    visitor, system, day = garage.visitor, garage.system, days["wechat"]
    desk = visitor.open("/finance/reconciliation", "finance")
    for channel, of_channel in days.items():
        desk.get_by_role("button", name="Fetch a channel's bill").click()
        desk.select_option("#fetch-channel", channel)
        desk.fill("#fetch-day", of_channel.isoformat())
        desk.locator("#dialog button[type=submit]").click()
        expect(desk.locator("#dialog")).to_be_hidden()
        runs = desk.locator("tbody tr").filter(has_text=of_channel.isoformat())
        expect(runs.filter(has_text=NAMES[channel])).not_to_have_count(0)
    desk.get_by_role("button", name="Hand in a bill").click()
    bill = day_s_bill_with_a_row_too_many(system, day, stray_no)
    desk.set_input_files("#bill-file", {"name": "bill.csv", "mimeType": "text/csv", "buffer": bill})
    desk.fill("#bill-day", day.isoformat())
    desk.locator("#dialog button[type=submit]").click()
    expect(desk.locator("#dialog")).to_be_hidden()
    held = desk.locator("tbody tr").filter(has_text=day.isoformat()).filter(has_text="WeChat Pay")
    held.first.locator("[data-row]").click()
    expect(desk.locator("[data-run]")).to_contain_text("Payment only with the channel")
    looked_at(desk, "finance-reconciliation-run")
    desk.get_by_role("button", name="Show its differences").click()
    expect(desk.locator("#day")).to_have_value(day.isoformat())
    expect(desk.locator(".desk-row").filter(has_text=stray_no)).to_be_visible()
    opens_the_stray(desk, "open", stray_no)
    expect(desk.locator(".case")).to_contain_text("Find the bill that it pays, or give it back.")
    desk.locator("[name=resolution][value=surplus]").check()
    desk.fill("#difference-note", "asked the channel: paid at the kiosk")
    looked_at(desk, "finance-reconciliation")
    desk.get_by_role("button", name="Propose", exact=True).click()
    state_is(desk, "proposed")
    visitor.faults.expected.append("status of 403")
    desk.get_by_role("button", name="Approve", exact=True).click()
    expect(desk.locator("#decision-problem")).to_contain_text("a second person does")
    file = desk.locator("a[href$='/reconciliations/export']").get_attribute("href")
    told = desk.request.get(system.origin + str(file)).text()
    assert f",{day.isoformat()},wechat," in told
    second = visitor.open("/finance/reconciliation", "administrator")
    opens_the_stray(second, "proposed", stray_no)
    second.get_by_role("button", name="Approve", exact=True).click()
    state_is(second, "approved")
    desk.keyboard.press("Escape")
    opens_the_stray(desk, "approved", stray_no)
    desk.get_by_role("button", name="Do it", exact=True).click()
    state_is(desk, "resolved")
    desk.get_by_role("button", name="Open the entry", exact=True).click()
    expect(desk.locator("[data-entry] tbody tr").first).to_contain_text("+¥8.88")
    expect(desk.locator("[data-entry]")).to_contain_text("Surplus · WeChat Pay")


def test_a_stay_is_paid_by_each_channel_refunded_in_part_and_its_day_reconciled(
    visitor: Visitor, lively: System
) -> None:
    visitor.set_speed(1)
    garage = garage_of("day", visitor, lively)
    # What is given back and injected is found by a name of this look's own.
    look = garage.plan.code.lower()
    pays_by_plate_at_the_bay(garage)
    pays_by_the_bills_link(garage)
    goes_back_in_part(garage, f"the barrier of {look} stood still")
    pays_by_the_code_on_the_screen(garage)
    bills = {
        each["payment"]["channel"]: each["id"]
        for each in (garage.bill(plate) for plate in garage.plan.plates)
    }
    assert set(bills) == set(NAMES)
    reads_the_takings(visitor, bills["wechat"])
    lists_the_refund(visitor, look)
    lists_the_invoice(visitor, bills["wechat"])
    days = {channel: day_of_payment(visitor, bill_id) for channel, bill_id in bills.items()}
    reconciles_the_day(garage, days, f"straystray{look}")
