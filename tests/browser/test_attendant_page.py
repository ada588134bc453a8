"""An attendant's shift on a handheld: the plate, the explained bill, the cash."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.garages import GARAGES, Garage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.browser.conftest import Visitor
    from tests.browser.system import System

pytestmark = pytest.mark.usefixtures("lively")

HANDHELD = {"width": 360, "height": 720}
PATIENCE_S = 180.0
(PLATE,) = GARAGES["attendant"].plates


def at_post(visitor: Visitor, facility_id: str, **how: Any) -> Page:
    """Open the page at a post."""
    page = visitor.watched(visitor.context("attendant", **(HANDHELD | how)))
    page.add_init_script(f"localStorage.setItem('greenbay.post', '{facility_id}')")
    page.goto(f"{visitor.system.origin}/attendant")
    page.wait_for_selector(".pda-grid .cell")
    return page


def facility_of_stay(visitor: Visitor, *, without_plate: bool = False) -> str | None:
    """Give a facility where a car stands; None where there is none such."""
    stays = visitor.ask("attendant", "/api/v1/sessions?state=open&limit=500")["items"]
    fitting = (each for each in stays if each["plate"] is None or not without_plate)
    return next((str(each["facility_id"]) for each in fitting), None)


@pytest.fixture
def without_plate(visitor: Visitor) -> Iterator[str]:
    """Stop the city while a car stands without a plate somewhere; give where.

    Nobody else takes it then. Where all plates are taken as it stops, it runs on for a moment.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        visitor.set_speed(60)
        if facility_of_stay(visitor, without_plate=True) is not None:
            visitor.stand_still()
            found = facility_of_stay(visitor, without_plate=True)
            if found is not None:
                break
        assert time.monotonic() < deadline, "no car stands without a plate"
        time.sleep(0.5)
    yield found
    visitor.set_speed(1)


@pytest.fixture
def garage(visitor: Visitor, lively: System) -> Garage:
    """Give a garage that no demo attendant walks, with a bill in it."""
    return Garage(visitor, lively, GARAGES["attendant"])


def test_the_post_is_chosen_once_and_remembered(visitor: Visitor) -> None:
    page = visitor.open("/attendant", "attendant", **HANDHELD)
    page.fill("#post-search", "library")
    page.locator(".post-choice").click()
    expect(page.locator(".post-name")).to_have_text("Library Garage")
    page.reload()
    expect(page.locator(".post-name")).to_have_text("Library Garage")


def test_a_plate_is_typed_key_by_key_and_attached(visitor: Visitor, without_plate: str) -> None:
    page = at_post(visitor, without_plate)
    cell = page.locator(".cell.needs-plate").first
    number = cell.locator(".cell-number").inner_text()
    cell.click()
    page.get_by_role("button", name="Take the plate", exact=True).click()
    submit = page.locator(".thumb-bar button")
    expect(submit).to_be_disabled()
    page.get_by_role("button", name="New energy", exact=True).click()
    for key in "皖BD12345":
        page.locator(f'.key[data-key="{key}"]').click()
    expect(submit).to_have_text(f"Attach 皖B·D12345 to bay {number}")
    submit.click()
    expect(page.locator("#act .plate-green")).to_be_visible()
    expect(page.locator("#act-title")).to_have_text(f"Bay {number}")
    assert "12345" not in page.locator("#act .plate-green").inner_text()


def test_the_next_plate_begins_where_most_do(visitor: Visitor, without_plate: str) -> None:
    page = at_post(visitor, without_plate)
    page.evaluate("localStorage.setItem('greenbay.plate_prefix', '皖B')")
    page.locator(".cell.needs-plate").first.click()
    page.get_by_role("button", name="Take the plate", exact=True).click()
    expect(page.locator(".plate-typing")).to_have_text("皖B")
    expect(page.locator(".pad")).to_have_attribute("data-pad", "serial")


def test_cash_is_taken_with_its_consequence_in_words(visitor: Visitor, garage: Garage) -> None:
    due_minor = garage.bill(PLATE)["amount"]["minor"]
    assert due_minor > 0
    page = at_post(visitor, garage.facility_id)
    amount = f"¥{due_minor / 100:,.2f}"
    page.locator(".task-collect", has_text=amount).first.click()
    expect(page.locator(".fee tfoot .amount")).to_have_text(amount)
    page.get_by_role("button", name=f"Take {amount} in cash").click()
    submit = page.locator(".thumb-bar button")
    expect(submit).to_be_disabled()
    page.fill("#tendered", f"{(due_minor - 1) / 100:.2f}")
    expect(page.locator(".cash-change")).to_have_text("Too little, missing¥0.01")
    page.fill("#tendered", f"{(due_minor + 375) / 100:.2f}")
    expect(page.locator(".cash-back")).to_have_text("¥3.75")
    expect(submit).to_have_text(f"Take ¥{(due_minor + 375) / 100:,.2f}, give ¥3.75 back")
    submit.click()
    expect(page.locator(".cash-done-title")).to_have_text(f"{amount} paid")
    expect(page.locator(".cash-back")).to_have_text("¥3.75")
    page.click("text=Bill and receipt")
    expect(page.locator(".bill .tag")).to_have_text("paid")
    expect(page.locator(".bill .fee tfoot .amount")).to_have_text(amount)


def test_targets_for_the_thumb_are_large_enough(visitor: Visitor, without_plate: str) -> None:
    page = at_post(visitor, without_plate)
    for selector in (".task", ".cell"):
        box = page.locator(selector).first.bounding_box()
        assert box is not None
        assert box["height"] >= 72
    page.locator(".cell").first.click()
    thumb = page.locator(".thumb-bar button, .panel-body").first
    expect(thumb).to_be_visible()


def test_on_a_broken_line_the_post_says_how_old_it_is(visitor: Visitor) -> None:
    visitor.faults.expected += ["ERR_INTERNET_DISCONNECTED", "Failed to load resource"]
    facility_id = facility_of_stay(visitor)
    assert facility_id is not None
    page = at_post(visitor, facility_id)
    page.context.set_offline(True)
    expect(page.locator(".post-age")).to_have_text(re.compile("Not updating"))
    assert page.locator(".cell").count() > 0
    page.context.set_offline(False)
    expect(page.locator(".post-age")).to_have_text(re.compile("^Updated"))
