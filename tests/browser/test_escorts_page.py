"""The escort desk: a route drafted, approved by another, run from the desk, and given back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from playwright.sync_api import expect

from tests.browser.pictures import shot
from tests.browser.test_every_page import violations
from web.demo.signal_plans import lay_junctions
from web.demo.town import SEED, build_town

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor


def choose(page: Page, what: str) -> None:
    page.locator(f'[data-escort="{what}"]').click()
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog")).to_be_hidden()


def test_a_route_is_drafted_approved_held_from_the_desk_and_ended(visitor: Visitor) -> None:
    name = f"Guests {uuid4().hex[:4]}"
    town = lay_junctions(build_town(SEED))
    meeting = next(each.position for each in town if each.code == "J20").moved(-400.0, 0.0)
    page = visitor.open("/signals/escorts", "escort")
    expect(page.locator("body[data-escorts]")).to_have_count(1)
    page.locator("#draft").click()
    simulated = page.locator("#escort-network option").filter(has_text="simulated")
    page.locator("#escort-network").select_option(simulated.get_attribute("value"))
    page.locator("#escort-name").fill(name)
    page.locator("#escort-start").fill(f"{meeting.longitude},{meeting.latitude}")
    page.locator("#escort-stops").fill("J20 east-vehicles")
    shot(page, "escort-draft-en-1440")
    assert violations(page) == []
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog")).to_be_hidden()
    expect(page.locator('body[data-escort="draft"]')).to_have_count(1)
    expect(page.locator('[data-escort="approval"]')).to_have_count(0)
    other = visitor.open("/signals/escorts", "approver", language="zh", width=390, theme="dark")
    other.locator(".desk-row", has_text=name).click()
    expect(other.locator('body[data-escort="draft"]')).to_have_count(1)
    choose(other, "approval")
    expect(other.locator('body[data-escort="approved"]')).to_have_count(1)
    shot(other, "escort-approved-zh-390-dark")
    assert violations(other) == []
    page.locator(".desk-row", has_text=name).click()
    expect(page.locator('body[data-escort="approved"]')).to_have_count(1)
    choose(page, "start")
    expect(page.locator("#case-content")).to_contain_text("Not told")
    hold = page.locator('[data-stop="hold-0"], [data-stop="return-0"]')
    expect(hold).to_be_visible()
    # It may not be heard yet, or somebody would wait too long: tried again, as an officer would.
    visitor.faults.expected += ["status of 503", "status of 409"]
    for _ in range(20):
        if page.locator('[data-stop="return-0"]').count():
            break
        page.locator('[data-stop="hold-0"]').click()
        page.wait_for_timeout(2_000)
    expect(page.locator('[data-stop="return-0"]')).to_be_visible(timeout=60_000)
    expect(page.locator("#case-content")).to_contain_text("Every line is as it was written")
    shot(page, "escort-running-en-1440")
    assert violations(page) == []
    page.locator('[data-stop="return-0"]').click()
    expect(page.locator("#case-content")).to_contain_text("given back")
    choose(page, "end")
    expect(page.locator('body[data-escort="over"]')).to_have_count(1)
    small = visitor.open("/signals/escorts", "escort", language="zh", width=360)
    small.locator(".desk-row", has_text=name).click()
    expect(small.locator("#case-content")).to_contain_text("各行均与写入时一致")
    shot(small, "escort-over-zh-360")
    assert violations(small) == []
