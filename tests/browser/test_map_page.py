"""The live map: what a driver sees first, with a pointer, a keyboard, or no map at all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import launch

if TYPE_CHECKING:
    from playwright.sync_api import Page, Playwright

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

pytestmark = pytest.mark.usefixtures("lively")


def items(page: Page) -> int:
    return page.locator("#facilities [data-id]").count()


def choose_taken_bay(page: Page) -> None:
    """Open a facility with taken bays and one of them."""
    page.select_option("#sorting", "name")
    page.locator("#facilities [data-id]").first.click()
    page.locator(".bay-button[data-state=occupied]").first.click()
    page.wait_for_selector(".figure-state")


def test_the_list_says_all_that_the_map_does(visitor: Visitor) -> None:
    page = visitor.open("/")
    page.wait_for_selector("#facilities [data-id]")
    facilities = visitor.ask("attendant", "/api/v1/facilities?limit=500")["items"]
    assert items(page) == len(facilities)
    first = page.locator("#facilities [data-id]").first
    expect(first).to_have_accessible_name(re.compile(r"\w ?: \d+ free of \d+ · .*(ago|now|never)"))


def test_the_map_draws_and_follows_the_city_live(visitor: Visitor) -> None:
    page = visitor.open("/")
    page.wait_for_selector("#map[data-loaded]")
    expect(page.locator("#feed")).to_have_attribute("data-state", "live")
    before = page.locator("#city-sum .legend").inner_text()
    visitor.set_speed(60)
    try:
        expect(page.locator("#city-sum .legend")).not_to_have_text(before)
    finally:
        visitor.set_speed(1)


def test_search_narrows_the_list_in_either_language(visitor: Visitor) -> None:
    page = visitor.open("/")
    page.wait_for_selector("#facilities [data-id]")
    page.fill("#search", "library")
    expect(page.locator("#facilities [data-id]")).to_have_count(1)
    expect(page.locator("#found")).to_have_text("1 found")
    page.fill("#search", "图书馆")
    expect(page.locator("#facilities [data-id]")).to_have_count(1)
    page.fill("#search", "no such place")
    expect(page.locator("#facilities")).to_contain_text('Nothing matches "no such place"')
    page.click("text=Clear the search")
    assert items(page) > 1


def test_the_keyboard_reaches_everything(visitor: Visitor) -> None:
    page = visitor.open("/")
    page.wait_for_selector("#facilities [data-id]")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.press("Enter")
    first, second = (page.locator("#facilities [data-id]").nth(n) for n in (0, 1))
    expect(first).to_be_focused()
    page.keyboard.press("j")
    expect(second).to_be_focused()
    page.keyboard.press("k")
    expect(first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_be_visible()
    expect(page.locator("#panel-title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(first).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    expect(page.locator("#help-keys")).to_contain_text("next in the list")


def test_a_facility_says_what_a_stay_costs_line_by_line(visitor: Visitor) -> None:
    page = visitor.open("/")
    page.locator("#facilities [data-id]").first.click()
    expect(page.locator(".figure")).to_contain_text("free of")
    expect(page.locator(".freshness")).to_contain_text("Last report")
    page.get_by_role("button", name="2 h", exact=True).click()
    expect(page.locator(".quote-total")).to_have_text(re.compile(r"^¥\d+\.\d\d$"))
    total = page.locator(".quote-total").inner_text()
    expect(page.locator(".fee tfoot .amount")).to_have_text(total)
    cents = [
        round(float(amount.replace("¥", "").replace("−", "-")) * 100)
        for amount in page.locator(".fee tbody .amount").all_inner_texts()
    ]
    assert sum(cents) == round(float(total[1:]) * 100)
    expect(page.locator("[data-exit=leave-first]")).to_contain_text("Leave first, pay later")


def test_a_bay_says_since_when_and_how_sure(visitor: Visitor) -> None:
    page = visitor.open("/")
    choose_taken_bay(page)
    expect(page.locator(".figure-state")).to_have_text("Taken")
    expect(page.locator(".freshness")).to_contain_text("since ")
    expect(page.get_by_role("meter")).to_have_attribute("aria-valuenow", re.compile(r"^\d+$"))
    expect(page.locator(".evidence")).to_have_count(0)


def test_staff_see_the_sensor_and_its_raw_bytes(visitor: Visitor) -> None:
    page = visitor.open("/", "operator")
    choose_taken_bay(page)
    evidence = page.locator(".evidence")
    expect(evidence).to_contain_text("Model")
    expect(evidence.locator(".hex").first).to_have_text(re.compile(r"^[0-9a-f]{2}( [0-9a-f]{2})*$"))
    expect(evidence.locator(".frame").first).to_contain_text("Decoded fields")


def test_an_address_leads_straight_to_a_bay(visitor: Visitor) -> None:
    facility = visitor.ask("attendant", "/api/v1/facilities?limit=1")["items"][0]
    bay = visitor.ask("attendant", f"/api/v1/facilities/{facility['id']}/bays")["items"][0]
    page = visitor.open(f"/#bay/{bay['id']}")
    expect(page.locator("#panel-title")).to_have_text(f"Bay {bay['label']}")


def test_without_webgl_the_list_still_serves(visitor: Visitor, playwright: Playwright) -> None:
    plain = launch(playwright, "--disable-gpu", "--disable-3d-apis")
    page = visitor.open("/", browser=plain)
    expect(page.locator("#map-note")).to_contain_text("cannot draw the map")
    page.locator("#facilities [data-id]").first.click()
    expect(page.locator("#panel")).to_be_visible()
    plain.close()


def test_who_is_logged_in_sees_free_bays_ahead(visitor: Visitor) -> None:
    """What an older city answers stands in for the demo's: its first day has no history."""
    page = visitor.open("/", "operator")
    page.locator("#facilities [data-id]").first.click()
    expect(page.locator(".panel-body")).to_contain_text("forecasts begin after ten days")
    model = {"version": 1, "trained_at": "2026-03-02T00:00:00Z", "judged": 900, "mae": 0.05}
    judged = {**model, "persistence_mae": 0.1, "last_week_mae": 0.08, "coverage90": 0.9}
    ahead = {"horizon_min": 60, "for_at": "2026-03-02T10:00:00Z", "occupied": 27.6, "model": judged}
    page.route(
        "**/forecast",
        lambda route: route.fulfill(
            json={
                "facility_id": "018f0000-0000-7000-8000-000000000000",
                "answer": "forecast",
                "bays": 40,
                "made_at": "2026-03-02T09:00:00Z",
                "data_age_s": 10,
                "items": [{**ahead, "low90": 22.2, "high90": 41.0}],
            }
        ),
    )
    page.keyboard.press("Escape")
    page.locator("#facilities [data-id]").nth(1).click()
    row = page.locator(".ahead tbody tr")
    expect(row).to_contain_text("about 12")
    expect(row).to_contain_text("0 to 18")
    expect(page.locator(".panel-body")).to_contain_text("off by 2.0 bays on average")


def test_a_broken_line_is_shown_and_mended(visitor: Visitor) -> None:
    visitor.faults.expected += ["ERR_INTERNET_DISCONNECTED", "Failed to load resource"]
    page = visitor.open("/")
    expect(page.locator("#feed")).to_have_attribute("data-state", "live")
    # Cut earlier, the map's own worker and streets would still be on their way.
    page.wait_for_selector("#map[data-loaded]")
    page.context.set_offline(True)
    expect(page.locator("#feed")).to_have_attribute("data-state", "offline")
    assert items(page) > 1
    page.context.set_offline(False)
    expect(page.locator("#feed")).to_have_attribute("data-state", "live")


def test_streets_that_failed_to_load_are_asked_for_again(visitor: Visitor) -> None:
    visitor.faults.expected += ["Failed to load resource", "AJAXError"]
    page = visitor.watched(visitor.context())
    page.route("**/streets*.geojson", lambda route: route.abort())
    with page.expect_event("requestfailed", lambda asked: "streets" in asked.url):
        page.goto(visitor.system.origin)
    page.unroute("**/streets*.geojson")
    with page.expect_response(lambda answer: "streets" in answer.url) as answer:
        pass
    assert answer.value.ok


def test_without_facilities_an_error_says_what_to_do(visitor: Visitor) -> None:
    visitor.faults.expected.append("Failed to load resource")
    page = visitor.watched(visitor.context())
    page.route("**/api/v1/facilities*", lambda route: route.fulfill(status=500, body="{}"))
    page.goto(visitor.system.origin)
    expect(page.locator("#facilities")).to_contain_text("Something went wrong on our side")
    page.unroute("**/api/v1/facilities*")
    page.click("text=Try again")
    page.wait_for_selector("#facilities [data-id]")


def test_an_empty_city_says_so(visitor: Visitor, system: System) -> None:
    page = visitor.watched(visitor.context())
    page.route(
        "**/api/v1/facilities*",
        lambda route: route.fulfill(json={"items": [], "next": None}),
    )
    page.goto(system.origin)
    expect(page.locator("#facilities")).to_contain_text("No facilities yet")
    expect(page.locator("#map-note")).to_contain_text("No facility is registered yet")


def test_language_and_theme_are_kept(visitor: Visitor, system: System) -> None:
    page = visitor.open("/", language="zh")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.click("text=English")
    page.wait_for_selector("html[lang=en]")
    page.goto(system.origin)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.locator("[data-theme-switch]").click()
    page.locator("[data-theme-switch]").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_page_says_that_the_city_is_simulated(visitor: Visitor) -> None:
    page = visitor.open("/")
    expect(page.locator(".demo")).to_contain_text("Simulated city")
    expect(page.locator("[data-demo-time]")).to_have_text(re.compile(r"^[A-Z][a-z]{2} \d\d:\d\d$"))
    expect(page.locator("#demo-speed")).to_have_count(0)


def test_an_administrator_sets_the_speed_of_the_city(visitor: Visitor) -> None:
    page = visitor.open("/", "administrator")
    page.select_option("#demo-speed", "20")
    expect(page.locator("#toasts")).to_contain_text("×20")
    assert visitor.ask("administrator", "/api/v1/demo/clock")["speed"] == 20
    page.select_option("#demo-speed", "1")
    expect(page.locator("#toasts")).to_contain_text("×1")
