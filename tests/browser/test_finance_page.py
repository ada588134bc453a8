"""The finance desk beside the day's payments: cards, cash given back, arrears given up, ledger.

A garage in a district of its own, where a bill is due at once: one is not paid, and two people give
it up; one is paid in cash, and a part of it goes back. What is paid, refunded and reconciled:
`test_day_of_payments`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.browser.garages import garage_of, poster, until
from tests.browser.pictures import shot
from tests.browser.test_drivers_journey import looked_at
from tests.browser.test_every_page import violations

if TYPE_CHECKING:
    from tests.browser.conftest import Visitor
    from tests.browser.system import System


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


def gives_cash_back(visitor: Visitor, bill: Any) -> None:
    """Give a yuan back of what was paid in cash; the bill stays paid."""
    cash = {"channel": "cash", "tendered": bill["in_cash"]}
    poster(visitor, "finance")(f"/api/v1/bills/{bill['id']}/payments", cash)
    page = visitor.open(f"/bills/{bill['id']}", "finance", language="zh")
    page.locator("#cash-refund").click()
    page.fill("#refund-amount", "1.00")
    page.fill("#refund-reason", "道闸故障")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator(".facts-quiet")).to_contain_text("−¥1.00")
    looked_at(page, "bill-cash-refunded-zh")


def gives_a_bill_up(visitor: Visitor, bill_id: str) -> None:
    """Ask at the desk, decide as another person; no court file before the policy's last step."""
    # The job of each ten minutes, now: the ledger has the bill among its arrears then.
    visitor.system.run_now("journeys.chase_arrears")
    until(lambda: bool(visitor.ask("finance", "/api/v1/arrears")["in_ledger"]))
    desk = visitor.open("/finance/arrears", "finance")
    expect(desk.locator(".figure-tile").last).to_contain_text("Their accounts")
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
    assert "written_off:" in balances
    page.select_option("#kind", "written_off")
    figure = page.locator("[data-row^='written_off:']").first
    expect(page.locator("[data-row]:not([data-row^='written_off:'])")).to_have_count(0)
    figure.click()
    expect(page.locator("[data-account] tbody tr").first).to_contain_text("+¥6.00")
    looked_at(page, "finance-ledger-zh")
    expect(page.get_by_role("button", name="结账")).to_have_count(0)


def test_finance_s_morning(visitor: Visitor, lively: System) -> None:
    visitor.set_speed(1)
    garage = garage_of("finance", visitor, lively)
    reads_what_came_onto_cards(visitor)
    gives_cash_back(visitor, garage.bill(garage.plan.plates[1]))
    gives_a_bill_up(visitor, garage.bill(garage.plan.plates[0])["id"])
    explores_the_ledger(visitor)
