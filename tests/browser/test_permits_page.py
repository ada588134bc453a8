"""The permits page: a permit issued, its list taken and corrected, renewed, taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.pictures import shot

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor

pytestmark = pytest.mark.usefixtures("lively")


def issued(visitor: Visitor, label: str) -> Page:
    """Issue a permit for the first place and leave its panel open."""
    page = visitor.open("/permits", "operator")
    page.locator("#issue").click()
    page.locator("#issue-label").fill(label)
    page.locator("#issue-places").select_option(index=0)
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#panel-title")).to_have_text(label)
    return page


def test_good_plates_are_listed_and_bad_ones_stay_to_be_corrected(visitor: Visitor) -> None:
    page = issued(visitor, "HT-2026-001")
    expect(page.locator("#panel .empty-title")).to_have_text("No vehicle on the list")
    page.locator("#plates").fill("京A12345 blue7\n京AD12345\n京A123")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("#plates")).to_have_value("京A123")
    expect(page.locator(".plates-form .form-problem")).to_contain_text("京A123")
    expect(page.locator("#panel .plate")).to_have_count(2)
    shot(page, "permits-en-1440")
    page.locator("#plates").fill("京A12346 blue7")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("#panel .plate")).to_have_count(3)
    expect(page.locator("#panel .plate").first).to_have_attribute(
        "aria-label", "Small plate, partly hidden: 京 A ● ● ● ● 5"
    )
    expect(page.locator("[data-permit]").filter(has_text="HT-2026-001")).to_be_visible()


def test_a_permit_is_renewed_and_taken_back_with_a_reason(visitor: Visitor) -> None:
    page = issued(visitor, "HT-2026-002")
    page.get_by_role("button", name="Renew").click()
    page.locator("#renew-reason").fill("paid at the desk")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#panel")).to_contain_text("renewed")
    page.get_by_role("button", name="Take back").click()
    page.locator("#revoke-reason").fill("lent to others")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#panel .tag-danger")).to_have_text("Taken back")
    expect(page.locator("#panel")).to_contain_text("lent to others")
    expect(page.locator("#plates")).to_have_count(0)
    page.locator("#states button").nth(3).click()
    expect(page.locator("[data-permit]").filter(has_text="HT-2026-002")).to_be_visible()


def test_who_only_reads_finds_nothing_to_act_on(visitor: Visitor) -> None:
    issued(visitor, "HT-2026-003")
    page = visitor.open("/permits", "auditor", language="zh", width=360)
    page.locator("[data-permit]").filter(has_text="HT-2026-003").click()
    expect(page.locator("#panel")).to_contain_text("同时1辆")
    shot(page, "permits-zh-360")
    expect(page.locator("#issue")).to_be_hidden()
    expect(page.locator("#panel .panel-acts, #plates")).to_have_count(0)
