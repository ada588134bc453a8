"""Rights beside permits: bays held and given back, benefits, listings, works made good, abuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.pictures import shot

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor

pytestmark = pytest.mark.usefixtures("lively")


def submit(page: Page) -> None:
    """Send the form that is open."""
    page.locator("#dialog button[type=submit]").click()


def test_a_bay_is_held_for_a_car_and_given_back(visitor: Visitor) -> None:
    page = visitor.open("/reservations", "operator")
    page.locator("#acts button").click()
    page.locator("#r-plate").fill("京A70001")
    page.locator("#r-kind").select_option("blue7")
    submit(page)
    row = page.locator(".table-box tbody tr").filter(has_text="held")
    expect(row).to_have_count(1)
    expect(page.locator(".calendar-reservation")).not_to_have_count(0)
    shot(page, "reservations-en-1440")
    row.get_by_role("button").click()
    expect(page.locator(".table-box tbody tr").filter(has_text="held")).to_have_count(0)


def test_a_reservation_of_nobody_names_the_plate(visitor: Visitor) -> None:
    visitor.faults.expected.append("422")
    page = visitor.open("/reservations", "operator", language="zh", width=360)
    page.locator("#acts button").click()
    page.locator("#r-plate").fill("京A1")
    submit(page)
    expect(page.locator("#dialog .form-problem, #dialog .field-problem").first).not_to_be_empty()
    shot(page, "reservations-zh-360")


def test_a_benefit_is_stated_with_its_notice_and_ended(visitor: Visitor) -> None:
    page = visitor.open("/benefits", "operator")
    page.locator("#acts button").click()
    page.locator("#n-zh").fill("使馆车辆")
    page.locator("#n-en").fill("Embassies' cars")
    page.get_by_label("Diplomatic").check()
    page.locator("#n-free").fill("30")
    page.locator("#n-source").fill("Notice 2026-14")
    submit(page)
    row = page.locator(".table-box tbody tr").filter(has_text="Embassies' cars")
    expect(row).to_contain_text("Notice 2026-14")
    shot(page, "benefits-en-1440")
    row.get_by_role("button").click()
    submit(page)
    expect(row.get_by_role("button")).to_have_count(0)


def test_a_vehicle_is_listed_and_lifted_and_districts_rule_what_follows(visitor: Visitor) -> None:
    page = visitor.open("/blacklist", "operator")
    page.locator("#acts button").click()
    page.locator("#r-plate").fill("京A70002")
    page.locator("#r-kind").select_option("blue7")
    page.locator("#l-note").fill("third barrier broken")
    submit(page)
    row = page.locator(".table-box tbody tr").filter(has_text="third barrier broken")
    expect(row).to_have_count(1)
    rule = page.get_by_label("evasion: Gates stay shut")
    before = rule.is_checked()
    rule.set_checked(not before)
    page.get_by_role("button", name="Save the rules").click()
    expect(page.locator(".toast").filter(has_text="hold from now on")).to_be_visible()
    shot(page, "blacklist-en-1440")
    row.get_by_role("button").click()
    page.locator("#lift-reason").fill("paid")
    submit(page)
    expect(row).to_have_count(0)
    page.reload()
    expect(page.get_by_label("evasion: Gates stay shut")).to_be_checked(checked=not before)


def test_days_that_works_took_from_month_cards_are_given_back_once(visitor: Visitor) -> None:
    page = visitor.open("/compensation", "operator")
    make_good = page.get_by_role("button", name="Make good").first
    make_good.click()
    expect(page.locator("#c-reason")).not_to_have_value("")
    submit(page)
    expect(page.locator("#section [role=status]")).to_contain_text("What was made good")
    shot(page, "compensation-en-1440")


def test_the_abuse_report_says_what_it_looked_at(visitor: Visitor) -> None:
    page = visitor.open("/abuse", "auditor", width=768)
    expect(page.locator("#section [role=status]")).to_contain_text("looked at")
    page.locator("#a-stays").fill("1")
    page.get_by_role("button", name="Look").click()
    expect(page.locator(".table-box tbody tr, .table-box .empty").first).to_be_visible()
    shot(page, "abuse-en-768")


def test_who_only_reads_finds_nothing_to_act_on(visitor: Visitor) -> None:
    page = visitor.open("/blacklist", "auditor", language="zh")
    expect(page.locator(".policy input").first).to_be_disabled()
    expect(page.locator("#acts button, .policy-save")).to_have_count(0)


def test_the_section_that_is_open_stands_in_view_on_a_phone(visitor: Visitor) -> None:
    page = visitor.open("/finance/arrears", "finance", width=360)
    expect(page.locator(".rights-nav [aria-current]")).to_be_in_viewport(ratio=0.99)
