"""The places page: the tree, a bay changed with its history, bays laid, suspended, imported."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.pictures import shot
from tests.browser.test_every_page import violations

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor

pytestmark = pytest.mark.usefixtures("lively")


def opened(visitor: Visitor, code: str, **how: str) -> Page:
    """Open a facility's panel from the tree."""
    page = visitor.open("/places", "operator", **how)
    page.locator("#search").fill(code)
    row = page.locator('[data-row^="facility/"]').filter(has_text=code)
    expect(row).to_have_count(1)
    row.click()
    expect(page.locator("#panel .versions").last).to_be_visible()
    return page


def test_the_tree_goes_down_to_the_bays_by_the_keyboard_and_never_adds_purposes_up(
    visitor: Visitor,
) -> None:
    page = visitor.open("/places", "auditor")
    first = page.locator('[data-row^="operator/"]').first
    expect(first).to_contain_text("public")
    expect(first).to_contain_text("reserved")
    expect(page.locator("#keeping")).to_be_hidden()
    first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(500)
    expect(page.locator("[data-row]:focus")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#panel .versions").last).to_be_visible()
    expect(page.locator("#panel .panel-acts")).to_have_count(0)
    assert violations(page) == []


def test_a_bay_is_changed_and_its_history_says_what_and_by_whom(visitor: Visitor) -> None:
    page = opened(visitor, "G08")
    page.locator("#panel .tree-bay").nth(4).click()
    expect(page.locator("#panel-title")).to_contain_text("Bay G08-")
    page.get_by_role("button", name="Edit").click()
    page.locator("#b-kind").select_option("loading")
    page.locator("#dialog button[type=submit]").click()
    latest = page.locator("#panel .version").first
    expect(latest).to_contain_text("loading")
    expect(latest).to_contain_text("Operator")
    assert violations(page) == []


def test_hours_and_rules_are_stated_in_fields_and_read_in_words(visitor: Visitor) -> None:
    page = opened(visitor, "G05")
    page.get_by_role("button", name="Edit").first.click()
    page.get_by_text("Opening hours and rules").click()
    hours = page.get_by_role("group", name="Opening hours")
    hours.get_by_role("button", name="Add a time").click()
    for day in ("Mon", "Tue", "Wed", "Thu", "Fri"):
        hours.get_by_label(day, exact=True).check()
    hours.get_by_label("From").fill("07:00")
    hours.get_by_label("Until").fill("00:00")
    hours.get_by_label("Public holidays").select_option("except")
    page.get_by_role("button", name="Add a rule").click()
    rule = page.get_by_role("group", name="Rule", exact=True)
    rule.get_by_label("Reason").fill("cleaning")
    rule.get_by_role("button", name="Add a time").click()
    rule.get_by_label("Tue", exact=True).check()
    shot(page, "places-hours-en-1440")
    assert violations(page) == []
    page.locator("#dialog button[type=submit]").click()
    panel = page.locator("#panel")
    expect(panel).to_contain_text("Mon–Fri 07:00–24:00 not on public holidays")
    expect(panel).to_contain_text("no parking · Tue · cleaning")


def test_a_row_of_bays_is_laid_and_an_overlap_names_the_rule(visitor: Visitor) -> None:
    visitor.faults.expected.append("409")
    page = opened(visitor, "G07")
    page.get_by_role("button", name="Add bays").click()
    page.locator("#b-prefix").fill("G07-N")
    page.locator("#b-count").fill("3")
    page.locator("#b-pitch").fill("1")
    page.locator("#b-width").fill("2.5")
    page.locator("#b-length").fill("5")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#dialog .form-problem")).to_contain_text("bays[")
    page.locator("#b-pitch").fill("30")
    page.locator("#b-bearing").fill("270")
    page.locator("#b-lon").fill("118.0912")
    page.locator("#b-lat").fill("30.9012")
    page.locator("#dialog button[type=submit]").click()
    expect(page.locator("#panel .tree-bay").filter(has_text="G07-N03")).to_be_visible()


def test_bays_are_suspended_and_given_back(visitor: Visitor) -> None:
    page = opened(visitor, "G05")
    page.get_by_role("button", name="Suspend bays").click()
    page.locator("#s-permit").fill("ZD-77")
    page.locator(".bay-check input").first.check()
    page.locator(".bay-check input").nth(1).check()
    assert violations(page) == []
    page.locator("#dialog button[type=submit]").click()
    permit = page.locator(".versions > li").filter(has_text="ZD-77")
    expect(permit).to_contain_text("2 bays")
    permit.get_by_role("button", name="Give back now").click()
    expect(permit).to_contain_text("lifted")


def test_a_file_is_checked_first_and_its_bad_features_are_named(visitor: Visitor) -> None:
    page = visitor.open("/places", "operator")
    expect(page.locator("[data-row]").first).to_be_visible()
    page.locator("#import").click()
    good = "A-1,Yard,118.2,31.2,1"
    bad = "A-2,Yard,518.2,31.2,1"
    content = f"label,facility,longitude,latitude,capacity\n{good}\n{bad}\n"
    page.locator("#i-file").set_input_files(
        {"name": "yard.csv", "mimeType": "text/csv", "buffer": content.encode()}
    )
    page.locator("#i-district").fill("0153")
    page.locator("#i-kind").select_option("lot")
    submit = page.locator("#dialog button[type=submit]")
    submit.click()
    expect(page.locator(".import-report")).to_contain_text("1 feature accepted")
    rejected = page.locator(".import-report tbody tr").first
    expect(rejected).to_contain_text("A-2")
    assert violations(page) == []
    expect(submit).to_have_text("Import 1 feature")
    listed = json.dumps(visitor.ask("operator", "/api/v1/registered-facilities?limit=500"))
    assert "Yard" not in listed
    submit.click()
    expect(page.locator("#dialog")).to_be_hidden()
    page.locator("#search").fill("Yard")
    expect(page.locator('[data-row^="facility/"]')).to_have_count(1)
