"""The figures page: what a day was like, read by pointer, keys and table, down to a bay's day."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor

pytestmark = pytest.mark.usefixtures("lively")


def figures(visitor: Visitor, role: str = "operator", **how: object) -> Page:
    page = visitor.open("/figures", role, **how)
    # Counts come every minute.
    page.wait_for_selector(".figure-table tbody tr", timeout=120_000)
    return page


def test_figures_of_today_say_their_age_and_what_they_are_made_of(visitor: Visitor) -> None:
    page = figures(visitor)
    expect(page.locator("#age")).to_contain_text("Counted up to")
    expect(page.locator(".figure-tile")).to_have_count(9)
    occupancy = page.locator(".figure-tile", has_text="Occupancy")
    expect(occupancy.locator(".figure-value")).to_have_text(re.compile(r"^\d+(\.\d)?%$"))
    expect(occupancy).to_contain_text("known bay hours")


def test_a_chart_is_read_by_arrow_keys_and_as_a_table(visitor: Visitor) -> None:
    page = figures(visitor)
    chart = page.locator(".chart").first
    drawing = chart.locator(".chart-drawing")
    drawing.focus()
    page.keyboard.press("End")
    expect(chart.locator(".chart-readout")).to_contain_text(":00 ·")
    chart.locator("summary").click()
    expect(chart.locator("tbody tr").first).to_be_visible()
    assert drawing.get_attribute("aria-label")


def test_a_place_opens_its_bays_and_a_bay_its_day(visitor: Visitor) -> None:
    page = figures(visitor)
    page.locator(".figure-table tbody .link").first.click()
    panel = page.locator("#panel")
    panel.locator(".figure-table tbody .link").first.click()
    expect(panel.locator(".day-strip")).to_be_visible()
    expect(panel).to_contain_text("What does not fit")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()


def test_places_are_sorted_by_the_column_asked_for(visitor: Visitor) -> None:
    page = figures(visitor)
    head = page.locator("#places th", has_text="Occupancy")
    head.locator("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    shown = page.locator("#places td[data-label=Occupancy]").all_inner_texts()
    shares = [float(each.rstrip("%")) for each in shown if each != "–"]
    assert shares == sorted(shares, reverse=True)


def test_a_file_of_the_same_days_can_be_had(visitor: Visitor) -> None:
    page = figures(visitor, "finance")
    with page.expect_download() as downloaded:
        page.click("#file")
    assert downloaded.value.suggested_filename.startswith("figures-facility-")


def test_days_without_figures_say_so(visitor: Visitor) -> None:
    page = figures(visitor)
    page.fill("#last-day", "2001-01-02")
    page.fill("#first-day", "2001-01-01")
    expect(page.locator("#empty")).to_contain_text("Nothing was counted")
    expect(page.locator("#figures-body")).to_be_hidden()


def test_days_out_of_order_are_refused_in_words(visitor: Visitor) -> None:
    page = figures(visitor)
    page.fill("#first-day", "2199-01-01")
    expect(page.locator("#range-problem")).to_contain_text("first day before the last")
