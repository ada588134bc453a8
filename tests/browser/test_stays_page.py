"""Stays with their evidence: looked through by staff, corrected with a reason, read by auditors."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.garages import poster
from tests.browser.pictures import shot
from tests.browser.test_attendant_offline import kerb

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor

pytestmark = pytest.mark.usefixtures("lively")


def shown(page: Page, name: str, asks: str) -> None:
    """Choose a list and wait until its own answer is there: another's may still be on its way."""
    chip = page.locator("#lists .chip", has_text=name)
    with page.expect_response(lambda answer: asks in answer.url):
        chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")


def test_a_stay_that_was_none_is_set_aside_with_a_reason(visitor: Visitor) -> None:
    page = visitor.open("/stays", "operator")
    shown(page, "Parked now", "state=open")
    row = page.locator(".desk-row").filter(has_text="no plate yet").first
    row.click()
    expect(page.locator("#case .said").first).to_be_visible()
    shot(page, "stays-en-1440")
    page.locator('[data-correction="set-aside"]').click()
    page.locator("#s-what").select_option("object")
    page.locator("#s-reason").fill("a skip of the road works stands there")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#case .facts .tag")).to_have_text("object: not charged")
    expect(page.locator('.said[data-kind="set-aside"] .said-why')).to_have_text(
        "a skip of the road works stands there"
    )
    expect(page.locator("[data-correction]")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator("#case")).to_be_hidden()


def test_a_correction_that_cannot_be_is_refused_in_words(visitor: Visitor) -> None:
    visitor.faults.expected.append("422")
    page = visitor.open("/stays", "operator", language="zh", width=360)
    shown(page, "停放中", "state=open")
    # In a bay of a kerb, and not set aside by another test.
    kerb = page.locator(".desk-row").filter(has_text=re.compile(r"K\d{3}-\d\d"))
    kerb.filter(has=page.locator(".tag", has_text="停放中")).first.click()
    page.locator('[data-correction="end"]').click()
    page.locator("#s-at").fill("2020-01-01T08:00")
    page.locator("#s-reason").fill("现场核对")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog .form-problem")).to_have_text("时间：早于停车开始时间")
    shot(page, "stays-refused-zh-360")


def test_a_supervisor_charges_a_stay_after_all_that_was_freed(visitor: Visitor) -> None:
    # A kerb of its own: the demo's cars drive off meanwhile.
    kerb_id = kerb(visitor, f"FR{secrets.token_hex(3)}")
    note = poster(visitor, "attendant")
    met = {"plate": "皖B72104", "plate_kind": "blue7", "where": "beside the ferry"}
    stay = note(f"/api/v1/facilities/{kerb_id}/sessions", met)
    freed = note(f"/api/v1/sessions/{stay['id']}/exemption", {"code": "sensor-fault"})
    assert freed["exempt"] == "sensor-fault"
    street = visitor.open(f"/stays?stay={stay['id']}", "attendant", language="zh", width=360)
    expect(street.locator("#case .said").first).to_be_visible()
    expect(street.locator('[data-correction="charge"]')).to_have_count(0)
    page = visitor.open(f"/stays?stay={stay['id']}", "operator")
    page.locator('[data-correction="charge"]').click()
    page.locator("#s-reason").fill("the sensor worked all day")
    shot(page, "stays-charge-1440")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator('.said[data-kind="exemption-withdrawn"] .said-why')).to_have_text(
        "the sensor worked all day"
    )
    expect(page.locator('[data-correction="charge"]')).to_have_count(0)
    assert visitor.ask("operator", f"/api/v1/sessions/{stay['id']}")["exempt"] is None


def test_an_auditor_reads_and_corrects_nothing(visitor: Visitor) -> None:
    page = visitor.open("/stays", "auditor")
    shown(page, "All", "/sessions?limit=50")
    page.locator(".desk-row").first.click()
    expect(page.locator("#case .said-raw").first).to_be_visible()
    expect(page.locator("[data-correction]")).to_have_count(0)
    shown(page, "Never left", "/sessions/long")
    shown(page, "Unmatched passages", "/gates/unmatched")
    expect(page.locator("#stays .empty, #stays .desk-row").first).to_be_visible()


def test_a_link_opens_its_stay(visitor: Visitor) -> None:
    stay = visitor.ask("operator", "/api/v1/sessions?limit=1")["items"][0]
    page = visitor.open(f"/stays?stay={stay['id']}", "operator")
    expect(page.locator("#case .said").first).to_be_visible()
    expect(page.locator("#case-title")).to_contain_text(stay["bay_label"])
