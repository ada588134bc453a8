"""Contracts and policies at the finance desk: what holds when, and what would, while it is typed.

A contract of a far year and a policy of a district that nobody parks in: no other test's bill
follows them. Each look at the test has a year and a district of its own.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.pictures import shot
from tests.browser.test_drivers_journey import looked_at

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

_looks = count(1)


def trial_is(page: Page, state: str, *words: str) -> None:
    """Wait until the server has said so of what is typed."""
    said = page.locator(f"#dialog [data-trial={state}]")
    for each in words:
        expect(said).to_contain_text(each)


def enters(page: Page) -> None:
    """Send the form; it closes."""
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog")).to_be_hidden()


def a_contract_is_entered(visitor: Visitor, year: int) -> None:
    """Share in thirds, see a fen's fate and a party named twice, enter it, find it by date."""
    page = visitor.open("/finance/terms", "finance")
    page.get_by_role("button", name="Propose a contract").click()
    page.fill("#contract-from", f"{year}-01-01T00:00")
    trial_is(page, "fine", "¥100.00 of ¥100.00")
    page.get_by_role("button", name="Add a share").click()
    page.get_by_label("Party").last.select_option("platform")
    page.get_by_label("Whose account").last.fill("greenbay")
    page.get_by_label("Parts").last.fill("2")
    trial_is(page, "fine", "¥33.33 of ¥100.00", "¥66.67 of ¥100.00")
    page.get_by_role("button", name="Add a share").click()
    page.get_by_label("Party").last.select_option("platform")
    page.get_by_label("Whose account").last.fill("greenbay")
    trial_is(page, "fault", "names a party twice")
    page.get_by_role("button", name="Remove").last.click()
    trial_is(page, "fine", "¥66.67 of ¥100.00")
    shot(page, "terms-contract-form")
    enters(page)
    draft = page.locator("[data-draft]").filter(has_text=f"{year}")
    expect(draft).to_contain_text("waits for a second person")
    looked_at(page, "terms-waiting")
    draft.get_by_role("button", name="Approve").click()
    expect(draft.locator(".form-problem")).to_be_visible()
    approves(visitor, f"{year}")
    page.reload()
    page.fill("#at", f"{year}-06-01T00:00")
    row = page.locator(".desk-row").filter(has_text=f"{year}").filter(has_text="66.67%")
    expect(row).to_contain_text("in force")
    row.click()
    version = page.locator("[data-version=in-force]")
    expect(version).to_contain_text("Platform greenbay")
    expect(version).to_contain_text("Administrator")
    looked_at(page, "terms-contracts")
    page.get_by_role("button", name="New version").click()
    page.fill("#contract-from", "2020-01-01T00:00")
    trial_is(page, "fault", "must not lie in the past")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#dialog")).to_be_hidden()


def approves(visitor: Visitor, what: str, chip: str = "", language: str = "en") -> None:
    """Approve, as an administrator, what the finance desk proposed."""
    page = visitor.open("/finance/terms", "administrator", language=language)
    if chip:
        page.locator("#section .chip").filter(has_text=chip).click()
    draft = page.locator("[data-draft]").filter(has_text=what)
    draft.get_by_role("button", name="批准" if language == "zh" else "Approve").click()
    expect(draft).to_have_count(0)


def exits_are_ruled(visitor: Visitor, district: str) -> None:
    """Propose where one pays first, on a telephone; take it back, and have another approved."""
    page = visitor.open("/finance/terms", "finance", language="zh", width=390, height=844)
    for source in ("不该有的规则", "业主要求"):
        page.locator("#section .chip").filter(has_text="出场规则").click()
        page.get_by_role("button", name="拟定出场规则").click()
        page.fill("#exit-district", district)
        page.locator("#exit-mode").select_option("pay-first")
        page.fill("#exit-source", source)
        shot(page, "terms-exit-form-zh")
        enters(page)
        draft = page.locator("[data-draft]").filter(has_text=source)
        expect(draft).to_contain_text("先付费后离场")
        if source == "业主要求":
            looked_at(page, "terms-exit-waiting-zh")
            approves(visitor, source, chip="出场规则", language="zh")
        else:
            draft.get_by_role("button", name="退回").click()
            expect(draft).to_have_count(0)
        page.reload()
    page.locator("#section .chip").filter(has_text="出场规则").click()
    row = page.locator(".desk-row").filter(has_text=f"{district} 区")
    expect(row).to_contain_text("先付费后离场")
    row.click()
    expect(page.locator("[data-version=in-force]")).to_contain_text("业主要求")
    looked_at(page, "terms-exits-zh")


def a_policy_is_ruled(visitor: Visitor, district: str) -> None:
    """Begin with the usual steps, add a penalty, see the dates; enter it, in Chinese."""
    page = visitor.open("/finance/terms", "finance", language="zh", width=390, height=844)
    page.locator("#section .chip").filter(has_text="欠费催缴规则").click()
    page.get_by_role("button", name="拟定规则").click()
    trial_is(page, "empty", "请补全")
    page.fill("#policy-district", district)
    page.fill("#policy-source", "城管〔2026〕3号")
    page.locator("#policy-cash").select_option("10")
    trial_is(page, "fine", "到期")
    page.get_by_role("button", name="增加步骤").click()
    page.get_by_label("措施").last.select_option("penalty")
    page.get_by_label("到期后天数").last.fill("120")
    page.get_by_label("占未缴费用的百分比").last.fill("5.5")
    page.get_by_label("上限").last.fill("5.00")
    trial_is(page, "fine", "+¥5.00")
    page.get_by_label("到期后天数").last.fill("1")
    trial_is(page, "fault", "排序")
    page.get_by_label("到期后天数").last.fill("120")
    trial_is(page, "fine", "+¥5.00")
    shot(page, "terms-policy-form-zh")
    enters(page)
    approves(visitor, f"{district} 区", chip="欠费催缴规则", language="zh")
    page.reload()
    page.locator("#section .chip").filter(has_text="欠费催缴规则").click()
    row = page.locator(".desk-row").filter(has_text=f"{district} 区")
    expect(row).to_contain_text("有效")
    row.click()
    expect(page.locator("[data-version=in-force]")).to_contain_text("城管〔2026〕3号")
    expect(page.locator("[data-version=in-force]")).to_contain_text("角（¥0.10）")
    looked_at(page, "terms-policies-zh")


def test_contracts_and_policies_are_tried_entered_and_found_by_date(
    visitor: Visitor, system: System
) -> None:
    del system
    visitor.faults.expected.append("status of 403")  # of who approves their own proposal
    look = next(_looks)
    a_contract_is_entered(visitor, 2040 + look)
    a_policy_is_ruled(visitor, f"term{look}")
    exits_are_ruled(visitor, f"term{look}")
    # An auditor reads all of it, and enters nothing.
    page = visitor.open("/finance/terms", "auditor")
    page.fill("#at", f"{2040 + look}-06-01T00:00")
    expect(page.locator(".desk-row").first).to_be_visible()
    expect(page.get_by_role("button", name="Propose a contract")).to_have_count(0)
