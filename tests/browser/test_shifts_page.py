"""An attendant's shift on the handheld, and its office: cash handed in, counted, approved."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.test_drivers_journey import looked_at

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor
    from tests.browser.system import System


def at_a_post(visitor: Visitor, language: str = "en") -> Page:
    """Open the handheld's page at some street, with the shift in front."""
    found = visitor.ask("attendant", "/api/v1/facilities?limit=1")
    facility_id = found["items"][0]["id"]
    context = visitor.context("attendant", width=360, height=720, language=language)
    page = visitor.watched(context)
    page.add_init_script(f"localStorage.setItem('greenbay.post', '{facility_id}')")
    page.goto(f"{visitor.system.origin}/attendant")
    page.locator("#shift-open").click()
    page.wait_for_selector(".shift .panel-acts")
    return page


def in_dialog(page: Page, button: str) -> None:
    page.locator("#dialog").get_by_role("button", name=button).click()
    expect(page.locator("#dialog")).not_to_be_visible()


def test_a_shift_goes_from_the_street_to_its_offices_approval(
    visitor: Visitor, lively: System
) -> None:
    assert lively.origin
    street = at_a_post(visitor)
    street.get_by_role("button", name=re.compile("^Begin a shift")).click()
    running = street.locator("[data-shift=open]")
    expect(running).to_be_visible()
    street.get_by_role("button", name="Take a break").click()
    expect(running).to_contain_text("on a break")
    street.get_by_role("button", name="Back to work").click()
    looked_at(street, "shift-running")

    street.get_by_role("button", name="Hand cash over").click()
    street.fill("#hand-over-amount", "12.50")
    in_dialog(street, "Hand cash over")
    expect(street.locator("[data-move]")).to_contain_text("¥12.50")
    # What is on its way stops the count; a browser logs every refusal by itself.
    visitor.faults.expected += ["status of 409", "status of 422"]
    street.get_by_role("button", name="End shift").click()
    street.fill("#piece-100", "3")
    street.get_by_role("button", name="End shift").click()
    expect(street.locator(".shift-count [role=alert]")).to_contain_text("nobody has counted")
    looked_at(street, "shift-count")

    office = visitor.open("/shifts", "operator")
    coming = office.locator("[data-move]").filter(has_text="Cash office")
    coming.first.get_by_role("button", name="Count and take").click()
    office.fill("#cash-counted", "12")
    office.locator("#dialog").get_by_role("button", name="Count and take").click()
    expect(office.locator("#dialog [role=alert]")).to_contain_text("not what was offered")
    office.fill("#cash-counted", "12.50")
    in_dialog(office, "Count and take")
    expect(office.locator("[data-move]")).to_have_count(0)

    street.fill("#count-note", "three coins in the bag")
    street.get_by_role("button", name="End shift").click()
    counted = street.locator("[data-shift=counted]")
    expect(counted).to_contain_text("¥3.00")
    looked_at(street, "shift-counted")

    office.locator("#filter").get_by_role("button", name="to be approved").click()
    office.locator("#shifts [data-row]").first.click()
    case = office.locator("#case-content")
    expect(case).to_contain_text("three coins in the bag")
    looked_at(office, "shifts-office")
    case.get_by_role("button", name="Approve").click()
    office.fill("#shift-answer", "agreed with the finder of the coins")
    in_dialog(office, "Approve")
    expect(case).to_contain_text("agreed with the finder")
    expect(case.locator(".tags")).to_contain_text("approved")
    for name in ("shifts", "cash-moves"):
        file = office.locator(f"#shifts a[href*='/{name}/export']").get_attribute("href")
        assert office.request.get(lively.origin + str(file)).ok


def test_a_shift_reads_in_chinese(visitor: Visitor, lively: System) -> None:
    assert lively.origin
    street = at_a_post(visitor, "zh")
    expect(street.locator("#act-title")).to_have_text("当班")
    looked_at(street, "shift-zh")
    office = visitor.open("/shifts", "operator", language="zh")
    office.wait_for_selector("#shifts [data-row], #shifts .empty")
    looked_at(office, "shifts-office-zh")
