"""A driver agrees once that bills of a car are taken, signs with the channel, and ends it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.garages import GARAGES, Garage, poster
from tests.browser.test_drivers_journey import driver_logs_in, looked_at

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

PHONE = "13800005341"
(PLATE,) = GARAGES["agreements"].inside


@pytest.fixture
def code(visitor: Visitor, lively: System) -> str:
    """Give the code that an attendant shows at the car of this test."""
    garage = Garage(visitor, lively, GARAGES["agreements"])
    path = f"/api/v1/sessions?facility_id={garage.facility_id}&state=open"
    (stay,) = visitor.ask("operator", path)["items"]
    shown: str = poster(visitor, "operator")(f"/api/v1/sessions/{stay['id']}/code", {})["code"]
    return shown


def signs_at_the_channel(page: Page, name: str) -> None:
    """Follow the link to the channel's page, do as the button says, and be led back."""
    page.get_by_label("Plate").fill(PLATE)
    page.get_by_role("button", name=name).click()
    page.wait_for_url("**/mine/agreements")
    page.wait_for_selector("html[data-ready]")


def test_a_driver_agrees_signs_pauses_and_ends(visitor: Visitor, lively: System, code: str) -> None:
    # The channel's page is another origin's, and has no icon.
    visitor.faults.expected += ["foreign request: http://127.0.0.1", "status of 404"]
    page = visitor.watched(visitor.context())
    page.goto(f"{lively.origin}/log-in/driver?next=/mine/agreements")
    driver_logs_in(page, lively, PHONE)
    page.wait_for_selector("html[data-ready]")
    expect(page.locator("#agree")).to_contain_text("No vehicle yet")
    page.goto(f"{lively.origin}/mine")
    page.get_by_role("button", name="Bind a vehicle").first.click()
    page.fill("#bind-code", code)
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#vehicles .plate")).to_be_visible()
    page.get_by_role("link", name="Paid when you leave").click()
    page.wait_for_selector("html[data-ready]")

    page.get_by_role("button", name="Agree").click()
    page.fill("#agree-single", "900")
    visitor.faults.expected += ["status of 422"]
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog .form-problem")).to_contain_text("at most 500")
    page.fill("#agree-single", "30")
    page.locator("#dialog button[type=submit]").click()
    row = page.locator("[data-agreement]")
    expect(row).to_have_attribute("data-state", "asked")
    expect(row).to_contain_text("At most ¥30.00 at once, ¥100.00 a day")
    looked_at(page, "agreements-asked")

    row.get_by_role("link", name="Sign with the channel").click()
    signs_at_the_channel(page, "Sign")
    expect(row).to_have_attribute("data-state", "signed")
    row.get_by_role("link", name="Manage at the channel").click()
    signs_at_the_channel(page, "Pause")
    expect(row).to_have_attribute("data-state", "paused")
    row.get_by_role("button", name="End").click()
    page.locator("#dialog button[type=submit]").click()
    expect(row).to_have_attribute("data-state", "ended")
    expect(row.get_by_role("link")).to_have_count(0)
    page.goto(f"{lively.origin}/mine/agreements?lang=zh")
    expect(page.locator("[data-agreement] .tag")).to_have_text("已终止")
    looked_at(page, "agreements-zh")
