"""The page of travel times: what cameras at the town's stop lines tell, in both languages."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

from tests.browser.pictures import shot
from tests.browser.test_every_page import violations

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor

ENDS = 8


def open_town(visitor: Visitor, role: str, **how: Any) -> Page:
    """Open the page with the demo town, whatever else has been imported since."""
    page = visitor.open("/signals/travel", role, **how)
    expect(page.locator("body[data-network]")).to_have_count(1)
    town = page.locator("#network option").filter(has_text=re.compile("Linjiang|临江"))
    page.locator("#network").select_option(town.first.get_attribute("value"))
    return page


def with_times(page: Page) -> None:
    """Ask again until the town's cameras have told enough."""
    deadline = time.monotonic() + 300
    while page.locator("#times tbody tr").count() < 3:
        assert time.monotonic() < deadline, "no travel times"
        page.wait_for_timeout(5_000)
        page.locator("#span .chip").nth(1).click()
        expect(page.locator("#times .skeleton")).to_have_count(0, timeout=60_000)


def test_how_long_the_way_takes_and_where_cars_go(visitor: Visitor) -> None:
    page = open_town(visitor, "engineer")
    with_times(page)
    first = page.locator("#times tbody tr").first
    expect(first).to_contain_text(re.compile(r"J\d\d → J\d\d"))
    expect(first).to_contain_text(re.compile(r"\d+:\d\d \(\d+:\d\d–\d+:\d\d\)"))
    first.get_by_role("button", name="By hour").click()
    expect(page.locator("#hours tbody tr")).to_have_count(3)
    for number in range(ENDS):
        page.locator("#ends .chip").nth(number * 3).click()
    expect(page.locator("#origins table")).to_be_visible()
    expect(page.locator("#origins")).to_contain_text("shares of who was seen")
    expect(page.locator("#origins")).to_contain_text(re.compile(r"\d+ % \(\d+–\d+\)"))
    shot(page, "travel-en-1440")
    assert violations(page) == []
    other = open_town(visitor, "operator", language="zh", width=360, theme="dark")
    with_times(other)
    expect(other.locator("#times")).to_contain_text("→")
    shot(other, "travel-zh-360-dark")
    assert violations(other) == []
