"""The finance desk's morning: takings, a day held against its channel's bill, arrears, the ledger.

A garage in a district of its own, where a bill is due at once. One stay is paid by WeChat Pay at
the local gateway and refunded in part; the gateway's own bill of the day gets a row that nobody
paid, which two people clear up; the other stay is not paid, and two people give it up.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from playwright.sync_api import expect

from city.money import Money
from city.time import WallClock
from payments.adapters.accounts import read_channel_file
from payments.rules.channel_bills import wechat
from payments.rules.channel_bills.lines import CHINA, BillLine, LineKind
from payments.rules.channels import Channel
from tests.browser.garages import Garage, garage_of, poster, until
from tests.browser.pictures import shot
from tests.browser.test_drivers_journey import looked_at
from tests.browser.test_every_page import violations
from tests.browser.test_pay_page import pays_on_the_channels_page

if TYPE_CHECKING:
    from datetime import date

    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

INJECTED = Money(888, "CNY")


def paid_by_wechat(garage: Garage, plate: str) -> str:
    """Pay a bill at the local gateway's page."""
    bill_id: str = garage.bill(plate)["id"]
    page = garage.visitor.open(f"/bills/{bill_id}/pay", "finance")
    page.locator("[data-channel=wechat]").click()
    page.locator("[data-state=open]").wait_for()
    pays_on_the_channels_page(page)
    page.locator("[data-state=paid]").wait_for()
    return bill_id


def refunded_in_part(visitor: Visitor, bill_id: str, look: str) -> date:
    """Give two yuan back, wait until they arrived; give the channel's day of the payment."""
    (order,) = visitor.ask("finance", f"/api/v1/bills/{bill_id}/channel-orders")["items"]
    number = uuid4().hex
    body = {
        "refund_no": number,
        "amount": {"minor": 200, "currency": "CNY"},
        "reason": f"the barrier of {look} stood still",
    }
    poster(visitor, "finance")(f"/api/v1/channel-orders/{order['order_no']}/refunds", body)
    refund = f"/api/v1/channel-refunds/{number}"
    until(lambda: bool(visitor.ask("finance", refund)["state"] == "done"))
    return datetime.fromisoformat(order["done_at"]).astimezone(CHINA).date()


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
    reads_what_came_onto_cards(visitor)


def reads_what_came_onto_cards(visitor: Visitor) -> None:
    """Find what an attendant took onto a card beside the takings, and open its entry."""
    put = poster(visitor, "attendant")
    card = put("/api/v1/cards", {})["card"]
    put(
        "/api/v1/cards/top-ups",
        {"number": card["number"], "amount": {"minor": 5000, "currency": "CNY"}},
    )
    page = visitor.open("/finance", "finance", language="zh")
    figure = page.locator("[data-row^='card-cash-']").first
    expect(figure).to_contain_text("¥")
    expect(page.locator("#section")).to_contain_text("对持卡人的负债")
    figure.click()
    row = page.locator(".case tr").filter(has_text=card["number"][-4:])
    expect(row).to_contain_text("+¥50.00")
    looked_at(page, "finance-cards-zh")
    row.locator("[data-row]").click()
    expect(page.locator("[data-entry]")).to_contain_text("停车卡")


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


def state_is(page: Page, state: str) -> None:
    """Wait until the case that is open stands so."""
    expect(page.locator(f"[data-difference][data-state={state}]")).to_be_visible()


def opens_the_stray(page: Page, state: str, stray_no: str) -> None:
    """Choose a state of the list, and the row that was injected."""
    page.locator("#section .chips .chip").filter(has_text=state).click()
    page.locator(".desk-row").filter(has_text=stray_no).click()
    state_is(page, state)


def reconciles_the_day(visitor: Visitor, system: System, day: date, stray_no: str) -> None:
    """Fetch the channel's bill, hand in one with a row too many, clear that row up by two."""
    desk = visitor.open("/finance/reconciliation", "finance")
    desk.get_by_role("button", name="Fetch a channel's bill").click()
    desk.fill("#fetch-day", day.isoformat())
    desk.locator("#dialog button[type=submit]").click()
    expect(desk.locator("#dialog")).to_be_hidden()
    expect(desk.locator("tbody tr").filter(has_text=day.isoformat())).not_to_have_count(0)
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
    runs = desk.locator("a[href$='/reconciliations/export']").get_attribute("href")
    told = desk.request.get(visitor.system.origin + str(runs)).text()
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


def gives_a_bill_up(visitor: Visitor, bill_id: str) -> None:
    """Ask at the desk, decide as another person; no court file before the policy's last step."""
    desk = visitor.open("/finance/arrears", "finance")
    file = desk.locator("#section a[download]").get_attribute("href")
    assert bill_id in desk.request.get(visitor.system.origin + str(file)).text()
    desk.locator(f"[data-row='{bill_id}']").click()
    case = desk.locator(f"[data-bill='{bill_id}']")
    assert violations(desk) == []
    shot(desk, "finance-arrears")
    expect(case.locator("a[download]")).to_have_count(0)
    case.get_by_role("button", name="Ask to give it up", exact=True).click()
    desk.fill("#write-off-reason", "the car was scrapped")
    desk.locator("#dialog button[type=submit]").click()
    expect(desk.locator("#dialog")).to_be_hidden()
    expect(case).to_contain_text("asked for")
    second = visitor.open("/finance/arrears", "administrator")
    second.locator(f"[data-row='{bill_id}']").click()
    second.get_by_role("button", name="Give it up", exact=True).click()
    expect(second.locator(f"[data-bill='{bill_id}']")).to_contain_text("given up")
    second.keyboard.press("Escape")
    second.get_by_role("button", name="Given up", exact=True).click()
    given_up = second.locator("#section a[download]")
    expect(given_up).to_have_attribute("href", re.compile("write-offs.*approved"))
    answer = second.request.get(visitor.system.origin + str(given_up.get_attribute("href")))
    assert bill_id in answer.text()


def explores_the_ledger(visitor: Visitor) -> None:
    """See what was given up on its account, in the dark and in Chinese."""
    page = visitor.open("/finance/ledger", "auditor", language="zh", theme="dark")
    file = page.locator("#section .tool-end a[download]").get_attribute("href")
    balances = page.request.get(visitor.system.origin + str(file)).text()
    assert "clearing:wechat" in balances
    page.select_option("#kind", "written_off")
    figure = page.locator("[data-row^='written_off:']").first
    expect(page.locator("[data-row]:not([data-row^='written_off:'])")).to_have_count(0)
    figure.click()
    expect(page.locator("[data-account] tbody tr").first).to_contain_text("+¥6.00")
    looked_at(page, "finance-ledger-zh")
    expect(page.get_by_role("button", name="结账")).to_have_count(0)


def test_finance_s_morning(visitor: Visitor, system: System, lively: System) -> None:
    visitor.set_speed(1)
    garage = garage_of("finance", visitor, lively)
    # What is injected is found by a name of this look's own.
    look = garage.plan.code.lower()
    paid = paid_by_wechat(garage, garage.plan.plates[0])
    day = refunded_in_part(visitor, paid, look)
    reads_the_takings(visitor, paid)
    lists_the_refund(visitor, look)
    reconciles_the_day(visitor, system, day, f"straystray{look}")
    gives_a_bill_up(visitor, garage.bill(garage.plan.plates[1])["id"])
    explores_the_ledger(visitor)
