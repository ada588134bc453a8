"""The gate desk and the page of reads, over the demo's lanes that live controllers drive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.garages import until
from tests.browser.pictures import shot

if TYPE_CHECKING:
    from tests.browser.conftest import Visitor

pytestmark = pytest.mark.usefixtures("lively")

PATIENCE_MS = 60_000


def passed(visitor: Visitor) -> bool:
    """Say whether a car with a picture has gone through a lane."""
    lanes = visitor.ask("operator", "/api/v1/lanes")["items"]
    return any(each["read_id"] for lane in lanes for each in lane["vehicles"])


def test_the_desk_shows_every_lane_and_a_lift_takes_two_presses_with_its_photo(
    visitor: Visitor,
) -> None:
    until(lambda: passed(visitor), 120)
    page = visitor.open("/gates", "operator")
    expect(page.locator(".lane")).to_have_count(2, timeout=PATIENCE_MS)
    shot(page, "gates-en-1440")
    lane = page.locator('[data-lane="exit-1"]')
    lane.get_by_role("button", name="Lift").click()
    page.locator("#g-reason").select_option("test")
    page.locator("#g-note").fill("a look at the barrier")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog")).to_be_hidden()
    lane.get_by_role("button", name="Picture").click()
    expect(page.locator('#case [data-act="lift"]').first).to_contain_text("a look at the barrier")
    expect(page.locator("#case img.frame-shown").first).to_be_visible(timeout=PATIENCE_MS)
    shot(page, "gates-case-en-1440")


def test_the_desk_is_worked_on_a_phone_in_chinese(visitor: Visitor) -> None:
    page = visitor.open("/gates", "attendant", language="zh", width=360)
    expect(page.locator(".lane")).to_have_count(2, timeout=PATIENCE_MS)
    expect(page.locator(".lane").first.get_by_role("button", name="抬杆")).to_be_visible()
    shot(page, "gates-zh-360")


def test_an_auditor_sees_lanes_and_works_none(visitor: Visitor) -> None:
    page = visitor.open("/gates", "auditor")
    expect(page.locator(".lane")).to_have_count(2, timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="Lift")).to_have_count(0)


def test_reads_are_live_reviewed_by_key_searched_and_counted_by_camera(visitor: Visitor) -> None:
    until(lambda: passed(visitor), 120)
    page = visitor.open("/reads", "operator")
    row = page.locator("#reads .desk-row").filter(has=page.locator(".plate")).first
    expect(row).to_be_visible(timeout=PATIENCE_MS)
    row.click()
    expect(page.locator("#case img.frame-shown").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator("#case .letter").first).to_be_visible()
    shot(page, "reads-en-1440")
    with page.expect_response(lambda answer: "/review" in answer.url) as said:
        page.keyboard.press("y")
    assert said.value.status == 200
    page.locator("#view .chip", has_text="Search").click()
    page.locator("#s-part").fill("皖R")
    page.locator("#s-why").fill("a look at the page")
    page.locator("#search-form button[type=submit]").click()
    expect(page.locator("#search-said")).to_contain_text("reads.")
    page.locator("#view .chip", has_text="Cameras").click()
    expect(page.locator(".camera-hours tbody tr").first).to_be_visible()
    shot(page, "reads-cameras-en-1440")


def test_reads_on_a_phone_in_chinese(visitor: Visitor) -> None:
    page = visitor.open("/reads", "operator", language="zh", width=360)
    expect(page.locator("#reads .desk-row").first).to_be_visible(timeout=PATIENCE_MS)
    shot(page, "reads-zh-360")
