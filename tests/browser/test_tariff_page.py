"""A tariff's page: a document with live examples, its faults at their place, a draft simulated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor

pytestmark = pytest.mark.usefixtures("lively")

PRICE = re.compile(r'"price_minor": \d+')


def opened(visitor: Visitor, role: str) -> Page:
    page = visitor.open("/tariffs", role)
    page.locator("[data-code=kerb-zone-1]").click()
    expect(page.locator("#tariff-facts")).to_contain_text("kerb-zone-1")
    expect(page.locator("#fault .tag-good")).to_be_visible()
    return page


def test_a_fault_is_named_and_selected_in_the_document(visitor: Visitor) -> None:
    page = opened(visitor, "operator")
    editor = page.locator("#document")
    editor.fill(PRICE.sub('"price_minor": -7', editor.input_value(), count=1))
    fault = page.locator("#fault")
    expect(fault).to_contain_text("price_minor")
    fault.get_by_role("button").click()
    selected = "(d => d.value.slice(d.selectionStart, d.selectionEnd))(document.activeElement)"
    assert page.evaluate(selected) == "-7"


def test_a_price_is_compared_drafted_and_simulated_before_anybody_approves_it(
    visitor: Visitor,
) -> None:
    page = opened(visitor, "operator")
    editor = page.locator("#document")
    editor.fill(PRICE.sub('"price_minor": 900', editor.input_value()))
    expect(page.locator("[data-difference]").nth(2)).to_contain_text("▲")
    page.locator("[data-then] button").nth(2).click()
    expect(page.locator('[data-lines="2"] .fee')).to_be_visible()
    page.get_by_role("button", name="Save as a new draft").click()
    page.get_by_role("button", name=re.compile("Simulate")).click()
    expect(page.locator("#simulation .tiles, #simulation > div > p").first).to_be_visible()
    expect(page.locator("#acts")).to_contain_text("Somebody who did not write it can approve it")
    expect(page.get_by_role("button", name=re.compile("Approve"))).to_have_count(0)


def test_an_auditor_reads_and_changes_nothing(visitor: Visitor) -> None:
    page = opened(visitor, "auditor")
    expect(page.locator("#document")).not_to_be_editable()
    expect(page.locator("#acts button")).to_have_count(0)
