"""A driver finds a bay: place, priced list and map, what-if, the way there; without a line too."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.test_every_page import in_both_themes, violations

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

pytestmark = pytest.mark.usefixtures("lively")

FIND = "/?view=find"
MONEY = re.compile(r"^¥(\d+\.\d\d)$")


def look_for(page: Page, words: str) -> None:
    """Type a place and take the first that matches, by keyboard alone."""
    page.fill("#place", words)
    page.wait_for_selector(".place-option")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#place")).to_have_attribute("aria-activedescendant", "place-option-0")
    page.keyboard.press("Enter")
    page.wait_for_selector(".candidate")


def amount(page: Page, selector: str) -> float:
    found = MONEY.match(page.locator(selector).first.inner_text())
    assert found is not None
    return float(found[1])


def test_a_visitor_finds_prices_changes_the_stay_and_drives_there(visitor: Visitor) -> None:
    page = visitor.open(FIND, language="en")
    expect(page.locator("#candidates")).to_contain_text("Start with where you are going")
    look_for(page, "bell tower")
    page.wait_for_selector("#map[data-loaded]")
    assert page.locator(".pin").count() == page.locator(".candidate").count()
    assert re.search(r"to=118\.\d+", page.url)

    page.locator(".candidate").first.click()
    expect(page.locator("#panel-title")).to_be_focused()
    page.wait_for_selector(".fee tfoot")
    two_hours = amount(page, "#what-if-total")
    assert amount(page, ".fee tfoot .amount") == two_hours

    page.focus("#what-if")
    page.keyboard.press("End")
    expect(page.locator("#what-if")).to_have_attribute("aria-valuetext", re.compile(r"24 h"))
    expect(page.locator("#what-if-total")).not_to_have_text(f"¥{two_hours:.2f}")
    assert amount(page, "#what-if-total") > two_hours

    hrefs = {
        each.get_attribute("data-app"): each.get_attribute("href")
        for each in page.locator(".nav-apps a").all()
    }
    assert (hrefs["amap"] or "").startswith("https://uri.amap.com/navigation?to=118.")
    assert (hrefs["baidu"] or "").startswith("baidumap://map/direction?")
    assert (hrefs["apple"] or "").startswith("https://maps.apple.com/?daddr=30.")
    assert (hrefs["google"] or "").startswith("https://www.google.com/maps/dir/?api=1")
    assert violations(page) == []

    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(page.locator(".candidate").first).to_be_focused()


def test_filters_narrow_what_is_offered_and_can_be_cleared(visitor: Visitor) -> None:
    page = visitor.open(FIND, language="en")
    look_for(page, "bell tower")
    page.locator("#filters summary").click()
    page.fill("#price", "0.01")
    page.keyboard.press("Enter")
    expect(page.locator("#candidates")).to_contain_text("No free bay that fits")
    assert violations(page) == []
    page.locator("#candidates").get_by_role("button", name="Clear filters").click()
    page.wait_for_selector(".candidate")
    page.fill("#height", "tall")
    page.keyboard.press("Enter")
    expect(page.locator("#filter-problem")).to_contain_text("height in metres")
    expect(page.locator("#height")).to_have_attribute("aria-invalid", "true")


def test_a_driver_finds_streets_and_junctions_as_well(visitor: Visitor, system: System) -> None:
    context = visitor.context("operator", language="zh", width=360, height=740)
    page = visitor.watched(context)
    page.goto(f"{system.origin}/find")
    page.wait_for_selector("html[data-ready]")
    assert page.url.endswith(FIND)
    page.fill("#place", "钟楼街")
    expect(page.locator(".place-kind").first).to_have_text("道路")
    expect(page.locator("#place-options")).to_contain_text("路口")
    page.keyboard.press("Enter")
    page.wait_for_selector(".candidate")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert violations(page) == []


def test_a_tap_on_the_map_is_a_destination_and_back_undoes_it(visitor: Visitor) -> None:
    page = visitor.open(FIND, language="en")
    page.wait_for_selector("#map[data-loaded]")
    page.locator("#map").click(position={"x": 400, "y": 420})
    expect(page.locator("#place")).to_have_value("Point on the map")
    page.wait_for_selector(".candidate, #candidates .empty-title")
    page.go_back()
    expect(page.locator("#candidates")).to_contain_text("Start with where you are going")


def test_the_own_position_is_asked_for_and_stays_out_of_the_address(
    visitor: Visitor, system: System
) -> None:
    context = visitor.context(language="en")
    context.grant_permissions(["geolocation"], origin=system.origin)
    context.set_geolocation({"longitude": 118.0540, "latitude": 30.9270})
    page = visitor.watched(context)
    page.goto(system.origin + FIND)
    page.wait_for_selector("html[data-ready]")
    look_for(page, "bell tower")
    before = page.url
    page.click("#locate")
    expect(page.locator("#origin")).to_be_visible()
    expect(page.locator(".candidate").first).to_contain_text("door to door")
    assert page.url == before


def test_a_refused_position_is_answered_in_words(visitor: Visitor, system: System) -> None:
    page = visitor.open(FIND, language="en")
    page.click("#locate")
    expect(page.locator("#locate-problem")).to_contain_text("was not allowed")
    assert system.origin in page.url


def test_without_a_line_what_was_known_stays_and_says_so(visitor: Visitor) -> None:
    page = visitor.open(FIND, language="en")
    look_for(page, "bell tower")
    page.wait_for_selector("#map[data-loaded]")
    visitor.faults.expected.append("ERR_INTERNET_DISCONNECTED")
    page.context.set_offline(True)
    expect(page.locator("#status")).to_contain_text("no line")
    assert page.locator(".candidate").count() > 0
    page.context.set_offline(False)
    expect(page.locator("#status")).not_to_contain_text("no line")


def test_installed_it_has_an_honest_page_without_a_line_and_keeps_no_answers(
    visitor: Visitor, system: System
) -> None:
    visitor.faults.expected.append("ERR_INTERNET_DISCONNECTED")
    context = visitor.context(language="en", service_workers="allow")
    page = visitor.watched(context)
    page.goto(system.origin + FIND)
    page.wait_for_selector("html[data-ready]")
    manifest = page.locator("link[rel=manifest]").get_attribute("href")
    found = context.request.get(f"{system.origin}{manifest}")
    assert found.headers["content-type"].startswith("application/manifest+json")
    assert {each["sizes"] for each in found.json()["icons"]} == {"any", "192x192", "512x512"}
    for each in found.json()["icons"]:
        assert context.request.get(system.origin + each["src"]).ok
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    look_for(page, "bell tower")
    kept = page.evaluate(
        "caches.open('greenbay-shell-1').then((cache) => cache.keys())"
        ".then((requests) => requests.map(({ url }) => new URL(url).pathname))"
    )
    assert "/static/app/offline.html" in kept
    assert [each for each in kept if not each.startswith("/static/")] == []
    page.wait_for_selector("#map[data-loaded]")
    context.set_offline(True)
    page.goto(system.origin + FIND)
    expect(page.locator("body")).to_contain_text("nothing old is shown here")
    expect(page.locator("body")).to_contain_text("没有网络")
    assert violations(page) == []


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_the_page_has_no_fault_that_axe_knows(visitor: Visitor, width: int) -> None:
    page = visitor.open(FIND, language="zh", width=width)
    look_for(page, "钟楼")
    assert in_both_themes(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_map_leads_to_bays_near_a_facility(visitor: Visitor) -> None:
    page = visitor.open("/", language="en")
    page.fill("#search", "Bell Tower Garage")
    page.locator("#facilities [data-id]").first.click()
    page.get_by_role("link", name="Find a bay near here").click()
    page.wait_for_selector(".candidate")
    expect(page.locator("#place")).to_have_value("Bell Tower Garage")


def test_a_wallets_own_browser_finds_prices_and_asks_for_log_in(visitor: Visitor) -> None:
    """Within wallets there are no service workers, no pop-ups, and often no position."""
    context = visitor.context(language="zh", width=390, height=740)
    context.add_init_script(
        "delete Navigator.prototype.serviceWorker; delete Navigator.prototype.geolocation;"
        "window.open = () => null; delete window.Notification;"
    )
    page = visitor.watched(context)
    page.goto(visitor.system.origin + FIND)
    page.wait_for_selector("html[data-ready]")
    look_for(page, "钟楼")
    page.locator(".candidate").first.click()
    page.wait_for_selector(".fee tfoot")
    page.goto(visitor.system.origin + FIND)
    page.wait_for_selector("html[data-ready]")
    page.click("#locate")
    expect(page.locator("#locate-problem")).not_to_be_empty()
